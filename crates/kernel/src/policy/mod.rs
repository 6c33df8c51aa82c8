//! The policy: declared settings, their values, and how a tenant may move them.
//!
//! A control declares its settings as `static`s; the schema is the list of them. A file is parsed once into a
//! [`Policy`]; a request reads one [`Effective`] snapshot from start to end, in which the stricter of platform
//! and tenant is computed at use and never stored.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use ipnet::IpNet;

use crate::{text::Text, time::Zone};

mod problem;
mod read;
mod reference;
mod value;
mod words;

pub use problem::{
    EXTENDS, NOT_ALLOWED, Note, OUT_OF_RANGE, PolicyProblem, SYNTAX, TOO_LARGE, TOO_MANY, UNKNOWN_KEY, UNKNOWN_SECTION,
    WRONG_TYPE, WRONG_UNIT,
};
pub use read::{MOST_BYTES, MOST_DEPTH, Source, read};
pub use reference::{check, explain, json_schema, render};
pub use value::{parse_value, value_from_json, value_to_json};
pub use words::{allowed, movement, spoken};

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number within the bounds, both included.
    Int {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A duration such as `30s`, `30m`, `12h`, `365d`, within the bounds in seconds, both included.
    Span {
        /// Least value in seconds.
        min: u64,
        /// Greatest value in seconds.
        max: u64,
    },
    /// One of the listed words, from least to most strict where the setting moves by strictness.
    Choice(&'static [&'static str]),
    /// Free text of at most this many characters.
    Str {
        /// Greatest number of characters.
        max: usize,
    },
    /// A fixed zone: `UTC`, `JST`, `+09:00`.
    Zone,
    /// A list of IP networks in CIDR form; an empty list admits every address.
    Networks,
    /// A socket address such as `127.0.0.1:8443`; port 0 takes a free one.
    Socket,
    /// A list of socket addresses.
    Sockets,
    /// An `http://` or `https://` origin without path.
    Origin,
    /// A file path; relative ones start at the policy file's folder.
    Path,
    /// A list of texts.
    List,
}

/// How a tenant may move a setting. The stricter of platform and tenant holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// Not at all.
    Fixed,
    /// Not at all, and no tenant is shown it: where the installation lies, what it listens on, what it can bear.
    Inner,
    /// The smaller of the two (a shorter idle time, fewer tries); for choices the earlier word. A duration that may
    /// be zero reads zero as "no end", the loosest value.
    Min,
    /// The greater of the two (a longer password); for choices the later word; for `Bool`, `true` wins.
    Max,
    /// A subset of the platform's (networks inside the platform's networks, items of the platform's list). An empty list
    /// of the platform admits every item.
    Subset,
    /// The tenant's own list holds beside the platform's. What it may hold, the control decides where it is set.
    Beside,
}

/// A default value, constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Default {
    /// For [`Kind::Bool`].
    Bool(bool),
    /// For [`Kind::Int`].
    Int(i64),
    /// For [`Kind::Span`], in seconds.
    Secs(u64),
    /// For every kind written as one text.
    Str(&'static str),
    /// For every kind written as a list.
    List(&'static [&'static str]),
}

/// One setting: a leaf `section.key` of the policy file.
#[derive(Debug)]
pub struct Setting {
    /// `section.key`, snake_case. The section is the control's name.
    pub key: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// The safe default.
    pub default: Default,
    /// How a tenant may move it.
    pub tenant: Movement,
    /// What it does, one or two sentences; the reference and the console show it.
    pub doc: Text,
}

/// A value of a setting, parsed.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// See [`Kind::Bool`].
    Bool(bool),
    /// See [`Kind::Int`].
    Int(i64),
    /// See [`Kind::Span`], whole seconds.
    Span(Duration),
    /// See [`Kind::Choice`], [`Kind::Str`], [`Kind::Zone`], [`Kind::Socket`], [`Kind::Origin`], [`Kind::Path`].
    Str(String),
    /// See [`Kind::List`], [`Kind::Sockets`].
    List(Vec<String>),
    /// See [`Kind::Networks`].
    Networks(Vec<IpNet>),
}

impl From<Default> for Value {
    fn from(d: Default) -> Self {
        match d {
            Default::Bool(b) => Self::Bool(b),
            Default::Int(n) => Self::Int(n),
            Default::Secs(s) => Self::Span(Duration::from_secs(s)),
            Default::Str(s) => Self::Str(s.to_owned()),
            Default::List(l) => Self::List(l.iter().map(|s| (*s).to_owned()).collect()),
        }
    }
}

impl Setting {
    /// The default as a value of the setting's kind.
    pub fn default_value(&self) -> Value {
        match (self.kind, self.default) {
            (Kind::Networks, Default::List(l)) => Value::Networks(l.iter().filter_map(|s| s.parse().ok()).collect()),
            (_, d) => d.into(),
        }
    }
}

/// Every setting there is: those of the controls and those of the door, store and keys.
#[derive(Clone, Debug)]
pub struct Schema {
    settings: Arc<BTreeMap<&'static str, &'static Setting>>,
}

impl Schema {
    /// From the declared settings. A key declared twice is a defect and stops the process at start.
    pub fn new(settings: impl IntoIterator<Item = &'static Setting>) -> Self {
        let mut map = BTreeMap::new();
        for s in settings {
            assert!(map.insert(s.key, s).is_none(), "the setting {} is declared twice", s.key);
        }
        Self { settings: Arc::new(map) }
    }
    /// All settings by key order.
    pub fn iter(&self) -> impl Iterator<Item = &'static Setting> + '_ {
        self.settings.values().copied()
    }
    /// The setting with this key.
    pub fn get(&self, key: &str) -> Option<&'static Setting> {
        self.settings.get(key).copied()
    }
}

/// A whole platform policy, every setting with a value. Made by [`read`] or [`Policy::defaults`].
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    schema: Schema,
    values: BTreeMap<&'static str, Value>,
    folder: Option<PathBuf>,
}

impl Policy {
    /// Safe defaults only.
    pub fn defaults(schema: &Schema) -> Self {
        Self { name: "defaults".into(), schema: schema.clone(), values: BTreeMap::new(), folder: None }
    }
    /// A copy with one value set; the caller has checked it against the setting's kind.
    #[must_use]
    pub fn with(mut self, setting: &'static Setting, value: Value) -> Self {
        self.values.insert(setting.key, value);
        self
    }
    /// A copy under another name (a profile's name, or the file's `name`).
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
    /// A copy whose relative paths start from `folder`, that of the policy's file. The digest does not depend on it.
    #[must_use]
    pub fn beside(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }
    /// The file that a [`Kind::Path`] setting names, a relative one below the policy's folder; empty when it names none.
    pub fn path(&self, setting: &'static Setting) -> String {
        let Value::Str(named) = self.value(setting) else { return String::new() };
        match &self.folder {
            Some(folder) if !named.is_empty() => folder.join(named).to_string_lossy().into_owned(),
            _ => named,
        }
    }
    /// The policy's name, such as `netmeister`.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The schema it was read under.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }
    /// The platform's value.
    pub fn value(&self, setting: &'static Setting) -> Value {
        self.values.get(setting.key).cloned().unwrap_or_else(|| setting.default_value())
    }
    /// Whether the file (or a profile it extends) sets the value itself.
    pub fn is_set(&self, setting: &'static Setting) -> bool {
        self.values.contains_key(setting.key)
    }
    /// SHA-256 over every setting's key and value in key order, lower-case hex: what evidence names.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for s in self.schema.iter() {
            text.push_str(&format!("{}={}\n", s.key, show(&self.value(s))));
        }
        hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()))
    }
}

/// A value as the policy file would write it.
pub fn show(value: &Value) -> String {
    let quoted = |items: &mut dyn Iterator<Item = String>| {
        format!("[{}]", items.map(|s| words::quote(&s)).collect::<Vec<_>>().join(", "))
    };
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Span(d) => words::quote(&show_span(*d)),
        Value::Str(s) => words::quote(s),
        Value::List(l) => quoted(&mut l.iter().cloned()),
        Value::Networks(l) => quoted(&mut l.iter().map(ToString::to_string)),
    }
}

/// `30m`, `365d`: the largest unit that divides the span.
pub fn show_span(span: Duration) -> String {
    let s = span.as_secs();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if s > 0 && s.is_multiple_of(size) {
            return format!("{}{unit}", s / size);
        }
    }
    format!("{s}s")
}

/// What one tenant has set for itself. Stored as given; never merged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantSettings {
    values: BTreeMap<String, Value>,
}

impl TenantSettings {
    /// Sets or (with `None`) clears one value; the caller has checked it against kind and movement.
    pub fn set(&mut self, setting: &'static Setting, value: Option<Value>) {
        match value {
            Some(v) => self.values.insert(setting.key.to_owned(), v),
            None => self.values.remove(setting.key),
        };
    }
    /// The tenant's own value, if any.
    pub fn get(&self, setting: &'static Setting) -> Option<&Value> {
        self.values.get(setting.key)
    }
}

/// The policy one request sees: platform and tenant together, the stricter computed at use.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The platform's policy.
    pub platform: Arc<Policy>,
    /// The tenant's settings.
    pub tenant: Arc<TenantSettings>,
    /// False only in a rehearsal that has taken the floor out: then the tenant's value wins as it stands.
    floor: bool,
}

impl Effective {
    /// The platform's policy alone.
    pub fn platform(policy: Arc<Policy>) -> Self {
        Self { platform: policy, tenant: Arc::default(), floor: true }
    }
    /// Platform and tenant.
    pub const fn new(platform: Arc<Policy>, tenant: Arc<TenantSettings>) -> Self {
        Self { platform, tenant, floor: true }
    }
    /// A copy in which a tenant's value replaces the platform's, stricter or not.
    #[must_use]
    pub fn without_floor(mut self, out: crate::rehearsal::TakenOut) -> Self {
        self.floor = !matches!(out, crate::rehearsal::TakenOut::PolicyFloor);
        self
    }
    /// The value in force.
    pub fn value(&self, setting: &'static Setting) -> Value {
        let platform = self.platform.value(setting);
        match self.tenant.get(setting) {
            Some(own) if !self.floor => own.clone(),
            Some(own) => stricter(setting, platform, own),
            None => platform,
        }
    }
    /// A `Bool` setting's value in force.
    pub fn bool(&self, setting: &'static Setting) -> bool {
        matches!(self.value(setting), Value::Bool(true))
    }
    /// An `Int` setting's value in force.
    pub fn int(&self, setting: &'static Setting) -> i64 {
        match self.value(setting) {
            Value::Int(n) => n,
            _ => unreachable!("{} is an integer by declaration", setting.key),
        }
    }
    /// A `Span` setting's value in force.
    pub fn span(&self, setting: &'static Setting) -> Duration {
        match self.value(setting) {
            Value::Span(d) => d,
            _ => unreachable!("{} is a duration by declaration", setting.key),
        }
    }
    /// The value in force of a setting written as one text.
    pub fn str(&self, setting: &'static Setting) -> String {
        match self.value(setting) {
            Value::Str(s) => s,
            _ => unreachable!("{} is a text by declaration", setting.key),
        }
    }
    /// The file that a [`Kind::Path`] setting of the platform names: see [`Policy::path`].
    pub fn path(&self, setting: &'static Setting) -> String {
        self.platform.path(setting)
    }
    /// The value in force of a `List` or `Sockets` setting.
    pub fn list(&self, setting: &'static Setting) -> Vec<String> {
        match self.value(setting) {
            Value::List(l) => l,
            _ => unreachable!("{} is a list by declaration", setting.key),
        }
    }
    /// The value in force of a `Networks` setting.
    pub fn networks(&self, setting: &'static Setting) -> Vec<IpNet> {
        match self.value(setting) {
            Value::Networks(n) => n,
            _ => unreachable!("{} is a list of networks by declaration", setting.key),
        }
    }
    /// The value in force of a `Zone` setting.
    pub fn zone(&self, setting: &'static Setting) -> Zone {
        Zone::parse(&self.str(setting)).unwrap_or_else(Zone::utc)
    }
}

/// The stricter of the platform's value and the tenant's, by the setting's movement. A tenant's value of
/// another type than the platform's is ignored.
pub fn stricter(setting: &'static Setting, platform: Value, own: &Value) -> Value {
    use std::cmp::{max, min};
    match (setting.tenant, platform, own) {
        (Movement::Min, Value::Int(p), Value::Int(t)) => Value::Int(min(p, *t)),
        (Movement::Max, Value::Int(p), Value::Int(t)) => Value::Int(max(p, *t)),
        (Movement::Min, Value::Span(p), Value::Span(t)) => Value::Span(match (p.is_zero(), t.is_zero()) {
            (true, _) => *t,
            (_, true) => p,
            _ => min(p, *t),
        }),
        (Movement::Max, Value::Span(p), Value::Span(t)) => Value::Span(max(p, *t)),
        (Movement::Max, Value::Bool(p), Value::Bool(t)) => Value::Bool(p || *t),
        (Movement::Min, Value::Bool(p), Value::Bool(t)) => Value::Bool(p && *t),
        (m @ (Movement::Min | Movement::Max), Value::Str(p), Value::Str(t)) => {
            let Kind::Choice(words) = setting.kind else { return Value::Str(p) };
            let rank = |w: &str| words.iter().position(|x| *x == w);
            let tenants = match (rank(&p), rank(t), m) {
                (Some(a), Some(b), Movement::Min) => b < a,
                (Some(a), Some(b), _) => b > a,
                _ => false,
            };
            Value::Str(if tenants { t.clone() } else { p })
        }
        (Movement::Subset, Value::Networks(p), Value::Networks(t)) => {
            if p.is_empty() {
                return Value::Networks(t.clone());
            }
            let inside: Vec<IpNet> = t.iter().filter(|n| p.iter().any(|q| q.contains(*n))).copied().collect();
            // A list that lies wholly outside the platform's must not turn into "every address".
            Value::Networks(if inside.is_empty() { p } else { inside })
        }
        (Movement::Beside, Value::Networks(mut p), Value::Networks(t)) => {
            p.extend(t.iter().filter(|n| !p.contains(n)).copied().collect::<Vec<_>>());
            Value::Networks(p)
        }
        (Movement::Beside, Value::List(mut p), Value::List(t)) => {
            p.extend(t.iter().filter(|x| !p.contains(x)).cloned().collect::<Vec<_>>());
            Value::List(p)
        }
        (Movement::Subset, Value::List(p), Value::List(t)) => {
            if p.is_empty() {
                return Value::List(t.clone());
            }
            let inside: Vec<String> = t.iter().filter(|one| p.contains(one)).cloned().collect();
            // As with networks: nothing in common must not turn into "everything".
            Value::List(if inside.is_empty() { p } else { inside })
        }
        (_, p, _) => p,
    }
}

/// Whether a tenant's value would loosen the platform's: then it is refused when it is set.
pub fn loosens(setting: &'static Setting, platform: &Value, own: &Value) -> bool {
    match setting.tenant {
        Movement::Fixed | Movement::Inner => true,
        Movement::Beside => false,
        _ => stricter(setting, platform.clone(), own) != *own,
    }
}
