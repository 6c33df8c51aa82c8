//! Relations: who may find and reach whom.

use std::{fmt, str::FromStr};

use sekisho_kernel::{
    RecordDef, Time,
    id::{BadId, RoleId, SiteId, UserId},
};
use sekisho_vault::Record;
use serde::{Deserialize, Serialize};

use super::{ClearValues, RELATION};

/// A side of a relation: one person, all who have a role, or all who belong to a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Side {
    /// A person.
    Person(UserId),
    /// Everybody who has the role, wherever it was granted.
    Role(RoleId),
    /// Everybody who belongs to the site.
    Site(SiteId),
}

impl Side {
    /// The 16 bytes of whatever it is. No two of them share any.
    pub const fn bytes(self) -> [u8; 16] {
        match self {
            Self::Person(id) => id.bytes(),
            Self::Role(id) => id.bytes(),
            Self::Site(id) => id.bytes(),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Role(id) => id.fmt(f),
            Self::Site(id) => id.fmt(f),
        }
    }
}

impl FromStr for Side {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        match text.split_once('_').map(|(prefix, _)| prefix) {
            Some("usr") => text.parse().map(Self::Person),
            Some("rol") => text.parse().map(Self::Role),
            Some("sit") => text.parse().map(Self::Site),
            _ => Err(BadId),
        }
    }
}

impl From<Side> for String {
    fn from(side: Side) -> Self {
        side.to_string()
    }
}

impl TryFrom<String> for Side {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        text.parse()
    }
}

/// Two sides whose people may reach each other, from a moment to another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Relation {
    /// The one side.
    pub one: Side,
    /// The other.
    pub other: Side,
    /// Free text.
    #[serde(default)]
    pub note: String,
    /// From when.
    pub starts: Time,
    /// Until when, exclusively; for good without.
    #[serde(default)]
    pub ends: Option<Time>,
}

impl Record for Relation {
    const DEF: &'static RecordDef = &RELATION;
    fn clear(&self) -> ClearValues {
        vec![
            ("one_id", self.one.bytes().into()),
            ("other_id", self.other.bytes().into()),
            ("starts", self.starts.into()),
            ("ends", self.ends.unwrap_or(Time::MAX).into()),
        ]
    }
}
