//! Single logout, out and in.

use base64::{Engine, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::compress_to_vec;
use sekisho_kernel::{Problem, Rng, Time};
use sekisho_saml::{EndSession, LogoutMessage, LogoutRequest, Outgoing, PendingLogout, Rules, problems::*};

use crate::forge::*;

pub fn made() -> Time {
    Time::parse_rfc3339(fixture!("now")).unwrap().plus(std::time::Duration::from_secs(5))
}

fn asked() -> PendingLogout {
    PendingLogout {
        id: "_logout-1".into(),
        issuer: IDP.into(),
        until: made().plus(std::time::Duration::from_secs(60)),
        relay_state: None,
    }
}

pub fn by_query(query: &str, at: Time) -> Result<LogoutRequest, Problem> {
    sp().logout_request(&idp(), LogoutMessage::Redirect(query), &Rules::default(), at)
}

pub fn by_form(xml: &str, at: Time) -> Result<LogoutRequest, Problem> {
    sp().logout_request(&idp(), LogoutMessage::Post { field: &field(xml), relay_state: None }, &Rules::default(), at)
}

pub struct Counting;

impl Rng for Counting {
    fn fill(&self, out: &mut [u8]) {
        for (i, b) in out.iter_mut().enumerate() {
            *b = u8::try_from(i % 256).unwrap();
        }
    }
}

#[test]
fn requests_of_pysaml2_are_understood() {
    let read = by_form(fixture!("logout-request.xml"), made()).unwrap();
    assert_eq!(
        (read.name_id.value.as_str(), read.sessions.as_slice()),
        ("yamada-7f3a", ["_session-1".to_owned()].as_slice())
    );
    let read = by_query(fixture!("logout-request.query"), made()).unwrap();
    assert_eq!(read.name_id.value, "yamada-7f3a");
    assert_eq!(read.relay_state.as_deref(), Some("state & more"));
}

#[test]
fn names_that_xmlsec1_has_encrypted_are_opened() {
    let plain = by_form(fixture!("logout-request.xml"), made()).unwrap();
    let posted = by_form(fixture!("logout-request-encrypted.xml"), made()).unwrap();
    let redirected = by_query(fixture!("logout-request-encrypted.query"), made()).unwrap();
    for read in [posted, redirected] {
        assert_eq!((&read.name_id, &read.sessions), (&plain.name_id, &plain.sessions));
    }
}

#[test]
fn responses_of_pysaml2_are_understood() {
    let form = field(fixture!("logout-response.xml"));
    let message = LogoutMessage::Post { field: &form, relay_state: None };
    let answer = sp().logout_response(&idp(), message, &asked(), &Rules::default(), made()).unwrap();
    assert!(!answer.partial);
    let query = LogoutMessage::Redirect(fixture!("logout-response.query"));
    sp().logout_response(&idp(), query, &asked(), &Rules::default(), made()).unwrap();
    let mut other = asked();
    other.id = "_logout-2".into();
    let problem = sp().logout_response(&idp(), query, &other, &Rules::default(), made()).unwrap_err();
    assert!(problem.is(&IN_RESPONSE_TO), "{problem:?}");
}

/// A query with a message of the test's own, signed over exactly what is sent.
pub fn query(message: &[u8], pen: &Pen, state: Option<&str>, method: &str) -> String {
    let escape = |text: &str| {
        text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace(':', "%3A").replace('#', "%23")
    };
    let mut query = format!("SAMLRequest={}", escape(&STANDARD.encode(message)));
    if let Some(state) = state {
        query.push_str(&format!("&RelayState={state}"));
    }
    query.push_str(&format!("&SigAlg={}", escape(method)));
    let signature = escape(&pen.sign(&query));
    format!("{query}&Signature={signature}")
}

pub fn request() -> String {
    format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Destination=\"{SLO}\" ID=\"_l1\" IssueInstant=\"2026-11-22T09:00:00Z\" \
         Version=\"2.0\"><saml:Issuer>{IDP}</saml:Issuer><saml:NameID>yamada</saml:NameID></samlp:LogoutRequest>"
    )
}

pub fn deflated(xml: &str) -> Vec<u8> {
    compress_to_vec(xml.as_bytes(), 9)
}

#[test]
fn every_attack_on_a_query_is_refused() {
    let pen = Pen::idp();
    let good = query(&deflated(&request()), &pen, Some("s"), RSA_SHA256);
    assert_eq!(by_query(&good, now()).unwrap().name_id.value, "yamada");
    let whole = deflated(&request());
    let bomb = compress_to_vec(&vec![b' '; 8 << 20], 9);
    let trailing = [whole.as_slice(), b"more"].concat();
    let unsigned = good.split("&SigAlg").next().unwrap().to_owned();
    let bad = [
        ("unsigned", unsigned.clone(), &UNSIGNED),
        ("signature-dropped", good.split("&Signature").next().unwrap().to_owned(), &UNSIGNED),
        ("relay-state-changed", swap(&good, "RelayState=s", "RelayState=t"), &SIGNATURE),
        ("relay-state-dropped", swap(&good, "&RelayState=s", ""), &SIGNATURE),
        ("relay-state-added", format!("{}&RelayState=x", query(&whole, &pen, None, RSA_SHA256)), &SIGNATURE),
        ("relay-state-twice", format!("{good}&RelayState=x"), &ENCODING),
        ("relay-state-long", query(&whole, &pen, Some(&"x".repeat(81)), RSA_SHA256), &RELAY_STATE),
        ("message-twice", format!("SAMLRequest=x&{good}"), &ENCODING),
        ("request-and-response", format!("{good}&SAMLResponse=x"), &ENCODING),
        ("no-message", "RelayState=s".into(), &ENCODING),
        ("key-of-the-attacker", query(&whole, &Pen::attacker(), None, RSA_SHA256), &SIGNATURE),
        ("sha1", query(&whole, &pen, None, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), &ALGORITHM),
        ("hmac", query(&whole, &pen, None, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), &ALGORITHM),
        ("truncated", query(&whole[..whole.len() / 2], &pen, None, RSA_SHA256), &ENCODING),
        ("trailing", query(&trailing, &pen, None, RSA_SHA256), &ENCODING),
        ("empty", query(&[], &pen, None, RSA_SHA256), &ENCODING),
        ("not-deflated", query(request().as_bytes(), &pen, None, RSA_SHA256), &ENCODING),
        ("bomb", query(&bomb, &pen, None, RSA_SHA256), &TOO_LARGE),
        ("encoding-other", format!("{good}&SAMLEncoding=urn%3Ax"), &ENCODING),
        ("long", format!("{good}&x={}", "x".repeat(40_000)), &TOO_LARGE),
        ("doctype", query(&deflated(&format!("<!DOCTYPE x>{}", request())), &pen, None, RSA_SHA256), &DOCTYPE),
        (
            "signature-in-the-document",
            query(&deflated(&Signing::of("_l1").put(&request())), &pen, None, RSA_SHA256),
            &SIGNATURE_SHAPE,
        ),
        (
            "another-message",
            query(&deflated(&request().replace("LogoutRequest", "AuthnRequest")), &pen, None, RSA_SHA256),
            &SHAPE,
        ),
    ];
    let mut all = String::new();
    for (name, query, kind) in bad {
        let problem = by_query(&query, now()).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
        all.push_str(&told(name, &problem));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn every_wrong_word_in_a_logout_is_refused() {
    let posted = |from: &str, to: &str| by_form(&Signing::of("_l1").put(&swap(&canonical_request(), from, to)), now());
    assert!(posted("yamada", "yamada").is_ok());
    for (name, from, to, kind) in [
        ("destination", SLO, ACS, &DESTINATION),
        ("issuer", ">https://idp.example.test/metadata<", ">https://evil.example/<", &ISSUER),
        ("old", "2026-11-22T09:00:00Z", "2026-11-22T08:40:00Z", &EXPIRED),
        ("future", "2026-11-22T09:00:00Z", "2026-11-22T09:05:00Z", &NOT_YET),
        ("version", "Version=\"2.0\"", "Version=\"1.0\"", &VERSION),
        ("name", ">yamada<", "><", &SUBJECT),
        ("stranger", "</saml:NameID>", "</saml:NameID><BaseID></BaseID>", &SHAPE),
    ] {
        let problem = posted(from, to).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
    }
    assert!(by_form(&canonical_request(), now()).unwrap_err().is(&UNSIGNED));
    let altered = swap(&Signing::of("_l1").put(&canonical_request()), ">yamada<", ">admin<");
    assert!(by_form(&altered, now()).unwrap_err().is(&DIGEST));
}

/// The request as exclusive canonicalisation writes it.
pub fn canonical_request() -> String {
    let saml = " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
    let plain = request().replacen(&format!("{saml} "), " ", 1);
    let plain = plain.replacen("<saml:Issuer", &format!("<saml:Issuer{saml}"), 1);
    plain.replacen("<saml:NameID", &format!("<saml:NameID{saml}"), 1)
}

#[test]
fn what_we_send_names_the_session_and_is_answered() {
    let name_id = sekisho_saml::NameId {
        value: "yamada & <co>".into(),
        format: Some("urn:x".into()),
        qualifier: None,
        sp_qualifier: Some(SP.into()),
    };
    let session = EndSession { name_id, session_index: Some("_s1".into()) };
    let (out, pending) = sp().logout(&idp(), &session, Some("back"), now(), &Counting).unwrap();
    let Outgoing::Redirect(address) = out else { panic!("the metadata lists HTTP-Redirect first") };
    assert!(address.starts_with("https://idp.example.test/slo?SAMLRequest="), "{address}");
    assert!(address.contains("&RelayState=back&SigAlg=") && address.contains("&Signature="), "{address}");
    assert_eq!((pending.id.as_str(), pending.issuer.as_str()), ("_000102030405060708090a0b0c0d0e0f", IDP));
    let request = by_query(&query(&deflated(&request()), &Pen::idp(), Some("s"), RSA_SHA256), now()).unwrap();
    let out = sp().logout_answer(&idp(), &request, true, now(), &Counting).unwrap();
    let Outgoing::Redirect(address) = out else { panic!("the metadata lists HTTP-Redirect first") };
    assert!(address.contains("?SAMLResponse=") && address.contains("&RelayState=s&"), "{address}");
    let long = "x".repeat(81);
    assert!(sp().logout(&idp(), &session, Some(&long), now(), &Counting).unwrap_err().is(&RELAY_STATE));
}
