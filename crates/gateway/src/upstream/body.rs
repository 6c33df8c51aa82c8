//! The application's answer on its way out. The body drives the connection that it arrives on.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{
    sync::oneshot,
    time::{Sleep, sleep},
};

use super::{Lane, Upstream};
use crate::body::BoxError;

/// An answer's body and the connection it comes over.
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    lane: Option<(Box<Lane>, Arc<Upstream>)>,
    /// The longest pause between two parts; `None` for streams.
    longest_pause: Option<Duration>,
    pause: Option<Pin<Box<Sleep>>>,
    /// Ends the body when the session is over.
    over: Option<oneshot::Receiver<()>>,
}

/// The answer stopped.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("the application paused for too long")]
    Pause,
    #[error("the session ended")]
    Session,
}

impl UpstreamBody {
    pub fn new(incoming: Incoming, lane: Option<(Box<Lane>, Arc<Upstream>)>, longest_pause: Option<Duration>) -> Self {
        let mut body = Self { incoming, lane, longest_pause, pause: None, over: None };
        if body.incoming.is_end_stream() {
            body.finish(&mut Context::from_waker(Waker::noop()));
        }
        body
    }
    /// Ends the body as soon as the other side of `over` is dropped or used.
    pub fn end_with(&mut self, over: oneshot::Receiver<()>) {
        self.over = Some(over);
    }
    /// The answer is complete: the connection goes back, if the application keeps it open.
    fn finish(&mut self, cx: &mut Context<'_>) {
        let Some((mut lane, upstream)) = self.lane.take() else { return };
        // The connection notices that it is idle, and says so through its sender, when it is next driven.
        if Pin::new(&mut lane.link).poll(cx).is_pending() && lane.sender.is_ready() {
            upstream.give_back(lane);
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(over) = &mut this.over
            && Pin::new(over).poll(cx).is_ready()
        {
            this.lane = None;
            return Poll::Ready(Some(Err(Stopped::Session.into())));
        }
        let mut frame = Pin::new(&mut this.incoming).poll_frame(cx);
        if frame.is_pending()
            && let Some((lane, _)) = &mut this.lane
        {
            if Pin::new(&mut lane.link).poll(cx).is_ready() {
                this.lane = None;
            }
            frame = Pin::new(&mut this.incoming).poll_frame(cx);
        }
        match frame {
            Poll::Ready(Some(Ok(frame))) => {
                this.pause = None;
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(e))) => {
                this.lane = None;
                Poll::Ready(Some(Err(e.into())))
            }
            Poll::Ready(None) => {
                this.finish(cx);
                Poll::Ready(None)
            }
            Poll::Pending => {
                let Some(longest) = this.longest_pause else { return Poll::Pending };
                let pause = this.pause.get_or_insert_with(|| Box::pin(sleep(longest)));
                if pause.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                this.lane = None;
                Poll::Ready(Some(Err(Stopped::Pause.into())))
            }
        }
    }
    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for UpstreamBody {
    /// A body of known length is dropped after its last byte without being asked for its end.
    fn drop(&mut self) {
        if self.incoming.is_end_stream() {
            self.finish(&mut Context::from_waker(Waker::noop()));
        }
    }
}
