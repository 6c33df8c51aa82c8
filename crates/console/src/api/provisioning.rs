//! Connections of identity providers, and which role a provisioned group gives.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, GroupMap, MappedGroupView};
use serde_json::{Value, json};

use super::scim::base;
use crate::{call::Call, problem::Fault, reply, serve::defect};

/// GET /provisioning
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let connections = call.parts.identity.connections(call.cx()?).await?;
    let open = call.parts.gates.provisioning(&call.arrival.policy).scim;
    reply::ok(&json!({ "address": base(&call), "open": open, "connections": connections }))
}

/// POST /provisioning
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_connection(call.cx()?, call.input()?).await?;
    let mut body = serde_json::to_value(&made.token).map_err(defect)?;
    if let Value::Object(map) = &mut body {
        map.insert("token".into(), json!(made.text.reveal()));
    }
    reply::record(StatusCode::CREATED, made.token.version, &body)
}

/// One page of groups.
pub(crate) async fn page(call: &Call) -> Result<(Vec<MappedGroupView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("groups").await?, limit: call.limit(&given) };
    let found = call.parts.identity.mapped_groups(call.cx()?, query).await?;
    let next = call.next("groups", found.next).await?;
    Ok((found.items, next))
}

/// GET /provisioning/groups
pub async fn groups(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// PUT /provisioning/groups/{id}
pub async fn map(call: Arc<Call>) -> Result<Response, Fault> {
    let given: GroupMap = call.input()?;
    let done = call.parts.identity.map_group(call.cx()?, call.id("id")?, call.version()?, given).await?;
    reply::record(StatusCode::OK, done.version, &done)
}
