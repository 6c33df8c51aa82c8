//! Relations: who may find and reach whom within an organisation (MOX-34).
//!
//! This folder holds the choice. The engine asks it before it shows one person anything of another, and before it tells an
//! application that two may communicate.

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::RelationRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Who may reach whom.
pub static MODE: Setting = Setting {
    key: "relations.mode",
    kind: Kind::Choice(&["everyone", "related"]),
    default: Default::Str("everyone"),
    tenant: Movement::Max,
    doc: Text::new(
        "組織の中で、誰が誰を探し、連絡できるか。everyone は組織の全員、related は登録された関係のある相手だけです。",
        "Who may find and reach whom within an organisation. everyone: everybody in it. related: only people between whom there is a relation.",
    ),
};

/// Relationship mapping controls who may communicate with whom.
pub static MOX_34: ClaimSpec = ClaimSpec {
    id: "MOX-34",
    clauses: &[
        "unrelated-not-found",
        "unrelated-not-messaged",
        "unrelated-not-invited",
        "unrelated-not-shared-with",
        "related-can",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::Relations,
    negative_clause: "unrelated-not-found",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "relations",
    text: Text::new(
        "登録された関係のある相手だけを探し、連絡できるようにします。",
        "Lets people find and reach those alone to whom they have a relation.",
    ),
    settings: &[&MODE],
    claims: &[&MOX_34],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, everybody may reach everybody.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> RelationRule {
    RelationRule { everyone: policy.str(&MODE) == "everyone" || out == Some(TakenOut::Relations) }
}
