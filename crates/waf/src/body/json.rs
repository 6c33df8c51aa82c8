//! JSON (RFC 8259). Values are named by their path: `json.user.name`, `json.items.array_0.id`.

use super::{Limits, Stop};

/// One level of nesting: where its name ends in the path, and the next index if it is an array.
struct Level {
    base: usize,
    index: Option<usize>,
}

/// Hands the path and text of each scalar to `take`. `null` is empty. Bytes that are not UTF-8 pass as they are.
///
/// # Errors
/// When the text is not JSON or a bound is reached; what was read before has been handed over.
pub fn read(text: &[u8], limits: &Limits, mut take: impl FnMut(&[u8], &[u8])) -> Result<(), Stop> {
    const BAD: Stop = Stop::Malformed("JSON: unexpected byte");
    let mut i = blanks(text, 0);
    if i == text.len() {
        return Ok(());
    }
    let mut path = b"json".to_vec();
    let mut levels: Vec<Level> = Vec::new();
    let mut buffer = Vec::new();
    let mut count = 0;
    loop {
        // Here a value begins; the path names it.
        i = blanks(text, i);
        let opened = match text.get(i) {
            Some(b'{') => {
                levels.push(Level { base: path.len(), index: None });
                true
            }
            Some(b'[') => {
                levels.push(Level { base: path.len(), index: Some(0) });
                true
            }
            Some(b'"') => {
                i = string(text, i + 1, &mut buffer)?;
                take(&path, &buffer);
                false
            }
            Some(_) => {
                let end = text[i..]
                    .iter()
                    .position(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'+' | b'-' | b'.' | b'E'))
                    .map_or(text.len(), |n| i + n);
                let word = &text[i..end];
                match word {
                    b"null" => take(&path, b""),
                    b"true" | b"false" => take(&path, word),
                    _ if number(word) => take(&path, word),
                    _ => return Err(BAD),
                }
                i = end;
                false
            }
            None => return Err(Stop::Malformed("JSON: ends early")),
        };
        if opened {
            if levels.len() > limits.depth {
                return Err(Stop::OverLimit("JSON: nested too deep"));
            }
            i = blanks(text, i + 1);
            let close = if levels.last().is_some_and(|l| l.index.is_some()) { b']' } else { b'}' };
            if text.get(i) != Some(&close) {
                i = member(text, i, &mut path, &mut levels, &mut buffer)?;
                continue;
            }
            i += 1;
            if let Some(level) = levels.pop() {
                path.truncate(level.base);
            }
        } else {
            count += 1;
            if count > limits.values {
                return Err(Stop::OverLimit("JSON: too many values"));
            }
        }
        // A value has ended: close levels until another member follows.
        loop {
            i = blanks(text, i);
            let Some(level) = levels.last() else {
                return if i == text.len() { Ok(()) } else { Err(Stop::Malformed("JSON: text after the value")) };
            };
            path.truncate(level.base);
            let close = if level.index.is_some() { b']' } else { b'}' };
            match text.get(i) {
                Some(b',') => {
                    i = blanks(text, i + 1);
                    i = member(text, i, &mut path, &mut levels, &mut buffer)?;
                    break;
                }
                Some(b) if *b == close => {
                    i += 1;
                    levels.pop();
                }
                Some(_) => return Err(BAD),
                None => return Err(Stop::Malformed("JSON: ends early")),
            }
        }
    }
}

/// Names the next member in `path`; for an object reads its key and colon.
fn member(
    text: &[u8],
    mut i: usize,
    path: &mut Vec<u8>,
    levels: &mut [Level],
    buffer: &mut Vec<u8>,
) -> Result<usize, Stop> {
    let Some(level) = levels.last_mut() else { return Ok(i) };
    if let Some(index) = &mut level.index {
        path.extend_from_slice(b".array_");
        path.extend_from_slice(index.to_string().as_bytes());
        *index += 1;
        return Ok(i);
    }
    if text.get(i) != Some(&b'"') {
        return Err(Stop::Malformed("JSON: a key is missing"));
    }
    i = string(text, i + 1, buffer)?;
    path.push(b'.');
    path.extend_from_slice(buffer);
    i = blanks(text, i);
    if text.get(i) == Some(&b':') { Ok(i + 1) } else { Err(Stop::Malformed("JSON: a colon is missing")) }
}

fn blanks(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n')).map_or(text.len(), |n| from + n)
}

fn number(word: &[u8]) -> bool {
    let digits = |t: &[u8]| t.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let n = digits(exponent);
        return n > 0 && n == exponent.len();
    }
    rest.is_empty()
}

/// Decodes the string whose first byte after the quote is at `i`; gives the place after its closing quote.
fn string(text: &[u8], mut i: usize, out: &mut Vec<u8>) -> Result<usize, Stop> {
    out.clear();
    loop {
        let Some(at) = text[i..].iter().position(|b| matches!(b, b'"' | b'\\') || *b < 0x20) else {
            return Err(Stop::Malformed("JSON: a string is not closed"));
        };
        out.extend_from_slice(&text[i..i + at]);
        i += at;
        match text[i] {
            b'"' => return Ok(i + 1),
            b'\\' => {
                let Some(&escape) = text.get(i + 1) else {
                    return Err(Stop::Malformed("JSON: a string is not closed"));
                };
                i += 2;
                out.push(match escape {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'f' => 12,
                    b'"' | b'\\' | b'/' => escape,
                    b'u' => {
                        let mut code = unit(text, i)?;
                        i += 4;
                        if (0xd800..0xdc00).contains(&code)
                            && text.get(i..i + 2) == Some(br"\u")
                            && let Ok(low @ 0xdc00..0xe000) = unit(text, i + 2)
                        {
                            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                            i += 6;
                        }
                        let c = char::from_u32(code).unwrap_or('?');
                        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        continue;
                    }
                    _ => return Err(Stop::Malformed("JSON: unknown escape")),
                });
            }
            _ => return Err(Stop::Malformed("JSON: a control character in a string")),
        }
    }
}

fn unit(text: &[u8], at: usize) -> Result<u32, Stop> {
    let digits = text.get(at..at + 4).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
    digits
        .and_then(|d| std::str::from_utf8(d).ok())
        .and_then(|d| u32::from_str_radix(d, 16).ok())
        .ok_or(Stop::Malformed("JSON: broken \\u escape"))
}
