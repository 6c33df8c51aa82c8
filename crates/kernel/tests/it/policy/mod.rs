//! Reading policies: what is accepted, what is refused, and the words in which it is.

mod properties;

use sekisho_kernel::{
    Lang, Policy, Schema, Setting, Text,
    policy::{
        Default, Kind, Movement, PolicyProblem, Source, Value, allowed, check, explain, json_schema, loosens,
        parse_value, read, spoken, stricter, value_from_json, value_to_json,
    },
};
use serde_json::json;

const DOC: Text = Text::new("説明。", "What it does.");

macro_rules! settings {
    ($($c:ident $key:literal $kind:expr, $default:expr, $movement:ident;)*) => {
        $(static $c: Setting = Setting { key: $key, kind: $kind, default: $default, tenant: Movement::$movement, doc: DOC };)*
        fn schema() -> Schema {
            Schema::new([$(&$c),*])
        }
    };
}

settings! {
    TRIES "lockout.tries" Kind::Int { min: 1, max: 100 }, Default::Int(3), Min;
    PERIOD "lockout.period" Kind::Span { min: 60, max: 604_800 }, Default::Secs(1_800), Max;
    KNOWN "lockout.known_device" Kind::Bool, Default::Bool(false), Fixed;
    IDLE "sessions.idle" Kind::Span { min: 60, max: 86_400 }, Default::Secs(1_800), Min;
    MODE "second_factor.mode" Kind::Choice(&["off", "optional", "required"]), Default::Str("optional"), Max;
    TLS "encryption.tls_min" Kind::Choice(&["1.2", "1.3"]), Default::Str("1.2"), Fixed;
    ZONE "audit.zone" Kind::Zone, Default::Str("UTC"), Fixed;
    ALLOW "addresses.allow" Kind::Networks, Default::List(&[]), Subset;
    DENY "addresses.deny" Kind::Networks, Default::List(&[]), Beside;
    LISTEN "door.listen" Kind::Socket, Default::Str("127.0.0.1:8443"), Fixed;
    ALSO "door.also" Kind::Sockets, Default::List(&[]), Fixed;
    UPSTREAM "door.upstream" Kind::Origin, Default::Str("http://127.0.0.1:3000"), Fixed;
    TITLE "door.title" Kind::Str { max: 20 }, Default::Str("Sekisho"), Fixed;
    LIST "passwords.breached_list" Kind::Path, Default::Str(""), Fixed;
    MAX_AGE "passwords.max_age" Kind::Span { min: 0, max: 315_360_000 }, Default::Secs(0), Min;
    WORDS "passwords.words" Kind::List, Default::List(&[]), Fixed;
}

fn none(_: &str) -> Option<&'static str> {
    None
}

fn parse(text: &str) -> Result<Policy, Vec<PolicyProblem>> {
    read(&schema(), &Source::new("policy.toml", text), &none)
}

fn good(text: &str) -> Policy {
    parse(text).unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| p.render(Lang::En)).collect::<String>()))
}

/// The problems as `line:column code`, then what and notes in English.
fn bad(text: &str) -> Vec<String> {
    let problems = parse(text).expect_err("must be refused");
    problems
        .iter()
        .map(|p| {
            let notes: String = p
                .notes
                .iter()
                .filter_map(|n| match n {
                    sekisho_kernel::policy::Note::Help(t) => Some(format!("; {}", t.en)),
                    sekisho_kernel::policy::Note::Allowed(_) => None,
                })
                .collect();
            format!("{}:{} {} {}{notes}", p.line, p.column, p.kind.code, p.what.en)
        })
        .collect()
}

#[test]
fn what_a_tenant_adds_joins_the_platforms_and_loosens_nothing() {
    let nets = |all: &[&str]| Value::Networks(all.iter().map(|n| n.parse().unwrap()).collect());
    let (platform, own) = (nets(&["192.0.2.0/24"]), nets(&["198.51.100.0/24", "192.0.2.0/24"]));
    assert_eq!(stricter(&DENY, platform.clone(), &own), nets(&["192.0.2.0/24", "198.51.100.0/24"]));
    assert!(!loosens(&DENY, &platform, &own));
    assert!(!loosens(&DENY, &platform, &nets(&[])));
    assert_eq!(stricter(&DENY, platform.clone(), &nets(&[])), platform);
}

#[test]
fn an_empty_file_is_the_defaults() {
    let policy = good("");
    assert_eq!(policy.name(), "policy");
    assert_eq!(policy.digest(), Policy::defaults(&schema()).digest());
    assert!(!policy.is_set(&TRIES));
}

#[test]
fn values_of_every_kind_are_read() {
    let policy = good(
        r#"
        name = "ours"
        lockout.tries = 0x0A
        [sessions]
        idle = "15m"
        [second_factor]
        mode = "required"
        [audit]
        zone = "+09:00"
        [addresses]
        allow = ["192.0.2.0/24", "2001:db8::/32"]
        [door]
        listen = "[::1]:0"
        also = ["0.0.0.0:80"]
        upstream = "https://app.example:8080"
        title = "関所"
        [passwords]
        breached_list = "lists/pwned.txt"
        max_age = "0s"
        words = ["one", "two"]
        "#,
    );
    assert_eq!(policy.name(), "ours");
    assert_eq!(policy.value(&TRIES), Value::Int(10));
    assert_eq!(policy.value(&IDLE), Value::Span(std::time::Duration::from_secs(900)));
    assert_eq!(policy.value(&MODE), Value::Str("required".into()));
    assert_eq!(policy.value(&LISTEN), Value::Str("[::1]:0".into()));
    assert_eq!(policy.value(&UPSTREAM), Value::Str("https://app.example:8080".into()));
    assert!(matches!(policy.value(&ALLOW), Value::Networks(n) if n.len() == 2));
    assert!(policy.is_set(&MAX_AGE) && !policy.is_set(&PERIOD));
}

#[test]
fn a_problem_reads_like_a_compilers() {
    let problems = parse("[lockout]\ntires = 3\n").expect_err("an unknown key");
    assert_eq!(
        problems[0].render(Lang::En),
        "error[SK-7003]: There is no such setting.\n --> policy.toml:2:1\n  |\n2 | tires = 3\n  | ^^^^^ [lockout] has no setting called tires\n  = help: did you mean tries?\n"
    );
    assert_eq!(
        problems[0].render(Lang::Ja),
        "エラー[SK-7003]: この設定項目はありません。\n --> policy.toml:2:1\n  |\n2 | tires = 3\n  | ^^^^^ [lockout] に tires という設定項目はありません。\n  = ヒント: tries ではありませんか。\n"
    );
    let problems = parse("[lockout]\nperiod = 30\n").expect_err("no unit");
    assert_eq!(
        problems[0].render(Lang::En),
        "error[SK-7005]: The duration is not written as one.\n --> policy.toml:2:10\n  |\n2 | period = 30\n  |          ^^ the unit is missing: s, m, h or d\n  = allowed: a duration from \"1m\" to \"7d\", for example \"30m\"\n  = help: did you mean \"30m\"?\n"
    );
    let problem = problems[0].problem();
    assert_eq!(problem.place.as_deref(), Some("policy.toml:2:10"));
    assert_eq!(problem.kind.code, "SK-7005");
}

#[test]
fn the_caret_stands_below_wide_characters_too() {
    let problems = parse("door = { title = \"関所\", listn = 1 }\n").expect_err("an unknown key");
    let rendered = problems[0].render(Lang::En);
    let (source, caret) = (rendered.lines().nth(3).expect("source"), rendered.lines().nth(4).expect("caret"));
    let wide: usize =
        source.split("listn").next().expect("before").chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    assert_eq!(caret.find('^'), Some(wide), "{rendered}");
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_file() {
    let text = "nam = \"x\"\n[lockout]\ntries = 0\nperiod = \"30x\"\n\n[session]\nidle = \"30m\"\n[sessions]\ntries = 3\n[audit]\nzone = \"Asia/Tokyo\"\n";
    assert_eq!(
        bad(text),
        [
            "1:1 SK-7003 outside a section there is nothing called nam; did you mean name?",
            "3:9 SK-7006 0 is below the least value, 1",
            "4:10 SK-7005 \"30x\" is no duration: write a whole number and one of the units s, m, h, d",
            "6:2 SK-7002 no control has a section called session; did you mean sessions?",
            "9:1 SK-7003 [sessions] has no setting called tries; did you mean tries in [lockout]?",
            "11:8 SK-7007 \"Asia/Tokyo\" is no fixed zone; did you mean \"JST\"?",
        ]
    );
}

#[test]
fn wrong_values_say_what_was_meant() {
    for (text, want) in [
        ("lockout.tries = \"3\"", "SK-7004 this must be a whole number, not a text; write 3"),
        ("lockout.tries = 3.5", "SK-7004 this must be a whole number, not a number with a fraction"),
        ("lockout.tries = 101", "SK-7006 101 is above the greatest value, 100"),
        ("lockout.tries = 99999999999999999999", "SK-7006 the number is too large"),
        ("lockout.tries = 2026-01-01", "SK-7004 this must be a whole number, not a date"),
        ("lockout.known_device = \"yes\"", "SK-7004 this must be true or false, not a text; write true"),
        ("lockout.known_device = 0", "SK-7004 this must be true or false, not a whole number; write false"),
        ("lockout = 3", "SK-7004 lockout is a section, not a setting; write its settings below a line [lockout]"),
        ("lockout.period = 45", "SK-7005 the unit is missing: s, m, h or d; did you mean \"45m\"?"),
        ("lockout.period = \"45\"", "SK-7005 the unit is missing: s, m, h or d; did you mean \"45m\"?"),
        ("sessions.idle = 3600", "SK-7005 the unit is missing: s, m, h or d; did you mean \"3600s\"?"),
        (
            "lockout.period = \"1h 30 min\"",
            "SK-7005 \"1h 30 min\" is no duration: write a whole number and one of the units s, m, h, d; did you mean \"90m\"?",
        ),
        (
            "lockout.period = \"30分\"",
            "SK-7005 \"30分\" is no duration: write a whole number and one of the units s, m, h, d; did you mean \"30m\"?",
        ),
        (
            "lockout.period = \"030m\"",
            "SK-7005 \"030m\" is no duration: write a whole number and one of the units s, m, h, d; did you mean \"30m\"?",
        ),
        (
            "lockout.period = \"-5m\"",
            "SK-7005 \"-5m\" is no duration: write a whole number and one of the units s, m, h, d",
        ),
        ("lockout.period = \"8d\"", "SK-7006 8d is above the greatest value, 7d"),
        ("lockout.period = \"30s\"", "SK-7006 30s is below the least value, 1m"),
        ("lockout.period = \"99999999999999999999d\"", "SK-7006 the number is too large"),
        ("lockout.period = true", "SK-7004 this must be a duration with its unit, not true or false"),
        (
            "second_factor.mode = \"Required\"",
            "SK-7007 \"Required\" is not one of the choices; did you mean \"required\"?",
        ),
        ("second_factor.mode = \"never\"", "SK-7007 \"never\" is not one of the choices"),
        ("encryption.tls_min = 1.2", "SK-7004 this must be a text, not a number with a fraction; write \"1.2\""),
        ("addresses.allow = \"10.0.0.0/8\"", "SK-7004 this must be a list, not a text; write [\"10.0.0.0/8\"]"),
        (
            "addresses.allow = [\"10.0.0.1\"]",
            "SK-7007 \"10.0.0.1\" is an address, not a network; did you mean \"10.0.0.1/32\"?",
        ),
        (
            "addresses.allow = [\"10.0.0.1/8\"]",
            "SK-7007 \"10.0.0.1/8\" has bits set beyond its prefix; did you mean \"10.0.0.0/8\"?",
        ),
        (
            "addresses.allow = [\"::ffff:10.0.0.0/104\"]",
            "SK-7007 \"::ffff:10.0.0.0/104\" is an IPv4-mapped network: write it as IPv4; did you mean \"10.0.0.0/8\"?",
        ),
        ("addresses.allow = [\"10.0.0.0/33\"]", "SK-7007 \"10.0.0.0/33\" is no network in CIDR form"),
        (
            "addresses.allow = [7]",
            "SK-7004 each item must be a text (a list of networks in CIDR form, empty for every address, for example [\"192.0.2.0/24\", \"2001:db8::/32\"])",
        ),
        (
            "door.listen = \"localhost:8443\"",
            "SK-7007 \"localhost:8443\" is no socket address (address and port); did you mean \"127.0.0.1:8443\"?",
        ),
        ("door.listen = \"\"", "SK-7007 it must not be empty"),
        (
            "door.upstream = \"https://app.example/path\"",
            "SK-7007 \"https://app.example/path\" is no origin (scheme and host); did you mean \"https://app.example\"?",
        ),
        (
            "door.upstream = \"app.example\"",
            "SK-7007 \"app.example\" is no origin (scheme and host); did you mean \"https://app.example\"?",
        ),
        (
            "door.upstream = \"https://user@app.example\"",
            "SK-7007 \"https://user@app.example\" is no origin (scheme and host); did you mean \"https://app.example\"?",
        ),
        ("door.title = \"a\\u0000b\"", "SK-7007 it must not have control characters"),
        ("door.title = \"123456789012345678901\"", "SK-7006 it is longer than 20 characters"),
        ("audit.zone = \"++9:00\"", "SK-7007 \"++9:00\" is no fixed zone"),
        ("extends = 3", "SK-7004 extends must be a text"),
        ("extends = \"netmaster\"", "SK-7008 there is no profile called \"netmaster\""),
        ("name = \"\"", "SK-7007 a name has 1 to 64 characters and no control characters"),
        (
            "[lockout]\nname = \"x\"",
            "SK-7003 [lockout] has no setting called name; name stands before the first section",
        ),
        ("tries = 3", "SK-7003 outside a section there is nothing called tries; did you mean tries in [lockout]?"),
        (
            "[colour]\nx = 1",
            "SK-7002 no control has a section called colour; the sections are addresses, audit, door, encryption, lockout, passwords, second_factor, sessions",
        ),
        (
            "[lockout]\ncolour = 1",
            "SK-7003 [lockout] has no setting called colour; its settings are known_device, period, tries",
        ),
    ] {
        let found = bad(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].split_once(' ').expect("place").1, want, "{text}");
    }
}

#[test]
fn syntax_errors_come_with_the_other_problems() {
    let found = bad("[lockout]\ntries = \nperiod = 30\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("2:") && found[0].contains("SK-7001"), "{found:?}");
    assert!(found[1].starts_with("3:10 SK-7005"), "{found:?}");
    let found = bad("lockout.tries = 3\nlockout.tries = 4\n");
    assert_eq!(found, ["2:9 SK-7001 the same name is given twice"]);
}

#[test]
fn profiles_are_extended_and_the_file_wins() {
    let resolve = |name: &str| match name {
        "base" => Some("name = \"base\"\nlockout.tries = 5\nlockout.period = \"10m\"\n"),
        "middle" => Some("extends = \"base\"\nlockout.period = \"20m\"\n"),
        _ => None,
    };
    let source = Source::new("conf/ours.toml", "extends = \"middle\"\nsessions.idle = \"5m\"\n");
    let policy = read(&schema(), &source, &resolve).expect("good");
    assert_eq!(policy.name(), "ours");
    assert_eq!(policy.value(&TRIES), Value::Int(5));
    assert_eq!(policy.value(&PERIOD), Value::Span(std::time::Duration::from_secs(1_200)));
    assert!(policy.is_set(&TRIES) && policy.is_set(&IDLE) && !policy.is_set(&MODE));
}

#[test]
fn cycles_and_long_chains_are_refused() {
    let cycle = |name: &str| match name {
        "a" => Some("extends = \"b\""),
        "b" => Some("extends = \"a\""),
        _ => None,
    };
    let problems = read(&schema(), &Source::new("p.toml", "extends = \"a\""), &cycle).expect_err("a cycle");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].place(), "b.toml:1:11");
    assert_eq!(problems[0].what.en, "it extends itself (a → b → a)");
    let chain = |name: &str| match name {
        "1" => Some("extends = \"2\""),
        "2" => Some("extends = \"3\""),
        "3" => Some("extends = \"4\""),
        "4" => Some("extends = \"5\""),
        "5" => Some("extends = \"6\""),
        "6" => Some("extends = \"7\""),
        "7" => Some("extends = \"8\""),
        "8" => Some(""),
        _ => None,
    };
    let problems = read(&schema(), &Source::new("p.toml", "extends = \"1\""), &chain).expect_err("nine files");
    assert_eq!(problems[0].what.en, "a chain of extends has at most 8 files");
    read(&schema(), &Source::new("p.toml", "extends = \"2\""), &chain).expect("eight files");
}

#[test]
fn a_bad_profile_is_named() {
    let resolve = |_: &str| Some("lockout.tries = 0\n");
    let problems = read(&schema(), &Source::new("p.toml", "extends = \"x\"\n"), &resolve).expect_err("bad base");
    assert_eq!(problems[0].place(), "x.toml:1:17");
}

#[test]
fn input_is_bounded() {
    let big = "#".repeat(sekisho_kernel::policy::MOST_BYTES + 1);
    assert_eq!(bad(&big).len(), 1);
    good(&big[1..]);
    let many: String = (0..5_000).map(|n| format!("unknown_{n} = 1\n")).collect();
    let problems = parse(&many).expect_err("all unknown");
    assert_eq!(problems.len(), 101);
    assert_eq!(problems[100].kind.code, "SK-7010");
    let broken = "= [\n".repeat(200_000);
    assert_eq!(parse(&broken).expect_err("no keys").len(), 101);
    let deep = format!("door.also = {}", "[".repeat(200_000));
    parse(&deep).expect_err("unclosed");
    let long = format!("[lockout]\ntries = \"{}\"", "x".repeat(100_000));
    assert!(parse(&long).expect_err("a text").iter().all(|p| p.render(Lang::En).len() < 1_000));
}

#[test]
fn the_reference_is_a_policy_of_the_defaults() {
    for lang in Lang::ALL {
        let text = explain(&schema(), lang);
        assert_eq!(good(&text).digest(), Policy::defaults(&schema()).digest());
        for setting in schema().iter() {
            assert!(
                text.contains(&format!("{} = ", setting.key.split_once('.').expect("section").1)),
                "{}",
                setting.key
            );
        }
        assert!(
            text.lines().all(|l| l.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>() <= 120),
            "{text}"
        );
    }
    let english = explain(&schema(), Lang::En);
    assert!(english.contains(
        "# What it does.\n# Allowed: a whole number from 1 to 100, for example 3. Default: 3. A tenant may set a smaller value.\ntries = 3\n"
    ));
}

#[test]
fn the_schema_names_every_setting_and_closes_every_table() {
    let schema_json = json_schema(&schema());
    assert_eq!(schema_json["additionalProperties"], false);
    assert_eq!(schema_json["properties"]["lockout"]["additionalProperties"], false);
    for setting in schema().iter() {
        let (section, key) = setting.key.split_once('.').expect("section");
        let property = &schema_json["properties"][section]["properties"][key];
        let doc = property["description"].as_str().expect("described");
        assert!(doc.contains("What it does.") && doc.contains("説明。"), "{doc}");
    }
    assert_eq!(schema_json["properties"]["lockout"]["properties"]["period"]["default"], "30m");
    assert_eq!(schema_json["properties"]["lockout"]["properties"]["tries"]["maximum"], 100);
}

#[test]
fn the_check_says_what_it_found() {
    let source = Source::new("p.toml", "name = \"ours\"\nlockout.tries = 4\n");
    let result = read(&schema(), &source, &none);
    let digest = result.as_ref().expect("good").digest();
    assert_eq!(
        check(&source, &result, Lang::En),
        format!("p.toml: no problems. Policy ours, 1 of 16 settings given, digest {digest}\n")
    );
    let source = Source::new("p.toml", "x = 1\ny = 2\n");
    let report = check(&source, &read(&schema(), &source, &none), Lang::Ja);
    assert!(report.ends_with("p.toml: 問題が 2 件あります。\n"), "{report}");
}

#[test]
fn json_values_are_read_and_written() {
    for (setting, json) in [
        (&TRIES, json!(7)),
        (&PERIOD, json!(1_800)),
        (&KNOWN, json!(true)),
        (&MODE, json!("off")),
        (&ALLOW, json!(["10.0.0.0/8"])),
        (&WORDS, json!(["a"])),
    ] {
        let value = value_from_json(setting, &json).expect("good");
        assert_eq!(value_to_json(&value), json);
    }
    let problem = value_from_json(&PERIOD, &json!("30m")).expect_err("a text");
    assert_eq!(problem.place.as_deref(), Some("lockout.period"));
    assert_eq!(problem.kind.code, "SK-7004");
    for (setting, json) in [
        (&PERIOD, json!(30)),
        (&PERIOD, json!(-1)),
        (&PERIOD, json!(1e3)),
        (&TRIES, json!(u64::MAX)),
        (&TRIES, json!(null)),
        (&MODE, json!({})),
        (&ALLOW, json!([null])),
    ] {
        value_from_json(setting, &json).expect_err("refused");
    }
    let problem = value_from_json(&TRIES, &json!(0)).expect_err("too small");
    assert_eq!(
        problem.message(Lang::En),
        "The value is out of range. 0 is below the least value, 1. Allowed: a whole number from 1 to 100, for example 3. (lockout.tries) Give a value within the range."
    );
}

#[test]
fn form_values_are_read() {
    assert_eq!(parse_value(&TRIES, " 7 ").expect("good"), Value::Int(7));
    assert_eq!(parse_value(&KNOWN, "true").expect("good"), Value::Bool(true));
    assert_eq!(parse_value(&ALLOW, "10.0.0.0/8\r\n192.0.2.0/24, ").expect("good"), {
        Value::Networks(vec!["10.0.0.0/8".parse().expect("net"), "192.0.2.0/24".parse().expect("net")])
    });
    assert_eq!(parse_value(&WORDS, "").expect("good"), Value::List(Vec::new()));
    assert!(parse_value(&PERIOD, "30").is_err());
    assert!(parse_value(&TRIES, "seven").is_err());
    assert!(parse_value(&KNOWN, "on").is_err());
}

#[test]
fn the_stricter_value_holds() {
    let span = |s| Value::Span(std::time::Duration::from_secs(s));
    assert_eq!(stricter(&IDLE, span(1_800), &span(600)), span(600));
    assert_eq!(stricter(&IDLE, span(1_800), &span(3_600)), span(1_800));
    assert_eq!(stricter(&PERIOD, span(1_800), &span(3_600)), span(3_600));
    // Zero is "never", the loosest.
    assert_eq!(stricter(&MAX_AGE, span(0), &span(600)), span(600));
    assert_eq!(stricter(&MAX_AGE, span(600), &span(0)), span(600));
    assert!(loosens(&MAX_AGE, &span(600), &span(0)));
    assert!(!loosens(&MAX_AGE, &span(0), &span(600)));
    assert!(loosens(&KNOWN, &Value::Bool(false), &Value::Bool(false)), "a fixed setting takes no tenant's value");
    let choice = |s: &str| Value::Str(s.into());
    assert_eq!(stricter(&MODE, choice("optional"), &choice("off")), choice("optional"));
    assert_eq!(stricter(&MODE, choice("optional"), &choice("required")), choice("required"));
    assert_eq!(stricter(&TLS, choice("1.2"), &choice("1.3")), choice("1.2"));
    let nets = |l: &[&str]| Value::Networks(l.iter().map(|n| n.parse().expect("net")).collect());
    assert_eq!(stricter(&ALLOW, nets(&[]), &nets(&["10.0.0.0/8"])), nets(&["10.0.0.0/8"]));
    assert_eq!(
        stricter(&ALLOW, nets(&["10.0.0.0/8"]), &nets(&["10.1.0.0/16", "192.0.2.0/24"])),
        nets(&["10.1.0.0/16"])
    );
    assert_eq!(stricter(&ALLOW, nets(&["10.0.0.0/8"]), &nets(&["192.0.2.0/24"])), nets(&["10.0.0.0/8"]));
    assert_eq!(stricter(&ALLOW, nets(&["10.0.0.0/8"]), &nets(&[])), nets(&["10.0.0.0/8"]));
}

#[test]
fn values_are_spoken() {
    let span = |s| Value::Span(std::time::Duration::from_secs(s));
    assert_eq!(spoken(&span(1_800), Lang::En), "30 minutes");
    assert_eq!(spoken(&span(1_800), Lang::Ja), "30 分間");
    assert_eq!(spoken(&span(86_400), Lang::En), "1 day");
    assert_eq!(spoken(&Value::Networks(Vec::new()), Lang::En), "all");
    assert_eq!(allowed(&MODE).en, "\"off\", \"optional\" or \"required\"");
    assert_eq!(allowed(&LIST).en, "a file path, for example \"list.txt\"");
    for setting in [&LISTEN, &ALSO, &UPSTREAM, &TITLE, &ZONE] {
        assert!(!allowed(setting).ja.is_empty());
    }
}
