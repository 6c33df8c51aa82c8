//! People sign in at a SAML provider: bound to the browser that asked, each answer once, linked by the whole name.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_identity::types::{
    CameBack, Errand, IdentityQuery, Leaving, NewRole, NewSamlProvider, ProviderPatch, ProviderView, RoleRule,
    SamlReturning, SignInStep,
};
use sekisho_kernel::{Cx, Problem, TakenOut, hook::Sessions, policy::Value as Setting};

use crate::{
    federation::{ORIGIN, anywhere, reasons},
    house::{House, browser, code, defaults, done, each, one_under, with},
    saml_idp::{ENTITY, Key, METADATA_URL, Said, metadata},
};

pub fn pasted(name: &str, text: String) -> NewSamlProvider {
    NewSamlProvider { name: name.into(), metadata: Some(text), metadata_url: None }
}

fn makes_people() -> ProviderPatch {
    ProviderPatch { enabled: Some(true), create_users: Some(true), ..ProviderPatch::default() }
}

/// A provider that is switched on and makes accounts.
pub async fn provider(house: &House, cx: &Cx) -> ProviderView {
    let new = pasted("SAML", metadata(ENTITY, &[Key::Present], ""));
    let made = house.node.create_saml_provider(cx, new).await.expect("a provider");
    changed(house, cx, &made, makes_people()).await.expect("changed")
}

pub async fn changed(house: &House, cx: &Cx, p: &ProviderView, patch: ProviderPatch) -> Result<ProviderView, Problem> {
    let now = house.node.provider(cx, p.id).await?;
    house.node.update_provider(cx, p.id, now.version, patch).await
}

pub fn field(leaving: &Leaving, name: &str) -> String {
    parameter(&leaving.to, name)
}

pub fn parameter(to: &str, name: &str) -> String {
    let (_, query) = to.split_once('?').expect("a query");
    let value = query.split('&').find_map(|p| p.strip_prefix(&format!("{name}="))).expect("it is there");
    value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
}

/// The request that a browser was sent with; what is stored stands in the clear after inflating.
pub fn request_text(leaving: &Leaving) -> String {
    let packed = STANDARD.decode(field(leaving, "SAMLRequest")).expect("base64");
    String::from_utf8(miniz_oxide::inflate::decompress_to_vec(&packed).expect("DEFLATE")).expect("XML")
}

/// Its id.
pub fn request(leaving: &Leaving) -> String {
    let text = request_text(leaving);
    text.split(" ID=\"").nth(1).and_then(|r| r.split('"').next()).expect("an id").to_owned()
}

pub fn said(house: &House, leaving: Option<&Leaving>, subject: &str) -> Said {
    house.tick();
    Said {
        subject: subject.into(),
        format: "persistent",
        request: leaving.map(request),
        origin: ORIGIN.into(),
        id: format!("_a{}", house.now().micros()),
        at: house.now(),
        attributes: [("displayName".to_owned(), vec![format!("{subject} 様")])].into(),
        context: "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        by: Key::Present,
        index: None,
        session_until: None,
        since: None,
    }
}

pub async fn leave(house: &House, p: &ProviderView) -> Leaving {
    house.tick();
    let leaving = house.node.leave(&house.here().await, ORIGIN, p.id, Errand::SignIn, None).await.expect("on the way");
    assert!(leaving.posted_back && leaving.to.starts_with(ENTITY), "{}", leaving.to);
    leaving
}

pub async fn back(house: &House, leaving: Option<&Leaving>, said: &Said) -> Result<CameBack, Problem> {
    brought(house, leaving, said.field()).await
}

pub async fn brought(house: &House, leaving: Option<&Leaving>, response: String) -> Result<CameBack, Problem> {
    let back = SamlReturning {
        carried: leaving.map(|l| l.carried.clone()),
        response,
        relay_state: leaving.map(|l| field(l, "RelayState")),
    };
    house.node.come_back_saml(&anywhere(house).await, &browser(), ORIGIN, back).await
}

pub fn step(came: Result<CameBack, Problem>) -> Result<SignInStep, Problem> {
    came.map(|came| match came {
        CameBack::Step(step) => step,
        CameBack::Linked | CameBack::Confirmed(_) => panic!("a sign-in was wanted"),
    })
}

#[tokio::test]
async fn a_person_comes_back_and_is_the_same_one_next_time() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let audit = NewRole { name: "audit".into(), rights: vec!["history.read".into()] };
        let role = house.node.create_role(&admin, audit).await.unwrap();
        let p = provider(&house, &admin).await;
        let rule = RoleRule { claim: "urn:oid:1.3.6.1".into(), value: "auditors".into(), role: role.id };
        changed(&house, &admin, &p, ProviderPatch { rules: Some(vec![rule]), ..ProviderPatch::default() })
            .await
            .unwrap();
        let leaving = leave(&house, &p).await;
        let mut first = said(&house, Some(&leaving), "hanako");
        first.attributes.insert("urn:oid:1.3.6.1".into(), vec!["staff".into(), "auditors".into()]);
        let came = done(step(back(&house, Some(&leaving), &first).await));
        assert_eq!((came.user.name.as_str(), came.user.display_name.as_str()), ("hanako", "hanako 様"));
        assert!(house.passage(&came.token).await.unwrap().roles.iter().any(|r| r == "audit"));
        // The same answer, in the same browser and as it was before.
        assert_eq!(code(back(&house, Some(&leaving), &first).await), "SK-4129");
        let leaving = leave(&house, &p).await;
        let again = done(step(back(&house, Some(&leaving), &said(&house, Some(&leaving), "hanako")).await));
        assert_eq!(again.user.id, came.user.id);
        // The same text in another format is somebody else.
        let leaving = leave(&house, &p).await;
        let other = Said { format: "kerberos", ..said(&house, Some(&leaving), "hanako") };
        assert_eq!(code(back(&house, Some(&leaving), &other).await), "SK-4054");
        let links = house.node.identities(&admin, IdentityQuery::default()).await.unwrap().items;
        assert_eq!(links.len(), 1);
        assert!(links[0].subject.ends_with("persistent!!!hanako"), "{}", links[0].subject);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_the_answer_to_this_browsers_request_signs_nobody_in() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let refused = async |leaving: Option<&Leaving>, said: &Said, word: &str| {
            assert_eq!(code(back(&house, leaving, said).await), "SK-4050", "{word}");
            assert_eq!(reasons(&house).await.last().unwrap(), word);
        };
        let (one, two) = (leave(&house, &p).await, leave(&house, &p).await);
        refused(None, &said(&house, Some(&one), "hanako"), "state-missing").await;
        refused(Some(&two), &said(&house, Some(&one), "hanako"), "saml-in-response-to").await;
        refused(Some(&one), &said(&house, None, "hanako"), "saml-unsolicited").await;
        let transient = Said { format: "transient", ..said(&house, Some(&one), "hanako") };
        refused(Some(&one), &transient, "saml-transient-name").await;
        refused(Some(&one), &Said { by: Key::Next, ..said(&house, Some(&one), "x") }, "saml-signature-invalid").await;
        let elsewhere = Said { origin: "https://other.console.localhost".into(), ..said(&house, Some(&one), "x") };
        refused(Some(&one), &elsewhere, "saml-destination").await;
        house.pass(Duration::from_secs(601));
        refused(Some(&one), &said(&house, Some(&one), "hanako"), "saml-request-over").await;
        let leaving = leave(&house, &p).await;
        changed(&house, &admin, &p, ProviderPatch { enabled: Some(false), ..ProviderPatch::default() }).await.unwrap();
        refused(Some(&leaving), &said(&house, Some(&leaving), "hanako"), "provider-off").await;
    })
    .await;
    let house = one_under(with(&sekisho_controls::federation::MODE, Setting::Str("off".into())), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin).await;
    let knock = house.here().await;
    assert_eq!(code(house.node.leave(&knock, ORIGIN, p.id, Errand::SignIn, None).await), "SK-0003");
    assert_eq!(code(house.node.saml_metadata(&knock, ORIGIN).await), "SK-0003");
    assert_eq!(code(back(&house, None, &said(&house, None, "hanako")).await), "SK-4050");
}

#[tokio::test]
async fn the_provider_begins_only_where_that_is_allowed() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        assert!(!p.saml.as_ref().unwrap().unsolicited);
        changed(&house, &admin, &p, ProviderPatch { unsolicited: Some(true), ..ProviderPatch::default() })
            .await
            .unwrap();
        let answer = said(&house, None, "hanako");
        assert_eq!(done(step(back(&house, None, &answer).await)).user.name, "hanako");
        assert_eq!(code(back(&house, None, &answer).await), "SK-4129");
        // An answer to a request that this browser has not made is none that nobody asked for.
        let leaving = leave(&house, &p).await;
        assert_eq!(code(back(&house, None, &said(&house, Some(&leaving), "hanako")).await), "SK-4050");
    })
    .await;
}

#[tokio::test]
async fn metadata_is_pasted_or_read_where_it_is_and_never_another_providers() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let text = metadata(ENTITY, &[Key::Present], "");
        assert_eq!(code(house.node.saml_metadata(&house.here().await, ORIGIN).await), "SK-0003");
        let made = |name: &str, text: String| house.node.create_saml_provider(&admin, pasted(name, text));
        for (text, wanted) in [
            ("", "SK-0005"),
            ("!!", "SK-0005"),
            ("<a/>", "SK-4125"),
            ("<!DOCTYPE a><a/>", "SK-4102"),
            (&metadata(ENTITY, &[], ""), "SK-4125"),
            (&metadata(ENTITY, &[Key::Present], " validUntil=\"2020-01-01T00:00:00Z\""), "SK-4126"),
            (&metadata("http://saml.example", &[Key::Present], ""), "SK-4125"),
        ] {
            let refused = made("x", text.to_owned()).await;
            let place = refused.as_ref().err().and_then(|p| p.place.clone());
            assert_eq!((code(refused), place.as_deref()), (wanted, Some("metadata")), "{text}");
        }
        let p = made("pasted", STANDARD.encode(&text)).await.expect("a provider");
        assert_eq!((p.protocol, p.issuer.as_str(), p.enabled), ("saml", ENTITY, false));
        assert_eq!(code(made("twice", text.clone()).await), "SK-0006");
        let ours = house.node.saml_metadata(&house.here().await, ORIGIN).await.expect("ours");
        assert!(ours.contains(&format!("entityID=\"{ORIGIN}/saml/metadata\"")) && ours.contains("use=\"encryption\""));
        let load = |metadata: Option<String>, metadata_url: Option<&str>| ProviderPatch {
            metadata,
            metadata_url: metadata_url.map(str::to_owned),
            ..ProviderPatch::default()
        };
        let other = load(Some(metadata("https://other.example", &[Key::Present], "")), None);
        assert_eq!(code(changed(&house, &admin, &p, other).await), "SK-0005");
        for url in ["http://saml.example/m", "https://u@saml.example/", "https://", METADATA_URL] {
            assert_eq!(code(changed(&house, &admin, &p, load(None, Some(url))).await), "SK-0005", "{url}");
        }
        house.idp.put(METADATA_URL, 404, "");
        assert_eq!(code(changed(&house, &admin, &p, load(None, Some(METADATA_URL))).await), "SK-0005");
        house.idp.put(METADATA_URL, 200, text.clone());
        let p = changed(&house, &admin, &p, load(None, Some(METADATA_URL))).await.expect("loaded");
        assert_eq!(p.saml.as_ref().unwrap().metadata_url.as_deref(), Some(METADATA_URL));
        let good = async || {
            let checks = house.node.test_provider(&admin, ORIGIN, p.id).await.unwrap();
            checks.iter().filter(|c| !c.good).map(|c| c.name).collect::<Vec<_>>()
        };
        assert_eq!(good().await, Vec::<&str>::new());
        house.idp.put(METADATA_URL, 200, metadata(ENTITY, &[Key::Present, Key::Next], ""));
        assert_eq!(good().await, ["metadata"]);
        house.idp.gone(METADATA_URL);
        assert_eq!(good().await, ["metadata"]);
        // Settings of the other protocol are none of this one's.
        let scopes = ProviderPatch { scopes: Some(vec![]), ..ProviderPatch::default() };
        assert_eq!(code(changed(&house, &admin, &p, scopes).await), "SK-0005");
    })
    .await;
}

#[tokio::test]
async fn the_providers_certificates_roll_over_and_its_metadata_runs_out() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let load = |keys: &[Key], more: &str| ProviderPatch {
            metadata: Some(metadata(ENTITY, keys, more)),
            ..ProviderPatch::default()
        };
        let by = async |key: Key| {
            let leaving = leave(&house, &p).await;
            let said = Said { by: key, ..said(&house, Some(&leaving), "hanako") };
            back(&house, Some(&leaving), &said).await.is_ok()
        };
        assert!(by(Key::Present).await && !by(Key::Next).await);
        changed(&house, &admin, &p, load(&[Key::Present, Key::Next], "")).await.unwrap();
        assert!(by(Key::Present).await && by(Key::Next).await);
        changed(&house, &admin, &p, load(&[Key::Next], "")).await.unwrap();
        assert!(!by(Key::Present).await && by(Key::Next).await);
        let soon = house.now().plus(Duration::from_secs(3_600)).rfc3339();
        changed(&house, &admin, &p, load(&[Key::Next], &format!(" validUntil=\"{soon}\""))).await.unwrap();
        assert!(by(Key::Next).await);
        house.pass(Duration::from_secs(3_600));
        let knock = house.here().await;
        assert_eq!(code(house.node.leave(&knock, ORIGIN, p.id, Errand::SignIn, None).await), "SK-4050");
        assert_eq!(reasons(&house).await.last().unwrap(), "saml-metadata-expired");
    })
    .await;
}

#[tokio::test]
async fn an_account_is_linked_by_whoever_has_just_signed_in_to_it() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let none = ProviderPatch { create_users: Some(false), ..ProviderPatch::default() };
        changed(&house, &admin, &p, none).await.unwrap();
        house.person(&admin, "taro", sekisho_kernel::access::UserType::User, None).await;
        let own = house.signed_in("taro").await;
        let passage = house.passage(&own.token).await.unwrap();
        house.tick();
        let knock = house.here().await;
        let leaving = house.node.leave(&knock, ORIGIN, p.id, Errand::Link, Some(&passage)).await.expect("on the way");
        let answer = said(&house, Some(&leaving), "t-4711");
        assert!(matches!(back(&house, Some(&leaving), &answer).await, Ok(CameBack::Linked)));
        let leaving = leave(&house, &p).await;
        let came = done(step(back(&house, Some(&leaving), &said(&house, Some(&leaving), "t-4711")).await));
        assert_eq!(came.user.id, own.user.id);
        // A link that is begun in a session ends with it.
        let passage = house.passage(&came.token).await.unwrap();
        house.tick();
        let leaving = house.node.leave(&knock, ORIGIN, p.id, Errand::Link, Some(&passage)).await.expect("on the way");
        Sessions::sign_out(&house.node, &knock, &came.token, None).await.unwrap();
        assert_eq!(code(back(&house, Some(&leaving), &said(&house, Some(&leaving), "t-4712")).await), "SK-4050");
        assert_eq!(reasons(&house).await.last().unwrap(), "another-session");
    })
    .await;
}

#[tokio::test]
async fn taken_out_anybodys_certificate_is_the_providers() {
    let house = one_under(defaults(), Some(TakenOut::ProviderSignature)).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin).await;
    let leaving = leave(&house, &p).await;
    let forged = Said { by: Key::Next, ..said(&house, Some(&leaving), "hanako") };
    done(step(back(&house, Some(&leaving), &forged).await));
}

#[tokio::test]
async fn providers_and_keys_are_the_tenants_own() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin).await;
        let leaving = leave(&house, &p).await;
        house.tenant("other").await;
        let elsewhere = house.knock_at("other").await;
        assert_eq!(code(house.node.saml_metadata(&elsewhere, ORIGIN).await), "SK-0003");
        let back = SamlReturning {
            carried: Some(leaving.carried.clone()),
            response: said(&house, Some(&leaving), "hanako").field(),
            relay_state: Some(field(&leaving, "RelayState")),
        };
        assert_eq!(code(house.node.come_back_saml(&elsewhere, &browser(), ORIGIN, back).await), "SK-4050");
        house.person(&admin, "taro", sekisho_kernel::access::UserType::User, None).await;
        let taro = house.cx("taro").await;
        let new = pasted("x", metadata("https://x.example", &[Key::Present], ""));
        assert_eq!(code(house.node.create_saml_provider(&taro, new).await), "SK-0004");
    })
    .await;
}
