//! What a probe can do, and nothing else: knock at the front doors as anybody may, move the rehearsal's clock, read the
//! raw bytes that were really stored, run commands on the host. A probe never sees an engine.
//!
//! [`World`] is implemented by `prober` on top of [`Rehearsed`], which the binary's factory raises, or of a serving
//! instance's front door.

use std::{net::IpAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    catalogue::RecordDef,
    claim::{Stage, Trouble},
    egress::Stream,
    id::{TenantId, UserId},
    policy::Policy,
    rehearsal::TakenOut,
    secret::Secret,
    time::Time,
};

/// An account made for the run.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// The sign-in name.
    pub name: String,
    /// The password.
    pub password: Secret<String>,
}

/// A tenant made for the run.
#[derive(Clone, Debug)]
pub struct Canary {
    /// The tenant.
    pub tenant: TenantId,
    /// Its display name.
    pub name: String,
    /// Host name of its sign-in, console and API.
    pub console: String,
    /// Host name of its application.
    pub application: String,
    /// Its first administrator, password set, without a second factor unless the policy requires one.
    pub admin: Account,
}

/// One HTTP request through a front door.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Which node: 0 or 1.
    pub node: usize,
    /// The source address; `None` takes 127.0.0.1.
    pub peer: Option<IpAddr>,
    /// `https` unless set.
    pub plain_http: bool,
    /// Requests of one run with the same number go over one connection, in order; `None` takes a fresh one.
    pub connection: Option<u32>,
    /// The host name: SNI and `Host`.
    pub host: String,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields besides `Host` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Ask {
    /// A request without body to node 0.
    pub fn new(method: &str, host: &str, path: &str) -> Self {
        Self {
            node: 0,
            peer: None,
            plain_http: false,
            connection: None,
            host: host.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, value: &serde_json::Value) -> Self {
        self.body = value.to_string().into_bytes();
        self.header("content-type", "application/json")
    }
    /// Sends to another node.
    #[must_use]
    pub const fn node(mut self, node: usize) -> Self {
        self.node = node;
        self
    }
    /// Comes from another address.
    #[must_use]
    pub const fn peer(mut self, peer: IpAddr) -> Self {
        self.peer = Some(peer);
        self
    }
    /// Goes over the numbered connection.
    #[must_use]
    pub const fn over(mut self, connection: u32) -> Self {
        self.connection = Some(connection);
        self
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// Body, at most 64 MiB.
    pub body: Vec<u8>,
}

impl Answer {
    /// First value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    /// The body as JSON; `Null` when it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }
    /// Whether the body holds the marker.
    pub fn contains(&self, marker: &str) -> bool {
        let needle = marker.as_bytes();
        self.body.windows(needle.len().max(1)).any(|w| w == needle)
    }
}

/// A TLS ClientHello of one version and one suite, written by the probe itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Protocol version on the wire: 0x0301 (TLS 1.0) to 0x0304 (TLS 1.3).
    pub version: u16,
    /// The one cipher suite offered (IANA number).
    pub suite: u16,
}

/// What the listener said to a [`Hello`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelloAnswer {
    /// A ServerHello.
    Accepted {
        /// The version chosen.
        version: u16,
        /// The suite chosen.
        suite: u16,
        /// Whether the key exchange is ephemeral (always in 1.3; by ServerKeyExchange in 1.2 and below).
        ephemeral: bool,
    },
    /// A fatal alert (its description byte), or the connection closed without one.
    Refused(Option<u8>),
}

/// A declared listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name: `https`, `http`, `forward-auth`.
    pub name: String,
    /// Whether it speaks TLS.
    pub tls: bool,
}

/// A value in a raw row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// NULL.
    Null,
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// One file of raw storage, as it lies on disk, or one stream of log output.
#[derive(Clone, Debug)]
pub struct RawFile {
    /// Where.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What is done to a copy of the database before the verifier looks at it.
#[derive(Clone, Debug)]
pub enum Tamper {
    /// Nothing: the untouched copy must verify.
    Nothing,
    /// SQL statements run by a superuser.
    Sql(Vec<String>),
    /// The whole database and its signed checkpoint as they were at the last [`World::remember`].
    RollBack,
    /// SQL statements, after which tree and checkpoint are computed anew and signed with the stolen key.
    Resign(Vec<String>),
}

/// What the verifier said.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Whether it found nothing wrong.
    pub sound: bool,
    /// Whether it had a checkpoint from outside the database to hold the log against.
    pub anchored: bool,
    /// What it found, in words.
    pub findings: Vec<String>,
}

/// What a command printed.
#[derive(Clone, Debug, Default)]
pub struct CommandOutcome {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A request as the application behind the door received it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// A site on the other side of the way out, as a rehearsal stages it.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Its host name.
    pub host: String,
    /// Where the name leads; a connection is made to none of them really.
    pub addresses: Vec<IpAddr>,
    /// The texts of its TXT records.
    pub texts: Vec<String>,
    /// What it answers.
    pub pages: Vec<SitePage>,
}

/// What a staged site answers at a path, whatever the query.
#[derive(Clone, Debug)]
pub struct SitePage {
    /// The path.
    pub path: String,
    /// Status code.
    pub status: u16,
    /// Header fields beside length and type.
    pub headers: Vec<(String, String)>,
    /// Body, JSON.
    pub body: Vec<u8>,
}

/// An open WebSocket to the application behind the door.
#[async_trait]
pub trait Socket: Send {
    /// Sends a text message.
    async fn send(&mut self, text: &str) -> Result<(), Trouble>;
    /// The next message, or `None` once the socket is closed.
    async fn receive(&mut self) -> Result<Option<String>, Trouble>;
}

/// Who has signed a rule set that is put in the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedSigner {
    /// Whoever holds the key that the policy names.
    Own,
    /// Somebody with another key.
    Stranger,
    /// Nobody: the place of the signature is empty.
    Nobody,
}

/// A rule set for the firewall's feed.
#[derive(Clone, Debug)]
pub struct FeedSet {
    /// Its number; higher is newer.
    pub version: u64,
    /// Its rules, in SecLang, beside those that come with the product.
    pub rules: String,
    /// Its own tests, in the format of go-ftw.
    pub tests: String,
    /// Who has signed it.
    pub signer: FeedSigner,
    /// When it was made.
    pub made: Time,
}

/// A real browser on the prover's host, to which every host name leads to the doors. It ends when it is dropped.
#[async_trait]
pub trait RealBrowser: Send + Sync {
    /// Sets a host's cookie as its answer would: `Secure`, `HttpOnly`, path `/`.
    async fn cookie(&mut self, host: &str, name: &str, value: &str) -> Result<(), Trouble>;
    /// Opens an address in a tab, numbered from 0 and made when it is new, and waits until it has loaded.
    async fn open(&mut self, tab: usize, host: &str, path: &str) -> Result<(), Trouble>;
    /// What an expression comes to in a tab's page; a promise is awaited.
    async fn run(&mut self, tab: usize, expression: &str) -> Result<serde_json::Value, Trouble>;
    /// Ends it in good order. What its profile keeps from then on, file by file, below the profile's folder.
    async fn quit(&mut self) -> Result<Vec<RawFile>, Trouble>;
}

/// What is true of the process that keeps the data.
#[derive(Clone, Debug)]
pub struct ProcessFacts {
    /// Whether the kernel would write a core dump of it.
    pub can_dump_core: bool,
}

/// What a rehearsed instance gives the prober beside its front doors. Raised by the binary's [`Factory`].
#[async_trait]
pub trait Rehearsed: Send + Sync {
    /// The two canary tenants.
    fn canaries(&self) -> Vec<Canary>;
    /// The platform policy in force.
    fn policy(&self) -> Arc<Policy>;
    /// The declared listeners.
    fn listeners(&self) -> Vec<Listener>;
    /// A byte stream to a node's listener, as if from `peer`.
    async fn connect(&self, node: usize, listener: &str, peer: IpAddr) -> Result<Pin<Box<dyn Stream>>, Trouble>;
    /// The PEM of the certificate authority to trust.
    fn trust(&self) -> String;
    /// The clock's reading.
    fn now(&self) -> Time;
    /// Moves the clock from due job to due job, running each on every node.
    async fn advance(&self, span: Duration) -> Result<(), Trouble>;
    /// Every byte the instance keeps: database files, write-ahead log, key files, outside checkpoint, logs, temporary files.
    /// Where the database is a server's, its files on that server (`pg_wal` holds the log), and, below `wire`, everything
    /// that passed between the two.
    async fn raw_files(&self) -> Result<Vec<RawFile>, Trouble>;
    /// Rows, read by a superuser beside the instance.
    async fn raw_rows(&self, sql: &str) -> Result<Vec<Vec<Raw>>, Trouble>;
    /// The statement tried under the service's own database role, in a transaction begun for `tenant` as the service would
    /// begin it, or for nobody; what it changes is taken back. `None` where the database has no roles.
    async fn as_service_role(
        &self,
        tenant: Option<TenantId>,
        sql: &str,
    ) -> Result<Option<Result<u64, String>>, Trouble>;
    /// Keeps a copy of database and checkpoint for [`Tamper::RollBack`].
    async fn remember(&self) -> Result<(), Trouble>;
    /// Copies the database, does `tamper` to the copy, runs the offline verifier on it.
    async fn verify_copy(&self, tamper: Tamper) -> Result<Verified, Trouble>;
    /// Runs the offline verifier on a downloaded export.
    async fn verify_export(&self, export: &[u8]) -> Result<Verified, Trouble>;
    /// The root key's bytes, as whoever holds the key file has them.
    async fn root_key(&self) -> Result<Secret<Vec<u8>>, Trouble>;
    /// Runs `sekisho ARGS…` on the host against this instance.
    async fn command(&self, args: &[&str]) -> Result<CommandOutcome, Trouble>;
    /// What the application behind the door has received since the last call.
    async fn upstream_seen(&self) -> Result<Vec<Seen>, Trouble>;
    /// Puts a site on the other side of the way out, in the place of the one that had its name.
    async fn stage_site(&self, _site: Site) -> Result<(), Trouble> {
        Err(Trouble("this rehearsal stages no sites".into()))
    }
    /// What staged sites have received since the last call; `host` is among the fields.
    async fn sites_seen(&self) -> Result<Vec<Seen>, Trouble> {
        Err(Trouble("this rehearsal stages no sites".into()))
    }
    /// The declared record types.
    fn catalogue(&self) -> Vec<&'static RecordDef>;
    /// Facts about the process.
    fn process(&self) -> ProcessFacts;
    /// Makes every write of a ledger entry fail from now on (`true`), or ends that (`false`).
    async fn break_ledger(&self, broken: bool) -> Result<(), Trouble>;
    /// The operator changes one setting of the platform's policy and has it read again; `value` as the API writes it.
    async fn operator_sets(&self, key: &str, value: &serde_json::Value) -> Result<(), Trouble>;
    /// Puts a rule set in the firewall's feed, as its publisher would.
    async fn put_in_feed(&self, set: FeedSet) -> Result<(), Trouble>;
    /// Stops everything and removes the scratch directory.
    async fn end(&self);
}

/// Raises rehearsals. The binary hands one to the prober.
#[async_trait]
pub trait Factory: Send + Sync {
    /// A whole instance of this binary under `policy`, with its second node, and with `out` really taken out.
    async fn raise(&self, policy: Arc<Policy>, out: Option<TakenOut>) -> Result<Box<dyn Rehearsed>, Trouble>;
}

/// What a probe can do. All of it looks at an instance from outside.
#[async_trait]
pub trait World: Send + Sync {
    /// Where this is.
    fn stage(&self) -> Stage;
    /// The rehearsed instance behind the doors; `None` when live, where clock, raw bytes and commands are out of reach.
    fn rehearsed(&self) -> Option<&dyn Rehearsed>;
    /// The two canary tenants.
    fn canaries(&self) -> &[Canary];
    /// The platform policy in force.
    fn policy(&self) -> Arc<Policy>;
    /// One request.
    async fn send(&self, ask: Ask) -> Result<Answer, Trouble>;
    /// Many requests, all under way at the same time.
    async fn send_all(&self, asks: Vec<Ask>) -> Vec<Result<Answer, Trouble>>;
    /// Opens a WebSocket through the door; a refusal's answer comes back as `Err` within `Ok`.
    async fn websocket(&self, ask: Ask) -> Result<Result<Box<dyn Socket>, Answer>, Trouble>;
    /// A real browser. `None` where the host has none.
    async fn browser(&self) -> Result<Option<Box<dyn RealBrowser>>, Trouble> {
        self.browser_with(&[]).await
    }
    /// A real browser on another machine, with a copy of a profile. `None` where the host has none.
    async fn browser_with(&self, _profile: &[RawFile]) -> Result<Option<Box<dyn RealBrowser>>, Trouble> {
        Ok(None)
    }
    /// Offers one version and suite to a TLS listener, naming `host` (SNI).
    async fn hello(&self, listener: &str, host: &str, hello: Hello) -> Result<HelloAnswer, Trouble>;
    /// Writes bytes to a listener without TLS and returns what comes back within the time-out, at most 64 KiB.
    async fn raw(&self, listener: &str, bytes: &[u8]) -> Result<Vec<u8>, Trouble>;
    /// Lets time pass: a rehearsal's clock is moved, a serving instance's is waited for.
    async fn pass(&self, span: Duration) -> Result<(), Trouble>;
    /// A marker text that occurs nowhere else.
    fn marker(&self, label: &str) -> String;
    /// The present 6-digit code of a base32 TOTP secret (RFC 6238, SHA-1, 30 s) at the world's clock plus `steps`.
    fn totp(&self, secret: &str, steps: i64) -> String;
}
