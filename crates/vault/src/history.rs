//! Reading the ledger back for people.

use sekisho_kernel::{Outcome, Time, id::EntryId};

/// Which entries to show. `None` admits everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only entries before this one.
    pub before: Option<EntryId>,
    /// At most so many, 1 to 200 (0 takes 50).
    pub limit: u32,
    /// Not earlier than this.
    pub from: Option<Time>,
    /// Earlier than this.
    pub to: Option<Time>,
    /// By this actor: `usr_…`, `system:sweeper`, `stranger`.
    pub actor: Option<String>,
    /// Of this event, `object.verb`; with a trailing `.`, of every event of that object.
    pub event: Option<String>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// Done to this object.
    pub object: Option<String>,
    /// With this text anywhere in the entry; unseals at most 10,000 entries of the chosen time.
    pub text: Option<String>,
}

/// What a search gave.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The entries, newest first.
    pub rows: Vec<Row>,
    /// Where to go on, when there is more.
    pub next: Option<EntryId>,
}

/// How far an entry has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Committed, not yet in the tree.
    Accepted,
    /// In the tree, not yet under a signed checkpoint.
    Sequenced,
    /// Under a signed checkpoint.
    Protected,
}

impl State {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sequenced => "sequenced",
            Self::Protected => "protected",
        }
    }
}

/// One entry.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: EntryId,
    /// When it happened.
    pub at: Time,
    /// `object.verb`.
    pub event: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Who: `usr_…`, `system:sweeper`, `stranger`.
    pub actor: String,
    /// The opaque id or path that it was done to.
    pub object: String,
    /// The network peer.
    pub address: Option<String>,
    /// The interface.
    pub via: String,
    /// The trace id, hex.
    pub trace: String,
    /// Details by name, in the order in which they were written.
    pub detail: Vec<(String, String)>,
    /// How far it has come.
    pub state: State,
    /// The OCSF event as it was written, JSON.
    pub ocsf: String,
}
