//! Rule sets from files: the product's own, a folder, an archive of the feed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sekisho_kernel::{Problem, Text, Time, gate::FirewallSource};
use sekisho_waf::{
    Files, InMemory, Mode, Options, RuleSet,
    ftw::{self, Overrides, Stage},
    presets,
};

use super::{Loaded, Origin, SetInfo, archive::Archive, selfcheck};
use crate::problems;

const SETUP: &str = include_str!("base/setup.conf");
const RULES: &str = include_str!("base/rules.conf");
const EVALUATE: &str = include_str!("base/evaluate.conf");
const TESTS: &str = include_str!("base/tests.yaml");
/// When the rules of the product were last changed.
const BASE_MADE: &str = "2026-11-22T00:00:00Z";
/// Files of a rule set, and their size together.
const MOST_FILES: usize = 2_000;
const MOST_BYTES: u64 = 64 << 20;

/// Why a set cannot be used.
pub(super) fn unusable(place: &str, why: impl std::fmt::Display) -> Problem {
    let why = why.to_string();
    Problem::new(&problems::RULES_UNUSABLE).at(place.to_owned()).detail(Text::owned(why.clone(), why))
}

/// Files of the machine; includes are relative to the including file.
#[derive(Debug, Default)]
pub struct Disk {
    read: u64,
}

impl Files for Disk {
    fn read(&mut self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let path = beside(from, path);
        let failed = |e: std::io::Error| format!("{}: {e}", path.display());
        self.read += fs::metadata(&path).map_err(failed)?.len();
        if self.read > MOST_BYTES {
            return Err(format!("{}: the rule set is larger than {MOST_BYTES} bytes", path.display()));
        }
        fs::read(&path).map_err(failed)
    }

    fn expand(&mut self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let full = beside(from, pattern);
        let name = full.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let Some((head, tail)) = name.split_once('*') else { return Ok(vec![full.display().to_string()]) };
        let dir = full.parent().unwrap_or(Path::new("."));
        let mut found: Vec<String> = fs::read_dir(dir)
            .map_err(|e| format!("{}: {e}", dir.display()))?
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| {
                p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(head) && n.ends_with(tail))
            })
            .take(MOST_FILES)
            .map(|p| p.display().to_string())
            .collect();
        found.sort();
        Ok(found)
    }
}

fn beside(from: &str, path: &str) -> PathBuf {
    let path = Path::new(path);
    if path.is_absolute() {
        return path.to_owned();
    }
    Path::new(from).parent().unwrap_or(Path::new("")).join(path)
}

/// A folder with a rule set: its setup file and its rule files in order.
#[derive(Clone, Debug)]
pub struct Folder {
    /// `crs-setup.conf`, its example, or none.
    pub setup: Option<PathBuf>,
    /// The rule files.
    pub rules: Vec<PathBuf>,
}

impl Folder {
    /// Looks for the layout of the Core Rule Set (`crs-setup.conf[.example]`, `rules/*.conf`) or of Debian's package.
    ///
    /// # Errors
    /// `RULES_UNUSABLE` with the folder.
    pub fn find(dir: &Path) -> Result<Self, Problem> {
        let place = dir.display().to_string();
        let rules = dir.join("rules");
        let listed = fs::read_dir(&rules).map_err(|e| unusable(&place, format!("{}: {e}", rules.display())))?;
        let mut rules: Vec<PathBuf> = listed
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| p.extension().is_some_and(|e| e == "conf"))
            .take(MOST_FILES)
            .collect();
        rules.sort();
        if rules.is_empty() {
            return Err(unusable(&place, "there is no rules/*.conf"));
        }
        let candidates = [
            dir.join("crs-setup.conf"),
            dir.join("crs-setup.conf.example"),
            // Debian keeps the operator's copy apart from the rules.
            PathBuf::from("/etc/modsecurity/crs/crs-setup.conf"),
        ];
        let debian = dir.starts_with("/usr/share/modsecurity-crs");
        let setup = candidates.into_iter().enumerate().find(|(n, p)| (*n < 2 || debian) && p.is_file()).map(|(_, p)| p);
        Ok(Self { setup, rules })
    }

    /// The set as an operator runs it, with rules of one's own before the score is looked at.
    pub fn text(&self, own: Option<&Path>) -> String {
        let mut text = format!("{}{SIZES}", presets::RECOMMENDED);
        let mut include = |path: &Path| text.push_str(&format!("Include {}\n", path.display()));
        self.setup.iter().for_each(|p| include(p));
        let name = |p: &Path| p.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let scores = self.rules.iter().position(|p| name(p).starts_with("REQUEST-949")).unwrap_or(self.rules.len());
        self.rules[..scores].iter().for_each(|p| include(p));
        own.iter().for_each(|p| include(p));
        self.rules[scores..].iter().for_each(|p| include(p));
        text
    }

    /// The set as its own tests expect it.
    pub fn test_text(&self) -> String {
        let rules = self.rules.iter().map(|p| format!("Include {}\n", p.display())).collect::<String>();
        match &self.setup {
            Some(setup) => {
                let text = presets::corpus(&setup.display().to_string(), "\u{1}");
                text.replace("Include \u{1}\n", &rules)
            }
            None => {
                format!("{}{rules}", presets::RECOMMENDED.replace("SecRuleEngine On", "SecRuleEngine DetectionOnly"))
            }
        }
    }

    fn made(&self) -> Time {
        let newest = self.rules.iter().filter_map(|p| fs::metadata(p).and_then(|m| m.modified()).ok()).max();
        let since = newest.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        Time::from_secs(since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0)))
    }
}

/// The product's own rules, with others before the score is looked at.
fn base_text(more: &str) -> String {
    format!("{}\n{SETUP}\n{RULES}\n{more}{EVALUATE}\n", presets::RECOMMENDED)
}

/// The product's own rules as text, with a file of others.
pub fn base_with(own: Option<&Path>) -> String {
    base_text(&own.map_or_else(String::new, |p| format!("Include {}\n", p.display())))
}

/// Reads, verifies and tests an archive as an instance would, and puts nothing in force.
///
/// # Errors
/// `FEED_REFUSED` or `RULES_UNUSABLE`, with the reason.
pub fn try_archive(bytes: &[u8], key: &str, now: Time) -> Result<SetInfo, Problem> {
    Ok(from_archive(&Archive::open(bytes, Some(key))?, now)?.info)
}

/// Sizes that the policy bounds, not the rules.
const SIZES: &str = "SecRequestBodyLimit 67108864\nSecRequestBodyNoFilesLimit 67108864\n";

/// The set that the policy names, checked.
pub(super) fn load(source: &FirewallSource, now: Time) -> Result<Loaded, Problem> {
    let own = (!source.own.is_empty()).then(|| PathBuf::from(&source.own));
    let mut disk = Disk::default();
    let (set, name, origin, made, tests) = if source.rules.is_empty() {
        let text = base_with(own.as_deref());
        let set = RuleSet::from_text(&mut disk, "base.conf", &text, &Options::default())
            .map_err(|e| unusable("waf.own_rules", e))?;
        let tests = tested("waf.own_rules", &set, &base_stages()?, &Overrides::default())?;
        (set, "Sekisho base".to_owned(), Origin::Base, base_made(), tests)
    } else {
        let folder = Folder::find(Path::new(&source.rules))?;
        let set = RuleSet::from_text(&mut disk, "firewall.conf", &folder.text(own.as_deref()), &Options::default())
            .map_err(|e| unusable("waf.rules", e))?;
        let name = set.signatures().last().cloned().unwrap_or_else(|| source.rules.clone());
        (set, name, Origin::Folder, folder.made(), 0)
    };
    finish(set, SetInfo { name, version: 0, origin, made, loaded: now, rules: 0, tests })
}

/// The time at which the rules of the product were last changed.
pub fn base_made() -> Time {
    Time::parse_rfc3339(BASE_MADE).unwrap_or_else(|| Time::from_secs(0))
}

/// The set of an archive, tested.
pub(super) fn from_archive(archive: &Archive, now: Time) -> Result<Loaded, Problem> {
    let place = format!("{} {}", archive.manifest.name, archive.manifest.version);
    let mut files = InMemory::default();
    for (path, bytes) in &archive.files {
        files.0.insert(path.clone(), bytes.clone());
    }
    let rules: Vec<&String> =
        archive.files.keys().filter(|p| p.starts_with("rules/") && p.ends_with(".conf")).collect();
    if rules.is_empty() {
        return Err(unusable(&place, "there is no rules/*.conf"));
    }
    let included: String = rules.iter().map(|p| format!("Include {p}\n")).collect();
    let setup = ["crs-setup.conf", "crs-setup.conf.example"].into_iter().find(|p| archive.files.contains_key(*p));
    let (text, test_text) = match (archive.manifest.whole, setup) {
        (false, _) => {
            let text = base_text(&included);
            (text.clone(), text)
        }
        (true, Some(setup)) => (
            presets::crs(setup, "\u{1}").replace("Include \u{1}\n", &included),
            presets::corpus(setup, "\u{1}").replace("Include \u{1}\n", &included),
        ),
        (true, None) => {
            let text = format!("{}{included}", presets::RECOMMENDED);
            (text.clone(), text)
        }
    };
    let compiled = |files: &mut InMemory, text: &str| {
        RuleSet::from_text(files, "archive.conf", text, &Options::default()).map_err(|e| unusable(&place, e))
    };
    let set = compiled(&mut files, &text)?;
    let mut stages = Vec::new();
    for (path, bytes) in archive.files.iter().filter(|(p, _)| p.starts_with("tests/")) {
        if path.ends_with(".yaml") || path.ends_with(".yml") {
            let text = std::str::from_utf8(bytes).map_err(|e| unusable(path, e))?;
            stages.extend(ftw::parse(path, text).map_err(|e| unusable(&place, e))?);
        }
    }
    if stages.is_empty() {
        return Err(unusable(&place, "it has no tests"));
    }
    let overrides = archive.files.get("tests/overrides.txt").map(|b| String::from_utf8_lossy(b).into_owned());
    let overrides = Overrides::parse(&overrides.unwrap_or_default()).map_err(|e| unusable(&place, e))?;
    let tests = if test_text == text {
        tested(&place, &set, &stages, &overrides)?
    } else {
        tested(&place, &compiled(&mut files, &test_text)?, &stages, &overrides)?
    };
    let info = SetInfo {
        name: archive.manifest.name.clone(),
        version: archive.manifest.version,
        origin: Origin::Feed,
        made: archive.made(),
        loaded: now,
        rules: 0,
        tests,
    };
    finish(set, info)
}

/// Runs a set's own tests while it detects only; says how many it passed.
fn tested(place: &str, set: &RuleSet, stages: &[Stage], overrides: &Overrides) -> Result<usize, Problem> {
    let options = Options { mode: Some(Mode::DetectionOnly), ..Options::default() };
    let set = std::sync::Arc::new(set.with(&options).map_err(|e| unusable(place, e))?);
    let report = ftw::run(&set, stages, overrides);
    match report.failed.first() {
        None => Ok(report.passed),
        Some((name, why)) => {
            let failed = report.failed.len();
            Err(unusable(place, format!("{failed} of its own tests failed; the first is {name}: {}", why.trim_end())))
        }
    }
}

fn base_stages() -> Result<Vec<Stage>, Problem> {
    ftw::parse("base", TESTS).map_err(|e| unusable("base", e))
}

/// What every set must do before it is put in force.
fn finish(set: RuleSet, info: SetInfo) -> Result<Loaded, Problem> {
    let rules = set.stats().rules;
    let loaded = Loaded::new(set, SetInfo { rules, ..info });
    selfcheck::run(&loaded).map_err(|why| unusable(&loaded.info.name, why))?;
    Ok(loaded)
}
