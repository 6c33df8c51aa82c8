use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sekisho_store::{NOTICE_LIMIT, Param, Sql, Store, StoreError, params};
use sekisho_testkit::each_store;

use crate::PEOPLE;

const INSERT: &str = "INSERT INTO person (id, name, age, photo) VALUES ($1, $2, $3, $4)";

fn add(db: &mut dyn Sql, id: u8, name: &str) -> Result<u64, StoreError> {
    db.exec(INSERT, &params![&[id], name, i64::from(id), None::<&[u8]>])
}

async fn names(store: &Store) -> Vec<String> {
    let rows = store.read(|db| db.query("SELECT name FROM person ORDER BY name", &[])).await;
    rows.expect("read").iter().map(|r| r.text(0).expect("text").to_owned()).collect()
}

#[tokio::test]
async fn each_type_comes_back_as_it_went_in() {
    each_store(
        |store| async move {
            let photo: Vec<u8> = (0..=255).collect();
            let sent = photo.clone();
            store
                .write(move |db| {
                    db.exec(INSERT, &params![&[1u8; 16], "関所 ' \" \\ 🏯", i64::MIN, &sent])?;
                    db.exec(INSERT, &[Param::Blob(&[]), Param::Text(""), Param::Null, Param::Null])
                })
                .await
                .expect("write");
            let rows = store.read(|db| db.query("SELECT id, name, age, photo FROM person ORDER BY id DESC", &[])).await;
            let rows = rows.expect("read");
            assert_eq!(rows[0].blob(0).expect("id"), [1; 16]);
            assert_eq!(rows[0].text(1).expect("name"), "関所 ' \" \\ 🏯");
            assert_eq!(rows[0].int(2).expect("age"), i64::MIN);
            assert_eq!(rows[0].blob(3).expect("photo"), photo);
            assert_eq!(rows[1].blob(0).expect("id"), b"");
            assert_eq!(rows[1].text(1).expect("name"), "");
            assert_eq!(rows[1].opt_int(2).expect("age"), None);
            assert_eq!(rows[1].opt_blob(3).expect("photo"), None);
            assert!(rows[1].int(2).is_err() && rows[1].text(0).is_err() && rows[1].int(9).is_err());
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn numbered_parameters_may_repeat_and_come_in_any_order() {
    each_store(
        |store| async move {
            store.write(|db| add(db, 1, "aki").and_then(|_| add(db, 2, "beni"))).await.expect("write");
            let row = store.read(|db| {
                db.query_opt(
                    "SELECT name FROM person WHERE age = $2 AND ($1 = 'x' OR name <> $1) AND age >= $2",
                    &params!["aki", 2],
                )
            });
            assert_eq!(row.await.expect("read").expect("row").text(0).expect("text"), "beni");
            let wrong = store.read(|db| db.query("SELECT name FROM person WHERE age = $1", &params![1, 2])).await;
            assert!(matches!(wrong, Err(StoreError::Bug(_))), "{wrong:?}");
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn upsert_returning_counting_and_locking_reads_are_portable() {
    each_store(
        |store| async move {
            let tries = store.write(|db| {
                let up = "INSERT INTO person (id, name, age) VALUES ($1, $2, 1)
                          ON CONFLICT (id) DO UPDATE SET age = person.age + 1 RETURNING age";
                db.query(up, &params![&[1u8], "aki"])?;
                let again = db.query(up, &params![&[1u8], "aki"])?[0].int(0)?;
                let locked =
                    db.query("SELECT age FROM person WHERE id = $1 FOR UPDATE", &params![&[1u8]])?[0].int(0)?;
                let sums = db.query(
                    "SELECT COUNT(*), CAST(SUM(age) AS BIGINT), EXISTS (SELECT 1 FROM pet), 1 FROM person LIMIT $1",
                    &params![1],
                )?;
                Ok::<_, StoreError>((
                    again,
                    locked,
                    sums[0].int(0)?,
                    sums[0].int(1)?,
                    sums[0].flag(2)?,
                    sums[0].int(3)?,
                ))
            });
            assert_eq!(tries.await.expect("write"), (2, 2, 1, 2, false, 1));
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn many_rows_go_in_at_once() {
    each_store(
        |store| async move {
            let changed = store.write(|db| {
                let ids: Vec<[u8; 2]> = (0..1_000u16).map(u16::to_be_bytes).collect();
                let names: Vec<String> = (0..1_000).map(|n| format!("n{n}")).collect();
                let rows: Vec<Vec<Param<'_>>> =
                    ids.iter().zip(&names).map(|(i, n)| params![i, n, 1, None::<&[u8]>].to_vec()).collect();
                db.exec_many(INSERT, &rows)
            });
            assert_eq!(changed.await.expect("write"), 1_000);
            let mut seen = 0;
            store
                .read(move |db| {
                    db.for_each("SELECT id FROM person ORDER BY id", &[], &mut |row| {
                        assert_eq!(row.blob(0)?, u16::to_be_bytes(seen));
                        seen += 1;
                        Ok(seen < 10)
                    })?;
                    assert_eq!(seen, 10);
                    Ok::<_, StoreError>(())
                })
                .await
                .expect("read");
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn text_sorts_by_bytes_and_like_minds_case() {
    each_store(
        |store| async move {
            store
                .write(|db| {
                    for (id, name) in [(1, "b"), (2, "B"), (3, "a"), (4, "あ"), (5, "é")] {
                        add(db, id, name)?;
                    }
                    Ok::<_, StoreError>(())
                })
                .await
                .expect("write");
            assert_eq!(names(&store).await, ["B", "a", "b", "é", "あ"]);
            let like = store.read(|db| db.query("SELECT id FROM person WHERE name LIKE $1", &params!["b%"])).await;
            assert_eq!(like.expect("read").len(), 1);
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn constraints_have_the_same_name_on_both() {
    each_store(
        |store| async move {
            store.write(|db| add(db, 1, "aki")).await.expect("write");
            let taken = store.write(|db| add(db, 2, "aki")).await.expect_err("taken");
            assert_eq!(taken, StoreError::Unique { what: "person.house, person.name".into() });
            assert!(taken.is_unique("person.name") && !taken.is_unique("person.id"));
            let taken = store.write(|db| add(db, 1, "beni")).await.expect_err("taken");
            assert_eq!(taken, StoreError::Unique { what: "person.id".into() });
            let orphan = store
                .write(|db| db.exec("INSERT INTO pet (id, owner) VALUES ($1, $2)", &params![1, &[9u8]]))
                .await
                .expect_err("orphan");
            assert!(matches!(orphan, StoreError::Constraint(_)), "{orphan:?}");
            let null = store
                .write(|db| db.exec("INSERT INTO person (id, name) VALUES ($1, $2)", &params![&[9u8], None::<&str>]))
                .await
                .expect_err("null");
            assert!(matches!(null, StoreError::Constraint(_)), "{null:?}");
            let nul = store.write(|db| add(db, 3, "a\0b")).await.expect_err("U+0000");
            assert!(matches!(nul, StoreError::Constraint(_)), "{nul:?}");
            assert_eq!(names(&store).await, ["aki"]);
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn what_is_append_only_stays() {
    each_store(
        |store| async move {
            store
                .write(|db| db.exec("INSERT INTO diary (line, text) VALUES ($1, $2)", &params![1, "rain"]))
                .await
                .expect("append");
            for sql in ["UPDATE diary SET text = 'sun'", "DELETE FROM diary"] {
                let refused = store.write(move |db| db.exec(sql, &[])).await.expect_err("refused");
                assert!(matches!(refused, StoreError::Refused(_)), "{refused:?}");
            }
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn a_transaction_cannot_end_itself_or_change_the_schema() {
    each_store(
        |store| async move {
            for sql in
                ["COMMIT", "ROLLBACK", "DROP TABLE person", "SELECT 1; SELECT 2", "INSERT INTO nowhere VALUES (1)"]
            {
                let refused = store.write(move |db| db.exec(sql, &[])).await.expect_err("refused");
                assert!(matches!(refused, StoreError::Bug(_)), "{sql}: {refused:?}");
            }
            let written = store.read(|db| db.query("DELETE FROM person RETURNING id", &[])).await.expect_err("refused");
            assert!(matches!(written, StoreError::Refused(_)), "{written:?}");
            store.write(|db| add(db, 1, "aki")).await.expect("still works");
        },
        &[PEOPLE],
    )
    .await;
}

#[derive(Debug, PartialEq)]
enum Mine {
    No,
    Store(StoreError),
}
impl From<StoreError> for Mine {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

#[tokio::test]
async fn each_member_of_a_group_has_its_own_fate() {
    each_store(
        |store| async move {
            let tasks: Vec<_> = (0..120u8)
                .map(|n| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        store
                            .write(move |db| {
                                add(db, n, &format!("n{n:03}"))?;
                                match n % 4 {
                                    0 => Ok(n),
                                    1 => Err(Mine::No),
                                    2 => add(db, n, "twice").map(|_| n).map_err(Mine::Store),
                                    _ => panic!("member {n}"),
                                }
                            })
                            .await
                    })
                })
                .collect();
            for (n, task) in tasks.into_iter().enumerate() {
                let answer = task.await.expect("task");
                match n % 4 {
                    0 => assert_eq!(answer, Ok(u8::try_from(n).expect("small"))),
                    1 => assert_eq!(answer, Err(Mine::No)),
                    2 => assert_eq!(answer, Err(Mine::Store(StoreError::Unique { what: "person.id".into() }))),
                    _ => assert!(matches!(&answer, Err(Mine::Store(StoreError::Bug(w))) if w.contains("member"))),
                }
            }
            let stands: Vec<String> = (0..120).step_by(4).map(|n| format!("n{n:03}")).collect();
            assert_eq!(names(&store).await, stands);
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn a_swallowed_failure_is_not_committed() {
    each_store(
        |store| async move {
            let answer = store.write(|db| {
                add(db, 1, "aki")?;
                let _ = add(db, 1, "again");
                let _ = add(db, 2, "beni");
                Ok::<_, StoreError>(())
            });
            assert_eq!(answer.await, Err(StoreError::Unique { what: "person.id".into() }));
            assert!(names(&store).await.is_empty());
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn a_reader_sees_one_state() {
    each_store(
        |store| async move {
            store.write(|db| add(db, 1, "aki")).await.expect("write");
            let (inside, entered) = std::sync::mpsc::channel();
            let (go, wait) = std::sync::mpsc::channel();
            let reading = tokio::spawn(store.read(move |db| {
                let first = db.query("SELECT id FROM person", &[])?.len();
                inside.send(()).expect("test waits");
                wait.recv().expect("test sends");
                Ok::<_, StoreError>((first, db.query("SELECT id FROM person", &[])?.len()))
            }));
            tokio::task::spawn_blocking(move || entered.recv()).await.expect("thread").expect("reader is inside");
            store.write(|db| add(db, 2, "beni")).await.expect("writers go on");
            go.send(()).expect("reader waits");
            assert_eq!(reading.await.expect("task").expect("read"), (1, 1));
            assert_eq!(names(&store).await.len(), 2);
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn notices_come_after_the_commit_and_before_the_answer() {
    each_store(
        |store| async move {
            let mut notices = store.subscribe();
            let heard = Arc::new(AtomicUsize::new(0));
            let counter = heard.clone();
            store.on_notice(move |notice| {
                assert!(notice.own);
                counter.fetch_add(1, Ordering::SeqCst);
            });
            let failed = store.write(|db| {
                db.notify("policy", "lost")?;
                Err::<(), _>(Mine::No)
            });
            assert_eq!(failed.await, Err(Mine::No));
            store.write(|db| db.notify("policy", "42")).await.expect("write");
            assert_eq!(heard.load(Ordering::SeqCst), 1);
            let notice = notices.recv().await.expect("notice");
            assert_eq!((&*notice.topic, &*notice.payload, notice.own), ("policy", "42", true));
            let long = store.write(|db| db.notify("policy", &"x".repeat(NOTICE_LIMIT))).await;
            assert!(matches!(long, Err(StoreError::Bug(_))));
            assert!(store.write(|db| db.try_lock("sweeper")).await.expect("lock"));
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn a_hook_that_panics_harms_nobody_else() {
    each_store(
        |store| async move {
            store.on_notice(|_| panic!("hook"));
            let mut notices = store.subscribe();
            for n in 1..3 {
                store
                    .write(move |db| db.notify("n", "").and_then(|()| add(db, n, &n.to_string())))
                    .await
                    .expect("write");
                notices.recv().await.expect("notice");
            }
            assert_eq!(names(&store).await, ["1", "2"]);
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn the_blocking_calls_work_from_a_plain_thread() {
    each_store(
        |store| async move {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    store.write_blocking(|db| add(db, 1, "aki")).expect("write");
                    let rows = store.read_blocking(|db| db.query("SELECT id FROM person", &[])).expect("read");
                    assert_eq!(rows.len(), 1);
                });
            });
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn a_closed_store_says_so() {
    each_store(
        |store| async move {
            let last = store.clone();
            let waiting = tokio::spawn(async move { last.write(|db| add(db, 1, "aki")).await });
            waiting.await.expect("task").expect("served before the end");
            store.close();
            assert_eq!(store.write(|db| add(db, 2, "beni")).await, Err(StoreError::Closed));
            let read = store.read(|db| db.query("SELECT 1", &[])).await;
            assert_eq!(read, Err(StoreError::Closed));
        },
        &[PEOPLE],
    )
    .await;
}
