//! An instance: store, keys, vault, and on each node identity, pages and door, joined.
//!
//! [`Instance::serve`] takes no value that could take a control out, and no clock:
//! ```compile_fail
//! # async fn never(spec: sekisho::instance::Spec) {
//! sekisho::instance::Instance::serve(spec, Some(sekisho_kernel::TakenOut::Lockout)).await;
//! # }
//! ```

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::Router;
use http::{Request, Response};
use http_body_util::BodyExt;
use sekisho_console as console;
use sekisho_gateway::{
    Algorithm, Beyond, CertStore, Gateway, Internet, PageBody, Pages, Places, PolicyEgress, PolicyOutside, PublicKey,
    Signer, Upload,
    firewall::{self, Firewall},
};
use sekisho_identity::Identity;
use sekisho_kernel::{
    Cx, Effective, Job, Outcome, Policy, Problem, RecordDef, Rng, SystemClock, TakenOut, event, gate::Gates,
    id::TenantId, policy::Value, problem::INTERNAL, rng, time::SharedClock,
};
use sekisho_keys::{Keys, Purpose, RootSource};
use sekisho_store::{Migration, Store, StoreConfig};
use sekisho_vault::Vault;
use tokio::sync::watch;
use tower::ServiceExt;

use crate::{
    authority::SealedCertStore,
    evidence::{self, Shelf},
    jobs::Scheduler,
    journal::VaultJournal,
    place::Paths,
    process, settings, work,
};

/// What an instance is made of.
pub struct Spec {
    /// Where its files are.
    pub paths: Paths,
    /// The policy.
    pub policy: Arc<Policy>,
    /// The root key.
    pub root: RootSource,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
}

/// One node: what people and applications reach.
pub struct Node {
    /// Tenants' people.
    pub identity: Identity,
    /// The door; `None` while nobody is let in (commands on a stopped instance).
    pub gateway: Option<Gateway>,
}

/// A whole instance.
pub struct Instance {
    /// Where its files are.
    pub paths: Paths,
    /// The database.
    pub store: Store,
    /// How the database was opened, for whoever opens it a second time beside us.
    pub config: StoreConfig,
    /// Keys.
    pub keys: Keys,
    /// Tenant data.
    pub vault: Vault,
    /// The controls' gates.
    pub gates: Arc<dyn Gates>,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The firewall's rule sets.
    pub firewall: Firewall,
    /// The jobs.
    pub jobs: Arc<Scheduler>,
    /// Evidence.
    pub shelf: Shelf,
    /// The clock.
    pub clock: SharedClock,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    policy: watch::Sender<Arc<Policy>>,
}

/// What a rehearsal puts in other places, and what it takes out. Built by [`crate::rehearsal`] alone.
pub struct Elsewhere {
    /// The movable clock.
    pub clock: SharedClock,
    /// The listeners of each node.
    pub places: Vec<Places>,
    /// What lies on the other side of the way out.
    pub beyond: Arc<dyn Beyond>,
    /// The control that is really gone.
    pub out: Option<TakenOut>,
}

/// What a rehearsal replaces of an instance's inside.
struct Replaced {
    clock: SharedClock,
    nodes: usize,
    beyond: Arc<dyn Beyond>,
    out: Option<TakenOut>,
}

/// Every table there is.
pub fn migrations() -> Vec<Migration> {
    with_engines(sekisho_vault::migrations())
}

fn with_engines(mut all: Vec<Migration>) -> Vec<Migration> {
    all.extend(sekisho_identity::MIGRATIONS.iter().map(|(number, name, sql)| Migration {
        number: *number,
        name,
        sql,
        postgres: "",
        sqlite: "",
    }));
    all.push(evidence::MIGRATION);
    all
}

/// Every declared record type.
pub fn catalogue() -> Vec<&'static RecordDef> {
    let mut all = sekisho_vault::catalogue::own();
    all.extend_from_slice(sekisho_identity::RECORDS);
    all.extend_from_slice(evidence::RECORDS);
    all
}

/// How the policy says the store is opened.
///
/// # Errors
/// A file with a connection string cannot be read.
pub fn store_config(policy: &Policy, data: &Path) -> Result<StoreConfig, Problem> {
    if policy.value(&settings::STORE_KIND) == Value::Str("sqlite".into()) {
        return Ok(StoreConfig::sqlite(data));
    }
    let read = |setting: &'static sekisho_kernel::Setting| -> Result<Option<sekisho_kernel::Secret<String>>, Problem> {
        let path = policy.path(setting);
        if path.is_empty() {
            return Ok(None);
        }
        let url = std::fs::read_to_string(&path)
            .map_err(|e| Problem::new(&sekisho_kernel::problem::INVALID).at(path.clone()).log(e))?;
        Ok(Some(sekisho_kernel::Secret::new(url.trim().to_owned())))
    };
    let service = read(&settings::STORE_SERVICE_URL_FILE)?
        .ok_or_else(|| Problem::new(&sekisho_kernel::problem::INVALID).at(settings::STORE_SERVICE_URL_FILE.key))?;
    Ok(StoreConfig::postgres(service, read(&settings::STORE_OWNER_URL_FILE)?))
}

impl Instance {
    /// Opens the data and the door that the policy declares.
    ///
    /// # Errors
    /// Whatever is wrong with store, keys, listeners or certificates, with its place.
    pub async fn serve(spec: Spec) -> Result<Self, Problem> {
        let mut instance = Self::assemble(spec, None).await?;
        let gateway = Gateway::serve(instance.door(&instance.nodes[0].identity).await?).await?;
        instance.nodes[0].gateway = Some(gateway);
        instance.note(&event::INSTANCE_START).await?;
        Ok(instance)
    }

    /// Opens the data without the door, for a command on an instance that is not running.
    ///
    /// # Errors
    /// As [`Instance::serve`].
    pub async fn closed(spec: Spec) -> Result<Self, Problem> {
        Self::assemble(spec, None).await
    }

    /// A rehearsal.
    ///
    /// # Errors
    /// As [`Instance::serve`].
    pub async fn rehearse(spec: Spec, elsewhere: Elsewhere) -> Result<Self, Problem> {
        let places = elsewhere.places;
        let clock = elsewhere.clock.clone();
        let nodes = places.len();
        let replaced = Replaced { clock: clock.clone(), nodes, beyond: elsewhere.beyond, out: elsewhere.out };
        let mut instance = Self::assemble(spec, Some(replaced)).await?;
        for (i, places) in places.into_iter().enumerate() {
            let parts = instance.door(&instance.nodes[i].identity).await?;
            instance.nodes[i].gateway = Some(Gateway::rehearse(parts, clock.clone(), places).await?);
        }
        Ok(instance)
    }

    async fn assemble(spec: Spec, rehearsal: Option<Replaced>) -> Result<Self, Problem> {
        let Spec { paths, policy, root, rng } = spec;
        let rehearsed = rehearsal.is_some();
        let Replaced { clock, nodes, beyond, out } = rehearsal.unwrap_or_else(|| Replaced {
            clock: Arc::new(SystemClock),
            nodes: 1,
            beyond: Arc::new(Internet),
            out: None,
        });
        let config = store_config(&policy, &paths.data)?;
        let store = {
            let tables = if rehearsed { sekisho_vault::rehearsal_migrations(out) } else { sekisho_vault::migrations() };
            let (config, migrations) = (config.clone(), with_engines(tables));
            tokio::task::spawn_blocking(move || Store::open(config, &migrations))
                .await
                .map_err(|e| Problem::new(&INTERNAL).log(e))??
        };
        if rehearsed {
            store.set_mark(sekisho_store::REHEARSAL, "yes").await?;
        }
        let house = hex::encode(rng::bytes::<8>(&*rng));
        let gates: Arc<dyn Gates> = if rehearsed {
            Arc::new(sekisho_controls::Gates::rehearse(out))
        } else {
            Arc::new(sekisho_controls::Gates::whole())
        };
        let keys = if rehearsed {
            Keys::rehearse(store.clone(), root, clock.clone(), rng.clone(), out).await?
        } else {
            Keys::open(store.clone(), root, clock.clone(), rng.clone()).await?
        };
        let parts =
            sekisho_vault::Parts::new(store.clone(), keys.clone(), gates.clone(), clock.clone(), rng.clone(), house)
                .outside(&paths.checkpoints)
                .records(sekisho_identity::RECORDS)
                .records(evidence::RECORDS)
                .bookkeeping(sekisho_identity::BOOKKEEPING)
                .rights_version(&sekisho_identity::sql::RIGHTS_VERSION);
        let vault = if rehearsed { Vault::rehearse(parts, out).await? } else { Vault::open(parts).await? };
        let (sender, receiver) = watch::channel(policy.clone());
        let outside = Arc::new(PolicyOutside::new(receiver.clone(), clock.clone(), rng.clone(), beyond));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let identities: Vec<Identity> = (0..nodes)
            .map(|_| {
                let parts = sekisho_identity::Parts {
                    vault: vault.clone(),
                    gates: gates.clone(),
                    policy: policy.clone(),
                    clock: clock.clone(),
                    rng: rng.clone(),
                    outside: outside.clone(),
                    cores,
                };
                if rehearsed { Identity::rehearse(parts, out) } else { Identity::new(parts) }
            })
            .collect();
        let firewall = {
            let (home, gates, clock) = (paths.data.join("firewall"), gates.clone(), clock.clone());
            let (parts, policy) = (firewall::Parts { gates, clock, home }, policy.clone());
            // Loading compiles some hundred patterns.
            let loaded = tokio::task::spawn_blocking(move || {
                if rehearsed { Firewall::rehearse(parts, &policy, out) } else { Firewall::open(parts, &policy) }
            });
            loaded.await.map_err(|e| Problem::new(&INTERNAL).log(e))??
        };
        let feed = work::Feed {
            vault: vault.clone(),
            firewall: firewall.clone(),
            live: receiver.clone(),
            egress: Arc::new(PolicyEgress::new(receiver.clone())),
        };
        let works = work::all(&vault, identities.clone(), gates.clone(), receiver.clone(), feed);
        let shelf = Shelf {
            vault: vault.clone(),
            keys: keys.clone(),
            policy: receiver,
            clock: clock.clone(),
            rng: rng.clone(),
            build: process::build(),
        };
        Ok(Self {
            paths,
            store,
            config,
            keys,
            vault,
            gates,
            firewall,
            nodes: identities.into_iter().map(|identity| Node { identity, gateway: None }).collect(),
            jobs: Arc::new(Scheduler::new(clock.clone(), works)),
            shelf,
            clock,
            rng,
            policy: sender,
        })
    }

    async fn door(&self, identity: &Identity) -> Result<sekisho_gateway::Parts, Problem> {
        let identity = Arc::new(identity.clone());
        let signer: Arc<dyn Signer> = Arc::new(AssertionSigner(self.keys.clone()));
        let parts = console::Parts {
            vault: self.vault.clone(),
            identity: (*identity).clone(),
            sessions: identity.clone(),
            directory: identity.clone(),
            gates: self.gates.clone(),
            evidence: Arc::new(self.shelf.clone()),
            firewall: Some(self.firewall.clone()),
            catalogue: catalogue(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
        };
        let router = console::router(parts).merge(jwks(signer.clone()));
        let certificates: Arc<dyn CertStore> =
            Arc::new(SealedCertStore::new(&self.paths.data, self.keys.platform().await?));
        Ok(sekisho_gateway::Parts {
            policy: self.policy.subscribe(),
            directory: identity.clone(),
            sessions: identity,
            journal: Arc::new(VaultJournal(self.vault.clone())),
            gates: self.gates.clone(),
            egress: Arc::new(PolicyEgress::new(self.policy.subscribe())),
            rng: self.rng.clone(),
            pages: Arc::new(OwnPages(router)),
            signer,
            certificates,
            firewall: Some(self.firewall.clone()),
        })
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.borrow().clone()
    }

    /// Follows the policy in force.
    pub fn policy_watch(&self) -> watch::Receiver<Arc<Policy>> {
        self.policy.subscribe()
    }

    /// Puts another policy in force for every request that starts from now on; none is dropped.
    ///
    /// # Errors
    /// The entry about it could not be written, or the firewall's rules that it names cannot be used; the old policy stays.
    pub async fn reload(&self, policy: Policy) -> Result<(), Problem> {
        let policy = Arc::new(policy);
        let (firewall, next) = (self.firewall.clone(), policy.clone());
        let taken_up = tokio::task::spawn_blocking(move || firewall.reload(&next));
        taken_up.await.map_err(|e| Problem::new(&INTERNAL).log(e))??;
        let cx = Cx::job(TenantId::NIL, Job::Command, Effective::platform(policy.clone()), &*self.rng);
        let detail = vec![("name", policy.name().to_owned()), ("digest", policy.digest())];
        self.vault.enter(&cx, &event::POLICY_RELOAD, Outcome::Success, "policy", detail).await?;
        for node in &self.nodes {
            node.identity.reload(policy.clone());
        }
        self.policy.send_replace(policy);
        Ok(())
    }

    /// Enters an event of the instance itself in the platform's log.
    ///
    /// # Errors
    /// The store's.
    pub async fn note(&self, event: &'static sekisho_kernel::Event) -> Result<(), Problem> {
        let policy = self.policy();
        let detail = vec![
            ("build", process::build().to_owned()),
            ("policy", policy.name().to_owned()),
            ("policy_digest", policy.digest()),
        ];
        let cx = Cx::job(TenantId::NIL, Job::FirstStart, Effective::platform(policy), &*self.rng);
        self.vault.enter(&cx, event, Outcome::Success, "instance", detail).await
    }

    /// Stops: no new connections, what has begun may finish, the log is put under a checkpoint.
    pub async fn stop(&mut self, grace: Duration) {
        for node in &mut self.nodes {
            if let Some(gateway) = node.gateway.take() {
                gateway.shut_down(grace).await;
            }
        }
        let policy = Effective::platform(self.policy());
        for outcome in [self.vault.sequence(&policy).await, self.vault.checkpoint().await] {
            if let Err(problem) = outcome {
                tracing::error!(?problem, "the log could not be put under a checkpoint at the end");
            }
        }
        self.store.close();
    }
}

struct OwnPages(Router);

#[async_trait]
impl Pages for OwnPages {
    async fn serve(&self, request: Request<Upload>) -> Response<PageBody> {
        let request = request.map(axum::body::Body::new);
        // The router answers everything itself, unknown addresses included.
        let answer = self.0.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        answer.map(|body| body.map_err(Into::into).boxed_unsync())
    }
}

struct AssertionSigner(Keys);

fn assertion_key(key: &sekisho_keys::PublicKey) -> PublicKey {
    let id = sekisho_prober::evidence::sha256_hex(&key.bytes)[..16].to_owned();
    PublicKey { id, algorithm: Algorithm::EdDsa, bytes: key.bytes.to_vec() }
}

impl Signer for AssertionSigner {
    fn key(&self) -> Arc<PublicKey> {
        let newest = self.keys().into_iter().next();
        Arc::new(newest.unwrap_or(PublicKey { id: String::new(), algorithm: Algorithm::EdDsa, bytes: Vec::new() }))
    }
    fn keys(&self) -> Vec<PublicKey> {
        let mut keys: Vec<_> = self.0.public_keys().iter().filter(|k| k.purpose == Purpose::Assertion).collect();
        keys.sort_by_key(|k| std::cmp::Reverse(k.version));
        keys.into_iter().map(assertion_key).collect()
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        Ok(self.0.signer(Purpose::Assertion)?.sign(message)?.to_vec())
    }
}

fn jwks(signer: Arc<dyn Signer>) -> Router {
    let serve = move || {
        let document = sekisho_gateway::jwks(&signer.keys());
        async move { axum::Json(document) }
    };
    Router::new().route("/.well-known/sekisho/jwks.json", axum::routing::get(serve))
}
