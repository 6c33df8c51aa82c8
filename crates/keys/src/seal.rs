//! Sealed values, exact to the byte.
//!
//! ```text
//! sealed = format (1) || key version (4, big-endian) || random value (24) || ciphertext || tag (16)
//! associated data = format (1) || tenant (16) || length of table (1) || table || id (16)
//!                   || record version (8, big-endian) || key version (4, big-endian)
//! ```
//!
//! Format 1 is XAES-256-GCM. Format 0 is a body in the clear: written and read only in a rehearsal that has taken
//! sealing out, and refused everywhere else.

use aws_lc_rs::error::Unspecified;
use sekisho_kernel::{Problem, id::TenantId, problem::INTERNAL};

use crate::{
    problem::NOT_AUTHENTIC,
    xaes::{NONCE, TAG, Xaes},
};

/// Bytes before the ciphertext.
pub const HEADER: usize = 1 + 4 + NONCE;
/// Bytes that sealing adds.
pub const OVERHEAD: usize = HEADER + TAG;

const SEALED: u8 = 1;
const CLEAR: u8 = 0;

/// What a sealed value is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table, or the name of another kind of sealed value. At most 255 bytes.
    pub table: &'a str,
    /// The record.
    pub id: [u8; 16],
    /// The record's version.
    pub version: i64,
}

/// The version of the key that a sealed value says it was sealed under.
pub(crate) fn key_version(sealed: &[u8]) -> Option<u32> {
    sealed.get(1..5)?.try_into().ok().map(u32::from_be_bytes)
}

/// The associated data. Fixed room: no allocation on the way.
struct Bound {
    bytes: [u8; 1 + 16 + 1 + 255 + 16 + 8 + 4],
    len: usize,
}

impl Bound {
    fn new(format: u8, tenant: TenantId, place: Place<'_>, key_version: u32) -> Result<Self, Problem> {
        let table = place.table.as_bytes();
        let length =
            u8::try_from(table.len()).map_err(|_| Problem::new(&INTERNAL).log("a table's name is too long"))?;
        let mut out = Self { bytes: [0; 301], len: 0 };
        out.push(&[format]);
        out.push(&tenant.bytes());
        out.push(&[length]);
        out.push(table);
        out.push(&place.id);
        out.push(&place.version.to_be_bytes());
        out.push(&key_version.to_be_bytes());
        Ok(out)
    }
    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
    fn get(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Seals what stands in `buf` after its first [`HEADER`] bytes, in place.
pub(crate) fn seal(
    key: &Xaes,
    key_version: u32,
    tenant: TenantId,
    place: Place<'_>,
    nonce: &[u8; NONCE],
    buf: &mut Vec<u8>,
) -> Result<(), Problem> {
    let bound = Bound::new(SEALED, tenant, place, key_version)?;
    let (header, data) = buf.split_at_mut_checked(HEADER).ok_or_else(|| defect("no room for the header"))?;
    header[0] = SEALED;
    header[1..5].copy_from_slice(&key_version.to_be_bytes());
    header[5..].copy_from_slice(nonce);
    let tag = key.seal(nonce, bound.get(), data).map_err(|_| defect("sealing failed"))?;
    buf.extend_from_slice(&tag);
    Ok(())
}

/// The same bytes, not sealed: sealing is taken out.
pub(crate) fn leave_clear(key_version: u32, buf: &mut [u8]) -> Result<(), Problem> {
    let header = buf.get_mut(..HEADER).ok_or_else(|| defect("no room for the header"))?;
    header.fill(0);
    header[0] = CLEAR;
    header[1..5].copy_from_slice(&key_version.to_be_bytes());
    Ok(())
}

/// Opens a sealed value in place; what remains is the plain bytes. `clear_too` where sealing is taken out.
pub(crate) fn open(
    key: &Xaes,
    key_version: u32,
    tenant: TenantId,
    place: Place<'_>,
    mut sealed: Vec<u8>,
    clear_too: bool,
) -> Result<Vec<u8>, Problem> {
    if clear_too && sealed.first() == Some(&CLEAR) && sealed.len() >= HEADER {
        sealed.drain(..HEADER);
        return Ok(sealed);
    }
    let forged =
        |why: &str| Problem::new(&NOT_AUTHENTIC).log(format!("{} {}: {why}", place.table, hex::encode(place.id)));
    if sealed.first() != Some(&SEALED) {
        return Err(forged("unknown format"));
    }
    let bound = Bound::new(SEALED, tenant, place, key_version)?;
    let (header, data) = sealed.split_at_mut_checked(HEADER).ok_or_else(|| forged("too short"))?;
    let nonce: [u8; NONCE] = header[5..].try_into().map_err(|_| forged("too short"))?;
    let plain = key.open(&nonce, bound.get(), data).map_err(|Unspecified| forged("does not authenticate"))?.len();
    sealed.copy_within(HEADER..HEADER + plain, 0);
    sealed.truncate(plain);
    Ok(sealed)
}

fn defect(why: &str) -> Problem {
    Problem::new(&INTERNAL).log(why)
}
