//! One SQLite connection: how it is opened, its prepared statements, its errors in our words.

use std::{collections::HashMap, path::Path, time::Duration};

use rusqlite::{
    Connection, OpenFlags, Statement, ToSql,
    config::DbConfig,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    dialect,
    error::StoreError,
    value::{Param, Row, Value},
};

/// How long SQLite itself retries when someone else holds the file (a shell, a copying tool).
const FILE_LOCK_WAIT: Duration = Duration::from_secs(2);

/// Most prepared statements of one connection; an instance has a few hundred constant texts.
const MOST_STATEMENTS: usize = 1_024;

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one that writes.
    Writer,
    /// The one that copies the write-ahead log into the file.
    Copier,
    /// One of those that read.
    Reader,
    /// Reads a database that another process may be writing, or a copy.
    Inspector,
    /// Does as it likes to a rehearsal's database.
    Raw,
}

/// Opens `path` for `role`. The file must be there unless `role` writes.
pub(crate) fn open(path: &Path, role: Role) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if role == Role::Writer {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let conn = Connection::open_with_flags(path, flags).map_err(|e| error(e, ""))?;
    conn.busy_timeout(FILE_LOCK_WAIT).map_err(|e| error(e, ""))?;
    let switch = |which, on| conn.set_db_config(which, on).map(drop).map_err(|e| error(e, "switch"));
    // As on PostgreSQL, "x" names a column and never turns into a text by mistake.
    switch(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    switch(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    if role != Role::Raw {
        switch(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    }
    if role == Role::Inspector {
        // Looking at a copy must not move its log into its file.
        switch(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    }
    let mut settings = String::from(
        "PRAGMA foreign_keys = ON;
         PRAGMA case_sensitive_like = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;",
    );
    settings.push_str(match role {
        // FULL syncs the WAL at every commit. No memory map: an I/O error there is a signal, not an error code.
        Role::Writer => {
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             PRAGMA cache_size = -8192;
             PRAGMA journal_size_limit = 67108864;"
        }
        Role::Copier => "PRAGMA synchronous = FULL; PRAGMA cache_size = -64;",
        Role::Raw => "PRAGMA foreign_keys = OFF;",
        Role::Reader | Role::Inspector => "PRAGMA query_only = ON; PRAGMA cache_size = -2048;",
    });
    conn.execute_batch(&settings).map_err(|e| error(e, "settings"))?;
    if role == Role::Writer {
        let mode: String = conn.query_row("PRAGMA journal_mode", [], |r| r.get(0)).map_err(|e| error(e, ""))?;
        if mode != "wal" {
            return Err(StoreError::Config(format!("SQLite cannot use a write-ahead log here (journal mode {mode})")));
        }
    }
    Ok(conn)
}

/// The prepared statements of one connection, by their portable text.
pub(crate) struct Statements<'c> {
    conn: &'c Connection,
    places: HashMap<Box<str>, usize>,
    statements: Vec<Statement<'c>>,
}

impl<'c> Statements<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Self {
        Self { conn, places: HashMap::new(), statements: Vec::new() }
    }

    /// Limits the database's size in pages, for the fault layer.
    pub(crate) fn limit(&self, pages: u32) {
        if let Err(error) = self.conn.execute_batch(&format!("PRAGMA max_page_count = {pages}")) {
            tracing::error!(%error, "page limit");
        }
    }

    /// Whether no transaction is open; also after SQLite itself rolled one back.
    pub(crate) fn is_outside(&self) -> bool {
        self.conn.is_autocommit()
    }

    /// The prepared form of a closure's statement.
    pub(crate) fn get(&mut self, sql: &str) -> Result<&mut Statement<'c>, StoreError> {
        let place = match self.places.get(sql) {
            Some(place) => *place,
            None => {
                dialect::check_statement(sql)?;
                self.prepare(sql, &dialect::sqlite_statement(sql))?
            }
        };
        Ok(&mut self.statements[place])
    }

    fn prepare(&mut self, key: &str, sql: &str) -> Result<usize, StoreError> {
        if self.statements.len() >= MOST_STATEMENTS {
            self.places.clear();
            self.statements.clear();
        }
        let statement = self.conn.prepare(sql).map_err(|e| error(e, sql))?;
        self.statements.push(statement);
        self.places.insert(key.into(), self.statements.len() - 1);
        Ok(self.statements.len() - 1)
    }

    /// Runs a statement of the store's own (BEGIN, COMMIT, SAVEPOINT…).
    pub(crate) fn control(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let place = match self.places.get(sql) {
            Some(place) => *place,
            None => self.prepare(sql, sql)?,
        };
        self.statements[place].raw_execute().map(drop).map_err(|e| error(e, sql))
    }
}

/// Binds `params`, all of them.
fn bind(statement: &mut Statement<'_>, sql: &str, params: &[Param<'_>]) -> Result<(), StoreError> {
    if statement.parameter_count() != params.len() {
        let wanted = statement.parameter_count();
        return Err(StoreError::Bug(format!("{} parameters given, {wanted} wanted: {sql}", params.len())));
    }
    for (i, param) in params.iter().enumerate() {
        if let Param::Text(text) = param
            && text.contains('\0')
        {
            return Err(StoreError::Constraint(format!("text of parameter {} holds U+0000", i + 1)));
        }
        statement.raw_bind_parameter(i + 1, Bound(*param)).map_err(|e| error(e, sql))?;
    }
    Ok(())
}

/// Runs a statement that answers no rows; the number of rows changed.
pub(crate) fn execute(statement: &mut Statement<'_>, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
    bind(statement, sql, params)?;
    let changed = statement.raw_execute().map_err(|e| error(e, sql))?;
    Ok(changed as u64)
}

/// Runs a statement and hands over its rows.
pub(crate) fn for_each(
    statement: &mut Statement<'_>,
    sql: &str,
    params: &[Param<'_>],
    each: &mut dyn FnMut(Row) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    bind(statement, sql, params)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|e| error(e, sql))? {
        let mut values = Vec::with_capacity(columns);
        for i in 0..columns {
            values.push(match row.get_ref(i).map_err(|e| error(e, sql))? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(v) => Value::Int(v),
                ValueRef::Blob(v) => Value::Blob(v.into()),
                ValueRef::Text(v) => Value::Text(
                    std::str::from_utf8(v)
                        .map_err(|_| StoreError::Corrupt(format!("column {i} is no UTF-8: {sql}")))?
                        .into(),
                ),
                ValueRef::Real(_) => return Err(StoreError::Bug(format!("column {i} is a REAL: {sql}"))),
            });
        }
        if !each(Row(values.into_boxed_slice()))? {
            break;
        }
    }
    Ok(())
}

struct Bound<'a>(Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Param::Int(v) => ValueRef::Integer(v),
            Param::Text(v) => ValueRef::Text(v.as_bytes()),
            Param::Blob(v) => ValueRef::Blob(v),
            Param::Null => ValueRef::Null,
        }))
    }
}

/// SQLite's error in our words; `sql` goes to the log only.
pub(crate) fn error(error: rusqlite::Error, sql: &str) -> StoreError {
    use rusqlite::{ErrorCode, ffi};
    let rusqlite::Error::SqliteFailure(code, message) = &error else {
        return StoreError::Bug(format!("{error}: {sql}"));
    };
    let text = message.clone().unwrap_or_else(|| code.to_string());
    match (code.extended_code, code.code) {
        (ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID, _) => {
            StoreError::Unique { what: text.strip_prefix("UNIQUE constraint failed: ").unwrap_or(&text).to_owned() }
        }
        (ffi::SQLITE_CONSTRAINT_TRIGGER, _) | (_, ErrorCode::ReadOnly) => StoreError::Refused(text),
        (_, ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
            StoreError::Constraint(text)
        }
        (_, ErrorCode::DiskFull) => StoreError::Full(text),
        (_, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(text),
        (_, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt(text),
        (extended, ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Io(format!("{text} ({extended})"))
        }
        _ => StoreError::Bug(format!("{text}: {sql}")),
    }
}
