//! SecLang: what is carried out, and what is refused with its place.

use crate::{crs, ftw};
use sekisho_waf::{Options, RequestHead, RuleSet, Transaction};

fn get(rules: &str, target: &str, headers: &[(&[u8], &[u8])]) -> Transaction {
    let mut tx = crs::load(rules, &Options::default()).transaction(&ftw::client());
    tx.request(&RequestHead { method: b"GET", target: target.as_bytes(), protocol: b"HTTP/1.1", headers });
    tx.request_body();
    tx
}

fn ids(tx: &Transaction) -> Vec<u32> {
    tx.matches().iter().map(|m| m.rule).collect()
}

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    for (line, reason) in [
        ("SecFoo On", "directive `SecFoo` is not supported"),
        ("SecRule FOO \"@rx a\" \"id:1\"", "variable `FOO` is not supported"),
        ("SecRule ARGS \"@foo a\" \"id:1\"", "operator `@foo` is not supported"),
        ("SecRule ARGS \"@rx a\" \"id:1,t:foo\"", "transformation `t:foo` is not supported"),
        ("SecRule ARGS \"@rx a\" \"id:1,foo\"", "action `foo` is not supported"),
        ("SecRule ARGS \"@rx (?=a)\" \"id:1\"", "look-around"),
        ("SecRule ARGS \"@rx (a)\\1\" \"id:1\"", "backreferences are not supported"),
        ("SecRule ARGS \"@rx a++b\" \"id:1\"", "possessive quantifiers are not supported"),
        ("SecRule XML:/a/b \"@rx a\" \"id:1\"", "of XPath only"),
        ("SecRule ARGS \"@rx a\" \"phase:2\"", "the rule has no id"),
        ("SecRule ARGS \"@rx a\" \"id:1,chain\"", "the chain is not followed by a rule"),
        ("SecRule ARGS \"@rx a\" \"id:1,skipAfter:NOWHERE\"", "there is no such SecMarker"),
        ("SecRule ARGS \"@rx a\" \"id:1,msg:'%{FOO}'\"", "no such variable"),
        ("SecRuleRemoveById 7", "no rule before this line is meant"),
        ("SecRule ARGS \"@pmFromFile missing.data\" \"id:1\"", "missing.data"),
        ("SecRule ARGS \"@rx a", "a \" is not closed"),
    ] {
        let text = format!("# first\nSecRuleEngine On\n{line}\n");
        let error = RuleSet::from_text(&mut crs::Disk, "own.conf", &text, &Options::default()).unwrap_err().to_string();
        assert!(error.starts_with("own.conf:3: ") && error.contains(reason), "{line}: {error}");
    }
}

#[test]
fn setvar_on_the_last_link_of_a_chain_is_carried_out() {
    let rules = "SecRule ARGS:a \"@streq 1\" \"id:1,phase:1,pass,nolog,chain\"\nSecRule ARGS:b \"@streq 2\" \"setvar:tx.score=+5\"\n\
                 SecRule TX:score \"@ge 5\" \"id:2,phase:1,deny,status:418,msg:'score %{tx.score}'\"\n";
    let tx = get(rules, "/?a=1&b=2", &[]);
    assert_eq!(tx.verdict().map(|b| (b.rule, b.status)), Some((2, 418)));
    assert_eq!(tx.matches()[0].message, b"score 5");
    assert_eq!(get(rules, "/?a=1&b=3", &[]).verdict(), None);
}

#[test]
fn selectors_exclusions_and_counts() {
    let rules = "SecRule ARGS|!ARGS:/^skip/|!ARGS:Token \"@contains x\" \"id:1,phase:1,pass\"\n\
                 SecRule &ARGS:a \"@eq 2\" \"id:2,phase:1,pass\"\n\
                 SecRule REQUEST_HEADERS:X-Test \"@streq yes\" \"id:3,phase:1,pass\"\n";
    assert_eq!(ids(&get(rules, "/?skipped=x&token=x&a=1", &[])), [0_u32; 0]);
    assert_eq!(ids(&get(rules, "/?a=x&A=1", &[(b"x-TEST", b"yes")])), [1, 2, 3]);
}

#[test]
fn rules_and_targets_are_removed_while_running_and_while_loading() {
    let base = "SecRule ARGS:off \"@streq 1\" \"id:1,phase:1,pass,nolog,ctl:ruleRemoveByTag=^attack,ctl:ruleRemoveTargetById=3;ARGS:b\"\n\
                SecRule ARGS \"@contains x\" \"id:2,phase:1,pass,tag:'attack-x'\"\nSecRule ARGS \"@contains x\" \"id:3,phase:1,pass\"\n";
    assert_eq!(ids(&get(base, "/?b=x", &[])), [2, 3]);
    assert_eq!(ids(&get(base, "/?b=x&off=1", &[])), [0_u32; 0]);
    assert_eq!(ids(&get(base, "/?b=x&off=1&c=x", &[])), [3]);
    let removed = format!("{base}SecRuleRemoveByTag attack\nSecRuleUpdateTargetById 3 !ARGS:/^b$/\n");
    assert_eq!(ids(&get(&removed, "/?b=x&c=1", &[])), [0_u32; 0]);
}

#[test]
fn a_gate_that_is_decided_while_loading_can_still_be_removed() {
    let rules = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"\n\
                 SecRule ARGS:open \"@streq 1\" \"id:2,phase:1,pass,nolog,ctl:ruleRemoveById=3\"\n\
                 SecRule TX:level \"@lt 2\" \"id:3,phase:1,pass,nolog,skipAfter:END\"\n\
                 SecRule ARGS \"@contains x\" \"id:4,phase:1,pass\"\nSecMarker END\n";
    assert_eq!(ids(&get(rules, "/?a=x", &[])), [0_u32; 0]);
    assert_eq!(ids(&get(rules, "/?a=x&open=1", &[])), [4]);
}

#[test]
fn multi_match_tests_after_each_transformation_and_capture_fills_tx() {
    let rules = "SecRule ARGS \"@rx ^%4(1)$\" \"id:1,phase:1,pass,t:none,t:urlDecode,capture,multiMatch,msg:'%{TX.0}-%{TX.1}'\"\n";
    let tx = get(rules, "/?a=%2541", &[]);
    assert_eq!(tx.matches()[0].message, b"%41-1");
}

#[test]
fn bytes_that_are_not_utf_8_are_examined_as_they_are() {
    let rules = "SecRule ARGS \"@rx ^\\xff\\xfe$\" \"id:1,phase:1,deny\"\n";
    assert_eq!(get(rules, "/?a=%FF%FE", &[]).verdict().map(|b| b.rule), Some(1));
}

#[test]
fn explain_names_rule_place_and_part() {
    let rules = crs::load("SecRule ARGS \"@contains evil\" \"id:9,phase:2,deny,msg:'no'\"\n", &Options::default());
    let head = RequestHead { method: b"GET", target: b"/?q=evil", protocol: b"HTTP/1.1", headers: &[] };
    let found = rules.explain(&ftw::client(), &head, b"");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].place.to_string().as_str(), found[0].parts[0].name.as_slice()),
        ("test.conf:1", &b"ARGS:q"[..])
    );
    assert_eq!(&*found[0].test, "@contains evil");
}
