//! One automaton over the literals of all patterns: a single pass over a value names the operators that can match it.

use super::pattern::Needs;
use aho_corasick::{
    Anchored, MatchKind,
    automaton::Automaton,
    dfa::{Builder, DFA},
};

/// Says which operators a value can match.
#[derive(Debug)]
pub struct Prefilter {
    dfa: Option<DFA>,
    /// The automaton's starting state, fetched once.
    start: aho_corasick::automaton::StateID,
    /// For each literal, the operators that need it.
    owners: Vec<Vec<u16>>,
    /// Operators without literals, with their other needs.
    open: Vec<(u16, Needs)>,
    /// Of the operators with literals, their other needs, by bit.
    gates: Vec<Option<Needs>>,
    words: usize,
    /// Whether everything passes, for comparison.
    off: bool,
}

impl Prefilter {
    /// Builds it over operators given by bit: what each needs.
    ///
    /// # Errors
    /// When the automaton would be too large.
    pub fn build(operators: Vec<Needs>) -> Result<Self, String> {
        let words = operators.len().div_ceil(64).max(1);
        let mut index: std::collections::BTreeMap<Vec<u8>, Vec<u16>> = std::collections::BTreeMap::new();
        let mut open = Vec::new();
        let mut gates = Vec::new();
        for (bit, needs) in operators.into_iter().enumerate() {
            let bit = u16::try_from(bit).map_err(|e| e.to_string())?;
            match &needs.literals {
                Some(literals) => {
                    for literal in literals {
                        index.entry(literal.to_ascii_lowercase()).or_default().push(bit);
                    }
                    gates.push(Some(Needs { literals: None, ..needs }));
                }
                None => {
                    open.push((bit, needs));
                    gates.push(None);
                }
            }
        }
        let (literals, owners): (Vec<_>, Vec<_>) = index.into_iter().unzip();
        let (dfa, start) = if literals.is_empty() {
            (None, aho_corasick::automaton::StateID::ZERO)
        } else {
            let dfa = Builder::new()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .start_kind(aho_corasick::StartKind::Unanchored)
                .prefilter(false)
                .build(&literals)
                .map_err(|e| e.to_string())?;
            let start = dfa.start_state(Anchored::No).map_err(|e| e.to_string())?;
            (Some(dfa), start)
        };
        Ok(Self { dfa, start, owners, open, gates, words, off: false })
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
        let owners: usize = self.owners.iter().map(|o| o.len() * 2 + 24).sum();
        self.dfa.as_ref().map_or(0, |d| d.memory_usage()) + owners
    }

    /// Sets in `bits` the operators that `value` can match.
    pub fn scan(&self, value: &[u8], present: &[u64; 4], bits: &mut [u64]) {
        if self.off {
            bits.fill(u64::MAX);
            return;
        }
        bits.fill(0);
        for (bit, needs) in &self.open {
            if needs.allow(value.len(), present) {
                bits[usize::from(bit >> 6)] |= 1 << (bit & 63);
            }
        }
        let Some(dfa) = &self.dfa else { return };
        let mut state = self.start;
        for &byte in value {
            state = dfa.next_state(Anchored::No, state, byte);
            if dfa.is_special(state) && dfa.is_match(state) {
                for at in 0..dfa.match_len(state) {
                    for bit in &self.owners[dfa.match_pattern(state, at).as_usize()] {
                        bits[usize::from(bit >> 6)] |= 1 << (bit & 63);
                    }
                }
            }
        }
        for (word, slot) in bits.iter_mut().enumerate() {
            let mut rest = *slot;
            while rest != 0 {
                let low = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                let gate = self.gates.get(word * 64 + low).and_then(Option::as_ref);
                if gate.is_some_and(|needs| !needs.allow(value.len(), present)) {
                    *slot &= !(1 << low);
                }
            }
        }
    }
}
