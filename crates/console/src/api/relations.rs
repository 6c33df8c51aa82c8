//! Relations: who may reach whom.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{RelationQuery, RelationView, Side};
use sekisho_kernel::id::UserId;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    call::{Call, typed},
    problem::Fault,
    reply,
};

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<RelationView>, Option<String>), Fault> {
    let given = call.filter()?;
    let side: Option<Side> = given.get("side").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let query = RelationQuery { side, after: call.position("relations").await?, limit: call.limit(&given) };
    let found = call.parts.identity.relations(call.cx()?, query).await?;
    let next = call.next("relations", found.next).await?;
    Ok((found.items, next))
}

/// GET /relations
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// POST /relations
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_relation(call.cx()?, call.input()?).await?;
    reply::record(StatusCode::CREATED, made.version, &made)
}

/// POST /relations/{id}/end
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    let ended = call.parts.identity.end_relation(call.cx()?, call.id("id")?).await?;
    reply::record(StatusCode::OK, ended.version, &ended)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Two {
    one: UserId,
    other: UserId,
}

/// GET /relations/between
pub async fn between(call: Arc<Call>) -> Result<Response, Fault> {
    let two: Two = typed(call.filter()?)?;
    reply::ok(&call.parts.identity.between(call.cx()?, two.one, two.other).await?)
}

/// POST /relations/check
pub async fn check(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.may_reach(call.cx()?, call.input()?).await?)
}
