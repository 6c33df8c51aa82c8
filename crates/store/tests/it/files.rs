//! The embedded store's files.

use std::os::unix::fs::PermissionsExt;

use sekisho_store::{REHEARSAL, Raw, Store, StoreError, params};
use sekisho_testkit::{each_test_store, sqlite};

use crate::PEOPLE;

#[tokio::test]
async fn one_process_holds_the_directory() {
    let test = sqlite(&[PEOPLE]);
    let second = Store::open(test.config.clone(), &[PEOPLE]).err();
    assert_eq!(second, Some(StoreError::Locked(test.dir().expect("SQLite").to_owned())));
    test.store.close();
    Store::open(test.config.clone(), &[PEOPLE]).expect("let go");
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    let test = sqlite(&[PEOPLE]);
    test.store.set_mark("a", "b").await.expect("mark");
    let dir = test.dir().expect("SQLite");
    for name in ["sekisho.db", "sekisho.db-wal", "sekisho.db-shm", "sekisho.lock"] {
        let mode = std::fs::metadata(dir.join(name)).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let fresh = dir.join("made");
    Store::open(sekisho_store::StoreConfig::sqlite(&fresh), &[]).expect("open");
    assert_eq!(std::fs::metadata(&fresh).expect("made").permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn what_was_deleted_is_gone_from_the_disk() {
    const MARKER: &str = "a marker that stands nowhere else";
    let test = sqlite(&[PEOPLE]);
    let holds = || {
        let files = std::fs::read_dir(test.dir().expect("SQLite")).expect("directory").flatten();
        files.filter_map(|f| std::fs::read(f.path()).ok()).any(|b| b.windows(33).any(|w| w == MARKER.as_bytes()))
    };
    test.store
        .write(|db| db.exec("INSERT INTO person (id, name) VALUES ($1, $2)", &params![&[1u8], MARKER]))
        .await
        .expect("write");
    assert!(holds());
    test.store.write(|db| db.exec("DELETE FROM person", &[])).await.expect("delete");
    test.store.checkpoint_wal().await.expect("checkpoint");
    assert!(!holds());
}

#[tokio::test]
async fn the_log_goes_into_the_file_while_writing_goes_on() {
    let test = sqlite(&[PEOPLE]);
    let bytes = |name: &str| std::fs::metadata(test.dir().expect("SQLite").join(name)).expect("file").len();
    let photo = vec![7u8; 1 << 20];
    // However slow the disk, the writer itself copies what is left by the 160th megabyte.
    for id in 0..160u64 {
        let photo = photo.clone();
        let insert = "INSERT INTO person (id, name, photo) VALUES ($1, $2, $3)";
        let done = test.store.write(move |db| db.exec(insert, &params![&id.to_be_bytes(), &id.to_string(), &photo]));
        done.await.expect("write");
        if bytes("sekisho.db") > 4 << 20 {
            return;
        }
    }
    panic!("nothing was copied into the file; the log has {} bytes", bytes("sekisho.db-wal"));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let test = sqlite(&[]);
    test.store.close();
    std::fs::write(test.dir().expect("SQLite").join("sekisho.db"), vec![b'x'; 8_192]).expect("overwrite");
    assert!(matches!(Store::open(test.config.clone(), &[]).err(), Some(StoreError::Corrupt(_))));
    let read = Store::inspect(test.config.clone(), &[]).err();
    assert!(matches!(read, Some(StoreError::Corrupt(_))), "{read:?}");
}

#[tokio::test]
async fn the_back_door_opens_in_a_rehearsal_only() {
    each_test_store(
        |test| async move {
            test.store
                .write(|db| db.exec("INSERT INTO diary (line, text) VALUES (1, $1)", &params!["rain"]))
                .await
                .expect("append");
            let refused = Raw::open(&test.config).err();
            assert!(matches!(refused, Some(StoreError::Refused(_))), "{refused:?}");
            test.store.set_mark(REHEARSAL, "yes").await.expect("mark");
            let raw = Raw::open(&test.config).expect("a rehearsal's");
            if test.database().is_none() {
                raw.run("DROP TRIGGER diary_update").expect("drop");
            }
            raw.run("UPDATE diary SET text = 'sun'").expect("past every grant and trigger");
            assert_eq!(raw.query("SELECT text FROM diary").expect("query")[0].text(0).expect("text"), "sun");
        },
        &[PEOPLE],
    )
    .await;
}
