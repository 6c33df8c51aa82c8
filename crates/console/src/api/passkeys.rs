//! Passkeys: on the way in, and of one's own account.

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::Response,
};
use sekisho_identity::types::{PasskeyAnswer, PasskeyMade, PasskeyOptions, PasskeyPatch, RelyingParty};
use sekisho_kernel::{Secret, rng};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Hidden, PasswordInput, oauth::issuer, sign_in::told};
use crate::{
    call::Call,
    cookie,
    problem::Fault,
    reply,
    serve::defect,
    shape::{self, Takes},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    step: Option<String>,
    challenge: Option<Hidden>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenge {
    challenge: Option<Hidden>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proven {
    password: Option<Hidden>,
}

/// The console as this browser sees it; whether the value that tells the browser is new.
fn party(call: &Call) -> (RelyingParty, bool) {
    let known = cookie::get(&call.headers, cookie::PASSKEY).map(str::to_owned);
    let fresh = known.is_none();
    let browser = known.unwrap_or_else(|| hex::encode(rng::bytes::<16>(&*call.parts.rng)));
    (RelyingParty { id: call.arrival.host.host.clone(), origin: issuer(call), browser: Secret::new(browser) }, fresh)
}

/// The same, for an answer: a browser that has no such value has asked for nothing.
pub(crate) fn known_party(call: &Call) -> RelyingParty {
    party(call).0
}

/// The challenge of the sign-in under way: given, or in the pages' cookie.
fn under_way(call: &Call, given: Option<Hidden>) -> Result<Secret<String>, Fault> {
    let kept = || cookie::get(&call.headers, cookie::CHALLENGE).map(|c| Secret::new(c.to_owned()));
    let missing = || Fault::field("challenge", shape::allowed(Takes::Secret(1, 4096)));
    given.map(|c| c.0).or_else(kept).ok_or_else(missing)
}

fn options_json(options: &PasskeyOptions) -> Result<Response, Fault> {
    reply::ok(&json!({ "ceremony": options.ceremony.reveal(), "public_key": options.public_key }))
}

/// The options for a browser that nobody is signed in with; it is told a value to be known by.
fn begun(party: &RelyingParty, fresh: bool, options: &PasskeyOptions) -> Result<Response, Fault> {
    let mut response = options_json(options)?;
    if fresh {
        let made = cookie::set(cookie::PASSKEY, party.browser.reveal(), cookie::Life::Browser);
        response.headers_mut().extend(made.map(|v| (header::SET_COOKIE, v)));
    }
    Ok(response)
}

/// POST /sign-in/passkey/options
pub async fn sign_in_options(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Step = call.input()?;
    let (party, fresh) = party(&call);
    let challenge = match given.step.as_deref() {
        Some("factor") => Some(under_way(&call, given.challenge)?),
        _ => None,
    };
    let options = call.parts.identity.passkey_options(&call.knock(true), &party, challenge.as_ref()).await?;
    begun(&party, fresh, &options)
}

/// POST /sign-in/passkey
pub async fn sign_in(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasskeyAnswer = call.input()?;
    let identity = &call.parts.identity;
    let step = identity.sign_in_passkey(&call.knock(true), &call.browser(), &known_party(&call), given).await?;
    told(&call, step).await
}

/// POST /sign-in/enrol/passkey/options
pub async fn enrol_options(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Challenge = call.input()?;
    let (party, fresh) = party(&call);
    let challenge = under_way(&call, given.challenge)?;
    let options = call.parts.identity.enrol_passkey_options(&call.knock(true), &party, &challenge).await?;
    begun(&party, fresh, &options)
}

/// POST /sign-in/enrol/passkey
pub async fn enrol(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasskeyAnswer = call.input()?;
    let identity = &call.parts.identity;
    let step = identity.enrol_passkey(&call.knock(true), &call.browser(), &known_party(&call), given).await?;
    told(&call, step).await
}

/// POST /me/reauthenticate/passkey/options
pub async fn confirm_options(call: Arc<Call>) -> Result<Response, Fault> {
    let _: Value = call.input()?;
    options_json(&call.parts.identity.confirm_options(call.cx()?, &known_party(&call)).await?)
}

/// POST /me/reauthenticate/passkey
pub async fn confirm(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasskeyAnswer = call.input()?;
    let proof = call.parts.identity.confirm_by_passkey(call.cx()?, &known_party(&call), given).await?;
    reply::ok(&json!({ "proof": proof.reveal() }))
}

/// GET /me/passkeys
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    reply::list(&call.parts.identity.passkeys(call.cx()?).await?, None)
}

/// POST /me/passkeys/options
pub async fn options(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Proven = call.input()?;
    // What a provider has proven waits in the browser that came back from it.
    let kept = || cookie::get(&call.headers, cookie::PROOF).map(|c| Secret::new(c.to_owned()));
    let given = given.password.map(|p| p.0).or_else(kept);
    let options = call.parts.identity.register_options(call.cx()?, &known_party(&call), given).await?;
    let mut response = options_json(&options)?;
    let gone = cookie::set(cookie::PROOF, "", cookie::Life::Gone);
    response.headers_mut().extend(gone.map(|v| (header::SET_COOKIE, v)));
    Ok(response)
}

/// POST /me/passkeys
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasskeyAnswer = call.input()?;
    let made = call.parts.identity.create_passkey(call.cx()?, &known_party(&call), given).await?;
    reply::record(StatusCode::CREATED, made.passkey.version, &made_json(&made)?)
}

fn made_json(made: &PasskeyMade) -> Result<Value, Fault> {
    let mut out = serde_json::to_value(&made.passkey).map_err(defect)?;
    if let (false, Value::Object(map)) = (made.recovery_codes.is_empty(), &mut out) {
        let codes: Vec<_> = made.recovery_codes.iter().map(|c| c.reveal().as_str()).collect();
        map.insert("recovery_codes".into(), json!(codes));
    }
    Ok(out)
}

/// PATCH /me/passkeys/{id}
pub async fn rename(call: Arc<Call>) -> Result<Response, Fault> {
    let patch: PasskeyPatch = call.input()?;
    let version = call.needed_version()?;
    let view = call.parts.identity.rename_passkey(call.cx()?, call.id("id")?, version, patch).await?;
    reply::record(StatusCode::OK, view.version, &view)
}

/// DELETE /me/passkeys/{id}
pub async fn remove(call: Arc<Call>) -> Result<Response, Fault> {
    let given: PasswordInput = call.input()?;
    call.parts.identity.delete_passkey(call.cx()?, call.id("id")?, given.password.0).await?;
    reply::nothing()
}
