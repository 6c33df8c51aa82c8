//! The rule set's own regression tests (go-ftw format), run in process.

use crate::crs;
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_waf::{Client, Options, RequestHead, ResponseHead, RuleSet};
use std::{fmt::Write, fs, path::Path, sync::Arc};
use yaml_rust2::{Yaml, YamlLoader};

/// Stages that only a server's own refusal satisfies. This list may only shrink.
const OVERRIDES: &str = include_str!("overrides.txt");
const MOST_OVERRIDES: usize = 70;

/// A request as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Wire {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub protocol: Vec<u8>,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// A stage of a test.
pub struct Stage {
    pub name: String,
    pub wire: Option<Wire>,
    output: Yaml,
}

/// Every stage of the corpus.
pub fn stages(folder: &Path) -> Vec<Stage> {
    let mut out = Vec::new();
    let mut files: Vec<_> = fs::read_dir(folder.join("tests"))
        .unwrap()
        .filter_map(|d| fs::read_dir(d.unwrap().path()).ok())
        .flat_map(|d| d.map(|f| f.unwrap().path()))
        .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "yml"))
        .collect();
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for document in YamlLoader::load_from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display())) {
            let rule = document["rule_id"].as_i64().unwrap_or_default();
            for test in document["tests"].as_vec().into_iter().flatten() {
                let id = test["test_id"].as_i64().unwrap_or_default();
                for (index, stage) in test["stages"].as_vec().into_iter().flatten().enumerate() {
                    let name = if index == 0 { format!("{rule}-{id}") } else { format!("{rule}-{id}/{}", index + 1) };
                    out.push(Stage { name, wire: wire(&stage["input"]), output: stage["output"].clone() });
                }
            }
        }
    }
    out
}

fn text(yaml: &Yaml) -> Option<Vec<u8>> {
    match yaml {
        Yaml::String(s) | Yaml::Real(s) => Some(s.clone().into_bytes()),
        Yaml::Integer(n) => Some(n.to_string().into_bytes()),
        Yaml::Boolean(b) => Some(b.to_string().into_bytes()),
        _ => None,
    }
}

/// `{{ "x" | repeat 3 }}`, the one template function that the corpus uses.
fn template(data: &str) -> String {
    let mut out = String::new();
    let mut rest = data;
    while let Some(at) = rest.find("{{ \"") {
        let Some(end) = rest[at..].find("}}") else { break };
        out.push_str(&rest[..at]);
        let inner = rest[at + 2..at + end].trim();
        match inner.split_once("| repeat ") {
            Some((word, times)) => out.push_str(&word.trim().trim_matches('"').repeat(times.trim().parse().unwrap())),
            None => out.push_str(&rest[at..at + end + 2]),
        }
        rest = &rest[at + end + 2..];
    }
    out + rest
}

fn header<'a>(headers: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| v.as_slice())
}

/// Builds the request as go-ftw does.
fn wire(input: &Yaml) -> Option<Wire> {
    if let Some(encoded) = input["encoded_request"].as_str() {
        return parse(&STANDARD.decode(encoded.split_whitespace().collect::<String>()).unwrap());
    }
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (name, value) in input["headers"].as_hash().into_iter().flatten() {
        headers.push((text(name).unwrap(), text(value).unwrap_or_default()));
    }
    for pair in input["ordered_headers"].as_vec().into_iter().flatten() {
        headers.push((text(&pair["name"]).unwrap(), text(&pair["value"]).unwrap_or_default()));
    }
    let mut body = text(&input["data"])
        .map(|d| String::from_utf8(d).map(|d| template(&d)).unwrap().into_bytes())
        .unwrap_or_default();
    let complete = input["autocomplete_headers"].as_bool().unwrap_or(true);
    let method = text(&input["method"]).unwrap_or_else(|| b"GET".to_vec());
    if !body.is_empty() && complete {
        if header(&headers, "content-type").is_none() {
            headers.push((b"Content-Type".to_vec(), b"application/x-www-form-urlencoded".to_vec()));
        }
        if header(&headers, "content-type")
            .is_some_and(|v| v.eq_ignore_ascii_case(b"application/x-www-form-urlencoded"))
        {
            body = encode(&body);
        }
    }
    if header(&headers, "content-type").is_some_and(|v| v.windows(20).any(|w| w == b"multipart/form-data;")) {
        body = body.iter().flat_map(|b| if *b == b'\n' { b"\r\n".to_vec() } else { vec![*b] }).collect();
    }
    if complete {
        if header(&headers, "connection").is_none() {
            headers.push((b"Connection".to_vec(), b"close".to_vec()));
        }
        let may = matches!(method.as_slice(), b"POST" | b"PUT" | b"PATCH" | b"DELETE");
        if header(&headers, "content-length").is_none() && (!body.is_empty() || may) {
            headers.push((b"Content-Length".to_vec(), body.len().to_string().into_bytes()));
        }
    }
    let headers = headers.into_iter().map(|(n, v)| (n, v.trim_ascii().to_vec())).collect();
    let target = text(&input["uri"]).unwrap_or_else(|| b"/".to_vec());
    let protocol = text(&input["version"]).unwrap_or_else(|| b"HTTP/1.1".to_vec());
    let mut wire = Wire { method, target, protocol, headers, body };
    receive(&mut wire);
    Some(wire)
}

/// What every server makes of the message before a rule sees it (RFC 9112 §2.3 and §6.3): no version is HTTP/0.9, chunks are
/// joined and win over a length, and without either there is no body.
fn receive(wire: &mut Wire) {
    if wire.protocol.is_empty() {
        wire.protocol = b"HTTP/0.9".to_vec();
    }
    if header(&wire.headers, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case(b"chunked")) {
        wire.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(b"content-length"));
        wire.body = join(&wire.body);
    } else if header(&wire.headers, "content-length").is_none() {
        wire.body.clear();
    }
}

/// Joins chunks (RFC 9112 §7.1).
fn join(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(2).position(|w| w == b"\r\n") {
        let size =
            std::str::from_utf8(&rest[..at]).ok().and_then(|t| usize::from_str_radix(t.trim(), 16).ok()).unwrap_or(0);
        if size == 0 || at + 2 + size > rest.len() {
            break;
        }
        out.extend_from_slice(&rest[at + 2..at + 2 + size]);
        rest = rest.get(at + 4 + size..).unwrap_or_default();
    }
    out
}

/// go-ftw encodes form data that does not look encoded.
fn encode(data: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    if sekisho_waf::body::urlencoded::decode(data, &mut decoded) || decoded != data {
        return data.to_vec();
    }
    let escape = |part: &[u8]| -> Vec<u8> {
        part.iter()
            .flat_map(|b| match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => vec![*b],
                b' ' => b"+".to_vec(),
                b => format!("%{b:02X}").into_bytes(),
            })
            .collect()
    };
    let pairs: Vec<Vec<u8>> = data
        .split(|b| *b == b'&')
        .map(|pair| match pair.iter().position(|b| *b == b'=') {
            Some(at) => [escape(&pair[..at]), b"=".to_vec(), escape(&pair[at + 1..])].concat(),
            None => escape(pair),
        })
        .collect();
    pairs.join(&b'&')
}

/// Reads a raw request as a server would.
fn parse(raw: &[u8]) -> Option<Wire> {
    let find = |mark: &[u8], text: &[u8]| text.windows(mark.len()).position(|w| w == mark);
    let end = find(b"\r\n\r\n", raw).unwrap_or(raw.len());
    let mut lines = raw[..end].split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let mut words = lines.next()?.split(|b| *b == b' ');
    let (method, target, protocol) =
        (words.next()?.to_vec(), words.next()?.to_vec(), words.next().unwrap_or(b"HTTP/0.9").to_vec());
    let mut headers = Vec::new();
    for line in lines {
        let at = line.iter().position(|b| *b == b':')?;
        headers.push((line[..at].to_vec(), line[at + 1..].trim_ascii().to_vec()));
    }
    let body = raw.get(end + 4..).unwrap_or_default().to_vec();
    let mut wire = Wire { method, target, protocol, headers, body };
    receive(&mut wire);
    Some(wire)
}

pub fn client() -> Client {
    let local = std::net::IpAddr::from([192, 0, 2, 7]);
    Client {
        address: local,
        port: 50_000,
        server: local,
        server_port: 80,
        time: 1_700_000_000,
        unique_id: "t".to_owned(),
    }
}

/// What the backend of the corpus answers: `/reflect` does as the body says.
fn respond(wire: &Wire) -> (u16, Vec<(Vec<u8>, Vec<u8>)>, Vec<u8>) {
    let mut status = 200;
    let mut headers = Vec::new();
    let mut body = Vec::new();
    if wire.target.starts_with(b"/reflect")
        && let Ok(documents) = YamlLoader::load_from_str(&String::from_utf8_lossy(&wire.body))
        && let Some(wish) = documents.first()
    {
        status = wish["status"].as_i64().and_then(|s| u16::try_from(s).ok()).unwrap_or(200);
        for (name, value) in wish["headers"].as_hash().into_iter().flatten() {
            headers.push((text(name).unwrap(), text(value).unwrap_or_default()));
        }
        if let Some(plain) = text(&wish["body"]) {
            body = plain;
        }
        if let Some(encoded) = wish["encodedBody"].as_str() {
            body = STANDARD.decode(encoded).unwrap();
        }
    }
    if header(&headers, "content-type").is_none() {
        headers.push((b"Content-Type".to_vec(), b"text/plain; charset=utf-8".to_vec()));
    }
    (status, headers, body)
}

/// Runs a request and the backend's answer; gives the transaction.
pub fn run(rules: &Arc<RuleSet>, wire: &Wire) -> sekisho_waf::Transaction {
    let mut tx = rules.transaction(&client());
    let headers: Vec<(&[u8], &[u8])> = wire.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    tx.request(&RequestHead {
        method: &wire.method,
        target: &wire.target,
        protocol: &wire.protocol,
        headers: &headers,
    });
    tx.append_request_body(&wire.body);
    tx.request_body();
    let (status, headers, body) = respond(wire);
    let headers: Vec<(&[u8], &[u8])> = headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    tx.response(&ResponseHead { status, protocol: b"HTTP/1.1", headers: &headers });
    tx.append_response_body(&body);
    tx.response_body();
    tx.finish();
    tx
}

/// The log as the corpus expects to read it.
fn log(tx: &sekisho_waf::Transaction) -> String {
    let mut out = String::new();
    for found in tx.matches() {
        let message = String::from_utf8_lossy(&found.message).into_owned();
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

/// Why a stage does not hold, if it does not.
fn judge(stage: &Stage, rules: &Arc<RuleSet>) -> Option<String> {
    let Some(wire) = &stage.wire else { return Some("the request cannot be read".to_owned()) };
    let tx = run(rules, wire);
    let text = log(&tx);
    let seen: Vec<u32> = tx.matches().iter().map(|m| m.rule).collect();
    let output = &stage.output;
    let wanted = &output["log"];
    for id in ids(&wanted["expect_ids"]) {
        if !seen.contains(&id) {
            return Some(format!("{id} did not match; matched {seen:?}"));
        }
    }
    for id in ids(&wanted["no_expect_ids"]) {
        if seen.contains(&id) {
            return Some(format!("{id} matched:\n{text}"));
        }
    }
    let find = |pattern: &str| regex_automata::meta::Regex::new(pattern).unwrap().is_match(&text);
    if let Some(pattern) = wanted["match_regex"].as_str()
        && !find(pattern)
    {
        return Some(format!("`{pattern}` is not in the log:\n{text}"));
    }
    if let Some(pattern) = wanted["no_match_regex"].as_str()
        && find(pattern)
    {
        return Some(format!("`{pattern}` is in the log:\n{text}"));
    }
    match output["status"].as_i64() {
        Some(status @ (400 | 403 | 505)) if tx.verdict().is_none() => Some(format!("answers 200, not {status}")),
        // An answer to HTTP/0.9 has no status line, which the corpus's client takes for an error.
        _ if output["expect_error"].as_bool() == Some(true) && wire.protocol != b"HTTP/0.9" => {
            Some("a server has to refuse this".to_owned())
        }
        _ => None,
    }
}

#[test]
fn every_stage_of_the_corpus_holds_or_is_overridden() {
    let Some(folder) = crs::folder() else { return };
    let rules = crs::load(&crs::corpus_text(&folder), &Options::default());
    let overrides: Vec<&str> = OVERRIDES.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).collect();
    assert!(overrides.len() <= MOST_OVERRIDES, "{} overrides, at most {MOST_OVERRIDES}", overrides.len());
    let named = |name: &str| {
        overrides
            .iter()
            .any(|o| o.split_once(':').is_some_and(|(n, reason)| n.trim() == name && !reason.trim().is_empty()))
    };
    let (mut passed, mut overridden, mut failed) = (0, Vec::new(), String::new());
    let mut count = 0;
    for stage in stages(&folder) {
        count += 1;
        match judge(&stage, &rules) {
            None if named(&stage.name) => {
                let _ = writeln!(failed, "{}: holds now; take its override away", stage.name);
            }
            None => passed += 1,
            Some(_) if named(&stage.name) => overridden.push(stage.name),
            Some(reason) => {
                let _ = writeln!(failed, "{}: {reason}", stage.name);
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{failed}\n{passed} passed, {} failed, {} overridden of {count}",
        failed.lines().count(),
        overridden.len()
    );
    assert!(count >= 4_972, "only {count} stages were found");
}
