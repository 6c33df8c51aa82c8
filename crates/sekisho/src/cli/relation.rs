//! `sekisho relation …`

use clap::Subcommand;

use super::Place;

/// Who may find and reach whom in an organisation.
#[derive(Debug, Subcommand)]
pub enum RelationCommand {
    /// The relations, oldest first: id, state, both sides, from when and until when, and the note.
    List {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// Only those that name this person (`usr_…` or the sign-in name), role (`rol_…`) or site (`sit_…`).
        #[arg(long, value_name = "SIDE")]
        of: Option<String>,
        /// Only those after this one (`rel_…`).
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200))]
        limit: u8,
    },
    /// Let the people of two sides find and reach each other.
    Add {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// The one side: a person (`usr_…` or the sign-in name), a role (`rol_…`) or a site (`sit_…`).
        #[arg(long, value_name = "SIDE")]
        one: String,
        /// The other side.
        #[arg(long, value_name = "SIDE")]
        other: String,
        /// From when (RFC 3339, such as `2027-04-01T00:00:00+09:00`). Without it from now.
        #[arg(long, value_name = "TIME")]
        starts: Option<String>,
        /// Until when, exclusively. Without it until somebody ends it.
        #[arg(long, value_name = "TIME")]
        ends: Option<String>,
        /// What it is for.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// End a relation now.
    End {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// The relation's id (`rel_…`).
        #[arg(long, value_name = "ID")]
        relation: String,
    },
    /// Say whether two people may reach each other, and why. Exit code 1 where they may not.
    Check {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// The one person: `usr_…` or the sign-in name.
        #[arg(long, value_name = "PERSON")]
        one: String,
        /// The other person.
        #[arg(long, value_name = "PERSON")]
        other: String,
    },
}
