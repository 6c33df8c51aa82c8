//! Web Authentication (W3C WebAuthn Level 3), the relying party's half, as pure functions: bytes from a browser in, what
//! they prove out, or the reason for which they prove nothing. No store, no clock, no randomness; docs/decisions/0003.
//!
//! User presence and user verification are required in both ceremonies. Everything is read whole, bounded, once.

mod attestation;
mod cbor;
mod ceremony;
mod cose;
mod data;

pub use attestation::{Attestation, Demand};
pub use ceremony::{Asserted, Expected, Registered, assertion, registration};
pub use cose::{ALGORITHMS, Key};
pub use data::{LONGEST_CLIENT_DATA, LONGEST_ID};

/// Why a response proves nothing: a stable word for the history. Whoever sent it is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

type Read<T> = Result<T, Refused>;
