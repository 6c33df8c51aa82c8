#![doc = include_str!("../README.md")]

pub mod body;
mod compile;
mod engine;
pub mod error;
pub mod libinjection;
mod ruleset;
pub mod seclang;
pub mod transform;

pub use engine::{Blocked, Client, Counters, Match, Outcome, Part, RequestHead, ResponseHead, Scores, Transaction};
pub use error::{LoadError, Place};
pub use ruleset::{Options, RuleSet, Stats};
pub use seclang::{Files, action::Mode};
