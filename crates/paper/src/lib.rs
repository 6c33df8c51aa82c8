//! The white paper: policy and evidence in, HTML or Markdown out. Pure; it reads no clock and no file.
//!
//! Layer L3: may use the kernel alone. The binary gathers the [`Input`].
//!
//! A claim's sentence is printed as a fact only while its evidence is a fresh `holds`. Every other sentence stands
//! behind the mark of its verdict, and a control's paragraph is left out until all that proves it holds.

mod document;
mod html;
mod markdown;
mod standing;
mod words;

use sekisho_kernel::{
    Lang, Policy, RecordDef, Text, Time, Zone,
    claim::{PaperText, Stage, Verdict},
};

pub use html::CONTENT_SECURITY_POLICY;

/// What the paper is written from.
#[derive(Debug)]
pub struct Input<'a> {
    /// The service's name as customers know it.
    pub service: &'a str,
    /// The platform policy in force; `None` writes a paper without data.
    pub policy: Option<&'a Policy>,
    /// What names the build: version and digest of the binary.
    pub build: &'a str,
    /// When the paper is written. Evidence is judged as of then.
    pub at: Time,
    /// The zone in which times are shown.
    pub zone: Zone,
    /// Chapters and areas, in the order in which they are presented.
    pub chapters: Vec<Chapter>,
    /// The published papers whose claims are printed: the profile's own, or all five.
    pub papers: Vec<Source>,
    /// What each control says of itself.
    pub controls: Vec<&'static PaperText>,
    /// The record types of this build.
    pub catalogue: Vec<&'static RecordDef>,
    /// Every place where data is kept or to which it is sent.
    pub places: Vec<Place>,
}

/// A run of areas.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// Heading.
    pub title: Text,
    /// The areas below it.
    pub areas: Vec<Area>,
}

/// A subject that claims belong to.
#[derive(Clone, Debug)]
pub struct Area {
    /// Stable key, as in [`Claim::area`].
    pub id: String,
    /// Heading.
    pub title: Text,
    /// What the area is about; it promises nothing.
    pub intro: Text,
}

/// A published paper and its claims.
#[derive(Clone, Debug)]
pub struct Source {
    /// Title of the published paper.
    pub title: Text,
    /// What its service is.
    pub service: Text,
    /// Its claims, in its order.
    pub claims: Vec<Claim>,
}

/// A claim and what is known of it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Stable id, `NM-01`.
    pub id: String,
    /// The promise.
    pub says: Text,
    /// Who keeps it, in words.
    pub kind: Text,
    /// The area it belongs to.
    pub area: String,
    /// What proves it.
    pub proof: Proof,
}

/// What is known of a claim. Made from evidence by whoever verified its signature.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What the evidence is worth to this build and policy.
    pub verdict: Verdict,
    /// Where the probe ran; for `holds` this must be given.
    pub stage: Option<Stage>,
    /// When it ran, or when people's record was made.
    pub at: Option<Time>,
    /// Until when it counts, or people's record is valid.
    pub fresh_until: Option<Time>,
    /// What names the evidence: its ledger entry, or a record's file.
    pub reference: Option<String>,
    /// Subjects of the claim that do not exist yet (`partly`).
    pub missing: Vec<String>,
}

impl Proof {
    /// Nothing but a verdict: no control keeps the claim yet, or it was never proven here.
    pub const fn bare(verdict: Verdict) -> Self {
        Self { verdict, stage: None, at: None, fresh_until: None, reference: None, missing: Vec::new() }
    }
}

/// A place where data is kept or to which it is sent.
#[derive(Clone, Debug)]
pub struct Place {
    /// What is there: database, objects, key, mail relay.
    pub what: Text,
    /// Where: country, provider, region, in words for customers.
    pub location: Text,
    /// Which data, and how it is protected there.
    pub data: Text,
}

/// The paper's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One self-contained HTML page without script; see [`CONTENT_SECURITY_POLICY`].
    Html,
    /// CommonMark with tables.
    Md,
}

impl Format {
    /// `html` or `md`; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "html" => Some(Self::Html),
            "md" => Some(Self::Md),
            _ => None,
        }
    }
    /// The media type of the result.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Md => "text/markdown; charset=utf-8",
        }
    }
}

/// Writes the paper.
pub fn paper(input: &Input<'_>, lang: Lang, format: Format) -> String {
    let blocks = document::write(input, lang);
    match format {
        Format::Html => html::render(&blocks, lang),
        Format::Md => markdown::render(&blocks),
    }
}
