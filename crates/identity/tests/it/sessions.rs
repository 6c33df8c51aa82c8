use std::time::Duration;

use proptest::prelude::*;
use sekisho_identity::{Identity, problems as p};
use sekisho_kernel::{
    Cx, Problem, Secret, TakenOut,
    access::UserType,
    hook::{Directory, HostEntry, HostKind, Knock, Sessions},
};

use crate::{
    house::{House, PASSWORD, code, defaults, done, each, each_under, one_under, secret},
    oauth::ISSUER,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn knocks(house: &House, activity: bool) -> Knock {
    Knock { activity, ..house.here().await }
}

async fn alive(node: &Identity, knock: &Knock, token: &Secret<String>) -> bool {
    match node.resolve(knock, token).await {
        Ok(_) => true,
        Err(problem) => {
            assert_eq!(problem.kind.code, "SK-0007");
            false
        }
    }
}

#[tokio::test]
async fn thirty_minutes_without_activity_end_it_and_polling_does_not_help() {
    each(|house| async move {
        let other = house.second().await;
        let token = house.signed_in("admin").await.token;
        let (click, poll) = (knocks(&house, true).await, knocks(&house, false).await);
        house.pass(29 * MINUTE);
        assert!(alive(&house.node, &click, &token).await, "a click at 29 minutes");
        for _ in 0..29 {
            house.pass(MINUTE);
            assert!(alive(&house.node, &poll, &token).await && alive(&other, &poll, &token).await);
        }
        house.pass(MINUTE);
        assert!(!alive(&house.node, &poll, &token).await);
        assert!(!alive(&other, &click, &token).await);
        assert!(!alive(&house.node, &click, &token).await, "nor does a click bring it back");
        let swept = house.node.sweep().await.expect("swept");
        assert_eq!(swept.sessions, 1);
        assert_eq!(house.count("SELECT COUNT(*) FROM user_session").await, 0);
        assert_eq!(house.count("SELECT COUNT(*) FROM pointer WHERE kind = 'session'").await, 0);
        let rows = house.history().await;
        assert_eq!(rows.iter().filter(|r| r.event == "session.expire").count(), 1);
        assert_eq!(other.sweep().await.expect("swept").sessions, 0, "once");
    })
    .await;
}

#[tokio::test]
async fn activity_on_one_node_counts_on_the_other() {
    each(|house| async move {
        let other = house.second().await;
        let token = house.signed_in("admin").await.token;
        let click = knocks(&house, true).await;
        assert!(alive(&other, &click, &token).await, "now in the other's cache");
        house.pass(20 * MINUTE);
        assert!(alive(&house.node, &click, &token).await);
        house.pass(20 * MINUTE);
        assert!(alive(&other, &click, &token).await, "40 minutes after its own last sight of it");
    })
    .await;
}

#[tokio::test]
async fn the_absolute_end_comes_however_busy_it_is() {
    each(|house| async move {
        let signed_in = house.signed_in("admin").await;
        let click = knocks(&house, true).await;
        for _ in 0..47 {
            house.pass(15 * MINUTE);
            assert!(alive(&house.node, &click, &signed_in.token).await);
        }
        assert_eq!(signed_in.ends_at, house.now().plus(15 * MINUTE));
        house.pass(15 * MINUTE);
        assert!(!alive(&house.node, &click, &signed_in.token).await);
    })
    .await;
}

#[tokio::test]
async fn without_the_idle_end_it_goes_on() {
    each_under(defaults(), Some(TakenOut::IdleEnd), |house| async move {
        let token = house.signed_in("admin").await.token;
        house.pass(60 * MINUTE);
        house.node.sweep().await.expect("swept");
        assert!(alive(&house.node, &knocks(&house, false).await, &token).await);
    })
    .await;
}

/// Clicks at any times: the session never outlives its limits, and ends early by no more than the touch allows.
#[test]
fn never_late_and_hardly_early() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let house = runtime.block_on(one_under(defaults(), None));
    let knock = runtime.block_on(house.here());
    let other = runtime.block_on(house.second());
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(gaps in prop::collection::vec((1_u64..2_400, any::<bool>()), 1..12))| {
        runtime.block_on(async {
            let token = house.signed_in("admin").await.token;
            let (mut last, begun) = (house.now(), house.now());
            for (gap, on_other) in gaps {
                house.pass(Duration::from_secs(gap));
                let node = if on_other { &other } else { &house.node };
                let idle = house.now().since(last);
                let over = house.now().since(begun) >= Duration::from_secs(12 * 3_600);
                if alive(node, &knock, &token).await {
                    prop_assert!(idle < Duration::from_secs(1_800) && !over, "late: {idle:?}");
                    last = house.now();
                } else {
                    prop_assert!(idle >= Duration::from_secs(1_740) || over, "early: {idle:?}");
                    return Ok(());
                }
            }
            Ok(())
        })?;
    });
}

#[tokio::test]
async fn a_session_ended_anywhere_is_ended_everywhere_at_once() {
    each(|house| async move {
        let other = house.second().await;
        let (one, two) = (house.signed_in("admin").await, house.signed_in("admin").await);
        let knock = knocks(&house, true).await;
        for node in [&house.node, &other] {
            assert!(alive(node, &knock, &one.token).await && alive(node, &knock, &two.token).await);
        }
        let cx = house.passage(&two.token).await.expect("a passage").cx.clone();
        let listed = house.node.own_sessions(&cx).await.expect("listed");
        let current: Vec<_> = listed.iter().map(|s| (s.id, s.current)).collect();
        assert!(current.contains(&(one.session, false)) && current.contains(&(two.session, true)));
        assert_eq!((listed[0].address.as_str(), listed[0].browser.as_str()), ("192.0.2.7", "Test/1.0"));
        house.node.end_own_session(&cx, one.session).await.expect("ended");
        assert!(!alive(&house.node, &knock, &one.token).await);
        gone(&other, &knock, &one.token).await;
        assert_eq!(code(house.node.end_own_session(&cx, one.session).await), "SK-0003");
        let three = house.signed_in("admin").await;
        assert_eq!(house.node.end_other_sessions(&cx).await.expect("ended"), 1);
        assert!(!alive(&house.node, &knock, &three.token).await);
        assert!(alive(&house.node, &knock, &two.token).await);
        house.node.sign_out(&knock, &two.token, None).await.expect("signed out");
        assert!(!alive(&house.node, &knock, &two.token).await);
        gone(&other, &knock, &two.token).await;
        assert_eq!(house.count("SELECT COUNT(*) FROM user_session").await, 0);
    })
    .await;
}

/// "At once" on another node is within a second of the database's notice.
async fn gone(node: &Identity, knock: &Knock, token: &Secret<String>) {
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        while alive(node, knock, token).await {
            tokio::task::yield_now().await;
        }
    });
    ended.await.expect("ended on the other node, too");
}

#[tokio::test]
async fn taken_out_a_resolved_session_is_not_looked_at_again() {
    each_under(defaults(), Some(TakenOut::SessionRecheck), |house| async move {
        let token = house.signed_in("admin").await.token;
        let knock = knocks(&house, true).await;
        assert!(alive(&house.node, &knock, &token).await);
        house.node.sign_out(&knock, &token, None).await.expect("signed out");
        assert_eq!(house.count("SELECT COUNT(*) FROM user_session").await, 0);
        assert!(alive(&house.node, &knock, &token).await);
    })
    .await;
}

#[tokio::test]
async fn tokens_are_stored_hashed_and_taken_out_they_are_not() {
    for (taken, hashed) in [(None, true), (Some(TakenOut::TokenHash), false)] {
        each_under(defaults(), taken, |house| async move {
            let token = house.signed_in("admin").await.token;
            use base64::Engine;
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.reveal()).expect("base64url");
            assert_eq!(bytes.len(), 32);
            let found = house.vault.resolve_pointer("session", &bytes).await.expect("looked up");
            assert_eq!(found.is_none(), hashed);
            assert!(house.passage(&token).await.is_ok());
        })
        .await;
    }
}

#[tokio::test]
async fn a_token_is_good_at_its_own_host_only() {
    each(|house| async move {
        house.tenant("other").await;
        let token = house.signed_in("admin").await.token;
        for knock in [house.app_knock().await, house.knock_at("other").await] {
            assert_eq!(code(house.node.resolve(&knock, &token).await), "SK-0007");
        }
        for text in ["", "x", &"A".repeat(43), &"-".repeat(1_000)] {
            assert_eq!(code(house.passage(&secret(text)).await), "SK-0007");
        }
    })
    .await;
}

async fn entered(house: &House, code: &Secret<String>, binding: &str) -> Result<Secret<String>, Problem> {
    house.node.enter(&house.app_knock().await, code, binding).await
}

#[tokio::test]
async fn an_entry_code_works_once_in_its_browser_at_its_host_within_thirty_seconds() {
    each(|house| async move {
        let (other, _) = house.tenant("other").await;
        let console = house.signed_in("admin").await.token;
        let passage = house.passage(&console).await.expect("a passage");
        let app = house.node.host("acme.app.localhost").await.expect("looked up").expect("a host");
        let fresh = async || house.node.entry_code(&passage, &app, "cookie").await.expect("a code");
        let code_text = fresh().await;
        assert_eq!(code(entered(&house, &code_text, "another cookie").await), p::ENTRY_CODE_OVER.code);
        assert_eq!(code(entered(&house, &code_text, "").await), p::ENTRY_CODE_OVER.code);
        let elsewhere = house.knock("other.app.localhost").await;
        assert_eq!(code(house.node.enter(&elsewhere, &code_text, "cookie").await), p::ENTRY_CODE_OVER.code);
        let token = entered(&house, &code_text, "cookie").await.expect("entered");
        assert_eq!(code(entered(&house, &code_text, "cookie").await), p::ENTRY_CODE_OVER.code, "once");
        let at_app = house.app_knock().await;
        let there = house.node.resolve(&at_app, &token).await.expect("a passage");
        assert_eq!((there.user, there.session), (passage.user, passage.session));
        assert_eq!(code(house.passage(&token).await), "SK-0007", "not at the console");
        assert!(house.passage(&console).await.is_ok(), "where the console's token stays good");
        // A second entry at the same host replaces the first token.
        let second = entered(&house, &fresh().await, "cookie").await.expect("entered");
        assert_eq!(code(house.node.resolve(&at_app, &token).await), "SK-0007");
        assert!(house.node.resolve(&at_app, &second).await.is_ok());
        let late = fresh().await;
        house.pass(Duration::from_secs(30));
        assert_eq!(code(entered(&house, &late, "cookie").await), p::ENTRY_CODE_OVER.code);
        let foreign = HostEntry { host: "other.app.localhost".into(), tenant: other, kind: HostKind::Application };
        assert_eq!(code(house.node.entry_code(&passage, &foreign, "cookie").await), p::ENTRY_CODE_OVER.code);
        // Signing out at the application ends it everywhere.
        house.node.sign_out(&at_app, &second, None).await.expect("signed out");
        assert_eq!(code(house.passage(&console).await), "SK-0007");
        assert_eq!(house.count("SELECT COUNT(*) FROM pointer WHERE kind = 'session'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn disabling_deleting_and_password_changes_end_sessions() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let taro = house.person(&cx, "taro", UserType::User, None).await;
        let (one, two) = (house.signed_in("taro").await.token, house.signed_in("taro").await.token);
        let own: Cx = house.passage(&two).await.expect("a passage").cx.clone();
        house.node.change_password(&own, secret(PASSWORD), secret("another long password")).await.expect("changed");
        assert!(house.passage(&one).await.is_err() && house.passage(&two).await.is_ok());
        house.node.disable_user(&cx, taro.id).await.expect("disabled");
        assert!(house.passage(&two).await.is_err());
        house.node.enable_user(&cx, taro.id).await.expect("enabled");
        assert!(house.passage(&two).await.is_err(), "enabling brings no session back");
        let three = done(house.sign_in_as("taro", "another long password").await).token;
        assert_eq!(house.node.user_sessions(&cx, taro.id).await.expect("listed").len(), 1);
        assert_eq!(house.node.end_user_sessions(&cx, taro.id).await.expect("ended"), 1);
        assert!(house.passage(&three).await.is_err());
        let four = done(house.sign_in_as("taro", "another long password").await).token;
        house.node.delete_user(&cx, taro.id, None).await.expect("deleted");
        assert!(house.passage(&four).await.is_err());
        assert!(house.sign_in_as("taro", "another long password").await.is_err());
        for left in [
            "SELECT COUNT(*) FROM credential",
            "SELECT COUNT(*) FROM user_account",
            "SELECT COUNT(*) FROM user_session",
        ] {
            assert_eq!(house.count(left).await, 1, "the administrator's alone: {left}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_state_tells_the_ends_and_prolongs_nothing() {
    each(|house| async move {
        let signed_in = house.signed_in("admin").await;
        let poll = knocks(&house, false).await;
        house.pass(10 * MINUTE);
        let cx = house.node.resolve(&poll, &signed_in.token).await.expect("a passage").cx.clone();
        let state = house.node.session_state(&cx).await.expect("a state");
        assert_eq!(state.session, signed_in.session);
        assert_eq!(Some(state.ends_at), Some(signed_in.ends_at));
        assert_eq!(state.idle_ends_at, Some(house.now().plus(20 * MINUTE)));
        let me = house.node.me(&cx).await.expect("me");
        assert_eq!(me.rights.len(), sekisho_kernel::Right::all().count());
        assert!(me.site_rights.is_empty());
    })
    .await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_on_every_node() {
    each(|house| async move {
        let other = house.second().await;
        let (one, two) = (house.signed_in("admin").await, house.signed_in("admin").await);
        let knock = knocks(&house, false).await;
        let here = house.node.resolve(&knock, &one.token).await.expect("signed in");
        assert!(alive(&other, &knock, &two.token).await, "now in the other's cache");
        assert_eq!(house.node.end_every_session(&here.cx, ISSUER).await.expect("ended").0, 2);
        for token in [&one.token, &two.token] {
            assert!(!alive(&house.node, &knock, token).await && !alive(&other, &knock, token).await);
        }
        assert_eq!(house.count("SELECT COUNT(*) FROM user_session").await, 0);
        assert_eq!(house.node.end_every_session(&here.cx, ISSUER).await.expect("nothing is left").0, 0);
    })
    .await;
}

#[tokio::test]
async fn taken_out_a_session_outlives_what_should_have_ended_it() {
    each_under(defaults(), Some(TakenOut::SignOutEverywhere), |house| async move {
        let (one, two) = (house.signed_in("admin").await, house.signed_in("admin").await);
        let knock = knocks(&house, false).await;
        let here = house.node.resolve(&knock, &one.token).await.expect("signed in");
        assert_eq!(house.node.end_every_session(&here.cx, ISSUER).await.expect("answered").0, 0);
        assert!(alive(&house.node, &knock, &two.token).await);
    })
    .await;
    each_under(defaults(), Some(TakenOut::Deactivation), |house| async move {
        let admin = house.admin_cx().await;
        let hired = house.person(&admin, "hanako", UserType::User, None).await;
        let signed_in = house.signed_in("hanako").await;
        let knock = knocks(&house, false).await;
        assert!(alive(&house.node, &knock, &signed_in.token).await);
        house.node.disable_user(&admin, hired.id).await.expect("disabled");
        assert!(alive(&house.node, &knock, &signed_in.token).await);
    })
    .await;
}
