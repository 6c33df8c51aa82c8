//! The keys of an instance, and the only place that sees key bytes.
//!
//! ```text
//! root key (file, passphrase, or another provider)
//!   └─ AES-256-KWP under a key derived for each context ─► tenant key, versioned (the platform, nil, has one too)
//!        └─ AES-256-KWP ─► data secret, versioned ─ HKDF-SHA256 ─► one table key each ─ XAES-256-GCM ─► one key a record
//!        └─ AES-256-KWP ─► blind-index secret ─ HKDF-SHA256 ─► HMAC-SHA256 key
//! ```
//!
//! Data and blind-index secrets are random and wrapped, not derived, so that scheduled rotation replaces the tenant key
//! and rewraps two short rows, while records and indexes stay as they are. One data secret stands for all tables of
//! a tenant, with the table keys derived from it: a thousand tenants are two thousand rows, not tens of thousands, and
//! a new table needs no write. After a compromise a new data secret is made and everything is resealed.
//!
//! Layer L1: uses `store`.

mod blind;
mod kdf;
mod keys;
mod kwp;
pub mod problem;
mod root;
mod seal;
mod sign;
pub mod sql;
mod tenant;
#[cfg(test)]
mod wycheproof;
mod xaes;

pub use blind::{LENGTH as BLIND_LENGTH, NORMALISER, normalise};
pub use keys::{KeyState, Keys};
pub use root::{RootFile, RootKey, RootSource};
pub use seal::{HEADER, OVERHEAD, Place};
pub use sign::{PublicKey, Purpose, Signer};
pub use sql::MIGRATION;
pub use tenant::TenantKeys;
