//! Tenancy: each tenant's data apart from every other's (NM-09). The walls themselves are in `vault` and `store`;
//! the access gate refuses a target of another tenant as if it did not exist.

mod paper;
mod probe;

use sekisho_kernel::{TakenOut, Text, access::AccessQuestion, claim::ClaimSpec, gate::Decision, problem::NOT_FOUND};

use crate::control::{Declared, WEEK};

/// Each group's data is stored apart by group id.
pub static NM_09: ClaimSpec = ClaimSpec {
    id: "NM-09",
    clauses: &[
        "no-marker-by-any-route",
        "refusals-hide-existence",
        "rows-under-own-id-and-key",
        "objects-under-own-id-and-key",
        "index-under-own-id-and-key",
        "cache-under-own-id",
        "sql-without-group-nothing",
        "sql-with-other-group-nothing",
        "two-groups-seen-one-at-a-time",
        "two-groups-searched-one-at-a-time",
        "two-groups-exported-one-at-a-time",
        "two-groups-mailed-one-at-a-time",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::TenantScope,
    negative_clause: "no-marker-by-any-route",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "tenancy",
    text: Text::new(
        "組織のデータを、他の組織から分離して保存し、取り扱います。",
        "Keeps and handles each tenant's data apart from every other's.",
    ),
    settings: &[],
    claims: &[&NM_09],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// Another tenant's target looks like a missing one, whatever else is taken out of the gates.
pub(crate) fn check(question: &AccessQuestion) -> Decision {
    if question.target.tenant == question.tenant { Decision::Allow } else { Decision::Refuse(&NOT_FOUND) }
}
