//! Whoever has neither a password nor a passkey confirms at their provider who they are before they register a first passkey.

use std::{sync::Arc, time::Duration};

use sekisho_identity::types::{CameBack, Errand, Leaving, ProviderPatch, ProviderView};
use sekisho_kernel::{Cx, Problem, Secret, access::UserType, hook::Passage, id::UserId, policy::Value as Setting};
use sekisho_testkit::Authenticator;
use serde_json::{Value, json};

use crate::{
    federation::{ORIGIN, anywhere, asked, claims, comes_in, makes_people, provider, returning},
    house::{House, browser, code, defaults, done, each, one_under, secret, with},
    idp::{ISSUER, ed},
    passkeys::{answer, in_by, rp},
    saml,
    saml_idp::Said,
};

/// Somebody whom the provider has made and signed in.
async fn person(house: &House, p: &ProviderView, subject: &str) -> Arc<Passage> {
    let token = comes_in(house, p, subject).await.token;
    house.passage(&token).await.expect("signed in")
}

async fn leave(house: &House, p: &ProviderView, own: &Passage) -> Result<Leaving, Problem> {
    house.tick();
    house.node.leave(&house.here().await, ORIGIN, p.id, Errand::Confirm, Some(own)).await
}

/// The provider says this of a subject, and the person comes back with it.
async fn back(
    house: &House,
    p: &ProviderView,
    leaving: &Leaving,
    (subject, more): (&str, Value),
    own: Option<&Passage>,
) -> Result<CameBack, Problem> {
    let mut said = claims(house, leaving, subject);
    said.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    house.idp.tokens(&ed(1).usual("one", &said));
    house.node.come_back(&anywhere(house).await, &browser(), ORIGIN, p.id, returning(leaving), own).await
}

fn fresh(house: &House) -> Value {
    json!({"auth_time": house.now().secs()})
}

/// What a fresh sign-in gives.
async fn proof(house: &House, p: &ProviderView, subject: &str, own: &Passage) -> Secret<String> {
    let leaving = leave(house, p, own).await.expect("on the way");
    let came = back(house, p, &leaving, (subject, fresh(house)), Some(own)).await.expect("taken");
    let CameBack::Confirmed(proof) = came else { panic!("{came:?}") };
    proof
}

async fn begins(house: &House, cx: &Cx, proof: &Secret<String>) -> Result<(), Problem> {
    house.tick();
    house.node.register_options(cx, &rp(), Some(proof.clone())).await.map(|_| ())
}

#[tokio::test]
async fn a_fresh_sign_in_at_the_provider_lets_a_first_passkey_be_registered() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let own = person(&house, &p, "hanako").await;
        assert_eq!(code(house.node.register_options(&own.cx, &rp(), None).await.map(|_| ())), "SK-4203");
        let offered = house.node.ways_to_confirm(&own.cx).await.expect("ways");
        assert_eq!(offered.iter().map(|w| w.id).collect::<Vec<_>>(), [p.id]);

        let leaving = leave(&house, &p, &own).await.expect("on the way");
        assert_eq!((asked(&leaving, "prompt").as_str(), asked(&leaving, "max_age").as_str()), ("login", "0"));
        let proof = proof(&house, &p, "hanako", &own).await;
        let entry =
            house.history().await.into_iter().rfind(|r| r.event == "session.reauthenticate").expect("its entry");
        let detail = |name: &str| entry.detail.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(entry.outcome.name(), "success");
        assert_eq!((detail("provider"), detail("for")), (Some(p.id.to_string().as_str()), Some("passkey")));

        // It is a proof for that alone.
        house.tick();
        assert_eq!(code(house.node.reauthenticate(&own.cx, proof.clone()).await), "SK-4074");
        let options = house.node.register_options(&own.cx, &rp(), Some(proof.clone())).await.expect("options");
        assert_eq!(code(begins(&house, &own.cx, &proof).await), "SK-4074", "and once");
        let mut key = Authenticator::default();
        let made = key.create(&options.public_key, ORIGIN);
        house.node.create_passkey(&own.cx, &rp(), answer(&options, made)).await.expect("registered");
        assert_eq!(done(in_by(&house, &mut key).await).user.name, "hanako");

        // From now on the passkey itself is nearer.
        assert!(house.node.ways_to_confirm(&own.cx).await.expect("ways").is_empty());
        assert_eq!(code(leave(&house, &p, &own).await), "SK-4200");
    })
    .await;
}

#[tokio::test]
async fn another_subject_an_old_sign_in_and_a_used_answer_confirm_nobody() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, ProviderPatch { userinfo: Some(true), ..makes_people() }).await;
        let url = format!("{ISSUER}/userinfo");
        house.idp.put(&url, 200, json!({"sub": "jiro"}).to_string());
        let jiro = person(&house, &p, "jiro").await;
        house.idp.put(&url, 200, json!({"sub": "hanako"}).to_string());
        let own = person(&house, &p, "hanako").await;
        let last = async || house.history().await.into_iter().rfind(|r| r.event == "session.reauthenticate");

        // Whoever else has signed in there: with an account here, or with none, which none is made for.
        let before = house.count("SELECT COUNT(*) FROM user_account").await;
        for subject in ["jiro", "mallory"] {
            house.idp.put(&url, 200, json!({"sub": subject}).to_string());
            let leaving = leave(&house, &p, &own).await.expect("on the way");
            assert_eq!(code(back(&house, &p, &leaving, (subject, fresh(&house)), Some(&own)).await), "SK-4201");
        }
        assert_eq!(house.count("SELECT COUNT(*) FROM user_account").await, before);
        let entry = last().await.expect("its entry");
        assert_eq!((entry.outcome.name(), entry.object), ("refused", own.user.to_string()));

        // When they signed in is missing, before they left, or still to come; and userinfo does not say it.
        let skew = 300;
        for more in [
            json!({}),
            json!({"auth_time": house.now().secs() - skew - 5}),
            json!({"auth_time": house.now().secs() + skew + 60}),
            json!({"auth_time": "now"}),
        ] {
            let said = json!({"sub": "hanako", "auth_time": house.now().secs() + 1}).to_string();
            house.idp.put(&url, 200, said);
            let leaving = leave(&house, &p, &own).await.expect("on the way");
            assert_eq!(
                code(back(&house, &p, &leaving, ("hanako", more.clone()), Some(&own)).await),
                "SK-4202",
                "{more}"
            );
        }
        let entry = last().await.expect("its entry");
        assert!(entry.detail.iter().any(|(n, v)| n == "reason" && v == "token-auth-time"), "{entry:?}");

        // In nobody's session, or another's, and a second time.
        let leaving = leave(&house, &p, &own).await.expect("on the way");
        for whose in [None, Some(&*jiro)] {
            assert_eq!(code(back(&house, &p, &leaving, ("hanako", fresh(&house)), whose).await), "SK-4050");
        }
        let came = back(&house, &p, &leaving, ("hanako", fresh(&house)), Some(&own)).await;
        assert!(matches!(came, Ok(CameBack::Confirmed(_))), "{came:?}");
        assert_eq!(code(back(&house, &p, &leaving, ("hanako", fresh(&house)), Some(&own)).await), "SK-4050");
        // An answer to a sign-in, in the same browser, is none to this.
        house.tick();
        let leaving =
            house.node.leave(&house.here().await, ORIGIN, p.id, Errand::SignIn, Some(&own)).await.expect("on the way");
        let came = back(&house, &p, &leaving, ("hanako", fresh(&house)), Some(&own)).await;
        assert!(matches!(came, Ok(CameBack::Step(_))), "{came:?}");
    })
    .await;
}

#[tokio::test]
async fn a_proof_is_for_its_session_its_time_and_as_long_as_the_provider_is_the_persons() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = provider(&house, &admin, makes_people()).await;
        let own = person(&house, &p, "hanako").await;
        let elsewhere = person(&house, &p, "hanako").await;
        let given = proof(&house, &p, "hanako", &own).await;
        assert_eq!(code(begins(&house, &elsewhere.cx, &given).await), "SK-4074");
        house.pass(Duration::from_secs(301));
        assert_eq!(code(begins(&house, &own.cx, &given).await), "SK-4074");

        let given = proof(&house, &p, "hanako", &own).await;
        let turned = async |on: bool| {
            let now = house.node.provider(&admin, p.id).await.expect("there");
            let patch = ProviderPatch { enabled: Some(on), ..ProviderPatch::default() };
            house.node.update_provider(&admin, p.id, now.version, patch).await.expect("changed");
        };
        turned(false).await;
        assert_eq!(code(begins(&house, &own.cx, &given).await), "SK-4074");
        turned(true).await;
        begins(&house, &own.cx, &given).await.expect("still good");

        let given = proof(&house, &p, "hanako", &own).await;
        let link = house.node.own_identities(&own.cx).await.expect("listed")[0].id;
        house.node.delete_identity(&admin, link).await.expect("unlinked");
        assert_eq!(code(begins(&house, &own.cx, &given).await), "SK-4074");
        assert_eq!(code(leave(&house, &p, &own).await), "SK-4201");
    })
    .await;
}

/// Links somebody who has just signed in to a subject.
async fn linked(house: &House, p: &ProviderView, own: &Passage, subject: &str) {
    let here = house.here().await;
    let leaving = house.node.leave(&here, ORIGIN, p.id, Errand::Link, Some(own)).await.expect("on the way");
    assert!(matches!(back(house, p, &leaving, (subject, json!({})), Some(own)).await, Ok(CameBack::Linked)));
}

#[tokio::test]
async fn whoever_has_something_nearer_confirms_by_that() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, ProviderPatch::default()).await;
    house.person(&admin, "taro", UserType::User, None).await;
    let own = house.passage(&house.signed_in("taro").await.token).await.expect("signed in");
    linked(&house, &p, &own, "t-1").await;
    assert_eq!(code(leave(&house, &p, &own).await), "SK-4200", "there is a password");
    let here = house.here().await;
    let nobody = house.node.leave(&here, ORIGIN, p.id, Errand::Confirm, None).await;
    assert_eq!(code(nobody), sekisho_kernel::problem::UNAUTHENTICATED.code);
    // A password that is no way in proves nothing.
    let off = with(&sekisho_controls::passwords::SIGN_IN, Setting::Str("off".into()));
    house.node.reload(Arc::new(off));
    let own = Passage { cx: Cx { policy: house.effective().await, ..own.cx.clone() }, ..(*own).clone() };
    let given = proof(&house, &p, "t-1", &own).await;
    begins(&house, &own.cx, &given).await.expect("options");
    // Nor is anything confirmed for a passkey that the policy does not let be.
    let off = with(&sekisho_controls::passkeys::MODE, Setting::Str("off".into()));
    house.node.reload(Arc::new(off));
    let own = Passage { cx: Cx { policy: house.effective().await, ..own.cx.clone() }, ..own };
    assert_eq!(code(leave(&house, &p, &own).await), "SK-4070");
    assert!(house.node.ways_to_confirm(&own.cx).await.expect("ways").is_empty());
    assert_eq!(code(begins(&house, &own.cx, &secret("skc_x")).await), "SK-4070");
}

#[tokio::test]
async fn by_saml_the_person_authenticates_anew() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let p = saml::provider(&house, &admin).await;
        let leaving = saml::leave(&house, &p).await;
        let came = saml::back(&house, Some(&leaving), &saml::said(&house, Some(&leaving), "hanako")).await;
        let came = done(saml::step(came));
        let own = house.passage(&came.token).await.expect("signed in");
        let user: UserId = came.user.id;

        let leaving = leave(&house, &p, &own).await.expect("on the way");
        assert!(saml::request_text(&leaving).contains(" ForceAuthn=\"true\""));
        let old = house.now().minus(Duration::from_secs(3_600));
        let stale = Said { since: Some(old), ..saml::said(&house, Some(&leaving), "hanako") };
        assert_eq!(code(saml::back(&house, Some(&leaving), &stale).await), "SK-4050");
        let other = saml::said(&house, Some(&leaving), "jiro");
        assert_eq!(code(saml::back(&house, Some(&leaving), &other).await), "SK-4201");
        let right = saml::said(&house, Some(&leaving), "hanako");
        let came = saml::back(&house, Some(&leaving), &right).await;
        let Ok(CameBack::Confirmed(given)) = came else { panic!("{came:?}") };
        assert_eq!(code(saml::back(&house, Some(&leaving), &right).await), "SK-4129", "it is good once");
        let options = house.node.register_options(&own.cx, &rp(), Some(given)).await.expect("options");
        let mut key = Authenticator::default();
        let made = key.create(&options.public_key, ORIGIN);
        house.node.create_passkey(&own.cx, &rp(), answer(&options, made)).await.expect("registered");
        assert_eq!(done(in_by(&house, &mut key).await).user.id, user);
    })
    .await;
}
