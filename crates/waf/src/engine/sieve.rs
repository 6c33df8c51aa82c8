//! Which values can match which operators, by the prefilter: once for each selection and list of transformations, and once for all
//! the lists that change none of its values.

use super::{Transaction, eval::Candidate, transaction::Entry};
use crate::{RuleSet, compile::Program, seclang::target::Variable, transform::ByteSet};

/// What the prefilter made of the values of a selection after transformation.
#[derive(Clone, Copy, Debug)]
struct Sieve {
    /// Where the union of what can match them begins.
    union: u32,
    /// The values, among all that were sifted.
    from: u32,
    to: u32,
}

/// A value that was sifted.
#[derive(Clone, Copy, Debug)]
struct Sifted {
    entry: Entry,
    /// Where the operators that can match it begin; none where earlier transactions know.
    bits: Option<u32>,
}

/// The bytes of a selection's values.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    present: ByteSet,
    /// Whether one of the values is empty.
    empty: bool,
}

/// What was sifted in the phase that runs.
#[derive(Debug, Default)]
pub(super) struct Sieves {
    pairs: Vec<Option<Sieve>>,
    values: Vec<Sifted>,
    seen: Vec<Option<Seen>>,
    /// Where the union of each group begins.
    groups: Vec<u32>,
    unions: Vec<u64>,
}

impl Sieves {
    /// Forgets what was sifted in an earlier phase: its values may have changed.
    pub(super) fn begin(&mut self, program: &Program) {
        self.pairs.clear();
        self.pairs.resize(program.pairs.len(), None);
        self.values.clear();
        self.seen.clear();
        self.seen.resize(program.atoms.len(), None);
        self.groups.clear();
        self.groups.resize(program.groups.len(), u32::MAX);
        self.unions.clear();
    }

    /// Memory that grows with the values of a message, in bytes.
    pub(super) fn capacity(&self) -> usize {
        self.values.capacity() * size_of::<Sifted>()
    }
}

impl Transaction {
    /// Whether some value of the group can match the operator of `bit`.
    pub(super) fn group_may(&mut self, rules: &RuleSet, which: usize, group: u16, bit: u16) -> bool {
        let at = self.union(rules, which, group);
        self.sieves.unions[at as usize + usize::from(bit >> 6)] >> (bit & 63) & 1 == 1
    }

    /// Where the union of what can match the values of a group begins.
    fn union(&mut self, rules: &RuleSet, which: usize, group: u16) -> u32 {
        let known = self.sieves.groups[usize::from(group)];
        if known != u32::MAX {
            return known;
        }
        let program = &rules.program;
        let pairs = &program.groups[usize::from(group)];
        let bare = program.bare_groups[usize::from(group)];
        let at = if bare != group && pairs.iter().all(|pair| self.is_untouched(rules, *pair)) {
            self.union(rules, which, bare)
        } else {
            self.unite(rules, which, pairs)
        };
        self.sieves.groups[usize::from(group)] = at;
        at
    }

    fn unite(&mut self, rules: &RuleSet, which: usize, pairs: &[u16]) -> u32 {
        for pair in pairs {
            self.sieve(rules, which, *pair);
        }
        let at = self.sieves.unions.len();
        self.sieves.unions.resize(at + rules.program.prefilters[which].words(), 0);
        let (sifted, union) = self.sieves.unions.split_at_mut(at);
        for sieve in pairs.iter().filter_map(|pair| self.sieves.pairs[usize::from(*pair)]) {
            for (to, from) in union.iter_mut().zip(&sifted[sieve.union as usize..]) {
                *to |= from;
            }
        }
        at as u32
    }

    /// Whether the transformations of a pair change none of its values.
    fn is_untouched(&mut self, rules: &RuleSet, pair: u16) -> bool {
        if rules.options.plain {
            // Nothing is shared then, so that both ways can be compared.
            return false;
        }
        let program = &rules.program;
        let (atom, pipe) = program.pairs[usize::from(pair)];
        let seen = match self.sieves.seen[usize::from(atom)] {
            Some(seen) => seen,
            None => {
                let (variable, members) = &program.atoms[usize::from(atom)];
                let mut seen = Seen::default();
                for entry in &self.vars[*variable as usize] {
                    if self.selects(members, entry.name) {
                        let present = self.values.present(entry.value);
                        seen.present.iter_mut().zip(present).for_each(|(all, one)| *all |= one);
                        seen.empty |= *present == [0; 4];
                    }
                }
                self.sieves.seen[usize::from(atom)] = Some(seen);
                seen
            }
        };
        program.pipes[usize::from(pipe)].keeps(&seen.present, seen.empty)
    }

    /// What the prefilter makes of the values of a selection after transformation.
    fn sieve(&mut self, rules: &RuleSet, which: usize, pair: u16) -> Sieve {
        if let Some(known) = self.sieves.pairs[usize::from(pair)] {
            return known;
        }
        let program = &rules.program;
        let bare = program.bare_pairs[usize::from(pair)];
        let sieve = if bare != pair && self.is_untouched(rules, pair) {
            self.sieve(rules, which, bare)
        } else {
            self.sift(rules, which, pair)
        };
        self.sieves.pairs[usize::from(pair)] = Some(sieve);
        sieve
    }

    fn sift(&mut self, rules: &RuleSet, which: usize, pair: u16) -> Sieve {
        let program = &rules.program;
        let prefilter = &program.prefilters[which];
        let (atom, pipe) = program.pairs[usize::from(pair)];
        let (variable, members) = &program.atoms[usize::from(atom)];
        let (at, from) = (self.sieves.unions.len(), self.sieves.values.len());
        self.sieves.unions.resize(at + prefilter.words(), 0);
        for place in 0..self.vars[*variable as usize].len() {
            let entry = self.vars[*variable as usize][place];
            if !self.selects(members, entry.name) {
                continue;
            }
            let union = &mut self.sieves.unions[at..];
            if let Some(bits) = self.values.ready(&program.pipes, which, entry.value, pipe) {
                for (to, from) in union.iter_mut().zip(self.values.bits(bits, prefilter.words())) {
                    *to |= from;
                }
                self.sieves.values.push(Sifted { entry, bits: Some(bits) });
                continue;
            }
            let known = if which == 0 { self.values.known(entry.value) } else { None };
            if known.is_some_and(|known| known.add(pipe, union)) {
                self.sieves.values.push(Sifted { entry, bits: None });
                continue;
            }
            let known = known.cloned();
            let id = self.values.transform(&program.pipes, entry.value, pipe);
            let bits = self.values.collect(prefilter, which, id, union);
            if let Some(known) = known {
                known.learn(pipe, self.values.bits(bits, prefilter.words()));
            }
            self.sieves.values.push(Sifted { entry, bits: Some(bits) });
        }
        Sieve { union: at as u32, from: from as u32, to: self.sieves.values.len() as u32 }
    }

    /// Lists the values of a selection that the operator of `bit` can match.
    pub(super) fn gather_sifted(
        &mut self,
        rules: &RuleSet,
        which: usize,
        variable: Variable,
        pair: u16,
        bit: u16,
        out: &mut Vec<Candidate>,
    ) {
        let sieve = self.sieve(rules, which, pair);
        let (word, flag) = (usize::from(bit >> 6), 1_u64 << (bit & 63));
        if self.sieves.unions[sieve.union as usize + word] & flag == 0 {
            return;
        }
        let (_, pipe) = rules.program.pairs[usize::from(pair)];
        for sifted in &self.sieves.values[sieve.from as usize..sieve.to as usize] {
            let may = sifted.bits.is_none_or(|bits| self.values.bits(bits, word + 1)[word] & flag != 0);
            let known = if which == 0 { self.values.known(sifted.entry.value) } else { None };
            if may && !known.is_some_and(|known| known.excludes(pipe, bit)) {
                out.push(Candidate { variable, count: false, entry: sifted.entry });
            }
        }
    }
}
