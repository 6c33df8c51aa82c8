//! Sending: each place's events one after another, places side by side; what fails waits longer each time, for a day.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Job, Outcome, Problem, Target, Text, Time,
    access::Right,
    egress::Outgoing,
    event,
    hook::Directory as _,
    id::{RecordId, SignalEventId, SignalEventKind, SignalReceiverId, TenantId},
    problem::NOT_FOUND,
};
use sekisho_vault::{ClearValue, Entry, Scope, Stored};
use tokio::task::JoinSet;

use super::{
    places::{Place, Refused, pushed},
    set,
};
use crate::{
    Answer, Identity, boxed, by_job,
    records::{SignalEvent, SignalReceiver},
    sql,
    types::Check,
    under,
};

/// Places that are sent to side by side.
const AT_ONCE: usize = 16;
/// Events sent to one place in one turn.
const IN_A_TURN: i64 = 200;
/// The first wait after a failure; each further one is twice as long.
const FIRST_WAIT: u64 = 5;
/// The longest wait.
const LONGEST_WAIT: u64 = 3_600;
/// The wait after so many failures.
fn wait(failures: i64) -> Duration {
    let doubled = u32::try_from(failures).unwrap_or(0).min(20);
    Duration::from_secs(FIRST_WAIT.saturating_mul(1 << doubled).min(LONGEST_WAIT))
}

impl Identity {
    /// Sends what is due; how many events were delivered. One node at a time; run it every second or two.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn send_signals(&self) -> Answer<u64> {
        let now = self.now();
        let tenants = self.tenants_with_signals(now).await?;
        let mut work = JoinSet::new();
        let mut sent = 0;
        for tenant in tenants {
            let due = self.places_due(tenant, now).await?;
            for place in due {
                while work.len() >= AT_ONCE {
                    sent += taken_in(work.join_next().await);
                }
                let this = self.clone();
                work.spawn(async move {
                    this.send_to(tenant, place).await.unwrap_or_else(|problem| {
                        tracing::warn!(%tenant, %place, ?problem, "signals were not sent");
                        0
                    })
                });
            }
        }
        while let Some(one) = work.join_next().await {
            sent += taken_in(Some(one));
        }
        Ok(sent)
    }

    async fn tenants_with_signals(&self, now: Time) -> Answer<Vec<TenantId>> {
        let looked = std::mem::replace(&mut self.0.signals.lock().looked, true);
        if !looked {
            let all = self.vault().tenants().await.inspect_err(|_| self.0.signals.lock().looked = false)?;
            let mut state = self.0.signals.lock();
            state.tenants.extend(all.into_iter().map(|t| (t, Time::from_micros(0))));
        }
        let mut state = self.0.signals.lock();
        let due: Vec<TenantId> = state.tenants.iter().filter(|(_, at)| **at <= now).map(|(t, _)| *t).collect();
        state.tenants.retain(|t, _| !due.contains(t));
        Ok(due)
    }

    /// The places for which something is due. When more is due later, the tenant is looked at again then.
    async fn places_due(&self, tenant: TenantId, now: Time) -> Answer<Vec<RecordId>> {
        let rows = self
            .vault()
            .peek(&self.scope(tenant), move |view| view.books(&sql::SIGNAL_NEXT, &[]))
            .await
            .inspect_err(|_| self.later(tenant, now))?;
        let mut due = Vec::new();
        for row in &rows {
            let id = row.first().and_then(ClearValue::opaque).and_then(RecordId::from_slice);
            let at = row.get(1).and_then(ClearValue::int).map(Time::from_micros);
            match (id, at) {
                (Some(id), Some(at)) if at <= now => due.push(id),
                (Some(_), Some(at)) => self.later(tenant, at),
                _ => {}
            }
        }
        Ok(due)
    }

    fn later(&self, tenant: TenantId, at: Time) {
        let mut state = self.0.signals.lock();
        let known = state.tenants.entry(tenant).or_insert(at);
        *known = (*known).min(at);
    }

    async fn send_to(&self, tenant: TenantId, id: RecordId) -> Answer<u64> {
        let scope = self.scope(tenant);
        let now = self.now();
        let found = self
            .vault()
            .peek(&scope, move |view| {
                let place = Place::find(view, id)?;
                let mut events = Vec::new();
                for row in view.books(&sql::SIGNAL_DUE, &[id.into(), now.into(), IN_A_TURN.into()])? {
                    let own = row.first().and_then(ClearValue::opaque).and_then(SignalEventId::from_slice);
                    if let Some(own) = own {
                        events.extend(view.get::<SignalEvent>(own)?);
                    }
                }
                Ok((place, events))
            })
            .await?;
        let (Some(place), events) = found else {
            // An application was stopped while its event was on the way here.
            self.vault().keep(&scope, move |keeper| keeper.run(&sql::SIGNAL_EMPTY, &[id.into()])).await?;
            return Ok(0);
        };
        let policy = self.effective(tenant).await?;
        let cx = Cx::job(tenant, Job::Signals, policy, self.rng());
        let key = self.signer(&cx).await?;
        let mut sent = 0;
        for event in &events {
            let message = place.message(&key, event, self.now())?;
            match self.ask(&place, message).await {
                Ok(()) => {
                    self.delivered(&cx, &place, id, event).await?;
                    sent += 1;
                }
                Err(refused) if refused.last => self.given_up(&cx, &place, id, event, refused.word).await?,
                Err(refused) => {
                    self.put_off(&cx, &place, id, event, refused.word).await?;
                    return Ok(sent);
                }
            }
        }
        if i64::try_from(events.len()).is_ok_and(|n| n >= IN_A_TURN) {
            self.later(tenant, now);
        }
        Ok(sent)
    }

    /// One message, and what its answer means.
    async fn ask(&self, place: &Place, message: Outgoing) -> Result<(), Refused> {
        match self.0.outside.ask(message).await {
            Ok(got) => place.judged(got.status, &got.body),
            Err(why) => Err(Refused { word: "unreached", text: why.text(), last: false }),
        }
    }

    /// It is out of the way, with its entry, in one step. When that fails it is sent again: receivers know it by its `jti`.
    async fn delivered(&self, cx: &Cx, place: &Place, id: RecordId, event: &Stored<SignalEvent>) -> Answer<()> {
        let own: SignalEventId = event.id();
        let (what, books, object) = (event.body.uri(), place.books(), place.object());
        self.vault()
            .act(cx, by_job(cx, Job::Signals, books.send, &object), move |tx, permit| {
                let now = tx.now();
                tx.keep(&sql::SIGNAL_DONE, &[own.into()])?;
                tx.keep(books.sent, &[id.into(), now.into()])?;
                tx.commit(permit, Entry::of(object).with("jti", own).with("signal", what), ())
            })
            .await
    }

    /// It will never be taken: it is out of the way, and those behind it go on.
    async fn given_up(
        &self,
        cx: &Cx,
        place: &Place,
        id: RecordId,
        event: &Stored<SignalEvent>,
        word: &'static str,
    ) -> Answer<()> {
        let own: SignalEventId = event.id();
        let (books, object) = (place.books(), place.object());
        self.vault()
            .act(cx, by_job(cx, Job::Signals, books.drop, &object), move |tx, permit| {
                tx.keep(&sql::SIGNAL_DONE, &[own.into()])?;
                tx.keep(books.dropped, &[id.into(), 1_i64.into()])?;
                tx.commit(permit, Entry::of(object).with("jti", own).with("why", word), ())
            })
            .await
    }

    /// Everything for this place waits. The first failure of a row is entered.
    async fn put_off(
        &self,
        cx: &Cx,
        place: &Place,
        id: RecordId,
        event: &Stored<SignalEvent>,
        word: &'static str,
    ) -> Answer<()> {
        let (books, failures) = (place.books(), place.int("failing")?);
        let until = self.now().plus(wait(failures));
        self.vault()
            .keep(&Scope::of(cx), move |keeper| {
                keeper.run(books.failed, &[id.into(), word.into()])?;
                keeper.run(&sql::SIGNAL_LATER, &[id.into(), until.into()]).map(drop)
            })
            .await?;
        self.later(cx.tenant, until);
        if failures == 0 {
            let jti = event.id::<SignalEventKind>().to_string();
            let detail = vec![("jti", jti), ("signal", event.body.uri().to_owned()), ("why", word.to_owned())];
            self.vault().enter(cx, books.send, Outcome::Failed, &place.object(), detail).await?;
        }
        Ok(())
    }

    /// Gives up what was tried for a day, and what could not wait, with one entry for each place.
    pub(crate) async fn drop_signals(&self, cx: &Cx) -> Answer<u64> {
        let (now, scope) = (self.now(), Scope::of(cx));
        let over = self.vault().peek(&scope, move |view| {
            let mut over = Vec::new();
            for row in view.books(&sql::SIGNAL_OVER, &[now.into()])? {
                if let Some(id) = row.first().and_then(ClearValue::opaque).and_then(RecordId::from_slice) {
                    over.extend(Place::find(view, id)?.map(|place| (id, place)));
                }
            }
            Ok(over)
        });
        let mut all = 0;
        for (id, place) in over.await? {
            let (books, object, overflow) = (place.books(), place.object(), place.int("overflow")?);
            all += self
                .vault()
                .act(cx, by_job(cx, Job::Sweeper, books.drop, &object), move |tx, permit| {
                    let late = tx.keep(&sql::SIGNAL_SWEEP, &[id.into(), now.into()])?;
                    tx.keep(books.dropped, &[id.into(), i64::try_from(late).unwrap_or(i64::MAX).into()])?;
                    let entry = Entry::of(object).with("late", late).with("overflow", overflow);
                    tx.commit(permit, entry, late + u64::try_from(overflow).unwrap_or(0))
                })
                .await?;
        }
        Ok(all)
    }

    /// Sends a verification event (SSF 1.0 §8.1.4) now, and says what came of it.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn test_receiver(&self, cx: &Cx, id: SignalReceiverId) -> Answer<Vec<Check>> {
        let act = under(Right::CLIENTS_WRITE, &event::SIGNAL_TEST, Target::tenant(cx.tenant), id);
        let missing = || Problem::new(&NOT_FOUND);
        let found = self.vault().look(cx, act, move |view| view.get::<SignalReceiver>(id)?.ok_or_else(missing)).await?;
        let jti = self.id::<SignalEventKind>().to_string();
        let claims = set::verification(&found.body, id, &jti, self.now());
        let message = pushed(&found.body, self.signer(cx).await?.sign(set::TYPE, &claims)?);
        let check = match self.ask(&Place::Receiver(Box::new(found)), message).await {
            Ok(()) => Check {
                name: "delivery",
                good: true,
                says: Text::new("受信側が検証イベントを受け取りました。", "The receiver took the verification event."),
            },
            Err(refused) => Check { name: "delivery", good: false, says: refused.text },
        };
        Ok(vec![check])
    }
}

fn taken_in(one: Option<Result<u64, tokio::task::JoinError>>) -> u64 {
    one.and_then(Result::ok).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_at_an_hour() {
        let secs: Vec<u64> = [0, 1, 2, 9, 10, 63].into_iter().map(|n| wait(n).as_secs()).collect();
        assert_eq!(secs, [5, 10, 20, 2_560, 3_600, 3_600]);
    }
}
