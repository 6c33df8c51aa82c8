//! Claims: what is promised, what is proven of it, how old the evidence is.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_controls::catalogue::{self, ClaimFile, Kind};
use sekisho_kernel::{
    Lang, Text, Time,
    claim::{Stage, Step, StepKind, StepResult, Verdict},
};

use super::{Choice, Mark, Shell, render, shell};
use crate::{
    api::claims::{Filter, Standing, standing, standings},
    call::Call,
    messages as m,
    problem::Fault,
};

/// How many claims have each verdict, as a bar.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The parts that are not empty.
    pub parts: Vec<Part>,
    /// The same in words, for who does not see the bar.
    pub spoken: String,
}

/// A part of the bar.
#[derive(Clone, Debug)]
pub struct Part {
    /// Tone.
    pub tone: &'static str,
    /// Icon.
    pub icon: &'static str,
    /// Verdict for people.
    pub text: &'static Text,
    /// How many.
    pub count: usize,
    /// Where it starts, of 1000.
    pub x: usize,
    /// How wide it is, of 1000.
    pub width: usize,
}

impl Tally {
    /// Counts.
    pub fn of<'a>(standings: impl Iterator<Item = &'a Standing>, lang: Lang) -> Self {
        let mut counts = [0usize; Verdict::ALL.len()];
        for s in standings {
            let at = Verdict::ALL.iter().position(|v| *v == s.verdict()).unwrap_or(0);
            counts[at] += 1;
        }
        let all = counts.iter().sum::<usize>().max(1);
        let mut parts = Vec::new();
        let mut before = 0;
        for (verdict, count) in Verdict::ALL.into_iter().zip(counts).filter(|(_, c)| *c > 0) {
            let Mark { tone, icon, text } = mark(verdict);
            let x = before * 1000 / all;
            before += count;
            parts.push(Part { tone, icon, text, count, x, width: before * 1000 / all - x });
        }
        let spoken = parts.iter().map(|p| format!("{} {}", p.text.get(lang), p.count)).collect::<Vec<_>>().join(", ");
        Self { parts, spoken }
    }
}

/// A verdict as a chip.
pub fn mark(verdict: Verdict) -> Mark {
    match verdict {
        Verdict::Holds => Mark { tone: "good", icon: "check", text: m::V_HOLDS },
        Verdict::Broken => Mark { tone: "bad", icon: "cross", text: m::V_BROKEN },
        Verdict::Stale => Mark { tone: "warn", icon: "clock", text: m::V_STALE },
        Verdict::Unknown => Mark { tone: "warn", icon: "question", text: m::V_UNKNOWN },
        Verdict::Partly => Mark { tone: "info", icon: "half", text: m::V_PARTLY },
        Verdict::NotKeptYet => Mark { tone: "mute", icon: "dash", text: m::V_NOT_KEPT_YET },
        Verdict::NotProven => Mark { tone: "mute", icon: "question", text: m::V_NOT_PROVEN },
        Verdict::Attested => Mark { tone: "info", icon: "paper", text: m::V_ATTESTED },
        Verdict::Lapsed => Mark { tone: "warn", icon: "alert", text: m::V_LAPSED },
    }
}

/// What a verdict means, one sentence.
pub fn meaning(verdict: Verdict) -> &'static Text {
    match verdict {
        Verdict::Holds => m::MEANS_HOLDS,
        Verdict::Broken => m::MEANS_BROKEN,
        Verdict::Stale => m::MEANS_STALE,
        Verdict::Unknown => m::MEANS_UNKNOWN,
        Verdict::Partly => m::MEANS_PARTLY,
        Verdict::NotKeptYet => m::MEANS_NOT_KEPT_YET,
        Verdict::NotProven => m::MEANS_NOT_PROVEN,
        Verdict::Attested => m::MEANS_ATTESTED,
        Verdict::Lapsed => m::MEANS_LAPSED,
    }
}

/// A step's kind for people.
pub fn step_kind(kind: &StepKind) -> &'static Text {
    match kind {
        StepKind::Positive => m::STEP_POSITIVE,
        StepKind::Forbidden => m::STEP_FORBIDDEN,
        StepKind::Absent => m::STEP_ABSENT,
        StepKind::Missing => m::STEP_MISSING,
    }
}

/// A step's result as a chip.
pub fn step_result(kind: &StepKind, result: &StepResult) -> Mark {
    match (kind, result) {
        (StepKind::Absent | StepKind::Missing, _) => Mark { tone: "mute", icon: "dash", text: m::STEP_NOTHING },
        (_, StepResult::Pass) => Mark { tone: "good", icon: "check", text: m::STEP_PASS },
        (_, StepResult::Fail) => Mark { tone: "bad", icon: "cross", text: m::STEP_FAIL },
        (_, StepResult::Error) => Mark { tone: "warn", icon: "question", text: m::STEP_ERROR },
    }
}

/// A paper to choose.
#[derive(Clone, Debug)]
pub struct Paper {
    /// `netmeister`, or `all`.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// How many claims.
    pub count: usize,
    /// Whether it is the one shown.
    pub current: bool,
}

/// A claim in the list.
#[derive(Clone, Debug)]
pub struct ClaimRow {
    /// `NM-01`.
    pub id: String,
    /// The promise.
    pub says: String,
    /// Who keeps it.
    pub kind: String,
    /// Verdict.
    pub mark: Mark,
    /// Where it was proven.
    pub stage: String,
    /// How old the evidence is.
    pub age: String,
}

/// The claims of one area.
#[derive(Clone, Debug)]
pub struct AreaGroup {
    /// Stable key.
    pub id: String,
    /// Heading.
    pub title: String,
    /// Claims.
    pub rows: Vec<ClaimRow>,
}

/// The list.
#[derive(Template)]
#[template(path = "claims.html")]
pub struct ClaimsPage {
    /// Shell.
    pub p: Shell,
    /// Papers to choose from.
    pub papers: Vec<Paper>,
    /// The one shown.
    pub paper: String,
    /// Its title.
    pub title: String,
    /// Counts.
    pub c: Tally,
    /// Verdicts to choose from.
    pub verdicts: Vec<Choice>,
    /// The one chosen.
    pub verdict: String,
    /// Kinds to choose from.
    pub kinds: Vec<Choice>,
    /// The one chosen.
    pub kind: String,
    /// Claims by area.
    pub groups: Vec<AreaGroup>,
}

/// One claim.
#[derive(Template)]
#[template(path = "claim.html")]
pub struct ClaimPage {
    /// Shell.
    pub p: Shell,
    /// `NM-01`.
    pub id: String,
    /// Slug of its paper.
    pub paper: String,
    /// Title of its paper.
    pub paper_title: String,
    /// The promise.
    pub says: String,
    /// Who keeps it.
    pub kind: String,
    /// Its area.
    pub area: String,
    /// Verdict.
    pub mark: Mark,
    /// What the verdict means.
    pub meaning: String,
    /// When it was proven.
    pub at: Option<Time>,
    /// How long ago.
    pub age: String,
    /// Until when it counts.
    pub fresh_until: Option<Time>,
    /// Where it was proven.
    pub stage: String,
    /// On which build.
    pub build: Option<String>,
    /// Under which policy.
    pub digest: Option<String>,
    /// What a proof has to show.
    pub probe: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// How long ago, for people.
pub fn age(at: Option<Time>, now: Time, lang: Lang) -> String {
    let Some(at) = at else { return "–".into() };
    let s = now.since(at).as_secs();
    let (n, ja, en) = match s {
        0..=59 => (s, "秒前", "s ago"),
        60..=3_599 => (s / 60, "分前", "min ago"),
        3_600..=172_799 => (s / 3_600, "時間前", "h ago"),
        _ => (s / 86_400, "日前", "days ago"),
    };
    match lang {
        Lang::Ja => format!("{n} {ja}"),
        Lang::En => format!("{n} {en}"),
    }
}

fn stage(stage: Option<Stage>, lang: Lang) -> String {
    match stage {
        None => "–".into(),
        Some(Stage::Rehearsal) => m::STAGE_REHEARSAL.get(lang).to_owned(),
        Some(Stage::Live) => m::STAGE_LIVE.get(lang).to_owned(),
    }
}

/// The page's papers, counts and groups from the standings.
pub fn list(p: Shell, all: &[Standing], paper: Option<ClaimFile>, filter: Filter, now: Time) -> ClaimsPage {
    let lang = p.lang;
    let mut papers: Vec<Paper> = ClaimFile::ALL
        .into_iter()
        .map(|file| Paper {
            slug: file.slug().into(),
            name: short_title(file).into(),
            count: all.iter().filter(|s| s.claim.file == file).count(),
            current: paper == Some(file),
        })
        .collect();
    papers.push(Paper {
        slug: "all".into(),
        name: m::ALL_PAPERS.get(lang).into(),
        count: all.len(),
        current: paper.is_none(),
    });
    let filter = Filter { paper, ..filter };
    let of_paper = Filter { paper, ..Filter::default() };
    let c = Tally::of(all.iter().filter(|s| of_paper.admits(s)), lang);
    let mut groups = Vec::new();
    for area in catalogue::areas() {
        let rows: Vec<ClaimRow> = all
            .iter()
            .filter(|s| s.claim.area == area.id && filter.admits(s))
            .map(|s| {
                let proof = s.proof.as_ref();
                ClaimRow {
                    id: s.claim.id.clone(),
                    says: s.claim.says.get(lang).to_owned(),
                    kind: s.claim.kind.title().get(lang).to_owned(),
                    mark: mark(s.verdict()),
                    stage: stage(proof.and_then(|p| p.stage), lang),
                    age: age(proof.and_then(|p| p.at), now, lang),
                }
            })
            .collect();
        if !rows.is_empty() {
            groups.push(AreaGroup { id: area.id.clone(), title: area.title.get(lang).to_owned(), rows });
        }
    }
    let mut verdicts = vec![Choice::new("", m::ALL.get(lang))];
    verdicts.extend(Verdict::ALL.map(|v| Choice::new(v.name(), mark(v).text.get(lang))));
    let mut kinds = vec![Choice::new("", m::ALL.get(lang))];
    let kind_name = |k: Kind| match k {
        Kind::Enforced => "enforced",
        Kind::Attested => "attested",
        Kind::Inherited => "inherited",
    };
    let every = [Kind::Enforced, Kind::Attested, Kind::Inherited];
    kinds.extend(every.map(|k| Choice::new(kind_name(k), k.title().get(lang))));
    ClaimsPage {
        papers,
        paper: paper.map_or("all", ClaimFile::slug).into(),
        title: paper.map_or_else(|| m::ALL_PAPERS.get(lang).to_owned(), |f| f.title().get(lang).to_owned()),
        c,
        verdicts,
        verdict: filter.verdict.map_or("", Verdict::name).into(),
        kinds,
        kind: filter.kind.map_or("", kind_name).into(),
        groups,
        p,
    }
}

fn short_title(file: ClaimFile) -> &'static str {
    match file {
        ClaimFile::Netmeister => "NetMeister",
        ClaimFile::Mist => "Mist",
        ClaimFile::Moxtra => "Moxtra",
        ClaimFile::Dxsuite => "DX Suite",
        ClaimFile::Idoperation => "iDoperation",
    }
}

/// The page of one claim.
pub fn detail(p: Shell, s: &Standing, now: Time) -> ClaimPage {
    let lang = p.lang;
    let proof = s.proof.as_ref();
    let at = proof.and_then(|p| p.at);
    let text = |t: &Option<Text>| t.as_ref().map(|t| t.get(lang).to_owned());
    ClaimPage {
        id: s.claim.id.clone(),
        paper: s.claim.file.slug().into(),
        paper_title: s.claim.file.title().get(lang).to_owned(),
        says: s.claim.says.get(lang).to_owned(),
        kind: s.claim.kind.title().get(lang).to_owned(),
        area: catalogue::area(&s.claim.area).map_or_else(String::new, |a| a.title.get(lang).to_owned()),
        mark: mark(s.verdict()),
        meaning: meaning(s.verdict()).get(lang).to_owned(),
        at,
        age: age(at, now, lang),
        fresh_until: proof.and_then(|p| p.fresh_until),
        stage: proof.map_or_else(String::new, |p| stage(p.stage, lang)),
        build: proof.and_then(|p| p.build.clone()),
        digest: proof.and_then(|p| p.digest.clone()),
        probe: text(&s.claim.probe),
        note: text(&s.claim.note),
        steps: proof.map(|p| p.steps.clone()).unwrap_or_default(),
        p,
    }
}

/// GET /claims
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let filter = Filter::read(&given);
    // Without a choice: the paper that the policy in force is of.
    let paper = match given.get("paper").and_then(|v| v.as_str()) {
        None => ClaimFile::from_slug(call.arrival.policy.platform.name()),
        Some(slug) => ClaimFile::from_slug(slug),
    };
    let all = standings(&call).await?;
    let p = shell(&call, m::CLAIMS).await?;
    render(StatusCode::OK, &list(p, &all, paper, filter, call.now))
}

/// GET /claims/{claim}
pub async fn show_one(call: Arc<Call>) -> Result<Response, Fault> {
    let found = standing(&call, call.param("claim")).await?;
    let mut p = shell(&call, m::CLAIMS).await?;
    p.title = found.claim.id.clone();
    render(StatusCode::OK, &detail(p, &found, call.now))
}
