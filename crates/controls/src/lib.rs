//! The controls: one folder each, with its policy section, its gate, its claims, their probes and its paper text.
//!
//! Layer L2: may use the kernel alone. Engines ask [`Gates`] through the kernel's trait and never name a control;
//! probes see only the kernel's `World`. See docs/guides/add-a-control.md.

pub mod access;
pub mod adaptive;
pub mod addresses;
pub mod audit;
pub mod catalogue;
mod control;
pub mod data_catalogue;
pub mod device;
pub mod encryption;
pub mod federation;
mod gates;
pub mod levels;
pub mod lockout;
pub mod oauth;
pub mod passkeys;
pub mod passwords;
mod probing;
mod profiles;
pub mod provisioning;
pub mod relations;
pub mod second_factor;
pub mod self_service;
pub mod sessions;
pub mod sign_out;
pub mod switches;
pub mod tenancy;
pub mod tenant_keys;
pub mod tenant_policy;
pub mod terms;
pub mod tokens;
pub mod unique_id;
pub mod waf;
pub mod ways;

use sekisho_kernel::{
    Schema, Setting,
    claim::{ClaimSpec, Control, Probe},
};

pub use control::Declared;
pub use gates::Gates;
pub use profiles::{PROFILES, profile};

/// Every control, in the order in which policy files and the paper present them.
pub static CONTROLS: &[&Declared] = &[
    &passwords::CONTROL,
    &lockout::CONTROL,
    &second_factor::CONTROL,
    &adaptive::CONTROL,
    &passkeys::CONTROL,
    &unique_id::CONTROL,
    &tokens::CONTROL,
    &oauth::CONTROL,
    &federation::CONTROL,
    &sessions::CONTROL,
    &sign_out::CONTROL,
    &device::CONTROL,
    &access::CONTROL,
    &self_service::CONTROL,
    &provisioning::CONTROL,
    &switches::CONTROL,
    &relations::CONTROL,
    &ways::CONTROL,
    &levels::CONTROL,
    &tenant_policy::CONTROL,
    &terms::CONTROL,
    &addresses::CONTROL,
    &waf::CONTROL,
    &audit::CONTROL,
    &tenancy::CONTROL,
    &encryption::CONTROL,
    &tenant_keys::CONTROL,
    &data_catalogue::CONTROL,
];

/// Every control, behind the kernel's trait.
pub fn all() -> Vec<Box<dyn Control>> {
    CONTROLS.iter().map(|c| Box::new(*c) as Box<dyn Control>).collect()
}

/// Every setting of every control.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    CONTROLS.iter().flat_map(|c| c.settings.iter().copied())
}

/// The schema of the controls' settings alone; the binary's also has those of the door, store and keys.
pub fn schema() -> Schema {
    Schema::new(settings())
}

/// What every kept claim promises to run, in the order of [`CONTROLS`].
pub fn specs() -> impl Iterator<Item = &'static ClaimSpec> {
    CONTROLS.iter().flat_map(|c| c.claims.iter().copied())
}

/// The spec of the claim with this id (`NM-01`); `None` while no control keeps it.
pub fn spec(id: &str) -> Option<&'static ClaimSpec> {
    specs().find(|s| s.id == id)
}

/// Every probe of every control.
pub fn probes() -> Vec<Box<dyn Probe>> {
    CONTROLS.iter().flat_map(|c| (c.probes)()).collect()
}
