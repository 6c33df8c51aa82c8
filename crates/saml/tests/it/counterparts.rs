//! Documents that pysaml2 and xmlsec1 have made (fixtures/make.py).

use sekisho_kernel::{Problem, Time};
use sekisho_saml::{Certificate, IdentityProvider, Rules, Signed, SignedIn, problems::*};

use crate::forge::*;

fn made() -> Time {
    Time::parse_rfc3339(fixture!("now")).unwrap().plus(std::time::Duration::from_secs(5))
}

fn read(xml: &str, rules: &Rules) -> Result<SignedIn, Problem> {
    judge(xml, rules, made())?.first_use(true)
}

fn signed(signed: Signed) -> Rules {
    Rules { signed, ..Rules::default() }
}

fn is_hanako(who: &SignedIn) {
    assert_eq!(who.name_id.value, "yamada-7f3a");
    assert_eq!(who.name_id.sp_qualifier.as_deref(), Some(SP));
    assert_eq!(who.context.as_deref(), Some("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"));
    let values = |friendly: &str| {
        who.attributes.iter().find(|a| a.friendly.as_deref() == Some(friendly)).unwrap().values.clone()
    };
    assert_eq!(values("givenName"), ["花子 & <Ōkubo>"]);
    assert_eq!(values("mail"), ["hanako@example.test", "hana@example.test"]);
}

#[test]
fn signed_responses_of_pysaml2_sign_in() {
    let assertion = [
        fixture!("response-assertion-signed.xml"),
        fixture!("response-both-signed.xml"),
        fixture!("response-sha512.xml"),
        fixture!("response-prefixlist.xml"),
        fixture!("response-encrypted-gcm256.xml"),
        fixture!("response-encrypted-gcm128.xml"),
    ];
    for xml in assertion {
        is_hanako(&read(xml, &Rules::default()).unwrap());
    }
    let response = [
        fixture!("response-signed.xml"),
        fixture!("response-both-signed.xml"),
        fixture!("response-encrypted-then-signed.xml"),
    ];
    for xml in response {
        is_hanako(&read(xml, &signed(Signed::Response)).unwrap());
    }
    is_hanako(&read(fixture!("response-both-signed.xml"), &signed(Signed::Both)).unwrap());
}

#[test]
fn elliptic_curves_of_xmlsec1_verify() {
    for (xml, certificate) in [
        (fixture!("response-ec.xml"), fixture!("ec.crt.b64")),
        (fixture!("response-ec384.xml"), fixture!("ec384.crt.b64")),
    ] {
        let mut idp = idp();
        idp.signing.push(Certificate::from_base64(certificate).unwrap());
        let received = sekisho_saml::Received::read(&field(xml), None).unwrap();
        let accepted = received.accept(&sp(), &idp, Some(&pending(made())), &Rules::default(), made()).unwrap();
        let who = accepted.first_use(true).unwrap();
        assert_eq!(who.signer, idp.signing[1].fingerprint(), "the key that verified is told");
        is_hanako(&who);
    }
}

#[test]
fn what_the_rules_forbid_is_refused() {
    let encrypted = Rules { encrypted: true, ..Rules::default() };
    let cases: Vec<(&str, &str, Rules, &'static sekisho_kernel::ProblemKind)> = vec![
        ("sha1", fixture!("response-sha1.xml"), Rules::default(), &ALGORITHM),
        ("unsigned", fixture!("response-unsigned.xml"), Rules::default(), &UNSIGNED),
        ("unsigned-response-asked", fixture!("response-unsigned.xml"), signed(Signed::Response), &UNSIGNED),
        ("response-signed-alone", fixture!("response-signed.xml"), Rules::default(), &UNSIGNED),
        ("response-signed-alone-both-asked", fixture!("response-signed.xml"), signed(Signed::Both), &UNSIGNED),
        ("assertion-signed-alone", fixture!("response-assertion-signed.xml"), signed(Signed::Response), &UNSIGNED),
        ("encrypted-unsigned-assertion", fixture!("response-encrypted-then-signed.xml"), Rules::default(), &UNSIGNED),
        ("encrypted-cbc", fixture!("response-encrypted-cbc.xml"), Rules::default(), &ALGORITHM),
        ("encrypted-pkcs1", fixture!("response-encrypted-pkcs1.xml"), Rules::default(), &ALGORITHM),
        ("in-the-clear", fixture!("response-assertion-signed.xml"), encrypted.clone(), &NOT_ENCRYPTED),
        ("key-not-registered", fixture!("response-ec.xml"), Rules::default(), &SIGNATURE),
    ];
    let mut all = String::new();
    for (name, xml, rules, kind) in cases {
        let problem = read(xml, &rules).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
        all.push_str(&told(name, &problem));
    }
    insta::assert_snapshot!(all);
    is_hanako(&read(fixture!("response-encrypted-gcm256.xml"), &encrypted).unwrap());
}

#[test]
fn cipher_text_that_was_touched_does_not_open() {
    let xml = fixture!("response-encrypted-gcm256.xml");
    let values: Vec<usize> = xml.match_indices("CipherValue>").map(|(at, _)| at + "CipherValue>".len()).collect();
    // Opening tags are the first and the third: the wrapped key, then the content.
    for at in [values[0], values[2]] {
        let touched = |i: usize| {
            let old = xml.as_bytes()[at + i];
            let new = if old == b'A' { "B" } else { "A" };
            format!("{}{new}{}", &xml[..at + i], &xml[at + i + 1..])
        };
        for i in [1, 20, 60] {
            let problem = read(&touched(i), &Rules::default()).unwrap_err();
            assert_eq!(
                problem.to_string(),
                "SK-4123 The encrypted content cannot be decrypted. None of our keys opens it. (Response/EncryptedAssertion) Register the \
                 encryption certificate of our metadata at the identity provider again."
            );
        }
    }
}

#[test]
fn pysaml2_metadata_reads() {
    let read = IdentityProvider::read(fixture!("idp-metadata.xml").as_bytes(), &[], made()).unwrap();
    assert_eq!(read.entity_id, IDP);
    assert_eq!(read.signing, idp().signing);
    assert_eq!(read.sign_on, idp().sign_on);
    assert!(read.wants_signed);
}
