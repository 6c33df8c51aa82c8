//! The firewall: loaded rule sets, the one in force, and what each request is examined with.
//!
//! The rules come from the product itself, from a folder that the policy names, or from a signed feed. A set is put in force
//! only when it loads, passes its own tests and still tells plain attacks from ordinary requests; whatever fails leaves the set
//! before it in force. Requests under way keep the set they began with.

pub mod archive;
pub(crate) mod examine;
mod feed;
mod kept;
pub(crate) mod phase;
mod secrets;
mod selfcheck;
pub mod sources;
pub mod words;

use std::{
    borrow::Cow,
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
};

use sekisho_kernel::{
    Effective, Policy, Problem, TakenOut, Time,
    gate::{FirewallExclusion, FirewallMode, FirewallRule, FirewallRules, FirewallSource, Gates},
    percent,
    time::SharedClock,
};
use sekisho_waf::{Exclusion, Mode, Options, RuleSet, Transaction, Which};
use tokio::sync::Semaphore;

pub use examine::shown;
pub use feed::{Fetched, Refusal};
pub use kept::{Change, Finding, Replay, Replayed};

use crate::problems;

/// Sets ready for use under some settings, kept for each loaded set.
const MOST_USES: usize = 256;
/// A tenant's own exclusion that would count for longer does not count at all.
const LONGEST_OWN: std::time::Duration = std::time::Duration::from_secs(92 * 86_400);
/// Members of `TX` that the policy decides.
const PINS: [&str; 4] =
    ["blocking_paranoia_level", "detection_paranoia_level", "inbound_anomaly_score_threshold", "paranoia_level"];

/// Where a rule set came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the product.
    Base,
    /// From the folder that the policy names.
    Folder,
    /// From the feed.
    Feed,
}

impl Origin {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Folder => "folder",
            Self::Feed => "feed",
        }
    }
}

/// What is known of a rule set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetInfo {
    /// `OWASP_CRS/4.28.0` and the like.
    pub name: String,
    /// The feed's number; 0 for other origins.
    pub version: u64,
    /// Where it came from.
    pub origin: Origin,
    /// When it was made: the feed's date, the newest file of a folder, the release of the product.
    pub made: Time,
    /// When it was put in force here.
    pub loaded: Time,
    /// How many rules it has.
    pub rules: usize,
    /// How many of its own tests it has passed.
    pub tests: usize,
}

/// How a set is used for a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Use {
    mode: FirewallMode,
    paranoia: u8,
    threshold: u32,
    exclusions: Vec<String>,
}

/// A loaded set and what has been derived from it.
#[derive(Debug)]
pub(crate) struct Loaded {
    set: RuleSet,
    pins: Vec<&'static str>,
    uses: Mutex<HashMap<Use, Arc<RuleSet>>>,
    pub info: SetInfo,
}

impl Loaded {
    fn new(set: RuleSet, info: SetInfo) -> Self {
        let known = |name: &&str| {
            let options = Options { tx: vec![((*name).to_owned(), "1".to_owned())], ..Options::default() };
            set.with(&options).is_ok()
        };
        let pins = PINS.into_iter().filter(known).collect();
        Self { set, pins, uses: Mutex::default(), info }
    }

    fn options(&self, used: &Use, exclusions: Vec<Exclusion>) -> Options {
        let tx = self.pins.iter().map(|name| {
            let value = if *name == PINS[2] { used.threshold.to_string() } else { used.paranoia.to_string() };
            ((*name).to_owned(), value)
        });
        let mode = match used.mode {
            FirewallMode::Off => Mode::Off,
            FirewallMode::Detect => Mode::DetectionOnly,
            FirewallMode::On => Mode::On,
        };
        Options { mode: Some(mode), tx: tx.collect(), exclusions, plain: false }
    }

    /// The set under a rule, for a path at a moment. `None`: nothing is looked at there.
    fn under(&self, rule: &FirewallRule, path: &str, now: Time) -> Option<Arc<RuleSet>> {
        let path = clear(path);
        let (mode, paranoia) = rule.at(path.as_deref());
        if mode == FirewallMode::Off {
            return None;
        }
        let counts = |e: &&FirewallExclusion| {
            e.until > now
                && path.as_deref().unwrap_or("/").starts_with(&e.path)
                && !(e.own && e.until.since(now) > LONGEST_OWN)
        };
        let live: Vec<&FirewallExclusion> = rule.exclusions.iter().filter(counts).collect();
        let exclusions = live.iter().map(|e| e.text.clone()).collect();
        let used = Use { mode, paranoia, threshold: rule.threshold, exclusions };
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = uses.get(&used) {
            return Some(set.clone());
        }
        let mut meant = Vec::new();
        for exclusion in live {
            let one = exclusion_of(exclusion);
            // An exclusion that means nothing in this set leaves the rule as strict as it is.
            match self.set.with(&Options { exclusions: vec![one.clone()], ..Options::default() }) {
                Ok(_) => meant.push(one),
                Err(error) => {
                    tracing::warn!(%error, exclusion = exclusion.text, "an exclusion means nothing in this rule set")
                }
            }
        }
        let set = match self.set.with(&self.options(&used, meant)) {
            Ok(set) => Arc::new(set),
            Err(error) => {
                tracing::error!(%error, "the rule set cannot be used with the policy's settings; its own hold");
                let own = Options { mode: self.options(&used, Vec::new()).mode, ..Options::default() };
                Arc::new(self.set.with(&own).ok()?)
            }
        };
        if uses.len() >= MOST_USES {
            uses.clear();
        }
        uses.insert(used, set.clone());
        Some(set)
    }
}

/// The path that the policy's prefixes are compared with, decoded. `None` for one out of which an application may read
/// another: a looser rule of one place must not be reached from another place by writing the path differently.
pub(crate) fn clear(path: &str) -> Option<Cow<'_, str>> {
    let plain = if path.contains('%') { Cow::Owned(percent::decode(path)?) } else { Cow::Borrowed(path) };
    let odd = plain.contains(['\\', '%', ';']) || plain.contains("//") || plain.chars().any(char::is_control);
    let moves = plain.split('/').any(|segment| segment == "." || segment == "..");
    (!odd && !moves).then_some(plain)
}

fn exclusion_of(exclusion: &FirewallExclusion) -> Exclusion {
    let rules = match &exclusion.rules {
        FirewallRules::Id(id) => Which::Ids(vec![(*id, *id)]),
        FirewallRules::Tag(tag) => {
            let quoted: String =
                tag.chars().flat_map(|c| if c.is_alphanumeric() { vec![c] } else { vec!['\\', c] }).collect();
            Which::Tag(format!("^{quoted}$"))
        }
    };
    Exclusion { rules, targets: exclusion.targets.clone() }
}

/// Is told of every transaction at its end, with all its matches, nothing masked.
pub type Watcher = Box<dyn Fn(&Transaction) + Send + Sync>;

/// The rule sets of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Firewall(Arc<Inner>);

struct Inner {
    gates: Arc<dyn Gates>,
    clock: SharedClock,
    home: PathBuf,
    out: Option<TakenOut>,
    source: Mutex<FirewallSource>,
    current: RwLock<Arc<Loaded>>,
    kept: kept::Kept,
    /// Trials of a setting take a thread for a while: one at a time.
    trials: Arc<Semaphore>,
    watcher: OnceLock<Watcher>,
    feed: Mutex<feed::Memory>,
}

/// What a firewall is made of.
pub struct Parts {
    /// The controls' decisions.
    pub gates: Arc<dyn Gates>,
    /// The clock.
    pub clock: SharedClock,
    /// The folder in which the newest accepted set of the feed is kept.
    pub home: PathBuf,
}

impl Firewall {
    /// Loads the rules that the policy names. A set that is not sound does not start.
    ///
    /// # Errors
    /// `RULES_UNUSABLE`, with the file and line.
    pub fn open(parts: Parts, policy: &Arc<Policy>) -> Result<Self, Problem> {
        Self::start(parts, policy, None)
    }

    /// The same for a rehearsal, with [`TakenOut::FeedSignature`] perhaps really gone.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn rehearse(parts: Parts, policy: &Arc<Policy>, out: Option<TakenOut>) -> Result<Self, Problem> {
        Self::start(parts, policy, out)
    }

    fn start(parts: Parts, policy: &Arc<Policy>, out: Option<TakenOut>) -> Result<Self, Problem> {
        let source = parts.gates.firewall_source(&Effective::platform(policy.clone()));
        let now = parts.clock.now();
        let loaded = sources::load(&source, now)?;
        check_exclusions(&loaded, &*parts.gates, policy)?;
        let firewall = Self(Arc::new(Inner {
            gates: parts.gates,
            clock: parts.clock,
            home: parts.home,
            out,
            source: Mutex::new(source),
            current: RwLock::new(Arc::new(loaded)),
            kept: kept::Kept::default(),
            trials: Arc::new(Semaphore::new(1)),
            watcher: OnceLock::new(),
            feed: Mutex::default(),
        }));
        firewall.take_up_accepted();
        Ok(firewall)
    }

    /// Has every transaction told to a watcher before its answer leaves: for a rule set's own tests, sent through a door. The
    /// first watcher stays.
    pub fn watch(&self, watcher: Watcher) {
        let _ = self.0.watcher.set(watcher);
    }

    /// Ends a transaction with its last phase, if anybody watches.
    pub(crate) fn ended(&self, transaction: &mut Transaction) {
        if let Some(watcher) = self.0.watcher.get() {
            transaction.finish();
            watcher(transaction);
        }
    }

    pub(crate) fn current(&self) -> Arc<Loaded> {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn source(&self) -> FirewallSource {
        self.0.source.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The set in force.
    pub fn info(&self) -> SetInfo {
        self.current().info.clone()
    }

    /// What a rule of the set in force says of its matches; empty for one that is not in it.
    pub fn message(&self, rule: u32) -> String {
        self.current().set.rules().find(|r| r.id == rule).map_or_else(String::new, |r| r.message)
    }

    /// The age from which a set is out of date, by the policy.
    pub fn max_age(&self) -> std::time::Duration {
        self.source().max_age
    }

    /// How many exclusions a tenant may have of its own.
    pub fn tenant_exclusions(&self) -> u32 {
        self.source().tenant_exclusions
    }

    /// The clock's reading.
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// Whether the policy names a feed.
    pub fn has_feed(&self) -> bool {
        !self.source().feed.is_empty()
    }

    /// Takes a new policy up: other rules are loaded and put in force. On an error the set in force stays.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn reload(&self, policy: &Arc<Policy>) -> Result<(), Problem> {
        let source = self.0.gates.firewall_source(&Effective::platform(policy.clone()));
        let old = self.source();
        if source.rules == old.rules && source.own == old.own && source.rules.is_empty() && source.own.is_empty() {
            check_exclusions(&self.current(), &*self.0.gates, policy)?;
        } else {
            let loaded = sources::load(&source, self.0.clock.now())?;
            check_exclusions(&loaded, &*self.0.gates, policy)?;
            self.swap(loaded);
        }
        let another_feed = source.feed_key != old.feed_key;
        *self.0.source.lock().unwrap_or_else(PoisonError::into_inner) = source;
        if another_feed || self.info().origin != Origin::Feed {
            self.take_up_accepted();
        }
        Ok(())
    }

    fn swap(&self, loaded: Loaded) -> Arc<Loaded> {
        let mut current = self.0.current.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, Arc::new(loaded))
    }

    fn put_back(&self, before: Arc<Loaded>) {
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = before;
    }
}

/// The platform's exclusions must mean something in the set.
fn check_exclusions(loaded: &Loaded, gates: &dyn Gates, policy: &Arc<Policy>) -> Result<(), Problem> {
    for exclusion in gates.firewall(&Effective::platform(policy.clone())).exclusions {
        let options = Options { exclusions: vec![exclusion_of(&exclusion)], ..Options::default() };
        if let Err(error) = loaded.set.with(&options) {
            let text = format!("{}: {}", exclusion.text, error.reason);
            return Err(Problem::new(&problems::RULES_UNUSABLE)
                .at("waf.exclusions")
                .detail(sekisho_kernel::Text::owned(text.clone(), text)));
        }
    }
    Ok(())
}
