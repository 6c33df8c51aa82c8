//! The world of a rehearsal: the prober's own clients in front of an instance that the binary's factory raised.

use std::{net::IpAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;
use sekisho_kernel::{
    Policy, Rng, Time,
    claim::{Stage, Trouble},
    egress::Stream,
    rng,
    world::{Answer, Ask, Canary, Hello, HelloAnswer, RawFile, RealBrowser, Rehearsed, Socket, World},
};

use crate::{
    chromium,
    client::{Client, Dial},
    socket, totp,
};

struct ToRehearsed(Arc<dyn Rehearsed>);

#[async_trait]
impl Dial for ToRehearsed {
    async fn dial(&self, node: usize, listener: &str, peer: IpAddr) -> Result<Pin<Box<dyn Stream>>, Trouble> {
        self.0.connect(node, listener, peer).await
    }
    fn now(&self) -> Time {
        self.0.now()
    }
}

/// A rehearsed instance as a probe sees it.
pub struct RehearsalWorld {
    instance: Arc<dyn Rehearsed>,
    client: Client<ToRehearsed>,
    canaries: Vec<Canary>,
    rng: Arc<dyn Rng>,
    chromium: Option<PathBuf>,
}

impl RehearsalWorld {
    /// Around a raised instance; `chromium` is the program of a real browser.
    ///
    /// # Errors
    /// When the instance's certificate authority cannot be read.
    pub fn new(instance: Arc<dyn Rehearsed>, rng: Arc<dyn Rng>, chromium: Option<PathBuf>) -> Result<Self, Trouble> {
        let client = Client::new(ToRehearsed(instance.clone()), &instance.trust())?;
        let canaries = instance.canaries();
        Ok(Self { instance, client, canaries, rng, chromium })
    }
}

#[async_trait]
impl World for RehearsalWorld {
    fn stage(&self) -> Stage {
        Stage::Rehearsal
    }
    fn rehearsed(&self) -> Option<&dyn Rehearsed> {
        Some(&*self.instance)
    }
    fn canaries(&self) -> &[Canary] {
        &self.canaries
    }
    fn policy(&self) -> Arc<Policy> {
        self.instance.policy()
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
    async fn browser_with(&self, profile: &[RawFile]) -> Result<Option<Box<dyn RealBrowser>>, Trouble> {
        match &self.chromium {
            Some(program) => chromium::start(program, self.instance.clone(), profile).await.map(Some),
            None => Ok(None),
        }
    }
    async fn hello(&self, listener: &str, host: &str, hello: Hello) -> Result<HelloAnswer, Trouble> {
        self.client.hello(listener, host, hello, &rng::bytes(&*self.rng)).await
    }
    async fn raw(&self, listener: &str, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        self.client.raw(listener, bytes).await
    }
    async fn pass(&self, span: Duration) -> Result<(), Trouble> {
        self.instance.advance(span).await
    }
    fn marker(&self, label: &str) -> String {
        marker(label, &*self.rng)
    }
    fn totp(&self, secret: &str, steps: i64) -> String {
        code_at(secret, self.instance.now(), steps)
    }
}

/// A text that occurs nowhere else: the label and 80 random bits.
pub fn marker(label: &str, rng: &dyn Rng) -> String {
    let random: [u8; 10] = rng::bytes(rng);
    format!("{label}-{}", hex::encode(random))
}

/// The code for the step that holds `now`, moved by `steps`.
pub fn code_at(secret: &str, now: Time, steps: i64) -> String {
    let step = (now.secs() / 30).saturating_add(steps);
    totp::code(secret, u64::try_from(step).unwrap_or(0))
}
