//! A person comes back from a SAML provider by a form that the provider's page posts. Cookies that are not meant for other sites'
//! forms stay away from it, so what follows begins with a step of our own.

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sekisho_identity::types::{CameBack, SamlReturning, SignInStep};
use sekisho_kernel::Secret;

use super::{render, sign_in};
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
    render(StatusCode::OK, &sign_in::OnwardPage { p, says: m::GOING_TO_PROVIDER_LEAD, to: to.to_owned() })
}

/// POST /saml/acs
pub async fn answer(call: Arc<Call>) -> Result<Response, Fault> {
    let form = call.form();
    // A field that comes twice is nobody's.
    let one = |name: &str| {
        let mut all = form.iter().filter(|(n, _)| n == name);
        all.next().filter(|_| all.next().is_none()).map(|(_, v)| v.clone())
    };
    let back = SamlReturning {
        carried: cookie::get(&call.headers, cookie::SAML).map(|c| Secret::new(c.to_owned())),
        response: one("SAMLResponse").unwrap_or_default(),
        relay_state: one("RelayState").filter(|s| !s.is_empty()),
    };
    let came = call.parts.identity.come_back_saml(&call.knock(true), &call.browser(), &issuer(&call), back).await?;
    let mut response = match came {
        CameBack::Linked => lead(&call, "/account/identities?done=linked")?,
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
