//! One PostgreSQL connection, used by one thread: its runtime, its prepared statements, its limits in time.

use std::{collections::HashMap, future::Future, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream::FuturesOrdered};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Statement};

use super::{
    endpoint::Endpoint,
    types::{Bound, error, row},
};
use crate::{
    dialect,
    error::StoreError,
    value::{Param, Row},
};

/// Longest that one answer is waited for before the connection is given up: more than the server's own limits below,
/// so that it only ends what a dead network would hold for ever.
const ANSWER_WAIT: Duration = Duration::from_secs(35);

/// Most prepared statements of one connection.
const MOST_STATEMENTS: usize = 1_024;

/// Most statements of one `exec_many` under way at once.
const PIPELINE: usize = 256;

/// Session settings. `synchronous_commit` may be stronger than `on`, but never `off`.
const SETTINGS: &str = "
    SET statement_timeout = '30s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s';
    SET TimeZone = 'UTC'; SET standard_conforming_strings = on; SET default_transaction_isolation = 'read committed';
    SET client_min_messages = 'warning';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

/// Every unique index, with its columns as `table.column, table.column`.
const UNIQUES: &str = "SELECT i.relname::text, string_agg(t.relname || '.' || a.attname, ', ' ORDER BY c.place)
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS c (attnum, place)
    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = c.attnum
    WHERE x.indisunique AND t.relnamespace = current_schema()::regnamespace GROUP BY 1";

/// A runtime for one thread that waits for one connection.
pub(crate) fn runtime() -> Result<Runtime, StoreError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|e| StoreError::Io(format!("runtime: {e}")))
}

/// A live connection.
pub(crate) struct Link<'r> {
    runtime: &'r Runtime,
    client: Client,
    statements: HashMap<Box<str>, Statement>,
    /// The columns of each unique index. Of a table with row level security the server tells the index alone.
    uniques: HashMap<String, String>,
}

impl<'r> Link<'r> {
    pub(crate) fn connect(runtime: &'r Runtime, endpoint: &Endpoint) -> Result<Self, StoreError> {
        let client = wait(runtime, async {
            let client = endpoint.connect(None).await?;
            client.batch_execute(SETTINGS).await.map_err(|e| error(&e, SETTINGS))?;
            Ok(client)
        })?;
        Ok(Self { runtime, client, statements: HashMap::new(), uniques: HashMap::new() })
    }

    /// Reads what unique indexes there are, for the errors of those who serve.
    pub(crate) fn learn(mut self) -> Result<Self, StoreError> {
        let mut uniques = HashMap::new();
        self.for_each(UNIQUES, &[], &mut |row| {
            uniques.insert(row.text(0)?.to_owned(), row.text(1)?.to_owned());
            Ok(true)
        })?;
        self.uniques = uniques;
        Ok(self)
    }

    /// The error, in the words of the schema.
    fn named(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Unique { what } => {
                StoreError::Unique { what: self.uniques.get(&what).cloned().unwrap_or(what) }
            }
            other => other,
        }
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs texts of the store's own, without parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        wait(self.runtime, async { self.client.batch_execute(sql).await.map_err(|e| error(&e, sql)) })
    }

    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        dialect::check_statement(sql)?;
        let statement = wait(self.runtime, async { self.client.prepare(sql).await.map_err(|e| error(&e, sql)) })?;
        if self.statements.len() >= MOST_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    pub(crate) fn for_each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let statement = self.prepare(sql)?;
        check(&statement, sql, params)?;
        let bound = params.iter().map(|p| Bound(*p));
        let stream = wait(self.runtime, async {
            let stream = self.client.query_raw(&statement, bound).await.map_err(|e| error(&e, sql))?;
            Ok(Box::pin(stream))
        })?;
        let mut stream = stream.ready_chunks(PIPELINE);
        while let Some(rows) = wait(self.runtime, async { Ok(stream.next().await) })? {
            for found in rows {
                let found = found.map_err(|e| self.named(error(&e, sql)))?;
                if !each(row(&found, sql)?)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let statement = self.prepare(sql)?;
        check(&statement, sql, params)?;
        let bound = params.iter().map(|p| Bound(*p));
        let done =
            wait(self.runtime, async { self.client.execute_raw(&statement, bound).await.map_err(|e| error(&e, sql)) });
        done.map_err(|e| self.named(e))
    }

    pub(crate) fn exec_many(&mut self, sql: &str, rows: &[Vec<Param<'_>>]) -> Result<u64, StoreError> {
        let statement = self.prepare(sql)?;
        for row in rows {
            check(&statement, sql, row)?;
        }
        let mut changed = 0;
        for chunk in rows.chunks(PIPELINE) {
            // Sent in order without waiting; answered in order, so the first error is the one that counts.
            let mut answers: FuturesOrdered<_> =
                chunk.iter().map(|row| self.client.execute_raw(&statement, row.iter().map(|p| Bound(*p)))).collect();
            changed += wait(self.runtime, async {
                let mut sum = 0;
                while let Some(n) = answers.try_next().await.map_err(|e| error(&e, sql))? {
                    sum += n;
                }
                Ok(sum)
            })
            .map_err(|e| self.named(e))?;
        }
        Ok(changed)
    }
}

/// Waits for the server within [`ANSWER_WAIT`].
fn wait<T>(runtime: &Runtime, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let timed = async { tokio::time::timeout(ANSWER_WAIT, answer).await };
    let late = || StoreError::Lost(format!("no answer within {} s", ANSWER_WAIT.as_secs()));
    runtime.block_on(timed).unwrap_or_else(|_| Err(late()))
}

fn check(statement: &Statement, sql: &str, params: &[Param<'_>]) -> Result<(), StoreError> {
    let wanted = statement.params().len();
    if wanted != params.len() {
        return Err(StoreError::Bug(format!("{} parameters given, {wanted} wanted: {sql}", params.len())));
    }
    match params.iter().position(|p| matches!(p, Param::Text(text) if text.contains('\0'))) {
        Some(i) => Err(StoreError::Constraint(format!("text of parameter {} holds U+0000", i + 1))),
        None => Ok(()),
    }
}
