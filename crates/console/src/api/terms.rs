//! The terms of use: which are in force, and accepting them.

use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;

use crate::{call::Call, problem::Fault, reply};

/// `{accept}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The version that was shown.
    pub accept: String,
}

/// GET /me/terms
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.terms(call.cx()?).await?)
}

/// POST /me/terms
pub async fn accept(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Acceptance = call.input()?;
    reply::ok(&call.parts.identity.accept_terms(call.cx()?, &given.accept).await?)
}
