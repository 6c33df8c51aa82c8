//! One request to the application and the head of its answer.

use std::{future::poll_fn, pin::Pin, pin::pin, sync::Arc, task::Poll, time::Duration};

use http::{Request, Response};
use hyper::body::Incoming;
use sekisho_kernel::{Problem, egress::Egress};
use tokio::time::{Instant, sleep, timeout};

use super::{Lane, Upstream};
use crate::{
    body::{Progress, Stage, Upload},
    problems,
    rules::Rules,
};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection.
    Unreachable(Problem),
    /// No answer in time.
    Silent,
    /// It broke off, or what it said is not HTTP.
    Broken(hyper::Error),
    /// The client's body is over the limit.
    TooLarge,
    /// The client's body stopped coming.
    SlowBody,
}

impl Failure {
    /// In words for the person outside; the cause for the log.
    pub fn problem(self) -> Problem {
        match self {
            Self::Unreachable(problem) if problem.is(&problems::EGRESS_REFUSED) => {
                Problem::new(&problems::UPSTREAM_UNREACHABLE).log(problem)
            }
            Self::Unreachable(problem) => problem,
            Self::Silent => Problem::new(&problems::UPSTREAM_TIMEOUT),
            Self::Broken(e) => {
                let cause = std::error::Error::source(&e).map(ToString::to_string).unwrap_or_default();
                Problem::new(&problems::UPSTREAM_BROKE).log(format!("{e} {cause}"))
            }
            Self::TooLarge => Problem::new(&problems::BODY_TOO_LARGE),
            Self::SlowBody => Problem::new(&problems::BODY_SLOW),
        }
    }
}

/// Sends the request over a kept connection, or a fresh one, and waits for the head of the answer. A kept connection
/// that the application closed before it took the request is replaced; nothing is ever sent twice.
pub(crate) async fn exchange(
    upstream: &Arc<Upstream>,
    egress: &dyn Egress,
    rules: &Rules,
    mut request: Request<Upload>,
) -> Result<(Response<Incoming>, Box<Lane>), Failure> {
    let progress = request.body().progress();
    loop {
        let kept = kept(upstream).await;
        let reused = kept.is_some();
        let mut lane = match kept {
            Some(lane) => lane,
            None => connect(upstream, egress, rules.connect_timeout).await?,
        };
        match head(&mut lane, request, progress.as_deref(), rules).await {
            Ok(answer) => return Ok((answer, lane)),
            Err(Missed::Unsent(unsent, _)) if reused => request = *unsent,
            Err(Missed::Unsent(_, e)) => return Err(Failure::Broken(e)),
            Err(Missed::Failed(failure)) => return Err(failure),
        }
    }
}

/// A kept connection that is still open.
async fn kept(upstream: &Upstream) -> Option<Box<Lane>> {
    loop {
        let mut lane = upstream.take()?;
        let closed = poll_fn(|cx| Poll::Ready(Pin::new(&mut lane.link).poll(cx).is_ready())).await;
        if !closed && lane.sender.is_ready() {
            return Some(lane);
        }
    }
}

pub(super) async fn connect(upstream: &Upstream, egress: &dyn Egress, longest: Duration) -> Result<Box<Lane>, Failure> {
    match timeout(longest, upstream.connect(egress)).await {
        Ok(Ok(lane)) => Ok(lane),
        Ok(Err(problem)) => Err(Failure::Unreachable(problem)),
        Err(_) => Err(Failure::Unreachable(Problem::new(&problems::UPSTREAM_UNREACHABLE).log("connect time-out"))),
    }
}

enum Missed {
    Unsent(Box<Request<Upload>>, hyper::Error),
    Failed(Failure),
}

async fn head(
    lane: &mut Lane,
    request: Request<Upload>,
    progress: Option<&Progress>,
    rules: &Rules,
) -> Result<Response<Incoming>, Missed> {
    let mut answer = pin!(lane.sender.try_send_request(request));
    let link = &mut lane.link;
    let mut closed = false;
    let flowing = |p: &&Progress| p.stage() != Stage::Done;
    let first = if progress.is_some() { rules.body_timeout } else { rules.upstream_timeout };
    let mut timer = pin!(sleep(first));
    let mut seen = 0;
    let result = poll_fn(|cx| {
        if !closed && Pin::new(&mut *link).poll(cx).is_ready() {
            closed = true;
        }
        if let Poll::Ready(result) = answer.as_mut().poll(cx) {
            return Poll::Ready(Ok(result));
        }
        while timer.as_mut().poll(cx).is_ready() {
            match progress {
                Some(p) if p.moved() != seen => {
                    seen = p.moved();
                    let next = if flowing(&p) { rules.body_timeout } else { rules.upstream_timeout };
                    timer.as_mut().reset(Instant::now() + next);
                }
                Some(p) if p.stage() == Stage::Waiting => return Poll::Ready(Err(Failure::SlowBody)),
                _ => return Poll::Ready(Err(Failure::Silent)),
            }
        }
        Poll::Pending
    })
    .await;
    match result {
        Err(failure) => Err(Missed::Failed(failure)),
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(mut missed)) => match (progress.map(Progress::stage), missed.take_message()) {
            (Some(Stage::TooLarge), _) => Err(Missed::Failed(Failure::TooLarge)),
            (Some(Stage::Broken), _) => Err(Missed::Failed(Failure::SlowBody)),
            (_, Some(request)) => Err(Missed::Unsent(Box::new(request), missed.into_error())),
            (_, None) => Err(Missed::Failed(Failure::Broken(missed.into_error()))),
        },
    }
}
