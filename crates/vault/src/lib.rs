//! Tenant data: sealed records, the data catalogue, the ledger's persistence, and the only transaction that engines see.
//!
//! Layer L1. An engine reads and writes through [`Vault::act`], [`Vault::look`], [`Vault::peek`], [`Vault::keep`] and
//! nothing else; each is bound to one tenant.
//!
//! | to | use |
//! | --- | --- |
//! | declare what is stored | [`Record`] with a `RecordDef`, given to [`Parts::records`] |
//! | write | [`Vault::act`]: access check, write and entry, in one transaction |
//! | read for somebody | [`Vault::look`]: access check, read, entry |
//! | read for the system itself | [`Vault::peek`] |
//! | move a counter | [`Vault::keep`] with a declared [`Bookkeeping`] statement |
//! | find out whose a host name or token is | [`Vault::resolve_pointer`] |

mod act;
mod answers;
pub mod catalogue;
mod compose;
pub mod history;
mod ids;
mod jobs;
mod keep;
pub mod log;
mod parts;
pub mod problem;
mod record;
mod rows;
mod scope;
mod sql;
mod tenants;
mod tx;
mod vault;
mod view;

pub use act::{Act, Committed, Entry, Need, Permit};
pub use answers::Answered;
pub use jobs::{MATRIX as JOB_MATRIX, matrix as job_matrix};
pub use keep::{Bookkeeping, Keeper};
pub use parts::Parts;
pub use record::{ClearValue, Page, Param, Record, Stored};
pub use scope::Scope;
pub use sekisho_keys::{KeyState, PublicKey, Purpose, Signer};
pub use tx::Tx;
pub use vault::{Vault, migrations, rehearsal_migrations};
pub use view::View;
