//! What a rehearsal has on the other side of the way out: sites that a probe stages, with names, addresses, TXT records and
//! certificates of their own. Nothing leaves the process; what is dialled is written down.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use sekisho_gateway::Beyond;
use sekisho_kernel::{
    claim::Trouble,
    egress::Stream,
    world::{Seen, Site},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

/// Where the staged resolver is.
const RESOLVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53)), 53);
/// Requests kept.
const KEPT: usize = 1_000;
/// Largest request read.
const LARGEST: usize = 64 * 1024;

struct Staged {
    site: Site,
    tls: TlsAcceptor,
}

#[derive(Default)]
struct Stage {
    sites: HashMap<String, Staged>,
    seen: Vec<Seen>,
}

/// The staged other side.
pub struct Sites {
    authority: Issuer<'static, KeyPair>,
    pem: String,
    stage: Arc<Mutex<Stage>>,
}

fn lock(stage: &Mutex<Stage>) -> MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sites {
    /// An empty one, with a certificate authority of its own.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn new() -> Result<Self, Trouble> {
        let made = || -> Result<_, rcgen::Error> {
            let mut params = CertificateParams::new(Vec::new())?;
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            let key = KeyPair::generate()?;
            let pem = params.self_signed(&key)?.pem();
            Ok((Issuer::new(params, key), pem))
        };
        let (authority, pem) = made().map_err(|e| Trouble::of("making the sites' authority", e))?;
        Ok(Self { authority, pem, stage: Arc::default() })
    }

    /// Puts a site in the place of the one that had its name.
    ///
    /// # Errors
    /// When no certificate can be made for its name.
    pub fn put(&self, site: Site) -> Result<(), Trouble> {
        let made = || -> Result<_, rcgen::Error> {
            let key = KeyPair::generate()?;
            let params = CertificateParams::new(vec![site.host.clone()])?;
            Ok((params.signed_by(&key, &self.authority)?, key))
        };
        let (certificate, key) = made().map_err(|e| Trouble::of("making the site's certificate", e))?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|b| b.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|e| Trouble::of("setting up the site's TLS", e))?;
        let staged = Staged { tls: TlsAcceptor::from(Arc::new(config)), site };
        lock(&self.stage).sites.insert(staged.site.host.clone(), staged);
        Ok(())
    }

    /// Takes what sites have received.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut lock(&self.stage).seen)
    }

    fn at(&self, address: IpAddr) -> Option<TlsAcceptor> {
        let stage = lock(&self.stage);
        let found = stage.sites.values().find(|s| s.site.addresses.contains(&address))?;
        Some(found.tls.clone())
    }
}

#[async_trait]
impl Beyond for Sites {
    async fn addresses(&self, host: &str, _port: u16) -> io::Result<Vec<IpAddr>> {
        let stage = lock(&self.stage);
        let found = stage.sites.get(host).map(|s| s.site.addresses.clone());
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such name"))
    }

    async fn dial(&self, to: SocketAddr) -> io::Result<Pin<Box<dyn Stream>>> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let stage = self.stage.clone();
        if to == RESOLVER {
            tokio::spawn(async move {
                // Whoever asks something that is no question gets no answer.
                let _ = resolve(far, &stage).await;
            });
        } else {
            let tls = self.at(to.ip()).ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused))?;
            tokio::spawn(async move {
                let Ok(stream) = tls.accept(far).await else { return };
                let _ = serve(stream, &stage).await;
            });
        }
        Ok(Box::pin(near))
    }

    fn resolver(&self) -> Option<SocketAddr> {
        Some(RESOLVER)
    }

    fn authorities(&self) -> io::Result<Vec<u8>> {
        Ok(self.pem.clone().into_bytes())
    }
}

/// One request, one answer.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, stage: &Mutex<Stage>) -> io::Result<()> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let mut got = Vec::new();
    let split = loop {
        if let Some(at) = got.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if got.len() > LARGEST || stream.read_buf(&mut got).await? == 0 {
            return Err(broken());
        }
    };
    let head = String::from_utf8_lossy(&got[..split]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.trim().to_ascii_lowercase(), v.trim().to_owned()))
        .collect();
    let field = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let length = field("content-length").and_then(|v| v.parse::<usize>().ok()).unwrap_or(0).min(LARGEST);
    while got.len() < split + 4 + length {
        if stream.read_buf(&mut got).await? == 0 {
            return Err(broken());
        }
    }
    let host = field("host").unwrap_or_default();
    let body = got[split + 4..split + 4 + length].to_vec();
    let answer = {
        let mut stage = lock(stage);
        let bare = path.split('?').next().unwrap_or_default();
        let name = host.split(':').next().unwrap_or_default();
        let page = stage.sites.get(name).and_then(|s| s.site.pages.iter().find(|p| p.path == bare).cloned());
        if stage.seen.len() < KEPT {
            stage.seen.push(Seen { method, path: path.clone(), headers, body });
        }
        page
    };
    let (status, more, body) = answer.map_or((404, Vec::new(), Vec::new()), |p| (p.status, p.headers, p.body));
    let more: String = more.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 {status} Staged\r\ncontent-type: application/json\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.shutdown().await
}

/// One question for TXT records (RFC 1035), over TCP.
async fn resolve(mut stream: impl AsyncRead + AsyncWrite + Unpin, stage: &Mutex<Stage>) -> io::Result<()> {
    let length = usize::from(stream.read_u16().await?);
    let mut question = vec![0; length];
    stream.read_exact(&mut question).await?;
    let (mut name, mut at) = (String::new(), 12);
    while let Some(n) = question.get(at).copied().filter(|n| *n > 0) {
        let label = question.get(at + 1..at + 1 + usize::from(n)).unwrap_or_default();
        name = format!("{name}{}{}", if name.is_empty() { "" } else { "." }, String::from_utf8_lossy(label));
        at += 1 + usize::from(n);
    }
    let texts = lock(stage).sites.get(&name).map(|s| s.site.texts.clone()).unwrap_or_default();
    let mut answer = question.get(..at + 5).unwrap_or_default().to_vec();
    if answer.len() < 12 {
        return Ok(());
    }
    (answer[2], answer[3]) = (0x81, 0x80);
    answer[6..8].copy_from_slice(&u16::try_from(texts.len()).unwrap_or(0).to_be_bytes());
    for text in texts {
        answer.extend_from_slice(&[0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0]);
        let length = u8::try_from(text.len()).unwrap_or(255);
        answer.extend_from_slice(&(u16::from(length) + 1).to_be_bytes());
        answer.push(length);
        answer.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
    }
    stream.write_u16(u16::try_from(answer.len()).unwrap_or(0)).await?;
    stream.write_all(&answer).await
}
