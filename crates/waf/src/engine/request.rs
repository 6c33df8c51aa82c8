//! Filling the variables from the message.

use super::{
    Client, RequestHead, ResponseHead, Transaction,
    report::Blocked,
    transaction::Entry,
    values::ValueId,
    verdicts::{is_name, is_shared},
};
use crate::{
    body::{Stop, json, multipart, urlencoded, xml},
    seclang::{OverLimit, action::Processor, target::Variable as V},
};

impl Transaction {
    pub(super) fn one(&mut self, variable: V, value: &[u8]) {
        if !self.rules.program.used[variable as usize] {
            return;
        }
        let value = self.values.intern(value);
        let entries = &mut self.vars[variable as usize];
        entries.clear();
        entries.push(Entry { name: 0, value });
    }

    pub(super) fn add(&mut self, variable: V, name: &[u8], value: &[u8]) {
        if !self.rules.program.used[variable as usize] {
            return;
        }
        let entry = Entry { name: self.values.intern(name), value: self.values.intern(value) };
        self.vars[variable as usize].push(entry);
    }

    /// Adds a named value and its name to the collection of names.
    fn paired(&mut self, values: V, names: V, name: &[u8], value: &[u8]) -> Entry {
        let entry = Entry { name: self.values.intern(name), value: self.values.intern(value) };
        self.vars[values as usize].push(entry);
        self.vars[names as usize].push(Entry { name: entry.name, value: entry.name });
        entry
    }

    /// The same of a request, whose names are remembered: they come again and again.
    fn named(&mut self, values: V, names: V, name: &[u8], value: &[u8]) -> Entry {
        let entry = self.paired(values, names, name, value);
        if is_name(name) {
            self.recall(entry.name);
        }
        entry
    }

    /// Takes up what earlier transactions found out about a value.
    fn recall(&mut self, id: ValueId) {
        let rules = &self.rules.program;
        if !self.rules.options.plain {
            self.values.recall(id, &rules.verdicts, rules.pipes.len());
        }
    }

    /// Adds the last argument to two more collections.
    fn again(&mut self, values: V, names: V) {
        if let Some(entry) = self.vars[V::Args as usize].last().copied() {
            self.vars[values as usize].push(entry);
            self.vars[names as usize].push(Entry { name: entry.name, value: entry.name });
        }
    }

    pub(super) fn set_client(&mut self, client: &Client) {
        const EMPTY: &[V] = &[
            V::AuthType,
            V::FilesCombinedSize,
            V::ReqbodyError,
            V::ReqbodyProcessorError,
            V::InboundDataError,
            V::OutboundDataError,
            V::UrlencodedError,
            V::ReqbodyErrorMsg,
            V::ReqbodyProcessor,
            V::RequestBody,
            V::RequestBodyLength,
            V::QueryString,
            V::ArgsCombinedSize,
            V::PathInfo,
            V::ResponseBody,
            V::Duration,
            V::RequestBasename,
            V::ResponseStatus,
            V::ResponseProtocol,
            V::ResponseContentType,
            V::ResponseContentLength,
            V::StatusLine,
            V::ServerName,
        ];
        for variable in EMPTY {
            self.vars[*variable as usize].push(Entry { name: 0, value: 0 });
        }
        for variable in [
            V::ReqbodyError,
            V::ReqbodyProcessorError,
            V::InboundDataError,
            V::OutboundDataError,
            V::UrlencodedError,
            V::ArgsCombinedSize,
            V::FilesCombinedSize,
            V::Duration,
        ] {
            self.one(variable, b"0");
        }
        self.one(V::RemoteAddr, client.address.to_string().as_bytes());
        self.one(V::RemoteHost, client.address.to_string().as_bytes());
        self.one(V::RemotePort, client.port.to_string().as_bytes());
        self.one(V::ServerAddr, client.server.to_string().as_bytes());
        self.one(V::ServerPort, client.server_port.to_string().as_bytes());
        self.one(V::UniqueId, client.unique_id.as_bytes());
        self.set_time(client.time);
    }

    fn set_time(&mut self, seconds: u64) {
        const TIMES: &[V] = &[
            V::Time,
            V::TimeEpoch,
            V::TimeYear,
            V::TimeMon,
            V::TimeDay,
            V::TimeHour,
            V::TimeMin,
            V::TimeSec,
            V::TimeWday,
        ];
        if !TIMES.iter().any(|v| self.rules.program.used[*v as usize]) {
            return;
        }
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Days since 0000-03-01, after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let z = days + 719_468;
        let (era, doe) = (z / 146_097, z % 146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
        let year = yoe + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        self.one(V::Time, format!("{hour:02}:{minute:02}:{second:02}").as_bytes());
        for (variable, n) in [
            (V::TimeEpoch, seconds),
            (V::TimeYear, year),
            (V::TimeMon, month - 1),
            (V::TimeDay, day),
            (V::TimeHour, hour),
            (V::TimeMin, minute),
            (V::TimeSec, second),
            (V::TimeWday, (days + 4) % 7),
        ] {
            self.one(variable, n.to_string().as_bytes());
        }
    }

    pub(super) fn set_request(&mut self, head: &RequestHead<'_>) {
        let target = head.target;
        self.one(V::RequestMethod, head.method);
        self.one(V::RequestProtocol, head.protocol);
        self.one(V::RequestLine, &[head.method, b" ", target, b" ", head.protocol].concat());
        self.one(V::RequestUriRaw, target);
        let uri = &target[..memchr::memchr(b'#', target).unwrap_or(target.len())];
        let question = memchr::memchr(b'?', uri);
        let raw_path = &uri[..question.unwrap_or(uri.len())];
        let local = local_part(uri);
        self.one(V::RequestUri, local);
        let filename = percent(local_part(raw_path));
        let base = filename.iter().rposition(|b| matches!(b, b'/' | b'\\')).map_or(0, |at| at + 1);
        let base = filename[base..].to_vec();
        self.one(V::RequestBasename, &base);
        self.one(V::PathInfo, &filename);
        self.one(V::RequestFilename, &filename);
        if let Some(at) = question {
            let query = uri[at + 1..].to_vec();
            self.one(V::QueryString, &query);
            self.arguments(&query, true);
        }
        for (name, value) in head.headers {
            let entry = self.named(V::RequestHeaders, V::RequestHeadersNames, name, value);
            if is_shared(name) {
                self.recall(entry.value);
            }
            if name.eq_ignore_ascii_case(b"cookie") {
                self.cookies(value);
            } else if name.eq_ignore_ascii_case(b"authorization") {
                let kind = value.split(|b| *b == b' ').next().unwrap_or_default().to_vec();
                self.one(V::AuthType, &kind);
            } else if name.eq_ignore_ascii_case(b"host") {
                let host = value
                    .strip_suffix(value.iter().rposition(|b| *b == b':').map_or(&b""[..], |at| &value[at..]))
                    .unwrap_or(value)
                    .to_vec();
                self.one(V::ServerName, &host);
            } else if name.eq_ignore_ascii_case(b"content-type") {
                self.content_type = value.to_vec();
                let lower = value.to_ascii_lowercase();
                if lower.starts_with(b"multipart/form-data") {
                    self.set_processor(Processor::Multipart);
                } else if lower.starts_with(b"application/x-www-form-urlencoded") {
                    self.set_processor(Processor::Urlencoded);
                }
            }
        }
        self.combined_size();
    }

    pub(super) fn set_processor(&mut self, processor: Processor) {
        self.processor = Some(processor);
        self.one(V::ReqbodyProcessor, processor.name().as_bytes());
    }

    fn cookies(&mut self, header: &[u8]) {
        for pair in header.trim_ascii_end().split(|b| *b == b';') {
            let (name, value) = match memchr::memchr(b'=', pair) {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &b""[..]),
            };
            let name = name.trim_ascii_start();
            if !name.is_empty() {
                self.named(V::RequestCookies, V::RequestCookiesNames, name, value);
            }
        }
    }

    /// Reads URL-encoded arguments of the query or the body.
    fn arguments(&mut self, text: &[u8], query: bool) {
        let settings = &self.rules.program.settings;
        let (separator, most) = (settings.separator, settings.body.values);
        let taken = self.vars[V::Args as usize].len();
        let (own, names) = if query { (V::ArgsGet, V::ArgsGetNames) } else { (V::ArgsPost, V::ArgsPostNames) };
        let result = urlencoded::read(text, separator, most.saturating_sub(taken), |name, value| {
            self.named(V::Args, V::ArgsNames, name, value);
            self.again(own, names);
        });
        match result {
            Ok(false) => {}
            Ok(true) => self.one(V::UrlencodedError, b"1"),
            Err(stop) => self.body_error(stop),
        }
    }

    fn combined_size(&mut self) {
        let entries = &self.vars[V::Args as usize];
        let size: usize = entries.iter().map(|e| self.values.get(e.name).len() + self.values.get(e.value).len()).sum();
        self.one(V::ArgsCombinedSize, size.to_string().as_bytes());
    }

    fn body_error(&mut self, stop: Stop) {
        self.one(V::ReqbodyError, b"1");
        self.one(V::ReqbodyProcessorError, b"1");
        self.one(V::ReqbodyErrorMsg, stop.reason().as_bytes());
        if matches!(stop, Stop::OverLimit(_)) && self.rules.program.settings.request_over == OverLimit::Reject {
            self.over_limit = Some(Blocked { rule: 0, phase: 2, status: 413, redirect: None, drop: false });
        }
    }

    pub(super) fn set_request_body(&mut self) {
        let body = std::mem::take(&mut self.body);
        if body.is_empty() || !self.request_access {
            self.body = body;
            return;
        }
        let settings = &self.rules.program.settings;
        let (limits, most) = (settings.body, settings.no_files_limit);
        let mut whole = body;
        if self.processor != Some(Processor::Multipart) && whole.len() > most {
            let reject = settings.request_over == OverLimit::Reject;
            self.one(V::InboundDataError, b"1");
            self.one(V::RequestBodyLength, whole.len().to_string().as_bytes());
            if reject {
                self.body_error(Stop::OverLimit("the body is longer than allowed without files"));
                self.body = whole;
                return;
            }
            whole.truncate(most);
        }
        let body = whole;
        // What a reader took apart in full is not shown again, but JSON's keys stand in no value.
        let show = self.force_body || matches!(self.processor, Some(Processor::Urlencoded | Processor::Json));
        if show {
            self.one(V::RequestBody, &body);
        }
        self.one(V::RequestBodyLength, body.len().to_string().as_bytes());
        let result = match self.processor {
            None => Ok(()),
            Some(Processor::Urlencoded) => {
                self.arguments(&body, false);
                Ok(())
            }
            Some(Processor::Json) => json::read(&body, &limits, |name, value| {
                self.named(V::Args, V::ArgsNames, name, value);
                self.again(V::ArgsPost, V::ArgsPostNames);
            }),
            Some(Processor::Xml) => {
                let mut document = xml::Document::default();
                let result = xml::read(&body, &limits, &mut document);
                if !document.text.is_empty() || result.is_ok() {
                    self.add(V::Xml, b"/*", &document.text);
                }
                for value in &document.attributes {
                    self.add(V::Xml, b"//@*", value);
                }
                result
            }
            Some(Processor::Multipart) => self.multipart(&body, &limits),
        };
        if let Err(stop) = result {
            self.body_error(stop);
        }
        self.combined_size();
        self.body = body;
    }

    fn multipart(&mut self, body: &[u8], limits: &crate::body::Limits) -> Result<(), Stop> {
        let mut form = multipart::Form::default();
        let content_type = self.content_type.clone();
        let mut result = multipart::read(&content_type, body, limits, &mut form);
        let mut total = 0;
        let fields = form.parts.iter().filter(|p| p.filename.is_none()).map(|p| p.content.len());
        if fields.sum::<usize>() > self.rules.program.settings.no_files_limit {
            self.one(V::InboundDataError, b"1");
            form.parts.retain(|p| p.filename.is_some());
            result = Err(Stop::OverLimit("the body is longer than allowed without files"));
        }
        for part in &form.parts {
            let content = &body[part.content.clone()];
            self.add(V::MultipartName, &part.name, &part.name);
            for header in &part.headers {
                self.add(V::MultipartPartHeaders, &part.name, header);
            }
            if let Some(filename) = &part.filename {
                total += content.len();
                self.add(V::Files, &part.name, filename);
                self.add(V::MultipartFilename, &part.name, filename);
                self.add(V::FilesNames, &part.name, &part.name);
                self.add(V::FilesSizes, &part.name, content.len().to_string().as_bytes());
            } else {
                self.named(V::Args, V::ArgsNames, &part.name, content);
                self.again(V::ArgsPost, V::ArgsPostNames);
            }
        }
        self.one(V::FilesCombinedSize, total.to_string().as_bytes());
        let f = form.flags;
        let mixed = f.crlf_line && f.lf_line;
        let strict = [
            (V::MultipartBoundaryQuoted, f.boundary_quoted),
            (V::MultipartBoundaryWhitespace, f.boundary_whitespace),
            (V::MultipartDataBefore, f.data_before),
            (V::MultipartDataAfter, f.data_after),
            (V::MultipartHeaderFolding, f.header_folding),
            (V::MultipartLfLine, f.lf_line),
            (V::MultipartMissingSemicolon, f.missing_semicolon),
            (V::MultipartInvalidQuoting, f.invalid_quoting),
            (V::MultipartInvalidPart, f.invalid_part),
            (V::MultipartInvalidHeaderFolding, f.invalid_header_folding),
            (V::MultipartFileLimitExceeded, f.file_limit_exceeded),
        ];
        for (variable, on) in strict.into_iter().chain([
            (V::MultipartStrictError, strict.iter().any(|(_, on)| *on) || result.is_err()),
            (V::MultipartUnmatchedBoundary, f.unmatched_boundary),
            (V::MultipartCrlfLfLines, mixed),
        ]) {
            self.one(variable, if on { b"1" } else { b"0" });
        }
        result
    }

    pub(super) fn set_response(&mut self, head: &ResponseHead<'_>) {
        self.one(V::ResponseStatus, head.status.to_string().as_bytes());
        self.one(V::ResponseProtocol, head.protocol);
        self.one(V::StatusLine, &[head.protocol, b" ", head.status.to_string().as_bytes()].concat());
        for (name, value) in head.headers {
            self.paired(V::ResponseHeaders, V::ResponseHeadersNames, name, value);
            if name.eq_ignore_ascii_case(b"content-type") {
                self.response_type = value.to_vec();
                let end = value.iter().position(|b| *b == b';').unwrap_or(value.len());
                self.one(V::ResponseContentType, value[..end].trim_ascii());
            }
        }
    }

    pub(super) fn set_response_body(&mut self) {
        let body = std::mem::take(&mut self.response);
        self.one(V::ResponseContentLength, body.len().to_string().as_bytes());
        self.one(V::ResponseBody, &body);
        self.response = body;
    }
}

/// The part of a request target after `scheme://authority`, or all of it.
fn local_part(uri: &[u8]) -> &[u8] {
    if uri.first() == Some(&b'/') {
        return uri;
    }
    let Some(at) = memchr::memmem::find(uri, b"://") else { return uri };
    match memchr::memchr(b'/', &uri[at + 3..]) {
        Some(slash) => &uri[at + 3 + slash..],
        None => b"/",
    }
}

/// Decodes `%HH` of a path, where a plus is a plus.
fn percent(path: &[u8]) -> Vec<u8> {
    let digit = |at: usize| path.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut out = Vec::with_capacity(path.len());
    let mut i = 0;
    while i < path.len() {
        if path[i] == b'%'
            && let (Some(high), Some(low)) = (digit(i + 1), digit(i + 2))
        {
            out.push((high << 4 | low) as u8);
            i += 3;
        } else {
            out.push(path[i]);
            i += 1;
        }
    }
    out
}
