use sekisho_kernel::{DataClass, RecordDef, TakenOut};
use sekisho_store::REHEARSAL;
use sekisho_vault::{JOB_MATRIX, Vault, catalogue, job_matrix};

use crate::house::{House, NOTE, PERSON, TABLES, code, each, each_without, keys, migrations, parts};

/// Compares with a golden file; `GOLDEN=write` writes it anew.
fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|v| v == "write") {
        std::fs::write(&path, text).expect("written");
    }
    let wanted = std::fs::read_to_string(&path).expect("a golden file");
    assert!(
        wanted == text,
        "{name} has changed; if that is meant, run with GOLDEN=write and review the difference:\n{text}"
    );
}

#[test]
fn what_lies_in_the_clear_is_reviewed() {
    golden("clear_columns.txt", &catalogue::clear_columns(&catalogue::own()));
}

#[test]
fn what_is_written_without_an_entry_is_reviewed() {
    golden("bookkeeping.txt", &catalogue::bookkeeping(&[]));
}

#[test]
fn what_jobs_may_do_is_reviewed() {
    golden("job_matrix.txt", &job_matrix());
    assert_eq!(JOB_MATRIX.len(), sekisho_kernel::Job::ALL.len());
}

#[test]
fn no_record_type_carries_user_traffic_and_each_table_is_declared_once() {
    let all = catalogue::own();
    assert!(all.iter().all(|d| d.class != DataClass::UserTraffic));
    let mut names: Vec<&str> = all.iter().map(|d| d.table).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
}

async fn open(house: &House, records: &[&'static RecordDef]) -> Result<Vault, sekisho_kernel::Problem> {
    let keys = keys(house.store(), &house.dir, &house.clock, None).await;
    let parts = sekisho_vault::Parts::new(
        house.store().clone(),
        keys,
        crate::house::gates(),
        std::sync::Arc::new(house.clock.clone()),
        std::sync::Arc::new(sekisho_kernel::SystemRng),
        "test.example",
    );
    Vault::rehearse(parts.records(records), None).await
}

#[tokio::test]
async fn a_table_or_column_that_nobody_declared_stops_the_start() {
    each(|house| async move {
        open(&house, &[&NOTE, &PERSON]).await.expect("as declared");
        let undeclared = open(&house, &[&PERSON]).await.err().expect("refused");
        assert_eq!((undeclared.kind.code, undeclared.place.as_deref()), ("SK-3001", Some("note")));
        let twice = open(&house, &[&NOTE, &PERSON, &PERSON]).await.err().expect("refused");
        assert_eq!(twice.place.as_deref(), Some("person"));
        house.raw().run("ALTER TABLE note ADD COLUMN shoe_size BIGINT").expect("altered");
        let column = open(&house, &[&NOTE, &PERSON]).await.err().expect("refused");
        assert_eq!((column.kind.code, column.place.as_deref()), ("SK-3001", Some("note.shoe_size")));
        house.raw().run("ALTER TABLE note DROP COLUMN shoe_size").expect("altered");
        house.raw().run("ALTER TABLE note DROP COLUMN due").expect("altered");
        let missing = open(&house, &[&NOTE, &PERSON]).await.err().expect("refused");
        assert_eq!(missing.place.as_deref(), Some("note.due"));
    })
    .await;
}

#[tokio::test]
async fn with_the_catalogue_taken_out_an_undeclared_table_has_rows() {
    each_without(Some(TakenOut::DataCatalogue), |house| async move {
        assert_eq!(house.count("SELECT COUNT(*) FROM scratch_note").await, 3);
        assert!(open(&house, &[&NOTE, &PERSON]).await.is_err(), "the guard itself would have found it");
    })
    .await;
}

#[tokio::test]
async fn rehearsals_and_serving_instances_do_not_open_each_others_stores() {
    let mut all = sekisho_vault::migrations();
    all.push(TABLES);
    sekisho_testkit::each_test_store(
        |test| async move {
            let dir = tempfile::tempdir().expect("a directory");
            let root = dir.path().join("root.key");
            sekisho_keys::RootFile::create(&root, &sekisho_kernel::SystemRng).expect("a root key");
            let clock = sekisho_kernel::rehearsal::MovableClock::new(sekisho_kernel::Time::from_secs(1_800_000_000));
            let keys = keys(&test.store, &dir, &clock, None).await;
            let parts = || parts(&test.store, &keys, &clock);
            Vault::open(parts()).await.expect("a serving instance's");
            assert_eq!(code(Vault::rehearse(parts(), None).await.map(drop)), "SK-3003");
            test.store.set_mark(REHEARSAL, "1").await.expect("marked");
            assert_eq!(code(Vault::open(parts()).await.map(drop)), "SK-3002");
            Vault::rehearse(parts(), None).await.expect("a rehearsal's");
        },
        &all,
    )
    .await;
    assert_eq!(all.len() + 1, migrations(Some(TakenOut::DataCatalogue)).len());
}
