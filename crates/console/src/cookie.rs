//! Reading and making cookies (RFC 6265bis). Nothing else in this crate touches the two headers.

use axum::http::{HeaderMap, HeaderValue, header};

/// The session's token.
pub const SESSION: &str = "__Host-sekisho";
/// A random value that forms before sign-in are bound to.
pub const FORM: &str = "__Host-sekisho-form";
/// What is under way between the steps of a sign-in.
pub const CHALLENGE: &str = "__Host-sekisho-challenge";
/// By which the answer to a passkey's challenge is known to come from the browser that asked for it.
pub const PASSKEY: &str = "__Host-sekisho-passkey";
/// Where sign-in leads back to.
pub const RETURN: &str = "__Host-sekisho-return";
/// What a person carries to an identity provider and back.
pub const ERRAND: &str = "__Host-sekisho-errand";
/// The same to a SAML provider: its page posts the answer, so the cookie comes along with other sites' forms.
pub const SAML: &str = "__Host-sekisho-saml";
/// What a provider has proven of who is there, for a first passkey: sealed, bound to the session, good once.
pub const PROOF: &str = "__Host-sekisho-proof";
/// By which a browser is known again (`lockout.known_device`).
pub const DEVICE: &str = "__Host-sekisho-device";
/// The chosen language.
pub const LANG: &str = "sekisho-lang";
/// The chosen theme.
pub const THEME: &str = "sekisho-theme";
/// The reader's zone, told by the script.
pub const ZONE: &str = "sekisho-zone";

/// The value of the cookie `name`. When it comes twice there is no telling which is ours: none.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(n, _)| *n == name)
        .map(|(_, v)| v);
    let first = found.next()?;
    let usable = found.next().is_none() && first.len() <= 1024 && !first.is_empty();
    usable.then_some(first)
}

/// How long a cookie lives.
#[derive(Clone, Copy, Debug)]
pub enum Life {
    /// As long as the browser runs.
    Browser,
    /// So many seconds.
    Seconds(u32),
    /// It is removed now.
    Gone,
}

/// Signs a browser out: its session's cookie goes, and with it what pages of this origin have kept in it (Clear Site Data
/// §3.1). Cookies are not cleared as a kind: that would reach every host of the registrable domain.
pub fn wipe(headers: &mut HeaderMap) {
    if let Some(gone) = set(SESSION, "", Life::Gone) {
        headers.append(header::SET_COOKIE, gone);
    }
    headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
}

/// A `Set-Cookie` value that no script can read: Secure, HttpOnly, SameSite=Lax, Path=/. `None` when the value holds
/// a character that no cookie may.
pub fn set(name: &str, value: &str, life: Life) -> Option<HeaderValue> {
    make(name, value, life, "Lax; HttpOnly")
}

/// The same, sent with other sites' forms too: for what is sealed, says nothing by itself and proves no session.
pub fn set_across(name: &str, value: &str, life: Life) -> Option<HeaderValue> {
    make(name, value, life, "None; HttpOnly")
}

/// The same, for a preference that the script may read.
pub fn set_open(name: &str, value: &str, life: Life) -> Option<HeaderValue> {
    make(name, value, life, "Lax")
}

fn make(name: &str, value: &str, life: Life, extra: &str) -> Option<HeaderValue> {
    let plain = value.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e));
    if !plain {
        return None;
    }
    let life = match life {
        Life::Browser => String::new(),
        Life::Seconds(s) => format!("; Max-Age={s}"),
        Life::Gone => "; Max-Age=0".into(),
    };
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; SameSite={extra}{life}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_and_only_one() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; __Host-sekisho=tok; b=2"));
        assert_eq!(get(&headers, SESSION), Some("tok"));
        assert_eq!(get(&headers, "sekisho"), None);
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-sekisho=other"));
        assert_eq!(get(&headers, SESSION), None);
    }

    #[test]
    fn writes_what_the_prefix_demands() {
        let made = set(SESSION, "abc", Life::Browser).expect("a plain value");
        assert_eq!(made, "__Host-sekisho=abc; Path=/; Secure; SameSite=Lax; HttpOnly");
        assert_eq!(
            set_open(LANG, "ja", Life::Gone).expect("a plain value"),
            "sekisho-lang=ja; Path=/; Secure; SameSite=Lax; Max-Age=0"
        );
        assert_eq!(
            set_across(SAML, "abc", Life::Seconds(600)).expect("a plain value"),
            "__Host-sekisho-saml=abc; Path=/; Secure; SameSite=None; HttpOnly; Max-Age=600"
        );
        assert!(set(SESSION, "a;b", Life::Browser).is_none());
        assert!(set(SESSION, "a\r\nb", Life::Browser).is_none());
    }
}
