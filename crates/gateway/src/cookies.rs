//! Our cookies in what clients send (RFC 6265 §5.4) and in what the application sets.

use http::{HeaderMap, HeaderValue, header};

/// The host's own session cookie.
pub const SESSION: &str = "__Host-sekisho";
/// Binds the way in to the browser that began it.
pub const START: &str = "__Host-sekisho-start";

/// Names that are ours alone; the application neither sees nor sets them.
const OURS: [&str; 2] = [SESSION, START];
/// The longest value of ours that is looked at.
const LONGEST: usize = 256;

/// Whether a cookie pair, as written, would be taken for one of ours by any browser or server: names compare without
/// case, and a nameless cookie (`=name=value`) is sent back as `name=value`.
fn ours(pair: &[u8]) -> bool {
    let skipped = pair.iter().take_while(|b| **b == b'=' || b.is_ascii_whitespace() || b.is_ascii_control()).count();
    let pair = &pair[skipped..];
    let name = pair.iter().position(|b| *b == b'=').map_or(pair, |at| &pair[..at]).trim_ascii();
    OURS.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(name))
}

fn pairs(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|b| *b == b';').map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

/// The value of our cookie `name`. `None` when it is missing, empty, too long, or there twice with different values.
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    for pair in headers.get_all(header::COOKIE).iter().flat_map(pairs) {
        let Some(value) = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) else { continue };
        if found.is_some_and(|other| other != value) {
            return None;
        }
        found = Some(value);
    }
    let value = found.filter(|v| !v.is_empty() && v.len() <= LONGEST && v.iter().all(u8::is_ascii_graphic))?;
    std::str::from_utf8(value).ok()
}

/// Removes our cookies from a request, and joins what is left into one field, as HTTP/1.1 wants it (RFC 9113 §8.2.3).
pub fn strip_request(headers: &mut HeaderMap) {
    let Some(first) = headers.get(header::COOKIE) else { return };
    let mut left = Vec::with_capacity(first.len());
    for pair in headers.get_all(header::COOKIE).iter().flat_map(pairs).filter(|pair| !ours(pair)) {
        if !left.is_empty() {
            left.extend_from_slice(b"; ");
        }
        left.extend_from_slice(pair);
    }
    headers.remove(header::COOKIE);
    if !left.is_empty()
        && let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(left))
    {
        headers.insert(header::COOKIE, value);
    }
}

/// A `Cookie` field's value without our cookies; `None` when nothing is left.
pub fn without_ours(value: &HeaderValue) -> Option<Vec<u8>> {
    let left: Vec<&[u8]> = pairs(value).filter(|pair| !ours(pair)).collect();
    (!left.is_empty()).then(|| left.join(&b"; "[..]))
}

/// Removes `Set-Cookie` fields for our names from the application's answer.
pub fn strip_response(headers: &mut HeaderMap) {
    let foreign = |v: &&HeaderValue| !ours(v.as_bytes().split(|b| *b == b';').next().unwrap_or_default());
    if !headers.contains_key(header::SET_COOKIE) || headers.get_all(header::SET_COOKIE).iter().all(|v| foreign(&v)) {
        return;
    }
    let kept: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().filter(foreign).cloned().collect();
    headers.remove(header::SET_COOKIE);
    for value in kept {
        headers.append(header::SET_COOKIE, value);
    }
}

/// A `Set-Cookie` value of ours. `max_age` in seconds; `None` lasts as long as the browser's session.
pub fn set(name: &str, value: &str, max_age: Option<u32>) -> Option<HeaderValue> {
    let age = max_age.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}")).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for v in values {
            headers.append(header::COOKIE, HeaderValue::from_bytes(v.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn finds_and_strips() {
        let mut h = with(&["a=1; __Host-sekisho=tok; b=2", "__Host-sekisho-start=x"]);
        assert_eq!(find(&h, SESSION), Some("tok"));
        assert_eq!(find(&h, START), Some("x"));
        strip_request(&mut h);
        assert_eq!(h.get(header::COOKIE).unwrap(), "a=1; b=2");
        let mut only = with(&["__Host-sekisho=tok"]);
        strip_request(&mut only);
        assert!(only.is_empty());
    }

    #[test]
    fn two_different_tokens_are_none() {
        assert_eq!(find(&with(&["__Host-sekisho=a; __Host-sekisho=b"]), SESSION), None);
        assert_eq!(find(&with(&["__Host-sekisho=a", "__Host-sekisho=a"]), SESSION), Some("a"));
    }

    #[test]
    fn the_application_cannot_set_ours() {
        let mut h = HeaderMap::new();
        for v in [
            "__Host-sekisho=x; Path=/",
            "=__Host-sekisho=x",
            "__host-SEKISHO-start=1",
            " __Host-sekisho =1",
            "ok=1; Path=/",
        ] {
            h.append(header::SET_COOKIE, HeaderValue::from_static(v));
        }
        strip_response(&mut h);
        assert_eq!(h.get_all(header::SET_COOKIE).iter().collect::<Vec<_>>(), ["ok=1; Path=/"]);
    }

    proptest! {
        #[test]
        fn nothing_of_ours_goes_upstream(parts in proptest::collection::vec("[ =;a-z_\\-]{0,6}(__Host-sekisho(-start)?)?[ =;a-z]{0,6}", 0..6)) {
            let mut headers = HeaderMap::new();
            for p in &parts {
                if let Ok(v) = HeaderValue::from_bytes(p.as_bytes()) { headers.append(header::COOKIE, v); }
            }
            strip_request(&mut headers);
            prop_assert_eq!(find(&headers, SESSION), None);
            prop_assert_eq!(find(&headers, START), None);
            prop_assert!(headers.get_all(header::COOKIE).iter().count() <= 1);
        }
        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(0x20u8..=0xff, 0..80)) {
            let mut headers = HeaderMap::new();
            if let Ok(v) = HeaderValue::from_bytes(&bytes) {
                headers.append(header::COOKIE, v.clone());
                headers.append(header::SET_COOKIE, v);
            }
            let _ = find(&headers, SESSION);
            strip_request(&mut headers);
            strip_response(&mut headers);
        }
    }
}
