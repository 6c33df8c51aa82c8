//! What `prove` prints: a table, JSON, JUnit.

use std::{collections::BTreeMap, fmt::Write};

use sekisho_kernel::{
    Lang, Time,
    claim::{Stage, StepResult, Verdict},
};
use serde_json::{Value, json};

use crate::run::Proof;

/// One row: a proof, or a catalogued claim that no control keeps yet.
#[derive(Clone, Debug)]
pub enum Row {
    /// A claim that was probed.
    Proven(Proof),
    /// A claim without a control: its id.
    NotKeptYet(String),
}

impl Row {
    /// The claim's id.
    pub fn id(&self) -> &str {
        match self {
            Self::Proven(p) => p.id,
            Self::NotKeptYet(id) => id,
        }
    }
    /// The verdict.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Proven(p) => p.verdict,
            Self::NotKeptYet(_) => Verdict::NotKeptYet,
        }
    }
}

/// `{"summary": {verdict: count}, "claims": [{"id", "verdict", "stage", "at", "steps"}]}`
pub fn json(rows: &[Row]) -> Value {
    let mut summary: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        *summary.entry(row.verdict().name()).or_default() += 1;
    }
    let claims: Vec<Value> = rows
        .iter()
        .map(|row| match row {
            Row::Proven(p) => json!({
                "id": p.id,
                "verdict": p.verdict.name(),
                "stage": p.stage,
                "at": p.at.rfc3339(),
                "policy": p.policy,
                "policy_digest": p.policy_digest,
                "taken_out": p.taken_out.map(sekisho_kernel::TakenOut::name),
                "steps": p.steps,
            }),
            Row::NotKeptYet(id) => {
                json!({ "id": id, "verdict": Verdict::NotKeptYet.name(), "stage": null, "at": null, "steps": [] })
            }
        })
        .collect();
    json!({ "summary": summary, "claims": claims })
}

/// JUnit XML: `broken` is a failure, `unknown` an error, everything unproven skipped. In a negative run `broken` is what
/// must come out, so `wanted` turns the sense around.
pub fn junit(rows: &[Row], wanted: Verdict) -> String {
    let mut cases = String::new();
    let (mut failures, mut errors, mut skipped) = (0, 0, 0);
    for row in rows {
        let name = escape(row.id());
        let _ = write!(cases, "  <testcase classname=\"sekisho.prove\" name=\"{name}\"");
        let verdict = row.verdict();
        let body = match row {
            Row::Proven(p) => {
                p.steps.iter().filter(|s| s.result != StepResult::Pass).fold(String::new(), |mut out, s| {
                    let _ = writeln!(out, "{}: tried {}; expected {}; saw {}", s.clause, s.tried, s.expected, s.seen);
                    out
                })
            }
            Row::NotKeptYet(_) => String::new(),
        };
        let tag = match verdict {
            v if v == wanted => None,
            Verdict::Partly if wanted == Verdict::Holds => None,
            Verdict::Unknown => {
                errors += 1;
                Some("error")
            }
            Verdict::NotKeptYet | Verdict::NotProven | Verdict::Stale => {
                skipped += 1;
                Some("skipped")
            }
            _ => {
                failures += 1;
                Some("failure")
            }
        };
        match tag {
            None => cases.push_str("/>\n"),
            Some(tag) => {
                let _ = writeln!(cases, "><{tag} message=\"{}\">{}</{tag}></testcase>", verdict.name(), escape(&body));
            }
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"sekisho prove\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\">\n{cases}</testsuite>\n",
        rows.len()
    )
}

fn escape(text: &str) -> String {
    let legal = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    legal.fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
        out
    })
}

/// The table for a terminal: claim, verdict, where, age; under each claim that is not as wanted, why.
pub fn table(rows: &[Row], now: Time, lang: Lang) -> String {
    let words = match lang {
        Lang::Ja => ["約束", "判定", "場所", "経過"],
        Lang::En => ["claim", "verdict", "where", "age"],
    };
    let mut out = format!("{}  {}  {}  {}\n", pad(words[0], 9), pad(words[1], 14), pad(words[2], 10), words[3]);
    for row in rows.iter().filter(|r| matches!(r, Row::Proven(_))) {
        let Row::Proven(p) = row else { continue };
        let place = match (p.stage, lang) {
            (Stage::Rehearsal, Lang::Ja) => "予行",
            (Stage::Rehearsal, Lang::En) => "rehearsal",
            (Stage::Live, Lang::Ja) => "稼働中",
            (Stage::Live, Lang::En) => "live",
        };
        let age = now.since(p.at).as_secs();
        let verdict = p.verdict.text();
        let _ = writeln!(out, "{}  {}  {}  {age}s", pad(p.id, 9), pad(verdict.get(lang), 14), pad(place, 10));
        if p.verdict != Verdict::Holds {
            for s in p.steps.iter().filter(|s| s.result != StepResult::Pass) {
                let _ = writeln!(out, "           {}: {} → {}", s.clause, s.tried, s.seen);
            }
        }
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows {
        *counts
            .entry(match lang {
                Lang::Ja => verdict_ja(row.verdict()),
                Lang::En => row.verdict().name(),
            })
            .or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
    let _ = writeln!(out, "\n{}", counts.join("  "));
    out
}

fn verdict_ja(v: Verdict) -> &'static str {
    match v.text().ja {
        std::borrow::Cow::Borrowed(s) => s,
        std::borrow::Cow::Owned(_) => v.name(),
    }
}

/// Pads to `width` terminal columns; a character beyond Latin takes two.
fn pad(text: &str, width: usize) -> String {
    let columns: usize = text.chars().map(|c| if (c as u32) < 0x1100 { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(width.saturating_sub(columns)))
}
