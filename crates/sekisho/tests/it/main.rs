//! The whole product, as it is started: processes that are killed, data of earlier versions, hostile bytes.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests: a failure is a failed test, and long ones say how far they are"
)]

mod crash;
mod fixtures;
mod fuzz;
mod rehearsed;
mod relation;
mod served;
