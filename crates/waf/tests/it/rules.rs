//! SecLang: what is carried out, and what is refused with its place.

use crate::{crs, ftw};
use sekisho_waf::{
    Exclusion, InMemory, Options, RequestHead, RuleSet, Transaction, Which, mask::Secrets, wire::Request,
};
use std::sync::Arc;

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
        ("SecRule ARGS \"@rx (?<=a*)b\" \"id:1\"", "what stands behind has no bound"),
        ("SecRule ARGS \"@rx (a)\\2\" \"id:1\"", "\\2 names no group before it"),
        ("SecRule ARGS \"@rx a++(?R)\" \"id:1\"", "a group of this kind is not supported"),
        ("SecRule ARGS:/(?=a)/ \"@rx a\" \"id:1\"", "look-around"),
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
    let text = "SecAction \"id:8,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_pl1=0\"\n\
                SecRule ARGS \"@contains evil\" \"id:9,phase:2,deny,msg:'no',t:urlDecodeUni,t:lowercase,chain\"\n\
                SecRule REQUEST_METHOD \"!@rx x\" \"setvar:tx.inbound_anomaly_score_pl1=+5\"\n";
    let rules = crs::load(text, &Options::default());
    let head = RequestHead { method: b"GET", target: b"/?q=%2545vil", protocol: b"HTTP/1.1", headers: &[] };
    let explanation = rules.explain(&ftw::client(), &head, b"");
    assert_eq!(explanation.verdict.as_ref().map(|b| b.rule), Some(9));
    let [rule] = explanation.rules.as_slice() else { panic!("{explanation:?}") };
    assert_eq!(
        (rule.place.to_string().as_str(), rule.action, rule.logged, rule.score),
        ("test.conf:2", "deny", true, 5)
    );
    let link = &rule.links[0];
    assert_eq!(
        (link.test.as_str(), link.transformations.as_slice()),
        ("@contains evil", &["urlDecodeUni", "lowercase"][..])
    );
    let part = &link.parts[0];
    assert_eq!((&part.name[..], &part.before[..], &part.value[..]), (&b"ARGS:q"[..], &b"%45vil"[..], &b"evil"[..]));
    assert_eq!((rule.links[1].test.as_str(), &rule.links[1].parts[0].name[..]), ("!@rx x", &b"REQUEST_METHOD"[..]));
}

#[test]
fn exclusions_of_the_caller_leave_out_rules_or_parts() {
    let text = "SecRule ARGS|REQUEST_COOKIES \"@contains x\" \"id:1,phase:1,pass,tag:'attack-x'\"\n\
                SecRule ARGS \"@contains x\" \"id:2,phase:1,pass,msg:'finds x'\"\n";
    let rules = crs::load(text, &Options::default());
    let seen = |exclusions: Vec<Exclusion>, target: &str| {
        let rules = Arc::new(rules.with(&Options { exclusions, ..Options::default() }).unwrap());
        let mut tx = rules.transaction(&ftw::client());
        let headers: &[(&[u8], &[u8])] = &[(b"Cookie", b"c=x")];
        tx.request(&RequestHead { method: b"GET", target: target.as_bytes(), protocol: b"HTTP/1.1", headers });
        ids(&tx)
    };
    let by_id =
        |target: Option<&str>| Exclusion { rules: Which::Ids(vec![(1, 1)]), targets: target.map(str::to_owned) };
    assert_eq!(seen(Vec::new(), "/?a=x"), [1, 2]);
    assert_eq!(seen(vec![by_id(None)], "/?a=x"), [2]);
    assert_eq!(seen(vec![by_id(Some("ARGS:a"))], "/?a=x"), [1, 2]);
    assert_eq!(seen(vec![by_id(Some("ARGS:/^A$/|REQUEST_COOKIES:c"))], "/?a=x"), [2]);
    assert_eq!(
        seen(vec![Exclusion { rules: Which::Tag("^attack-".into()), targets: Some("REQUEST_COOKIES".into()) }], "/?b="),
        [0_u32; 0]
    );
    assert_eq!(seen(vec![Exclusion { rules: Which::Msg("finds".into()), targets: None }], "/?a=x"), [1]);
    for (exclusion, reason) in [
        (Exclusion { rules: Which::Ids(vec![(7, 9)]), targets: None }, "options:0: no rule is meant by Ids([(7, 9)])"),
        (by_id(Some("FOO")), "options:0: variable `FOO` is not supported"),
        (by_id(Some("!ARGS:a")), "options:0: `!ARGS:a`: names what is left out, without `!` and `&`"),
    ] {
        let error = rules.with(&Options { exclusions: vec![exclusion], ..Options::default() }).unwrap_err();
        assert_eq!(error.to_string(), reason);
    }
}

#[test]
fn secrets_are_masked_in_what_is_written_down() {
    let rules = "SecRule ARGS|REQUEST_HEADERS|REQUEST_URI|REQUEST_COOKIES \"@rx .*or 1.*\" \"id:1,phase:1,pass,capture,msg:'SQL',logdata:'%{TX.0} in %{MATCHED_VAR_NAME}'\"\n";
    let masked = |target: &str, headers: &[(&[u8], &[u8])]| {
        let tx = get(rules, target, headers);
        let found = tx.matches().first().unwrap();
        let masked = Secrets::default().masked(found);
        (masked.data, masked.parts)
    };
    let (data, parts) = masked("/?user_password=hunter2' or 1", &[]);
    assert_eq!(data, "***");
    assert!(parts.contains(&("ARGS:user_password".into(), "***".into())), "{parts:?}");
    assert!(parts.contains(&("REQUEST_URI".into(), "/?user_password=***".into())), "{parts:?}");
    let (data, parts) = masked("/", &[(b"Authorization", b"Bearer abc or 1")]);
    assert_eq!((data.as_str(), parts[0].1.as_str()), ("***", "***"));
    let (data, parts) = masked("/?shipping=a\u{1}\u{202e} or 1", &[]);
    assert_eq!(parts[0].1, "a\\x01\\u{202e} or 1");
    assert!(data.ends_with("in REQUEST_URI"), "{data}");
    let secrets = Secrets::default().with(["kennwort".to_owned()]);
    assert_eq!(
        secrets.text(br#"{"token": "a b", "q": "x", "Kennwort":"y"}"#),
        r#"{"token": "***", "q": "x", "Kennwort":"***"}"#
    );
    assert_eq!(secrets.text(b"4111 1111 1111 1111, 4111 1111 1111 1112"), "***, 4111 1111 1111 1112");
    assert_eq!(secrets.text(b"sent Bearer eyJh.b.c ok"), "sent Bearer *** ok");
    assert_eq!(secrets.text(b"Authorization: Bearer eyJh.b.c ok"), "Authorization: ***");
}

#[test]
fn files_in_memory_include_each_other() {
    let files = [
        ("rules/main.conf", "Include sub/*.conf\nSecRule ARGS \"@pmFromFile words.data\" \"id:1,phase:1,pass\"\n"),
        ("rules/sub/b.conf", "SecRule ARGS \"@contains b\" \"id:3,phase:1,pass\"\n"),
        ("rules/sub/a.conf", "SecRule ARGS \"@contains a\" \"id:2,phase:1,pass\"\n"),
        ("rules/words.data", "# comment\nword\n"),
    ];
    let mut files = InMemory(files.map(|(n, t)| (n.to_owned(), t.as_bytes().to_vec())).into());
    let rules = Arc::new(RuleSet::load(&mut files, "rules/main.conf", &Options::default()).unwrap());
    let mut tx = rules.transaction(&ftw::client());
    tx.request(&RequestHead { method: b"GET", target: b"/?x=a+b+word", protocol: b"HTTP/1.1", headers: &[] });
    assert_eq!(ids(&tx), [2, 3, 1]);
}

#[test]
fn requests_as_text() {
    let request =
        Request::parse(b"POST /a HTTP/1.1\nHost: a.example\nTransfer-Encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n")
            .unwrap();
    assert_eq!(request.clone().received().body, b"abc");
    assert_eq!(Request::parse(&request.bytes()).unwrap(), request);
    assert_eq!(
        Request::parse(b"GET / HTTP/1.1\r\nHost\r\n\r\n").unwrap_err().to_string(),
        "line 2: a header field has no name"
    );
    assert_eq!(Request::parse(b"").unwrap_err().to_string(), "line 1: the request line has no method");
    assert_eq!(Request::parse(b"GET").unwrap_err().to_string(), "line 1: the request line has no target");
}

#[test]
fn rules_say_what_they_are_and_matches_what_they_added() {
    let text = "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_pl2=0,setvar:tx.critical_anomaly_score=5\"\n\
                SecRule ARGS \"@contains x\" \"id:2,phase:1,pass,msg:'finds %{MATCHED_VAR}',severity:CRITICAL,tag:'paranoia-level/2',\
                setvar:'tx.inbound_anomaly_score_pl2=+%{tx.critical_anomaly_score}'\"\n";
    let rules = crs::load(text, &Options::default());
    let [first, second] = rules.rules().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((first.id, first.logged, first.level), (1, false, None));
    assert_eq!((second.message.as_str(), second.severity, second.level), ("finds ", Some(2), Some(2)));
    let tx = get(text, "/?a=x&b=xx", &[]);
    let [found] = tx.matches() else { panic!("{:?}", tx.matches()) };
    assert_eq!((found.score, found.level(), found.parts.len()), (10, Some(2), 2));
}

#[test]
fn what_one_request_wrote_is_gone_in_the_next() {
    let text = "SecRule ARGS:a \"@rx (.+)\" \"id:1,phase:1,pass,nolog,capture,setvar:tx.seen=%{TX.1},setvar:'tx.other_%{TX.1}=1'\"\n\
                SecRule TX:seen|TX:1|TX:/^other_/ \"@rx .\" \"id:2,phase:2,pass\"\n\
                SecRule TX:level \"@eq 2\" \"id:3,phase:1,pass\"\n";
    let rules = crs::load(text, &Options::default());
    let pinned = Options { tx: vec![("level".into(), "2".into())], ..Options::default() };
    let pinned = Arc::new(rules.with(&pinned).unwrap());
    let ask = |rules: &Arc<RuleSet>, target: &[u8]| {
        let mut tx = rules.transaction(&ftw::client());
        tx.request(&RequestHead { method: b"GET", target, protocol: b"HTTP/1.1", headers: &[] });
        tx.request_body();
        ids(&tx)
    };
    for _ in 0..3 {
        assert_eq!(ask(&rules, b"/?a=secret"), [2]);
        assert_eq!(ask(&pinned, b"/"), [3], "of the same memory, with members of its own");
        assert_eq!(ask(&rules, b"/"), [0_u32; 0]);
    }
}

#[test]
fn lists_that_change_some_value_are_not_taken_for_those_that_change_none() {
    let rules = "SecRule ARGS \"@rx ^0$\" \"id:1,phase:1,pass,t:length\"\nSecRule ARGS \"@rx ^0$\" \"id:2,phase:1,pass\"\n\
                 SecRule ARGS|REQUEST_METHOD \"@rx ^get$\" \"id:3,phase:1,pass,t:lowercase\"\n\
                 SecRule ARGS|REQUEST_METHOD \"@rx ^get$\" \"id:4,phase:1,pass\"\n\
                 SecRule ARGS \"@rx ^ab$\" \"id:5,phase:1,pass,t:removeWhitespace\"\n";
    assert_eq!(ids(&get(rules, "/?a=", &[])), [1, 3], "the empty value has a length");
    assert_eq!(ids(&get(rules, "/?a=0", &[])), [2, 3]);
    assert_eq!(ids(&get(rules, "/?a=get", &[])), [3, 4]);
    assert_eq!(ids(&get(rules, "/?a=x&b=a+b", &[])), [3, 5], "one of the values has a blank");
}

#[test]
fn transactions_and_rules_cross_threads() {
    fn sent<T: Send + Sync>() {}
    sent::<RuleSet>();
    sent::<Transaction>();
}
