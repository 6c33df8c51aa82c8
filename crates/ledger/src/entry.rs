//! Entries, their commitments and their leaves, exact to the byte.
//!
//! ```text
//! entry bytes = log (16) || entry id (16) || format (1) || at (8, microseconds, big-endian, signed) || body
//! commitment  = SHA-256( DOMAIN (32) || salt (32) || entry bytes )
//! leaf data   = entry id (16) || commitment (32)
//! leaf hash   = SHA-256( 0x00 || leaf data )
//! ```
//!
//! Salt and entry bytes may be destroyed lawfully: the leaf data stay, and with them the tree. The salt keeps a
//! destroyed body from being guessed. The entry id is beside the commitment, not only inside it, so that a
//! leaf whose body is gone still tells under the tree's protection which entry it was, and (ids being UUIDv7)
//! when it was made: a verifier can then judge whether its retention had passed. 48 bytes and the prefix
//! fit one SHA-256 block, so this costs nothing.

use sekisho_kernel::Time;

use crate::{Hash, Malformed, hash::sha256, leaf_hash};

/// Separates commitments from every other use of SHA-256: the text, padded with zeroes to 32 bytes.
pub const DOMAIN: [u8; 32] = *b"sekisho/ledger/commitment/v1\0\0\0\0";

/// Bytes before the body in [`Entry::encode`].
pub const ENTRY_HEAD: usize = 16 + 16 + 1 + 8;

/// The longest entry in bytes, head included: 1 MiB.
pub const MAX_ENTRY: usize = 1 << 20;

/// Random bytes mixed into a commitment. Fresh for each entry.
pub type Salt = [u8; 32];

/// What a body is; also the version of its encoding. The body is an OCSF event in JSON for every format; the
/// format only says whether a verifier has to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Format {
    /// An event. The verifier never parses it.
    #[default]
    Event = 1,
    /// A lawful purge; see [`crate::Purge`].
    Purge = 2,
    /// The first entry of an epoch opened by a restore; see [`crate::EpochStart`].
    EpochStart = 3,
}

impl Format {
    /// The format with this byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Event),
            2 => Some(Self::Purge),
            3 => Some(Self::EpochStart),
            _ => None,
        }
    }
}

/// One entry before it is encoded. Encode once, keep the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The log it belongs to: the tenant's id, or the nil id for the platform's log.
    pub log: [u8; 16],
    /// Its id, a UUIDv7.
    pub id: [u8; 16],
    /// What the body is.
    pub format: Format,
    /// When it happened, in microseconds since 1970-01-01T00:00:00Z.
    pub at_micros: i64,
    /// The OCSF event in JSON, encoded by the caller.
    pub body: Vec<u8>,
}

impl Entry {
    /// The entry's bytes as documented above: what is sealed, exported and committed to, never re-encoded.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENTRY_HEAD + self.body.len());
        out.extend_from_slice(&self.log);
        out.extend_from_slice(&self.id);
        out.push(self.format as u8);
        out.extend_from_slice(&self.at_micros.to_be_bytes());
        out.extend_from_slice(&self.body);
        out
    }

    /// When it happened.
    pub const fn at(&self) -> Time {
        Time::from_micros(self.at_micros)
    }
}

/// Entry bytes, read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// See [`Entry::log`].
    pub log: [u8; 16],
    /// See [`Entry::id`].
    pub id: [u8; 16],
    /// See [`Entry::format`].
    pub format: Format,
    /// See [`Entry::at_micros`].
    pub at_micros: i64,
    /// See [`Entry::body`].
    pub body: &'a [u8],
}

impl EntryRef<'_> {
    /// An owned copy.
    pub fn to_entry(self) -> Entry {
        Entry { log: self.log, id: self.id, format: self.format, at_micros: self.at_micros, body: self.body.to_vec() }
    }
    /// When it happened.
    pub const fn at(&self) -> Time {
        Time::from_micros(self.at_micros)
    }
}

/// Reads entry bytes. The body is not looked at.
///
/// # Errors
/// Shorter than the head, longer than [`MAX_ENTRY`], or an unknown format.
pub fn parse_entry(bytes: &[u8]) -> Result<EntryRef<'_>, Malformed> {
    let bad = |why| Malformed::new("entry", why);
    if bytes.len() > MAX_ENTRY {
        return Err(bad("longer than 1 MiB"));
    }
    let (head, body) = bytes.split_first_chunk::<ENTRY_HEAD>().ok_or(bad("shorter than its head"))?;
    let (mut log, mut id, mut at) = ([0; 16], [0; 16], [0; 8]);
    log.copy_from_slice(&head[..16]);
    id.copy_from_slice(&head[16..32]);
    at.copy_from_slice(&head[33..]);
    let format = Format::from_byte(head[32]).ok_or(bad("unknown format"))?;
    Ok(EntryRef { log, id, format, at_micros: i64::from_be_bytes(at), body })
}

/// The commitment to an entry's bytes under `salt`.
pub fn commit(salt: &Salt, entry_bytes: &[u8]) -> Hash {
    let mut data = Vec::with_capacity(64 + entry_bytes.len());
    data.extend_from_slice(&DOMAIN);
    data.extend_from_slice(salt);
    data.extend_from_slice(entry_bytes);
    sha256(&data)
}

/// What the tree holds for one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The entry's id.
    pub id: [u8; 16],
    /// The commitment to its salt and bytes.
    pub commitment: Hash,
}

impl Leaf {
    /// The leaf of an entry's bytes under `salt`.
    ///
    /// # Errors
    /// The bytes are no entry.
    pub fn of(salt: &Salt, entry_bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(Self { id: parse_entry(entry_bytes)?.id, commitment: commit(salt, entry_bytes) })
    }

    /// The leaf data, 48 bytes.
    pub fn data(&self) -> [u8; 48] {
        let mut out = [0; 48];
        out[..16].copy_from_slice(&self.id);
        out[16..].copy_from_slice(&self.commitment.0);
        out
    }

    /// The leaf hash, which the tree and its level-0 tiles hold.
    pub fn hash(&self) -> Hash {
        leaf_hash(&self.data())
    }
}

/// When an id was made, in microseconds since 1970: the first 48 bits of a UUIDv7 are milliseconds
/// (RFC 9562 §5.7).
pub fn id_micros(id: &[u8; 16]) -> i64 {
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&id[..6]);
    i64::from_be_bytes(millis).saturating_mul(1_000)
}
