//! What the rules are not given of requests to our own routes: passwords, codes, tokens, and whatever else is one word that a
//! protocol made at random and that reads as SQL by chance. They are neither looked at nor written down.

use http::HeaderValue;
use sekisho_kernel::percent;
use serde_json::Value;

/// Fields of our forms and of our API that hold secrets.
const FIELDS: &[&str] = &[
    "password",
    "new_password",
    "current",
    "new",
    "repeat",
    "code",
    "recovery_code",
    "client_secret",
    "code_verifier",
    "refresh_token",
    "token",
    "challenge",
    "csrf",
    "secret",
    "signature",
];
/// Parameters of our addresses that do.
const PARAMETERS: &[&str] = &["code", "token", "bind", "csrf", "challenge"];
/// Levels of JSON that are looked through.
const DEEPEST: usize = 64;
/// What stands for a secret.
const MASK: &str = "x";

fn is_secret(list: &[&str], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    list.contains(&name.as_str())
}

/// Shorter words are looked at.
const OPAQUE: usize = 16;

/// Whether a value is one word of base64url (RFC 4648 §5), as protocols make challenges, states and nonces, or three with dots
/// between them (RFC 7515 §7.1), and has two hyphens in a row. No such word does harm here; but rules take one in some 14,000 of all
/// for an attack: `8--sHyGsESrtZ2jd` reads as a number and a comment of SQL, and a person whose browser drew it could not sign in.
fn is_opaque(value: &str) -> bool {
    let word =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    value.len() >= OPAQUE
        && value.contains("--")
        && matches!(value.split('.').count(), 1 | 3)
        && value.split('.').all(word)
}

fn pairs(text: &str, secret: &[&str]) -> String {
    text.split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = percent::decode(name);
            // A name that cannot be read is nobody's to look at.
            if !value.is_empty() && (is_opaque(value) || decoded.is_none_or(|n| is_secret(secret, &n))) {
                format!("{name}={MASK}")
            } else {
                pair.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// Path and query without the values of secrets.
pub(super) fn target(text: &str) -> String {
    match text.split_once('?') {
        Some((path, query)) => format!("{path}?{}", pairs(query, PARAMETERS)),
        None => text.to_owned(),
    }
}

/// The scheme of an `Authorization` field (RFC 9110 §11.6.2) alone.
pub(super) fn scheme(value: &[u8]) -> Vec<u8> {
    let end = value.iter().position(|b| *b == b' ').unwrap_or(0);
    [&value[..end], b" x"].concat()
}

/// A body without the values of secrets. `None` where it cannot be told what is one: such a body is looked at by nobody but the
/// route, which takes only forms and JSON.
pub(super) fn body(kind: Option<&HeaderValue>, bytes: &[u8]) -> Option<Vec<u8>> {
    let kind = kind?.to_str().ok()?.to_ascii_lowercase();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let text = std::str::from_utf8(bytes).ok()?;
        return Some(pairs(text, FIELDS).into_bytes());
    }
    if kind.starts_with("application/json") {
        let mut value: Value = serde_json::from_slice(bytes).ok()?;
        hide(&mut value, 0);
        return Some(value.to_string().into_bytes());
    }
    None
}

fn hide(value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        // Deeper than any route reads: nothing of it is shown to anybody.
        *value = Value::Null;
        return;
    }
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                if is_secret(FIELDS, name) {
                    *inner = MASK.into();
                } else {
                    hide(inner, depth + 1);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| hide(v, depth + 1)),
        Value::String(text) if is_opaque(text) => *value = MASK.into(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_and_the_rest_stays() {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let text = body(Some(&form), b"name=ann&pass%77ord=a%27b&csrf=1&x").unwrap();
        assert_eq!(text, b"name=ann&pass%77ord=x&csrf=x&x");
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let text = body(Some(&json), br#"{"name":"ann","password":"' or 1=1","list":[{"code":"1"}]}"#).unwrap();
        let read: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read, serde_json::json!({"name":"ann","password":"x","list":[{"code":"x"}]}));
        let text = body(Some(&json), br#"{"code":123456,"secret":{"a":["b"]}}"#).unwrap();
        let read: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read, serde_json::json!({"code":"x","secret":"x"}));
        let deep = format!("{}{{\"code\":\"1\"}}{}", "[".repeat(80), "]".repeat(80));
        assert!(!String::from_utf8(body(Some(&json), deep.as_bytes()).unwrap()).unwrap().contains("code"));
        assert_eq!(body(Some(&json), b"{"), None);
        assert_eq!(body(None, b"password=1"), None);
        assert_eq!(target("/enter?to=a&bind=secret&path=/x"), "/enter?to=a&bind=x&path=/x");
        assert_eq!(scheme(b"Bearer abc"), b"Bearer x");
    }

    #[test]
    fn words_drawn_at_random_are_not_looked_at() {
        const DRAWN: &str = "8--sHyGsESrtZ2jdj31B5YRY5UCtv6iep2ICg8zIq4Y";
        assert!(sekisho_waf::libinjection::is_sqli(DRAWN.as_bytes()).is_some(), "it reads as an attack");
        assert_eq!(target(&format!("/oauth/authorize?state={DRAWN}&scope=a")), "/oauth/authorize?state=x&scope=a");
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let token = format!("eyJhbGciOiJFUzI1NiJ9.e30.{DRAWN}");
        assert_eq!(body(Some(&form), format!("id_token_hint={token}").as_bytes()).unwrap(), b"id_token_hint=x");
        let json = HeaderValue::from_static("application/json");
        let text = body(Some(&json), format!("{{\"nonce\":[\"{DRAWN}\"]}}").as_bytes()).unwrap();
        assert_eq!(text, br#"{"nonce":["x"]}"#);
        for kept in [
            "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA2",
            "8--",
            "1 or 1=1 union select",
            "../../../etc/passwd",
            "wp-config.php.bak.old",
            "8--aaaaaaaaaaaaaa'",
        ] {
            assert_eq!(target(&format!("/a?q={kept}")), format!("/a?q={kept}"));
        }
    }
}
