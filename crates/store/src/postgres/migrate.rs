//! Migrations on PostgreSQL: run by the owner role, with the service role's grants.

use tokio_postgres::Client;

use super::{
    endpoint::Endpoint,
    link::{Link, runtime},
    types::error,
};
use crate::{
    Kind,
    error::StoreError,
    migrate::{self, Migration, Migrator, RECORD},
    reach::{GOES_PAST, KEEP_APART, OWNER},
    value::Row,
};

/// Held while migrating, so that two nodes that start together do not both do it ("sekisho" in ASCII).
const LOCK: i64 = 0x73_65_6b_69_73_68_6f;

/// Brings the schema up to `all` as `owner`; `service` is who will serve.
pub(crate) fn migrate(owner: &Endpoint, service: &Endpoint, all: &[Migration]) -> Result<(), StoreError> {
    on_own_thread(|| {
        let runtime = runtime()?;
        let client = runtime.block_on(owner.connect(None))?;
        let mut session =
            Session { runtime, client, service: quoted(service.role()), apart: owner.role() != service.role() };
        session.prepare(service.role())?;
        migrate::run(&mut session, all)?;
        // Also where somebody has switched it off by hand.
        session.batch(KEEP_APART)
    })
}

/// What was applied, as seen by `service`.
pub(crate) fn applied(service: &Endpoint) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    on_own_thread(|| {
        let runtime = runtime()?;
        let client = runtime.block_on(service.connect(None))?;
        Session { runtime, client, service: String::new(), apart: false }.recorded()
    })
}

/// Runs `script` as `endpoint`'s role.
pub(crate) fn script(endpoint: &Endpoint, script: &str) -> Result<(), StoreError> {
    on_own_thread(|| {
        let runtime = runtime()?;
        Link::connect(&runtime, endpoint)?.batch(script)
    })
}

/// The rows of `sql` as `endpoint`'s role, whosever they are.
pub(crate) fn rows(endpoint: &Endpoint, sql: &str) -> Result<Vec<Row>, StoreError> {
    on_own_thread(|| {
        let runtime = runtime()?;
        let mut rows = Vec::new();
        let mut link = Link::connect(&runtime, endpoint)?;
        link.batch(OWNER)?;
        link.for_each(sql, &[], &mut |row| {
            rows.push(row);
            Ok(true)
        })?;
        Ok(rows)
    })
}

/// Opening may be called from an async task, where waiting on another runtime is refused.
pub(crate) fn on_own_thread<T: Send>(run: impl FnOnce() -> Result<T, StoreError> + Send) -> Result<T, StoreError> {
    std::thread::scope(|scope| {
        scope.spawn(run).join().unwrap_or_else(|_| Err(StoreError::Bug("opening the database panicked".into())))
    })
}

struct Session {
    runtime: tokio::runtime::Runtime,
    client: Client,
    /// Quoted name of the service role.
    service: String,
    /// Whether the service role is another than the owner.
    apart: bool,
}

impl Session {
    fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.runtime.block_on(self.client.batch_execute(sql)).map_err(|e| error(&e, sql))
    }

    fn text(&self, sql: &str) -> Result<String, StoreError> {
        let row = self.runtime.block_on(self.client.query_one(sql, &[])).map_err(|e| error(&e, sql))?;
        row.try_get(0).map_err(|e| error(&e, sql))
    }

    /// Checks the database, waits for other nodes' migrations, and sees to the service role's default grants.
    fn prepare(&self, service: &str) -> Result<(), StoreError> {
        let encoding = self.text("SELECT current_setting('server_encoding')")?;
        if encoding != "UTF8" {
            return Err(StoreError::Config(format!("the PostgreSQL database is encoded in {encoding}, not UTF8")));
        }
        let role = service.replace('\'', "''");
        if self.text(&format!("{GOES_PAST}'{role}'"))? == "true" {
            return Err(StoreError::Config(format!(
                "the PostgreSQL role {service} is a superuser or has BYPASSRLS, so the database would not keep tenants apart"
            )));
        }
        self.batch(&format!("SET client_min_messages = 'warning'; {OWNER}; SELECT pg_advisory_lock({LOCK})"))
    }

    fn recorded(&self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let sql = "SELECT number, digest FROM store_migration ORDER BY number";
        let rows = self.runtime.block_on(self.client.query(sql, &[])).map_err(|e| error(&e, sql))?;
        rows.iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<_, _>>()
            .map_err(|e| error(&e, sql))
    }
}

impl Migrator for Session {
    fn kind(&self) -> Kind {
        Kind::Postgres
    }

    fn applied(&mut self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        // Looked up first: a role that may not create tables can still find that there is nothing to do.
        if self.text("SELECT COALESCE(to_regclass('store_migration')::text, '')")?.is_empty() {
            let record = crate::dialect::migration(Kind::Postgres, RECORD);
            let service = &self.service;
            let grants = if self.apart {
                format!(
                    "DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO {service}', current_schema()); END $$;
                     DO $$ BEGIN EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I
                         GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {service}', current_schema()); END $$;
                     {record}
                     REVOKE INSERT, UPDATE, DELETE ON store_migration FROM {service};"
                )
            } else {
                record
            };
            self.batch(&format!("BEGIN; {grants} COMMIT;"))?;
        }
        self.recorded()
    }

    fn apply(&mut self, migration: &Migration, sql: &str, extra: &str, digest: &[u8]) -> Result<(), StoreError> {
        let named = |error| match error {
            StoreError::Bug(why) => {
                StoreError::Bug(format!("migration {} ({}): {why}", migration.number, migration.name))
            }
            other => other,
        };
        let extra = extra.replace("{service}", &self.service);
        let done = self
            .batch("BEGIN")
            .and_then(|()| self.batch(sql))
            .and_then(|()| self.batch(&extra))
            .and_then(|()| self.batch(KEEP_APART))
            .and_then(|()| {
                let record = "INSERT INTO store_migration (number, name, digest) VALUES ($1, $2, $3)";
                let number = i64::from(migration.number);
                self.runtime
                    .block_on(self.client.execute(record, &[&number, &migration.name, &digest]))
                    .map_err(|e| error(&e, record))?;
                self.batch("COMMIT")
            });
        done.map_err(named)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
