//! AuthnRequest, as it leaves.

use base64::{Engine, engine::general_purpose::STANDARD};
use miniz_oxide::inflate::decompress_to_vec;
use sekisho_saml::{ANSWER_WITHIN, Ask, Binding, Outgoing, problems::*};

use crate::{forge::*, logout::Counting};

#[test]
fn by_redirect_the_query_is_signed() {
    let ask = Ask { relay_state: Some("/a b&c=ü".into()), ..Ask::default() };
    let (out, pending) = sp().request(&idp(), &ask, now(), &Counting).unwrap();
    let Outgoing::Redirect(address) = out else { panic!("the metadata lists HTTP-Redirect first") };
    let query = address.strip_prefix("https://idp.example.test/sso?").unwrap();
    let names: Vec<&str> = query.split('&').map(|p| p.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["SAMLRequest", "RelayState", "SigAlg", "Signature"], "the order that is signed");
    assert!(query.contains("RelayState=%2Fa%20b%26c%3D%C3%BC&"));
    let message = query.split(['=', '&']).nth(1).unwrap().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let xml = String::from_utf8(decompress_to_vec(&STANDARD.decode(message).unwrap()).unwrap()).unwrap();
    assert_eq!(
        xml,
        format!(
            "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_000102030405060708090a0b0c0d0e0f\" Version=\"2.0\" \
             IssueInstant=\"2026-11-22T09:00:00Z\" Destination=\"https://idp.example.test/sso\" \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" AssertionConsumerServiceURL=\"{ACS}\">\
             <saml:Issuer>{SP}</saml:Issuer><samlp:NameIDPolicy AllowCreate=\"true\"/></samlp:AuthnRequest>"
        )
    );
    assert_eq!(
        (pending.id.as_str(), pending.issuer.as_str(), pending.acs.as_str()),
        ("_000102030405060708090a0b0c0d0e0f", IDP, ACS)
    );
    assert_eq!(pending.until, now().plus(ANSWER_WITHIN));
}

#[test]
fn by_post_the_document_is_signed() {
    let ask = Ask { binding: Some(Binding::Post), force: true, contexts: vec!["urn:c<".into()], ..Ask::default() };
    let (out, pending) = sp().request(&idp(), &ask, now(), &Counting).unwrap();
    let Outgoing::Post { action, fields } = out else { panic!("asked for HTTP-POST") };
    assert_eq!((action.as_str(), fields.len(), fields[0].0), ("https://idp.example.test/sso", 1, "SAMLRequest"));
    let xml = String::from_utf8(STANDARD.decode(&fields[0].1).unwrap()).unwrap();
    assert!(xml.contains("</saml:Issuer><ds:Signature") && xml.contains("ForceAuthn=\"true\""), "{xml}");
    assert!(xml.contains("<saml:AuthnContextClassRef>urn:c&lt;</saml:AuthnContextClassRef>"), "{xml}");
    assert!(pending.force);
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let ask = Ask { relay_state: Some("x".repeat(81)), ..Ask::default() };
    assert!(sp().request(&idp(), &ask, now(), &Counting).unwrap_err().is(&RELAY_STATE));
    let mut without = idp();
    without.sign_on.clear();
    assert!(sp().request(&without, &Ask::default(), now(), &Counting).unwrap_err().is(&NO_ENDPOINT));
}
