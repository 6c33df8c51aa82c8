//! One request on its way through the phases.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderValue, Response, request};
use sekisho_kernel::{
    Actor, Cx, Effective, Event, Outcome, Problem, Secret, TraceId,
    actor::Via,
    hook::{HostEntry, Knock, Passage},
    id::TenantId,
};

use crate::{
    body::{Body, Upload},
    connection::Line,
    door::Door,
    firewall::examine::Examination,
    forward_auth::Asked,
    page,
    request_line::Lost,
    rules::{Rules, TenantRules, begins},
};

/// Why a request goes no further.
pub(crate) enum Stop {
    /// It is refused, or cannot be done.
    Refuse(Problem),
    /// It is sent elsewhere: to the sign-in.
    Elsewhere(Box<Response<Body>>),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refuse(problem)
    }
}

/// What every phase answers.
pub(crate) type Flow = Result<(), Stop>;

/// Where a request leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    /// Our own pages.
    Pages,
    /// The application.
    Application,
    /// The door's own addresses on an application's host (`/.sekisho/…`).
    Own,
}

/// The entry that a request leaves behind.
pub(crate) struct Trail {
    pub event: &'static Event,
    pub outcome: Outcome,
    pub detail: Vec<(&'static str, String)>,
    /// The route to remember once the entry is accepted: an ordinary read.
    pub read: bool,
}

/// An answer not yet sent. Only one task ever looks at it; the lock is never taken, it makes the type shareable.
#[derive(Default)]
pub(crate) struct Answer(Mutex<Option<Response<Body>>>);

impl Answer {
    pub fn set(&mut self, answer: Response<Body>) {
        *self.slot() = Some(answer);
    }
    pub fn clear(&mut self) {
        *self.slot() = None;
    }
    pub fn take(&mut self) -> Option<Response<Body>> {
        self.slot().take()
    }
    pub fn slot(&mut self) -> &mut Option<Response<Body>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request and what the phases have found out about it.
pub(crate) struct Way {
    pub line: Arc<Line>,
    pub rules: Arc<Rules>,
    pub trace: TraceId,
    /// Whoever asks: the connection's peer, or who a trusted proxy says it is.
    pub peer: IpAddr,
    /// The port people reach the door at.
    pub port: u16,
    pub via: Via,
    pub head: request::Parts,
    pub upload: Option<Upload>,
    /// What of the target as it was sent is not in the head.
    pub lost: Lost,
    /// Whether a browser is about to show the answer.
    pub page: bool,
    /// The host name asked for, and the port beside it.
    pub name: String,
    pub name_port: Option<u16>,
    pub host: Option<Arc<HostEntry>>,
    pub policy: Option<Effective>,
    pub tenant: Option<TenantRules>,
    pub inside: Inside,
    pub token: Option<Secret<String>>,
    pub passage: Option<Arc<Passage>>,
    /// The assertion for a passage that was let through.
    pub assertion: Option<HeaderValue>,
    pub answer: Answer,
    /// How a reverse proxy asks, if one does.
    pub asked: Option<Asked>,
    pub trail: Option<Trail>,
    /// Whether the browser showed a session that has ended: what it kept goes with the answer.
    pub over: bool,
    /// The request before the firewall's rules, from its head to its answer.
    pub firewall: Option<Box<Examination>>,
}

impl Way {
    pub fn new(line: Arc<Line>, rules: Arc<Rules>, head: request::Parts, upload: Upload) -> Self {
        let trace = TraceId::new(&line.ids);
        let page = page::wants_page(&head.method, &head.headers);
        let (peer, port) = (line.peer, rules.public_port.unwrap_or(line.port));
        Self {
            line,
            rules,
            trace,
            peer,
            port,
            via: Via::Door,
            head,
            upload: Some(upload),
            lost: Lost::Nothing,
            page,
            name: String::new(),
            name_port: None,
            host: None,
            policy: None,
            tenant: None,
            inside: Inside::Pages,
            token: None,
            passage: None,
            assertion: None,
            answer: Answer::default(),
            asked: None,
            trail: None,
            over: false,
            firewall: None,
        }
    }
    pub fn door(&self) -> &Door {
        &self.line.door
    }
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }
    /// The host; the tenant phase has set it.
    pub fn host(&self) -> &Arc<HostEntry> {
        self.host.as_ref().expect("the tenant phase comes before everything that asks for the host")
    }
    /// Whether a browser that is signed out is told to forget what the site has kept.
    pub fn wipes(&self) -> bool {
        self.tenant.as_ref().is_none_or(|t| t.device.wipe)
    }
    /// Whether the browser's cache may keep the answer as the application says.
    pub fn may_be_cached(&self) -> bool {
        self.tenant.as_ref().is_some_and(|t| t.device.cache || begins(&t.device.cacheable, self.path()))
    }
    /// The policy snapshot of this request.
    pub fn policy(&self) -> Effective {
        self.policy.clone().unwrap_or_else(|| Effective::platform(self.rules.policy.clone()))
    }
    /// What identity is told when it is asked about the request.
    pub fn knock(&self, activity: bool) -> Knock {
        Knock {
            host: self.host().clone(),
            peer: self.peer,
            via: self.via,
            trace: self.trace,
            policy: self.policy(),
            lang: page::lang(&self.head.headers),
            activity,
            holds: None,
        }
    }
    /// The context of the door's own entry about the request.
    pub fn cx(&self) -> Cx {
        let actor = self.passage.as_ref().map_or(Actor::Stranger, |p| p.cx.actor.clone());
        Cx {
            tenant: self.host.as_ref().map_or(TenantId::NIL, |h| h.tenant),
            actor,
            via: self.via,
            peer: Some(self.peer),
            trace: self.trace,
            policy: self.policy(),
            lang: page::lang(&self.head.headers),
            once: None,
        }
    }
}
