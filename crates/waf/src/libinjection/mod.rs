//! `@detectSQLi` and `@detectXSS`: our own implementation of the two detectors of libinjection, with the verdicts of its C library.
//!
//! SQL is cut into tokens, runs of tokens are folded, and the kinds of the first five make a fingerprint that is looked up in
//! a table. XSS is found by walking HTML 5 tokens as a browser would in five contexts. Both take linear time.

mod fold;
mod html;
mod sql;
mod tokens;
mod xss;

use crate::{compile::pattern::Needs, transform::ByteSet};

/// The fingerprint of a value that is SQL injection.
#[must_use]
pub fn is_sqli(value: &[u8]) -> Option<String> {
    sql::detect(value).map(|f| f.iter().map(|b| char::from(*b)).collect())
}

/// Whether a value is XSS in some context of HTML, with the verdicts of the current C library, which has a list of events.
#[must_use]
pub fn is_xss(value: &[u8]) -> bool {
    xss::detect(value, false)
}

/// As [`is_xss`], but every attribute of five bytes or more that begins with `on` counts as an event: the verdicts of the copy
/// in libmodsecurity 3.0.9. `@detectXSS` takes these, because browsers learn events faster than lists do:
/// `oncontentvisibilityautostatechange` needs no click and is in no list.
#[must_use]
pub fn is_xss_any_event(value: &[u8]) -> bool {
    xss::detect(value, true)
}

/// Letters, digits, `_` and high bytes alone make one word, or a number and a word: no fingerprint of one or two such tokens
/// counts as injection.
const WORD: ByteSet = {
    let mut set = [0_u64, 0, u64::MAX, u64::MAX];
    let mut b = 0_u8;
    while b < 128 {
        if b.is_ascii_alphanumeric() || b == b'_' {
            set[(b >> 6) as usize] |= 1 << (b & 63);
        }
        b += 1;
    }
    // 0xa0 is a blank to SQL.
    set[2] &= !(1 << 32);
    set
};

pub(crate) fn sqli_needs() -> Needs {
    Needs { literals: None, bytes: vec![[!WORD[0], !WORD[1], !WORD[2], !WORD[3]]], length: 2 }
}

/// Without `<` there is no tag, without `=` no attribute has a value.
pub(crate) fn xss_needs() -> Needs {
    Needs { literals: None, bytes: vec![crate::transform::presence(b"<=")], length: 2 }
}
