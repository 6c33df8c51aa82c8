//! A person comes back from a SAML provider by a form that the provider's page posts. Cookies that are not meant for other sites'
//! forms stay away from it, so what follows begins with a step of our own.

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sekisho_identity::types::{CameBack, SamlFarewell, SamlLogoutMessage, SamlReturning, SignInStep};
use sekisho_kernel::{Problem, Secret, problem::INTERNAL};

use super::{authorize, federation, render, sign_in};
use crate::{
    api::{oauth::issuer, sign_in::set_cookies},
    call::Call,
    cookie, messages as m, page,
    problem::Fault,
};

/// GET /saml/metadata
pub async fn metadata(call: Arc<Call>) -> Result<Response, Fault> {
    let text = call.parts.identity.saml_metadata(&call.knock(false), &issuer(&call)).await.map_err(Fault::own)?;
    let kind = HeaderValue::from_static("application/samlmetadata+xml");
    let name = HeaderValue::from_static("attachment; filename=\"sekisho-saml.xml\"");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], text).into_response())
}

/// A page that leads on within our own site.
fn lead(call: &Call, to: &str) -> Result<Response, Fault> {
    let p = page::bare(call, m::SIGNED_IN);
    render(StatusCode::OK, &sign_in::OnwardPage { p, says: m::GOING_TO_PROVIDER_LEAD, to: to.to_owned(), waits: false })
}

/// A field of a form that is there once: one that comes twice is nobody's.
fn once(form: &[(String, String)], name: &str) -> Option<String> {
    let mut all = form.iter().filter(|(n, _)| n == name);
    all.next().filter(|_| all.next().is_none()).map(|(_, v)| v.clone())
}

/// GET /saml/slo: a logout message by HTTP-Redirect. Its signature covers the query exactly as it came.
pub async fn logout(call: Arc<Call>) -> Result<Response, Fault> {
    let raw = call.uri.query().unwrap_or_default().to_owned();
    parted(&call, &SamlLogoutMessage::Query(raw)).await
}

/// POST /saml/slo: the same by HTTP-POST.
pub async fn logout_posted(call: Arc<Call>) -> Result<Response, Fault> {
    let form = call.form();
    let (request, answer) = (once(&form, "SAMLRequest"), once(&form, "SAMLResponse"));
    let state = form.iter().filter(|(n, _)| n == "RelayState").count();
    // Both at once, or a state twice, is neither one thing nor the other.
    let message = match (request, answer) {
        (Some(field), None) if state <= 1 => Some((field, false)),
        (None, Some(field)) if state <= 1 => Some((field, true)),
        _ => None,
    };
    let (field, answer) = message.unwrap_or_default();
    let relay_state = once(&form, "RelayState").filter(|s| !s.is_empty());
    parted(&call, &SamlLogoutMessage::Form { field, relay_state, answer }).await
}

async fn parted(call: &Call, message: &SamlLogoutMessage) -> Result<Response, Fault> {
    let done = call.parts.identity.saml_logout(&call.knock(false), &issuer(call), message).await?;
    match done {
        SamlFarewell::Asked(None) => page::done("/sign-in", "signed-out"),
        // Perhaps within a frame of the provider's page: a page of ours would not be shown there, so the browser is sent on.
        SamlFarewell::Asked(Some(on)) if on.fields.is_empty() => {
            let to = HeaderValue::try_from(on.to).map_err(|e| Fault::own(Problem::new(&INTERNAL).log(e)))?;
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
        }
        SamlFarewell::Asked(Some(on)) => sign_in::parting(call, on),
        SamlFarewell::Answered { to: Some(to), partial } => authorize::returns(call, to, partial),
        SamlFarewell::Answered { partial: false, .. } => page::done("/sign-in", "signed-out-provider"),
        SamlFarewell::Answered { partial: true, .. } => page::done("/sign-in", "signed-out-partly"),
    }
}

/// POST /saml/acs
pub async fn answer(call: Arc<Call>) -> Result<Response, Fault> {
    let form = call.form();
    let one = |name: &str| once(&form, name);
    let back = SamlReturning {
        carried: cookie::get(&call.headers, cookie::SAML).map(|c| Secret::new(c.to_owned())),
        response: one("SAMLResponse").unwrap_or_default(),
        relay_state: one("RelayState").filter(|s| !s.is_empty()),
    };
    let came = call.parts.identity.come_back_saml(&call.knock(true), &call.browser(), &issuer(&call), back).await?;
    let mut response = match came {
        CameBack::Linked => lead(&call, "/account/identities?done=linked")?,
        CameBack::Confirmed(proof) => {
            let mut response = lead(&call, "/account?done=confirmed")?;
            federation::proven(&mut response, &proof);
            response
        }
        CameBack::Step(SignInStep::SignedIn(done)) => {
            let mut response = lead(&call, "/sign-in")?;
            set_cookies(&mut response, &done);
            sign_in::forget(&mut response, &[cookie::CHALLENGE, cookie::FORM, cookie::PASSKEY]);
            response
        }
        CameBack::Step(step) => sign_in::go_on(&call, step)?,
    };
    if let Some(gone) = cookie::set_across(cookie::SAML, "", cookie::Life::Gone) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}
