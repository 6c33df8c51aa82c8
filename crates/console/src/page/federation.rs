//! A person goes to an identity provider and comes back; what is linked to one's own account.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::Response,
};
use sekisho_identity::{
    problems::{CONFIRM_ANOTHER, CONFIRM_STALE},
    types::{CameBack as Back, Errand, IdentityView, Leaving, Returning, WayIn},
};
use sekisho_kernel::{Problem, Secret, id::ProviderId, problem::NOT_FOUND};
use serde::Deserialize;

use super::{Returned, Shell, account, again, render, returned, shell, sign_in};
use crate::{
    api::{
        federation::{confirming, takes_along},
        oauth::issuer,
    },
    call::Call,
    cookie, messages as m, page,
    problem::Fault,
    reply,
};

/// How long the cookie of a proof lives; what it holds runs out by itself.
const PROOF_LIFE: cookie::Life = cookie::Life::Seconds(300);

/// One's own links.
#[derive(Template)]
#[template(path = "identities.html")]
pub struct IdentitiesPage {
    /// Shell.
    pub p: Shell,
    /// What is linked.
    pub rows: Vec<IdentityView>,
    /// What can be linked.
    pub ways: Vec<WayIn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    provider: ProviderId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailChoice {
    mail: String,
}

/// A page that leads on to the provider, and the cookie that the browser takes along.
fn away(call: &Call, leaving: Leaving) -> Result<Response, Fault> {
    let (title, says) = (m::GOING_TO_PROVIDER, m::GOING_TO_PROVIDER_LEAD);
    let mut response = sign_in::leads_on(call, title, says, leaving.to.clone(), leaving.fields.clone())?;
    takes_along(&mut response, &leaving);
    Ok(response)
}

/// A refusal, told where the person came from.
async fn told(call: &Arc<Call>, form: &str, fault: Fault) -> Result<Response, Fault> {
    let status = reply::status(fault.problem.kind.category);
    let confirming = [&CONFIRM_ANOTHER, &CONFIRM_STALE].iter().any(|kind| fault.problem.is(kind));
    let page = match call.passage {
        Some(_) if confirming => account::show_with(Arc::clone(call), Some(returned(call, "confirm", &fault))).await,
        Some(_) => identities_with(Arc::clone(call), Some(returned(call, form, &fault))).await,
        None => sign_in::show_start(Arc::clone(call), Some(returned(call, form, &fault))).await,
    };
    let mut page = page?;
    *page.status_mut() = status;
    forget(&mut page);
    Err(fault.on(page))
}

fn forget(response: &mut Response) {
    if let Some(gone) = cookie::set(cookie::ERRAND, "", cookie::Life::Gone) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
}

/// POST /sign-in/provider
pub async fn leave(call: Arc<Call>) -> Result<Response, Fault> {
    let gone = async {
        let Choice { provider } = call.input()?;
        let (knock, origin) = (call.knock(false), issuer(&call));
        let leaving = call.parts.identity.leave(&knock, &origin, provider, Errand::SignIn, None).await;
        leaving.map_err(|p| if p.is(&NOT_FOUND) { Fault::own(p) } else { Fault::from(p) })
    };
    match gone.await {
        Ok(leaving) => away(&call, leaving),
        Err(fault) => told(&call, "provider", fault).await,
    }
}

/// POST /sign-in/mail
pub async fn leave_by_mail(call: Arc<Call>) -> Result<Response, Fault> {
    let gone = async {
        let MailChoice { mail } = call.input()?;
        let knock = call.knock(false);
        let provider = call.parts.identity.provider_of_mail(&knock, &mail).await.map_err(Fault::own)?;
        let provider = provider.ok_or_else(|| Fault::field("mail", m::MAIL_LEADS_NOWHERE.clone()))?;
        Ok(call.parts.identity.leave(&knock, &issuer(&call), provider, Errand::SignIn, None).await?)
    };
    match gone.await {
        Ok(leaving) => away(&call, leaving),
        Err(fault) => told(&call, "mail", fault).await,
    }
}

/// GET /federation/{id}/callback
pub async fn come_back(call: Arc<Call>) -> Result<Response, Fault> {
    let id: ProviderId = call.id("id")?;
    let query = call.query();
    // A field that comes twice is nobody's (RFC 6749 §3.1).
    let one = |name: &str| {
        let mut all = query.iter().filter(|(n, _)| n == name);
        all.next().filter(|_| all.next().is_none()).map(|(_, v)| v.clone())
    };
    let back = Returning {
        carried: cookie::get(&call.headers, cookie::ERRAND).map(|c| Secret::new(c.to_owned())),
        state: one("state"),
        code: one("code").map(Secret::new),
        issuer: one("iss"),
        error: query.iter().any(|(n, _)| n == "error").then(|| one("error").unwrap_or_default()),
    };
    let identity = &call.parts.identity;
    let passage = call.passage.as_deref();
    match identity.come_back(&call.knock(true), &call.browser(), &issuer(&call), id, back, passage).await {
        Ok(Back::Linked) => {
            let mut response = page::done("/account/identities", "linked")?;
            forget(&mut response);
            Ok(response)
        }
        Ok(Back::Confirmed(proof)) => {
            let mut response = page::done("/account", "confirmed")?;
            proven(&mut response, &proof);
            forget(&mut response);
            Ok(response)
        }
        Ok(Back::Step(step)) => {
            let mut response = sign_in::go_on(&call, step)?;
            forget(&mut response);
            Ok(response)
        }
        Err(problem) => told(&call, "provider", problem.into()).await,
    }
}

/// GET /account/identities
pub async fn identities(call: Arc<Call>) -> Result<Response, Fault> {
    identities_with(call, None).await
}

async fn identities_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let rows = call.parts.identity.own_identities(call.cx()?).await?;
    let ways = call.parts.identity.ways_in(&call.knock(false)).await.map_err(Fault::own)?.buttons;
    let ways = ways.into_iter().filter(|w| !rows.iter().any(|r| r.provider == w.id)).collect();
    let mut p = shell(&call, m::IDENTITIES).await?;
    p.path = "/account/identities".into();
    p.returned = returned;
    render(StatusCode::OK, &IdentitiesPage { p, rows, ways })
}

/// POST /account/identities
pub async fn link(call: Arc<Call>) -> Result<Response, Fault> {
    let gone = async {
        let Choice { provider } = call.input()?;
        let passage = call.passage.as_deref();
        let (knock, origin) = (call.knock(false), issuer(&call));
        let leaving = call.parts.identity.leave(&knock, &origin, provider, Errand::Link, passage).await;
        leaving.map_err(|p| if p.is(&NOT_FOUND) { Fault::own(p) } else { Fault::from(p) })
    };
    match gone.await {
        Ok(leaving) => away(&call, leaving),
        Err(fault) => told(&call, "link", fault).await,
    }
}

/// POST /account/confirm
pub async fn confirm(call: Arc<Call>) -> Result<Response, Fault> {
    match confirming(&call).await {
        Ok(leaving) => away(&call, leaving),
        Err(fault) => again(&call, "confirm", fault, account::show_with).await,
    }
}

/// Gives a browser what a provider has proven.
pub(super) fn proven(response: &mut Response, proof: &Secret<String>) {
    let made = cookie::set(cookie::PROOF, proof.reveal(), PROOF_LIFE);
    response.headers_mut().extend(made.map(|v| (header::SET_COOKIE, v)));
}

/// POST /account/identities/{id}/delete
pub async fn unlink(call: Arc<Call>) -> Result<Response, Fault> {
    let done = async {
        let id = call.id("id").map_err(|_| Fault::own(Problem::new(&NOT_FOUND)))?;
        Ok(call.parts.identity.delete_own_identity(call.cx()?, id).await?)
    };
    match done.await {
        Ok(()) => page::done("/account/identities", "unlinked"),
        Err(fault) => again(&call, "unlink", fault, identities_with).await,
    }
}
