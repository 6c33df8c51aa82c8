//! The shipped profiles are valid policies with the figures of their papers.

use sekisho_controls::{PROFILES, audit, catalogue, encryption, lockout, passwords, profile, schema, sessions};
use sekisho_kernel::{
    Lang, Policy, Setting,
    policy::{Source, Value, check, explain, read},
};

fn policy(name: &str) -> Policy {
    let source = Source::new(format!("{name}.toml"), profile(name).expect("a shipped profile"));
    let result = read(&schema(), &source, &profile);
    result.unwrap_or_else(|problems| panic!("{}", check(&source, &Err(problems), Lang::En)))
}

fn secs(n: u64) -> Value {
    Value::Span(std::time::Duration::from_secs(n))
}

#[test]
fn each_is_valid_under_its_own_name_and_can_be_extended() {
    for (name, _) in PROFILES {
        assert_eq!(policy(name).name(), *name);
        let ours = Source::new("ours.toml", format!("extends = \"{name}\"\nname = \"ours\"\n"));
        let extended = read(&schema(), &ours, &profile).expect("good");
        assert_eq!(extended.digest(), policy(name).digest());
        assert_eq!(extended.name(), "ours");
    }
    assert!(profile("netmaster").is_none());
}

#[test]
fn there_is_one_for_each_paper() {
    let names: Vec<&str> = PROFILES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, catalogue::ClaimFile::ALL.map(catalogue::ClaimFile::slug));
}

#[test]
fn the_figures_are_the_papers() {
    let expect: [(&str, &'static Setting, Value); 11] = [
        ("netmeister", &lockout::TRIES, Value::Int(3)),
        ("netmeister", &lockout::PERIOD, secs(30 * 60)),
        ("netmeister", &lockout::KNOWN_DEVICE, Value::Bool(false)),
        ("netmeister", &sessions::IDLE, secs(30 * 60)),
        ("netmeister", &audit::RETENTION, secs(365 * 86_400)),
        ("netmeister", &audit::ZONE, Value::Str("JST".into())),
        ("mist", &encryption::CIPHERS, Value::Str("aes-256".into())),
        ("mist", &encryption::TLS_MIN, Value::Str("1.2".into())),
        ("moxtra", &encryption::CIPHERS, Value::Str("aes-128".into())),
        ("moxtra", &passwords::MEMORY_KIB, Value::Int(19_456)),
        ("idoperation", &audit::RETENTION, secs(365 * 86_400)),
    ];
    for (name, setting, value) in expect {
        let policy = policy(name);
        assert!(policy.is_set(setting), "{name}: {} rests on the default", setting.key);
        assert_eq!(policy.value(setting), value, "{name}: {}", setting.key);
    }
}

#[test]
fn comments_name_claims_of_the_profiles_own_paper() {
    for (name, text) in PROFILES {
        let file = catalogue::ClaimFile::from_slug(name).expect("a paper");
        let mut named = 0;
        for word in text.lines().filter(|l| l.starts_with('#')).flat_map(|l| l.split([' ', ',', ':', '(', ')', '.'])) {
            if word.starts_with(&format!("{}-", file.prefix())) {
                assert_eq!(catalogue::by_id(word).map(|c| c.file), Some(file), "{name}: {word}");
                named += 1;
            }
        }
        assert!(named > 0, "{name} names no claim");
    }
}

#[test]
fn the_controls_defaults_are_valid() {
    for lang in Lang::ALL {
        let source = Source::new("reference.toml", explain(&schema(), lang));
        let result = read(&schema(), &source, &profile);
        assert!(result.is_ok(), "{}", check(&source, &result, Lang::En));
    }
}
