//! Receivers of security signals, and what they need to trust us (SSF 1.0 §7.1).

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, Check, ReceiverPatch, ReceiverView};
use serde_json::{Value, json};

use super::oauth::issuer;
use crate::{call::Call, problem::Fault, reply};

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<ReceiverView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("signal-receivers").await?, limit: call.limit(&given) };
    let found = call.parts.identity.receivers(call.cx()?, query).await?;
    let next = call.next("signal-receivers", found.next).await?;
    Ok((found.items, next))
}

/// GET /signal-receivers
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

fn one(status: StatusCode, receiver: &ReceiverView) -> Result<Response, Fault> {
    reply::record(status, receiver.version, receiver)
}

/// POST /signal-receivers
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_receiver(call.cx()?, &issuer(&call), call.input()?).await?;
    one(StatusCode::CREATED, &made)
}

/// GET /signal-receivers/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    one(StatusCode::OK, &call.parts.identity.receiver(call.cx()?, call.id("id")?).await?)
}

/// PATCH /signal-receivers/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let patch: ReceiverPatch = call.input()?;
    let version = call.needed_version()?;
    one(StatusCode::OK, &call.parts.identity.update_receiver(call.cx()?, call.id("id")?, version, patch).await?)
}

/// DELETE /signal-receivers/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_receiver(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}

/// POST /signal-receivers/{id}/test
pub async fn test(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    let checks = call.parts.identity.test_receiver(call.cx()?, call.id("id")?).await?;
    let shown = |c: &Check| json!({"name": c.name, "good": c.good, "says": {"ja": c.says.ja, "en": c.says.en}});
    reply::ok(&json!({
        "good": checks.iter().all(|c| c.good),
        "checks": checks.iter().map(shown).collect::<Vec<_>>(),
    }))
}

/// GET /.well-known/ssf-configuration. Streams are set up by an administrator, so that there is no endpoint for that.
pub async fn configuration(call: Arc<Call>) -> Result<Response, Fault> {
    let issuer = issuer(&call);
    reply::ok(&json!({
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/oauth/jwks"),
        "delivery_methods_supported": ["urn:ietf:rfc:8935"],
        "default_subjects": "ALL",
    }))
}
