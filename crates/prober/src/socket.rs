//! A WebSocket through the door, for probes.

use std::{pin::Pin, time::Duration};

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use http::Request;
use sekisho_kernel::{
    claim::Trouble,
    egress::Stream,
    world::{Answer, Ask, Socket},
};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, handshake::client::generate_key},
};

struct Open(WebSocketStream<Pin<Box<dyn Stream>>>);

/// Upgrades a connected stream. A refusal's answer comes back inside `Ok`.
pub async fn open(stream: Pin<Box<dyn Stream>>, ask: &Ask) -> Result<Result<Box<dyn Socket>, Answer>, Trouble> {
    let scheme = if ask.plain_http { "ws" } else { "wss" };
    let mut request = Request::builder()
        .uri(format!("{scheme}://{}{}", ask.host, ask.path))
        .header("host", &ask.host)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key());
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    let request = request.body(()).map_err(|e| Trouble::of("the WebSocket request", e))?;
    let shaken = timeout(Duration::from_secs(20), tokio_tungstenite::client_async(request, stream))
        .await
        .map_err(|_| Trouble("the WebSocket handshake got no answer within 20 s".into()))?;
    match shaken {
        Ok((socket, _)) => Ok(Ok(Box::new(Open(socket)))),
        Err(tungstenite::Error::Http(response)) => Ok(Err(Answer {
            status: response.status().as_u16(),
            headers: response
                .headers()
                .iter()
                .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
                .collect(),
            body: response.body().clone().unwrap_or_default(),
        })),
        Err(error) => Err(Trouble::of("the WebSocket handshake", error)),
    }
}

#[async_trait]
impl Socket for Open {
    async fn send(&mut self, text: &str) -> Result<(), Trouble> {
        self.0.send(Message::text(text)).await.map_err(|e| Trouble::of("sending on the WebSocket", e))
    }

    async fn receive(&mut self) -> Result<Option<String>, Trouble> {
        loop {
            let next = timeout(Duration::from_secs(5), self.0.next())
                .await
                .map_err(|_| Trouble("the WebSocket is open and silent for 5 s".into()))?;
            match next {
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
                Some(Ok(_)) => {}
            }
        }
    }
}
