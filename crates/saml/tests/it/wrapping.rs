//! Signature wrapping: the eight shapes of Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012), as
//! SAML Raider numbers them, and more.

use sekisho_kernel::Problem;
use sekisho_saml::{Rules, Signed};

use crate::forge::*;

/// The signature of a signed element, cut out.
fn signature_of(signed: &str) -> &str {
    let (start, end) = (signed.find("<ds:Signature").unwrap(), signed.find("</ds:Signature>").unwrap());
    &signed[start..end + "</ds:Signature>".len()]
}

fn bare(signed: &str) -> String {
    signed.replacen(signature_of(signed), "", 1)
}

/// The signed response, and the same with the attacker's assertion in it.
fn responses() -> (String, String) {
    let honest = Signing::of("_r1").put(&response(&assertion()));
    let forged = swap(&swap(&response(&evil()), "ID=\"_r1\"", "ID=\"_forged\""), "ID=\"_evil\"", "ID=\"_e2\"");
    (honest, forged)
}

/// `signature` with `object` inside it as a ds:Object.
fn with_object(signature: &str, object: &str) -> String {
    swap(signature, "</ds:Signature>", &format!("<ds:Object>{object}</ds:Object></ds:Signature>"))
}

fn shapes() -> Vec<(&'static str, String)> {
    let (honest, forged) = responses();
    let response_signature = signature_of(&honest).to_owned();
    let signed = signed();
    let own = signature_of(&signed).to_owned();
    let unsigned = bare(&signed);
    let evil = evil();
    let same_id = swap(&evil, "_evil", "_a1");
    let subject_data = "</saml:SubjectConfirmationData>";
    vec![
        // 1: the forged response's signature holds the signed response.
        ("xsw1", put(&forged, &with_object(&response_signature, &bare(&honest)))),
        // 2: the signed response stands before the signature that came loose from it.
        ("xsw2", put(&forged, &format!("{}{response_signature}", bare(&honest)))),
        // 3: the forged assertion before the signed one.
        ("xsw3", response(&format!("{evil}{signed}"))),
        // 4: the signed assertion within the forged one.
        ("xsw4", response(&swap(&evil, "</saml:Assertion>", &format!("{signed}</saml:Assertion>")))),
        // 5: the forged assertion carries the signature; the signed one follows without it.
        ("xsw5", response(&format!("{}{unsigned}", put(&evil, &own)))),
        // 6: the forged assertion carries the signature, which holds the signed one.
        ("xsw6", response(&put(&evil, &with_object(&own, &unsigned)))),
        // 7: the forged assertion in Extensions.
        (
            "xsw7",
            swap(
                &response(&signed),
                "<samlp:Status>",
                &format!("<samlp:Extensions>{same_id}</samlp:Extensions><samlp:Status>"),
            ),
        ),
        (
            "xsw7-with-another-id",
            swap(
                &response(&signed),
                "<samlp:Status>",
                &format!("<samlp:Extensions>{evil}</samlp:Extensions><samlp:Status>"),
            ),
        ),
        // 8: the forged assertion carries the signature; the signed one is within an Object of it.
        ("xsw8", response(&put(&same_id, &with_object(&own, &unsigned)))),
        ("after-the-signed-one", response(&format!("{signed}{evil}"))),
        ("in-subject-confirmation-data", response(&swap(&evil, subject_data, &format!("{signed}{subject_data}")))),
        (
            "in-advice",
            response(&swap(
                &evil,
                "<saml:AuthnStatement",
                &format!("<saml:Advice>{signed}</saml:Advice><saml:AuthnStatement"),
            )),
        ),
        (
            "in-an-attribute-value",
            response(&swap(&evil, "user</saml:AttributeValue>", &format!("{signed}</saml:AttributeValue>"))),
        ),
        (
            "in-status-detail",
            swap(
                &response(&evil),
                "</samlp:Status>",
                &format!("<samlp:StatusDetail>{signed}</samlp:StatusDetail></samlp:Status>"),
            ),
        ),
        ("signature-moved", response(&put(&evil, &own))),
        ("signature-of-another-parent", swap(&response(&evil), "<samlp:Status>", &format!("{own}<samlp:Status>"))),
        ("two-signatures", response(&put(&put(&evil, &own), &own))),
        ("response-within-response", response(&format!("{signed}{}", swap(&response(&evil), "_r1", "_r2")))),
        (
            "stranger-namespace",
            response(&format!("{}{signed}", evil.replace("SAML:2.0:assertion\"", "SAML:2.0:assertion/\""))),
        ),
        ("two-signed", response(&format!("{signed}{}", Signing::of("_a2").put(&swap(&assertion(), "_a1", "_a2"))))),
    ]
}

#[test]
fn every_wrapping_shape_is_refused() {
    let mut told_all = String::new();
    for signed in [Signed::Assertion, Signed::Response, Signed::Both] {
        let rules = Rules { signed, ..Rules::default() };
        for (name, xml) in shapes() {
            let problem: Problem = judge(&xml, &rules, now()).expect_err(name);
            if signed == Signed::Assertion {
                told_all.push_str(&told(name, &problem));
            }
        }
    }
    insta::assert_snapshot!(told_all);
}

#[test]
fn the_same_documents_unwrapped_sign_in() {
    assert_eq!(person(&response(&signed())).unwrap().name_id.value, "yamada");
    let rules = Rules { signed: Signed::Response, ..Rules::default() };
    let accepted = judge(&responses().0, &rules, now()).unwrap();
    assert_eq!(accepted.first_use(true).unwrap().name_id.value, "yamada");
    let both = Rules { signed: Signed::Both, ..Rules::default() };
    let whole = Signing::of("_r1").put(&response(&signed()));
    assert_eq!(judge(&whole, &both, now()).unwrap().first_use(true).unwrap().name_id.value, "yamada");
}
