//! A single pass over a value names the operators that can match it.

use super::{grams::Grams, pattern::Needs};
use crate::transform::ByteSet;
/// Of the sets of bytes that an operator needs, so many are looked at, the smallest first.
const LAYERS: usize = 3;
/// Lengths from here on are alike to the filter.
const LENGTHS: usize = 65;

/// Says which operators a value can match.
#[derive(Debug)]
pub struct Prefilter {
    grams: Grams,
    /// Operators without literals.
    open: Vec<u64>,
    /// For each byte and layer, the operators whose set of that layer holds the byte.
    bytes: Vec<u64>,
    /// For each layer, the operators that have no set there.
    free: Vec<u64>,
    /// For each length, the operators that are content with it.
    lengths: Vec<u64>,
    words: usize,
    /// Whether everything passes, for comparison.
    off: bool,
}

impl Prefilter {
    /// Builds it over operators given by bit: what each needs.
    ///
    /// # Errors
    /// When there are too many operators.
    pub fn build(operators: Vec<Needs>) -> Result<Self, String> {
        let words = operators.len().div_ceil(64).max(1);
        let mut index: std::collections::BTreeMap<Vec<u8>, Vec<u16>> = std::collections::BTreeMap::new();
        let mut open = vec![0; words];
        let mut bytes = vec![0; 256 * LAYERS * words];
        let mut free = vec![0; LAYERS * words];
        let mut lengths = vec![0; LENGTHS * words];
        for (bit, needs) in operators.into_iter().enumerate() {
            let (word, flag) = (bit >> 6, 1_u64 << (bit & 63));
            // A literal of one byte tells less than the sets of bytes do.
            match needs.literals.as_ref().filter(|l| l.iter().all(|l| l.len() > 1)) {
                Some(literals) => {
                    let bit = u16::try_from(bit).map_err(|e| e.to_string())?;
                    for literal in literals {
                        index.entry(literal.to_ascii_lowercase()).or_default().push(bit);
                    }
                }
                None => open[word] |= flag,
            }
            for layer in 0..LAYERS {
                match needs.bytes.get(layer) {
                    Some(set) => {
                        for byte in (0..256).filter(|b| set[b >> 6] >> (b & 63) & 1 == 1) {
                            bytes[(byte * LAYERS + layer) * words + word] |= flag;
                        }
                    }
                    None => free[layer * words + word] |= flag,
                }
            }
            for length in needs.length.min(LENGTHS - 1)..LENGTHS {
                lengths[length * words + word] |= flag;
            }
        }
        Ok(Self { grams: Grams::build(index), open, bytes, free, lengths, words, off: false })
    }

    /// The number of words of a bit set.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Lets everything pass, or filters again.
    pub fn set_off(&mut self, off: bool) {
        self.off = off;
    }

    /// Memory, in bytes.
    pub fn memory(&self) -> usize {
        self.grams.memory() + (self.open.len() + self.bytes.len() + self.free.len() + self.lengths.len()) * 8
    }

    /// Sets in `found` the operators one of whose literals occurs in `value`, in any case.
    pub fn literals(&self, value: &[u8], found: &mut [u64]) {
        found.fill(0);
        self.grams.scan(value, found);
    }

    /// Sets in `bits` the operators that a value of these literals, bytes and length can match.
    pub fn gates(&self, literals: &[u64], present: &ByteSet, length: usize, bits: &mut [u64]) {
        if self.off {
            bits.fill(u64::MAX);
            return;
        }
        let words = self.words;
        let mut layers = [[0_u64; 16]; LAYERS];
        let wide = words > 16;
        if !wide {
            for (layer, slots) in layers.iter_mut().enumerate() {
                slots[..words].copy_from_slice(&self.free[layer * words..][..words]);
            }
            for (at, word) in present.iter().enumerate() {
                let mut rest = *word;
                while rest != 0 {
                    let byte = at * 64 + rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    let row = &self.bytes[byte * LAYERS * words..][..LAYERS * words];
                    for (layer, slots) in layers.iter_mut().enumerate() {
                        for (slot, more) in slots.iter_mut().zip(&row[layer * words..][..words]) {
                            *slot |= more;
                        }
                    }
                }
            }
        }
        let lengths = &self.lengths[length.min(LENGTHS - 1) * words..][..words];
        for word in 0..words {
            let gate = if wide { u64::MAX } else { layers.iter().fold(u64::MAX, |g, l| g & l[word]) };
            bits[word] = (literals[word] | self.open[word]) & gate & lengths[word];
        }
    }
}
