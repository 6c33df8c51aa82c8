//! What tests of several crates share: a store on each database, made for one test and gone after it.
//!
//! Development only: nothing that serves depends on this crate.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests only: a failure here is a failed test")]

mod stores;

pub use stores::{TestStore, each_store, each_test_store, sqlite};
