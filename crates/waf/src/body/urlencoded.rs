//! `application/x-www-form-urlencoded`, also the query of a URL.

use super::Stop;

/// Hands each decoded name and value to `take`; says whether a `%` escape was broken.
///
/// # Errors
/// When there are more than `most` pairs.
pub fn read(text: &[u8], separator: u8, most: usize, mut take: impl FnMut(&[u8], &[u8])) -> Result<bool, Stop> {
    let mut broken = false;
    let (mut name, mut value) = (Vec::new(), Vec::new());
    let mut count = 0;
    for pair in text.split(|b| *b == separator) {
        if pair.is_empty() {
            continue;
        }
        count += 1;
        if count > most {
            return Err(Stop::OverLimit("too many arguments"));
        }
        let at = memchr::memchr(b'=', pair);
        broken |= decode(&pair[..at.unwrap_or(pair.len())], &mut name);
        broken |= decode(at.map_or(&b""[..], |at| &pair[at + 1..]), &mut value);
        take(&name, &value);
    }
    Ok(broken)
}

/// Decodes `%HH` and `+`; a broken escape stays as it is. Says whether there was one.
pub fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    crate::transform::Transformation::UrlDecode.apply(text, out);
    let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_hexdigit);
    memchr::memchr_iter(b'%', text).any(|at| !digit(at + 1) || !digit(at + 2))
}
