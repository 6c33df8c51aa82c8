//! What operators make of names and header values that many requests share, remembered from one transaction to the next.
//!
//! Only what tells nothing of a person is remembered ([`is_shared`], [`is_name`]). What is remembered follows from the bytes alone,
//! so whoever has a value pushed out, or others' values brought in, changes how long an examination takes and nothing else.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// Values remembered at most; of two whose hashes meet, the newer one.
const SLOTS: usize = 1024;
/// Values longer than this, in bytes, are not remembered.
const LONGEST: usize = 512;

/// Fields whose values repeat among clients and hold no secret, in lower case.
const SHARED: &[&[u8]] = &[
    b"accept",
    b"accept-charset",
    b"accept-encoding",
    b"accept-language",
    b"cache-control",
    b"connection",
    b"content-type",
    b"dnt",
    b"host",
    b"origin",
    b"pragma",
    b"te",
    b"upgrade-insecure-requests",
    b"user-agent",
];

/// Whether values of the field `name` are remembered.
pub fn is_shared(name: &[u8]) -> bool {
    SHARED.iter().any(|shared| shared.eq_ignore_ascii_case(name))
        || name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sec-"))
}

/// Whether the name of a field or an argument is remembered: one that a program gave it, by its looks, and no token or address.
pub fn is_name(name: &[u8]) -> bool {
    const LONGEST: usize = 64;
    const DIGITS: usize = 4;
    name.len() <= LONGEST
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_-.[]".contains(b))
        && name.iter().filter(|b| b.is_ascii_digit()).count() <= DIGITS
}

/// The remembered values of one rule set.
#[derive(Debug)]
pub struct Verdicts(Box<[Mutex<Option<Arc<Known>>>]>);

impl Default for Verdicts {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| Mutex::default()).collect())
    }
}

impl Verdicts {
    /// What is known of `value`, whose hash is `hash`, after each of so many lists of transformations.
    pub fn of(&self, value: &[u8], hash: u64, pipes: usize) -> Option<Arc<Known>> {
        if value.is_empty() || value.len() > LONGEST {
            return None;
        }
        let mut slot = self.0[hash as usize % SLOTS].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = slot.as_ref().filter(|known| *known.value == *value) {
            return Some(known.clone());
        }
        let pipes = (0..pipes).map(|_| OnceLock::new()).collect();
        let known = Arc::new(Known { value: value.into(), plain: OnceLock::new(), pipes });
        *slot = Some(known.clone());
        Some(known)
    }
}

/// The operators that can match one value, by the transformations before them. One that was tried and did not match is left out.
#[derive(Debug)]
pub struct Known {
    value: Box<[u8]>,
    /// What the prefilter says of the value itself, and its literals.
    plain: OnceLock<Box<[u64]>>,
    pipes: Box<[OnceLock<Box<[AtomicU64]>>]>,
}

impl Known {
    /// What the prefilter says of the value itself, and its literals, once kept.
    pub fn plain(&self) -> Option<&[u64]> {
        self.plain.get().map(|bits| &**bits)
    }

    /// Keeps them.
    pub fn keep_plain(&self, bits: &[u64]) {
        self.plain.get_or_init(|| bits.into());
    }

    /// Adds to `union` what can match after `pipe`. `false` when that is not known yet.
    pub fn add(&self, pipe: u16, union: &mut [u64]) -> bool {
        let Some(bits) = self.pipes[usize::from(pipe)].get() else { return false };
        for (to, from) in union.iter_mut().zip(bits) {
            *to |= from.load(Ordering::Relaxed);
        }
        true
    }

    /// Takes up what the prefilter says.
    pub fn learn(&self, pipe: u16, bits: &[u64]) {
        self.pipes[usize::from(pipe)].get_or_init(|| bits.iter().map(|word| AtomicU64::new(*word)).collect());
    }

    /// Whether the operator of `bit` is known not to match after `pipe`.
    pub fn excludes(&self, pipe: u16, bit: u16) -> bool {
        let bits = self.pipes[usize::from(pipe)].get();
        bits.is_some_and(|bits| bits[usize::from(bit >> 6)].load(Ordering::Relaxed) >> (bit & 63) & 1 == 0)
    }

    /// Remembers that the operator of `bit` does not match after `pipe`; `same` when `pipe` leaves the value as it is.
    pub fn exclude(&self, pipe: u16, bit: u16, same: bool) {
        if same && let Some(plain) = self.plain() {
            self.learn(pipe, &plain[..plain.len() / 2]);
        }
        if let Some(bits) = self.pipes[usize::from(pipe)].get() {
            bits[usize::from(bit >> 6)].fetch_and(!(1 << (bit & 63)), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_match_once_is_not_tried_again() {
        let all = Verdicts::default();
        let known = all.of(b"gzip, br", 7, 2).expect("of an ordinary length");
        let mut union = [0; 2];
        assert!(!known.add(1, &mut union) && !known.excludes(1, 65), "nothing is known yet");
        known.learn(1, &[0b101, 0b10]);
        known.exclude(1, 2, false);
        known.exclude(0, 3, false);
        assert!(known.excludes(1, 1) && known.excludes(1, 2) && !known.excludes(1, 65) && !known.excludes(0, 3));
        known.keep_plain(&[0b1100, 0, 0, 0]);
        known.exclude(0, 3, false);
        assert!(!known.excludes(0, 2) && !known.excludes(0, 3), "the value itself tells nothing of the value after it");
        known.exclude(0, 3, true);
        assert!(known.excludes(0, 1) && !known.excludes(0, 2) && known.excludes(0, 3));
        let again = all.of(b"gzip, br", 7, 2).expect("kept");
        assert!(again.add(1, &mut union));
        assert_eq!(union, [1, 0b10]);
        let other = all.of(b"gzip", 7 + SLOTS as u64, 2).expect("in its place");
        assert!(!other.excludes(1, 2), "of a value whose hash meets, nothing is known");
        assert!(all.of(&[b'a'; LONGEST + 1], 7, 2).is_none());
    }

    #[test]
    fn nothing_that_proves_who_somebody_is_stays() {
        assert!(is_shared(b"User-Agent") && is_shared(b"Sec-Fetch-Site"));
        for name in ["Cookie", "Authorization", "Referer", "X-Csrf-Token", "Proxy-Authorization", "DPoP"] {
            assert!(!is_shared(name.as_bytes()), "{name}");
        }
        assert!(is_name(b"order[items][0][sku]") && is_name(b"json.lines.11.price") && is_name(b"User-Agent"));
        for name in ["", "mary@example.com", "090-1234-5678", "q7Zx2mT9vB4kL1", "a b", "<b>", "\u{540d}"] {
            assert!(!is_name(name.as_bytes()), "{name}");
        }
    }
}
