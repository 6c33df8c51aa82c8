//! What a vault is made of.

use std::{collections::HashSet, path::PathBuf, sync::Arc};

use sekisho_kernel::{RecordDef, Rng, TakenOut, gate::Gates, id::TenantId, time::SharedClock};
use sekisho_keys::Keys;
use sekisho_store::{Reach, Store, Within};

use crate::{
    Bookkeeping,
    compose::Composer,
    log::{Appender, Strangers},
};

/// What a vault is made of. Engines' declarations are added before it is opened.
pub struct Parts {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    pub(crate) gates: Arc<dyn Gates>,
    pub(crate) clock: SharedClock,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) house: String,
    pub(crate) outside: Option<PathBuf>,
    pub(crate) records: Vec<&'static RecordDef>,
    pub(crate) bookkeeping: Vec<&'static Bookkeeping>,
    pub(crate) rights: Option<&'static Bookkeeping>,
    pub(crate) strangers: Strangers,
    pub(crate) appender: Appender,
    /// Set by [`crate::Vault::rehearse`] alone.
    pub(crate) out: Option<TakenOut>,
}

impl Parts {
    /// `house` names the installation in the origin of its logs and in its checkpoint key: a schema-less URL or a word,
    /// without spaces or plus signs, best different for each installation.
    pub fn new(
        store: Store,
        keys: Keys,
        gates: Arc<dyn Gates>,
        clock: SharedClock,
        rng: Arc<dyn Rng>,
        house: impl Into<String>,
    ) -> Self {
        Self {
            store,
            keys,
            gates,
            clock,
            rng,
            house: house.into(),
            outside: None,
            records: crate::catalogue::own(),
            bookkeeping: Vec::new(),
            rights: None,
            strangers: Strangers::default(),
            appender: Appender::default(),
            out: None,
        }
    }
    /// The file, outside the database, that keeps the newest checkpoint of every log.
    #[must_use]
    pub fn outside(mut self, path: impl Into<PathBuf>) -> Self {
        self.outside = Some(path.into());
        self
    }
    /// Adds an engine's record types.
    #[must_use]
    pub fn records(mut self, records: &[&'static RecordDef]) -> Self {
        self.records.extend_from_slice(records);
        self
    }
    /// Adds an engine's bookkeeping statements.
    #[must_use]
    pub fn bookkeeping(mut self, statements: &[&'static Bookkeeping]) -> Self {
        self.bookkeeping.extend_from_slice(statements);
        self
    }
    /// How a person's rights version is read: one row, one number, for `$1` tenant and `$2` user. It must be the number
    /// that [`sekisho_kernel::RightsView::version`] has.
    #[must_use]
    pub const fn rights_version(mut self, statement: &'static Bookkeeping) -> Self {
        self.rights = Some(statement);
        self
    }
}

/// An open vault.
pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) composer: Composer,
    /// Addresses of the declared bookkeeping statements.
    declared: HashSet<usize>,
}

impl Parts {
    /// The store, for transactions that reach this tenant's rows.
    pub(crate) fn within(&self, tenant: TenantId) -> Within {
        self.store.within(self.reach(tenant))
    }
    /// What a tenant's transactions reach. In the rehearsal that has taken the tenant out, the database holds nobody back
    /// either.
    pub(crate) fn reach(&self, tenant: TenantId) -> Reach {
        if self.out == Some(TakenOut::TenantScope) { Reach::Platform } else { Reach::Tenant(tenant) }
    }
    /// The store, for jobs of the platform that span tenants.
    pub(crate) fn across(&self) -> Within {
        self.store.within(Reach::Platform)
    }
}

impl Inner {
    pub(crate) fn new(parts: Parts) -> Self {
        let composer = Composer::new(parts.out != Some(TakenOut::TenantScope));
        let declared = parts.bookkeeping.iter().chain(&parts.rights).map(|s| address(s)).collect();
        Self { parts, composer, declared }
    }
    pub(crate) fn is_declared(&self, statement: &'static Bookkeeping) -> bool {
        self.declared.contains(&address(statement))
    }
}

fn address(statement: &'static Bookkeeping) -> usize {
    std::ptr::from_ref(statement) as usize
}
