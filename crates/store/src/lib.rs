//! SQLite and PostgreSQL from one SQL text.
//!
//! A transaction is a synchronous closure that runs on a database thread: nothing awaits inside it, and on SQLite
//! whatever waits in line is committed together (see `docs/decisions/0001-drivers.md`). This crate alone names a
//! driver and knows which database there is.
//!
//! Portable SQL: `$n` parameters; BIGINT, TEXT and BLOB columns; no time functions; `ON CONFLICT`, `RETURNING` and
//! `WITH` are fine; `SUM` is cast (`CAST(SUM(x) AS BIGINT)`); text sorts and compares by bytes.
//!
//! Layer L1: may use `kernel` (and `ledger`).

mod config;
mod dialect;
mod error;
mod faults;
mod hub;
mod job;
mod migrate;
mod postgres;
pub mod problems;
mod queue;
mod raw;
mod reach;
mod schema;
mod sql;
mod sqlite;
mod store;
mod value;

#[cfg(any(test, feature = "faults"))]
pub use faults::{Fault, Faults, Gate};

pub use config::{Kind, StoreConfig};
pub use error::StoreError;
pub use migrate::Migration;
pub use postgres::Scratch;
#[cfg(any(test, feature = "faults"))]
pub use raw::postgres_script;
pub use raw::{REHEARSAL, Raw};
pub use reach::{Reach, Within};
pub use schema::{Column, ColumnType, Index, Table};
pub use sql::{NOTICE_LIMIT, Notice, RESYNC, Read, Sql};
pub use store::Store;
pub use value::{Param, Row};
