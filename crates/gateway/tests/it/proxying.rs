//! Requests to the application and back.

use std::{convert::Infallible, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use sekisho_gateway::settings;
use sekisho_kernel::{Outcome, policy::Value};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::{
    client::{ask, empty, full, json, signed, text},
    fakes::{APP, CONSOLE, FakeGates},
    house::{House, PEER, TOKEN, policy},
    upstream::Application,
};

fn field(seen: &serde_json::Value, name: &str) -> Vec<String> {
    let headers = seen["headers"].as_array().unwrap();
    headers.iter().filter(|h| h[0] == name).map(|h| h[1].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_signed_in_request_passes_and_says_who() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let request = signed("GET", APP, "/orders?a=1")
        .header("x-forwarded-for", "6.6.6.6")
        .header("forwarded", "for=6.6.6.6")
        .header("x_real_ip", "6.6.6.6")
        .header("sekisho-assertion", "forged")
        .header("Sekisho_Assertion", "forged")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("te", "trailers")
        .header("x-kept", "1")
        .header(header::COOKIE, "theirs=1; __Host-sekisho-start=abc")
        .body(empty())
        .unwrap();
    let answer = house.send(APP, request).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let seen = json(answer).await;
    assert_eq!((seen["method"].as_str(), seen["uri"].as_str()), (Some("GET"), Some("/orders?a=1")));
    assert_eq!(field(&seen, "host"), [APP]);
    assert_eq!(field(&seen, "x-forwarded-for"), [PEER]);
    assert_eq!(field(&seen, "x-forwarded-proto"), ["https"]);
    assert_eq!(field(&seen, "forwarded"), [format!("for={PEER};host=\"{APP}\";proto=https")]);
    assert_eq!(field(&seen, "cookie"), ["theirs=1"]);
    assert_eq!(field(&seen, "x-kept"), ["1"]);
    for gone in ["x_real_ip", "sekisho_assertion", "x-hop", "te", "connection"] {
        assert!(field(&seen, gone).is_empty(), "{gone}");
    }
    let assertions = field(&seen, "sekisho-assertion");
    assert_eq!(assertions.len(), 1);
    assert_ne!(assertions[0], "forged");
    assert_eq!(house.entered(), [("door.pass", "/orders".to_owned())]);
}

#[tokio::test]
async fn answers_lose_what_reaches_beyond_the_application() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let answer = house.send(APP, signed("GET", APP, "/beyond").body(empty()).unwrap()).await;
    let headers = answer.headers().clone();
    assert_eq!(headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["own=1; Path=/"]);
    for gone in ["clear-site-data", "service-worker-allowed", "alt-svc", "x-hop", "sekisho-assertion"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    assert_eq!(headers["strict-transport-security"], "max-age=31536000");
    assert_eq!(headers["x-kept"], "1");

    let open = policy(
        &application.origin,
        &[(&settings::ALLOW_CLEAR_SITE_DATA, Value::Bool(true)), (&settings::ALLOW_SERVICE_WORKER, Value::Bool(true))],
    );
    let house = House::with(open, FakeGates::default()).await;
    let answer = house.send(APP, signed("GET", APP, "/beyond").body(empty()).unwrap()).await;
    assert!(answer.headers().contains_key("clear-site-data"));
    assert!(answer.headers().contains_key("service-worker-allowed"));
}

#[tokio::test]
async fn bodies_stream_both_ways_and_connections_are_used_again() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let mut client = house.h1(APP).await;
    let answer = client.send_request(signed("GET", APP, "/stream").body(empty()).unwrap()).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), 1_024_000);
    for size in [0usize, 1, 70_000, 3_000_000] {
        let request = signed("PUT", APP, "/file").body(full(vec![7u8; size])).unwrap();
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(json(answer).await["length"], size);
    }
    assert_eq!(application.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn http2_in_is_http1_out() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let mut client = house.h2(APP).await;
    let request = http::Request::builder()
        .method("POST")
        .uri(format!("https://{APP}/things"))
        .header(header::COOKIE, "a=1")
        .header(header::COOKIE, format!("__Host-sekisho={TOKEN}"))
        .header(header::COOKIE, "b=2")
        .body(full("hello"))
        .unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, http::Version::HTTP_2));
    let seen = json(answer).await;
    assert_eq!(field(&seen, "host"), [APP]);
    assert_eq!(field(&seen, "cookie"), ["a=1; b=2"]);
    assert_eq!(seen["length"], 5);
}

#[tokio::test]
async fn the_wrong_name_is_misdirected() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    for host in [CONSOLE, "other.app.localhost", "acme.app.localhost.evil", "acme.app.localhost:99999", "a@b"] {
        let answer = house.send(APP, signed("GET", host, "/").body(empty()).unwrap()).await;
        let expected = if host.contains([':', '@']) { 400 } else { 421 };
        assert_eq!(answer.status(), expected, "{host}");
    }
    let two = signed("GET", APP, "/").header(header::HOST, CONSOLE).body(empty()).unwrap();
    assert_eq!(house.send(APP, two).await.status(), 400);
    let absolute = signed("GET", APP, &format!("http://{CONSOLE}/")).body(empty()).unwrap();
    assert_eq!(house.send(APP, absolute).await.status(), 400);
    let upper = signed("GET", "ACME.app.LOCALHOST:8443", "/").body(empty()).unwrap();
    assert_eq!(house.send(APP, upper).await.status(), 200);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let application = Application::start().await;
    let small = policy(
        &application.origin,
        &[(&settings::MAX_BODY, Value::Int(1_000)), (&settings::STREAMS, Value::List(vec!["/live/".into()]))],
    );
    let house = House::with(small, FakeGates::default()).await;
    let declared = signed("POST", APP, "/x").body(full(vec![0u8; 1_001])).unwrap();
    assert_eq!(house.send(APP, declared).await.status(), 413);
    let chunk = || Ok::<_, Infallible>(Frame::data(Bytes::from(vec![0u8; 600])));
    let undeclared = BodyExt::boxed(StreamBody::new(futures_util::stream::iter([chunk(), chunk()])));
    let answer = house.send(APP, signed("POST", APP, "/x").body(undeclared).unwrap()).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(json(answer).await["code"], "SK-5007");
    let exact = signed("POST", APP, "/x").body(full(vec![0u8; 1_000])).unwrap();
    assert_eq!(house.send(APP, exact).await.status(), 200);
    let stream = signed("POST", APP, "/live/x").body(full(vec![0u8; 5_000])).unwrap();
    assert_eq!(house.send(APP, stream).await.status(), 200);
    let page = ask("POST", CONSOLE, "/x").body(full(vec![0u8; 1_001])).unwrap();
    assert_eq!(house.send(CONSOLE, page).await.status(), 413);
}

#[tokio::test]
async fn no_application_no_answer_and_no_end() {
    // Nobody listens at a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house = House::before(&format!("http://{free}")).await;
    let answer = house.send(APP, signed("GET", APP, "/").header("accept", "text/html").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 502);
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let page = text(answer).await;
    assert!(page.contains("アプリケーションに接続できません") && page.contains("cannot be reached"));
    assert_eq!(house.entered(), [("door.fail", "/".to_owned())]);

    let house = House::before("").await;
    assert_eq!(house.send(APP, signed("GET", APP, "/").body(empty()).unwrap()).await.status(), 503);

    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    assert_eq!(house.send(APP, signed("GET", APP, "/break").body(empty()).unwrap()).await.status(), 502);
}

#[tokio::test]
async fn a_silent_application_is_504_and_a_pause_ends_the_answer() {
    let application = Application::start().await;
    let hasty = policy(&application.origin, &[(&settings::UPSTREAM_TIMEOUT, Value::Span(Duration::from_secs(1)))]);
    let house = House::with(hasty, FakeGates::default()).await;
    let answer = house.send(APP, signed("GET", APP, "/silent").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 504);
    assert_eq!(json(answer).await["code"], "SK-5004");
    let answer = house.send(APP, signed("GET", APP, "/pause").body(empty()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.into_body().collect().await.is_err());
}

#[tokio::test]
async fn entries_of_reads_and_writes() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let mut client = house.h1(APP).await;
    for (method, path) in [
        ("GET", "/a?x=1"),
        ("GET", "/a?x=2"),
        ("HEAD", "/a"),
        ("GET", "/orders/1"),
        ("GET", "/orders/2"),
        ("POST", "/a"),
        ("POST", "/a"),
    ] {
        let answer = client.send_request(signed(method, APP, path).body(empty()).unwrap()).await.unwrap();
        answer.into_body().collect().await.unwrap();
    }
    let names: Vec<_> = house.entered().into_iter().map(|(_, target)| target).collect();
    assert_eq!(names, ["/a", "/orders/1", "/a", "/a"]);
    house.clock.advance(Duration::from_secs(60));
    client.send_request(signed("GET", APP, "/a").body(empty()).unwrap()).await.unwrap();
    assert_eq!(house.entered().len(), 5);

    let house = House::before(&application.origin).await;
    house.gates.each_read.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        house.send(APP, signed("GET", APP, "/a").body(empty()).unwrap()).await;
    }
    assert_eq!(house.entered().len(), 3);
}

#[tokio::test]
async fn an_answer_that_cannot_be_entered_does_not_leave() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    house.journal.broken.store(true, Ordering::SeqCst);
    for method in ["GET", "POST"] {
        let answer = house.send(APP, signed(method, APP, "/secret").body(empty()).unwrap()).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(json(answer).await["code"], "SK-0002");
    }
}

#[tokio::test]
async fn refusals_are_entered() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    house.sessions.sign_in("powerless", &house.policy.borrow().clone(), crate::fakes::rights(1, &[]));
    let powerless = ask("GET", APP, "/x").header(header::COOKIE, "__Host-sekisho=powerless").body(empty()).unwrap();
    assert_eq!(house.send(APP, powerless).await.status(), 403);
    let stranger = ask("POST", APP, "/y").body(empty()).unwrap();
    assert_eq!(house.send(APP, stranger).await.status(), 401);
    let entries = house.journal.entries.lock().unwrap().clone();
    assert!(entries.iter().all(|e| e.event == "door.refuse" && e.outcome == Outcome::Refused && e.via == "door"));
    assert_eq!(entries[0].detail[2], ("code", "SK-0004".into()));
    assert!(entries[0].actor.starts_with("usr_"));
    assert_eq!(entries[1].actor, "stranger");
}

#[tokio::test]
async fn another_address_stays_outside() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let lists =
        sekisho_kernel::gate::AddressLists { platform: vec![], tenant: vec!["198.51.100.0/24".parse().unwrap()] };
    *house.directory.addresses.lock().unwrap() = std::sync::Arc::new(lists);
    for host in [APP, CONSOLE] {
        assert_eq!(house.send(host, signed("GET", host, "/").body(empty()).unwrap()).await.status(), 403);
    }
    assert_eq!(house.entered()[0].0, "address.refuse");
}

async fn socket(house: &House) -> WebSocketStream<TokioIo<hyper::upgrade::Upgraded>> {
    let request = signed("GET", APP, "/ws")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(empty())
        .unwrap();
    let mut answer = house.send(APP, request).await;
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let upgraded = hyper::upgrade::on(&mut answer).await.unwrap();
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await
}

#[tokio::test]
async fn a_websocket_ends_with_its_session_and_does_not_prolong_it() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let mut open = socket(&house).await;
    open.send(Message::text("hello")).await.unwrap();
    assert_eq!(open.next().await.unwrap().unwrap(), Message::text("echo hello"));
    assert_eq!(house.sessions.activity.load(Ordering::SeqCst), 0);
    house.sessions.end(TOKEN);
    let ended = tokio::time::timeout(Duration::from_secs(1), open.next()).await.expect("within a second");
    assert!(!matches!(ended, Some(Ok(Message::Text(_)))));
    assert!(house.sessions.polls.load(Ordering::SeqCst) >= 2);
    assert_eq!(house.entered(), [("door.pass", "/ws".to_owned())]);
}

#[tokio::test]
async fn an_event_stream_ends_with_its_session() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let answer = house.send(APP, signed("GET", APP, "/events").body(empty()).unwrap()).await;
    let mut body = answer.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    house.sessions.end(TOKEN);
    let rest = tokio::time::timeout(Duration::from_secs(1), body.collect()).await.expect("within a second");
    assert!(rest.is_err());
}

#[tokio::test]
async fn pages_know_how_the_request_came() {
    let house = House::before("").await;
    let answer = house.send(CONSOLE, ask("POST", CONSOLE, "/sign-in").body(full("1234")).unwrap()).await;
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert_eq!(text(answer).await, format!("page /sign-in {CONSOLE} {PEER} 443 4"));
    assert!(house.entered().is_empty(), "pages' engines enter what they do");
}

#[tokio::test]
async fn a_new_policy_holds_for_the_next_request_of_an_open_connection() {
    let (one, two) = (Application::start().await, Application::start().await);
    let house = House::before(&one.origin).await;
    let mut client = house.h1(APP).await;
    assert_eq!(client.send_request(signed("GET", APP, "/").body(empty()).unwrap()).await.unwrap().status(), 200);
    house.policy.send_replace(policy(&two.origin, &[]));
    client.ready().await.unwrap();
    assert_eq!(client.send_request(signed("GET", APP, "/").body(empty()).unwrap()).await.unwrap().status(), 200);
    assert_eq!((one.connections.load(Ordering::SeqCst), two.connections.load(Ordering::SeqCst)), (1, 1));
}
