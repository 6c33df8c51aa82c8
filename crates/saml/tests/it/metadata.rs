//! Metadata in and out.

use sekisho_kernel::{Problem, Time};
use sekisho_saml::{Binding, Certificate, Credential, IdentityProvider, ServiceProvider, problems::*};

use crate::forge::*;

fn document() -> String {
    let certificate = |name: &str| {
        format!(
            "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{name}\n</ds:X509Certificate>\
             </ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        )
    };
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:ds=\"{DS}\" ID=\"_m1\" entityID=\"{IDP}\" \
         validUntil=\"2026-12-01T00:00:00Z\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol\">{}{}\
         <md:SingleLogoutService Binding=\"{redirect}\" Location=\"https://idp.example.test/slo\" \
         ResponseLocation=\"https://idp.example.test/slo/back\"></md:SingleLogoutService><md:SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:SOAP\" Location=\"http://soap\"></md:SingleSignOnService>\
         <md:SingleSignOnService Binding=\"{post}\" Location=\"https://idp.example.test/sso\"></md:SingleSignOnService>\
         </md:IDPSSODescriptor></md:EntityDescriptor>",
        certificate(fixture!("idp.crt.b64")),
        certificate(fixture!("idp-next.crt.b64")),
        redirect = Binding::Redirect.uri(),
        post = Binding::Post.uri(),
    )
}

fn read(text: &str) -> Result<IdentityProvider, Problem> {
    IdentityProvider::read(text.as_bytes(), &[], now())
}

#[test]
fn a_provider_with_the_present_and_the_next_certificate_reads() {
    let idp = read(&document()).unwrap();
    assert_eq!(idp.signing.len(), 2);
    assert_eq!(idp.valid_until, Some(Time::parse_rfc3339("2026-12-01T00:00:00Z").unwrap()));
    assert_eq!((idp.sign_on.len(), idp.sign_on[0].binding), (1, Binding::Post));
    assert_eq!(
        (idp.logout[0].location.as_str(), idp.logout[0].response.as_str()),
        ("https://idp.example.test/slo", "https://idp.example.test/slo/back")
    );
}

#[test]
fn an_assertion_of_the_next_key_is_taken_once_the_metadata_lists_it() {
    let mut signing = Signing::of("_a1");
    signing.pen = Pen::attacker();
    let xml = response(&signing.put(&assertion()));
    assert!(judge(&xml, &Default::default(), now()).unwrap_err().is(&SIGNATURE));
    let received = sekisho_saml::Received::read(&field(&xml), None).unwrap();
    let idp = read(&document()).unwrap();
    assert!(received.accept(&sp(), &idp, Some(&pending(now())), &Default::default(), now()).is_ok());
}

#[test]
fn metadata_that_cannot_be_trusted_is_refused() {
    let key = fixture!("idp.crt.b64");
    let keys: String = document()
        .split("<md:SingleLogoutService")
        .next()
        .unwrap()
        .split_once("<md:KeyDescriptor")
        .unwrap()
        .1
        .to_owned();
    let cases = [
        ("doctype", format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}", document()), &DOCTYPE),
        ("expired", swap(&document(), "2026-12-01", "2026-11-01"), &METADATA_EXPIRED),
        ("time-not-one", swap(&document(), "2026-12-01T00:00:00Z", "soon"), &SHAPE),
        (
            "several",
            format!(
                "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}</md:EntitiesDescriptor>",
                document()
            ),
            &METADATA,
        ),
        ("service", document().replace("IDPSSODescriptor", "SPSSODescriptor"), &METADATA),
        ("saml-1", swap(&document(), " urn:oasis:names:tc:SAML:2.0:protocol\"", "\""), &METADATA),
        ("no-entity-id", swap(&document(), &format!(" entityID=\"{IDP}\""), ""), &SHAPE),
        ("long-entity-id", swap(&document(), IDP, &"x".repeat(1025)), &METADATA),
        ("no-keys", swap(&document(), &format!("<md:KeyDescriptor{keys}"), ""), &METADATA),
        ("weak-key", swap(&document(), key, fixture!("weak.crt.b64")), &KEY),
        ("not-a-certificate", swap(&document(), key, "AAAA"), &KEY),
        ("not-base64", swap(&document(), key, "not base64"), &KEY),
        ("cut-certificate", swap(&document(), key, &key[..key.len() - 8]), &KEY),
        ("use-of-key", swap(&document(), "use=\"signing\"", "use=\"both\""), &METADATA),
        ("http", swap(&document(), "https://idp.example.test/sso", "http://idp.example.test/sso"), &METADATA),
        ("javascript", swap(&document(), "https://idp.example.test/sso", "javascript:alert(1)"), &METADATA),
        ("fragment", swap(&document(), "https://idp.example.test/sso", "https://idp.example.test/sso#x"), &METADATA),
        ("no-sign-on", swap(&document(), "bindings:HTTP-POST\"", "bindings:HTTP-Artifact\""), &METADATA),
        ("large", format!("{}{}", document(), " ".repeat(1 << 20)), &TOO_LARGE),
        ("another-root", "<x/>".into(), &METADATA),
    ];
    let mut all = String::new();
    for (name, text, kind) in cases {
        let problem = read(&text).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
        all.push_str(&told(name, &problem));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn with_a_pinned_certificate_only_signed_metadata_is_read() {
    let metadata = sp().metadata("_sp", now().plus(std::time::Duration::from_secs(3600))).unwrap();
    let pins = [Certificate::from_base64(fixture!("sp.crt.b64")).unwrap()];
    let pinned = |text: &str, pins: &[Certificate]| IdentityProvider::read(text.as_bytes(), pins, now()).unwrap_err();
    assert!(pinned(&document(), &pins).is(&UNSIGNED));
    // Our own is signed well, but is a service's; with another pin not even that is looked at.
    assert!(pinned(&metadata, &pins).is(&METADATA));
    assert!(pinned(&metadata, &idp().signing).is(&SIGNATURE));
    let altered = swap(&metadata, "saml/acs", "evil/acs");
    assert!(pinned(&altered, &pins).is(&DIGEST));
}

#[test]
fn our_metadata_lists_every_key_and_address() {
    let own = || credential(fixture!("sp.pk8.b64"), fixture!("sp.crt.b64"));
    let next = || credential(fixture!("idp-next.pk8.b64"), fixture!("idp-next.crt.b64"));
    let sp = ServiceProvider::new(SP, ACS, Some(SLO), vec![own(), next()], vec![own()]).unwrap();
    let text = sp.metadata("_sp", now()).unwrap();
    for part in [
        format!("entityID=\"{SP}\" validUntil=\"2026-11-22T09:00:00Z\""),
        "AuthnRequestsSigned=\"true\" WantAssertionsSigned=\"true\"".into(),
        format!("Location=\"{ACS}\" index=\"0\" isDefault=\"true\""),
        format!("HTTP-POST\" Location=\"{SLO}\""),
        format!("HTTP-Redirect\" Location=\"{SLO}\""),
        fixture!("idp-next.crt.b64").to_owned(),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
    assert_eq!(text.matches("use=\"signing\"").count(), 2);
    assert_eq!(text.matches("use=\"encryption\"").count(), 1);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let own = || credential(fixture!("sp.pk8.b64"), fixture!("sp.crt.b64"));
    let ec = || credential(fixture!("ec.pk8.b64"), fixture!("ec.crt.b64"));
    let make = |id: &str, acs: &str, signing, opening| ServiceProvider::new(id, acs, None, signing, opening);
    assert!(make(SP, ACS, vec![ec()], vec![own()]).is_ok());
    for (name, made) in [
        ("http", make(SP, "http://sp.example.test/acs", vec![own()], vec![])),
        ("space", make("a b", ACS, vec![own()], vec![])),
        ("empty", make("", ACS, vec![own()], vec![])),
        ("no key", make(SP, ACS, vec![], vec![])),
        ("a curve for encryption", make(SP, ACS, vec![own()], vec![ec()])),
    ] {
        assert!(made.expect_err(name).is(&SETTING), "{name}");
    }
    let other = Certificate::from_base64(fixture!("idp.crt.b64")).unwrap();
    let secret = sekisho_kernel::Secret::new(b"no key".to_vec());
    assert!(Credential::new(&secret, other).unwrap_err().is(&KEY));
}

#[test]
fn a_key_that_we_make_signs_and_opens() {
    let (made, secret) =
        Credential::generate("sp.example.test", now(), now().plus(std::time::Duration::from_secs(86_400))).unwrap();
    assert!(made.opens());
    assert_eq!(made.certificate().not_after(), now().plus(std::time::Duration::from_secs(86_400)));
    let again = Credential::new(&secret, made.certificate().clone()).unwrap();
    let other = Certificate::from_base64(fixture!("idp.crt.b64")).unwrap();
    assert!(
        Credential::new(&secret, other)
            .unwrap_err()
            .to_string()
            .contains("Private key and certificate do not belong together.")
    );
    let sp = ServiceProvider::new(SP, ACS, None, vec![again], vec![made]).unwrap();
    assert!(sp.metadata("_sp", now()).unwrap().contains("<ds:SignatureValue>"));
}
