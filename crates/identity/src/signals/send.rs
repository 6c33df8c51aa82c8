//! Sending: each receiver's events one after another, receivers side by side; what fails waits longer each time, for a day.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Job, Outcome, Problem, Secret, Target, Text, Time,
    access::Right,
    egress::Outgoing,
    event,
    hook::Directory as _,
    id::{SignalEventId, SignalEventKind, SignalReceiverId, TenantId},
    problem::NOT_FOUND,
};
use sekisho_vault::{ClearValue, Entry, Scope, Stored};
use serde_json::Value;
use tokio::task::JoinSet;

use super::set;
use crate::{
    Answer, Identity, by_job,
    records::{SignalEvent, SignalReceiver},
    signing::Signer,
    sql,
    types::Check,
    under,
};

/// Receivers that are sent to side by side.
const AT_ONCE: usize = 16;
/// Events sent to one receiver in one turn.
const IN_A_TURN: i64 = 200;
/// The first wait after a failure; each further one is twice as long.
const FIRST_WAIT: u64 = 5;
/// The longest wait.
const LONGEST_WAIT: u64 = 3_600;
/// Largest answer of a receiver.
const LARGEST_ANSWER: usize = 16 * 1024;

/// Why a receiver did not take an event.
struct Refused {
    /// A word for the books.
    word: &'static str,
    /// For an administrator.
    text: Text,
}

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
    pub async fn send_signals(&self) -> Answer<u64> {
        let now = self.now();
        let tenants = self.tenants_with_signals(now).await?;
        let mut work = JoinSet::new();
        let mut sent = 0;
        for tenant in tenants {
            let due = self.receivers_due(tenant, now).await?;
            for receiver in due {
                while work.len() >= AT_ONCE {
                    sent += taken_in(work.join_next().await);
                }
                let this = self.clone();
                work.spawn(async move {
                    this.send_to(tenant, receiver).await.unwrap_or_else(|problem| {
                        tracing::warn!(%tenant, %receiver, ?problem, "signals were not sent");
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

    /// The receivers for which something is due. When more is due later, the tenant is looked at again then.
    async fn receivers_due(&self, tenant: TenantId, now: Time) -> Answer<Vec<SignalReceiverId>> {
        let rows = self
            .vault()
            .peek(&self.scope(tenant), move |view| view.books(&sql::SIGNAL_NEXT, &[]))
            .await
            .inspect_err(|_| self.later(tenant, now))?;
        let mut due = Vec::new();
        for row in &rows {
            let id = row.first().and_then(ClearValue::opaque).and_then(SignalReceiverId::from_slice);
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

    async fn send_to(&self, tenant: TenantId, id: SignalReceiverId) -> Answer<u64> {
        let scope = self.scope(tenant);
        let now = self.now();
        let found = self
            .vault()
            .peek(&scope, move |view| {
                let receiver = view.get::<SignalReceiver>(id)?;
                let mut events = Vec::new();
                for row in view.books(&sql::SIGNAL_DUE, &[id.into(), now.into(), IN_A_TURN.into()])? {
                    let own = row.first().and_then(ClearValue::opaque).and_then(SignalEventId::from_slice);
                    if let Some(own) = own {
                        events.extend(view.get::<SignalEvent>(own)?);
                    }
                }
                Ok((receiver, events))
            })
            .await?;
        let (Some(receiver), events) = found else { return Ok(0) };
        let policy = self.effective(tenant).await?;
        let cx = Cx::job(tenant, Job::Signals, policy, self.rng());
        let key = self.signer(&cx).await?;
        let mut sent = 0;
        for event in &events {
            match self.push(&receiver, &key, event).await? {
                Ok(()) => {
                    self.delivered(&cx, id, event).await?;
                    sent += 1;
                }
                Err(refused) => {
                    self.put_off(&cx, &receiver, event, refused.word).await?;
                    return Ok(sent);
                }
            }
        }
        if i64::try_from(events.len()).is_ok_and(|n| n >= IN_A_TURN) {
            self.later(tenant, now);
        }
        Ok(sent)
    }

    async fn push(
        &self,
        receiver: &Stored<SignalReceiver>,
        key: &Signer,
        event: &Stored<SignalEvent>,
    ) -> Answer<Result<(), Refused>> {
        let jti = event.id::<SignalEventKind>().to_string();
        let claims = set::claims(&receiver.body, receiver.id(), &jti, event.created, &event.body);
        let token = key.sign(set::TYPE, &claims)?;
        Ok(self.ask(&receiver.body, token).await)
    }

    /// One token to one receiver (RFC 8935 §2).
    async fn ask(&self, receiver: &SignalReceiver, token: String) -> Result<(), Refused> {
        let plain = |text: &str| Secret::new(text.to_owned());
        let mut headers =
            vec![("content-type", plain("application/secevent+jwt")), ("accept", plain("application/json"))];
        headers.extend(receiver.token.as_ref().map(|t| ("authorization", Secret::new(format!("Bearer {t}")))));
        let request =
            Outgoing { url: receiver.url.clone(), headers, form: Some(Secret::new(token)), most: LARGEST_ANSWER };
        let got = match self.0.outside.ask(request).await {
            Ok(got) => got,
            Err(why) => return Err(Refused { word: "unreached", text: why.text() }),
        };
        match got.status {
            200..=299 => Ok(()),
            400 => Err(told(&got.body)),
            401 | 403 => Err(Refused {
                word: "unauthorized",
                text: Text::new(
                    "受信側がトークンを拒否しました。ベアラートークンを確かめてください。",
                    "The receiver refuses us. Check the bearer token.",
                ),
            }),
            status => Err(Refused {
                word: "status",
                text: Text::owned(
                    format!("受信側が状態コード {status} で応答しました。受信側の記録を確かめてください。"),
                    format!("The receiver answers with the status {status}. Look at its own log."),
                ),
            }),
        }
    }

    /// It is out of the way, with its entry, in one step. When that fails it is sent again: receivers know it by its `jti`.
    async fn delivered(&self, cx: &Cx, id: SignalReceiverId, event: &Stored<SignalEvent>) -> Answer<()> {
        let own: SignalEventId = event.id();
        let what = event.body.uri();
        self.vault()
            .act(cx, by_job(cx, Job::Signals, &event::SIGNAL_SEND, id), move |tx, permit| {
                let now = tx.now();
                tx.keep(&sql::SIGNAL_DONE, &[own.into()])?;
                tx.keep(&sql::SIGNAL_SENT, &[id.into(), now.into()])?;
                tx.commit(permit, Entry::of(id).with("jti", own).with("signal", what), ())
            })
            .await
    }

    /// Everything for this receiver waits. The first failure of a row is entered.
    async fn put_off(
        &self,
        cx: &Cx,
        receiver: &Stored<SignalReceiver>,
        event: &Stored<SignalEvent>,
        word: &'static str,
    ) -> Answer<()> {
        let id: SignalReceiverId = receiver.id();
        let failures = receiver.int("failing")?;
        let until = self.now().plus(wait(failures));
        self.vault()
            .keep(&Scope::of(cx), move |keeper| {
                keeper.run(&sql::SIGNAL_FAILED, &[id.into(), word.into()])?;
                keeper.run(&sql::SIGNAL_LATER, &[id.into(), until.into()]).map(drop)
            })
            .await?;
        self.later(cx.tenant, until);
        if failures == 0 {
            let jti = event.id::<SignalEventKind>().to_string();
            let detail = vec![("jti", jti), ("signal", event.body.uri().to_owned()), ("why", word.to_owned())];
            self.vault().enter(cx, &event::SIGNAL_SEND, Outcome::Failed, &id.to_string(), detail).await?;
        }
        Ok(())
    }

    /// Gives up what was tried for a day, and what could not wait, with one entry for each receiver.
    pub(crate) async fn drop_signals(&self, cx: &Cx) -> Answer<u64> {
        let now = self.now();
        let over = self.vault().peek(&Scope::of(cx), move |view| view.books(&sql::SIGNAL_OVER, &[now.into()])).await?;
        let mut all = 0;
        for row in over {
            let Some(id) = row.first().and_then(ClearValue::opaque).and_then(SignalReceiverId::from_slice) else {
                continue;
            };
            all += self
                .vault()
                .act(cx, by_job(cx, Job::Sweeper, &event::SIGNAL_DROP, id), move |tx, permit| {
                    let overflow = tx.get::<SignalReceiver>(id)?.map_or(Ok(0), |r| r.int("overflow"))?;
                    let late = tx.keep(&sql::SIGNAL_SWEEP, &[id.into(), now.into()])?;
                    tx.keep(&sql::SIGNAL_DROPPED, &[id.into(), i64::try_from(late).unwrap_or(i64::MAX).into()])?;
                    let entry = Entry::of(id).with("late", late).with("overflow", overflow);
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
    pub async fn test_receiver(&self, cx: &Cx, id: SignalReceiverId) -> Answer<Vec<Check>> {
        let act = under(Right::CLIENTS_WRITE, &event::SIGNAL_TEST, Target::tenant(cx.tenant), id);
        let missing = || Problem::new(&NOT_FOUND);
        let found = self.vault().look(cx, act, move |view| view.get::<SignalReceiver>(id)?.ok_or_else(missing)).await?;
        let (receiver, key) = (found.body, self.signer(cx).await?);
        let jti = self.id::<SignalEventKind>().to_string();
        let claims = set::verification(&receiver, id, &jti, self.now());
        let check = match self.ask(&receiver, key.sign(set::TYPE, &claims)?).await {
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

/// What a receiver says of a token that it does not take (RFC 8935 §2.4).
fn told(body: &[u8]) -> Refused {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let clean = |key: &str| -> String {
        let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
        text.chars().filter(|c| !c.is_control()).take(200).collect()
    };
    let (err, more) = (clean("err"), clean("description"));
    let word = [
        "invalid_request",
        "invalid_key",
        "invalid_issuer",
        "invalid_audience",
        "authentication_failed",
        "access_denied",
    ]
    .into_iter()
    .find(|w| *w == err)
    .unwrap_or("refused");
    Refused {
        word,
        text: Text::owned(
            format!("受信側がイベントを拒否しました（{err}）。{more}"),
            format!("The receiver refuses the event ({err}). {more}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_at_an_hour() {
        let secs: Vec<u64> = [0, 1, 2, 9, 10, 63].into_iter().map(|n| wait(n).as_secs()).collect();
        assert_eq!(secs, [5, 10, 20, 2_560, 3_600, 3_600]);
    }

    #[test]
    fn a_receivers_refusal_is_told_and_cannot_write_our_pages() {
        let refused = told(b"{\"err\":\"invalid_audience\",\"description\":\"not\\u0007 ours\"}");
        assert_eq!(refused.word, "invalid_audience");
        assert_eq!(refused.text.en, "The receiver refuses the event (invalid_audience). not ours");
        assert_eq!(told(b"<html>").word, "refused");
        assert_eq!(told(b"{\"err\":\"made_up\"}").word, "refused");
    }
}
