//! Where the data is and how many threads reach for it.

use std::path::PathBuf;

use sekisho_kernel::Secret;

use crate::faults::FaultPoint;

/// Which database holds the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Embedded, one process, one data directory.
    Sqlite,
    /// A server that several nodes share.
    Postgres,
}

#[derive(Clone)]
pub(crate) enum Place {
    Sqlite { dir: PathBuf },
    Postgres { service: Secret<String>, owner: Option<Secret<String>>, ca: Option<PathBuf> },
}

/// How to open a store.
#[derive(Clone)]
pub struct StoreConfig {
    pub(crate) place: Place,
    pub(crate) readers: usize,
    pub(crate) writers: usize,
    pub(crate) faults: FaultPoint,
}

impl StoreConfig {
    /// SQLite in the data directory `dir`, made (0700) if missing, locked against any other process.
    pub fn sqlite(dir: impl Into<PathBuf>) -> Self {
        Self { place: Place::Sqlite { dir: dir.into() }, readers: 4, writers: 1, faults: FaultPoint::default() }
    }
    /// PostgreSQL. `service` is the URL (or key=value text) of the role that serves; `owner` that of the role that
    /// owns the tables and runs migrations. Without `owner` the service role does both, and the database itself then
    /// forbids it less.
    pub fn postgres(service: Secret<String>, owner: Option<Secret<String>>) -> Self {
        Self {
            place: Place::Postgres { service, owner, ca: None },
            readers: 8,
            writers: 8,
            faults: FaultPoint::default(),
        }
    }
    /// The PEM file of the authority that signed the PostgreSQL server's certificate. A server on another machine is
    /// reached by TLS verified against it, or not at all.
    #[must_use]
    pub fn ca(mut self, file: impl Into<PathBuf>) -> Self {
        if let Place::Postgres { ca, .. } = &mut self.place {
            *ca = Some(file.into());
        }
        self
    }
    /// Number of reading threads (at least 1), on PostgreSQL a connection each.
    #[must_use]
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }
    /// Number of writing threads (at least 1), a connection each, on PostgreSQL. SQLite always has one.
    #[must_use]
    pub fn writers(mut self, writers: usize) -> Self {
        self.writers = writers.max(1);
        self
    }
    /// Which database it names.
    pub const fn kind(&self) -> Kind {
        match self.place {
            Place::Sqlite { .. } => Kind::Sqlite,
            Place::Postgres { .. } => Kind::Postgres,
        }
    }
    /// Lets `faults` befall the store's commits.
    #[cfg(any(test, feature = "faults"))]
    #[must_use]
    pub fn with_faults(mut self, faults: crate::faults::Faults) -> Self {
        self.faults.faults = Some(faults);
        self
    }
}
