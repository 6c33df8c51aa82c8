//! Which certificate a host name is answered with: a given one, read again when its files change, or one issued on
//! demand by the local authority.

use std::{
    collections::HashMap,
    fmt, fs,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sekisho_kernel::{Policy, Problem, Rng, time::SharedClock};

use super::authority::{Authority, CertStore, LEAF_VALID, Leaf};
use crate::{problems, settings};

/// Issued certificates kept at a time.
const KEPT: usize = 4_096;

/// The certificates of one instance.
pub struct Certificates {
    clock: SharedClock,
    rng: Arc<dyn Rng>,
    store: Arc<dyn CertStore>,
    source: RwLock<Source>,
    issued: Mutex<HashMap<String, Leaf>>,
}

enum Source {
    Local(Box<Authority>),
    Given(Given),
}

struct Given {
    files: [String; 2],
    stamps: [Stamp; 2],
    key: Arc<CertifiedKey>,
}

/// Tells one content of a file from the next.
type Stamp = Option<(SystemTime, u64)>;

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

fn files(policy: &Policy) -> Result<Option<[String; 2]>, Problem> {
    let pair = [policy.path(&settings::CERTIFICATE), policy.path(&settings::PRIVATE_KEY)];
    match (pair[0].is_empty(), pair[1].is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some(pair)),
        (true, false) => Err(Problem::new(&problems::CERTIFICATE).at(settings::CERTIFICATE.key)),
        (false, true) => Err(Problem::new(&problems::CERTIFICATE).at(settings::PRIVATE_KEY.key)),
    }
}

fn stamp(path: &str) -> Stamp {
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

fn read(files: [String; 2]) -> Result<Given, Problem> {
    let bad = |file: &str, e: &dyn fmt::Display| Problem::new(&problems::CERTIFICATE).at(file.to_owned()).log(e);
    let stamps = [stamp(&files[0]), stamp(&files[1])];
    let chain = fs::read(&files[0]).map_err(|e| bad(&files[0], &e))?;
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&chain).collect::<Result<_, _>>().map_err(|e| bad(&files[0], &e))?;
    if chain.is_empty() {
        return Err(bad(&files[0], &"no certificate in the file"));
    }
    let private = PrivateKeyDer::from_pem_file(&files[1]).map_err(|e| bad(&files[1], &e))?;
    let signing = any_supported_type(&private).map_err(|e| bad(&files[1], &e))?;
    let key = CertifiedKey::new(chain, signing);
    key.keys_match().map_err(|e| bad(&files[1], &e))?;
    Ok(Given { files, stamps, key: Arc::new(key) })
}

impl Certificates {
    /// As the policy says: the given files, or the local authority kept in `store`.
    ///
    /// # Errors
    /// `CERTIFICATE`, naming the file or setting.
    pub fn open(
        policy: &Policy,
        store: Arc<dyn CertStore>,
        clock: SharedClock,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, Problem> {
        let source = match files(policy)? {
            Some(files) => Source::Given(read(files)?),
            None => Source::Local(Box::new(Authority::open(&*store, clock.now(), &*rng)?)),
        };
        Ok(Self { clock, rng, store, source: RwLock::new(source), issued: Mutex::default() })
    }

    /// Reads given files again if they or the policy have changed. On a problem the old certificate stays.
    ///
    /// # Errors
    /// `CERTIFICATE`, naming the file or setting.
    pub fn refresh(&self, policy: &Policy) -> Result<(), Problem> {
        let wanted = files(policy)?;
        let fresh = match (&*self.source.read().unwrap_or_else(PoisonError::into_inner), wanted) {
            (Source::Local(_), None) => None,
            (Source::Given(given), Some(files))
                if given.files == files && given.stamps == [stamp(&files[0]), stamp(&files[1])] =>
            {
                None
            }
            (_, Some(files)) => Some(Source::Given(read(files)?)),
            (_, None) => Some(Source::Local(Box::new(Authority::open(&*self.store, self.clock.now(), &*self.rng)?))),
        };
        if let Some(fresh) = fresh {
            *self.source.write().unwrap_or_else(PoisonError::into_inner) = fresh;
            self.issued.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        Ok(())
    }

    /// The local authority's certificate (PEM), which clients must trust; `None` with given files.
    pub fn trust(&self) -> Option<String> {
        match &*self.source.read().unwrap_or_else(PoisonError::into_inner) {
            Source::Local(authority) => Some(authority.pem().to_owned()),
            Source::Given(_) => None,
        }
    }

    /// The certificate for `host`, which the directory has been asked about already.
    ///
    /// # Errors
    /// `CERTIFICATE` when none can be issued.
    pub fn certified(&self, host: &str) -> Result<Arc<CertifiedKey>, Problem> {
        let source = self.source.read().unwrap_or_else(PoisonError::into_inner);
        let authority = match &*source {
            Source::Given(given) => return Ok(given.key.clone()),
            Source::Local(authority) => authority,
        };
        let now = self.clock.now();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leaf) = issued.get(host)
            && leaf.until.since(now) > LEAF_VALID / 3
        {
            return Ok(leaf.key.clone());
        }
        let leaf = authority.issue(host, now, &*self.rng)?;
        if issued.len() >= KEPT {
            issued.retain(|_, leaf| leaf.until.since(now) > LEAF_VALID / 3);
            if issued.len() >= KEPT {
                issued.clear();
            }
        }
        issued.insert(host.to_owned(), leaf.clone());
        Ok(leaf.key)
    }
}

impl ResolvesServerCert for Certificates {
    /// Asked by the handshake after the door has looked the name up in the directory.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = crate::host::name(hello.server_name()?)?;
        match self.certified(&host) {
            Ok(key) => Some(key),
            Err(problem) => {
                tracing::error!(%host, ?problem, "no certificate");
                None
            }
        }
    }
}
