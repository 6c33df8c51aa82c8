//! The page on which a person types in the code that a device shows (RFC 8628 §3.3).

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::PersonScope;
use sekisho_kernel::{Right, Secret};

use super::{Returned, Shell, again, render};
use crate::{call::Call, messages as m, page, problem::Fault};

/// Where the code goes.
#[derive(Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    /// Shell.
    pub p: Shell,
    /// The code, if the address had it.
    pub code: String,
}

/// Whether the device may.
#[derive(Template)]
#[template(path = "device_consent.html")]
pub struct DeviceConsentPage {
    /// Shell.
    pub p: Shell,
    /// The application.
    pub name: String,
    /// The code, as the device shows it.
    pub code: String,
    /// What it asks about the person.
    pub person: Vec<PersonScope>,
    /// What it asks for.
    pub rights: Vec<Right>,
    /// The decision to be made, sealed.
    pub request: String,
}

/// GET /device
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let code = call.asked("user_code").filter(|c| c.len() <= 64).unwrap_or_default();
    let p = Shell { returned, path: "/device".into(), ..page::bare(&call, m::DEVICE_TITLE) };
    render(StatusCode::OK, &DevicePage { p, code })
}

/// POST /device
pub async fn typed(call: Arc<Call>) -> Result<Response, Fault> {
    match call.parts.identity.device_typed(call.cx()?, &call.field("user_code")).await {
        Ok(ask) => {
            let p = page::bare(&call, m::DEVICE_TITLE);
            let (rights, request) = (ask.rights.iter().collect(), ask.sealed.reveal().clone());
            let page = DeviceConsentPage { p, name: ask.name, code: ask.code, person: ask.person, rights, request };
            render(StatusCode::OK, &page)
        }
        Err(problem) => again(&call, "device", Fault::from(problem), show_with).await,
    }
}

/// POST /device/decide
pub async fn decide(call: Arc<Call>) -> Result<Response, Fault> {
    let (sealed, allow) = (Secret::new(call.field("request")), call.field("decision") == "allow");
    call.parts.identity.decide_device(call.cx()?, &sealed, allow).await?;
    page::done("/account/applications", if allow { "device-allowed" } else { "device-denied" })
}
