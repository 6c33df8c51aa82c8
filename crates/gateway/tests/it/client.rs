//! A client of the door: TLS as a browser speaks it, HTTP/1.1 or HTTP/2.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
};
use sekisho_gateway::MemoryListener;
use sekisho_kernel::{Clock, rehearsal::MovableClock};
use tokio::io::DuplexStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::house::{House, TOKEN, peer};

pub type Out = BoxBody<Bytes, std::convert::Infallible>;

#[derive(Debug)]
struct At(MovableClock);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(self.0.now().secs()).unwrap())))
    }
}

pub fn config(trust: &str, clock: &MovableClock, alpn: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trust.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(At(clock.clone())))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    config
}

pub async fn tls(
    place: &MemoryListener,
    from: IpAddr,
    host: &str,
    config: ClientConfig,
) -> std::io::Result<TlsStream<DuplexStream>> {
    let stream = place.connect(from).await?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

impl House {
    pub async fn tls(&self, host: &str, alpn: &str) -> std::io::Result<TlsStream<DuplexStream>> {
        let config = config(&self.gateway.trust().unwrap(), &self.clock, alpn);
        tls(&self.places.https, peer(), host, config).await
    }

    /// One request over a connection of its own, `Host` as given.
    pub async fn send(&self, host: &str, request: Request<Out>) -> Response<Incoming> {
        self.h1(host).await.send_request(request).await.expect("an answer")
    }

    /// An HTTP/1.1 connection.
    pub async fn h1(&self, host: &str) -> hyper::client::conn::http1::SendRequest<Out> {
        let stream = self.tls(host, "http/1.1").await.expect("a handshake");
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection.with_upgrades());
        sender
    }

    /// An HTTP/2 connection.
    pub async fn h2(&self, host: &str) -> hyper::client::conn::http2::SendRequest<Out> {
        let stream = self.tls(host, "h2").await.expect("a handshake");
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// A connection without TLS to the plain listener or the forward-auth one.
    pub async fn plain(&self, place: &MemoryListener, from: IpAddr) -> hyper::client::conn::http1::SendRequest<Out> {
        let stream = place.connect(from).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}

pub fn empty() -> Out {
    Empty::new().boxed()
}

pub fn full(bytes: impl Into<Bytes>) -> Out {
    Full::new(bytes.into()).boxed()
}

/// A request with `Host`.
pub fn ask(method: &str, host: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, host)
}

/// The same by somebody signed in.
pub fn signed(method: &str, host: &str, path: &str) -> http::request::Builder {
    ask(method, host, path).header(header::COOKIE, format!("__Host-sekisho={TOKEN}"))
}

pub async fn text(answer: Response<Incoming>) -> String {
    String::from_utf8(answer.into_body().collect().await.expect("the whole body").to_bytes().to_vec()).unwrap()
}

pub async fn json(answer: Response<Incoming>) -> serde_json::Value {
    serde_json::from_str(&text(answer).await).expect("JSON")
}
