//! Requests that the rules had something to say about, kept for a day in memory, so that a changed setting can be tried on them
//! before it is applied. Nothing of it is written to disk.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sekisho_kernel::{
    Problem, Time, TraceId,
    gate::{FirewallMode, FirewallRule},
    id::TenantId,
    problem,
};
use sekisho_waf::{Client, mask::Masked, wire::Request};

use super::{Firewall, Loaded, examine};

/// How long requests are kept.
const SPAN: Duration = Duration::from_secs(86_400);
/// Requests kept, and the bytes of them together.
const MOST: usize = 4_000;
const MOST_BYTES: usize = 32 << 20;
/// Bytes of a body that are kept; longer ones are cut.
const MOST_BODY: usize = 64 << 10;
/// Examples shown of a replay.
const EXAMPLES: usize = 20;

/// A request that is kept.
#[derive(Clone, Debug)]
pub(crate) struct One {
    pub at: Time,
    pub tenant: TenantId,
    pub trace: TraceId,
    pub peer: IpAddr,
    pub port: u16,
    pub request: Request,
    pub path: String,
    pub blocked: bool,
    pub score: i64,
    pub matches: Vec<Masked>,
}

impl One {
    fn bytes(&self) -> usize {
        let fields: usize = self.request.headers.iter().map(|(n, v)| n.len() + v.len()).sum();
        let matches: usize = self
            .matches
            .iter()
            .map(|m| m.message.len() + m.data.len() + m.parts.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>())
            .sum();
        self.request.target.len() + self.request.body.len() + fields + matches + 256
    }
}

#[derive(Default)]
pub(crate) struct Kept(Mutex<(VecDeque<One>, usize)>);

impl Kept {
    pub fn keep(&self, mut one: One) {
        one.request.body.truncate(MOST_BODY);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1 += one.bytes();
        let now = one.at;
        kept.0.push_back(one);
        while kept.0.len() > MOST || kept.1 > MOST_BYTES || kept.0.front().is_some_and(|o| now.since(o.at) > SPAN) {
            let Some(gone) = kept.0.pop_front() else { break };
            kept.1 = kept.1.saturating_sub(gone.bytes());
        }
    }

    fn of(&self, tenant: TenantId, now: Time) -> Vec<One> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0.iter().filter(|o| o.tenant == tenant && now.since(o.at) <= SPAN).cloned().collect()
    }
}

/// A rule and the part of a request it matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: u32,
    /// Its message.
    pub message: String,
    /// `ARGS:comment`; empty when the rule named none.
    pub part: String,
    /// The value there, secrets masked.
    pub value: String,
}

/// A kept request, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// When it came.
    pub at: Time,
    /// Its trace id.
    pub trace: String,
    /// Who sent it.
    pub peer: IpAddr,
    /// Method.
    pub method: String,
    /// Path, without query.
    pub path: String,
    /// Whether it was blocked then.
    pub blocked: bool,
    /// Its anomaly score then.
    pub score: i64,
    /// What was found then.
    pub findings: Vec<Finding>,
}

impl From<&One> for Replayed {
    fn from(one: &One) -> Self {
        let findings = one.matches.iter().map(|m| {
            let (part, value) = m.parts.first().cloned().unwrap_or_default();
            Finding { rule: m.rule, message: examine::shown(&m.message), part, value: examine::shown(&value) }
        });
        Self {
            at: one.at,
            trace: one.trace.to_string(),
            peer: one.peer,
            method: String::from_utf8_lossy(&one.request.method).into_owned(),
            path: one.path.clone(),
            blocked: one.blocked,
            score: one.score,
            findings: findings.collect(),
        }
    }
}

/// How a request would fare under another setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It would be blocked now.
    Blocked,
    /// It would pass now.
    Passes,
}

/// What came of a replay.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Requests tried.
    pub tried: usize,
    /// Blocked under the setting in force.
    pub blocked_before: usize,
    /// Blocked under the other.
    pub blocked_after: usize,
    /// Would be blocked and are not now.
    pub newly_blocked: usize,
    /// Are blocked and would not be.
    pub newly_passing: usize,
    /// Some of those that change.
    pub examples: Vec<(Change, Replayed)>,
}

fn blocks(set: &Loaded, rule: &FirewallRule, one: &One, now: Time) -> bool {
    // Whether it would be stopped does not depend on the mode in force: `detect` is answered as if it were `on`.
    let rule = FirewallRule { mode: rule.mode.max(FirewallMode::Detect), ..rule.clone() };
    let Some(set) = set.under(&rule, &one.path, now) else { return false };
    let client: Client = examine::client(one.peer, one.port, one.at.micros() / 1_000_000, one.trace);
    let mut transaction = set.transaction(&client);
    one.request.examine(&mut transaction);
    transaction.verdict().is_some()
}

impl Firewall {
    pub(crate) fn keep(&self, one: One) {
        self.0.kept.keep(one);
    }

    /// The tenant's kept requests of the last day, newest first.
    pub fn recent(&self, tenant: TenantId) -> Vec<Replayed> {
        self.0.kept.of(tenant, self.0.clock.now()).iter().rev().map(Replayed::from).collect()
    }

    /// Tries the tenant's kept requests of the last day under another rule, on a thread of its own; one trial at a time.
    ///
    /// # Errors
    /// The trial ended before its time.
    pub async fn replay(&self, tenant: TenantId, before: FirewallRule, after: FirewallRule) -> Result<Replay, Problem> {
        let broke = |e: &dyn std::fmt::Display| Problem::new(&problem::INTERNAL).log(e);
        let turn = self.0.trials.clone().acquire_owned().await.map_err(|e| broke(&e))?;
        let this = self.clone();
        let tried = tokio::task::spawn_blocking(move || {
            let out = this.try_all(tenant, &before, &after);
            drop(turn);
            out
        });
        tried.await.map_err(|e| broke(&e))
    }

    fn try_all(&self, tenant: TenantId, before: &FirewallRule, after: &FirewallRule) -> Replay {
        let now = self.0.clock.now();
        let set = self.current();
        let mut out = Replay::default();
        for one in self.0.kept.of(tenant, now).iter().rev() {
            out.tried += 1;
            let (was, is) = (blocks(&set, before, one, now), blocks(&set, after, one, now));
            out.blocked_before += usize::from(was);
            out.blocked_after += usize::from(is);
            let change = match (was, is) {
                (false, true) => Change::Blocked,
                (true, false) => Change::Passes,
                _ => continue,
            };
            match change {
                Change::Blocked => out.newly_blocked += 1,
                Change::Passes => out.newly_passing += 1,
            }
            if out.examples.len() < EXAMPLES {
                out.examples.push((change, Replayed::from(one)));
            }
        }
        out
    }
}
