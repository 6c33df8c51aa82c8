//! An application that knows nothing of the door.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

type Body = BoxBody<Bytes, Infallible>;

pub struct Application {
    pub origin: String,
    /// Connections it has accepted.
    pub connections: Arc<AtomicU64>,
}

impl Application {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU64::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(answer))
                        .with_upgrades()
                        .await;
                });
            }
        });
        Self { origin, connections }
    }
}

fn full(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Full::new(text.into()).boxed())
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, std::io::Error> {
    Ok(match request.uri().path() {
        "/ws" => websocket(request),
        "/silent" => std::future::pending().await,
        "/break" => return Err(std::io::Error::other("gone")),
        "/stream" => chunks(1_000, Duration::ZERO, "application/octet-stream"),
        "/events" => chunks(usize::MAX, Duration::from_millis(20), "text/event-stream"),
        "/pause" => chunks(2, Duration::from_secs(3600), "text/plain"),
        "/beyond" => {
            let mut answer = full("beyond");
            for (name, value) in [
                ("set-cookie", "__Host-sekisho=forged; Path=/; Secure"),
                ("set-cookie", "own=1; Path=/"),
                ("clear-site-data", "\"*\""),
                ("service-worker-allowed", "/"),
                ("alt-svc", "h3=\":443\""),
                ("strict-transport-security", "max-age=0"),
                ("connection", "x-hop"),
                ("x-hop", "1"),
                ("x-kept", "1"),
                ("sekisho-assertion", "x"),
            ] {
                answer.headers_mut().append(name, HeaderValue::from_static(value));
            }
            answer
        }
        "/cached" | "/assets/cached" => {
            let mut answer = full("cached");
            for (name, value) in [("cache-control", "max-age=60"), ("expires", "0")] {
                answer.headers_mut().append(name, HeaderValue::from_static(value));
            }
            answer
        }
        "/unread" => {
            let mut answer = full("no");
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            answer
        }
        "/leak" => html("<html>You have an error in your SQL syntax near 'x'</html>"),
        "/page" => html("<html>an ordinary page</html>"),
        _ => echo(request).await,
    })
}

fn html(text: &'static str) -> Response<Body> {
    let mut answer = full(text);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}

/// Everything it was asked, as JSON.
async fn echo(request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return full("broken") };
    let headers: Vec<(String, String)> =
        head.headers.iter().map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    let seen = json!({
        "method": head.method.as_str(), "uri": head.uri.to_string(), "headers": headers, "length": body.to_bytes().len(),
    });
    full(seen.to_string())
}

fn chunks(count: usize, every: Duration, kind: &'static str) -> Response<Body> {
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        for n in 0..count {
            let line = if kind == "text/event-stream" { format!("data: {n}\n\n") } else { format!("{n:<1023}\n") };
            if sender.send(line.into()).await.is_err() {
                return;
            }
            if !every.is_zero() {
                tokio::time::sleep(every).await;
            }
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut r| async move {
        r.recv().await.map(|chunk| (Ok::<_, Infallible>(Frame::data(chunk)), r))
    });
    let mut answer = Response::new(BodyExt::boxed(StreamBody::new(stream)));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn websocket(mut request: Request<Incoming>) -> Response<Body> {
    let Some(key) = request.headers().get("sec-websocket-key") else {
        let mut answer = full("not a websocket");
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        return answer;
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() && socket.send(Message::text(format!("echo {message}"))).await.is_err() {
                return;
            }
        }
    });
    let mut answer = full("");
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert("sec-websocket-accept", HeaderValue::try_from(accept).unwrap());
    answer
}
