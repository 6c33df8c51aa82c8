//! Sessions: one's own, and for administrators somebody's.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::SessionView;
use sekisho_kernel::{Right, Text, id::UserId};

use super::{Shell, render, shell, sign_in::parting};
use crate::{api::oauth::issuer, call::Call, cookie, messages as m, page, problem::Fault};

/// A list of sessions.
#[derive(Template)]
#[template(path = "user_sessions.html")]
pub struct SessionsPage {
    /// Shell.
    pub p: Shell,
    /// Whose, where they are not one's own.
    pub user: Option<UserId>,
    /// One line about the page.
    pub lead: &'static Text,
    /// The sessions.
    pub sessions: Vec<SessionView>,
    /// Whether the reader may end them.
    pub can_end: bool,
    /// Where the form to end them all goes.
    pub end_all: String,
}

/// A `User-Agent` as people know it: browser and system. What is not recognised is shown as it came, cut short.
pub fn browser(agent: &str) -> String {
    let has = |s: &str| agent.contains(s);
    let name = [
        ("Edg/", "Microsoft Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    let system = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let name = name.iter().find(|(mark, _)| has(mark)).map(|(_, n)| *n);
    let system = system.iter().find(|(mark, _)| has(mark)).map(|(_, n)| *n);
    match (name, system) {
        (Some(n), Some(s)) => format!("{n} · {s}"),
        (Some(n), None) => n.to_owned(),
        _ if agent.is_empty() => "–".into(),
        _ => agent.chars().take(60).collect(),
    }
}

/// GET /sessions
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    let sessions = call.parts.identity.own_sessions(call.cx()?).await?;
    let p = shell(&call, m::OWN_SESSIONS).await?;
    let page = SessionsPage {
        p,
        user: None,
        lead: m::OWN_SESSIONS_LEAD,
        sessions,
        can_end: true,
        end_all: "/sessions/end-others".into(),
    };
    render(StatusCode::OK, &page)
}

/// POST /sessions/{id}/end
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_own_session(call.cx()?, call.id("id")?).await?;
    page::done("/sessions", "session-ended")
}

/// POST /sessions/end-others
pub async fn end_others(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_other_sessions(call.cx()?).await?;
    page::done("/sessions", "sessions-ended")
}

/// POST /sessions/end-all
pub async fn end_every(call: Arc<Call>) -> Result<Response, Fault> {
    let (_, onward) = call.parts.identity.end_every_session(call.cx()?, &issuer(&call)).await?;
    let mut response = match onward {
        None => page::done("/sign-in", "signed-out-everywhere")?,
        Some(on) => parting(&call, on)?,
    };
    cookie::wipe(response.headers_mut());
    Ok(response)
}

/// GET /users/{id}/sessions
pub async fn of_user(call: Arc<Call>) -> Result<Response, Fault> {
    let user: UserId = call.id("id")?;
    let sessions = call.parts.identity.user_sessions(call.cx()?, user).await?;
    let p = shell(&call, m::SESSIONS).await?;
    let page = SessionsPage {
        p,
        user: Some(user),
        lead: m::USER_SESSIONS_LEAD,
        can_end: call.may(Right::SESSIONS_END) && !sessions.is_empty(),
        sessions,
        end_all: format!("/users/{user}/sessions/end"),
    };
    render(StatusCode::OK, &page)
}

/// POST /users/{id}/sessions/end
pub async fn end_of_user(call: Arc<Call>) -> Result<Response, Fault> {
    let user: UserId = call.id("id")?;
    call.parts.identity.end_user_sessions(call.cx()?, user).await?;
    page::done(&format!("/users/{user}/sessions"), "sessions-ended")
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_by_their_names() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0";
        assert_eq!(browser(edge), "Microsoft Edge · Windows");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Safari/604.1";
        assert_eq!(browser(safari), "Safari · iPhone");
        assert_eq!(browser("curl/8.0"), "curl");
        assert_eq!(browser(""), "–");
    }
}
