//! What the console is made of, and what it asks of the binary.

use std::sync::Arc;

use async_trait::async_trait;
use sekisho_gateway::firewall::Firewall;
use sekisho_identity::Identity;
use sekisho_kernel::{
    Problem, RecordDef, Rng, Time,
    claim::{Stage, Step, Verdict},
    gate::Gates,
    hook::{Directory, Sessions},
    time::SharedClock,
};
use sekisho_vault::Vault;

/// Everything behind the pages and the API.
#[derive(Clone)]
pub struct Parts {
    /// Tenant data, the history, and entries about what no engine was asked.
    pub vault: Vault,
    /// People, roles, sites, rules, sessions.
    pub identity: Identity,
    /// Sessions by token; the identity engine's, or a stand-in's in tests.
    pub sessions: Arc<dyn Sessions>,
    /// Tenants by host name.
    pub directory: Arc<dyn Directory>,
    /// The controls' gates.
    pub gates: Arc<dyn Gates>,
    /// What has been proven.
    pub evidence: Arc<dyn Evidence>,
    /// The firewall's rule sets; `None` shows none.
    pub firewall: Option<Firewall>,
    /// The data catalogue.
    pub catalogue: Vec<&'static RecordDef>,
    /// The clock.
    pub clock: SharedClock,
    /// Randomness for form tokens and traces.
    pub rng: Arc<dyn Rng>,
}

/// The newest evidence for one claim, as it counts for this instance: stale when it is too old, or of another build or
/// policy.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The claim's id in the catalogue.
    pub claim: String,
    /// What it says today.
    pub verdict: Verdict,
    /// Where the probe ran.
    pub stage: Option<Stage>,
    /// When it ran.
    pub at: Option<Time>,
    /// Until when it counts.
    pub fresh_until: Option<Time>,
    /// The build it ran on.
    pub build: Option<String>,
    /// The digest of the policy it ran under.
    pub digest: Option<String>,
    /// What was tried, expected and seen.
    pub steps: Vec<Step>,
}

/// The evidence store, as the claims pages see it. Implemented by the binary.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// The newest proof of every claim that was ever proven here; steps may be left out.
    ///
    /// # Errors
    /// The store's.
    async fn all(&self) -> Result<Vec<Proof>, Problem>;
    /// The newest proof of one claim, with its steps.
    ///
    /// # Errors
    /// The store's.
    async fn of(&self, claim: &str) -> Result<Option<Proof>, Problem>;
}
