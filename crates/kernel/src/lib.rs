//! The vocabulary every room of Sekisho shares: ids, time, randomness, texts, problems, policy, rights,
//! data classes, events, hooks, and the shapes of a control, a claim and a probe. It does no I/O.
//!
//! Layer L0: may use nothing of the workspace.

pub mod id;
pub mod problem;
pub mod rng;
pub mod secret;
pub mod text;
pub mod time;

pub use id::Id;
pub use problem::{Category, Problem, ProblemKind};
pub use rng::{Rng, SystemRng};
pub use secret::Secret;
pub use text::{Lang, Text};
pub use time::{Clock, SystemClock, Time, Zone};
