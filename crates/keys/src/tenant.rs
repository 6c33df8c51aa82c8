//! One tenant's keys, unwrapped.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::hmac;
use sekisho_kernel::{Problem, Rng, id::TenantId, problem::INTERNAL, rng};
use zeroize::Zeroizing;

use crate::{
    blind, kdf,
    problem::{NO_KEY, NOT_AUTHENTIC},
    seal::{self, HEADER, Place},
    xaes::{NONCE, Xaes},
};

/// Table keys by version.
type Versions = Vec<(u32, Arc<Xaes>)>;

/// The unwrapped secrets of one tenant and what has been derived from them. Wiped when dropped.
pub(crate) struct Material {
    /// Data secrets by version, oldest first; records are sealed under the newest.
    data: Vec<(u32, Zeroizing<[u8; 32]>)>,
    blind: hmac::Key,
    tables: RwLock<HashMap<Box<str>, Versions>>,
}

impl Material {
    /// `data` by ascending version.
    pub(crate) fn new(data: Vec<(u32, Zeroizing<[u8; 32]>)>, blind: &[u8; 32]) -> Self {
        let blind = kdf::derive(blind, &["blind"]);
        Self { data, blind: hmac::Key::new(hmac::HMAC_SHA256, &blind[..]), tables: RwLock::default() }
    }

    pub(crate) fn newest(&self) -> Option<u32> {
        self.data.last().map(|(v, _)| *v)
    }

    fn table(&self, table: &str, version: u32) -> Result<Arc<Xaes>, Problem> {
        let known = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, key)) = known.get(table).and_then(|keys| keys.iter().find(|(v, _)| *v == version)) {
            return Ok(key.clone());
        }
        drop(known);
        let secret = self.data.iter().find(|(v, _)| *v == version).map(|(_, s)| s);
        let secret = secret.ok_or_else(|| Problem::new(&NO_KEY).log(format!("no data key {version}")))?;
        let key = Xaes::new(&kdf::derive(secret, &["table", table]))
            .map_err(|_| Problem::new(&INTERNAL).log("a table key could not be derived"))?;
        let key = Arc::new(key);
        let mut known = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(table.into()).or_default().push((version, key.clone()));
        Ok(key)
    }
}

/// Seals, opens and indexes for one tenant. Cheap to clone; holds the tenant's keys in memory while it lives.
#[derive(Clone)]
pub struct TenantKeys {
    pub(crate) tenant: TenantId,
    pub(crate) material: Arc<Material>,
    pub(crate) rng: Arc<dyn Rng>,
    /// False only in a rehearsal that has taken sealing out.
    pub(crate) sealing: bool,
}

impl fmt::Debug for TenantKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKeys({})", self.tenant)
    }
}

impl TenantKeys {
    /// Whose keys these are; every seal is bound to it.
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Seals `plain` for `place`.
    ///
    /// # Errors
    /// `SK-2006` when the tenant's keys were destroyed.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut buf = Vec::with_capacity(plain.len() + seal::OVERHEAD);
        buf.resize(HEADER, 0);
        buf.extend_from_slice(plain);
        self.seal_in_place(place, &mut buf)?;
        Ok(buf)
    }

    /// Seals what stands in `buf` after its first [`HEADER`] bytes, without a copy.
    ///
    /// # Errors
    /// As [`TenantKeys::seal`]; a defect of ours when `buf` is shorter than [`HEADER`].
    pub fn seal_in_place(&self, place: Place<'_>, buf: &mut Vec<u8>) -> Result<(), Problem> {
        let version = self.material.newest().ok_or_else(|| Problem::new(&NO_KEY))?;
        if !self.sealing {
            return seal::leave_clear(version, buf);
        }
        let key = self.material.table(place.table, version)?;
        let nonce: [u8; NONCE] = rng::bytes(&*self.rng);
        seal::seal(&key, version, self.tenant, place, &nonce, buf)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// `SK-2007` when it is not authentic: changed, or another tenant's, table's, record's or version's. `SK-2006` when the
    /// key version it names does not exist (any more).
    pub fn open(&self, place: Place<'_>, sealed: Vec<u8>) -> Result<Vec<u8>, Problem> {
        let version = seal::key_version(&sealed)
            .ok_or_else(|| Problem::new(&NOT_AUTHENTIC).log(format!("{}: too short", place.table)))?;
        let key = self.material.table(place.table, version)?;
        seal::open(&key, version, self.tenant, place, sealed, !self.sealing)
    }

    /// The version that records are sealed under now.
    pub fn newest(&self) -> u32 {
        self.material.newest().unwrap_or(0)
    }

    /// The blind index of `value` in `table.field`; [`blind::LENGTH`] bytes.
    pub fn blind(&self, table: &str, field: &str, value: &str) -> Vec<u8> {
        blind::index(&self.material.blind, table, field, value)
    }

    /// HMAC-SHA256 over `label` and `data` under the blind-index key: survives scheduled rotation.
    pub fn mac(&self, label: &str, data: &[u8]) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&self.material.blind);
        // 0 is no normaliser version, so no label meets an index.
        mac.update(&[0, u8::try_from(label.len()).unwrap_or(u8::MAX)]);
        mac.update(label.as_bytes());
        mac.update(data);
        let mut out = [0; 32];
        out.copy_from_slice(mac.sign().as_ref());
        out
    }
}
