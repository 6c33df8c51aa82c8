//! Responses, logout messages and metadata: those of implementations that are not ours, and those of attackers.

#![allow(clippy::unwrap_used, reason = "tests only")]

mod attacks;
mod counterparts;
mod forge;
mod hidden;
mod judged;
mod logout;
mod metadata;
mod properties;
mod requests;
mod wrapping;
