//! Identity on both databases, behind the real vault, keys and gates.

#![allow(clippy::unwrap_used, reason = "tests only")]

mod accounts;
mod equal;
mod house;
mod lockout;
mod oauth;
mod risk;
mod rules;
mod scim;
mod sessions;
mod sign_in;
mod signature;
mod tenancy;
mod tokens;
mod weeks;
