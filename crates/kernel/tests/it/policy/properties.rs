//! No text panics, and what is accepted is written out to the same policy.

use proptest::prelude::*;
use sekisho_kernel::{
    Lang, Setting,
    policy::{Kind, parse_value, render, value_from_json, value_to_json},
};

use super::{good, parse, schema};

/// A line of a policy file: mostly near a good one.
fn line() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => prop::sample::select(schema().iter().map(|s| s.key.to_owned()).collect::<Vec<_>>()),
        1 => "[a-z_.\"\\[\\]]{0,12}",
    ];
    let value = prop_oneof![
        Just("3".to_owned()),
        Just("\"30m\"".to_owned()),
        Just("true".to_owned()),
        Just("[\"10.0.0.0/8\"]".to_owned()),
        Just("\"required\"".to_owned()),
        Just("\"127.0.0.1:0\"".to_owned()),
        Just("\"https://a.example\"".to_owned()),
        Just("\"JST\"".to_owned()),
        "[0-9]{1,22}[smhd]?",
        "\"[0-9]{0,22}[smhdw分]?\"",
        "\"[^\"\\\\\\n\\r]{0,20}\"",
        "\\PC{0,20}",
    ];
    (key, value).prop_map(|(key, value)| format!("{key} = {value}\n"))
}

/// A value that fits the setting, as the file writes it.
fn fitting(setting: &'static Setting) -> BoxedStrategy<String> {
    let text = |s: String| format!("\"{s}\"");
    match setting.kind {
        Kind::Bool => any::<bool>().prop_map(|b| b.to_string()).boxed(),
        Kind::Int { min, max } => (min..=max).prop_map(|n| n.to_string()).boxed(),
        Kind::Span { min, max } => (min..=max).prop_map(|n| format!("\"{n}s\"")).boxed(),
        Kind::Choice(words) => prop::sample::select(words).prop_map(|w| format!("{w:?}")).boxed(),
        Kind::Str { max } => {
            prop::collection::vec("[^\\p{C}\"\\\\]", 1..=max).prop_map(move |c| text(c.concat())).boxed()
        }
        Kind::Zone => (0..=14_u8, 0..60_u8).prop_map(|(h, m)| format!("\"-{h:02}:{m:02}\"")).boxed(),
        Kind::Networks => prop::collection::vec((any::<[u8; 4]>(), 0..=32_u8), 0..4)
            .prop_map(|nets| {
                let nets: Vec<String> = nets
                    .into_iter()
                    .filter_map(|(ip, len)| Some(ipnet::Ipv4Net::new(ip.into(), len).ok()?.trunc().to_string()))
                    .collect();
                format!("{nets:?}")
            })
            .boxed(),
        Kind::Socket => any::<std::net::SocketAddr>().prop_map(move |a| text(a.to_string())).boxed(),
        Kind::Sockets => prop::collection::vec(any::<std::net::SocketAddr>(), 0..3)
            .prop_map(|l| format!("{:?}", l.iter().map(ToString::to_string).collect::<Vec<_>>()))
            .boxed(),
        Kind::Origin => "https?://[a-z][a-z0-9]{0,9}(\\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?".prop_map(text).boxed(),
        Kind::Path => "[a-z/. ]{0,30}".prop_map(text).boxed(),
        Kind::List => prop::collection::vec("[a-z関所]{0,9}", 0..4).prop_map(|l| format!("{l:?}")).boxed(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_what_is_accepted_is_rendered_to_the_same_digest(text in prop_oneof![
        3 => prop::collection::vec(line(), 0..6).prop_map(|l| l.concat()),
        1 => "(?s).{0,200}",
        1 => "[\\[\\]{}=\"'.,\\n\\\\a-z0-9 ]{0,200}",
    ]) {
        match parse(&text) {
            Ok(policy) => {
                let again = parse(&render(&policy)).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
                prop_assert_eq!(again.digest(), policy.digest());
                prop_assert_eq!(again.name(), policy.name());
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in problems {
                    for lang in Lang::ALL {
                        prop_assert!(problem.render(lang).contains(problem.kind.code));
                    }
                }
            }
        }
    }

    #[test]
    fn what_fits_is_accepted_and_rendered_to_the_same_digest(
        lines in prop::sample::subsequence(schema().iter().collect::<Vec<_>>(), 0..=15)
            .prop_flat_map(|chosen| {
                chosen.into_iter().map(|s| fitting(s).prop_map(move |v| format!("{} = {v}\n", s.key))).collect::<Vec<_>>()
            })
    ) {
        let text = lines.concat();
        let policy = parse(&text).map_err(|p| TestCaseError::fail(format!("{text}{p:?}")))?;
        prop_assert_eq!(schema().iter().filter(|s| policy.is_set(s)).count(), lines.len());
        prop_assert_eq!(good(&render(&policy)).digest(), policy.digest());
    }

    #[test]
    fn no_form_text_or_json_panics(text in "\\PC{0,40}") {
        for setting in schema().iter() {
            if let Ok(value) = parse_value(setting, &text) {
                prop_assert_eq!(value_from_json(setting, &value_to_json(&value)).ok(), Some(value));
            }
        }
    }
}
