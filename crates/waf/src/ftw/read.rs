//! From YAML to stages, with the client's own ways of completing a request.

use super::{Expect, Stage, ids};
use crate::{
    body::urlencoded,
    transform::Transformation,
    wire::{Request, header},
};
use regex_automata::{meta::Regex, util::syntax::Config};
use yaml_rust2::{Yaml, YamlLoader};

/// A template may repeat a text so often.
const REPEATS: usize = 1 << 20;

/// Reads the stages of one file, `name` of which stands in errors.
///
/// # Errors
/// What is not YAML, not base64, not a pattern, or has no number.
pub fn parse(name: &str, text: &str) -> Result<Vec<Stage>, String> {
    let mut out = Vec::new();
    for document in YamlLoader::load_from_str(text).map_err(|e| format!("{name}: {e}"))? {
        let Some(rule) = document["rule_id"].as_i64() else { return Err(format!("{name}: no `rule_id`")) };
        for test in document["tests"].as_vec().into_iter().flatten() {
            let Some(id) = test["test_id"].as_i64() else { return Err(format!("{name}: a test has no `test_id`")) };
            for (index, stage) in test["stages"].as_vec().into_iter().flatten().enumerate() {
                let title = if index == 0 { format!("{rule}-{id}") } else { format!("{rule}-{id}/{}", index + 1) };
                let fail = |reason: String| format!("{name}: {title}: {reason}");
                let expect = expect(&stage["output"]).map_err(fail)?;
                let (bytes, request) = request(&stage["input"]).map_err(fail)?;
                out.push(Stage { name: title, bytes, request, expect });
            }
        }
    }
    Ok(out)
}

fn expect(output: &Yaml) -> Result<Expect, String> {
    let log = &output["log"];
    // Bytes, as the log has them: no tables of Unicode are needed, whatever else is built in.
    let bytes = || Regex::builder().syntax(Config::new().unicode(false).utf8(false)).clone();
    let pattern = |key: &str| log[key].as_str().map(|p| bytes().build(p).map_err(|e| e.to_string())).transpose();
    Ok(Expect {
        ids: ids(&log["expect_ids"]),
        no_ids: ids(&log["no_expect_ids"]),
        log: pattern("match_regex")?,
        no_log: pattern("no_match_regex")?,
        status: output["status"].as_i64().and_then(|s| u16::try_from(s).ok()),
        error: output["expect_error"].as_bool().unwrap_or(false),
    })
}

/// A scalar as text.
pub fn text(yaml: &Yaml) -> Option<Vec<u8>> {
    match yaml {
        Yaml::String(s) | Yaml::Real(s) => Some(s.clone().into_bytes()),
        Yaml::Integer(n) => Some(n.to_string().into_bytes()),
        Yaml::Boolean(b) => Some(b.to_string().into_bytes()),
        _ => None,
    }
}

/// Decodes base64 (RFC 4648 §4), blanks left out.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=') || b.is_ascii_whitespace();
    let mut out = Vec::new();
    Transformation::Base64DecodeExt.apply(text.as_bytes(), &mut out);
    text.bytes().all(known).then_some(out)
}

/// `{{ "x" | repeat 3 }}`, the one template function that rule sets' tests use.
fn template(data: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = data;
    while let Some(at) = rest.find("{{ \"") {
        let Some(end) = rest[at..].find("}}") else { break };
        out.push_str(&rest[..at]);
        let inner = rest[at + 2..at + end].trim();
        match inner.split_once("| repeat ") {
            Some((word, times)) => {
                let word = word.trim().trim_matches('"');
                let times: usize = times.trim().parse().map_err(|_| format!("`{inner}`: not a number"))?;
                if word.len().saturating_mul(times) > REPEATS {
                    return Err(format!("`{inner}`: more than {REPEATS} bytes"));
                }
                out.push_str(&word.repeat(times));
            }
            None => out.push_str(&rest[at..at + end + 2]),
        }
        rest = &rest[at + end + 2..];
    }
    Ok(out + rest)
}

/// Builds the request as go-ftw does: what goes over the wire, and what a server reads.
fn request(input: &Yaml) -> Result<(Vec<u8>, Option<Request>), String> {
    if let Some(encoded) = input["encoded_request"].as_str() {
        let bytes = base64(encoded).ok_or("`encoded_request` is not base64")?;
        let read = Request::parse(&bytes).ok().map(Request::received);
        return Ok((bytes, read));
    }
    let mut headers = Vec::new();
    for (name, value) in input["headers"].as_hash().into_iter().flatten() {
        headers.push((text(name).ok_or("a header field has no name")?, text(value).unwrap_or_default()));
    }
    for pair in input["ordered_headers"].as_vec().into_iter().flatten() {
        let name = text(&pair["name"]).ok_or("a header field has no name")?;
        headers.push((name, text(&pair["value"]).unwrap_or_default()));
    }
    let mut body = match text(&input["data"]) {
        Some(data) => template(&String::from_utf8_lossy(&data))?.into_bytes(),
        None => Vec::new(),
    };
    let complete = input["autocomplete_headers"].as_bool().unwrap_or(true);
    let method = text(&input["method"]).unwrap_or_else(|| b"GET".to_vec());
    if !body.is_empty() && complete {
        if header(&headers, "content-type").is_none() {
            headers.push((b"Content-Type".to_vec(), b"application/x-www-form-urlencoded".to_vec()));
        }
        let kind = header(&headers, "content-type");
        if kind.is_some_and(|v| v.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")) {
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
    let target = text(&input["uri"]).unwrap_or_else(|| b"/".to_vec());
    let protocol = text(&input["version"]).unwrap_or_else(|| b"HTTP/1.1".to_vec());
    let sent = Request { method, target, protocol, headers, body };
    let bytes = sent.bytes();
    let headers = sent.headers.iter().map(|(n, v)| (n.clone(), v.trim_ascii().to_vec())).collect();
    Ok((bytes, Some(Request { headers, ..sent }.received())))
}

/// go-ftw encodes form data that does not look encoded.
fn encode(data: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    if urlencoded::decode(data, &mut decoded) || decoded != data {
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
        .map(|pair| match memchr::memchr(b'=', pair) {
            Some(at) => [escape(&pair[..at]), b"=".to_vec(), escape(&pair[at + 1..])].concat(),
            None => escape(pair),
        })
        .collect();
    pairs.join(&b'&')
}
