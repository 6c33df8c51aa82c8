//! The distinct byte strings of one transaction, their transformations and what can match them.

use super::verdicts::{Known, Verdicts};
use crate::{
    compile::{Pipe, prefilter::Prefilter},
    transform::{ByteSet, Transformation, presence},
};
use std::sync::Arc;

/// A byte string of the transaction. Equal strings have, but for rare collisions, the same id.
pub type ValueId = u32;

const NONE: u32 = u32::MAX;
/// Slots looked at for an equal string; beyond, a string is kept twice rather than an attacker's collisions cost time.
const PROBES: usize = 8;
/// Strings longer than this are not looked up.
const LONG: usize = 256;

#[derive(Debug)]
struct Value {
    start: u32,
    length: u32,
    present: ByteSet,
    /// Where this value's row of transformations begins.
    row: u32,
    /// Where its operator bits begin, for requests and responses; after them, the literals found.
    bits: [u32; 2],
    /// The value that differs from this one in case only.
    twin: ValueId,
    /// What earlier transactions found out about it.
    known: Option<Arc<Known>>,
}

impl Value {
    /// Whether a list of transformations leaves it as it is.
    #[inline]
    fn is_untouched(&self, pipe: &Pipe) -> bool {
        pipe.keeps(&self.present, self.length == 0)
    }
}

/// Work done, for tests and budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Distinct strings.
    pub values: u64,
    /// Bytes that transformations read.
    pub transformed: u64,
    /// Bytes that the prefilter read.
    pub scanned: u64,
    /// Operators run on a value.
    pub checked: u64,
    /// Bytes that operators read.
    pub examined: u64,
    /// Steps taken by patterns that are not regular, at most 4,096 and 256 for each byte of a value.
    pub steps: u64,
}

/// The strings of one transaction.
#[derive(Debug, Default)]
pub struct Values {
    bytes: Vec<u8>,
    list: Vec<Value>,
    table: Vec<u32>,
    rows: Vec<u32>,
    bits: Vec<u64>,
    scratch: Vec<u8>,
    /// What was done so far.
    pub counters: Counters,
}

fn hash(value: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut h = value.len() as u64 ^ 0x51_7cc1_b727_2202;
    let mut chunks = value.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7]]);
        h = (h.rotate_left(5) ^ word).wrapping_mul(K);
    }
    for &byte in chunks.remainder() {
        h = (h.rotate_left(5) ^ u64::from(byte)).wrapping_mul(K);
    }
    h ^ h >> 29
}

impl Values {
    /// No strings but the empty one, which has id 0.
    pub fn new() -> Self {
        let mut out = Self {
            bytes: Vec::with_capacity(4096),
            list: Vec::with_capacity(128),
            table: vec![NONE; 512],
            rows: Vec::new(),
            bits: Vec::new(),
            scratch: Vec::new(),
            counters: Counters::default(),
        };
        out.intern(b"");
        out
    }

    /// Forgets all strings, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.list.clear();
        self.table.fill(NONE);
        self.rows.clear();
        self.bits.clear();
        self.counters = Counters::default();
        self.intern(b"");
    }

    /// Memory held, in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity() + (self.table.capacity() + self.rows.capacity()) * 4 + self.bits.capacity() * 8
    }

    /// The id of `value`.
    pub fn intern(&mut self, value: &[u8]) -> ValueId {
        if value.len() > LONG {
            // Long strings are seldom equal, and hashing them costs more than it saves.
            return self.keep(value);
        }
        if self.list.len() * 2 > self.table.len() {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let home = hash(value) as usize;
        let mut free = None;
        for probe in 0..PROBES {
            let slot = home.wrapping_add(probe) & mask;
            let id = self.table[slot];
            if id == NONE {
                free = Some(slot);
                break;
            }
            if self.get(id) == value {
                return id;
            }
        }
        let id = self.keep(value);
        if let Some(slot) = free {
            self.table[slot] = id;
        }
        id
    }

    fn keep(&mut self, value: &[u8]) -> ValueId {
        let id = self.list.len() as u32;
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(value);
        let present = presence(value);
        self.list.push(Value {
            start,
            length: value.len() as u32,
            present,
            row: NONE,
            bits: [NONE; 2],
            twin: NONE,
            known: None,
        });
        self.counters.values += 1;
        id
    }

    fn grow(&mut self) {
        let mask = self.table.len() * 4 - 1;
        let mut table = vec![NONE; mask + 1];
        for id in (0..self.list.len() as u32).filter(|id| self.list[*id as usize].length as usize <= LONG) {
            let home = hash(self.get(id)) as usize;
            if let Some(slot) = (0..PROBES).map(|p| home.wrapping_add(p) & mask).find(|s| table[*s] == NONE) {
                table[slot] = id;
            }
        }
        self.table = table;
    }

    /// Takes up what earlier transactions found out about `id`.
    pub fn recall(&mut self, id: ValueId, verdicts: &Verdicts, pipes: usize) {
        if self.list[id as usize].known.is_none() {
            let value = self.get(id);
            let known = verdicts.of(value, hash(value), pipes);
            if let Some(plain) = known.as_ref().and_then(|known| known.plain())
                && self.list[id as usize].bits[0] == NONE
            {
                self.list[id as usize].bits[0] = self.bits.len() as u32;
                self.bits.extend_from_slice(plain);
            }
            self.list[id as usize].known = known;
        }
    }

    /// What earlier transactions found out about `id`, if it is of those that are remembered.
    pub fn known(&self, id: ValueId) -> Option<&Arc<Known>> {
        self.list[id as usize].known.as_ref()
    }

    /// The bytes of `id`.
    #[inline]
    pub fn get(&self, id: ValueId) -> &[u8] {
        let value = &self.list[id as usize];
        &self.bytes[value.start as usize..(value.start + value.length) as usize]
    }

    /// The bytes that occur in `id`.
    pub fn present(&self, id: ValueId) -> &ByteSet {
        &self.list[id as usize].present
    }

    /// `id` after the transformations of `pipe`.
    pub fn transform(&mut self, pipes: &[Pipe], id: ValueId, pipe: u16) -> ValueId {
        let value = &self.list[id as usize];
        let spec = &pipes[usize::from(pipe)];
        if value.is_untouched(spec) {
            return id;
        }
        spec.list.iter().fold(id, |id, transformation| self.step(id, *transformation))
    }

    /// `id` after one transformation, remembered.
    fn step(&mut self, id: ValueId, transformation: Transformation) -> ValueId {
        let value = &self.list[id as usize];
        if transformation.keeps(value.length == 0, &value.present) {
            return id;
        }
        let row = if value.row == NONE {
            let row = self.rows.len() as u32;
            self.rows.resize(self.rows.len() + Transformation::ALL.len(), NONE);
            self.list[id as usize].row = row;
            row
        } else {
            value.row
        };
        let slot = row as usize + transformation as usize;
        if self.rows[slot] != NONE {
            return self.rows[slot];
        }
        let mut out = std::mem::take(&mut self.scratch);
        transformation.apply(self.get(id), &mut out);
        self.counters.transformed += u64::from(self.list[id as usize].length);
        let after = if out == self.get(id) { id } else { self.intern(&out) };
        self.scratch = out;
        if matches!(transformation, Transformation::Lowercase | Transformation::Uppercase)
            && self.list[after as usize].twin == NONE
        {
            self.list[after as usize].twin = id;
        }
        self.rows[slot] = after;
        after
    }

    /// Where the operator bits of `id` begin.
    fn bits_at(&mut self, prefilter: &Prefilter, which: usize, id: ValueId) -> usize {
        let at = self.list[id as usize].bits[which];
        if at != NONE {
            return at as usize;
        }
        // Literals are found in any case: those of a value that differs in case only are the same.
        let twin = self.list[id as usize].twin;
        let known = if twin < id { Some(self.bits_at(prefilter, which, twin)) } else { None };
        let words = prefilter.words();
        let at = self.bits.len();
        self.bits.resize(at + 2 * words, 0);
        let value = &self.list[id as usize];
        if let Some(known) = known {
            self.bits.copy_within(known + words..known + 2 * words, at + words);
        } else {
            let bytes = &self.bytes[value.start as usize..(value.start + value.length) as usize];
            prefilter.literals(bytes, &mut self.bits[at + words..]);
            self.counters.scanned += u64::from(value.length);
        }
        let (bits, literals) = self.bits[at..].split_at_mut(words);
        prefilter.gates(literals, &value.present, value.length as usize, bits);
        self.list[id as usize].bits[which] = at as u32;
        if let (0, Some(known)) = (which, &self.list[id as usize].known) {
            known.keep_plain(&self.bits[at..]);
        }
        at
    }

    /// Where the operators that can match `id` after `pipe` lie, if that takes no work: the transformations leave it alone, and it
    /// has been looked at before.
    #[inline]
    pub fn ready(&self, pipes: &[Pipe], which: usize, id: ValueId, pipe: u16) -> Option<u32> {
        let value = &self.list[id as usize];
        let at = value.bits[which];
        (at != NONE && value.is_untouched(&pipes[usize::from(pipe)])).then_some(at)
    }

    /// Whether the operator of `bit` can match `id`.
    pub fn may(&mut self, prefilter: &Prefilter, which: usize, id: ValueId, bit: u16) -> bool {
        let at = self.bits_at(prefilter, which, id);
        self.bits[at + usize::from(bit >> 6)] >> (bit & 63) & 1 == 1
    }

    /// Adds the operators that can match `id` to `union`, and says where they lie.
    pub fn collect(&mut self, prefilter: &Prefilter, which: usize, id: ValueId, union: &mut [u64]) -> u32 {
        let at = self.bits_at(prefilter, which, id);
        for (to, from) in union.iter_mut().zip(&self.bits[at..]) {
            *to |= from;
        }
        at as u32
    }

    /// The first words of the operators that lie there.
    pub fn bits(&self, at: u32, words: usize) -> &[u64] {
        &self.bits[at as usize..at as usize + words]
    }
}
