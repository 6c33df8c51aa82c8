//! Values and errors between PostgreSQL's words and ours.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::{
    error::SqlState,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use crate::{
    error::StoreError,
    value::{Param, Row, Value},
};

type BoxError = Box<dyn StdError + Sync + Send>;

/// A parameter, encoded as whatever type the server found for its place.
#[derive(Debug)]
pub(crate) struct Bound<'a>(pub(crate) Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        let wrong = |given: &str| Err(StoreError::Bug(format!("{given} given where {ty} is wanted")).into());
        match self.0 {
            Param::Null => Ok(IsNull::Yes),
            Param::Int(v) => match *ty {
                Type::INT8 => v.to_sql(ty, out),
                Type::INT4 => narrow::<i32>(v)?.to_sql(ty, out),
                Type::INT2 => narrow::<i16>(v)?.to_sql(ty, out),
                Type::BOOL => (v != 0).to_sql(ty, out),
                _ => wrong("BIGINT"),
            },
            Param::Text(v) => match *ty {
                Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::UNKNOWN => v.to_sql(ty, out),
                _ => wrong("TEXT"),
            },
            Param::Blob(v) => match *ty {
                Type::BYTEA => v.to_sql(ty, out),
                _ => wrong("BLOB"),
            },
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

fn narrow<T: TryFrom<i64>>(v: i64) -> Result<T, StoreError> {
    T::try_from(v).map_err(|_| StoreError::Constraint(format!("{v} is out of range here")))
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::INT2 => Self::Int(i64::from(i16::from_sql(ty, raw)?)),
            Type::BOOL => Self::Int(i64::from(bool::from_sql(ty, raw)?)),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::UNKNOWN => {
                Self::Text(std::str::from_utf8(raw)?.into())
            }
            Type::BYTEA => Self::Blob(raw.into()),
            _ => return Err(StoreError::Bug(format!("a column of type {ty}; cast it")).into()),
        })
    }
    fn from_sql_null(_: &Type) -> Result<Self, BoxError> {
        Ok(Self::Null)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row in our words.
pub(crate) fn row(found: &tokio_postgres::Row, sql: &str) -> Result<Row, StoreError> {
    let values = (0..found.len()).map(|i| found.try_get::<_, Value>(i));
    Ok(Row(values.collect::<Result<_, _>>().map_err(|e| error(&e, sql))?))
}

/// PostgreSQL's error in our words; `sql` goes to the log only, and values named in a detail nowhere.
pub(crate) fn error(error: &tokio_postgres::Error, sql: &str) -> StoreError {
    let Some(db) = error.as_db_error() else {
        let ours = StdError::source(error).and_then(|s| s.downcast_ref::<StoreError>());
        return match ours {
            Some(ours) => with_sql(ours.clone(), sql),
            None if is_tls(error) => StoreError::Config(format!("no trusted TLS to PostgreSQL: {}", described(error))),
            None => StoreError::Lost(described(error)),
        };
    };
    let text = format!("{} ({})", db.message(), db.code().code());
    let code = db.code();
    match code.code().get(..2).unwrap_or("") {
        _ if *code == SqlState::UNIQUE_VIOLATION => StoreError::Unique { what: unique(db) },
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE
            || *code == SqlState::RAISE_EXCEPTION
            || *code == SqlState::READ_ONLY_SQL_TRANSACTION =>
        {
            StoreError::Refused(text)
        }
        _ if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED => {
            StoreError::Conflict(text)
        }
        _ if *code == SqlState::DISK_FULL => StoreError::Full(text),
        _ if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::QUERY_CANCELED => StoreError::Busy(text),
        _ if *code == SqlState::FEATURE_NOT_SUPPORTED => StoreError::Bug(format!("{text}: {sql}")),
        "22" | "23" => StoreError::Constraint(text),
        "53" => StoreError::Busy(text),
        "08" | "25" | "55" | "57" => StoreError::Lost(text),
        "28" | "3D" => StoreError::Config(text),
        "58" => StoreError::Io(text),
        "XX" => StoreError::Corrupt(text),
        _ => StoreError::Bug(format!("{text}: {sql}")),
    }
}

/// Whether TLS itself failed: a certificate of the wrong authority or name, which waiting does not cure.
fn is_tls(error: &tokio_postgres::Error) -> bool {
    let io = StdError::source(error).and_then(|s| s.downcast_ref::<std::io::Error>());
    io.and_then(std::io::Error::get_ref).is_some_and(|e| e.is::<tokio_rustls::rustls::Error>())
}

fn with_sql(error: StoreError, sql: &str) -> StoreError {
    match error {
        StoreError::Bug(why) => StoreError::Bug(format!("{why}: {sql}")),
        other => other,
    }
}

fn described(error: &tokio_postgres::Error) -> String {
    StdError::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// `table.column, table.column` from a detail such as `Key (house, name)=(0, aki) already exists.`; the index's name where
/// there is none, as of tables with row level security.
fn unique(db: &tokio_postgres::error::DbError) -> String {
    let columns = db.detail().and_then(|d| d.strip_prefix("Key (")?.split_once(")=(")).map(|(c, _)| c);
    match (db.table(), columns) {
        (Some(table), Some(columns)) => {
            let named: Vec<String> = columns.split(", ").map(|c| format!("{table}.{}", c.trim_matches('"'))).collect();
            named.join(", ")
        }
        _ => db.constraint().unwrap_or("").to_owned(),
    }
}
