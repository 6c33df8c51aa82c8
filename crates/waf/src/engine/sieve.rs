//! Which values can match which operators, by the prefilter: once for each selection and list of transformations, and once for all
//! the lists that change none of its values.

use super::{Transaction, eval::Candidate, transaction::Entry};
use crate::{
    RuleSet,
    compile::{Pipe, Program},
    seclang::target::Variable,
    transform::{ByteSet, meets},
};

/// What the prefilter made of the values of a selection after transformation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sieve {
    /// Where the union of what can match them begins.
    union: u32,
    /// The values, among all that were sifted.
    from: u32,
    to: u32,
}

/// A value that was sifted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sifted {
    entry: Entry,
    /// Where the operators that can match it begin; none where earlier transactions know.
    bits: Option<u32>,
}

/// The bytes of a selection's values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    present: ByteSet,
    /// Whether one of the values is empty.
    empty: bool,
}

impl Seen {
    /// Whether a list of transformations leaves all of them as they are.
    fn is_untouched(&self, pipe: &Pipe) -> bool {
        let changed = meets(&self.present, &pipe.triggers) || (self.empty && pipe.changes_empty);
        !changed
    }
}

impl Transaction {
    /// Forgets what was sifted in an earlier phase: its values may have changed.
    pub(super) fn begin_sieve(&mut self, program: &Program) {
        self.pairs.clear();
        self.pairs.resize(program.pairs.len(), None);
        self.sifted.clear();
        self.seen.clear();
        self.seen.resize(program.atoms.len(), None);
        self.group_bits.clear();
        self.group_bits.resize(program.groups.len(), u32::MAX);
        self.unions.clear();
    }

    /// Whether some value of the group can match the operator of `bit`.
    pub(super) fn group_may(&mut self, rules: &RuleSet, which: usize, group: u16, bit: u16) -> bool {
        let at = self.union(rules, which, group);
        self.unions[at as usize + usize::from(bit >> 6)] >> (bit & 63) & 1 == 1
    }

    /// Where the union of what can match the values of a group begins.
    fn union(&mut self, rules: &RuleSet, which: usize, group: u16) -> u32 {
        let known = self.group_bits[usize::from(group)];
        if known != u32::MAX {
            return known;
        }
        let program = &rules.program;
        let pairs = &program.groups[usize::from(group)];
        let plain = program.plain_groups[usize::from(group)];
        let at = if plain != group && pairs.iter().all(|pair| self.is_untouched(rules, *pair)) {
            self.union(rules, which, plain)
        } else {
            self.unite(rules, which, pairs)
        };
        self.group_bits[usize::from(group)] = at;
        at
    }

    fn unite(&mut self, rules: &RuleSet, which: usize, pairs: &[u16]) -> u32 {
        for pair in pairs {
            self.sieve(rules, which, *pair);
        }
        let at = self.unions.len();
        self.unions.resize(at + rules.program.prefilters[which].words(), 0);
        let (sifted, union) = self.unions.split_at_mut(at);
        for sieve in pairs.iter().filter_map(|pair| self.pairs[usize::from(*pair)]) {
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
        let seen = match self.seen[usize::from(atom)] {
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
                self.seen[usize::from(atom)] = Some(seen);
                seen
            }
        };
        seen.is_untouched(&program.pipes[usize::from(pipe)])
    }

    /// What the prefilter makes of the values of a selection after transformation.
    fn sieve(&mut self, rules: &RuleSet, which: usize, pair: u16) -> Sieve {
        if let Some(known) = self.pairs[usize::from(pair)] {
            return known;
        }
        let program = &rules.program;
        let plain = program.plain_pairs[usize::from(pair)];
        let sieve = if plain != pair && self.is_untouched(rules, pair) {
            self.sieve(rules, which, plain)
        } else {
            self.sift(rules, which, pair)
        };
        self.pairs[usize::from(pair)] = Some(sieve);
        sieve
    }

    fn sift(&mut self, rules: &RuleSet, which: usize, pair: u16) -> Sieve {
        let program = &rules.program;
        let prefilter = &program.prefilters[which];
        let (atom, pipe) = program.pairs[usize::from(pair)];
        let (variable, members) = &program.atoms[usize::from(atom)];
        let (at, from) = (self.unions.len(), self.sifted.len());
        self.unions.resize(at + prefilter.words(), 0);
        for place in 0..self.vars[*variable as usize].len() {
            let entry = self.vars[*variable as usize][place];
            if !self.selects(members, entry.name) {
                continue;
            }
            let union = &mut self.unions[at..];
            if let Some(bits) = self.values.ready(&program.pipes, which, entry.value, pipe) {
                for (to, from) in union.iter_mut().zip(self.values.bits(bits, prefilter.words())) {
                    *to |= from;
                }
                self.sifted.push(Sifted { entry, bits: Some(bits) });
                continue;
            }
            let known = if which == 0 { self.values.known(entry.value) } else { None };
            if known.is_some_and(|known| known.add(pipe, union)) {
                self.sifted.push(Sifted { entry, bits: None });
                continue;
            }
            let known = known.cloned();
            let id = self.values.transform(&program.pipes, entry.value, pipe);
            let bits = self.values.collect(prefilter, which, id, union);
            if let Some(known) = known {
                known.learn(pipe, self.values.bits(bits, prefilter.words()));
            }
            self.sifted.push(Sifted { entry, bits: Some(bits) });
        }
        Sieve { union: at as u32, from: from as u32, to: self.sifted.len() as u32 }
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
        if self.unions[sieve.union as usize + word] & flag == 0 {
            return;
        }
        let (_, pipe) = rules.program.pairs[usize::from(pair)];
        for sifted in &self.sifted[sieve.from as usize..sieve.to as usize] {
            let may = sifted.bits.is_none_or(|bits| self.values.bits(bits, word + 1)[word] & flag != 0);
            let known = if which == 0 { self.values.known(sifted.entry.value) } else { None };
            if may && !known.is_some_and(|known| known.excludes(pipe, bit)) {
                out.push(Candidate { variable, count: false, entry: sifted.entry });
            }
        }
    }
}
