//! Tests of the ledger through its public face.

#![expect(clippy::unwrap_used, reason = "helpers of tests may unwrap as tests do")]

mod encoding;
mod export;
mod lawful;
mod memory;
mod notes;
mod stored;
mod tree;
mod world;
