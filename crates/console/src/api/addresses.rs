//! Address rules.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{AddressRuleView, After};

use crate::{call::Call, problem::Fault, reply};

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<AddressRuleView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("addresses").await?, limit: call.limit(&given) };
    let found = call.parts.identity.address_rules(call.cx()?, query).await?;
    let next = call.next("addresses", found.next).await?;
    Ok((found.items, next))
}

/// GET /address-rules
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// POST /address-rules
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_address_rule(call.cx()?, call.input()?).await?;
    reply::record(StatusCode::CREATED, made.version, &made)
}

/// GET /address-rules/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    let found = call.parts.identity.address_rule(call.cx()?, call.id("id")?).await?;
    reply::record(StatusCode::OK, found.version, &found)
}

/// PATCH /address-rules/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, version) = (call.id("id")?, call.needed_version()?);
    let changed = call.parts.identity.update_address_rule(call.cx()?, id, version, call.input()?).await?;
    reply::record(StatusCode::OK, changed.version, &changed)
}

/// DELETE /address-rules/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_address_rule(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}
