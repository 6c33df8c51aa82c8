//! Tenants: how they are made, found and ended, and their keys.

use sekisho_kernel::{
    Actor, Cx, Event, Job, Outcome, Problem, TakenOut, Time,
    event::{KEY_CREATE, KEY_ROTATE, KEY_SHRED, TENANT_DELETE},
    id::{EntryId, RecordId, TenantId},
    problem::{FORBIDDEN, NOT_FOUND},
};
use sekisho_keys::{KeyState, TenantKeys};
use sekisho_store::{Reach, Sql, params};

use crate::{Scope, Vault, compose::Op, ids, jobs, log, parts::Inner, sql};

impl Vault {
    /// Makes a tenant: its keys and its log. The context's tenant is the new one's id, its actor first-start or command.
    /// The making of the keys is entered in both logs; the first act in the tenant enters its making.
    ///
    /// # Errors
    /// `FORBIDDEN` for another actor; the store's.
    pub async fn create_tenant(&self, cx: &Cx) -> Result<(), Problem> {
        self.allow(cx, &KEY_CREATE)?;
        if cx.tenant.is_nil() {
            return Err(Problem::new(&FORBIDDEN).log("the platform is no tenant"));
        }
        let (inner, cx, now) = (self.inner.clone(), cx.clone(), self.now());
        self.inner
            .parts
            .within(cx.tenant)
            .write(move |db| {
                db.exec(sql::INSERT_TENANT, &params![&cx.tenant.bytes(), now])?;
                let keys = inner.parts.keys.create_tenant(db, cx.tenant)?;
                enter(&inner, db, &cx, &KEY_CREATE, &keys, now)
            })
            .await
    }

    /// Ends a tenant: deletes its records and pointers, destroys its keys, so that what backups and the log still hold of
    /// it is unreadable. The context's tenant is the one to end, its actor a command.
    ///
    /// # Errors
    /// `FORBIDDEN` for another actor, `NOT_FOUND` when there is no such tenant (any more); the store's.
    pub async fn delete_tenant(&self, cx: &Cx) -> Result<(), Problem> {
        self.allow(cx, &TENANT_DELETE)?;
        let (inner, cx, now) = (self.inner.clone(), cx.clone(), self.now());
        let done: Result<(), Problem> = self
            .inner
            .parts
            .within(cx.tenant)
            .write(move |db| {
                if db.exec(sql::END_TENANT, &params![&cx.tenant.bytes(), now])? != 1 {
                    return Err(Problem::new(&NOT_FOUND));
                }
                let keys = inner.parts.keys.tenant(db, cx.tenant)?;
                enter(&inner, db, &cx, &TENANT_DELETE, &keys, now)?;
                for def in inner.parts.records.iter().filter(|d| has_tenant(d.table)) {
                    db.exec(&inner.composer.get(def, Op::DeleteAll), &params![&cx.tenant.bytes()])?;
                }
                inner.parts.keys.shred(db, cx.tenant)?;
                platform_only(&inner, db, &cx, &KEY_SHRED, now)
            })
            .await;
        done?;
        // What was deleted must leave the write-ahead log too. Readers may hold it for a moment; the next tries go on.
        if let Err(error) = self.inner.parts.store.checkpoint_wal().await {
            tracing::warn!(%error, "the write-ahead log still holds destroyed keys until its next checkpoint");
        }
        Ok(())
    }

    /// Scheduled rotation of a tenant's key. The actor is the rewrap job or a command. The new version.
    ///
    /// # Errors
    /// `FORBIDDEN` for another actor, `SK-2006` when the tenant has no key; the store's.
    pub async fn rotate_key(&self, cx: &Cx) -> Result<u32, Problem> {
        self.allow(cx, &KEY_ROTATE)?;
        let (inner, cx, now) = (self.inner.clone(), cx.clone(), self.now());
        self.inner
            .parts
            .within(cx.tenant)
            .write(move |db| {
                let version = inner.parts.keys.rotate(db, cx.tenant)?;
                let keys = inner.parts.keys.tenant(db, cx.tenant)?;
                enter(&inner, db, &cx, &KEY_ROTATE, &keys, now)?;
                Ok(version)
            })
            .await
    }

    /// The versions of a tenant's key and their states.
    ///
    /// # Errors
    /// The store's.
    pub async fn key_states(&self, scope: &Scope) -> Result<Vec<KeyState>, Problem> {
        let (keys, tenant) = (self.inner.parts.keys.clone(), scope.tenant());
        self.inner.parts.within(tenant).read(move |db| keys.states(db, tenant)).await
    }

    /// Every tenant, oldest first; the platform is not among them.
    ///
    /// # Errors
    /// The store's.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, Problem> {
        let rows = self.inner.parts.across().read(|db| db.query(sql::TENANTS, &[])).await?;
        rows.iter().map(|row| Ok(row.blob(0).map(TenantId::from_slice)?)).filter_map(Result::transpose).collect()
    }

    /// The record that a platform pointer leads to, with the scope of its tenant; `None` also when it has run out.
    ///
    /// # Errors
    /// The store's.
    pub async fn resolve_pointer(&self, kind: &'static str, key: &[u8]) -> Result<Option<(Scope, RecordId)>, Problem> {
        let (key, now) = (key.to_vec(), self.now());
        let lookup = self.inner.parts.store.within(Reach::Lookup);
        let row = lookup.read(move |db| db.query_opt(sql::RESOLVE, &params![kind, &key, now])).await?;
        let Some(row) = row else { return Ok(None) };
        let (tenant, target) = (TenantId::from_slice(row.blob(0)?), RecordId::from_slice(row.blob(1)?));
        Ok(tenant.map(Scope::found).zip(target))
    }

    /// Whether a job's actor may do this at all.
    fn allow(&self, cx: &Cx, event: &'static Event) -> Result<(), Problem> {
        match cx.actor {
            Actor::Job(job @ (Job::FirstStart | Job::Command | Job::Rewrap)) if jobs::may(job, event) => Ok(()),
            _ => Err(Problem::new(&FORBIDDEN).log(format!("{} may not do {}", cx.actor.name(), event.name))),
        }
    }
}

/// Tables of which each row is some tenant's, and which a tenant takes along when it ends. Keys are destroyed apart; the
/// ledger's rows stay, unreadable, so that what was proven of it still is.
fn has_tenant(table: &str) -> bool {
    !matches!(table, "meta" | "store_migration" | "root_key" | "tenant_key" | "data_key" | "signing_key" | "tenant")
        && !table.starts_with("ledger_")
}

/// Enters the act in the tenant's log and, under the same id, in the platform's.
fn enter(
    inner: &Inner,
    db: &mut dyn Sql,
    cx: &Cx,
    event: &'static Event,
    keys: &TenantKeys,
    now: Time,
) -> Result<(), Problem> {
    let id = ids::entry(now, &*inner.parts.rng);
    append(inner, db, cx, event, (keys, id), now)?;
    if cx.tenant.is_nil() {
        return Ok(());
    }
    in_platform(db, cx.tenant, |db| {
        let platform = inner.parts.keys.tenant(db, TenantId::NIL)?;
        append(inner, db, cx, event, (&platform, id), now)
    })
}

/// Runs `act` on the platform's own rows, within a transaction on a tenant's.
pub(crate) fn in_platform<T>(
    db: &mut dyn Sql,
    tenant: TenantId,
    act: impl FnOnce(&mut dyn Sql) -> Result<T, Problem>,
) -> Result<T, Problem> {
    db.reach(Reach::Tenant(TenantId::NIL))?;
    let done = act(db)?;
    db.reach(Reach::Tenant(tenant))?;
    Ok(done)
}

fn platform_only(inner: &Inner, db: &mut dyn Sql, cx: &Cx, event: &'static Event, now: Time) -> Result<(), Problem> {
    in_platform(db, cx.tenant, |db| {
        let platform = inner.parts.keys.tenant(db, TenantId::NIL)?;
        append(inner, db, cx, event, (&platform, ids::entry(now, &*inner.parts.rng)), now)
    })
}

fn append(
    inner: &Inner,
    db: &mut dyn Sql,
    cx: &Cx,
    event: &'static Event,
    (keys, id): (&TenantKeys, EntryId),
    now: Time,
) -> Result<(), Problem> {
    if inner.parts.out == Some(TakenOut::EntryWrite) {
        return Ok(());
    }
    let object = cx.tenant.to_string();
    let draft = log::Draft::event(cx, keys.tenant(), event, Outcome::Success, &object, &[], id, now);
    log::append(db, keys, &*inner.parts.rng, draft).map(drop)
}
