//! The page of a problem.

use askama::Template;
use axum::response::{IntoResponse, Response};
use sekisho_kernel::Text;

use super::Shell;
use crate::{call::Call, messages as m, page, problem::Fault, reply};

/// A problem as a page.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Shell.
    pub p: Shell,
    /// HTTP status.
    pub status: u16,
    /// What happened.
    pub title: String,
    /// This occurrence.
    pub detail: Option<String>,
    /// What to do next.
    pub remedy: String,
    /// `SK-nnnn`.
    pub code: String,
    /// Trace id.
    pub trace: String,
}

/// The page of a problem. It asks nothing of any engine, so that it can tell that one does not answer.
pub fn render(call: &Call, fault: &Fault) -> Response {
    let problem = &fault.problem;
    let text = |t: &Text| t.get(call.lang).to_owned();
    let page = ErrorPage {
        p: page::bare(call, &problem.kind.title),
        status: problem.kind.category.status(),
        title: text(&problem.kind.title),
        detail: problem.detail.as_ref().map(text),
        remedy: text(&problem.kind.remedy),
        code: problem.kind.code.to_owned(),
        trace: call.arrival.trace.to_string(),
    };
    let status = reply::status(problem.kind.category);
    match page.render() {
        Ok(text) => reply::html(status, text),
        Err(_) => status.into_response(),
    }
}
