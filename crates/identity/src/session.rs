//! Sessions: an opaque token a host, known to the store by its hash; idle and absolute ends; ended at once everywhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sekisho_kernel::{
    Actor, Cx, Job, Outcome, Problem, Secret, TakenOut, Time, event,
    gate::{Gates, SessionRule, SessionTimes, session_over},
    hook::{HostEntry, HostKind, Knock, Onward, Passage, Sessions},
    id::{SessionId, SessionKind, TenantId, UserId},
    problem::UNAUTHENTICATED,
};
use sekisho_vault::{Bookkeeping, Entry, Scope, Stored, Tx};

use crate::{
    Answer, Identity, boxed, by_job,
    cache::Slot,
    device,
    federation::{logout, saml::Farewell},
    oauth::grants,
    own, people,
    problems::{ENTRY_CODE_OVER, PROVIDER_REFUSED},
    records::{CameBy, HostToken, UserSession},
    rights::{self, Person},
    signals, sql, token, tokens,
    types::{LeaveTo, UserState},
};

/// Last use is written when the stored one is older than this, or than a thirtieth of the idle limit.
const TOUCH: Duration = Duration::from_secs(60);
/// Most sessions of one person at the same time.
pub const MOST: usize = 100;
/// How long an entry code is good.
const CODE_LIFE: Duration = Duration::from_secs(30);
/// What seals entry codes.
const CODE: &str = "entry code";

fn nobody() -> Problem {
    Problem::new(&UNAUTHENTICATED)
}

/// When last use is written: a session may end so much early, never late.
pub fn touch_after(rule: &SessionRule) -> Duration {
    rule.idle.map_or(TOUCH, |idle| TOUCH.min(idle / 30))
}

/// Last activity as stored.
pub fn last_used(session: &Stored<UserSession>) -> Answer<Time> {
    Ok(session.body.signed_in.max(Time::from_micros(session.int("last_used")?)))
}

/// When whoever vouched for the person says that the session ends.
pub fn own_end(session: &UserSession) -> Option<Time> {
    session.provider.as_ref().and_then(|p| p.until)
}

/// When a session ends, however it is used.
pub fn ends_at(session: &UserSession, absolute: Duration) -> Time {
    let ours = session.signed_in.plus(absolute);
    own_end(session).map_or(ours, |own| own.min(ours))
}

/// Takes one session away with its tokens, on every node at once.
pub fn end(tx: &mut Tx<'_>, tenant: TenantId, session: &Stored<UserSession>) -> Answer<()> {
    let listeners = signals::listeners(tx)?;
    end_told(tx, tenant, session, &listeners)
}

fn end_told(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    session: &Stored<UserSession>,
    listeners: &signals::Listeners,
) -> Answer<()> {
    for t in &session.body.tokens {
        tx.unpoint("session", &key_bytes(&t.key))?;
    }
    tx.delete::<UserSession>(session.id)?;
    listeners.session_revoked(tx, session.body.user, session.id())?;
    signals::logout::ended(tx, session)?;
    tx.notify("session", &format!("{tenant}:{}", session.id::<SessionKind>()))
}

/// Ends every session of a person but one; how many there were.
pub fn end_all(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, except: Option<SessionId>) -> Answer<u32> {
    let mut ended = 0;
    let listeners = signals::listeners(tx)?;
    for session in people::of_user::<UserSession>(&mut tx.view(), user)? {
        if Some(session.id()) != except {
            end_told(tx, tenant, &session, &listeners)?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Makes room for one more session of a person by ending the oldest.
pub fn make_room(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Answer<()> {
    let sessions = people::of_user::<UserSession>(&mut tx.view(), user)?;
    let too_many = (sessions.len() + 1).saturating_sub(MOST);
    sessions.iter().take(too_many).try_for_each(|oldest| end(tx, tenant, oldest))
}

fn key_bytes(key: &str) -> Vec<u8> {
    hex::decode(key).unwrap_or_default()
}

/// A session that is being made.
pub struct Made {
    /// Its id.
    pub id: SessionId,
    /// What the browser gets.
    pub token: Secret<String>,
    record: UserSession,
    key: Vec<u8>,
    expires: Time,
}

impl Identity {
    /// The key under which the store knows a token.
    fn token_key(&self, text: &str) -> Option<Vec<u8>> {
        if self.0.taken == Some(TakenOut::TokenHash) {
            return token::bytes(text).map(|b| b.to_vec());
        }
        token::hash(text).map(|h| h.to_vec())
    }

    fn new_token(&self) -> (Secret<String>, Vec<u8>) {
        let token = token::new(self.rng());
        let key = self.token_key(token.text.reveal()).unwrap_or_else(|| token.hash.to_vec());
        (token.text, key)
    }

    /// Prepares a session for `user` at the host that was knocked at.
    pub(crate) fn make_session(&self, knock: &Knock, user: UserId, browser: &str) -> Made {
        let (rule, now) = (self.gates().session(&knock.policy), self.now());
        let (text, key) = self.new_token();
        let record = UserSession {
            user,
            signed_in: now,
            address: knock.peer.to_canonical().to_string(),
            browser: browser.chars().filter(|c| !c.is_control()).take(200).collect(),
            tokens: vec![HostToken { host: knock.host.host.clone(), key: hex::encode(&key) }],
            provider: None,
            device: Some(device::secret(self.rng())),
            applications: Vec::new(),
        };
        Made { id: self.id(), token: text, record, key, expires: now.plus(rule.absolute) }
    }

    async fn slow(&self, knock: &Knock, key: &[u8], rule: &SessionRule) -> Answer<Arc<Slot>> {
        let moment = self.0.cache.moment();
        let Some((scope, id)) = self.vault().resolve_pointer("session", key).await? else { return Err(nobody()) };
        if scope.tenant() != knock.host.tenant {
            return Err(nobody());
        }
        let tenant = scope.tenant();
        let found = self
            .vault()
            .peek(&scope, move |view| {
                let Some(session) = view.get::<UserSession>(id)? else { return Ok(None) };
                let person = rights::person(view, tenant, session.body.user)?;
                Ok(person.map(|p| (session, p)))
            })
            .await?;
        let Some((session, person)) = found else { return Err(nobody()) };
        let slot = self.slot(&session, &person, key, knock)?;
        if session_over(rule, slot.times(), self.now()) {
            return Err(nobody());
        }
        if self.vault().in_contact()
            && let Some(short) = cache_key(key)
        {
            self.0.cache.put_slot(short, &slot, moment);
        }
        Ok(slot)
    }

    /// The passage of a session that is known by its id alone, at a host that it has a token for.
    pub(crate) async fn passage_of(&self, knock: &Knock, session: SessionId) -> Answer<Option<Arc<Passage>>> {
        let scope = self.scope(knock.host.tenant);
        let found = self.vault().peek(&scope, move |view| view.get::<UserSession>(session)).await?;
        let here = found.and_then(|s| s.body.tokens.into_iter().find(|t| t.host == knock.host.host));
        let Some(token) = here else { return Ok(None) };
        match self.slow(knock, &key_bytes(&token.key), &self.gates().session(&knock.policy)).await {
            Ok(slot) => Ok(Some(passage(&slot, knock, self.gates()))),
            Err(over) if over.is(&UNAUTHENTICATED) => Ok(None),
            Err(broken) => Err(broken),
        }
    }

    fn slot(&self, session: &Stored<UserSession>, person: &Person, key: &[u8], knock: &Knock) -> Answer<Arc<Slot>> {
        let own = hex::encode(key);
        let here = session.body.tokens.iter().any(|t| t.key == own && t.host == knock.host.host);
        let may = person.account.body.state == UserState::Active || self.0.taken == Some(TakenOut::Deactivation);
        if !here || !may {
            return Err(nobody());
        }
        let (tenant, user, used) = (knock.host.tenant, session.body.user, last_used(session)?.micros());
        Ok(Arc::new(Slot {
            tenant,
            session: session.id(),
            user,
            host: knock.host.host.clone(),
            created: session.body.signed_in,
            until: own_end(&session.body),
            used: AtomicI64::new(used),
            stored: AtomicI64::new(used),
            rights: person.view.clone(),
            roles: person.roles.clone(),
            sites: person.sites.clone(),
            terms: person.terms(),
            flags: self.0.cache.flags(session.id(), user, tenant),
            ends: None,
        }))
    }

    /// Notes a person's activity, in the store when that is due.
    async fn touch(&self, slot: &Slot, rule: &SessionRule, now: Time) -> Answer<()> {
        self.touch_by(&sql::SESSION_TOUCH, slot, touch_after(rule), now).await
    }

    /// The same by the statement of whatever was used.
    pub(crate) async fn touch_by(
        &self,
        statement: &'static Bookkeeping,
        slot: &Slot,
        after: Duration,
        now: Time,
    ) -> Answer<()> {
        slot.used.fetch_max(now.micros(), Ordering::Relaxed);
        let stored = slot.stored.load(Ordering::Relaxed);
        if now.since(Time::from_micros(stored)) < after {
            return Ok(());
        }
        // One of those who come at the same time writes.
        if slot.stored.compare_exchange(stored, now.micros(), Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return Ok(());
        }
        let (scope, session) = (self.scope(slot.tenant), slot.session);
        let written = self.vault().keep(&scope, move |k| k.run(statement, &[session.into(), now.into()])).await;
        if written.is_err() {
            slot.stored.store(stored, Ordering::Relaxed);
        }
        written.map(drop)
    }
}

/// Keys are hashes; the 32 bytes are also the cache's.
fn cache_key(key: &[u8]) -> Option<[u8; 32]> {
    key.try_into().ok()
}

pub fn passage(slot: &Slot, knock: &Knock, gates: &dyn Gates) -> Arc<Passage> {
    let terms_due =
        slot.terms.as_deref().is_some_and(|last| gates.terms(&knock.policy).is_some_and(|rule| rule.version != last));
    let actor = Actor::User { id: slot.user, session: slot.session, rights: slot.rights.clone() };
    Arc::new(Passage {
        cx: Cx {
            tenant: slot.tenant,
            actor,
            via: knock.via,
            peer: Some(knock.peer),
            trace: knock.trace,
            policy: knock.policy.clone(),
            lang: knock.lang,
            once: None,
        },
        user: slot.user,
        session: slot.session,
        roles: slot.roles.clone(),
        sites: slot.sites.clone(),
        terms_due,
    })
}

impl Made {
    /// The person came in by an outside provider.
    pub fn came(&mut self, by: CameBy) {
        self.expires = by.until.map_or(self.expires, |until| until.min(self.expires));
        self.record.provider = Some(by);
    }
    /// Writes the session within the sign-in's act.
    pub fn put(&self, tx: &mut Tx<'_>) -> Answer<()> {
        tx.insert(self.id, &self.record)?;
        tx.keep(&sql::SESSION_TOUCH, &[self.id.into(), self.record.signed_in.into()])?;
        if let Some(mark) = self.record.provider.as_ref().and_then(|by| by.session) {
            // It may have ended there while the person was still on the way in here.
            if tx.pointer(logout::ENDED, &mark)?.is_some() {
                return Err(Problem::new(&PROVIDER_REFUSED).log("the provider has ended this session"));
            }
            // One session there may have begun several here, all of one person.
            tx.unpoint(logout::SESSION, &mark)?;
            tx.point(logout::SESSION, &mark, self.record.user, Some(self.expires))?;
        }
        tx.point("session", &self.key, self.id, Some(self.expires))
    }
    /// The ends of the session as it begins.
    pub fn ends(&self, rule: &SessionRule) -> (Option<Time>, Time) {
        (rule.idle.map(|i| self.record.signed_in.plus(i)), self.expires)
    }
}

#[async_trait]
impl Sessions for Identity {
    async fn resolve(&self, knock: &Knock, token: &Secret<String>) -> Result<Arc<Passage>, Problem> {
        if token.reveal().starts_with(grants::ACCESS) {
            return self.resolve_access(knock, token.reveal()).await;
        }
        if tokens::is_token(token.reveal()) {
            return self.resolve_token(knock, token.reveal()).await;
        }
        let key = self.token_key(token.reveal()).ok_or_else(nobody)?;
        let rule = self.gates().session(&knock.policy);
        let now = self.now();
        let cached = cache_key(&key).and_then(|k| self.0.cache.slot(&k)).filter(|s| s.host == knock.host.host);
        if let Some(slot) = &cached {
            if !rule.recheck {
                return Ok(passage(slot, knock, self.gates()));
            }
            // A session that is over by what this node knows may have been used on another one.
            if slot.fresh() && self.vault().in_contact() && !session_over(&rule, slot.times(), now) {
                if knock.activity {
                    self.touch(slot, &rule, now).await?;
                }
                return Ok(passage(slot, knock, self.gates()));
            }
        }
        let slot = self.slow(knock, &key, &rule).await.inspect_err(|_| {
            if let Some(key) = cache_key(&key) {
                self.0.cache.forget_slot(&key);
            }
        })?;
        if knock.activity {
            self.touch(&slot, &rule, now).await?;
        }
        Ok(passage(&slot, knock, self.gates()))
    }

    async fn entry_code(&self, passage: &Passage, host: &HostEntry, binding: &str) -> Result<Secret<String>, Problem> {
        if host.tenant != passage.cx.tenant || host.kind != HostKind::Application {
            return Err(Problem::new(&ENTRY_CODE_OVER));
        }
        let until = self.now().plus(CODE_LIFE).micros();
        let nonce = hex::encode(sekisho_kernel::rng::bytes::<16>(self.rng()));
        let text = format!("{} {until} {nonce}", passage.session);
        let sealed = self.vault().seal_text(&Scope::of(&passage.cx), &code_context(&host.host, binding), &text).await?;
        Ok(Secret::new(sealed))
    }

    async fn enter(&self, knock: &Knock, code: &Secret<String>, binding: &str) -> Result<Secret<String>, Problem> {
        let cx = Self::before_sign_in(knock);
        let over = || Problem::new(&ENTRY_CODE_OVER);
        let Some(id) = self.coded(&cx, &knock.host.host, code, binding).await? else {
            self.vault().enter(&cx, &event::SESSION_ENTER, Outcome::Refused, "session", Vec::new()).await?;
            return Err(over());
        };
        let (rule, now, host) = (self.gates().session(&knock.policy), self.now(), knock.host.host.clone());
        let (text, key) = self.new_token();
        let used = token::sha256(&[code.reveal().as_bytes()]);
        let tenant = cx.tenant;
        self.vault()
            .act(&cx, by_job(&cx, Job::SignIn, &event::SESSION_ENTER, id), move |tx, permit| {
                let session = tx.get::<UserSession>(id)?.ok_or_else(over)?;
                let until = own_end(&session.body);
                let times = SessionTimes { created: session.body.signed_in, last_used: last_used(&session)?, until };
                if session_over(&rule, times, now) {
                    return Err(over());
                }
                // The code is remembered until it would have run out: whoever brings it again finds the key taken.
                tx.point("code", &used, id, Some(now.plus(CODE_LIFE * 2)))
                    .map_err(|p| if p.is(&sekisho_kernel::problem::CONFLICT) { over() } else { p })?;
                let expires = ends_at(&session.body, rule.absolute);
                tx.point("session", &key, id, Some(expires))?;
                let mut body = session.body.clone();
                // One token a host: a browser that has lost its cookie leaves the old one to nobody.
                for old in body.tokens.extract_if(.., |t| t.host == host) {
                    tx.unpoint("session", &key_bytes(&old.key))?;
                }
                body.tokens.push(HostToken { host: host.clone(), key: hex::encode(&key) });
                tx.update(id, session.version, &body)?;
                tx.notify("session", &format!("{tenant}:{id}"))?;
                let entry = Entry::of(body.user).with("session", id).with("host", host);
                tx.commit(permit, entry, text)
            })
            .await
    }

    async fn device_key(&self, passage: &Passage, host: &HostEntry) -> Result<Secret<Vec<u8>>, Problem> {
        device::key(self, passage, host).await
    }

    async fn sign_out(
        &self,
        knock: &Knock,
        token: &Secret<String>,
        console: Option<&str>,
    ) -> Result<Option<Onward>, Problem> {
        self.leave_by(knock, token, console, None).await
    }
}

fn code_context(host: &str, binding: &str) -> String {
    let mark = token::sha256(&[host.as_bytes(), binding.as_bytes()]);
    format!("{CODE} {}", hex::encode(mark))
}

impl Identity {
    /// Signs a person out at an application's wish, as [`Sessions::sign_out`] does. Where they are led on to their provider, they
    /// go `to` the application once it has answered.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, the store's.
    #[boxed]
    pub async fn sign_out_to(
        &self,
        knock: &Knock,
        token: &Secret<String>,
        console: &str,
        to: Option<LeaveTo>,
    ) -> Answer<Option<Onward>> {
        self.leave_by(knock, token, Some(console), to).await
    }

    async fn leave_by(
        &self,
        knock: &Knock,
        token: &Secret<String>,
        console: Option<&str>,
        to: Option<LeaveTo>,
    ) -> Answer<Option<Onward>> {
        let still = Knock { activity: false, ..knock.clone() };
        let passage = self.resolve(&still, token).await?;
        let farewell = match console {
            Some(origin) => self.farewell(&passage.cx, (passage.user, passage.session), origin, to).await,
            None => None,
        };
        let onward = farewell.as_ref().map(|f| f.onward.clone());
        self.signed_out(&passage, farewell).await?;
        Ok(onward)
    }

    async fn signed_out(&self, passage: &Passage, farewell: Option<Farewell>) -> Answer<()> {
        let (user, id, cx) = (passage.user, passage.session, &passage.cx);
        let tenant = cx.tenant;
        self.vault()
            .act(cx, own(cx, &event::SESSION_SIGN_OUT, user), move |tx, permit| {
                let session = tx.get::<UserSession>(id)?.ok_or_else(nobody)?;
                end(tx, tenant, &session)?;
                let mut entry = Entry::of(user).with("session", id);
                if let Some(farewell) = &farewell {
                    farewell.put(tx)?;
                    entry = entry.with("provider", farewell.provider);
                }
                tx.commit(permit, entry, ())
            })
            .await
    }

    /// The session of an entry code that is still good here.
    async fn coded(&self, cx: &Cx, host: &str, code: &Secret<String>, binding: &str) -> Answer<Option<SessionId>> {
        if code.reveal().len() > 1_024 || binding.is_empty() || binding.len() > 256 {
            return Ok(None);
        }
        let context = code_context(host, binding);
        let Some(text) = self.vault().open_text(&Scope::of(cx), &context, code.reveal()).await? else {
            return Ok(None);
        };
        let fields: Vec<&str> = text.split(' ').collect();
        let [session, until, _] = fields[..] else { return Ok(None) };
        let in_time = until.parse::<i64>().is_ok_and(|t| t > self.now().micros());
        Ok(session.parse().ok().filter(|_| in_time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_use_is_written_every_minute_or_more_often_under_short_limits() {
        let rule = |idle| SessionRule { idle, absolute: Duration::from_secs(3_600), recheck: true };
        for (idle, after) in [(Some(1_800), 60), (Some(86_400), 60), (Some(300), 10), (Some(60), 2), (None, 60)] {
            let rule = rule(idle.map(Duration::from_secs));
            assert_eq!(touch_after(&rule), Duration::from_secs(after), "{idle:?}");
        }
    }

    #[test]
    fn a_code_is_bound_to_host_and_browser() {
        assert_ne!(code_context("a", "bc"), code_context("ab", "c"));
        assert_eq!(code_context("a", "b"), code_context("a", "b"));
    }
}
