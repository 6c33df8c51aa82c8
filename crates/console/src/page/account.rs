//! One's own account: password, second factor, recovery codes.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{Enrolment, FactorView, Me, PasskeyView, WayIn};
use sekisho_kernel::Right;

use super::{Returned, Shell, again, render, repeated, shell, sign_in};
use crate::{
    api::{CodeInput, PasswordChange, PasswordInput},
    call::Call,
    cookie, messages as m, page,
    problem::Fault,
};

/// The account.
#[derive(Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// Shell.
    pub p: Shell,
    /// The person.
    pub me: Me,
    /// Their factors.
    pub factors: Vec<FactorView>,
    /// Whether another may be set up.
    pub can_enrol: bool,
    /// Their passkeys.
    pub passkeys: Vec<PasskeyView>,
    /// Whether another may be registered.
    pub can_register: bool,
    /// Where the person confirms first that it is them, who has neither password nor passkey to confirm it by.
    pub confirm_at: Vec<WayIn>,
    /// Whether they have.
    pub confirmed: bool,
    /// Whether one signs in by itself.
    pub alone: bool,
    /// Recovery codes left, where there is something that they stand in for.
    pub recovery_left: Option<u32>,
    /// The rule for passwords.
    pub rule: String,
    /// Rights held tenant-wide.
    pub rights: Vec<Right>,
    /// Rights held on single sites.
    pub site_rights: Vec<Right>,
}

/// Setting up an authenticator app.
#[derive(Template)]
#[template(path = "enrol.html")]
pub struct EnrolPage {
    /// Shell.
    pub p: Shell,
    /// Where the code goes.
    pub action: String,
    /// The QR code.
    pub qr: String,
    /// The secret, to type by hand.
    pub secret: String,
}

/// GET /account
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

pub(super) async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let cx = call.cx()?;
    let me = call.parts.identity.me(cx).await?;
    let factors = call.parts.identity.factors(cx).await?;
    let passkeys = call.parts.identity.passkeys(cx).await?;
    let confirm_at = call.parts.identity.ways_to_confirm(cx).await?;
    let rule = call.parts.gates.passkeys(&call.arrival.policy);
    let allowed = call.parts.gates.factor(&call.arrival.policy).allowed;
    let known = |names: &[String]| names.iter().filter_map(|n| Right::by_name(n)).collect();
    let mut p = shell(&call, m::ACCOUNT).await?;
    p.returned = returned;
    p.path = "/account".into();
    let page = AccountPage {
        can_enrol: allowed && !factors.iter().any(|f| f.confirmed),
        rule: sign_in::rule_text(&call.parts.gates.password(&call.arrival.policy)).get(call.lang).to_owned(),
        rights: known(&me.rights),
        site_rights: known(&me.site_rights),
        recovery_left: factors
            .iter()
            .find(|f| f.confirmed)
            .map(|f| f.recovery_left)
            .or_else(|| passkeys.first().filter(|_| rule.codes).map(|k| k.recovery_left)),
        can_register: rule.allowed,
        confirmed: !confirm_at.is_empty() && cookie::get(&call.headers, cookie::PROOF).is_some(),
        confirm_at,
        alone: rule.alone,
        me,
        factors,
        passkeys,
        p,
    };
    render(StatusCode::OK, &page)
}

/// POST /account/password
pub async fn password(call: Arc<Call>) -> Result<Response, Fault> {
    let given = repeated(&call, "new").and_then(|()| call.input::<PasswordChange>());
    let changed = match given {
        Ok(given) => {
            let identity = &call.parts.identity;
            identity.change_password(call.cx()?, given.current.0, given.new.0).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match changed {
        Ok(()) => page::done("/account", "password-changed"),
        Err(fault) => again(&call, "password", fault, show_with).await,
    }
}

/// POST /account/factors
pub async fn enrol(call: Arc<Call>) -> Result<Response, Fault> {
    let e = call.parts.identity.enrol_factor(call.cx()?).await?;
    enrol_page(&call, &e).await
}

async fn enrol_page(call: &Call, e: &Enrolment) -> Result<Response, Fault> {
    let mut p = shell(call, m::ENROL_TITLE).await?;
    p.path = "/account".into();
    let page = EnrolPage {
        p,
        action: format!("/account/factors/{}/confirm", e.id),
        qr: sign_in::qr(e),
        secret: sign_in::spaced(e.secret.reveal()),
    };
    render(StatusCode::OK, &page)
}

/// POST /account/factors/{id}/confirm
pub async fn confirm(call: Arc<Call>) -> Result<Response, Fault> {
    let codes = match call.input::<CodeInput>() {
        Ok(given) => {
            let identity = &call.parts.identity;
            identity.confirm_factor(call.cx()?, call.id("id")?, given.code.0).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match codes {
        Ok(codes) => shown(&call, &codes),
        Err(fault) => again(&call, "enrol", fault, show_with).await,
    }
}

pub(super) fn shown(call: &Call, codes: &[sekisho_kernel::Secret<String>]) -> Result<Response, Fault> {
    let codes = codes.iter().map(|c| c.reveal().clone()).collect();
    let p = page::bare(call, m::CODES_TITLE);
    render(StatusCode::OK, &sign_in::CodesPage { p, codes, onward: "/account".into() })
}

/// POST /account/factors/{id}/delete
pub async fn remove(call: Arc<Call>) -> Result<Response, Fault> {
    let removed = match call.input::<PasswordInput>() {
        Ok(given) => {
            let identity = &call.parts.identity;
            identity.delete_factor(call.cx()?, call.id("id")?, given.password.0).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match removed {
        Ok(()) => page::done("/account", "factor-removed"),
        Err(fault) => again(&call, "remove", fault, show_with).await,
    }
}

/// POST /account/recovery-codes
pub async fn codes(call: Arc<Call>) -> Result<Response, Fault> {
    let codes = match call.input::<PasswordInput>() {
        Ok(given) => call.parts.identity.new_recovery_codes(call.cx()?, given.password.0).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    match codes {
        Ok(codes) => shown(&call, &codes),
        Err(fault) => again(&call, "codes", fault, show_with).await,
    }
}
