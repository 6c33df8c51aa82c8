//! The ledger where it is stored: one log for each tenant and one for the platform (the nil tenant).

mod api;
mod appender;
mod draft;
mod enter;
mod export;
mod purge;
mod read;
mod sequence;
mod source;
pub(crate) mod sql;
mod strangers;
mod tables;
mod tiles;

pub use api::{sequence_copy, verify_store};
pub(crate) use appender::Appender;
pub(crate) use draft::{Draft, append};
pub(crate) use enter::enter;
pub use sequence::read_outside;
pub(crate) use strangers::Strangers;
pub(crate) use tables::TABLES;

/// The migrations of the ledger's tables.
pub(crate) const MIGRATIONS: [sekisho_store::Migration; 1] = [sql::MIGRATION];

/// Statements that write without an entry: the tree's own growth.
pub(crate) const BOOKKEEPING: &[(&str, &str)] = &[
    ("LEDGER_LEAF", sql::INSERT_LEAF),
    ("LEDGER_PENDING_DONE", sql::DELETE_PENDING),
    ("LEDGER_TILE", sql::PUT_TILE),
    ("LEDGER_HEAD", sql::INSERT_HEAD),
    ("LEDGER_HEAD_MOVE", sql::MOVE_HEAD),
    ("LEDGER_HEAD_SIGNED", sql::SIGN_HEAD),
    ("LEDGER_CHECKPOINT", sql::INSERT_CHECKPOINT),
    ("LEDGER_CHECKPOINT_MOVE", sql::MOVE_CHECKPOINT),
];
