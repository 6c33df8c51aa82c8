//! Where the Core Rule Set is, and how it is loaded.

use sekisho_waf::{Files, Options, RuleSet, presets};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Files of the machine, includes relative to the including file.
pub struct Disk;

impl Files for Disk {
    fn read(&mut self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let path = beside(from, path);
        fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn expand(&mut self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let full = beside(from, pattern);
        let name = full.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let Some((head, tail)) = name.split_once('*') else { return Ok(vec![full.display().to_string()]) };
        let dir = full.parent().ok_or("no folder")?;
        let mut found: Vec<String> = fs::read_dir(dir)
            .map_err(|e| format!("{}: {e}", dir.display()))?
            .filter_map(|e| Some(e.ok()?.path()))
            .filter(|p| {
                p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(head) && n.ends_with(tail))
            })
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

/// The folder of the rule set, if this machine has it: `SEKISHO_SHARED`, or `../shared` beside the workspace.
pub fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let candidates = [
        std::env::var_os("SEKISHO_SHARED").map(PathBuf::from),
        Some(root.join("../shared")),
        Some(root.join("../../shared")),
    ];
    let found = candidates.into_iter().flatten().map(|c| c.join("data/crs-4.28.0")).find(|c| c.join("rules").is_dir());
    if found.is_none() {
        skip("../shared/data/crs-4.28.0", "set SEKISHO_SHARED to the shared folder");
    }
    found
}

/// Says that a test is skipped for want of something, and what to do about it.
#[allow(clippy::print_stderr, reason = "a skipped test says why")]
pub fn skip(missing: &str, remedy: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{missing} is not on this machine, and CI may not skip");
    eprintln!("skipped: {missing} is not on this machine ({remedy})");
}

/// The rule set as its own tests configure it.
pub fn corpus_text(folder: &Path) -> String {
    let folder = folder.display();
    presets::corpus(&format!("{folder}/crs-setup.conf.example"), &format!("{folder}/rules/*.conf"))
}

/// The rule set as an operator runs it.
pub fn ordinary_text(folder: &Path) -> String {
    let folder = folder.display();
    presets::crs(&format!("{folder}/crs-setup.conf.example"), &format!("{folder}/rules/*.conf"))
}

/// The same at a paranoia level; with `raw`, rules see the raw text of XML bodies too.
pub fn leveled_text(folder: &Path, level: u8, raw: bool) -> String {
    let include = format!("Include {}/rules/", folder.display());
    let level = format!(
        "SecAction \"id:900000,phase:1,pass,t:none,nolog,setvar:tx.blocking_paranoia_level={level}\"\n{include}"
    );
    let text = ordinary_text(folder).replace(&include, &level);
    let forced = if raw { "=XML,ctl:forceRequestBodyVariable=On" } else { "=XML" };
    text.replace("=XML", forced)
}

/// Loads `text` with `options`.
pub fn load(text: &str, options: &Options) -> Arc<RuleSet> {
    match RuleSet::from_text(&mut Disk, "test.conf", text, options) {
        Ok(rules) => Arc::new(rules),
        Err(error) => panic!("{error}"),
    }
}
