//! Literals found in one pass through tables that fit into the first caches.
//!
//! An automaton over some thousand literals takes ten megabytes, and each byte of a value then waits for memory. Here bytes are
//! put into 64 classes, and each literal is known by its rarest four of them (short ones by three). A bit for each such group
//! tells where a literal can stand, and only there it is compared.

use std::collections::BTreeMap;

/// Bits of a class.
const CLASS: u32 = 6;
/// Bits of a key of a table: three classes, or four of them hashed.
const KEY: u32 = 3 * CLASS;
const MASK: u32 = (1 << (4 * CLASS)) - 1;

/// A literal and its place.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where it begins among the bytes of all.
    start: u32,
    length: u8,
    /// Where the group by which it is known ends in it.
    end: u8,
    /// How many operators need it.
    owners: u16,
    /// Where they begin among the owners of all.
    owner: u32,
}

/// Literals by the group that they are known by.
#[derive(Debug)]
struct Table {
    bits: Vec<u64>,
    /// How many bits are set before each word.
    ranks: Vec<u32>,
    /// Where the entries of each set bit begin.
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

impl Table {
    fn build(keyed: BTreeMap<u32, Vec<Entry>>) -> Self {
        let mut bits = vec![0_u64; 1 << (KEY - 6)];
        let (mut starts, mut entries) = (Vec::with_capacity(keyed.len() + 1), Vec::new());
        for (key, list) in keyed {
            bits[key as usize >> 6] |= 1 << (key & 63);
            starts.push(entries.len() as u32);
            entries.extend(list);
        }
        starts.push(entries.len() as u32);
        let mut ranks = Vec::with_capacity(bits.len());
        let mut rank = 0;
        for word in &bits {
            ranks.push(rank);
            rank += word.count_ones();
        }
        Self { bits, ranks, starts, entries }
    }

    #[inline]
    fn has(&self, key: u32) -> bool {
        self.bits[key as usize >> 6] >> (key & 63) & 1 == 1
    }

    fn get(&self, key: u32) -> &[Entry] {
        let below = self.bits[key as usize >> 6] & ((1 << (key & 63)) - 1);
        let rank = (self.ranks[key as usize >> 6] + below.count_ones()) as usize;
        &self.entries[self.starts[rank] as usize..self.starts[rank + 1] as usize]
    }

    fn memory(&self) -> usize {
        self.bits.len() * 8 + self.ranks.len() * 4 + self.starts.len() * 4 + self.entries.len() * 16
    }
}

/// The key of four classes.
#[inline]
fn hash(four: u32) -> u32 {
    four.wrapping_mul(0x9e37_79b1) >> (32 - KEY)
}

/// A set of literals.
#[derive(Debug)]
pub struct Grams {
    /// The class of each byte; 0 for those that no literal holds.
    classes: Box<[u8; 256]>,
    short: Table,
    long: Table,
    bytes: Vec<u8>,
    /// The operators that need each literal.
    owners: Vec<u16>,
}

/// How seldom a byte is in ordinary values: the less, the better it tells.
fn weight(byte: u8) -> u64 {
    match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 60,
        b' ' | b'/' | b'.' | b'-' | b'=' | b'0'..=b'9' | b'l' | b'c' | b'd' | b'm' | b'p' | b'u' | b'h' => 35,
        b'a'..=b'z' | b'_' | b'&' | b';' | b',' | b':' | b'%' | b'+' => 20,
        b'"' | b'\'' | b'(' | b')' => 8,
        _ => 3,
    }
}

impl Grams {
    /// From literals of at least two bytes, in lower case, and the operators that need each. Of a literal the first 255 bytes
    /// count.
    pub fn build(index: BTreeMap<Vec<u8>, Vec<u16>>) -> Self {
        let mut counts = [0_u32; 256];
        for byte in index.keys().flatten() {
            counts[usize::from(*byte)] += 1;
        }
        let mut used: Vec<u8> = (0..=255).filter(|b| counts[usize::from(*b)] > 0).collect();
        used.sort_by_key(|b| std::cmp::Reverse(counts[usize::from(*b)]));
        let mut classes = Box::new([0_u8; 256]);
        for (rank, byte) in used.iter().enumerate() {
            // The bytes that are seldom in literals share the last class.
            let class = (rank + 1).min((1 << CLASS) - 1) as u8;
            classes[usize::from(*byte)] = class;
            classes[usize::from(byte.to_ascii_uppercase())] = class;
        }
        let (mut short, mut long) = (BTreeMap::<u32, Vec<Entry>>::new(), BTreeMap::<u32, Vec<Entry>>::new());
        let (mut bytes, mut owners) = (Vec::new(), Vec::new());
        for (literal, needed) in &index {
            let class = |at: usize| u32::from(classes[usize::from(literal[at])]);
            let key = |from: usize, to: usize| (from..to).fold(0, |key, at| key << CLASS | class(at));
            let length = literal.len().min(usize::from(u8::MAX));
            let entry = |end: usize| Entry {
                start: bytes.len() as u32,
                length: length as u8,
                end: end as u8,
                owners: needed.len() as u16,
                owner: owners.len() as u32,
            };
            match length {
                2 => {
                    for before in 0..1 << CLASS {
                        short.entry(before << (2 * CLASS) | key(0, 2)).or_default().push(entry(2));
                    }
                }
                3 => short.entry(key(0, 3)).or_default().push(entry(3)),
                _ => {
                    // Seldom seen, and shared with few others.
                    let cost = |at: &usize| {
                        let weight: u64 = literal[*at..at + 4].iter().map(|b| weight(*b)).product();
                        weight * (1 + long.get(&hash(key(*at, at + 4))).map_or(0, Vec::len)) as u64
                    };
                    let rarest = (0..=length - 4).min_by_key(cost).unwrap_or(0);
                    long.entry(hash(key(rarest, rarest + 4))).or_default().push(entry(rarest + 4));
                }
            }
            bytes.extend_from_slice(&literal[..length]);
            owners.extend_from_slice(needed);
        }
        Self { classes, short: Table::build(short), long: Table::build(long), bytes, owners }
    }

    /// Memory, in bytes.
    pub fn memory(&self) -> usize {
        256 + self.short.memory() + self.long.memory() + self.bytes.len() + self.owners.len() * 2
    }

    /// Sets in `found` the operators one of whose literals occurs in `value`, in any case.
    pub fn scan(&self, value: &[u8], found: &mut [u64]) {
        if self.owners.is_empty() {
            return;
        }
        let mut four = 0_u32;
        for (at, byte) in value.iter().enumerate() {
            four = (four << CLASS | u32::from(self.classes[usize::from(*byte)])) & MASK;
            let (short, long) = (four & ((1 << KEY) - 1), hash(four));
            if self.short.has(short) | self.long.has(long) {
                self.verify(value, at + 1, [(&self.short, short), (&self.long, long)], found);
            }
        }
    }

    /// Compares the literals whose groups end at `end`.
    #[inline(never)]
    fn verify(&self, value: &[u8], end: usize, keys: [(&Table, u32); 2], found: &mut [u64]) {
        for (table, key) in keys {
            if !table.has(key) {
                continue;
            }
            for entry in table.get(key) {
                let literal = &self.bytes[entry.start as usize..entry.start as usize + usize::from(entry.length)];
                let Some(from) = end.checked_sub(usize::from(entry.end)) else { continue };
                if value.get(from..from + literal.len()).is_some_and(|v| v.eq_ignore_ascii_case(literal)) {
                    for bit in &self.owners[entry.owner as usize..entry.owner as usize + usize::from(entry.owners)] {
                        found[usize::from(bit >> 6)] |= 1 << (bit & 63);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_stands_there_and_nothing_else() {
        let words = ["ab", "abc", "union select", "<?", "日本", "\u{0}\u{1}\u{2}", "zzz"];
        let index = words.iter().enumerate().map(|(n, w)| (w.as_bytes().to_vec(), vec![n as u16, 64])).collect();
        let grams = Grams::build(index);
        let seen = |value: &[u8]| {
            let mut found = [0_u64; 2];
            grams.scan(value, &mut found);
            assert_eq!(found[1] == 1, found[0] != 0);
            (0..7).filter(|n| found[0] >> n & 1 == 1).collect::<Vec<_>>()
        };
        assert_eq!(seen(b""), [0; 0]);
        assert_eq!(seen(b"a b"), [0; 0]);
        assert_eq!(seen(b"AB"), [0]);
        assert_eq!(seen(b"xabcx"), [0, 1]);
        assert_eq!(seen(b"uniUNION SELECT"), [2]);
        assert_eq!(seen("?<?日本".as_bytes()), [3, 4]);
        assert_eq!(seen(b"\0\x01\x02\0"), [5]);
        assert_eq!(seen(b"zz"), [0; 0]);
    }

    #[test]
    fn agrees_with_looking_for_each() {
        // All texts of three letters, and each text of one to six letters in a fixed sequence.
        let mut seed = 7_u64;
        let mut next = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % n
        };
        for _ in 0..200 {
            let mut text = |length: u64| (0..length).map(|_| b"aAbc<"[next(5) as usize]).collect::<Vec<u8>>();
            let words: Vec<Vec<u8>> = (0..12).map(|n| text(2 + n % 5).to_ascii_lowercase()).collect();
            let mut index: BTreeMap<Vec<u8>, Vec<u16>> = BTreeMap::new();
            for (n, word) in words.iter().enumerate() {
                index.entry(word.clone()).or_default().push(n as u16);
            }
            let grams = Grams::build(index);
            for length in 0..20 {
                let value = text(length);
                let mut found = [0_u64; 1];
                grams.scan(&value, &mut found);
                for (n, word) in words.iter().enumerate() {
                    let there = value.to_ascii_lowercase().windows(word.len()).any(|w| w == word.as_slice());
                    assert_eq!(found[0] >> n & 1 == 1, there, "{} in {}", word.escape_ascii(), value.escape_ascii());
                }
            }
        }
    }
}
