//! Outside identity providers, mail domains and links; and the provider's own way to sign a person out.

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sekisho_identity::types::{
    After, Check, Errand, IdentityQuery, Leaving, MailDomainView, ProviderPatch, ProviderView,
};
use sekisho_kernel::{
    Problem, Secret,
    hook::Onward,
    id::ProviderId,
    problem::{INVALID, NOT_FOUND},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::oauth::{Form, issuer};
use crate::{call::Call, cookie, problem::Fault, reply};

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<ProviderView>, Option<String>), Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("providers").await?, limit: call.limit(&given) };
    let found = call.parts.identity.providers(call.cx()?, query).await?;
    let next = call.next("providers", found.next).await?;
    Ok((found.items, next))
}

/// Where a provider sends people back to, and where it signs them out.
pub(crate) fn addresses(call: &Call, id: ProviderId) -> (String, String) {
    let origin = issuer(call);
    (format!("{origin}/federation/{id}/callback"), format!("{origin}/federation/{id}/logout"))
}

/// Our entity id towards SAML providers, where their answers arrive, and where their logout messages do.
pub(crate) fn saml_addresses(call: &Call) -> [String; 3] {
    let origin = issuer(call);
    ["metadata", "acs", "slo"].map(|path| format!("{origin}/saml/{path}"))
}

/// GET /providers
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

fn one(status: StatusCode, provider: &ProviderView) -> Result<Response, Fault> {
    reply::record(status, provider.version, provider)
}

/// POST /providers
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    one(StatusCode::CREATED, &call.parts.identity.create_provider(call.cx()?, call.input()?).await?)
}

/// POST /saml-providers
pub async fn create_saml(call: Arc<Call>) -> Result<Response, Fault> {
    one(StatusCode::CREATED, &call.parts.identity.create_saml_provider(call.cx()?, call.input()?).await?)
}

/// GET /providers/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    one(StatusCode::OK, &call.parts.identity.provider(call.cx()?, call.id("id")?).await?)
}

/// PATCH /providers/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let patch: ProviderPatch = call.input()?;
    let version = call.needed_version()?;
    one(StatusCode::OK, &call.parts.identity.update_provider(call.cx()?, call.id("id")?, version, patch).await?)
}

/// DELETE /providers/{id}
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_provider(call.cx()?, call.id("id")?, call.version()?).await?;
    reply::nothing()
}

/// POST /providers/{id}/test
pub async fn test(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    let id: ProviderId = call.id("id")?;
    let checks = call.parts.identity.test_provider(call.cx()?, &issuer(&call), id).await?;
    let shown = |c: &Check| json!({"name": c.name, "good": c.good, "says": {"ja": c.says.ja, "en": c.says.en}});
    reply::ok(&json!({
        "good": checks.iter().all(|c| c.good),
        "callback": addresses(&call, id).0,
        "checks": checks.iter().map(shown).collect::<Vec<_>>(),
    }))
}

/// GET /mail-domains
pub async fn domains(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let query = After { after: call.position("mail-domains").await?, limit: call.limit(&given) };
    let provider = given.get("provider").and_then(Value::as_str).and_then(|p| p.parse().ok());
    let found = call.parts.identity.domains(call.cx()?, query, provider).await?;
    let next = call.next("mail-domains", found.next).await?;
    reply::list(&found.items, next.as_deref())
}

fn one_domain(status: StatusCode, domain: &MailDomainView) -> Result<Response, Fault> {
    reply::record(status, domain.version, domain)
}

/// POST /mail-domains
pub async fn create_domain(call: Arc<Call>) -> Result<Response, Fault> {
    one_domain(StatusCode::CREATED, &call.parts.identity.create_domain(call.cx()?, call.input()?).await?)
}

/// POST /mail-domains/{id}/verify
pub async fn verify_domain(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    one_domain(StatusCode::OK, &call.parts.identity.verify_domain(call.cx()?, call.id("id")?).await?)
}

/// DELETE /mail-domains/{id}
pub async fn delete_domain(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_domain(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}

/// GET /identities
pub async fn identities(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let named = |name: &str| given.get(name).and_then(Value::as_str);
    let query = IdentityQuery {
        after: call.position("identities").await?,
        limit: call.limit(&given),
        user: named("user").and_then(|u| u.parse().ok()),
        provider: named("provider").and_then(|p| p.parse().ok()),
    };
    let found = call.parts.identity.identities(call.cx()?, query).await?;
    let next = call.next("identities", found.next).await?;
    reply::list(&found.items, next.as_deref())
}

/// DELETE /identities/{id}
pub async fn delete_identity(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_identity(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    provider: ProviderId,
}

/// How long the errand's cookie lives; what it holds runs out by itself.
const ERRAND_LIFE: cookie::Life = cookie::Life::Seconds(600);

/// Gives a browser what it takes along to a provider.
pub(crate) fn takes_along(response: &mut Response, leaving: &Leaving) {
    let made = if leaving.posted_back {
        cookie::set_across(cookie::SAML, leaving.carried.reveal(), ERRAND_LIFE)
    } else {
        cookie::set(cookie::ERRAND, leaving.carried.reveal(), ERRAND_LIFE)
    };
    response.headers_mut().extend(made.map(|v| (header::SET_COOKIE, v)));
}

/// Sends a person to a provider to prove who they are.
pub(crate) async fn confirming(call: &Call) -> Result<Leaving, Fault> {
    let Choice { provider } = call.input()?;
    let (knock, passage) = (call.knock(false), call.passage.as_deref());
    let leaving = call.parts.identity.leave(&knock, &issuer(call), provider, Errand::Confirm, passage).await;
    leaving.map_err(|p| if p.is(&NOT_FOUND) { Fault::own(p) } else { Fault::from(p) })
}

/// POST /me/reauthenticate/provider
pub async fn confirm(call: Arc<Call>) -> Result<Response, Fault> {
    let leaving = confirming(&call).await?;
    let mut response = reply::ok(&Onward { to: leaving.to.clone(), fields: leaving.fields.clone() })?;
    takes_along(&mut response, &leaving);
    Ok(response)
}

/// GET /me/identities
pub async fn own(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.own_identities(call.cx()?).await?, None)
}

/// DELETE /me/identities/{id}
pub async fn delete_own(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_own_identity(call.cx()?, call.id("id")?).await?;
    reply::nothing()
}

/// POST /federation/{id}/logout. A refusal is 400 (Back-Channel Logout §2.8), nothing is kept in caches (§2.8).
pub async fn logout(call: Arc<Call>) -> Result<Response, Fault> {
    let token = Form::of(&call)?.need("logout_token")?;
    let done = call.parts.identity.provider_sign_out(&call.knock(false), call.id("id")?, &Secret::new(token)).await;
    match done {
        Ok(_) => Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], "{}").into_response()),
        Err(problem) if problem.kind.category == sekisho_kernel::Category::Unauthenticated => {
            let answer = json!({"error": "invalid_request", "error_description": "The logout token is not taken."});
            Err(Fault::from(Problem::new(&INVALID)).on(reply::json(StatusCode::BAD_REQUEST, &answer)?))
        }
        Err(problem) => Err(problem.into()),
    }
}
