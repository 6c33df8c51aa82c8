//! Third-party applications, and which of them act for oneself.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, ApplicationView, TurnKeys};
use serde_json::{Value, json};

use crate::{call::Call, problem::Fault, reply, serve::defect};

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<ApplicationView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("applications").await?, limit: call.limit(&given) };
    let found = call.parts.identity.applications(call.cx()?, query).await?;
    let next = call.next("applications", found.next).await?;
    Ok((found.items, next))
}

/// GET /applications
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// POST /applications
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_application(call.cx()?, call.input()?).await?;
    let mut body = serde_json::to_value(&made.application).map_err(defect)?;
    if let (Some(secret), Value::Object(map)) = (&made.secret, &mut body) {
        map.insert("secret".into(), json!(secret.reveal()));
    }
    reply::record(StatusCode::CREATED, made.application.version, &body)
}

fn one(application: &ApplicationView) -> Result<Response, Fault> {
    reply::record(StatusCode::OK, application.version, application)
}

/// GET /applications/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    one(&call.parts.identity.application(call.cx()?, call.id("id")?).await?)
}

/// POST /applications/{id}/approve
pub async fn approve(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one(&call.parts.identity.decide_application(call.cx()?, call.id("id")?, true).await?)
}

/// POST /applications/{id}/stop
pub async fn stop(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one(&call.parts.identity.decide_application(call.cx()?, call.id("id")?, false).await?)
}

/// DELETE /applications/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_application(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}

/// GET /signing-keys
pub async fn keys(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.signing_key_list(call.cx()?).await?, None)
}

/// POST /signing-keys/turn
pub async fn turn_keys(call: Arc<Call>) -> Result<Response, Fault> {
    let turn: TurnKeys = call.input()?;
    reply::list(&call.parts.identity.turn_signing_keys(call.cx()?, turn.withdraw).await?, None)
}

/// GET /me/applications
pub async fn consents(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.consents(call.cx()?).await?, None)
}

/// DELETE /me/applications/{id}
pub async fn withdraw(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.withdraw(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}
