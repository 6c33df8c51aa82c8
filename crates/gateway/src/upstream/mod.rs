//! The application behind the door: connections kept for reuse, and one request over one of them.
//!
//! A kept connection has no task of its own. Whoever uses it drives it: first the exchange that waits for the
//! answer's head, then the answer's body. That saves two task switches a request and leaves nothing running behind.

mod body;
mod exchange;
mod websocket;

use std::{
    fmt, fs,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use sekisho_kernel::{
    Effective, Problem,
    egress::{Egress, Purpose, Stream},
    time::SharedClock,
};
use tokio_rustls::TlsConnector;

pub(crate) use body::UpstreamBody;
pub(crate) use exchange::{Failure, exchange};
pub(crate) use websocket::{Tunnel, is_websocket, open};

use crate::{body::Upload, out::Origin, problems, settings, tls::OurTime};

/// Connections kept for reuse.
const IDLE: usize = 256;
/// Rounds of [`Upstream::sweep`] that one is kept unused.
const IDLE_ROUNDS: u32 = 4;

pub(crate) type Sender = http1::SendRequest<Upload>;
pub(crate) type Link = http1::Connection<TokioIo<Pin<Box<dyn Stream>>>, Upload>;

/// A connection to the application and the handle that sends on it.
pub(crate) struct Lane {
    pub sender: Sender,
    pub link: Link,
}

struct Idle {
    lane: Box<Lane>,
    round: u32,
}

#[derive(Default)]
struct Kept {
    round: u32,
    lanes: Vec<Idle>,
}

/// The application.
pub(crate) struct Upstream {
    origin: Origin,
    authority: String,
    /// The origin as text: whom assertions are for.
    pub audience: Arc<str>,
    ca: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    idle: Mutex<Kept>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstream({})", self.audience)
    }
}

impl Upstream {
    /// What the policy names; the one `before` when nothing about it has changed, with its connections.
    ///
    /// # Errors
    /// `UPSTREAM_SETTING`, with the setting's key.
    pub fn of(view: &Effective, clock: &SharedClock, before: Option<&Arc<Self>>) -> Result<Option<Arc<Self>>, Problem> {
        let bad = |s: &'static sekisho_kernel::Setting, why: &dyn fmt::Display| {
            Problem::new(&problems::UPSTREAM_SETTING).at(s.key).log(why)
        };
        let text = view.str(&settings::UPSTREAM);
        if text.is_empty() {
            return Ok(None);
        }
        let origin = Origin::parse(&text).ok_or_else(|| bad(&settings::UPSTREAM, &text))?;
        let ca = view.path(&settings::UPSTREAM_CA);
        if let Some(old) = before.filter(|b| b.origin == origin && b.ca == ca) {
            return Ok(Some(old.clone()));
        }
        let tls = if origin.tls {
            let name = ServerName::try_from(origin.host.trim_matches(['[', ']']).to_owned())
                .map_err(|e| bad(&settings::UPSTREAM, &e))?;
            Some((connector(&ca, clock).map_err(|e| bad(&settings::UPSTREAM_CA, &e))?, name))
        } else {
            None
        };
        Ok(Some(Arc::new(Self {
            authority: origin.authority(),
            audience: origin.to_string().into(),
            origin,
            ca,
            tls,
            idle: Mutex::default(),
        })))
    }

    /// A kept connection, the one used last.
    fn take(&self) -> Option<Box<Lane>> {
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lanes.pop().map(|idle| idle.lane)
    }

    /// Gives back a connection that is ready for another request.
    fn give_back(&self, lane: Box<Lane>) {
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.lanes.len() < IDLE {
            let round = kept.round;
            kept.lanes.push(Idle { lane, round });
        }
    }

    /// Closes what nobody has used for a while. Called regularly.
    pub fn sweep(&self) {
        let mut kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        kept.round = kept.round.wrapping_add(1);
        let now = kept.round;
        kept.lanes.retain(|idle| now.wrapping_sub(idle.round) < IDLE_ROUNDS);
    }

    /// A fresh connection.
    async fn connect(&self, egress: &dyn Egress) -> Result<Box<Lane>, Problem> {
        let stream = egress.connect(Purpose::Upstream, &self.authority).await?;
        let broken = |e: &dyn fmt::Display| Problem::new(&problems::UPSTREAM_UNREACHABLE).log(e);
        let stream: Pin<Box<dyn Stream>> = match &self.tls {
            None => stream,
            Some((connector, name)) => Box::pin(connector.connect(name.clone(), stream).await.map_err(|e| broken(&e))?),
        };
        let (sender, link) = http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
        Ok(Box::new(Lane { sender, link }))
    }
}

pub(crate) fn connector(ca: &str, clock: &SharedClock) -> Result<TlsConnector, String> {
    if ca.is_empty() {
        return Err("an https upstream needs the file of its authorities".into());
    }
    let pem = fs::read(ca).map_err(|e| format!("{ca}: {e}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|e| format!("{ca}: {e}"))?).map_err(|e| format!("{ca}: {e}"))?;
    }
    if roots.is_empty() {
        return Err(format!("{ca}: no certificate in the file"));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(OurTime(clock.clone())))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
