//! Against forged requests: a token that only the console's own pages know, and where the browser says it comes from.

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::Problem;

use crate::problem::{FORGED, Fault};

/// base64url(HMAC-SHA-256(`token`, "csrf")). `token` is the session's, or before sign-in the form cookie's.
pub fn csrf(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"csrf"))
}

/// Whether `given` is the token's CSRF value, compared in constant time.
pub fn csrf_matches(token: &str, given: &str) -> bool {
    let Ok(given) = URL_SAFE_NO_PAD.decode(given) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    hmac::verify(&key, b"csrf", &given).is_ok()
}

/// Refuses what another site's page caused. `Sec-Fetch-Site` (Fetch Metadata) decides where the browser sends it, `Origin`
/// (RFC 6454 §7) must name this very host and port. A client that sends neither is no browser; it is let through only
/// when `need` is false, that is where something else (the CSRF value, a bearer token) proves it.
pub fn same_origin(headers: &HeaderMap, host: &str, port: u16, need: bool) -> Result<(), Fault> {
    let forged = |why: &str| Fault::own(Problem::new(&FORGED).log(why));
    let site = one(headers, "sec-fetch-site").map_err(forged)?;
    if site.is_some_and(|s| s != "same-origin" && s != "none") {
        return Err(forged("sec-fetch-site says another origin"));
    }
    let origin = one(headers, header::ORIGIN.as_str()).map_err(forged)?;
    match origin {
        None if need && site != Some("same-origin") => Err(forged("neither origin nor sec-fetch-site")),
        None => Ok(()),
        Some(origin) => {
            let rest = origin.strip_prefix("https://").ok_or_else(|| forged("the origin is no https"))?;
            let (name, its_port) = rest.rsplit_once(':').unwrap_or((rest, "443"));
            let same = name.eq_ignore_ascii_case(host) && its_port.parse() == Ok(port);
            if same { Ok(()) } else { Err(forged("the origin is another")) }
        }
    }
}

/// The single value of a header; an error when it comes twice or is no visible ASCII.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, &'static str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next();
    if all.next().is_some() {
        return Err("a header came twice");
    }
    first.map(|v| v.to_str().map_err(|_| "a header is not text")).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut out = HeaderMap::new();
        for (n, v) in pairs {
            out.append(*n, v.parse().expect("a header value"));
        }
        out
    }

    #[test]
    fn the_token_is_bound_to_the_session() {
        let value = csrf("one");
        assert!(csrf_matches("one", &value));
        assert!(!csrf_matches("two", &value));
        assert!(!csrf_matches("one", ""));
        assert!(!csrf_matches("one", &value[..value.len() - 1]));
        assert!(!csrf_matches("one", "日本"));
    }

    #[test]
    fn where_a_request_comes_from() {
        let origin = ("origin", "https://acme.console.localhost:8443");
        let ok = |pairs: &[(&'static str, &'static str)], need| {
            same_origin(&headers(pairs), "acme.console.localhost", 8443, need).is_ok()
        };
        assert!(ok(&[origin], true));
        assert!(ok(&[origin, ("sec-fetch-site", "same-origin")], true));
        assert!(ok(&[("sec-fetch-site", "same-origin")], true));
        assert!(ok(&[], false));
        assert!(!ok(&[], true));
        assert!(!ok(&[("sec-fetch-site", "none")], true));
        assert!(!ok(&[("sec-fetch-site", "cross-site")], false));
        assert!(!ok(&[("sec-fetch-site", "same-site")], false));
        assert!(!ok(&[("origin", "null")], false));
        assert!(!ok(&[("origin", "https://acme.app.localhost:8443")], false));
        assert!(!ok(&[("origin", "http://acme.console.localhost:8443")], false));
        assert!(!ok(&[("origin", "https://acme.console.localhost")], false));
        assert!(!ok(&[origin, origin], false));
    }
}
