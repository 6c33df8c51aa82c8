//! Who acts, for which tenant, under which policy: the context every engine function takes.

use std::{fmt, net::IpAddr, sync::Arc};

use crate::{
    access::RightsView,
    id::{SessionId, TenantId, UserId},
    policy::Effective,
    rng::{self, Rng},
    text::Lang,
    time::Time,
};

/// A system job that may write; each has its own row in the permission matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Sign-in, sign-out and everything before a session exists.
    SignIn,
    /// Ends sessions, links and counters that have run out; purges what is past its retention.
    Sweeper,
    /// Gives ledger entries their place in the tree and signs checkpoints.
    Sequencer,
    /// Wraps keys anew.
    Rewrap,
    /// Changes the schema.
    Migration,
    /// Creates the first tenant and its administrator.
    FirstStart,
    /// A command given on the host through the command socket.
    Command,
    /// The door, for entries about proxied requests.
    Door,
    /// Enters evidence that a proof has produced.
    Prover,
    /// Fetches, tests and loads rule sets of the firewall.
    Firewall,
    /// Sends security signals to receivers.
    Signals,
    /// Prepares keys towards identity providers and reads their metadata again.
    Federation,
}

impl Job {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::SignIn,
        Self::Sweeper,
        Self::Sequencer,
        Self::Rewrap,
        Self::Migration,
        Self::FirstStart,
        Self::Command,
        Self::Door,
        Self::Prover,
        Self::Firewall,
        Self::Signals,
        Self::Federation,
    ];
    /// The stable name, `system:NAME` in entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Sweeper => "sweeper",
            Self::Sequencer => "sequencer",
            Self::Rewrap => "rewrap",
            Self::Migration => "migration",
            Self::FirstStart => "first-start",
            Self::Command => "command",
            Self::Door => "door",
            Self::Prover => "prover",
            Self::Firewall => "firewall",
            Self::Signals => "signals",
            Self::Federation => "federation",
        }
    }
}

/// Who acts.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A signed-in person.
    User {
        /// The person.
        id: UserId,
        /// The session used.
        session: SessionId,
        /// What the person may do.
        rights: Arc<RightsView>,
    },
    /// A part of the system.
    Job(Job),
    /// Somebody who has not signed in.
    Stranger,
}

impl Actor {
    /// The person, if it is one.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            _ => None,
        }
    }
    /// The opaque name written to entries: `usr_…`, `system:sweeper`, `stranger`.
    pub fn name(&self) -> String {
        match self {
            Self::User { id, .. } => id.to_string(),
            Self::Job(job) => format!("system:{}", job.name()),
            Self::Stranger => "stranger".into(),
        }
    }
}

/// Follows one request through logs and entries: 16 bytes, hex (W3C Trace Context trace-id).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// A new one.
    pub fn new(rng: &dyn Rng) -> Self {
        Self(rng::bytes(rng))
    }
    /// The 16 bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Through which of our interfaces an act came; entries name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The console's pages.
    Console,
    /// `/api/v1`.
    Api,
    /// `/scim/v2`: an identity provider that provisions users.
    Scim,
    /// The proxied application.
    Door,
    /// Forward-auth.
    ForwardAuth,
    /// The command line on the host.
    Command,
    /// A job of the system.
    System,
}

impl Via {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Api => "api",
            Self::Scim => "scim",
            Self::Door => "door",
            Self::ForwardAuth => "forward-auth",
            Self::Command => "command",
            Self::System => "system",
        }
    }
}

/// One request's claim on an idempotency key, made by the vault. Whatever is done under it is marked in the same
/// transaction, so that it is done once, whoever loses the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// Where the tenant keeps what is known of the key: a keyed hash of actor and key.
    pub place: [u8; 32],
    /// Which request it is: a keyed hash.
    pub fingerprint: [u8; 32],
    /// When it was claimed. A claim that was given up and taken over is another one.
    pub claimed: Time,
}

/// The context of one act.
#[derive(Clone, Debug)]
pub struct Cx {
    /// The tenant whose data may be touched; nil is the platform.
    pub tenant: TenantId,
    /// Who acts.
    pub actor: Actor,
    /// The interface used.
    pub via: Via,
    /// The network peer, if there is one.
    pub peer: Option<IpAddr>,
    /// Follows the act through logs and entries.
    pub trace: TraceId,
    /// The policy snapshot of this act.
    pub policy: Effective,
    /// The language of messages to the person.
    pub lang: Lang,
    /// The claim on a key under which the same request may be sent again.
    pub once: Option<Once>,
}

impl Cx {
    /// A context for a job of the system in `tenant`.
    pub fn job(tenant: TenantId, job: Job, policy: Effective, rng: &dyn Rng) -> Self {
        let actor = Actor::Job(job);
        let via = if matches!(job, Job::Command) { Via::Command } else { Via::System };
        Self { tenant, actor, via, peer: None, trace: TraceId::new(rng), policy, lang: Lang::En, once: None }
    }
}
