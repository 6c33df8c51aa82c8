//! Shared Signals: what happens to people's sessions and credentials is told to the receivers that a tenant's administrator
//! has registered (SSF 1.0, CAEP 1.0), each event a signed token (RFC 8417) pushed over https (RFC 8935).
//!
//! An event is written down in the transaction of the act that it tells of, and sent afterwards: what was rolled back is never
//! told, and what was told is never lost before it was given up. Applications are told of ended sessions in the same way.

pub mod logout;
mod places;
mod receivers;
mod send;
pub mod set;

pub use receivers::address;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sekisho_kernel::{
    Actor, Job, Time,
    id::{RecordId, SessionId, SignalEventKind, SignalReceiverId, TenantId, UserId},
};
use sekisho_vault::{ClearValue, Page, Stored, Tx};

use crate::{
    Answer,
    records::{About, CredentialChanged, Initiator, SignalEvent, SignalKind, SignalReceiver, UserAccount},
    sql,
};

/// Most receivers of a tenant.
pub const MOST: u64 = 10;
/// Most events that wait for one receiver.
pub const MOST_WAITING: i64 = 10_000;
/// How long an event is tried.
pub const TRIED: std::time::Duration = std::time::Duration::from_secs(24 * 3_600);

/// Who is told of what, in this transaction.
pub struct Listeners(Vec<Stored<SignalReceiver>>);

/// The tenant's receivers that are switched on.
pub fn listeners(tx: &mut Tx<'_>) -> Answer<Listeners> {
    let page = Page { limit: 20, eq: &[("enabled", true.into())], ..Page::default() };
    tx.list::<SignalReceiver>(&page).map(Listeners)
}

impl Listeners {
    /// A session has ended before its time, or by it.
    pub fn session_revoked(&self, tx: &mut Tx<'_>, user: UserId, session: SessionId) -> Answer<()> {
        self.raise(tx, SignalKind::SessionRevoked, user, Some(session), None)
    }

    /// A credential has changed. Types and changes are CAEP's (§3.3).
    pub fn credential_changed(
        &self,
        tx: &mut Tx<'_>,
        user: UserId,
        credential: &'static str,
        change: &'static str,
    ) -> Answer<()> {
        let change = CredentialChanged { credential: credential.into(), change: change.into() };
        self.raise(tx, SignalKind::CredentialChange, user, None, Some(change))
    }

    fn raise(
        &self,
        tx: &mut Tx<'_>,
        kind: SignalKind,
        user: UserId,
        session: Option<SessionId>,
        change: Option<CredentialChanged>,
    ) -> Answer<()> {
        let (mut mail, at) = (None, tx.now());
        let mut told = false;
        for receiver in self.0.iter().filter(|r| r.body.events.contains(&kind)) {
            let id: SignalReceiverId = receiver.id();
            if mail.is_none() {
                mail = Some(tx.get::<UserAccount>(user)?.and_then(|a| a.body.mail));
            }
            let (mail, change) = (mail.clone().flatten(), change.clone());
            let about = About::Person { kind, user, mail, session, change };
            let event = SignalEvent { about, initiator: initiator(tx.actor(), Some(user)), at };
            told |= queue(tx, id.cast(), &event)?;
        }
        if told { notify(tx) } else { Ok(()) }
    }
}

/// An administrator has switched a receiver: it is told so itself, and of nothing else that waits (SSF 1.0 §8.1.5).
fn switched(tx: &mut Tx<'_>, id: SignalReceiverId, enabled: bool) -> Answer<()> {
    if !enabled {
        tx.keep(&sql::SIGNAL_EMPTY, &[id.into()])?;
    }
    let about = About::Stream { enabled };
    let event = SignalEvent { about, initiator: initiator(tx.actor(), None), at: tx.now() };
    queue(tx, id.cast(), &event).map(drop)
}

/// Puts an event behind what waits for a place; false when no more can wait.
fn queue(tx: &mut Tx<'_>, id: RecordId, event: &SignalEvent) -> Answer<bool> {
    let waits = tx.keep_rows(&sql::SIGNAL_WAITING, &[id.into()])?;
    if number(&waits, 0) >= MOST_WAITING {
        tx.keep(places::books_of(event).overflow, &[id.into()])?;
        return Ok(false);
    }
    let own = tx.fresh::<SignalEventKind>();
    tx.insert(own, event)?;
    // A place that is being left alone for a while is left alone.
    let due = event.at.max(Time::from_micros(number(&waits, 1)));
    tx.keep(&sql::SIGNAL_QUEUE, &[own.into(), id.into(), due.into(), event.at.plus(TRIED).into()])?;
    Ok(true)
}

/// Lets the node that sends know.
fn notify(tx: &mut Tx<'_>) -> Answer<()> {
    let tenant = tx.scope().tenant();
    tx.notify("signal", &tenant.to_string())
}

/// A credential has changed, where nobody has asked for the listeners yet.
pub fn credential_changed(tx: &mut Tx<'_>, user: UserId, credential: &'static str, change: &'static str) -> Answer<()> {
    listeners(tx)?.credential_changed(tx, user, credential, change)
}

/// On whose account it happened (CAEP §2).
fn initiator(actor: &Actor, user: Option<UserId>) -> Initiator {
    match actor {
        Actor::User { id, .. } if Some(*id) == user => Initiator::User,
        Actor::User { .. } => Initiator::Admin,
        Actor::Job(Job::SignIn) => Initiator::User,
        Actor::Job(Job::Sweeper) => Initiator::Policy,
        _ => Initiator::System,
    }
}

/// A number of the first row.
fn number(rows: &[Vec<ClearValue>], at: usize) -> i64 {
    rows.first().and_then(|r| r.get(at)).and_then(ClearValue::int).unwrap_or(0)
}

/// Which tenants have events to send, and from when on: a notice of any node puts one here, so that nobody asks the
/// store about tenants without.
#[derive(Default)]
pub struct Pending(Mutex<State>);

#[derive(Default)]
struct State {
    tenants: BTreeMap<TenantId, Time>,
    /// Whether every tenant was looked at since the start, or since notices were missed.
    looked: bool,
}

impl Pending {
    /// What a notice says.
    pub fn notice(&self, topic: &str, payload: &str) {
        match (topic, payload.parse::<TenantId>()) {
            ("signal", Ok(tenant)) => drop(self.lock().tenants.insert(tenant, Time::from_micros(0))),
            ("resync", _) => self.lock().looked = false,
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
