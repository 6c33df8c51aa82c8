//! Style rules and walls as a test: layers, drivers, sockets, problem codes, long files, words.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each crate may use of the workspace. Arrows point down only (docs/ARCHITECTURE.md, "Rooms").
const LAYERS: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("waf", &[]),
    ("saml", &["kernel"]),
    ("ledger", &["kernel"]),
    ("store", &["kernel", "ledger"]),
    ("keys", &["kernel", "store"]),
    ("vault", &["kernel", "ledger", "store", "keys"]),
    ("identity", &["kernel", "saml", "vault"]),
    ("gateway", &["kernel", "vault", "waf"]),
    ("controls", &["kernel"]),
    ("prober", &["kernel", "ledger", "store", "keys", "vault"]),
    ("paper", &["kernel"]),
    ("console", &["kernel", "ledger", "store", "keys", "vault", "identity", "gateway", "controls"]),
];
/// Crates that only tests and chores use.
const DEV: &[&str] = &["testkit", "xtask", "sekisho", "bench"];
const LONGEST: usize = 700;

/// A word that may stand only in the named places, and why.
const FENCED: &[(&str, &[&str], &str)] = &[
    ("rusqlite", &["crates/store/"], "store alone names a driver"),
    ("tokio_postgres", &["crates/store/"], "store alone names a driver"),
    ("postgres::Client", &["crates/store/", "crates/testkit/"], "store alone names a driver"),
    (
        "TcpStream::connect",
        // The prober talks to the browser that it has started, and listens on the wire to the database that it was lent.
        &[
            "crates/gateway/",
            "crates/prober/src/chromium.rs",
            "crates/store/src/postgres/wire.rs",
            "crates/bench/",
            "/tests/",
            "/examples/",
        ],
        "outgoing connections go through kernel::Egress",
    ),
    (
        "TcpListener::bind",
        &[
            "crates/gateway/",
            "crates/prober/src/chromium.rs",
            "crates/sekisho/src/sample.rs",
            "crates/testkit/",
            "crates/bench/",
            "/tests/",
            "/examples/",
        ],
        "listening sockets are the door's",
    ),
    (
        "MovableClock",
        &[
            "crates/kernel/src/rehearsal.rs",
            "crates/sekisho/src/rehearsal",
            "crates/testkit/",
            "/tests/",
            "#[cfg(test)]",
        ],
        "the movable clock is for rehearsals",
    ),
];

struct Source {
    path: String,
    text: String,
}

/// Runs every rule and reports everything that breaks one.
pub fn run() -> Result<(), Vec<String>> {
    let mut complaints = Vec::new();
    let mut sources = Vec::new();
    for root in ["crates", "docs", "tests", ".ci"] {
        collect(Path::new(root), &mut sources);
    }
    for name in ["README.md", "SECURITY.md", "CHANGELOG.md", "test"] {
        if let Ok(text) = fs::read_to_string(name) {
            sources.push(Source { path: name.to_owned(), text });
        }
    }
    layers(&mut complaints);
    for source in &sources {
        length(source, &mut complaints);
        words(source, &mut complaints);
        fences(source, &mut complaints);
        boxed(source, &mut complaints);
    }
    codes(&sources, &mut complaints);
    if complaints.is_empty() { Ok(()) } else { Err(complaints) }
}

fn collect(dir: &Path, into: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            if name != "target" && name != "node_modules" {
                collect(&path, into);
            }
        } else if let Ok(text) = fs::read_to_string(&path) {
            into.push(Source { path: path.display().to_string(), text });
        }
    }
}

fn layers(complaints: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir("crates") else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if DEV.contains(&name.as_str()) {
            continue;
        }
        let Some((_, may)) = LAYERS.iter().find(|(n, _)| *n == name) else {
            complaints
                .push(format!("crates/{name}: has no layer; add it to LAYERS in xtask and to docs/ARCHITECTURE.md"));
            continue;
        };
        let manifest = fs::read_to_string(entry.path().join("Cargo.toml")).unwrap_or_default();
        let Ok(manifest) = manifest.parse::<toml::Table>() else {
            complaints.push(format!("crates/{name}/Cargo.toml: cannot be read"));
            continue;
        };
        let uses = manifest.get("dependencies").and_then(toml::Value::as_table);
        for used in uses.into_iter().flat_map(toml::Table::keys).filter_map(|k| k.strip_prefix("sekisho-")) {
            if !may.contains(&used) {
                complaints.push(format!("crates/{name}/Cargo.toml: {name} may not use {used}: arrows point down only"));
            }
        }
    }
}

fn length(source: &Source, complaints: &mut Vec<String>) {
    let lines = source.text.lines().count();
    if source.path.ends_with(".rs") && lines > LONGEST {
        complaints.push(format!("{}: {lines} lines, more than {LONGEST}: split it by concept", source.path));
    }
}

fn words(source: &Source, complaints: &mut Vec<String>) {
    if source.path.starts_with("crates/xtask/") {
        return;
    }
    for (number, line) in source.text.lines().enumerate() {
        for word in ["TODO", "FIXME", "XXX:", "HACK"] {
            if line.contains(word) {
                complaints.push(format!("{}:{}: {word}: do it, or write an issue", source.path, number + 1));
            }
        }
    }
}

fn fences(source: &Source, complaints: &mut Vec<String>) {
    if !source.path.ends_with(".rs") || source.path.starts_with("crates/xtask/") {
        return;
    }
    let in_tests = source.text.find("#[cfg(test)]").unwrap_or(source.text.len());
    for (word, places, why) in FENCED {
        if places.iter().any(|p| source.path.contains(p)) {
            continue;
        }
        for (at, _) in source.text.match_indices(word).filter(|(at, _)| *at < in_tests) {
            let line_start = source.text[..at].rfind('\n').map_or(0, |n| n + 1);
            if source.text[line_start..at].contains("//") {
                continue;
            }
            let line = source.text[..at].lines().count();
            complaints.push(format!("{}:{line}: {word} may not stand here: {why}", source.path));
        }
    }
}

/// What other crates await of identity is compiled there, once (docs/decisions/0005-compiled-once.md).
fn boxed(source: &Source, complaints: &mut Vec<String>) {
    if !source.path.starts_with("crates/identity/src/") {
        return;
    }
    let mut before = "";
    for (number, line) in source.text.lines().enumerate() {
        if line.starts_with("    pub async fn") && before.trim() != "#[boxed]" {
            complaints.push(format!("{}:{}: add #[boxed]: others await it", source.path, number + 1));
        }
        if !line.trim_start().starts_with("#[") || line.trim() == "#[boxed]" {
            before = line;
        }
    }
}

/// Every code `SK-nnnn` is declared once: as a problem's `code`, or in a list of problems.
fn codes(sources: &[Source], complaints: &mut Vec<String>) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for source in sources.iter().filter(|s| s.path.ends_with(".rs") && !s.path.contains("/tests/")) {
        let lists = source.path.ends_with("/problems.rs");
        let in_tests = source.text.find("#[cfg(test)]").unwrap_or(source.text.len());
        for (at, _) in source.text[..in_tests].match_indices("\"SK-") {
            if !lists && !source.text[..at].ends_with("code: ") {
                continue;
            }
            let code = &source.text[at + 1..(at + 8).min(source.text.len())];
            if let Some(first) = seen.insert(code, &source.path) {
                complaints.push(format!(
                    "{}: {code} is declared twice, first in {first}: codes are never reused",
                    source.path
                ));
            }
        }
    }
}
