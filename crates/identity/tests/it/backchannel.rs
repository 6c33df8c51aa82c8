//! Applications are told of every session's end in which people had signed in to them: once, signed, in the end.

use std::time::Duration;

use sekisho_identity::types::{After, ApplicationIssued, NewApplication};
use sekisho_kernel::{Cx, Outcome, access::UserType, hook::Sessions};
use serde_json::{Value, json};

use crate::{
    house::{House, PASSWORD, code, defaults, each, one_under, secret},
    oauth::{ISSUER, REDIRECT},
    openid::tokens_of,
};

const URL: &str = "https://app.example/backchannel";

fn new(name: &str) -> NewApplication {
    NewApplication {
        name: name.into(),
        redirect_uris: vec![REDIRECT.into()],
        confidential: true,
        openid: true,
        backchannel_logout_uri: Some(URL.into()),
        backchannel_logout_session_required: true,
        ..NewApplication::default()
    }
}

async fn register(house: &House, cx: &Cx, name: &str) -> ApplicationIssued {
    house.tick();
    house.idp.put(URL, 200, "");
    let made = house.node.create_application(cx, new(name)).await.expect("registered");
    house.node.decide_application(cx, made.application.id, true).await.expect("approved");
    made
}

fn part(token: &str, n: usize) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let text = token.split('.').nth(n).expect("a part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}

/// Header and claims of the newest token that the application got.
fn newest(house: &House) -> (Value, Value) {
    let sent = house.idp.last(URL);
    let token = sent.split('\n').next().and_then(|b| b.strip_prefix("logout_token=")).expect("a token").to_owned();
    (part(&token, 0), part(&token, 1))
}

/// Signs in to it in a session of its own; the session's name in the ID token.
async fn inside(house: &House, made: &ApplicationIssued, name: &str) -> (Cx, Value) {
    let cx = house.cx(name).await;
    let token = tokens_of(house, &cx, made).await;
    (cx, part(&token, 1)["sid"].clone())
}

#[tokio::test]
async fn every_end_of_a_session_is_told_to_those_who_know_it() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let made = register(&house, &admin, "desk").await;
        let taro = house.person(&admin, "taro", UserType::User, None).await;
        let sent = async || house.node.send_signals().await.expect("sent");
        house.signed_in("taro").await;
        house.node.end_user_sessions(&admin, taro.id).await.expect("ended");
        assert_eq!(sent().await, 0, "nobody had signed in to it");

        let (_, sid) = inside(&house, &made, "taro").await;
        house.node.end_user_sessions(&admin, taro.id).await.expect("ended");
        assert_eq!(sent().await, 1);
        let (header, claims) = newest(&house);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!("RS256")));
        let event = "http://schemas.openid.net/event/backchannel-logout";
        for (name, value) in [
            ("iss", json!(ISSUER)),
            ("aud", json!(made.application.id)),
            ("sub", json!(taro.id)),
            ("sid", sid),
            ("events", json!({ event: {} })),
        ] {
            assert_eq!(claims[name], value, "{claims}");
        }
        assert!(claims.get("nonce").is_none(), "{claims}");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);

        // Its person's own doing: signed out, another password, every other session ended.
        let token = house.signed_in("taro").await.token;
        let knock = house.here().await;
        let own = house.node.resolve(&knock, &token).await.expect("signed in").cx.clone();
        tokens_of(&house, &own, &made).await;
        house.node.sign_out(&knock, &token, None).await.expect("out");
        assert_eq!(sent().await, 1);
        let (_, sid) = inside(&house, &made, "taro").await;
        let own = house.cx("taro").await;
        house.node.change_password(&own, secret(PASSWORD), secret("another long password")).await.expect("changed");
        assert_eq!(sent().await, 1);
        assert_eq!(newest(&house).1["sid"], sid);

        // An end by itself, and with the account.
        let hanako = house.person(&admin, "hanako", UserType::User, None).await;
        inside(&house, &made, "hanako").await;
        house.pass(Duration::from_secs(86_400));
        house.node.sweep().await.expect("swept");
        assert_eq!(sent().await, 1);
        assert_eq!(newest(&house).1["sub"], json!(hanako.id));
        let admin = house.admin_cx().await;
        inside(&house, &made, "hanako").await;
        house.node.disable_user(&admin, hanako.id).await.expect("deactivated");
        assert_eq!(sent().await, 1);

        let seen = house.node.application(&admin, made.application.id).await.expect("seen");
        assert_eq!((seen.logouts.sent, seen.logouts.failing), (5, 0));
        let entries = house.history().await;
        let object = made.application.id.to_string();
        let told = entries.iter().filter(|r| r.event == "oauth.logout_send" && r.object == object);
        assert_eq!(told.filter(|r| r.actor == "system:signals").count(), 5, "each with its entry");
    })
    .await;
}

#[tokio::test]
async fn an_application_that_is_away_is_told_later_and_one_that_refuses_holds_nobody_up() {
    each(|house| async move {
        let admin = house.admin_cx().await;
        let made = register(&house, &admin, "desk").await;
        let taro = house.person(&admin, "taro", UserType::User, None).await;
        let end = async || {
            inside(&house, &made, "taro").await;
            house.node.end_user_sessions(&house.admin_cx().await, taro.id).await.expect("ended");
        };
        house.idp.gone(URL);
        end().await;
        assert_eq!(house.node.send_signals().await.expect("tried"), 0);
        house.pass(Duration::from_secs(5));
        house.idp.put(URL, 503, "");
        assert_eq!(house.node.send_signals().await.expect("tried"), 0);
        let seen = house.node.application(&admin, made.application.id).await.expect("seen").logouts;
        assert_eq!((seen.failing, seen.trouble.as_deref()), (2, Some("status")));
        house.pass(Duration::from_secs(10));
        house.idp.put(URL, 204, "");
        assert_eq!(house.node.send_signals().await.expect("sent"), 1);
        let (_, claims) = newest(&house);
        assert_eq!(claims["iat"], json!(house.now().secs()), "signed when it is sent: it lives two minutes");

        // What it will never take is given up at once, and those behind it are not held up.
        house.idp.put(URL, 400, "");
        end().await;
        assert_eq!(house.node.send_signals().await.expect("tried"), 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM signal_event").await, 0);
        let admin = house.admin_cx().await;
        let seen = house.node.application(&admin, made.application.id).await.expect("seen").logouts;
        assert_eq!((seen.sent, seen.dropped), (1, 1));
        house.idp.gone(URL);
        end().await;
        house.node.send_signals().await.expect("tried");
        house.pass(Duration::from_secs(86_400));
        house.node.sweep().await.expect("swept");
        let admin = house.admin_cx().await;
        let seen = house.node.application(&admin, made.application.id).await.expect("seen").logouts;
        assert_eq!(seen.dropped, 2, "a day in vain");
        let rows = house.history().await;
        let of = |event: &str, outcome| rows.iter().filter(|r| r.event == event && r.outcome == outcome).count();
        assert_eq!(of("oauth.logout_send", Outcome::Failed), 2, "the first of each row");
        assert_eq!(of("oauth.logout_drop", Outcome::Success), 2);
    })
    .await;
}

#[tokio::test]
async fn who_is_stopped_or_deleted_is_told_nothing_more() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let made = register(&house, &admin, "desk").await;
    let other = register(&house, &admin, "other").await;
    house.person(&admin, "taro", UserType::User, None).await;
    let (own, _) = inside(&house, &made, "taro").await;
    tokens_of(&house, &own, &other).await;
    house.node.decide_application(&admin, made.application.id, false).await.expect("stopped");
    house.node.end_every_session(&own, ISSUER).await.expect("ended");
    assert_eq!(house.count("SELECT COUNT(*) FROM signal_event").await, 1, "the other one alone");
    house.node.delete_application(&admin, other.application.id, None).await.expect("deleted");
    assert_eq!(house.node.send_signals().await.expect("sent"), 0);
    assert_eq!(house.count("SELECT COUNT(*) FROM signal_event").await, 0);
}

#[tokio::test]
async fn what_is_rolled_back_or_unsound_is_not_told() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let made = register(&house, &admin, "desk").await;
    let own = inside(&house, &made, "admin").await.0;
    assert_eq!(code(house.node.change_password(&own, secret(PASSWORD), secret("x")).await), "SK-4005");
    assert_eq!(house.node.send_signals().await.expect("sent"), 0);
    for bad in ["http://app.example/b", "https://", "https://user@app.example/", "https://app.example/#x"] {
        let new = NewApplication { backchannel_logout_uri: Some(bad.into()), ..new("bad") };
        assert_eq!(code(house.node.create_application(&admin, new).await), "SK-0005", "{bad}");
    }
    let nobody = NewApplication { openid: false, ..new("bad") };
    assert_eq!(code(house.node.create_application(&admin, nobody).await), "SK-0005");
    let nowhere = NewApplication { backchannel_logout_uri: None, ..new("bad") };
    assert_eq!(code(house.node.create_application(&admin, nowhere).await), "SK-0005");
    for n in 1..50 {
        house.node.create_application(&admin, new(&format!("a{n}"))).await.expect("registered");
    }
    assert_eq!(code(house.node.create_application(&admin, new("one more")).await), "SK-4027");
    assert_eq!(house.node.applications(&admin, After { after: None, limit: 200 }).await.expect("all").items.len(), 50);
}
