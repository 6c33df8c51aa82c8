//! Requests as text (RFC 9112), for explanations, tests and tools. A server has its own, stricter reader.

use crate::{Outcome, RequestHead, Transaction};

/// Name and value of a header field.
pub type Field = (Vec<u8>, Vec<u8>);

/// A request with its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Vec<u8>,
    /// The target as sent.
    pub target: Vec<u8>,
    /// `HTTP/1.1` and the like; `HTTP/0.9` where the request line has no version.
    pub protocol: Vec<u8>,
    /// The header fields in order.
    pub headers: Vec<Field>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a text is not a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, in English.
    pub reason: &'static str,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for Unreadable {}

impl Request {
    /// Reads a request: request line, header fields, an empty line, and the body to the end of the text. Lines may end in LF
    /// alone, as editors write them.
    ///
    /// # Errors
    /// The line that is not one of a request.
    pub fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        let mut out = Self::default();
        let mut at = 0;
        let mut number = 0;
        loop {
            number += 1;
            let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |n| at + n);
            let line = &text[at..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            at = (end + 1).min(text.len());
            if number == 1 {
                out.request_line(line).map_err(|reason| Unreadable { line: 1, reason })?;
            } else if line.is_empty() {
                break;
            } else {
                let colon = memchr::memchr(b':', line).filter(|n| *n > 0);
                let colon = colon.ok_or(Unreadable { line: number, reason: "a header field has no name" })?;
                out.headers.push((line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec()));
            }
            if at == text.len() {
                break;
            }
        }
        out.body = text[at..].to_vec();
        Ok(out)
    }

    fn request_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let mut words = line.split(|b| *b == b' ');
        self.method = words.next().unwrap_or_default().to_vec();
        if self.method.is_empty() {
            return Err("the request line has no method");
        }
        self.target = words.next().ok_or("the request line has no target")?.to_vec();
        self.protocol = words.next().filter(|p| !p.is_empty()).unwrap_or(b"HTTP/0.9").to_vec();
        Ok(())
    }

    /// What a server makes of the message before a rule sees it (RFC 9112 §6.3): chunks are joined and win over a length,
    /// and without either there is no body.
    #[must_use]
    pub fn received(mut self) -> Self {
        if self.protocol.is_empty() {
            self.protocol = b"HTTP/0.9".to_vec();
        }
        if self.is_chunked() {
            self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(b"content-length"));
            self.body = join(&self.body);
        } else if self.header("content-length").is_none() {
            self.body.clear();
        }
        self
    }

    /// Whether the body is sent in chunks.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case(b"chunked"))
    }

    /// The first value of a header field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        header(&self.headers, name)
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = [&self.method[..], &self.target, &self.protocol].join(&b' ');
        out.extend_from_slice(b"\r\n");
        for (name, value) in &self.headers {
            out.extend([name.as_slice(), b": ", value, b"\r\n"].concat());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// Runs the request phases; an outcome that blocks ends them.
    pub fn examine(&self, transaction: &mut Transaction) -> Outcome {
        let headers: Vec<(&[u8], &[u8])> = self.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        let head =
            RequestHead { method: &self.method, target: &self.target, protocol: &self.protocol, headers: &headers };
        let mut outcome = transaction.request(&head);
        if outcome.blocked().is_none() {
            outcome = transaction.append_request_body(&self.body);
        }
        if outcome.blocked().is_none() { transaction.request_body() } else { outcome }
    }
}

/// The first value of a header field.
#[must_use]
pub fn header<'a>(headers: &'a [Field], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| v.as_slice())
}

/// Joins chunks (RFC 9112 §7.1).
fn join(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        let line = rest[..at].split(|b| *b == b';').next().unwrap_or_default();
        let size = std::str::from_utf8(line).ok().and_then(|t| usize::from_str_radix(t.trim(), 16).ok()).unwrap_or(0);
        let Some(chunk) = at.checked_add(2 + size).filter(|_| size > 0).and_then(|end| rest.get(at + 2..end)) else {
            break;
        };
        out.extend_from_slice(chunk);
        rest = rest.get(at + 4 + size..).unwrap_or_default();
    }
    out
}
