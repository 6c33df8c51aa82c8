//! Sites.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, SiteView};

use crate::{call::Call, problem::Fault, reply};

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<SiteView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("sites").await?, limit: call.limit(&given) };
    let found = call.parts.identity.sites(call.cx()?, query).await?;
    let next = call.next("sites", found.next).await?;
    Ok((found.items, next))
}

/// GET /sites
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// POST /sites
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_site(call.cx()?, call.input()?).await?;
    reply::record(StatusCode::CREATED, made.version, &made)
}

/// GET /sites/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    let found = call.parts.identity.site(call.cx()?, call.id("id")?).await?;
    reply::record(StatusCode::OK, found.version, &found)
}

/// PATCH /sites/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, version) = (call.id("id")?, call.needed_version()?);
    let changed = call.parts.identity.update_site(call.cx()?, id, version, call.input()?).await?;
    reply::record(StatusCode::OK, changed.version, &changed)
}

/// DELETE /sites/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_site(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}
