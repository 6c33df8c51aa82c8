//! What the tests share: an installation with one or two nodes, a movable clock, and people.

use std::{net::IpAddr, sync::Arc, time::Duration};

use sekisho_controls::Gates;
use sekisho_identity::{
    Identity, NewTenant, Parts,
    types::{Browser, NewUser, SignInStep, SignedIn, UserView},
};
use sekisho_kernel::{
    Clock, Cx, Job, Lang, Policy, Problem, Secret, Setting, SystemRng, TakenOut, Time, TraceId,
    access::UserType,
    actor::Via,
    hook::{Directory, HostEntry, Knock, Passage, Sessions},
    id::{RecordId, SiteId, TenantId, UserId},
    policy::Value,
    rehearsal::MovableClock,
};
use sekisho_keys::{Keys, RootFile, RootSource};
use sekisho_store::{Migration, REHEARSAL, Store};
use sekisho_testkit::TestStore;
use sekisho_vault::{Parts as VaultParts, Scope, Vault, history};

use crate::idp::Idp;

/// Long enough for every rule of the default policy.
pub const PASSWORD: &str = "correct horse battery";

pub struct House {
    pub test: TestStore,
    pub vault: Vault,
    pub node: Identity,
    pub clock: MovableClock,
    pub tenant: TenantId,
    pub admin: UserId,
    /// The identity provider on the other side of the way out.
    pub idp: Idp,
    taken: Option<TakenOut>,
    policy: Arc<Policy>,
    keys: Keys,
    _dir: tempfile::TempDir,
}

impl Drop for House {
    /// That there is a `Drop` keeps `async move` blocks from taking single fields along and leaving the store behind.
    fn drop(&mut self) {}
}

pub fn migrations() -> Vec<Migration> {
    let mut all = sekisho_vault::migrations();
    all.extend(sekisho_identity::MIGRATIONS.iter().map(|(number, name, sql)| Migration {
        number: *number,
        name,
        sql,
        postgres: "",
        sqlite: "",
    }));
    all
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub fn defaults() -> Policy {
    Policy::defaults(&sekisho_controls::schema())
}

/// The default policy with one value set.
pub fn with(setting: &'static Setting, value: Value) -> Policy {
    defaults().with(setting, value)
}

async fn open(
    store: &Store,
    keys: &Keys,
    clock: &MovableClock,
    policy: &Arc<Policy>,
    taken: Option<TakenOut>,
    idp: &Idp,
) -> (Vault, Identity) {
    let gates = Arc::new(Gates::rehearse(taken));
    let (time, rng) = (Arc::new(clock.clone()), Arc::new(SystemRng));
    let parts = VaultParts::new(store.clone(), keys.clone(), gates.clone(), time.clone(), rng.clone(), "test.example")
        .records(sekisho_identity::RECORDS)
        .bookkeeping(sekisho_identity::BOOKKEEPING)
        .rights_version(&sekisho_identity::sql::RIGHTS_VERSION);
    let vault = Vault::rehearse(parts, taken).await.expect("a vault");
    let outside = Arc::new(idp.clone());
    let parts = Parts { vault: vault.clone(), gates, policy: policy.clone(), clock: time, rng, outside, cores: 2 };
    (vault, Identity::rehearse(parts, taken))
}

impl House {
    pub async fn new(test: TestStore, policy: Policy, taken: Option<TakenOut>) -> Self {
        test.store.set_mark(REHEARSAL, "1").await.expect("marked");
        let dir = tempfile::tempdir().expect("a directory");
        RootFile::create(&dir.path().join("root.key"), &SystemRng).expect("a root key");
        let clock = MovableClock::new(Time::from_secs(1_800_000_000));
        let root = RootSource::File(dir.path().join("root.key"));
        let keys = Keys::rehearse(test.store.clone(), root, Arc::new(clock.clone()), Arc::new(SystemRng), taken).await;
        let (keys, policy) = (keys.expect("keys"), Arc::new(policy));
        let idp = Idp::default();
        let (vault, node) = open(&test.store, &keys, &clock, &policy, taken, &idp).await;
        let (tenant, admin) = (TenantId::NIL, UserId::NIL);
        let mut house = Self { test, vault, node, clock, tenant, admin, idp, taken, policy, keys, _dir: dir };
        (house.tenant, house.admin) = house.tenant("acme").await;
        house
    }

    /// Another node on the same store.
    pub async fn second(&self) -> Identity {
        open(&self.test.store, &self.keys, &self.clock, &self.policy, self.taken, &self.idp).await.1
    }

    /// A tenant whose administrator `admin` has set the usual password.
    pub async fn tenant(&self, word: &str) -> (TenantId, UserId) {
        self.tick();
        let new = NewTenant {
            name: format!("{word} K.K."),
            console_host: format!("{word}.console.localhost"),
            app_host: format!("{word}.app.localhost"),
            admin_name: "admin".into(),
        };
        let made = self.node.create_tenant(Job::FirstStart, new).await.expect("a tenant");
        let knock = self.knock_at(word).await;
        let used = self.node.use_link(&knock, &made.link, secret(PASSWORD)).await.expect("the link");
        assert_eq!((used.user, used.name.as_str()), (made.admin, "admin"));
        (made.tenant, made.admin)
    }

    pub async fn knock_at(&self, word: &str) -> Knock {
        self.knock(&format!("{word}.console.localhost")).await
    }

    pub async fn app_knock(&self) -> Knock {
        self.knock("acme.app.localhost").await
    }

    /// A request to a host, at node 0.
    pub async fn knock(&self, host: &str) -> Knock {
        knock(&self.node, host, "192.0.2.7").await
    }

    pub async fn here(&self) -> Knock {
        self.knock_at("acme").await
    }

    /// A sign-in, a millisecond after whatever was before, so that the history has an order.
    pub async fn sign_in_as(&self, name: &str, password: &str) -> Result<SignInStep, Problem> {
        self.tick();
        self.node.sign_in(&self.here().await, &browser(), name, secret(password)).await
    }

    pub async fn signed_in(&self, name: &str) -> SignedIn {
        done(self.sign_in_as(name, PASSWORD).await)
    }

    pub async fn passage(&self, token: &Secret<String>) -> Result<Arc<Passage>, Problem> {
        self.node.resolve(&self.here().await, token).await
    }

    /// The context of somebody signed in.
    pub async fn cx(&self, name: &str) -> Cx {
        let token = self.signed_in(name).await.token;
        self.passage(&token).await.expect("resolved").cx.clone()
    }

    pub async fn admin_cx(&self) -> Cx {
        self.cx("admin").await
    }

    /// The administrator's context, where a second factor is asked for.
    pub async fn cx_of_code(&self, shared: &Secret<String>) -> Cx {
        let c = crate::sign_in::challenge(self.sign_in_as("admin", PASSWORD).await);
        let digits = sekisho_identity::totp::code(shared, self.now()).expect("a code");
        let proof = sekisho_identity::types::FactorProof::Code(secret(&digits));
        let token = done(self.node.sign_in_factor(&self.here().await, &browser(), &c, proof).await).token;
        self.passage(&token).await.expect("resolved").cx.clone()
    }

    /// A person with the usual password, made by the administrator.
    pub async fn person(&self, cx: &Cx, name: &str, kind: UserType, site: Option<SiteId>) -> UserView {
        self.tick();
        let new = new_user(name, kind, site, Some(PASSWORD));
        self.node.create_user(cx, new).await.expect("a user").user
    }

    /// The history, oldest first, as `event outcome object`.
    pub async fn history(&self) -> Vec<history::Row> {
        let scope = Scope::of(&Cx::job(self.tenant, Job::SignIn, self.effective().await, &SystemRng));
        let filter = history::Filter { limit: 200, ..history::Filter::default() };
        let mut rows = self.vault.history(&scope, filter).await.expect("history").rows;
        rows.reverse();
        rows
    }

    pub async fn effective(&self) -> sekisho_kernel::Effective {
        self.node.effective(self.tenant).await.expect("a policy")
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// A millisecond, so that what follows sorts after what was before.
    pub fn tick(&self) {
        self.pass(Duration::from_millis(1));
    }

    pub fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// One number out of the raw tables.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let all = self.test.store.within(sekisho_store::Reach::Platform);
        let row = all.read(move |db| db.query_opt(sql, &[])).await.expect("counted");
        row.expect("a row").int(0).expect("a number")
    }
}

pub fn new_user(name: &str, kind: UserType, site: Option<SiteId>, password: Option<&str>) -> NewUser {
    let mail = Some(format!("{name}@example.jp"));
    NewUser { name: name.into(), display_name: None, mail, kind, site, password: password.map(secret), service: false }
}

pub fn browser() -> Browser {
    Browser { agent: "Test/1.0".into(), device: None }
}

pub async fn knock(node: &Identity, host: &str, peer: &str) -> Knock {
    let entry: Arc<HostEntry> = node.host(host).await.expect("looked up").expect("a host");
    let policy = node.effective(entry.tenant).await.expect("a policy");
    let peer: IpAddr = peer.parse().expect("an address");
    let (trace, lang) = (TraceId::new(&SystemRng), Lang::En);
    Knock { host: entry, peer, via: Via::Api, trace, policy, lang, activity: true, holds: None }
}

pub fn done(step: Result<SignInStep, Problem>) -> SignedIn {
    match step.expect("a step") {
        SignInStep::SignedIn(signed_in) => *signed_in,
        other => panic!("wanted a session, got {other:?}"),
    }
}

/// A problem's code.
pub fn code<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
    result.expect_err("a problem").kind.code
}

pub fn record(id: UserId) -> RecordId {
    id.cast()
}

/// Runs a test in a house on each database.
pub async fn each<F, Fut>(body: F)
where
    F: Fn(House) -> Fut,
    Fut: Future<Output = ()>,
{
    each_under(defaults(), None, body).await;
}

/// The same under a policy, perhaps with something taken out.
pub async fn each_under<F, Fut>(policy: Policy, taken: Option<TakenOut>, body: F)
where
    F: Fn(House) -> Fut,
    Fut: Future<Output = ()>,
{
    let (body, policy) = (&body, &policy);
    sekisho_testkit::each_test_store(
        |test| async move {
            let test = test;
            body(House::new(test, policy.clone(), taken).await).await;
        },
        &migrations(),
    )
    .await;
}

/// The same on SQLite alone, for what does not depend on the database.
pub async fn one_under(policy: Policy, taken: Option<TakenOut>) -> House {
    House::new(sekisho_testkit::sqlite(&migrations()), policy, taken).await
}
