//! The vault itself.

use std::sync::Arc;

use sekisho_kernel::{
    Actor, Category, Cx, Event, Outcome, Problem, TakenOut, Time,
    access::AccessQuestion,
    id::{EntryId, UserId},
    problem::{FORBIDDEN, UNAUTHENTICATED},
};
use sekisho_keys::{PublicKey, Purpose, Signer};
use sekisho_store::{Migration, REHEARSAL, RESYNC, params};

use crate::{
    Act, Committed, Keeper, Need, Parts, Permit, Scope, Tx, View, catalogue, ids, jobs, keep, log,
    parts::Inner,
    problem::{NOT_REHEARSAL, REHEARSAL_STORE},
    sql,
};

/// The migrations of the vault and the keys. The store is opened with these and the engines'.
pub fn migrations() -> Vec<Migration> {
    let mut out = vec![sekisho_keys::MIGRATION, sql::MIGRATION, sql::REACHES, sql::DONE];
    out.extend(log::MIGRATIONS);
    out
}

/// [`migrations`] for a rehearsal: [`TakenOut::DataCatalogue`] brings a table that nobody declared.
pub fn rehearsal_migrations(out: Option<TakenOut>) -> Vec<Migration> {
    let mut all = migrations();
    if out == Some(TakenOut::DataCatalogue) {
        all.push(sql::SCRATCH);
    }
    all
}

/// The store's mark that holds the house's name.
const HOUSE: &str = "house";

/// Tenant data. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    pub(crate) inner: Arc<Inner>,
}

impl Vault {
    /// Opens the vault. The store has been opened with [`migrations`] and those of every engine.
    ///
    /// # Errors
    /// `SK-3001` when the live schema is not what the catalogue declares, `SK-3002` for a rehearsal's store, and the
    /// store's.
    pub async fn open(parts: Parts) -> Result<Self, Problem> {
        if parts.store.mark(REHEARSAL).await?.is_some() {
            return Err(Problem::new(&REHEARSAL_STORE));
        }
        Self::open_with(parts, None).await
    }

    /// Opens the vault of a rehearsal, in a store that is marked as one, with something really taken out:
    /// [`TakenOut::TenantScope`], [`TakenOut::EntryWrite`], [`TakenOut::DataCatalogue`], [`TakenOut::OutsideCheckpoint`] and
    /// [`TakenOut::RetentionPurge`] are heeded here; those of the keys were given to [`sekisho_keys::Keys::rehearse`].
    ///
    /// # Errors
    /// `SK-3003` for a store that no rehearsal made; as [`Vault::open`].
    pub async fn rehearse(parts: Parts, out: Option<TakenOut>) -> Result<Self, Problem> {
        if parts.store.mark(REHEARSAL).await?.is_none() {
            return Err(Problem::new(&NOT_REHEARSAL));
        }
        Self::open_with(parts, out).await
    }

    async fn open_with(mut parts: Parts, out: Option<TakenOut>) -> Result<Self, Problem> {
        parts.out = out;
        parts.bookkeeping.iter().chain(&parts.rights).try_for_each(|s| keep::check(s))?;
        let live = parts.store.schema().await?;
        if out == Some(TakenOut::DataCatalogue) {
            let made: Result<(), Problem> = parts
                .store
                .write(|db| {
                    for id in 1..=3 {
                        db.exec(sql::INSERT_SCRATCH, &params![id, "scratch: nobody has declared this table"])?;
                    }
                    Ok(())
                })
                .await;
            made?;
        } else {
            catalogue::check(&live, &parts.records)?;
        }
        // Logs and checkpoint keys carry the house's name for ever: the first one stays.
        match parts.store.mark(HOUSE).await? {
            Some(house) => parts.house = house,
            None => parts.store.set_mark(HOUSE, &parts.house).await?,
        }
        Ok(Self { inner: Arc::new(Inner::new(parts)) })
    }

    /// Checks the access, writes, and enters the act in one transaction. Exactly one entry follows: the one that
    /// `f` commits, or else, after the rollback, one that says `refused` (for `FORBIDDEN`, `UNAUTHENTICATED`, too many)
    /// or `failed`.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right, and whatever `f` returns.
    pub async fn act<T, F>(&self, cx: &Cx, act: Act, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>, Permit) -> Result<Committed<T>, Problem> + Send + 'static,
    {
        let now = self.now();
        let entry = ids::entry(now, &*self.inner.parts.rng);
        let permit = match self.admit(cx, &act, entry) {
            Ok(permit) => permit,
            Err(problem) => return Err(self.enter_end(cx, &act, problem).await),
        };
        let inner = self.inner.clone();
        let (their_cx, their_act) = (cx.clone(), act.clone());
        let done = self
            .inner
            .parts
            .within(cx.tenant)
            .write(move |db| {
                let mut tx = Tx::new(&inner, db, (&their_cx, &their_act), now, &permit)?;
                f(&mut tx, permit).map(|committed| committed.value)
            })
            .await;
        match done {
            Ok(value) => Ok(value),
            Err(problem) if problem.is(&sekisho_store::problems::UNCERTAIN) && self.stands(cx, entry).await => {
                Err(problem)
            }
            Err(problem) => Err(self.enter_end(cx, &act, problem).await),
        }
    }

    /// Checks the access, reads, and makes one entry.
    ///
    /// # Errors
    /// As [`Vault::act`].
    pub async fn look<T, F>(&self, cx: &Cx, act: Act, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut View<'_>) -> Result<T, Problem> + Send + 'static,
    {
        self.look_telling(cx, act, |view| Ok((f(view)?, Vec::new()))).await
    }

    /// The same, where the entry has details.
    ///
    /// # Errors
    /// As [`Vault::act`].
    pub async fn look_telling<T, F>(&self, cx: &Cx, act: Act, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut View<'_>) -> Result<(T, Vec<(&'static str, String)>), Problem> + Send + 'static,
    {
        if let Err(problem) = self.admit(cx, &act, EntryId::NIL) {
            return Err(self.enter_end(cx, &act, problem).await);
        }
        match self.peek(&Scope::of(cx), f).await {
            Ok((value, detail)) => {
                log::enter(&self.inner.parts, cx, act.event, Outcome::Success, &act.object, detail).await?;
                Ok(value)
            }
            Err(problem) => Err(self.enter_end(cx, &act, problem).await),
        }
    }

    /// The system's own reads (session resolution, policy): no entry.
    ///
    /// # Errors
    /// Whatever `f` returns.
    pub async fn peek<T, F>(&self, scope: &Scope, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut View<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let (inner, scope) = (self.inner.clone(), *scope);
        self.inner.parts.within(scope.tenant()).read(move |db| f(&mut View::new(&inner, db, scope)?)).await
    }

    /// Bookkeeping columns and counters: no entry.
    ///
    /// # Errors
    /// Whatever `f` returns.
    pub async fn keep<T, F>(&self, scope: &Scope, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Keeper<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let (inner, scope, now) = (self.inner.clone(), *scope, self.now());
        self.inner.parts.within(scope.tenant()).write(move |db| f(&mut Keeper::new(&inner, db, scope, now))).await
    }

    /// An entry without a write, accepted when this returns. Refusals of strangers beyond 10 per address and minute are
    /// counted, and the count is entered at the minute's end.
    ///
    /// # Errors
    /// The store's.
    pub async fn enter(
        &self,
        cx: &Cx,
        event: &'static Event,
        outcome: Outcome,
        object: &str,
        detail: Vec<(&'static str, String)>,
    ) -> Result<(), Problem> {
        log::enter(&self.inner.parts, cx, event, outcome, object, detail).await
    }

    /// The access check. What it makes, [`Tx::commit`] uses up.
    fn admit(&self, cx: &Cx, act: &Act, entry: EntryId) -> Result<Permit, Problem> {
        let refused = |why: String| Problem::new(&FORBIDDEN).log(why);
        if act.target.tenant != cx.tenant {
            return Err(refused(format!("{} is not of {}", act.target.tenant, cx.tenant)));
        }
        match (act.need, &cx.actor) {
            (Need::Right(right), Actor::User { rights, .. }) => {
                let question = AccessQuestion { tenant: cx.tenant, view: rights.clone(), right, target: act.target };
                match self.inner.parts.gates.access(&question) {
                    sekisho_kernel::gate::Decision::Allow => Ok(Permit { rights_version: Some(rights.version), entry }),
                    sekisho_kernel::gate::Decision::Refuse(kind) => {
                        Err(Problem::new(kind).log(format!("{} without {}", cx.actor.name(), right.name())))
                    }
                }
            }
            (Need::Own, Actor::User { id, rights, .. }) => {
                // What is named as a person must be the person; other objects of one's own are the engine's to find.
                match act.object.parse::<UserId>() {
                    Ok(other) if other != *id => Err(refused(format!("{} is not {id}", act.object))),
                    _ => Ok(Permit { rights_version: Some(rights.version), entry }),
                }
            }
            (Need::Job(wanted), Actor::Job(job)) if wanted == *job && jobs::may(*job, act.event) => {
                Ok(Permit { rights_version: None, entry })
            }
            (Need::Right(_) | Need::Own, Actor::Stranger) => Err(Problem::new(&UNAUTHENTICATED)),
            (need, actor) => Err(refused(format!("{} for {need:?}, {}", actor.name(), act.event.name))),
        }
    }

    /// Enters how an act ended that changed nothing, and gives its problem back. An entry that cannot be made leaves
    /// the problem as it is: nothing was done.
    async fn enter_end(&self, cx: &Cx, act: &Act, problem: Problem) -> Problem {
        let outcome = match problem.kind.category {
            Category::Forbidden | Category::Unauthenticated | Category::TooMany => Outcome::Refused,
            _ => Outcome::Failed,
        };
        let mut detail = vec![("problem", problem.kind.code.to_owned())];
        // Names of fields and settings, never what was in them.
        detail.extend(problem.place.as_ref().map(|p| ("place", p.chars().take(128).collect())));
        if let Err(error) = log::enter(&self.inner.parts, cx, act.event, outcome, &act.object, detail).await {
            tracing::error!(%error, event = act.event.name, trace = %cx.trace, "an end could not be entered");
        }
        problem
    }

    /// Whether an act whose commit is uncertain stands after all: then its own entry tells of it.
    async fn stands(&self, cx: &Cx, entry: EntryId) -> bool {
        let tenant = cx.tenant;
        let row = self
            .inner
            .parts
            .within(tenant)
            .read(move |db| db.query_opt(sql::ENTRY_THERE, &params![&tenant.bytes(), &entry.bytes()]))
            .await;
        matches!(row, Ok(Some(_)))
    }

    /// Calls `hook` with topic and payload of every committed notice of every node, for one's own before the writer is
    /// answered. After a gap the topic is `resync`: whatever is cached must go. It must be quick and write nothing.
    pub fn on_notice(&self, hook: impl Fn(&str, &str) + Send + Sync + 'static) {
        self.inner.parts.store.on_notice(move |notice| {
            if notice.topic == RESYNC {
                hook("resync", "");
            } else {
                hook(&notice.topic, &notice.payload);
            }
        });
    }

    /// Whether notices of other nodes reach this one. While not, whatever is cached must be asked anew at every request.
    pub fn in_contact(&self) -> bool {
        self.inner.parts.store.in_contact()
    }

    /// What signs for `purpose`.
    ///
    /// # Errors
    /// A defect of ours when there is none.
    pub fn signer(&self, purpose: Purpose) -> Result<Arc<Signer>, Problem> {
        self.inner.parts.keys.signer(purpose)
    }

    /// The public keys of this instance, old versions included.
    pub fn public_keys(&self) -> &[PublicKey] {
        self.inner.parts.keys.public_keys()
    }

    /// Every declared record type, the vault's own included.
    pub fn catalogue(&self) -> Vec<&'static sekisho_kernel::RecordDef> {
        self.inner.parts.records.clone()
    }

    /// The moment, by the instance's clock.
    pub fn now(&self) -> Time {
        self.inner.parts.clock.now()
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.inner.parts
    }
}
