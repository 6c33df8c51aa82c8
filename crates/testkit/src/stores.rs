//! Stores for tests.

use std::future::Future;

use sekisho_kernel::Secret;
use sekisho_store::{Faults, Kind, Migration, Store, StoreConfig};
use tempfile::TempDir;

use crate::cluster::{Database, pg};

/// A store of one test's own, and the means to trouble it.
pub struct TestStore {
    /// The store. Its database is removed when this value goes.
    pub store: Store,
    /// What befalls its commits.
    pub faults: Faults,
    /// How to open the same database again (another node, a restart).
    pub config: StoreConfig,
    dir: Option<TempDir>,
    database: Option<Database>,
}

impl TestStore {
    /// The data directory, for a look at raw bytes; `None` on PostgreSQL.
    pub fn dir(&self) -> Option<&std::path::Path> {
        self.dir.as_ref().map(TempDir::path)
    }
    /// The PostgreSQL database, to cut it off; `None` on SQLite.
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }
    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.store.kind()
    }
}

impl Drop for TestStore {
    /// Closes the store before its directory goes. That this type has a `Drop` also keeps `async move` blocks from
    /// taking `store` and leaving the directory behind to be removed at once.
    fn drop(&mut self) {
        self.store.close();
    }
}

/// A fresh SQLite store in a directory of its own.
pub fn sqlite(migrations: &[Migration]) -> TestStore {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let config = StoreConfig::sqlite(dir.path()).readers(2).with_faults(faults.clone());
    let store = Store::open(config.clone(), migrations).unwrap();
    TestStore { store, faults, config, dir: Some(dir), database: None }
}

/// A fresh PostgreSQL store in a database of its own, served and owned by two roles; `None` where PostgreSQL is not
/// installed.
pub fn postgres(migrations: &[Migration]) -> Option<TestStore> {
    let config = |database: &Database| {
        StoreConfig::postgres(Secret::new(database.service()), Some(Secret::new(database.owner())))
            .readers(2)
            .writers(4)
    };
    let database =
        pg()?.database(migrations, |template| Store::open(config(template), migrations).map(|s| s.close()).unwrap());
    let faults = Faults::new();
    let config = config(&database).with_faults(faults.clone());
    let store = Store::open(config.clone(), migrations).unwrap();
    Some(TestStore { store, faults, config, dir: None, database: Some(database) })
}

/// Runs `body` on a fresh store of each database, one after the other. A panic's message is led by a line naming
/// the database.
pub async fn each_store<F, Fut>(body: F, migrations: &[Migration])
where
    F: Fn(Store) -> Fut,
    Fut: Future<Output = ()>,
{
    let body = &body;
    each_test_store(
        |test| async move {
            let test = test;
            body(test.store.clone()).await;
        },
        migrations,
    )
    .await;
}

/// [`each_store`] for tests that trouble or reopen the store.
pub async fn each_test_store<F, Fut>(body: F, migrations: &[Migration])
where
    F: Fn(TestStore) -> Fut,
    Fut: Future<Output = ()>,
{
    eprintln!("on SQLite");
    body(sqlite(migrations)).await;
    if let Some(test) = postgres(migrations) {
        eprintln!("on PostgreSQL");
        body(test).await;
    }
}
