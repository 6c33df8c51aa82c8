//! Stores for tests.

use std::future::Future;

use sekisho_store::{Faults, Kind, Migration, Store, StoreConfig};
use tempfile::TempDir;

/// A store of one test's own, and the means to trouble it.
pub struct TestStore {
    /// The store. Its database is removed when this value goes.
    pub store: Store,
    /// What befalls its commits.
    pub faults: Faults,
    /// How to open the same database again (another node, a restart).
    pub config: StoreConfig,
    dir: Option<TempDir>,
}

impl TestStore {
    /// The data directory, for a look at raw bytes; `None` on PostgreSQL.
    pub fn dir(&self) -> Option<&std::path::Path> {
        self.dir.as_ref().map(TempDir::path)
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
    TestStore { store, faults, config, dir: Some(dir) }
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
}
