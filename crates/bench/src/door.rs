//! Signed-in requests through the door of a serving instance, against nginx as a plain TLS reverse proxy on the same
//! core in front of the same application. The application and the load have the other core.

use std::{fs, path::Path, process::Command, sync::Arc};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    house::{self, House},
    machine::Running,
    served::{COOKIE, Served, free_port, listening},
    table::{Row, count, median},
};

/// The word by which this program is told to be the application behind both proxies.
pub const APPLICATION: &str = "application";
/// The application's host name, which the load generator must be able to resolve.
pub const HOST: &str = "localhost";
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;

pub fn measure() -> Vec<Row> {
    let dir = tempfile::tempdir_in("target").unwrap();
    let data = dir.path().join("data");
    let token = house::runtime().block_on(House::ready(&data, HOST));
    let (behind, theirs) = (free_port(), free_port());
    let me = std::env::current_exe().unwrap();
    let _application = Running::on_core(1, Command::new(me).args([APPLICATION, &behind.to_string()]));
    listening(behind);
    let conf = dir.path().join("nginx.conf");
    fs::write(&conf, nginx_conf(dir.path(), theirs, behind, "", "")).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(dir.path()).arg("-c").arg(&conf);
    let nginx = Running::on_core(0, &nginx);
    listening(theirs);
    let door = Served::start(&data, &format!("http://127.0.0.1:{behind}"), Some(0), "\n[waf]\nmode = \"off\"\n");
    let (mut ours, mut against) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        against.push(load(theirs, &token, nginx.0.id(), CONNECTIONS, SECONDS, None));
        ours.push(load(door.port, &token, door.pid(), CONNECTIONS, SECONDS, None));
    }
    let of = |loads: &[Load], pick: fn(&Load) -> f64| median(loads.iter().map(pick).collect());
    let ratios = |pick: fn(&Load, &Load) -> f64| median(ours.iter().zip(&against).map(|(o, a)| pick(o, a)).collect());
    let cost = ratios(|o, a| a.cost / o.cost);
    vec![
        Row {
            what: "signed-in requests through the door, firewall off, 1 KB answer, one core",
            ours: format!("{} /s", count(of(&ours, |l| l.rate))),
            against: format!("nginx, plain TLS reverse proxy, {} /s", count(of(&against, |l| l.rate))),
            result: format!("{:.2} ×", ratios(|o, a| o.rate / a.rate)),
            bar: "≥ 0.7 ×",
        },
        Row {
            what: "the same, by processor time a request",
            ours: format!("{:.1} µs", of(&ours, |l| l.cost)),
            against: format!("nginx {:.1} µs", of(&against, |l| l.cost)),
            result: format!("{cost:.2} ×"),
            bar: "",
        },
    ]
}

/// What a load came to.
pub struct Load {
    /// Requests per second.
    pub rate: f64,
    /// Microseconds of processor time that each cost the process.
    pub cost: f64,
    /// Milliseconds in which 99 of a hundred were answered.
    pub p99: f64,
}

/// Sends requests for some seconds; `script` says which, otherwise a plain GET.
pub fn load(port: u16, token: &str, pid: u32, connections: u32, seconds: u32, script: Option<&Path>) -> Load {
    let before = ticks(pid);
    let mut wrk = Command::new("taskset");
    wrk.args(["-c", "1", "wrk", "-t1", "--latency", &format!("-c{connections}"), &format!("-d{seconds}s")])
        .args(["-H", &format!("Cookie: {COOKIE}={token}")]);
    if let Some(script) = script {
        wrk.arg("-s").arg(script);
    }
    let output = wrk.arg(format!("https://{HOST}:{port}/some/path")).output().expect("wrk runs");
    let spent = ticks(pid) - before;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Requests/sec") && !text.contains("Non-2xx"), "{text}");
    let line = |label: &str| text.lines().find(|l| l.contains(label)).unwrap_or_else(|| panic!("{text}"));
    let number = |label: &str| -> f64 { line(label).split_whitespace().find_map(|word| word.parse().ok()).unwrap() };
    let p99 = line(" 99%").split_whitespace().nth(1).and_then(milliseconds).unwrap_or_else(|| panic!("{text}"));
    Load { rate: number("Requests/sec:"), cost: spent as f64 * 10_000.0 / number("requests in"), p99 }
}

/// `812.00us`, `3.21ms`, `1.02s` as wrk writes them.
fn milliseconds(text: &str) -> Option<f64> {
    for (unit, times) in [("us", 0.001), ("ms", 1.0), ("s", 1_000.0)] {
        if let Some(number) = text.strip_suffix(unit).and_then(|n| n.parse::<f64>().ok()) {
            return Some(number * times);
        }
    }
    None
}

/// User and system time of a process, in hundredths of a second (proc(5)).
pub fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// nginx in front of the application; `before` stands first in its configuration, `inside` in its server.
pub fn nginx_conf(dir: &Path, port: u16, upstream: u16, before: &str, inside: &str) -> String {
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    fs::write(dir.join("c.pem"), made.cert.pem()).unwrap();
    fs::write(dir.join("k.pem"), made.signing_key.serialize_pem()).unwrap();
    let d = dir.display();
    format!(
        "{before}daemon off; master_process off; worker_processes 1; pid {d}/pid; error_log {d}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
 uwsgi_temp_path {d}/u; scgi_temp_path {d}/s; keepalive_requests 100000000;
 upstream app {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {d}/c.pem; ssl_certificate_key {d}/k.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  {inside}
  location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}
"
    )
}

/// The application: answers 1 KiB to whatever it is asked, with as little work as possible. Never ends by itself.
pub fn application(port: u16) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n";
        let answer: Arc<str> = format!("{head}{}", "x".repeat(1024)).into();
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let (mut buffer, mut held) = (vec![0; 65_536], 0);
                while let Ok(read @ 1..) = stream.read(&mut buffer[held..]).await {
                    held += read;
                    if held == buffer.len() {
                        return;
                    }
                    if whole(&buffer[..held]) {
                        held = 0;
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
}

/// Whether it is one whole request: a head, and as many bytes after it as the head says.
fn whole(request: &[u8]) -> bool {
    if request.ends_with(b"\r\n\r\n") && request.starts_with(b"GET ") {
        return true;
    }
    let Some(head) = request.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
    let fields = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    if fields.contains("transfer-encoding: chunked") {
        return request.ends_with(b"0\r\n\r\n");
    }
    let length = fields.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    request.len() >= head + 4 + length.unwrap_or(0)
}
