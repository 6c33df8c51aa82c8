use std::time::Duration;

use sekisho_controls::lockout as control;
use sekisho_identity::{
    Identity, totp,
    types::{Browser, FactorProof, SignInStep},
};
use sekisho_kernel::{Problem, TakenOut, access::UserType, policy::Value};

use crate::{
    house::{House, PASSWORD, browser, code, defaults, done, each, each_under, secret, with},
    sign_in::{challenge, enrol},
};

async fn locks(house: &House) -> usize {
    house.history().await.iter().filter(|r| r.event == "account.lock").count()
}

async fn reasons(house: &House) -> Vec<String> {
    let rows = house.history().await;
    let refused = rows.iter().filter(|r| r.event == "session.sign_in" && r.outcome.name() == "refused");
    refused.filter_map(|r| r.detail.iter().find(|(n, _)| n == "reason").map(|(_, v)| v.clone())).collect()
}

#[tokio::test]
async fn three_wrong_lock_for_thirty_minutes_and_no_longer() {
    each(|house| async move {
        for _ in 0..3 {
            assert_eq!(code(house.sign_in_as("admin", "wrong").await), "SK-4001");
        }
        assert_eq!(locks(&house).await, 1);
        assert_eq!(code(house.sign_in_as("admin", PASSWORD).await), "SK-4001", "the right one is not looked at");
        house.pass(Duration::from_secs(30 * 60 - 1));
        assert_eq!(code(house.sign_in_as("admin", PASSWORD).await), "SK-4001", "knocking does not prolong either");
        house.pass(Duration::from_secs(1));
        done(house.sign_in_as("admin", PASSWORD).await);
        assert_eq!(locks(&house).await, 1);
        assert_eq!(reasons(&house).await, ["wrong-password", "wrong-password", "wrong-password", "locked", "locked"]);
    })
    .await;
}

#[tokio::test]
async fn success_gives_the_failures_before_it_back() {
    each(|house| async move {
        for _ in 0..3 {
            assert!(house.sign_in_as("admin", "wrong").await.is_err());
            assert!(house.sign_in_as("admin", "wrong").await.is_err());
            done(house.sign_in_as("admin", PASSWORD).await);
        }
        assert_eq!(locks(&house).await, 0);
    })
    .await;
}

#[tokio::test]
async fn failures_that_did_not_lock_are_forgotten() {
    each(|house| async move {
        for _ in 0..2 {
            assert!(house.sign_in_as("admin", "wrong").await.is_err());
        }
        house.pass(Duration::from_secs(30 * 60));
        for _ in 0..2 {
            assert!(house.sign_in_as("admin", "wrong").await.is_err());
        }
        done(house.sign_in_as("admin", PASSWORD).await);
    })
    .await;
}

/// Many guesses at once over two nodes, one of them right: at most three are ever looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_parallel_and_over_two_nodes_no_more_than_three_are_evaluated() {
    each(|house| async move {
        let other = house.second().await;
        let here = house.here().await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..24 {
            let node: Identity = if n % 2 == 0 { house.node.clone() } else { other.clone() };
            let peer = format!("198.51.100.{n}").parse().expect("an address");
            let knock = sekisho_kernel::hook::Knock { peer, ..here.clone() };
            tasks.spawn(async move { node.sign_in(&knock, &browser(), "admin", secret("wrong")).await.map(drop) });
        }
        let mut answers = Vec::new();
        while let Some(answer) = tasks.join_next().await {
            answers.push(code(answer.expect("joined")));
        }
        assert!(answers.iter().all(|a| *a == "SK-4001"));
        let reasons = reasons(&house).await;
        assert_eq!(reasons.iter().filter(|r| *r == "wrong-password").count(), 3);
        assert_eq!(reasons.iter().filter(|r| *r == "locked").count(), 21);
        assert_eq!(locks(&house).await, 1);
        assert_eq!(code(other.sign_in(&here, &browser(), "admin", secret(PASSWORD)).await), "SK-4001");
    })
    .await;
}

#[tokio::test]
async fn codes_recovery_codes_and_reauthentication_share_the_counter() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let (shared, _) = enrol(&house, &cx).await;
        let here = house.here().await;
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        let guess = async |proof: FactorProof| {
            house.node.sign_in_factor(&here, &browser(), &c, proof).await.map(|_| ()).map_err(|p: Problem| p.kind.code)
        };
        // The first code goes on in the password's place: one try.
        assert_eq!(guess(FactorProof::Code(secret("000000"))).await, Err("SK-4001"));
        assert_eq!(guess(FactorProof::Recovery(secret("AAAA-AAAA-AAAA-AAAA"))).await, Err("SK-4001"));
        assert_eq!(code(house.node.reauthenticate(&cx, secret("wrong")).await), "SK-4004");
        assert_eq!(locks(&house).await, 1);
        let digits = totp::code(&shared, house.now()).expect("a code");
        assert_eq!(guess(FactorProof::Code(secret(&digits))).await, Err("SK-4001"), "the right one is not looked at");
        assert_eq!(code(house.node.reauthenticate(&cx, secret(PASSWORD)).await), "SK-4004");
        let new = || secret("a new long password");
        assert_eq!(code(house.node.change_password(&cx, secret(PASSWORD), new()).await), "SK-4004");
        house.pass(Duration::from_secs(30 * 60));
        house.node.reauthenticate(&house.cx_of_code(&shared).await, secret(PASSWORD)).await.expect("confirmed");
    })
    .await;
}

#[tokio::test]
async fn a_right_password_alone_gives_nothing_back() {
    each(|house| async move {
        enrol(&house, &house.admin_cx().await).await;
        for _ in 0..3 {
            assert!(matches!(house.sign_in_as("admin", PASSWORD).await, Ok(SignInStep::SecondFactor(_))));
        }
        assert_eq!(code(house.sign_in_as("admin", PASSWORD).await), "SK-4001", "abandoned tries keep their places");
        assert_eq!(locks(&house).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_whole_sign_in_gives_abandoned_ones_back() {
    each(|house| async move {
        let (shared, _) = enrol(&house, &house.admin_cx().await).await;
        for _ in 0..3 {
            house.pass(Duration::from_secs(60));
            assert!(house.sign_in_as("admin", PASSWORD).await.is_ok());
            assert!(house.sign_in_as("admin", "wrong").await.is_err());
            house.cx_of_code(&shared).await;
        }
        assert_eq!(house.count("SELECT places + failed + locked FROM try_counter").await, 0);
        assert_eq!(locks(&house).await, 0);
    })
    .await;
}

#[tokio::test]
async fn administrators_and_the_host_unlock() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let taro = house.person(&cx, "taro", UserType::User, None).await;
        for _ in 0..3 {
            assert!(house.sign_in_as("taro", "wrong").await.is_err());
        }
        let seen = house.node.user(&cx, taro.id).await.expect("seen");
        assert_eq!(seen.locked_until, Some(house.now().plus(Duration::from_secs(30 * 60))));
        let open = house.node.unlock_user(&cx, taro.id).await.expect("unlocked");
        assert_eq!(open.locked_until, None);
        done(house.sign_in_as("taro", PASSWORD).await);
        for _ in 0..3 {
            assert!(house.sign_in_as("taro", "wrong").await.is_err());
        }
        assert_eq!(house.node.unlock(house.tenant, "TARO").await.expect("unlocked"), taro.id);
        done(house.sign_in_as("taro", PASSWORD).await);
        assert_eq!(code(house.node.unlock(house.tenant, "nobody").await), "SK-0003");
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_was_here_before_is_not_locked_out_by_strangers() {
    each_under(with(&control::KNOWN_DEVICE, Value::Bool(true)), None, |house| async move {
        let device = house.signed_in("admin").await.device;
        assert!(device.is_some());
        for _ in 0..3 {
            assert!(house.sign_in_as("admin", "wrong").await.is_err());
        }
        assert_eq!(code(house.sign_in_as("admin", PASSWORD).await), "SK-4001", "strangers are locked out");
        let known = Browser { device, ..browser() };
        let here = house.here().await;
        let again = |password: &str| {
            let (node, here, known, password) = (house.node.clone(), here.clone(), known.clone(), secret(password));
            async move { node.sign_in(&here, &known, "admin", password).await }
        };
        done(again(PASSWORD).await);
        for _ in 0..3 {
            assert!(again("wrong").await.is_err());
        }
        assert_eq!(code(again(PASSWORD).await), "SK-4001", "it has a counter, too");
        // Another person's mark is no mark of one's own.
        house.pass(Duration::from_secs(30 * 60));
        let cx = house.admin_cx().await;
        house.person(&cx, "taro", UserType::User, None).await;
        for _ in 0..3 {
            assert!(house.sign_in_as("taro", "wrong").await.is_err());
        }
        let borrowed = house.node.sign_in(&here, &known, "taro", secret(PASSWORD)).await;
        assert_eq!(code(borrowed), "SK-4001");
    })
    .await;
}

#[tokio::test]
async fn taken_out_nothing_locks() {
    each_under(defaults(), Some(TakenOut::Lockout), |house| async move {
        for _ in 0..4 {
            assert!(house.sign_in_as("admin", "wrong").await.is_err());
        }
        done(house.sign_in_as("admin", PASSWORD).await);
        assert_eq!(locks(&house).await, 0);
    })
    .await;
}

/// Names that nobody has are counted in a bounded number of rows, which are forgotten.
#[tokio::test]
async fn invented_names_fill_nothing() {
    each(|house| async move {
        for n in 0..12 {
            assert!(house.sign_in_as(&format!("nobody{n}"), "x").await.is_err());
        }
        let rows = house.count("SELECT COUNT(*) FROM try_counter").await;
        assert!((1..=12).contains(&rows));
        house.pass(Duration::from_secs(30 * 60));
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM try_counter").await, 0);
    })
    .await;
}
