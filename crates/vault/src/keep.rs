//! Bookkeeping: columns and counters that are written without an entry.

use sekisho_kernel::{Problem, Time, id::TenantId, problem::INTERNAL};
use sekisho_store::{self as store, Read, Sql};

use crate::{
    ClearValue, Scope,
    parts::Inner,
    rows::{param, value},
};

/// A statement on bookkeeping columns and counters: last use, counters, TOTP step, locks. Declared as a `static`,
/// handed to the vault when it is opened, printed in a golden file.
#[derive(Debug)]
pub struct Bookkeeping {
    /// What it is for, such as `session.touch`.
    pub name: &'static str,
    /// The statement: `SELECT`, `INSERT`, `UPDATE` or `DELETE`, also with `RETURNING`. `$1` is the tenant and must be
    /// held against (or inserted into) the column `tenant`; what the caller gives follows from `$2` on.
    pub sql: &'static str,
}

/// Runs bookkeeping statements in one tenant, in one transaction, without an entry.
pub struct Keeper<'a> {
    inner: &'a Inner,
    db: &'a mut dyn Sql,
    scope: Scope,
    now: Time,
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(inner: &'a Inner, db: &'a mut dyn Sql, scope: Scope, now: Time) -> Self {
        Self { inner, db, scope, now }
    }
    /// Runs the statement; the number of rows changed.
    ///
    /// # Errors
    /// A defect of ours when the statement was not declared to the vault; the store's.
    pub fn run(&mut self, statement: &'static Bookkeeping, params: &[ClearValue]) -> Result<u64, Problem> {
        run(self.inner, self.db, self.scope.tenant(), statement, params)
    }
    /// Runs the statement; its rows.
    ///
    /// # Errors
    /// As [`Keeper::run`].
    pub fn rows(
        &mut self,
        statement: &'static Bookkeeping,
        params: &[ClearValue],
    ) -> Result<Vec<Vec<ClearValue>>, Problem> {
        rows(self.inner, self.db, self.scope.tenant(), statement, params)
    }
    /// The moment.
    pub const fn now(&self) -> Time {
        self.now
    }
}

/// Refuses a statement that does not hold the tenant, or that reaches for what bookkeeping never touches: sealed bodies,
/// the ledger, keys, pointers.
pub(crate) fn check(statement: &'static Bookkeeping) -> Result<(), Problem> {
    let words: Vec<&str> = statement
        .sql
        .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '$' | '=' | '('))
        .filter(|w| !w.is_empty())
        .collect();
    let held = words.windows(3).any(|w| w == ["tenant", "=", "$1"]);
    let inserted = words.contains(&"(tenant") && words.windows(2).any(|w| w == ["VALUES", "($1"]);
    let forbidden = words.iter().map(|w| w.trim_start_matches('(')).find(|w| {
        w.starts_with("ledger_")
            || matches!(*w, "sealed" | "pointer" | "tenant_key" | "data_key" | "signing_key" | "root_key" | "meta")
    });
    let why = match forbidden {
        Some(word) => format!("it reaches for {word}"),
        None if held || inserted => return Ok(()),
        None => "it does not hold the tenant against $1".to_owned(),
    };
    Err(Problem::new(&INTERNAL).at(statement.name).log(format!("bookkeeping statement {}: {why}", statement.name)))
}

fn declared(inner: &Inner, statement: &'static Bookkeeping) -> Result<(), Problem> {
    if inner.is_declared(statement) {
        return Ok(());
    }
    Err(Problem::new(&INTERNAL).log(format!("the bookkeeping statement {} was not declared", statement.name)))
}

fn all<'p>(tenant: &'p [u8; 16], params: &'p [ClearValue]) -> Vec<store::Param<'p>> {
    std::iter::once(store::Param::Blob(tenant)).chain(params.iter().map(param)).collect()
}

pub(crate) fn run(
    inner: &Inner,
    db: &mut dyn Sql,
    tenant: TenantId,
    statement: &'static Bookkeeping,
    params: &[ClearValue],
) -> Result<u64, Problem> {
    declared(inner, statement)?;
    Ok(db.exec(statement.sql, &all(&tenant.bytes(), params))?)
}

pub(crate) fn rows(
    inner: &Inner,
    db: &mut (impl Read + ?Sized),
    tenant: TenantId,
    statement: &'static Bookkeeping,
    params: &[ClearValue],
) -> Result<Vec<Vec<ClearValue>>, Problem> {
    declared(inner, statement)?;
    let rows = db.query(statement.sql, &all(&tenant.bytes(), params))?;
    let rows = rows.iter().map(|row| (0..row.len()).map(|i| value(row, i)).collect::<Result<Vec<_>, _>>());
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scoped_statements_on_books_pass() {
        macro_rules! verdict {
            ($sql:literal) => {{
                static STATEMENT: Bookkeeping = Bookkeeping { name: "test", sql: $sql };
                check(&STATEMENT).is_ok()
            }};
        }
        assert!(verdict!("UPDATE t SET a = $2 WHERE tenant = $1 AND id = $3"));
        assert!(verdict!("SELECT u.a FROM u LEFT JOIN t ON t.tenant = u.tenant WHERE u.tenant = $1"));
        assert!(verdict!("INSERT INTO t (tenant, id) VALUES ($1, $2) ON CONFLICT (tenant, id) DO NOTHING"));
        assert!(!verdict!("UPDATE t SET a = $1"));
        assert!(!verdict!("UPDATE t SET a = $1 WHERE tenant = $2"));
        assert!(!verdict!("UPDATE t SET a = 1 WHERE tenant = $10"));
        assert!(!verdict!("INSERT INTO t (id, tenant) VALUES ($1, $2)"));
        assert!(!verdict!("UPDATE t SET sealed = $2 WHERE tenant = $1"));
        assert!(!verdict!("DELETE FROM ledger_entry WHERE tenant = $1"));
        assert!(!verdict!("INSERT INTO pointer (tenant, kind) VALUES ($1, $2)"));
    }
}
