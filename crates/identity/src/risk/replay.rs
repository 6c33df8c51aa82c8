//! Past judgements: shown, and made again under other settings before those are applied.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use sekisho_kernel::{
    Cx, Effective, Problem, Right, Target, Time, event,
    gate::{AdaptiveMode, AdaptiveRule, Decision, RiskAction},
    id::{EntryId, UserId},
    policy::{parse_value, value_from_json},
    problem::INVALID,
};
use sekisho_vault::{Scope, history};
use serde_json::{Map, Value};

use super::{
    judge::{Facts, Held, Level, judge},
    places::Networks,
};
use crate::{
    Answer, Identity, boxed,
    problems::{NO_REPLAY, UNKNOWN_SETTING},
    types::{RiskChange, RiskDecision, RiskQuery, RiskReplay, RiskReplayed, RiskSources, RiskTally},
    under,
};

/// Entries looked at for one page.
const MOST_FOR_A_PAGE: usize = 10_000;
/// Entries looked at for a replay.
const MOST_FOR_A_REPLAY: usize = 50_000;
/// Changes shown of a replay.
const MOST_CHANGES: usize = 100;
/// Settings that change nothing that was counted or read at the time, so that the past can be judged by them.
const TRIED: &[&str] = &[
    "adaptive.low",
    "adaptive.medium",
    "adaptive.high",
    "adaptive.medium_at",
    "adaptive.high_at",
    "adaptive.hysteresis",
    "adaptive.calm",
    "adaptive.new_device",
    "adaptive.new_network",
    "adaptive.travel",
    "adaptive.velocity",
    "adaptive.spraying",
    "adaptive.listed_points",
    "adaptive.travel_speed",
    "adaptive.account_tries",
    "adaptive.address_tries",
    "adaptive.spray_names",
    "adaptive.spray_clear",
    "adaptive.listed",
    "adaptive.without_location",
];

/// A past judgement and how its sign-in ended.
struct Past {
    decision: RiskDecision,
    completed: bool,
}

fn past(row: &history::Row) -> Option<Past> {
    let detail = |name: &str| row.detail.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let level = match detail("risk")? {
        "low" => Level::Low,
        "medium" => Level::Medium,
        _ => Level::High,
    };
    let action = detail("risk_action")?.to_owned();
    let decision = RiskDecision {
        id: row.id,
        at: row.at,
        user: row.object.parse().ok()?,
        address: row.address.clone().unwrap_or_default(),
        level,
        score: detail("risk_score").and_then(|s| s.parse().ok()).unwrap_or_default(),
        advised: detail("risk_advised").unwrap_or(&action).to_owned(),
        action,
        reasons: detail("risk_reasons").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        facts: serde_json::from_str(detail("risk_facts")?).ok()?,
    };
    let completed = row.event == event::SESSION_SIGN_IN.name && row.outcome == sekisho_kernel::Outcome::Success;
    Some(Past { decision, completed })
}

impl RiskTally {
    fn add(&mut self, action: &str) {
        match action {
            "allow" => self.allow += 1,
            "step_up" => self.step_up += 1,
            _ => self.block += 1,
        }
    }
}

/// Judges past sign-ins, oldest first, by a rule.
fn again(rule: &AdaptiveRule, listed: &Networks, past: &[Past]) -> Vec<(Level, u32, RiskAction, Vec<String>)> {
    let mut held: HashMap<UserId, Held> = HashMap::new();
    let one = |p: &Past| {
        let decision = &p.decision;
        let on_list = decision.address.parse().is_ok_and(|a| listed.has(a));
        let facts = Facts { listed: decision.facts.listed || on_list, ..decision.facts };
        let before = held.get(&decision.user).copied().unwrap_or_default();
        let verdict = judge(rule, &facts, before.at(decision.at));
        let after = if p.completed { Held::default() } else { Held::after(rule, &verdict, decision.at) };
        held.insert(decision.user, after);
        let reasons = verdict.reasons.iter().map(|r| r.name().to_owned()).collect();
        (verdict.level, verdict.score, verdict.advised, reasons)
    };
    past.iter().map(one).collect()
}

impl Identity {
    /// Judged sign-ins, newest first, and the entry to go on before.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn risk_decisions(&self, cx: &Cx, query: RiskQuery) -> Answer<(Vec<RiskDecision>, Option<EntryId>)> {
        let limit = crate::page_size(query.limit) as usize;
        let (scope, may) = (Scope::of(cx), self.reach(cx).has(Right::HISTORY_READ, None));
        let found = async {
            let (mut out, mut before, mut seen) = (Vec::new(), query.before, 0);
            if !may {
                return Ok((out, None));
            }
            loop {
                let filter = history::Filter {
                    before,
                    limit: 200,
                    event: Some("session.".into()),
                    ..history::Filter::default()
                };
                let found = self.vault().history(&scope, filter).await?;
                for row in &found.rows {
                    before = Some(row.id);
                    seen += 1;
                    if let Some(Past { decision, .. }) = past(row)
                        && !(query.risky && decision.advised == "allow")
                    {
                        out.push(decision);
                    }
                    if out.len() == limit {
                        return Ok((out, before));
                    }
                }
                match found.next {
                    None => return Ok((out, None)),
                    Some(_) if seen >= MOST_FOR_A_PAGE => return Ok((out, before)),
                    Some(_) => {}
                }
            }
        };
        let found: Answer<_> = found.await;
        let act = under(Right::HISTORY_READ, &event::RISK_READ, Target::tenant(cx.tenant), "risk");
        self.vault().look(cx, act, move |_| found).await
    }

    /// Judges the sign-ins of the last days again as other settings would have it. Nothing is changed. What was counted or
    /// looked up at the time stands as it was: windows and databases cannot be tried.
    ///
    /// # Errors
    /// `SK-4021`, `SK-4061`, a value's own fault, or the gate's refusal of what would loosen the platform's.
    #[boxed]
    pub async fn replay_risk(&self, cx: &Cx, ask: RiskReplay) -> Answer<RiskReplayed> {
        let act = || under(Right::HISTORY_READ, &event::RISK_REPLAY, Target::tenant(cx.tenant), "risk");
        let tried = match self.tried(cx, &ask) {
            Ok(tried) => tried,
            Err(problem) => return Err(self.stop(cx, act(), problem).await),
        };
        let replayed = match self.reach(cx).has(Right::HISTORY_READ, None) {
            true => self.replayed(cx, ask.days, &tried).await,
            false => Ok(replayed(ask.days, true, &[], &[])),
        };
        self.vault().look(cx, act(), move |_| replayed).await
    }

    /// The rule that the settings come to.
    fn tried(&self, cx: &Cx, ask: &RiskReplay) -> Answer<AdaptiveRule> {
        if !(1..=90).contains(&ask.days) {
            return Err(Problem::new(&INVALID).at("days"));
        }
        let mut own = (*cx.policy.tenant).clone();
        for (key, value) in &ask.settings {
            let known = cx.policy.platform.schema().get(key);
            let short: String = key.chars().take(64).collect();
            let known = known.ok_or_else(|| Problem::new(&UNKNOWN_SETTING).at(short))?;
            if !TRIED.contains(&known.key) {
                return Err(Problem::new(&NO_REPLAY).at(known.key));
            }
            let value = match value {
                Value::String(text) => parse_value(known, text)?,
                other => value_from_json(known, other)?,
            };
            if let Decision::Refuse(kind) = self.gates().tenant_value(known, &cx.policy.platform.value(known), &value) {
                return Err(Problem::new(kind).at(known.key));
            }
            own.set(known, Some(value));
        }
        let policy = Effective::new(cx.policy.platform.clone(), std::sync::Arc::new(own));
        Ok(AdaptiveRule { mode: AdaptiveMode::On, ..self.gates().adaptive(&policy) })
    }

    async fn replayed(&self, cx: &Cx, days: u32, rule: &AdaptiveRule) -> Answer<RiskReplayed> {
        let from = self.now().minus(Duration::from_secs(u64::from(days) * 86_400));
        let (mut all, complete) = self.past(&Scope::of(cx), from).await?;
        all.reverse();
        let listed = Networks::of(rule.listed.iter().copied());
        let verdicts = again(rule, &listed, &all);
        Ok(replayed(days, complete, &all, &verdicts))
    }

    /// Judgements since a moment, newest first, and whether that is all of them.
    async fn past(&self, scope: &Scope, from: Time) -> Answer<(Vec<Past>, bool)> {
        let (mut out, mut before, mut seen) = (Vec::new(), None, 0);
        loop {
            let filter = history::Filter {
                before,
                from: Some(from),
                limit: 200,
                event: Some("session.".into()),
                ..history::Filter::default()
            };
            let found = self.vault().history(scope, filter).await?;
            seen += found.rows.len();
            out.extend(found.rows.iter().filter_map(past));
            before = found.next;
            if before.is_none() || seen >= MOST_FOR_A_REPLAY {
                return Ok((out, before.is_none()));
            }
        }
    }

    /// How databases and lists stand.
    #[boxed]
    pub async fn risk_sources(&self, cx: &Cx) -> RiskSources {
        let rule = self.gates().adaptive(&cx.policy);
        let [places, networks, listed] = self.0.sources.conditions(&rule, self.now()).await;
        RiskSources { places, networks, listed }
    }
}

fn replayed(
    days: u32,
    complete: bool,
    all: &[Past],
    verdicts: &[(Level, u32, RiskAction, Vec<String>)],
) -> RiskReplayed {
    let (mut was, mut would, mut changes) = (RiskTally::default(), RiskTally::default(), Vec::new());
    let mut people = BTreeSet::new();
    for (p, (level, score, action, reasons)) in all.iter().zip(verdicts).rev() {
        let decision = &p.decision;
        was.add(&decision.advised);
        would.add(action.name());
        if decision.advised == "allow" && *action != RiskAction::Allow {
            people.insert(decision.user);
        }
        if decision.advised != action.name() && changes.len() < MOST_CHANGES {
            changes.push(RiskChange {
                was: decision.clone(),
                new_level: *level,
                new_score: *score,
                new_action: action.name().to_owned(),
                new_reasons: reasons.clone(),
            });
        }
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    RiskReplayed { days, decisions: count(all.len()), complete, was, would, people: count(people.len()), changes }
}

/// The settings that a replay can try.
pub fn tried_settings() -> &'static [&'static str] {
    TRIED
}

/// What is given by a form: fields that are empty are not tried.
pub fn given(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    let said = pairs.into_iter().filter(|(_, v)| !v.trim().is_empty());
    said.map(|(k, v)| (k, Value::String(v.trim().to_owned()))).collect()
}
