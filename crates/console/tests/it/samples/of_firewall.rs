//! Samples of the firewall's pages.

use sekisho_console::{
    Blocked, ExclusionView, Figures, FirewallState, Ranked, SetView, messages as m,
    page::{firewall, *},
};
use sekisho_kernel::{Lang, Zone, id::*};

use super::{at, id, j, shell};

pub fn pages(lang: Lang, put: &mut dyn FnMut(&'static str, &dyn askama::DynTemplate)) {
    let zone = Zone::parse("JST").expect("a zone");
    let set = |out_of_date| SetView {
        name: "OWASP_CRS/4.28.0".into(),
        version: 12,
        origin: "feed",
        made: at(86_400 * 12).rfc3339(),
        loaded: at(86_400 * 11).rfc3339(),
        age_seconds: 86_400 * 12,
        out_of_date,
        rules: 612,
        tests: 4_968,
    };
    let text = j(
        lang,
        "rule 942100 on ARGS:comment at /orders/ until 2027-03-31: 備考に SQL の例が入る",
        "rule 942100 on ARGS:comment at /orders/ until 2027-03-31: examples of SQL in comments",
    );
    let exclusion = |own, active| ExclusionView { text: text.clone(), own, until: at(0).rfc3339(), active };
    let state = |out_of_date, exclusions| FirewallState {
        rule_set: set(out_of_date),
        mode: if out_of_date { "detect" } else { "on" },
        paranoia: 1,
        threshold: 5,
        exclusions,
        own_exclusions_allowed: 20,
    };
    let ranked = |rows: &[(&str, &str, usize)]| {
        rows.iter().map(|(n, s, c)| Ranked { name: (*n).into(), says: (*s).into(), count: *c }).collect::<Vec<_>>()
    };
    let newest = |n: u8| Blocked {
        id: id::<EntryKind>(n).to_string(),
        at: at(i64::from(n) * 300).rfc3339(),
        local_time: at(i64::from(n) * 300).in_zone(&zone),
        blocked: n != 3,
        address: "198.51.100.7".into(),
        method: "POST".into(),
        path: "/orders/search".into(),
        rules: vec!["942100".into(), "942190".into()],
        message: "SQL Injection Attack Detected via libinjection".into(),
        part: "ARGS:comment".into(),
        matched: "1' or '1'='1".into(),
        score: "15".into(),
        trace: "0af7651916cd43dd8448eb211c80319c".into(),
    };
    let figures = || Figures {
        blocked: 143,
        detected: 4,
        by_hour: vec![0, 0, 2, 1, 0, 0, 0, 3, 9, 22, 14, 6, 0, 1, 0, 0, 5, 31, 28, 12, 4, 3, 1, 1],
        by_rule: ranked(&[
            ("942100", "SQL Injection Attack Detected via libinjection", 88),
            ("941100", "XSS Attack Detected via libinjection", 31),
            ("930120", "OS File Access Attempt", 24),
        ]),
        by_path: ranked(&[("/orders/search", "", 90), ("/sign-in", "", 41), ("/.env", "", 12)]),
        by_address: ranked(&[("198.51.100.7", "", 120), ("2001:db8:12::8f", "", 23)]),
        newest: (0..4).map(newest).collect(),
        more: false,
    };
    let lists = vec![exclusion(false, true), exclusion(true, false)];
    let p = || shell(lang, m::FIREWALL, "/firewall");
    put("firewall", &firewall::page_of(p(), state(false, lists), figures(), at(0)));
    let quiet = Figures { by_hour: vec![0; 24], ..Figures::default() };
    put("firewall-quiet", &firewall::page_of(p(), state(true, Vec::new()), quiet, at(0)));
    let example = |blocked| firewall::Example {
        mark: if blocked {
            Mark { tone: "bad", icon: "stop", text: m::WOULD_BE_BLOCKED }
        } else {
            Mark { tone: "good", icon: "check", text: m::WOULD_PASS }
        },
        time: at(900).in_zone(&zone),
        what: "POST /orders/search".into(),
        address: "203.0.113.24".into(),
        rules: "942100".into(),
        part: "ARGS:comment".into(),
        matched: "select one from the list".into(),
    };
    let outcome = |rows: Vec<firewall::Example>| firewall::Outcome {
        tried: 147,
        before: 143,
        after: 143 + rows.len(),
        newly_blocked: rows.len(),
        newly_passing: 0,
        rows,
    };
    put(
        "firewall-try",
        &firewall::TryPage {
            p: shell(lang, m::TRY_FIRST, "/firewall/try"),
            levels: (1..=4).map(|n| Choice::new(n.to_string(), n.to_string())).collect(),
            paranoia: "2".into(),
            threshold: "5".into(),
            o: outcome(vec![example(true), example(false)]),
        },
    );
    for (name, may_add) in [("firewall-exclude", true), ("firewall-exclude-operator", false)] {
        put(
            name,
            &firewall::ExcludePage {
                p: shell(lang, m::EXCLUDE, "/firewall/exclude"),
                rule: "942100".into(),
                part: "ARGS:comment".into(),
                path: "/orders/".into(),
                until: "2026-12-22".into(),
                reason: j(lang, "備考に SQL の例が入る", "examples of SQL in comments"),
                line: format!("\"{text}\""),
                may_add,
                o: Some(outcome(if may_add { vec![example(false)] } else { Vec::new() })),
            },
        );
    }
}
