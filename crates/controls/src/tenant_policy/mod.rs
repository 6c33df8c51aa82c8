//! Tenants' own security policy: tightened by each tenant, never below the platform's floor (MOX-50).

mod paper;
mod probe;

use std::borrow::Cow;

use sekisho_kernel::{
    Category, Effective, ProblemKind, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::Decision,
    policy::{Value, loosens},
};

use crate::control::{Declared, WEEK};

/// A tenant's value would be looser than the platform's.
pub static BELOW_FLOOR: ProblemKind = ProblemKind {
    code: "SK-7103",
    name: "below-floor",
    category: Category::Invalid,
    title: Text::new(
        "プラットフォームの下限より緩い値は設定できません。",
        "A value looser than the platform's floor cannot be set.",
    ),
    remedy: Text::new(
        "プラットフォームの値と同じか、より厳しい値を設定してください。",
        "Set the platform's value or a stricter one.",
    ),
};

/// Each account's administrators set their own security policy.
pub static MOX_50: ClaimSpec = ClaimSpec {
    id: "MOX-50",
    clauses: &[
        "opposite-values-set",
        "own-value-in-force",
        "every-node-at-once",
        "non-administrator-refused",
        "never-below-floor",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::PolicyFloor,
    negative_clause: "never-below-floor",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "tenant_policy",
    text: Text::new(
        "組織は自らのセキュリティポリシーを厳しくできますが、プラットフォームの下限より緩めることはできません。",
        "A tenant tightens its own security policy and cannot go below the platform's floor.",
    ),
    settings: &[],
    claims: &[&MOX_50],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The policy as the other gates read it; taken out, a tenant's value wins as it stands.
pub(crate) fn seen(policy: &Effective, out: Option<TakenOut>) -> Cow<'_, Effective> {
    match out {
        Some(floor @ TakenOut::PolicyFloor) => Cow::Owned(policy.clone().without_floor(floor)),
        _ => Cow::Borrowed(policy),
    }
}

/// Whether a tenant may set `own` where the platform's value is `platform`.
pub(crate) fn may_set(setting: &'static Setting, platform: &Value, own: &Value, out: Option<TakenOut>) -> Decision {
    if out != Some(TakenOut::PolicyFloor) && loosens(setting, platform, own) {
        return Decision::Refuse(&BELOW_FLOOR);
    }
    Decision::Allow
}
