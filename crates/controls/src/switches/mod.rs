//! Switches: functions switched off for one user or for a whole tenant (MOX-33, MOX-37). What is off is kept with
//! the user and the tenant; this is the gate that heeds it.

mod paper;
mod probe;

use sekisho_kernel::{Category, ProblemKind, TakenOut, Text, access::AccessQuestion, claim::ClaimSpec, gate::Decision};

use crate::control::{DAY, Declared};

/// The function is switched off for the user or the tenant.
pub static FUNCTION_OFF: ProblemKind = ProblemKind {
    code: "SK-7101",
    name: "function-off",
    category: Category::Forbidden,
    title: Text::new("この機能は無効になっています。", "This function is switched off."),
    remedy: Text::new(
        "必要な場合は、組織の管理者に機能の有効化を依頼してください。",
        "If you need it, ask your organisation's administrator to switch it on.",
    ),
};

/// Every function can be switched on or off per user.
pub static MOX_33: ClaimSpec = ClaimSpec {
    id: "MOX-33",
    clauses: &["switched-off-refused-to-user", "nobody-else-refused"],
    fresh_secs: DAY,
    negative: TakenOut::UserSwitch,
    negative_clause: "switched-off-refused-to-user",
    live: true,
};

/// Functions are switched on or off to suit each business.
pub static MOX_37: ClaimSpec = ClaimSpec {
    id: "MOX-37",
    clauses: &["switched-off-refused-to-tenant", "no-other-tenant-refused"],
    fresh_secs: DAY,
    negative: TakenOut::TenantSwitch,
    negative_clause: "switched-off-refused-to-tenant",
    live: true,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "switches",
    text: Text::new(
        "機能を、組織ごとおよびユーザーごとに有効または無効にします。",
        "Switches functions on and off, per organisation and per user.",
    ),
    settings: &[],
    claims: &[&MOX_33, &MOX_37],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// Refuses what belongs to a function that is off.
pub(crate) fn check(question: &AccessQuestion, out: Option<TakenOut>) -> Decision {
    let bit = question.right.function().bit();
    let tenant = question.view.tenant_off & bit != 0 && out != Some(TakenOut::TenantSwitch);
    let user = question.view.user_off & bit != 0 && out != Some(TakenOut::UserSwitch);
    if tenant || user { Decision::Refuse(&FUNCTION_OFF) } else { Decision::Allow }
}
