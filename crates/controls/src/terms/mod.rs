//! Terms of use: a person goes on only after accepting the version in force (NM-35).
//!
//! This folder holds the figures. The engines refuse a session whose person has not accepted; the sign-in itself is open,
//! so that there is somebody to ask.

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::TermsRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// The version in force.
pub static VERSION: Setting = Setting {
    key: "terms.version",
    kind: Kind::Str { max: 60 },
    default: Default::Str(""),
    tenant: Movement::Fixed,
    doc: Text::new(
        "利用規約とプライバシー通知の版（例 2026-04-01）。利用者は、この版に同意するまで先に進めません。空なら尋ねません。",
        "The version of the terms of use and the privacy notice, such as 2026-04-01. People go on only after accepting it. Empty asks nobody.",
    ),
};
/// Where the terms of use can be read.
pub static TERMS: Setting = Setting {
    key: "terms.address",
    kind: Kind::Str { max: 300 },
    default: Default::Str(""),
    tenant: Movement::Fixed,
    doc: Text::new(
        "利用規約を掲載した https:// のアドレス。",
        "The https:// address at which the terms of use can be read.",
    ),
};
/// Where the privacy notice can be read.
pub static PRIVACY: Setting = Setting {
    key: "terms.privacy_address",
    kind: Kind::Str { max: 300 },
    default: Default::Str(""),
    tenant: Movement::Fixed,
    doc: Text::new(
        "プライバシー通知を掲載した https:// のアドレス。",
        "The https:// address at which the privacy notice can be read.",
    ),
};

/// Data is handled under the terms of use and the privacy notice.
pub static NM_35: ClaimSpec = ClaimSpec {
    id: "NM-35",
    clauses: &["record", "asked-before-going-on", "accepted-goes-on", "on-record-by-version", "new-version-asks-again"],
    fresh_secs: WEEK,
    negative: TakenOut::Terms,
    negative_clause: "asked-before-going-on",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "terms",
    text: Text::new(
        "利用規約の現在の版に同意した利用者だけが、先に進めます。",
        "Only people who accepted the terms of use in force go on.",
    ),
    settings: &[&VERSION, &TERMS, &PRIVACY],
    claims: &[&NM_35],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// What is asked for. `None`: nothing.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> Option<TermsRule> {
    let version = policy.str(&VERSION);
    if version.is_empty() || out == Some(TakenOut::Terms) {
        return None;
    }
    Some(TermsRule { version, terms: policy.str(&TERMS), privacy: policy.str(&PRIVACY) })
}
