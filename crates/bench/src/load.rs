//! Load by `wrk` from the second core on a process that has the first.

use std::{fs, path::Path, process::Command};

use crate::door::ticks;

/// Connections that are kept open.
const CONNECTIONS: u32 = 64;
const SECONDS: u32 = 5;

/// What a load came to.
pub struct Load {
    /// Requests per second.
    pub rate: f64,
    /// Microseconds of processor time that each cost the process.
    pub cost: f64,
}

/// What is asked, again and again.
pub struct Request {
    pub url: String,
    /// A form to post; otherwise it is a GET.
    pub form: Option<String>,
    pub headers: Vec<(&'static str, String)>,
}

impl Request {
    /// The script by which wrk sends it. No value has a quote or a backslash in it.
    fn script(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.headers {
            out.push_str(&format!("wrk.headers[\"{name}\"] = \"{value}\"\n"));
        }
        if let Some(form) = &self.form {
            let kind = "application/x-www-form-urlencoded";
            out.push_str(&format!("wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"{kind}\"\n"));
            out.push_str(&format!("wrk.body = \"{form}\"\n"));
        }
        out
    }
}

/// Sends a request for some seconds to the process `pid`. Stops where one is not answered by 200.
pub fn load(dir: &Path, request: &Request, pid: u32) -> Load {
    let script = dir.join("wrk.lua");
    fs::write(&script, request.script()).unwrap();
    let before = ticks(pid);
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", &format!("-c{CONNECTIONS}"), &format!("-d{SECONDS}s"), "-s"])
        .arg(&script)
        .arg(&request.url)
        .output()
        .expect("wrk runs");
    let spent = ticks(pid) - before;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Requests/sec") && !text.contains("Non-2xx"), "{}: {text}", request.url);
    let number = |label: &str| -> f64 {
        let line = text.lines().find(|l| l.contains(label)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
    };
    Load { rate: number("Requests/sec:"), cost: spent as f64 * 10_000.0 / number("requests in") }
}
