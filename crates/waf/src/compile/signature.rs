//! Sets of bytes of which one set occurs whole in every match: what is left to ask of patterns that require no literal.
//!
//! Patterns for shell commands allow quotes and backslashes between any two letters, so they hold no literal; but a value
//! without the letters of any of their commands cannot match. Sets are of ASCII in lower case, as two words.

use super::pattern::{class_bytes, members};
use crate::transform::ByteSet;
use regex_syntax::hir::{Hir, HirKind};

/// Bytes in lower case that a match holds.
pub type Mask = [u64; 2];

/// More sets than this cost more than they save.
const MOST: usize = 512;
/// Sets are multiplied no further than this.
const PRODUCT: usize = 64;
/// A class of so many bytes is told apart into sets.
const SMALL: usize = 4;

/// `present` without case and without bytes beyond ASCII.
#[inline]
pub fn fold(present: &ByteSet) -> Mask {
    const UPPER: u64 = ((1 << 26) - 1) << 1;
    [present[0], (present[1] & !UPPER) | (present[1] & UPPER) << 32]
}

/// Whether one of the sets occurs whole.
#[inline]
pub fn allows(masks: &[Mask], present: &Mask) -> bool {
    masks.iter().any(|m| m[0] & !present[0] | m[1] & !present[1] == 0)
}

/// The sets of a pattern; empty when they tell nothing.
pub fn signature(hir: &Hir) -> Vec<Mask> {
    let masks = walk(hir);
    if masks.len() > MOST || masks.iter().any(|m| m[0].count_ones() + m[1].count_ones() < 2) {
        Vec::new()
    } else {
        masks
    }
}

fn mask(bytes: impl Iterator<Item = u8>) -> Mask {
    let mut out = [0; 2];
    for byte in bytes.map(|b| b.to_ascii_lowercase()).filter(u8::is_ascii) {
        out[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    out
}

fn size(masks: &[Mask]) -> u32 {
    masks.iter().map(|m| m[0].count_ones() + m[1].count_ones()).min().unwrap_or(0)
}

/// Without sets that hold another one.
fn least(mut masks: Vec<Mask>) -> Vec<Mask> {
    masks.sort_unstable_by_key(|m| (m[0].count_ones() + m[1].count_ones(), *m));
    masks.dedup();
    let mut out: Vec<Mask> = Vec::new();
    for mask in masks {
        if !out.iter().any(|m| m[0] & !mask[0] | m[1] & !mask[1] == 0) {
            out.push(mask);
        }
    }
    out
}

fn walk(hir: &Hir) -> Vec<Mask> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![[0; 2]],
        HirKind::Literal(literal) => vec![mask(literal.0.iter().copied())],
        HirKind::Class(class) => {
            let bytes = class_bytes(class);
            let all: Vec<Mask> = members(&bytes).map(|b| mask(std::iter::once(b))).collect();
            let all = least(all);
            if all.len() <= SMALL && !all.is_empty() { all } else { vec![[0; 2]] }
        }
        HirKind::Capture(capture) => walk(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min == 0 => vec![[0; 2]],
        HirKind::Repetition(repetition) => walk(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().fold(vec![[0; 2]], |have, part| {
            let more = walk(part);
            if have.len() * more.len() > PRODUCT.max(have.len()).max(more.len()) {
                return if size(&have) >= size(&more) { have } else { more };
            }
            let both = have.iter().flat_map(|a| more.iter().map(|b| [a[0] | b[0], a[1] | b[1]]));
            least(both.collect())
        }),
        HirKind::Alternation(parts) => least(parts.iter().flat_map(walk).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::presence;

    #[test]
    fn a_value_without_the_letters_of_any_alternative_cannot_match() {
        let hir = |pattern: &str| {
            let mut parser =
                regex_syntax::ParserBuilder::new().unicode(false).utf8(false).case_insensitive(true).build();
            parser.parse(pattern).unwrap_or_else(|e| panic!("{e}"))
        };
        let masks = signature(&hir(r#"(?:l["']*s|c["']*a["']*t)[\s]+\w"#));
        for (value, may) in [("ls", true), ("L'S x", true), ("tac", true), ("la", false), ("ct", false), ("", false)] {
            assert_eq!(allows(&masks, &fold(&presence(value.as_bytes()))), may, "{value}");
        }
        assert_eq!(signature(&hir(r"(?:ab|\w+)")), [[0_u64; 2]; 0]);
        assert_eq!(signature(&hir(r"[xyz]a")).len(), 3);
    }
}
