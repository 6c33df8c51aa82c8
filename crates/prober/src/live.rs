//! The world of a serving instance: its own front door over TCP, as canary tenants made for the run.

use std::{net::IpAddr, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use sekisho_kernel::{
    Policy, Rng, Time,
    claim::{Stage, Trouble},
    egress::Stream,
    rng,
    time::SharedClock,
    world::{Answer, Ask, Canary, Hello, HelloAnswer, Rehearsed, Socket, World},
};
use tokio::net::TcpSocket;

use crate::{
    client::{Client, Dial},
    rehearsal::{code_at, marker},
    socket,
};

/// Where a serving instance listens.
#[derive(Clone, Debug)]
pub struct Doors {
    /// The HTTPS listener.
    pub https: SocketAddr,
    /// The plain listener, if the policy declares one.
    pub http: Option<SocketAddr>,
}

struct OverTcp(Doors, SharedClock);

#[async_trait]
impl Dial for OverTcp {
    async fn dial(&self, _node: usize, listener: &str, peer: IpAddr) -> Result<Pin<Box<dyn Stream>>, Trouble> {
        let to = match listener {
            "https" => self.0.https,
            "http" => self.0.http.ok_or_else(|| Trouble("no plain listener is declared".into()))?,
            other => return Err(Trouble(format!("the listener {other} is not reached from outside"))),
        };
        let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(|e| Trouble::of("opening a socket", e))?;
        if !peer.is_loopback() {
            return Err(Trouble(format!("this host cannot send from {peer}")));
        }
        if to.ip().is_loopback() && peer.is_ipv4() == to.is_ipv4() {
            socket.bind(SocketAddr::new(peer, 0)).map_err(|e| Trouble::of("binding the source address", e))?;
        }
        let stream = socket.connect(to).await.map_err(|e| Trouble::of("connecting to the door", e))?;
        Ok(Box::pin(stream))
    }
    fn now(&self) -> Time {
        self.1.now()
    }
}

/// A serving instance as a probe sees it.
pub struct LiveWorld {
    client: Client<OverTcp>,
    canaries: Vec<Canary>,
    policy: Arc<Policy>,
    rng: Arc<dyn Rng>,
}

impl LiveWorld {
    /// The instance behind `doors`, whose certificate authority is in `pem`.
    ///
    /// # Errors
    /// When the PEM cannot be read.
    pub fn new(
        doors: Doors,
        pem: &str,
        canaries: Vec<Canary>,
        policy: Arc<Policy>,
        clock: SharedClock,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, Trouble> {
        Ok(Self { client: Client::new(OverTcp(doors, clock), pem)?, canaries, policy, rng })
    }
}

#[async_trait]
impl World for LiveWorld {
    fn stage(&self) -> Stage {
        Stage::Live
    }
    fn rehearsed(&self) -> Option<&dyn Rehearsed> {
        None
    }
    fn canaries(&self) -> &[Canary] {
        &self.canaries
    }
    fn policy(&self) -> Arc<Policy> {
        self.policy.clone()
    }
    async fn send(&self, ask: Ask) -> Result<Answer, Trouble> {
        self.client.send(&ask).await
    }
    async fn send_all(&self, asks: Vec<Ask>) -> Vec<Result<Answer, Trouble>> {
        join_all(asks.iter().map(|ask| self.client.send(ask))).await
    }
    async fn websocket(&self, ask: Ask) -> Result<Result<Box<dyn Socket>, Answer>, Trouble> {
        socket::open(self.client.stream(&ask).await?, &ask).await
    }
    async fn hello(&self, listener: &str, host: &str, hello: Hello) -> Result<HelloAnswer, Trouble> {
        self.client.hello(listener, host, hello, &rng::bytes(&*self.rng)).await
    }
    async fn raw(&self, listener: &str, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        self.client.raw(listener, bytes).await
    }
    async fn pass(&self, span: Duration) -> Result<(), Trouble> {
        tokio::time::sleep(span).await;
        Ok(())
    }
    fn marker(&self, label: &str) -> String {
        marker(label, &*self.rng)
    }
    fn totp(&self, secret: &str, steps: i64) -> String {
        code_at(secret, self.client.dial().now(), steps)
    }
}
