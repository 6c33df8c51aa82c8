use serde_json::json;

use super::*;
use crate::scim::{
    schema::{GROUPS, USERS},
    shape::Shape,
};

fn person() -> Resource {
    let value = json!({
        "id": "usr_1", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "externalId": "E1",
        "userName": "Taro@example.jp", "displayName": "山田 太郎", "title": "Manager", "active": true,
        "name": {"familyName": "山田", "givenName": "太郎"},
        "emails": [
            {"value": "taro@example.jp", "type": "work", "primary": true},
            {"value": "taro@home.example", "type": "home"},
        ],
        "meta": {"created": "2026-04-01T00:00:00Z", "lastModified": "2026-05-13T04:42:34Z"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "QA", "manager": {"value": "usr_2"}},
    });
    value.as_object().cloned().expect("an object")
}

fn finds(text: &str) -> bool {
    filter(&USERS, text).unwrap_or_else(|p| panic!("{text}: {p}")).matches(&person())
}

/// The examples of RFC 7644 §3.4.2.2 first.
#[test]
fn filters_say_what_the_rfc_says() {
    for text in [
        r#"userName eq "taro@EXAMPLE.jp""#,
        r#"name.familyName co "山""#,
        r#"userName sw "T""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "t""#,
        "title pr",
        r#"meta.lastModified gt "2026-05-13T04:42:33Z""#,
        r#"meta.lastModified ge "2026-05-13T13:42:34+09:00""#,
        r#"meta.lastModified le "2026-05-13T04:42:34Z""#,
        r#"title pr and userType eq "Employee" or active eq true"#,
        r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
        r#"emails[type eq "work" and value co "@example.jp"]"#,
        r#"emails[type eq "work" and value co "@example.jp"] or ims[type eq "xmpp"]"#,
        r#"emails.type eq "home""#,
        r#"emails eq "taro@home.example""#,
        r#"USERNAME EQ "taro@example.jp" AND Active Eq True"#,
        r#"active eq "true""#,
        r#"externalId eq "E1""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "qa""#,
        r#"URN:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager eq "usr_2""#,
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "usr_2""#,
        r#"nickName eq null"#,
        r#"title ne null"#,
        r#"not(title eq "x")"#,
        r#"  ( ( userName ew "jp" ) )  "#,
        r#"title eq "\u004danager""#,
        r#"emails[type eq "work"] and emails[primary eq true]"#,
    ]
    .into_iter()
    .filter(|t| !t.contains("ims["))
    {
        assert!(finds(text), "{text}");
    }
    for text in [
        r#"externalId eq "e1""#,
        r#"emails[type eq "work" and value co "home"]"#,
        r#"title pr and userType eq "Employee""#,
        r#"active eq false"#,
        r#"not (title pr)"#,
        r#"meta.created gt "2026-04-01T00:00:00Z""#,
        r#"emails ne "taro@home.example""#,
        r#"title eq "Manager" and (active eq false or nickName pr)"#,
    ] {
        assert!(!finds(text), "{text}");
    }
}

#[test]
fn what_cannot_be_read_or_compared_is_refused_with_its_place() {
    for (text, n) in [
        ("", 1),
        ("userName", 9),
        ("userName eq", 12),
        ("userName eq taro", 13),
        (r#"userName eq "taro"#, 13),
        (r#"userName like "a""#, 10),
        (r#"shoeSize eq "27""#, 9),
        (r#"name.shoe eq "27""#, 10),
        (r#"userName eq "a" userName eq "b""#, 17),
        (r#"(userName eq "a""#, 17),
        (r#"not userName eq "a""#, 5),
        (r#"emails[type eq "work""#, 22),
        (r#"emails[shoe eq "work"]"#, 12),
        (r#"title[value eq "x"]"#, 7),
        (r#"active gt true"#, 15),
        (r#"active eq "perhaps""#, 20),
        (r#"userName eq true"#, 17),
        (r#"userName gt null"#, 17),
        (r#"userName eq 5"#, 13),
        (r#"meta.created gt "yesterday""#, 28),
        (r#"name eq "x""#, 12),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr", 59),
    ] {
        let problem = filter(&USERS, text).expect_err(text);
        assert!(problem.is(&SCIM_FILTER), "{text}");
        let says = problem.detail.expect("a place").en.into_owned();
        assert!(says.starts_with(&format!("At character {n}:")), "{text}: {says}");
    }
}

#[test]
fn length_depth_and_number_are_bounded() {
    let deep = |n: usize| format!("{}title pr{}", "(".repeat(n), ")".repeat(n));
    assert!(filter(&USERS, &deep(10)).is_ok());
    assert!(filter(&USERS, &deep(11)).is_err());
    assert!(filter(&USERS, &"not (".repeat(2_000)).is_err());
    let many = |n: usize| vec!["title pr"; n].join(" or ");
    assert!(filter(&USERS, &many(100)).is_ok());
    assert!(filter(&USERS, &many(101)).is_err());
    assert!(filter(&USERS, &format!(r#"title eq "{}""#, "x".repeat(4_096))).is_err());
}

#[test]
fn paths_name_attributes_parts_extensions_and_chosen_values() {
    let part = |text: &str| {
        let p = path(&USERS, text).unwrap_or_else(|e| panic!("{text}: {e}"));
        (
            p.place.extension.map(|e| e.name),
            p.place.attribute.map(|a| a.name),
            p.place.part.map(|a| a.name),
            p.within.is_some(),
        )
    };
    assert_eq!(part("userName"), (None, Some("userName"), None, false));
    assert_eq!(part("NAME.familyname"), (None, Some("name"), Some("familyName"), false));
    assert_eq!(part(r#"emails[type eq "work"]"#), (None, Some("emails"), None, true));
    assert_eq!(part(r#"emails[type eq "work"].value"#), (None, Some("emails"), Some("value"), true));
    let enterprise = crate::scim::schema::ENTERPRISE_URI;
    assert_eq!(part(enterprise), (Some("EnterpriseUser"), None, None, false));
    assert_eq!(
        part(&format!("{enterprise}:manager.value")),
        (Some("EnterpriseUser"), Some("manager"), Some("value"), false)
    );
    assert_eq!(part("urn:ietf:params:scim:schemas:core:2.0:User:title"), (None, Some("title"), None, false));
    for bad in [
        "",
        "shoe",
        "name.shoe",
        "userName.",
        "title[value eq \"a\"]",
        "emails[type eq \"a\"].shoe",
        "userName x",
        "[type eq \"a\"]",
    ] {
        assert!(path(&USERS, bad).is_err(), "{bad}");
    }
    assert!(path(&GROUPS, "members[value eq \"usr_1\"]").is_ok());
}

#[test]
fn an_index_answers_what_every_match_must_equal() {
    let equalities = |text: &str| {
        let f = filter(&USERS, text).expect("a filter");
        f.equalities().map(|all| {
            all.iter().map(|(p, t)| (p.attribute.map_or("", |a| a.name), (*t).to_owned())).collect::<Vec<_>>()
        })
    };
    let pair = |n: &'static str, t: &str| (n, t.to_owned());
    assert_eq!(equalities(r#"userName eq "a""#), Some(vec![pair("userName", "a")]));
    assert_eq!(equalities(r#"active eq true and userName eq "a""#), Some(vec![pair("userName", "a")]));
    assert_eq!(
        equalities(r#"userName eq "a" or externalId eq "b""#),
        Some(vec![pair("userName", "a"), pair("externalId", "b")])
    );
    assert_eq!(equalities(r#"emails[type eq "work" and value eq "a"]"#), Some(vec![pair("emails", "work")]));
    for none in [r#"userName eq "a" or active eq true"#, r#"not (userName eq "a")"#, r#"userName sw "a""#, "title pr"] {
        assert_eq!(equalities(none), None, "{none}");
    }
    let within = filter(&USERS, r#"emails[type eq "work"]"#).expect("a filter");
    let places = within.equalities().expect("one");
    assert!(!places[0].0.is("emails"), "a type is no value");
}

#[test]
fn an_answer_shows_what_is_asked_for() {
    let cut = |only: &[&str], without: &[&str]| {
        let list = |l: &[&str]| l.iter().map(|s| (*s).to_owned()).collect();
        let shape = Shape { only: list(only), without: list(without) };
        let mut resource = person();
        shape.cut(&USERS, &mut resource);
        resource
    };
    let names = |r: &Resource| r.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&cut(&["userName", "shoe"], &[])), ["id", "schemas", "userName"]);
    assert_eq!(cut(&["emails.value"], &[])["emails"][1], json!({"value": "taro@home.example"}));
    assert_eq!(cut(&["name.familyName"], &[])["name"], json!({"familyName": "山田"}));
    let enterprise = crate::scim::schema::ENTERPRISE_URI;
    assert_eq!(cut(&[&format!("{enterprise}:department")], &[])[enterprise], json!({"department": "QA"}));
    assert_eq!(cut(&[enterprise], &[])[enterprise]["manager"]["value"], "usr_2");
    let without = cut(&[], &["id", "emails", "name.givenName", &format!("{enterprise}:manager"), "shoe"]);
    assert!(without.contains_key("id"), "always there");
    assert!(!without.contains_key("emails"));
    assert_eq!(without["name"], json!({"familyName": "山田"}));
    assert_eq!(without[enterprise], json!({"department": "QA"}));
    let shape = Shape { only: vec!["members.value".into()], without: vec![] };
    assert!(shape.shows("members") && !shape.shows("groups"));
    assert!(!Shape { only: vec![], without: vec!["members".into()] }.shows("members"));
    assert!(Shape { only: vec![], without: vec!["members.display".into()] }.shows("members"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
        let _ = filter(&USERS, &text);
        let _ = path(&USERS, &text);
    }
    #[test]
    fn words_of_filters_in_any_order_too(words in proptest::collection::vec(proptest::sample::select(vec![
        "userName", "emails", "[", "]", "(", ")", "eq", "and", "or", "not", "pr", "\"a\"", ".", "value", " ", "true", "null", "type",
        "urn:ietf:params:scim:schemas:core:2.0:User:", "\"", "\\",
    ]), 0..30)) {
        let text = words.concat();
        if let Ok(found) = filter(&USERS, &text) {
            let _ = found.matches(&person());
        }
        let _ = path(&USERS, &text);
    }
}
