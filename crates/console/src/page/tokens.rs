//! API tokens: one's own, the organisation's, and a token shown once.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{NewToken, TokenIssued, TokenQuery, TokenView};
use sekisho_kernel::{Right, id::UserId};

use super::{
    Returned, Shell, again, render,
    roles::{MatrixGroup, matrix},
    shell,
};
use crate::{
    api::{self, tokens::OwnInput},
    call::{Call, typed},
    inputs, messages as m, page,
    problem::Fault,
};

/// A token with its owner's name.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// The token.
    pub token: TokenView,
    /// What people call its owner.
    pub owner: String,
}

/// The list, one's own or the organisation's.
#[derive(Template)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// Shell.
    pub p: Shell,
    /// Whether they are one's own.
    pub own: bool,
    /// Where its forms go.
    pub action: &'static str,
    /// The tokens.
    pub rows: Vec<TokenRow>,
    /// The rights that a scope may hold.
    pub matrix: Vec<MatrixGroup>,
    /// Whether the reader may issue one.
    pub can_issue: bool,
    /// Whether the reader may end them.
    pub can_end: bool,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

/// A token, shown once.
#[derive(Template)]
#[template(path = "token_issued.html")]
pub struct TokenIssuedPage {
    /// Shell.
    pub p: Shell,
    /// What it is for.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Back to the list.
    pub onward: &'static str,
}

/// The rights of a form: only those on offer, ticked as they came back.
pub fn boxes(call: &Call, returned: Option<&Returned>) -> Vec<MatrixGroup> {
    let ticked: Vec<String> =
        returned.into_iter().flat_map(|r| &r.values).filter(|(n, _)| n == "rights").map(|(_, v)| v.clone()).collect();
    let offered = api::tokens::offered(call);
    let mut groups = matrix(&ticked);
    for group in &mut groups {
        group.rights.retain(|r| offered.iter().any(|o| o == r.name));
    }
    groups.retain(|g| !g.rights.is_empty());
    groups
}

/// A form's fields; its networks come in one line.
fn fields(call: &Call) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = call.form().into_iter().filter(|(n, _)| n != "csrf").collect();
    let line: Vec<(String, String)> = pairs.extract_if(.., |(n, _)| n == "networks").collect();
    let each = line.iter().flat_map(|(_, line)| line.split_whitespace());
    pairs.extend(each.map(|n| ("networks".to_owned(), n.to_owned())));
    pairs
}

async fn issued(call: &Call, made: TokenIssued, onward: &'static str) -> Result<Response, Fault> {
    let mut p = shell(call, m::TOKEN_ISSUED).await?;
    p.path = onward.into();
    let page = TokenIssuedPage { p, name: made.token.name, text: made.text.reveal().clone(), onward };
    render(StatusCode::OK, &page)
}

const OWN: &str = "/account/tokens";
const ALL: &str = "/tokens";

/// GET /account/tokens
pub async fn show_own(call: Arc<Call>) -> Result<Response, Fault> {
    show_own_with(call, None).await
}

async fn show_own_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let tokens = call.parts.identity.own_tokens(call.cx()?).await?;
    let mut p = shell(&call, m::TOKENS).await?;
    p.path = OWN.into();
    let matrix = boxes(&call, returned.as_ref());
    p.returned = returned;
    let can_issue = call.parts.gates.tokens(&call.arrival.policy).personal;
    let rows = tokens.into_iter().map(|token| TokenRow { token, owner: String::new() }).collect();
    let page =
        TokensPage { p, own: true, action: OWN, rows, matrix, can_issue, can_end: true, next: None, paged: false };
    render(StatusCode::OK, &page)
}

/// POST /account/tokens
pub async fn create_own(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let given: OwnInput = typed(inputs::NEW_OWN_TOKEN.pairs(&fields(&call))?)?;
        Ok(call.parts.identity.create_own_token(call.cx()?, given.into()).await?)
    };
    match made.await {
        Ok(made) => issued(&call, made, OWN).await,
        Err(fault) => again(&call, "create", fault, show_own_with).await,
    }
}

/// POST /account/tokens/{id}/end
pub async fn end_own(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_own_token(call.cx()?, call.id("id")?).await?;
    page::done(OWN, "token-ended")
}

/// GET /tokens
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (tokens, next) = if call.route.verb.mutates() {
        (call.parts.identity.tokens(call.cx()?, TokenQuery { limit: 50, ..TokenQuery::default() }).await?.items, None)
    } else {
        api::tokens::page(&call).await?
    };
    let people = tokens.iter().map(|t| t.user).collect();
    let names: HashMap<UserId, String> = call.parts.identity.names(call.cx()?, people).await?;
    let mut p = shell(&call, m::TOKENS).await?;
    if call.route.verb.mutates() {
        p.path = ALL.into();
    }
    let matrix = boxes(&call, returned.as_ref());
    p.returned = returned;
    let owner = |t: &TokenView| names.get(&t.user).cloned().unwrap_or_else(|| t.user.to_string());
    let rows = tokens.into_iter().map(|token| TokenRow { owner: owner(&token), token }).collect();
    let may = call.may(Right::TOKENS_WRITE);
    let paged = call.asked("after").is_some();
    let page = TokensPage { p, own: false, action: ALL, rows, matrix, can_issue: may, can_end: may, next, paged };
    render(StatusCode::OK, &page)
}

/// POST /tokens
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let (cx, identity) = (call.cx()?, &call.parts.identity);
        let named = call.field("user");
        let user = identity.user_named(cx, &named).await?.filter(|_| call.may(Right::TOKENS_WRITE));
        let user = user.ok_or_else(|| Fault::field("user", m::NOBODY_OF_THAT_NAME.clone()))?;
        let mut pairs = fields(&call);
        pairs.retain(|(n, _)| n != "user");
        pairs.push(("user".into(), user.to_string()));
        let mut object = inputs::NEW_TOKEN.pairs(&pairs)?;
        object.remove("user");
        let new: NewToken = typed(object)?;
        Ok(identity.create_token(cx, user, new).await?)
    };
    match made.await {
        Ok(made) => issued(&call, made, ALL).await,
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

/// POST /tokens/{id}/end
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_token(call.cx()?, call.id("id")?).await?;
    page::done(ALL, "token-ended")
}
