//! Receivers of security signals.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, Check, NewReceiver, ReceiverPatch, ReceiverView, SignalKind};
use sekisho_kernel::{Right, id::SignalReceiverId};

use super::{Choice, Mark, Returned, Shell, again, render, shell};
use crate::{
    api::{self, oauth::issuer},
    call::Call,
    messages as m, page,
    problem::Fault,
};

/// The list.
#[derive(Template)]
#[template(path = "signals.html")]
pub struct SignalsPage {
    /// Shell.
    pub p: Shell,
    /// Receivers.
    pub rows: Vec<ReceiverView>,
    /// How people may be named.
    pub subjects: Vec<Choice>,
    /// What a trial found, and of which receiver.
    pub tried: Option<(String, Vec<Check>)>,
    /// Where receivers find issuer and keys.
    pub configuration: String,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

impl SignalsPage {
    /// What is signalled, for people.
    pub fn signals(&self, row: &ReceiverView) -> String {
        let name = |kind: &SignalKind| match kind {
            SignalKind::SessionRevoked => self.p.t(m::SIGNAL_SESSIONS),
            SignalKind::CredentialChange => self.p.t(m::SIGNAL_CREDENTIALS),
        };
        row.events.iter().map(name).collect::<Vec<_>>().join(" · ")
    }
}

/// The state as a chip.
pub fn state(row: &ReceiverView) -> Mark {
    match (row.enabled, row.failing) {
        (false, _) => Mark { tone: "mute", icon: "dash", text: m::SIGNAL_OFF },
        (true, 0) => Mark { tone: "good", icon: "check", text: m::SIGNAL_ON },
        (true, _) => Mark { tone: "warn", icon: "alert", text: m::SIGNAL_FAILING },
    }
}

/// GET /signals
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None, None).await
}

async fn show_with(
    call: Arc<Call>,
    returned: Option<Returned>,
    tried: Option<(String, Vec<Check>)>,
) -> Result<Response, Fault> {
    let (rows, next) = if call.route.verb.mutates() {
        (call.parts.identity.receivers(call.cx()?, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::signals::page(&call).await?
    };
    let mut p = shell(&call, m::SIGNALS).await?;
    p.returned = returned;
    if call.route.verb.mutates() {
        p.path = "/signals".into();
    }
    let subjects = vec![
        Choice::new("iss_sub", m::SIGNAL_BY_ID.get(call.lang)),
        Choice::new("email", m::SIGNAL_BY_MAIL.get(call.lang)),
    ];
    let configuration = format!("{}/.well-known/ssf-configuration", issuer(&call));
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &SignalsPage { p, rows, subjects, tried, configuration, next, paged })
}

/// POST /signals
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let new: NewReceiver = call.input()?;
        Ok(call.parts.identity.create_receiver(call.cx()?, &issuer(&call), new).await?)
    };
    match made.await {
        Ok(_) => page::done("/signals", "created"),
        Err(fault) => again(&call, "create", fault, |call, r| show_with(call, r, None)).await,
    }
}

/// POST /signals/{id}/switch
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let enabled = Some(call.field("enabled") == "true");
    let patch = ReceiverPatch { enabled, ..ReceiverPatch::default() };
    let version = call.needed_version()?;
    call.parts.identity.update_receiver(call.cx()?, call.id("id")?, version, patch).await?;
    page::done("/signals", "saved")
}

/// POST /signals/{id}/test
pub async fn test(call: Arc<Call>) -> Result<Response, Fault> {
    let id: SignalReceiverId = call.id("id")?;
    let checks = call.parts.identity.test_receiver(call.cx()?, id).await?;
    let name = call.parts.identity.receiver(call.cx()?, id).await?.name;
    show_with(call, None, Some((name, checks))).await
}

/// POST /signals/{id}/delete
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_receiver(call.cx()?, call.id("id")?, None).await?;
    page::done("/signals", "deleted")
}
