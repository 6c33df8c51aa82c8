//! The way in and out.

use std::sync::Arc;

use axum::{http::header, response::Response};
use sekisho_identity::types::{Enrolment, FactorProof, LeaveTo, SignInStep, SignedIn};
use sekisho_kernel::hook::Onward;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Hidden, oauth::issuer};
use crate::{call::Call, cookie, guard, problem::Fault, reply, serve::defect, shape, shape::Takes};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    pub name: String,
    pub password: Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factor {
    challenge: Hidden,
    code: Option<Hidden>,
    recovery_code: Option<Hidden>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    challenge: Hidden,
    password: Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    challenge: Hidden,
    new_password: Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenge {
    challenge: Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeCode {
    challenge: Hidden,
    code: Hidden,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkUse {
    pub token: Hidden,
    pub password: Hidden,
}

/// What proves the second factor: exactly one of the two.
pub(crate) fn proof(code: Option<Hidden>, recovery: Option<Hidden>) -> Result<FactorProof, Fault> {
    match (code, recovery) {
        (Some(code), None) => Ok(FactorProof::Code(code.0)),
        (None, Some(code)) => Ok(FactorProof::Recovery(code.0)),
        _ => Err(Fault::field("code", shape::allowed(Takes::Text(6, 6)))),
    }
}

/// POST /sign-in
pub async fn start(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Start = call.input()?;
    let identity = &call.parts.identity;
    let step = identity.sign_in(&call.knock(true), &call.browser(), &given.name, given.password.0).await?;
    told(&call, step).await
}

/// POST /sign-in/signature
pub async fn signature(call: Arc<Call>) -> Result<Response, Fault> {
    let identity = &call.parts.identity;
    let step = identity.sign_in_signed(&call.knock(true), &call.browser(), call.input()?).await?;
    told(&call, step).await
}

/// POST /sign-in/factor
pub async fn factor(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Factor = call.input()?;
    let proof = proof(given.code, given.recovery_code)?;
    let identity = &call.parts.identity;
    let step = identity.sign_in_factor(&call.knock(true), &call.browser(), &given.challenge.0, proof).await?;
    told(&call, step).await
}

/// POST /sign-in/again
pub async fn again(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Again = call.input()?;
    let identity = &call.parts.identity;
    let (challenge, password) = (&given.challenge.0, given.password.0);
    let step = identity.sign_in_again(&call.knock(true), &call.browser(), challenge, password).await?;
    told(&call, step).await
}

/// POST /sign-in/password
pub async fn password(call: Arc<Call>) -> Result<Response, Fault> {
    let given: NewPassword = call.input()?;
    let identity = &call.parts.identity;
    let new = given.new_password.0;
    let step = identity.sign_in_password(&call.knock(true), &call.browser(), &given.challenge.0, new).await?;
    told(&call, step).await
}

/// POST /sign-in/enrol
pub async fn enrol(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Challenge = call.input()?;
    let enrolment = call.parts.identity.sign_in_enrol(&call.knock(true), &given.challenge.0).await?;
    reply::ok(&enrolment_json(&enrolment))
}

/// POST /sign-in/enrol/confirm
pub async fn confirm(call: Arc<Call>) -> Result<Response, Fault> {
    let given: ChallengeCode = call.input()?;
    let identity = &call.parts.identity;
    let code = given.code.0;
    let step = identity.sign_in_enrol_confirm(&call.knock(true), &call.browser(), &given.challenge.0, code).await?;
    told(&call, step).await
}

/// POST /sign-out
pub async fn out(call: Arc<Call>) -> Result<Response, Fault> {
    let onward = end(&call, None).await?;
    let mut response = reply::ok(&json!({ "onward": onward }))?;
    cookie::wipe(response.headers_mut());
    Ok(response)
}

/// Ends the session of the request. Where the person may go on to sign out at their provider, from where they go `to` an
/// application.
pub(crate) async fn end(call: &Call, to: Option<LeaveTo>) -> Result<Option<Onward>, Fault> {
    let token = call.token.as_ref().ok_or_else(|| defect("signed in without a token"))?;
    Ok(call.parts.identity.sign_out_to(&call.knock(true), token, &issuer(call), to).await?)
}

/// GET /session
pub async fn session(call: Arc<Call>) -> Result<Response, Fault> {
    let state = call.parts.identity.session_state(call.cx()?).await?;
    let mut out = serde_json::to_value(&state).map_err(defect)?;
    if let Value::Object(map) = &mut out {
        map.insert("now".into(), json!(call.now.rfc3339()));
        map.insert("csrf".into(), json!(call.csrf()));
    }
    reply::ok(&out)
}

/// POST /links/use
pub async fn link(call: Arc<Call>) -> Result<Response, Fault> {
    let given: LinkUse = call.input()?;
    let used = call.parts.identity.use_link(&call.knock(true), &given.token.0, given.password.0).await?;
    reply::ok(&json!({ "state": "password-set", "user": used.user, "name": used.name }))
}

/// The secret of a new factor, once.
pub(crate) fn enrolment_json(e: &Enrolment) -> Value {
    json!({ "id": e.id, "secret": e.secret.reveal(), "uri": e.uri.reveal(), "qr_svg": e.qr_svg.reveal() })
}

/// Where a sign-in stands.
pub(crate) async fn told(call: &Call, step: SignInStep) -> Result<Response, Fault> {
    let wait = |state: &str, challenge: &str| reply::ok(&json!({ "state": state, "challenge": challenge }));
    match step {
        SignInStep::SecondFactor(c) => {
            let factors = call.parts.identity.second_factors(&call.knock(true), &c).await?.names();
            reply::ok(&json!({ "state": "second-factor", "challenge": c.reveal(), "factors": factors }))
        }
        SignInStep::PasswordAgain(c) => wait("password-again", c.reveal()),
        SignInStep::PasswordChange(c) => wait("password-change", c.reveal()),
        SignInStep::EnrolFactor(c) => wait("enrol-factor", c.reveal()),
        SignInStep::SignedIn(done) => {
            let mut body = json!({
                "state": "signed-in",
                "token": done.token.reveal(),
                "session": done.session,
                "user": done.user,
                "csrf": guard::csrf(done.token.reveal()),
                "idle_ends_at": done.idle_ends_at.map(sekisho_kernel::Time::rfc3339),
                "ends_at": done.ends_at.rfc3339(),
            });
            if let (false, Value::Object(map)) = (done.recovery_codes.is_empty(), &mut body) {
                let codes: Vec<_> = done.recovery_codes.iter().map(|c| c.reveal().as_str()).collect();
                map.insert("recovery_codes".into(), json!(codes));
            }
            let mut response = reply::ok(&body)?;
            set_cookies(&mut response, &done);
            Ok(response)
        }
    }
}

/// The cookies of a new session.
pub(crate) fn set_cookies(response: &mut Response, done: &SignedIn) {
    const YEAR: u32 = 365 * 86_400;
    let device =
        done.device.as_ref().and_then(|d| cookie::set(cookie::DEVICE, d.reveal(), cookie::Life::Seconds(YEAR)));
    let session = cookie::set(cookie::SESSION, done.token.reveal(), cookie::Life::Browser);
    for value in session.into_iter().chain(device) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
