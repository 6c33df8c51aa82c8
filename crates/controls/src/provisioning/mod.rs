//! Provisioning: administrators keep an organisation's people by console, by API, and through their identity provider
//! by SCIM (MOX-32).

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::ProvisioningRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Whether identity providers may provision by SCIM.
pub static SCIM: Setting = Setting {
    key: "provisioning.scim",
    kind: Kind::Choice(&["on", "off"]),
    default: Default::Str("on"),
    tenant: Movement::Max,
    doc: Text::new(
        "ID プロバイダーによる SCIM 2.0 のユーザー連携。off では SCIM の要求をすべて拒否します。",
        "Provisioning by identity providers over SCIM 2.0. With off every SCIM request is refused.",
    ),
};

/// Administrators add, edit, deactivate and delete users.
pub static MOX_32: ClaimSpec = ClaimSpec {
    id: "MOX-32",
    clauses: &["by-console", "by-api", "by-scim", "each-audited", "nobody-else"],
    fresh_secs: WEEK,
    negative: TakenOut::Deprovisioning,
    negative_clause: "by-scim",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "provisioning",
    text: Text::new(
        "管理者が、管理コンソール、API、SCIM のいずれでもユーザーを登録、変更、無効化、削除します。",
        "Administrators add, edit, deactivate and delete users by console, API and SCIM.",
    ),
    settings: &[&SCIM],
    claims: &[&MOX_32],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force.
pub(crate) fn rule(policy: &Effective) -> ProvisioningRule {
    ProvisioningRule { scim: policy.str(&SCIM) == "on" }
}
