//! The back door: SQL without any of the store's checks, into a store that nobody relies on.

use std::path::PathBuf;

use crate::{
    config::{Place, StoreConfig},
    error::StoreError,
    params, postgres, sqlite,
    value::Row,
};

/// The mark (see [`crate::Store::set_mark`]) of a store that a rehearsal made for itself and that may be broken.
pub const REHEARSAL: &str = "rehearsal";

/// Raw access to a rehearsal's database, as someone with the disk or the owner's password would have it: triggers may
/// be dropped, rows changed behind the store's back. It opens no store but one marked [`REHEARSAL`].
pub struct Raw(Door);

enum Door {
    Sqlite(PathBuf),
    Postgres(Box<postgres::Endpoint>),
}

impl Raw {
    /// Opens the database of `config`, beside a store that is open or not.
    ///
    /// # Errors
    /// [`StoreError::Refused`] unless the store is marked [`REHEARSAL`], or whatever opening meets.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let raw = Self(match &config.place {
            Place::Sqlite { dir } => Door::Sqlite(dir.join(sqlite::FILE)),
            Place::Postgres { service, owner, ca } => {
                Door::Postgres(Box::new(postgres::Endpoint::new(owner.as_ref().unwrap_or(service), ca.as_deref())?))
            }
        });
        let marked = raw.query(&format!("SELECT value FROM meta WHERE key = '{REHEARSAL}'"));
        if marked.is_ok_and(|rows| rows.len() == 1) {
            Ok(raw)
        } else {
            Err(StoreError::Refused("raw access is for stores marked as a rehearsal's".into()))
        }
    }

    /// Copies what lies in SQLite's write-ahead log into the database file, and leaves it in the log as well. Nothing on
    /// PostgreSQL.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn write_back(&self) -> Result<(), StoreError> {
        match &self.0 {
            Door::Sqlite(_) => self.query("PRAGMA wal_checkpoint(PASSIVE)").map(drop),
            Door::Postgres(_) => Ok(()),
        }
    }

    /// Runs a script: any statements of that database.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn run(&self, script: &str) -> Result<(), StoreError> {
        match &self.0 {
            Door::Sqlite(path) => {
                let conn = sqlite::conn::open(path, sqlite::conn::Role::Raw)?;
                conn.execute_batch(script).map_err(|e| sqlite::conn::error(e, script))
            }
            Door::Postgres(endpoint) => postgres::script(endpoint, script),
        }
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn query(&self, sql: &str) -> Result<Vec<Row>, StoreError> {
        match &self.0 {
            Door::Sqlite(path) => {
                let conn = sqlite::conn::open(path, sqlite::conn::Role::Raw)?;
                let mut statement = conn.prepare(sql).map_err(|e| sqlite::conn::error(e, sql))?;
                let mut rows = Vec::new();
                sqlite::conn::for_each(&mut statement, sql, &params![], &mut |row| {
                    rows.push(row);
                    Ok(true)
                })?;
                Ok(rows)
            }
            Door::Postgres(endpoint) => postgres::rows(endpoint, sql),
        }
    }
}

/// Runs `script` on the PostgreSQL server at `url`, as whoever it names. For test clusters.
///
/// # Errors
/// Any [`StoreError`].
#[cfg(any(test, feature = "faults"))]
pub fn postgres_script(url: &str, script: &str) -> Result<(), StoreError> {
    postgres::script(&postgres::Endpoint::new(&sekisho_kernel::Secret::new(url.to_owned()), None)?, script)
}
