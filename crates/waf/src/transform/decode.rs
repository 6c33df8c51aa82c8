//! Decoders. Each takes what it understands and keeps the rest as it stands, so that none can fail.

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Two hexadecimal digits at `at`.
fn pair(value: &[u8], at: usize) -> Option<u8> {
    Some(hex(*value.get(at)?)? << 4 | hex(*value.get(at + 1)?)?)
}

/// Full-width ASCII (U+FF01 to U+FF5E) reads as its ASCII twin.
fn full_width(high: &[u8], low: u8) -> u8 {
    if high.eq_ignore_ascii_case(b"ff") && low > 0 && low < 0x5f { low + 0x20 } else { low }
}

pub fn url_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        match value[i] {
            b'%' => match pair(value, i + 1) {
                Some(byte) => {
                    out.push(byte);
                    i += 3;
                    continue;
                }
                None => out.push(b'%'),
            },
            b'+' => out.push(b' '),
            byte => out.push(byte),
        }
        i += 1;
    }
}

/// As [`url_decode`], and IIS's `%uHHHH`, of which the low byte is kept.
pub fn url_decode_uni(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        let byte = value[i];
        if byte == b'%' && matches!(value.get(i + 1), Some(b'u' | b'U')) {
            if let (Some(_), Some(low)) = (pair(value, i + 2), pair(value, i + 4)) {
                out.push(full_width(&value[i + 2..i + 4], low));
                i += 6;
            } else {
                out.extend_from_slice(&value[i..i + 2]);
                i += 2;
            }
        } else if byte == b'%' {
            if let Some(decoded) = pair(value, i + 1) {
                out.push(decoded);
                i += 3;
            } else {
                out.push(byte);
                i += 1;
            }
        } else {
            out.push(if byte == b'+' { b' ' } else { byte });
            i += 1;
        }
    }
}

pub fn url_encode(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        match byte {
            b' ' => out.push(b'+'),
            b'*' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => out.push(byte),
            _ => {
                out.push(b'%');
                digits(byte, out);
            }
        }
    }
}

fn digits(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

pub fn hex_encode(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        digits(byte, out);
    }
}

pub fn hex_decode(value: &[u8], out: &mut Vec<u8>) {
    for two in value.chunks_exact(2) {
        let nibble = |b| hex(b).unwrap_or(0);
        out.push(nibble(two[0]) << 4 | nibble(two[1]));
    }
}

/// `0x414243` becomes `ABC`.
pub fn sql_hex_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        if value[i] == b'0' && matches!(value.get(i + 1), Some(b'x' | b'X')) && pair(value, i + 2).is_some() {
            i += 2;
            while let Some(byte) = pair(value, i) {
                out.push(byte);
                i += 2;
            }
        } else {
            out.push(value[i]);
            i += 1;
        }
    }
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Decodes `symbols` four by four; a rest of two or three gives one or two bytes.
fn quads(symbols: impl Iterator<Item = u32>, out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0_u32, 0);
    for symbol in symbols {
        bits = bits << 6 | symbol;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
}

/// RFC 4648; stops at the first byte outside of the alphabet.
pub fn base64_decode(value: &[u8], out: &mut Vec<u8>) {
    quads(value.iter().map_while(|b| sextet(*b)), out);
}

/// As [`base64_decode`], passing over bytes outside of the alphabet.
pub fn base64_decode_ext(value: &[u8], out: &mut Vec<u8>) {
    quads(value.iter().filter_map(|b| sextet(*b)), out);
}

pub fn base64_encode(value: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for three in value.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let symbol = ALPHABET[(bits >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= three.len() { symbol } else { b'=' });
        }
    }
}

/// The single-letter escapes of C.
fn letter(byte: u8) -> Option<u8> {
    Some(match byte {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// Up to three octal digits at `at`: how many, and their value.
fn octal(value: &[u8], at: usize) -> (usize, u32) {
    let digits: Vec<u32> =
        value.iter().skip(at).take(3).map_while(|b| matches!(b, b'0'..=b'7').then(|| u32::from(b - b'0'))).collect();
    (digits.len(), digits.iter().fold(0, |n, d| n * 8 + d))
}

pub fn js_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        let next = value.get(i + 1).copied();
        if value[i] != b'\\' || next.is_none() {
            out.push(value[i]);
            i += 1;
            continue;
        }
        let next = next.unwrap_or_default();
        if next == b'u'
            && let (Some(_), Some(low)) = (pair(value, i + 2), pair(value, i + 4))
        {
            out.push(full_width(&value[i + 2..i + 4], low));
            i += 6;
        } else if next == b'x'
            && let Some(byte) = pair(value, i + 2)
        {
            out.push(byte);
            i += 4;
        } else if matches!(next, b'0'..=b'7') {
            let (mut count, mut code) = octal(value, i + 1);
            if code > 0xff {
                count -= 1;
                code /= 8;
            }
            out.push(code as u8);
            i += 1 + count;
        } else {
            out.push(letter(next).unwrap_or(next));
            i += 2;
        }
    }
}

/// The escapes of ANSI C strings; what is no escape loses its backslash.
pub fn escape_seq_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        let Some(&next) = value.get(i + 1).filter(|_| value[i] == b'\\') else {
            out.push(value[i]);
            i += 1;
            continue;
        };
        if let Some(byte) = letter(next) {
            out.push(byte);
            i += 2;
        } else if matches!(next, b'x' | b'X')
            && let Some(byte) = pair(value, i + 2)
        {
            out.push(byte);
            i += 4;
        } else if matches!(next, b'0'..=b'7') {
            let (count, code) = octal(value, i + 1);
            out.push(code as u8);
            i += 1 + count;
        } else {
            out.push(next);
            i += 2;
        }
    }
}

/// CSS 2 escapes: one to six hexadecimal digits, of which the last two count, and one blank after them.
pub fn css_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        if value[i] != b'\\' {
            out.push(value[i]);
            i += 1;
            continue;
        }
        i += 1;
        let Some(&first) = value.get(i) else { break };
        let run = value[i..].iter().take(6).take_while(|b| hex(**b).is_some()).count();
        if run == 0 {
            if first != b'\n' {
                out.push(first);
            }
            i += 1;
            continue;
        }
        let digits = &value[i..i + run];
        let low = if run == 1 { hex(first).unwrap_or_default() } else { pair(digits, run - 2).unwrap_or_default() };
        let wide = match run {
            4 => true,
            5 => first == b'0',
            6 => digits.starts_with(b"00"),
            _ => false,
        };
        out.push(if wide { full_width(&digits[run - 4..run - 2], low) } else { low });
        i += run;
        if value.get(i).is_some_and(|b| matches!(b, b' ' | 9..=13)) {
            i += 1;
        }
    }
}

/// Numeric entities of a byte, and `quot`, `amp`, `lt`, `gt`, `nbsp`; the semicolon may be missing.
pub fn html_entity_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        if value[i] == b'&'
            && let Some((byte, used)) = entity(&value[i + 1..])
        {
            out.push(byte);
            i += 1 + used;
            if value.get(i) == Some(&b';') {
                i += 1;
            }
        } else {
            out.push(value[i]);
            i += 1;
        }
    }
}

/// The byte that the entity after `&` stands for, and its length without the semicolon.
fn entity(rest: &[u8]) -> Option<(u8, usize)> {
    if let Some(number) = rest.strip_prefix(b"#") {
        let (skip, base, digits): (usize, u32, Vec<u32>) = if matches!(number.first(), Some(b'x' | b'X')) {
            (2, 16, number[1..].iter().map_while(|b| hex(*b).map(u32::from)).collect())
        } else {
            (1, 10, number.iter().map_while(|b| b.is_ascii_digit().then(|| u32::from(b - b'0'))).collect())
        };
        if digits.is_empty() {
            return None;
        }
        let code = digits.iter().fold(0_u32, |n, d| n.saturating_mul(base).saturating_add(*d));
        return Some((code as u8, skip + digits.len()));
    }
    let run = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let name = &rest[..run];
    for (known, byte) in [(&b"quot"[..], b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xa0)] {
        if name.eq_ignore_ascii_case(known) {
            return Some((byte, run));
        }
    }
    None
}

/// UTF-8 beyond ASCII as `%uHHHH`, so that one pattern finds both spellings; bytes that are not UTF-8 stay.
pub fn utf8_to_unicode(value: &[u8], out: &mut Vec<u8>) {
    for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_ascii() {
                out.push(c as u8);
            } else {
                out.extend(format!("%u{:04x}", u32::from(c)).bytes());
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
}
