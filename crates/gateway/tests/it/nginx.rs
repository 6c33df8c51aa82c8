//! A real nginx asks before it passes anything on, configured as the guide says.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use http::{Request, Response, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{
    client::{Out, ask, config, empty, json, signed},
    fakes::{APP, CONSOLE, rights},
    forward_auth::{SECRET, trusting},
    house::{House, TOKEN},
    upstream::Application,
};

const GUIDE: &str = include_str!("../../../../docs/guides/forward-auth.md");

/// Ends with the test.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn installed() -> bool {
    Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// The guide's own configuration, with this test's addresses and files in it.
fn configuration(dir: &Path, port: u16, forward_auth: &str, application: &str) -> String {
    let start = GUIDE.find("```nginx\n").expect("the guide shows a configuration") + "```nginx\n".len();
    let block = &GUIDE[start..start + GUIDE[start..].find("```").expect("and ends it")];
    let d = dir.display();
    let mut site = block.to_owned();
    for (from, to) in [
        ("127.0.0.1:443", format!("127.0.0.1:{port}")),
        ("127.0.0.1:8444", forward_auth.to_owned()),
        ("127.0.0.1:8080", application.to_owned()),
        ("/etc/nginx/acme.pem", format!("{d}/acme.pem")),
        ("/etc/nginx/acme.key", format!("{d}/acme.key")),
        ("THE-SECRET", SECRET.to_owned()),
    ] {
        assert!(site.contains(from), "the guide no longer says {from}");
        site = site.replace(from, &to);
    }
    format!(
        "daemon off; master_process off; pid {d}/pid; error_log {d}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f;
uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
{site} }}"
    )
}

async fn send(port: u16, trust: &str, house: &House, request: Request<Out>) -> Response<Incoming> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config(trust, &house.clock, "http/1.1")));
    let stream = connector.connect(ServerName::try_from(APP).unwrap(), stream).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap()
}

#[tokio::test]
async fn a_real_nginx_asks_before_it_passes_anything_on() {
    if !installed() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "nginx must be installed where CI=true");
        eprintln!("skipped: nginx is not installed");
        return;
    }
    let application = Application::start().await;
    let (house, dir) = trusting(&["127.0.0.0/8"], "").await;
    let asked = house.forward_auth_socket();
    let made = rcgen::generate_simple_self_signed(vec![APP.to_owned()]).unwrap();
    let trust = made.cert.pem();
    fs::write(dir.path().join("acme.pem"), &trust).unwrap();
    fs::write(dir.path().join("acme.key"), made.signing_key.serialize_pem()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let behind = application.origin.strip_prefix("http://").unwrap();
    let conf = dir.path().join("nginx.conf");
    fs::write(&conf, configuration(dir.path(), port, &asked.to_string(), behind)).unwrap();
    let child = Command::new("nginx").arg("-p").arg(dir.path()).arg("-c").arg(&conf).stderr(Stdio::null()).spawn();
    let mut nginx = Nginx(child.unwrap());
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            break;
        }
        let log = || fs::read_to_string(dir.path().join("error.log")).unwrap_or_default();
        assert!(nginx.0.try_wait().unwrap().is_none(), "nginx ended: {}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let send = |request| send(port, &trust, &house, request);

    let browser = ask("GET", APP, "/orders?a=1").header("accept", "text/html").body(empty()).unwrap();
    let answer = send(browser).await;
    assert_eq!(answer.status(), 303);
    let to = format!("https://{CONSOLE}/enter?to={APP}&path=%2Forders%3Fa%3D1&bind=");
    assert!(answer.headers()["location"].to_str().unwrap().starts_with(&to));
    let binding = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let program = send(ask("GET", APP, "/orders").body(empty()).unwrap()).await;
    assert_eq!(program.status(), 401);

    let code = ("c".to_owned(), (crate::entrance::bind(binding.split_once('=').unwrap().1), TOKEN.to_owned()));
    house.sessions.codes.lock().unwrap().extend([code]);
    let back = ask("GET", APP, "/.sekisho/enter?code=c&path=%2Forders").header(header::COOKIE, binding);
    let answer = send(back.body(empty()).unwrap()).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/orders".parse().unwrap()));
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("__Host-sekisho="));

    let request = signed("POST", APP, "/orders")
        .header("sekisho-assertion", "forged")
        .header(header::COOKIE, "theirs=1")
        .body(crate::client::full("body"))
        .unwrap();
    let answer = send(request).await;
    assert_eq!(answer.status(), 200);
    let seen = json(answer).await;
    let field = |name: &str| -> Vec<String> {
        let all = seen["headers"].as_array().unwrap();
        all.iter().filter(|h| h[0] == name).map(|h| h[1].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(field("sekisho-assertion").len(), 1);
    assert_eq!(field("sekisho-assertion")[0].split('.').count(), 3);
    assert_eq!(field("cookie"), ["theirs=1"]);
    assert_eq!(seen["length"], 4);

    let inside = send(signed("GET", APP, "/sekisho-auth").body(empty()).unwrap()).await;
    assert_eq!(inside.status(), 404, "the question is the proxy's alone");
    house.sessions.sign_in(TOKEN, &house.policy.borrow().clone(), rights(2, &[]));
    assert_eq!(send(signed("GET", APP, "/").body(empty()).unwrap()).await.status(), 403);
    house.sessions.end(TOKEN);
    assert_eq!(send(signed("GET", APP, "/").body(empty()).unwrap()).await.status(), 401);
    let targets: Vec<_> = house.journal.entries.lock().unwrap().iter().map(|e| (e.event, e.via)).collect();
    assert!(targets.contains(&("door.pass", "forward-auth")) && targets.contains(&("door.refuse", "forward-auth")));
}
