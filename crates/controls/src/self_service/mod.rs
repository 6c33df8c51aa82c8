//! Self-service: a tenant's own administrators create and manage its accounts, without the provider (IDO-08).

mod paper;
mod probe;

use sekisho_kernel::{Right, RightSet, TakenOut, Text, access::UserType, claim::ClaimSpec};

use crate::control::{DAY, Declared};

/// Customers create and manage their own accounts.
pub static IDO_08: ClaimSpec = ClaimSpec {
    id: "IDO-08",
    clauses: &[
        "administrator-creates",
        "administrator-changes",
        "administrator-disables-and-enables",
        "administrator-grants-roles",
        "administrator-deletes",
        "no-operator-needed",
    ],
    fresh_secs: DAY,
    negative: TakenOut::SelfService,
    negative_clause: "no-operator-needed",
    live: true,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "self_service",
    text: Text::new(
        "組織の管理者が、自らの組織のアカウントを登録し、管理します。",
        "A tenant's administrators create and manage its accounts themselves.",
    ),
    settings: &[],
    claims: &[&IDO_08],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rights that come with the user type (the view's first grant). Taken out, the administrator type loses what
/// concerns accounts; a role may still give it.
pub(crate) fn type_rights(rights: RightSet, out: Option<TakenOut>) -> RightSet {
    if out != Some(TakenOut::SelfService) || rights != UserType::Administrator.rights() {
        return rights;
    }
    [Right::USERS_WRITE, Right::ROLES_WRITE, Right::GRANTS_WRITE, Right::SESSIONS_END]
        .into_iter()
        .fold(rights, RightSet::without)
}
