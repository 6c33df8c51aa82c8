//! Tenants' people: accounts, roles, grants, sites, address rules, tenants' own policy, passwords, factors, lockout,
//! sign-in and sessions.
//!
//! Layer L2: may use `vault` and `kernel`. Controls decide through [`sekisho_kernel::gate::Gates`]; the door and the
//! pages reach in through [`sekisho_kernel::hook`] and the functions of [`Identity`].

mod account;
mod addresses;
mod breached;
mod cache;
mod clients;
mod device;
mod directory;
mod factors;
mod federation;
mod grants;
mod guard;
mod hasher;
mod link;
mod lockout;
mod oauth;
mod passkeys;
mod password;
mod people;
pub mod problems;
mod provision;
pub mod records;
mod relations;
mod rights;
pub mod risk;
mod roles;
pub mod scim;
mod session;
mod settings;
mod sign_in;
mod signals;
mod signing;
mod sites;
pub mod sql;
mod sweep;
mod terms;
mod token;
mod tokens;
pub mod totp;
pub mod types;
mod users;
mod values;
pub mod webauthn;

/// For the functions that other crates await: the future is boxed, so that its body is compiled here, once, and not again in every
/// crate that awaits it.
use async_recursion::async_recursion as boxed;
use std::sync::{Arc, PoisonError, RwLock};

use sekisho_kernel::{
    Cx, Event, Policy, Problem, Rng, TakenOut, Target, Time,
    access::Right,
    actor::{Actor, Job},
    egress::Outside,
    gate::Gates,
    hook::Knock,
    id::TenantId,
    time::SharedClock,
};
use sekisho_vault::{Act, Need, Scope, Vault};

pub use federation::saml::UPKEEP_EVERY;
pub use lockout::Counts;
pub use oauth::{ACCESS, PUSHED};
pub use provision::{NewTenant, TenantMade};
pub use records::RECORDS;
pub use sign_in::signature::{SCHEME as SIGNATURE_SCHEME, signed_text};
pub use sql::{BOOKKEEPING, MIGRATIONS};
pub use sweep::{SWEEP_EVERY, Swept};
pub use tokens::is_token;

type Answer<T> = Result<T, Problem>;

/// What identity is made of.
#[derive(Clone)]
pub struct Parts {
    /// Tenant data.
    pub vault: Vault,
    /// The controls' gates.
    pub gates: Arc<dyn Gates>,
    /// The platform's policy at start; [`Identity::reload`] takes later ones.
    pub policy: Arc<Policy>,
    /// The clock.
    pub clock: SharedClock,
    /// Randomness for tokens, secrets and salts.
    pub rng: Arc<dyn Rng>,
    /// Identity providers and name servers.
    pub outside: Arc<dyn Outside>,
    /// How many password hashes run at once: the number of cores.
    pub cores: usize,
}

/// Tenants' people and their sessions. Cheap to clone.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    vault: Vault,
    gates: Arc<dyn Gates>,
    policy: RwLock<Arc<Policy>>,
    clock: SharedClock,
    rng: Arc<dyn Rng>,
    taken: Option<TakenOut>,
    hasher: hasher::Hasher,
    breached: breached::Lists,
    sources: risk::Sources,
    signals: Arc<signals::Pending>,
    cache: Arc<cache::Cache>,
    counts: Arc<Counts>,
    outside: Arc<dyn Outside>,
    providers: federation::Cache,
    origins: oauth::Origins,
}

impl Identity {
    /// For a serving instance.
    pub fn new(parts: Parts) -> Self {
        Self::rehearse(parts, None)
    }

    /// For a rehearsal, with one control really taken out.
    pub fn rehearse(parts: Parts, taken: Option<TakenOut>) -> Self {
        let Parts { vault, gates, policy, clock, rng, outside, cores } = parts;
        let cache = Arc::new(cache::Cache::default());
        if taken != Some(TakenOut::SessionRecheck) {
            let heard = cache.clone();
            vault.on_notice(move |topic, payload| heard.notice(topic, payload));
        }
        let signals = Arc::new(signals::Pending::default());
        let heard = signals.clone();
        vault.on_notice(move |topic, payload| heard.notice(topic, payload));
        Self(Arc::new(Inner {
            signals,
            hasher: hasher::Hasher::new(cores, rng.clone(), taken),
            vault,
            gates,
            policy: RwLock::new(policy),
            clock,
            rng,
            taken,
            breached: breached::Lists::default(),
            sources: risk::Sources::default(),
            cache,
            counts: Arc::default(),
            outside,
            providers: federation::Cache::default(),
            origins: oauth::Origins::default(),
        }))
    }

    /// Puts another platform policy in force, for requests that start from now on. The breached list is read anew.
    pub fn reload(&self, policy: Arc<Policy>) {
        *self.0.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        self.0.cache.forget_tenants();
        self.0.breached.forget();
        self.0.sources.forget();
    }

    /// What sign-ins have cost so far, by kind: how tests see that all accounts are treated alike.
    pub fn counts(&self) -> Arc<Counts> {
        self.0.counts.hashes.store(self.0.hasher.count(), std::sync::atomic::Ordering::Relaxed);
        self.0.counts.clone()
    }

    fn platform(&self) -> Arc<Policy> {
        self.0.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn now(&self) -> Time {
        self.0.clock.now()
    }

    fn rng(&self) -> &dyn Rng {
        &*self.0.rng
    }

    fn vault(&self) -> &Vault {
        &self.0.vault
    }

    fn gates(&self) -> &dyn Gates {
        &*self.0.gates
    }

    fn id<K>(&self) -> sekisho_kernel::Id<K> {
        sekisho_kernel::Id::new(self.now(), self.rng())
    }

    /// A scope for what the system itself reads of a tenant, before or beside any act.
    fn scope(&self, tenant: TenantId) -> Scope {
        let policy = sekisho_kernel::Effective::platform(self.platform());
        Scope::of(&Cx::job(tenant, Job::SignIn, policy, self.rng()))
    }

    /// The context of somebody who has not signed in yet: the sign-in job acts for them.
    fn before_sign_in(knock: &Knock) -> Cx {
        Cx {
            tenant: knock.host.tenant,
            actor: Actor::Job(Job::SignIn),
            via: knock.via,
            peer: Some(knock.peer),
            trace: knock.trace,
            policy: knock.policy.clone(),
            lang: knock.lang,
            once: None,
        }
    }

    /// Enters an act that stops here, and gives the problem back (or the one that kept it from being entered).
    async fn stop(&self, cx: &Cx, act: Act, problem: Problem) -> Problem {
        let stopped = self.vault().act::<(), _>(cx, act, move |_, _| Err(problem)).await;
        stopped.err().unwrap_or_else(|| Problem::new(&sekisho_kernel::problem::INTERNAL))
    }
}

/// An act under a right.
fn under(right: Right, event: &'static Event, target: Target, object: impl ToString) -> Act {
    Act { event, need: Need::Right(right), target, object: object.to_string() }
}

/// An act on one's own account.
fn own(cx: &Cx, event: &'static Event, object: impl ToString) -> Act {
    Act { event, need: Need::Own, target: Target::tenant(cx.tenant), object: object.to_string() }
}

/// An act of a job.
fn by_job(cx: &Cx, job: Job, event: &'static Event, object: impl ToString) -> Act {
    Act { event, need: Need::Job(job), target: Target::tenant(cx.tenant), object: object.to_string() }
}

/// How many records a page has: 50 unless asked, 200 at most.
const fn page_size(asked: u32) -> u32 {
    match asked {
        0 => 50,
        1..=200 => asked,
        _ => 200,
    }
}
