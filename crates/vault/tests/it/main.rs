//! The vault on both databases.

mod acts;
mod answers;
mod catalogue;
mod history;
mod house;
mod records;
mod taken_out;
mod tamper;
mod tenants;
mod trouble;
