//! What a disk and a network can do: a clear error, nothing half-written, and on it goes without a restart.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sekisho_store::{Fault, Gate, Kind, Sql, Store, StoreError, params};
use sekisho_testkit::{TestStore, each_test_store, postgres, sqlite};

use crate::PEOPLE;

fn add(db: &mut dyn Sql, id: u8) -> Result<u64, StoreError> {
    db.exec("INSERT INTO person (id, name) VALUES ($1, $2)", &params![&[id], &format!("n{id}")])
}

async fn count(store: &Store) -> i64 {
    let row = store.read(|db| db.query_opt("SELECT COUNT(*) FROM person", &[])).await;
    row.expect("read").expect("row").int(0).expect("number")
}

/// Waits for what other threads bring about; the test's own time limit is the only one.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn arrived(gate: Gate) -> Gate {
    tokio::task::spawn_blocking(move || {
        gate.wait();
        gate
    })
    .await
    .expect("thread")
}

/// Starts `ids` while a first commit is held up, so that on SQLite all of them form one group; gives their answers.
async fn together(test: &TestStore, ids: std::ops::Range<u8>) -> Vec<Result<u64, StoreError>> {
    let gate = test.faults.hold();
    let first = tokio::spawn(test.store.write(|db| db.query("SELECT 1", &[]).map(drop)));
    let gate = arrived(gate).await;
    let tasks: Vec<_> = ids.clone().map(|id| tokio::spawn(test.store.write(move |db| add(db, id)))).collect();
    if test.kind() == Kind::Sqlite {
        until(|| test.store.waiting().0 == ids.len()).await;
    }
    gate.open();
    first.await.expect("task").expect("held, then done");
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("task"));
    }
    answers
}

#[tokio::test]
async fn nobody_is_answered_before_the_physical_commit() {
    each_test_store(
        |test| async move {
            let mut notices = test.store.subscribe();
            let gate = test.faults.hold();
            let writing = tokio::spawn(test.store.write(|db| {
                db.notify("topic", "payload")?;
                add(db, 1)
            }));
            let gate = arrived(gate).await;
            assert!(!writing.is_finished());
            assert!(notices.try_recv().is_err());
            assert_eq!(count(&test.store).await, 0);
            gate.open();
            writing.await.expect("task").expect("write");
            assert_eq!(count(&test.store).await, 1);
            assert_eq!(&*notices.recv().await.expect("notice").payload, "payload");
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn when_a_commit_fails_none_of_its_members_stands_and_the_next_works() {
    for fault in [Fault::DiskFull, Fault::Io, Fault::Disconnect] {
        each_test_store(
            |test| async move {
                let heard = Arc::new(AtomicUsize::new(0));
                let counter = heard.clone();
                test.store.on_notice(move |_| {
                    counter.fetch_add(1, Ordering::SeqCst);
                });
                test.faults.plan(1, fault);
                let lost = test.store.write(|db| {
                    db.notify("topic", "lost")?;
                    add(db, 1)
                });
                let error = lost.await.expect_err("the fault");
                match fault {
                    Fault::DiskFull => assert!(matches!(error, StoreError::Full(_)), "{error:?}"),
                    Fault::Io => assert!(matches!(error, StoreError::Io(_)), "{error:?}"),
                    Fault::Disconnect => assert!(matches!(error, StoreError::Io(_) | StoreError::Lost(_)), "{error:?}"),
                }
                assert_eq!((count(&test.store).await, test.faults.left()), (0, 0));
                test.store.write(|db| add(db, 1)).await.expect("the next works");
                assert_eq!(count(&test.store).await, 1);
                assert_eq!(heard.load(Ordering::SeqCst), 0);
            },
            &[PEOPLE],
        )
        .await;
    }
}

#[tokio::test]
async fn a_group_is_one_physical_commit() {
    let test = sqlite(&[PEOPLE]);
    let gate = test.faults.hold();
    let first = tokio::spawn(test.store.write(|db| add(db, 100)));
    let gate = arrived(gate).await;
    let tasks: Vec<_> = (0..50).map(|id| tokio::spawn(test.store.write(move |db| add(db, id)))).collect();
    until(|| test.store.waiting().0 == 50).await;
    test.faults.plan(1, Fault::DiskFull);
    gate.open();
    first.await.expect("task").expect("a commit of its own");
    for task in tasks {
        // One fault, fifty errors: they shared the commit.
        assert_eq!(task.await.expect("task"), Err(StoreError::Full("injected".into())));
    }
    assert_eq!((count(&test.store).await, test.faults.left()), (1, 0));
}

#[tokio::test]
async fn a_disk_that_fills_up_under_a_group_takes_nothing_acknowledged() {
    let test = sqlite(&[PEOPLE]);
    assert!(together(&test, 0..20).await.iter().all(Result::is_ok));
    let used = test.store.size().await.expect("size") / 4_096;
    test.faults.limit_pages(Some(u32::try_from(used).expect("small") + 4));
    let full = test.store.write(|db| {
        add(db, 99)?;
        db.exec("UPDATE person SET photo = $1", &params![&vec![0u8; 100_000]])
    });
    assert!(matches!(full.await, Err(StoreError::Full(_))));
    assert_eq!(count(&test.store).await, 20);
    test.store
        .write(|db| db.exec("DELETE FROM person WHERE id = $1", &params![&[0u8]]))
        .await
        .expect("small ones go on");
    test.faults.limit_pages(None);
    test.store
        .write(|db| db.exec("UPDATE person SET photo = $1", &params![&vec![0u8; 100_000]]))
        .await
        .expect("room again");
    assert_eq!(count(&test.store).await, 19);
}

#[tokio::test]
async fn a_member_that_fills_the_disk_does_not_leave_its_neighbours_in_doubt() {
    let test = sqlite(&[PEOPLE]);
    let used = test.store.size().await.expect("size") / 4_096;
    let gate = test.faults.hold();
    let first = tokio::spawn(test.store.write(|db| add(db, 100)));
    let gate = arrived(gate).await;
    test.faults.limit_pages(Some(u32::try_from(used).expect("small") + 4));
    let tasks: Vec<_> = (0..30u8)
        .map(|id| {
            tokio::spawn(test.store.write(move |db| {
                if id == 15 {
                    let photo = vec![0u8; 200_000];
                    db.exec("INSERT INTO person (id, name, photo) VALUES ($1, 'big', $2)", &params![&[id], &photo])
                } else {
                    add(db, id)
                }
            }))
        })
        .collect();
    until(|| test.store.waiting().0 == 30).await;
    gate.open();
    first.await.expect("task").expect("before it was full");
    let mut stands = 1;
    for (id, task) in tasks.into_iter().enumerate() {
        match task.await.expect("task") {
            Ok(_) => stands += 1,
            Err(error) => assert!(matches!(error, StoreError::Full(_)), "{id}: {error:?}"),
        }
    }
    assert!((1..31).contains(&stands), "{stands}");
    assert_eq!(count(&test.store).await, stands);
}

#[tokio::test]
async fn a_file_locked_by_another_is_busy_until_it_is_let_go() {
    let test = sqlite(&[PEOPLE]);
    let file = test.dir().expect("SQLite").join("sekisho.db");
    let other = rusqlite::Connection::open(file).expect("open");
    other.execute_batch("BEGIN IMMEDIATE").expect("lock");
    assert!(matches!(test.store.write(|db| add(db, 1)).await, Err(StoreError::Busy(_))));
    assert_eq!(count(&test.store).await, 0);
    other.execute_batch("ROLLBACK").expect("unlock");
    test.store.write(|db| add(db, 1)).await.expect("let go");
}

#[tokio::test]
async fn a_restarted_server_costs_nobody_an_error() {
    let Some(test) = postgres(&[PEOPLE]) else { return };
    test.store.write(|db| add(db, 1)).await.expect("write");
    test.database().expect("PostgreSQL").cut();
    test.store.write(|db| add(db, 2)).await.expect("on a new connection");
    assert_eq!(count(&test.store).await, 2);
}

#[tokio::test]
async fn a_connection_lost_inside_a_transaction_leaves_nothing() {
    let Some(test) = postgres(&[PEOPLE]) else { return };
    let (inside, entered) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel();
    let writing = tokio::spawn(test.store.write(move |db| {
        add(db, 1)?;
        inside.send(()).expect("test waits");
        wait.recv().expect("test sends");
        add(db, 2)
    }));
    tokio::task::spawn_blocking(move || entered.recv()).await.expect("thread").expect("inside");
    test.database().expect("PostgreSQL").cut();
    go.send(()).expect("closure waits");
    let lost = writing.await.expect("task").expect_err("cut");
    assert!(matches!(lost, StoreError::Lost(_)), "{lost:?}");
    assert_eq!(count(&test.store).await, 0);
    test.store.write(|db| add(db, 1)).await.expect("works again");
}

#[tokio::test]
async fn a_lost_database_is_a_clear_error_and_comes_back_by_itself() {
    let Some(test) = postgres(&[PEOPLE]) else { return };
    until(|| test.store.in_contact()).await;
    let mut notices = test.store.subscribe();
    let database = test.database().expect("PostgreSQL");
    database.allow(false);
    for _ in 0..2 {
        let lost = test.store.write(|db| add(db, 1)).await.expect_err("lost");
        assert!(matches!(lost, StoreError::Lost(_)), "{lost:?}");
        let lost = test.store.read(|db| db.query("SELECT 1", &[])).await.expect_err("lost");
        assert!(matches!(lost, StoreError::Lost(_)), "{lost:?}");
    }
    until(|| !test.store.in_contact()).await;
    database.allow(true);
    test.store.write(|db| add(db, 1)).await.expect("back");
    let notice = notices.recv().await.expect("notice");
    assert_eq!((&*notice.topic, notice.own), (sekisho_store::RESYNC, false));
    until(|| test.store.in_contact()).await;
}
