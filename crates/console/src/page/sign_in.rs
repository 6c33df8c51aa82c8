//! The pages of the way in and out. Between the steps the challenge waits in a cookie, so that each step has an
//! address of its own and survives a reload.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_identity::types::{Enrolment, SecondFactors, SignInStep, WayIn};
use sekisho_kernel::{
    Problem, Secret, Text,
    gate::PasswordRule,
    hook::{HostKind, Onward},
    percent::encode,
    problem::{Category, NOT_FOUND},
};
use serde::Deserialize;

use super::{Returned, Shell, again, prefs::local, render, repeated};
use crate::{
    api::{
        CodeInput, Hidden, PasswordInput,
        sign_in::{LinkUse, Start, end, proof, set_cookies},
    },
    call::Call,
    cookie, messages as m, page,
    problem::Fault,
    reply,
    serve::PostsTo,
};

/// Sign-in.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// Shell.
    pub p: Shell,
    /// The name, where a link has just set its password.
    pub known_name: String,
    /// Providers with a button.
    pub providers: Vec<WayIn>,
    /// Whether a mail address may lead to one.
    pub by_mail: bool,
    /// Whether a passkey signs in by itself.
    pub passkeys: bool,
    /// Whether a password signs in.
    pub passwords: bool,
}

/// The second factor.
#[derive(Template)]
#[template(path = "sign_in_factor.html")]
pub struct FactorPage {
    /// Shell.
    pub p: Shell,
    /// What may prove it.
    pub ways: SecondFactors,
}

/// The password once more.
#[derive(Template)]
#[template(path = "sign_in_again.html")]
pub struct AgainPage {
    /// Shell.
    pub p: Shell,
}

/// A new password.
#[derive(Template)]
#[template(path = "sign_in_password.html")]
pub struct PasswordPage {
    /// Shell.
    pub p: Shell,
    /// The rule in words.
    pub rule: String,
}

/// Setting up the second factor on the way in.
#[derive(Template)]
#[template(path = "sign_in_enrol.html")]
pub struct EnrolPage {
    /// Shell.
    pub p: Shell,
    /// Where the code goes.
    pub action: String,
    /// The QR code as a `data:` address.
    pub qr: String,
    /// The secret, to type by hand.
    pub secret: String,
    /// Whether a passkey may be set up instead.
    pub passkeys: bool,
}

/// Recovery codes, shown once.
#[derive(Template)]
#[template(path = "codes.html")]
pub struct CodesPage {
    /// Shell.
    pub p: Shell,
    /// The codes.
    pub codes: Vec<String>,
    /// Where to go on.
    pub onward: String,
}

/// Setting a password with a one-time link.
#[derive(Template)]
#[template(path = "link.html")]
pub struct LinkPage {
    /// Shell.
    pub p: Shell,
    /// The token, if the address had it.
    pub token: String,
    /// The rule in words.
    pub rule: String,
}

/// Going on to another address after a form; a navigation of its own, so that `form-action` does not reach it.
#[derive(Template)]
#[template(path = "onward.html")]
pub struct OnwardPage {
    /// Shell.
    pub p: Shell,
    /// What is happening.
    pub says: &'static Text,
    /// Where.
    pub to: String,
    /// Whether it says something to read first.
    pub waits: bool,
}

/// The same by a form, which the script sends and anybody can.
#[derive(Template)]
#[template(path = "post.html")]
pub struct PostPage {
    /// Shell.
    pub p: Shell,
    /// What is happening.
    pub says: &'static Text,
    /// Where.
    pub to: String,
    /// What the form holds.
    pub fields: Vec<(&'static str, String)>,
}

/// A page that leads on to another site: by going there, or by posting a form.
pub(crate) fn leads_on(
    call: &Call,
    title: &Text,
    says: &'static Text,
    to: String,
    fields: Vec<(&'static str, String)>,
) -> Result<Response, Fault> {
    let p = page::bare(call, title);
    if fields.is_empty() {
        return render(StatusCode::OK, &OnwardPage { p, says, to, waits: false });
    }
    let mut response = render(StatusCode::OK, &PostPage { p, says, to: to.clone(), fields })?;
    response.extensions_mut().insert(PostsTo(to));
    Ok(response)
}

/// Whoever is signed out here goes on to sign out at their provider.
pub(super) fn parting(call: &Call, on: Onward) -> Result<Response, Fault> {
    leads_on(call, m::LEAVING_PROVIDER, m::LEAVING_PROVIDER_LEAD, on.to, on.fields)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FactorForm {
    code: Option<Hidden>,
    recovery_code: Option<Hidden>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPasswordForm {
    new_password: Hidden,
}

/// The rule for passwords, for people.
pub fn rule_text(rule: &PasswordRule) -> Text {
    let mut ja = format!("{} 文字以上。", rule.min_length);
    let mut en = format!("At least {} characters.", rule.min_length);
    if rule.classes > 1 {
        ja.push_str(&format!("英小文字・英大文字・数字・記号のうち {} 種類以上。", rule.classes));
        en.push_str(&format!(" {} of: lower case, upper case, digit, other.", rule.classes));
    }
    if rule.history > 0 {
        ja.push_str(&format!("過去 {} 回のパスワードは使えません。", rule.history));
        en.push_str(&format!(" None of the last {}.", rule.history));
    }
    Text::owned(ja, en)
}

fn rule(call: &Call) -> String {
    rule_text(&call.parts.gates.password(&call.arrival.policy)).get(call.lang).to_owned()
}

/// To `to`, and back here afterwards.
pub fn redirect(call: &Call, to: &str) -> Response {
    let mut response = reply::see(to);
    let here = call.uri.path_and_query().map_or("/", |p| p.as_str());
    if !call.route.verb.mutates() && here != "/" && local(here) {
        // The address may hold characters that no cookie may; sign-in then leads to the overview.
        let made = cookie::set(cookie::RETURN, here, cookie::Life::Seconds(1800));
        response.headers_mut().extend(made.map(|v| (header::SET_COOKIE, v)));
    }
    response
}

/// GET /sign-in
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    // An application may want to know that the person is still the same.
    if call.passage.is_some() && call.asked("again").is_none() {
        return lead_on(&call);
    }
    show_start(call, None).await
}

pub(super) async fn show_start(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let ways = call.parts.identity.ways_in(&call.knock(false)).await.map_err(Fault::own)?;
    let p = Shell { returned, ..page::bare(&call, m::SIGN_IN) };
    let passkeys = call.parts.gates.passkeys(&call.arrival.policy).alone;
    let passwords = call.parts.gates.password_way(&call.arrival.policy);
    let (providers, by_mail) = (ways.buttons, ways.by_mail);
    let page = SignInPage { p, known_name: String::new(), passkeys, passwords, providers, by_mail };
    render(StatusCode::OK, &page)
}

/// POST /sign-in
pub async fn start(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Result<Start, Fault> = call.input();
    let step = match given {
        Ok(given) => {
            let identity = &call.parts.identity;
            let step = identity.sign_in(&call.knock(true), &call.browser(), &given.name, given.password.0).await;
            step.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match step {
        Ok(step) => go_on(&call, step),
        Err(fault) => again(&call, "sign-in", fault, show_start).await,
    }
}

/// GET /sign-in/factor
pub async fn show_factor(call: Arc<Call>) -> Result<Response, Fault> {
    if challenge(&call).is_none() {
        return Ok(reply::see("/sign-in"));
    }
    show_factor_with(call, None).await
}

pub(super) async fn show_factor_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let Some(challenge) = challenge(&call) else { return Ok(reply::see("/sign-in")) };
    let ways = match call.parts.identity.second_factors(&call.knock(true), &challenge).await {
        Ok(ways) => ways,
        Err(problem) if problem.kind.category == Category::Unauthenticated => return Ok(reply::see("/sign-in")),
        Err(problem) => return Err(problem.into()),
    };
    let p = Shell { returned, path: "/sign-in/factor".into(), ..page::bare(&call, m::FACTOR_TITLE) };
    render(StatusCode::OK, &FactorPage { p, ways })
}

/// POST /sign-in/factor
pub async fn factor(call: Arc<Call>) -> Result<Response, Fault> {
    let Some(challenge) = challenge(&call) else { return Ok(reply::see("/sign-in")) };
    let form = if call.field("recovery_code").is_empty() { "factor" } else { "recovery" };
    let proof = call.input::<FactorForm>().and_then(|f| proof(f.code, f.recovery_code));
    let step = match proof {
        Ok(proof) => {
            let identity = &call.parts.identity;
            identity.sign_in_factor(&call.knock(true), &call.browser(), &challenge, proof).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match step {
        Ok(step) => go_on(&call, step),
        Err(fault) => again(&call, form, fault, show_factor_with).await,
    }
}

/// GET /sign-in/again
pub async fn show_again(call: Arc<Call>) -> Result<Response, Fault> {
    if challenge(&call).is_none() {
        return Ok(reply::see("/sign-in"));
    }
    show_again_with(call, None).await
}

async fn show_again_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    render(StatusCode::OK, &AgainPage { p: Shell { returned, ..page::bare(&call, m::AGAIN_TITLE) } })
}

/// POST /sign-in/again
pub async fn again_form(call: Arc<Call>) -> Result<Response, Fault> {
    let Some(challenge) = challenge(&call) else { return Ok(reply::see("/sign-in")) };
    let step = match call.input::<PasswordInput>() {
        Ok(given) => {
            let identity = &call.parts.identity;
            let password = given.password.0;
            identity.sign_in_again(&call.knock(true), &call.browser(), &challenge, password).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match step {
        Ok(step) => go_on(&call, step),
        Err(fault) => again(&call, "again", fault, show_again_with).await,
    }
}

/// GET /sign-in/password
pub async fn show_password(call: Arc<Call>) -> Result<Response, Fault> {
    if challenge(&call).is_none() {
        return Ok(reply::see("/sign-in"));
    }
    show_password_with(call, None).await
}

async fn show_password_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let p = Shell { returned, ..page::bare(&call, m::NEW_PASSWORD_TITLE) };
    let rule = rule(&call);
    render(StatusCode::OK, &PasswordPage { p, rule })
}

/// POST /sign-in/password
pub async fn password(call: Arc<Call>) -> Result<Response, Fault> {
    let Some(challenge) = challenge(&call) else { return Ok(reply::see("/sign-in")) };
    let given = repeated(&call, "new_password").and_then(|()| call.input::<NewPasswordForm>());
    let step = match given {
        Ok(given) => {
            let identity = &call.parts.identity;
            let new = given.new_password.0;
            identity.sign_in_password(&call.knock(true), &call.browser(), &challenge, new).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match step {
        Ok(step) => go_on(&call, step),
        Err(fault) => again(&call, "new-password", fault, show_password_with).await,
    }
}

/// GET /sign-in/enrol
pub async fn show_enrol(call: Arc<Call>) -> Result<Response, Fault> {
    show_enrol_with(call, None).await
}

pub(super) async fn show_enrol_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let Some(challenge) = challenge(&call) else { return Ok(reply::see("/sign-in")) };
    let e = call.parts.identity.sign_in_enrol(&call.knock(true), &challenge).await;
    let e = match e {
        Ok(e) => e,
        Err(problem) if problem.kind.category == Category::Unauthenticated => return Ok(reply::see("/sign-in")),
        Err(problem) => return Err(problem.into()),
    };
    let p = Shell { returned, path: "/sign-in/enrol".into(), ..page::bare(&call, m::ENROL_TITLE) };
    let passkeys = call.parts.gates.passkeys(&call.arrival.policy).allowed;
    let (action, secret) = ("/sign-in/enrol".into(), spaced(e.secret.reveal()));
    let page = EnrolPage { p, action, qr: qr(&e), secret, passkeys };
    render(StatusCode::OK, &page)
}

/// POST /sign-in/enrol
pub async fn enrol(call: Arc<Call>) -> Result<Response, Fault> {
    let Some(challenge) = challenge(&call) else { return Ok(reply::see("/sign-in")) };
    let step = match call.input::<CodeInput>() {
        Ok(given) => {
            let identity = &call.parts.identity;
            let code = given.code.0;
            identity
                .sign_in_enrol_confirm(&call.knock(true), &call.browser(), &challenge, code)
                .await
                .map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match step {
        Ok(step) => go_on(&call, step),
        Err(fault) => again(&call, "enrol", fault, show_enrol_with).await,
    }
}

/// The QR code as a picture that the content security policy lets in.
pub fn qr(e: &Enrolment) -> String {
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(e.qr_svg.reveal()))
}

/// A base32 secret in groups of four, as it is read aloud.
pub fn spaced(secret: &str) -> String {
    let chars: Vec<char> = secret.chars().collect();
    chars.chunks(4).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// The challenge of the sign-in under way.
pub(super) fn challenge(call: &Call) -> Option<Secret<String>> {
    cookie::get(&call.headers, cookie::CHALLENGE).map(|c| Secret::new(c.to_owned()))
}

/// Where sign-in leads.
pub fn onward(call: &Call) -> String {
    cookie::get(&call.headers, cookie::RETURN).filter(|to| local(to)).unwrap_or("/").to_owned()
}

/// After a step: to the next one, or in.
pub(super) fn go_on(call: &Call, step: SignInStep) -> Result<Response, Fault> {
    let next = |path: &str, challenge: &Secret<String>| {
        let mut response = reply::see(path);
        let made = cookie::set(cookie::CHALLENGE, challenge.reveal(), cookie::Life::Seconds(600));
        response.headers_mut().extend(made.map(|v| (header::SET_COOKIE, v)));
        Ok(response)
    };
    match step {
        SignInStep::SecondFactor(c) => next("/sign-in/factor", &c),
        SignInStep::PasswordAgain(c) => next("/sign-in/again", &c),
        SignInStep::PasswordChange(c) => next("/sign-in/password", &c),
        SignInStep::EnrolFactor(c) => next("/sign-in/enrol", &c),
        SignInStep::SignedIn(done) => {
            let to = onward(call);
            let mut response = if done.recovery_codes.is_empty() {
                to_onward(call, to)?
            } else {
                let codes = done.recovery_codes.iter().map(|c| c.reveal().clone()).collect();
                let p = page::bare(call, m::CODES_TITLE);
                render(StatusCode::OK, &CodesPage { p, codes, onward: to })?
            };
            set_cookies(&mut response, &done);
            forget(&mut response, &[cookie::CHALLENGE, cookie::RETURN, cookie::FORM, cookie::PASSKEY]);
            Ok(response)
        }
    }
}

fn to_onward(call: &Call, to: String) -> Result<Response, Fault> {
    if to.starts_with("/enter?") || to.starts_with("/oauth/") {
        let p = page::bare(call, m::SIGNED_IN);
        return render(StatusCode::OK, &OnwardPage { p, says: m::GOING_ON, to, waits: false });
    }
    Ok(reply::see(&to))
}

pub(super) fn forget(response: &mut Response, cookies: &[&str]) {
    for name in cookies {
        let gone = cookie::set(name, "", cookie::Life::Gone);
        gone.into_iter().for_each(|v| {
            response.headers_mut().append(header::SET_COOKIE, v);
        });
    }
}

/// On to where the person wanted to go before something else was asked of them.
pub fn lead_on(call: &Call) -> Result<Response, Fault> {
    let mut response = to_onward(call, onward(call))?;
    forget(&mut response, &[cookie::RETURN]);
    Ok(response)
}

/// GET /link
pub async fn show_link(call: Arc<Call>) -> Result<Response, Fault> {
    show_link_with(call, None).await
}

async fn show_link_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let p = Shell { returned, ..page::bare(&call, m::LINK_TITLE) };
    let token = if call.route.verb.mutates() { call.field("token") } else { call.asked("token").unwrap_or_default() };
    let rule = rule(&call);
    // The token leaves the address bar's copy in this page's own links alone.
    let p = Shell { path: "/link".into(), ..p };
    render(StatusCode::OK, &LinkPage { p, token, rule })
}

/// POST /link
pub async fn link(call: Arc<Call>) -> Result<Response, Fault> {
    let given = repeated(&call, "password").and_then(|()| call.input::<LinkUse>());
    let used = match given {
        Ok(given) => {
            let identity = &call.parts.identity;
            identity.use_link(&call.knock(true), &given.token.0, given.password.0).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match used {
        Ok(_) => page::done("/sign-in", "password-set"),
        Err(fault) => again(&call, "link", fault, show_link_with).await,
    }
}

/// GET /enter: on to an application host of the same tenant, by a one-time code bound to host and browser.
pub async fn enter(call: Arc<Call>) -> Result<Response, Fault> {
    let missing = || Fault::own(Problem::new(&NOT_FOUND));
    let to = call.asked("to").ok_or_else(missing)?;
    let path = call.asked("path").filter(|p| local(p)).unwrap_or_else(|| "/".into());
    let bind = call.asked("bind").filter(|b| b.len() <= 128).ok_or_else(missing)?;
    let host = call.parts.directory.host(&to.to_ascii_lowercase()).await.map_err(Fault::own)?;
    let host =
        host.filter(|h| h.tenant == call.arrival.host.tenant && h.kind == HostKind::Application).ok_or_else(missing)?;
    let passage = call.passage.as_ref().ok_or_else(missing)?;
    let code = call.parts.sessions.entry_code(passage, &host, &bind).await?;
    let port = if call.arrival.port == 443 { String::new() } else { format!(":{}", call.arrival.port) };
    let to =
        format!("https://{}{port}/.sekisho/enter?code={}&path={}", host.host, encode(code.reveal()), encode(&path));
    let mut response = reply::see(&to);
    response.headers_mut().extend(cookie::set(cookie::RETURN, "", cookie::Life::Gone).map(|v| (header::SET_COOKIE, v)));
    Ok(response)
}

/// POST /sign-out
pub async fn out(call: Arc<Call>) -> Result<Response, Fault> {
    let mut response = match end(&call, None).await? {
        None => page::done("/sign-in", "signed-out")?,
        Some(on) => parting(&call, on)?,
    };
    cookie::wipe(response.headers_mut());
    Ok(response)
}
