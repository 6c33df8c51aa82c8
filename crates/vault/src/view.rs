//! Reading within one tenant.

use sekisho_kernel::{Id, Problem, id::Kind};
use sekisho_keys::TenantKeys;
use sekisho_store::Read;

use crate::{Bookkeeping, ClearValue, Page, Record, Scope, Stored, keep, parts::Inner, rows::Records};

/// Reads records of one tenant.
///
/// ```compile_fail
/// // There is no reading without a scope.
/// async fn everybody(vault: &sekisho_vault::Vault) {
///     let _ = vault.peek(|view| view.count::<Never>(&[])).await;
/// }
/// ```
/// ```compile_fail
/// // And no view of one's own making.
/// fn mine(scope: sekisho_vault::Scope) {
///     let _ = sekisho_vault::View { scope };
/// }
/// ```
pub struct View<'a> {
    inner: &'a Inner,
    db: &'a mut dyn Read,
    scope: Scope,
    keys: TenantKeys,
}

impl<'a> View<'a> {
    pub(crate) fn new(inner: &'a Inner, db: &'a mut dyn Read, scope: Scope) -> Result<Self, Problem> {
        let keys = inner.parts.keys.tenant(db, scope.tenant())?;
        Ok(Self { inner, db, scope, keys })
    }
    pub(crate) fn with(inner: &'a Inner, db: &'a mut dyn Read, scope: Scope, keys: TenantKeys) -> Self {
        Self { inner, db, scope, keys }
    }
    /// Whose data this reads.
    pub const fn scope(&self) -> Scope {
        self.scope
    }
    /// The record with this id, or `None` where there is none in this tenant.
    ///
    /// # Errors
    /// The store's, `SK-2007` when a stored row fails authentication, `SK-3007` when it is not of its type.
    pub fn get<R: Record>(&mut self, id: Id<impl Kind>) -> Result<Option<Stored<R>>, Problem> {
        let records = Records { inner: self.inner, tenant: self.scope.tenant(), keys: &self.keys };
        records.get(self.db, id)
    }
    /// The records whose blind-indexed `field` equals `value` (compared NFKC, case-folded, trimmed), at most 1,000.
    ///
    /// # Errors
    /// As [`View::get`].
    pub fn find<R: Record>(&mut self, field: &'static str, value: &str) -> Result<Vec<Stored<R>>, Problem> {
        let records = Records { inner: self.inner, tenant: self.scope.tenant(), keys: &self.keys };
        records.find(self.db, field, value)
    }
    /// A page of records.
    ///
    /// # Errors
    /// As [`View::get`].
    pub fn list<R: Record>(&mut self, page: &Page<'_>) -> Result<Vec<Stored<R>>, Problem> {
        let records = Records { inner: self.inner, tenant: self.scope.tenant(), keys: &self.keys };
        records.list(self.db, page)
    }
    /// Rows of a bookkeeping statement that only reads.
    ///
    /// # Errors
    /// A defect of ours when the statement was not declared to the vault; the store's, also for one that writes.
    pub fn books(
        &mut self,
        statement: &'static Bookkeeping,
        params: &[ClearValue],
    ) -> Result<Vec<Vec<ClearValue>>, Problem> {
        keep::rows(self.inner, self.db, self.scope.tenant(), statement, params)
    }
    /// How many records have these values in their clear columns.
    ///
    /// # Errors
    /// The store's.
    pub fn count<R: Record>(&mut self, eq: &[(&'static str, ClearValue)]) -> Result<u64, Problem> {
        let records = Records { inner: self.inner, tenant: self.scope.tenant(), keys: &self.keys };
        records.count(self.db, R::DEF, eq)
    }
}
