//! XML 1.0, as far as a firewall needs it: the text of the root element and the values of all attributes. Nothing is
//! fetched; internal entities are expanded within a bound, external ones are left out.

use super::{Limits, Stop};
use std::collections::BTreeMap;

/// What a document holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// All text of the root element and its descendants, in order.
    pub text: Vec<u8>,
    /// The attributes' values, in order.
    pub attributes: Vec<Vec<u8>>,
}

/// Internal entities by name.
type Entities = BTreeMap<Vec<u8>, Vec<u8>>;

/// Reads a document into `out`; what was read before an error stays there.
///
/// # Errors
/// When it is not well-formed or a bound is reached.
pub fn read(text: &[u8], limits: &Limits, out: &mut Document) -> Result<(), Stop> {
    let mut entities = Entities::new();
    let mut budget = limits.expansion;
    let mut open: Vec<&[u8]> = Vec::new();
    let mut seen_root = false;
    let mut i = usize::from(text.starts_with(b"\xef\xbb\xbf")) * 3;
    while i < text.len() {
        let rest = &text[i..];
        if rest[0] != b'<' {
            let end = memchr::memchr(b'<', rest).unwrap_or(rest.len());
            if open.is_empty() {
                if !rest[..end].trim_ascii().is_empty() {
                    return Err(Stop::Malformed("XML: text outside of the root element"));
                }
            } else {
                expand(&rest[..end], &entities, 0, &mut budget, &mut out.text)?;
            }
            i += end;
        } else if rest.starts_with(b"<!--") {
            i += 4 + until(&rest[4..], b"-->", "XML: a comment is not closed")? + 3;
        } else if rest.starts_with(b"<![CDATA[") {
            let end = until(&rest[9..], b"]]>", "XML: CDATA is not closed")?;
            if open.is_empty() {
                return Err(Stop::Malformed("XML: CDATA outside of the root element"));
            }
            out.text.extend_from_slice(&rest[9..9 + end]);
            i += 9 + end + 3;
        } else if rest.starts_with(b"<?") {
            if rest[2..].get(..3).is_some_and(|n| n.eq_ignore_ascii_case(b"xml")) && !rest.get(5).is_some_and(name_byte)
            {
                declaration_of_version(&rest[2..], i)?;
            }
            i += 2 + until(&rest[2..], b"?>", "XML: an instruction is not closed")? + 2;
        } else if rest.starts_with(b"<!DOCTYPE") {
            i += doctype(rest, &mut entities)?;
        } else if let Some(tail) = rest.strip_prefix(b"</") {
            let end = until(tail, b">", "XML: a tag is not closed")?;
            if open.pop() != Some(tail[..end].trim_ascii_end()) {
                return Err(Stop::Malformed("XML: tags do not match"));
            }
            i += 2 + end + 1;
        } else {
            if open.is_empty() && seen_root {
                return Err(Stop::Malformed("XML: a second root element"));
            }
            seen_root = true;
            let name = rest[1..].iter().position(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>' | b'<'));
            let Some(name) = name.filter(|n| is_name(&rest[1..1 + n])) else {
                return Err(Stop::Malformed("XML: a tag has no name"));
            };
            let (used, empty) = attributes(&rest[1 + name..], &entities, limits, &mut budget, &mut out.attributes)?;
            if !empty {
                open.push(&rest[1..1 + name]);
                if open.len() > limits.depth {
                    return Err(Stop::OverLimit("XML: nested too deep"));
                }
            }
            i += 1 + name + used;
        }
    }
    if open.is_empty() && seen_root { Ok(()) } else { Err(Stop::Malformed("XML: ends early")) }
}

/// Whether this is a name (XML 1.0 §2.3), where every byte beyond ASCII counts as a letter.
fn is_name(text: &[u8]) -> bool {
    let start = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b':') || !b.is_ascii();
    text.first().is_some_and(start) && text.iter().all(name_byte)
}

fn name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':') || !byte.is_ascii()
}

/// Checks `xml version="1.0" encoding="…" standalone="…"?>` (XML 1.0 §2.8), which stands only at the very beginning.
fn declaration_of_version(text: &[u8], at: usize) -> Result<(), Stop> {
    const BAD: Stop = Stop::Malformed("XML: the declaration is malformed");
    let end = until(text, b"?>", "XML: an instruction is not closed")?;
    let mut rest = text[..end].strip_prefix(b"xml").filter(|_| at == 0 || at == 3).ok_or(BAD)?;
    let mut expected: &[&[u8]] = &[b"version", b"encoding", b"standalone"];
    while !rest.trim_ascii().is_empty() {
        let tail = rest.trim_ascii_start();
        let eq = memchr::memchr(b'=', tail).filter(|_| tail.len() < rest.len()).ok_or(BAD)?;
        let name = tail[..eq].trim_ascii_end();
        let known = expected.iter().position(|n| *n == name).ok_or(BAD)?;
        let value = tail[eq + 1..].trim_ascii_start();
        let quote = *value.first().filter(|q| matches!(q, b'"' | b'\'')).ok_or(BAD)?;
        let close = memchr::memchr(quote, &value[1..]).ok_or(BAD)?;
        // The version comes first and is the one that may not be missing.
        if expected.len() == 3 && known != 0 || !value[1..=close].iter().all(name_byte) {
            return Err(BAD);
        }
        expected = &expected[known + 1..];
        rest = &value[close + 2..];
    }
    if expected.len() == 3 { Err(BAD) } else { Ok(()) }
}

fn until(text: &[u8], mark: &[u8], reason: &'static str) -> Result<usize, Stop> {
    memchr::memmem::find(text, mark).ok_or(Stop::Malformed(reason))
}

/// Reads attributes up to the tag's end: the length, and whether the element is empty.
fn attributes(
    text: &[u8],
    entities: &Entities,
    limits: &Limits,
    budget: &mut usize,
    out: &mut Vec<Vec<u8>>,
) -> Result<(usize, bool), Stop> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let mut i = 0;
    loop {
        i += text[i..].iter().take_while(|b| blank(b)).count();
        match text.get(i) {
            Some(b'>') => return Ok((i + 1, false)),
            Some(b'/') if text.get(i + 1) == Some(&b'>') => return Ok((i + 2, true)),
            None => return Err(Stop::Malformed("XML: a tag is not closed")),
            _ => {}
        }
        let name = text[i..].iter().take_while(|b| !blank(b) && !matches!(b, b'=' | b'>' | b'/' | b'<')).count();
        if !is_name(&text[i..i + name]) {
            return Err(Stop::Malformed("XML: an attribute has no name"));
        }
        i += name;
        i += text[i..].iter().take_while(|b| blank(b)).count();
        if text.get(i) != Some(&b'=') {
            return Err(Stop::Malformed("XML: an attribute has no value"));
        }
        i += 1;
        i += text[i..].iter().take_while(|b| blank(b)).count();
        let Some(&quote @ (b'"' | b'\'')) = text.get(i) else {
            return Err(Stop::Malformed("XML: an attribute is not quoted"));
        };
        let Some(end) = memchr::memchr(quote, &text[i + 1..]) else {
            return Err(Stop::Malformed("XML: an attribute is not closed"));
        };
        if text[i + 1..i + 1 + end].contains(&b'<') {
            return Err(Stop::Malformed("XML: an attribute holds a tag"));
        }
        let mut value = Vec::new();
        expand(&text[i + 1..i + 1 + end], entities, 0, budget, &mut value)?;
        if out.len() == limits.values {
            return Err(Stop::OverLimit("XML: too many attributes"));
        }
        out.push(value);
        i += end + 2;
    }
}

/// Entities may hold entities no deeper than this.
const NESTING: u32 = 8;

fn expand(text: &[u8], entities: &Entities, depth: u32, budget: &mut usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.iter().take(64).position(|b| *b == b';') else {
            return Err(Stop::Malformed("XML: an entity is not closed"));
        };
        let name = &rest[1..end];
        rest = &rest[end + 1..];
        match name {
            b"lt" => out.push(b'<'),
            b"gt" => out.push(b'>'),
            b"amp" => out.push(b'&'),
            b"quot" => out.push(b'"'),
            b"apos" => out.push(b'\''),
            [b'#', digits @ ..] => {
                let (digits, radix) = digits.strip_prefix(b"x").map_or((digits, 10), |d| (d, 16));
                let code = std::str::from_utf8(digits)
                    .ok()
                    .and_then(|d| u32::from_str_radix(d, radix).ok())
                    .and_then(char::from_u32);
                let Some(c) = code else { return Err(Stop::Malformed("XML: no such character")) };
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => {
                let Some(value) = entities.get(name) else { return Err(Stop::Malformed("XML: unknown entity")) };
                if depth == NESTING || *budget < value.len() {
                    return Err(Stop::OverLimit("XML: entities expand too far"));
                }
                *budget -= value.len();
                expand(value, entities, depth + 1, budget, out)?;
            }
        }
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Reads a document type with its internal subset; gives its length. Keeps internal general entities.
fn doctype(text: &[u8], entities: &mut Entities) -> Result<usize, Stop> {
    const OPEN: Stop = Stop::Malformed("XML: the document type is not closed");
    let mut i = 9;
    let mut inside = false;
    while i < text.len() {
        let rest = &text[i..];
        if rest.starts_with(b"<!--") {
            i += 4 + until(&rest[4..], b"-->", "XML: a comment is not closed")? + 3;
            continue;
        }
        if inside && rest.starts_with(b"<!ENTITY") {
            let end = declaration(rest).ok_or(OPEN)?;
            let body = rest[8..end].trim_ascii();
            let split = body.iter().position(u8::is_ascii_whitespace).unwrap_or(body.len());
            let (name, value) = (&body[..split], body[split..].trim_ascii());
            if let Some(&quote @ (b'"' | b'\'')) = value.first()
                && let Some(close) = memchr::memchr(quote, &value[1..])
                && name != b"%"
                && entities.len() < 256
            {
                entities.entry(name.to_vec()).or_insert_with(|| value[1..=close].to_vec());
            } else if name != b"%" && entities.len() < 256 {
                // An external entity: known, and empty, because nothing is fetched.
                entities.entry(name.to_vec()).or_default();
            }
            i += end + 1;
            continue;
        }
        match rest[0] {
            quote @ (b'"' | b'\'') => i += 1 + memchr::memchr(quote, &rest[1..]).ok_or(OPEN)?,
            b'[' => inside = true,
            b']' => inside = false,
            b'>' if !inside => return Ok(i + 1),
            _ => {}
        }
        i += 1;
    }
    Err(OPEN)
}

/// Where a declaration's `>` stands, outside of quotes.
fn declaration(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.iter().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(q), b) if q == *b => quote = None,
            (None, b'>') => return Some(at),
            _ => {}
        }
    }
    None
}
