//! The engine against its specifications: the rule set's own corpus, ordinary traffic, hostile input.

#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "a test that cannot go on fails")]

mod crs;
mod debian;
mod ftw;
mod hostile;
mod inputs;
mod ordinary;
mod properties;
mod protocol;
mod reference;
mod rules;
mod same;
mod traffic;
