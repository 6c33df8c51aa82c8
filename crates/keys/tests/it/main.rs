//! The keys on a real store.

mod roots;
mod seals;
mod tenants;

use std::{path::Path, sync::Arc};

use sekisho_kernel::{Clock, Problem, Secret, SystemRng, TakenOut, Time, id::TenantId, rehearsal::MovableClock};
use sekisho_keys::{Keys, MIGRATION, Place, RootFile, RootSource};
use sekisho_store::{Reach, Store};
use sekisho_testkit::TestStore;

pub(crate) struct House {
    pub dir: tempfile::TempDir,
    pub store: Store,
    pub test: TestStore,
}

/// Runs a test on each database.
pub(crate) async fn each<F, Fut>(body: F)
where
    F: Fn(House) -> Fut,
    Fut: Future<Output = ()>,
{
    let body = &body;
    sekisho_testkit::each_test_store(
        |test| async move {
            let test = test;
            body(House::new(test)).await;
        },
        &[MIGRATION],
    )
    .await;
}

impl House {
    fn new(test: TestStore) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        RootFile::create(&dir.path().join("root.key"), &SystemRng).expect("a root key");
        Self { dir, store: test.store.clone(), test }
    }
    pub fn root(&self) -> RootSource {
        RootSource::File(self.dir.path().join("root.key"))
    }
    pub async fn open(&self, root: RootSource) -> Result<Keys, Problem> {
        Keys::open(self.store.clone(), root, clock(), Arc::new(SystemRng)).await
    }
    pub async fn keys(&self) -> Keys {
        self.open(self.root()).await.expect("keys")
    }
    pub async fn rehearse(&self, out: TakenOut) -> Keys {
        Keys::rehearse(self.store.clone(), self.root(), clock(), Arc::new(SystemRng), Some(out)).await.expect("keys")
    }
    pub async fn tenant(&self, keys: &Keys) -> TenantId {
        let id = TenantId::new(clock().now(), &SystemRng);
        let keys = keys.clone();
        let own = self.store.within(Reach::Tenant(id));
        let made: Result<(), Problem> = own.write(move |db| keys.create_tenant(db, id).map(drop)).await;
        made.expect("a tenant's keys");
        id
    }
}

pub(crate) fn clock() -> Arc<MovableClock> {
    Arc::new(MovableClock::new(Time::from_secs(1_800_000_000)))
}

pub(crate) fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub(crate) const PLACE: Place<'static> = Place { table: "note", id: [7; 16], version: 3 };

pub(crate) fn files(dir: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        out.extend(if path.is_dir() { files(&path) } else { std::fs::read(path).expect("a file") });
    }
    out
}
