//! Tags, attributes and URLs that run script.

use super::html::{Kind, State, Walker};
use std::sync::LazyLock;

/// What an attribute's value is good for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attribute {
    Plain,
    /// Runs script by itself.
    Script,
    Url,
    Style,
    /// Its value names an attribute.
    Indirect,
}

const ATTRIBUTES: &[(&[u8], Attribute)] = &[
    (b"ACTION", Attribute::Url),
    (b"ATTRIBUTENAME", Attribute::Indirect),
    (b"BY", Attribute::Url),
    (b"BACKGROUND", Attribute::Url),
    (b"DATAFORMATAS", Attribute::Script),
    (b"DATASRC", Attribute::Script),
    (b"DYNSRC", Attribute::Url),
    (b"FILTER", Attribute::Style),
    (b"FORMACTION", Attribute::Url),
    (b"FOLDER", Attribute::Url),
    (b"FROM", Attribute::Url),
    (b"HANDLER", Attribute::Url),
    (b"HREF", Attribute::Url),
    (b"LOWSRC", Attribute::Url),
    (b"POSTER", Attribute::Url),
    (b"SRC", Attribute::Url),
    (b"STYLE", Attribute::Style),
    (b"TO", Attribute::Url),
    (b"VALUES", Attribute::Url),
    (b"XLINK:HREF", Attribute::Url),
];

const TAGS: &[&[u8]] = &[
    b"APPLET",
    b"BASE",
    b"COMMENT",
    b"EMBED",
    b"FRAME",
    b"FRAMESET",
    b"HANDLER",
    b"IFRAME",
    b"IMPORT",
    b"ISINDEX",
    b"LINK",
    b"LISTENER",
    b"META",
    b"NOSCRIPT",
    b"OBJECT",
    b"SCRIPT",
    b"STYLE",
    b"VMLFRAME",
    b"XML",
    b"XSS",
];

static EVENTS: LazyLock<Vec<&'static [u8]>> =
    LazyLock::new(|| include_str!("events.txt").lines().filter(|l| !l.starts_with('#')).map(str::as_bytes).collect());

/// Whether `text`, with its NULs taken out, is `name` in any case.
fn same(name: &[u8], text: &[u8]) -> bool {
    let mut left = name.iter();
    text.iter().filter(|b| **b != 0).all(|b| left.next() == Some(&b.to_ascii_uppercase())) && left.next().is_none()
}

/// Whether what follows `text`'s beginning is `name` in any case.
fn begins(text: &[u8], name: &[u8]) -> bool {
    text.get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name))
}

fn is_black_tag(tag: &[u8]) -> bool {
    tag.len() >= 3 && (TAGS.iter().any(|name| same(name, tag)) || begins(tag, b"SVG") || begins(tag, b"XSL"))
}

/// `rest` goes on to the end of the input: the C library compares events beyond the name's end, and so do we.
fn attribute(name: &[u8], rest: &[u8], any_event: bool) -> Attribute {
    if name.len() < 2 {
        return Attribute::Plain;
    }
    if name.len() >= 5 {
        if begins(name, b"ON") && (any_event || EVENTS.iter().any(|event| begins(&rest[2..], event))) {
            return Attribute::Script;
        }
        if same(b"XMLNS", &name[..5]) || same(b"XLINK", &name[..5]) {
            return Attribute::Script;
        }
    }
    ATTRIBUTES.iter().find(|(known, _)| same(known, name)).map_or(Attribute::Plain, |(_, kind)| *kind)
}

/// The character at the beginning, entities of a number decoded, and its length.
fn character(text: &[u8]) -> (u32, usize) {
    const AMPERSAND: (u32, usize) = (b'&' as u32, 1);
    if text[0] != b'&' || text.get(1) != Some(&b'#') {
        return (u32::from(text[0]), 1);
    }
    let (radix, start) = if matches!(text.get(2), Some(b'x' | b'X')) { (16, 3) } else { (10, 2) };
    let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(radix));
    let Some(mut value) = digit(start) else { return AMPERSAND };
    let mut at = start + 1;
    while let Some(next) = digit(at) {
        value = value * radix + next;
        if value > 0x10_00ff {
            return AMPERSAND;
        }
        at += 1;
    }
    (value, at + usize::from(text.get(at) == Some(&b';')))
}

/// Whether decoded text begins with `scheme` (upper case), blanks before it, NULs and line feeds passed over.
fn has_scheme(mut text: &[u8], scheme: &[u8]) -> bool {
    let mut wanted = scheme.iter();
    let mut next = wanted.next();
    let mut first = true;
    while let (Some(want), false) = (next, text.is_empty()) {
        let (code, length) = character(text);
        text = &text[length..];
        if (first && code <= 32) || matches!(code, 0 | 10) {
            continue;
        }
        first = false;
        // Only the low byte counts, as in the C library.
        let upper = if (u32::from(b'a')..=u32::from(b'z')).contains(&code) { code - 32 } else { code };
        if upper as u8 != *want {
            return false;
        }
        next = wanted.next();
    }
    next.is_none()
}

fn is_black_url(url: &[u8]) -> bool {
    let start = url.iter().position(|b| (33..127).contains(b)).unwrap_or(url.len());
    [&b"DATA"[..], b"VIEW-SOURCE", b"JAVA", b"VBSCRIPT"].iter().any(|scheme| has_scheme(&url[start..], scheme))
}

fn in_context(text: &[u8], state: State, any_event: bool) -> bool {
    let mut walker = Walker::new(text, state);
    let mut pending = Attribute::Plain;
    while let Some(token) = walker.next() {
        let part = &text[token.start..token.start + token.length];
        let kind = std::mem::replace(&mut pending, Attribute::Plain);
        match token.kind {
            Kind::Doctype => return true,
            Kind::TagOpen if is_black_tag(part) => return true,
            Kind::AttributeName => pending = attribute(part, &text[token.start..], any_event),
            Kind::AttributeValue => {
                let black = match kind {
                    Attribute::Plain => false,
                    Attribute::Script | Attribute::Style => true,
                    Attribute::Url => is_black_url(part),
                    Attribute::Indirect => attribute(part, &text[token.start..], any_event) != Attribute::Plain,
                };
                if black {
                    return true;
                }
            }
            Kind::Comment => {
                let conditional = part.len() > 3 && (begins(part, b"[IF") || begins(part, b"XML"));
                let pseudo = part.len() > 5 && (same(b"IMPORT", &part[..6]) || same(b"ENTITY", &part[..6]));
                if part.contains(&b'`') || conditional || pseudo {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Whether the value is XSS in text, or within a tag or a quoted attribute. With `any_event` every attribute of five bytes or more
/// that begins with `on` is an event, else those of a list.
pub fn detect(text: &[u8], any_event: bool) -> bool {
    let contexts = [State::Data, State::BeforeName, State::Quoted(b'\''), State::Quoted(b'"'), State::Quoted(b'`')];
    contexts.into_iter().any(|state| in_context(text, state, any_event))
}
