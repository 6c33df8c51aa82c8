//! The question for acceptance of the terms of use, asked of whoever has signed in before they go on.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::TermsView;

use super::{Shell, render, sign_in};
use crate::{api::terms::Acceptance, call::Call, messages as m, page, problem::Fault, reply};

/// The question.
#[derive(Template)]
#[template(path = "terms.html")]
pub struct TermsPage {
    /// Shell.
    pub p: Shell,
    /// The version in force.
    pub version: String,
    /// What can be read first: its name, and where. Only `https://` addresses become links.
    pub texts: Vec<(String, String)>,
    /// The version that the person accepted before, if any.
    pub before: Option<String>,
}

/// GET /terms
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    let terms = call.parts.identity.terms(call.cx()?).await?;
    let Some(version) = terms.version.clone().filter(|_| terms.due) else {
        return Ok(reply::see(&sign_in::onward(&call)));
    };
    let p = page::bare(&call, m::TERMS);
    render(StatusCode::OK, &TermsPage { texts: texts(&p, &terms), p, version, before: before(terms) })
}

fn texts(p: &Shell, terms: &TermsView) -> Vec<(String, String)> {
    [(m::TERMS_OF_USE, &terms.address), (m::TERMS_PRIVACY, &terms.privacy_address)]
        .into_iter()
        .filter_map(|(name, address)| Some((p.t(name).to_owned(), address.clone()?)))
        .filter(|(_, address)| address.starts_with("https://"))
        .collect()
}

fn before(terms: TermsView) -> Option<String> {
    terms.accepted.into_iter().next().map(|a| a.version)
}

/// POST /terms
pub async fn accept(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Acceptance = call.input()?;
    match call.parts.identity.accept_terms(call.cx()?, &given.accept).await {
        Ok(_) => sign_in::lead_on(&call),
        // Another version came into force while this one was read: it is asked for instead.
        Err(problem) if problem.is(&sekisho_kernel::problem::CONFLICT) => Ok(reply::see("/terms")),
        Err(problem) => Err(problem.into()),
    }
}
