//! Tenant data: sealed records, the data catalogue, the ledger's persistence, and the only transaction that engines see.
//!
//! Layer L1. An engine reads and writes through [`Vault::act`], [`Vault::look`], [`Vault::peek`], [`Vault::keep`] and
//! nothing else; each is bound to one tenant.

mod act;
pub mod history;
mod record;
mod scope;
mod tx;
mod vault;

pub use act::{Act, Committed, Entry, Need, Permit};
pub use record::{ClearValue, Page, Param, Record, Stored};
pub use scope::Scope;
pub use tx::{Bookkeeping, Keeper, Tx, View};
pub use vault::Vault;
