//! What a transaction's closure may do.

use std::{borrow::Cow, sync::Arc};

use crate::{
    error::StoreError,
    reach::Reach,
    value::{Param, Row},
};

/// Reading within a transaction. All statements see one state: a snapshot in [`crate::Store::read`], what was
/// committed before each statement plus one's own writes in [`crate::Store::write`] on PostgreSQL (READ COMMITTED),
/// and the one writer's state on SQLite.
pub trait Read {
    /// All rows of the answer.
    ///
    /// # Errors
    /// Any [`StoreError`]; after one, a write transaction cannot go on and its closure must return an error.
    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.for_each(sql, params, &mut |row| {
            rows.push(row);
            Ok(true)
        })?;
        Ok(rows)
    }
    /// The one row of the answer, or none.
    ///
    /// # Errors
    /// As [`Read::query`], and [`StoreError::Bug`] when there are several.
    fn query_opt(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, StoreError> {
        let mut found = None;
        self.for_each(sql, params, &mut |row| {
            if found.replace(row).is_some() {
                return Err(StoreError::Bug(format!("more than one row: {sql}")));
            }
            Ok(true)
        })?;
        Ok(found)
    }
    /// Reaches another tenant's rows from here on, until this transaction ends or reaches elsewhere: what one act does
    /// in two logs, and nothing more.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn reach(&mut self, reach: Reach) -> Result<(), StoreError>;
    /// Prepares a statement without running it, so that a text that one database would refuse is found at once.
    ///
    /// # Errors
    /// [`StoreError::Bug`] when the database does not understand it.
    fn prepare(&mut self, sql: &str) -> Result<(), StoreError>;
    /// Hands over row by row without holding them all; stops after `each` answers `false`. For exports and proofs.
    ///
    /// # Errors
    /// As [`Read::query`], and whatever `each` returns.
    fn for_each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError>;
}

/// Reading and writing within a transaction.
///
/// A statement that fails ends the transaction on both databases (PostgreSQL demands it, SQLite is held to it): the
/// closure should return the error, and whatever it returns, nothing of it stands.
pub trait Sql: Read {
    /// Runs one INSERT, UPDATE or DELETE; the number of rows changed.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError>;

    /// Runs one statement for each of `rows`, without a round trip for each; the sum of rows changed.
    ///
    /// # Errors
    /// The first [`StoreError`].
    fn exec_many(&mut self, sql: &str, rows: &[Vec<Param<'_>>]) -> Result<u64, StoreError>;

    /// Tells every node `topic` and `payload` (together at most 4,000 bytes) after this transaction has been
    /// committed physically: on this node before the writer is answered, on others within 1 s.
    ///
    /// # Errors
    /// [`StoreError::Bug`] when it is too long.
    fn notify(&mut self, topic: &'static str, payload: &str) -> Result<(), StoreError>;

    /// Takes the lock called `name` until this transaction ends; `false` when another node holds it. Background
    /// jobs that only one node may run begin with it. On SQLite there is one writer, so it is always had.
    ///
    /// # Errors
    /// Any [`StoreError`].
    fn try_lock(&mut self, name: &str) -> Result<bool, StoreError>;
}

/// Longest topic and payload of a notice together, in bytes (PostgreSQL's limit is 8,000 with our framing).
pub const NOTICE_LIMIT: usize = 4_000;

/// Topic of the notice that says: notices may have been missed, forget whatever was cached.
pub const RESYNC: &str = "store.resync";

/// What a committed transaction told all nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about, as given to [`Sql::notify`]; or [`RESYNC`].
    pub topic: Cow<'static, str>,
    /// The rest.
    pub payload: Arc<str>,
    /// Whether it was committed by this very [`crate::Store`].
    pub own: bool,
}
