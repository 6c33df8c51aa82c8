//! The right edge of a tree: all that is needed to append to it and to know its root.

use crate::{EMPTY_ROOT, Hash, node_hash};

/// The perfect subtrees that a tree of `size` leaves is made of, from the largest (leftmost) to the smallest: one
/// for each 1 bit of `size`, at most 64. Also called a compact range.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// From stored parts. `None` unless there are as many peaks as `size` has 1 bits.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The peaks, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends one leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        self.merge(0, leaf);
    }

    /// Appends a perfect subtree of `2^level` leaves by its root. `false`, and nothing is changed, unless the size is
    /// a multiple of `2^level` and the sum fits 63 bits.
    #[must_use]
    pub fn push_subtree(&mut self, level: u8, root: Hash) -> bool {
        if level > 62 {
            return false;
        }
        let width = 1u64 << level;
        if !self.size.is_multiple_of(width) || self.size > (1 << 63) - width {
            return false;
        }
        self.merge(level, root);
        true
    }

    fn merge(&mut self, level: u8, mut hash: Hash) {
        let mut bits = self.size >> level;
        while bits & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            bits >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1 << level;
    }

    /// The root (RFC 6962 §2.1).
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return EMPTY_ROOT;
        };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The perfect subtrees that cover the leaves `from..to`, left to right, as (level, index within the level): what to
/// leave out, and what to put in its place, where a part of a tree is exported.
pub fn cover(from: u64, to: u64) -> Vec<(u8, u64)> {
    let mut out = Vec::new();
    let mut at = from;
    while at < to {
        let aligned = at.trailing_zeros().min(63);
        let fits = (to - at).ilog2();
        let level = aligned.min(fits);
        out.push((level as u8, at >> level));
        at += 1 << level;
    }
    out
}
