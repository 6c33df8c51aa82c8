//! Accounts.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::UserView;
use serde_json::{Value, json};

use super::OffInput;
use crate::{call::Call, problem::Fault, reply, serve::defect};

/// GET /users
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// One page of accounts, for the API and the users page.
pub(crate) async fn page(call: &Call) -> Result<(Vec<UserView>, Option<String>), Fault> {
    let given = call.filter()?;
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let query = sekisho_identity::types::UserQuery {
        after: call.position("users").await?,
        limit: call.limit(&given),
        name: text("name"),
        text: text("text"),
    };
    let found = call.parts.identity.users(call.cx()?, query).await?;
    let next = call.next("users", found.next).await?;
    Ok((found.items, next))
}

/// POST /users
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.create_user(call.cx()?, call.input()?).await?;
    let mut body = serde_json::to_value(&made.user).map_err(defect)?;
    if let (Some(link), Value::Object(map)) = (&made.link, &mut body) {
        map.insert("link".into(), json!(link.reveal()));
    }
    reply::record(StatusCode::CREATED, made.user.version, &body)
}

fn one(user: &UserView) -> Result<Response, Fault> {
    reply::record(StatusCode::OK, user.version, user)
}

/// GET /users/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    one(&call.parts.identity.user(call.cx()?, call.id("id")?).await?)
}

/// PATCH /users/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, version) = (call.id("id")?, call.needed_version()?);
    one(&call.parts.identity.update_user(call.cx()?, id, version, call.input()?).await?)
}

/// DELETE /users/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_user(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}

/// POST /users/{id}/disable
pub async fn disable(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one(&call.parts.identity.disable_user(call.cx()?, call.id("id")?).await?)
}

/// POST /users/{id}/enable
pub async fn enable(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one(&call.parts.identity.enable_user(call.cx()?, call.id("id")?).await?)
}

/// POST /users/{id}/unlock
pub async fn unlock(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one(&call.parts.identity.unlock_user(call.cx()?, call.id("id")?).await?)
}

/// POST /users/{id}/invite
pub async fn invite(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    let link = call.parts.identity.invite_user(call.cx()?, call.id("id")?).await?;
    reply::ok(&json!({ "link": link.reveal() }))
}

/// PUT /users/{id}/functions
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let given: OffInput = call.input()?;
    one(&call.parts.identity.switch_user(call.cx()?, call.id("id")?, given.off).await?)
}

/// GET /users/{id}/sessions
pub async fn sessions(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.user_sessions(call.cx()?, call.id("id")?).await?, None)
}

/// DELETE /users/{id}/sessions
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = call.parts.identity.end_user_sessions(call.cx()?, call.id("id")?).await?;
    reply::ok(&json!({ "ended": ended }))
}
