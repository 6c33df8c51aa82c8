//! Plain HTTP: the way to HTTPS, or nothing.

use http::{StatusCode, header};
use sekisho_gateway::settings;
use sekisho_kernel::policy::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    client::{ask, empty, json, signed},
    fakes::{APP, FakeGates},
    house::{House, peer, policy},
    upstream::Application,
};

#[tokio::test]
async fn get_and_head_are_shown_the_way() {
    let eight = policy("", &[(&settings::PUBLIC_PORT, Value::Int(8443))]);
    for (policy, origin) in [(policy("", &[]), format!("https://{APP}")), (eight, format!("https://{APP}:8443"))] {
        let house = House::with(policy, FakeGates::default()).await;
        for method in ["GET", "HEAD"] {
            let mut client = house.plain(&house.places.http, peer()).await;
            let answer = client.send_request(ask(method, APP, "/a?b=c").body(empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(answer.headers()[header::LOCATION], format!("{origin}/a?b=c"));
            assert_eq!(answer.headers()[header::CONNECTION], "close");
            assert!(!answer.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
        }
    }
}

#[tokio::test]
async fn everything_else_is_refused_before_its_body_is_read() {
    let house = House::before("").await;
    let mut stream = house.places.http.connect(peer()).await.unwrap();
    // The body is promised and never sent: the refusal must not wait for it.
    let head = format!("POST /sign-in HTTP/1.1\r\nHost: {APP}\r\nContent-Length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 403"), "{said}");
    assert!(said.contains("connection: close") && said.contains("SK-5002"));
    let mut client = house.plain(&house.places.http, peer()).await;
    let stranger = client.send_request(ask("GET", "evil.example", "/").body(empty()).unwrap()).await.unwrap();
    assert_eq!(stranger.status(), 421);
    assert_eq!(json(stranger).await["code"], "SK-5001");
    let entered = house.entered();
    assert_eq!(entered.len(), 2);
    assert!(entered.iter().all(|(event, _)| *event == "door.refuse" || *event == "route.refuse"));
}

#[tokio::test]
async fn with_the_refusal_taken_out_plain_http_is_served() {
    let application = Application::start().await;
    let gates = FakeGates::default();
    gates.refuse_plain.store(false, std::sync::atomic::Ordering::SeqCst);
    let house = House::with(policy(&application.origin, &[]), gates).await;
    let mut client = house.plain(&house.places.http, peer()).await;
    let answer = client.send_request(signed("POST", APP, "/x").body(empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
}
