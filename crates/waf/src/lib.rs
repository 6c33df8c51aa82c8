#![doc = include_str!("../README.md")]

pub mod body;
mod compile;
mod engine;
pub mod error;
#[cfg(feature = "ftw")]
pub mod ftw;
pub mod libinjection;
pub mod mask;
pub mod presets;
mod ruleset;
pub mod seclang;
pub mod transform;
pub mod wire;

pub use engine::{
    Blocked, Client, Counters, Explained, ExplainedLink, ExplainedPart, Explanation, Match, Outcome, Part, RequestHead,
    ResponseHead, Scores, Transaction,
};
pub use error::{LoadError, Place};
pub use ruleset::{Exclusion, Options, RuleInfo, RuleSet, Stats};
pub use seclang::{Files, InMemory, Which, action::Mode};
