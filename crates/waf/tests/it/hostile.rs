//! Bodies made to cost: time and memory stay within bounds, shown by counts of work.

use crate::{crs, ftw};
use sekisho_waf::{Counters, Options, Outcome, RequestHead, RuleSet};
use std::sync::Arc;

/// As the engine's recommended settings have it: what a reader could not take apart with certainty is refused.
fn strict() -> Option<Arc<RuleSet>> {
    Some(crs::load(&crs::ordinary_text(&crs::folder()?), &Options::default()))
}

/// Without the rules that refuse such bodies: the engine's own bounds.
fn rules() -> Option<Arc<RuleSet>> {
    let text = crs::ordinary_text(&crs::folder()?);
    let lines = text.lines().filter(|l| !["id:200002", "id:200003", "id:200004"].iter().any(|id| l.contains(id)));
    Some(crs::load(&lines.map(|l| format!("{l}\n")).collect::<String>(), &Options::default()))
}

fn post(rules: &Arc<RuleSet>, content_type: &str, body: &[u8]) -> (Outcome, Counters) {
    let mut tx = rules.transaction(&ftw::client());
    let length = body.len().to_string();
    let headers: [(&[u8], &[u8]); 4] = [
        (b"Host", b"a.example"),
        (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
        (b"Content-Type", content_type.as_bytes()),
        (b"Content-Length", length.as_bytes()),
    ];
    tx.request(&RequestHead { method: b"POST", target: b"/a", protocol: b"HTTP/1.1", headers: &headers });
    let outcome = tx.append_request_body(body);
    let outcome = if outcome.blocked().is_some() { outcome } else { tx.request_body() };
    (outcome, tx.counters())
}

/// Work in proportion to the body: no reader, transformation or operator sees more than so many bytes for each byte sent.
fn bounded(counters: Counters, bytes: usize) {
    let bytes = bytes as u64 + 4096;
    assert!(counters.transformed <= 60 * bytes, "{counters:?} for {bytes}");
    assert!(counters.scanned <= 40 * bytes, "{counters:?} for {bytes}");
    assert!(counters.examined <= 300 * bytes, "{counters:?} for {bytes}");
}

#[test]
fn json_nested_deeper_than_allowed_is_refused() {
    let Some(rules) = rules() else { return };
    for body in [vec![b'['; 100_000], b"{\"a\":".repeat(50_000)] {
        let (outcome, counters) = post(&rules, "application/json", &body);
        assert_eq!(outcome.blocked().map(|b| b.status), Some(413));
        bounded(counters, body.len());
    }
}

#[test]
fn entities_of_xml_do_not_multiply() {
    let Some(rules) = rules() else { return };
    let mut body = String::from("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e0 \"lol lol lol lol\">");
    for level in 1..12 {
        body.push_str(&format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10)));
    }
    body.push_str("]><a>&e11;</a>");
    let (outcome, counters) = post(&rules, "text/xml", body.as_bytes());
    assert_eq!(outcome.blocked().map(|b| b.status), Some(413));
    bounded(counters, body.len() + (1 << 16));
}

#[test]
fn an_attack_in_an_entity_is_seen() {
    let Some(rules) = rules() else { return };
    let body = b"<!DOCTYPE a [<!ENTITY x \"1' or '1'='1' union select password from users -- \">]><a>&x;</a>";
    let (outcome, _) = post(&rules, "text/xml", body);
    assert_eq!(outcome.blocked().map(|b| b.status), Some(403));
}

#[test]
fn ten_thousand_parameters_are_refused() {
    let Some(rules) = rules() else { return };
    let form: Vec<String> = (0..10_000).map(|i| format!("name{i}=value{i}")).collect();
    let form = form.join("&");
    let (outcome, counters) = post(&rules, "application/x-www-form-urlencoded", form.as_bytes());
    assert_eq!(outcome.blocked().map(|b| b.status), Some(413));
    bounded(counters, form.len());
    let json: Vec<String> = (0..10_000).map(|i| format!("\"k{i}\":{i}")).collect();
    let json = format!("{{{}}}", json.join(","));
    let (outcome, counters) = post(&rules, "application/json", json.as_bytes());
    assert_eq!(outcome.blocked().map(|b| b.status), Some(413));
    bounded(counters, json.len());
}

#[test]
fn a_multipart_body_that_readers_could_take_differently_is_not_passed() {
    let Some(rules) = strict() else { return };
    let kind = "multipart/form-data; boundary=b";
    let disposition = "Content-Disposition: form-data; name=\"a\"";
    // The last boundary is missing, and the attack stands in the open part.
    let open = format!("--b\r\n{disposition}\r\n\r\n1' union select password from users -- ");
    // Lines of the format end in LF alone.
    let bare = format!("--b\n{disposition}\n\nx\n--b--\n");
    // A header folded, and the attack in a part without a name.
    let folded = format!("--b\r\n{disposition};\r\n filename=\"x\r\n\r\n<script>alert(1)</script>\r\n--b--\r\n");
    for body in [open, folded, bare] {
        let (outcome, counters) = post(&rules, kind, body.as_bytes());
        assert!(outcome.blocked().is_some(), "{body}");
        bounded(counters, body.len());
    }
    let many = format!("--b\r\n{disposition}; filename=\"f\"\r\n\r\nx\r\n").repeat(5_000) + "--b--\r\n";
    let (outcome, counters) = post(&rules, kind, many.as_bytes());
    assert!(outcome.blocked().is_some());
    bounded(counters, many.len());
}

#[test]
fn a_body_beyond_the_limit_is_refused_and_not_kept() {
    let text = "SecRuleEngine On\nSecRequestBodyLimit 1000\nSecRequestBodyLimitAction Reject\n";
    let rules = crs::load(text, &Options::default());
    let (outcome, counters) = post(&rules, "text/plain", &[b'a'; 100_000]);
    assert_eq!(outcome.blocked().map(|b| (b.rule, b.status)), Some((0, 413)));
    assert!(counters.scanned == 0 && counters.examined == 0);
}

#[test]
fn long_values_of_one_byte_cost_in_proportion() {
    let Some(rules) = rules() else { return };
    for byte in [b'a', b'\'', b'(', b'%', b'\\', b'<', b'-', b'/', b' ', b'.', b'&', b'=', b';', b'{'] {
        let body = [b"a=".to_vec(), vec![byte; 50_000]].concat();
        let (_, counters) = post(&rules, "application/x-www-form-urlencoded", &body);
        bounded(counters, body.len());
    }
}

#[test]
fn an_ordinary_upload_is_passed_whatever_its_bytes() {
    let Some(rules) = strict() else { return };
    let kind = "multipart/form-data; boundary=b";
    let head = "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.bin\"\r\n\r\n";
    for content in ["a\nb\rc\r\n-", "", "--\n---\n--c--", "\n\n\r\n"] {
        let body = format!("{head}{content}\r\n--b--\r\n");
        assert_eq!(post(&rules, kind, body.as_bytes()).0, Outcome::Pass, "{content:?}");
    }
}

#[test]
fn bodies_longer_than_allowed_without_files_are_refused_unread() {
    let Some(rules) = strict() else { return };
    let long = "a".repeat(3_000_000);
    let field =
        |extra: &str| format!("--b\r\nContent-Disposition: form-data; name=\"a\"{extra}\r\n\r\n{long}\r\n--b--\r\n");
    for (kind, body, passes) in [
        ("application/json", format!("\"{long}\""), false),
        ("text/xml", format!("<a>{long}</a>"), false),
        ("application/x-www-form-urlencoded", format!("a={long}"), false),
        ("multipart/form-data; boundary=b", field(""), false),
        ("multipart/form-data; boundary=b", field("; filename=\"f\""), true),
    ] {
        let (outcome, counters) = post(&rules, kind, body.as_bytes());
        assert_eq!(outcome.blocked().is_none(), passes, "{kind} {outcome:?}");
        assert!(counters.transformed + counters.scanned + counters.examined < 100_000, "{kind}: {counters:?}");
    }
}
