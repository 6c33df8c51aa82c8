//! Access: rights gathered into roles, user types, and grants for one site or the whole tenant (NM-04, MIST-22,
//! IDO-39). It has no settings: rights come from the catalogue in the kernel, roles from each tenant.

mod paper;
mod probe;

use sekisho_kernel::{
    RightSet, TakenOut, Text, access::AccessQuestion, claim::ClaimSpec, gate::Decision, problem::FORBIDDEN,
};

use crate::{
    control::{DAY, Declared},
    self_service,
};

/// Rights can be set freely, gathered into roles and granted.
pub static NM_04: ClaimSpec = ClaimSpec {
    id: "NM-04",
    clauses: &["role-right-performs", "every-other-right-refused"],
    fresh_secs: DAY,
    negative: TakenOut::AccessCheck,
    negative_clause: "every-other-right-refused",
    live: true,
};

/// Roles are granted per organisation and per site.
pub static MIST_22: ClaimSpec = ClaimSpec {
    id: "MIST-22",
    clauses: &[
        "site-role-own-site",
        "site-role-next-site-refused",
        "organisation-role-every-site",
        "organisation-role-other-organisation-refused",
    ],
    fresh_secs: DAY,
    negative: TakenOut::SiteScope,
    negative_clause: "site-role-next-site-refused",
    live: true,
};

/// Role-based access with fine rights; user types administrator, approver and user.
pub static IDO_39: ClaimSpec = ClaimSpec {
    id: "IDO-39",
    clauses: &["role-right-performs", "every-other-right-refused", "administrator-type", "approver-type", "user-type"],
    fresh_secs: DAY,
    negative: TakenOut::AccessCheck,
    negative_clause: "every-other-right-refused",
    live: true,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "access",
    text: Text::new(
        "権限をロールにまとめ、組織または拠点の範囲で付与し、要求のたびに確かめます。",
        "Gathers rights into roles, grants them for the organisation or a site, and checks them at every request.",
    ),
    settings: &[],
    claims: &[&NM_04, &MIST_22, &IDO_39],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// Whether a grant gives the right on the target. The tenant and the switches have been looked at before.
pub(crate) fn granted(question: &AccessQuestion, out: Option<TakenOut>) -> Decision {
    if out == Some(TakenOut::AccessCheck) {
        return Decision::Allow;
    }
    let right = question.right;
    let given = question.view.grants.iter().enumerate().any(|(at, grant)| {
        let rights: RightSet = if at == 0 { self_service::type_rights(grant.rights, out) } else { grant.rights };
        let reaches = match grant.site {
            None => true,
            Some(_) if out == Some(TakenOut::SiteScope) => true,
            Some(site) => right.by_site() && question.target.site == Some(site),
        };
        rights.has(right) && reaches
    });
    if given { Decision::Allow } else { Decision::Refuse(&FORBIDDEN) }
}
