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
const HOST: &str = "localhost";
const ROUNDS: usize = 5;
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;

pub fn measure() -> Vec<Row> {
    let dir = tempfile::tempdir_in("target").unwrap();
    let data = dir.path().join("data");
    let token = house::runtime().block_on(async {
        let house = House::open(&data, house::policy(&[])).await;
        let tenant = house.tenant_at("acme", HOST).await;
        let (_, passage) = house.sign_in(&tenant).await;
        let token = house.enter(&tenant, &passage).await;
        house.store.close();
        token.reveal().clone()
    });
    let (behind, theirs) = (free_port(), free_port());
    let me = std::env::current_exe().unwrap();
    let _application = Running::on_core(1, Command::new(me).args([APPLICATION, &behind.to_string()]));
    listening(behind);
    let conf = dir.path().join("nginx.conf");
    fs::write(&conf, nginx_conf(dir.path(), theirs, behind)).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(dir.path()).arg("-c").arg(&conf);
    let nginx = Running::on_core(0, &nginx);
    listening(theirs);
    let door = Served::start(&data, &format!("http://127.0.0.1:{behind}"), Some(0));
    let (mut ours, mut against) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        against.push(load(theirs, &token, nginx.0.id()));
        ours.push(load(door.port, &token, door.pid()));
    }
    let of = |pairs: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| median(pairs.iter().map(pick).collect());
    let ratios = |pick: fn(&(f64, f64), &(f64, f64)) -> f64| {
        median(ours.iter().zip(&against).map(|(o, a)| pick(o, a)).collect())
    };
    let cost = ratios(|o, a| a.1 / o.1);
    vec![
        Row {
            what: "signed-in requests through the door, 1 KB answer, one core",
            ours: format!("{} /s", count(of(&ours, |p| p.0))),
            against: format!("nginx, plain TLS reverse proxy, {} /s", count(of(&against, |p| p.0))),
            result: format!("{:.2} ×", ratios(|o, a| o.0 / a.0)),
            bar: "≥ 0.7 ×",
        },
        Row {
            what: "the same, by processor time a request",
            ours: format!("{:.1} µs", of(&ours, |p| p.1)),
            against: format!("nginx {:.1} µs", of(&against, |p| p.1)),
            result: format!("{cost:.2} ×"),
            bar: "",
        },
    ]
}

/// Requests per second, and microseconds of processor time that each cost the process.
fn load(port: u16, token: &str, pid: u32) -> (f64, f64) {
    let before = ticks(pid);
    let output = Command::new("taskset")
        .args(["-c", "1", "wrk", "-t1", &format!("-c{CONNECTIONS}"), &format!("-d{SECONDS}s")])
        .args(["-H", &format!("Cookie: {COOKIE}={token}")])
        .arg(format!("https://{HOST}:{port}/some/path"))
        .output()
        .expect("wrk runs");
    let spent = ticks(pid) - before;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("Requests/sec") && !text.contains("Non-2xx"), "{text}");
    let number = |label: &str| -> f64 {
        let line = text.lines().find(|l| l.contains(label)).unwrap_or_else(|| panic!("{text}"));
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
    };
    (number("Requests/sec:"), spent as f64 * 10_000.0 / number("requests in"))
}

/// User and system time of a process, in hundredths of a second (proc(5)).
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
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
    });
}
