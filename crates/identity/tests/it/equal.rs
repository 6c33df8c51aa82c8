//! Whoever guesses cannot tell what there is: every account costs the same and gets the same answer.

use sekisho_kernel::{access::UserType, hook::Knock};

use crate::house::{House, PASSWORD, browser, each, new_user, secret};

/// What one refused sign-in costs: hashes, statements, entries, rows of the log.
async fn cost(house: &House, name: &str) -> (u64, u64, u64, usize) {
    let (hashes, statements, entries) = house.node.counts().read();
    let rows = house.history().await.len();
    // An address of its own each time: refusals beyond ten an address and minute are entered as one count.
    let peer = std::net::Ipv4Addr::from_bits(0xC633_6400 | u32::try_from(statements & 0xff).unwrap()).into();
    let knock = Knock { peer, ..house.here().await };
    let problem = house.node.sign_in(&knock, &browser(), name, secret("not the password")).await.expect_err("refused");
    assert_eq!(
        format!("{problem:?}"),
        format!("{:?}", sekisho_kernel::Problem::new(&sekisho_identity::problems::SIGN_IN_FAILED))
    );
    let (h, s, e) = house.node.counts().read();
    (h - hashes, s - statements, e - entries, house.history().await.len() - rows)
}

#[tokio::test]
async fn known_unknown_disabled_and_password_less_accounts_cost_the_same() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        house.person(&cx, "taro", UserType::User, None).await;
        let off = house.person(&cx, "off", UserType::User, None).await;
        house.node.disable_user(&cx, off.id).await.expect("disabled");
        house.node.create_user(&cx, new_user("invited", UserType::User, None, None)).await.expect("invited");
        let first = cost(&house, "taro").await;
        assert_eq!(first.0, 1, "one hash");
        assert_eq!((first.2, first.3), (1, 1), "one entry");
        for name in ["nobody", "off", "invited"] {
            assert_eq!(cost(&house, name).await, first, "{name}, first try");
        }
        let second = cost(&house, "taro").await;
        let locking = cost(&house, "taro").await;
        let locked = cost(&house, "taro").await;
        assert_eq!(second, first);
        assert_eq!((locking.2, locking.3), (2, 2), "the refusal, and the lock");
        assert_eq!(locked, first, "a locked account costs what any other does");
        for name in ["nobody", "off", "invited"] {
            assert_eq!(cost(&house, name).await, second, "{name}, second try");
            assert_eq!(cost(&house, name).await, locking, "{name}, the try that locks");
            assert_eq!(cost(&house, name).await, locked, "{name}, locked");
        }
        assert!(house.sign_in_as("taro", PASSWORD).await.is_err());
    })
    .await;
}

/// The history names nobody who does not exist, and no name at all.
#[tokio::test]
async fn names_do_not_come_into_the_history() {
    each(|house| async move {
        assert!(house.sign_in_as("secretname", "x").await.is_err());
        let rows = house.history().await;
        let last = rows.last().expect("an entry");
        assert!(last.object.starts_with("unknown:"));
        assert!(!last.ocsf.contains("secretname"));
    })
    .await;
}
