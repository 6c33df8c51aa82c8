//! The rule set's own regression tests, run in process.

use crate::crs;
use sekisho_waf::{
    Client, Options, RuleSet, Transaction,
    ftw::{self, Overrides, Stage},
    wire::Request,
};
use std::{fs, path::Path, sync::Arc};

/// Stages that only a server's own refusal satisfies. This list may only shrink.
const OVERRIDES: &str = include_str!("overrides.txt");
/// The number of them now: lower it with the list, never raise it.
const MOST_OVERRIDES: usize = 4;

/// Every stage of the corpus.
pub fn stages(folder: &Path) -> Vec<Stage> {
    let mut files: Vec<_> = fs::read_dir(folder.join("tests"))
        .unwrap()
        .filter_map(|d| fs::read_dir(d.unwrap().path()).ok())
        .flat_map(|d| d.map(|f| f.unwrap().path()))
        .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "yml"))
        .collect();
    files.sort();
    let one = |file: &std::path::PathBuf| {
        ftw::parse(&file.display().to_string(), &fs::read_to_string(file).unwrap()).unwrap_or_else(|e| panic!("{e}"))
    };
    files.iter().flat_map(one).collect()
}

pub fn client() -> Client {
    let local = std::net::IpAddr::from([192, 0, 2, 7]);
    Client {
        address: local,
        port: 50_000,
        server: local,
        server_port: 80,
        time: 1_700_000_000,
        unique_id: "t".to_owned(),
    }
}

/// Runs a request and the backend's answer.
pub fn run(rules: &Arc<RuleSet>, request: &Request) -> Transaction {
    ftw::carry_out(rules, request)
}

#[test]
fn every_stage_of_the_corpus_holds_or_is_overridden() {
    let Some(folder) = crs::folder() else { return };
    let rules = crs::load(&crs::corpus_text(&folder), &Options::default());
    let overrides = Overrides::parse(OVERRIDES).unwrap();
    assert!(overrides.len() <= MOST_OVERRIDES, "{} overrides, at most {MOST_OVERRIDES}", overrides.len());
    let stages = stages(&folder);
    assert!(stages.len() >= 4_972, "only {} stages were found", stages.len());
    let report = ftw::run(&rules, &stages, &overrides);
    assert!(report.failed.is_empty(), "{report}");
    assert_eq!(report.overridden.len(), overrides.len(), "an override names no stage");
    let passed = stages.len() - overrides.len();
    assert_eq!(report.to_string(), format!("{passed} passed, 0 failed, {} overridden", overrides.len()));
}

const TEST: &str = "rule_id: 7\ntests:\n  - test_id: 1\n    stages:\n      - input:\n          uri: \"/?a=evil\"\n          headers:\n            Host: a.example\n        output:\n          log:\n            expect_ids: [7]\n            match_regex: 'id \"7\"'\n  - test_id: 2\n    stages:\n      - input:\n          uri: \"/?a=good\"\n        output:\n          log:\n            expect_ids: [7]\n";

#[test]
fn a_report_names_what_failed_and_counts_the_rest() {
    let rules = crs::load("SecRule ARGS \"@contains evil\" \"id:7,phase:1,pass\"\n", &Options::default());
    let stages = ftw::parse("7.yaml", TEST).unwrap();
    assert_eq!(stages[0].bytes, b"GET /?a=evil HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    let report = ftw::run(&rules, &stages, &Overrides::default()).to_string();
    assert_eq!(report, "7-2: rule 7 did not match; these did: []\n1 passed, 1 failed, 0 overridden");
    let overrides = Overrides::parse("# why\n7-2: a server refuses it\n").unwrap();
    assert_eq!(ftw::run(&rules, &stages, &overrides).to_string(), "1 passed, 0 failed, 1 overridden");
    let stale = Overrides::parse("7-1: no reason any more\n7-2: a server refuses it").unwrap();
    let report = ftw::run(&rules, &stages, &stale).to_string();
    assert_eq!(report, "7-1: holds; take its override away\n0 passed, 1 failed, 1 overridden");
    assert_eq!(Overrides::parse("7-1:").unwrap_err(), "line 1: `7-1:` has no reason");
    assert_eq!(Overrides::parse("7-1: a\n7-1: b").unwrap_err(), "line 2: 7-1 stands twice");
}

#[test]
fn what_is_not_a_test_is_refused_with_its_file() {
    for (text, reason) in [
        ("a: [", "x.yaml: "),
        ("tests: []", "x.yaml: no `rule_id`"),
        ("rule_id: 1\ntests:\n  - stages: []", "x.yaml: a test has no `test_id`"),
        (
            "rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - input: {encoded_request: '!'}",
            "x.yaml: 1-1: `encoded_request` is not base64",
        ),
        (
            "rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - input: {data: '{{ \"a\" | repeat 99999999 }}'}",
            "x.yaml: 1-1: `\"a\" | repeat 99999999`: more than 1048576 bytes",
        ),
        ("rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - output: {log: {match_regex: '('}}", "x.yaml: 1-1: "),
    ] {
        let error = ftw::parse("x.yaml", text).unwrap_err();
        assert!(error.starts_with(reason), "{text}: {error}");
    }
}
