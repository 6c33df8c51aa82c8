//! How many signed-in requests one core carries through the door, against nginx as a plain TLS reverse proxy in front
//! of the same application, in one run: `cargo run --release --example door_rate`.
//!
//! Needs Linux with `nginx`, `wrk` and `taskset`. The proxy under test has the first core to itself; the application
//! and the load have the second. Both proxies are measured in turns, and besides the rate the processor time each
//! request cost, which does not depend on how fast the load generator is. The hooks behind the door are stand-ins that
//! answer from memory, as the cached ones of an instance do.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool that prints its table, or stops")]

#[path = "../tests/it/fakes.rs"]
mod fakes;

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::Duration,
};

use sekisho_gateway::{Gateway, Parts, PolicyEgress, settings};
use sekisho_kernel::{Policy, Right, Schema, SystemRng, policy::Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

const HOST: &str = "localhost";
const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789a";
const ROUNDS: usize = 3;
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["application", port] => on_one_core(application(port.parse().unwrap())),
        ["door", port, upstream] => on_one_core(door(port.parse().unwrap(), upstream)),
        [] => compare(),
        _ => println!("usage: door_rate"),
    }
}

fn on_one_core(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

/// Answers 1 KiB to whatever it is asked, with as little work as possible.
async fn application(port: u16) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n{}", "x".repeat(1024));
    let answer: Arc<str> = answer.into();
    while let Ok((mut stream, _)) = listener.accept().await {
        let answer = answer.clone();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let (mut buffer, mut held) = (vec![0; 16_384], 0);
            while let Ok(read @ 1..) = stream.read(&mut buffer[held..]).await {
                held += read;
                if buffer[..held].ends_with(b"\r\n\r\n") {
                    held = 0;
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

async fn door(port: u16, upstream: &str) {
    let schema = Schema::new(settings::ALL.iter().copied());
    let policy = Policy::defaults(&schema)
        .with(&settings::UPSTREAM, Value::Str(upstream.into()))
        .with(&settings::HTTPS, Value::List(vec![format!("127.0.0.1:{port}")]));
    let policy = Arc::new(policy);
    let (_sender, receiver) = watch::channel(policy.clone());
    let directory = fakes::FakeDirectory::new(receiver.clone());
    directory.add(HOST);
    let sessions = Arc::new(fakes::FakeSessions::default());
    sessions.sign_in(TOKEN, &policy, fakes::rights(1, &[Right::APPLICATION_USE]));
    let parts = Parts {
        policy: receiver.clone(),
        directory: Arc::new(directory),
        sessions,
        journal: Arc::new(fakes::FakeJournal::default()),
        gates: Arc::new(fakes::FakeGates::default()),
        egress: Arc::new(PolicyEgress::new(receiver)),
        rng: Arc::new(SystemRng),
        pages: Arc::new(fakes::EchoPages),
        signer: Arc::new(fakes::FakeSigner::default()),
        certificates: Arc::new(fakes::MemoryStore::default()),
        firewall: None,
    };
    let _gateway = Gateway::serve(parts).await.unwrap();
    std::future::pending().await
}

/// Ends with its scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn on_core(core: usize, command: &str, args: &[&str]) -> Running {
    let mut taskset = Command::new("taskset");
    let child = taskset.arg("-c").arg(core.to_string()).arg(command).args(args).stderr(Stdio::null()).spawn();
    Running(child.expect("taskset runs"))
}

fn nginx_conf(dir: &Path, port: u16, upstream: u16) -> String {
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    fs::write(dir.join("c.pem"), made.cert.pem()).unwrap();
    fs::write(dir.join("k.pem"), made.signing_key.serialize_pem()).unwrap();
    let d = dir.display();
    format!(
        "daemon off; master_process off; worker_processes 1; pid {d}/pid; error_log {d}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
 uwsgi_temp_path {d}/u; scgi_temp_path {d}/s; keepalive_requests 100000000;
 upstream app {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {d}/c.pem; ssl_certificate_key {d}/k.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}
"
    )
}

/// User and system time of a process, in clock ticks (proc(5)).
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Requests per second, and microseconds of processor time that each cost.
fn load(port: u16, pid: u32) -> (f64, f64) {
    let (connections, seconds) = (format!("-c{CONNECTIONS}"), format!("-d{SECONDS}s"));
    let before = ticks(pid);
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", &connections, &seconds, "-H", &format!("Cookie: __Host-sekisho={TOKEN}")])
        .arg(format!("https://{HOST}:{port}/some/path"))
        .output()
        .expect("wrk runs");
    let spent = ticks(pid) - before;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Non-2xx"), "{text}");
    let number = |label: &str| -> f64 {
        let line = text.lines().find(|l| l.contains(label)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().find_map(|w| w.parse().ok()).unwrap()
    };
    let (all, rate) = (number("requests in"), number("Requests/sec:"));
    (rate, spent as f64 * 10_000.0 / all)
}

fn compare() {
    let me = std::env::current_exe().unwrap();
    let me = me.to_str().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (behind, ours, theirs) = (free_port(), free_port(), free_port());
    let conf = dir.path().join("nginx.conf");
    fs::write(&conf, nginx_conf(dir.path(), theirs, behind)).unwrap();
    let _application = on_core(1, me, &["application", &behind.to_string()]);
    let door = on_core(0, me, &["door", &ours.to_string(), &format!("http://127.0.0.1:{behind}")]);
    let nginx = on_core(0, "nginx", &["-p", dir.path().to_str().unwrap(), "-c", conf.to_str().unwrap()]);
    sleep(Duration::from_secs(1));
    println!("{:<8}{:>14}{:>22}", "", "requests/s", "µs of CPU a request");
    let (mut door_best, mut nginx_best) = ((0.0f64, f64::MAX), (0.0f64, f64::MAX));
    for _ in 0..ROUNDS {
        for (name, port, process, best) in
            [("nginx", theirs, &nginx, &mut nginx_best), ("door", ours, &door, &mut door_best)]
        {
            let (rate, cost) = load(port, process.0.id());
            println!("{name:<8}{rate:>14.0}{cost:>22.1}");
            *best = (best.0.max(rate), best.1.min(cost));
        }
    }
    println!(
        "door : nginx, best of {ROUNDS}: rate {:.2} ×, by CPU {:.2} ×",
        door_best.0 / nginx_best.0,
        nginx_best.1 / door_best.1
    );
}
