//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of a tree as a signed note.

use std::fmt;

use sekisho_kernel::Problem;

use crate::{
    Hash, Malformed, Note, Signer, VerifierKey,
    note::{BadSignature, Verified, parse_note},
};

/// The longest origin in bytes.
pub const MAX_ORIGIN: usize = 255;

/// Whose tree a checkpoint speaks of: `house/log/epoch`, such as `sekisho/0198c2b4…/1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The installation: a schema-less URL or a fixed word, without spaces or plus signs. Should be different for each
    /// installation, since the platform's log has the same id in all.
    pub house: String,
    /// The log's id, written as 32 hex digits.
    pub log: [u8; 16],
    /// 1 for the first, one more after each restore.
    pub epoch: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.house, hex::encode(self.log), self.epoch)
    }
}

impl Origin {
    /// Reads what `Display` writes. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, '/');
        let (epoch, log, house) = (parts.next()?, parts.next()?, parts.next()?);
        let epoch = decimal(epoch).and_then(|e| u32::try_from(e).ok()).filter(|e| *e > 0)?;
        let mut id = [0; 16];
        hex::decode_to_slice(log, &mut id).ok()?;
        let out = Self { house: house.to_owned(), log: id, epoch };
        (good_origin(text) && out.to_string() == text).then_some(out)
    }
}

/// The head of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: see [`Origin`].
    pub origin: String,
    /// The number of leaves.
    pub size: u64,
    /// The root at that size.
    pub root: Hash,
}

impl Checkpoint {
    /// The note text: three lines.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Signs with `signer`. A log must never sign two checkpoints of one origin that are inconsistent: sign only a
    /// committed head.
    ///
    /// # Errors
    /// The origin cannot stand in a checkpoint, or the signer's own.
    pub fn sign(self, signer: &dyn Signer) -> Result<SignedCheckpoint, Problem> {
        if !good_origin(&self.origin) {
            return Err(Malformed::new("checkpoint", "not an origin").into());
        }
        let mut note = Note::new(self.text())?;
        note.sign(signer, 0)?;
        Ok(SignedCheckpoint { checkpoint: self, note })
    }
}

/// A checkpoint and the note it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note that says it; [`Note::encode`] gives the bytes back.
    pub note: Note,
}

impl SignedCheckpoint {
    /// See [`Note::verify`].
    ///
    /// # Errors
    /// As there.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<Verified>, BadSignature> {
        self.note.verify(keys)
    }
}

/// Reads a checkpoint with its signatures. Signatures are not verified here. Extension lines, which the
/// standard discourages and we never write, are refused.
///
/// # Errors
/// Not a signed note, or its text is not exactly origin, size and root.
pub fn parse_checkpoint(bytes: &[u8]) -> Result<SignedCheckpoint, Malformed> {
    let bad = |why| Malformed::new("checkpoint", why);
    let note = parse_note(bytes)?;
    let mut lines = note.text().split('\n');
    let (Some(origin), Some(size), Some(root), Some(""), None) =
        (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(bad("not three lines"));
    };
    if !good_origin(origin) {
        return Err(bad("not an origin"));
    }
    let size = decimal(size).filter(|s| *s < 1 << 63).ok_or(bad("not a size"))?;
    let root = Hash::from_base64(root).ok_or(bad("not a root"))?;
    Ok(SignedCheckpoint { checkpoint: Checkpoint { origin: origin.to_owned(), size, root }, note })
}

fn good_origin(origin: &str) -> bool {
    !origin.is_empty()
        && origin.len() <= MAX_ORIGIN
        && !origin.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// An ASCII decimal without leading zeroes.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
