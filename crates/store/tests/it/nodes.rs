//! Several nodes on one PostgreSQL database.

use sekisho_store::{Store, StoreError, params};
use sekisho_testkit::{each_test_store, postgres};

use crate::PEOPLE;

#[tokio::test]
async fn a_notice_reaches_every_node_once() {
    let Some(test) = postgres(&[PEOPLE]) else { return };
    let other = Store::open(test.config.clone(), &[PEOPLE]).expect("a second node");
    let (mut here, mut there) = (test.store.subscribe(), other.subscribe());
    test.store.write(|db| db.notify("session", "ended\nline two")).await.expect("write");
    other.write(|db| db.notify("session", "back")).await.expect("write");
    let mut seen = Vec::new();
    for receiver in [&mut here, &mut there] {
        let mut both: Vec<_> = Vec::new();
        for _ in 0..2 {
            let notice = receiver.recv().await.expect("notice");
            both.push((notice.own, notice.payload.to_string()));
        }
        both.sort();
        assert!(receiver.try_recv().is_err());
        seen.push(both);
    }
    let pair = |own: &str, foreign: &str| vec![(false, foreign.to_owned()), (true, own.to_owned())];
    assert_eq!(seen, [pair("ended\nline two", "back"), pair("back", "ended\nline two")]);
}

#[tokio::test]
async fn a_lock_is_had_by_one_node_until_its_transaction_ends() {
    let Some(test) = postgres(&[PEOPLE]) else { return };
    let other = Store::open(test.config.clone(), &[PEOPLE]).expect("a second node");
    let (inside, entered) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel();
    let holding = tokio::spawn(test.store.write(move |db| {
        let had = db.try_lock("sequencer")?;
        inside.send(()).expect("test waits");
        wait.recv().expect("test sends");
        Ok::<_, StoreError>(had)
    }));
    tokio::task::spawn_blocking(move || entered.recv()).await.expect("thread").expect("inside");
    assert!(!other.write(|db| db.try_lock("sequencer")).await.expect("lock"));
    assert!(other.write(|db| db.try_lock("sweeper")).await.expect("lock"));
    go.send(()).expect("closure waits");
    assert!(holding.await.expect("task").expect("write"));
    assert!(other.write(|db| db.try_lock("sequencer")).await.expect("lock"));
}

#[tokio::test]
async fn a_deadlock_is_a_conflict_for_one_and_may_be_tried_again() {
    let Some(test) = postgres(&[PEOPLE]) else { return };
    for id in [1u8, 2] {
        test.store
            .write(move |db| {
                db.exec("INSERT INTO person (id, name) VALUES ($1, $2)", &params![&[id], &format!("n{id}")])
            })
            .await
            .expect("write");
    }
    let meeting = std::sync::Arc::new(std::sync::Barrier::new(2));
    let crossing = |first: u8, second: u8| {
        let meeting = meeting.clone();
        tokio::spawn(test.store.write(move |db| {
            let touch = "UPDATE person SET age = 1 WHERE id = $1";
            db.exec(touch, &params![&[first]])?;
            meeting.wait();
            db.exec(touch, &params![&[second]])
        }))
    };
    let (one, two) = (crossing(1, 2), crossing(2, 1));
    let answers = [one.await.expect("task"), two.await.expect("task")];
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1, "{answers:?}");
    let conflict = answers.into_iter().find_map(Result::err).expect("one");
    assert!(matches!(conflict, StoreError::Conflict(_)) && conflict.is_retryable(), "{conflict:?}");
}

#[tokio::test]
async fn the_server_tells_its_clock() {
    each_test_store(
        |test| async move {
            let now = test.store.database_now().await.expect("clock");
            assert_eq!(now.is_none(), test.database().is_none());
            // 2026-01-01: later than that, and no overflow of units.
            assert!(now.is_none_or(|now| (1_767_225_600..4_000_000_000).contains(&now.secs())));
        },
        &[],
    )
    .await;
}
