//! Record types: what is sealed, what can be found, what lies in the clear.

use std::borrow::Cow;

use sekisho_kernel::{
    Id, Problem, RecordDef, Time,
    id::{Kind, RecordId},
    problem::INTERNAL,
};
use serde::{Serialize, de::DeserializeOwned};

/// A record type. Its whole body (what serde writes) is sealed; [`Record::indexed`] and [`Record::clear`] say what
/// else is written beside it, in exactly the columns that [`Record::DEF`] declares.
pub trait Record: Serialize + DeserializeOwned + Send + 'static {
    /// The one declaration.
    const DEF: &'static RecordDef;
    /// The values of the blind-indexed fields, by name. A field that is left out is not findable for this record.
    fn indexed(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    /// The values of the clear columns, by name. A column that is left out keeps its value (NULL in a new record):
    /// so leave out what bookkeeping writes.
    fn clear(&self) -> Vec<(&'static str, ClearValue)> {
        Vec::new()
    }
}

/// A value that lies in the clear: a number, a catalogued code, an opaque id or hash, or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClearValue {
    /// BIGINT: also times (microseconds) and truth as 0 or 1.
    Int(i64),
    /// TEXT from a closed list of codes.
    Code(Cow<'static, str>),
    /// BLOB: an opaque id or a hash.
    Opaque(Vec<u8>),
    /// NULL.
    Null,
}

/// The same, where it is a statement's parameter.
pub type Param = ClearValue;

impl ClearValue {
    /// The number, if it is one.
    pub const fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }
    /// The code, if it is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Code(c) => Some(c),
            _ => None,
        }
    }
    /// The bytes, if it is an opaque value.
    pub fn opaque(&self) -> Option<&[u8]> {
        match self {
            Self::Opaque(b) => Some(b),
            _ => None,
        }
    }
}

impl From<i64> for ClearValue {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<Time> for ClearValue {
    fn from(v: Time) -> Self {
        Self::Int(v.micros())
    }
}
impl From<bool> for ClearValue {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<&'static str> for ClearValue {
    fn from(v: &'static str) -> Self {
        Self::Code(Cow::Borrowed(v))
    }
}
impl From<Vec<u8>> for ClearValue {
    fn from(v: Vec<u8>) -> Self {
        Self::Opaque(v)
    }
}
impl<const N: usize> From<[u8; N]> for ClearValue {
    fn from(v: [u8; N]) -> Self {
        Self::Opaque(v.to_vec())
    }
}
impl<K: Kind> From<Id<K>> for ClearValue {
    fn from(v: Id<K>) -> Self {
        Self::Opaque(v.bytes().to_vec())
    }
}
impl<T: Into<Self>> From<Option<T>> for ClearValue {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// A record as it is stored.
#[derive(Clone, Debug)]
pub struct Stored<R> {
    /// Its id.
    pub id: RecordId,
    /// Moves by one with every change.
    pub version: i64,
    /// When it was made.
    pub created: Time,
    /// When it was last changed.
    pub updated: Time,
    /// What was sealed.
    pub body: R,
    /// The clear columns as they are now, in the declaration's order: also what bookkeeping has written since.
    pub clear: Vec<ClearValue>,
}

impl<R: Record> Stored<R> {
    /// The clear column `name` as it is now.
    ///
    /// # Errors
    /// A defect of ours, when the declaration has no such column.
    pub fn column(&self, name: &str) -> Result<&ClearValue, Problem> {
        let at = R::DEF.clear.iter().position(|(n, _)| *n == name);
        at.and_then(|i| self.clear.get(i))
            .ok_or_else(|| Problem::new(&INTERNAL).log(format!("{} has no clear column {name}", R::DEF.table)))
    }
    /// The number in the clear column `name`; 0 for NULL.
    ///
    /// # Errors
    /// As [`Stored::column`].
    pub fn int(&self, name: &str) -> Result<i64, Problem> {
        Ok(self.column(name)?.int().unwrap_or(0))
    }
    /// The id under its own kind.
    pub const fn id<K: Kind>(&self) -> Id<K> {
        self.id.cast()
    }
}

/// Which records of one tenant to list, by id (so by creation time, oldest first).
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Only records after this one.
    pub after: Option<RecordId>,
    /// At most so many: 1 to [`Page::MOST`].
    pub limit: u32,
    /// Only records whose clear columns have these values.
    pub eq: &'a [(&'static str, ClearValue)],
    /// Only records whose clear column holds a number less than this: what has run out.
    pub below: Option<(&'static str, i64)>,
    /// Newest first instead; `after` then means "before this one".
    pub newest_first: bool,
}

impl Page<'_> {
    /// The most records that one call gives: beyond it, lists page.
    pub const MOST: u32 = 10_000;
}

impl Default for Page<'_> {
    /// The first 200.
    fn default() -> Self {
        Self { after: None, limit: 200, eq: &[], below: None, newest_first: false }
    }
}
