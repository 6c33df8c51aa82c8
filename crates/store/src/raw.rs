//! The back door: SQL without any of the store's checks, into a store that nobody relies on.

use std::{path::PathBuf, sync::OnceLock};

use crate::{
    config::{Place, StoreConfig},
    error::StoreError,
    migrate::Migration,
    params, postgres,
    reach::{OWNER, Reach},
    sqlite,
    store::Store,
    value::Row,
};

/// The mark (see [`crate::Store::set_mark`]) of a store that a rehearsal made for itself and that may be broken.
pub const REHEARSAL: &str = "rehearsal";

/// Raw access to a rehearsal's database, as someone with the disk or the owner's password would have it: triggers may
/// be dropped, rows changed behind the store's back. It opens no store but one marked [`REHEARSAL`].
pub struct Raw(Door);

/// The table of applied migrations.
const RECORD_TABLE: &str = "store_migration";

enum Door {
    Sqlite(PathBuf),
    /// As the owner, and as the role that serves; what asks for the state of all tables, once it is known.
    Postgres(Box<[postgres::Endpoint; 2]>, OnceLock<String>),
}

impl Raw {
    /// Opens the database of `config`, beside a store that is open or not.
    ///
    /// # Errors
    /// [`StoreError::Refused`] unless the store is marked [`REHEARSAL`], or whatever opening meets.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let raw = Self(match &config.place {
            Place::Sqlite { dir } => Door::Sqlite(dir.join(sqlite::FILE)),
            Place::Postgres { service, owner, ca } => {
                let [owner, service] = [owner.as_ref().unwrap_or(service), service];
                let endpoint = |url| postgres::Endpoint::new(url, ca.as_deref());
                Door::Postgres(Box::new([endpoint(owner)?, endpoint(service)?]), OnceLock::new())
            }
        });
        let marked = raw.query(&format!("SELECT value FROM meta WHERE key = '{REHEARSAL}'"));
        if marked.is_ok_and(|rows| rows.len() == 1) {
            Ok(raw)
        } else {
            Err(StoreError::Refused("raw access is for stores marked as a rehearsal's".into()))
        }
    }

    /// Copies what lies in SQLite's write-ahead log into the database file, and leaves it in the log as well. Nothing on
    /// PostgreSQL.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn write_back(&self) -> Result<(), StoreError> {
        match &self.0 {
            Door::Sqlite(_) => self.query("PRAGMA wal_checkpoint(PASSIVE)").map(drop),
            Door::Postgres(..) => Ok(()),
        }
    }

    /// Runs a script: any statements of that database.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn run(&self, script: &str) -> Result<(), StoreError> {
        match &self.0 {
            Door::Sqlite(path) => {
                let conn = sqlite::conn::open(path, sqlite::conn::Role::Raw)?;
                conn.execute_batch(script).map_err(|e| sqlite::conn::error(e, script))
            }
            Door::Postgres(roles, _) => postgres::script(&roles[0], &format!("{OWNER}; {script}")),
        }
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn query(&self, sql: &str) -> Result<Vec<Row>, StoreError> {
        match &self.0 {
            Door::Sqlite(path) => {
                let conn = sqlite::conn::open(path, sqlite::conn::Role::Raw)?;
                let mut statement = conn.prepare(sql).map_err(|e| sqlite::conn::error(e, sql))?;
                let mut rows = Vec::new();
                sqlite::conn::for_each(&mut statement, sql, &params![], &mut |row| {
                    rows.push(row);
                    Ok(true)
                })?;
                Ok(rows)
            }
            Door::Postgres(roles, _) => postgres::rows(&roles[0], sql),
        }
    }

    /// Runs one statement as the role that serves, on a connection of its own that reaches what the service would say:
    /// the rows that came back or were changed. What it changes is taken back. `None` on SQLite, which has no roles.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the role may not, or any other [`StoreError`].
    pub fn as_service(&self, reach: Option<Reach>, sql: &str) -> Result<Option<u64>, StoreError> {
        match &self.0 {
            Door::Sqlite(_) => Ok(None),
            Door::Postgres(roles, _) => {
                let reach = reach.map_or_else(String::new, |r| format!("{}; ", r.statement()));
                postgres::count(&roles[1], &format!("BEGIN; {reach}{sql}; ROLLBACK")).map(Some)
            }
        }
    }

    /// A text that is another one whenever a row of any table has been written; empty on SQLite.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub fn state(&self) -> Result<String, StoreError> {
        let Door::Postgres(roles, states) = &self.0 else { return Ok(String::new()) };
        let sql = match states.get() {
            Some(known) => known.clone(),
            None => {
                let sql = states_of(&roles[0])?;
                states.get_or_init(|| sql).clone()
            }
        };
        let rows = postgres::rows(&roles[0], &sql)?;
        rows.first().map_or(Ok(String::new()), |row| Ok(row.opt_text(0)?.unwrap_or_default().to_owned()))
    }

    /// Copies every row, as one transaction sees them, into an empty SQLite store in `dir`, whose tables `migrations`
    /// make: what a thief of the server's disk has, in the one form that needs no server.
    ///
    /// # Errors
    /// [`StoreError::Config`] on SQLite, whose file is its own copy; any other [`StoreError`].
    pub fn copy_to(&self, dir: &std::path::Path, migrations: &[Migration]) -> Result<(), StoreError> {
        let Door::Postgres(roles, _) = &self.0 else {
            return Err(StoreError::Config("an embedded database is copied as a file".into()));
        };
        Store::open(StoreConfig::sqlite(dir), migrations)?.close();
        let conn = sqlite::conn::open(&dir.join(sqlite::FILE), sqlite::conn::Role::Raw)?;
        let run = |sql: &str| conn.execute_batch(sql).map_err(|e| sqlite::conn::error(e, sql));
        run("BEGIN")?;
        // What was applied stays as this database's own migrations say it.
        for (table, columns, rows) in postgres::snapshot(&roles[0])?.iter().filter(|(t, ..)| t != RECORD_TABLE) {
            run(&format!("DELETE FROM \"{table}\""))?;
            let places: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
            let (columns, places) = (columns.join("\", \""), places.join(", "));
            let sql = format!("INSERT INTO \"{table}\" (\"{columns}\") VALUES ({places})");
            let mut insert = conn.prepare(&sql).map_err(|e| sqlite::conn::error(e, &sql))?;
            for row in rows {
                let values = (0..row.len()).map(|i| row.param(i)).collect::<Result<Vec<_>, _>>()?;
                sqlite::conn::execute(&mut insert, &sql, &values)?;
            }
        }
        run("COMMIT")
    }
}

/// The statement that says the state of every table there is.
fn states_of(owner: &postgres::Endpoint) -> Result<String, StoreError> {
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";
    let each = postgres::rows(owner, tables)?;
    let each = each.iter().map(|row| {
        let table = row.text(0)?;
        // Where each version of a row lies, and which transaction wrote it there.
        Ok(format!("SELECT '{table}' || md5(string_agg(ctid::text || xmin::text, ',')) AS state FROM \"{table}\""))
    });
    let each = each.collect::<Result<Vec<_>, StoreError>>()?.join(" UNION ALL ");
    Ok(format!("SELECT string_agg(state, ' ' ORDER BY state) FROM ({each}) AS s"))
}

/// Runs `script` on the PostgreSQL server at `url`, as whoever it names. For test clusters.
///
/// # Errors
/// Any [`StoreError`].
#[cfg(any(test, feature = "faults"))]
pub fn postgres_script(url: &str, script: &str) -> Result<(), StoreError> {
    postgres::script(&postgres::Endpoint::new(&sekisho_kernel::Secret::new(url.to_owned()), None)?, script)
}
