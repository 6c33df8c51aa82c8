//! The gateway as a whole: what it is made of, how it starts, follows the policy, and shuts down.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{Request, Response};
use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sekisho_kernel::{
    Policy, Problem, Rng, SystemClock,
    egress::Egress,
    gate::Gates,
    hook::{Directory, Journal, Sessions},
    time::SharedClock,
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    assertion::{Assertions, Signer},
    body::{PageBody, Upload},
    connection,
    firewall::Firewall,
    limits::Connections,
    place::{self, Bound, Entrance, Place, Places},
    reads::Reads,
    rules::{Keeper, Rules},
    tls::{self, CertStore, Certificates},
};

/// How often files are looked at and unused connections closed.
const HOUSEKEEPING: Duration = Duration::from_secs(5);
/// How long to wait after an accept failed for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Our own pages, behind console hosts. The request's extensions hold a [`sekisho_kernel::hook::Arrival`].
#[async_trait]
pub trait Pages: Send + Sync {
    /// Answers a request. Failures are answers too.
    async fn serve(&self, request: Request<Upload>) -> Response<PageBody>;
}

/// What a gateway is made of. There is no clock among them: [`Gateway::serve`] takes the operating system's.
#[derive(Clone)]
pub struct Parts {
    /// The platform policy; the binary swaps the snapshot when the file changes.
    pub policy: watch::Receiver<Arc<Policy>>,
    /// Tenants by host name.
    pub directory: Arc<dyn Directory>,
    /// Sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Entries about requests.
    pub journal: Arc<dyn Journal>,
    /// The controls' decisions.
    pub gates: Arc<dyn Gates>,
    /// Connections to the application.
    pub egress: Arc<dyn Egress>,
    /// Randomness for serials, bindings and ids.
    pub rng: Arc<dyn Rng>,
    /// Sign-in, console and API.
    pub pages: Arc<dyn Pages>,
    /// Signs assertions.
    pub signer: Arc<dyn Signer>,
    /// Keeps the local certificate authority.
    pub certificates: Arc<dyn CertStore>,
    /// The rule sets. Without one, nothing passes where the policy asks for a firewall.
    pub firewall: Option<Firewall>,
}

/// How far the shutting down has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    Open,
    /// No new connections; those there are finish what they have begun.
    Closing,
    Closed,
}

/// Completes when the shutting down has come as far as `state`, or the gateway is gone.
pub(crate) async fn reached(watched: &mut watch::Receiver<State>, state: State) {
    let _ = watched.wait_for(|s| *s >= state).await;
}

/// What all connections share.
pub(crate) struct Door {
    pub parts: Parts,
    pub clock: SharedClock,
    pub rules: Keeper,
    pub assertions: Assertions,
    pub reads: Reads,
    pub connections: Arc<Connections>,
    pub state: watch::Receiver<State>,
    /// The handshake for names that nobody here has.
    pub nobody: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
}

impl Door {
    /// The rules of the newest snapshot.
    pub fn rules(&self) -> Arc<Rules> {
        let policy = self.parts.policy.borrow().clone();
        self.rules.at(&policy)
    }
}

#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// A running gateway. Dropping it closes its listeners and connections.
pub struct Gateway {
    door: Arc<Door>,
    state: watch::Sender<State>,
    bound: Vec<Bound>,
}

impl Gateway {
    /// Opens the listeners that the policy declares, and serves on the operating system's clock.
    ///
    /// # Errors
    /// `LISTEN`, `CERTIFICATE`, `UPSTREAM_SETTING` or `PROXY_UNKNOWN` (its secret file), with the place.
    pub async fn serve(parts: Parts) -> Result<Self, Problem> {
        let policy = parts.policy.borrow().clone();
        let places = Places::bind(&policy).await?;
        Self::start(parts, Arc::new(SystemClock), places)
    }

    /// The same gateway with other places and another clock: a rehearsal.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn rehearse(parts: Parts, clock: SharedClock, places: Places) -> Result<Self, Problem> {
        Self::start(parts, clock, places)
    }

    fn start(parts: Parts, clock: SharedClock, places: Places) -> Result<Self, Problem> {
        let policy = parts.policy.borrow().clone();
        let certificates = Certificates::open(&policy, parts.certificates.clone(), clock.clone(), parts.rng.clone())?;
        let certificates = Arc::new(certificates);
        let rules = Keeper::new(policy, parts.gates.clone(), certificates.clone(), clock.clone())?;
        let open = tls::server_config(&rules.newest().tls_rule, clock.clone(), Arc::new(Nobody))?;
        let (state, watched) = watch::channel(State::Open);
        let door = Arc::new(Door {
            parts,
            clock,
            rules,
            assertions: Assertions::default(),
            reads: Reads::default(),
            connections: Arc::default(),
            state: watched,
            nobody: open,
            certificates,
        });
        let places = place::each(places);
        let bound = places.iter().filter_map(|(kind, place)| Some((*kind, place.address()?))).collect();
        for (kind, place) in places {
            tokio::spawn(accept(door.clone(), kind, place));
        }
        tokio::spawn(keep_house(door.clone()));
        Ok(Self { door, state, bound })
    }

    /// The sockets that are open, with their real ports.
    pub fn bound(&self) -> &[Bound] {
        &self.bound
    }
    /// The first HTTPS socket.
    pub fn https(&self) -> Option<SocketAddr> {
        self.bound.iter().find(|(kind, _)| *kind == Entrance::Https).map(|(_, at)| *at)
    }
    /// The certificate (PEM) of the local authority, which clients must trust; `None` with given files.
    pub fn trust(&self) -> Option<String> {
        self.door.certificates.trust()
    }
    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.door.connections.open()
    }
    /// Takes no new connections, lets those there are finish for at most `grace`, then closes them.
    pub async fn shut_down(self, grace: Duration) {
        self.state.send_replace(State::Closing);
        let _ = timeout(grace, self.door.connections.emptied()).await;
        self.state.send_replace(State::Closed);
    }
}

/// Accepts until the gateway closes.
async fn accept(door: Arc<Door>, kind: Entrance, place: Arc<Place>) {
    let mut state = door.state.clone();
    // Without a socket there is no port to speak of; links then show none.
    let https = place.address().map_or(443, |a| a.port());
    loop {
        let accepted = tokio::select! {
            accepted = place.accept() => accepted,
            () = reached(&mut state, State::Closing) => return,
        };
        let (wire, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let rules = door.rules();
        let Some(seat) = door.connections.take(peer, rules.max_connections, rules.max_per_address) else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        tokio::spawn(connection::serve(door.clone(), wire, peer, kind, https, seat));
    }
}

/// Follows the policy and the certificate's files; closes what is unused.
async fn keep_house(door: Arc<Door>) {
    let (mut state, mut policy) = (door.state.clone(), door.parts.policy.clone());
    let mut tick = interval(HOUSEKEEPING);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            changed = policy.changed() => if changed.is_err() { std::future::pending::<()>().await },
            () = reached(&mut state, State::Closing) => return,
        }
        let newest = policy.borrow_and_update().clone();
        if let Err(problem) = door.certificates.refresh(&newest) {
            tracing::error!(?problem, "the certificate stays as it was");
        }
        if let Some(upstream) = &door.rules.at(&newest).upstream {
            upstream.sweep();
        }
    }
}
