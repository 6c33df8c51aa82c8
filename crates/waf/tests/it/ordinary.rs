//! Ordinary traffic passes.

use crate::{crs, ftw, traffic::traffic};
use sekisho_waf::{Options, RequestHead};
use std::{collections::BTreeMap, fmt::Write};

const REQUESTS: usize = 5_000;
/// What the rule set itself blocks, in any engine.
const KNOWN: &str = include_str!("ordinary.txt");

fn known(kind: &str, rule: u32) -> bool {
    KNOWN.lines().filter(|l| !l.starts_with('#')).any(|line| {
        let mut parts = line.splitn(3, ": ");
        let (name, rules) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        name == kind && parts.next().is_some() && rules.split(' ').any(|r| r.parse() == Ok(rule))
    })
}

#[test]
fn none_of_5000_ordinary_requests_is_blocked_at_paranoia_level_1() {
    let Some(folder) = crs::folder() else { return };
    let rules = crs::load(&crs::ordinary_text(&folder), &Options::default());
    let mut blocked = String::new();
    let mut by_rule: BTreeMap<u32, usize> = BTreeMap::new();
    for (index, request) in traffic(2026, REQUESTS).iter().enumerate() {
        let headers: Vec<(&[u8], &[u8])> = request.headers.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
        let head = RequestHead {
            method: request.method.as_bytes(),
            target: request.target.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &headers,
        };
        let mut tx = rules.transaction(&ftw::client());
        tx.request(&head);
        tx.append_request_body(&request.body);
        tx.request_body();
        if tx.verdict().is_some() {
            for found in tx.matches().iter().filter(|m| m.rule < 949_000 && !known(request.kind, m.rule)) {
                *by_rule.entry(found.rule).or_default() += 1;
                let _ = writeln!(
                    blocked,
                    "{index} {} {}: {} {} {}",
                    request.kind,
                    request.target,
                    found.rule,
                    String::from_utf8_lossy(&found.message),
                    String::from_utf8_lossy(&found.data)
                );
            }
        }
    }
    assert!(blocked.is_empty(), "{by_rule:?}\n{blocked}");
}
