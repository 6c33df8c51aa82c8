//! Receivers of security signals, as they are given and shown.

use sekisho_kernel::{Secret, Time, id::SignalReceiverId};
use serde::{Deserialize, Serialize};

use super::{rfc3339, secret_option};
pub use crate::records::{SignalKind, SubjectForm};

/// A receiver.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiverView {
    /// Its id: the stream's.
    pub id: SignalReceiverId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// Unique within the tenant.
    pub name: String,
    /// Where signals are sent.
    pub url: String,
    /// The audience of each.
    pub audience: String,
    /// Whether a bearer token is sent along.
    pub has_token: bool,
    /// Which signals.
    pub events: Vec<SignalKind>,
    /// How people are named.
    pub subject: SubjectForm,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Signals that wait.
    pub waiting: u64,
    /// Signals delivered.
    pub sent: i64,
    /// Signals given up: a day in vain, or more than can wait.
    pub dropped: i64,
    /// When one was last delivered.
    #[serde(serialize_with = "rfc3339::option")]
    pub last_sent: Option<Time>,
    /// Tries in vain since then.
    pub failing: i64,
    /// What the last of them met, a word.
    pub trouble: Option<String>,
}

/// A new receiver.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewReceiver {
    /// 1 to 128 characters.
    pub name: String,
    /// https.
    pub url: String,
    /// What it calls itself; its address when left out.
    #[serde(default)]
    pub audience: Option<String>,
    /// A bearer token to send along.
    #[serde(default, deserialize_with = "secret_option")]
    pub token: Option<Secret<String>>,
    /// Which signals.
    pub events: Vec<SignalKind>,
    /// How people are named.
    #[serde(default)]
    pub subject: SubjectForm,
}

/// What to change.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverPatch {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub url: Option<String>,
    /// The audience.
    pub audience: Option<String>,
    /// The bearer token; empty takes it away.
    #[serde(deserialize_with = "secret_option")]
    pub token: Option<Secret<String>>,
    /// Which signals.
    pub events: Option<Vec<SignalKind>>,
    /// How people are named.
    pub subject: Option<SubjectForm>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}
