//! One's own account.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use serde_json::json;

use super::{CodeInput, PasswordChange, PasswordInput, oauth::issuer, sign_in::enrolment_json};
use crate::{call::Call, cookie, problem::Fault, reply};

/// GET /me
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.me(call.cx()?).await?)
}

/// PUT /me/password
pub async fn password(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasswordChange = call.input()?;
    call.parts.identity.change_password(call.cx()?, given.current.0, given.new.0).await?;
    reply::nothing()
}

/// POST /me/reauthenticate
pub async fn reauthenticate(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasswordInput = call.input()?;
    call.parts.identity.reauthenticate(call.cx()?, given.password.0).await?;
    reply::nothing()
}

/// GET /me/factors
pub async fn factors(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.factors(call.cx()?).await?, None)
}

/// POST /me/factors
pub async fn enrol(call: Arc<Call>) -> Result<Response, Fault> {
    let _: serde_json::Value = call.input()?;
    let enrolment = call.parts.identity.enrol_factor(call.cx()?).await?;
    reply::json(StatusCode::CREATED, &enrolment_json(&enrolment))
}

/// POST /me/factors/{id}/confirm
pub async fn confirm(call: Arc<Call>) -> Result<Response, Fault> {
    let given: CodeInput = call.input()?;
    let codes = call.parts.identity.confirm_factor(call.cx()?, call.id("id")?, given.code.0).await?;
    let codes: Vec<_> = codes.iter().map(|c| c.reveal().as_str()).collect();
    reply::ok(&json!({ "recovery_codes": codes }))
}

/// DELETE /me/factors/{id}
pub async fn remove(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasswordInput = call.input()?;
    call.parts.identity.delete_factor(call.cx()?, call.id("id")?, given.password.0).await?;
    reply::nothing()
}

/// POST /me/recovery-codes
pub async fn codes(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasswordInput = call.input()?;
    let codes = call.parts.identity.new_recovery_codes(call.cx()?, given.password.0).await?;
    let codes: Vec<_> = codes.iter().map(|c| c.reveal().as_str()).collect();
    reply::ok(&json!({ "recovery_codes": codes }))
}

/// GET /me/sessions
pub async fn sessions(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.own_sessions(call.cx()?).await?, None)
}

/// DELETE /me/sessions/{id}
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_own_session(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}

/// DELETE /me/sessions?keep=…
pub async fn end_many(call: Arc<Call>) -> Result<Response, Fault> {
    let every = call.filter()?.get("keep").is_some_and(|keep| keep == "none");
    let cx = call.cx()?;
    if !every {
        let ended = call.parts.identity.end_other_sessions(cx).await?;
        return reply::ok(&json!({ "ended": ended }));
    }
    let (ended, onward) = call.parts.identity.end_every_session(cx, &issuer(&call)).await?;
    let mut response = reply::ok(&json!({ "ended": ended, "onward": onward }))?;
    cookie::wipe(response.headers_mut());
    Ok(response)
}
