//! Path normalisation: `//`, `/./` and `/../` resolved.

pub fn normalize(value: &[u8], out: &mut Vec<u8>) {
    resolve(value, out);
}

pub fn normalize_win(value: &[u8], out: &mut Vec<u8>) {
    let slashes: Vec<u8> = value.iter().map(|b| if *b == b'\\' { b'/' } else { *b }).collect();
    resolve(&slashes, out);
}

/// An absolute path never climbs above its root; a relative one keeps the `..` that lead out of it.
fn resolve(value: &[u8], out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    let absolute = value[0] == b'/';
    let trailing = value[value.len() - 1] == b'/';
    if absolute {
        out.push(b'/');
    }
    // Where each kept segment begins in `out`; a `..` that was kept cannot be undone by a later one.
    let mut starts: Vec<usize> = Vec::new();
    for segment in value.split(|b| *b == b'/') {
        match segment {
            b"" | b"." => {}
            b".." if starts.last().is_some_and(|at| &out[*at..] != b"../") => {
                let at = starts.pop().unwrap_or(0);
                out.truncate(at);
            }
            b".." if absolute => {}
            _ => {
                starts.push(out.len());
                out.extend_from_slice(segment);
                out.push(b'/');
            }
        }
    }
    if !trailing && out.len() > 1 && out.last() == Some(&b'/') {
        out.pop();
    } else if !trailing && !absolute && out.as_slice() == b"/" {
        out.clear();
    }
}
