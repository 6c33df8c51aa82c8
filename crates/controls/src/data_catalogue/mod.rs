//! The data catalogue: every record type has a class, a protection and a retention (MIST-24).

mod paper;
mod probe;

use sekisho_kernel::{TakenOut, Text, claim::ClaimSpec};

use crate::control::{Declared, WEEK};

/// The kinds of data are named, each with its protection.
pub static MIST_24: ClaimSpec = ClaimSpec {
    id: "MIST-24",
    clauses: &[
        "schema-types-classified",
        "object-prefixes-classified",
        "wire-messages-classified",
        "exactly-one-class",
        "protection-and-retention-named",
        "type-without-class-fails",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::DataCatalogue,
    negative_clause: "schema-types-classified",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "data_catalogue",
    text: Text::new(
        "保存するすべての種類のデータに、区分、保護方法および保存期間を定めます。",
        "Gives every kind of stored data its class, protection and retention.",
    ),
    settings: &[],
    claims: &[&MIST_24],
    probes: probe::probes,
    paper: &paper::PAPER,
};
