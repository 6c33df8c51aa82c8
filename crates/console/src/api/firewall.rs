//! The firewall: the rule set in force, what it has blocked, a setting tried on the last day's matches, narrow exclusions.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::response::Response;
use sekisho_controls::waf;
use sekisho_gateway::firewall::{Change, Replay, Replayed};
use sekisho_kernel::{
    Category, Problem, ProblemKind, Right, Text, Time,
    gate::{FirewallExclusion, FirewallMode, FirewallRule},
    policy::Value as Set,
    problem::INTERNAL,
};
use sekisho_vault::history::{Filter, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{call::Call, problem::Fault, reply};

/// How long back is looked.
const DAY: Duration = Duration::from_secs(86_400);
/// Entries that are read for the figures of a day.
const MOST: usize = 2_000;
/// Rows of each ranking.
const RANKED: usize = 8;
/// The longest life of an exclusion that a tenant makes.
pub const LONGEST: Duration = Duration::from_secs(90 * 86_400);

/// A tenant may have no exclusion of its own, or has all that it may have.
pub static NO_MORE_EXCLUSIONS: ProblemKind = ProblemKind {
    code: "SK-6020",
    name: "no-more-exclusions",
    category: Category::Conflict,
    title: Text::new(
        "この組織では、これ以上の除外を追加できません。",
        "This organisation may have no more exclusions of its own.",
    ),
    remedy: Text::new(
        "表示された 1 行を運用者に渡して、waf.exclusions に加えてもらってください。",
        "Hand the line shown to the operator, for waf.exclusions.",
    ),
};

/// The set in force, as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct SetView {
    /// Its name.
    pub name: String,
    /// The feed's number; 0 for other origins.
    pub version: u64,
    /// `base`, `folder`, `feed`.
    pub origin: &'static str,
    /// When it was made.
    pub made: String,
    /// When it was put in force here.
    pub loaded: String,
    /// Seconds since it was made.
    pub age_seconds: u64,
    /// Whether it is older than the policy allows.
    pub out_of_date: bool,
    /// How many rules it has.
    pub rules: usize,
    /// How many of its own tests it passed.
    pub tests: usize,
}

/// An exclusion, as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct ExclusionView {
    /// As the policy has it.
    pub text: String,
    /// Whether the organisation made it itself.
    pub own: bool,
    /// From when on it no longer counts.
    pub until: String,
    /// Whether it still counts.
    pub active: bool,
}

/// What holds for the organisation.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// The set.
    pub rule_set: SetView,
    /// `off`, `detect`, `on`.
    pub mode: &'static str,
    /// 1 to 4.
    pub paranoia: u8,
    /// The score that blocks.
    pub threshold: u32,
    /// What is left out.
    pub exclusions: Vec<ExclusionView>,
    /// How many of its own the organisation may have.
    pub own_exclusions_allowed: u32,
}

/// A mode's stable name.
pub const fn mode(mode: FirewallMode) -> &'static str {
    match mode {
        FirewallMode::Off => "off",
        FirewallMode::Detect => "detect",
        FirewallMode::On => "on",
    }
}

/// The rule in force for the caller's organisation.
pub(crate) fn rule(call: &Call) -> FirewallRule {
    call.parts.gates.firewall(&call.arrival.policy)
}

/// What holds, without an entry.
pub(crate) fn state(call: &Call) -> Result<State, Fault> {
    let firewall = call.parts.firewall.as_ref().ok_or_else(missing)?;
    let (info, rule) = (firewall.info(), rule(call));
    let age = call.now.since(info.made);
    let exclusions = rule.exclusions.iter().map(|e| ExclusionView {
        text: e.text.clone(),
        own: e.own,
        until: e.until.rfc3339(),
        active: e.until > call.now,
    });
    Ok(State {
        rule_set: SetView {
            name: info.name,
            version: info.version,
            origin: info.origin.name(),
            made: info.made.rfc3339(),
            loaded: info.loaded.rfc3339(),
            age_seconds: age.as_secs(),
            out_of_date: age > firewall.max_age(),
            rules: info.rules,
            tests: info.tests,
        },
        mode: mode(rule.mode),
        paranoia: rule.paranoia,
        threshold: rule.threshold,
        exclusions: exclusions.collect(),
        own_exclusions_allowed: firewall.tenant_exclusions(),
    })
}

fn missing() -> Fault {
    Fault::own(Problem::new(&INTERNAL).log("the console was given no firewall"))
}

/// GET /firewall
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    let act = call.act(Right::POLICY_READ, "firewall")?;
    let state = state(&call)?;
    reply::ok(&call.parts.vault.look(call.cx()?, act, move |_| Ok(state)).await?)
}

/// A blocked request, as its entry tells.
#[derive(Clone, Debug, Serialize)]
pub struct Blocked {
    /// Its entry.
    pub id: String,
    /// When.
    pub at: String,
    /// In the reader's zone.
    pub local_time: String,
    /// Whether it was stopped; else only detected.
    pub blocked: bool,
    /// From where.
    pub address: String,
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// The rules that scored.
    pub rules: Vec<String>,
    /// The first one's message.
    pub message: String,
    /// The part it matched.
    pub part: String,
    /// Its value there, secrets masked.
    pub matched: String,
    /// The score.
    pub score: String,
    /// Trace id.
    pub trace: String,
}

/// How often something came.
#[derive(Clone, Debug, Serialize)]
pub struct Ranked {
    /// What.
    pub name: String,
    /// What it is, where that helps.
    pub says: String,
    /// How often.
    pub count: usize,
}

/// The last day.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// Requests blocked.
    pub blocked: usize,
    /// Requests detected and let pass.
    pub detected: usize,
    /// By hour: the first is the oldest, the last is the hour that runs.
    pub by_hour: Vec<usize>,
    /// The rules that scored most often.
    pub by_rule: Vec<Ranked>,
    /// The paths.
    pub by_path: Vec<Ranked>,
    /// The addresses.
    pub by_address: Vec<Ranked>,
    /// The newest, one by one.
    pub newest: Vec<Blocked>,
    /// Whether there were more than are counted here.
    pub more: bool,
}

fn ranked(counts: HashMap<String, (usize, String)>) -> Vec<Ranked> {
    let mut out: Vec<Ranked> = counts.into_iter().map(|(name, (count, says))| Ranked { name, says, count }).collect();
    out.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    out.truncate(RANKED);
    out
}

fn told(call: &Call, row: &Row) -> Blocked {
    let detail = |name: &str| row.detail.iter().find(|(n, _)| n == name).map_or_else(String::new, |(_, v)| v.clone());
    Blocked {
        id: row.id.to_string(),
        at: row.at.rfc3339(),
        local_time: row.at.in_zone(&call.zone),
        blocked: row.event == "firewall.block",
        address: row.address.clone().unwrap_or_default(),
        method: detail("method"),
        path: row.object.clone(),
        rules: detail("rules").split_whitespace().map(str::to_owned).collect(),
        message: detail("message"),
        part: detail("part"),
        matched: detail("matched"),
        score: detail("score"),
        trace: row.trace.clone(),
    }
}

/// The figures of the last day, from the organisation's log. One entry.
pub(crate) async fn figures(call: &Call) -> Result<Figures, Fault> {
    let act = call.act(Right::HISTORY_READ, "firewall")?;
    let cx = call.cx()?;
    let mut rows = Vec::new();
    let mut failed = None;
    let mut more = false;
    if call.may(Right::HISTORY_READ) {
        for event in ["firewall.block", "firewall.detect"] {
            let mut filter = Filter {
                from: Some(call.now.minus(DAY)),
                event: Some(event.to_owned()),
                limit: 200,
                ..Filter::default()
            };
            loop {
                match call.parts.vault.history(&call.scope(), filter.clone()).await {
                    Ok(found) => {
                        rows.extend(found.rows);
                        filter.before = found.next;
                    }
                    Err(problem) => {
                        failed = Some(problem);
                        filter.before = None;
                    }
                }
                if rows.len() >= MOST {
                    more |= filter.before.is_some();
                    break;
                }
                if filter.before.is_none() {
                    break;
                }
            }
        }
    }
    let outcome = failed.map_or(Ok(()), Err);
    call.parts.vault.look(cx, act, move |_| outcome).await?;
    rows.sort_by_key(|r| std::cmp::Reverse(r.id));
    let mut out = Figures { by_hour: vec![0; 24], more, ..Figures::default() };
    let (mut rules, mut paths, mut addresses) = (HashMap::new(), HashMap::new(), HashMap::new());
    let count = |map: &mut HashMap<String, (usize, String)>, name: &str, says: &str| {
        map.entry(name.to_owned()).or_insert_with(|| (0, says.to_owned())).0 += 1;
    };
    let message = |rule: &str| match (&call.parts.firewall, rule.parse()) {
        (Some(firewall), Ok(rule)) => firewall.message(rule),
        _ => String::new(),
    };
    for row in &rows {
        let one = told(call, row);
        if one.blocked {
            out.blocked += 1;
        } else {
            out.detected += 1;
        }
        let hours = call.now.since(row.at).as_secs() / 3_600;
        if let Some(bar) = usize::try_from(hours).ok().and_then(|h| 23_usize.checked_sub(h)) {
            out.by_hour[bar] += 1;
        }
        for (n, rule) in one.rules.iter().enumerate() {
            count(&mut rules, rule, if n == 0 { &one.message } else { "" });
        }
        count(&mut paths, &one.path, "");
        count(&mut addresses, &one.address, "");
        if out.newest.len() < 50 {
            out.newest.push(one);
        }
    }
    let mut by_rule = ranked(rules);
    by_rule.iter_mut().filter(|r| r.says.is_empty()).for_each(|r| r.says = message(&r.name));
    (out.by_rule, out.by_path, out.by_address) = (by_rule, ranked(paths), ranked(addresses));
    Ok(out)
}

/// GET /firewall/blocked
pub async fn blocked(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&figures(&call).await?)
}

/// A setting to be tried.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Another paranoia level.
    pub paranoia: Option<i64>,
    /// Another score that blocks.
    pub threshold: Option<i64>,
    /// One more exclusion, as the policy would have it.
    pub exclusion: Option<String>,
}

impl Trial {
    /// The rule with the change.
    ///
    /// # Errors
    /// The exclusion cannot be read.
    pub fn over(&self, rule: &FirewallRule) -> Result<FirewallRule, Fault> {
        let mut out = rule.clone();
        if let Some(level) = self.paranoia.and_then(|n| u8::try_from(n).ok()) {
            out.paranoia = level;
            // A path's own level stays as it is.
        }
        if let Some(score) = self.threshold.and_then(|n| u32::try_from(n).ok()) {
            out.threshold = score;
        }
        if let Some(text) = &self.exclusion {
            out.exclusions.push(waf::exclusion(text).map_err(|why| Fault::field("exclusion", why))?);
        }
        Ok(out)
    }
}

/// Tries a change on the last day's matches. One entry.
pub(crate) async fn tried(call: &Call, trial: &Trial) -> Result<Replay, Fault> {
    let act = call.act(Right::POLICY_READ, "firewall")?;
    let firewall = call.parts.firewall.clone().ok_or_else(missing)?;
    let before = rule(call);
    let after = trial.over(&before)?;
    let tenant = call.cx()?.tenant;
    call.parts.vault.look(call.cx()?, act, |_| Ok(())).await?;
    firewall.replay(tenant, before, after).await.map_err(Fault::own)
}

fn example(call: &Call, change: Change, one: &Replayed) -> Value {
    let finding = one.findings.first();
    json!({
        "change": if change == Change::Blocked { "blocked" } else { "passes" },
        "at": one.at.rfc3339(),
        "local_time": one.at.in_zone(&call.zone),
        "address": one.peer.to_string(),
        "method": one.method,
        "path": one.path,
        "rules": one.findings.iter().map(|f| f.rule.to_string()).collect::<Vec<_>>(),
        "part": finding.map_or("", |f| f.part.as_str()),
        "matched": finding.map_or("", |f| f.value.as_str()),
        "score": one.score.to_string(),
        "trace": one.trace,
    })
}

/// POST /firewall/replay
pub async fn replay(call: Arc<Call>) -> Result<Response, Fault> {
    let trial: Trial = call.input()?;
    let replay = tried(&call, &trial).await?;
    let examples: Vec<Value> = replay.examples.iter().map(|(change, one)| example(&call, *change, one)).collect();
    reply::ok(&json!({
        "tried": replay.tried,
        "blocked_before": replay.blocked_before,
        "blocked_after": replay.blocked_after,
        "newly_blocked": replay.newly_blocked,
        "newly_passing": replay.newly_passing,
        "examples": examples,
    }))
}

/// A narrow exclusion, as a person asks for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The rule.
    pub rule: i64,
    /// The part it does not look at.
    pub part: String,
    /// On paths that begin so.
    pub path: String,
    /// Its last day.
    pub until: String,
    /// Why.
    pub reason: String,
}

impl Wanted {
    /// The entry of `waf.exclusions`.
    pub fn text(&self) -> String {
        let Self { rule, part, path, until, reason } = self;
        format!("rule {rule} on {part} at {path} until {until}: {}", reason.trim())
    }

    /// The exclusion, if it is one and narrow.
    ///
    /// # Errors
    /// The field at fault.
    pub fn read(&self, now: Time) -> Result<FirewallExclusion, Fault> {
        let read = waf::exclusion(&self.text()).map_err(|why| Fault::field("reason", why))?;
        let (ja, en) =
            ("期限は今日から 90 日以内にしてください。", "The last day is today or later, and within 90 days.");
        if read.until <= now || read.until.since(now) > LONGEST + DAY {
            return Err(Fault::field("until", Text::new(ja, en)));
        }
        if !waf::may_be_own(&read) {
            let (ja, en) = (
                "1 つの規則の 1 つの部分（例: ARGS:comment）に限ります。",
                "It is for one rule and one part of it, such as ARGS:comment.",
            );
            return Err(Fault::field("part", Text::new(ja, en)));
        }
        Ok(read)
    }
}

/// Adds an exclusion to the organisation's own.
pub(crate) async fn add(call: &Call, wanted: &Wanted) -> Result<(), Fault> {
    let firewall = call.parts.firewall.as_ref().ok_or_else(missing)?;
    if !call.may(Right::POLICY_WRITE) {
        // Refused and entered where the act would be done, before anything is said of its fields.
        call.parts.identity.set_policy(call.cx()?, waf::EXCLUSIONS.key, json!([])).await?;
    }
    let exclusion = wanted.read(call.now)?;
    let mut own: Vec<String> = match call.arrival.policy.tenant.get(&waf::EXCLUSIONS) {
        Some(Set::List(texts)) => texts.clone(),
        _ => Vec::new(),
    };
    // What is past its day makes room.
    own.retain(|text| waf::exclusion(text).is_ok_and(|e| e.until > call.now) && *text != exclusion.text);
    if own.len() >= firewall.tenant_exclusions() as usize {
        return Err(Fault::own(Problem::new(&NO_MORE_EXCLUSIONS).at("waf.exclusions")));
    }
    own.push(exclusion.text);
    call.parts.identity.set_policy(call.cx()?, waf::EXCLUSIONS.key, json!(own)).await?;
    Ok(())
}

/// POST /firewall/exclusions
pub async fn exclude(call: Arc<Call>) -> Result<Response, Fault> {
    let wanted: Wanted = call.input()?;
    add(&call, &wanted).await?;
    reply::json(axum::http::StatusCode::CREATED, &json!({ "text": wanted.text() }))
}
