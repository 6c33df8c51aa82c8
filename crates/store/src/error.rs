//! What can go wrong in a store, the same on both databases.

use std::path::PathBuf;

use sekisho_kernel::{Problem, Text};

use crate::problems as p;

/// A store's error. Unless it is [`StoreError::Uncertain`], nothing of the transaction stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room left where the database writes.
    #[error("the store's disk is full: {0}")]
    Full(String),
    /// Another process holds the data directory.
    #[error("another process holds {}", .0.display())]
    Locked(PathBuf),
    /// The database does not answer. The next call tries to connect again.
    #[error("the database is out of reach: {0}")]
    Lost(String),
    /// The connection ended between COMMIT and its answer: the transaction may stand or not, never half.
    #[error("the database went away during a commit: {0}")]
    Uncertain(String),
    /// Too much waits already, or a lock was not had in time.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// Deadlock or serialization failure; the same transaction may be tried again.
    #[error("a concurrent transaction was in the way: {0}")]
    Conflict(String),
    /// A unique value is taken. `what` names `table.column, table.column`, never a value.
    #[error("already taken: {what}")]
    Unique {
        /// The columns.
        what: String,
    },
    /// Another constraint of the schema (NOT NULL, CHECK, foreign key, size) does not hold.
    #[error("a constraint does not hold: {0}")]
    Constraint(String),
    /// The database forbids it: an append-only table, or a right that the service role lacks.
    #[error("the database forbids it: {0}")]
    Refused(String),
    /// The database file is damaged or is none of ours.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// Reading or writing failed below the database.
    #[error("input or output failed: {0}")]
    Io(String),
    /// The schema holds a migration that this binary does not know.
    #[error("the schema has migration {0}, which this binary does not know")]
    Newer(u32),
    /// A recorded migration differs from this binary's.
    #[error("migration {number} ({name}) was applied in another wording")]
    Differs {
        /// Its number.
        number: u32,
        /// Its name in this binary.
        name: String,
    },
    /// The store's settings do not make sense.
    #[error("the store's configuration: {0}")]
    Config(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A defect of ours.
    #[error("defect: {0}")]
    Bug(String),
}

impl StoreError {
    /// Whether the same transaction may simply be tried again.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Busy(_))
    }
    /// Whether a unique value is taken and `column` (`table.column`) is among its columns.
    pub fn is_unique(&self, column: &str) -> bool {
        matches!(self, Self::Unique { what } if what.split(", ").any(|c| c == column))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Full(_) => &p::FULL,
            StoreError::Locked(path) => {
                let path = path.display().to_string();
                return Self::new(&p::LOCKED).at(path).log(error);
            }
            StoreError::Lost(_) => &p::LOST,
            StoreError::Uncertain(_) => &p::UNCERTAIN,
            StoreError::Busy(_) => &p::BUSY,
            StoreError::Conflict(_) => &p::CONFLICT,
            StoreError::Unique { .. } => &p::UNIQUE,
            StoreError::Constraint(_) => &p::CONSTRAINT,
            StoreError::Refused(_) => &p::REFUSED,
            StoreError::Corrupt(_) => &p::CORRUPT,
            StoreError::Io(_) => &p::IO,
            StoreError::Newer(n) => {
                let detail = Text::owned(
                    format!("マイグレーション {n} を知りません。"),
                    format!("It does not know migration {n}."),
                );
                return Self::new(&p::NEWER).detail(detail).log(error);
            }
            StoreError::Differs { number, name } => {
                let detail = Text::owned(
                    format!("マイグレーション {number}（{name}）です。"),
                    format!("It is migration {number} ({name})."),
                );
                return Self::new(&p::DIFFERS).detail(detail).log(error);
            }
            StoreError::Config(why) => {
                let detail = Text::owned(why.clone(), why.clone());
                return Self::new(&p::CONFIG).detail(detail).log(error);
            }
            StoreError::Closed => &p::CLOSED,
            StoreError::Bug(_) => &sekisho_kernel::problem::INTERNAL,
        };
        let problem = Self::new(kind).log(&error);
        if error.is_retryable() { problem.retry_after(std::time::Duration::from_secs(1)) } else { problem }
    }
}
