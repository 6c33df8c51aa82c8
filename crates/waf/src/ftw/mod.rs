//! Regression tests of rule sets in the format of go-ftw, run in process or judged over the wire.
//!
//! The caller reads the files; [`parse`] makes stages of them, [`run`] carries them out on a loaded rule set, and the
//! [`Report`] ends with the line `N passed, N failed, N overridden`. A server under test sends [`Stage::bytes`] itself and
//! asks [`Stage::judge`] what to think of the answer.

mod read;

use crate::{Client, ResponseHead, RuleSet, Transaction, wire::Request};
use regex_automata::meta::Regex;
use std::{fmt, fmt::Write, net::Ipv4Addr, sync::Arc};
use yaml_rust2::{Yaml, YamlLoader};

pub use read::parse;

/// A stage of a test: one request, and what is to be seen.
#[derive(Clone, Debug)]
pub struct Stage {
    /// `920100-1`, and `920100-1/2` for a second stage.
    pub name: String,
    /// What the client sends, byte for byte.
    pub bytes: Vec<u8>,
    /// What a server reads; none when no server can.
    pub request: Option<Request>,
    /// What is to be seen.
    pub expect: Expect,
}

/// What is to be seen of a stage.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// Rules that match.
    pub ids: Vec<u32>,
    /// Rules that do not match.
    pub no_ids: Vec<u32>,
    /// A pattern that is in the log.
    pub log: Option<Regex>,
    /// A pattern that is not in the log.
    pub no_log: Option<Regex>,
    /// The status.
    pub status: Option<u16>,
    /// Whether the client gets no answer that it can read.
    pub error: bool,
}

/// What was seen of a stage.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The rules that matched and were logged.
    pub ids: Vec<u32>,
    /// The log of the request, see [`log`].
    pub log: String,
    /// The status; none without an answer that can be read.
    pub status: Option<u16>,
}

impl Stage {
    /// Why what was seen is not what is to be seen; none when it is.
    #[must_use]
    pub fn judge(&self, seen: &Seen) -> Option<String> {
        let expect = &self.expect;
        if let Some(id) = expect.ids.iter().find(|id| !seen.ids.contains(id)) {
            return Some(format!("rule {id} did not match; these did: {:?}", seen.ids));
        }
        if let Some(id) = expect.no_ids.iter().find(|id| seen.ids.contains(id)) {
            return Some(format!("rule {id} matched:\n{}", seen.log));
        }
        if let Some(pattern) = &expect.log
            && !pattern.is_match(&seen.log)
        {
            return Some(format!("the log is not as expected:\n{}", seen.log));
        }
        if let Some(pattern) = &expect.no_log
            && pattern.is_match(&seen.log)
        {
            return Some(format!("the log holds what it should not:\n{}", seen.log));
        }
        if expect.error && seen.status.is_some() {
            return Some("the request was answered".to_owned());
        }
        match expect.status {
            Some(status) if seen.status != Some(status) => {
                let seen = seen.status.map_or("without an answer".to_owned(), |s| format!("answered {s}"));
                Some(format!("{seen}, not {status}"))
            }
            _ => None,
        }
    }
}

/// Stages that only a server's own refusal satisfies: lines `name: reason`, `#` before a comment.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(String, String)>);

impl Overrides {
    /// Reads the lines.
    ///
    /// # Errors
    /// The line that has no reason or stands twice.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut out: Vec<(String, String)> = Vec::new();
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.starts_with('#')) {
            let entry = line.split_once(':').map(|(name, reason)| (name.trim(), reason.trim()));
            let Some((name, reason)) = entry.filter(|(_, reason)| !reason.is_empty()) else {
                return Err(format!("line {}: `{line}` has no reason", number + 1));
            };
            if out.iter().any(|(known, _)| known == name) {
                return Err(format!("line {}: {name} stands twice", number + 1));
            }
            out.push((name.to_owned(), reason.to_owned()));
        }
        Ok(Self(out))
    }

    /// The reason, if a stage is overridden.
    #[must_use]
    pub fn reason(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, reason)| reason.as_str())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How a run ended. Displayed: a line for each failure, and `N passed, N failed, N overridden`.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Stages that hold.
    pub passed: usize,
    /// Stages that do not, with the reason. A stage that holds although it is overridden is among them.
    pub failed: Vec<(String, String)>,
    /// Stages that do not hold and need not.
    pub overridden: Vec<String>,
}

impl Report {
    /// Counts a stage.
    pub fn add(&mut self, name: &str, fault: Option<String>, overrides: &Overrides) {
        match (fault, overrides.reason(name)) {
            (None, None) => self.passed += 1,
            (None, Some(_)) => self.failed.push((name.to_owned(), "holds; take its override away".to_owned())),
            (Some(_), Some(_)) => self.overridden.push(name.to_owned()),
            (Some(fault), None) => self.failed.push((name.to_owned(), fault)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, reason) in &self.failed {
            writeln!(f, "{name}: {}", reason.trim_end())?;
        }
        write!(f, "{} passed, {} failed, {} overridden", self.passed, self.failed.len(), self.overridden.len())
    }
}

/// Runs stages in process. The rules should detect only ([`crate::presets::corpus`] is what the Core Rule Set's tests expect).
#[must_use]
pub fn run(rules: &Arc<RuleSet>, stages: &[Stage], overrides: &Overrides) -> Report {
    let mut report = Report::default();
    for stage in stages {
        report.add(&stage.name, fault(rules, stage), overrides);
    }
    report
}

/// Why a stage does not hold in process; none when it does.
#[must_use]
pub fn fault(rules: &Arc<RuleSet>, stage: &Stage) -> Option<String> {
    let Some(request) = &stage.request else { return Some("no server can read the request".to_owned()) };
    let transaction = carry_out(rules, request);
    let blocked = transaction.verdict().is_some();
    // Without a server there is no status: where one would refuse, the rules have to. An answer to HTTP/0.9 has no status
    // line, which the corpus's client takes for no answer.
    let status = match stage.expect.status {
        Some(status) if blocked => Some(status),
        _ => (request.protocol != b"HTTP/0.9" || !stage.expect.error).then_some(200),
    };
    let ids = transaction.matches().iter().map(|m| m.rule).collect();
    stage.judge(&Seen { ids, log: log(&transaction), status })
}

/// Runs a request and the backend's answer to it through all phases.
#[must_use]
pub fn carry_out(rules: &Arc<RuleSet>, request: &Request) -> Transaction {
    let address = Ipv4Addr::new(192, 0, 2, 7).into();
    let mut transaction = rules.transaction(&Client {
        address,
        port: 50_000,
        server: address,
        server_port: 80,
        time: 1_700_000_000,
        unique_id: "ftw".to_owned(),
    });
    request.examine(&mut transaction);
    let answer = answer(request);
    let headers: Vec<(&[u8], &[u8])> = answer.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    transaction.response(&ResponseHead { status: answer.status, protocol: b"HTTP/1.1", headers: &headers });
    transaction.append_response_body(&answer.body);
    transaction.response_body();
    transaction.finish();
    transaction
}

/// An answer of the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<crate::wire::Field>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the backend of the Core Rule Set's tests answers: `/reflect` does as the request's body says.
#[must_use]
pub fn answer(request: &Request) -> Answer {
    let mut out = Answer { status: 200, headers: Vec::new(), body: Vec::new() };
    if request.target.starts_with(b"/reflect")
        && let Ok(documents) = YamlLoader::load_from_str(&String::from_utf8_lossy(&request.body))
        && let Some(wish) = documents.first()
    {
        out.status = wish["status"].as_i64().and_then(|s| u16::try_from(s).ok()).unwrap_or(200);
        for (name, value) in wish["headers"].as_hash().into_iter().flatten() {
            out.headers.push((read::text(name).unwrap_or_default(), read::text(value).unwrap_or_default()));
        }
        out.body = read::text(&wish["body"]).unwrap_or_default();
        if let Some(plain) = wish["encodedBody"].as_str().and_then(read::base64) {
            out.body = plain;
        }
    }
    if crate::wire::header(&out.headers, "content-type").is_none() {
        out.headers.push((b"Content-Type".to_vec(), b"text/plain; charset=utf-8".to_vec()));
    }
    out
}

/// The log of a transaction as the tests expect to read it.
#[must_use]
pub fn log(transaction: &Transaction) -> String {
    let mut out = String::new();
    for found in transaction.matches() {
        let message = String::from_utf8_lossy(&found.message);
        let data = String::from_utf8_lossy(&found.data).replace(|c: char| c.is_control(), "\\x");
        let _ = writeln!(out, "[id \"{}\"] [msg \"{message}\"] [data \"{data}\"]", found.rule);
        for part in &found.parts {
            let _ = writeln!(out, "found within {}", String::from_utf8_lossy(&part.name));
        }
    }
    out
}

fn ids(yaml: &Yaml) -> Vec<u32> {
    yaml.as_vec().into_iter().flatten().filter_map(|i| u32::try_from(i.as_i64()?).ok()).collect()
}
