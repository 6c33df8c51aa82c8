//! What the engine tells its caller.

use std::sync::Arc;

/// A part of the message that a rule matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `ARGS:name` and the like. Not UTF-8 if the client's bytes are not.
    pub name: Vec<u8>,
    /// The value after transformation, cut to 256 bytes. It may hold secrets: mask before it is stored.
    pub value: Vec<u8>,
}

/// A rule that matched and asks to be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The rule's id.
    pub rule: u32,
    /// The phase, 1 to 5.
    pub phase: u8,
    /// `msg`, completed.
    pub message: Vec<u8>,
    /// `logdata`, completed.
    pub data: Vec<u8>,
    /// 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// What it added to the anomaly scores, of requests and responses and of all levels.
    pub score: i64,
    /// `tag`.
    pub tags: Arc<[String]>,
    /// The parts that the last test of the rule matched.
    pub parts: Vec<Part>,
    /// The last test: operator and operand, as written.
    pub test: Arc<str>,
    /// File and line of the rule.
    pub place: crate::Place,
}

impl Match {
    /// The paranoia level at which the Core Rule Set has this rule, 1 to 4.
    #[must_use]
    pub fn level(&self) -> Option<u8> {
        level(&self.tags)
    }
}

/// The level of `paranoia-level/N`.
pub(crate) fn level(tags: &[String]) -> Option<u8> {
    tags.iter().find_map(|t| t.strip_prefix("paranoia-level/")).and_then(|n| n.parse().ok())
}

/// Why a message is to be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The rule's id; 0 for a body limit.
    pub rule: u32,
    /// The phase, 1 to 5.
    pub phase: u8,
    /// The HTTP status to answer with.
    pub status: u16,
    /// Where to redirect, if the rule says so.
    pub redirect: Option<Vec<u8>>,
    /// Whether to close the connection without an answer.
    pub drop: bool,
}

/// What to do with the message after a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Let it go on.
    Pass,
    /// Stop it.
    Block(Blocked),
}

impl Outcome {
    /// Whether the message is to be stopped.
    #[must_use]
    pub fn blocked(&self) -> Option<&Blocked> {
        match self {
            Self::Pass => None,
            Self::Block(blocked) => Some(blocked),
        }
    }
}

/// The Core Rule Set's anomaly scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// Of the request, at the blocking paranoia level.
    pub inbound: i64,
    /// Of the response, at the blocking paranoia level.
    pub outbound: i64,
}
