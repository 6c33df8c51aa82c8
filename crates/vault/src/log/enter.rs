//! Entries without a write.

use std::net::IpAddr;

use sekisho_kernel::{Actor, Cx, Event, Job, Outcome, Problem, TakenOut};

use super::{draft, strangers::Knocker};
use crate::{Parts, ids};

/// One entry, accepted when this returns. Sealed on the caller's thread, so that the one that writes only inserts.
///
/// # Errors
/// The store's and the keys'.
pub(crate) async fn enter(
    parts: &Parts,
    cx: &Cx,
    event: &'static Event,
    outcome: Outcome,
    object: &str,
    detail: Vec<(&'static str, String)>,
) -> Result<(), Problem> {
    if parts.out == Some(TakenOut::EntryWrite) {
        return Ok(());
    }
    let now = parts.clock.now();
    // A judged risk stands behind a right password: it is never folded into a count.
    let judged = detail.iter().any(|(name, _)| *name == "risk");
    if let Some(address) = knocking(cx, outcome).filter(|_| !judged)
        && !parts.strangers.single(Knocker { log: cx.tenant, address: Some(address) }, now)
    {
        return Ok(());
    }
    let id = ids::entry(now, &*parts.rng);
    let draft = draft::Draft::event(cx, cx.tenant, event, outcome, object, &detail, id, now);
    let keys = parts.keys.ready(cx.tenant).await?;
    let sealed = draft::seal(&keys, &*parts.rng, draft)?;
    parts.appender.append(&parts.store, sealed).await
}

/// The address of somebody unknown who got nothing: such entries are counted beyond ten a minute. An IPv6 customer has a
/// whole /64, so that is one address here.
fn knocking(cx: &Cx, outcome: Outcome) -> Option<IpAddr> {
    let unknown = matches!(cx.actor, Actor::Stranger | Actor::Job(Job::SignIn | Job::Door));
    if !unknown || outcome == Outcome::Success {
        return None;
    }
    cx.peer.map(|peer| match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    })
}
