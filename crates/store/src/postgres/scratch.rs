//! A PostgreSQL database of a rehearsal's own, on a server that somebody lends.

use std::fmt::Write as _;

use sekisho_kernel::{Rng, Secret, rng};
use tokio_postgres::{SimpleQueryMessage, config::Host};

use super::{
    endpoint::Endpoint,
    link::{Link, runtime},
    migrate::{on_own_thread, script},
    types::error,
};
use crate::{error::StoreError, value::Row};

/// A database made for one rehearsal, owned by a role and served by another, both made with it. All three go when this
/// value does.
pub struct Scratch {
    lender: Endpoint,
    name: String,
    service: Secret<String>,
    owner: Secret<String>,
}

impl Scratch {
    /// Makes one on the server at `lender` (URL or key=value text), whose role may make databases and roles.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the role may not, or whatever connecting meets.
    pub fn new(lender: &Secret<String>, rng: &dyn Rng) -> Result<Self, StoreError> {
        let lender = Endpoint::new(lender, None)?;
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
            addresses.push(lender.at(&name, &role, &password));
        }
        let service = addresses.remove(1);
        let scratch = Self { lender, service, owner: addresses.remove(0), name };
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
    /// The same server as another role, at another database.
    fn at(&self, database: &str, role: &str, password: &Secret<String>) -> Secret<String> {
        let config = self.config();
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        let list = |all: Vec<String>| all.join(",");
        let fields = [
            ("host", list(hosts.collect())),
            ("hostaddr", list(config.get_hostaddrs().iter().map(ToString::to_string).collect())),
            ("port", list(config.get_ports().iter().map(ToString::to_string).collect())),
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
        link.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
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
