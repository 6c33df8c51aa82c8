//! Texts as parts of an address (RFC 3986).

/// One text, percent-encoded for a query or a path segment (§2.3: only unreserved characters stay).
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

/// Undoes percent encoding. `None` for a broken escape or bytes that are not UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (hex(bytes.next()?)?, hex(bytes.next()?)?);
            out.push(high << 4 | low);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// An address with more in its query (§3.4).
pub fn with_query<N: AsRef<str>, V: AsRef<str>>(address: &str, pairs: &[(N, V)]) -> String {
    pairs.iter().fold(address.to_owned(), |mut out, (name, value)| {
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(&format!("{}={}", encode(name.as_ref()), encode(value.as_ref())));
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_query_stays_one_value() {
        assert_eq!(encode("a-z.~_ &=%あ"), "a-z.~_%20%26%3D%25%E3%81%82");
        assert_eq!(with_query("/a", &[("x", "1"), ("y", "&")]), "/a?x=1&y=%26");
        assert_eq!(with_query("/a?x=1", &[("y", "2")]), "/a?x=1&y=2");
        assert_eq!(with_query::<&str, &str>("/a", &[]), "/a");
    }
}
