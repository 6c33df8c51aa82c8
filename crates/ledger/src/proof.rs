//! Inclusion and consistency proofs (RFC 6962 §2.1.1 and §2.1.2, verified as in RFC 9162 §2.1.3.2 and §2.1.4.2), and
//! the C2SP tlog-proof text format.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sekisho_kernel::Problem;

use crate::{
    EMPTY_ROOT, Hash, Malformed, SignedCheckpoint, Tree,
    checkpoint::{decimal, parse_checkpoint},
    node_hash,
    note::MAX_NOTE,
};

/// The most hashes in a proof that we read: a tree of 2^63 leaves needs 63 for inclusion, 64 for consistency.
pub const MAX_PROOF: usize = 64;

/// The proof that leaf `index` is in `tree`, from the leaf's sibling up.
///
/// # Errors
/// `SK-8002` (also when `index` is beyond the tree), and the store's own.
pub fn inclusion_proof(tree: &Tree<'_>, index: u64) -> Result<Vec<Hash>, Problem> {
    tree.node(0, index)?;
    let (mut from, mut to) = (0, tree.size());
    let mut out = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            out.push(tree.range(middle, to)?);
            to = middle;
        } else {
            out.push(tree.range(from, middle)?);
            from = middle;
        }
    }
    out.reverse();
    Ok(out)
}

/// The proof that the tree of the first `first` leaves is a beginning of `tree`. Empty when `first` is 0 or the
/// tree's size.
///
/// # Errors
/// `SK-8002` (also when `first` is beyond the tree), and the store's own.
pub fn consistency_proof(tree: &Tree<'_>, first: u64) -> Result<Vec<Hash>, Problem> {
    if first == 0 {
        return Ok(Vec::new());
    }
    tree.node(0, first - 1)?;
    let (mut from, mut to) = (0, tree.size());
    let mut out = Vec::new();
    while first < to {
        let middle = from + split(to - from);
        if first <= middle {
            out.push(tree.range(middle, to)?);
            to = middle;
        } else {
            out.push(tree.range(from, middle)?);
            from = middle;
        }
    }
    if from > 0 {
        out.push(tree.range(from, to)?);
    }
    out.reverse();
    Ok(out)
}

/// The largest power of two smaller than `n`, which must be at least 2.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Whether `proof` shows the leaf hash `leaf` at `index` in the tree of `size` leaves with `root`.
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut position, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            hash = node_hash(sibling, &hash);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `first` leaves with `first_root` is a beginning of the tree of `second` leaves
/// with `second_root`.
#[must_use]
pub fn verify_consistency(first: u64, first_root: &Hash, second: u64, second_root: &Hash, proof: &[Hash]) -> bool {
    if first == 0 {
        return proof.is_empty() && *first_root == EMPTY_ROOT && (second > 0 || *second_root == EMPTY_ROOT);
    }
    if first >= second {
        return first == second && proof.is_empty() && first_root == second_root;
    }
    let (mut position, mut last) = (first - 1, second - 1);
    let lone = position.trailing_ones();
    position >>= lone;
    last >>= lone;
    let mut rest = proof.iter();
    let start = if first.is_power_of_two() { Some(first_root) } else { rest.next() };
    let Some(start) = start else { return false };
    let (mut old, mut new) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while position & 1 == 0 && position != 0 {
                position >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && old == *first_root && new == *second_root
}

/// A proof that stands alone (C2SP tlog-proof v1): an index, an inclusion proof, and the signed checkpoint it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Application data, not authenticated. Sekisho puts nothing here.
    pub extra: Option<Vec<u8>>,
    /// The leaf's index.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<Hash>,
    /// The checkpoint with its signatures.
    pub checkpoint: SignedCheckpoint,
}

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

impl TlogProof {
    /// The text, exact to the byte; file extension `.tlog-proof`.
    pub fn encode(&self) -> String {
        let mut out = format!("{FIRST_LINE}\n");
        if let Some(extra) = &self.extra {
            out.push_str(&format!("extra {}\n", STANDARD.encode(extra)));
        }
        out.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            out.push_str(&format!("{hash}\n"));
        }
        out.push('\n');
        out.push_str(&self.checkpoint.note.encode());
        out
    }

    /// Whether the leaf hash `leaf` is where this proof says. The checkpoint's signatures are another question:
    /// [`SignedCheckpoint::verify`].
    #[must_use]
    pub fn includes(&self, leaf: &Hash) -> bool {
        let head = &self.checkpoint.checkpoint;
        verify_inclusion(leaf, self.index, head.size, &self.hashes, &head.root)
    }
}

/// Reads a C2SP tlog-proof.
///
/// # Errors
/// Anything but what [`TlogProof::encode`] writes.
pub fn parse_proof(bytes: &[u8]) -> Result<TlogProof, Malformed> {
    let bad = |why| Malformed::new("tlog-proof", why);
    if bytes.len() > 2 * MAX_NOTE {
        return Err(bad("too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| bad("not UTF-8"))?;
    let (head, note) = text.split_once("\n\n").ok_or(bad("no empty line before the checkpoint"))?;
    let mut lines = head.split('\n');
    if lines.next() != Some(FIRST_LINE) {
        return Err(bad("unknown first line"));
    }
    let mut line = lines.next();
    let extra = match line.and_then(|l| l.strip_prefix("extra ")) {
        Some(data) => {
            line = lines.next();
            Some(STANDARD.decode(data).map_err(|_| bad("extra data are not base64"))?)
        }
        None => None,
    };
    let index = line.and_then(|l| l.strip_prefix("index ")).and_then(decimal).ok_or(bad("no index"))?;
    let mut hashes = Vec::new();
    for line in lines {
        if hashes.len() == MAX_PROOF {
            return Err(bad("too many hashes"));
        }
        hashes.push(Hash::from_base64(line).ok_or(bad("not a hash"))?);
    }
    Ok(TlogProof { extra, index, hashes, checkpoint: parse_checkpoint(note.as_bytes())? })
}
