//! The handlers of `/api/v1`: read the input, call the engine, write the answer. What is allowed is decided where it
//! is done.

use std::sync::Arc;

use axum::response::Response;
use sekisho_kernel::Secret;
use serde::{Deserialize, Deserializer};

use crate::{call::Call, openapi, problem::Fault, reply};

pub mod addresses;
pub mod applications;
pub mod claims;
pub mod clients;
pub mod federation;
pub mod firewall;
pub mod history;
pub mod me;
pub mod oauth;
pub mod passkeys;
pub mod people;
pub mod policy;
pub mod provisioning;
pub mod relations;
pub mod risk;
pub mod roles;
pub mod saml_keys;
pub mod scim;
pub mod sign_in;
pub mod signals;
pub mod sites;
pub mod terms;
pub mod tokens;
pub mod users;

/// A secret field of an input.
pub struct Hidden(pub Secret<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|s| Self(Secret::new(s)))
    }
}

/// `{code}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeInput {
    /// Six digits.
    pub code: Hidden,
}

/// `{password}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordInput {
    /// One's own.
    pub password: Hidden,
}

/// `{current, new}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one.
    pub current: Hidden,
    /// The new one.
    pub new: Hidden,
}

/// `{off}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffInput {
    /// Functions' names.
    pub off: Vec<String>,
}

/// GET /openapi.json
pub async fn document(_call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(openapi::document())
}
