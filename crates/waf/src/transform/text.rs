//! Case, blanks, comments.

fn space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

pub fn lowercase(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().map(u8::to_ascii_lowercase));
}

pub fn uppercase(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().map(u8::to_ascii_uppercase));
}

pub fn length(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.len().to_string().bytes());
}

pub fn remove_nulls(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().filter(|b| **b != 0));
}

pub fn replace_nulls(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().map(|b| if *b == 0 { b' ' } else { *b }));
}

/// Also drops 0xA0 and 0xC2, which is how UTF-8 no-break spaces go; other characters that hold these bytes lose them too.
pub fn remove_whitespace(value: &[u8], out: &mut Vec<u8>) {
    out.extend(value.iter().filter(|b| !space(**b) && !matches!(**b, 0xa0 | 0xc2)));
}

pub fn compress_whitespace(value: &[u8], out: &mut Vec<u8>) {
    let mut before = false;
    for &byte in value {
        let blank = space(byte);
        if !blank {
            out.push(byte);
        } else if !before {
            out.push(b' ');
        }
        before = blank;
    }
}

pub fn trim_left(value: &[u8], out: &mut Vec<u8>) {
    let start = value.iter().position(|b| !space(*b)).unwrap_or(value.len());
    out.extend_from_slice(&value[start..]);
}

pub fn trim_right(value: &[u8], out: &mut Vec<u8>) {
    let end = value.iter().rposition(|b| !space(*b)).map_or(0, |at| at + 1);
    out.extend_from_slice(&value[..end]);
}

pub fn trim(value: &[u8], out: &mut Vec<u8>) {
    let start = value.iter().position(|b| !space(*b)).unwrap_or(value.len());
    trim_right(&value[start..], out);
}

pub fn cmd_line(value: &[u8], out: &mut Vec<u8>) {
    let mut blank = false;
    for &byte in value {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if !blank {
                    out.push(b' ');
                    blank = true;
                }
            }
            b'/' | b'(' => {
                if blank {
                    out.pop();
                }
                blank = false;
                out.push(byte);
            }
            _ => {
                out.push(byte.to_ascii_lowercase());
                blank = false;
            }
        }
    }
}

/// `/* … */` becomes one blank, also when it is not closed.
pub fn replace_comments(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr::memmem::find(rest, b"/*") {
        out.extend_from_slice(&rest[..at]);
        out.push(b' ');
        rest = match memchr::memmem::find(&rest[at + 2..], b"*/") {
            Some(end) => &rest[at + end + 4..],
            None => b"",
        };
    }
    out.extend_from_slice(rest);
}

/// Drops `/* */`, `<!-- -->`, and everything from `--` or `#` on.
pub fn remove_comments(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        let rest = &value[i..];
        if rest.starts_with(b"/*") {
            let Some(end) = memchr::memmem::find(&rest[2..], b"*/") else { break };
            i += end + 4;
        } else if rest.starts_with(b"<!--") {
            let Some(end) = memchr::memmem::find(&rest[4..], b"-->") else { break };
            i += end + 7;
        } else if rest.starts_with(b"--") || rest[0] == b'#' {
            break;
        } else {
            out.push(rest[0]);
            i += 1;
        }
    }
}

/// Drops the marks of comments and keeps what stands between them.
pub fn remove_comments_char(value: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < value.len() {
        let rest = &value[i..];
        if rest.starts_with(b"<!--") {
            i += 4;
        } else if rest.starts_with(b"-->") {
            i += 3;
        } else if rest.starts_with(b"/*") || rest.starts_with(b"*/") || rest.starts_with(b"--") {
            i += 2;
        } else if rest[0] == b'#' {
            i += 1;
        } else {
            out.push(rest[0]);
            i += 1;
        }
    }
}
