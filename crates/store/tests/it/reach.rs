//! What PostgreSQL itself lets a transaction reach: the rows of the tenant it was begun for, and no others.

use sekisho_kernel::{Secret, id::TenantId};
use sekisho_store::{Migration, Reach, Store, StoreConfig, StoreError, Within, params, postgres_script};
use sekisho_testkit::{TestStore, each_test_store, postgres};

const NOTES: Migration = Migration {
    number: 100,
    name: "notes",
    sql: "CREATE TABLE note (tenant BLOB NOT NULL, id BIGINT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (tenant, id));
          CREATE TABLE tenant (id BLOB PRIMARY KEY);
          CREATE TABLE ledger_line (log BLOB NOT NULL, line BIGINT NOT NULL, PRIMARY KEY (log, line));
          CREATE TABLE common (id BIGINT PRIMARY KEY);",
    postgres: "",
    sqlite: "",
};

const A: TenantId = TenantId::from_bytes([0xa; 16]);
const B: TenantId = TenantId::from_bytes([0xb; 16]);

async fn write(store: &Within, of: TenantId, id: i64) -> Result<u64, StoreError> {
    let row = "INSERT INTO note (tenant, id, text) VALUES ($1, $2, 'text')";
    store.write(move |db| db.exec(row, &params![&of.bytes(), id])).await
}

async fn seen(store: &Within, sql: &'static str) -> usize {
    store.read(move |db| db.query(sql, &[])).await.expect("read").len()
}

async fn filled() -> Option<TestStore> {
    let test = postgres(&[NOTES])?;
    for (tenant, id) in [(A, 1), (A, 2), (B, 3)] {
        write(&test.store.within(Reach::Tenant(tenant)), tenant, id).await.expect("its own row");
    }
    Some(test)
}

#[tokio::test]
async fn a_transaction_sees_the_rows_of_its_own_tenant_alone() {
    let Some(test) = filled().await else { return };
    let notes = "SELECT id FROM note";
    for (reach, rows) in [
        (Reach::Nobody, 0),
        (Reach::Lookup, 0),
        (Reach::Append, 0),
        (Reach::Tenant(TenantId::NIL), 0),
        (Reach::Tenant(A), 2),
        (Reach::Tenant(B), 1),
        (Reach::Platform, 3),
        // The connections are used again: what one transaction reached is over with it.
        (Reach::Nobody, 0),
    ] {
        for _ in 0..3 {
            assert_eq!(seen(&test.store.within(reach), notes).await, rows, "{reach:?}");
        }
        let written = test.store.within(reach).write(move |db| db.query(notes, &[])).await;
        assert_eq!(written.expect("read").len(), rows, "{reach:?}, writing");
    }
    assert_eq!(test.store.read(move |db| db.query(notes, &[])).await.expect("read").len(), 0, "nothing was named");
}

#[tokio::test]
async fn a_transaction_changes_the_rows_of_its_own_tenant_alone() {
    let Some(test) = filled().await else { return };
    let own = test.store.within(Reach::Tenant(A));
    for (sql, changed) in [
        ("UPDATE note SET text = 'changed'", 2),
        ("UPDATE note SET text = 'changed' WHERE tenant = $1", 0),
        ("DELETE FROM note WHERE tenant = $1", 0),
    ] {
        let done = own.write(move |db| {
            let theirs = B.bytes();
            let given = if sql.contains("$1") { params![&theirs].to_vec() } else { Vec::new() };
            db.exec(sql, &given)
        });
        let done = done.await;
        assert_eq!(done, Ok(changed), "{sql}");
    }
    for sql in
        ["INSERT INTO note (tenant, id, text) VALUES ($1, 9, 'theirs')", "UPDATE note SET tenant = $1 WHERE id = 1"]
    {
        let refused = own.write(move |db| db.exec(sql, &params![&B.bytes()])).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{sql}: {refused:?}");
    }
    assert!(matches!(write(&test.store.within(Reach::Nobody), A, 9).await, Err(StoreError::Refused(_))));
    let theirs = test.store.within(Reach::Tenant(B));
    assert_eq!(seen(&theirs, "SELECT id FROM note WHERE text = 'text'").await, 1);
}

#[tokio::test]
async fn one_act_may_reach_elsewhere_and_back() {
    each_test_store(
        |test| async move {
            let count = test.store.within(Reach::Tenant(A)).write(|db| {
                let row = "INSERT INTO note (tenant, id, text) VALUES ($1, 1, 'text')";
                db.exec(row, &params![&A.bytes()])?;
                db.reach(Reach::Tenant(B))?;
                db.exec(row, &params![&B.bytes()])?;
                let there = db.query("SELECT id FROM note WHERE tenant = $1", &params![&B.bytes()])?.len();
                db.reach(Reach::Tenant(A))?;
                Ok::<_, StoreError>(
                    there + db.query("SELECT id FROM note WHERE tenant = $1", &params![&A.bytes()])?.len(),
                )
            });
            assert_eq!(count.await, Ok(2));
        },
        &[NOTES],
    )
    .await;
}

#[tokio::test]
async fn what_is_taken_is_named_on_both_though_rows_are_hidden() {
    each_test_store(
        |test| async move {
            let own = test.store.within(Reach::Tenant(A));
            write(&own, A, 1).await.expect("its own row");
            let taken = write(&own, A, 1).await.expect_err("taken");
            assert!(taken.is_unique("note.tenant") && taken.is_unique("note.id"), "{taken:?}");
            let many = own.write(|db| {
                let tenant = A.bytes();
                let rows: Vec<_> = [7, 7].iter().map(|id| params![&tenant, *id, "text"].to_vec()).collect();
                db.exec_many("INSERT INTO note (tenant, id, text) VALUES ($1, $2, $3)", &rows)
            });
            assert!(many.await.expect_err("taken").is_unique("note.id"));
        },
        &[NOTES],
    )
    .await;
}

#[tokio::test]
async fn concurrent_tenants_do_not_meet() {
    let Some(test) = filled().await else { return };
    let asked = (0..64u8).map(|n| {
        let store = test.store.within(Reach::Tenant(if n % 2 == 0 { A } else { B }));
        tokio::spawn(async move {
            let sql = "SELECT DISTINCT tenant FROM note";
            let rows = if n % 4 < 2 {
                store.read(move |db| db.query(sql, &[])).await
            } else {
                store.write(move |db| db.query(sql, &[])).await
            };
            let rows = rows.expect("read");
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].blob(0).expect("a tenant"), if n % 2 == 0 { A.bytes() } else { B.bytes() });
        })
    });
    for task in asked.collect::<Vec<_>>() {
        task.await.expect("its own rows");
    }
}

#[tokio::test]
async fn every_table_with_a_tenant_column_is_kept_and_stays_so() {
    let Some(test) = filled().await else { return };
    let database = test.database().expect("PostgreSQL");
    let kept = "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
        WHERE c.relrowsecurity AND c.relforcerowsecurity ORDER BY 1";
    let names = |store: Store| async move {
        let rows = store.read(move |db| db.query(kept, &[])).await.expect("read");
        rows.iter().map(|r| r.text(0).expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(test.store.clone()).await, ["ledger_line", "note", "tenant"]);
    // The owner of the tables is held as well.
    let owner = "DO $$ BEGIN IF EXISTS (SELECT FROM note) THEN RAISE EXCEPTION 'seen'; END IF; END $$";
    postgres_script(&database.owner(), owner).expect("the owner sees nothing either");
    test.store.close();
    let off = "ALTER TABLE note NO FORCE ROW LEVEL SECURITY; ALTER TABLE tenant DISABLE ROW LEVEL SECURITY;
        DROP POLICY own_tenant ON ledger_line";
    postgres_script(&database.owner(), off).expect("switched off");
    let later = Migration { number: 101, name: "later", sql: "CREATE TABLE late (tenant BLOB PRIMARY KEY);", ..NOTES };
    let store = Store::open(test.config.clone(), &[NOTES, later]).expect("open");
    assert_eq!(names(store.clone()).await, ["late", "ledger_line", "note", "tenant"]);
    store.close();
}

#[tokio::test]
async fn a_role_that_row_security_does_not_hold_does_not_serve() {
    let Some(test) = filled().await else { return };
    let database = test.database().expect("PostgreSQL");
    let config = StoreConfig::postgres(Secret::new(database.address()), Some(Secret::new(database.owner())));
    let refused = Store::open(config, &[NOTES]).err();
    assert!(matches!(&refused, Some(StoreError::Config(why)) if why.contains("superuser")), "{refused:?}");
}
