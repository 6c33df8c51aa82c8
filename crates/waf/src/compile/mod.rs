//! From directives to a program that can be run: rules resolved, operators built once each, variables interned.

mod build;
mod collect;
pub mod fold;
mod grams;
pub mod irregular;
pub mod pattern;
pub mod prefilter;
pub mod signature;
mod syntax;

use crate::engine::{room::Rooms, verdicts::Verdicts};
use crate::{
    Place,
    seclang::{
        OverLimit,
        action::{Mode, Processor, Scope},
        target::Variable,
    },
    transform::{ByteSet, Transformation, meets},
};
use aho_corasick::AhoCorasick;
use pattern::{Completed, Pattern};
use prefilter::Prefilter;
use regex_automata::meta::Regex;
use std::collections::BTreeMap;

pub use build::{Exclusions, build, exclusions, literal};

/// A set of head rules, by index.
pub type HeadSet = Vec<u64>;

/// Whether `set` holds `head`.
pub fn has(set: &[u64], head: usize) -> bool {
    set.get(head >> 6).is_some_and(|w| w >> (head & 63) & 1 == 1)
}

/// Which members of a collection a rule means.
#[derive(Clone, Debug)]
pub enum Members {
    /// All of them.
    All,
    /// The ones of this name, in any case.
    Key(Box<[u8]>),
    /// The ones whose names the pattern finds.
    Pattern(Regex),
    /// One member of a collection that rules write.
    Slot(u16),
    /// Those members that rules write whose names the pattern finds: the ones known while loading, and the pattern for the rest.
    Slots(Vec<u16>, Regex),
}

/// A variable of a rule.
#[derive(Clone, Debug)]
pub struct Target {
    pub variable: Variable,
    pub members: Members,
    pub count: bool,
    /// The interned selection, where the variable is fixed within a phase.
    pub atom: Option<u16>,
}

/// A piece of text completed while running.
#[derive(Clone, Debug)]
pub enum Piece {
    Literal(Box<[u8]>),
    Slot(u16),
    Value(Variable, Option<Box<[u8]>>),
    Rule(Property),
}

/// A property of the running rule.
#[derive(Clone, Copy, Debug)]
pub enum Property {
    Id,
    Msg,
    Severity,
    Rev,
    Ver,
    LogData,
}

/// Text completed while running.
pub type Text = Vec<Piece>;

/// The constant that a text is, if it is one.
pub fn constant(text: &[Piece]) -> Option<&[u8]> {
    match text {
        [] => Some(b""),
        [Piece::Literal(bytes)] => Some(bytes),
        _ => None,
    }
}

/// An operator, ready to run.
#[derive(Debug)]
pub enum Checker {
    Rx(Box<Pattern>),
    RxText(Completed),
    Pm(AhoCorasick),
    Contains(Text),
    ContainsWord(Text),
    BeginsWith(Text),
    EndsWith(Text),
    StrEq(Text),
    Within(Text),
    Number(Order, Text),
    IpMatch(Vec<ipnet::IpNet>),
    DetectSqli,
    DetectXss,
    ValidateByteRange(ByteSet),
    ValidateUrlEncoding,
    ValidateUtf8Encoding,
    GeoLookup,
    /// `@rx ^.*$`: every value, captured whole.
    Whole,
    Always,
    Never,
}

/// A comparison of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
}

/// An operator and its bits in the two prefilters (request, response).
#[derive(Debug)]
pub struct Test {
    pub checker: Checker,
    pub bits: [Option<u16>; 2],
    pub name: String,
    pub operand: String,
}

impl Test {
    /// Operator and operand as written.
    pub fn written(&self, negated: bool) -> String {
        format!("{}@{} {}", if negated { "!" } else { "" }, self.name, self.operand)
    }
}

/// A list of transformations.
#[derive(Clone, Debug)]
pub struct Pipe {
    pub list: Box<[Transformation]>,
    /// Without any of these bytes, the whole list changes nothing.
    pub triggers: ByteSet,
    /// Whether it changes the empty value.
    pub changes_empty: bool,
}

impl Pipe {
    /// Whether the list leaves values alone that have these bytes among them; `empty` when one of them is empty.
    #[inline]
    pub fn keeps(&self, present: &ByteSet, empty: bool) -> bool {
        let changes = meets(present, &self.triggers) || (empty && self.changes_empty);
        !changes
    }
}

/// How a variable that rules write is changed.
#[derive(Clone, Debug)]
pub enum Change {
    Set(Text),
    Add(Text),
    Subtract(Text),
    Unset,
}

/// `setvar`.
#[derive(Clone, Debug)]
pub struct SetVar {
    /// The slot, when the name is constant.
    pub slot: Option<u16>,
    /// The name with its collection's prefix.
    pub name: Text,
    pub change: Change,
}

/// `ctl`.
#[derive(Clone, Debug)]
pub enum Control {
    RuleEngine(Mode),
    RequestBodyAccess(bool),
    ResponseBodyAccess(bool),
    ForceRequestBodyVariable(bool),
    RequestBodyProcessor(Processor),
    RequestBodyLimit(usize),
    ResponseBodyLimit(usize),
    Remove(HeadSet),
    RemoveTargets(HeadSet, Vec<Target>),
}

/// A rule or one link of a chain.
#[derive(Debug)]
pub struct Link {
    pub head: u32,
    pub targets: Vec<Target>,
    pub excluded: Vec<Target>,
    /// Index of the operator; none for `SecAction`.
    pub test: Option<u16>,
    pub negated: bool,
    pub pipe: u16,
    /// With `multiMatch`, the lists of transformations after each step.
    pub steps: Vec<u16>,
    pub capture: bool,
    pub setvars: Vec<SetVar>,
    pub controls: Vec<Control>,
    pub next: Option<u32>,
    /// The interned set of variables and transformations, where the prefilter applies to the whole rule.
    pub group: Option<u16>,
    /// Of such a rule, the pair of each target in order; empty with `multiMatch`.
    pub pairs: Vec<u16>,
}

/// What a full match does.
#[derive(Clone, Debug)]
pub enum Disruption {
    Pass,
    Deny,
    Drop,
    Redirect(Text),
    Allow(Scope),
}

/// What the first link of a rule says about all of it.
#[derive(Debug)]
pub struct Head {
    pub id: u32,
    pub phase: u8,
    pub link: u32,
    pub place: Place,
    pub disruption: Disruption,
    pub status: u16,
    pub log: bool,
    pub msg: Text,
    pub logdata: Option<Text>,
    pub severity: Option<u8>,
    pub tags: Vec<String>,
    pub ver: String,
    pub rev: String,
    pub skip_after: Option<String>,
    pub skip: u32,
}

/// A step of a phase.
#[derive(Clone, Debug)]
pub enum Entry {
    Rule(u32),
    Marker(String),
}

/// Settings that directives made.
#[derive(Clone, Debug)]
pub struct Settings {
    pub mode: Mode,
    pub request_body: bool,
    pub response_body: bool,
    pub request_limit: usize,
    /// Bytes of a body without files: rules see them in many forms, which bounds the memory of a transaction.
    pub no_files_limit: usize,
    pub request_over: OverLimit,
    pub response_limit: usize,
    pub response_over: OverLimit,
    pub body: crate::body::Limits,
    pub mime_types: Vec<String>,
    pub separator: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::On,
            request_body: true,
            response_body: true,
            request_limit: 13_107_200,
            no_files_limit: 1 << 20,
            request_over: OverLimit::Reject,
            response_limit: 524_288,
            response_over: OverLimit::ProcessPartial,
            body: crate::body::Limits::default(),
            mime_types: ["text/plain", "text/html", "text/xml", "application/json"].map(str::to_owned).to_vec(),
            separator: b'&',
        }
    }
}

/// A loaded rule set without its settings per use.
#[derive(Debug)]
pub struct Program {
    pub links: Vec<Link>,
    pub heads: Vec<Head>,
    /// Phases 1 to 5 in file order.
    pub phases: [Vec<Entry>; 5],
    pub tests: Vec<Test>,
    pub pipes: Vec<Pipe>,
    /// Fixed selections of variables, without repetition.
    pub atoms: Vec<(Variable, Members)>,
    /// Selections after transformation, without repetition.
    pub pairs: Vec<(u16, u16)>,
    /// Of each pair the one of the same selection without transformations.
    pub bare_pairs: Vec<u16>,
    /// Sets of pairs, without repetition.
    pub groups: Vec<Vec<u16>>,
    /// Of each group the one of the same selections without transformations.
    pub bare_groups: Vec<u16>,
    /// Names of the members that rules write.
    pub slots: Vec<String>,
    pub slot_index: BTreeMap<String, u16>,
    /// Members that sum up the anomaly of one level.
    pub score_slots: Vec<u16>,
    pub prefilters: [Prefilter; 2],
    /// Memory of finished transactions.
    pub rooms: Rooms,
    /// What earlier transactions found out about header values.
    pub verdicts: Verdicts,
    /// Variables that some rule reads.
    pub used: Vec<bool>,
    pub settings: Settings,
    pub signatures: Vec<String>,
}
