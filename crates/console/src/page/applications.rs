//! Third-party applications: registered and approved, consented to, withdrawn.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::{
    problems::{BAD_REDIRECT, OAUTH_CLIENT},
    types::{After, ApplicationView, Authorize, AuthorizeRequest, ConsentView, NewApplication},
};
use sekisho_kernel::{Problem, Right, Secret};

use super::{
    Mark, Returned, Shell, again, render,
    roles::MatrixGroup,
    shell, sign_in,
    tokens::{TokenIssuedPage, boxes},
};
use crate::{
    api::{self, oauth::issuer},
    call::{Call, typed},
    inputs, messages as m, page,
    problem::Fault,
    reply,
};

/// The list.
#[derive(Template)]
#[template(path = "applications.html")]
pub struct ApplicationsPage {
    /// Shell.
    pub p: Shell,
    /// Applications.
    pub rows: Vec<ApplicationView>,
    /// The rights that one may ask for.
    pub matrix: Vec<MatrixGroup>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

/// Whether a person lets an application act.
#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// Shell.
    pub p: Shell,
    /// The application.
    pub name: String,
    /// What it asks for.
    pub rights: Vec<Right>,
    /// The request, sealed.
    pub request: String,
}

/// Which applications act for oneself.
#[derive(Template)]
#[template(path = "consents.html")]
pub struct ConsentsPage {
    /// Shell.
    pub p: Shell,
    /// Consents.
    pub rows: Vec<ConsentView>,
}

/// The state as a chip.
pub fn state(application: &ApplicationView) -> Mark {
    use sekisho_identity::types::ApplicationState as S;
    match application.state {
        S::Pending => Mark { tone: "warn", icon: "clock", text: m::APP_PENDING },
        S::Approved => Mark { tone: "good", icon: "check", text: m::APP_APPROVED },
        S::Stopped => Mark { tone: "mute", icon: "dash", text: m::CLIENT_DISABLED },
    }
}

/// GET /applications
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (rows, next) = if call.route.verb.mutates() {
        (call.parts.identity.applications(call.cx()?, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::applications::page(&call).await?
    };
    let mut p = shell(&call, m::APPLICATIONS).await?;
    if call.route.verb.mutates() {
        p.path = "/applications".into();
    }
    let matrix = boxes(&call, returned.as_ref());
    p.returned = returned;
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &ApplicationsPage { p, rows, matrix, next, paged })
}

/// POST /applications
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let mut pairs: Vec<(String, String)> = call.form().into_iter().filter(|(n, _)| n != "csrf").collect();
        let lines: Vec<(String, String)> = pairs.extract_if(.., |(n, _)| n == "redirect_uris").collect();
        let each = lines.iter().flat_map(|(_, lines)| lines.split_whitespace());
        pairs.extend(each.map(|u| ("redirect_uris".to_owned(), u.to_owned())));
        let new: NewApplication = typed(inputs::NEW_APPLICATION.pairs(&pairs)?)?;
        Ok(call.parts.identity.create_application(call.cx()?, new).await?)
    };
    match made.await {
        Ok(made) => match made.secret {
            None => page::done("/applications", "created"),
            Some(secret) => {
                let p = shell(&call, m::APP_SECRET_ISSUED).await?;
                let name = format!("{} ({})", made.application.name, made.application.id);
                let page = TokenIssuedPage { p, name, text: secret.reveal().clone(), onward: "/applications" };
                render(StatusCode::OK, &page)
            }
        },
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

/// POST /applications/{id}/approve
pub async fn approve(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.decide_application(call.cx()?, call.id("id")?, true).await?;
    page::done("/applications", "saved")
}

/// POST /applications/{id}/stop
pub async fn stop(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.decide_application(call.cx()?, call.id("id")?, false).await?;
    page::done("/applications", "saved")
}

/// POST /applications/{id}/delete
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_application(call.cx()?, call.id("id")?, None).await?;
    page::done("/applications", "deleted")
}

/// GET /account/applications
pub async fn consents(call: Arc<Call>) -> Result<Response, Fault> {
    let rows = call.parts.identity.consents(call.cx()?).await?;
    let p = shell(&call, m::CONSENTS).await?;
    render(StatusCode::OK, &ConsentsPage { p, rows })
}

/// POST /account/applications/{id}/withdraw
pub async fn withdraw(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.withdraw(call.cx()?, call.id("id")?).await?;
    page::done("/account/applications", "consent-withdrawn")
}

/// GET /oauth/authorize
pub async fn authorize(call: Arc<Call>) -> Result<Response, Fault> {
    let query = call.query();
    let twice = query.iter().enumerate().any(|(n, (name, _))| query[..n].iter().any(|(before, _)| before == name));
    let text = |name: &str| call.asked(name).unwrap_or_default();
    let unknown = || Fault::own(Problem::new(&OAUTH_CLIENT));
    let client = text("client_id").parse().map_err(|_| unknown())?;
    let long = query.iter().any(|(_, v)| v.len() > 1_024);
    if twice || long || text("redirect_uri").is_empty() {
        return Err(Fault::own(Problem::new(&BAD_REDIRECT)));
    }
    let request = AuthorizeRequest {
        client,
        redirect_uri: text("redirect_uri"),
        response_type: text("response_type"),
        scope: call.asked("scope"),
        state: call.asked("state"),
        challenge: text("code_challenge"),
        method: text("code_challenge_method"),
    };
    let step = call.parts.identity.authorize(call.cx()?, &issuer(&call), &request).await.map_err(Fault::own)?;
    match step {
        Authorize::Go(to) => Ok(reply::see(&to)),
        Authorize::Ask { name, rights, sealed } => {
            let p = page::bare(&call, m::CONSENT_TITLE);
            let rights = rights.iter().collect();
            render(StatusCode::OK, &ConsentPage { p, name, rights, request: sealed.reveal().clone() })
        }
    }
}

/// POST /oauth/authorize. The answer is a page, since forms of ours may lead to no other site.
pub async fn consent(call: Arc<Call>) -> Result<Response, Fault> {
    let sealed = Secret::new(call.field("request"));
    let allow = call.field("decision") == "allow";
    let to = call.parts.identity.consent(call.cx()?, &issuer(&call), &sealed, allow).await?;
    render(StatusCode::OK, &sign_in::OnwardPage { p: page::bare(&call, m::GOING_BACK), says: m::GOING_ON, to })
}
