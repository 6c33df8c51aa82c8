//! API tokens: one's own, and those of service accounts.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{NewOwnToken, NewToken, TokenIssued, TokenQuery, TokenView};
use sekisho_kernel::{Right, id::UserId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Hidden;
use crate::{call::Call, problem::Fault, reply, serve::defect};

/// A scope that no form ticked is empty.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnInput {
    name: String,
    #[serde(default)]
    rights: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
    days: u32,
    password: Hidden,
}

impl From<OwnInput> for NewOwnToken {
    fn from(given: OwnInput) -> Self {
        let OwnInput { name, rights, networks, days, password } = given;
        Self { token: NewToken { name, rights, networks, days }, password: password.0 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    user: UserId,
    name: String,
    #[serde(default)]
    rights: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
    days: u32,
}

/// GET /me/tokens
pub async fn own(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.own_tokens(call.cx()?).await?, None)
}

fn issued(issued: &TokenIssued) -> Result<Response, Fault> {
    let mut body = serde_json::to_value(&issued.token).map_err(defect)?;
    if let Value::Object(map) = &mut body {
        map.insert("token".into(), json!(issued.text.reveal()));
    }
    reply::record(StatusCode::CREATED, issued.token.version, &body)
}

/// POST /me/tokens
pub async fn create_own(call: Arc<Call>) -> Result<Response, Fault> {
    let given: OwnInput = call.input()?;
    issued(&call.parts.identity.create_own_token(call.cx()?, given.into()).await?)
}

/// DELETE /me/tokens/{id}
pub async fn end_own(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_own_token(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}

/// One page of the organisation's tokens.
pub(crate) async fn page(call: &Call) -> Result<(Vec<TokenView>, Option<String>), Fault> {
    let given = call.filter()?;
    let user = given.get("user").and_then(Value::as_str).and_then(|t| t.parse().ok());
    let query = TokenQuery { after: call.position("tokens").await?, limit: call.limit(&given), user };
    let found = call.parts.identity.tokens(call.cx()?, query).await?;
    let next = call.next("tokens", found.next).await?;
    Ok((found.items, next))
}

/// GET /tokens
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// POST /tokens
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let Input { user, name, rights, networks, days } = call.input()?;
    let new = NewToken { name, rights, networks, days };
    issued(&call.parts.identity.create_token(call.cx()?, user, new).await?)
}

/// DELETE /tokens/{id}
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_token(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}

/// Rights that a token's form offers: one's own, or, for a service account's, those that one may hand on.
pub(crate) fn offered(call: &Call) -> Vec<String> {
    Right::all().filter(|r| call.may(*r)).map(|r| r.name().to_owned()).collect()
}
