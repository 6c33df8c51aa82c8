//! A tenant's receivers: registered, tried and switched by an administrator.

use sekisho_kernel::{
    Cx, Problem, Target, Text,
    access::Right,
    event,
    id::{SignalReceiverId, SignalReceiverKind},
    problem::{CONFLICT, INVALID, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Stored, View};

use super::{MOST, number};
use crate::{
    Answer, Identity, boxed, guard, page_size,
    problems::TOO_MANY_RECORDS,
    records::{SignalKind, SignalReceiver},
    sql,
    types::{After, Listed, NewReceiver, ReceiverPatch, ReceiverView},
    under, values,
    values::taken,
};

fn invalid(place: &'static str, ja: &'static str, en: &'static str) -> Problem {
    Problem::new(&INVALID).at(place).detail(Text::new(ja, en))
}

fn missing() -> Problem {
    Problem::new(&NOT_FOUND)
}

/// An address to which something is sent: https, a host, no user and no fragment.
pub fn address(place: &'static str, text: &str) -> Answer<String> {
    let text = text.trim();
    let bad = || {
        invalid(
            place,
            "https で始まり、ホスト名を含み、「@」「#」を含まない 512 文字以下のアドレスを入力してください。",
            "Give an https address of at most 512 characters with a host name and without “@” and “#”.",
        )
    };
    let rest = text.strip_prefix("https://").ok_or_else(bad)?;
    let plain = text.len() <= 512 && text.bytes().all(|b| (0x21..=0x7e).contains(&b) && !b"\"<>\\^`{|}#@".contains(&b));
    if !plain || rest.starts_with('/') || rest.is_empty() {
        return Err(bad());
    }
    Ok(text.to_owned())
}

/// What a receiver calls itself: printable ASCII.
fn audience(text: &str) -> Answer<String> {
    let text = text.trim();
    if !text.is_empty() && text.len() <= 512 && text.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
        return Ok(text.to_owned());
    }
    Err(invalid(
        "audience",
        "空白を含まない 512 文字以下の ASCII の文字で入力してください。",
        "Give at most 512 ASCII characters without white space.",
    ))
}

/// A bearer token (RFC 6750 §2.1): printable ASCII; empty is none.
fn token(text: &str) -> Answer<Option<String>> {
    let text = text.trim();
    if text.len() > 2_048 || !text.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
        return Err(invalid(
            "token",
            "空白を含まない 2,048 文字以下の ASCII の文字で入力してください。",
            "Give at most 2,048 ASCII characters without white space.",
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn events(given: &[SignalKind]) -> Answer<Vec<SignalKind>> {
    let mut out = given.to_vec();
    out.sort_unstable();
    out.dedup();
    if out.is_empty() {
        return Err(invalid("events", "通知する出来事を選んでください。", "Choose what is signalled."));
    }
    Ok(out)
}

impl Identity {
    /// Registers a receiver, switched on; what happens from now on is told. `issuer` is the console's own address.
    ///
    /// # Errors
    /// `INVALID`, `SK-4019` (name taken), `SK-4027`.
    #[boxed]
    pub async fn create_receiver(&self, cx: &Cx, issuer: &str, new: NewReceiver) -> Answer<ReceiverView> {
        let id: SignalReceiverId = self.id();
        let issuer = issuer.to_owned();
        let act = under(Right::CLIENTS_WRITE, &event::SIGNAL_CREATE, Target::tenant(cx.tenant), id);
        let made = self
            .vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                if tx.count::<SignalReceiver>(&[])? >= MOST {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                let url = address("url", &new.url)?;
                let receiver = SignalReceiver {
                    name: values::label("name", &new.name)?,
                    audience: audience(new.audience.as_deref().filter(|a| !a.trim().is_empty()).unwrap_or(&url))?,
                    url,
                    issuer,
                    token: new.token.map_or(Ok(None), |t| token(t.reveal()))?,
                    events: events(&new.events)?,
                    subject: new.subject,
                };
                tx.insert(id, &receiver).map_err(taken)?;
                tx.keep(&sql::SIGNAL_SWITCH, &[id.into(), 1_i64.into()])?;
                let made = shown(&mut tx.view(), id)?;
                tx.commit(permit, Entry::of(id).with("url", &made.url), made)
            })
            .await?;
        // Its key is published before anything is told.
        self.signer(cx).await?;
        Ok(made)
    }

    /// One receiver.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn receiver(&self, cx: &Cx, id: SignalReceiverId) -> Answer<ReceiverView> {
        let act = under(Right::CLIENTS_READ, &event::SIGNAL_READ, Target::tenant(cx.tenant), id);
        self.vault().look(cx, act, move |view| shown(view, id)).await
    }

    /// A page of receivers.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn receivers(
        &self,
        cx: &Cx,
        page: After<SignalReceiverKind>,
    ) -> Answer<Listed<ReceiverView, SignalReceiverId>> {
        let act = under(Right::CLIENTS_READ, &event::SIGNAL_LIST, Target::tenant(cx.tenant), "signal-receivers");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (page.after.map(SignalReceiverId::cast), page_size(page.limit));
                let (rows, next) = guard::page(view, &Page { after, limit, ..Page::default() }, |_| true)?;
                let items = rows.into_iter().map(|r| receiver_view(view, r)).collect::<Answer<_>>()?;
                Ok(Listed { items, next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Changes a receiver as it was at `version`. What waits is sent to the new address.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `INVALID`, `SK-4019`.
    #[boxed]
    pub async fn update_receiver(
        &self,
        cx: &Cx,
        id: SignalReceiverId,
        version: i64,
        patch: ReceiverPatch,
    ) -> Answer<ReceiverView> {
        let act = under(Right::CLIENTS_WRITE, &event::SIGNAL_UPDATE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let mut body = tx.get::<SignalReceiver>(id)?.ok_or_else(missing)?.body;
                let mut changed = Vec::new();
                if let Some(name) = &patch.name {
                    body.name = values::label("name", name)?;
                    changed.push("name");
                }
                if let Some(url) = &patch.url {
                    body.url = address("url", url)?;
                    changed.push("url");
                }
                if let Some(given) = &patch.audience {
                    body.audience = audience(given)?;
                    changed.push("audience");
                }
                if let Some(given) = &patch.token {
                    body.token = token(given.reveal())?;
                    changed.push("token");
                }
                if let Some(given) = &patch.events {
                    body.events = events(given)?;
                    changed.push("events");
                }
                if let Some(subject) = patch.subject {
                    body.subject = subject;
                    changed.push("subject");
                }
                tx.update(id, version, &body).map_err(taken)?;
                if let Some(enabled) = patch.enabled {
                    tx.keep(&sql::SIGNAL_SWITCH, &[id.into(), enabled.into()])?;
                    super::switched(tx, id, enabled)?;
                    changed.push(if enabled { "enabled" } else { "disabled" });
                }
                // Whoever mends a receiver waits for no backoff.
                tx.keep(&sql::SIGNAL_MENDED, &[id.into()])?;
                let now = tx.now();
                tx.keep(&sql::SIGNAL_LATER, &[id.into(), now.into()])?;
                super::notify(tx)?;
                let made = shown(&mut tx.view(), id)?;
                tx.commit(permit, Entry::of(id).with("changed", changed.join(" ")), made)
            })
            .await
    }

    /// Deletes a receiver with what waits for it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`.
    #[boxed]
    pub async fn delete_receiver(&self, cx: &Cx, id: SignalReceiverId, version: Option<i64>) -> Answer<()> {
        let act = under(Right::CLIENTS_WRITE, &event::SIGNAL_DELETE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let old = tx.get::<SignalReceiver>(id)?.ok_or_else(missing)?;
                if version.is_some_and(|v| v != old.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                let dropped = tx.keep(&sql::SIGNAL_EMPTY, &[id.into()])?;
                tx.delete::<SignalReceiver>(id)?;
                tx.commit(permit, Entry::of(id).with("dropped", dropped), ())
            })
            .await
    }
}

/// A receiver as it is shown.
pub fn shown(view: &mut View<'_>, id: SignalReceiverId) -> Answer<ReceiverView> {
    let receiver = view.get::<SignalReceiver>(id)?.ok_or_else(missing)?;
    receiver_view(view, receiver)
}

fn receiver_view(view: &mut View<'_>, r: Stored<SignalReceiver>) -> Answer<ReceiverView> {
    let id: SignalReceiverId = r.id();
    let waits = number(&view.books(&sql::SIGNAL_WAITING, &[id.into()])?, 0);
    let last_sent = Some(r.int("last_sent")?).filter(|t| *t > 0).map(sekisho_kernel::Time::from_micros);
    Ok(ReceiverView {
        id,
        version: r.version,
        created: r.created,
        updated: r.updated,
        enabled: r.int("enabled")? > 0,
        waiting: u64::try_from(waits).unwrap_or(0),
        sent: r.int("sent")?,
        dropped: r.int("dropped")? + r.int("overflow")?,
        last_sent,
        failing: r.int("failing")?,
        trouble: r.column("trouble")?.code().map(str::to_owned),
        has_token: r.body.token.is_some(),
        name: r.body.name,
        url: r.body.url,
        audience: r.body.audience,
        events: r.body.events,
        subject: r.body.subject,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_and_plain() {
        for good in ["https://siem.example/set", "https://siem.example:8443/a?b=c"] {
            assert_eq!(address("url", good).unwrap(), good);
        }
        for bad in
            ["", "http://siem.example", "https://", "https:///x", "https://u@siem.example", "https://a.example/#x"]
        {
            assert!(address("url", bad).is_err(), "{bad}");
        }
        assert_eq!(token(" ").unwrap(), None);
        assert_eq!(token("abc").unwrap().as_deref(), Some("abc"));
        assert!(token("a b").is_err() && token("a\nb").is_err());
        assert!(events(&[]).is_err());
    }
}
