//! Measures the engine on one thread: CPU time per request, load time, memory; and libmodsecurity with it.
//!
//! `measure FOLDER [REQUESTS [PROGRAM]]`: FOLDER holds the Core Rule Set (`crs-setup.conf.example`, `rules/`); PROGRAM is
//! `reference/modsecurity.c`, compiled. Both read the same text of rules and examine the same requests in turn.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use protocol::{encode, number};
use sekisho_waf::{Client, Counters, Options, RuleSet, wire::Request};
use std::{
    error::Error,
    io::Write,
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

#[path = "../tests/it/crs.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod crs;
#[path = "../tests/it/protocol.rs"]
mod protocol;

/// CPU time of this thread, which neighbours on the machine do not stretch.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanoseconds)
}

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// Rounds of which the median is told, and the best: what the work costs when nothing disturbs it.
const ROUNDS: u32 = 60;

fn micro(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

fn shapes() -> Vec<(&'static str, Request)> {
    macro_rules! body {
        ($name:literal) => {
            include_str!(concat!("bodies/", $name)).to_owned()
        };
    }
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";
    vec![
        ("GET", request("GET", "/articles/2026/spring?page=2&sort=new&q=running+shoes", "", String::new())),
        ("form, 46 fields", request("POST", "/checkout", FORM, body!("checkout.form"))),
        ("form, one text", request("POST", "/contact", FORM, body!("letter.form"))),
        ("JSON, 93 values", request("POST", "/api/v1/orders", JSON, body!("order.json"))),
        ("JSON, one text", request("POST", "/api/v1/letters", JSON, body!("letter.json"))),
    ]
}

fn request(method: &str, target: &str, content_type: &str, body: String) -> Request {
    let mut headers = vec![
        ("Host", "app.example.com"),
        (
            "User-Agent",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        ),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "ja,en-US;q=0.9,en;q=0.8"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Cookie", "session=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA; _ga=GA1.1.123456789.1700000000; theme=dark"),
        ("Referer", "https://app.example.com/articles/1"),
    ];
    let length = body.len().to_string();
    if !body.is_empty() {
        headers.extend([("Content-Type", content_type), ("Content-Length", &length)]);
    }
    Request {
        method: method.into(),
        target: target.into(),
        protocol: b"HTTP/1.1".to_vec(),
        headers: headers.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect(),
        body: body.into_bytes(),
    }
}

fn once(rules: &Arc<RuleSet>, client: &Client, request: &Request) -> (bool, Counters) {
    let mut transaction = rules.transaction(client);
    let blocked = request.examine(&mut transaction).blocked().is_some();
    transaction.finish();
    (blocked, transaction.counters())
}

/// What the other engine takes: median and best.
struct Other {
    child: Child,
}

impl Other {
    fn start(program: &str, rules: &Path) -> Result<Self, Box<dyn Error>> {
        let rounds = (ROUNDS / 2).to_string();
        let mut command = Command::new(program);
        command.arg(rules).args(["time", "5", &rounds]);
        Ok(Self { child: command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()? })
    }

    fn ask(&mut self, request: &Request) -> Result<[f64; 2], Box<dyn Error>> {
        self.child.stdin.as_mut().ok_or("no input")?.write_all(&encode(request))?;
        let stdout = self.child.stdout.as_mut().ok_or("no output")?;
        let _status = number(stdout)?;
        Ok([number(stdout)? as f64 / 1000.0, number(stdout)? as f64 / 1000.0])
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: measure FOLDER [REQUESTS [PROGRAM]]")?;
    let count: u32 = arguments.next().map_or(Ok(6000), |n| n.parse())?;
    let mut out = std::io::stdout();
    let program = arguments.next();
    let folder = Path::new(&folder);
    let text = crs::leveled_text(folder, 1, false);
    let before = resident();
    let started = Instant::now();
    let started_cpu = cpu();
    let rules = RuleSet::from_text(&mut crs::Disk, "measure.conf", &text, &Options::default())?;
    writeln!(
        out,
        "load: {:?} of CPU, {:?} on the clock, {} MB resident more",
        cpu().saturating_sub(started_cpu),
        started.elapsed(),
        resident().saturating_sub(before) >> 20
    )?;
    writeln!(out, "{:?}", rules.stats())?;
    drop(rules);
    let client = Client {
        address: Ipv4Addr::new(192, 0, 2, 7).into(),
        port: 50_000,
        server: Ipv4Addr::LOCALHOST.into(),
        server_port: 443,
        time: 1_700_000_000,
        unique_id: "measure".into(),
    };
    for level in 1..=2 {
        let text = crs::leveled_text(folder, level, false);
        let rules = Arc::new(RuleSet::from_text(&mut crs::Disk, "measure.conf", &text, &Options::default())?);
        let file = std::env::temp_dir().join(format!("measure-{}.conf", std::process::id()));
        std::fs::write(&file, &text)?;
        let mut other = program.as_ref().map(|p| Other::start(p, &file)).transpose()?;
        for (name, request) in shapes() {
            for _ in 0..count / 10 {
                once(&rules, &client, &request);
            }
            let mut rounds: Vec<Duration> = (0..ROUNDS)
                .map(|_| {
                    let started = cpu();
                    for _ in 0..count / ROUNDS {
                        std::hint::black_box(once(&rules, &client, &request));
                    }
                    cpu().saturating_sub(started) / (count / ROUNDS)
                })
                .collect();
            rounds.sort_unstable();
            let (median, best) = (micro(rounds[rounds.len() / 2]), micro(rounds[0]));
            let (blocked, counters) = once(&rules, &client, &request);
            writeln!(
                out,
                "PL{level} {name}: median {median:.1}, best {best:.1} µs of CPU; blocked {blocked}, {counters:?}"
            )?;
            if let Some(other) = &mut other {
                let [m, b] = other.ask(&request)?;
                writeln!(
                    out,
                    "    libmodsecurity: median {m:.1}, best {b:.1} µs of CPU: {:.1} and {:.1} times as much",
                    m / median,
                    b / best
                )?;
            }
        }
        if let Some(mut other) = other {
            drop(other.child.stdin.take());
            other.child.wait()?;
        }
        std::fs::remove_file(&file)?;
    }
    writeln!(out, "resident more after use: {} MB", resident().saturating_sub(before) >> 20)?;
    Ok(())
}
