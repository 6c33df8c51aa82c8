//! What is too many, too large or too slow; and how the gateway closes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::header;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use sekisho_gateway::settings;
use sekisho_kernel::policy::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

use crate::{
    client::{Out, ask, empty, json, signed, text},
    fakes::{APP, CONSOLE, FakeGates},
    house::{House, peer, policy},
    upstream::Application,
};

const SECOND: Value = Value::Span(Duration::from_secs(1));

async fn hasty(upstream: &str) -> House {
    let hasty = policy(
        upstream,
        &[
            (&settings::HEADER_TIMEOUT, SECOND),
            (&settings::BODY_TIMEOUT, SECOND),
            (&settings::MAX_HEADERS, Value::Int(20)),
            (&settings::MAX_HEADER_BYTES, Value::Int(8_192)),
            (&settings::MAX_PER_ADDRESS, Value::Int(2)),
        ],
    );
    House::with(hasty, FakeGates::default()).await
}

/// A body whose parts come when the test sends them.
fn slowly() -> (mpsc::Sender<Bytes>, Out) {
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    let parts = stream::unfold(receiver, |mut r| async move {
        r.recv().await.map(|part| (Ok::<_, std::convert::Infallible>(Frame::data(part)), r))
    });
    (sender, BodyExt::boxed(StreamBody::new(parts)))
}

#[tokio::test]
async fn slow_handshakes_and_slow_heads_are_cut_off() {
    let house = hasty("").await;
    let mut silent = house.places.https.connect(peer()).await.unwrap();
    let mut slow = house.tls(APP, "http/1.1").await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: acme").await.unwrap();
    let mut rest = Vec::new();
    let wait = Duration::from_secs(4);
    assert_eq!(timeout(wait, silent.read(&mut [0; 1])).await.expect("cut off").unwrap_or(0), 0);
    let _ = timeout(wait, slow.read_to_end(&mut rest)).await.expect("cut off");
    assert!(!String::from_utf8_lossy(&rest).contains("200"));
}

#[tokio::test]
async fn too_many_fields_and_too_large_heads() {
    let house = hasty("").await;
    let mut many = ask("GET", CONSOLE, "/");
    for n in 0..30 {
        many = many.header(format!("x-{n}"), "1");
    }
    assert_eq!(house.send(CONSOLE, many.body(empty()).unwrap()).await.status(), 431);
    let large = ask("GET", CONSOLE, "/").header("x", "y".repeat(9_000)).body(empty()).unwrap();
    assert_eq!(house.send(CONSOLE, large).await.status(), 431);
    let mut h2 = house.h2(CONSOLE).await;
    let uri = format!("https://{CONSOLE}/");
    let large = http::Request::get(&uri).header("x", "y".repeat(9_000)).body(empty()).unwrap();
    match h2.send_request(large).await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        Err(error) => assert!(!error.is_timeout()),
    }
}

#[tokio::test]
async fn seats_of_one_address_run_out_and_come_back() {
    let house = hasty("").await;
    let first = house.h1(CONSOLE).await;
    let _second = house.h1(CONSOLE).await;
    assert!(house.tls(CONSOLE, "h2").await.is_err(), "a third from the same address");
    let other = crate::client::config(&house.gateway.trust().unwrap(), &house.clock, "h2");
    assert!(crate::client::tls(&house.places.https, "192.0.2.99".parse().unwrap(), CONSOLE, other).await.is_ok());
    drop(first);
    let again = async {
        while house.tls(CONSOLE, "h2").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), again).await.expect("a seat is free again");
}

#[tokio::test]
async fn a_body_that_stops_coming_is_408_and_a_slow_but_moving_one_passes() {
    let application = Application::start().await;
    let house = hasty(&application.origin).await;
    let (sender, body) = slowly();
    sender.send("first".into()).await.unwrap();
    let answer = house.send(APP, signed("POST", APP, "/x").body(body).unwrap()).await;
    assert_eq!(answer.status(), 408);
    assert_eq!(json(answer).await["code"], "SK-5010");

    let (sender, body) = slowly();
    // Six parts 400 ms apart: longer than the time-out in all, never longer than it at once.
    let moving = tokio::spawn(async move {
        for _ in 0..6 {
            sender.send("part".into()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
    });
    let answer = house.send(APP, signed("POST", APP, "/x").body(body).unwrap()).await;
    moving.await.unwrap();
    assert_eq!(json(answer).await["length"], 24);
}

#[tokio::test]
async fn closing_lets_a_request_finish_and_takes_no_more() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let (sender, body) = slowly();
    sender.send("begun".into()).await.unwrap();
    let mut client = house.h1(APP).await;
    let request = client.send_request(signed("POST", APP, "/x").body(body).unwrap());
    let under_way = tokio::spawn(request);
    let mut idle = house.h1(CONSOLE).await;
    idle.send_request(ask("GET", CONSOLE, "/").body(empty()).unwrap()).await.unwrap();
    let (places, gateway) = (house.places.clone(), house.gateway);
    let closing = tokio::spawn(gateway.shut_down(Duration::from_secs(10)));
    let refused = async {
        while let Ok(mut stream) = places.https.connect(peer()).await {
            if stream.write_all(b"x").await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), refused).await.expect("nobody answers any more");
    assert!(!closing.is_finished(), "it waits for the request");
    sender.send(" and done".into()).await.unwrap();
    drop(sender);
    let answer = under_way.await.unwrap().expect("an answer");
    assert_eq!(json(answer).await["length"], 14);
    timeout(Duration::from_secs(5), closing).await.expect("then it closes").unwrap();
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let answer = house.send(APP, signed("GET", APP, "/events").body(empty()).unwrap()).await;
    let gateway = house.gateway;
    timeout(Duration::from_secs(5), gateway.shut_down(Duration::from_millis(200))).await.expect("after the grace");
    let rest = timeout(Duration::from_secs(5), answer.into_body().collect()).await.expect("closed");
    assert!(rest.is_err());
}

#[tokio::test]
async fn upgrades_to_anything_else_and_odd_methods() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let h2c = signed("GET", APP, "/x").header(header::CONNECTION, "upgrade").header(header::UPGRADE, "h2c");
    let answer = house.send(APP, h2c.body(empty()).unwrap()).await;
    let seen = json(answer).await;
    assert!(!seen["headers"].to_string().contains("h2c"), "the application is not asked");
    assert_eq!(house.send(APP, signed("TRACE", APP, "/").body(empty()).unwrap()).await.status(), 405);
    let connect = format!("CONNECT {APP}:443 HTTP/1.1\r\nHost: {APP}\r\n\r\n");
    let mut raw = house.tls(APP, "http/1.1").await.unwrap();
    raw.write_all(connect.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    raw.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 405");
    let odd = house.send(APP, signed("PROPFIND", APP, "/dav").body(empty()).unwrap()).await;
    assert_eq!(json(odd).await["method"], "PROPFIND");
}

#[tokio::test]
async fn head_has_no_body_and_keeps_the_connection() {
    let application = Application::start().await;
    let house = House::before(&application.origin).await;
    let mut client = house.h1(APP).await;
    for _ in 0..2 {
        let answer = client.send_request(signed("HEAD", APP, "/x").body(empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(text(answer).await.is_empty());
    }
    assert_eq!(application.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// Whatever bytes come, the answer is a refusal or nothing; the gateway stays up.
#[test]
fn hostile_bytes_get_a_refusal_or_nothing() {
    use proptest::prelude::*;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let house = Arc::new(runtime.block_on(hasty("")));
    let words = proptest::sample::select(vec![
        "GET ",
        "POST ",
        "/",
        " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        "Host: acme.app.localhost\r\n",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Cookie: __Host-sekisho=\r\n",
        "\r\n",
        "\n",
        "\0",
        "%00",
        "/.sekisho/enter?code=%zz",
        " ",
        ":",
        "\u{ff}",
        "0\r\n\r\n",
        "X-Forwarded-Host: acme.app.localhost\r\n",
        "X-Sekisho-Proxy-Secret: x\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\n",
        "Expect: 100-continue\r\n",
    ]);
    let bytes = proptest::collection::vec(words, 1..14).prop_map(|words| words.concat().into_bytes());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 200, ..ProptestConfig::default() });
    runner
        .run(&(bytes, any::<bool>()), |(bytes, forward)| {
            let house = house.clone();
            let said = runtime.block_on(async move {
                let place = if forward { &house.places.forward_auth } else { &house.places.http };
                let mut stream = place.connect("192.0.2.77".parse().unwrap()).await.unwrap();
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                let mut said = Vec::new();
                let _ = timeout(Duration::from_secs(3), stream.read_to_end(&mut said)).await;
                String::from_utf8_lossy(&said).into_owned()
            });
            let status = said.get(9..12).unwrap_or("");
            prop_assert!(said.is_empty() || status.starts_with('4') || status == "308" || status == "100", "{said}");
            Ok(())
        })
        .unwrap();
}
