//! Judged sign-ins, as they are shown and tried again.

use sekisho_kernel::{
    Time,
    id::{EntryId, UserId},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rfc3339;
use crate::risk::{Condition, Facts, Level};

/// Which decisions to show.
#[derive(Clone, Copy, Debug, Default)]
pub struct RiskQuery {
    /// Only those before this entry.
    pub before: Option<EntryId>,
    /// At most so many.
    pub limit: u32,
    /// Only those that were not simply allowed.
    pub risky: bool,
}

/// A judged sign-in.
#[derive(Clone, Debug, Serialize)]
pub struct RiskDecision {
    /// The entry of the history that tells of it.
    pub id: EntryId,
    /// When.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub at: Time,
    /// Whose account.
    pub user: UserId,
    /// The address.
    pub address: String,
    /// The level.
    pub level: Level,
    /// Sum of the points.
    pub score: u32,
    /// What was done: `allow`, `step_up`, `block`.
    pub action: String,
    /// What would have been done, where the rule only watched.
    pub advised: String,
    /// Why, by stable names.
    pub reasons: Vec<String>,
    /// What was seen.
    pub facts: Facts,
}

/// Which past sign-ins are tried against which settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskReplay {
    /// How many days back, 1 to 90.
    pub days: u32,
    /// Settings of the section `adaptive`, as the policy file would have them.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// How many sign-ins had each end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RiskTally {
    /// Went on.
    pub allow: u32,
    /// Were asked for more.
    pub step_up: u32,
    /// Were refused.
    pub block: u32,
}

/// A past sign-in that would have another end.
#[derive(Clone, Debug, Serialize)]
pub struct RiskChange {
    /// As it was.
    #[serde(flatten)]
    pub was: RiskDecision,
    /// The level that it would have.
    pub new_level: Level,
    /// Its score.
    pub new_score: u32,
    /// What would be done.
    pub new_action: String,
    /// Why.
    pub new_reasons: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct RiskReplayed {
    /// How many days back.
    pub days: u32,
    /// Sign-ins judged in that time.
    pub decisions: u32,
    /// False when there were more entries than are looked at: the oldest are missing.
    pub complete: bool,
    /// As it was; what a rule that only watched advised.
    pub was: RiskTally,
    /// As it would be.
    pub would: RiskTally,
    /// People who would be asked for more, or refused, and were not.
    pub people: u32,
    /// Sign-ins that would have another end, newest first, at most 100.
    pub changes: Vec<RiskChange>,
}

/// How the data stands that judgements look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RiskSources {
    /// The database of places.
    pub places: Condition,
    /// The database of networks.
    pub networks: Condition,
    /// The file of listed addresses.
    pub listed: Condition,
}
