//! Whose rows a transaction reaches. PostgreSQL holds every transaction to it by row level security; on SQLite, which
//! has one file and one process, the tenant in each of the vault's statements is what keeps rows apart.
//!
//! A table's tenant column is `tenant` or `log` (and `id` of the table `tenant`). Every table that has one gets the
//! policy in the very transaction that makes it; a store whose tables lack it is not opened.

use std::{fmt::Write as _, future::Future};

use sekisho_kernel::id::TenantId;

use crate::{
    error::StoreError,
    migrate::Migration,
    sql::{Read, Sql},
    store::Store,
};

/// Whose rows a transaction may see and write. What nobody has named reaches none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No tenant's: only tables that have no tenant column.
    Nobody,
    /// One tenant's; the platform's own are the nil tenant's.
    Tenant(TenantId),
    /// Finding out whose a token, a link or a host name is: pointers may be read, and nothing else.
    Lookup,
    /// Entries for several logs at once: they may be appended, and nothing else, not even read.
    Append,
    /// Every tenant's, for jobs of the platform that span tenants: sequencing and checkpoints, sweeping what has run out,
    /// listing tenants, rewrapping their keys, verifying all logs.
    Platform,
}

impl Reach {
    /// Sets it for the transaction that has begun, and for no longer.
    pub(crate) fn statement(self) -> String {
        let (tenant, reach) = match self {
            Self::Nobody => (None, ""),
            Self::Tenant(tenant) => (Some(tenant), ""),
            Self::Lookup => (None, "lookup"),
            Self::Append => (None, "append"),
            Self::Platform => (None, "platform"),
        };
        let mut sql = String::from("SET LOCAL sekisho.tenant = '");
        for byte in tenant.iter().flat_map(|t| t.bytes()) {
            let _ = write!(sql, "{byte:02x}");
        }
        let _ = write!(sql, "'; SET LOCAL sekisho.reach = '{reach}'");
        sql
    }
}

/// For a whole session of the owner's: migrations see every row that they bring forward.
pub(crate) const OWNER: &str = "SET sekisho.reach = 'platform'";

/// Settings that no closure may touch.
pub(crate) const GUARDED: &str = "set_config";

/// Row level security for every table with a tenant column, those to come included.
pub(crate) const MIGRATION: Migration = Migration {
    number: 4,
    name: "tenants kept apart by the database",
    sql: "",
    postgres: "
CREATE FUNCTION keep_tenants_apart() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept record;
BEGIN
    FOR kept IN
        SELECT c.oid::regclass AS name, a.attname AS tenant, p.oid IS NULL AS bare
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND (a.attname IN ('tenant', 'log') OR (c.relname, a.attname) = ('tenant', 'id'))
        LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'own_tenant'
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
            AND (p.oid IS NULL OR NOT c.relrowsecurity OR NOT c.relforcerowsecurity)
    LOOP
        IF kept.bare THEN
            EXECUTE format('CREATE POLICY own_tenant ON %s USING (
                %I = (SELECT decode(current_setting(''sekisho.tenant'', true), ''hex''))
                OR (SELECT current_setting(''sekisho.reach'', true)) = ''platform'')', kept.name, kept.tenant);
        END IF;
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', kept.name);
    END LOOP;
END $$;
",
    sqlite: "",
};

/// Run by the owner after every migration, in its transaction, and before the store is opened.
pub(crate) const KEEP_APART: &str = "DO $$ BEGIN
    IF to_regproc('keep_tenants_apart') IS NOT NULL THEN PERFORM keep_tenants_apart(); END IF; END $$";

/// Whether a role goes past row level security whatever the policies say.
pub(crate) const GOES_PAST: &str = "SELECT (rolsuper OR rolbypassrls)::text FROM pg_roles WHERE rolname = ";

/// A store, as transactions of one reach use it.
#[derive(Clone)]
pub struct Within {
    pub(crate) store: Store,
    pub(crate) reach: Reach,
}

impl Within {
    /// [`Store::write`] with this reach.
    ///
    /// # Errors
    /// As there.
    pub fn write<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&mut dyn Sql) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.write_within(self.reach, true, work)
    }

    /// [`Store::write`] with this reach, for work that gathers what many callers want when it begins: the store waits for
    /// no others on its account.
    ///
    /// # Errors
    /// As there.
    pub fn write_gathered<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&mut dyn Sql) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.write_within(self.reach, false, work)
    }

    /// [`Store::read`] with this reach.
    ///
    /// # Errors
    /// As there.
    pub fn read<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&mut dyn Read) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.read_within(self.reach, work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_hexadecimal_or_a_word_of_ours() {
        let one = TenantId::from_bytes([0xab; 16]);
        assert_eq!(
            Reach::Tenant(one).statement(),
            format!("SET LOCAL sekisho.tenant = '{}'; SET LOCAL sekisho.reach = ''", "ab".repeat(16))
        );
        assert_eq!(Reach::Nobody.statement(), "SET LOCAL sekisho.tenant = ''; SET LOCAL sekisho.reach = ''");
        assert!(Reach::Platform.statement().ends_with("sekisho.reach = 'platform'"));
    }
}
