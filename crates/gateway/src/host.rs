//! Host names as requests give them (RFC 9110 §7.2): parsed once, strictly, into lower case.

use std::borrow::Cow;

use sekisho_kernel::percent::decode;

/// A host name and the port beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// Lower-case DNS name without a trailing dot.
    pub host: Cow<'a, str>,
    /// The port, if one was written.
    pub port: Option<u16>,
}

/// The longest DNS name (RFC 1035 §2.3.4).
const LONGEST: usize = 253;

/// Parses `host` or `host:port`. DNS names of letters, digits and hyphens only: no user part, no IPv6 literal, no
/// trailing dot, no percent encoding. `None` for everything else.
pub fn parse(text: &str) -> Option<Authority<'_>> {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(digits(port)?)),
        None => (text, None),
    };
    name(host).map(|host| Authority { host, port })
}

fn digits(text: &str) -> Option<u16> {
    let plain = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|p| *p != 0)
}

/// A DNS name in lower case.
pub fn name(text: &str) -> Option<Cow<'_, str>> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let mut upper = false;
    let (mut label, mut previous) = (0usize, b'.');
    for byte in text.bytes() {
        match byte {
            b'.' if label == 0 || previous == b'-' => return None,
            b'.' => label = 0,
            b'-' if label == 0 => return None,
            b'a'..=b'z' | b'0'..=b'9' | b'-' => label += 1,
            b'A'..=b'Z' => {
                upper = true;
                label += 1;
            }
            _ => return None,
        }
        if label > 63 {
            return None;
        }
        previous = byte;
    }
    if label == 0 || previous == b'-' {
        return None;
    }
    Some(if upper { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) })
}

/// `https://host` with the port where it is not 443.
pub fn origin(host: &str, port: u16) -> String {
    if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") }
}

/// The value of `key` in a query, decoded. Refused (`None`) when it occurs twice.
pub fn query_value(query: &str, key: &str) -> Option<String> {
    let mut values = query.split('&').filter_map(|pair| {
        let (k, v) = pair.split_once('=')?;
        (k == key).then_some(v)
    });
    let value = values.next()?;
    if values.next().is_some() { None } else { decode(value) }
}

/// The longest path that is carried through a sign-in.
const LONGEST_PATH: usize = 2_048;

/// A path of this host alone: begins with one slash, and no browser takes it for another host's. `/` for all else.
pub fn local_path(path: &str) -> &str {
    let bytes = path.as_bytes();
    let local = bytes.first() == Some(&b'/')
        && !matches!(bytes.get(1), Some(b'/' | b'\\'))
        && bytes.len() <= LONGEST_PATH
        && bytes.iter().all(|b| (0x21..0x7f).contains(b) && *b != b'\\');
    if local { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sekisho_kernel::percent::encode;

    use super::*;

    #[test]
    fn names_and_ports() {
        let a = parse("Acme.App.localhost:8443").unwrap();
        assert_eq!((a.host.as_ref(), a.port), ("acme.app.localhost", Some(8443)));
        assert_eq!(parse("a").unwrap().port, None);
        for bad in [
            "", ":1", "a:", "a:0", "a:65536", "a:+1", "a.", ".a", "a..b", "-a", "a-", "a-.b", "[::1]", "a@b", "a b",
            "a_b", "é", "a:1:2",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert!(name(&"a".repeat(64)).is_none());
        assert!(name(&format!("{}.b", "a".repeat(63))).is_some());
    }

    #[test]
    fn paths_stay_here() {
        for bad in ["//evil", "/\\evil", "https://evil", "", "a", "/a\\b", "/a\r\nb", "/\t/evil", "/é"] {
            assert_eq!(local_path(bad), "/", "{bad}");
        }
        assert_eq!(local_path("/a?b=//c"), "/a?b=//c");
    }

    proptest! {
        #[test]
        fn a_name_is_accepted_in_one_form_only(text in ".{0,80}") {
            if let Some(a) = parse(&text) {
                prop_assert!(a.host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-'));
                let again = name(&a.host).unwrap();
                prop_assert_eq!(again.as_ref(), a.host.as_ref());
            }
        }
        #[test]
        fn encoding_comes_back(text in "\\PC{0,60}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text.clone()));
            let query = format!("x=1&path={}", encode(&text));
            prop_assert_eq!(query_value(&query, "path"), Some(text));
        }
        #[test]
        fn decoding_never_panics(text in ".{0,60}") {
            let _ = decode(&text);
            let _ = query_value(&text, "a");
            prop_assert!(local_path(&text).starts_with('/'));
        }
    }
}
