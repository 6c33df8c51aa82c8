//! One request before the rules: what they are given of it, and what is told of what they found.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, Method, Version, header, request};
use sekisho_kernel::TraceId;
use sekisho_waf::{
    Blocked, Client, Match, RequestHead, Transaction,
    mask::{Masked, Secrets},
    wire::Request,
};

use super::{Firewall, Loaded, secrets};
use crate::{cookies, request_line::Lost};

/// Rules named in an entry.
const NAMED: usize = 8;
/// Characters of a matched value that are shown.
const SHOWN: usize = 160;

/// A request under examination.
pub(crate) struct Examination {
    pub transaction: Box<Transaction>,
    pub paranoia: u8,
    /// The set that looks at it.
    pub set: Arc<Loaded>,
    /// The body as the rules see it, once it is there.
    pub body: Bytes,
    /// Whether it leads to our own routes, where some fields are not looked at.
    pub own: bool,
    /// Whether the request phases are over.
    pub asked: bool,
    /// Who is told of its end.
    pub firewall: Firewall,
}

impl Drop for Examination {
    fn drop(&mut self) {
        self.firewall.ended(&mut self.transaction);
    }
}

/// Who asks, in the engine's words.
pub(crate) fn client(peer: IpAddr, port: u16, time: i64, trace: TraceId) -> Client {
    Client {
        address: peer,
        port: 0,
        server: IpAddr::from([127, 0, 0, 1]),
        server_port: port,
        time: u64::try_from(time).unwrap_or(0),
        unique_id: trace.to_string(),
    }
}

/// A field's name as people know it, where it is a common one: rules name the part by it in what they say.
fn spelled(name: &HeaderName) -> &[u8] {
    match name {
        &header::ACCEPT => b"Accept",
        &header::ACCEPT_CHARSET => b"Accept-Charset",
        &header::ACCEPT_ENCODING => b"Accept-Encoding",
        &header::ACCEPT_LANGUAGE => b"Accept-Language",
        &header::AUTHORIZATION => b"Authorization",
        &header::CACHE_CONTROL => b"Cache-Control",
        &header::CONNECTION => b"Connection",
        &header::CONTENT_ENCODING => b"Content-Encoding",
        &header::CONTENT_LENGTH => b"Content-Length",
        &header::CONTENT_TYPE => b"Content-Type",
        &header::COOKIE => b"Cookie",
        &header::HOST => b"Host",
        &header::ORIGIN => b"Origin",
        &header::RANGE => b"Range",
        &header::REFERER => b"Referer",
        &header::TRANSFER_ENCODING => b"Transfer-Encoding",
        &header::USER_AGENT => b"User-Agent",
        name => name.as_str().as_bytes(),
    }
}

/// A head as the rules see it: without our own cookies, and on our own routes without what proves who somebody is.
pub(crate) struct Head<'a> {
    method: &'a Method,
    target: Cow<'a, str>,
    version: Version,
    fields: Vec<(&'a [u8], Cow<'a, [u8]>)>,
}

impl<'a> Head<'a> {
    /// From a request to `host`, of whose target `lost` was lost; `own` for our own routes.
    pub fn of(parts: &'a request::Parts, lost: Lost, host: &'a str, own: bool) -> Self {
        let target = parts.uri.path_and_query().map_or("/", |pq| pq.as_str());
        let target = match (parts.uri.scheme(), parts.uri.authority()) {
            // There are rules about those who write it like this.
            (Some(scheme), Some(authority)) if lost == Lost::Path => Cow::Owned(format!("{scheme}://{authority}")),
            _ if own => Cow::Owned(secrets::target(target)),
            _ => Cow::Borrowed(target),
        };
        let mut fields: Vec<(&[u8], Cow<'_, [u8]>)> = Vec::with_capacity(parts.headers.len() + 1);
        if !parts.headers.contains_key(header::HOST) {
            // HTTP/2 names the host in the target (RFC 9113 §8.3.1).
            fields.push((b"Host", Cow::Borrowed(host.as_bytes())));
        }
        for (name, value) in &parts.headers {
            let value = match name {
                &header::COOKIE => match cookies::without_ours(value) {
                    Some(rest) => Cow::Owned(rest),
                    None => continue,
                },
                &header::AUTHORIZATION if own => Cow::Owned(secrets::scheme(value.as_bytes())),
                name if own && name == "x-csrf-token" => continue,
                _ => Cow::Borrowed(value.as_bytes()),
            };
            fields.push((spelled(name), value));
        }
        Self { method: &parts.method, target, version: parts.version, fields }
    }

    fn protocol(&self) -> &'static [u8] {
        match self.version {
            Version::HTTP_10 => b"HTTP/1.0",
            Version::HTTP_2 => b"HTTP/2",
            _ => b"HTTP/1.1",
        }
    }

    /// Runs the rules that look at it.
    pub fn ask(&self, transaction: &mut Transaction) -> Option<Blocked> {
        let headers: Vec<(&[u8], &[u8])> = self.fields.iter().map(|(n, v)| (*n, &**v)).collect();
        let head = RequestHead {
            method: self.method.as_str().as_bytes(),
            target: self.target.as_bytes(),
            protocol: self.protocol(),
            headers: &headers,
        };
        transaction.request(&head).blocked().cloned()
    }

    /// A copy to keep, with the body as the rules saw it.
    pub fn kept(&self, body: Vec<u8>) -> Request {
        Request {
            method: self.method.as_str().as_bytes().to_vec(),
            target: self.target.as_bytes().to_vec(),
            protocol: self.protocol().to_vec(),
            headers: self.fields.iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect(),
            body,
        }
    }
}

impl Examination {
    /// Runs the rules that look at the body, which is there or is not.
    pub fn ask_body(&mut self) -> Option<Blocked> {
        self.asked = true;
        if let Some(blocked) = self.transaction.append_request_body(&self.body).blocked() {
            return Some(blocked.clone());
        }
        self.transaction.request_body().blocked().cloned()
    }

    /// Examines the beginning of the answer's body.
    pub fn ask_answer(&mut self, first: &[u8]) -> Option<Blocked> {
        if let Some(blocked) = self.transaction.append_response_body(first).blocked() {
            return Some(blocked.clone());
        }
        self.transaction.response_body().blocked().cloned()
    }
}

/// What an entry says of what the rules found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The rules that scored, by id, each once.
    pub rules: Vec<u32>,
    /// The first one's message.
    pub message: String,
    /// The part it matched, `ARGS:comment`.
    pub part: String,
    /// Its value there, secrets masked.
    pub value: String,
    /// The anomaly score, of the request or of the answer.
    pub score: i64,
}

fn decides(found: &Match) -> bool {
    found.tags.iter().any(|t| t == "anomaly-evaluation")
        || (949_000..950_000).contains(&found.rule)
        || (959_000..960_000).contains(&found.rule)
        || (980_000..981_000).contains(&found.rule)
}

/// A matched value as people see it: printable, masked, cut.
pub fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        out.push('…');
    }
    out
}

/// The matches that count, masked.
pub(crate) fn masked(transaction: &Transaction) -> Vec<Masked> {
    let secrets = Secrets::default();
    transaction.matches().iter().filter(|m| !decides(m)).map(|m| secrets.masked(m)).collect()
}

/// What is told of a transaction.
pub(crate) fn found(transaction: &Transaction) -> Found {
    let scores = transaction.scores();
    let mut out = Found { score: scores.inbound.max(scores.outbound), ..Found::default() };
    for one in masked(transaction) {
        if out.rules.is_empty() {
            out.message = shown(&one.message);
            if let Some((name, value)) = one.parts.first() {
                (out.part, out.value) = (shown(name), shown(value));
            }
        }
        if !out.rules.contains(&one.rule) && out.rules.len() < NAMED {
            out.rules.push(one.rule);
        }
    }
    if let (true, Some(blocked)) = (out.rules.is_empty(), transaction.verdict()) {
        out.rules.push(blocked.rule);
    }
    out
}

impl Found {
    /// The details of an entry.
    pub fn detail(&self, set: &str, paranoia: u8) -> Vec<(&'static str, String)> {
        let rules = self.rules.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        vec![
            ("rules", rules),
            ("message", self.message.clone()),
            ("part", self.part.clone()),
            ("matched", self.value.clone()),
            ("score", self.score.to_string()),
            ("paranoia", paranoia.to_string()),
            ("rule_set", set.to_owned()),
        ]
    }
}

impl Loaded {
    /// The name by which entries call the set.
    pub fn name(&self) -> String {
        match self.info.version {
            0 => self.info.name.clone(),
            version => format!("{} {version}", self.info.name),
        }
    }
}
