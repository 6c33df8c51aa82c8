//! Sign-in by password switched off: nowhere a session, everybody answered alike, and nobody locked out.

use sekisho_identity::types::SignInStep;
use sekisho_kernel::{Cx, Policy, access::UserType, policy::Value};
use sekisho_testkit::Authenticator;
use serde_json::json;

use crate::{
    house::{PASSWORD, code, defaults, done, each, new_user, one_under, secret, with},
    passkeys::{in_by, register},
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
