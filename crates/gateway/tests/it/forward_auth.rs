//! Questions of other reverse proxies: who may ask, what is believed, and a real nginx.

use std::net::IpAddr;

use http::{Response, header};
use hyper::body::Incoming;
use sekisho_gateway::settings;
use sekisho_kernel::{Right, gate::AddressLists, policy::Value};

use crate::{
    client::{ask, empty, json},
    fakes::{APP, CONSOLE, FakeGates, rights},
    house::{House, TOKEN, policy},
};

pub const SECRET: &str = "a-secret-of-at-least-32-characters";
const PROXY: &str = "10.0.0.1";

/// A gateway that trusts `proxies`, and the folder with its secret.
pub async fn trusting(proxies: &[&str], upstream: &str) -> (House, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    let proxies = Value::Networks(proxies.iter().map(|p| p.parse().unwrap()).collect());
    let file = Value::Str(file.display().to_string());
    let trusting = policy(upstream, &[(&settings::PROXIES, proxies), (&settings::SECRET_FILE, file)]);
    (House::with(trusting, FakeGates::default()).await, dir)
}

struct Question<'a> {
    from: &'a str,
    path: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Question<'a> {
    fn new(path: &'a str) -> Self {
        let fields = vec![
            ("x-sekisho-proxy-secret", SECRET),
            ("x-forwarded-host", APP),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-uri", "/orders?a=1"),
            ("x-forwarded-method", "GET"),
        ];
        Self { from: PROXY, path, fields }
    }
    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.fields.retain(|(n, _)| *n != name);
        if !value.is_empty() {
            self.fields.push((name, value));
        }
        self
    }
    async fn put(self, house: &House) -> Response<Incoming> {
        let from: IpAddr = self.from.parse().unwrap();
        let mut client = house.plain(&house.places.forward_auth, from).await;
        let mut request = ask("GET", "proxy.internal", self.path);
        for (name, value) in self.fields {
            request = request.header(name, value);
        }
        client.send_request(request.body(empty()).unwrap()).await.unwrap()
    }
}

fn session() -> (&'static str, &'static str) {
    ("cookie", "__Host-sekisho=token-of-a-session")
}

#[tokio::test]
async fn yes_carries_the_assertion() {
    let (house, _dir) = trusting(&["10.0.0.0/8"], "http://127.0.0.1:1").await;
    for path in ["/auth", "/forward"] {
        let answer = Question::new(path).with(session().0, session().1).put(&house).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["sekisho-assertion"].to_str().unwrap().split('.').count(), 3);
        assert!(!answer.headers().contains_key("strict-transport-security"));
    }
    let entry = house.journal.entries.lock().unwrap()[0].clone();
    assert_eq!((entry.event, entry.target.as_str(), entry.via), ("door.pass", "/orders", "forward-auth"));
}

#[tokio::test]
async fn strangers_and_wrong_secrets_are_refused() {
    let (house, _dir) = trusting(&["10.0.0.0/8"], "").await;
    let mut outside = Question::new("/auth").with(session().0, session().1);
    outside.from = "192.0.2.1";
    let wrong = [
        outside,
        Question::new("/auth").with("x-sekisho-proxy-secret", "").with(session().0, session().1),
        Question::new("/auth").with("x-sekisho-proxy-secret", "guess").with(session().0, session().1),
    ];
    for question in wrong {
        let answer = question.put(&house).await;
        assert_eq!(answer.status(), 403);
        assert!(!answer.headers().contains_key("sekisho-assertion"));
        assert_eq!(json(answer).await["code"], "SK-5013");
    }
    assert_eq!(house.entered().len(), 3);
    let closed = House::before("").await;
    let answer = Question::new("/auth").with(session().0, session().1).put(&closed).await;
    assert_eq!(answer.status(), 403, "without settings nobody is trusted");
}

#[tokio::test]
async fn no_session_no_right_no_tls() {
    let (house, _dir) = trusting(&["10.0.0.0/8"], "").await;
    let browser = || Question::new("/auth").with("accept", "text/html");
    let answer = browser().put(&house).await;
    assert_eq!(answer.status(), 401);
    let to = format!("https://{CONSOLE}/enter?to={APP}&path=%2Forders%3Fa%3D1&bind=");
    assert!(answer.headers()["location"].to_str().unwrap().starts_with(&to));
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("__Host-sekisho-start="));
    let mut handed = browser();
    handed.path = "/forward";
    assert_eq!(handed.put(&house).await.status(), 303);
    let program = Question::new("/forward").put(&house).await;
    assert_eq!(program.status(), 401);
    assert!(!program.headers().contains_key("location"));
    let form = browser().with("x-forwarded-method", "POST").put(&house).await;
    assert_eq!(form.status(), 401);
    assert!(!form.headers().contains_key("location"));
    let port = browser().with("x-forwarded-host", "acme.app.localhost:8443").put(&house).await;
    assert!(port.headers()["location"].to_str().unwrap().starts_with(&format!("https://{CONSOLE}:8443/enter")));

    house.sessions.sign_in("powerless", &house.policy.borrow().clone(), rights(1, &[]));
    let powerless = Question::new("/auth").with("cookie", "__Host-sekisho=powerless").put(&house).await;
    assert_eq!(powerless.status(), 403);
    for proto in ["http", ""] {
        let plain = Question::new("/auth").with(session().0, session().1).with("x-forwarded-proto", proto);
        assert_eq!(plain.put(&house).await.status(), 403);
    }
    let nobody = Question::new("/auth").with(session().0, session().1).with("x-forwarded-host", "evil.example");
    assert_eq!(nobody.put(&house).await.status(), 421);
    let console = Question::new("/auth").with(session().0, session().1).with("x-forwarded-host", CONSOLE);
    assert_eq!(console.put(&house).await.status(), 421, "the console is never behind another proxy's question");
    assert_eq!(Question::new("/else").put(&house).await.status(), 404);
}

#[tokio::test]
async fn the_address_is_the_last_one_that_is_no_proxy() {
    let (house, _dir) = trusting(&["10.0.0.0/8"], "").await;
    let lists = AddressLists { platform: vec![], tenant: vec!["203.0.113.9/32".parse().unwrap()] };
    *house.directory.addresses.lock().unwrap() = std::sync::Arc::new(lists);
    for (forwarded, status) in [
        ("203.0.113.9", 200),
        ("6.6.6.6, 203.0.113.9", 200),
        ("203.0.113.9, 10.1.2.3", 200),
        ("::ffff:203.0.113.9", 200),
        ("203.0.113.9, 6.6.6.6", 403),
        ("203.0.113.9, 6.6.6.6, 10.1.2.3", 403),
        ("10.1.2.3", 403),
        ("unknown", 400),
        ("203.0.113.9,", 400),
        ("", 400),
    ] {
        let question = Question::new("/auth").with(session().0, session().1).with("x-forwarded-for", forwarded);
        assert_eq!(question.put(&house).await.status(), status, "{forwarded}");
    }
}

#[tokio::test]
async fn envoy_appends_the_path_and_keeps_host_and_method() {
    let (house, _dir) = trusting(&["10.0.0.0/8"], "").await;
    let mut client = house.plain(&house.places.forward_auth, PROXY.parse().unwrap()).await;
    let request = ask("DELETE", APP, "/forward/orders/9?x=1")
        .header("x-sekisho-proxy-secret", SECRET)
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-for", "203.0.113.9")
        .header(session().0, session().1);
    assert_eq!(client.send_request(request.body(empty()).unwrap()).await.unwrap().status(), 200);
    let entry = house.journal.entries.lock().unwrap()[0].clone();
    assert_eq!((entry.target.as_str(), entry.detail[0].1.as_str()), ("/orders/9", "DELETE"));
}

#[tokio::test]
async fn the_way_in_and_out_is_served_here_too() {
    let (house, _dir) = trusting(&["10.0.0.0/8"], "").await;
    let binding = "D".repeat(43);
    let cookie = format!("__Host-sekisho-start={binding}");
    house.sessions.codes.lock().unwrap().insert("c".into(), (crate::entrance::bind(&binding), TOKEN.into()));
    let answer = Question::new("/.sekisho/enter?code=c&path=%2Fa").with("cookie", &cookie).put(&house).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()[header::LOCATION]), (303, &"/a".parse().unwrap()));
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert!(cookies[0].to_str().unwrap().starts_with(&format!("__Host-sekisho={TOKEN};")));
}

#[tokio::test]
async fn a_short_secret_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "short").unwrap();
    for path in [file, dir.path().join("missing")] {
        let setting = (&settings::SECRET_FILE, Value::Str(path.display().to_string()));
        assert_eq!(crate::house::refused(policy("", &[setting])).await, "SK-5013");
    }
}

#[tokio::test]
async fn rights_for_one_site_are_enough() {
    let (house, _dir) = trusting(&["10.0.0.0/8"], "").await;
    let mut view = (*rights(1, &[Right::APPLICATION_USE])).clone();
    for (site, status) in [([3; 16], 200), ([4; 16], 403)] {
        view.grants[0].site = Some(sekisho_kernel::Id::from_bytes(site));
        house.sessions.sign_in(TOKEN, &house.policy.borrow().clone(), std::sync::Arc::new(view.clone()));
        let answer = Question::new("/auth").with(session().0, session().1).put(&house).await;
        assert_eq!(answer.status(), status);
    }
}
