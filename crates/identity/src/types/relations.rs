//! Relations, and the people whom somebody may reach, as they are given and shown.

use sekisho_kernel::{
    Time,
    id::{RelationId, UserId},
};
use serde::{Deserialize, Deserializer, Serialize};

use super::rfc3339;
pub use crate::records::Side;

/// A side as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct SideView {
    /// Its id: `usr_…`, `rol_…` or `sit_…`.
    pub id: Side,
    /// What it is called.
    pub name: String,
}

/// Where a relation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RelationState {
    /// It has not begun.
    Planned,
    /// Its people may reach each other.
    Current,
    /// It is over.
    Ended,
}

/// A relation.
#[derive(Clone, Debug, Serialize)]
pub struct RelationView {
    /// Its id.
    pub id: RelationId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// The one side.
    pub one: SideView,
    /// The other.
    pub other: SideView,
    /// Free text.
    pub note: String,
    /// From when.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub starts: Time,
    /// Until when, exclusively; for good without.
    #[serde(serialize_with = "rfc3339::option")]
    pub ends: Option<Time>,
    /// Where it stands.
    pub state: RelationState,
}

/// A new relation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRelation {
    /// The one side.
    pub one: Side,
    /// The other.
    pub other: Side,
    /// Free text.
    #[serde(default)]
    pub note: String,
    /// From when; now when left out or past.
    #[serde(default, deserialize_with = "moment")]
    pub starts: Option<Time>,
    /// Until when, exclusively; for good when left out.
    #[serde(default, deserialize_with = "moment")]
    pub ends: Option<Time>,
}

fn moment<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Time>, D::Error> {
    let Some(text) = Option::<String>::deserialize(d)? else { return Ok(None) };
    Time::parse_rfc3339(&text).map(Some).ok_or_else(|| serde::de::Error::custom("no moment"))
}

/// Which relations.
#[derive(Clone, Copy, Debug, Default)]
pub struct RelationQuery {
    /// Only those that name this person, role or site.
    pub side: Option<Side>,
    /// After this one.
    pub after: Option<RelationId>,
    /// How many.
    pub limit: u32,
}

/// Why two people may reach each other, or may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyReach {
    /// The policy lets everybody.
    Everyone,
    /// A relation is in force.
    Related,
    /// None is.
    NotRelated,
    /// One of them is disabled, has not come yet, or is a service account.
    NotActive,
    /// They are one person.
    OnePerson,
}

/// Two people, and whether they may reach each other.
#[derive(Clone, Debug, Serialize)]
pub struct Between {
    /// The one.
    pub one: SideView,
    /// The other.
    pub other: SideView,
    /// Whether they may.
    pub may: bool,
    /// Why, or why not.
    pub why: WhyReach,
    /// The relations in force between them, whatever the policy says; at most 20.
    pub relations: Vec<RelationView>,
}

/// What an application asks: whom of these one person may reach.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachAsked {
    /// Who would reach them.
    pub person: UserId,
    /// Whom.
    pub others: Vec<UserId>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReachedPerson {
    /// Who.
    pub user: UserId,
    /// Whether the two may reach each other. Whoever does not exist may not be reached either.
    pub may: bool,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct ReachTold {
    /// Who would reach them.
    pub person: UserId,
    /// In the order asked.
    pub others: Vec<ReachedPerson>,
}

/// Whom to look for.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// People with this text in their name.
    pub text: Option<String>,
    /// After this one.
    pub after: Option<UserId>,
    /// How many.
    pub limit: u32,
}

/// What one person may know of another whom they may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonCard {
    /// Id.
    pub id: UserId,
    /// What people call them.
    pub display_name: String,
    /// The name of the site they belong to.
    pub site: Option<String>,
}
