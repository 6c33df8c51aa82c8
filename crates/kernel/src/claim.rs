//! Claims, probes, and what a proof found.

use async_trait::async_trait;

use crate::{policy::Setting, rehearsal::TakenOut, text::Text, world::World};

/// What a proof says of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every clause ran, every step came out as expected, at least one positive step among them.
    Holds,
    /// A forbidden thing was possible.
    Broken,
    /// The evidence is too old, or of another build or policy.
    Stale,
    /// An error, a time-out, or a clause that did not run.
    Unknown,
    /// What exists is kept; a subject of the claim does not exist yet.
    Partly,
    /// No control keeps it yet.
    #[serde(rename = "not kept yet")]
    NotKeptYet,
    /// Never proven here.
    #[serde(rename = "not proven")]
    NotProven,
    /// People's evidence, valid until its date.
    Attested,
    /// People's evidence, overdue.
    Lapsed,
}

impl Verdict {
    /// All verdicts, in the order of summaries.
    pub const ALL: [Self; 9] = [
        Self::Holds,
        Self::Broken,
        Self::Stale,
        Self::Unknown,
        Self::Partly,
        Self::NotKeptYet,
        Self::NotProven,
        Self::Attested,
        Self::Lapsed,
    ];
    /// The stable name, as in `--json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Broken => "broken",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
            Self::Partly => "partly",
            Self::NotKeptYet => "not kept yet",
            Self::NotProven => "not proven",
            Self::Attested => "attested",
            Self::Lapsed => "lapsed",
        }
    }
    /// Its name for people.
    pub const fn text(self) -> Text {
        match self {
            Self::Holds => Text::new("確認済み", "Holds"),
            Self::Broken => Text::new("不成立", "Broken"),
            Self::Stale => Text::new("証跡が古い", "Stale"),
            Self::Unknown => Text::new("判定不能", "Unknown"),
            Self::Partly => Text::new("一部確認", "Partly"),
            Self::NotKeptYet => Text::new("未対応", "Not kept yet"),
            Self::NotProven => Text::new("未検証", "Not proven"),
            Self::Attested => Text::new("記録により確認", "Attested"),
            Self::Lapsed => Text::new("期限切れ", "Lapsed"),
        }
    }
}

/// Where a probe ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// A scratch instance with a movable clock.
    Rehearsal,
    /// The serving instance, through its own front door.
    Live,
}

/// What kind of step it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// The allowed thing succeeds. Without one nothing holds.
    Positive,
    /// The forbidden thing is tried and must not succeed.
    Forbidden,
    /// A place or interface that a probe would search and that does not exist yet; does not lower the verdict.
    Absent,
    /// A subject of the claim itself that does not exist yet; the verdict is at best `partly`.
    Missing,
}

/// How a step came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepResult {
    /// As it must.
    Pass,
    /// The opposite: the claim is broken.
    Fail,
    /// It could not be run (an error, a time-out).
    Error,
}

/// One step of a proof: what was tried, expected and seen.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Step {
    /// Which clause of the claim's `probe` text it runs, from [`ClaimSpec::clauses`].
    pub clause: String,
    /// Its kind.
    pub kind: StepKind,
    /// What was tried.
    pub tried: String,
    /// What must be seen.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// How it came out.
    pub result: StepResult,
}

/// What a probe found. Built step by step; the verdict follows from the steps and the spec's clauses alone.
#[derive(Clone, Debug, Default)]
pub struct Finding {
    /// The steps in the order in which they ran.
    pub steps: Vec<Step>,
}

impl Finding {
    /// Adds a positive step: passes when `ok`; a positive step that does not come out is an error of the probe's
    /// world, never proof of a broken claim.
    pub fn positive(
        &mut self,
        clause: &str,
        tried: impl Into<String>,
        expected: impl Into<String>,
        seen: impl Into<String>,
        ok: bool,
    ) {
        let result = if ok { StepResult::Pass } else { StepResult::Error };
        self.push(clause, StepKind::Positive, tried.into(), expected.into(), seen.into(), result);
    }
    /// Adds a forbidden step: fails (the claim is broken) unless `ok`.
    pub fn forbidden(
        &mut self,
        clause: &str,
        tried: impl Into<String>,
        expected: impl Into<String>,
        seen: impl Into<String>,
        ok: bool,
    ) {
        let result = if ok { StepResult::Pass } else { StepResult::Fail };
        self.push(clause, StepKind::Forbidden, tried.into(), expected.into(), seen.into(), result);
    }
    /// Names a place or interface that does not exist yet.
    pub fn absent(&mut self, clause: &str, what: impl Into<String>) {
        let what = what.into();
        self.push(
            clause,
            StepKind::Absent,
            what,
            "nothing to search".into(),
            "does not exist in this build".into(),
            StepResult::Pass,
        );
    }
    /// Names a subject of the claim that does not exist yet.
    pub fn missing(&mut self, clause: &str, what: impl Into<String>) {
        let what = what.into();
        self.push(
            clause,
            StepKind::Missing,
            what,
            "a subject to try".into(),
            "does not exist in this build".into(),
            StepResult::Pass,
        );
    }
    /// Adds a step that could not be run.
    pub fn error(&mut self, clause: &str, tried: impl Into<String>, seen: impl Into<String>) {
        self.push(clause, StepKind::Forbidden, tried.into(), "an answer".into(), seen.into(), StepResult::Error);
    }
    fn push(
        &mut self,
        clause: &str,
        kind: StepKind,
        tried: String,
        expected: String,
        seen: String,
        result: StepResult,
    ) {
        self.steps.push(Step { clause: clause.to_owned(), kind, tried, expected, seen, result });
    }
    /// The verdict over all steps for a claim with these clauses.
    pub fn verdict(&self, clauses: &[&str]) -> Verdict {
        let any = |r: StepResult| self.steps.iter().any(|s| s.result == r);
        let positive = self.steps.iter().any(|s| s.kind == StepKind::Positive && s.result == StepResult::Pass);
        if any(StepResult::Fail) {
            return Verdict::Broken;
        }
        let all_ran = clauses.iter().all(|c| self.steps.iter().any(|s| s.clause == *c));
        if any(StepResult::Error) || !all_ran || !positive {
            return Verdict::Unknown;
        }
        if self.steps.iter().any(|s| s.kind == StepKind::Missing) { Verdict::Partly } else { Verdict::Holds }
    }
}

/// A control's promise to keep a catalogued claim: the probe's clauses, how long its evidence stays fresh, and what
/// a negative control takes out.
#[derive(Debug)]
pub struct ClaimSpec {
    /// The claim's id in the catalogue.
    pub id: &'static str,
    /// One short name for each clause of the claim's `probe` text; a clause without a step makes it `unknown`.
    pub clauses: &'static [&'static str],
    /// Seconds for which a finding stays fresh.
    pub fresh_secs: u64,
    /// What the negative control takes out.
    pub negative: TakenOut,
    /// The clause whose forbidden step must fail then.
    pub negative_clause: &'static str,
    /// Whether the probe may run against a serving instance: it does no harm and needs no movable clock.
    pub live: bool,
}

/// A probe: tries the forbidden thing and looks from outside at what really happened.
#[async_trait]
pub trait Probe: Send + Sync {
    /// The claim it proves.
    fn spec(&self) -> &'static ClaimSpec;
    /// Runs every clause. An `Err` (the world did not answer) makes the verdict `unknown`.
    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble>;
}

/// Why a probe could not look: an error or a time-out of the world, never a verdict.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Trouble {
    /// From any error, with what was being done.
    pub fn of(doing: &str, error: impl std::fmt::Display) -> Self {
        Self(format!("{doing}: {error}"))
    }
}

/// The text a control contributes to the white paper. `{settings.key}` is replaced by the value in force.
#[derive(Debug)]
pub struct PaperText {
    /// Heading.
    pub heading: Text,
    /// Paragraphs, each tied to the claims that prove it: printed as fact only while every one holds.
    pub paragraphs: &'static [(&'static [&'static str], Text)],
}

/// One control: one folder in `controls`.
pub trait Control: Send + Sync {
    /// The policy section's name.
    fn section(&self) -> &'static str;
    /// One sentence for people.
    fn text(&self) -> Text;
    /// Its settings.
    fn settings(&self) -> &'static [&'static Setting];
    /// Its probes, one for each claim it keeps.
    fn probes(&self) -> Vec<Box<dyn Probe>>;
    /// Its part of the paper.
    fn paper(&self) -> &'static PaperText;
}
