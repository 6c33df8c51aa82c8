//! Stand-ins for the kernel's hooks. They decide as a test tells them to and remember what they were asked.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use sekisho_gateway::{Algorithm, CertStore, PageBody, Pages, PublicKey, Signer, Upload};
use sekisho_kernel::{
    Actor, Cx, Effective, Event, Grant, Id, Outcome, Policy, Problem, Right, RightSet, RightsView, Secret, SystemRng,
    Text, TraceId,
    access::AccessQuestion,
    gate::{
        AddressLists, AuditRule, Decision, DeviceRule, FactorRule, FirewallRule, FirewallSource, Gates, LockoutRule,
        PasswordRule, SessionRule, TlsRule,
    },
    hook::{Arrival, Directory, HostEntry, HostKind, Journal, Knock, Onward, Passage, Sessions},
    id::TenantId,
    problem,
};
use tokio::sync::watch;

pub const TENANT: TenantId = Id::from_bytes([7; 16]);
pub const APP: &str = "acme.app.localhost";
pub const CONSOLE: &str = "acme.console.localhost";

pub struct FakeDirectory {
    pub policy: watch::Receiver<Arc<Policy>>,
    pub hosts: Mutex<HashMap<String, Arc<HostEntry>>>,
    pub addresses: Mutex<Arc<AddressLists>>,
}

impl FakeDirectory {
    pub fn new(policy: watch::Receiver<Arc<Policy>>) -> Self {
        let entry =
            |host: &str, kind| (host.to_owned(), Arc::new(HostEntry { host: host.into(), tenant: TENANT, kind }));
        let hosts = HashMap::from([entry(APP, HostKind::Application), entry(CONSOLE, HostKind::Console)]);
        Self { policy, hosts: Mutex::new(hosts), addresses: Mutex::default() }
    }

    /// One more host of the application.
    pub fn add(&self, host: &str) {
        let entry = Arc::new(HostEntry { host: host.into(), tenant: TENANT, kind: HostKind::Application });
        self.hosts.lock().unwrap().insert(host.to_owned(), entry);
    }
}

#[async_trait]
impl Directory for FakeDirectory {
    async fn host(&self, host: &str) -> Result<Option<Arc<HostEntry>>, Problem> {
        Ok(self.hosts.lock().unwrap().get(host).cloned())
    }
    async fn console_host(&self, _: TenantId) -> Result<Option<Arc<HostEntry>>, Problem> {
        Ok(self.hosts.lock().unwrap().get(CONSOLE).cloned())
    }
    async fn effective(&self, _: TenantId) -> Result<Effective, Problem> {
        Ok(Effective::platform(self.policy.borrow().clone()))
    }
    async fn addresses(&self, _: TenantId) -> Result<Arc<AddressLists>, Problem> {
        Ok(self.addresses.lock().unwrap().clone())
    }
}

/// What a session may do.
pub fn rights(version: i64, rights: &[Right]) -> Arc<RightsView> {
    let rights: RightSet = rights.iter().copied().collect();
    let grants = vec![Grant { rights, site: None, role: "user".into() }];
    Arc::new(RightsView { version, grants, tenant_off: 0, user_off: 0 })
}

#[derive(Default)]
pub struct FakeSessions {
    pub passages: Mutex<HashMap<String, Arc<Passage>>>,
    /// Code → (binding, token).
    pub codes: Mutex<HashMap<String, (String, String)>>,
    /// Where who signs out is led on to.
    pub onward: Mutex<Option<Onward>>,
    pub activity: AtomicU64,
    pub polls: AtomicU64,
}

impl FakeSessions {
    /// Signs somebody in; the token is `token`.
    pub fn sign_in(&self, token: &str, policy: &Arc<Policy>, view: Arc<RightsView>) -> Arc<Passage> {
        let (user, session) = (Id::from_bytes([1; 16]), Id::from_bytes([token.len() as u8; 16]));
        let cx = Cx {
            tenant: TENANT,
            actor: Actor::User { id: user, session, rights: view },
            via: sekisho_kernel::actor::Via::Door,
            peer: None,
            trace: TraceId::new(&SystemRng),
            policy: Effective::platform(policy.clone()),
            lang: sekisho_kernel::Lang::Ja,
            once: None,
        };
        let passage = Arc::new(Passage {
            terms_due: false,
            cx,
            user,
            session,
            roles: Arc::from(["user".to_owned()]),
            sites: Arc::from([Id::from_bytes([3; 16])]),
        });
        self.passages.lock().unwrap().insert(token.into(), passage.clone());
        passage
    }
    pub fn end(&self, token: &str) {
        self.passages.lock().unwrap().remove(token);
    }
}

#[async_trait]
impl Sessions for FakeSessions {
    async fn resolve(&self, knock: &Knock, token: &Secret<String>) -> Result<Arc<Passage>, Problem> {
        let counter = if knock.activity { &self.activity } else { &self.polls };
        counter.fetch_add(1, Ordering::SeqCst);
        let passages = self.passages.lock().unwrap();
        passages.get(token.reveal()).cloned().ok_or_else(|| Problem::new(&problem::UNAUTHENTICATED))
    }
    async fn entry_code(&self, _: &Passage, _: &HostEntry, _: &str) -> Result<Secret<String>, Problem> {
        Err(Problem::new(&problem::INTERNAL))
    }
    async fn enter(&self, _: &Knock, code: &Secret<String>, binding: &str) -> Result<Secret<String>, Problem> {
        match self.codes.lock().unwrap().remove(code.reveal()) {
            Some((bound, token)) if bound == binding => Ok(Secret::new(token)),
            _ => Err(Problem::new(&problem::UNAUTHENTICATED)),
        }
    }
    async fn device_key(&self, passage: &Passage, host: &HostEntry) -> Result<Secret<Vec<u8>>, Problem> {
        Ok(Secret::new(format!("{} {}", passage.session, host.host).into_bytes()))
    }
    async fn sign_out(
        &self,
        _: &Knock,
        token: &Secret<String>,
        console: Option<&str>,
    ) -> Result<Option<Onward>, Problem> {
        self.end(token.reveal());
        let onward = self.onward.lock().unwrap().clone();
        Ok(onward.filter(|_| console.is_some_and(|c| c.starts_with(&format!("https://{CONSOLE}")))))
    }
}

/// One entry as the door asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    pub event: &'static str,
    pub outcome: Outcome,
    pub target: String,
    pub actor: String,
    pub via: &'static str,
    pub detail: Vec<(&'static str, String)>,
}

#[derive(Default)]
pub struct FakeJournal {
    pub entries: Mutex<Vec<Entered>>,
    pub broken: AtomicBool,
}

#[async_trait]
impl Journal for FakeJournal {
    async fn enter(
        &self,
        cx: &Cx,
        event: &'static Event,
        outcome: Outcome,
        target: &str,
        detail: Vec<(&'static str, String)>,
    ) -> Result<(), Problem> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Problem::new(&problem::UNAVAILABLE));
        }
        let (actor, via) = (cx.actor.name(), cx.via.name());
        let entered = Entered { event: event.name, outcome, target: target.into(), actor, via, detail };
        self.entries.lock().unwrap().push(entered);
        Ok(())
    }
}

pub struct FakeGates {
    pub tls: Mutex<TlsRule>,
    pub refuse_plain: AtomicBool,
    pub each_read: AtomicBool,
    pub recheck: AtomicBool,
    pub firewall: Mutex<FirewallRule>,
    pub device: Mutex<DeviceRule>,
    /// A file with rules beside those of the product.
    pub rules: Mutex<String>,
    /// A folder with a rule set instead of them.
    pub set: Mutex<String>,
}

impl Default for FakeGates {
    fn default() -> Self {
        Self {
            tls: Mutex::new(TlsRule { tls12: true, aes_bits: 256, aes_only: true }),
            refuse_plain: AtomicBool::new(true),
            each_read: AtomicBool::new(false),
            recheck: AtomicBool::new(true),
            firewall: Mutex::new(FirewallRule::off()),
            device: Mutex::new(DeviceRule { cache: true, cacheable: Vec::new(), wipe: true }),
            rules: Mutex::default(),
            set: Mutex::default(),
        }
    }
}

impl Gates for FakeGates {
    fn tls(&self, _: &Effective) -> TlsRule {
        self.tls.lock().unwrap().clone()
    }
    fn refuse_plain_http(&self, _: &Effective) -> bool {
        self.refuse_plain.load(Ordering::SeqCst)
    }
    fn hsts(&self, _: &Effective) -> Option<Duration> {
        Some(Duration::from_secs(31_536_000))
    }
    fn address(&self, lists: &AddressLists, peer: IpAddr) -> Decision {
        let admits = |list: &Vec<ipnet::IpNet>| list.is_empty() || list.iter().any(|n| n.contains(&peer));
        if admits(&lists.platform) && admits(&lists.tenant) {
            Decision::Allow
        } else {
            Decision::Refuse(&problem::FORBIDDEN)
        }
    }
    fn lockout(&self, _: &Effective) -> LockoutRule {
        LockoutRule { tries: Some(3), period: Duration::from_secs(60), known_device: false }
    }
    fn session(&self, _: &Effective) -> SessionRule {
        let recheck = self.recheck.load(Ordering::SeqCst);
        SessionRule { idle: None, absolute: Duration::from_secs(3600), recheck }
    }
    fn factor(&self, _: &Effective) -> FactorRule {
        FactorRule { ask: false, required: false, allowed: false, refuse_replay: true, recovery_codes: 0 }
    }
    fn password(&self, _: &Effective) -> PasswordRule {
        PasswordRule {
            min_length: 8,
            classes: 1,
            history: 0,
            max_age: Duration::ZERO,
            breached_list: None,
            memory_kib: 8,
            passes: 1,
        }
    }
    fn access(&self, q: &AccessQuestion) -> Decision {
        let granted = q.tenant == q.target.tenant
            && q.view.grants.iter().any(|g| g.rights.has(q.right) && (g.site.is_none() || g.site == q.target.site));
        if granted { Decision::Allow } else { Decision::Refuse(&problem::FORBIDDEN) }
    }
    fn audit(&self, _: &Effective) -> AuditRule {
        AuditRule { retention: None, zone: None, each_read: self.each_read.load(Ordering::SeqCst) }
    }
    fn firewall(&self, _: &Effective) -> FirewallRule {
        self.firewall.lock().unwrap().clone()
    }
    fn device(&self, _: &Effective) -> DeviceRule {
        self.device.lock().unwrap().clone()
    }
    fn firewall_source(&self, _: &Effective) -> FirewallSource {
        FirewallSource {
            own: self.rules.lock().unwrap().clone(),
            rules: self.set.lock().unwrap().clone(),
            ..FirewallSource::default()
        }
    }
    fn sections(&self) -> Vec<(&'static str, Text)> {
        Vec::new()
    }
}

/// Answers what it was told by the door, and the length of the body.
pub struct EchoPages;

#[async_trait]
impl Pages for EchoPages {
    async fn serve(&self, request: Request<Upload>) -> Response<PageBody> {
        let (head, body) = request.into_parts();
        let arrival = head.extensions.get::<Arrival>().expect("the door says how the request came").clone();
        let (status, length) = match body.collect().await {
            Ok(all) => (200, all.to_bytes().len()),
            Err(_) => (413, 0),
        };
        let text = format!("page {} {} {} {} {length}", head.uri.path(), arrival.host.host, arrival.peer, arrival.port);
        let body = Full::new(Bytes::from(text)).map_err(|e| match e {}).boxed_unsync();
        let mut answer = Response::new(body);
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        answer
    }
}

pub struct FakeSigner {
    pub pair: Ed25519KeyPair,
    pub made: AtomicU64,
}

impl Default for FakeSigner {
    fn default() -> Self {
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap(), made: AtomicU64::new(0) }
    }
}

impl Signer for FakeSigner {
    fn key(&self) -> Arc<PublicKey> {
        let bytes = self.pair.public_key().as_ref().to_vec();
        Arc::new(PublicKey { id: "k1".into(), algorithm: Algorithm::EdDsa, bytes })
    }
    fn keys(&self) -> Vec<PublicKey> {
        vec![(*self.key()).clone()]
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        self.made.fetch_add(1, Ordering::SeqCst);
        Ok(self.pair.sign(message).as_ref().to_vec())
    }
}

#[derive(Default)]
pub struct MemoryStore(pub Mutex<Option<Secret<String>>>);

impl CertStore for MemoryStore {
    fn load(&self) -> Result<Option<Secret<String>>, Problem> {
        Ok(self.0.lock().unwrap().clone())
    }
    fn save(&self, pem: &Secret<String>) -> Result<(), Problem> {
        *self.0.lock().unwrap() = Some(pem.clone());
        Ok(())
    }
}
