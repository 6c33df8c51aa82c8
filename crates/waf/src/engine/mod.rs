//! One request and its response, examined phase by phase.

mod check;
mod eval;
mod explain;
mod report;
mod request;
pub mod room;
mod sieve;
pub mod state;
mod transaction;
pub mod values;
pub mod verdicts;

pub use explain::{Explained, ExplainedLink, ExplainedPart, Explanation};
pub(crate) use report::level;
pub use report::{Blocked, Match, Outcome, Part, Scores};
pub use transaction::{Client, RequestHead, ResponseHead, Transaction};
pub use values::Counters;
