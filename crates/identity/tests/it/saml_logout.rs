//! Single logout: out to the provider, in from it, and every message that is neither its word nor for us nor for now.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::compress_to_vec;
use sekisho_identity::types::{
    NewSamlProvider, ProviderPatch, ProviderView, SamlFarewell, SamlLogoutMessage, SignedIn,
};
use sekisho_kernel::{
    Cx, Problem,
    hook::{Knock, Onward, Sessions},
};

use crate::{
    federation::ORIGIN,
    house::{House, code, done, each},
    saml::{back, changed, leave, parameter, said, step},
    saml_idp::{ENTITY, Key, Said, encrypted, metadata, moment, signed},
    saml_keys::published,
};

const SLO: &str = "https://saml.example/idp/slo";
pub const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

/// Metadata with a logout service, by a binding.
fn with_logout(entity: &str, binding: &str) -> String {
    let service = format!(
        "<md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:{binding}\" Location=\"{SLO}\"/>"
    );
    metadata(entity, &[Key::Present], "")
        .replace("<md:SingleSignOnService", &format!("{service}<md:SingleSignOnService"))
}

async fn provider_with(house: &House, cx: &Cx, name: &str, text: String) -> ProviderView {
    let new = NewSamlProvider { name: name.into(), metadata: Some(text), metadata_url: None };
    let made = house.node.create_saml_provider(cx, new).await.expect("a provider");
    let on = ProviderPatch { enabled: Some(true), create_users: Some(true), ..ProviderPatch::default() };
    changed(house, cx, &made, on).await.expect("changed")
}

pub async fn provider(house: &House, cx: &Cx) -> ProviderView {
    provider_with(house, cx, "SAML", with_logout(ENTITY, "HTTP-Redirect")).await
}

/// Somebody signs in at the provider, in a session of its own there.
pub async fn comes(house: &House, p: &ProviderView, subject: &str, index: &str) -> SignedIn {
    let leaving = leave(house, p).await;
    let said = Said { index: Some(index.into()), ..said(house, Some(&leaving), subject) };
    done(step(back(house, Some(&leaving), &said).await))
}

/// A provider's LogoutRequest in canonical form.
#[derive(Clone)]
struct Wish {
    id: String,
    at: i64,
    until: Option<i64>,
    to: String,
    issuer: String,
    name: String,
    format: &'static str,
    sessions: Vec<String>,
}

impl Wish {
    fn new(house: &House, name: &str, sessions: &[&str]) -> Self {
        house.tick();
        Self {
            id: format!("_l{}", house.now().micros()),
            at: house.now().secs(),
            until: None,
            to: format!("{ORIGIN}/saml/slo"),
            issuer: ENTITY.into(),
            name: name.into(),
            format: "persistent",
            sessions: sessions.iter().map(|s| (*s).to_owned()).collect(),
        }
    }
    fn xml(&self) -> String {
        let time = |secs: i64| moment(sekisho_kernel::Time::from_secs(secs));
        let until: String = self.until.iter().map(|t| format!(" NotOnOrAfter=\"{}\"", time(*t))).collect();
        let sessions: String =
            self.sessions.iter().map(|s| format!("<samlp:SessionIndex>{s}</samlp:SessionIndex>")).collect();
        let saml = "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
        format!(
            "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{}\" ID=\"{}\" \
             IssueInstant=\"{}\"{until} Version=\"2.0\"><saml:Issuer {saml}>{}</saml:Issuer><saml:NameID {saml} \
             Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:{}\">{}</saml:NameID>{sessions}</samlp:LogoutRequest>",
            self.to,
            self.id,
            time(self.at),
            self.issuer,
            self.format,
            self.name,
        )
    }
    fn query(&self) -> String {
        query("SAMLRequest", &compress_to_vec(self.xml().as_bytes(), 9), None, RSA_SHA256, Key::Present)
    }
    /// The same with its name encrypted to a certificate.
    fn hidden(&self, certificate: &[u8]) -> String {
        let (xml, end) = (self.xml(), "</saml:NameID>");
        let (head, rest) = xml.split_at(xml.find("<saml:NameID").expect("a name"));
        let (name, tail) = rest.split_at(rest.find(end).expect("a name") + end.len());
        let whole = format!("{head}{}{tail}", encrypted("EncryptedID", certificate, name));
        query("SAMLRequest", &compress_to_vec(whole.as_bytes(), 9), None, RSA_SHA256, Key::Present)
    }
    fn posted(&self, by: Key) -> SamlLogoutMessage {
        form(&signed(&self.xml(), &self.id, "</saml:Issuer>", by))
    }
}

fn form(xml: &str) -> SamlLogoutMessage {
    SamlLogoutMessage::Form { field: STANDARD.encode(xml), relay_state: None, answer: false }
}

fn escape(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D").replace(':', "%3A").replace('#', "%23")
}

/// A query signed over exactly what is sent.
pub fn query(name: &str, packed: &[u8], state: Option<&str>, algorithm: &str, by: Key) -> String {
    let mut query = format!("{name}={}", escape(&STANDARD.encode(packed)));
    query.extend(state.map(|s| format!("&RelayState={s}")));
    query.push_str(&format!("&SigAlg={}", escape(algorithm)));
    let signature = by.sign(&query);
    format!("{query}&Signature={}", escape(&signature))
}

async fn brought(house: &House, message: &SamlLogoutMessage) -> Result<SamlFarewell, Problem> {
    // From an address of its own each time: what one address is refused again and again is only counted.
    static FROM: AtomicU32 = AtomicU32::new(0x0a00_0001);
    let peer = Ipv4Addr::from_bits(FROM.fetch_add(1, Ordering::Relaxed)).into();
    let knock = Knock { peer, ..house.here().await };
    house.tick();
    house.node.saml_logout(&knock, ORIGIN, message).await
}

pub async fn by_query(house: &House, query: &str) -> Result<SamlFarewell, Problem> {
    brought(house, &SamlLogoutMessage::Query(query.to_owned())).await
}

/// Why the last message was refused, as the history has it.
pub async fn last_reason(house: &House) -> String {
    let rows = house.history().await;
    let last = rows.iter().rev().find(|r| r.event.starts_with("provider.sign")).expect("an entry");
    last.detail.iter().find(|(n, _)| n == "reason" || n == "problem").map(|(_, v)| v.clone()).unwrap_or_default()
}

pub async fn lives(house: &House, of: &SignedIn) -> bool {
    house.passage(&of.token).await.is_ok()
}

pub fn message(onward: &Onward, name: &str) -> String {
    let packed = STANDARD.decode(parameter(&onward.to, name)).expect("base64");
    String::from_utf8(miniz_oxide::inflate::decompress_to_vec(&packed).expect("DEFLATE")).expect("XML")
}

/// The id of a request of ours.
pub fn asked(onward: &Onward) -> String {
    let sent = message(onward, "SAMLRequest");
    sent.split(" ID=\"").nth(1).and_then(|r| r.split('"').next()).expect("an id").to_owned()
}

/// A provider's LogoutResponse.
pub fn answered(house: &House, request: &str, issuer: &str, status: &str) -> String {
    let at = moment(house.now());
    let saml = "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"";
    format!(
        "<samlp:LogoutResponse xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"{ORIGIN}/saml/slo\" \
         ID=\"_r\" InResponseTo=\"{request}\" IssueInstant=\"{at}\" Version=\"2.0\"><saml:Issuer {saml}>{issuer}\
         </saml:Issuer><samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:{status}\">\
         </samlp:StatusCode></samlp:Status></samlp:LogoutResponse>"
    )
}

#[tokio::test]
async fn the_provider_ends_the_sessions_that_it_names_and_no_others() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let other = provider_with(&house, &admin, "Other", with_logout("https://other.example", "HTTP-Redirect")).await;
        let (one, two) = (comes(&house, &p, "hanako", "i1").await, comes(&house, &p, "hanako", "i2").await);
        let taro = comes(&house, &p, "taro", "i3").await;
        let second = house.second().await;
        let there = async |s: &SignedIn| second.resolve(&house.here().await, &s.token).await.is_ok();
        assert!(there(&one).await && there(&two).await && there(&taro).await);
        let SamlFarewell::Asked(Some(answer)) =
            by_query(&house, &Wish::new(&house, "hanako", &["i1"]).query()).await.expect("believed")
        else {
            panic!("an answer is due")
        };
        let said = message(&answer, "SAMLResponse");
        assert!(answer.to.starts_with(&format!("{SLO}?SAMLResponse=")) && said.contains("status:Success"), "{said}");
        assert!(
            !lives(&house, &one).await && !there(&one).await && lives(&house, &two).await && lives(&house, &taro).await
        );
        // Another's session under this one's name, another format of the name, another provider's word.
        by_query(&house, &Wish::new(&house, "hanako", &["i3"]).query()).await.expect("believed");
        by_query(&house, &Wish { format: "kerberos", ..Wish::new(&house, "hanako", &["i2"]) }.query())
            .await
            .expect("so");
        let theirs = Wish { issuer: other.issuer.clone(), ..Wish::new(&house, "hanako", &["i2"]) };
        by_query(&house, &theirs.query()).await.expect("it is registered with the same key");
        assert!(lives(&house, &two).await && lives(&house, &taro).await);
        // By a form, and all of them.
        let three = comes(&house, &p, "hanako", "i4").await;
        brought(&house, &Wish::new(&house, "hanako", &[]).posted(Key::Present)).await.expect("believed");
        assert!(!lives(&house, &two).await && !lives(&house, &three).await && lives(&house, &taro).await);
    })
    .await;
}

#[tokio::test]
async fn a_name_may_be_encrypted_to_our_keys_until_they_are_retired() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let ends = async |certificate: &[u8], index: &str| {
            let came = comes(&house, &p, "hanako", index).await;
            let taken = by_query(&house, &Wish::new(&house, "hanako", &[index]).hidden(certificate)).await;
            assert_eq!(taken.is_ok(), !lives(&house, &came).await);
            taken.is_ok()
        };
        let first = published(&house).await[1][0].clone();
        assert!(ends(&first, "i1").await);
        let next = house.node.prepare_saml_key(&admin).await.expect("the next");
        let second = published(&house).await[1][1].clone();
        assert!(ends(&second, "i2").await);
        house.node.switch_saml_key(&admin, next.id).await.expect("switched");
        assert!(ends(&first, "i3").await && ends(&second, "i4").await);
        let old = house.node.saml_keys(&admin).await.expect("keys")[0].id;
        house.node.retire_saml_key(&admin, old).await.expect("retired");
        assert!(!ends(&first, "i5").await);
        assert_eq!(last_reason(&house).await, "saml-decryption");
        assert!(ends(&second, "i6").await);
    })
    .await;
}

#[tokio::test]
async fn nobody_comes_in_by_a_session_that_has_ended_there() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        comes(&house, &p, "hanako", "i1").await;
        let leaving = leave(&house, &p).await;
        let late = Said { index: Some("i2".into()), ..said(&house, Some(&leaving), "hanako") };
        by_query(&house, &Wish::new(&house, "hanako", &["i2"]).query()).await.expect("believed");
        assert_eq!(code(back(&house, Some(&leaving), &late).await), "SK-4050");
        comes(&house, &p, "hanako", "i3").await;
    })
    .await;
}

#[tokio::test]
async fn who_signs_out_here_is_led_on_and_the_answer_is_checked() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let out = async |s: &SignedIn| {
            let knock = house.here().await;
            house.node.sign_out(&knock, &s.token, Some(ORIGIN)).await.expect("signed out")
        };
        let answer = |request: &str, issuer: &str, status: &str, by: Key| {
            let xml = answered(&house, request, issuer, status);
            query("SAMLResponse", &compress_to_vec(xml.as_bytes(), 9), None, RSA_SHA256, by)
        };
        let hanako = comes(&house, &p, "hanako", "i1").await;
        let on = out(&hanako).await.expect("on to the provider");
        assert!(!lives(&house, &hanako).await);
        let sent = message(&on, "SAMLRequest");
        assert!(on.to.starts_with(&format!("{SLO}?")) && on.to.contains("&SigAlg=") && on.fields.is_empty());
        assert!(sent.contains(">hanako</saml:NameID>") && sent.contains("<samlp:SessionIndex>i1<"), "{sent}");
        let id = asked(&on);
        for (refused, word) in [
            (answer(&id, ENTITY, "Success", Key::Next), "saml-signature-invalid"),
            (answer("_other", ENTITY, "Success", Key::Present), "SK-4160"),
            (answer(&id, "https://evil.example", "Success", Key::Present), "saml-issuer"),
            (answer(&id, ENTITY, "Responder", Key::Present), "saml-status"),
        ] {
            assert_eq!(code(by_query(&house, &refused).await), "SK-4160", "{word}");
            assert_eq!(last_reason(&house).await, word);
        }
        let good = answer(&id, ENTITY, "Success", Key::Present);
        assert_eq!(by_query(&house, &good).await.expect("taken"), SamlFarewell::Answered { partial: false, to: None });
        assert_eq!(code(by_query(&house, &good).await), "SK-4160", "once");
        // Where it is not wanted, where the provider takes none, and where its metadata has run out.
        let off = ProviderPatch { single_logout: Some(false), ..ProviderPatch::default() };
        changed(&house, &admin, &p, off).await.unwrap();
        assert_eq!(out(&comes(&house, &p, "hanako", "i2").await).await, None);
        let on = ProviderPatch { single_logout: Some(true), ..ProviderPatch::default() };
        changed(&house, &admin, &p, on).await.unwrap();
        let load = |text: String| ProviderPatch { metadata: Some(text), ..ProviderPatch::default() };
        changed(&house, &admin, &p, load(metadata(ENTITY, &[Key::Present], ""))).await.unwrap();
        assert_eq!(out(&comes(&house, &p, "hanako", "i3").await).await, None);
        let soon = house.now().plus(Duration::from_secs(60)).rfc3339();
        let ending = with_logout(ENTITY, "HTTP-Redirect")
            .replace(&format!("entityID=\"{ENTITY}\""), &format!("entityID=\"{ENTITY}\" validUntil=\"{soon}\""));
        changed(&house, &admin, &p, load(ending)).await.unwrap();
        let last = comes(&house, &p, "hanako", "i4").await;
        house.pass(Duration::from_secs(61));
        assert_eq!(out(&last).await, None);
        assert!(!lives(&house, &last).await, "whatever is wrong with the provider");
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_takes_forms_alone_gets_forms() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let text = with_logout(ENTITY, "HTTP-POST").replace("HTTP-Redirect", "HTTP-POST");
        let p = provider_with(&house, &admin, "SAML", text).await;
        house.tick();
        let errand = sekisho_identity::types::Errand::SignIn;
        let leaving = house.node.leave(&house.here().await, ORIGIN, p.id, errand, None).await.expect("on the way");
        let names: Vec<&str> = leaving.fields.iter().map(|(n, _)| *n).collect();
        assert_eq!(
            (leaving.to.as_str(), names.as_slice()),
            ("https://saml.example/idp/sso", ["SAMLRequest", "RelayState"].as_slice())
        );
        let request = String::from_utf8(STANDARD.decode(&leaving.fields[0].1).unwrap()).unwrap();
        assert!(request.contains("<ds:SignatureValue>"), "{request}");
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_when_the_provider_says_so() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let leaving = leave(&house, &p).await;
        let until = house.now().plus(Duration::from_secs(120));
        let said = Said { session_until: Some(until), ..said(&house, Some(&leaving), "hanako") };
        let came = done(step(back(&house, Some(&leaving), &said).await));
        assert_eq!(came.ends_at.secs(), until.secs());
        house.pass(Duration::from_secs(110));
        assert!(lives(&house, &came).await);
        house.pass(Duration::from_secs(11));
        assert!(!lives(&house, &came).await);
        assert_eq!(house.node.sweep().await.expect("swept").sessions, 1);
    })
    .await;
}

#[tokio::test]
async fn every_attack_on_a_logout_is_refused_and_ends_nothing() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        provider_with(
            &house,
            &admin,
            "Other",
            with_logout("https://other.example", "HTTP-Redirect").replace(
                include_str!("../../../saml/tests/fixtures/idp.crt.b64"),
                include_str!("../../../saml/tests/fixtures/idp-next.crt.b64"),
            ),
        )
        .await;
        let hanako = comes(&house, &p, "hanako", "i1").await;
        let wish = Wish::new(&house, "hanako", &["i1"]);
        let now = wish.at;
        let packed = compress_to_vec(wish.xml().as_bytes(), 9);
        let good = wish.query();
        let by = |wish: &Wish| wish.query();
        let bomb = compress_to_vec(&vec![b' '; 8 << 20], 9);
        let raw = |packed: &[u8], state, algorithm, key| query("SAMLRequest", packed, state, algorithm, key);
        let queries = [
            ("unsigned", good.split("&SigAlg").next().unwrap().to_owned(), "saml-unsigned"),
            ("signature dropped", good.split("&Signature").next().unwrap().to_owned(), "saml-unsigned"),
            ("wrong key", raw(&packed, None, RSA_SHA256, Key::Next), "saml-signature-invalid"),
            ("sha-1", raw(&packed, None, "http://www.w3.org/2000/09/xmldsig#rsa-sha1", Key::Present), "saml-algorithm"),
            ("sigalg twice", format!("{good}&SigAlg=x"), "saml-encoding"),
            ("signature twice", format!("{good}&Signature=x"), "saml-encoding"),
            ("request twice", format!("SAMLRequest=x&{good}"), "saml-encoding"),
            (
                "state twice",
                format!("{}&RelayState=b", raw(&packed, Some("a"), RSA_SHA256, Key::Present)),
                "saml-encoding",
            ),
            ("state added", format!("{good}&RelayState=b"), "saml-signature-invalid"),
            ("answer beside", format!("{good}&SAMLResponse=x"), "saml-encoding"),
            ("long state", raw(&packed, Some(&"x".repeat(81)), RSA_SHA256, Key::Present), "saml-relay-state"),
            ("bomb", raw(&bomb, None, RSA_SHA256, Key::Present), "saml-too-large"),
            ("oversized", format!("{good}&x={}", "x".repeat(40_000)), "saml-too-large"),
            ("truncated", raw(&packed[..packed.len() / 2], None, RSA_SHA256, Key::Present), "saml-encoding"),
            ("nothing", String::new(), "saml-encoding"),
            ("unknown issuer", by(&Wish { issuer: "https://evil.example".into(), ..wish.clone() }), "saml-issuer"),
            (
                "other provider's issuer",
                by(&Wish { issuer: "https://other.example".into(), ..wish.clone() }),
                "saml-signature-invalid",
            ),
            ("wrong destination", by(&Wish { to: format!("{ORIGIN}/saml/acs"), ..wish.clone() }), "saml-destination"),
            ("expired", by(&Wish { until: Some(now - 120), ..wish.clone() }), "saml-expired"),
            ("old", by(&Wish { at: now - 900, ..wish.clone() }), "saml-expired"),
            ("future", by(&Wish { at: now + 900, ..wish.clone() }), "saml-not-yet-valid"),
        ];
        for (name, query, word) in queries {
            assert_eq!(code(by_query(&house, &query).await), "SK-4160", "{name}");
            assert_eq!(last_reason(&house).await, word, "{name}");
            assert!(lives(&house, &hanako).await, "{name}");
        }
        let whole = signed(&wish.xml(), &wish.id, "</saml:Issuer>", Key::Present);
        let evil = Wish { id: "_evil".into(), ..wish.clone() }.xml();
        let signature = whole.split("<ds:Signature ").nth(1).and_then(|r| r.split("</ds:Signature>").next()).unwrap();
        let signature = format!("<ds:Signature {signature}</ds:Signature>");
        let forms = [
            ("unsigned", form(&wish.xml()), "saml-unsigned"),
            ("wrong key", wish.posted(Key::Next), "saml-signature-invalid"),
            ("sha-1", form(&whole.replace(RSA_SHA256, "http://www.w3.org/2000/09/xmldsig#rsa-sha1")), "saml-algorithm"),
            ("altered", form(&whole.replace(">hanako<", ">taro<")), "saml-altered"),
            (
                "wrapped in an extension",
                form(&evil.replace(
                    "</saml:Issuer>",
                    &format!("</saml:Issuer>{signature}<samlp:Extensions>{}</samlp:Extensions>", wish.xml()),
                )),
                "saml-signature-shape",
            ),
            (
                "wrapped in the signature",
                form(&evil.replace(
                    "</saml:Issuer>",
                    &format!(
                        "</saml:Issuer>{}",
                        signature.replace(
                            "</ds:Signature>",
                            &format!("<ds:Object>{}</ds:Object></ds:Signature>", wish.xml())
                        )
                    ),
                )),
                "saml-signature-shape",
            ),
            ("doctype", form(&format!("<!DOCTYPE a>{whole}")), "saml-doctype"),
            (
                "no base64",
                SamlLogoutMessage::Form { field: "!".into(), relay_state: None, answer: false },
                "saml-encoding",
            ),
            (
                "as an answer",
                SamlLogoutMessage::Form { field: STANDARD.encode(&whole), relay_state: None, answer: true },
                "saml-in-response-to",
            ),
        ];
        for (name, message, word) in forms {
            assert_eq!(code(brought(&house, &message).await), "SK-4160", "{name}");
            assert_eq!(last_reason(&house).await, word, "{name}");
            assert!(lives(&house, &hanako).await, "{name}");
        }
        by_query(&house, &good).await.expect("believed");
        assert!(!lives(&house, &hanako).await);
        assert_eq!(code(by_query(&house, &good).await), "SK-4134", "once");
        let disabled = ProviderPatch { enabled: Some(false), ..ProviderPatch::default() };
        changed(&house, &admin, &p, disabled).await.unwrap();
        assert_eq!(code(by_query(&house, &Wish::new(&house, "hanako", &[]).query()).await), "SK-4160");
        assert_eq!(last_reason(&house).await, "saml-issuer", "one that is switched off is unknown");
    })
    .await;
}
