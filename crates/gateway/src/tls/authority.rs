//! A certificate authority of our own, made at the first start, for instances without given certificates.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SerialNumber, date_time_ymd,
};
use rustls::{
    crypto::aws_lc_rs::sign::any_ecdsa_type,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use sekisho_kernel::{Problem, Rng, Secret, Time, rng};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::problems;

const DAY: u64 = 86_400;
/// How long the authority's own certificate is valid.
const AUTHORITY_VALID: Duration = Duration::from_secs(3_650 * DAY);
/// How long an issued certificate is valid; renewed when a third is left.
pub(crate) const LEAF_VALID: Duration = Duration::from_secs(90 * DAY);
/// Peers' clocks may be this much behind ours.
const BACKDATED: Duration = Duration::from_secs(3_600);

/// Keeps the authority's key and certificate, as one PEM text. The binary seals it, or leaves it to [`FileCertStore`].
pub trait CertStore: Send + Sync {
    /// What was saved, or `None` at the first start.
    fn load(&self) -> Result<Option<Secret<String>>, Problem>;
    /// Saves, so that it survives a crash.
    fn save(&self, pem: &Secret<String>) -> Result<(), Problem>;
}

/// A file of mode 0600 in a directory.
#[derive(Debug)]
pub struct FileCertStore {
    path: PathBuf,
}

impl FileCertStore {
    /// `authority.pem` in `directory`, which must exist.
    pub fn new(directory: &Path) -> Self {
        Self::named(directory, "authority.pem")
    }
    /// Another file of `directory`.
    pub fn named(directory: &Path, name: &str) -> Self {
        Self { path: directory.join(name) }
    }
    fn failed(&self, error: impl std::fmt::Display) -> Problem {
        Problem::new(&problems::CERTIFICATE).at(self.path.display().to_string()).log(error)
    }
    fn write(&self, pem: &str) -> io::Result<()> {
        let fresh = self.path.with_extension("pem.new");
        match fs::remove_file(&fresh) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(pem.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl CertStore for FileCertStore {
    fn load(&self) -> Result<Option<Secret<String>>, Problem> {
        let mut text = String::new();
        match File::open(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(self.failed(e)),
            Ok(file) => file.take(64 * 1024).read_to_string(&mut text).map_err(|e| self.failed(e))?,
        };
        Ok(Some(Secret::new(text)))
    }
    fn save(&self, pem: &Secret<String>) -> Result<(), Problem> {
        self.write(pem.reveal()).map_err(|e| self.failed(e))
    }
}

/// The authority, ready to issue.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate issued for one host.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) until: Time,
}

fn unusable(error: impl std::fmt::Display) -> Problem {
    Problem::new(&problems::CERTIFICATE).log(error)
}

fn params(name: &str, from: Time, until: Time, rng: &dyn Rng) -> CertificateParams {
    let at = |t: Time| {
        let since_epoch = Duration::from_secs(u64::try_from(t.secs()).unwrap_or(0));
        date_time_ymd(1970, 1, 1) + since_epoch
    };
    let mut params = CertificateParams::default();
    let mut dn = DistinguishedName::new();
    dn.push(DnType::CommonName, name);
    params.distinguished_name = dn;
    params.not_before = at(from);
    params.not_after = at(until);
    // RFC 5280 §4.1.2.2: positive and unpredictable.
    let mut serial: [u8; 16] = rng::bytes(rng);
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params
}

impl Authority {
    /// The kept one, or a new one when there is none or it has less than a leaf's time left.
    pub(crate) fn open(store: &dyn CertStore, now: Time, rng: &dyn Rng) -> Result<Self, Problem> {
        if let Some(pem) = store.load()? {
            let kept = Self::read(pem.reveal())?;
            if kept.until()? > now.plus(LEAF_VALID) {
                return Ok(kept);
            }
            tracing::warn!("the local certificate authority has run out; a new one takes its place");
        }
        let (made, pem) = Self::make(now, rng)?;
        store.save(&pem)?;
        Ok(made)
    }

    fn make(now: Time, rng: &dyn Rng) -> Result<(Self, Secret<String>), Problem> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unusable)?;
        let tag = hex::encode(rng::bytes::<4>(rng));
        let mut params =
            params(&format!("Sekisho local authority {tag}"), now.minus(BACKDATED), now.plus(AUTHORITY_VALID), rng);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(unusable)?;
        let pem = Secret::new(format!("{}{}", key.serialize_pem(), certificate.pem()));
        Ok((Self::of(params, key, &certificate), pem))
    }

    fn of(params: CertificateParams, key: KeyPair, certificate: &Certificate) -> Self {
        Self { issuer: Issuer::new(params, key), certificate: certificate.der().clone(), pem: certificate.pem() }
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let certificate = CertificateDer::from_pem_slice(text.as_bytes()).map_err(unusable)?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(unusable)?;
        let key = KeyPair::try_from(&key).map_err(unusable)?;
        let pem = text.find("-----BEGIN CERTIFICATE").map(|at| text[at..].to_owned()).unwrap_or_default();
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(unusable)?;
        Ok(Self { issuer, certificate, pem })
    }

    fn until(&self) -> Result<Time, Problem> {
        let (_, parsed) = X509Certificate::from_der(&self.certificate).map_err(unusable)?;
        Ok(Time::from_secs(parsed.validity().not_after.timestamp()))
    }

    /// What clients must trust.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for `host`, a name that the directory knows.
    pub(crate) fn issue(&self, host: &str, now: Time, rng: &dyn Rng) -> Result<Leaf, Problem> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unusable)?;
        let until = now.plus(LEAF_VALID);
        // A common name holds at most 64 characters (RFC 5280 appendix A.1); the name that counts is the alternative.
        let shown = if host.len() <= 64 { host } else { "Sekisho" };
        let mut params = params(shown, now.minus(BACKDATED), until, rng);
        params.subject_alt_names = vec![rcgen::SanType::DnsName(host.try_into().map_err(unusable)?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).map_err(unusable)?;
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = any_ecdsa_type(&private).map_err(unusable)?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        Ok(Leaf { key: Arc::new(CertifiedKey::new(chain, signing)), until })
    }
}
