//! Applications that sign their users in, and which of their unique IDs is which person.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, ClientIssued, ClientView, UniqueIdQuery, UniqueIdView};
use serde_json::{Value, json};

use crate::{call::Call, problem::Fault, reply, serve::defect};

/// One page of clients.
pub(crate) async fn page(call: &Call) -> Result<(Vec<ClientView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("signing-clients").await?, limit: call.limit(&given) };
    let found = call.parts.identity.clients(call.cx()?, query).await?;
    let next = call.next("signing-clients", found.next).await?;
    Ok((found.items, next))
}

/// GET /signing-clients
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

fn issued(status: StatusCode, issued: &ClientIssued) -> Result<Response, Fault> {
    let mut body = serde_json::to_value(&issued.client).map_err(defect)?;
    if let Value::Object(map) = &mut body {
        map.insert("key".into(), json!(issued.secret.reveal()));
    }
    reply::record(status, issued.client.version, &body)
}

fn one(client: &ClientView) -> Result<Response, Fault> {
    reply::record(StatusCode::OK, client.version, client)
}

/// POST /signing-clients
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    issued(StatusCode::CREATED, &call.parts.identity.create_client(call.cx()?, call.input()?).await?)
}

/// GET /signing-clients/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    one(&call.parts.identity.client(call.cx()?, call.id("id")?).await?)
}

/// PATCH /signing-clients/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, version) = (call.id("id")?, call.needed_version()?);
    one(&call.parts.identity.update_client(call.cx()?, id, version, call.input()?).await?)
}

/// DELETE /signing-clients/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_client(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}

/// POST /signing-clients/{id}/key
pub async fn renew(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    issued(StatusCode::OK, &call.parts.identity.renew_client(call.cx()?, call.id("id")?).await?)
}

/// GET /unique-ids
pub async fn links(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let id = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let query = UniqueIdQuery {
        after: call.position("unique-ids").await?,
        limit: call.limit(&given),
        client: id("client").and_then(|t| t.parse().ok()),
        user: id("user").and_then(|t| t.parse().ok()),
    };
    let found = call.parts.identity.unique_ids(call.cx()?, query).await?;
    let next = call.next("unique-ids", found.next).await?;
    reply::list(&found.items, next.as_deref())
}

/// POST /unique-ids
pub async fn link(call: Arc<Call>) -> Result<Response, Fault> {
    let made: UniqueIdView = call.parts.identity.create_unique_id(call.cx()?, call.input()?).await?;
    reply::record(StatusCode::CREATED, made.version, &made)
}

/// DELETE /unique-ids/{id}
pub async fn unlink(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_unique_id(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}
