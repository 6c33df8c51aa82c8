//! Answers kept against repeated requests, and short sealed texts.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Actor, Cx, Once, Problem, Text,
    id::{EntryId, TenantId},
    problem::CONFLICT,
};
use sekisho_keys::{Place, TenantKeys};
use sekisho_store::params;

use crate::{
    Scope, Vault,
    problem::{KEY_DONE, KEY_IN_USE, KEY_REUSED},
    sql,
};

/// What is known of an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// This answer was given under it.
    With(Vec<u8>),
    /// Nothing was: the key is now this request's, unless it has none.
    Not(Option<Once>),
}

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How long a request may take before another with its key may go ahead: nobody waits longer for the first one's answer.
const UNDER_WAY: Duration = Duration::from_secs(30);
/// The longest sealed text in characters.
const MOST_TEXT: usize = 8_192;

impl Vault {
    /// The answer already given to this idempotency key within 24 h, or the claim on it, which is now this request's: act
    /// with it in the context ([`Cx::once`]), then follow with [`Vault::keep_answer`], or with [`Vault::forget_answer`] when
    /// nothing was done. Nothing is kept for strangers: nobody gets an answer that may have been meant for somebody else.
    ///
    /// # Errors
    /// `SK-3004` when the key was used for another request, `SK-3005` while the first request with it is under way, `SK-3008`
    /// when that was done and whoever did it has gone without leaving the answer.
    pub async fn answered(&self, cx: &Cx, key: &str, fingerprint: &[u8]) -> Result<Answered, Problem> {
        if matches!(cx.actor, Actor::Stranger) {
            return Ok(Answered::Not(None));
        }
        let (place, keys) = self.place(cx, key).await?;
        let once = Once { place, fingerprint: keys.mac("kept-answer/fingerprint", fingerprint), claimed: self.now() };
        self.inner
            .parts
            .within(cx.tenant)
            .write(move |db| {
                let Once { fingerprint: print, claimed: now, .. } = once;
                let (tenant, old, stale) = (keys.tenant().bytes(), now.minus(KEPT), now.minus(UNDER_WAY));
                let taken = params![&tenant, &place, &print, now, old, stale];
                if db.exec(sql::RESERVE_ANSWER, &taken)? == 1 {
                    return Ok(Answered::Not(Some(once)));
                }
                let row = db.query_opt(sql::ANSWER, &params![&tenant, &place])?;
                let row = row.ok_or_else(|| Problem::new(&CONFLICT))?;
                if row.blob(0)? != print {
                    return Err(Problem::new(&KEY_REUSED));
                }
                if let Some(sealed) = row.opt_blob(1)? {
                    return keys.open(at(&place), sealed.to_vec()).map(Answered::With);
                }
                let done = row.opt_blob(2)?.and_then(EntryId::from_slice);
                match done.filter(|_| row.int(3).is_ok_and(|claimed| claimed <= stale.micros())) {
                    Some(entry) => Err(Problem::new(&KEY_DONE).detail(Text::owned(
                        format!("操作履歴の {entry} に記録があります。"),
                        format!("Its entry in the operation history is {entry}."),
                    ))),
                    // Whoever did it may be about to leave the answer.
                    None => Err(Problem::new(&KEY_IN_USE).retry_after(Duration::from_secs(1))),
                }
            })
            .await
    }

    /// Keeps an answer (sealed) under the claimed key for 24 h.
    ///
    /// # Errors
    /// `CONFLICT` when another request has taken the key meanwhile.
    pub async fn keep_answer(&self, cx: &Cx, once: Once, answer: &[u8]) -> Result<(), Problem> {
        let keys = self.inner.parts.keys.ready(cx.tenant).await?;
        let sealed = keys.seal(at(&once.place), answer)?;
        self.inner
            .parts
            .within(cx.tenant)
            .write(move |db| {
                let tenant = keys.tenant().bytes();
                let row = params![&tenant, &once.place, &once.fingerprint, once.claimed, &sealed];
                if db.exec(sql::KEEP_ANSWER, &row)? == 1 { Ok(()) } else { Err(Problem::new(&CONFLICT)) }
            })
            .await
    }

    /// Gives the claimed key back: the request failed, and may be sent again with it. What was done under it all the same
    /// keeps it.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_answer(&self, cx: &Cx, once: Once) -> Result<(), Problem> {
        let tenant = cx.tenant.bytes();
        self.inner
            .parts
            .within(cx.tenant)
            .write(move |db| {
                db.exec(sql::FORGET_ANSWER, &params![&tenant, &once.place, &once.fingerprint, once.claimed])?;
                Ok(())
            })
            .await
    }

    /// Where an actor's key is kept: nobody else's request meets it.
    async fn place(&self, cx: &Cx, key: &str) -> Result<([u8; 32], TenantKeys), Problem> {
        let keys = self.inner.parts.keys.ready(cx.tenant).await?;
        let actor = cx.actor.name();
        let text = [actor.as_bytes(), &[0], key.as_bytes()].concat();
        Ok((keys.mac("kept-answer", &text), keys))
    }

    /// Removes pointers and kept answers that have run out.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(&self) -> Result<(), Problem> {
        let now = self.now();
        self.inner
            .parts
            .across()
            .write(move |db| {
                db.exec(sql::SWEEP_POINTERS, &params![now])?;
                db.exec(sql::SWEEP_ANSWERS, &params![now.minus(KEPT)])?;
                Ok(())
            })
            .await
    }

    /// A keyed hash (HMAC-SHA256 under the tenant's blind-index key) for counters and caches that must not show what
    /// they are about. Stable over scheduled key rotation.
    ///
    /// # Errors
    /// The store's, where the key has to be read.
    pub async fn keyed_hash(&self, scope: &Scope, label: &'static str, data: &[u8]) -> Result<[u8; 32], Problem> {
        Ok(self.inner.parts.keys.ready(scope.tenant()).await?.mac(label, data))
    }

    /// Seals a short text (a list's cursor, a sign-in challenge) under the tenant's key, bound to `context` (tenant is
    /// implied; name the route and filter). URL-safe base64.
    ///
    /// # Errors
    /// The store's, where the key has to be read.
    pub async fn seal_text(&self, scope: &Scope, context: &str, plain: &str) -> Result<String, Problem> {
        let keys = self.inner.parts.keys.ready(scope.tenant()).await?;
        Ok(URL_SAFE_NO_PAD.encode(keys.seal(text(context), plain.as_bytes())?))
    }

    /// Opens what [`Vault::seal_text`] sealed for the same tenant and context; `None` for anything else.
    ///
    /// # Errors
    /// The store's, where the key has to be read.
    pub async fn open_text(&self, scope: &Scope, context: &str, sealed: &str) -> Result<Option<String>, Problem> {
        if sealed.len() > MOST_TEXT {
            return Ok(None);
        }
        let keys = self.inner.parts.keys.ready(scope.tenant()).await?;
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(sealed) else { return Ok(None) };
        Ok(keys.open(text(context), bytes).ok().and_then(|plain| String::from_utf8(plain).ok()))
    }

    /// The platform's scope: for keyed hashes and texts of what has no tenant yet. It reads no tenant's data.
    pub const fn platform(&self) -> Scope {
        Scope::found(TenantId::NIL)
    }
}

fn at(place: &[u8; 32]) -> Place<'static> {
    let mut id = [0; 16];
    id.copy_from_slice(&place[..16]);
    Place { table: "kept_answer", id, version: 0 }
}

/// A text's place is its context.
fn text(context: &str) -> Place<'static> {
    let mut id = [0; 16];
    id.copy_from_slice(&digest(&SHA256, context.as_bytes()).as_ref()[..16]);
    Place { table: "text", id, version: 0 }
}
