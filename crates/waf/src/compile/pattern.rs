//! Patterns: PCRE as rule sets write it, carried out by a linear-time engine, and what every match of one must contain.

use super::{
    irregular::Irregular,
    signature::{Mask, signature},
};
use crate::transform::{ByteSet, presence};
use regex_automata::meta::Regex;
use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// A compiled pattern and its necessary conditions.
#[derive(Debug)]
pub struct Pattern {
    /// The matcher; it finds more than the pattern does when that is not regular.
    pub regex: Regex,
    /// What decides, when the pattern is not regular.
    pub irregular: Option<Irregular>,
    /// What a match needs.
    pub needs: Needs,
    /// Sets of bytes one of which a match holds; empty when nothing is known.
    pub signature: Vec<Mask>,
}

/// Necessary conditions of a match, cheap to check. All of them over-approximate.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// One of these occurs, in any case (ASCII); none means nothing is known.
    pub literals: Option<Vec<Vec<u8>>>,
    /// A byte of each of these sets occurs.
    pub bytes: Vec<ByteSet>,
    /// The value is at least this long.
    pub length: usize,
}

/// A pattern that is completed while running.
#[derive(Debug)]
pub struct Completed {
    /// The text of the pattern.
    pub text: super::Text,
    lines: bool,
    /// The last one compiled: it seldom changes, because rules set what it is made of.
    last: Mutex<Option<Last>>,
}

/// A text and the pattern that it is, if it is one.
#[derive(Debug)]
struct Last {
    text: Vec<u8>,
    pattern: Option<Arc<Pattern>>,
}

impl Completed {
    /// Not yet compiled.
    pub fn new(text: super::Text, lines: bool) -> Self {
        Self { text, lines, last: Mutex::new(None) }
    }

    /// The pattern for this text; none when it is not one.
    pub fn get(&self, text: &[u8]) -> Option<Arc<Pattern>> {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|l| l.text == text) {
            return last.pattern.clone();
        }
        let pattern = std::str::from_utf8(text).ok().and_then(|t| compile(t, self.lines).ok()).map(Arc::new);
        *last = Some(Last { text: text.to_vec(), pattern: pattern.clone() });
        pattern
    }
}

/// Memory that one pattern may take when compiled, in bytes.
const SIZE: usize = 4 << 20;
/// Memory of one pattern's lazy DFA, in bytes.
const CACHE: usize = 1 << 18;

/// Compiles a PCRE pattern. `.` matches line breaks; `^` and `$` match at line breaks too when `lines` is set.
///
/// # Errors
/// The reason, for syntax that is not known.
pub fn compile(pattern: &str, lines: bool) -> Result<Pattern, String> {
    let reason = match regular(pattern, lines, false) {
        Ok(pattern) => return Ok(pattern),
        Err(reason) => reason,
    };
    let known = ["look-around", "backreferences", "possessive"].iter().any(|kind| reason.contains(kind));
    if !known && !pattern.contains("(?>") {
        return Err(reason);
    }
    let (irregular, skeleton) = Irregular::parse(pattern, lines)?;
    Ok(Pattern { irregular: Some(irregular), ..regular(&skeleton, lines, false)? })
}

/// Compiles a pattern that selects members of collections, in any case, or rules.
///
/// # Errors
/// The reason, for look-around, back-references and whatever else has no linear-time meaning.
pub fn selector(pattern: &str, any_case: bool) -> Result<Regex, String> {
    regular(pattern, false, any_case).map(|p| p.regex)
}

/// Compiles a regular pattern.
///
/// # Errors
/// The reason, when it is not regular.
pub fn regular(pattern: &str, lines: bool, any_case: bool) -> Result<Pattern, String> {
    let translated = translate(pattern)?;
    let mut parser = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .multi_line(lines)
        .case_insensitive(any_case)
        .nest_limit(200)
        .build();
    let hir = parser.parse(&translated).map_err(|e| format!("pattern `{pattern}`: {}", brief(&e)))?;
    let config = Regex::config()
        .utf8_empty(false)
        .nfa_size_limit(Some(SIZE))
        .hybrid_cache_capacity(CACHE)
        .onepass_size_limit(Some(1 << 16));
    let regex =
        Regex::builder().configure(config).build_from_hir(&hir).map_err(|e| format!("pattern `{pattern}`: {e}"))?;
    let needs =
        Needs { literals: required(&hir), bytes: sets(&hir), length: hir.properties().minimum_len().unwrap_or(0) };
    Ok(Pattern { regex, needs, signature: signature(&hir), irregular: None })
}

fn brief(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(e) => e.kind().to_string(),
        regex_syntax::Error::Translate(e) => e.kind().to_string(),
        other => other.to_string(),
    }
}

/// Rewrites the spellings in which PCRE and `regex-syntax` differ.
fn translate(pattern: &str) -> Result<String, String> {
    const VERTICAL: &str = r"\n\x0b\f\r\x85";
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut class: Option<usize> = None;
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        let next = chars.get(i + 1).copied();
        if c == '\\' {
            let Some(next) = next else { return Err(format!("pattern `{pattern}`: ends in a backslash")) };
            i += 2;
            match next {
                'v' if class.is_some() => out.push_str(VERTICAL),
                'v' => out.push_str(&format!("[{VERTICAL}]")),
                'h' if class.is_some() => out.push_str(r" \t\xa0"),
                'h' => out.push_str(r"[ \t\xa0]"),
                'R' if class.is_none() => out.push_str(&format!(r"(?:\r\n|[{VERTICAL}])")),
                'e' => out.push_str(r"\x1b"),
                // `\x{ff}` is the byte 0xff, not the code point.
                'x' if chars.get(i) == Some(&'{') => {
                    let end = chars[i..].iter().position(|c| *c == '}').unwrap_or(0);
                    let digits: String = chars[i + 1..i + end.max(1)].iter().collect();
                    let code = u8::from_str_radix(&digits, 16)
                        .map_err(|_| format!("pattern `{pattern}`: \\x{{{digits}}} is not a byte"))?;
                    out.push_str(&format!(r"\x{code:02x}"));
                    i += end + 1;
                }
                'b' if class.is_some() => out.push_str(r"\x08"),
                '<' | '>' | '\'' | '"' | '`' | '@' | '=' | '!' | '%' | ',' | ':' | ';' | '_' | '/' | ' ' => {
                    escape(next, &mut out)
                }
                '0'..='7' if class.is_some() || next == '0' => {
                    let mut code = 0;
                    let mut used = 0;
                    i -= 1;
                    while used < 3 && chars.get(i).is_some_and(|d| ('0'..='7').contains(d)) {
                        code = code * 8 + chars[i].to_digit(8).unwrap_or(0);
                        i += 1;
                        used += 1;
                    }
                    out.push_str(&format!(r"\x{:02x}", code & 0xff));
                }
                _ => {
                    out.push('\\');
                    out.push(next);
                }
            }
            continue;
        }
        match class {
            None if c == '[' => {
                class = Some(i + 1 + usize::from(next == Some('^')));
                out.push(c);
            }
            None if c == '{' && !counted(&chars[i..]) => out.push_str(r"\{"),
            None if c == '}' && !closes(&chars[..i]) => out.push_str(r"\}"),
            None if matches!(c, '+')
                && i > 0
                && matches!(chars[i - 1], '*' | '+' | '?' | '}')
                && quantified(&chars[..i]) =>
            {
                return Err(format!("pattern `{pattern}`: possessive quantifiers are not supported"));
            }
            None => out.push(c),
            Some(first) if c == ']' && i == first => out.push_str(r"\]"),
            Some(_) if c == ']' => {
                class = None;
                out.push(c);
            }
            Some(_) if c == '[' && next == Some(':') => {
                let end = chars[i..].windows(2).position(|w| w == [':', ']']).filter(|at| *at >= 2);
                match end {
                    Some(end) => {
                        out.extend(&chars[i..=i + end + 1]);
                        i += end + 2;
                        continue;
                    }
                    None => out.push_str(r"\["),
                }
            }
            Some(_) if c == '[' => out.push_str(r"\["),
            Some(_) if matches!(c, '&' | '~') => escape(c, &mut out),
            Some(_) if c == '-' && next == Some('-') => out.push_str(r"\-"),
            Some(first) if c == '^' && i > first => out.push_str(r"\^"),
            Some(_) if !c.is_ascii() => {
                let mut buffer = [0; 4];
                for byte in c.encode_utf8(&mut buffer).bytes() {
                    out.push_str(&format!(r"\x{byte:02x}"));
                }
            }
            Some(_) => out.push(c),
        }
        i += 1;
    }
    Ok(out)
}

fn escape(c: char, out: &mut String) {
    out.push_str(&format!(r"\x{:02x}", c as u32));
}

/// Whether `{…` here is a count such as `{2}`, `{2,}` or `{2,5}`.
fn counted(rest: &[char]) -> bool {
    let Some(end) = rest.iter().position(|c| *c == '}') else { return false };
    let inside: String = rest[1..end].iter().collect();
    let (from, to) = inside.split_once(',').unwrap_or((&inside, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    !from.is_empty() && digits(from) && digits(to)
}

/// Whether the `}` after `before` closes a count.
fn closes(before: &[char]) -> bool {
    before.iter().rposition(|c| *c == '{').is_some_and(|at| {
        let mut tail = before[at..].to_vec();
        tail.push('}');
        counted(&tail) && (at == 0 || before[at - 1] != '\\')
    })
}

/// Whether the last character of `before` is a quantifier and not an escaped character or part of a group's head.
fn quantified(before: &[char]) -> bool {
    let at = before.len() - 1;
    let slashes = before[..at].iter().rev().take_while(|c| **c == '\\').count();
    slashes % 2 == 0
        && !(before[at] == '?' && at > 0 && before[at - 1] == '(')
        && (before[at] != '}' || closes(&before[..at]))
}

/// Sets of literals may not grow beyond this while they are multiplied.
const PRODUCT: usize = 128;
/// A pattern with more alternatives than this is not prefiltered by literals.
const ALTERNATIVES: usize = 1200;
/// Literals are cut to this length: longer ones tell little more and cost memory.
const LONGEST: usize = 24;

#[derive(Clone, Default)]
struct Literals {
    /// The whole language in lower case, when small.
    exact: Option<BTreeSet<Vec<u8>>>,
    /// A set of which one string must occur.
    need: Option<BTreeSet<Vec<u8>>>,
}

impl Literals {
    fn exactly(set: BTreeSet<Vec<u8>>) -> Self {
        Self { exact: Some(set), need: None }
    }

    fn best(self) -> Option<BTreeSet<Vec<u8>>> {
        let exact = self.exact.filter(useful);
        better(exact, self.need)
    }
}

fn useful(set: &BTreeSet<Vec<u8>>) -> bool {
    !set.is_empty() && set.iter().all(|l| l.len() >= 2)
}

/// Longer shortest literals first, then fewer of them.
fn better(a: Option<BTreeSet<Vec<u8>>>, b: Option<BTreeSet<Vec<u8>>>) -> Option<BTreeSet<Vec<u8>>> {
    let score = |s: &BTreeSet<Vec<u8>>| {
        let shortest = s.iter().map(Vec::len).min().unwrap_or(0).min(5);
        let odd = s.iter().filter(|l| l.iter().any(|b| !b.is_ascii_lowercase() && *b != b' ')).count() * 2 >= s.len();
        (shortest + usize::from(odd), std::cmp::Reverse(s.len()))
    };
    match (a, b) {
        (Some(a), Some(b)) => Some(if score(&a) >= score(&b) { a } else { b }),
        (a, b) => a.or(b),
    }
}

fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let mut set: BTreeSet<Vec<u8>> = walk(hir).best()?.into_iter().map(|mut l| (l.truncate(LONGEST), l).1).collect();
    // A literal that holds another one of the set adds nothing.
    let shorter: Vec<Vec<u8>> = set.iter().filter(|l| l.len() <= 4).cloned().collect();
    set.retain(|l| !shorter.iter().any(|s| s.len() < l.len() && memchr::memmem::find(l, s).is_some()));
    (set.len() <= ALTERNATIVES).then(|| set.into_iter().collect())
}

fn product(a: &BTreeSet<Vec<u8>>, b: &BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
    a.iter().flat_map(|x| b.iter().map(move |y| [x.as_slice(), y.as_slice()].concat())).collect()
}

fn walk(hir: &Hir) -> Literals {
    let one = |bytes: &[u8]| Literals::exactly(std::iter::once(bytes.to_ascii_lowercase()).collect());
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => one(b""),
        HirKind::Literal(literal) => one(&literal.0),
        HirKind::Class(class) => {
            let bytes = class_bytes(class);
            let folded: BTreeSet<Vec<u8>> = members(&bytes).map(|b| vec![b.to_ascii_lowercase()]).collect();
            if folded.len() <= 12 { Literals::exactly(folded) } else { Literals::default() }
        }
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Repetition(repetition) => {
            let sub = walk(&repetition.sub);
            if repetition.min == 0 {
                return match (sub.exact, repetition.max) {
                    (Some(mut set), Some(1)) if set.len() < 16 => {
                        set.insert(Vec::new());
                        Literals::exactly(set)
                    }
                    _ => Literals::default(),
                };
            }
            if let (Some(set), true) = (&sub.exact, repetition.max == Some(repetition.min) && repetition.min <= 8) {
                let mut power = set.clone();
                for _ in 1..repetition.min {
                    if power.len() * set.len() > PRODUCT {
                        return Literals { exact: None, need: sub.best() };
                    }
                    power = product(&power, set);
                }
                return Literals::exactly(power);
            }
            Literals { exact: None, need: sub.best() }
        }
        HirKind::Concat(parts) => {
            let mut whole = true;
            let mut run: BTreeSet<Vec<u8>> = std::iter::once(Vec::new()).collect();
            let mut need = None;
            for part in parts {
                let sub = walk(part);
                match &sub.exact {
                    Some(set) if run.len() * set.len() <= PRODUCT => run = product(&run, set),
                    Some(set) if set.len() <= PRODUCT => {
                        whole = false;
                        need = better(need, Some(std::mem::replace(&mut run, set.clone())).filter(useful));
                    }
                    _ => {
                        whole = false;
                        let before = std::mem::replace(&mut run, std::iter::once(Vec::new()).collect());
                        need = better(need, Some(before).filter(useful));
                        need = better(need, sub.best());
                    }
                }
            }
            if whole {
                return Literals { exact: Some(run), need: None };
            }
            Literals { exact: None, need: better(need, Some(run).filter(useful)) }
        }
        HirKind::Alternation(parts) => {
            let subs: Vec<Literals> = parts.iter().map(walk).collect();
            let all: Option<BTreeSet<Vec<u8>>> = subs
                .iter()
                .map(|s| s.exact.clone())
                .collect::<Option<Vec<_>>>()
                .map(|v| v.into_iter().flatten().collect());
            if let Some(all) = &all
                && all.len() <= ALTERNATIVES
            {
                return Literals::exactly(all.clone());
            }
            let need: Option<Vec<BTreeSet<Vec<u8>>>> = subs.into_iter().map(Literals::best).collect();
            Literals { exact: None, need: need.map(|v| v.into_iter().flatten().collect()) }
        }
    }
}

pub fn class_bytes(class: &Class) -> ByteSet {
    let mut set = [0_u64; 4];
    let mut add = |from: u8, to: u8| {
        for b in from..=to {
            set[usize::from(b >> 6)] |= 1 << (b & 63);
        }
    };
    match class {
        Class::Bytes(class) => class.iter().for_each(|r| add(r.start(), r.end())),
        // Only ASCII ranges can occur with Unicode off; anything beyond is read as every byte that may encode it.
        Class::Unicode(class) => class.iter().for_each(|r| {
            if r.start().is_ascii() {
                add(r.start() as u8, if r.end().is_ascii() { r.end() as u8 } else { 0x7f });
            }
            if !r.end().is_ascii() {
                add(0x80, 0xff);
            }
        }),
    }
    set
}

pub fn members(set: &ByteSet) -> impl Iterator<Item = u8> + '_ {
    (0..=255_u8).filter(|b| set[usize::from(b >> 6)] >> (b & 63) & 1 == 1)
}

fn size(set: &ByteSet) -> u32 {
    set.iter().map(|w| w.count_ones()).sum()
}

/// Sets of bytes of each of which every match has one, the smallest first.
fn sets(hir: &Hir) -> Vec<ByteSet> {
    let mut out = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.iter().map(|b| presence(&[*b])).collect(),
        HirKind::Class(class) => vec![class_bytes(class)],
        HirKind::Capture(capture) => sets(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min == 0 => Vec::new(),
        HirKind::Repetition(repetition) => sets(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(sets).collect(),
        HirKind::Alternation(parts) => {
            let smallest: Option<Vec<ByteSet>> = parts.iter().map(|p| sets(p).first().copied()).collect();
            smallest
                .map(|v| v.iter().fold([0; 4], |a, b| [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]]))
                .into_iter()
                .collect()
        }
    };
    out.sort_unstable_by_key(|s| (size(s), *s));
    out.dedup();
    out.truncate(8);
    out.retain(|s| size(s) < 250);
    out
}
