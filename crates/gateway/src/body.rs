//! Bodies: what comes in, counted and limited, and what goes out.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use crate::{request_line::Pending, upstream::UpstreamBody};

/// Why a body ended early.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer that a page made.
pub type PageBody = UnsyncBoxBody<Bytes, BoxError>;

/// How far a request's body has come; shared by the body and by whoever waits for it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    moved: AtomicU64,
    state: AtomicU8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The upstream's connection has not asked for more.
    Held = 0,
    /// Waiting for the client.
    Waiting = 1,
    /// All of it came.
    Done = 2,
    /// Over the limit.
    TooLarge = 3,
    /// The client broke off.
    Broken = 4,
}

impl Progress {
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }
    pub fn stage(&self) -> Stage {
        match self.state.load(Ordering::Relaxed) {
            1 => Stage::Waiting,
            2 => Stage::Done,
            3 => Stage::TooLarge,
            4 => Stage::Broken,
            _ => Stage::Held,
        }
    }
    fn now(&self, stage: Stage) {
        self.state.store(stage as u8, Ordering::Relaxed);
        self.moved.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request's body on its way in: limited, and watched so that a slow one can be told from a slow application.
#[derive(Debug)]
pub struct Upload {
    source: Source,
    left: u64,
    progress: Option<Arc<Progress>>,
    /// Kept while the client's bytes are this body's.
    _pending: Option<Pending>,
}

#[derive(Debug)]
enum Source {
    Client(Incoming),
    Held(Option<Bytes>),
    /// What was held, and then the rest of the client's.
    Both(Option<Bytes>, Incoming),
}

impl Upload {
    /// The client's body, at most `limit` bytes of it.
    pub(crate) fn new(incoming: Incoming, limit: u64) -> Self {
        let progress = (!incoming.is_end_stream()).then(Arc::default);
        Self { source: Source::Client(incoming), left: limit, progress, _pending: None }
    }
    /// The same body, which keeps `pending` as long as it lives.
    pub(crate) fn pending(self, pending: Option<Pending>) -> Self {
        Self { _pending: pending, ..self }
    }
    /// A body that is there already; for tests of pages.
    pub fn held(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            source: Source::Held(Some(bytes).filter(|b| !b.is_empty())),
            left: u64::MAX,
            progress: None,
            _pending: None,
        }
    }
    /// The same body with what was already taken of it before it.
    pub(crate) fn after(self, first: Bytes) -> Self {
        let source = match self.source {
            Source::Client(rest) | Source::Both(_, rest) => Source::Both(Some(first).filter(|b| !b.is_empty()), rest),
            Source::Held(_) => Source::Held(Some(first).filter(|b| !b.is_empty())),
        };
        Self { source, ..self }
    }
    pub(crate) fn progress(&self) -> Option<Arc<Progress>> {
        self.progress.clone()
    }
    pub(crate) const fn limit(&mut self, limit: u64) {
        self.left = limit;
    }
}

/// The body is larger than the limit.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the request's body is larger than the limit")]
pub struct TooLarge;

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let incoming = match &mut this.source {
            Source::Held(bytes) => return Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Source::Both(first, incoming) => match first.take() {
                Some(first) => return Poll::Ready(Some(Ok(Frame::data(first)))),
                None => incoming,
            },
            Source::Client(incoming) => incoming,
        };
        let note = |stage| {
            if let Some(progress) = &this.progress {
                progress.now(stage);
            }
        };
        match Pin::new(incoming).poll_frame(cx) {
            Poll::Pending => {
                if let Some(progress) = &this.progress {
                    progress.state.store(Stage::Waiting as u8, Ordering::Relaxed);
                }
                Poll::Pending
            }
            Poll::Ready(None) => {
                note(Stage::Done);
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(e))) => {
                note(Stage::Broken);
                Poll::Ready(Some(Err(e.into())))
            }
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |d| d.len() as u64);
                if length > this.left {
                    note(Stage::TooLarge);
                    return Poll::Ready(Some(Err(TooLarge.into())));
                }
                this.left -= length;
                note(if incoming_done(&this.source) { Stage::Done } else { Stage::Held });
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        incoming_done(&self.source)
    }
    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Client(incoming) => incoming.size_hint(),
            Source::Held(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Source::Both(first, incoming) => {
                let (held, rest) = (first.as_ref().map_or(0, |b| b.len() as u64), incoming.size_hint());
                match rest.exact() {
                    Some(rest) => SizeHint::with_exact(held + rest),
                    None => SizeHint::default(),
                }
            }
        }
    }
}

fn incoming_done(source: &Source) -> bool {
    match source {
        Source::Client(incoming) => incoming.is_end_stream(),
        Source::Held(bytes) => bytes.is_none(),
        Source::Both(first, incoming) => first.is_none() && incoming.is_end_stream(),
    }
}

/// An answer's body.
pub(crate) enum Body {
    /// Made here.
    Made(Option<Bytes>),
    /// The application's.
    Upstream(UpstreamBody),
    /// A page's.
    Page(PageBody),
    /// What was taken of another body, and then the rest of it.
    Resumed(Option<Bytes>, Box<Body>),
}

impl Body {
    pub fn empty() -> Self {
        Self::Made(None)
    }
    pub fn text(text: String) -> Self {
        Self::Made(Some(text.into()))
    }
    /// The same body with what was already taken of it before it.
    pub fn after(self, first: Bytes) -> Self {
        Self::Resumed(Some(first).filter(|b| !b.is_empty()), Box::new(self))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Made(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Upstream(body) => Pin::new(body).poll_frame(cx),
            Self::Page(body) => Pin::new(body).poll_frame(cx),
            Self::Resumed(first, rest) => match first.take() {
                Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
                None => Pin::new(&mut **rest).poll_frame(cx),
            },
        }
    }
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Made(bytes) => bytes.is_none(),
            Self::Upstream(body) => body.is_end_stream(),
            Self::Page(body) => body.is_end_stream(),
            Self::Resumed(first, rest) => first.is_none() && rest.is_end_stream(),
        }
    }
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Made(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Upstream(body) => body.size_hint(),
            Self::Page(body) => body.size_hint(),
            Self::Resumed(first, rest) => {
                let held = first.as_ref().map_or(0, |b| b.len() as u64);
                rest.size_hint().exact().map_or_else(SizeHint::default, |rest| SizeHint::with_exact(held + rest))
            }
        }
    }
}
