//! The prober's own HTTP client over whatever stream leads to a front door.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use sekisho_kernel::{
    Time,
    claim::Trouble,
    egress::Stream,
    world::{Answer, Ask},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Mutex,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// The longest a single answer may take before the probe calls it trouble.
const PATIENCE: Duration = Duration::from_secs(20);
const MOST_BODY: usize = 64 << 20;

type Sender = SendRequest<Full<Bytes>>;

/// Opens byte streams to front doors.
#[async_trait::async_trait]
pub trait Dial: Send + Sync {
    /// A stream to a node's listener as if from `peer`.
    async fn dial(&self, node: usize, listener: &str, peer: IpAddr) -> Result<Pin<Box<dyn Stream>>, Trouble>;
    /// The clock by which certificates are judged.
    fn now(&self) -> Time;
}

/// An HTTP client that trusts one certificate authority.
pub struct Client<D> {
    dial: D,
    tls: TlsConnector,
    clock: Arc<ByTheWorldsClock>,
    kept: Mutex<HashMap<u32, Arc<Mutex<Sender>>>>,
}

/// Seconds since the epoch, set anew before each handshake: a year may pass between two of them.
#[derive(Debug)]
struct ByTheWorldsClock(AtomicI64);

impl rustls::time_provider::TimeProvider for ByTheWorldsClock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let secs = u64::try_from(self.0.load(Ordering::Relaxed)).ok()?;
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(secs)))
    }
}

/// What browsers know an authority's key by: SHA-256 of its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), base64.
pub(crate) fn key_mark(pem: &str) -> Result<String, Trouble> {
    let roots = roots(pem)?;
    // The anchor holds what is inside of the outer SEQUENCE.
    let inner = roots.roots.first().map(|anchor| anchor.subject_public_key_info.as_ref()).unwrap_or_default();
    let mut spki = vec![0x30];
    match (u8::try_from(inner.len()), u16::try_from(inner.len())) {
        (Ok(short), _) if short < 0x80 => spki.push(short),
        (Ok(byte), _) => spki.extend([0x81, byte]),
        (_, Ok(two)) => spki.extend([&[0x82][..], &two.to_be_bytes()].concat()),
        _ => return Err(Trouble("the authority's key is too long".into())),
    }
    spki.extend_from_slice(inner);
    Ok(STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki)))
}

fn roots(pem: &str) -> Result<RootCertStore, Trouble> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate =
            certificate.map_err(|e| Trouble::of("reading the authority's certificate", format!("{e:?}")))?;
        roots.add(certificate).map_err(|e| Trouble::of("trusting the authority", e))?;
    }
    if roots.is_empty() {
        return Err(Trouble("the certificate authority's PEM holds no certificate".into()));
    }
    Ok(roots)
}

/// A TLS configuration that trusts the authorities in `pem` and judges validity by `clock`.
fn tls_config(pem: &str, clock: Arc<ByTheWorldsClock>) -> Result<ClientConfig, Trouble> {
    let roots = roots(pem)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_details(provider, clock)
        .with_safe_default_protocol_versions()
        .map_err(|e| Trouble::of("setting up TLS", e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

impl<D: Dial> Client<D> {
    /// A client over `dial` that trusts the authorities in `pem`.
    ///
    /// # Errors
    /// When the PEM holds no certificate.
    pub fn new(dial: D, pem: &str) -> Result<Self, Trouble> {
        let clock = Arc::new(ByTheWorldsClock(AtomicI64::new(dial.now().secs())));
        let config = tls_config(pem, clock.clone())?;
        Ok(Self { dial, tls: TlsConnector::from(Arc::new(config)), clock, kept: Mutex::default() })
    }

    /// What dials.
    pub const fn dial(&self) -> &D {
        &self.dial
    }

    /// A connected stream for `ask`, with TLS unless it is plain.
    pub async fn stream(&self, ask: &Ask) -> Result<Pin<Box<dyn Stream>>, Trouble> {
        let peer = ask.peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let listener = if ask.plain_http { "http" } else { "https" };
        let plain = self.dial.dial(ask.node, listener, peer).await?;
        if ask.plain_http {
            return Ok(plain);
        }
        self.clock.0.store(self.dial.now().secs(), Ordering::Relaxed);
        let name = ServerName::try_from(ask.host.clone()).map_err(|e| Trouble::of("naming the server", e))?;
        let tls = self.tls.connect(name, plain).await.map_err(|e| Trouble::of("the TLS handshake", e))?;
        Ok(Box::pin(tls))
    }

    async fn open(&self, ask: &Ask) -> Result<SendRequest<Full<Bytes>>, Trouble> {
        let stream = self.stream(ask).await?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| Trouble::of("the HTTP connection", e))?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Sends one request and reads the whole answer.
    pub async fn send(&self, ask: &Ask) -> Result<Answer, Trouble> {
        timeout(PATIENCE, self.exchange(ask))
            .await
            .map_err(|_| Trouble(format!("{} {} got no answer within {PATIENCE:?}", ask.method, ask.path)))?
    }

    async fn exchange(&self, ask: &Ask) -> Result<Answer, Trouble> {
        let request = build(ask)?;
        let Some(number) = ask.connection else {
            let mut sender = self.open(ask).await?;
            return receive(&mut sender, request).await;
        };
        let sender = {
            let mut kept = self.kept.lock().await;
            match kept.get(&number) {
                Some(sender) => sender.clone(),
                None => {
                    let sender = Arc::new(Mutex::new(self.open(ask).await?));
                    kept.insert(number, sender.clone());
                    sender
                }
            }
        };
        let mut sender = sender.lock().await;
        sender
            .ready()
            .await
            .map_err(|e| Trouble::of(&format!("connection {number}, which was to be used again, is closed"), e))?;
        receive(&mut sender, request).await
    }

    /// Writes bytes without TLS and reads what comes back until the other side closes or is silent for a second.
    pub async fn raw(&self, listener: &str, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        let mut stream = self.dial.dial(0, listener, IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
        // The listener may answer and close before it has read everything; that is an answer, not trouble.
        let _ = stream.write_all(bytes).await;
        let _ = stream.flush().await;
        let mut got = Vec::new();
        let mut chunk = [0u8; 4_096];
        while got.len() < 64 << 10 {
            match timeout(Duration::from_secs(1), stream.read(&mut chunk)).await {
                Ok(Ok(n)) if n > 0 => got.extend_from_slice(&chunk[..n]),
                _ => break,
            }
        }
        Ok(got)
    }

    /// Offers one version and suite to a listener and reads until its answer is clear.
    pub async fn hello(
        &self,
        listener: &str,
        host: &str,
        hello: sekisho_kernel::world::Hello,
        random: &[u8; 96],
    ) -> Result<sekisho_kernel::world::HelloAnswer, Trouble> {
        let mut stream = self.dial.dial(0, listener, IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
        let record = crate::hello::client_hello(hello, host, random);
        stream.write_all(&record).await.map_err(|e| Trouble::of("sending the hello", e))?;
        stream.flush().await.map_err(|e| Trouble::of("sending the hello", e))?;
        let mut got = Vec::new();
        let mut chunk = [0u8; 8_192];
        while got.len() < 64 << 10 {
            let read = timeout(Duration::from_secs(5), stream.read(&mut chunk))
                .await
                .map_err(|_| Trouble("the listener neither accepted nor refused the hello within 5 s".into()))?;
            let (n, closed) = match read {
                Ok(0) | Err(_) => (0, true),
                Ok(n) => (n, false),
            };
            got.extend_from_slice(&chunk[..n]);
            if let Some(answer) = crate::hello::answer(&got, closed) {
                return Ok(answer);
            }
        }
        Err(Trouble("the listener's answer to the hello is longer than 64 KiB".into()))
    }
}

fn build(ask: &Ask) -> Result<Request<Full<Bytes>>, Trouble> {
    let uri: Uri = ask.path.parse().map_err(|e| Trouble::of(&format!("the path {}", ask.path), e))?;
    let mut request = Request::new(Full::new(Bytes::from(ask.body.clone())));
    *request.method_mut() = ask.method.parse().map_err(|e| Trouble::of("the method", e))?;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    let host = HeaderValue::from_str(&ask.host).map_err(|e| Trouble::of("the host", e))?;
    headers.insert(http::header::HOST, host);
    for (name, value) in &ask.headers {
        let name: HeaderName = name.parse().map_err(|e| Trouble::of("a header's name", e))?;
        let value = HeaderValue::from_str(value).map_err(|e| Trouble::of("a header's value", e))?;
        headers.append(name, value);
    }
    Ok(request)
}

async fn receive(sender: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Answer, Trouble> {
    let what = format!("{} {}", request.method(), request.uri());
    let response = sender.send_request(request).await.map_err(|e| Trouble::of(&what, e))?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MOST_BODY).collect().await.map_err(|e| Trouble::of(&what, e))?;
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts
            .headers
            .iter()
            .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect(),
        body: body.to_bytes().to_vec(),
    })
}
