//! Measures the engine on one thread: CPU time per request, load time, memory.
//!
//! `measure FOLDER [REQUESTS]`: FOLDER holds the Core Rule Set (`crs-setup.conf.example`, `rules/`).

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use sekisho_waf::{Client, Options, RequestHead, RuleSet};
use std::{
    error::Error,
    io::Write,
    net::Ipv4Addr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

#[path = "../tests/it/crs.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod crs;
#[path = "../tests/it/traffic.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod traffic;

struct Shape {
    name: &'static str,
    method: &'static [u8],
    target: &'static [u8],
    content_type: &'static [u8],
    body: Vec<u8>,
}

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

fn shapes() -> Vec<Shape> {
    let prose = "I'd like to change the delivery address for my order, because we have moved to a new office. お世話になっております。 ";
    let mut form = String::from(
        "name=Mary+O%27Connor&email=mary%40example.com&address=221B+Baker+Street&city=London&agree=on&message=",
    );
    let mut json = String::from(
        "{\"name\":\"Mary O'Connor\",\"email\":\"mary@example.com\",\"items\":[{\"id\":1,\"sku\":\"A-200\",\"price\":12.5},{\"id\":2,\"sku\":\"B-7\",\"price\":3}],\"message\":\"",
    );
    while form.len() < 2000 {
        form.extend(prose.bytes().map(|b| match b {
            b' ' => "+".to_owned(),
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        }));
    }
    while json.len() < 2000 {
        json.push_str(prose);
    }
    json.push_str("\"}");
    vec![
        Shape {
            name: "GET",
            method: b"GET",
            target: b"/articles/2026/spring?page=2&sort=new&q=running+shoes",
            content_type: b"",
            body: Vec::new(),
        },
        Shape {
            name: "form 2 KB",
            method: b"POST",
            target: b"/contact",
            content_type: b"application/x-www-form-urlencoded",
            body: form.into_bytes(),
        },
        Shape {
            name: "JSON 2 KB",
            method: b"POST",
            target: b"/api/v1/orders",
            content_type: b"application/json",
            body: json.into_bytes(),
        },
    ]
}

fn once(rules: &Arc<RuleSet>, client: &Client, shape: &Shape) -> (bool, sekisho_waf::Counters) {
    let length = shape.body.len().to_string();
    let mut headers: Vec<(&[u8], &[u8])> = vec![
        (b"Host", b"app.example.com"),
        (b"User-Agent", b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"),
        (b"Accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        (b"Accept-Language", b"ja,en-US;q=0.9,en;q=0.8"),
        (b"Accept-Encoding", b"gzip, deflate, br"),
        (b"Cookie", b"session=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA; _ga=GA1.1.123456789.1700000000; theme=dark"),
        (b"Referer", b"https://app.example.com/articles/1"),
    ];
    if !shape.body.is_empty() {
        headers.push((b"Content-Type", shape.content_type));
        headers.push((b"Content-Length", length.as_bytes()));
    }
    let mut tx = rules.transaction(client);
    let head = RequestHead { method: shape.method, target: shape.target, protocol: b"HTTP/1.1", headers: &headers };
    let mut blocked = tx.request(&head).blocked().is_some();
    tx.append_request_body(&shape.body);
    blocked |= tx.request_body().blocked().is_some();
    tx.finish();
    (blocked, tx.counters())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: measure FOLDER [REQUESTS]")?;
    let count: u32 = arguments.next().map_or(Ok(6000), |n| n.parse())?;
    let mut out = std::io::stdout();
    let text = crs::ordinary_text(Path::new(&folder));
    let before = resident();
    let started = Instant::now();
    let started_cpu = cpu();
    let rules = Arc::new(RuleSet::from_text(&mut crs::Disk, "measure.conf", &text, &Options::default())?);
    writeln!(
        out,
        "load: {:?} CPU ({:?} on the clock), {} MB resident more",
        cpu().saturating_sub(started_cpu),
        started.elapsed(),
        resident().saturating_sub(before) >> 20
    )?;
    writeln!(out, "{:?}", rules.stats())?;
    let client = Client {
        address: Ipv4Addr::new(192, 0, 2, 7).into(),
        port: 50_000,
        server: Ipv4Addr::LOCALHOST.into(),
        server_port: 443,
        time: 1_700_000_000,
        unique_id: "measure".into(),
    };
    for level in 1..=2 {
        let options = Options {
            tx: vec![
                ("blocking_paranoia_level".into(), level.to_string()),
                ("detection_paranoia_level".into(), level.to_string()),
            ],
            ..Options::default()
        };
        let rules = Arc::new(rules.with(&options)?);
        for shape in shapes() {
            for _ in 0..count / 10 {
                once(&rules, &client, &shape);
            }
            let mut rounds: Vec<Duration> = (0..ROUNDS)
                .map(|_| {
                    let started = cpu();
                    for _ in 0..count / ROUNDS {
                        std::hint::black_box(once(&rules, &client, &shape));
                    }
                    cpu().saturating_sub(started) / (count / ROUNDS)
                })
                .collect();
            rounds.sort_unstable();
            let (blocked, counters) = once(&rules, &client, &shape);
            writeln!(
                out,
                "PL{level} {}: median {:.1} µs, best {:.1} µs of CPU, blocked {blocked}, {counters:?}",
                shape.name,
                micro(rounds[rounds.len() / 2]),
                micro(rounds[0])
            )?;
        }
    }
    writeln!(out, "resident more after use: {} MB", resident().saturating_sub(before) >> 20)?;
    Ok(())
}
