//! Writing within one tenant.

use sekisho_kernel::{
    Actor, Cx, Id, Outcome, Problem, TakenOut, Time,
    id::{EntryId, Kind, RecordId, TenantId},
    problem::{CONFLICT, INTERNAL},
};
use sekisho_keys::TenantKeys;
use sekisho_store::{Reach, Sql, params};

use crate::{
    Act, Bookkeeping, ClearValue, Committed, Entry, Page, Permit, Record, Scope, Stored, View, keep, log,
    parts::Inner,
    problem::{KEY_IN_USE, RIGHTS_MOVED},
    rows::Records,
    sql,
};

/// Reads and writes records of one tenant. Nothing of it stands unless [`Tx::commit`] has been called and its answer
/// returned.
pub struct Tx<'a> {
    inner: &'a Inner,
    db: &'a mut dyn Sql,
    cx: &'a Cx,
    act: &'a Act,
    entry: EntryId,
    keys: TenantKeys,
    now: Time,
    platform: Option<Entry>,
    /// The rights version that the store must have at commit: the permit's, moved on by what this act itself changes.
    rights: Option<i64>,
    done: bool,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(
        inner: &'a Inner,
        db: &'a mut dyn Sql,
        (cx, act): (&'a Cx, &'a Act),
        now: Time,
        permit: &Permit,
    ) -> Result<Self, Problem> {
        let keys = inner.parts.keys.tenant(db, cx.tenant)?;
        let (entry, rights) = (permit.entry, permit.rights_version);
        Ok(Self { inner, db, cx, act, entry, keys, now, platform: None, rights, done: false })
    }

    /// Refuses to write after the entry.
    fn open(&self) -> Result<(), Problem> {
        if self.done { Err(Problem::new(&INTERNAL).log("a write after the commit")) } else { Ok(()) }
    }

    /// Whose data this touches.
    pub const fn scope(&self) -> Scope {
        Scope::of(self.cx)
    }
    /// The same transaction, for helpers that only read.
    pub fn view(&mut self) -> View<'_> {
        View::with(self.inner, self.db, Scope::of(self.cx), self.keys.clone())
    }
    /// See [`View::get`].
    ///
    /// # Errors
    /// As there.
    pub fn get<R: Record>(&mut self, id: Id<impl Kind>) -> Result<Option<Stored<R>>, Problem> {
        self.view().get(id)
    }
    /// See [`View::find`].
    ///
    /// # Errors
    /// As there.
    pub fn find<R: Record>(&mut self, field: &'static str, value: &str) -> Result<Vec<Stored<R>>, Problem> {
        self.view().find(field, value)
    }
    /// See [`View::list`].
    ///
    /// # Errors
    /// As there.
    pub fn list<R: Record>(&mut self, page: &Page<'_>) -> Result<Vec<Stored<R>>, Problem> {
        self.view().list(page)
    }
    /// See [`View::count`].
    ///
    /// # Errors
    /// As there.
    pub fn count<R: Record>(&mut self, eq: &[(&'static str, ClearValue)]) -> Result<u64, Problem> {
        self.view().count::<R>(eq)
    }
    /// Whose act it is.
    pub const fn actor(&self) -> &Actor {
        &self.cx.actor
    }
    /// An id for a record that nobody could know of before.
    pub fn fresh<K: Kind>(&self) -> Id<K> {
        Id::new(self.now, &*self.inner.parts.rng)
    }
    /// The moment at which the act is done: the same throughout.
    pub const fn now(&self) -> Time {
        self.now
    }
    /// A new record; its version, 1.
    ///
    /// # Errors
    /// `CONFLICT` when the id or a unique value is taken (the place names the field); the store's.
    pub fn insert<R: Record>(&mut self, id: Id<impl Kind>, body: &R) -> Result<i64, Problem> {
        self.open()?;
        let records = Records { inner: self.inner, tenant: self.cx.tenant, keys: &self.keys };
        records.insert(self.db, id.bytes(), body, self.now)
    }
    /// Replaces the record as it was at `version`; the new version.
    ///
    /// # Errors
    /// `CONFLICT` when the version has moved or a unique value is taken, `NOT_FOUND` when there is no such record.
    pub fn update<R: Record>(&mut self, id: Id<impl Kind>, version: i64, body: &R) -> Result<i64, Problem> {
        self.open()?;
        let records = Records { inner: self.inner, tenant: self.cx.tenant, keys: &self.keys };
        records.update(self.db, id.bytes(), version, body, self.now)
    }
    /// Deletes the record; whether there was one.
    ///
    /// # Errors
    /// The store's.
    pub fn delete<R: Record>(&mut self, id: Id<impl Kind>) -> Result<bool, Problem> {
        self.open()?;
        let records = Records { inner: self.inner, tenant: self.cx.tenant, keys: &self.keys };
        records.delete(self.db, R::DEF, id.bytes())
    }
    /// Makes `key` (a host name, a hash of a token or of a mail domain) lead to a record of this tenant, before
    /// the tenant is known: [`crate::Vault::resolve_pointer`]. The tenant's own pointer that has run out gives way; another's
    /// does once it has been swept.
    ///
    /// # Errors
    /// `CONFLICT` when the key is taken.
    pub fn point(
        &mut self,
        kind: &'static str,
        key: &[u8],
        target: Id<impl Kind>,
        expires: Option<Time>,
    ) -> Result<(), Problem> {
        self.open()?;
        let (tenant, target) = (self.cx.tenant.bytes(), target.bytes());
        let row = params![&tenant, kind, key, &target, self.now, expires];
        match self.db.exec(sql::POINT, &row)? {
            1 => Ok(()),
            _ => Err(Problem::new(&CONFLICT).at(kind)),
        }
    }
    /// Takes a pointer of this tenant away; whether there was one that had not run out. Of two who take the same one, one
    /// is told `true`.
    ///
    /// # Errors
    /// The store's.
    pub fn unpoint(&mut self, kind: &'static str, key: &[u8]) -> Result<bool, Problem> {
        self.open()?;
        let row = self.db.query_opt(sql::UNPOINT, &params![&self.cx.tenant.bytes(), kind, key])?;
        let Some(row) = row else { return Ok(false) };
        Ok(row.opt_int(0)?.is_none_or(|expires| expires > self.now.micros()))
    }
    /// Where a pointer of this tenant leads; `None` also when it has run out.
    ///
    /// # Errors
    /// The store's.
    pub fn pointer(&mut self, kind: &'static str, key: &[u8]) -> Result<Option<RecordId>, Problem> {
        let row = self.db.query_opt(sql::POINTER, &params![&self.cx.tenant.bytes(), kind, key, self.now])?;
        Ok(row.map(|r| r.blob(0).map(RecordId::from_slice)).transpose()?.flatten())
    }
    /// Runs a bookkeeping statement in this same transaction: counters given back with the sign-in that succeeded,
    /// rights versions moved with the grant. The number of rows changed.
    ///
    /// # Errors
    /// As [`crate::Keeper::run`].
    pub fn keep(&mut self, statement: &'static Bookkeeping, params: &[ClearValue]) -> Result<u64, Problem> {
        self.keeping(|tx| keep::run(tx.inner, tx.db, tx.cx.tenant, statement, params))
    }
    /// As [`Tx::keep`]; its rows.
    ///
    /// # Errors
    /// As [`crate::Keeper::run`].
    pub fn keep_rows(
        &mut self,
        statement: &'static Bookkeeping,
        params: &[ClearValue],
    ) -> Result<Vec<Vec<ClearValue>>, Problem> {
        self.keeping(|tx| keep::rows(tx.inner, tx.db, tx.cx.tenant, statement, params))
    }
    /// Bookkeeping may move the actor's own rights version. What it moves is this act's own doing and must not make
    /// its commit refuse; what had moved before must.
    fn keeping<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.open()?;
        self.check_rights()?;
        let out = act(self)?;
        if self.rights.is_some() {
            self.rights = self.stored_rights()?.or(self.rights);
        }
        Ok(out)
    }
    /// Tells every node, once committed. Topic and payload together at most 4,000 bytes.
    ///
    /// # Errors
    /// A defect of ours when it is too long.
    pub fn notify(&mut self, topic: &'static str, payload: &str) -> Result<(), Problem> {
        Ok(self.db.notify(topic, payload)?)
    }
    /// Writes the same event into the platform's log too, under the same entry id, without the tenant's data.
    pub fn also_platform(&mut self, entry: Entry) {
        self.platform = Some(entry);
    }
    /// Writes the act's entry and closes the transaction to further writes.
    ///
    /// # Errors
    /// `SK-3006` when the person's rights have changed since the check; the store's.
    pub fn commit<T>(&mut self, permit: Permit, mut entry: Entry, value: T) -> Result<Committed<T>, Problem> {
        self.open()?;
        if permit.entry != self.entry {
            return Err(Problem::new(&INTERNAL).log("a permit of another act"));
        }
        self.check_rights()?;
        if entry.object.is_empty() {
            entry.object.clone_from(&self.act.object);
        }
        self.append(self.cx.tenant, &entry)?;
        self.mark()?;
        if let Some(entry) = self.platform.take().filter(|_| !self.cx.tenant.is_nil()) {
            // What lies beyond the tenant is one entry of the platform's log, and the reach goes back at once.
            let reach = self.inner.parts.reach(self.cx.tenant);
            self.db.reach(Reach::Tenant(TenantId::NIL))?;
            self.append(TenantId::NIL, &entry)?;
            self.db.reach(reach)?;
        }
        self.done = true;
        Ok(Committed { value })
    }

    /// Marks the idempotency key under which this was asked for: from this commit on nobody does it again.
    fn mark(&mut self) -> Result<(), Problem> {
        let Some(once) = self.cx.once else { return Ok(()) };
        let (tenant, entry) = (self.cx.tenant.bytes(), self.entry.bytes());
        let row = params![&tenant, &once.place, &once.fingerprint, once.claimed, &entry];
        match self.db.exec(sql::MARK_ANSWER, &row)? {
            1 => Ok(()),
            // It took so long that somebody else was let in with the same request.
            _ => Err(Problem::new(&KEY_IN_USE).at("Idempotency-Key")),
        }
    }

    fn append(&mut self, to: TenantId, entry: &Entry) -> Result<(), Problem> {
        let parts = &self.inner.parts;
        if parts.out == Some(TakenOut::EntryWrite) {
            return Ok(());
        }
        let (event, outcome) = (self.act.event, Outcome::Success);
        let draft = log::Draft::event(self.cx, to, event, outcome, &entry.object, &entry.detail, self.entry, self.now);
        let keys = if to == self.cx.tenant { self.keys.clone() } else { parts.keys.tenant(self.db, to)? };
        log::append(self.db, &keys, &*parts.rng, draft).map(drop)
    }

    /// The actor's rights version as it stands; `None` for jobs, and where no statement was given.
    fn stored_rights(&mut self) -> Result<Option<i64>, Problem> {
        let (Some(statement), Some(user)) = (self.inner.parts.rights, self.cx.actor.user()) else { return Ok(None) };
        let row = self.db.query_opt(statement.sql, &params![&self.cx.tenant.bytes(), &user.bytes()])?;
        // A person who is gone has no rights: no version is -1.
        Ok(Some(row.map(|r| r.int(0)).transpose()?.unwrap_or(-1)))
    }

    fn check_rights(&mut self) -> Result<(), Problem> {
        let Some(wanted) = self.rights else { return Ok(()) };
        match self.stored_rights()? {
            Some(stored) if stored != wanted => {
                Err(Problem::new(&RIGHTS_MOVED).log(format!("rights version {stored}, permit for {wanted}")))
            }
            _ => Ok(()),
        }
    }
}
