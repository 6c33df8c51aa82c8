//! Our keys towards SAML providers: the next one is prepared, taken into use, the one before retired.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::SamlKeyView;
use serde_json::Value;

use crate::{call::Call, problem::Fault, reply};

/// GET /saml-keys
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.saml_keys(call.cx()?).await?, None)
}

fn one(status: StatusCode, key: &SamlKeyView) -> Result<Response, Fault> {
    reply::record(status, key.version, key)
}

/// POST /saml-keys
pub async fn prepare(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one(StatusCode::CREATED, &call.parts.identity.prepare_saml_key(call.cx()?).await?)
}

/// POST /saml-keys/{id}/switch
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one(StatusCode::OK, &call.parts.identity.switch_saml_key(call.cx()?, call.id("id")?).await?)
}

/// DELETE /saml-keys/{id}
pub async fn retire(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.retire_saml_key(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}
