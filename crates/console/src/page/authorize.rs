//! Where applications send people: to let them act, to sign in to them, and to sign out.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::Response,
};
use sekisho_identity::{
    problems::BAD_REDIRECT,
    types::{Authorize, AuthorizeRequest, Leave, LeaveRequest, LeaveTo, PersonScope},
};
use sekisho_kernel::{Problem, ProblemKind, Right, Secret, percent::with_query, problem::TERMS_DUE};

use super::{Shell, render, sign_in};
use crate::{
    api::{oauth::issuer, sign_in::end},
    call::Call,
    cookie, messages as m, page,
    problem::Fault,
    reply,
};

/// Whether a person lets an application act.
#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// Shell.
    pub p: Shell,
    /// The application.
    pub name: String,
    /// What it asks about the person.
    pub person: Vec<PersonScope>,
    /// What it asks for.
    pub rights: Vec<Right>,
    /// The request, sealed.
    pub request: String,
}

/// Whether a person signs out, as an application wishes.
#[derive(Template)]
#[template(path = "leave.html")]
pub struct LeavePage {
    /// Shell.
    pub p: Shell,
    /// The application, if it is known.
    pub name: String,
    /// The request, sealed.
    pub request: String,
}

/// The query, in which every parameter comes at most once.
fn once(call: &Call) -> Result<Vec<(String, String)>, Fault> {
    let query = call.query();
    let twice = query.iter().enumerate().any(|(n, (name, _))| query[..n].iter().any(|(before, _)| before == name));
    if twice { Err(Fault::own(Problem::new(&BAD_REDIRECT))) } else { Ok(query) }
}

/// What is asked for: in the address itself, or pushed before (RFC 9126 §4).
async fn asked(call: &Call) -> Result<AuthorizeRequest, Fault> {
    let query = once(call)?;
    let get = |name: &str| query.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone());
    let cx = call.any_cx();
    let reference = get("request_uri").filter(|r| r.starts_with(sekisho_identity::PUSHED));
    let request = match (reference, get("client_id").map(|id| id.parse())) {
        (Some(reference), Some(Ok(client))) => {
            call.parts.identity.pushed_request(&cx, client, &reference).await.map_err(Fault::own)?
        }
        _ => AuthorizeRequest::read(get).map_err(Fault::own)?,
    };
    Ok(AuthorizeRequest { fresh: get("fresh"), ..request })
}

/// GET /oauth/authorize
pub async fn authorize(call: Arc<Call>) -> Result<Response, Fault> {
    let request = asked(&call).await?;
    let step = call.parts.identity.authorize(call.cx()?, &issuer(&call), &request).await.map_err(Fault::own)?;
    match step {
        Authorize::Go(to) => Ok(reply::see(&to)),
        Authorize::SignIn { fresh } => {
            let query = once(&call)?.into_iter().filter(|(name, _)| name != "fresh");
            let pairs: Vec<_> = query.chain([("fresh".to_owned(), fresh.reveal().to_owned())]).collect();
            let back = with_query("/oauth/authorize", &pairs);
            let mut response = reply::see("/sign-in?again=1");
            let made = cookie::set(cookie::RETURN, &back, cookie::Life::Seconds(600));
            response.headers_mut().extend(made.map(|v| (header::SET_COOKIE, v)));
            Ok(response)
        }
        Authorize::Ask { name, rights, person, sealed } => {
            let p = page::bare(&call, m::CONSENT_TITLE);
            let rights = rights.iter().collect();
            render(StatusCode::OK, &ConsentPage { p, name, person, rights, request: sealed.reveal().clone() })
        }
    }
}

/// Back to the application from a request that may show the person nothing, and cannot be answered. `None` when the person
/// may be shown something.
pub(crate) async fn silently(call: &Call, why: &'static ProblemKind) -> Option<Response> {
    let word = if why.name == TERMS_DUE.name { "interaction_required" } else { "login_required" };
    let request = asked(call).await.ok()?;
    let to = call.parts.identity.silently(&call.knock(false), &issuer(call), &request, word).await.ok()??;
    Some(reply::see(&to))
}

/// POST /oauth/authorize. The answer is a page, since forms of ours may lead to no other site.
pub async fn consent(call: Arc<Call>) -> Result<Response, Fault> {
    let sealed = Secret::new(call.field("request"));
    let allow = call.field("decision") == "allow";
    let to = call.parts.identity.consent(call.cx()?, &issuer(&call), &sealed, allow).await?;
    let p = page::bare(&call, m::GOING_BACK);
    render(StatusCode::OK, &sign_in::OnwardPage { p, says: m::GOING_ON, to, waits: false })
}

/// GET /oauth/logout
pub async fn leave(call: Arc<Call>) -> Result<Response, Fault> {
    let query = once(&call)?;
    let get = |name: &str| query.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone());
    let state = get("state");
    if state.as_ref().is_some_and(|s| s.len() > 1_024) {
        return Err(Fault::own(Problem::new(&BAD_REDIRECT).at("state")));
    }
    let client = match get("client_id") {
        Some(id) => Some(id.parse().map_err(|_| Fault::own(Problem::new(&BAD_REDIRECT).at("client_id")))?),
        None => None,
    };
    let wish = LeaveRequest { hint: get("id_token_hint"), client, redirect: get("post_logout_redirect_uri"), state };
    let passage = call.passage.as_deref();
    let step = call.parts.identity.ask_to_sign_out(&call.knock(false), passage, &issuer(&call), &wish).await;
    match step.map_err(Fault::own)? {
        Leave::Gone { to } => gone(&call, to),
        Leave::Now { to } => out(&call, to).await,
        Leave::Ask { name, sealed } => {
            let p = page::bare(&call, m::LEAVE_TITLE);
            let request = sealed.reveal().clone();
            render(StatusCode::OK, &LeavePage { p, name: name.unwrap_or_default(), request })
        }
    }
}

/// POST /oauth/logout
pub async fn left(call: Arc<Call>) -> Result<Response, Fault> {
    let sealed = Secret::new(call.field("request"));
    let to = call.parts.identity.signed_out_to(call.cx()?, &sealed).await.map_err(Fault::own)?;
    out(&call, to).await
}

/// Signs the person out, and leads them on: to their provider, which sends them to the application, or there at once.
async fn out(call: &Call, to: Option<LeaveTo>) -> Result<Response, Fault> {
    let Some(on) = end(call, to.clone()).await? else { return gone(call, to) };
    let mut response = sign_in::parting(call, on)?;
    cookie::wipe(response.headers_mut());
    Ok(response)
}

/// Nobody is signed in here any more.
fn gone(call: &Call, to: Option<LeaveTo>) -> Result<Response, Fault> {
    let mut response = match to {
        Some(to) => returns(call, to.whole(), false)?,
        None => page::done("/sign-in", "signed-out")?,
    };
    cookie::wipe(response.headers_mut());
    Ok(response)
}

/// A person who has signed out goes back to the application that wished it: by a click of their own where a provider said that not
/// all of it was done, so that they read it.
pub(super) fn returns(call: &Call, to: String, partial: bool) -> Result<Response, Fault> {
    let says = if partial { m::DONE_SIGNED_OUT_PARTLY } else { m::LEFT };
    let p = page::bare(call, if partial { m::SIGNED_OUT_PARTLY } else { m::GOING_BACK });
    render(StatusCode::OK, &sign_in::OnwardPage { p, says, to, waits: partial })
}
