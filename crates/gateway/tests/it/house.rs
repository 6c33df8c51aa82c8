//! A whole gateway in memory, on a clock that stands still until it is moved.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use sekisho_gateway::{
    Gateway, MemoryPlaces, Parts, Place, Places, PolicyEgress,
    firewall::{self, Firewall},
    settings,
};
use sekisho_kernel::{
    Clock, Policy, Problem, Right, Schema, Setting, SystemRng, Time, gate::FirewallMode, policy::Value,
    rehearsal::MovableClock,
};
use tokio::sync::watch;

use crate::fakes::{EchoPages, FakeDirectory, FakeGates, FakeJournal, FakeSessions, FakeSigner, MemoryStore, rights};

pub const PEER: &str = "192.0.2.10";
pub const TOKEN: &str = "token-of-a-session";

pub fn peer() -> IpAddr {
    PEER.parse().unwrap()
}

pub struct House {
    pub gateway: Gateway,
    pub places: MemoryPlaces,
    pub policy: watch::Sender<Arc<Policy>>,
    pub directory: Arc<FakeDirectory>,
    pub sessions: Arc<FakeSessions>,
    pub journal: Arc<FakeJournal>,
    pub gates: Arc<FakeGates>,
    pub signer: Arc<FakeSigner>,
    pub clock: MovableClock,
    pub firewall: Option<Firewall>,
}

/// The defaults, with an upstream and further settings.
pub fn policy(upstream: &str, more: &[(&'static Setting, Value)]) -> Arc<Policy> {
    let schema = Schema::new(settings::ALL.iter().copied());
    let mut policy = Policy::defaults(&schema).with(&settings::UPSTREAM, Value::Str(upstream.into()));
    for (setting, value) in more {
        policy = policy.with(setting, value.clone());
    }
    Arc::new(policy)
}

pub fn clock() -> MovableClock {
    MovableClock::new(Time::parse_rfc3339("2026-11-22T00:00:00Z").unwrap())
}

impl House {
    /// In front of `upstream`.
    pub async fn before(upstream: &str) -> Self {
        Self::with(policy(upstream, &[]), FakeGates::default()).await
    }

    pub async fn with(policy: Arc<Policy>, gates: FakeGates) -> Self {
        Self::raise(policy, gates, Arc::new(MemoryStore::default()), clock()).await
    }

    pub async fn raise(policy: Arc<Policy>, gates: FakeGates, store: Arc<MemoryStore>, clock: MovableClock) -> Self {
        Self::try_raise(policy, gates, store, clock).await.expect("the gateway starts")
    }

    pub async fn try_raise(
        policy: Arc<Policy>,
        gates: FakeGates,
        store: Arc<MemoryStore>,
        clock: MovableClock,
    ) -> Result<Self, Problem> {
        let (sender, receiver) = watch::channel(policy.clone());
        let directory = Arc::new(FakeDirectory::new(receiver.clone()));
        let (sessions, journal) = (Arc::new(FakeSessions::default()), Arc::new(FakeJournal::default()));
        let (gates, signer) = (Arc::new(gates), Arc::new(FakeSigner::default()));
        let firewall = if gates.firewall.lock().unwrap().mode == FirewallMode::Off {
            None
        } else {
            let home = std::env::temp_dir().join("sekisho-gateway-tests-without-a-feed");
            let parts = firewall::Parts { gates: gates.clone(), clock: Arc::new(clock.clone()), home };
            Some(Firewall::open(parts, &policy)?)
        };
        sessions.sign_in(TOKEN, &policy, rights(1, &[Right::APPLICATION_USE]));
        let parts = Parts {
            policy: receiver.clone(),
            directory: directory.clone(),
            sessions: sessions.clone(),
            journal: journal.clone(),
            gates: gates.clone(),
            egress: Arc::new(PolicyEgress::new(receiver)),
            rng: Arc::new(SystemRng),
            pages: Arc::new(EchoPages),
            signer: signer.clone(),
            certificates: store,
            firewall: firewall.clone(),
        };
        let (places, mut inside) = Places::memory();
        // A real socket beside it, for a real proxy.
        inside.forward_auth.push(Place::bind("127.0.0.1:0").await?);
        let gateway = Gateway::rehearse(parts, Arc::new(clock.clone()), inside).await?;
        Ok(Self { gateway, places, policy: sender, directory, sessions, journal, gates, signer, clock, firewall })
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The socket at which a real proxy may ask.
    pub fn forward_auth_socket(&self) -> SocketAddr {
        self.gateway.bound()[0].1
    }

    /// The names of all entries so far.
    pub fn entered(&self) -> Vec<(&'static str, String)> {
        self.journal.entries.lock().unwrap().iter().map(|e| (e.event, e.target.clone())).collect()
    }
}

/// The code of the problem with which a gateway under `policy` does not start.
pub async fn refused(policy: Arc<Policy>) -> &'static str {
    refused_with(policy, FakeGates::default()).await
}

/// The same with other gates.
pub async fn refused_with(policy: Arc<Policy>, gates: FakeGates) -> &'static str {
    let raised = House::try_raise(policy, gates, Arc::default(), clock()).await;
    raised.err().expect("it does not start").kind.code
}
