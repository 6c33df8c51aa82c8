//! Signed notes (C2SP signed-note) with Ed25519 signatures and witnesses' cosignatures (C2SP tlog-cosignature,
//! `cosignature/v1`), exact to the byte.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sekisho_kernel::{Problem, Secret, problem::INTERNAL};

use crate::{Malformed, hash::sha256};

/// The longest note in bytes that we read.
pub const MAX_NOTE: usize = 64 << 10;

/// The most signatures in a note that we read (the standard asks for at least 16).
pub const MAX_SIGNATURES: usize = 64;

/// The signature algorithms we know (C2SP signed-note, "Signature types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// Ed25519 over the note text.
    Ed25519 = 0x01,
    /// Ed25519 over a time and the note text: a witness (C2SP tlog-cosignature).
    Cosignature = 0x04,
}

/// A key that verifies signatures of a note.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: [u8; 32],
}

impl VerifierKey {
    /// A key by its parts.
    ///
    /// # Errors
    /// The name is empty, longer than 255 bytes, or holds a space, a plus sign or a control character.
    pub fn new(name: &str, kind: KeyKind, public: [u8; 32]) -> Result<Self, Malformed> {
        if !good_name(name) {
            return Err(Malformed::new("verifier key", "not a key name"));
        }
        Ok(Self { name: name.to_owned(), kind, public })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The algorithm.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }
    /// The Ed25519 public key.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The key id: the first four bytes of `SHA-256(name || 0x0A || kind || public key)`.
    pub fn id(&self) -> u32 {
        let mut data = Vec::with_capacity(self.name.len() + 34);
        data.extend_from_slice(self.name.as_bytes());
        data.push(b'\n');
        data.push(self.kind as u8);
        data.extend_from_slice(&self.public);
        let [a, b, c, d, ..] = sha256(&data).0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// `name+id+base64(kind || public key)`, as verifier keys are written.
    pub fn encode(&self) -> String {
        let mut key = vec![self.kind as u8];
        key.extend_from_slice(&self.public);
        format!("{}+{:08x}+{}", self.name, self.id(), STANDARD.encode(key))
    }

    /// Checks one signature's bytes (without the key id) over `text`. The time of a cosignature, in seconds, when it
    /// is one.
    fn verify(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        let key = UnparsedPublicKey::new(&ED25519, &self.public);
        match self.kind {
            KeyKind::Ed25519 => key.verify(text.as_bytes(), signature).ok().map(|()| None),
            KeyKind::Cosignature => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                if time > i64::MAX as u64 {
                    return None;
                }
                key.verify(cosigned(time, text).as_bytes(), signature).ok().map(|()| Some(time))
            }
        }
    }
}

/// Reads a verifier key as [`VerifierKey::encode`] writes it.
///
/// # Errors
/// Not of that form, an unknown algorithm, or an id that is not the key's.
pub fn parse_verifier_key(text: &str) -> Result<VerifierKey, Malformed> {
    let bad = |why| Malformed::new("verifier key", why);
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(bad("not name+id+key"));
    };
    let key = STANDARD.decode(key).map_err(|_| bad("the key is not base64"))?;
    let (kind, public) = key.split_first().ok_or(bad("the key is empty"))?;
    let kind = match kind {
        0x01 => KeyKind::Ed25519,
        0x04 => KeyKind::Cosignature,
        _ => return Err(bad("unknown algorithm")),
    };
    let key = VerifierKey::new(name, kind, public.try_into().map_err(|_| bad("not 32 bytes"))?)?;
    if format!("{:08x}", key.id()) != id {
        return Err(bad("the id is another key's"));
    }
    Ok(key)
}

fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

fn good_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// What signs: a key that its holder never shows.
pub trait Signer: Send + Sync {
    /// The key that verifies.
    fn key(&self) -> &VerifierKey;
    /// The Ed25519 signature over `message` (RFC 8032).
    ///
    /// # Errors
    /// The key's holder does not answer.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Problem>;
}

/// An Ed25519 key in memory.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    key: VerifierKey,
}

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5), under `name`.
    ///
    /// # Errors
    /// Not a key name.
    pub fn from_seed(name: &str, kind: KeyKind, seed: &Secret<[u8; 32]>) -> Result<Self, Malformed> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.reveal())
            .map_err(|_| Malformed::new("signing key", "not an Ed25519 seed"))?;
        let public = pair.public_key().as_ref().try_into();
        let public = public.map_err(|_| Malformed::new("signing key", "not an Ed25519 key"))?;
        Ok(Self { pair, key: VerifierKey::new(name, kind, public)? })
    }
}

impl Signer for SigningKey {
    fn key(&self) -> &VerifierKey {
        &self.key
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Problem> {
        let signature = self.pair.sign(message);
        signature.as_ref().try_into().map_err(|_| Problem::new(&INTERNAL).log("an Ed25519 signature has 64 bytes"))
    }
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: u32,
    /// What the algorithm made of it.
    pub bytes: Vec<u8>,
}

/// A text and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// A signature that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key.
    pub key: VerifierKey,
    /// When the witness signed, in seconds since 1970; `None` for a plain signature.
    pub time: Option<u64>,
}

/// A signature that names a known key and is not of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature of {0} does not verify")]
pub struct BadSignature(pub String);

impl Note {
    /// A note without signatures yet.
    ///
    /// # Errors
    /// The text does not end in a newline, or holds another control character.
    pub fn new(text: impl Into<String>) -> Result<Self, Malformed> {
        let text = text.into();
        let bad = |why| Malformed::new("signed note", why);
        if !text.ends_with('\n') || text.len() > MAX_NOTE / 2 {
            return Err(bad("the text does not end in a newline or is too long"));
        }
        if text.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(bad("a control character"));
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// The text, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The signatures, believed or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature. A witness's key also signs `at_secs`, seconds since 1970; a log's key ignores it.
    ///
    /// # Errors
    /// The signer's.
    pub fn sign(&mut self, signer: &dyn Signer, at_secs: u64) -> Result<(), Problem> {
        let key = signer.key();
        let bytes = match key.kind() {
            KeyKind::Ed25519 => signer.sign(self.text.as_bytes())?.to_vec(),
            KeyKind::Cosignature => {
                let mut bytes = at_secs.to_be_bytes().to_vec();
                bytes.extend_from_slice(&signer.sign(cosigned(at_secs, &self.text).as_bytes())?);
                bytes
            }
        };
        self.signatures.push(NoteSignature { name: key.name().to_owned(), id: key.id(), bytes });
        Ok(())
    }

    /// The signatures of `keys` that verify, each key once. Signatures of other keys are ignored, as the standard asks.
    ///
    /// # Errors
    /// A signature that names one of `keys` does not verify: nothing of the note is to be believed.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<Verified>, BadSignature> {
        let mut out: Vec<Verified> = Vec::new();
        for signature in &self.signatures {
            for key in keys.iter().filter(|k| k.name == signature.name && k.id() == signature.id) {
                let time = key.verify(&self.text, &signature.bytes).ok_or_else(|| BadSignature(key.name.clone()))?;
                if !out.iter().any(|v| v.key == *key) {
                    out.push(Verified { key: key.clone(), time });
                }
            }
        }
        Ok(out)
    }

    /// The signed note, exact to the byte.
    pub fn encode(&self) -> String {
        let mut out = format!("{}\n", self.text);
        for signature in &self.signatures {
            let mut bytes = signature.id.to_be_bytes().to_vec();
            bytes.extend_from_slice(&signature.bytes);
            out.push_str(&format!("\u{2014} {} {}\n", signature.name, STANDARD.encode(bytes)));
        }
        out
    }
}

/// Reads a signed note with at least one signature. Accepts exactly what [`Note::encode`] writes.
///
/// # Errors
/// Anything else, more than [`MAX_NOTE`] bytes, or more than [`MAX_SIGNATURES`] signatures.
pub fn parse_note(bytes: &[u8]) -> Result<Note, Malformed> {
    let bad = |why| Malformed::new("signed note", why);
    if bytes.len() > MAX_NOTE {
        return Err(bad("too long"));
    }
    let all = std::str::from_utf8(bytes).map_err(|_| bad("not UTF-8"))?;
    let split = all.rfind("\n\n").ok_or(bad("no empty line before the signatures"))?;
    let mut note = Note::new(&all[..=split])?;
    let lines = all[split + 2..].strip_suffix('\n').ok_or(bad("no newline at the end"))?;
    for line in lines.split('\n') {
        if note.signatures.len() == MAX_SIGNATURES {
            return Err(bad("too many signatures"));
        }
        let rest = line.strip_prefix("\u{2014} ").ok_or(bad("not a signature line"))?;
        let (name, data) = rest.split_once(' ').ok_or(bad("not a signature line"))?;
        let data = STANDARD.decode(data).map_err(|_| bad("a signature is not base64"))?;
        let (id, signature) = data.split_first_chunk::<4>().ok_or(bad("a signature is too short"))?;
        if !good_name(name) || signature.is_empty() {
            return Err(bad("not a signature line"));
        }
        let id = u32::from_be_bytes(*id);
        note.signatures.push(NoteSignature { name: name.to_owned(), id, bytes: signature.to_vec() });
    }
    Ok(note)
}
