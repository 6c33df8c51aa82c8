//! Which rules matched, on what, and why.

use super::{Blocked, Counters, Scores, Transaction, eval::Candidate, values::ValueId};
use crate::{
    Place, RuleSet,
    compile::{Disruption, Head, Link},
};

/// Values are cut to this many bytes in explanations.
const SHOWN: usize = 1024;
/// Parts shown of one link.
const PARTS: usize = 64;
/// Rules explained of one transaction.
const RULES: usize = 2000;

/// What the rules made of a request.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The rules that matched, in order, also those that ask not to be logged. Rules decided while loading are not among them.
    pub rules: Vec<Explained>,
    /// What blocks the request, or would if the mode let it.
    pub verdict: Option<Blocked>,
    /// The anomaly scores.
    pub scores: Scores,
    /// The work done.
    pub counters: Counters,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The rule's id.
    pub rule: u32,
    /// The phase, 1 to 5.
    pub phase: u8,
    /// File and line.
    pub place: Place,
    /// `msg`, completed.
    pub message: Vec<u8>,
    /// `logdata`, completed.
    pub data: Vec<u8>,
    /// 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// Whether the rule asks to be logged; others only steer.
    pub logged: bool,
    /// `pass`, `deny`, `drop`, `redirect` or `allow`.
    pub action: &'static str,
    /// What it added to the anomaly scores, of requests and responses and of all levels.
    pub score: i64,
    /// The rule's links: one, or more for a chain.
    pub links: Vec<ExplainedLink>,
}

/// A link of a rule that matched: one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedLink {
    /// The operator and its operand, as written; empty for an action without a test.
    pub test: String,
    /// The transformations in order, as SecLang names them, without `t:`.
    pub transformations: Vec<&'static str>,
    /// The parts of the message that matched, at most 64.
    pub parts: Vec<ExplainedPart>,
}

/// A part of the message that matched. It may hold secrets: see [`crate::mask`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedPart {
    /// `ARGS:name` and the like.
    pub name: Vec<u8>,
    /// The value before transformation, cut to 1,024 bytes.
    pub before: Vec<u8>,
    /// The value that was examined, cut to 1,024 bytes.
    pub value: Vec<u8>,
}

/// What is noted while a transaction is explained.
#[derive(Debug, Default)]
pub struct Trace {
    rules: Vec<Explained>,
    links: Vec<ExplainedLink>,
}

impl Transaction {
    /// Notes from here on which rules match and why.
    pub(crate) fn trace(&mut self) {
        self.trace = Some(Box::default());
    }

    /// What was noted.
    pub(crate) fn explanation(&mut self) -> Explanation {
        let rules = self.trace.take().map(|t| t.rules).unwrap_or_default();
        Explanation { rules, verdict: self.verdict().cloned(), scores: self.scores(), counters: self.counters() }
    }

    pub(super) fn trace_begin(&mut self) {
        if let Some(trace) = &mut self.trace {
            trace.links.clear();
        }
    }

    pub(super) fn trace_link(&mut self, rules: &RuleSet, link: &Link) {
        let Some(trace) = &mut self.trace else { return };
        let test = link.test.map(|t| &rules.program.tests[usize::from(t)]);
        let test = test.map_or_else(String::new, |test| test.written(link.negated));
        let transformations = rules.program.pipes[usize::from(link.pipe)].list.iter().map(|t| t.name()).collect();
        trace.links.push(ExplainedLink { test, transformations, parts: Vec::new() });
    }

    pub(super) fn trace_part(&mut self, candidate: &Candidate, name: ValueId, value: ValueId) {
        let cut = |id| {
            let bytes = self.values.get(id);
            bytes[..bytes.len().min(SHOWN)].to_vec()
        };
        let (name, before, value) = (self.values.get(name).to_vec(), cut(candidate.entry.value), cut(value));
        let link = self.trace.as_mut().and_then(|t| t.links.last_mut());
        if let Some(link) = link.filter(|l| l.parts.len() < PARTS) {
            link.parts.push(ExplainedPart { name, before, value });
        }
    }

    pub(super) fn trace_rule(&mut self, rules: &RuleSet, head: &Head) {
        let message = self.expand(rules, &head.msg, Some(head));
        let data = self.expand(rules, head.logdata.as_deref().unwrap_or_default(), Some(head));
        let score = self.scored;
        let Some(trace) = self.trace.as_mut().filter(|t| t.rules.len() < RULES) else { return };
        trace.rules.push(Explained {
            rule: head.id,
            phase: head.phase,
            place: head.place.clone(),
            message,
            data,
            severity: head.severity,
            logged: head.log,
            action: match &head.disruption {
                Disruption::Pass => "pass",
                Disruption::Deny => "deny",
                Disruption::Drop => "drop",
                Disruption::Redirect(_) => "redirect",
                Disruption::Allow(_) => "allow",
            },
            score,
            links: std::mem::take(&mut trace.links),
        });
    }
}
