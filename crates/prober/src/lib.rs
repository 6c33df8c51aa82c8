//! Runs probes against a rehearsal or a serving instance and says what they found.
//!
//! The prober is apart from what it checks: it reaches an instance only through its front doors and, in a rehearsal,
//! through the raw bytes and the clock that [`sekisho_kernel::world::Rehearsed`] gives it. It speaks TLS, HTTP and
//! WebSocket with clients of its own and trusts nothing that the instance says of itself.
//!
//! Layer L3: may use L1 and L0, never an engine.

mod chromium;
pub mod client;
pub mod evidence;
pub mod hello;
pub mod live;
pub mod rehearsal;
pub mod report;
pub mod run;
mod socket;
mod totp;

pub use evidence::Evidence;
pub use run::{Plan, Progress, Proof};
