//! Third-party applications: registered and approved, consented to, withdrawn.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{
    After, ApplicationView, ConsentView, KeyState, NewApplication, SigningKeyView, TurnKeys,
};
use sekisho_kernel::Right;

use super::{
    Mark, Returned, Shell, again, render,
    roles::MatrixGroup,
    shell,
    tokens::{TokenIssuedPage, boxes},
};
use crate::{
    api,
    call::{Call, typed},
    inputs, messages as m, page,
    problem::Fault,
};

/// The list.
#[derive(Template)]
#[template(path = "applications.html")]
pub struct ApplicationsPage {
    /// Shell.
    pub p: Shell,
    /// Applications.
    pub rows: Vec<ApplicationView>,
    /// The keys that sign for all of them.
    pub keys: Vec<SigningKeyView>,
    /// The rights that one may ask for.
    pub matrix: Vec<MatrixGroup>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
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

/// A key's state as a chip.
pub fn key_state(key: &SigningKeyView) -> Mark {
    match key.state {
        KeyState::Next => Mark { tone: "mute", icon: "clock", text: m::KEY_NEXT },
        KeyState::Signing => Mark { tone: "good", icon: "check", text: m::KEY_SIGNING },
        KeyState::Past => Mark { tone: "mute", icon: "dash", text: m::KEY_PAST },
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
    let keys = call.parts.identity.signing_key_list(call.cx()?).await?;
    let mut p = shell(&call, m::APPLICATIONS).await?;
    if call.route.verb.mutates() {
        p.path = "/applications".into();
    }
    let matrix = boxes(&call, returned.as_ref());
    p.returned = returned;
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &ApplicationsPage { p, rows, keys, matrix, next, paged })
}

/// POST /applications
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let mut pairs: Vec<(String, String)> = call.form().into_iter().filter(|(n, _)| n != "csrf").collect();
        for name in ["redirect_uris", "post_logout_redirect_uris"] {
            let lines: Vec<(String, String)> = pairs.extract_if(.., |(n, _)| n == name).collect();
            let each = lines.iter().flat_map(|(_, lines)| lines.split_whitespace());
            pairs.extend(each.map(|u| (name.to_owned(), u.to_owned())));
        }
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

/// POST /applications/keys/turn
pub async fn turn_keys(call: Arc<Call>) -> Result<Response, Fault> {
    let turn: TurnKeys = call.input()?;
    call.parts.identity.turn_signing_keys(call.cx()?, turn.withdraw).await?;
    page::done("/applications", "keys-turned")
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
