//! Ordinary traffic passes.

use crate::{crs, ftw, traffic::traffic};
use sekisho_waf::Options;
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
        let mut tx = rules.transaction(&ftw::client());
        request.wire().examine(&mut tx);
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
