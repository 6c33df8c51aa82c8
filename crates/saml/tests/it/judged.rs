//! What a well-signed response must say, value by value.

use std::time::Duration;

use sekisho_kernel::{ProblemKind, Time};
use sekisho_saml::{Received, Rules, problems::*};

use crate::forge::*;

/// A response around an assertion that was changed before it was signed.
fn saying(from: &str, to: &str) -> String {
    response(&Signing::of("_a1").put(&swap(&assertion(), from, to)))
}

/// A response whose own, unsigned words are changed.
fn around(from: &str, to: &str) -> String {
    swap(&response(&signed()), from, to)
}

fn cases() -> Vec<(&'static str, String, &'static ProblemKind)> {
    let confirmation = "<saml:SubjectConfirmationData";
    let restriction =
        format!("<saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction>");
    let none = "urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>";
    vec![
        ("issuer-other", saying(&format!("<saml:Issuer>{IDP}"), "<saml:Issuer>https://evil.example/"), &ISSUER),
        ("issuer-longer", saying(&format!("<saml:Issuer>{IDP}"), &format!("<saml:Issuer>{IDP}/")), &ISSUER),
        ("issuer-white-space", saying(&format!("<saml:Issuer>{IDP}"), &format!("<saml:Issuer> {IDP}")), &ISSUER),
        (
            "issuer-format",
            saying("<saml:Issuer>", "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\">"),
            &SHAPE,
        ),
        ("issuer-of-response", around(&format!("assertion\">{IDP}"), "assertion\">https://evil.example/"), &ISSUER),
        ("destination-other", around("/saml/acs\" ID=\"_r1\"", "/other/acs\" ID=\"_r1\""), &DESTINATION),
        ("destination-prefix", around("/saml/acs\" ID=\"_r1\"", "/saml/acs/x\" ID=\"_r1\""), &DESTINATION),
        (
            "recipient-other",
            saying(&format!("Recipient=\"{ACS}\""), "Recipient=\"https://other.example/acs\""),
            &RECIPIENT,
        ),
        ("recipient-none", saying(&format!(" Recipient=\"{ACS}\""), ""), &RECIPIENT),
        (
            "audience-other",
            saying(&format!("<saml:Audience>{SP}"), "<saml:Audience>https://other.example/saml"),
            &AUDIENCE,
        ),
        ("audience-prefix", saying(&format!("<saml:Audience>{SP}"), &format!("<saml:Audience>{SP}2")), &AUDIENCE),
        ("audience-none", saying(&restriction, ""), &AUDIENCE),
        (
            "audience-second-other",
            saying(&restriction, &format!("{restriction}{}", restriction.replace(SP, "urn:other"))),
            &AUDIENCE,
        ),
        (
            "in-response-to-other",
            around("InResponseTo=\"_request-1\" Iss", "InResponseTo=\"_request-2\" Iss"),
            &IN_RESPONSE_TO,
        ),
        ("in-response-to-none", around(" InResponseTo=\"_request-1\" Iss", " Iss"), &IN_RESPONSE_TO),
        (
            "in-response-to-of-confirmation",
            saying("InResponseTo=\"_request-1\" Not", "InResponseTo=\"_request-2\" Not"),
            &IN_RESPONSE_TO,
        ),
        ("in-response-to-none-in-confirmation", saying("InResponseTo=\"_request-1\" Not", "Not"), &IN_RESPONSE_TO),
        (
            "confirmation-expired",
            saying("NotOnOrAfter=\"2026-11-22T09:05:00Z\"", "NotOnOrAfter=\"2026-11-22T08:59:00Z\""),
            &EXPIRED,
        ),
        ("confirmation-without-end", saying(" NotOnOrAfter=\"2026-11-22T09:05:00Z\"", ""), &SHAPE),
        (
            "confirmation-not-yet",
            saying(
                "NotOnOrAfter=\"2026-11-22T09:05",
                "NotBefore=\"2026-11-22T09:02:00Z\" NotOnOrAfter=\"2026-11-22T09:05",
            ),
            &NOT_YET,
        ),
        ("confirmation-method", saying("cm:bearer", "cm:holder-of-key"), &SUBJECT),
        (
            "confirmation-without-data",
            {
                let a = assertion();
                let (from, to) = (a.find(confirmation).unwrap(), a.find("</saml:SubjectConfirmation>").unwrap());
                let data = a[from..to].to_owned();
                saying(&data, "")
            },
            &SHAPE,
        ),
        (
            "conditions-expired",
            saying("NotOnOrAfter=\"2026-11-22T09:10:00Z\"", "NotOnOrAfter=\"2026-11-22T08:59:00Z\""),
            &EXPIRED,
        ),
        (
            "conditions-not-yet",
            saying("NotBefore=\"2026-11-22T08:59:00Z\"", "NotBefore=\"2026-11-22T09:01:01Z\""),
            &NOT_YET,
        ),
        (
            "conditions-none",
            {
                let a = assertion();
                let (from, to) = (a.find("<saml:Conditions").unwrap(), a.find("<saml:AuthnStatement").unwrap());
                saying(&a[from..to], "")
            },
            &SHAPE,
        ),
        (
            "condition-unknown",
            saying("<saml:AudienceRestriction>", "<saml:Condition></saml:Condition><saml:AudienceRestriction>"),
            &CONDITION,
        ),
        (
            "issued-long-ago",
            saying("IssueInstant=\"2026-11-22T09:00:00Z\"", "IssueInstant=\"2026-11-22T08:49:00Z\""),
            &EXPIRED,
        ),
        (
            "issued-in-the-future",
            saying("IssueInstant=\"2026-11-22T09:00:00Z\"", "IssueInstant=\"2026-11-22T09:01:01Z\""),
            &NOT_YET,
        ),
        (
            "time-with-offset",
            saying("IssueInstant=\"2026-11-22T09:00:00Z\"", "IssueInstant=\"2026-11-22T18:00:00+09:00\""),
            &SHAPE,
        ),
        (
            "time-not-one",
            saying("IssueInstant=\"2026-11-22T09:00:00Z\"", "IssueInstant=\"2026-02-30T09:00:00Z\""),
            &SHAPE,
        ),
        ("version-of-assertion", saying("Version=\"2.0\"", "Version=\"1.1\""), &VERSION),
        (
            "status-of-provider",
            around(
                none,
                "urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"></samlp:StatusCode></samlp:StatusCode><samlp:StatusMessage>Locked\nout</samlp:StatusMessage>",
            ),
            &STATUS,
        ),
        ("status-without-code", around(&format!("<samlp:StatusCode Value=\"{none}"), ""), &SHAPE),
        (
            "subject-none",
            saying(
                "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">yamada</saml:NameID>",
                "",
            ),
            &SUBJECT,
        ),
        ("subject-empty", saying(">yamada<", "><"), &SUBJECT),
        ("subject-padded", saying(">yamada<", "> yamada<"), &SUBJECT),
        ("subject-line", saying(">yamada<", ">yamada\nadmin<"), &SUBJECT),
        ("subject-long", saying(">yamada<", &format!(">{}<", "a".repeat(1025))), &SUBJECT),
        ("subject-nested", saying(">yamada<", "><saml:x></saml:x>yamada<"), &SHAPE),
        ("subject-twice", saying("</saml:NameID>", "</saml:NameID><saml:NameID>admin</saml:NameID>"), &SHAPE),
        (
            "subject-of-another-service",
            saying("persistent\">", "persistent\" SPNameQualifier=\"urn:other\">"),
            &SUBJECT,
        ),
        ("subject-encrypted", saying("</saml:NameID>", "</saml:NameID><saml:EncryptedID></saml:EncryptedID>"), &SHAPE),
        (
            "not-authenticated",
            {
                let a = assertion();
                let (from, to) = (a.find("<saml:AuthnStatement").unwrap(), a.find("<saml:AttributeStatement").unwrap());
                let statement = a[from..to].to_owned();
                saying(&statement, "")
            },
            &AUTHENTICATION,
        ),
        (
            "authenticated-in-the-future",
            saying("AuthnInstant=\"2026-11-22T08:58:00Z\"", "AuthnInstant=\"2026-11-22T09:02:00Z\""),
            &NOT_YET,
        ),
        (
            "session-over",
            saying("SessionIndex=\"_s1\"", "SessionIndex=\"_s1\" SessionNotOnOrAfter=\"2026-11-22T08:59:00Z\""),
            &EXPIRED,
        ),
        ("text-in-assertion", saying("<saml:Subject>", "admin<saml:Subject>"), &SHAPE),
        ("statement-unknown", saying("<saml:Subject>", "<saml:Statement></saml:Statement><saml:Subject>"), &SHAPE),
        ("attribute-without-name", saying(" Name=\"role\"", ""), &SHAPE),
    ]
}

#[test]
fn each_wrong_value_is_refused() {
    let mut told_all = String::new();
    for (name, xml, kind) in cases() {
        let problem = judge(&xml, &Rules::default(), now()).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
        told_all.push_str(&told(name, &problem));
    }
    insta::assert_snapshot!(told_all);
}

#[test]
fn clocks_may_differ_by_the_skew_and_no_more() {
    let xml = response(&signed());
    let at = |seconds: i64| Time::from_secs(now().secs() + seconds);
    let rules = Rules::default();
    for (seconds, good) in [(-60, true), (-61, false), (0, true), (359, true), (360, false)] {
        assert_eq!(judge(&xml, &rules, at(seconds)).is_ok(), good, "{seconds}");
    }
    let wide = Rules { skew: Duration::from_secs(86_400), ..Rules::default() };
    assert!(judge(&xml, &wide, at(599)).is_ok());
    assert!(judge(&xml, &wide, at(600)).unwrap_err().is(&EXPIRED), "five minutes are the most");
}

#[test]
fn what_a_response_says_is_what_comes_out() {
    let accepted = judge(&response(&signed()), &Rules::default(), now()).unwrap();
    assert_eq!((accepted.one_time().issuer.as_str(), accepted.one_time().id.as_str()), (IDP, "_a1"));
    assert_eq!(accepted.one_time().until, Time::parse_rfc3339("2026-11-22T09:06:01Z").unwrap());
    let who = accepted.first_use(true).unwrap();
    assert_eq!(who.name_id.format.as_deref(), Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"));
    assert_eq!((who.session_index.as_deref(), who.solicited), (Some("_s1"), true));
    assert_eq!(who.authenticated, Time::parse_rfc3339("2026-11-22T08:58:00Z").unwrap());
    assert_eq!(who.values("role").collect::<Vec<_>>(), ["user"]);
    assert_eq!(who.signer, idp().signing[0].fingerprint());
}

#[test]
fn an_assertion_is_used_once() {
    let problem = judge(&response(&signed()), &Rules::default(), now()).unwrap().first_use(false).unwrap_err();
    assert_eq!(problem.to_string(), "SK-4129 This assertion has been used before. Start the sign-in again.");
}

#[test]
fn a_record_is_kept_as_long_as_its_assertion_could_be_believed() {
    let long = saying_for_years();
    let accepted = judge(&long, &Rules::default(), now()).unwrap();
    let until = accepted.one_time().until;
    let again = judge_at(&long, until);
    assert!(again.is_err(), "after {until:?} age alone refuses it");
}

fn saying_for_years() -> String {
    let a = swap(&assertion(), "NotOnOrAfter=\"2026-11-22T09:05:00Z\"", "NotOnOrAfter=\"2036-11-22T09:05:00Z\"");
    let a = swap(&a, "NotOnOrAfter=\"2026-11-22T09:10:00Z\"", "NotOnOrAfter=\"2036-11-22T09:10:00Z\"");
    response(&Signing::of("_a1").put(&a))
}

fn judge_at(xml: &str, at: Time) -> Result<sekisho_saml::Accepted, sekisho_kernel::Problem> {
    judge(xml, &Rules::default(), at)
}

#[test]
fn nobody_begins_but_this_browser_unless_the_rules_say_so() {
    let plain = assertion().replacen("InResponseTo=\"_request-1\" ", "", 1);
    let xml = response(&Signing::of("_a1").put(&plain)).replacen("InResponseTo=\"_request-1\" ", "", 1);
    let judged = |xml: &str, rules: &Rules| {
        Received::read(&field(xml), Some("/deep/link")).unwrap().accept(&sp(), &idp(), None, rules, now())
    };
    let problem = judged(&xml, &Rules::default()).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "SK-4116 Sign-in that the identity provider begins is not allowed. Begin at the sign-in page. An administrator can allow it in \
         the settings."
    );
    let open = Rules { unsolicited: true, ..Rules::default() };
    let who = judged(&xml, &open).unwrap().first_use(true).unwrap();
    assert_eq!((who.solicited, who.relay_state.as_deref()), (false, Some("/deep/link")));
    assert!(
        judged(&response(&signed()), &open).unwrap_err().is(&IN_RESPONSE_TO),
        "a stolen answer to a request is none"
    );
    assert!(judge(&xml, &open, now()).unwrap_err().is(&IN_RESPONSE_TO), "with a request pending it must be answered");
}

#[test]
fn the_pending_request_is_held_to() {
    let accept = |pending: &sekisho_saml::Pending, state: Option<&str>| {
        Received::read(&field(&response(&signed())), state).unwrap().accept(
            &sp(),
            &idp(),
            Some(pending),
            &Rules::default(),
            now(),
        )
    };
    let mut asked = pending(now());
    asked.relay_state = Some("s1".into());
    assert!(accept(&asked, Some("s1")).is_ok());
    assert!(accept(&asked, Some("s2")).unwrap_err().is(&IN_RESPONSE_TO));
    assert!(accept(&asked, None).unwrap_err().is(&IN_RESPONSE_TO));
    let mut over = pending(now());
    over.until = now();
    assert!(accept(&over, None).unwrap_err().is(&PENDING_OVER));
    let mut other = pending(now());
    other.issuer = "https://other.example/".into();
    assert!(accept(&other, None).unwrap_err().is(&ISSUER), "mix-up: the answer of another provider");
    let mut elsewhere = pending(now());
    elsewhere.acs = "https://other.example/acs".into();
    assert!(accept(&elsewhere, None).unwrap_err().is(&DESTINATION));
    let mut forced = pending(now());
    forced.force = true;
    forced.issued = now();
    assert!(accept(&forced, None).unwrap_err().is(&AUTHENTICATION), "authenticated two minutes before it was asked to");
}

#[test]
fn the_context_can_be_required() {
    let rules = |context: &str| Rules { contexts: vec![context.to_owned()], ..Rules::default() };
    let xml = response(&signed());
    assert!(judge(&xml, &rules("urn:oasis:names:tc:SAML:2.0:ac:classes:Password"), now()).is_ok());
    let problem = judge(&xml, &rules("https://refeds.org/profile/mfa"), now()).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "SK-4122 The authentication at the identity provider is not what is required. Received: \
         urn:oasis:names:tc:SAML:2.0:ac:classes:Password. (Assertion/AuthnStatement/@AuthnContextClassRef) Sign in at the identity \
         provider again, in the way that is required."
    );
}

#[test]
fn what_arrives_tells_whose_it_says_it_is_before_it_is_believed() {
    let received = Received::read(&field(&response(&signed())), None).unwrap();
    assert_eq!((received.issuer().as_deref(), received.in_response_to()), (Some(IDP), Some("_request-1")));
}

#[test]
fn every_problem_has_both_languages_and_a_code_of_its_own() {
    let mut codes: Vec<&str> = ALL.iter().map(|k| k.code).collect();
    codes.dedup();
    assert_eq!(codes.len(), ALL.len());
    for kind in ALL {
        assert!(kind.code.starts_with("SK-41") && kind.name.starts_with("saml-"), "{}", kind.code);
        for text in [&kind.title, &kind.remedy] {
            assert!(
                !text.ja.is_ascii() && text.en.is_ascii() && text.ja.ends_with('。') && text.en.ends_with('.'),
                "{}",
                kind.code
            );
        }
    }
}
