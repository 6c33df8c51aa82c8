//! Fingerprints and verdicts.

use super::{
    fold::{self, Folded},
    tokens::{Lexer, Quote},
};
use std::sync::LazyLock;

static FINGERPRINTS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let lines = include_str!("fingerprints.txt").lines().filter(|l| !l.starts_with("# "));
    let mut all: Vec<u64> = lines.flat_map(str::split_ascii_whitespace).map(|f| pack(f.as_bytes())).collect();
    all.sort_unstable();
    all
});

/// Kinds are told apart without case, as the table has them.
fn pack(fingerprint: &[u8]) -> u64 {
    fingerprint.iter().fold(0, |n, b| n << 8 | u64::from(b.to_ascii_uppercase()))
}

struct Print {
    folded: Folded,
    kinds: Vec<u8>,
    count: usize,
    differs: bool,
}

fn print(text: &[u8], quote: Quote, mysql: bool) -> Print {
    let mut lexer = Lexer { text, at: 0, quote, mysql, count: 0, differs: false };
    let mut folded = fold::fold(&mut lexer);
    if folded.count > 2 {
        // PHP's backquote as a comment.
        let last = &mut folded.tokens[folded.count - 1];
        if last.kind == b'n' && last.open == b'`' && last.length == 0 && last.close == 0 {
            last.kind = b'c';
        }
    }
    let mut kinds: Vec<u8> = folded.tokens[..folded.count].iter().map(|t| t.kind).collect();
    if kinds.contains(&b'X') {
        kinds = vec![b'X'];
        folded.count = 1;
        folded.tokens[0].kind = b'X';
    }
    Print { folded, kinds, count: lexer.count, differs: lexer.differs }
}

/// The fingerprint, if the value is SQL injection in some quotes.
pub fn detect(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    let sure = |p: Print| judge(text, &p).then_some(p.kinds);
    let ansi = print(text, Quote::None, false);
    let differs = ansi.differs;
    sure(ansi)
        .or_else(|| differs.then(|| print(text, Quote::None, true)).and_then(sure))
        .or_else(|| {
            if !text.contains(&b'\'') {
                return None;
            }
            let ansi = print(text, Quote::Single, false);
            let differs = ansi.differs;
            sure(ansi).or_else(|| differs.then(|| print(text, Quote::Single, true)).and_then(sure))
        })
        .or_else(|| text.contains(&b'"').then(|| print(text, Quote::Double, true)).and_then(sure))
}

/// Whether a fingerprint is in the table and none of the exceptions holds that spare ordinary text.
fn judge(text: &[u8], print: &Print) -> bool {
    if print.kinds.is_empty() || FINGERPRINTS.binary_search(&pack(&print.kinds)).is_err() {
        return false;
    }
    let tokens = &print.folded.tokens;
    let kinds = print.kinds.as_slice();
    if kinds.len() > 1 && kinds.last() == Some(&b'c') && memchr::memmem::find(text, b"sp_password").is_some() {
        return true;
    }
    match kinds {
        [_, b'U'] => print.count != 2,
        [_, _] => {
            let comment = tokens[1].text[0];
            if comment == b'#' {
                return false;
            }
            match (tokens[0].kind, tokens[1].kind) {
                (b'n', b'c') if comment != b'/' => return false,
                (b'1', b'c') if comment == b'/' => return true,
                (b'1', b'c') => {
                    if print.count > 2 {
                        return true;
                    }
                    // A number that ends before a blank or a comment, rather than within a word.
                    let at = |i: usize| text.get(tokens[0].length + i).copied().unwrap_or(0);
                    return !(33..128).contains(&at(0))
                        || (at(0) == b'/' && at(1) == b'*')
                        || (at(0) == b'-' && at(1) == b'-');
                }
                _ => {}
            }
            // Only input that ends in `--`.
            !(tokens[1].length > 2 && comment == b'-')
        }
        b"sos" | b"s&s" => tokens[0].open == 0 && tokens[2].close == 0 && tokens[0].close == tokens[2].open,
        b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" => print.count != 3,
        [_, _, _] if tokens[1].kind == b'k' => {
            tokens[1].length >= 5 && tokens[1].text[..4].eq_ignore_ascii_case(b"INTO")
        }
        _ => true,
    }
}
