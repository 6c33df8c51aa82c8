//! What tests of several crates share: a store on each database, made for one test and gone after it.
//!
//! Development only: nothing that serves depends on this crate.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests only: a failure here is a failed test")]

mod authenticator;
mod cluster;
mod stores;

pub use authenticator::{Algorithm, Authenticator, Credential, Statement, Twist};
pub use cluster::{Cluster, Database, ENV, pg, with_cluster};
pub use stores::{TestStore, each_store, each_test_store, postgres, sqlite};
