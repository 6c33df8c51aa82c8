//! A PostgreSQL database of a rehearsal's own, on a server that somebody lends.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use sekisho_kernel::{Rng, Secret, rng};
use tokio_postgres::{SimpleQueryMessage, config::Host};

use super::{
    endpoint::Endpoint,
    link::{Link, runtime},
    migrate::{on_own_thread, rows, script},
    types::error,
    wire::{PORT, Wire},
};
use crate::{error::StoreError, reach::OWNER, value::Row};

/// A database made for one rehearsal, owned by a role and served by another, both made with it. All three go when this
/// value does.
pub struct Scratch {
    lender: Endpoint,
    name: String,
    service: Secret<String>,
    owner: Secret<String>,
    /// The server's clock when this was made, in microseconds since 1970.
    since: i64,
    wire: Wire,
}

impl Scratch {
    /// Makes one on the server at `lender` (URL or key=value text), whose role may make databases and roles. The service's
    /// way to it leads over a socket in `dir`, where everything that passes is kept.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the role may not, or whatever connecting meets.
    pub fn new(lender: &Secret<String>, dir: &Path, rng: &dyn Rng) -> Result<Self, StoreError> {
        let lender = Endpoint::new(lender, None)?;
        let wire = Wire::lay(dir, &lender)?;
        let since = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
        let since = rows(&lender, since)?.first().map_or(Ok(0), |row| row.int(0))?;
        let hex = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut out, b| {
                let _ = write!(out, "{b:02x}");
                out
            })
        };
        let name = format!("sekisho_rehearsal_{}", hex(&rng::bytes::<8>(rng)));
        let mut addresses = Vec::new();
        for part in ["owner", "service"] {
            let (role, password) = (format!("{name}_{part}"), Secret::new(hex(&rng::bytes::<24>(rng))));
            let made = format!("CREATE ROLE {role} LOGIN PASSWORD '{}'", password.reveal());
            script(&lender, &made).map_err(without_statement)?;
            let by = if part == "service" { Some(wire.dir()) } else { None };
            addresses.push(lender.at(&name, &role, &password, by));
        }
        let service = addresses.remove(1);
        let scratch = Self { lender, service, owner: addresses.remove(0), name, since, wire };
        let name = &scratch.name;
        // Only a member may give a database to a role.
        script(&scratch.lender, &format!("GRANT {name}_owner TO CURRENT_USER"))?;
        script(
            &scratch.lender,
            &format!("CREATE DATABASE {name} OWNER {name}_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"),
        )?;
        let shut =
            format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {name}_service");
        script(&scratch.lender, &shut)?;
        Ok(scratch)
    }

    /// The address of the role that serves.
    pub const fn service(&self) -> &Secret<String> {
        &self.service
    }

    /// The address of the role that owns the tables.
    pub const fn owner(&self) -> &Secret<String> {
        &self.owner
    }

    /// Every file of the server's disk that bears bytes of this database, by its path below the server's data directory: the
    /// write-ahead log since this was made, then, after a checkpoint, the database's own files, temporary files, and the
    /// server's log where it keeps one.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the lender's role may not read the server's files, or any other [`StoreError`].
    pub fn files(&self) -> Result<Vec<(PathBuf, Vec<u8>)>, StoreError> {
        let owner = Endpoint::new(&self.owner, None)?;
        let home = rows(&owner, "SELECT pg_relation_filepath('pg_class')")?;
        let home =
            home.first().map_or(Ok(""), |row| row.text(0))?.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
        let since = self.since / 1_000_000 - 1;
        let read = |names: &str| {
            format!(
                "SELECT f.path, pg_read_binary_file(f.path, 0, (pg_stat_file(f.path, true)).size, true)
                 FROM ({names}) AS f (path) WHERE NOT (pg_stat_file(f.path, true)).isdir"
            )
        };
        let log = format!("SELECT 'pg_wal/' || name FROM pg_ls_waldir() WHERE modification >= to_timestamp({since})");
        let others = format!(
            "SELECT '{home}/' || name FROM pg_ls_dir('{home}') AS d (name)
             UNION ALL SELECT 'base/pgsql_tmp/' || name FROM pg_ls_tmpdir()
             UNION ALL SELECT pg_current_logfile() WHERE pg_current_logfile() IS NOT NULL"
        );
        // The log first: a checkpoint gives its files over to be written anew.
        let mut found = rows(&self.lender, &read(&log))?;
        script(&self.lender, "CHECKPOINT")?;
        found.extend(rows(&self.lender, &read(&others))?);
        found
            .iter()
            // A file may have gone meanwhile.
            .filter_map(|row| match (row.text(0), row.opt_blob(1)) {
                (Ok(path), Ok(Some(bytes))) => Some(Ok((PathBuf::from(path), bytes.to_vec()))),
                (Ok(_), Ok(None)) => None,
                (Err(e), _) | (_, Err(e)) => Some(Err(e)),
            })
            .collect()
    }

    /// What went between the service and the server, a piece for each way of each connection.
    pub fn wire(&self) -> Vec<Vec<u8>> {
        self.wire.passed()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let name = &self.name;
        for gone in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("DROP ROLE IF EXISTS {name}_service"),
            format!("DROP ROLE IF EXISTS {name}_owner"),
        ] {
            if let Err(why) = script(&self.lender, &gone) {
                tracing::warn!(%why, "a rehearsal left something on the server that was lent");
            }
        }
    }
}

/// The statement holds a password.
fn without_statement(error: StoreError) -> StoreError {
    match error {
        StoreError::Bug(_) => StoreError::Config("the PostgreSQL server does not take a role with a password".into()),
        other => other,
    }
}

impl Endpoint {
    /// The same server as another role, at another database; `by` leads there over a wire's socket in that directory.
    fn at(&self, database: &str, role: &str, password: &Secret<String>, by: Option<&Path>) -> Secret<String> {
        let config = self.config();
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let list = |all: Vec<String>| all.join(",");
        let place = match by {
            Some(dir) => [dir.display().to_string(), String::new(), PORT.to_string()],
            None => [
                list(hosts.collect()),
                list(config.get_hostaddrs().iter().map(ToString::to_string).collect()),
                list(config.get_ports().iter().map(ToString::to_string).collect()),
            ],
        };
        let [host, hostaddr, port] = place;
        let fields = [
            ("host", host),
            ("hostaddr", hostaddr),
            ("port", port),
            ("dbname", database.to_owned()),
            ("user", role.to_owned()),
            ("password", password.reveal().clone()),
        ];
        let text =
            fields.iter().filter(|(_, value)| !value.is_empty()).fold(String::new(), |mut text, (key, value)| {
                let _ = write!(text, "{key}='{}' ", value.replace('\\', "\\\\").replace('\'', "\\'"));
                text
            });
        Secret::new(text)
    }
}

/// Runs one statement as `endpoint`'s role: the rows that came back or were changed.
pub(crate) fn count(endpoint: &Endpoint, sql: &str) -> Result<u64, StoreError> {
    on_own_thread(|| {
        let runtime = runtime()?;
        runtime.block_on(async {
            let client = endpoint.connect(None).await?;
            let answers = client.simple_query(sql).await.map_err(|e| error(&e, sql))?;
            let rows = answers.iter().filter(|a| matches!(a, SimpleQueryMessage::Row(_))).count() as u64;
            let changed = answers.iter().filter_map(|a| match a {
                SimpleQueryMessage::CommandComplete(n) => Some(*n),
                _ => None,
            });
            Ok(rows.max(changed.sum()))
        })
    })
}

/// One table: its name, its columns, its rows.
pub(crate) type TableRows = (String, Vec<String>, Vec<Row>);

/// One state of all tables.
pub(crate) fn snapshot(endpoint: &Endpoint) -> Result<Vec<TableRows>, StoreError> {
    const COLUMNS: &str = "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position";
    on_own_thread(|| {
        let runtime = runtime()?;
        let mut link = Link::connect(&runtime, endpoint)?;
        link.batch(&format!("{OWNER}; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"))?;
        let mut tables: Vec<TableRows> = Vec::new();
        link.for_each(COLUMNS, &[], &mut |row| {
            let (table, column) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
            match tables.last_mut().filter(|(last, ..)| *last == table) {
                Some((_, columns, _)) => columns.push(column),
                None => tables.push((table, vec![column], Vec::new())),
            }
            Ok(true)
        })?;
        for (table, columns, rows) in &mut tables {
            let sql = format!("SELECT \"{}\" FROM \"{table}\"", columns.join("\", \""));
            link.for_each(&sql, &[], &mut |row| {
                rows.push(row);
                Ok(true)
            })?;
        }
        Ok(tables)
    })
}
