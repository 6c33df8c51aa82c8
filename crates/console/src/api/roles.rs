//! Roles, the rights catalogue, and who holds which role.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, GrantQuery, RoleView};
use sekisho_kernel::Right;
use serde_json::{Value, json};

use crate::{call::Call, problem::Fault, reply, serve::defect};

/// GET /rights
pub async fn rights(call: Arc<Call>) -> Result<Response, Fault> {
    let act = call.act(Right::ROLES_READ, "rights")?;
    call.parts.vault.look(call.cx()?, act, |_| Ok(())).await?;
    let items: Vec<_> = Right::all()
        .map(|r| {
            json!({
                "name": r.name(),
                "text": r.text(),
                "function": r.function().name(),
                "by_site": r.by_site(),
            })
        })
        .collect();
    reply::list(&items, None)
}

/// One page of roles.
pub(crate) async fn page(call: &Call) -> Result<(Vec<RoleView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("roles").await?, limit: call.limit(&given) };
    let found = call.parts.identity.roles(call.cx()?, query).await?;
    let next = call.next("roles", found.next).await?;
    Ok((found.items, next))
}

/// GET /roles
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// POST /roles
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let role = call.parts.identity.create_role(call.cx()?, call.input()?).await?;
    reply::record(StatusCode::CREATED, role.version, &role)
}

/// GET /roles/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    let role = call.parts.identity.role(call.cx()?, call.id("id")?).await?;
    reply::record(StatusCode::OK, role.version, &role)
}

/// PATCH /roles/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, version) = (call.id("id")?, call.needed_version()?);
    let role = call.parts.identity.update_role(call.cx()?, id, version, call.input()?).await?;
    reply::record(StatusCode::OK, role.version, &role)
}

/// DELETE /roles/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_role(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}

/// GET /grants
pub async fn grants(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let id = |name: &str| given.get(name).and_then(Value::as_str);
    let query = GrantQuery {
        after: call.position("grants").await?,
        limit: call.limit(&given),
        user: id("user").map(str::parse).transpose().map_err(defect)?,
        role: id("role").map(str::parse).transpose().map_err(defect)?,
    };
    let found = call.parts.identity.grants(call.cx()?, query).await?;
    let next = call.next("grants", found.next).await?;
    reply::list(&found.items, next.as_deref())
}

/// POST /grants
pub async fn grant(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_grant(call.cx()?, call.input()?).await?;
    reply::record(StatusCode::CREATED, made.version, &made)
}

/// DELETE /grants/{id}
pub async fn revoke(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_grant(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}
