//! One line of keys signs everything: turned by hand, and the keys from before it.

use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_identity::{records::SignalKey, types::KeyState};
use sekisho_kernel::{Cx, Job, Target, access::UserType, event, id::SignalKeyId};
use sekisho_vault::{Act, Entry, Need};

use crate::{
    house::{House, code, defaults, each, one_under},
    oauth::ISSUER,
    openid::{kids, tokens_of},
};

const DAY: Duration = Duration::from_secs(86_400);

/// A key of the time when signals had their own.
async fn old_key(house: &House) {
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new());
    let key = SignalKey { pkcs8: URL_SAFE_NO_PAD.encode(pair.expect("a key").as_ref()), ends: None };
    let cx = Cx::job(house.tenant, Job::Sweeper, house.effective().await, &sekisho_kernel::rng::SystemRng);
    let id = SignalKeyId::from_bytes([7; 16]);
    let need = Need::Job(Job::Sweeper);
    let (target, object) = (Target::tenant(house.tenant), id.to_string());
    let act = Act { event: &event::OAUTH_KEY_CREATE, need, target, object };
    let put = house.vault.act(&cx, act, move |tx, permit| {
        tx.insert(id, &key)?;
        tx.commit(permit, Entry::of(id), ())
    });
    put.await.expect("put");
}

#[tokio::test]
async fn an_administrator_turns_the_keys_and_says_what_becomes_of_those_before() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let made = crate::openid::desk(&house, &admin, "desk").await;
        let first = kids(&house, &admin).await;
        let hint = tokens_of(&house, &admin, &made).await;
        let seen = house.node.turn_signing_keys(&admin, false).await.expect("turned");
        let states: Vec<_> = seen.iter().map(|k| (k.state, k.kid == first[0])).collect();
        assert_eq!(states, [(KeyState::Past, true), (KeyState::Signing, false)]);
        assert_eq!(kids(&house, &admin).await.len(), 2);
        let wish = |hint: &str| sekisho_identity::types::LeaveRequest {
            hint: Some(hint.to_owned()),
            client: None,
            redirect: Some(crate::openid::AFTER.into()),
            state: None,
        };
        let knock = house.here().await;
        let known = async |hint: &str| house.node.ask_to_sign_out(&knock, None, ISSUER, &wish(hint)).await.is_ok();
        assert!(known(&hint).await, "what the key before has signed is still known");
        let later = tokens_of(&house, &admin, &made).await;
        // Published in advance, and overtaken: it never signs.
        house.pass(DAY * 84);
        house.node.sweep().await.expect("swept");
        let admin = house.admin_cx().await;
        let seen = house.node.signing_key_list(&admin).await.expect("listed");
        assert_eq!(seen.iter().map(|k| k.state).collect::<Vec<_>>(), [KeyState::Signing, KeyState::Next]);
        let seen = house.node.turn_signing_keys(&admin, true).await.expect("turned");
        assert_eq!(seen.iter().map(|k| k.state).collect::<Vec<_>>(), [KeyState::Signing], "nothing else is left");
        assert_eq!(kids(&house, &admin).await, [seen[0].kid.clone()]);
        assert!(!known(&later).await && !known(&hint).await, "withdrawn");
        assert!(known(&tokens_of(&house, &admin, &made).await).await);
        let rows = house.history().await;
        let turned: Vec<_> = rows.iter().filter(|r| r.event == "oauth.key_turn").collect();
        assert_eq!(turned.len(), 2, "an entry each time");
        // Whoever runs the host may do it too.
        house.node.turn_signing_keys_of(house.tenant, true).await.expect("turned");
        assert!(!kids(&house, &admin).await.contains(&seen[0].kid));
    })
    .await;
}

#[tokio::test]
async fn keys_are_few_and_an_ordinary_person_turns_none() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    for _ in 0..10 {
        house.node.turn_signing_keys(&admin, false).await.expect("turned");
    }
    assert_eq!(code(house.node.turn_signing_keys(&admin, false).await), "SK-4027");
    assert_eq!(house.node.turn_signing_keys(&admin, true).await.expect("turned").len(), 1);
    house.person(&admin, "taro", UserType::User, None).await;
    let taro = house.cx("taro").await;
    assert_eq!(code(house.node.turn_signing_keys(&taro, true).await), "SK-0004");
    assert_eq!(code(house.node.signing_key_list(&taro).await), "SK-0004");
}

#[tokio::test]
async fn keys_of_signals_from_before_are_published_until_their_end() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        old_key(&house).await;
        let set = house.node.key_set(&admin).await.expect("a key set");
        assert_eq!((&set["keys"][0]["alg"], &set["keys"][0]["crv"]), (&"ES256".into(), &"P-256".into()));
        house.node.sweep().await.expect("swept");
        house.pass(DAY * 7 - Duration::from_secs(1));
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM signal_key").await, 1, "as long as any key that has turned");
        house.pass(Duration::from_secs(1));
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM signal_key").await, 0);
        let ended = house.history().await.into_iter().filter(|r| r.event == "oauth.key_retire").count();
        assert_eq!(ended, 2, "its end was set, and reached");
        old_key(&house).await;
        house.node.turn_signing_keys_of(house.tenant, true).await.expect("turned");
        assert_eq!(house.count("SELECT COUNT(*) FROM signal_key").await, 0, "withdrawn with the others");
    })
    .await;
}
