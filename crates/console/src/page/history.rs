//! The operation history.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_kernel::{Lang, Right, Text, Time, Zone, event, id::EntryId};
use sekisho_vault::history::Filter;

use super::{Choice, Mark, Shell, render, shell};
use crate::{
    api::history::{EntryView, filter, one, page},
    call::Call,
    messages as m,
    problem::Fault,
    shape,
};

/// The filter as its form shows it.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// How it ended.
    pub result: String,
    /// To what.
    pub target: String,
    /// Anywhere.
    pub text: String,
}

impl Sought {
    /// Whether anything narrows the list.
    pub fn any(&self) -> bool {
        [&self.from, &self.to, &self.actor, &self.action, &self.result, &self.target, &self.text]
            .iter()
            .any(|s| !s.is_empty())
    }
}

/// The list.
#[derive(Template)]
#[template(path = "history.html")]
pub struct HistoryPage {
    /// Shell.
    pub p: Shell,
    /// The filter.
    pub f: Sought,
    /// Actions to choose from.
    pub actions: Vec<Choice>,
    /// Results to choose from.
    pub results: Vec<Choice>,
    /// Entries.
    pub entries: Vec<EntryView>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

/// A proof on the page.
#[derive(Clone, Debug)]
pub struct ProofView {
    /// The entry's place in the log.
    pub index: String,
    /// The tree's size under the checkpoint.
    pub size: String,
    /// The C2SP tlog-proof.
    pub text: String,
}

/// One entry.
#[derive(Template)]
#[template(path = "entry.html")]
pub struct EntryPage {
    /// Shell.
    pub p: Shell,
    /// The entry.
    pub e: EntryView,
    /// Its details.
    pub details: Vec<(String, String)>,
    /// The proof, once a checkpoint covers it.
    pub proof: Option<ProofView>,
}

/// An outcome as a chip.
pub fn outcome(name: &str) -> Mark {
    match name {
        "success" => Mark { tone: "good", icon: "check", text: m::SUCCEEDED },
        "refused" => Mark { tone: "warn", icon: "stop", text: m::REFUSED },
        _ => Mark { tone: "bad", icon: "cross", text: m::FAILED },
    }
}

/// How far an entry has come, as a chip.
pub fn state(name: &str) -> Mark {
    match name {
        "protected" => Mark { tone: "good", icon: "seal", text: m::PROTECTED },
        "sequenced" => Mark { tone: "info", icon: "clock", text: m::SEQUENCED },
        _ => Mark { tone: "mute", icon: "clock", text: m::ACCEPTED },
    }
}

/// The interface for people.
pub fn via(name: &str) -> &'static Text {
    match name {
        "console" => m::VIA_CONSOLE,
        "api" => m::VIA_API,
        "scim" => m::VIA_SCIM,
        "door" => m::VIA_DOOR,
        "forward-auth" => m::VIA_FORWARD_AUTH,
        "command" => m::VIA_COMMAND,
        _ => m::VIA_SYSTEM,
    }
}

/// An opaque id shortened for a table: its prefix and its last eight digits, which tell neighbours apart.
pub fn short(id: &str) -> String {
    match id.split_once('_') {
        Some((prefix, hex)) if hex.len() == 32 && hex.is_ascii() => format!("{prefix}_…{}", &hex[24..]),
        _ => id.chars().take(64).collect(),
    }
}

/// The actions to choose from: every event, in the reader's language.
pub fn actions(lang: Lang) -> Vec<Choice> {
    let mut out = vec![Choice::new("", m::ALL.get(lang))];
    out.extend(event::ALL.iter().map(|e| Choice::new(e.name, e.text.get(lang))));
    out
}

/// The results to choose from.
pub fn results(lang: Lang) -> Vec<Choice> {
    let mut out = vec![Choice::new("", m::ALL.get(lang))];
    out.extend(["success", "refused", "failed"].map(|r| Choice::new(r, outcome(r).text.get(lang))));
    out
}

/// The first moment of a day in a zone, and of the day after.
pub fn day_in(zone: &Zone, day: &str) -> Option<(Time, Time)> {
    let utc = shape::day(day)?;
    let shift = i64::from(zone.seconds()) * 1_000_000;
    let start = Time::from_micros(utc.micros() - shift);
    Some((start, start.plus(Duration::from_secs(86_400))))
}

/// GET /history
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let text = |name: &str| given.get(name).and_then(|v| v.as_str()).unwrap_or("").to_owned();
    let f = Sought {
        from: text("from"),
        to: text("to"),
        actor: text("actor"),
        action: text("action"),
        result: text("result"),
        target: text("target"),
        text: text("text"),
    };
    let days = Filter {
        from: day_in(&call.zone, &f.from).map(|(start, _)| start),
        to: day_in(&call.zone, &f.to).map(|(_, end)| end),
        ..filter(&given)
    };
    let (entries, next) = page(&call, days, 50).await?;
    let p = shell(&call, m::HISTORY).await?;
    let paged = call.asked("after").is_some();
    let (actions, results) = (actions(call.lang), results(call.lang));
    render(StatusCode::OK, &HistoryPage { p, f, actions, results, entries, next, paged })
}

/// GET /history/{id}
pub async fn show_one(call: Arc<Call>) -> Result<Response, Fault> {
    let id: EntryId = call.id("id")?;
    let e = one(&call, id).await?;
    let proof = if call.may(Right::HISTORY_READ) {
        call.parts.vault.history_proof(&call.scope(), id).await.map_err(Fault::own)?
    } else {
        None
    };
    let mut p = shell(&call, m::ENTRY).await?;
    p.title = e.says.get(call.lang).to_owned();
    let details = e.detail.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect();
    render(StatusCode::OK, &EntryPage { p, e, details, proof: proof.map(|text| proof_view(&text)) })
}

/// Index and size out of a C2SP tlog-proof: its `index N` line, and the checkpoint's second line.
pub fn proof_view(text: &str) -> ProofView {
    let index = text.lines().find_map(|l| l.strip_prefix("index ")).unwrap_or("").to_owned();
    let checkpoint = text.split_once("\n\n").map_or("", |(_, rest)| rest);
    let size = checkpoint.lines().nth(1).unwrap_or("").to_owned();
    ProofView { index, size, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_in_the_zone() {
        let jst = Zone::parse("JST").expect("a zone");
        let (start, end) = day_in(&jst, "2026-04-01").expect("a day");
        assert_eq!(start.rfc3339(), "2026-03-31T15:00:00Z");
        assert_eq!(end.rfc3339(), "2026-04-01T15:00:00Z");
        assert!(day_in(&jst, "2026-02-30").is_none());
        assert!(day_in(&jst, "").is_none());
    }

    #[test]
    fn ids_are_shortened_and_paths_are_not() {
        assert_eq!(short("usr_0198c2b400007000800000000000002a"), "usr_…0000002a");
        assert_eq!(short("/api/v1/users"), "/api/v1/users");
    }

    #[test]
    fn a_proof_names_index_and_size() {
        let text = "c2sp.org/tlog-proof@v1\nindex 41\nAAAA\n\nsekisho/t\n57\nroot=\n\n— sig\n";
        let view = proof_view(text);
        assert_eq!((view.index.as_str(), view.size.as_str()), ("41", "57"));
    }
}
