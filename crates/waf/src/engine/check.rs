//! Running one operator on one value.

use super::{Transaction, state::number, values::ValueId};
use crate::{
    RuleSet,
    compile::{
        Checker, Head, Piece, Property, Test, constant,
        fold::compare,
        irregular::Search,
        pattern::Pattern,
        signature::{allows, fold},
    },
    libinjection,
    seclang::target::Variable,
};
use std::borrow::Cow;

/// Captures of the last match, `TX.0` to `TX.9`.
pub(super) type Captures = Vec<Vec<u8>>;

impl Transaction {
    /// Whether the operator matches, before `!`. Fills `captures` when given.
    pub(super) fn check(
        &mut self,
        rules: &RuleSet,
        test: &Test,
        which: usize,
        id: ValueId,
        negated: bool,
        mut captures: Option<&mut Captures>,
    ) -> bool {
        if let Some(bit) = test.bits[which]
            && !self.values.may(&rules.program.prefilters[which], which, id, bit)
        {
            return false;
        }
        if let Checker::Rx(pattern) = &test.checker
            && !pattern.signature.is_empty()
            && !rules.options.plain
            && !allows(&pattern.signature, &fold(self.values.present(id)))
        {
            return false;
        }
        let value = self.values.get(id);
        let length = value.len();
        let mut steps = 0;
        let mut zero = |part: &[u8]| {
            if let Some(captures) = &mut captures {
                captures.clear();
                captures.push(part.to_vec());
            }
        };
        let matched = match &test.checker {
            Checker::Rx(pattern) => find(pattern, value, negated, captures, &mut steps),
            Checker::RxText(completed) => match completed.get(&self.expand(rules, &completed.text, None)) {
                Some(pattern) => find(&pattern, value, negated, captures, &mut steps),
                // What is no pattern lets nothing pass.
                None => !negated,
            },
            Checker::Pm(words) => match words.find(value) {
                Some(found) => {
                    zero(&value[found.range()]);
                    true
                }
                None => false,
            },
            Checker::Contains(text) => {
                let text = self.operand(rules, text);
                memchr::memmem::find(value, &text).is_some()
            }
            Checker::ContainsWord(text) => contains_word(value, &self.operand(rules, text)),
            Checker::BeginsWith(text) => value.starts_with(&self.operand(rules, text)),
            Checker::EndsWith(text) => value.ends_with(&self.operand(rules, text)),
            Checker::StrEq(text) => value == &*self.operand(rules, text),
            Checker::Within(text) => {
                let text = self.operand(rules, text);
                value.is_empty() || memchr::memmem::find(&text, value).is_some()
            }
            Checker::Number(order, text) => compare(*order, number(value), number(&self.operand(rules, text))),
            Checker::IpMatch(networks) => std::str::from_utf8(value)
                .ok()
                .and_then(|t| t.trim().parse::<std::net::IpAddr>().ok())
                .is_some_and(|ip| networks.iter().any(|n| n.contains(&ip.to_canonical()) || n.contains(&ip))),
            Checker::DetectSqli => match libinjection::is_sqli(value) {
                Some(fingerprint) => {
                    zero(fingerprint.as_bytes());
                    true
                }
                None => false,
            },
            Checker::DetectXss => libinjection::is_xss_any_event(value),
            Checker::ValidateByteRange(allowed) => {
                self.values.present(id).iter().zip(allowed).any(|(p, a)| p & !a != 0)
            }
            Checker::ValidateUrlEncoding => broken_escape(value),
            Checker::ValidateUtf8Encoding => {
                let [_, _, high, higher] = self.values.present(id);
                high | higher != 0 && std::str::from_utf8(value).is_err()
            }
            Checker::GeoLookup => !self.vars[Variable::Geo as usize].is_empty(),
            Checker::Whole => {
                zero(value);
                true
            }
            Checker::Always => true,
            Checker::Never => false,
        };
        self.values.counters.steps += steps;
        self.values.counters.checked += 1;
        self.values.counters.examined += length as u64;
        matched
    }

    fn operand<'a>(&self, rules: &RuleSet, text: &'a [Piece]) -> Cow<'a, [u8]> {
        match constant(text) {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned(self.expand(rules, text, None)),
        }
    }

    /// Completes a text.
    pub(super) fn expand(&self, rules: &RuleSet, text: &[Piece], head: Option<&Head>) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in text {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Slot(slot) => {
                    if let Some(value) = self.state.slot(*slot) {
                        value.write(&mut out);
                    } else {
                        // A member that a rule named while running may have this name too.
                        let name = rules.program.slots[usize::from(*slot)].as_bytes();
                        if let Some(value) = self.state.get_named(name) {
                            value.write(&mut out);
                        }
                    }
                }
                Piece::Value(variable, key) => {
                    if let Some(id) = self.first(*variable, key.as_deref()) {
                        out.extend_from_slice(self.values.get(id));
                    }
                }
                Piece::Rule(property) => {
                    let Some(head) = head else { continue };
                    match property {
                        Property::Id => out.extend_from_slice(head.id.to_string().as_bytes()),
                        Property::Severity => {
                            out.extend_from_slice(head.severity.map(|s| s.to_string()).unwrap_or_default().as_bytes())
                        }
                        Property::Rev => out.extend_from_slice(head.rev.as_bytes()),
                        Property::Ver => out.extend_from_slice(head.ver.as_bytes()),
                        Property::Msg => out.extend(self.expand(rules, &head.msg, None)),
                        Property::LogData => {
                            out.extend(self.expand(rules, head.logdata.as_deref().unwrap_or_default(), None))
                        }
                    }
                }
            }
        }
        out
    }
}

/// Whether a pattern is found. Fills `captures` when given.
fn find(pattern: &Pattern, value: &[u8], negated: bool, captures: Option<&mut Captures>, steps: &mut u64) -> bool {
    if !pattern.regex.is_match(value) {
        return false;
    }
    let fill = |captures: &mut Captures, groups: &mut dyn Iterator<Item = Option<(usize, usize)>>| {
        captures.clear();
        captures.extend(groups.take(10).map(|g| g.map_or_else(Vec::new, |(a, b)| value[a..b].to_vec())));
    };
    if let Some(irregular) = &pattern.irregular {
        return match irregular.search(value, steps) {
            Search::Nothing => false,
            // The rule counts as matched: a pattern that is negated as not found.
            Search::Exhausted => !negated,
            Search::Found(groups) => {
                if let Some(captures) = captures {
                    fill(captures, &mut groups.into_iter());
                }
                true
            }
        };
    }
    if let Some(captures) = captures {
        let mut found = pattern.regex.create_captures();
        pattern.regex.captures(value, &mut found);
        fill(captures, &mut found.iter().map(|g| g.map(|g| (g.start, g.end))));
    }
    true
}

fn broken_escape(value: &[u8]) -> bool {
    let digit = |at: usize| value.get(at).is_some_and(u8::is_ascii_hexdigit);
    memchr::memchr_iter(b'%', value).any(|at| !digit(at + 1) || !digit(at + 2))
}

fn contains_word(value: &[u8], word: &[u8]) -> bool {
    let edge = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    word.is_empty()
        || memchr::memmem::find_iter(value, word)
            .any(|at| edge(at.checked_sub(1).and_then(|i| value.get(i))) && edge(value.get(at + word.len())))
}
