//! API tokens: a person's own, and those of service accounts. A token acts with its owner's rights, narrowed to its scope;
//! it is known to the store by its hash only, works on the API alone, and ends by itself when it is not used.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::AtomicI64, atomic::Ordering},
    time::Duration,
};

use sekisho_kernel::{
    Actor, Cx, Job, Problem, RightSet, Secret, Target, Time,
    access::{Grant, Right, RightsView},
    actor::Via,
    event,
    gate::TokenRule,
    hook::{HostKind, Knock, Passage},
    id::{ApiTokenId, ApiTokenKind, SessionId, SessionKind, TenantId, UserId},
    problem::{INVALID, NOT_FOUND, UNAUTHENTICATED},
};
use sekisho_vault::{ClearValue, Entry, Page, Scope, Stored, Tx};

use crate::{
    Answer, Identity,
    account::who,
    boxed, by_job,
    cache::{Slot, TokenEnds},
    guard, own, page_size, people,
    problems::{BEYOND_OWN, NO_SERVICE_ACCOUNT, TOKENS_OFF, TOO_MANY_RECORDS},
    records::{ApiToken, UserAccount},
    rights, session, sql, token,
    types::{Listed, NewOwnToken, NewToken, TokenIssued, TokenQuery, TokenView, UserState},
    under, values,
};

/// What every token begins with: scanners for leaked secrets find it by this.
pub const PREFIX: &str = "skt_";
/// Most tokens of one account.
const MOST: usize = 50;
/// Last use is written when the stored one is older than this.
const TOUCH: Duration = Duration::from_secs(60);

fn nobody() -> Problem {
    Problem::new(&UNAUTHENTICATED)
}

/// The id under which a token's acts name what was used: entries have a session there.
const fn as_session(id: ApiTokenId) -> SessionId {
    id.cast::<SessionKind>()
}

/// Whether a text has the form of a token of the API, an application's included: it is no session's.
pub fn is_token(text: &str) -> bool {
    text.starts_with(PREFIX) || text.starts_with(crate::oauth::grants::ACCESS)
}

fn key_of(text: &str) -> Option<[u8; 32]> {
    token::hash(text.strip_prefix(PREFIX)?)
}

/// A token to be made, checked.
pub struct Wanted {
    record: ApiToken,
    expires: Time,
    text: Secret<String>,
    key: [u8; 32],
}

impl Identity {
    pub(crate) fn wanted(&self, cx: &Cx, user: UserId, given: &NewToken) -> Answer<Wanted> {
        let rule = self.gates().tokens(&cx.policy);
        let life = Duration::from_secs(u64::from(given.days) * 86_400);
        if given.days == 0 || life > rule.longest {
            let most = rule.longest.as_secs() / 86_400;
            return Err(Problem::new(&INVALID).at("days").detail(sekisho_kernel::Text::owned(
                format!("1 日以上 {most} 日以下で指定してください。"),
                format!("Give 1 to {most} days."),
            )));
        }
        let rights = rights::named(&given.rights)?;
        let networks = given.networks.iter().map(|n| values::network(n)).collect::<Answer<Vec<_>>>()?;
        if networks.len() > 20 {
            return Err(Problem::new(&TOO_MANY_RECORDS).at("networks"));
        }
        let made = token::new(self.rng());
        let record = ApiToken {
            user,
            name: values::label("name", &given.name)?,
            rights: rights::names(rights),
            networks: networks.iter().map(ToString::to_string).collect(),
            key: hex::encode(made.hash),
            expires: self.now().plus(life),
        };
        let text = Secret::new(format!("{PREFIX}{}", made.text.reveal()));
        Ok(Wanted { expires: record.expires, record, text, key: made.hash })
    }

    /// Makes a token of one's own; needs the password. Shown once.
    ///
    /// # Errors
    /// `SK-4004`, `SK-4031` (switched off), `SK-4013` (rights beyond one's own), `INVALID`, `SK-4027`.
    #[boxed]
    pub async fn create_own_token(&self, cx: &Cx, new: NewOwnToken) -> Answer<TokenIssued> {
        let (user, _) = who(cx)?;
        let event = &event::TOKEN_CREATE;
        let off = !self.gates().tokens(&cx.policy).personal;
        let checked = match self.wanted(cx, user, &new.token) {
            _ if off => Err(Problem::new(&TOKENS_OFF)),
            Ok(wanted) => within(cx, &wanted.record).map(|()| wanted),
            Err(problem) => Err(problem),
        };
        let wanted = match checked {
            Ok(wanted) => wanted,
            Err(problem) => return Err(self.stop(cx, own(cx, event, user), problem).await),
        };
        let t = self.confirm(cx, event, &new.password).await?;
        let id: ApiTokenId = self.id();
        let done = self
            .vault()
            .act(cx, own(cx, event, user), move |tx, permit| {
                t.give_back(tx)?;
                let issued = put(tx, id, &wanted)?;
                tx.commit(permit, told(id, &wanted.record), issued)
            })
            .await;
        self.settle(cx, t, done).await
    }

    /// Makes a token of a service account. Shown once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4032` (a person's account), `SK-4013` (a scope beyond one's own rights), `SK-4014`, `INVALID`,
    /// `SK-4027`.
    #[boxed]
    pub async fn create_token(&self, cx: &Cx, user: UserId, new: NewToken) -> Answer<TokenIssued> {
        let (tenant, reach) = (cx.tenant, self.reach(cx));
        let act = under(Right::TOKENS_WRITE, &event::TOKEN_CREATE, Target::tenant(tenant), user);
        let wanted = match self.wanted(cx, user, &new) {
            Ok(wanted) => wanted,
            Err(problem) => return Err(self.stop(cx, act, problem).await),
        };
        let id: ApiTokenId = self.id();
        self.vault()
            .act(cx, act, move |tx, permit| {
                let person = rights::person(&mut tx.view(), tenant, user)?;
                let person = person.ok_or_else(|| Problem::new(&NOT_FOUND).at("user"))?;
                if !person.account.body.service {
                    return Err(Problem::new(&NO_SERVICE_ACCOUNT).at("user"));
                }
                reach.above(&person)?;
                reach.gives(rights::known(&wanted.record.rights), None)?;
                let issued = put(tx, id, &wanted)?;
                tx.commit(permit, told(id, &wanted.record), issued)
            })
            .await
    }

    /// One's own tokens, oldest first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn own_tokens(&self, cx: &Cx) -> Answer<Vec<TokenView>> {
        let (user, _) = who(cx)?;
        let unused = self.gates().tokens(&cx.policy).unused;
        self.vault()
            .look(cx, own(cx, &event::TOKEN_LIST, user), move |view| {
                people::of_user::<ApiToken>(view, user)?.into_iter().map(|t| shown(t, unused)).collect()
            })
            .await
    }

    /// A page of the organisation's tokens.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn tokens(&self, cx: &Cx, query: TokenQuery) -> Answer<Listed<TokenView, ApiTokenId>> {
        let act = under(Right::TOKENS_READ, &event::TOKEN_LIST, Target::tenant(cx.tenant), "tokens");
        let unused = self.gates().tokens(&cx.policy).unused;
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (query.after.map(ApiTokenId::cast), page_size(query.limit));
                let eq: Vec<_> = query.user.map(|u| ("user_id", ClearValue::from(u))).into_iter().collect();
                let (rows, next) = guard::page(view, &Page { after, limit, eq: &eq, ..Page::default() }, |_| true)?;
                let items = rows.into_iter().map(|t| shown(t, unused)).collect::<Answer<_>>()?;
                Ok(Listed { items, next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Ends one of one's own tokens, at once and on every node.
    ///
    /// # Errors
    /// `NOT_FOUND` for anybody else's.
    #[boxed]
    pub async fn end_own_token(&self, cx: &Cx, id: ApiTokenId) -> Answer<()> {
        let (user, _) = who(cx)?;
        let tenant = cx.tenant;
        self.vault()
            .act(cx, own(cx, &event::TOKEN_END, id), move |tx, permit| {
                let found = tx.get::<ApiToken>(id)?.filter(|t| t.body.user == user);
                end(tx, tenant, &found.ok_or_else(|| Problem::new(&NOT_FOUND))?)?;
                tx.commit(permit, Entry::of(id).with("user", user), ())
            })
            .await
    }

    /// Ends any token of the organisation, at once and on every node.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn end_token(&self, cx: &Cx, id: ApiTokenId) -> Answer<()> {
        let tenant = cx.tenant;
        let act = under(Right::TOKENS_WRITE, &event::TOKEN_END, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let found = tx.get::<ApiToken>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                end(tx, tenant, &found)?;
                tx.commit(permit, Entry::of(id).with("user", found.body.user), ())
            })
            .await
    }

    /// The person, or service account, behind a token. Only the API of the console's host takes one.
    pub(crate) async fn resolve_token(&self, knock: &Knock, text: &str) -> Answer<Arc<Passage>> {
        let key = key_of(text).ok_or_else(nobody)?;
        if !matches!(knock.via, Via::Api | Via::Scim) || knock.host.kind != HostKind::Console {
            return Err(nobody());
        }
        let (rule, now) = (self.gates().tokens(&knock.policy), self.now());
        let good = |slot: &Slot| slot.ends.as_ref().is_some_and(|e| !over(&rule, slot, e, now) && e.admits(knock.peer));
        let cached = self.0.cache.slot(&key).filter(|s| s.host == knock.host.host);
        let slot = match cached.filter(|s| s.fresh() && self.vault().in_contact() && good(s)) {
            Some(slot) => slot,
            None => self.slow_token(knock, key).await.inspect_err(|_| self.0.cache.forget_slot(&key))?,
        };
        if !good(&slot) {
            return Err(nobody());
        }
        self.touch_by(&sql::TOKEN_TOUCH, &slot, TOUCH, now).await?;
        Ok(session::passage(&slot, knock, self.gates()))
    }

    async fn slow_token(&self, knock: &Knock, key: [u8; 32]) -> Answer<Arc<Slot>> {
        let moment = self.0.cache.moment();
        let Some((scope, record)) = self.vault().resolve_pointer("token", &key).await? else { return Err(nobody()) };
        let tenant = scope.tenant();
        if tenant != knock.host.tenant {
            return Err(nobody());
        }
        let found = self
            .vault()
            .peek(&scope, move |view| {
                let Some(token) = view.get::<ApiToken>(record)? else { return Ok(None) };
                let person = rights::person(view, tenant, token.body.user)?;
                Ok(person.map(|p| (token, p)))
            })
            .await?;
        let Some((token, person)) = found else { return Err(nobody()) };
        if person.account.body.state != UserState::Active {
            return Err(nobody());
        }
        let (id, user, used) = (as_session(token.id()), token.body.user, last_used(&token)?.micros());
        let networks = token.body.networks.iter().filter_map(|n| n.parse().ok()).collect();
        let slot = Arc::new(Slot {
            tenant,
            session: id,
            user,
            host: knock.host.host.clone(),
            created: token.created,
            until: None,
            used: AtomicI64::new(used),
            stored: AtomicI64::new(used),
            rights: Arc::new(narrowed(&person.view, rights::known(&token.body.rights))),
            roles: person.roles.clone(),
            sites: person.sites.clone(),
            terms: person.terms(),
            flags: self.0.cache.flags(id, user, tenant),
            ends: Some(TokenEnds { expires: token.body.expires, networks, key: None }),
        });
        if self.vault().in_contact() {
            self.0.cache.put_slot(key, &slot, moment);
        }
        Ok(slot)
    }

    /// Ends what has run out or was not used: an entry each. How many.
    pub(crate) async fn sweep_tokens(&self, cx: &Cx) -> Answer<u64> {
        let (rule, now, tenant) = (self.gates().tokens(&cx.policy), self.now(), cx.tenant);
        let unused = now.minus(rule.unused);
        let due = self
            .vault()
            .keep(&Scope::of(cx), move |keeper| {
                let rows = keeper.rows(&sql::TOKEN_OVER, &[now.into(), unused.into()])?;
                Ok(sql::ids::<ApiTokenKind>(&rows))
            })
            .await?;
        let mut ended = 0;
        for id in due {
            let still = self.vault().peek(&Scope::of(cx), move |view| view.get::<ApiToken>(id)).await?;
            let Some(reason) = still.as_ref().and_then(|t| reason(t, &rule, now)) else { continue };
            self.vault()
                .act(cx, by_job(cx, Job::Sweeper, &event::TOKEN_EXPIRE, id), move |tx, permit| {
                    if let Some(found) = tx.get::<ApiToken>(id)? {
                        end(tx, tenant, &found)?;
                    }
                    tx.commit(permit, Entry::of(id).with("reason", reason), ())
                })
                .await?;
            ended += 1;
        }
        Ok(ended)
    }
}

/// A scope may hold nothing that the person has nowhere.
fn within(cx: &Cx, record: &ApiToken) -> Answer<()> {
    let Actor::User { rights, .. } = &cx.actor else { return Err(nobody()) };
    let held = rights.grants.iter().fold(RightSet::EMPTY, |all, g| all.union(g.rights));
    let missing: Vec<&str> = rights::known(&record.rights).iter().filter(|r| !held.has(*r)).map(Right::name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(", ");
    let text = sekisho_kernel::Text::owned(format!("持たない権限: {list}"), format!("Missing: {list}."));
    Err(Problem::new(&BEYOND_OWN).at("rights").detail(text))
}

/// The owner's view with nothing in it that the scope has not.
pub fn narrowed(view: &RightsView, scope: RightSet) -> RightsView {
    let grants = view.grants.iter().map(|g| Grant { rights: g.rights.intersection(scope), ..g.clone() }).collect();
    RightsView { grants, ..view.clone() }
}

fn over(rule: &TokenRule, slot: &Slot, ends: &TokenEnds, now: Time) -> bool {
    let used = Time::from_micros(slot.used.load(Ordering::Relaxed));
    ends.expires <= now || now.since(used) >= rule.unused
}

fn reason(token: &Stored<ApiToken>, rule: &TokenRule, now: Time) -> Option<&'static str> {
    if token.body.expires <= now {
        return Some("expired");
    }
    last_used(token).is_ok_and(|used| now.since(used) >= rule.unused).then_some("unused")
}

fn last_used(token: &Stored<ApiToken>) -> Answer<Time> {
    Ok(token.created.max(Time::from_micros(token.int("last_used")?)))
}

fn told(id: ApiTokenId, record: &ApiToken) -> Entry {
    Entry::of(id)
        .with("user", record.user)
        .with("rights", record.rights.join(" "))
        .with("expires", record.expires.rfc3339())
}

pub fn put(tx: &mut Tx<'_>, id: ApiTokenId, wanted: &Wanted) -> Answer<TokenIssued> {
    let user = wanted.record.user;
    tx.get::<UserAccount>(user)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
    if people::of_user::<ApiToken>(&mut tx.view(), user)?.len() >= MOST {
        return Err(Problem::new(&TOO_MANY_RECORDS));
    }
    tx.insert(id, &wanted.record)?;
    tx.point("token", &wanted.key, id, Some(wanted.expires))?;
    let token = tx.get::<ApiToken>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
    Ok(TokenIssued { token: shown(token, Duration::MAX)?, text: wanted.text.clone() })
}

/// Takes a token away, on every node at once.
fn end(tx: &mut Tx<'_>, tenant: TenantId, token: &Stored<ApiToken>) -> Answer<()> {
    tx.unpoint("token", &hex::decode(&token.body.key).unwrap_or_default())?;
    tx.delete::<ApiToken>(token.id)?;
    tx.notify("session", &format!("{tenant}:{}", as_session(token.id())))
}

/// Ends every token of an account; how many there were.
pub fn end_all(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Answer<u32> {
    let mut ended = 0;
    for token in people::of_user::<ApiToken>(&mut tx.view(), user)? {
        end(tx, tenant, &token)?;
        ended += 1;
    }
    Ok(ended)
}

pub fn shown(token: Stored<ApiToken>, unused: Duration) -> Answer<TokenView> {
    let used = last_used(&token)?;
    let ends = token.body.expires;
    let idle = Time::from_micros(used.micros().saturating_add(i64::try_from(unused.as_micros()).unwrap_or(i64::MAX)));
    Ok(TokenView {
        id: token.id(),
        version: token.version,
        created: token.created,
        updated: token.updated,
        user: token.body.user,
        name: token.body.name,
        rights: token.body.rights,
        networks: token.body.networks,
        last_used: (used > token.created).then_some(used),
        expires_at: ends,
        ends_unused_at: idle.min(ends),
    })
}

impl TokenEnds {
    /// Whether the token may be used from an address.
    pub fn admits(&self, peer: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|n| n.contains(&peer.to_canonical()))
    }
}
