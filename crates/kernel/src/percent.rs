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
