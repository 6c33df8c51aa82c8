//! Sign-in by password switched off: nowhere a session, everybody answered alike, and nobody locked out.

use sekisho_identity::types::{
    CameBack, Errand, IdentityQuery, ProviderPatch, ProviderView, ScimPrecondition, SignInStep, UserPatch, UserState,
};
use sekisho_kernel::{
    Cx, Policy, Problem,
    access::UserType,
    id::{IdentityId, UserId},
    policy::Value,
};
use sekisho_testkit::Authenticator;
use serde_json::json;

use crate::{
    federation::{ORIGIN, claims, comes_in, provider, returning},
    house::{House, PASSWORD, browser, code, defaults, done, each, new_user, one_under, secret, with},
    idp::ed,
    passkeys::{in_by, register},
    scim,
};

const KEY: &str = "passwords.sign_in";

fn off() -> Policy {
    with(&sekisho_controls::passwords::SIGN_IN, Value::Str("off".into()))
}

#[tokio::test]
async fn an_organisation_keeps_a_way_in() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        assert_eq!(code(house.node.set_policy(&cx, KEY, json!("off")).await), "SK-4185");
        assert!(house.sign_in_as("admin", PASSWORD).await.is_ok(), "nothing has changed");
    })
    .await;
}

/// An organisation in which passwords are off by the platform's policy, with a session from before.
#[tokio::test]
async fn nobody_comes_in_by_password_and_all_are_answered_alike() {
    let house = one_under(defaults(), None).await;
    let cx = house.admin_cx().await;
    house.person(&cx, "taro", UserType::User, None).await;
    let own = house.cx("taro").await;
    let made = house.node.create_user(&cx, new_user("invited", UserType::User, None, None)).await.expect("made");
    let link = made.link.expect("a link");
    house.node.reload(std::sync::Arc::new(off()));
    let mut costs = Vec::new();
    for (name, password) in [("taro", PASSWORD), ("taro", "wrong"), ("nobody", PASSWORD), ("invited", "x")] {
        let before = house.node.counts().read();
        assert_eq!(code(house.sign_in_as(name, password).await), "SK-4184");
        let after = house.node.counts().read();
        costs.push((after.0 - before.0, after.1 - before.1, after.2 - before.2));
    }
    assert!(costs.iter().all(|c| *c == (0, 0, 1)), "no hash, no statement, one entry: {costs:?}");
    let own = Cx { policy: house.effective().await, ..own };
    assert_eq!(code(house.node.reauthenticate(&own, secret(PASSWORD)).await), "SK-4184");
    assert_eq!(code(house.node.change_password(&own, secret(PASSWORD), secret("another long one")).await), "SK-4184");
    assert_eq!(code(house.node.use_link(&house.here().await, &link, secret("another long one")).await), "SK-4184");
    let cx = Cx { policy: house.effective().await, ..cx };
    let made = house.node.create_user(&cx, new_user("later", UserType::User, None, None)).await.expect("made");
    assert!(made.link.is_none(), "there is nothing for it to set");
    assert_eq!(code(house.node.invite_user(&cx, made.user.id).await), "SK-4184");
    house.node.reload(std::sync::Arc::new(defaults()));
    assert!(matches!(house.sign_in_as("taro", PASSWORD).await, Ok(SignInStep::SignedIn(_))), "passwords have stayed");
    let used = house.node.use_link(&house.here().await, &link, secret("another long one")).await;
    assert!(used.is_ok(), "the link has stayed good");
}

#[tokio::test]
async fn passwords_are_given_up_only_for_a_passkey_and_come_back_from_the_host() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let mut key = Authenticator::default();
        register(&house, &cx, &mut key).await;
        let set = house.node.set_policy(&cx, KEY, json!("off")).await;
        assert_eq!(set.expect("set").effective, json!("off"));
        assert_eq!(code(house.sign_in_as("admin", PASSWORD).await), "SK-4184");
        done(in_by(&house, &mut key).await);
        let cx = Cx { policy: house.effective().await, ..cx };
        let modes = house.node.set_policy(&cx, "passkeys.mode", json!("off")).await;
        assert_eq!(code(modes), "SK-4185", "the only way that is left");
        assert_eq!(code(house.node.reauthenticate(&cx, secret(PASSWORD)).await), "SK-4184");
        // The device is lost: the host lets the administrator in, and takes back what the organisation had closed.
        let (_, link) = house.node.recover_admin(house.tenant).await.expect("a link");
        house.node.use_link(&house.here().await, &link, secret("another long password")).await.expect("used");
        assert!(house.sign_in_as("admin", "another long password").await.is_ok());
    })
    .await;
}

/// Links whoever signs in by this name and password to a subject; the link.
async fn linked(house: &House, name: &str, p: &ProviderView, subject: &str) -> IdentityId {
    let own = house.passage(&house.signed_in(name).await.token).await.expect("signed in");
    let here = house.here().await;
    let leaving = house.node.leave(&here, ORIGIN, p.id, Errand::Link, Some(&own)).await.expect("on the way");
    house.idp.tokens(&ed(1).usual("one", &claims(house, &leaving, subject)));
    house.tick();
    let back = house.node.come_back(&here, &browser(), ORIGIN, p.id, returning(&leaving), Some(&own)).await;
    assert!(matches!(back, Ok(CameBack::Linked)), "{back:?}");
    let own = house.node.own_identities(&own.cx).await.expect("listed");
    own.iter().find(|l| l.provider == p.id).expect("the link").id
}

async fn enabled(house: &House, cx: &Cx, p: &ProviderView, enabled: bool) -> Result<ProviderView, Problem> {
    let now = house.node.provider(cx, p.id).await.expect("there");
    let patch = ProviderPatch { enabled: Some(enabled), ..ProviderPatch::default() };
    house.node.update_provider(cx, p.id, now.version, patch).await
}

/// The context as the organisation's policy now is.
async fn now(house: &House, cx: &Cx) -> Cx {
    Cx { policy: house.effective().await, ..cx.clone() }
}

#[tokio::test]
async fn a_link_to_a_provider_that_is_off_is_no_way_in() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let (open, shut) = (
            provider(&house, &cx, ProviderPatch::default()).await,
            provider(&house, &cx, ProviderPatch::default()).await,
        );
        let link = linked(&house, "admin", &open, "a-1").await;
        let other = linked(&house, "admin", &shut, "a-2").await;
        enabled(&house, &cx, &shut, false).await.expect("switched off");
        house.node.set_policy(&cx, KEY, json!("off")).await.expect("there is the other one");
        let own = house.passage(&comes_in(&house, &open, "a-1").await.token).await.expect("signed in").cx.clone();
        assert_eq!(code(house.node.delete_own_identity(&own, link).await), "SK-4055", "nothing else leads in");
        assert_eq!(code(house.node.delete_identity(&own, link).await), "SK-4185", "nor by an administrator's right");
        assert_eq!(code(enabled(&house, &own, &open, false).await), "SK-4185");
        assert_eq!(code(house.node.delete_provider(&own, open.id, None).await), "SK-4185");
        // What is off may go, or change: it leads nobody in.
        let seen = house.node.provider(&own, shut.id).await.expect("there");
        let patch = ProviderPatch { name: Some("Another".into()), ..ProviderPatch::default() };
        house.node.update_provider(&own, shut.id, seen.version, patch).await.expect("renamed");
        house.node.delete_own_identity(&own, other).await.expect("unlinked");
        house.node.delete_provider(&own, shut.id, None).await.expect("deleted");
        comes_in(&house, &open, "a-1").await;
    })
    .await;
}

/// An organisation without passwords in which of two administrators the first alone has a way in; the second is still signed in.
async fn one_way_in(house: &House) -> (Cx, Cx, UserId) {
    let admin = house.admin_cx().await;
    let eve = house.person(&admin, "eve", UserType::Administrator, None).await.id;
    let second = house.cx("eve").await;
    let mut key = Authenticator::default();
    register(house, &admin, &mut key).await;
    house.node.set_policy(&admin, KEY, json!("off")).await.expect("set");
    (now(house, &admin).await, now(house, &second).await, eve)
}

#[tokio::test]
async fn the_last_administrator_with_a_way_in_stays() {
    each(|house| async move {
        let (admin, second, eve) = one_way_in(&house).await;
        let first = house.admin;
        let version = house.node.user(&second, first).await.expect("seen").version;
        let lesser = UserPatch { kind: Some(UserType::User), ..UserPatch::default() };
        assert_eq!(code(house.node.disable_user(&second, first).await), "SK-4185");
        assert_eq!(code(house.node.delete_user(&second, first, None).await), "SK-4185");
        assert_eq!(code(house.node.update_user(&second, first, version, lesser.clone()).await), "SK-4185");
        assert_eq!(code(house.node.switch_user(&second, first, vec!["users".into()]).await), "SK-4185");
        let refused = house.history().await.into_iter().rfind(|r| r.event == "user.switch").expect("its entry");
        assert_eq!(refused.outcome.name(), "failed");
        assert_eq!(house.node.user(&second, first).await.expect("seen").state, UserState::Active);
        // Who could not come in either is not missed, and with passwords nobody is.
        house.node.disable_user(&admin, eve).await.expect("disabled");
        house.node.enable_user(&admin, eve).await.expect("enabled");
        house.node.set_policy(&admin, KEY, json!("on")).await.expect("set");
        let second = house.cx("eve").await;
        house.node.update_user(&second, first, version, lesser).await.expect("changed");
    })
    .await;
}

#[tokio::test]
async fn a_second_way_in_lets_the_first_go() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let p = provider(&house, &admin, ProviderPatch::default()).await;
    house.person(&admin, "eve", UserType::Administrator, None).await;
    let link = linked(&house, "eve", &p, "e-1").await;
    register(&house, &admin, &mut Authenticator::default()).await;
    house.node.set_policy(&admin, KEY, json!("off")).await.expect("set");
    let second = house.passage(&comes_in(&house, &p, "e-1").await.token).await.expect("signed in").cx.clone();
    house.node.disable_user(&second, house.admin).await.expect("the other one has a way in");
    assert_eq!(code(house.node.delete_identity(&second, link).await), "SK-4185");
    assert_eq!(code(enabled(&house, &second, &p, false).await), "SK-4185");
    let listed = house.node.identities(&second, IdentityQuery::default()).await.expect("listed");
    assert_eq!(listed.items.len(), 1, "a refusal takes nothing away");
}

#[tokio::test]
async fn who_leaves_is_out_by_provisioning_and_the_host_lets_an_administrator_in() {
    const ANY: ScimPrecondition = ScimPrecondition { matches: None };
    for delete in [false, true] {
        each(|house| async move {
            let idp = scim::provider(&house, &house.admin_cx().await).await;
            let (admin, second, eve) = one_way_in(&house).await;
            let idp = now(&house, &idp).await;
            let id = house.admin;
            house.tick();
            if delete {
                house.node.scim_delete_user(&idp, id, &ANY).await.expect("deleted");
            } else {
                let body = json!({"Operations": [{"op": "replace", "path": "active", "value": false}]});
                house.node.scim_patch_user(&idp, scim::BASE, id, &ANY, &body).await.expect("disabled");
            }
            assert!(house.node.me(&admin).await.is_err() || !delete, "who is deleted is nobody");
            assert!(delete || house.node.user(&second, id).await.expect("seen").state == UserState::Disabled);
            let wanted = if delete { "user.delete" } else { "user.disable" };
            let entry = house.history().await.into_iter().rfind(|r| r.event == wanted).expect("its entry");
            assert!(entry.detail.iter().any(|(n, v)| n == "way_in_left" && v == "none"), "{entry:?}");
            // Nobody is left who could come in; who is the last administrator at all stays.
            assert_eq!(code(house.node.scim_delete_user(&idp, eve, &ANY).await), "SK-4012");
            let (who, link) = house.node.recover_admin(house.tenant).await.expect("a link");
            assert_eq!(who, eve, "one who is active");
            house.node.use_link(&house.here().await, &link, secret("another long password")).await.expect("used");
            assert!(house.sign_in_as("eve", "another long password").await.is_ok());
        })
        .await;
    }
}
