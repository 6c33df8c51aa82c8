//! Migrations on SQLite.

use rusqlite::Connection;

use super::conn::error;
use crate::{
    Kind,
    error::StoreError,
    migrate::{Migration, Migrator, RECORD},
};

impl Migrator for Connection {
    fn kind(&self) -> Kind {
        Kind::Sqlite
    }

    fn applied(&mut self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        self.execute_batch(RECORD).map_err(|e| error(e, RECORD))?;
        recorded(self)
    }

    fn apply(&mut self, migration: &Migration, sql: &str, extra: &str, digest: &[u8]) -> Result<(), StoreError> {
        let named = |e| named(migration, error(e, ""));
        let tx = self.transaction().map_err(named)?;
        tx.execute_batch(sql).map_err(named)?;
        tx.execute_batch(extra).map_err(named)?;
        tx.execute(
            "INSERT INTO store_migration (number, name, digest) VALUES (?1, ?2, ?3)",
            (migration.number, migration.name, digest),
        )
        .map_err(named)?;
        tx.commit().map_err(named)
    }
}

/// Number and digest of what was applied.
pub(crate) fn recorded(conn: &Connection) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let sql = "SELECT number, digest FROM store_migration ORDER BY number";
    let mut statement = conn.prepare(sql).map_err(|e| error(e, sql))?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|e| error(e, sql))?;
    rows.collect::<Result<_, _>>().map_err(|e| error(e, sql))
}

/// Says which migration it was if the text itself is at fault.
fn named(migration: &Migration, error: StoreError) -> StoreError {
    match error {
        StoreError::Bug(why) => StoreError::Bug(format!("migration {} ({}): {why}", migration.number, migration.name)),
        other => other,
    }
}
