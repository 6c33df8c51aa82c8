//! Patterns that are not regular: look-around, back-references, possessive quantifiers. Core Rule Set 3.3 has four of them.
//!
//! A regular pattern that matches whatever the pattern can match runs first; only what it lets through is matched here, by
//! backtracking with a number of steps in proportion to the value. When they run out, the rule counts as matched: time is
//! linear, and nothing is let through for want of it.

use super::syntax::{Kind, Node, parse};
use crate::transform::ByteSet;

/// Steps for a value: so many, and so many more for each byte.
const STEPS: u64 = 4_096;
const STEPS_PER_BYTE: u64 = 256;
/// Nesting of repetitions and groups while matching.
const DEPTH: usize = 600;

/// Where the whole match and each group begin and end.
pub type Groups = Vec<Option<(usize, usize)>>;

/// How a search ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Search {
    /// A match.
    Found(Groups),
    /// No match.
    Nothing,
    /// The steps ran out.
    Exhausted,
}

/// A pattern that is not regular.
#[derive(Debug)]
pub struct Irregular {
    node: Node,
    groups: usize,
    first: Option<ByteSet>,
    lines: bool,
}

impl Irregular {
    /// Reads a pattern; `^` and `$` match at line breaks too when `lines` is set. Also gives a regular pattern, in the syntax
    /// of `regex-syntax`, that matches whatever this one matches and perhaps more.
    ///
    /// # Errors
    /// The reason, when the syntax is not known.
    pub fn parse(pattern: &str, lines: bool) -> Result<(Self, String), String> {
        let (node, groups) = parse(pattern)?;
        let mut skeleton = String::new();
        node.skeleton(&mut skeleton);
        let (set, empty) = node.first();
        Ok((Self { node, groups, first: (!empty).then_some(set), lines }, skeleton))
    }

    /// Looks for the first match; counts the steps taken.
    pub fn search(&self, value: &[u8], steps: &mut u64) -> Search {
        let budget = STEPS + STEPS_PER_BYTE * value.len() as u64;
        let mut run = Run { value, lines: self.lines, left: budget, depth: 0, spent: false, groups: Vec::new() };
        let mut outcome = Search::Nothing;
        for start in 0..=value.len() {
            let possible = self.first.is_none_or(|set| value.get(start).is_some_and(|b| has(&set, *b)));
            if !possible {
                continue;
            }
            run.groups = vec![None; self.groups + 1];
            let mut end = 0;
            let found = run.node(&self.node, start, &mut |_, at| {
                end = at;
                true
            });
            if run.spent {
                outcome = Search::Exhausted;
                break;
            }
            if found {
                run.groups[0] = Some((start, end));
                outcome = Search::Found(std::mem::take(&mut run.groups));
                break;
            }
        }
        *steps += budget - run.left;
        outcome
    }
}

fn has(set: &ByteSet, byte: u8) -> bool {
    set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
}

fn word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

struct Run<'a> {
    value: &'a [u8],
    lines: bool,
    left: u64,
    depth: usize,
    spent: bool,
    groups: Groups,
}

type Next<'n, 'a> = &'n mut dyn FnMut(&mut Run<'a>, usize) -> bool;

impl<'a> Run<'a> {
    /// Takes steps; says whether there were any left.
    fn step(&mut self, count: usize) -> bool {
        let count = count as u64;
        if self.left < count || self.depth > DEPTH {
            self.left = self.left.saturating_sub(count);
            self.spent = true;
        } else {
            self.left -= count;
        }
        !self.spent
    }

    /// Matches `node` at `at` and then `next`; when steps run out it says yes, and `spent` is set.
    fn node(&mut self, node: &Node, at: usize, next: Next<'_, 'a>) -> bool {
        if !self.step(1) {
            return true;
        }
        match node {
            Node::Class(set) => self.value.get(at).is_some_and(|b| has(set, *b)) && next(self, at + 1),
            Node::Start => (at == 0 || (self.lines && self.value[at - 1] == b'\n')) && next(self, at),
            Node::End => {
                let here = self.value.get(at);
                (here.is_none() || (self.lines && here == Some(&b'\n'))) && next(self, at)
            }
            Node::Text(end) => at == if *end { self.value.len() } else { 0 } && next(self, at),
            Node::Boundary(inside) => {
                let before = at.checked_sub(1).and_then(|i| self.value.get(i));
                (word(before) == word(self.value.get(at))) == *inside && next(self, at)
            }
            Node::Group(inner, index) => {
                let old = self.groups[*index];
                let matched = self.deeper(|run| {
                    run.node(inner, at, &mut |run, end| {
                        let before = run.groups[*index].replace((at, end));
                        let matched = next(run, end);
                        if !matched {
                            run.groups[*index] = before;
                        }
                        matched
                    })
                });
                if !matched {
                    self.groups[*index] = old;
                }
                matched
            }
            Node::Back(index, any_case) => {
                // A group that did not take part does not match (PCRE).
                let Some((from, to)) = self.groups.get(*index).copied().flatten() else { return false };
                let (text, length) = (&self.value[from..to], to - from);
                if !self.step(length) {
                    return true;
                }
                let here = self.value.get(at..at + length);
                here.is_some_and(|h| if *any_case { h.eq_ignore_ascii_case(text) } else { h == text })
                    && next(self, at + length)
            }
            Node::Ahead(inner, negated) => {
                let groups = self.groups.clone();
                let matched = self.deeper(|run| run.node(inner, at, &mut |_, _| true));
                if self.spent {
                    return true;
                }
                if *negated || !matched {
                    self.groups = groups;
                }
                matched != *negated && next(self, at)
            }
            Node::Behind(inner, negated, least, most) => {
                let mut matched = false;
                for length in *least..=(*most).min(at) {
                    matched = self.deeper(|run| run.node(inner, at - length, &mut |_, end| end == at));
                    if matched {
                        break;
                    }
                }
                if self.spent {
                    return true;
                }
                matched != *negated && next(self, at)
            }
            Node::Atomic(inner) => {
                let mut end = at;
                let matched = self.deeper(|run| {
                    run.node(inner, at, &mut |_, to| {
                        end = to;
                        true
                    })
                });
                self.spent || (matched && next(self, end))
            }
            Node::Concat(list) => self.list(list, at, next),
            Node::Alternation(list) => {
                list.iter().any(|one| self.deeper(|run| run.node(one, at, &mut |run, end| next(run, end))))
            }
            Node::Repeat(inner, least, most, kind) => match (&**inner, kind) {
                (Node::Class(set), _) => self.run_of(set, at, (*least, *most), *kind, next),
                _ => self.deeper(|run| run.repeat(inner, (*least, *most), *kind, at, usize::MAX, next)),
            },
        }
    }

    fn deeper(&mut self, act: impl FnOnce(&mut Self) -> bool) -> bool {
        self.depth += 1;
        let matched = act(self);
        self.depth -= 1;
        matched
    }

    fn list(&mut self, list: &[Node], at: usize, next: Next<'_, 'a>) -> bool {
        match list {
            [] => next(self, at),
            [one] => self.node(one, at, next),
            [one, rest @ ..] => self.node(one, at, &mut |run, end| run.list(rest, end, &mut *next)),
        }
    }

    /// A repeated class: no recursion for each byte.
    fn run_of(
        &mut self,
        set: &ByteSet,
        at: usize,
        (least, most): (usize, usize),
        kind: Kind,
        next: Next<'_, 'a>,
    ) -> bool {
        let longest = self.value[at..].iter().take(most).take_while(|b| has(set, **b)).count();
        if kind != Kind::Lazy && !self.step(longest) {
            return true;
        }
        if longest < least {
            return false;
        }
        match kind {
            Kind::Possessive => next(self, at + longest),
            Kind::Greedy => (least..=longest).rev().any(|n| !self.step(1) || next(self, at + n)),
            Kind::Lazy => (least..=longest).any(|n| !self.step(1) || next(self, at + n)),
        }
    }

    fn repeat(
        &mut self,
        inner: &Node,
        (least, most): (usize, usize),
        kind: Kind,
        at: usize,
        before: usize,
        next: Next<'_, 'a>,
    ) -> bool {
        if !self.step(1) {
            return true;
        }
        let enough = least == 0;
        if enough && kind == Kind::Lazy && next(self, at) {
            return true;
        }
        // A round that matched nothing is not repeated.
        if most > 0 && at != before {
            let less = (least.saturating_sub(1), if most == usize::MAX { most } else { most - 1 });
            let matched = self.deeper(|run| {
                run.node(inner, at, &mut |run, end| {
                    run.deeper(|run| run.repeat(inner, less, kind, end, at, &mut *next))
                })
            });
            if matched {
                return true;
            }
        }
        // A possessive one of more than a class is parsed as an atomic group around a greedy one.
        enough && kind != Kind::Lazy && next(self, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, value: &str) -> Option<String> {
        let (irregular, skeleton) = Irregular::parse(pattern, true).unwrap_or_else(|e| panic!("{e}"));
        let regular = super::super::pattern::regular(&skeleton, true, false).unwrap_or_else(|e| panic!("{e}")).regex;
        match irregular.search(value.as_bytes(), &mut 0) {
            Search::Found(groups) => {
                assert!(
                    regular.is_match(value.as_bytes()),
                    "{skeleton} does not match what {pattern} matches: {value}"
                );
                groups[0].map(|(from, to)| value[from..to].to_owned())
            }
            Search::Nothing => None,
            Search::Exhausted => panic!("exhausted: {pattern} on {value}"),
        }
    }

    #[test]
    fn as_pcre_has_it() {
        for (pattern, value, found) in [
            (r"<\?(?!xml)", "<?xml <?php", Some("<?")),
            (r"<\?(?!xml)", "<?xml", None),
            (r"a(?=b)", "acab", Some("a")),
            (r"(?<!&(?:amp)|&(?:[aou]uml));|['=]", "&amp;&ouml;", None),
            (r"(?<!&(?:amp)|&(?:[aou]uml));|['=]", "&amp;b;", Some(";")),
            (r"(?<=x|yy)z", "az yyz", Some("z")),
            (r"\b(\w+)\b=\b\1\b", "ab=abc 12=12", Some("12=12")),
            (r"\b(\w+)\b<>(?!\b\1\b)\w+", "1<>1 1<>2", Some("1<>2")),
            (r"(?i:(a)b\1)", "ABA", Some("ABA")),
            (r"\s*+;", "  ;", Some("  ;")),
            (r"a*+a", "aaa", None),
            (r"(?:ab)*+c", "ababc", Some("ababc")),
            (r"(?>a|ab)c", "abc", None),
            (r"(a|b)*?c", "abac", Some("abac")),
            (r"^b$", "a\nb\nc", Some("b")),
            (r"(?:a?){3,}b", "aab", Some("aab")),
            (r"x{2,3}?y", "xxxxy", Some("xxxy")),
            (r"[^]a-c[:digit:]]\x41", "]A5A-A", Some("-A")),
        ] {
            assert_eq!(find(pattern, value).as_deref(), found, "{pattern} on {value}");
        }
    }

    #[test]
    fn steps_run_out_in_proportion_to_the_value() {
        let (irregular, _) = Irregular::parse(r"(a*)*\1b(?!c)", true).unwrap_or_else(|e| panic!("{e}"));
        for length in [100, 10_000] {
            let mut steps = 0;
            assert_eq!(irregular.search(&vec![b'a'; length], &mut steps), Search::Exhausted);
            assert!(steps <= STEPS + (STEPS_PER_BYTE + 1) * length as u64, "{steps}");
        }
    }
}
