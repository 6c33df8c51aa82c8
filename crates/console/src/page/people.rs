//! The people whom one may reach.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::PersonCard;

use super::{Shell, render, shell};
use crate::{api, call::Call, messages as m, problem::Fault};

/// The list.
#[derive(Template)]
#[template(path = "people.html")]
pub struct PeoplePage {
    /// Shell.
    pub p: Shell,
    /// People.
    pub rows: Vec<PersonCard>,
    /// What is searched for.
    pub text: String,
    /// Whether only people to whom there is a relation are found.
    pub related: bool,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

/// GET /people
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    let (rows, next) = api::people::page(&call).await?;
    let related = !call.parts.gates.relations(&call.arrival.policy).everyone;
    let (text, paged) = (call.asked("text").unwrap_or_default(), call.asked("after").is_some());
    let p = shell(&call, m::PEOPLE).await?;
    render(StatusCode::OK, &PeoplePage { p, rows, text, related, next, paged })
}
