//! An instance without a door: store, keys, vault and people, laid out on disk as the binary does it, so that the binary
//! can open it afterwards.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sekisho_controls as controls;
use sekisho_gateway as gateway;
use sekisho_identity::{
    Identity, NewTenant,
    types::{Browser, SignInStep, SignedIn},
};
use sekisho_kernel::{
    Effective, Job, Lang, Policy, Schema, Secret, Setting, SystemClock, SystemRng, TraceId,
    actor::Via,
    gate::Gates,
    hook::{Directory, Knock, Passage, Sessions},
    policy::Value,
};
use sekisho_keys::{Keys, RootFile, RootSource};
use sekisho_store::{Migration, Store, StoreConfig};
use sekisho_vault::Vault;

/// The password of everybody here.
pub const PASSWORD: &str = "Kansuiro-no-Banya-1601";
/// The sign-in name of every tenant's first administrator.
pub const ADMIN: &str = "admin";

/// An open instance.
#[derive(Clone)]
pub struct House {
    pub store: Store,
    pub vault: Vault,
    pub identity: Identity,
    pub gates: Arc<dyn Gates>,
    pub policy: Arc<Policy>,
}

/// A tenant and its first administrator, who has set [`PASSWORD`].
pub struct Tenant {
    pub console: String,
    pub app: String,
}

/// What stands beside a data directory, never inside.
pub fn beside(data: &Path, suffix: &str) -> PathBuf {
    let mut name = data.file_name().expect("a data directory has a name").to_owned();
    name.push(suffix);
    data.with_file_name(name)
}

fn identity_tables() -> impl Iterator<Item = Migration> {
    let tables = sekisho_identity::MIGRATIONS.iter();
    tables.map(|(number, name, sql)| Migration { number: *number, name, sql, postgres: "", sqlite: "" })
}

/// The defaults of every setting, and some moved.
pub fn policy(moved: &[(&'static Setting, Value)]) -> Policy {
    let schema = Schema::new(controls::settings().chain(gateway::settings::ALL.iter().copied()));
    moved.iter().fold(Policy::defaults(&schema), |policy, (setting, value)| policy.with(setting, value.clone()))
}

impl House {
    /// Opens the data directory; makes it, with its root key, when it is not there.
    pub async fn open(data: &Path, policy: Policy) -> Self {
        let root = beside(data, ".root-key");
        if !root.exists() {
            RootFile::create(&root, &SystemRng).unwrap();
        }
        let mut migrations = sekisho_vault::migrations();
        migrations.extend(identity_tables());
        let config = StoreConfig::sqlite(data);
        let store = tokio::task::spawn_blocking(move || Store::open(config, &migrations)).await.unwrap().unwrap();
        let (clock, rng) = (Arc::new(SystemClock), Arc::new(SystemRng));
        let keys = Keys::open(store.clone(), RootSource::File(root), clock.clone(), rng.clone()).await.unwrap();
        let gates: Arc<dyn Gates> = Arc::new(controls::Gates::whole());
        let parts =
            sekisho_vault::Parts::new(store.clone(), keys, gates.clone(), clock.clone(), rng.clone(), "sekisho.bench")
                .outside(beside(data, ".checkpoints"))
                .records(sekisho_identity::RECORDS)
                .bookkeeping(sekisho_identity::BOOKKEEPING)
                .rights_version(&sekisho_identity::sql::RIGHTS_VERSION);
        let vault = Vault::open(parts).await.unwrap();
        let policy = Arc::new(policy);
        let identity = Identity::new(sekisho_identity::Parts {
            outside: Arc::new(sekisho_kernel::egress::Nowhere),
            vault: vault.clone(),
            gates: gates.clone(),
            policy: policy.clone(),
            clock,
            rng,
            cores: std::thread::available_parallelism().unwrap().get(),
        });
        Self { store, vault, identity, gates, policy }
    }

    /// Makes a tenant called `name` at `name.console.localhost` and `name.app.localhost`.
    pub async fn tenant(&self, name: &str) -> Tenant {
        self.tenant_at(name, &format!("{name}.app.localhost")).await
    }

    /// Makes a tenant whose application is at the host `app`.
    pub async fn tenant_at(&self, name: &str, app: &str) -> Tenant {
        self.tenant_of(name, &format!("{name}.console.localhost"), app).await
    }

    /// Makes a tenant with a console and an application at these hosts.
    pub async fn tenant_of(&self, name: &str, console: &str, app: &str) -> Tenant {
        let (console, app) = (console.to_owned(), app.to_owned());
        let new = NewTenant {
            name: name.to_owned(),
            console_host: console.clone(),
            app_host: app.clone(),
            admin_name: ADMIN.to_owned(),
        };
        let made = self.identity.create_tenant(Job::FirstStart, new).await.unwrap();
        let knock = self.knock(&console).await;
        self.identity.use_link(&knock, &made.link, Secret::new(PASSWORD.to_owned())).await.unwrap();
        Tenant { console, app }
    }

    /// Makes an instance with one tenant, whose application is at the host `app`; the token of its administrator there.
    pub async fn ready(data: &Path, app: &str) -> String {
        let house = Self::open(data, policy(&[])).await;
        let tenant = house.tenant_at("acme", app).await;
        let (_, passage) = house.sign_in(&tenant).await;
        let token = house.enter(&tenant, &passage).await;
        house.store.close();
        token.reveal().clone()
    }

    /// A request at a host, as the door tells identity of it.
    pub async fn knock(&self, host: &str) -> Knock {
        let entry = self.identity.host(host).await.unwrap().expect("the host is registered");
        Knock {
            policy: self.identity.effective(entry.tenant).await.unwrap(),
            host: entry,
            peer: [127, 0, 0, 1].into(),
            via: Via::Door,
            trace: TraceId::new(&SystemRng),
            lang: Lang::En,
            activity: true,
            holds: None,
        }
    }

    /// Signs the tenant's administrator in at the console.
    pub async fn sign_in(&self, tenant: &Tenant) -> (SignedIn, Arc<Passage>) {
        let knock = self.knock(&tenant.console).await;
        let password = Secret::new(PASSWORD.to_owned());
        let step = self.identity.sign_in(&knock, &Browser::default(), ADMIN, password).await.unwrap();
        let SignInStep::SignedIn(signed) = step else { panic!("the policy asks for a further step") };
        let passage = self.identity.resolve(&knock, &signed.token).await.unwrap();
        (*signed, passage)
    }

    /// Goes on from the console to the application: the token of the application's host.
    pub async fn enter(&self, tenant: &Tenant, passage: &Passage) -> Secret<String> {
        let knock = self.knock(&tenant.app).await;
        let code = self.identity.entry_code(passage, &knock.host, "a browser").await.unwrap();
        self.identity.enter(&knock, &code, "a browser").await.unwrap()
    }

    /// The platform's policy as a snapshot.
    pub fn effective(&self) -> Effective {
        Effective::platform(self.policy.clone())
    }
}

/// A runtime like the binary's.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}
