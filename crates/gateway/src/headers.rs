//! Header fields that must not pass: those of one hop only, and those whose word is believed.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use sekisho_kernel::TraceId;

use crate::rules::Rules;

/// The signed word about who is signed in. A client's own is removed.
pub static ASSERTION: HeaderName = HeaderName::from_static("sekisho-assertion");
/// The request's trace id, for the application's logs.
pub static TRACE: HeaderName = HeaderName::from_static("sekisho-trace");
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Fields that belong to one hop (RFC 9110 §7.6.1), beside those that `Connection` names.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "transfer-encoding"
            | "upgrade"
            | "te"
            | "trailer"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "keep-alive"
            | "proxy-connection"
    )
}

/// Fields that speak of a connection's origin, and that applications behind a proxy believe.
const BELIEVED: [&str; 13] = [
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-remote-user",
    "true-client-ip",
    "client-ip",
    "remote-user",
    "cf-connecting-ip",
];
const BELIEVED_PREFIXES: [&str; 3] = ["x-forwarded-", "sekisho-", "x-sekisho-"];

/// Whether a client's field would be believed. `_` counts as `-`, since CGI-like interfaces cannot tell them apart.
fn believed(name: &str) -> bool {
    if !matches!(name.as_bytes().first(), Some(b'f' | b'x' | b's' | b't' | b'c' | b'r')) {
        return false;
    }
    let plain;
    let name = if name.contains('_') {
        plain = name.replace('_', "-");
        plain.as_str()
    } else {
        name
    };
    BELIEVED.contains(&name) || BELIEVED_PREFIXES.iter().any(|p| name.starts_with(p))
}

/// Removes, in one pass, the fields that `unwanted` names, the hop-by-hop ones, and those that `Connection` names.
fn strip(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let out = |n: &&HeaderName| is_hop_by_hop(n.as_str()) || unwanted(n.as_str());
    let mut found: Vec<HeaderName> = headers.keys().filter(out).cloned().collect();
    if found.contains(&header::CONNECTION) {
        let named = headers.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok());
        found.extend(named.flat_map(|v| v.split(',')).filter_map(|n| n.trim().parse::<HeaderName>().ok()));
    }
    for name in found {
        headers.remove(name);
    }
}

/// Removes what a request must not bring to the application: hop-by-hop fields, and every field that would be
/// believed.
pub(crate) fn clean_request(headers: &mut HeaderMap) {
    strip(headers, |name| believed(name) || name == "expect");
}

/// Sets what the application may believe about the connection (RFC 7239, and the older fields).
pub(crate) fn set_forwarded(
    headers: &mut HeaderMap,
    peer: &HeaderValue,
    host: &HeaderValue,
    port: HeaderValue,
    forwarded: HeaderValue,
) {
    headers.insert(FORWARDED_PORT.clone(), port);
    headers.insert(FORWARDED_FOR.clone(), peer.clone());
    headers.insert(FORWARDED_HOST.clone(), host.clone());
    headers.insert(FORWARDED_PROTO.clone(), HeaderValue::from_static("https"));
    headers.insert(header::FORWARDED, forwarded);
}

/// The value of `Forwarded` (RFC 7239 §4).
pub(crate) fn forwarded(peer: IpAddr, host: &str) -> HeaderValue {
    let text = match peer {
        IpAddr::V4(v4) => format!("for={v4};host=\"{host}\";proto=https"),
        IpAddr::V6(v6) => format!("for=\"[{v6}]\";host=\"{host}\";proto=https"),
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("for=unknown"))
}

/// A peer as the value of `X-Forwarded-For`.
pub(crate) fn peer(peer: IpAddr) -> HeaderValue {
    HeaderValue::try_from(peer.to_string()).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

/// Removes from the application's answer what would reach beyond the application: our cookies, our storage, the
/// browser's idea of where this host is served.
pub(crate) fn clean_answer(headers: &mut HeaderMap, status: StatusCode, rules: &Rules) {
    strip(headers, |name| match name {
        "alt-svc" | "sekisho-assertion" | "sekisho-trace" => true,
        "clear-site-data" => !rules.allow_clear_site_data,
        "service-worker-allowed" => !rules.allow_service_worker,
        _ => false,
    });
    if status == StatusCode::SWITCHING_PROTOCOLS {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    crate::cookies::strip_response(headers);
}

/// No cache keeps the answer, the browser's own neither (RFC 9111 §5.2.2.5).
pub(crate) fn keep_out_of_caches(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.remove(header::EXPIRES);
    headers.remove(header::PRAGMA);
}

/// A trace id as a field's value.
pub(crate) fn trace(trace: TraceId) -> HeaderValue {
    let mut text = [0; 32];
    let encoded = hex::encode_to_slice(trace.bytes(), &mut text);
    encoded.ok().and_then(|()| HeaderValue::from_bytes(&text).ok()).unwrap_or(HeaderValue::from_static(""))
}

/// Fields of every answer over HTTPS.
pub(crate) fn set_security(headers: &mut HeaderMap, rules: &Rules) {
    match &rules.hsts {
        Some(value) => {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, value.clone());
        }
        None => {
            headers.remove(header::STRICT_TRANSPORT_SECURITY);
        }
    }
}

/// The one value of a field; `None` when it is missing, there twice, or not text.
pub(crate) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn believed_fields() {
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_for",
            "x-real-ip",
            "sekisho-assertion",
            "sekisho_assertion",
            "x-sekisho-proxy-secret",
        ] {
            assert!(believed(name), "{name}");
        }
        for name in ["accept", "x-requested-with", "x-csrf-token", "forward", "cookie"] {
            assert!(!believed(name), "{name}");
        }
    }

    #[test]
    fn connection_names_fields() {
        let mut h = HeaderMap::new();
        h.insert(header::CONNECTION, HeaderValue::from_static("close, X-Thing"));
        h.insert("x-thing", HeaderValue::from_static("1"));
        h.insert("keep-alive", HeaderValue::from_static("1"));
        h.insert("x-other", HeaderValue::from_static("1"));
        strip(&mut h, |_| false);
        assert_eq!(h.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-other"]);
    }

    proptest! {
        #[test]
        fn no_spelling_of_the_assertion_passes(mask in any::<u32>()) {
            let spelt: String = "sekisho-assertion".chars().enumerate().map(|(i, c)| {
                let odd = mask >> i & 1 == 1;
                if c == '-' && odd { '_' } else if odd { c.to_ascii_uppercase() } else { c }
            }).collect();
            let mut h = HeaderMap::new();
            h.insert(spelt.parse::<HeaderName>().unwrap(), HeaderValue::from_static("forged"));
            clean_request(&mut h);
            prop_assert!(h.is_empty());
        }
        #[test]
        fn connection_values_never_panic(bytes in proptest::collection::vec(0x20u8..=0xff, 0..60)) {
            let mut h = HeaderMap::new();
            if let Ok(v) = HeaderValue::from_bytes(&bytes) { h.insert(header::CONNECTION, v); }
            strip(&mut h, |_| false);
            prop_assert!(h.is_empty());
        }
    }
}
