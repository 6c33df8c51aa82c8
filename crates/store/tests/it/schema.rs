use sekisho_store::{ColumnType, Migration, Store, StoreError};
use sekisho_testkit::{each_store, each_test_store};

use crate::PEOPLE;

const SECOND: Migration = Migration {
    number: 101,
    name: "second",
    sql: "ALTER TABLE person ADD COLUMN town TEXT;",
    postgres: "",
    sqlite: "",
};

#[tokio::test]
async fn the_live_schema_reads_the_same_on_both() {
    each_store(
        |store| async move {
            let tables = store.schema().await.expect("schema");
            let names: Vec<&str> = tables.iter().map(|t| &*t.name).collect();
            assert_eq!(names, ["diary", "meta", "person", "pet", "store_migration"]);
            let person = &tables[2];
            let columns: Vec<_> =
                person.columns.iter().map(|c| (&*c.name, c.kind.clone(), c.not_null, c.primary_key)).collect();
            assert_eq!(
                columns,
                [
                    ("id", ColumnType::Blob, true, Some(1)),
                    ("name", ColumnType::Text, true, None),
                    ("age", ColumnType::Int, false, None),
                    ("photo", ColumnType::Blob, false, None),
                    ("house", ColumnType::Int, true, None),
                ]
            );
            let indexes: Vec<_> = person.indexes.iter().map(|i| (i.columns.join(" "), i.unique)).collect();
            assert_eq!(indexes, [("house name".to_owned(), true)]);
            let indexes: Vec<_> = tables[3].indexes.iter().map(|i| (i.columns.join(" "), i.unique)).collect();
            assert_eq!(indexes, [("owner id".to_owned(), false)]);
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn migrations_go_forward_once_and_a_newer_schema_is_refused() {
    each_test_store(
        |test| async move {
            test.store.close();
            let again = Store::open(test.config.clone(), &[SECOND, PEOPLE]).expect("forward");
            let tables = again.schema().await.expect("schema");
            assert!(tables[2].columns.iter().any(|c| c.name == "town"));
            again.close();
            Store::open(test.config.clone(), &[SECOND, PEOPLE]).expect("nothing to do").close();
            let older = Store::open(test.config.clone(), &[PEOPLE]).err();
            assert_eq!(older, Some(StoreError::Newer(101)));
            let other = Migration { sql: "ALTER TABLE person ADD COLUMN city TEXT;", ..SECOND };
            let differs = Store::open(test.config.clone(), &[PEOPLE, other]).err();
            assert_eq!(differs, Some(StoreError::Differs { number: 101, name: "second".into() }));
            let twice = Store::open(test.config.clone(), &[PEOPLE, PEOPLE]).err();
            assert!(matches!(twice, Some(StoreError::Bug(_))));
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    each_test_store(
        |test| async move {
            test.store.close();
            let bad = Migration { sql: "CREATE TABLE half (a BIGINT); CREATE TABLE half (a BIGINT);", ..SECOND };
            let failed = Store::open(test.config.clone(), &[PEOPLE, bad]).err();
            assert!(matches!(&failed, Some(StoreError::Bug(why)) if why.contains("101")), "{failed:?}");
            let store = Store::open(test.config.clone(), &[PEOPLE]).expect("as before");
            let tables = store.schema().await.expect("schema");
            assert!(tables.iter().all(|t| t.name != "half"));
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn statements_are_checked_without_being_run() {
    each_store(
        |store| async move {
            store.prepare(&["DELETE FROM person", "SELECT name FROM person WHERE id = $1"]).await.expect("understood");
            for wrong in
                ["SELECT nothing FROM person", "SELECT \"text\" FROM person", "INSERT INTO person VALUES ($1", ""]
            {
                let refused = store.prepare(&["SELECT 1", wrong]).await;
                assert!(matches!(refused, Err(StoreError::Bug(_))), "{wrong}: {refused:?}");
            }
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn marks_stay() {
    each_test_store(
        |test| async move {
            assert_eq!(test.store.mark("rehearsal").await.expect("mark"), None);
            test.store.set_mark("rehearsal", "yes").await.expect("mark");
            test.store.set_mark("rehearsal", "again").await.expect("mark");
            test.store.close();
            let store = Store::open(test.config.clone(), &[PEOPLE]).expect("open");
            assert_eq!(store.mark("rehearsal").await.expect("mark").as_deref(), Some("again"));
            assert!(store.size().await.expect("size") > 0);
            store.checkpoint_wal().await.expect("checkpoint");
        },
        &[PEOPLE],
    )
    .await;
}

#[tokio::test]
async fn an_inspector_reads_beside_the_server_and_writes_nothing() {
    each_test_store(
        |test| async move {
            test.store.set_mark("a", "b").await.expect("mark");
            let inspector = Store::inspect(test.config.clone(), &[PEOPLE]).expect("inspect");
            assert_eq!(inspector.mark("a").await.expect("mark").as_deref(), Some("b"));
            assert!(matches!(inspector.set_mark("a", "c").await, Err(StoreError::Refused(_))));
            let behind = Store::inspect(test.config.clone(), &[PEOPLE, SECOND]).err();
            assert!(matches!(behind, Some(StoreError::Config(_))), "{behind:?}");
        },
        &[PEOPLE],
    )
    .await;
}
