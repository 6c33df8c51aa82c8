//! The controls' tests: settings and profiles, gates with and without each control, claims and paper texts.

mod claims;
mod gates;
mod profiles;
mod turned;
