//! The transaction's life: what the caller hands in, phase by phase.

use super::{
    report::{Blocked, Match, Outcome, Scores},
    room::Room,
    sieve::Sieves,
    state::State,
    values::{Counters, ValueId, Values},
};
use crate::{
    RuleSet,
    compile::HeadSet,
    seclang::{
        OverLimit,
        action::{Mode, Processor, Scope},
        target::Variable,
    },
};
use std::{net::IpAddr, sync::Arc};

/// Who asks, and when.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client's address.
    pub address: IpAddr,
    /// The client's port.
    pub port: u16,
    /// The address that was asked.
    pub server: IpAddr,
    /// The port that was asked.
    pub server_port: u16,
    /// Seconds since 1970-01-01 UTC.
    pub time: u64,
    /// A name for the transaction, unique to it.
    pub unique_id: String,
}

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The target as sent.
    pub target: &'a [u8],
    /// `HTTP/1.1` and the like.
    pub protocol: &'a [u8],
    /// The header fields in order.
    pub headers: &'a [(&'a [u8], &'a [u8])],
}

/// A response without its body.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// The status.
    pub status: u16,
    /// `HTTP/1.1` and the like.
    pub protocol: &'a [u8],
    /// The header fields in order.
    pub headers: &'a [(&'a [u8], &'a [u8])],
}

/// A named value of a collection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub name: ValueId,
    pub value: ValueId,
}

/// One request and its response. Calls go in this order: [`request`](Self::request),
/// [`append_request_body`](Self::append_request_body) as often as needed, [`request_body`](Self::request_body),
/// [`response`](Self::response), [`append_response_body`](Self::append_response_body),
/// [`response_body`](Self::response_body), [`finish`](Self::finish). After a [`Blocked`] only `finish` follows.
#[derive(Debug)]
pub struct Transaction {
    pub(super) rules: Arc<RuleSet>,
    pub(super) values: Values,
    pub(super) vars: Vec<Vec<Entry>>,
    pub(super) state: State,
    pub(super) matched: Vec<Entry>,
    pub(super) matches: Vec<Match>,
    pub(crate) mode: Mode,
    pub(super) processor: Option<Processor>,
    pub(super) force_body: bool,
    pub(super) request_access: bool,
    pub(super) response_access: bool,
    pub(super) request_limit: usize,
    pub(super) response_limit: usize,
    pub(super) removed: HeadSet,
    /// Links and their `ctl` actions that took targets away.
    pub(super) removed_targets: Vec<(u32, u16)>,
    pub(super) allowed: Option<Scope>,
    pub(super) blocked: Option<Blocked>,
    pub(super) would_block: Option<Blocked>,
    pub(super) over_limit: Option<Blocked>,
    pub(super) body: Vec<u8>,
    pub(super) response: Vec<u8>,
    pub(super) content_type: Vec<u8>,
    pub(super) response_type: Vec<u8>,
    pub(super) sieves: Sieves,
    /// Room for the values that a rule looks at.
    pub(super) candidates: Vec<super::eval::Candidate>,
    /// What the running rule added to the anomaly scores.
    pub(super) scored: i64,
    pub(super) trace: Option<Box<super::explain::Trace>>,
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.rules.program.rooms.put(Room {
            values: std::mem::take(&mut self.values),
            vars: std::mem::take(&mut self.vars),
            state: std::mem::take(&mut self.state),
            matched: std::mem::take(&mut self.matched),
            sieves: std::mem::take(&mut self.sieves),
            candidates: std::mem::take(&mut self.candidates),
        });
    }
}

impl Transaction {
    /// Begins a transaction.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, client: &Client) -> Self {
        let settings = &rules.program.settings;
        let mut room = rules.program.rooms.take();
        room.state.reset(&rules.plan.state);
        let mut out = Self {
            values: room.values,
            vars: room.vars,
            state: room.state,
            matched: room.matched,
            matches: Vec::new(),
            mode: rules.options.mode.unwrap_or(settings.mode),
            processor: None,
            force_body: false,
            request_access: settings.request_body,
            response_access: settings.response_body,
            request_limit: settings.request_limit,
            response_limit: settings.response_limit,
            removed: Vec::new(),
            removed_targets: Vec::new(),
            allowed: None,
            blocked: None,
            would_block: None,
            over_limit: None,
            body: Vec::new(),
            response: Vec::new(),
            content_type: Vec::new(),
            response_type: Vec::new(),
            sieves: room.sieves,
            candidates: room.candidates,
            scored: 0,
            trace: None,
            rules,
        };
        out.set_client(client);
        out
    }

    /// Says in which country the client's address is, as two letters (ISO 3166-1); before [`request`](Self::request). Without it
    /// `@geoLookup` does not match.
    pub fn set_country(&mut self, code: &str) {
        self.add(Variable::Geo, b"country_code", code.as_bytes());
    }

    /// Examines the request's head (phase 1).
    pub fn request(&mut self, head: &RequestHead<'_>) -> Outcome {
        if self.mode == Mode::Off {
            return Outcome::Pass;
        }
        self.set_request(head);
        self.run(1)
    }

    /// Adds a piece of the request's body. Beyond the limit it is refused or left out, as the rules say.
    pub fn append_request_body(&mut self, piece: &[u8]) -> Outcome {
        if self.mode == Mode::Off || !self.request_access {
            return Outcome::Pass;
        }
        let room = self.request_limit.saturating_sub(self.body.len());
        self.body.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            self.one(Variable::InboundDataError, b"1");
        }
        if piece.len() > room && self.rules.program.settings.request_over == OverLimit::Reject {
            return self.refuse(2, 413);
        }
        Outcome::Pass
    }

    /// Whether the rules want the request's body.
    #[must_use]
    pub fn wants_request_body(&self) -> bool {
        self.mode != Mode::Off && self.request_access
    }

    /// Examines the request's body, also when there is none (phase 2).
    pub fn request_body(&mut self) -> Outcome {
        if self.mode == Mode::Off {
            return Outcome::Pass;
        }
        self.set_request_body();
        if let Some(blocked) = self.over_limit.take() {
            // What was read is examined all the same, so that the log shows why.
            let outcome = self.run(2);
            return if outcome.blocked().is_some() { outcome } else { self.stop(blocked) };
        }
        self.run(2)
    }

    /// Examines the response's head (phase 3).
    pub fn response(&mut self, head: &ResponseHead<'_>) -> Outcome {
        if self.mode == Mode::Off {
            return Outcome::Pass;
        }
        self.set_response(head);
        self.run(3)
    }

    /// Whether the rules want the response's body: its type is one of those to be examined.
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        let end = self.response_type.iter().position(|b| *b == b';').unwrap_or(self.response_type.len());
        let mime = self.response_type[..end].trim_ascii();
        let listed = self.rules.program.settings.mime_types.iter().any(|m| m.as_bytes().eq_ignore_ascii_case(mime));
        self.mode != Mode::Off && self.response_access && listed
    }

    /// Adds a piece of the response's body.
    pub fn append_response_body(&mut self, piece: &[u8]) -> Outcome {
        if !self.wants_response_body() {
            return Outcome::Pass;
        }
        let room = self.response_limit.saturating_sub(self.response.len());
        self.response.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            self.one(Variable::OutboundDataError, b"1");
        }
        if piece.len() > room && self.rules.program.settings.response_over == OverLimit::Reject {
            return self.refuse(4, 500);
        }
        Outcome::Pass
    }

    /// Examines the response's body (phase 4).
    pub fn response_body(&mut self) -> Outcome {
        if self.mode == Mode::Off {
            return Outcome::Pass;
        }
        self.set_response_body();
        self.run(4)
    }

    /// Ends the transaction (phase 5). Nothing is blocked any more.
    pub fn finish(&mut self) {
        if self.mode != Mode::Off {
            self.run(5);
        }
    }

    /// The rules that matched so far and ask to be logged, in order.
    #[must_use]
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// Why the message was stopped, or would have been in detection-only mode.
    #[must_use]
    pub fn verdict(&self) -> Option<&Blocked> {
        self.blocked.as_ref().or(self.would_block.as_ref())
    }

    /// The Core Rule Set's scores.
    #[must_use]
    pub fn scores(&self) -> Scores {
        // The names of version 4, and those of version 3.3.
        let first = |names: [&str; 2]| names.into_iter().find_map(|name| self.tx(name)).unwrap_or(0);
        Scores {
            inbound: first(["blocking_inbound_anomaly_score", "anomaly_score"]),
            outbound: first(["blocking_outbound_anomaly_score", "outbound_anomaly_score"]),
        }
    }

    /// A member of `TX` as a number.
    #[must_use]
    pub fn tx(&self, name: &str) -> Option<i64> {
        let slot = self.rules.program.slot_index.get(&format!("tx.{}", name.to_ascii_lowercase()))?;
        self.state.slot(*slot).map(super::state::Written::number)
    }

    /// Work done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.values.counters
    }

    fn refuse(&mut self, phase: u8, status: u16) -> Outcome {
        self.stop(Blocked { rule: 0, phase, status, redirect: None, drop: false })
    }

    pub(super) fn stop(&mut self, blocked: Blocked) -> Outcome {
        if self.mode == Mode::On {
            self.blocked = Some(blocked.clone());
            Outcome::Block(blocked)
        } else {
            self.would_block.get_or_insert(blocked);
            Outcome::Pass
        }
    }
}
