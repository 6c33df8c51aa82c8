//! The firewall: what was blocked, the rule set and its age, an exclusion from a false positive, a setting tried first.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_gateway::firewall::{Change, Replay, words};
use sekisho_kernel::{Lang, Right, Text, Time};

use super::{Choice, Mark, Returned, Shell, again, claims::age, render, shell};
use crate::{
    api::firewall::{Figures, State, Trial, Wanted, add, figures, rule, state, tried},
    call::Call,
    messages as m, page,
    problem::Fault,
};

/// A bar of the chart.
#[derive(Clone, Debug)]
pub struct Bar {
    /// From the left, of 960.
    pub x: usize,
    /// From the top, of 150.
    pub y: usize,
    /// Its height.
    pub height: usize,
    /// What it stands for: `14:00 3`.
    pub says: String,
    /// The hour below it, for some.
    pub label: Option<String>,
    /// How many.
    pub count: usize,
}

/// The chart of a day: 24 hours, the last one runs.
pub fn bars(by_hour: &[usize], now: Time, zone: &sekisho_kernel::Zone) -> Vec<Bar> {
    let most = by_hour.iter().copied().max().unwrap_or(0).max(1);
    let hours = by_hour.len();
    by_hour
        .iter()
        .enumerate()
        .map(|(i, count)| {
            let at = now.minus(Duration::from_secs(3_600 * (hours - 1 - i) as u64)).in_zone(zone);
            // `2026-11-22 14:05:00 JST`
            let hour = at.get(11..13).unwrap_or_default();
            let height = if *count == 0 { 0 } else { (count * 104 / most).max(3) };
            Bar {
                x: i * 40 + 6,
                y: 124 - height,
                height,
                says: format!("{hour}:00 {count}"),
                label: (i % 4 == 3).then(|| format!("{hour}:00")),
                count: *count,
            }
        })
        .collect()
}

/// The rule set's age as a chip.
pub const fn freshness(out_of_date: &bool) -> Mark {
    if *out_of_date {
        Mark { tone: "warn", icon: "alert", text: m::OUT_OF_DATE }
    } else {
        Mark { tone: "good", icon: "check", text: m::UP_TO_DATE }
    }
}

/// What a rule says of its matches.
pub fn says<'a>(message: &'a str, lang: &Lang) -> &'a str {
    words::message(message, *lang)
}

/// The mode as a chip.
pub fn mode(name: &str) -> Mark {
    match name {
        "on" => Mark { tone: "good", icon: "check", text: m::FIREWALL_ON },
        "detect" => Mark { tone: "warn", icon: "search", text: m::FIREWALL_DETECTS },
        _ => Mark { tone: "bad", icon: "cross", text: m::FIREWALL_OFF },
    }
}

/// Where a set came from, in words.
pub fn origin(name: &str) -> &'static Text {
    match name {
        "base" => m::SET_BASE,
        "folder" => m::SET_FOLDER,
        _ => m::SET_FEED,
    }
}

/// The page.
#[derive(Template)]
#[template(path = "firewall.html")]
pub struct FirewallPage {
    /// Shell.
    pub p: Shell,
    /// What holds.
    pub s: State,
    /// How old the set is, for people.
    pub age: String,
    /// The last day.
    pub f: Figures,
    /// The chart.
    pub bars: Vec<Bar>,
    /// The chart in words.
    pub spoken: String,
}

/// What came of a trial, for people.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Requests tried.
    pub tried: usize,
    /// Blocked now.
    pub before: usize,
    /// Blocked then.
    pub after: usize,
    /// The differences.
    pub newly_blocked: usize,
    /// See above.
    pub newly_passing: usize,
    /// Some of them.
    pub rows: Vec<Example>,
}

/// A request that fares differently.
#[derive(Clone, Debug)]
pub struct Example {
    /// What changes.
    pub mark: Mark,
    /// When it came.
    pub time: String,
    /// Method and path.
    pub what: String,
    /// From where.
    pub address: String,
    /// The rules.
    pub rules: String,
    /// The part and its value.
    pub part: String,
    /// See above.
    pub matched: String,
}

/// The outcome of a replay.
pub fn outcome(replay: &Replay, zone: &sekisho_kernel::Zone) -> Outcome {
    let rows = replay.examples.iter().map(|(change, one)| {
        let first = one.findings.first();
        Example {
            mark: match change {
                Change::Blocked => Mark { tone: "bad", icon: "stop", text: m::WOULD_BE_BLOCKED },
                Change::Passes => Mark { tone: "good", icon: "check", text: m::WOULD_PASS },
            },
            time: one.at.in_zone(zone),
            what: format!("{} {}", one.method, one.path),
            address: one.peer.to_string(),
            rules: one.findings.iter().map(|f| f.rule.to_string()).collect::<Vec<_>>().join(" "),
            part: first.map_or_else(String::new, |f| f.part.clone()),
            matched: first.map_or_else(String::new, |f| f.value.clone()),
        }
    });
    Outcome {
        tried: replay.tried,
        before: replay.blocked_before,
        after: replay.blocked_after,
        newly_blocked: replay.newly_blocked,
        newly_passing: replay.newly_passing,
        rows: rows.collect(),
    }
}

/// A setting tried first.
#[derive(Template)]
#[template(path = "firewall_try.html")]
pub struct TryPage {
    /// Shell.
    pub p: Shell,
    /// Levels to choose from.
    pub levels: Vec<Choice>,
    /// The one tried.
    pub paranoia: String,
    /// The score tried.
    pub threshold: String,
    /// What came of it.
    pub o: Outcome,
}

/// An exclusion from a false positive.
#[derive(Template)]
#[template(path = "firewall_exclude.html")]
pub struct ExcludePage {
    /// Shell.
    pub p: Shell,
    /// What the form starts with.
    pub rule: String,
    /// See above.
    pub part: String,
    /// See above.
    pub path: String,
    /// See above.
    pub until: String,
    /// See above.
    pub reason: String,
    /// The line of the policy.
    pub line: String,
    /// Whether the organisation may add it itself.
    pub may_add: bool,
    /// What it would change; nothing while the form is sent back.
    pub o: Option<Outcome>,
}

/// GET /firewall
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    let f = figures(&call).await?;
    let s = state(&call)?;
    let p = shell(&call, m::FIREWALL).await?;
    render(StatusCode::OK, &page_of(p, s, f, call.now))
}

/// The page from what holds and the figures.
pub fn page_of(p: Shell, s: State, f: Figures, now: Time) -> FirewallPage {
    let bars = bars(&f.by_hour, now, &p.zone);
    let spoken: Vec<&str> = bars.iter().filter(|b| b.count > 0).map(|b| b.says.as_str()).collect();
    let spoken = if spoken.is_empty() { p.t(m::NOTHING_BLOCKED).to_owned() } else { spoken.join(", ") };
    let made = Time::parse_rfc3339(&s.rule_set.made);
    let age = age(made, now, p.lang);
    FirewallPage { age, bars, spoken, s, f, p }
}

/// GET /firewall/try
pub async fn show_try(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let number = |name: &str| given.get(name).and_then(serde_json::Value::as_i64);
    let now = rule(&call);
    let trial = Trial {
        paranoia: number("paranoia").or(Some(i64::from(now.paranoia))),
        threshold: number("threshold").or(Some(i64::from(now.threshold))),
        exclusion: None,
    };
    let replay = tried(&call, &trial).await?;
    let p = shell(&call, m::TRY_FIRST).await?;
    let level = |n: i64| Choice::new(n.to_string(), n.to_string());
    let page = TryPage {
        levels: (1..=4).map(level).collect(),
        paranoia: trial.paranoia.map_or_else(String::new, |n| n.to_string()),
        threshold: trial.threshold.map_or_else(String::new, |n| n.to_string()),
        o: outcome(&replay, &p.zone),
        p,
    };
    render(StatusCode::OK, &page)
}

/// GET /firewall/exclude
pub async fn show_exclude(call: Arc<Call>) -> Result<Response, Fault> {
    exclude_page(call, None).await
}

async fn exclude_page(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let sent = call.route.verb.mutates();
    let get = |name: &str| {
        let text = if sent { call.field(name) } else { call.asked(name).unwrap_or_default() };
        text.chars().filter(|c| !c.is_control()).take(300).collect::<String>()
    };
    let day = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    let month = day(&call.now.plus(Duration::from_secs(30 * 86_400)).rfc3339());
    let until = Some(get("until")).filter(|u| !u.is_empty()).unwrap_or(month);
    let reason = Some(get("reason")).filter(|r| !r.is_empty());
    let wanted = Wanted {
        rule: get("rule").parse().unwrap_or(0),
        part: get("part"),
        path: Some(get("path")).filter(|p| p.starts_with('/')).unwrap_or_else(|| "/".to_owned()),
        until,
        reason: reason.clone().unwrap_or_else(|| placeholder(call.lang).to_owned()),
    };
    // What cannot be read yet is tried without: the form says what is wrong when it is sent.
    let exclusion = wanted.read(call.now).ok().map(|e| e.text);
    let trial = Trial { exclusion, ..Trial::default() };
    let o = if sent { None } else { Some(tried(&call, &trial).await?) };
    let s = state(&call)?;
    let mut p = shell(&call, m::EXCLUDE).await?;
    p.returned = returned;
    if sent {
        p.path = "/firewall".into();
    }
    let o = o.map(|replay| outcome(&replay, &p.zone));
    let used = s.exclusions.iter().filter(|e| e.own && e.active).count();
    let page = ExcludePage {
        line: format!("\"{}\"", wanted.text().replace('"', "'")),
        may_add: call.may(Right::POLICY_WRITE) && used < s.own_exclusions_allowed as usize,
        rule: wanted.rule.to_string(),
        part: wanted.part,
        path: wanted.path,
        until: wanted.until,
        reason: reason.unwrap_or_default(),
        o,
        p,
    };
    render(StatusCode::OK, &page)
}

fn placeholder(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "理由をここに",
        Lang::En => "the reason",
    }
}

/// POST /firewall/exclude
pub async fn exclude(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { add(&call, &call.input::<Wanted>()?).await };
    match ended.await {
        Ok(()) => page::done("/firewall", "created"),
        Err(fault) => again(&call, "exclude", fault, exclude_page).await,
    }
}
