//! The policy in force, and the functions that can be switched off.

use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::OffInput;
use crate::{call::Call, problem::Fault, reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    value: Value,
}

/// GET /policy
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.policy(call.cx()?).await?)
}

/// PUT /policy/{key}
pub async fn set(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Setting = call.input()?;
    reply::ok(&call.parts.identity.set_policy(call.cx()?, call.param("key"), given.value).await?)
}

/// DELETE /policy/{key}
pub async fn clear(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.clear_policy(call.cx()?, call.param("key")).await?)
}

/// GET /functions
pub async fn functions(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&json!({ "functions": call.parts.identity.functions(call.cx()?).await? }))
}

/// PUT /functions
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let given: OffInput = call.input()?;
    reply::ok(&json!({ "functions": call.parts.identity.switch_functions(call.cx()?, given.off).await? }))
}
