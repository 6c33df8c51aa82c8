//! A loaded set of rules.

use crate::{
    Explanation, LoadError, Outcome, Place, Transaction,
    compile::{self, Checker, Program, fold::Plan},
    engine::{self, Client, RequestHead, state::Written},
    seclang::{self, Files, Parsed, Which, action::Mode},
};
use std::sync::Arc;

/// How a rule set is used: settings of a tenant or path over one loaded set.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Instead of `SecRuleEngine`.
    pub mode: Option<Mode>,
    /// Members of `TX` that the rules cannot change, such as `blocking_paranoia_level`.
    pub tx: Vec<(String, String)>,
    /// Rules left out, or parts of messages that rules do not look at: the answer to a false positive.
    pub exclusions: Vec<Exclusion>,
    /// Runs every rule on every value, for comparison with the fast way. The verdicts are the same.
    pub plain: bool,
}

impl Options {
    /// The Core Rule Set at a paranoia level, 1 to 4, for blocking and detection both.
    #[must_use]
    pub fn paranoia(level: u8) -> Self {
        let names = ["blocking_paranoia_level", "detection_paranoia_level"];
        Self { tx: names.map(|n| (n.to_owned(), level.clamp(1, 4).to_string())).to_vec(), ..Self::default() }
    }
}

/// Rules that do not run, or do not look at something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The rules.
    pub rules: Which,
    /// What they do not look at, as in SecLang without `!`: `ARGS:comment`, `REQUEST_COOKIES:/^_ga/`, several apart by `|`.
    /// None: they do not run at all.
    pub targets: Option<String>,
}

/// What a rule says about itself.
#[derive(Clone, Debug)]
pub struct RuleInfo<'a> {
    /// The rule's id.
    pub id: u32,
    /// The phase, 1 to 5.
    pub phase: u8,
    /// The constant parts of `msg`.
    pub message: String,
    /// 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// The paranoia level at which the Core Rule Set has it, 1 to 4.
    pub level: Option<u8>,
    /// `tag`.
    pub tags: &'a [String],
    /// Whether its matches are reported; others only steer.
    pub logged: bool,
    /// File and line.
    pub place: &'a Place,
}

/// Sizes of a loaded set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Rules, a chain counted once.
    pub rules: usize,
    /// Rules decided while loading, for these options.
    pub decided: usize,
    /// Distinct patterns.
    pub patterns: usize,
    /// Patterns that the literal automaton filters.
    pub filtered: usize,
    /// Bytes of the compiled patterns and automata, without caches that grow in use.
    pub bytes: usize,
}

/// A loaded set of rules. Cheap to use with other [`Options`]: the compiled patterns are shared.
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) program: Arc<Program>,
    pub(crate) plan: Plan,
    pub(crate) options: Options,
    left_to_host: Arc<[(Place, String)]>,
}

impl RuleSet {
    /// Loads `path` and what it includes.
    ///
    /// # Errors
    /// The first directive that cannot be carried out, with file and line.
    pub fn load(files: &mut dyn Files, path: &str, options: &Options) -> Result<Self, LoadError> {
        Self::compile(&seclang::parse_file(files, path)?, options)
    }

    /// Loads rules from `text`, which goes by `name`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_text(files: &mut dyn Files, name: &str, text: &str, options: &Options) -> Result<Self, LoadError> {
        Self::compile(&seclang::parse_text(files, name, text)?, options)
    }

    /// Compiles what was parsed.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn compile(parsed: &Parsed, options: &Options) -> Result<Self, LoadError> {
        let mut program = compile::build(parsed)?;
        if options.plain {
            program.prefilters.iter_mut().for_each(|p| p.set_off(true));
        }
        Self::new(Arc::new(program), options, parsed.left_to_host.clone().into())
    }

    fn new(program: Arc<Program>, options: &Options, left_to_host: Arc<[(Place, String)]>) -> Result<Self, LoadError> {
        let mut pins = Vec::new();
        for (name, value) in &options.tx {
            let Some(slot) = program.slot_index.get(&format!("tx.{}", name.to_ascii_lowercase())) else {
                let place = Place { file: "options".into(), line: 0 };
                return Err(LoadError { place, reason: format!("no rule reads or writes TX:{name}") });
            };
            pins.push((*slot, Written::from_text(value.clone().into_bytes())));
        }
        let excluded = compile::exclusions(&program, &options.exclusions).map_err(|reason| {
            let place = Place { file: "options".into(), line: 0 };
            LoadError { place, reason }
        })?;
        let plan = compile::fold::plan(&program, &pins, excluded, !options.plain);
        Ok(Self { program, plan, options: options.clone(), left_to_host })
    }

    /// The same rules with other options; `plain` cannot be changed.
    ///
    /// # Errors
    /// When a member of `TX` is named that no rule knows, or an exclusion means no rule.
    pub fn with(&self, options: &Options) -> Result<Self, LoadError> {
        let options = Options { plain: self.options.plain, ..options.clone() };
        Self::new(Arc::clone(&self.program), &options, Arc::clone(&self.left_to_host))
    }

    /// Begins a transaction.
    #[must_use]
    pub fn transaction(self: &Arc<Self>, client: &Client) -> Transaction {
        Transaction::new(Arc::clone(self), client)
    }

    /// Runs a request through without blocking and says which rules matched, on what, and why.
    #[must_use]
    pub fn explain(self: &Arc<Self>, client: &Client, head: &RequestHead<'_>, body: &[u8]) -> Explanation {
        let mut transaction = self.transaction(client);
        if transaction.mode == Mode::On {
            transaction.mode = Mode::DetectionOnly;
        }
        transaction.trace();
        transaction.request(head);
        transaction.append_request_body(body);
        let outcome = transaction.request_body();
        debug_assert_eq!(outcome, Outcome::Pass, "nothing blocks while detecting");
        transaction.finish();
        transaction.explanation()
    }

    /// The rules, in the order of the files; those that an exclusion leaves out too.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo<'_>> {
        self.program.heads.iter().map(|head| RuleInfo {
            id: head.id,
            phase: head.phase,
            message: compile::literal(&head.msg),
            severity: head.severity,
            level: engine::level(&head.tags),
            tags: &head.tags,
            logged: head.log,
            place: &head.place,
        })
    }

    /// Whether rules run and block, for these options.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.options.mode.unwrap_or(self.program.settings.mode)
    }

    /// Directives that concern the host and have no effect here.
    #[must_use]
    pub fn left_to_host(&self) -> &[(Place, String)] {
        &self.left_to_host
    }

    /// What `SecComponentSignature` says.
    #[must_use]
    pub fn signatures(&self) -> &[String] {
        &self.program.signatures
    }

    /// Sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let patterns = self.program.tests.iter().filter_map(|t| match &t.checker {
            Checker::Rx(p) => Some((p.regex.memory_usage(), p.needs.literals.is_some())),
            Checker::Pm(p) => Some((p.memory_usage(), true)),
            _ => None,
        });
        let (mut count, mut filtered, mut bytes) = (0, 0, 0);
        for (size, literal) in patterns {
            count += 1;
            filtered += usize::from(literal);
            bytes += size;
        }
        bytes += self.program.prefilters.iter().map(compile::prefilter::Prefilter::memory).sum::<usize>();
        Stats { rules: self.plan.decided.1, decided: self.plan.decided.0, patterns: count, filtered, bytes }
    }
}
