//! Tenant keys: each tenant's data under keys of its own (MIST-04).

mod paper;
mod probe;

use std::time::Duration;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Age at which a tenant's key gets a new version.
pub static ROTATION: Setting = Setting {
    key: "tenant_keys.rotation",
    kind: Kind::Span { min: 86_400, max: 3_650 * 86_400 },
    default: Default::Secs(365 * 86_400),
    tenant: Movement::Min,
    doc: Text::new(
        "組織鍵を更新する間隔。更新すると、テーブル鍵が新しい組織鍵で再ラップされます。",
        "Age at which a tenant's key gets a new version, under which the table keys are wrapped anew.",
    ),
};

/// Client information is encrypted under a key that belongs to the organisation alone.
pub static MIST_04: ClaimSpec = ClaimSpec {
    id: "MIST-04",
    clauses: &["others-key-opens-nothing", "destroyed-key-own-data-unreadable", "destroyed-key-others-readable"],
    fresh_secs: WEEK,
    negative: TakenOut::TenantKeys,
    negative_clause: "others-key-opens-nothing",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "tenant_keys",
    text: Text::new("組織ごとに固有の鍵で暗号化します。", "Encrypts each tenant's data under keys of its own."),
    settings: &[&ROTATION],
    claims: &[&MIST_04],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// Age at which a tenant's key gets a new version.
pub(crate) fn rotation(policy: &Effective) -> Duration {
    policy.span(&ROTATION)
}
