//! The paper's tests: what it looks like, and that nothing unproven is printed as a fact.

mod catalogue;
mod honesty;
mod safety;
mod sample;
mod snapshots;
