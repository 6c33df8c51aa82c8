//! The vault on both databases.

mod acts;
mod house;
mod records;
mod tamper;
