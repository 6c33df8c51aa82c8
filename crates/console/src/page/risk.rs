//! Judged sign-ins, and what other settings would have made of them.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::{
    risk::{Condition, Level, Reason},
    types::{RiskChange, RiskDecision, RiskReplay, RiskReplayed, RiskSources},
};
use sekisho_kernel::{Lang, Right, Text, id::UserId};
use serde_json::{Map, Value};

use super::{Choice, Mark, Returned, Shell, again, render, shell};
use crate::{api, call::Call, messages as m, page, problem::Fault};

/// What of a replay's form is a setting, and its key.
const FIELDS: [(&str, &str); 4] = [
    ("medium_at", "adaptive.medium_at"),
    ("high_at", "adaptive.high_at"),
    ("low", "adaptive.low"),
    ("medium", "adaptive.medium"),
];

/// A decision on the page.
#[derive(Clone, Debug)]
pub struct Row {
    /// The decision.
    pub d: RiskDecision,
    /// The person's name today.
    pub name: String,
    /// Why, for people.
    pub reasons: Vec<String>,
}

/// A change on the page.
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// As it was.
    pub was: Row,
    /// What would be done.
    pub action: Mark,
    /// Its score.
    pub score: u32,
    /// Why.
    pub reasons: Vec<String>,
}

/// A replay on the page.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What came of it.
    pub figures: RiskReplayed,
    /// What would change.
    pub changes: Vec<ChangeRow>,
    /// What was tried, by field.
    pub tried: Vec<(String, String)>,
    /// Over how many days.
    pub days: String,
}

/// The page.
#[derive(Template)]
#[template(path = "risk.html")]
pub struct RiskPage {
    /// Shell.
    pub p: Shell,
    /// How the data stands, by name.
    pub sources: Vec<(&'static Text, Mark)>,
    /// Decisions.
    pub rows: Vec<Row>,
    /// Whether only risky ones are shown.
    pub risky: bool,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// What low and medium risk may lead to.
    pub actions: Vec<Choice>,
    /// A replay, if one was asked for.
    pub replay: Option<Replay>,
}

impl RiskPage {
    /// What was tried in a field of the form.
    pub fn tried(&self, field: &str) -> &str {
        let tried = self.replay.iter().flat_map(|r| &r.tried).find(|(name, _)| name == field);
        tried.map_or("", |(_, value)| value.as_str())
    }
    /// Over how many days.
    pub fn days(&self) -> &str {
        self.replay.as_ref().map_or("7", |r| r.days.as_str())
    }
}

/// An action as a chip.
pub fn action(name: &str) -> Mark {
    match name {
        "allow" => Mark { tone: "good", icon: "check", text: m::RISK_ALLOW },
        "step_up" => Mark { tone: "warn", icon: "key", text: m::RISK_STEP_UP },
        _ => Mark { tone: "bad", icon: "stop", text: m::RISK_BLOCK },
    }
}

/// A level as a chip.
pub fn level(level: &Level) -> Mark {
    match level {
        Level::Low => Mark { tone: "mute", icon: "dash", text: m::RISK_LOW },
        Level::Medium => Mark { tone: "warn", icon: "alert", text: m::RISK_MEDIUM },
        Level::High => Mark { tone: "bad", icon: "alert", text: m::RISK_HIGH },
    }
}

/// How the data stands, by name.
pub fn sources(all: RiskSources) -> Vec<(&'static Text, Mark)> {
    vec![
        (m::RISK_PLACES, condition(all.places)),
        (m::RISK_NETWORKS, condition(all.networks)),
        (m::RISK_LISTED, condition(all.listed)),
    ]
}

fn condition(condition: Condition) -> Mark {
    match condition {
        Condition::None => Mark { tone: "mute", icon: "dash", text: m::RISK_SOURCE_NONE },
        Condition::Read => Mark { tone: "good", icon: "check", text: m::RISK_SOURCE_READ },
        Condition::Unreadable => Mark { tone: "bad", icon: "alert", text: m::RISK_SOURCE_BROKEN },
    }
}

/// Reasons for people.
pub fn reasons(names: &[String], lang: Lang) -> Vec<String> {
    let says = |name: &String| Reason::by_name(name).map_or_else(|| name.clone(), |r| r.text().get(lang).to_owned());
    names.iter().map(says).collect()
}

fn row(d: RiskDecision, names: &HashMap<UserId, String>, lang: Lang) -> Row {
    let name = names.get(&d.user).cloned().unwrap_or_else(|| page::history::short(&d.user.to_string()));
    Row { name, reasons: reasons(&d.reasons, lang), d }
}

fn change(change: RiskChange, names: &HashMap<UserId, String>, lang: Lang) -> ChangeRow {
    ChangeRow {
        was: row(change.was, names, lang),
        action: action(&change.new_action),
        score: change.new_score,
        reasons: reasons(&change.new_reasons, lang),
    }
}

fn actions(lang: Lang) -> Vec<Choice> {
    let mut out = vec![Choice::new("", m::RISK_AS_NOW.get(lang))];
    out.extend(["allow", "step_up", "block"].map(|a| Choice::new(a, action(a).text.get(lang))));
    out
}

/// GET /risk
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None, None).await
}

async fn show_with(
    call: Arc<Call>,
    returned: Option<Returned>,
    replayed: Option<(RiskReplayed, Vec<(String, String)>)>,
) -> Result<Response, Fault> {
    let cx = call.cx()?;
    let (found, next) = if call.route.verb.mutates() {
        let query = sekisho_identity::types::RiskQuery { limit: 50, ..Default::default() };
        (call.parts.identity.risk_decisions(cx, query).await?.0, None)
    } else {
        api::risk::page(&call).await?
    };
    let changed = replayed.iter().flat_map(|(r, _)| r.changes.iter().map(|c| c.was.user));
    let people = found.iter().map(|d| d.user).chain(changed).collect();
    let names = call.parts.identity.names(cx, people).await?;
    let mut p = shell(&call, m::RISK).await?;
    if call.route.verb.mutates() {
        p.path = "/risk".into();
    }
    p.returned = returned;
    let replay = replayed.map(|(mut figures, tried)| {
        let changes = std::mem::take(&mut figures.changes);
        let days = figures.days.to_string();
        Replay { days, changes: changes.into_iter().map(|c| change(c, &names, call.lang)).collect(), figures, tried }
    });
    let page = RiskPage {
        p,
        sources: sources(call.parts.identity.risk_sources(cx).await),
        rows: found.into_iter().map(|d| row(d, &names, call.lang)).collect(),
        risky: call.asked("risky").is_some_and(|r| r == "true"),
        next,
        paged: call.asked("after").is_some(),
        actions: actions(call.lang),
        replay,
    };
    render(StatusCode::OK, &page)
}

/// The settings of the form, by key, and by field.
fn tried(call: &Call) -> (Map<String, Value>, Vec<(String, String)>) {
    let given = FIELDS.iter().map(|(field, key)| (*field, *key, call.field(field).trim().to_owned()));
    let given: Vec<_> = given.filter(|(_, _, value)| !value.is_empty()).collect();
    let value = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let settings = given.iter().map(|(_, key, text)| ((*key).to_owned(), value(text))).collect();
    (settings, given.into_iter().map(|(field, _, text)| (field.to_owned(), text)).collect())
}

/// POST /risk/replay
pub async fn replay(call: Arc<Call>) -> Result<Response, Fault> {
    let done = async {
        let given: Map<String, Value> = call.input()?;
        let days = given.get("days").and_then(Value::as_u64).and_then(|d| u32::try_from(d).ok()).unwrap_or(7);
        let (settings, fields) = tried(&call);
        let replayed = call.parts.identity.replay_risk(call.cx()?, RiskReplay { days, settings }).await?;
        Ok((replayed, fields))
    };
    match done.await {
        Ok(replayed) => show_with(call, None, Some(replayed)).await,
        Err(fault) => again(&call, "replay", at_field(fault), |call, r| show_with(call, r, None)).await,
    }
}

/// POST /risk/apply
pub async fn apply(call: Arc<Call>) -> Result<Response, Fault> {
    let done = async {
        let _: Map<String, Value> = call.input()?;
        for (key, value) in tried(&call).0 {
            call.parts.identity.set_policy(call.cx()?, &key, value).await?;
        }
        Ok(())
    };
    match done.await {
        Ok(()) => page::done("/risk", "saved"),
        Err(fault) => again(&call, "replay", at_field(fault), |call, r| show_with(call, r, None)).await,
    }
}

/// A setting's fault, said at its field.
fn at_field(mut fault: Fault) -> Fault {
    let key = fault.problem.place.as_deref().unwrap_or_default();
    if let Some((field, _)) = FIELDS.iter().find(|(_, k)| *k == key) {
        fault.problem.place = Some((*field).into());
    }
    fault
}
