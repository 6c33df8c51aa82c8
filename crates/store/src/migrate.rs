//! Migrations: forward only, numbered, recorded with the digest of their wording.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{Kind, dialect, error::StoreError, reach};

/// One step of the schema. It goes forward only, and in two landings where it takes something away (expand, then
/// contract), so that the previous binary still runs on the new schema.
///
/// Numbers: the store's own are 1 and 4; each crate keeps to a range of its own. Once landed, a migration's text never
/// changes: its digest is recorded, and a binary with another wording refuses the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Position in the order, unique over all crates.
    pub number: u32,
    /// What it does, for people.
    pub name: &'static str,
    /// The portable text: BIGINT, TEXT and BLOB columns, several statements. `/*sqlite: X */` and `/*postgres: X */`
    /// hold what only one of them reads (such as `WITHOUT ROWID`).
    pub sql: &'static str,
    /// Run after `sql` on PostgreSQL, by the owner role: REVOKE, functions with SECURITY DEFINER, triggers.
    /// `{service}` stands for the quoted name of the service role, which is granted SELECT, INSERT, UPDATE and
    /// DELETE on every new table, so that an append-only table says `REVOKE UPDATE, DELETE ON t FROM {service}`.
    pub postgres: &'static str,
    /// Run after `sql` on SQLite: triggers that refuse by `RAISE(ABORT, …)`.
    pub sqlite: &'static str,
}

/// The store's own tables.
pub(crate) const META: Migration = Migration {
    number: 1,
    name: "meta",
    sql: "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);",
    postgres: "",
    sqlite: "",
};

/// The table that records what was applied.
pub(crate) const RECORD: &str = "CREATE TABLE IF NOT EXISTS store_migration (
    number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL);";

/// A connection that may change the schema.
pub(crate) trait Migrator {
    /// Which database it is.
    fn kind(&self) -> Kind;
    /// Number and digest of what was applied; makes the record if there is none.
    fn applied(&mut self) -> Result<Vec<(i64, Vec<u8>)>, StoreError>;
    /// Runs `sql`, then `extra`, then records it, in one transaction.
    fn apply(&mut self, migration: &Migration, sql: &str, extra: &str, digest: &[u8]) -> Result<(), StoreError>;
}

impl Migration {
    /// SHA-256 over number, name and texts, each text led by its length.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = self.number.to_be_bytes().to_vec();
        for text in [self.name, self.sql, self.postgres, self.sqlite] {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        out
    }
}

/// The given migrations and the store's own, in order.
pub(crate) fn plan(migrations: &[Migration]) -> Result<Vec<Migration>, StoreError> {
    let mut all = migrations.to_vec();
    all.extend([META, reach::MIGRATION]);
    all.sort_by_key(|m| m.number);
    for pair in all.windows(2) {
        if pair[0].number == pair[1].number {
            let (a, b, n) = (pair[0].name, pair[1].name, pair[0].number);
            return Err(StoreError::Bug(format!("migrations {a:?} and {b:?} share number {n}")));
        }
    }
    Ok(all)
}

/// Checks what was applied against `all`; the ones still to be applied, in order.
pub(crate) fn pending<'m>(all: &'m [Migration], applied: &[(i64, Vec<u8>)]) -> Result<Vec<&'m Migration>, StoreError> {
    for (number, digest) in applied {
        let known = all.iter().find(|m| i64::from(m.number) == *number);
        let known = known.ok_or_else(|| StoreError::Newer(u32::try_from(*number).unwrap_or(u32::MAX)))?;
        if known.digest()[..] != digest[..] {
            return Err(StoreError::Differs { number: known.number, name: known.name.to_owned() });
        }
    }
    Ok(all.iter().filter(|m| applied.iter().all(|(n, _)| *n != i64::from(m.number))).collect())
}

/// Brings the schema up to `all`.
pub(crate) fn run(to: &mut dyn Migrator, all: &[Migration]) -> Result<(), StoreError> {
    let applied = to.applied()?;
    for migration in pending(all, &applied)? {
        let sql = dialect::migration(to.kind(), migration.sql);
        let extra = match to.kind() {
            Kind::Sqlite => migration.sqlite,
            Kind::Postgres => migration.postgres,
        };
        to.apply(migration, &sql, extra, &migration.digest())?;
        tracing::info!(number = migration.number, name = migration.name, "migration applied");
    }
    Ok(())
}
