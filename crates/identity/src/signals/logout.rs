//! Applications are told when a session ends in which people had signed in to them (OpenID Connect Back-Channel Logout 1.0).
//!
//! It is an event like any other: written down in the transaction that ends the session, sent afterwards, tried again. The
//! token is signed when it is sent, since it lives two minutes (§2.4).

use std::time::Duration;

use sekisho_kernel::{
    Secret, Time,
    egress::Outgoing,
    id::{ApplicationId, ApplicationKind, SessionKind},
};
use sekisho_vault::{Stored, Tx};
use serde_json::{Value, json};

use super::{initiator, notify, places, queue};
use crate::{
    Answer,
    records::{About, Application, SignalEvent, SignedInTo, UserSession},
};

/// What such a token is (§2.4).
pub const TYPE: &str = "logout+jwt";
/// Its event (§2.4).
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const LIFE: Duration = Duration::from_secs(120);
/// The longest answer that is read: there is nothing in it.
const LARGEST_ANSWER: usize = 4 * 1024;

/// Notes in a session that an application has learned of it, in the act that tells it.
pub fn learned(tx: &mut Tx<'_>, session: &Stored<UserSession>, application: ApplicationId, issuer: &str) -> Answer<()> {
    let one = SignedInTo { application, issuer: issuer.to_owned() };
    if session.body.applications.contains(&one) {
        return Ok(());
    }
    let mut body = session.body.clone();
    body.applications.push(one);
    tx.update(session.id::<SessionKind>(), session.version, &body).map(drop)
}

/// A session has ended.
pub fn ended(tx: &mut Tx<'_>, session: &Stored<UserSession>) -> Answer<()> {
    let (mut waits, at) = (false, tx.now());
    for one in &session.body.applications {
        if !tx.get::<Application>(one.application)?.is_some_and(|a| places::told(&a.body)) {
            continue;
        }
        let user = session.body.user;
        let about = About::Logout { user, session: session.id(), issuer: one.issuer.clone() };
        let event = SignalEvent { about, initiator: initiator(tx.actor(), Some(user)), at };
        waits |= queue(tx, one.application.cast(), &event)?;
    }
    if waits { notify(tx) } else { Ok(()) }
}

/// The claims of a logout token, and where it goes; `None` for another event, or an application that wants none.
pub fn claims<'a>(
    application: &'a Stored<Application>,
    jti: &str,
    now: Time,
    event: &SignalEvent,
) -> Option<(Value, &'a str)> {
    let About::Logout { user, session, issuer } = &event.about else { return None };
    let to = application.body.backchannel.as_ref()?;
    // No `nonce`, by which nobody takes it for an ID token (§2.4).
    let claims = json!({
        "iss": issuer,
        "sub": user,
        "aud": application.id::<ApplicationKind>(),
        "iat": now.secs(),
        "exp": now.plus(LIFE).secs(),
        "jti": jti,
        "sid": session,
        "events": { EVENT: {} },
    });
    Some((claims, &to.uri))
}

/// A logout token on its way (§2.5).
pub fn posted(uri: &str, token: String) -> Outgoing {
    let form = Some(Secret::new(format!("logout_token={token}")));
    Outgoing { url: uri.to_owned(), headers: Vec::new(), form, most: LARGEST_ANSWER }
}
