//! A request's first line as it came over HTTP/1.1.
//!
//! What reads the line into its parts drops a fragment, which a request target never has (RFC 9112 §3.2). Whoever sends one
//! hopes that somebody behind reads the target differently; so it is looked for in the bytes themselves.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use http::{Method, Uri};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of a line that are kept; a target that is longer than that before its fragment is refused for its length.
const LONGEST: usize = 16 << 10;

/// Where in a connection's requests the bytes that come are.
#[derive(Debug)]
enum Place {
    /// In a request's first line, of which this has come.
    Line(Vec<u8>),
    /// Behind it, in the request whose line it was.
    Rest(Vec<u8>),
    /// In a body.
    Body,
}

/// The first line of the request that is being read. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct RequestLine(Arc<Mutex<Place>>);

/// The body of a request has yet to come whole. Dropped when it has.
#[derive(Debug)]
pub(crate) struct Pending(RequestLine);

impl Drop for Pending {
    fn drop(&mut self) {
        *self.0.place() = Place::Line(Vec::new());
    }
}

impl RequestLine {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Place::Line(Vec::new()))))
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, bytes: &[u8]) {
        let mut place = self.place();
        let Place::Line(line) = &mut *place else { return };
        // Empty lines may come before it (RFC 9112 §2.2).
        let skip = if line.is_empty() { bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count() } else { 0 };
        let bytes = &bytes[skip..];
        let end = bytes.iter().position(|b| *b == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        line.extend_from_slice(&part[..part.len().min(LONGEST - line.len())]);
        if end.is_some() || line.len() == LONGEST {
            *place = Place::Rest(std::mem::take(line));
        }
    }

    /// What was lost of the target of the request just read. The bytes that come next belong to its body until the other value
    /// is dropped; a request without one has none.
    pub fn lost(&self, method: &Method, uri: &Uri, body: bool) -> (Lost, Option<Pending>) {
        let next = if body { Place::Body } else { Place::Line(Vec::new()) };
        let place = std::mem::replace(&mut *self.place(), next);
        let lost = match &place {
            Place::Line(line) | Place::Rest(line) => Lost::between(line, method, uri),
            Place::Body => Lost::Nothing,
        };
        (lost, body.then(|| Pending(self.clone())))
    }
}

/// What a target lost when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It is as it was sent.
    Nothing,
    /// A fragment.
    Fragment,
    /// It had no path, and is read as if it had `/`.
    Path,
}

impl Lost {
    /// Between the line as it came and `uri`, which was read from it.
    fn between(line: &[u8], method: &Method, uri: &Uri) -> Self {
        let hash = line.iter().position(|b| *b == b'#');
        if hash.is_none() && uri.scheme().is_none() {
            return Self::Nothing;
        }
        let sent = line.strip_prefix(method.as_str().as_bytes()).and_then(|rest| rest.strip_prefix(b" "));
        let Some(sent) = sent else { return Self::Nothing };
        let end = sent.iter().position(|b| matches!(b, b'#' | b' ')).unwrap_or(sent.len());
        let read = uri.to_string();
        let pathless = read.as_bytes().strip_suffix(b"/") == Some(&sent[..end]);
        match sent.get(end) {
            Some(b'#') if pathless || sent[..end] == *read.as_bytes() => Self::Fragment,
            Some(b' ') if pathless => Self::Path,
            _ => Self::Nothing,
        }
    }
}

/// A connection whose requests' first lines are kept.
#[derive(Debug)]
pub(crate) struct Tapped<I> {
    pub io: I,
    pub line: RequestLine,
}

impl<I: AsyncRead + Unpin> AsyncRead for Tapped<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        self.line.read(&buf.filled()[before..]);
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Tapped<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &RequestLine, uri: &str, body: bool) -> (Lost, Option<Pending>) {
        line.lost(&Method::GET, &uri.parse().unwrap(), body)
    }

    #[test]
    fn a_fragment_is_found_however_the_line_is_cut() {
        for (text, uri) in [
            ("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", "/a"),
            ("\r\n\r\nGET /a?q=1#b HTTP/1.1\r\n", "/a?q=1"),
            ("GET /# HTTP/1.1\r\n", "/"),
            ("GET http://h#b HTTP/1.1\r\n", "http://h"),
            ("GET http://h/p#b HTTP/1.1\r\n", "http://h/p"),
        ] {
            for cut in 0..text.len() {
                let line = RequestLine::new();
                line.read(&text.as_bytes()[..cut]);
                line.read(&text.as_bytes()[cut..]);
                assert_eq!(asked(&line, uri, false).0, Lost::Fragment, "{text:?} cut at {cut}");
                assert_eq!(asked(&line, uri, false).0, Lost::Nothing, "once");
            }
        }
    }

    #[test]
    fn what_is_no_fragment_of_this_request_is_none() {
        let line = RequestLine::new();
        line.read(b"GET /a HTTP/1.1\r\nCookie: x=#\r\n\r\nGET /a#b HTTP/1.1\r\n");
        assert_eq!(asked(&line, "/a", false).0, Lost::Nothing, "fields and requests behind are not looked at");
        line.read(b"GET /a HTTP/1.1\r\n\r\n");
        let (found, body) = asked(&line, "/a", true);
        assert_eq!(found, Lost::Nothing);
        line.read(b"GET /b#c HTTP/1.1\r\n");
        drop(body);
        line.read(b"GET /b HTTP/1.1\r\n");
        assert_eq!(asked(&line, "/b", false).0, Lost::Nothing, "a body says nothing of the next request");
        line.read(b"POST /b#c HTTP/1.1\r\n");
        assert_eq!(asked(&line, "/b", false).0, Lost::Nothing, "another method");
        for (sent, lost) in [("http://h", Lost::Path), ("http://h/", Lost::Nothing), ("http://h?q", Lost::Nothing)] {
            line.read(format!("GET {sent} HTTP/1.1\r\n").as_bytes());
            assert_eq!(asked(&line, sent, false).0, lost, "{sent}");
        }
        line.read(&vec![b'a'; 3 * LONGEST]);
        assert!(matches!(&*line.place(), Place::Rest(line) if line.len() == LONGEST));
    }
}
