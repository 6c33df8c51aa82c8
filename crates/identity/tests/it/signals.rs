//! Receivers are told what happens: once, signed, in the end, and only of what really happened.

use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_identity::types::{After, NewReceiver, ReceiverPatch, ReceiverView, SignalKind, SubjectForm};
use sekisho_kernel::{Cx, Outcome, access::UserType};
use serde_json::{Value, json};

use crate::{
    federation::ORIGIN,
    house::{House, PASSWORD, code, defaults, each, one_under, secret},
};

const URL: &str = "https://siem.example/set";

fn new(name: &str) -> NewReceiver {
    NewReceiver {
        name: name.into(),
        url: URL.into(),
        audience: None,
        token: Some(secret("t0ken")),
        events: vec![SignalKind::SessionRevoked, SignalKind::CredentialChange],
        subject: SubjectForm::IssSub,
    }
}

async fn register(house: &House, cx: &Cx) -> ReceiverView {
    house.idp.put(URL, 202, "");
    house.node.create_receiver(cx, ORIGIN, new("SIEM")).await.expect("a receiver")
}

/// The claims of the newest token that the receiver got, its signature checked against the published keys.
async fn newest(house: &House) -> Value {
    let sent = house.idp.last(URL);
    let (token, headers) = sent.split_once('\n').expect("a body and headers");
    assert!(headers.contains("content-type: application/secevent+jwt"), "{headers}");
    assert!(headers.contains("authorization: Bearer t0ken"), "{headers}");
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let set = house.node.key_set(&house.admin_cx().await).await.expect("keys");
    let keys = set["keys"].as_array().expect("a list").clone();
    let head = read(parts[0]);
    assert_eq!((&head["typ"], &head["alg"]), (&json!("secevent+jwt"), &json!("RS256")));
    let key = keys.iter().find(|k| k["kid"] == head["kid"]).expect("the key is published");
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents { n: part("n"), e: part("e") };
    let text = format!("{}.{}", parts[0], parts[1]);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    public.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).expect("signed");
    read(parts[1])
}

fn event<'a>(claims: &'a Value, name: &str) -> &'a Value {
    &claims["events"][format!("https://schemas.openid.net/secevent/caep/event-type/{name}")]
}

#[tokio::test]
async fn sessions_and_credentials_are_told_with_who_did_it() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let taro = house.person(&cx, "taro", UserType::User, None).await;
        let receiver = register(&house, &cx).await;
        assert_eq!(house.node.send_signals().await.expect("sent"), 0, "nothing has happened yet");
        let session = house.signed_in("taro").await.session;
        house.node.end_user_sessions(&cx, taro.id).await.expect("ended");
        assert_eq!(house.node.send_signals().await.expect("sent"), 1);
        let claims = newest(&house).await;
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ORIGIN), &json!(URL)));
        assert_eq!(claims["sub_id"]["session"], json!({"format": "opaque", "id": session.to_string()}));
        assert_eq!(claims["sub_id"]["user"]["sub"], json!(taro.id.to_string()));
        assert_eq!(event(&claims, "session-revoked")["initiating_entity"], "admin");
        assert!(claims.get("exp").is_none());
        // The person's own doing: a password, by which other sessions end.
        let own = house.cx("taro").await;
        house.signed_in("taro").await;
        house.node.change_password(&own, secret(PASSWORD), secret("another long password")).await.expect("changed");
        assert_eq!(house.node.send_signals().await.expect("sent"), 2);
        let claims = newest(&house).await;
        let told = claims["events"].as_object().and_then(|e| e.values().next()).expect("an event");
        assert_eq!(told["initiating_entity"], "user", "either of the two: they are of one moment");
        let seen = house.node.receiver(&cx, receiver.id).await.expect("shown");
        assert_eq!((seen.sent, seen.waiting, seen.failing), (3, 0, 0));
        assert_eq!(house.node.send_signals().await.expect("sent"), 0, "each once");
        let entries = house.history().await;
        let sent = entries.iter().filter(|r| r.event == "signal.send" && r.object == receiver.id.to_string());
        assert_eq!(sent.filter(|r| r.actor == "system:signals").count(), 3, "each delivery has its entry");
    })
    .await;
}

#[tokio::test]
async fn what_was_rolled_back_is_not_told() {
    let house = one_under(defaults(), None).await;
    let cx = house.admin_cx().await;
    register(&house, &cx).await;
    assert_eq!(code(house.node.change_password(&cx, secret(PASSWORD), secret("x")).await), "SK-4005");
    assert_eq!(house.node.send_signals().await.expect("sent"), 0);
    assert_eq!(house.count("SELECT COUNT(*) FROM signal_event").await, 0);
}

#[tokio::test]
async fn a_receiver_that_is_away_is_tried_again_with_longer_waits_and_given_up_after_a_day() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let receiver = register(&house, &cx).await;
        house.idp.gone(URL);
        house.signed_in("admin").await;
        house.node.end_other_sessions(&cx).await.expect("ended");
        let tries = || house.idp.times(URL);
        let before = tries();
        assert_eq!(house.node.send_signals().await.expect("tried"), 0);
        assert_eq!(house.node.send_signals().await.expect("tried"), 0);
        assert_eq!(tries(), before + 1, "the second turn is too early");
        for wait in [5, 10, 20] {
            house.pass(Duration::from_secs(wait));
            house.node.send_signals().await.expect("tried");
        }
        assert_eq!(tries(), before + 4);
        let seen = house.node.receiver(&cx, receiver.id).await.expect("shown");
        assert_eq!((seen.failing, seen.trouble.as_deref()), (4, Some("unreached")));
        let entries = house.history().await;
        let failed = entries.iter().filter(|r| r.event == "signal.send" && r.outcome == Outcome::Failed);
        assert_eq!(failed.count(), 1, "four in a row are one entry");
        // It comes back, and nothing was lost.
        house.idp.put(URL, 202, "");
        house.pass(Duration::from_secs(40));
        assert!(house.node.send_signals().await.expect("sent") > 0);
        // Once more it is gone, for longer than anybody waits.
        house.idp.gone(URL);
        house.signed_in("admin").await;
        let cx = house.admin_cx().await;
        house.node.end_other_sessions(&cx).await.expect("ended");
        house.node.send_signals().await.expect("tried");
        house.pass(Duration::from_secs(24 * 3_600));
        house.node.sweep().await.expect("swept");
        let cx = house.admin_cx().await;
        let seen = house.node.receiver(&cx, receiver.id).await.expect("shown");
        assert!(seen.dropped > 0, "{seen:?}");
        assert!(house.history().await.iter().any(|r| r.event == "signal.drop" && r.object == receiver.id.to_string()));
    })
    .await;
}

#[tokio::test]
async fn another_nodes_sign_out_is_told_by_this_one() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        register(&house, &cx).await;
        let other = house.second().await;
        other.send_signals().await.expect("looked");
        house.signed_in("admin").await;
        house.node.end_other_sessions(&cx).await.expect("ended");
        // Notices of other nodes take a moment; a restart looks everywhere.
        let third = house.second().await;
        assert!(third.send_signals().await.expect("sent") > 0);
    })
    .await;
}

#[tokio::test]
async fn switched_off_nothing_waits_and_nothing_is_sent() {
    let house = one_under(defaults(), None).await;
    let cx = house.admin_cx().await;
    let receiver = register(&house, &cx).await;
    house.signed_in("admin").await;
    house.node.end_other_sessions(&cx).await.expect("ended");
    let off = ReceiverPatch { enabled: Some(false), ..ReceiverPatch::default() };
    let seen = house.node.update_receiver(&cx, receiver.id, receiver.version, off).await.expect("off");
    assert_eq!((seen.enabled, seen.waiting), (false, 1), "the stream's own event, and what waited is gone");
    house.signed_in("admin").await;
    house.node.end_other_sessions(&cx).await.expect("ended");
    let stream = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
    assert_eq!(house.node.send_signals().await.expect("sent"), 1, "it is told that it is told nothing more");
    assert_eq!(newest(&house).await["events"], json!({stream: {"status": "disabled"}}));
    assert_eq!(house.count("SELECT COUNT(*) FROM signal_event").await, 0);
    let on = ReceiverPatch { enabled: Some(true), ..ReceiverPatch::default() };
    house.node.update_receiver(&cx, receiver.id, seen.version, on).await.expect("on");
    house.node.send_signals().await.expect("sent");
    assert_eq!(newest(&house).await["events"], json!({stream: {"status": "enabled"}}));
}

#[tokio::test]
async fn a_trial_says_what_is_wrong() {
    let house = one_under(defaults(), None).await;
    let cx = house.admin_cx().await;
    let receiver = register(&house, &cx).await;
    let tried = async || house.node.test_receiver(&cx, receiver.id).await.expect("tried").remove(0);
    assert!(tried().await.good);
    let claims = newest(&house).await;
    let verification = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    assert_eq!(claims["events"], json!({verification: {}}));
    assert_eq!(claims["sub_id"], json!({"format": "opaque", "id": receiver.id.to_string()}));
    house.idp.put(URL, 400, r#"{"err":"invalid_audience","description":"not ours"}"#);
    assert_eq!(tried().await.says.en, "The receiver refuses the event (invalid_audience). not ours");
    house.idp.put(URL, 401, "");
    assert_eq!(tried().await.says.en, "The receiver refuses us. Check the bearer token.");
    house.idp.gone(URL);
    assert!(tried().await.says.en.starts_with("The host name leads nowhere."));
}

#[tokio::test]
async fn receivers_are_checked_and_few() {
    let house = one_under(defaults(), None).await;
    let cx = house.admin_cx().await;
    for bad in ["http://siem.example", "https://", "https://user@siem.example/"] {
        let refused = house.node.create_receiver(&cx, ORIGIN, NewReceiver { url: bad.into(), ..new("a") }).await;
        assert_eq!(code(refused), "SK-0005", "{bad}");
    }
    let none = NewReceiver { events: Vec::new(), ..new("a") };
    assert_eq!(code(house.node.create_receiver(&cx, ORIGIN, none).await), "SK-0005");
    for n in 0..10 {
        house.node.create_receiver(&cx, ORIGIN, new(&format!("r{n}"))).await.expect("a receiver");
    }
    assert_eq!(code(house.node.create_receiver(&cx, ORIGIN, new("r10")).await), "SK-4027");
    let all = house.node.receivers(&cx, After { after: None, limit: 200 }).await.expect("listed").items;
    assert_eq!(all.len(), 10);
    let keys = "SELECT (SELECT COUNT(*) FROM oauth_key) + (SELECT COUNT(*) FROM signal_key)";
    assert_eq!(house.count(keys).await, 1, "one key for all");
    house.node.delete_receiver(&cx, all[0].id, None).await.expect("deleted");
    assert_eq!(code(house.node.receiver(&cx, all[0].id).await), "SK-0003");
}
