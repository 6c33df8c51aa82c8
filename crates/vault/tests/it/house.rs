//! What the tests share: a house with two tenants in it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use sekisho_kernel::{
    Actor, Cx, Effective, Grant, Id, Job, Lang, Policy, Problem, Right, RightSet, RightsView, Schema, SystemRng,
    TakenOut, Target, Text, Time, TraceId, Zone,
    access::AccessQuestion,
    actor::Via,
    catalogue::{Clear, DataClass, IndexedField, Protection, RecordDef, Retention},
    event,
    gate::{AddressLists, AuditRule, Decision, FactorRule, Gates, LockoutRule, PasswordRule, SessionRule, TlsRule},
    id::{RecordId, SessionId, TenantId, UserId},
    problem::FORBIDDEN,
    rehearsal::MovableClock,
};
use sekisho_keys::{Keys, RootFile, RootSource};
use sekisho_store::{Migration, REHEARSAL, Raw, Reach, Store};
use sekisho_testkit::TestStore;
use sekisho_vault::{Act, Bookkeeping, ClearValue, Entry, Need, Parts, Record, Vault};
use serde::{Deserialize, Serialize};

/// A record type of the tests' own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub title: String,
    pub text: String,
    pub state: String,
    pub due: Option<i64>,
}

pub static NOTE: RecordDef = RecordDef {
    table: "note",
    text: Text::new("メモ", "Notes"),
    class: DataClass::Personal,
    protection: Protection::Sealed,
    retention: Retention::UntilDeleted,
    indexed: &[IndexedField { name: "title", unique: true }],
    clear: &[("state", Clear::Code), ("due", Clear::Int), ("seen", Clear::Int)],
};

impl Record for Note {
    const DEF: &'static RecordDef = &NOTE;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("title", self.title.clone())]
    }
    fn clear(&self) -> Vec<(&'static str, ClearValue)> {
        let state = if self.state == "open" { "open" } else { "closed" };
        vec![("state", state.into()), ("due", self.due.into())]
    }
}

pub fn note(title: &str) -> Note {
    Note { title: title.to_owned(), text: format!("the text of {title}"), state: "open".into(), due: None }
}

/// Where the tests' persons keep their rights version.
pub static PERSON: RecordDef = RecordDef {
    table: "person",
    text: Text::new("利用者", "People"),
    class: DataClass::Metadata,
    protection: Protection::ClearByGoldenFile,
    retention: Retention::UntilDeleted,
    indexed: &[],
    clear: &[("rights_version", Clear::Int)],
};

pub static RIGHTS: Bookkeeping =
    Bookkeeping { name: "rights.version", sql: "SELECT rights_version FROM person WHERE tenant = $1 AND id = $2" };
pub static BUMP: Bookkeeping = Bookkeeping {
    name: "rights.bump",
    sql: "INSERT INTO person (tenant, id, rights_version) VALUES ($1, $2, 1)
          ON CONFLICT (tenant, id) DO UPDATE SET rights_version = person.rights_version + 1",
};
pub static SEEN: Bookkeeping = Bookkeeping {
    name: "note.seen",
    sql: "UPDATE note SET seen = COALESCE(seen, 0) + 1 WHERE tenant = $1 AND id = $2 RETURNING seen",
};
pub static NOBODYS: Bookkeeping = Bookkeeping { name: "nobody", sql: "UPDATE note SET seen = 9 WHERE tenant = $1" };

pub const TABLES: Migration = Migration {
    number: 100,
    name: "notes",
    sql: "CREATE TABLE note (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
            updated BIGINT NOT NULL, x_title BLOB, state TEXT, due BIGINT, seen BIGINT, sealed BLOB NOT NULL,
            PRIMARY KEY (tenant, id), UNIQUE (tenant, x_title));
          CREATE TABLE person (tenant BLOB NOT NULL, id BLOB NOT NULL, rights_version BIGINT NOT NULL,
            PRIMARY KEY (tenant, id));",
    postgres: "",
    sqlite: "",
};

/// Grants whatever the view holds; keeps entries for 30 days.
struct TestGates;

impl Gates for TestGates {
    fn tls(&self, _: &Effective) -> TlsRule {
        TlsRule { tls12: true, aes_bits: 256, aes_only: true }
    }
    fn refuse_plain_http(&self, _: &Effective) -> bool {
        true
    }
    fn address(&self, _: &AddressLists, _: IpAddr) -> Decision {
        Decision::Allow
    }
    fn lockout(&self, _: &Effective) -> LockoutRule {
        LockoutRule { tries: Some(3), period: Duration::from_secs(60), known_device: false }
    }
    fn session(&self, _: &Effective) -> SessionRule {
        SessionRule { idle: None, absolute: Duration::from_secs(3_600), recheck: true }
    }
    fn factor(&self, _: &Effective) -> FactorRule {
        FactorRule { ask: false, required: false, allowed: false, refuse_replay: true, recovery_codes: 0 }
    }
    fn password(&self, _: &Effective) -> PasswordRule {
        PasswordRule {
            min_length: 8,
            classes: 1,
            history: 0,
            max_age: Duration::ZERO,
            breached_list: None,
            memory_kib: 8,
            passes: 1,
        }
    }
    fn access(&self, question: &AccessQuestion) -> Decision {
        let granted = question.view.grants.iter().any(|g| g.rights.has(question.right));
        if granted { Decision::Allow } else { Decision::Refuse(&FORBIDDEN) }
    }
    fn audit(&self, _: &Effective) -> AuditRule {
        AuditRule { retention: Some(RETENTION), zone: Zone::parse("JST"), each_read: false }
    }
    fn sections(&self) -> Vec<(&'static str, Text)> {
        Vec::new()
    }
}

pub const RETENTION: Duration = Duration::from_secs(30 * 86_400);

pub struct House {
    pub test: TestStore,
    pub vault: Vault,
    pub clock: MovableClock,
    pub dir: tempfile::TempDir,
    pub a: TenantId,
    pub b: TenantId,
}

pub fn migrations(out: Option<TakenOut>) -> Vec<Migration> {
    let mut all = sekisho_vault::rehearsal_migrations(out);
    all.push(TABLES);
    all
}

pub fn policy() -> Effective {
    Effective::platform(Arc::new(Policy::defaults(&Schema::new([]))))
}

impl House {
    /// In a store marked as a rehearsal's, so that the tests may tamper with it.
    pub async fn new(test: TestStore, out: Option<TakenOut>) -> Self {
        test.store.set_mark(REHEARSAL, "1").await.expect("marked");
        let dir = tempfile::tempdir().expect("a directory");
        RootFile::create(&dir.path().join("root.key"), &SystemRng).expect("a root key");
        let clock = MovableClock::new(Time::from_secs(1_800_000_000));
        let keys = keys(&test.store, &dir, &clock, out).await;
        let parts = parts(&test.store, &keys, &clock).outside(dir.path().join("checkpoints.json"));
        let vault = Vault::rehearse(parts, out).await.expect("a vault");
        let mut house = Self { test, vault, clock, dir, a: Id::NIL, b: Id::NIL };
        house.a = house.tenant().await;
        house.b = house.tenant().await;
        house.clock.advance(Duration::from_millis(1));
        house
    }
    pub fn store(&self) -> &Store {
        &self.test.store
    }
    pub fn raw(&self) -> Raw {
        Raw::open(&self.test.config).expect("raw access")
    }
    pub async fn tenant(&self) -> TenantId {
        // Ids of one moment have no order.
        self.clock.advance(Duration::from_millis(1));
        let id = TenantId::new(self.vault.now(), &SystemRng);
        let cx = Cx::job(id, Job::Command, policy(), &SystemRng);
        self.vault.create_tenant(&cx).await.expect("a tenant");
        id
    }
    /// A person with `rights`, whose version is stored as 1.
    pub async fn person(&self, tenant: TenantId, rights: RightSet) -> Cx {
        let id = UserId::new(self.vault.now(), &SystemRng);
        let cx = person(tenant, id, rights, 1);
        self.bump(&cx).await;
        cx
    }
    pub async fn bump(&self, cx: &Cx) {
        let user = cx.actor.user().expect("a person");
        let scope = sekisho_vault::Scope::of(cx);
        self.vault.keep(&scope, move |k| k.run(&BUMP, &[user.into()])).await.expect("bumped");
    }
    pub async fn write(&self, cx: &Cx, title: &str) -> RecordId {
        let (id, body) = (RecordId::new(self.vault.now(), &SystemRng), note(title));
        self.vault
            .act(cx, act(cx, Right::SITES_WRITE), move |tx, permit| {
                tx.insert(id, &body)?;
                tx.commit(permit, Entry::of(id).with("title", "changed"), id)
            })
            .await
            .expect("written")
    }
    /// Sequences and signs.
    pub async fn seal(&self) {
        self.vault.sequence(&policy()).await.expect("sequenced");
        self.vault.checkpoint().await.expect("signed");
    }
    /// Rows of one number.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let row = self.store().within(Reach::Platform).read(move |db| db.query_opt(sql, &[])).await.expect("counted");
        row.expect("a row").int(0).expect("a number")
    }
}

pub async fn keys(store: &Store, dir: &tempfile::TempDir, clock: &MovableClock, out: Option<TakenOut>) -> Keys {
    let root = RootSource::File(dir.path().join("root.key"));
    let (clock, rng) = (Arc::new(clock.clone()), Arc::new(SystemRng));
    Keys::rehearse(store.clone(), root, clock, rng, out).await.expect("keys")
}

pub fn parts(store: &Store, keys: &Keys, clock: &MovableClock) -> Parts {
    Parts::new(store.clone(), keys.clone(), gates(), Arc::new(clock.clone()), Arc::new(SystemRng), "test.example")
        .records(&[&NOTE, &PERSON])
        .bookkeeping(&[&BUMP, &SEEN])
        .rights_version(&RIGHTS)
}

pub fn person(tenant: TenantId, id: UserId, rights: RightSet, version: i64) -> Cx {
    let grants = vec![Grant { rights, site: None, role: "test".into() }];
    let view = Arc::new(RightsView { version, grants, tenant_off: 0, user_off: 0 });
    let session = SessionId::new(Time::from_secs(1_800_000_000), &SystemRng);
    Cx { actor: Actor::User { id, session, rights: view }, ..stranger(tenant, "192.0.2.7") }
}

pub fn stranger(tenant: TenantId, peer: &str) -> Cx {
    Cx {
        tenant,
        actor: Actor::Stranger,
        via: Via::Api,
        peer: peer.parse().ok(),
        trace: TraceId::new(&SystemRng),
        policy: policy(),
        lang: Lang::En,
        once: None,
    }
}

pub fn act(cx: &Cx, right: Right) -> Act {
    Act {
        event: &event::SITE_CREATE,
        need: Need::Right(right),
        target: Target::tenant(cx.tenant),
        object: "sit_test".into(),
    }
}

pub fn all() -> RightSet {
    RightSet::full()
}

pub fn gates() -> Arc<dyn Gates> {
    Arc::new(TestGates)
}

/// A problem's code.
pub fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
    result.expect_err("a problem").kind.code
}

/// Runs a test in a house on each database.
pub async fn each<F, Fut>(body: F)
where
    F: Fn(House) -> Fut,
    Fut: Future<Output = ()>,
{
    each_without(None, body).await;
}

/// Runs a test in a house that lacks something, on each database.
pub async fn each_without<F, Fut>(out: Option<TakenOut>, body: F)
where
    F: Fn(House) -> Fut,
    Fut: Future<Output = ()>,
{
    let body = &body;
    sekisho_testkit::each_test_store(
        |test| async move {
            let test = test;
            body(House::new(test, out).await).await;
        },
        &migrations(out),
    )
    .await;
}
