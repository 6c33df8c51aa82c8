//! The people whom one may reach.

use std::sync::Arc;

use axum::response::Response;
use sekisho_identity::types::{PeopleQuery, PersonCard};
use serde_json::Value;

use crate::{call::Call, problem::Fault, reply};

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<PersonCard>, Option<String>), Fault> {
    let given = call.filter()?;
    let text = given.get("text").and_then(Value::as_str).map(str::to_owned);
    let query = PeopleQuery { text, after: call.position("people").await?, limit: call.limit(&given) };
    let found = call.parts.identity.people(call.cx()?, query).await?;
    let next = call.next("people", found.next).await?;
    Ok((found.items, next))
}

/// GET /people
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// GET /people/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.person(call.cx()?, call.id("id")?).await?)
}
