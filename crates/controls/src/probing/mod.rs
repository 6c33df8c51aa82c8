//! What probes share: people who sign in, a browser, searches through raw bytes, a second program that opens what was
//! sealed. Nothing here comes from an engine: formats are read from their descriptions and written a second time.

pub mod answer;
pub mod browser;
pub mod dpop;
pub mod history;
pub mod oauth;
pub mod operations;
pub mod passkey;
pub mod person;
pub mod planted;
pub mod provider;
pub mod raw;
pub mod rights;
pub mod saml;
pub mod scim;
pub mod sealed;
pub mod search;
pub mod signature;
pub mod suites;
pub mod unseal;

pub use answer::told;
pub use person::{Person, Session};

use sekisho_kernel::{
    Effective,
    claim::Trouble,
    world::{Rehearsed, World},
};

/// The rehearsed instance behind the world.
///
/// # Errors
/// On a serving instance, where there is none: such a probe is not marked as live.
pub fn rehearsed(world: &dyn World) -> Result<&dyn Rehearsed, Trouble> {
    world.rehearsed().ok_or_else(|| Trouble("this probe looks at raw bytes or moves the clock: rehearsal only".into()))
}

/// The platform policy in force, as the gates read it.
pub fn in_force(world: &dyn World) -> Effective {
    Effective::platform(world.policy())
}
