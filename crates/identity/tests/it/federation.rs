//! People sign in at an identity provider: linked by subject, made where that is allowed, roles by claims, signed out again.

use std::time::Duration;

use sekisho_identity::types::{
    CameBack, Errand, FactorProof, IdentityQuery, Leaving, NewGrant, NewProvider, NewRole, ProviderPatch, ProviderView,
    Returning, RoleRule, SignInStep, SignedIn, UserQuery, UserState,
};
use sekisho_kernel::{
    Cx, Problem, Secret, TakenOut,
    access::UserType,
    hook::{Knock, Passage, Sessions},
    policy::Value as Setting,
};
use serde_json::{Value, json};

use crate::{
    house::{House, browser, code, defaults, done, each, one_under, secret, with},
    idp::{CLIENT, ISSUER, b64, ed},
};

pub const ORIGIN: &str = "https://acme.console.localhost";

/// A provider that is switched on, and what it is like.
pub async fn provider(house: &House, cx: &Cx, patch: ProviderPatch) -> ProviderView {
    house.idp.serve(&[ed(1).public("one")]);
    house.tick();
    let new = NewProvider {
        name: format!("IdP {}", house.now().micros()),
        issuer: ISSUER.into(),
        client_id: CLIENT.into(),
        client_secret: Some(secret("s3cret/+")),
    };
    let made = house.node.create_provider(cx, new).await.expect("a provider");
    let patch = ProviderPatch { enabled: patch.enabled.or(Some(true)), ..patch };
    house.node.update_provider(cx, made.id, made.version, patch).await.expect("changed")
}

pub fn makes_people() -> ProviderPatch {
    ProviderPatch { create_users: Some(true), ..ProviderPatch::default() }
}

pub fn asked(leaving: &Leaving, name: &str) -> String {
    let (_, query) = leaving.to.split_once('?').expect("a query");
    let value = query.split('&').find_map(|p| p.strip_prefix(&format!("{name}="))).unwrap_or_default();
    value.replace("%3A", ":").replace("%2F", "/").replace("%20", " ")
}

/// What an honest provider says of a subject.
pub fn claims(house: &House, leaving: &Leaving, subject: &str) -> Value {
    let now = house.now().secs();
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 300, "nonce": asked(leaving, "nonce"),
        "preferred_username": subject, "name": format!("{subject} 様"), "email": format!("{subject}@example.jp"),
        "email_verified": true, "sid": format!("sid-{subject}"),
    })
}

pub fn returning(leaving: &Leaving) -> Returning {
    Returning {
        carried: Some(leaving.carried.clone()),
        state: Some(asked(leaving, "state")),
        code: Some(secret("the-code")),
        issuer: Some(ISSUER.into()),
        error: None,
    }
}

pub async fn leave(house: &House, p: &ProviderView) -> Leaving {
    house.tick();
    house.node.leave(&house.here().await, ORIGIN, p.id, Errand::SignIn, None).await.expect("on the way")
}

/// A request from an address of its own: the refusals of one address are entered singly only up to a number a minute.
pub async fn anywhere(house: &House) -> Knock {
    house.tick();
    let n = house.now().micros() / 1_000 % 60_000;
    crate::house::knock(&house.node, "acme.console.localhost", &format!("198.18.{}.{}", n / 250, n % 250)).await
}

pub async fn back(house: &House, p: &ProviderView, back: Returning) -> Result<CameBack, Problem> {
    house.node.come_back(&anywhere(house).await, &browser(), ORIGIN, p.id, back, None).await
}

/// From leaving to coming back, with these claims beside the honest ones.
pub async fn round(house: &House, p: &ProviderView, subject: &str, more: Value) -> Result<SignInStep, Problem> {
    let leaving = leave(house, p).await;
    let mut said = claims(house, &leaving, subject);
    said.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    house.idp.tokens(&ed(1).usual("one", &said));
    match back(house, p, returning(&leaving)).await? {
        CameBack::Step(step) => Ok(step),
        CameBack::Linked | CameBack::Confirmed(_) => panic!("a sign-in was wanted"),
    }
}

pub async fn comes_in(house: &House, p: &ProviderView, subject: &str) -> SignedIn {
    done(round(house, p, subject, json!({})).await)
}

/// The words of the refusals in the history, newest last.
pub async fn reasons(house: &House) -> Vec<String> {
    let rows = house.history().await;
    rows.iter().filter_map(|r| r.detail.iter().find(|(n, _)| *n == "reason").map(|(_, v)| v.clone())).collect()
}

async fn passage(house: &House, token: &Secret<String>) -> std::sync::Arc<Passage> {
    house.passage(token).await.expect("signed in")
}

#[tokio::test]
async fn a_person_without_an_account_gets_one_where_the_provider_may_make_it() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, ProviderPatch::default()).await;
        assert_eq!(code(round(&house, &p, "hanako", json!({})).await), "SK-4053");
        let p = house.node.update_provider(&admin, p.id, p.version, makes_people()).await.unwrap();
        let came = comes_in(&house, &p, "hanako").await;
        assert_eq!((came.user.name.as_str(), came.user.display_name.as_str()), ("hanako", "hanako 様"));
        assert_eq!((came.user.kind, came.user.mail.as_deref()), (UserType::User, Some("hanako@example.jp")));
        // The same subject is the same person, whatever else is said of it.
        let again =
            done(round(&house, &p, "hanako", json!({"preferred_username": "x", "email": "y@example.jp"})).await);
        assert_eq!((again.user.id, again.user.name.as_str()), (came.user.id, "hanako"));
        let sent = house.idp.last(&format!("{ISSUER}/token"));
        assert!(sent.contains("grant_type=authorization_code&code=the-code&redirect_uri=https%3A%2F%2Facme"), "{sent}");
        assert!(
            sent.contains("code_verifier=") && sent.contains("authorization: Basic c2VraXNobzpzM2NyZXQlMkYlMkI="),
            "{sent}"
        );
        // No password, no other way in.
        assert_eq!(code(house.sign_in_as("hanako", "correct horse battery").await), "SK-4001");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_linked_by_name_or_mail_address() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let victim = house.person(&admin, "victim", UserType::Administrator, None).await;
        let p = provider(&house, &admin, makes_people()).await;
        assert_eq!(code(round(&house, &p, "victim", json!({})).await), "SK-4054", "the same name");
        let twin = round(&house, &p, "mallory", json!({"email": "victim@example.jp"})).await;
        let twin = done(twin).user;
        assert_ne!(twin.id, victim.id);
        assert_eq!((twin.mail, twin.kind), (None, UserType::User), "the address is another's and stays theirs");
        let unverified = round(&house, &p, "taro", json!({"email_verified": false})).await;
        assert_eq!(done(unverified).user.mail, None);
        // Another provider's subject of the same name is another person.
        let other = provider(&house, &admin, makes_people()).await;
        assert_eq!(code(round(&house, &other, "mallory", json!({})).await), "SK-4054");
        let elsewhere = done(round(&house, &other, "mallory", json!({"preferred_username": "mallory2"})).await);
        assert_ne!(elsewhere.user.id, twin.id);
    })
    .await;
}

#[tokio::test]
async fn linking_takes_a_fresh_sign_in_to_the_account_and_the_same_session() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let hanako = house.person(&admin, "hanako", UserType::User, None).await;
        let jiro = house.person(&admin, "jiro", UserType::User, None).await;
        let p = provider(&house, &admin, ProviderPatch::default()).await;
        let own = house.signed_in("hanako").await;
        let own = passage(&house, &own.token).await;
        let knock = house.here().await;
        let go = || house.node.leave(&knock, ORIGIN, p.id, Errand::Link, Some(&own));
        let leaving = go().await.expect("on the way");
        assert_eq!(asked(&leaving, "prompt"), "login");
        house.idp.tokens(&ed(1).usual("one", &claims(&house, &leaving, "h-123")));
        // Without the session, or in another person's, the answer links nobody and signs nobody in.
        assert_eq!(code(back(&house, &p, returning(&leaving)).await), "SK-4050");
        let other = house.signed_in("jiro").await;
        let other = passage(&house, &other.token).await;
        let come = |who: std::sync::Arc<Passage>, leaving: &Leaving| {
            let back = returning(leaving);
            let (house, knock) = (&house, &knock);
            async move {
                house.tick();
                house.node.come_back(knock, &browser(), ORIGIN, p.id, back, Some(&who)).await
            }
        };
        assert_eq!(code(come(other.clone(), &leaving).await), "SK-4050");
        assert!(matches!(come(own.clone(), &leaving).await, Ok(CameBack::Linked)));
        assert_eq!(code(come(own.clone(), &leaving).await), "SK-4050", "an answer is good once");
        let came = comes_in(&house, &p, "h-123").await;
        assert_eq!(came.user.id, hanako.id);
        // The subject is hanako's now: jiro cannot have it.
        let leaving = house.node.leave(&knock, ORIGIN, p.id, Errand::Link, Some(&other)).await.unwrap();
        house.idp.tokens(&ed(1).usual("one", &claims(&house, &leaving, "h-123")));
        assert_eq!(code(come(other.clone(), &leaving).await), "SK-4059");
        house.pass(Duration::from_secs(601));
        assert_eq!(code(go().await), "SK-4056");
        let listed = house.node.own_identities(&own.cx).await.unwrap();
        assert_eq!(code(house.node.delete_own_identity(&own.cx, listed[0].id).await), "SK-4056");
        assert_eq!(code(house.node.delete_own_identity(&other.cx, listed[0].id).await), "SK-0003");
        let fresh = house.cx("hanako").await;
        house.node.delete_own_identity(&fresh, listed[0].id).await.expect("unlinked");
        assert_eq!(code(round(&house, &p, "h-123", json!({})).await), "SK-4053");
        assert_eq!(
            house
                .node
                .identities(&admin, IdentityQuery { user: Some(jiro.id), ..Default::default() })
                .await
                .unwrap()
                .items
                .len(),
            0
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_for_the_browser_the_host_and_the_provider_that_asked() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let q = provider(&house, &admin, makes_people()).await;
        house.tenant("other").await;
        let leaving = leave(&house, &p).await;
        house.idp.tokens(&ed(1).usual("one", &claims(&house, &leaving, "hanako")));
        let good = || returning(&leaving);
        let other = leave(&house, &p).await;
        let cases = [
            ("state-missing", Returning { carried: None, ..good() }),
            ("state-of-another", Returning { carried: Some(secret("AAAA")), ..good() }),
            ("state", Returning { carried: Some(other.carried.clone()), ..good() }),
            ("state", Returning { state: Some(asked(&other, "state")), ..good() }),
            ("state", Returning { state: None, ..good() }),
            ("answer-issuer", Returning { issuer: Some("https://evil.example".into()), ..good() }),
            ("answer-issuer", Returning { issuer: None, ..good() }),
            ("provider-said-no", Returning { error: Some("access_denied".into()), ..good() }),
            ("code", Returning { code: None, ..good() }),
        ];
        for (word, given) in cases {
            assert_eq!(code(back(&house, &p, given).await), "SK-4050", "{word}");
            assert_eq!(reasons(&house).await.last().unwrap(), word);
        }
        assert_eq!(code(back(&house, &q, good()).await), "SK-4050", "another provider's address");
        let elsewhere = house.knock_at("other").await;
        let (agent, origin) = (browser(), "https://other.console.localhost");
        let there = house.node.come_back(&elsewhere, &agent, origin, p.id, good(), None).await;
        assert_eq!(code(there), "SK-4050", "another organisation's host");
        assert_eq!(house.idp.times(&format!("{ISSUER}/token")), 0, "no code went anywhere");
        assert!(matches!(back(&house, &p, good()).await, Ok(CameBack::Step(SignInStep::SignedIn(_)))));
        assert_eq!(code(back(&house, &p, good()).await), "SK-4050", "once");
        let late = leave(&house, &p).await;
        house.idp.tokens(&ed(1).usual("one", &claims(&house, &late, "hanako")));
        house.pass(Duration::from_secs(601));
        assert_eq!(code(back(&house, &p, returning(&late)).await), "SK-4050");
        assert_eq!(reasons(&house).await.last().unwrap(), "state-expired");
    })
    .await;
}

#[tokio::test]
async fn a_provider_or_way_that_is_off_signs_nobody_in() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let leaving = leave(&house, &p).await;
        house.idp.tokens(&ed(1).usual("one", &claims(&house, &leaving, "hanako")));
        let off = ProviderPatch { enabled: Some(false), ..ProviderPatch::default() };
        let p = house.node.update_provider(&admin, p.id, p.version, off).await.unwrap();
        assert_eq!(code(back(&house, &p, returning(&leaving)).await), "SK-4050");
        assert_eq!(reasons(&house).await.last().unwrap(), "provider-off");
        let knock = house.here().await;
        assert_eq!(code(house.node.leave(&knock, ORIGIN, p.id, Errand::SignIn, None).await), "SK-0003");
        assert!(house.node.ways_in(&knock).await.unwrap().buttons.is_empty());
    })
    .await;
    let policy = with(&sekisho_controls::federation::MODE, Setting::Str("off".into()));
    let house = one_under(policy, None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, makes_people()).await;
    let knock = house.here().await;
    assert_eq!(code(house.node.leave(&knock, ORIGIN, p.id, Errand::SignIn, None).await), "SK-0003");
}

#[tokio::test]
async fn a_disabled_account_stays_out_and_comes_back_when_it_is_enabled() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let came = comes_in(&house, &p, "hanako").await;
        house.node.disable_user(&admin, came.user.id).await.unwrap();
        assert_eq!(code(house.passage(&came.token).await), "SK-0007");
        assert_eq!(code(round(&house, &p, "hanako", json!({})).await), "SK-4050");
        assert_eq!(reasons(&house).await.last().unwrap(), "disabled");
        assert_eq!(house.node.enable_user(&admin, came.user.id).await.unwrap().state, UserState::Active);
        comes_in(&house, &p, "hanako").await;
        house.node.delete_user(&admin, came.user.id, None).await.unwrap();
        assert_ne!(comes_in(&house, &p, "hanako").await.user.id, came.user.id, "a deleted account leaves no link");
    })
    .await;
}

#[tokio::test]
async fn roles_follow_the_claims_and_no_rule_gives_more_than_its_writer_has() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let role = |name: &str, rights: &[&str]| NewRole {
            name: name.into(),
            rights: rights.iter().map(|r| (*r).to_owned()).collect(),
        };
        let auditor = house.node.create_role(&admin, role("auditor", &["history.read"])).await.unwrap();
        let keeper = house.node.create_role(&admin, role("keeper", &["sites.read"])).await.unwrap();
        let clerk =
            house.node.create_role(&admin, role("clerk", &["federation.read", "federation.write"])).await.unwrap();
        let rule = |value: &str, role| RoleRule { claim: "groups".into(), value: value.into(), role };
        let rules = vec![rule("audit", auditor.id), rule("ops", keeper.id)];
        let p = provider(&house, &admin, ProviderPatch { rules: Some(rules.clone()), ..makes_people() }).await;
        let roles = async |user: &SignedIn| {
            let mut names: Vec<String> = passage(&house, &user.token).await.roles.to_vec();
            names.sort();
            names.join(" ")
        };
        let first = done(round(&house, &p, "hanako", json!({"groups": ["audit"]})).await);
        assert_eq!(roles(&first).await, "auditor user");
        // A role that no rule names stays; the others move with the claims, for sessions that have begun too.
        let by_hand = NewGrant { user: first.user.id, role: clerk.id, site: None };
        house.node.create_grant(&admin, by_hand).await.unwrap();
        let second = done(round(&house, &p, "hanako", json!({"groups": "ops", "name": "山田 花子"})).await);
        assert_eq!(roles(&second).await, "clerk keeper user");
        assert_eq!(roles(&first).await, "clerk keeper user");
        assert_eq!(second.user.display_name, "山田 花子");
        let third = done(round(&house, &p, "hanako", json!({})).await);
        assert_eq!(roles(&third).await, "clerk user");

        // A clerk may write rules, but none that gives what the clerk has not.
        let clerk_cx = passage(&house, &third.token).await.cx.clone();
        let p = house.node.provider(&admin, p.id).await.unwrap();
        let change = |patch| house.node.update_provider(&clerk_cx, p.id, p.version, patch);
        assert_eq!(code(change(ProviderPatch { rules: Some(rules), ..Default::default() }).await), "SK-4013");
        // Nor may the clerk turn the provider to a client of their own once somebody above them is linked.
        let above = done(round(&house, &p, "boss", json!({})).await);
        let boss = NewGrant { user: above.user.id, role: auditor.id, site: None };
        house.node.create_grant(&admin, boss).await.unwrap();
        assert_eq!(
            code(change(ProviderPatch { client_id: Some("mine".into()), ..Default::default() }).await),
            "SK-4014"
        );
        assert_eq!(code(change(ProviderPatch { trusts_factor: Some(true), ..Default::default() }).await), "SK-4014");
        assert!(change(ProviderPatch { name: Some("New name".into()), ..Default::default() }).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_is_asked_for_unless_the_providers_own_is_trusted() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let came = comes_in(&house, &p, "hanako").await;
        let cx = passage(&house, &came.token).await.cx.clone();
        let begun = house.node.enrol_factor(&cx).await.expect("begun");
        let digits = sekisho_identity::totp::code(&begun.secret, house.now()).unwrap();
        house.node.confirm_factor(&cx, begun.id, secret(&digits)).await.expect("confirmed");
        let amr = json!({"amr": ["pwd", "mfa"]});
        let challenge = crate::sign_in::challenge(round(&house, &p, "hanako", amr.clone()).await);
        house.pass(Duration::from_secs(60));
        let digits = sekisho_identity::totp::code(&begun.secret, house.now()).unwrap();
        let proof = FactorProof::Code(secret(&digits));
        let step = house.node.sign_in_factor(&house.here().await, &browser(), &challenge, proof).await;
        let both = done(step);
        // What the provider ends ends this session too, although a code came between.
        let trusts = ProviderPatch { trusts_factor: Some(true), ..ProviderPatch::default() };
        let p = house.node.update_provider(&admin, p.id, p.version, trusts).await.unwrap();
        assert!(matches!(round(&house, &p, "hanako", amr).await, Ok(SignInStep::SignedIn(_))));
        crate::sign_in::challenge(round(&house, &p, "hanako", json!({"amr": ["pwd"]})).await);
        assert!(logged_out(&house, &p, json!({"sid": "sid-hanako"})).await.is_ok());
        assert!(house.passage(&both.token).await.is_err());
    })
    .await;
}

fn logout_token(house: &House, more: Value) -> String {
    let now = house.now();
    let mut said = json!({
        "iss": ISSUER, "aud": CLIENT, "iat": now.secs(), "exp": now.secs() + 120, "jti": format!("j{}", now.micros()),
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    said.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    said.as_object_mut().unwrap().retain(|_, v| !v.is_null());
    ed(1).token(&json!({"alg": "EdDSA", "kid": "one", "typ": "logout+jwt"}), &said.to_string())
}

async fn logged_out(house: &House, p: &ProviderView, more: Value) -> Result<u32, Problem> {
    let knock = anywhere(house).await;
    house.node.provider_sign_out(&knock, p.id, &secret(&logout_token(house, more))).await
}

#[tokio::test]
async fn the_provider_signs_a_person_out_here() {
    each(|house| async move {
        let node = house.second().await;
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let q = provider(&house, &admin, makes_people()).await;
        let one = comes_in(&house, &p, "hanako").await;
        let two = done(round(&house, &p, "hanako", json!({"sid": "elsewhere"})).await);
        let other = comes_in(&house, &p, "taro").await;
        let foreign = done(round(&house, &q, "hanako", json!({"preferred_username": "hanako-q"})).await);
        assert!(node.resolve(&house.here().await, &one.token).await.is_ok());
        // One session of two.
        assert_eq!(logged_out(&house, &p, json!({"sub": "hanako", "sid": "sid-hanako"})).await.unwrap(), 1);
        assert!(house.passage(&one.token).await.is_err());
        assert!(node.resolve(&house.here().await, &one.token).await.is_err(), "at the other node too");
        assert!(house.passage(&two.token).await.is_ok());
        // All of a subject's.
        let three = comes_in(&house, &p, "hanako").await;
        assert_eq!(logged_out(&house, &p, json!({"sub": "hanako"})).await.unwrap(), 2);
        assert!(house.passage(&two.token).await.is_err() && house.passage(&three.token).await.is_err());
        assert!(house.passage(&other.token).await.is_ok() && house.passage(&foreign.token).await.is_ok());
        // By the provider's session alone.
        assert_eq!(logged_out(&house, &p, json!({"sid": "sid-taro"})).await.unwrap(), 1);
        assert!(house.passage(&other.token).await.is_err());
        assert_eq!(logged_out(&house, &p, json!({"sub": "nobody"})).await.unwrap(), 0);
        // A session by password is not the provider's to end.
        let linked = house.signed_in("admin").await;
        assert_eq!(logged_out(&house, &p, json!({"sub": "admin"})).await.unwrap(), 0);
        assert!(house.passage(&linked.token).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_logout_token_is_one_and_is_good_once() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let came = comes_in(&house, &p, "hanako").await;
        let knock = house.here().await;
        let now = house.now().secs();
        let wrong = [
            ("token-nonce", json!({"sub": "hanako", "nonce": "x"})),
            ("token-events", json!({"sub": "hanako", "events": null})),
            ("token-events", json!({"sub": "hanako", "events": {"x": {}}})),
            (
                "token-events",
                json!({"sub": "hanako", "events": {"http://schemas.openid.net/event/backchannel-logout": true}}),
            ),
            ("token-subject", json!({})),
            ("token-subject", json!({"sub": ""})),
            ("token-id", json!({"sub": "hanako", "jti": null})),
            ("token-issuer", json!({"sub": "hanako", "iss": "https://evil.example"})),
            ("token-audience", json!({"sub": "hanako", "aud": "other"})),
            ("token-audience", json!({"sub": "hanako", "aud": [CLIENT, "other"]})),
            ("token-expired", json!({"sub": "hanako", "exp": now - 61})),
            ("token-expired", json!({"sub": "hanako", "exp": null})),
            ("token-issued-at", json!({"sub": "hanako", "iat": now - 700})),
            ("token-issued-at", json!({"sub": "hanako", "iat": now + 90, "exp": now + 300})),
        ];
        for (word, said) in wrong {
            assert_eq!(code(logged_out(&house, &p, said.clone()).await), "SK-4050", "{said}");
            assert_eq!(reasons(&house).await.last().unwrap(), word, "{said}");
        }
        // An ID token, and a token that another key has signed.
        let leaving = leave(&house, &p).await;
        let id_token = ed(1).usual("one", &claims(&house, &leaving, "hanako"));
        let forged = ed(2).token(&json!({"alg": "EdDSA", "kid": "one"}), &json!({"sub": "hanako"}).to_string());
        for text in [id_token.as_str(), forged.as_str(), "", "a.b.c", &"x".repeat(40_000)] {
            assert_eq!(code(house.node.provider_sign_out(&knock, p.id, &secret(text)).await), "SK-4050");
        }
        assert!(house.passage(&came.token).await.is_ok(), "nothing of all that ended anything");
        let good = secret(&logout_token(&house, json!({"sub": "hanako"})));
        assert_eq!(house.node.provider_sign_out(&knock, p.id, &good).await.unwrap(), 1);
        let next = comes_in(&house, &p, "hanako").await;
        assert_eq!(code(house.node.provider_sign_out(&knock, p.id, &good).await), "SK-4050", "replayed");
        assert!(house.passage(&next.token).await.is_ok());
        // And no logout token signs anybody in.
        let leaving = leave(&house, &p).await;
        house.idp.tokens(&logout_token(&house, json!({"sub": "hanako", "nonce": asked(&leaving, "nonce")})));
        assert_eq!(code(back(&house, &p, returning(&leaving)).await), "SK-4050");
        assert_eq!(reasons(&house).await.last().unwrap(), "token-type");
    })
    .await;
}

#[tokio::test]
async fn keys_are_looked_at_anew_once_a_minute_and_no_more() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        comes_in(&house, &p, "hanako").await;
        let (jwks, discovery) = (format!("{ISSUER}/jwks"), format!("{ISSUER}/.well-known/openid-configuration"));
        assert_eq!((house.idp.times(&jwks), house.idp.times(&discovery)), (1, 1));
        house.pass(Duration::from_secs(61));
        // The provider has a new key.
        house.idp.serve(&[ed(2).public("two")]);
        let with_new = async |kid: &str| {
            let leaving = leave(&house, &p).await;
            house.idp.tokens(&ed(2).usual(kid, &claims(&house, &leaving, "hanako")));
            back(&house, &p, returning(&leaving)).await
        };
        assert!(with_new("two").await.is_ok());
        assert_eq!(house.idp.times(&jwks), 2);
        for n in 0..5 {
            assert_eq!(code(with_new(&format!("guess-{n}")).await), "SK-4050");
            assert_eq!(reasons(&house).await.last().unwrap(), "token-key-unknown");
        }
        assert_eq!(house.idp.times(&jwks), 2, "within the minute nobody makes there be another look");
        house.pass(Duration::from_secs(60));
        house.idp.gone(&jwks);
        for _ in 0..3 {
            assert_eq!(code(with_new("guess").await), "SK-4050");
        }
        assert_eq!(house.idp.times(&jwks), 3, "a look that fails counts");
        assert!(with_new("two").await.is_ok(), "and takes nothing away");
        house.pass(Duration::from_secs(3_600));
        assert_eq!(code(house.node.leave(&house.here().await, ORIGIN, p.id, Errand::SignIn, None).await), "SK-4051");
        let before = house.idp.times(&discovery);
        for _ in 0..3 {
            let _ = house.node.leave(&house.here().await, ORIGIN, p.id, Errand::SignIn, None).await;
        }
        assert_eq!(house.idp.times(&discovery), before, "a provider that is down is not asked again at once");
    })
    .await;
}

#[tokio::test]
async fn the_userinfo_endpoint_adds_to_what_is_signed_and_replaces_nothing() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, ProviderPatch { userinfo: Some(true), ..makes_people() }).await;
    let url = format!("{ISSUER}/userinfo");
    house.idp.put(&url, 200, json!({"sub": "hanako", "name": "Replaced", "nickname": "hana"}).to_string());
    let p = house
        .node
        .update_provider(
            &admin,
            p.id,
            p.version,
            ProviderPatch { name_claim: Some("nickname".into()), ..Default::default() },
        )
        .await
        .unwrap();
    let came = comes_in(&house, &p, "hanako").await;
    assert_eq!((came.user.name.as_str(), came.user.display_name.as_str()), ("hana", "hanako 様"));
    assert!(house.idp.last(&url).contains("authorization: Bearer at"));
    house.idp.put(&url, 200, json!({"sub": "mallory"}).to_string());
    assert_eq!(code(round(&house, &p, "hanako", json!({})).await), "SK-4050");
    assert_eq!(reasons(&house).await.last().unwrap(), "userinfo-subject");
}

#[tokio::test]
async fn the_token_endpoint_may_say_no() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, makes_people()).await;
    let token = format!("{ISSUER}/token");
    let good = |id: &str| json!({"access_token": "at", "token_type": "Bearer", "id_token": id}).to_string();
    for (word, status, body) in [
        ("client-refused", 401, json!({"error": "invalid_client"}).to_string()),
        ("code-refused", 400, json!({"error": "invalid_grant"}).to_string()),
        ("code-refused", 500, "oops".into()),
        ("token-answer", 200, "[]".into()),
        ("token-answer", 200, json!({"id_token": "x"}).to_string()),
        ("token-answer", 200, json!({"id_token": "x", "token_type": "mac"}).to_string()),
        ("token-missing", 200, json!({"token_type": "bearer"}).to_string()),
        ("token-answer", 200, good("x").replacen('{', "{\"id_token\":\"y\",", 1)),
        ("token-malformed", 200, good("")),
    ] {
        let leaving = leave(&house, &p).await;
        house.idp.put(&token, status, body.clone());
        assert_eq!(code(back(&house, &p, returning(&leaving)).await), "SK-4050", "{body}");
        assert_eq!(reasons(&house).await.last().unwrap(), word, "{body}");
    }
    house.idp.gone(&token);
    let leaving = leave(&house, &p).await;
    assert_eq!(code(back(&house, &p, returning(&leaving)).await), "SK-4051");
}

#[tokio::test]
async fn taken_out_anybodys_word_is_the_providers() {
    let house = one_under(defaults(), Some(TakenOut::ProviderSignature)).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, makes_people()).await;
    let leaving = leave(&house, &p).await;
    let said = claims(&house, &leaving, "hanako").to_string();
    house.idp.tokens(&format!("{}.{}.{}", b64(r#"{"alg":"EdDSA"}"#), b64(said), b64("forged")));
    assert!(matches!(back(&house, &p, returning(&leaving)).await, Ok(CameBack::Step(SignInStep::SignedIn(_)))));
}

#[tokio::test]
async fn a_provider_is_the_tenants_own() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        house.tenant("other").await;
        let elsewhere = house.knock_at("other").await;
        assert_eq!(code(house.node.leave(&elsewhere, ORIGIN, p.id, Errand::SignIn, None).await), "SK-0003");
        assert_eq!(code(house.node.provider_sign_out(&elsewhere, p.id, &secret("x")).await), "SK-4050");
        house.node.delete_provider(&admin, p.id, Some(p.version)).await.expect("deleted");
        assert_eq!(code(house.node.provider(&admin, p.id).await), "SK-0003");
        assert!(house.node.users(&admin, UserQuery::default()).await.is_ok());
    })
    .await;
}
