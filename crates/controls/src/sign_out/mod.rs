//! Signing out everywhere: a person of all their devices, an administrator of a deactivated person (MOX-28, MOX-29).

mod paper;
mod probe;

use sekisho_kernel::{TakenOut, Text, claim::ClaimSpec};

use crate::control::{Declared, WEEK};

/// A user can sign out of all devices from a web page.
pub static MOX_28: ClaimSpec = ClaimSpec {
    id: "MOX-28",
    clauses: &["signed-in-on-three", "next-request-of-each-refused"],
    fresh_secs: WEEK,
    negative: TakenOut::SignOutEverywhere,
    negative_clause: "next-request-of-each-refused",
    live: false,
};

/// An administrator can deactivate a user, which signs the user out everywhere.
pub static MOX_29: ClaimSpec = ClaimSpec {
    id: "MOX-29",
    clauses: &[
        "signed-in-on-three",
        "next-request-of-each-refused",
        "at-once-on-every-node",
        "oauth-tokens-ended",
        "open-websockets-closed",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::Deactivation,
    negative_clause: "next-request-of-each-refused",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "sign_out",
    text: Text::new(
        "すべての端末からのサインアウトと、アカウントの無効化に伴うサインアウトを、直ちに、すべてのノードで行います。",
        "Signs a person out of all devices, and a deactivated account everywhere, at once and on every node.",
    ),
    settings: &[],
    claims: &[&MOX_28, &MOX_29],
    probes: probe::probes,
    paper: &paper::PAPER,
};
