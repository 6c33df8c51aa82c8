//! What goes into a statement and what comes out: three portable types and NULL.

use crate::error::StoreError;

/// A parameter of a statement (`$1`, `$2`, …): BIGINT, TEXT, BLOB or NULL, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param<'a> {
    /// BIGINT: also times (microseconds), counters, and truth as 0 or 1.
    Int(i64),
    /// TEXT: UTF-8 without U+0000, which PostgreSQL cannot hold.
    Text(&'a str),
    /// BLOB on SQLite, BYTEA on PostgreSQL.
    Blob(&'a [u8]),
    /// NULL of any type.
    Null,
}

impl From<i64> for Param<'_> {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<i32> for Param<'_> {
    fn from(v: i32) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<u32> for Param<'_> {
    fn from(v: u32) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<bool> for Param<'_> {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<sekisho_kernel::Time> for Param<'_> {
    fn from(v: sekisho_kernel::Time) -> Self {
        Self::Int(v.micros())
    }
}
impl<'a> From<&'a str> for Param<'a> {
    fn from(v: &'a str) -> Self {
        Self::Text(v)
    }
}
impl<'a> From<&'a String> for Param<'a> {
    fn from(v: &'a String) -> Self {
        Self::Text(v)
    }
}
impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(v: &'a [u8]) -> Self {
        Self::Blob(v)
    }
}
impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(v: &'a Vec<u8>) -> Self {
        Self::Blob(v)
    }
}
impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(v: &'a [u8; N]) -> Self {
        Self::Blob(v)
    }
}
impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// The parameters of one statement: `params![id, &name[..], 7]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Param::from($value)),*] };
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(Box<str>),
    Blob(Box<[u8]>),
}

impl Value {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "BIGINT",
            Self::Text(_) => "TEXT",
            Self::Blob(_) => "BLOB",
        }
    }
}

/// One row of an answer. Columns count from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub(crate) Box<[Value]>);

impl Row {
    /// How many columns there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is no column at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Column `i` as an integer.
    ///
    /// # Errors
    /// [`StoreError::Bug`] when the column is missing, NULL or of another type; so for all of these.
    pub fn int(&self, i: usize) -> Result<i64, StoreError> {
        self.opt_int(i)?.ok_or_else(|| null(i))
    }
    /// Column `i` as a text. Errors: see [`Row::int`].
    pub fn text(&self, i: usize) -> Result<&str, StoreError> {
        self.opt_text(i)?.ok_or_else(|| null(i))
    }
    /// Column `i` as bytes. Errors: see [`Row::int`].
    pub fn blob(&self, i: usize) -> Result<&[u8], StoreError> {
        self.opt_blob(i)?.ok_or_else(|| null(i))
    }
    /// Column `i` as an integer, `None` for NULL. Errors: see [`Row::int`].
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>, StoreError> {
        match self.value(i)? {
            Value::Int(v) => Ok(Some(*v)),
            Value::Null => Ok(None),
            other => Err(mismatch(i, "BIGINT", other)),
        }
    }
    /// Column `i` as a text, `None` for NULL. Errors: see [`Row::int`].
    pub fn opt_text(&self, i: usize) -> Result<Option<&str>, StoreError> {
        match self.value(i)? {
            Value::Text(v) => Ok(Some(v)),
            Value::Null => Ok(None),
            other => Err(mismatch(i, "TEXT", other)),
        }
    }
    /// Column `i` as bytes, `None` for NULL. Errors: see [`Row::int`].
    pub fn opt_blob(&self, i: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.value(i)? {
            Value::Blob(v) => Ok(Some(v)),
            Value::Null => Ok(None),
            other => Err(mismatch(i, "BLOB", other)),
        }
    }
    /// Column `i` as truth: any integer but 0. Errors: see [`Row::int`].
    pub fn flag(&self, i: usize) -> Result<bool, StoreError> {
        Ok(self.int(i)? != 0)
    }
    /// Column `i` as an opaque [`Param`], for raw looks at whole tables.
    ///
    /// # Errors
    /// [`StoreError::Bug`] when the column is missing.
    pub fn param(&self, i: usize) -> Result<Param<'_>, StoreError> {
        Ok(match self.value(i)? {
            Value::Null => Param::Null,
            Value::Int(v) => Param::Int(*v),
            Value::Text(v) => Param::Text(v),
            Value::Blob(v) => Param::Blob(v),
        })
    }

    fn value(&self, i: usize) -> Result<&Value, StoreError> {
        self.0.get(i).ok_or_else(|| StoreError::Bug(format!("column {i} of a row of {}", self.0.len())))
    }
}

fn null(i: usize) -> StoreError {
    StoreError::Bug(format!("column {i} is NULL"))
}

fn mismatch(i: usize, wanted: &str, found: &Value) -> StoreError {
    StoreError::Bug(format!("column {i} is {}, wanted {wanted}", found.kind()))
}
