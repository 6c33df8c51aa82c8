//! Asking addresses that somebody outside the platform has given: https, each address behind the name checked and the
//! checked one connected to, no redirect followed, sizes and times bounded. What is inside opens by platform policy only.

mod address;
mod dns;

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use sekisho_kernel::{
    Effective, Policy, Rng,
    egress::{Incoming, Outgoing, Outside, Stream, Unreached},
    rng,
    time::SharedClock,
};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{settings, tls::OurTime};
use address::{Place, checked};

pub use address::public;

/// Where systems keep the certificate authorities that they trust.
const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];
/// Largest head of an answer.
const LARGEST_HEAD: usize = 64 * 1024;
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// What lies beyond the instance: names, connections, and whom TLS trusts. A rehearsal puts another in its place.
#[async_trait]
pub trait Beyond: Send + Sync {
    /// Every address behind a name.
    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>>;
    /// A connection to a checked address.
    async fn dial(&self, to: SocketAddr) -> io::Result<Pin<Box<dyn Stream>>>;
    /// The resolver that is asked for TXT records when the policy names none.
    fn resolver(&self) -> Option<SocketAddr>;
    /// The PEM of the trusted authorities when the policy names none.
    fn authorities(&self) -> io::Result<Vec<u8>>;
}

/// The real world.
#[derive(Clone, Copy, Debug)]
pub struct Internet;

#[async_trait]
impl Beyond for Internet {
    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.map(|a| a.ip()).collect())
    }
    async fn dial(&self, to: SocketAddr) -> io::Result<Pin<Box<dyn Stream>>> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Box::pin(stream))
    }
    fn resolver(&self) -> Option<SocketAddr> {
        let text = fs::read_to_string(RESOLV_CONF).ok()?;
        let server = text.lines().find_map(|l| l.trim().strip_prefix("nameserver")?.trim().parse::<IpAddr>().ok())?;
        Some(SocketAddr::new(server, 53))
    }
    fn authorities(&self) -> io::Result<Vec<u8>> {
        let found = SYSTEM_AUTHORITIES.iter().find_map(|path| fs::read(path).ok());
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no certificate authorities on this system"))
    }
}

/// [`Outside`] by the policy in force.
#[derive(Clone)]
pub struct PolicyOutside {
    policy: watch::Receiver<Arc<Policy>>,
    clock: SharedClock,
    rng: Arc<dyn Rng>,
    beyond: Arc<dyn Beyond>,
    /// The TLS setting, with the file that it was made from.
    tls: Arc<Mutex<Option<(String, TlsConnector)>>>,
}

impl fmt::Debug for PolicyOutside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyOutside")
    }
}

impl PolicyOutside {
    /// Follows the policy as the binary swaps it.
    pub fn new(
        policy: watch::Receiver<Arc<Policy>>,
        clock: SharedClock,
        rng: Arc<dyn Rng>,
        beyond: Arc<dyn Beyond>,
    ) -> Self {
        Self { policy, clock, rng, beyond, tls: Arc::default() }
    }

    fn policy(&self) -> Effective {
        Effective::platform(self.policy.borrow().clone())
    }

    /// TLS towards the outside; made anew when the policy names another file.
    fn connector(&self, policy: &Effective) -> Result<TlsConnector, Unreached> {
        let path = policy.path(&settings::EGRESS_AUTHORITIES);
        let mut kept = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connector)) = kept.as_ref().filter(|(from, _)| *from == path) {
            return Ok(connector.clone());
        }
        let pem = if path.is_empty() { self.beyond.authorities() } else { fs::read(&path) };
        let connector = pem
            .map_err(|e| e.to_string())
            .and_then(|pem| connector(&pem, &self.clock))
            .map_err(|e| Unreached::Tls(format!("egress.authorities: {e}")))?;
        *kept = Some((path, connector.clone()));
        Ok(connector)
    }

    async fn exchange(&self, policy: &Effective, request: Outgoing) -> Result<Incoming, Unreached> {
        let place = Place::parse(&request.url)?;
        let tls = self.connector(policy)?;
        let found = match place.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.beyond.addresses(&place.host, place.port).await.map_err(|_| Unreached::Name)?,
        };
        let address = checked(&found, &policy.networks(&settings::EGRESS_ALLOW))?;
        let stream = self.beyond.dial(SocketAddr::new(address, place.port)).await;
        let stream = stream.map_err(|e| Unreached::Connect(e.kind().to_string()))?;
        let name = ServerName::try_from(place.host.clone()).map_err(|_| Unreached::Address("malformed"))?;
        let stream = tls.connect(name, stream).await.map_err(|e| Unreached::Tls(e.to_string()))?;
        let broken = |e: hyper::Error| Unreached::Broken(e.to_string());
        let (mut sender, link) = http1::Builder::new()
            .max_buf_size(LARGEST_HEAD)
            .max_headers(100)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let most = request.most;
        let ask = sender.send_request(written(&place, request)?);
        let talk = async move {
            let response = ask.await.map_err(broken)?;
            received(response, most).await
        };
        tokio::pin!(talk);
        tokio::pin!(link);
        tokio::select! {
            // The link is polled first and has nothing to say until it ends; what is under way then ends by itself.
            biased;
            answer = &mut talk => answer,
            _ = &mut link => talk.await,
        }
    }
}

fn written(place: &Place, request: Outgoing) -> Result<Request<Full<Bytes>>, Unreached> {
    let bad = |_| Unreached::Address("malformed");
    let body = request.form.as_ref().map(|f| Bytes::from(f.reveal().clone()));
    let mut out = Request::builder()
        .method(if body.is_some() { "POST" } else { "GET" })
        .uri(&place.path)
        .header(header::HOST, &place.authority)
        .header(header::USER_AGENT, "sekisho")
        .header(header::ACCEPT_ENCODING, "identity");
    let typed = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header::CONTENT_TYPE.as_str()));
    if body.is_some() && !typed {
        out = out.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    for (name, value) in &request.headers {
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| Unreached::Address("malformed"))?;
        value.set_sensitive(true);
        out = out.header(*name, value);
    }
    out.body(Full::new(body.unwrap_or_default())).map_err(bad)
}

async fn received(response: http::Response<hyper::body::Incoming>, most: usize) -> Result<Incoming, Unreached> {
    let (head, body) = response.into_parts();
    let text = |name| head.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or("");
    if head.status.is_redirection() {
        return Err(Unreached::Redirect(text(header::LOCATION).chars().take(256).collect()));
    }
    let kind = text(header::CONTENT_TYPE).split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let body = Limited::new(body, most).collect().await.map_err(|e| match e.downcast_ref::<LengthLimitError>() {
        Some(_) => Unreached::Large,
        None => Unreached::Broken(e.to_string()),
    })?;
    Ok(Incoming { status: head.status.as_u16(), kind, body: body.to_bytes().to_vec() })
}

fn connector(pem: &[u8], clock: &SharedClock) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| format!("{e:?}"))?;
        // A system's bundle may hold old roots that rustls does not take; the others serve.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err("no certificate in the file".into());
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(OurTime(clock.clone())))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[async_trait]
impl Outside for PolicyOutside {
    async fn ask(&self, request: Outgoing) -> Result<Incoming, Unreached> {
        let policy = self.policy();
        let patience = policy.span(&settings::EGRESS_TIMEOUT);
        timeout(patience, self.exchange(&policy, request)).await.unwrap_or(Err(Unreached::Slow))
    }

    async fn txt(&self, name: &str) -> Result<Vec<String>, Unreached> {
        let policy = self.policy();
        let resolver = policy.str(&settings::EGRESS_RESOLVER).parse().ok();
        let resolver = resolver.or_else(|| self.beyond.resolver()).ok_or(Unreached::Closed)?;
        let id = u16::from_be_bytes(rng::bytes::<2>(&*self.rng));
        let asked = async {
            let mut stream = self.beyond.dial(resolver).await?;
            dns::ask(&mut stream, id, name).await
        };
        match timeout(policy.span(&settings::EGRESS_TIMEOUT), asked).await {
            Ok(Ok(texts)) => Ok(texts),
            Ok(Err(e)) if e.kind() == io::ErrorKind::InvalidData => Err(Unreached::Broken(e.to_string())),
            Ok(Err(e)) => Err(Unreached::Connect(e.kind().to_string())),
            Err(_) => Err(Unreached::Slow),
        }
    }
}
