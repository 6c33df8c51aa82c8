//! `multipart/form-data` (RFC 7578, RFC 2046 §5.1). Read strictly enough to notice every spelling that another reader
//! could take differently, and leniently enough to show the rules what is there.

use super::{Limits, Stop};
use std::ops::Range;

/// One part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// `name` of `Content-Disposition`.
    pub name: Vec<u8>,
    /// `filename`, if it is a file.
    pub filename: Option<Vec<u8>>,
    /// The header lines, unfolded.
    pub headers: Vec<Vec<u8>>,
    /// The content, as a range of the body.
    pub content: Range<usize>,
}

/// What looked odd. Each field is a variable of SecLang.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a variable of its own in SecLang")]
pub struct Flags {
    /// The boundary was quoted.
    pub boundary_quoted: bool,
    /// A blank stood before the boundary parameter's value or within it.
    pub boundary_whitespace: bool,
    /// Text before the first boundary.
    pub data_before: bool,
    /// Text after the last boundary.
    pub data_after: bool,
    /// A header line was folded.
    pub header_folding: bool,
    /// A folded header line began with something else than a blank or tab.
    pub invalid_header_folding: bool,
    /// A boundary or header line, or the line before a boundary, ended in LF alone.
    pub lf_line: bool,
    /// A boundary or header line ended in CRLF.
    pub crlf_line: bool,
    /// A parameter was not preceded by a semicolon.
    pub missing_semicolon: bool,
    /// A quote stood where none may.
    pub invalid_quoting: bool,
    /// A part without a usable `Content-Disposition`.
    pub invalid_part: bool,
    /// A line began like the boundary and went on differently, or the last boundary is missing.
    pub unmatched_boundary: bool,
    /// More files than allowed.
    pub file_limit_exceeded: bool,
}

/// A body's parts and oddities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The parts in order.
    pub parts: Vec<Part>,
    /// The oddities.
    pub flags: Flags,
}

/// The boundary of a `Content-Type`.
fn boundary(content_type: &[u8], flags: &mut Flags) -> Result<Vec<u8>, Stop> {
    let lower = content_type.to_ascii_lowercase();
    let Some(at) = memchr::memmem::find(&lower, b"boundary") else {
        return Err(Stop::Malformed("multipart: no boundary"));
    };
    if memchr::memmem::find(&lower[at + 8..], b"boundary")
        .is_some_and(|next| lower[at + 8..at + 8 + next].contains(&b';'))
    {
        return Err(Stop::Malformed("multipart: two boundaries"));
    }
    let before = content_type[..at].trim_ascii_end();
    if !before.ends_with(b";") && !before.ends_with(b",") {
        flags.missing_semicolon = true;
    }
    let rest = &content_type[at + 8..];
    let Some(eq) = memchr::memchr(b'=', rest) else { return Err(Stop::Malformed("multipart: no boundary")) };
    if eq > 0 {
        if !rest[..eq].trim_ascii().is_empty() {
            return Err(Stop::Malformed("multipart: no boundary"));
        }
        flags.boundary_whitespace = true;
    }
    let mut value = &rest[eq + 1..];
    if value.first().is_some_and(u8::is_ascii_whitespace) {
        flags.boundary_whitespace = true;
        value = value.trim_ascii_start();
    }
    let value = if let Some(quoted) = value.strip_prefix(b"\"") {
        flags.boundary_quoted = true;
        let Some(end) = memchr::memchr(b'"', quoted) else {
            return Err(Stop::Malformed("multipart: the boundary's quote is open"));
        };
        &quoted[..end]
    } else {
        let end = value.iter().position(|b| matches!(b, b';' | b',')).unwrap_or(value.len());
        let value = value[..end].trim_ascii_end();
        if value.contains(&b'"') {
            flags.invalid_quoting = true;
        }
        if value.iter().any(u8::is_ascii_whitespace) {
            flags.boundary_whitespace = true;
        }
        value
    };
    // RFC 2046 §5.1.1 allows 70 characters.
    if value.is_empty() || value.len() > 200 {
        return Err(Stop::Malformed("multipart: the boundary is empty or too long"));
    }
    Ok(value.to_vec())
}

/// Reads a body; what was read before an error stays in `form`.
///
/// # Errors
/// When the body is not multipart or a bound is reached.
pub fn read(content_type: &[u8], body: &[u8], limits: &Limits, form: &mut Form) -> Result<(), Stop> {
    let mut mark = b"--".to_vec();
    mark.extend(boundary(content_type, &mut form.flags)?);
    let mut part: Option<Part> = None;
    let mut in_headers = false;
    let mut closed = false;
    let mut files = 0;
    let mut i = 0;
    let mut content_end = 0;
    let mut before_lf = false;
    while i < body.len() {
        let (line_end, next) = match memchr::memchr(b'\n', &body[i..]) {
            Some(at) => (i + at, i + at + 1),
            None => (body.len(), body.len()),
        };
        let crlf = line_end > i && body[line_end - 1] == b'\r' && next > line_end;
        let lf = !crlf && next > line_end;
        let line = &body[i..line_end - usize::from(crlf)];
        let tail = line.strip_prefix(mark.as_slice());
        let boundary = tail.map(|t| t.trim_ascii_end()).filter(|t| t.is_empty() || *t == b"--");
        if in_headers || boundary.is_some() {
            // A file's own lines may end as they like; those of the format, and the one before a boundary, may not.
            form.flags.crlf_line |= crlf;
            form.flags.lf_line |= lf || (boundary.is_some() && before_lf);
        }
        before_lf = lf;
        if let Some(end) = boundary {
            if closed {
                form.flags.data_after = true;
            }
            if let Some(mut done) = part.take() {
                // The line break before a boundary belongs to it: content begins after the headers' own.
                form.flags.invalid_part |= in_headers || done.content.start == i;
                done.content.end = content_end.max(done.content.start);
                finish(done, form, limits, &mut files)?;
            }
            if end == b"--" {
                closed = true;
            } else if !closed {
                part = Some(Part::default());
                in_headers = true;
            }
        } else if tail.is_some() && !closed {
            form.flags.unmatched_boundary = true;
            content_end = line_end - usize::from(crlf);
        } else if let (Some(current), true) = (&mut part, in_headers) {
            if line.is_empty() {
                in_headers = false;
                current.content = next..next;
                content_end = next;
            } else if line[0].is_ascii_whitespace() || line[0] == 0x0b {
                form.flags.header_folding = true;
                if !matches!(line[0], b' ' | b'\t') {
                    form.flags.invalid_header_folding = true;
                }
                let Some(last) = current.headers.last_mut() else {
                    return Err(Stop::Malformed("multipart: folding before a header"));
                };
                last.push(b' ');
                last.extend_from_slice(line.trim_ascii_start());
            } else {
                current.headers.push(line.to_vec());
                if current.headers.len() > 64 {
                    return Err(Stop::OverLimit("multipart: too many headers in a part"));
                }
            }
        } else if part.is_some() {
            content_end = line_end - usize::from(crlf);
        } else if !line.trim_ascii().is_empty() {
            if closed { form.flags.data_after = true } else { form.flags.data_before = true }
        }
        i = next;
    }
    if let Some(mut done) = part.take() {
        form.flags.unmatched_boundary = true;
        done.content.end = body.len().max(done.content.start);
        if in_headers {
            form.flags.invalid_part = true;
            done.content = body.len()..body.len();
        }
        finish(done, form, limits, &mut files)?;
        return Err(Stop::Malformed("multipart: the last boundary is missing"));
    }
    if closed { Ok(()) } else { Err(Stop::Malformed("multipart: no boundary in the body")) }
}

fn finish(mut part: Part, form: &mut Form, limits: &Limits, files: &mut usize) -> Result<(), Stop> {
    let disposition = part.headers.iter().find(|h| {
        h.iter()
            .position(|b| *b == b':')
            .is_some_and(|at| h[..at].trim_ascii().eq_ignore_ascii_case(b"content-disposition"))
    });
    let mut valid = false;
    if let Some(header) = disposition {
        let value = header.iter().position(|b| *b == b':').map_or(&b""[..], |at| &header[at + 1..]).to_vec();
        valid = parameters(&value, &mut part, &mut form.flags);
    }
    form.flags.invalid_part |= !valid;
    if part.filename.is_some() {
        *files += 1;
        if *files > limits.files {
            form.flags.file_limit_exceeded = true;
            return Err(Stop::OverLimit("multipart: too many files"));
        }
    }
    if form.parts.len() >= limits.values {
        return Err(Stop::OverLimit("multipart: too many parts"));
    }
    form.parts.push(part);
    if valid { Ok(()) } else { Err(Stop::Malformed("multipart: a part without a usable Content-Disposition")) }
}

/// Reads `form-data; name="…"; filename="…"` into the part; says whether it was well-formed.
fn parameters(value: &[u8], part: &mut Part, flags: &mut Flags) -> bool {
    let text = value.trim_ascii();
    let kind = text.iter().position(|b| *b == b';' || b.is_ascii_whitespace()).unwrap_or(text.len());
    let mut valid = text[..kind].eq_ignore_ascii_case(b"form-data");
    let mut rest = text[kind..].trim_ascii_start();
    let mut named = false;
    while !rest.is_empty() {
        match rest.strip_prefix(b";") {
            Some(after) => rest = after.trim_ascii_start(),
            None => flags.missing_semicolon = true,
        }
        if rest.is_empty() {
            break;
        }
        let Some(eq) = memchr::memchr(b'=', rest) else { return false };
        let key = rest[..eq].trim_ascii().to_ascii_lowercase();
        rest = rest[eq + 1..].trim_ascii_start();
        let mut found = Vec::new();
        match rest.first() {
            Some(&quote @ (b'"' | b'\'')) => {
                if quote == b'\'' {
                    flags.invalid_quoting = true;
                }
                let mut at = 1;
                loop {
                    match rest.get(at) {
                        None => {
                            flags.invalid_quoting = true;
                            valid = false;
                            break;
                        }
                        Some(b'\\') if matches!(rest.get(at + 1), Some(b) if *b == quote || *b == b'\\') => {
                            found.push(rest[at + 1]);
                            at += 2;
                        }
                        Some(b) if *b == quote => {
                            at += 1;
                            break;
                        }
                        Some(b) => {
                            found.push(*b);
                            at += 1;
                        }
                    }
                }
                rest = rest.get(at..).unwrap_or_default().trim_ascii_start();
            }
            _ => {
                let end = rest.iter().position(|b| *b == b';').unwrap_or(rest.len());
                found.extend_from_slice(rest[..end].trim_ascii_end());
                if found.iter().any(|b| matches!(b, b'"' | b'\'')) {
                    flags.invalid_quoting = true;
                }
                rest = &rest[end..];
            }
        }
        match key.as_slice() {
            b"name" if !named => {
                named = true;
                part.name = found;
            }
            b"filename" if part.filename.is_none() => part.filename = Some(found),
            b"name" | b"filename" => {
                valid = false;
                flags.invalid_part = true;
            }
            // RFC 5987's spelling hides the name from readers that do not know it: shown beside the plain one.
            b"filename*" => {
                let shown = part.filename.get_or_insert_default();
                if !shown.is_empty() {
                    shown.push(b' ');
                }
                shown.extend_from_slice(&found);
            }
            _ => {}
        }
    }
    // A part without a name is one that readers pass over.
    valid && named && !part.name.is_empty()
}
