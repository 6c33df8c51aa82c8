//! A console on a store of its own, asked as the door asks it.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, header},
};
use http_body_util::BodyExt;
use sekisho_console::{Evidence, Proof};
use sekisho_controls::Gates;
use sekisho_identity::{Identity, NewTenant};
use sekisho_kernel::{
    Cx, Job, Policy, Problem, Secret, SystemRng, Time, TraceId,
    claim::{Stage, Verdict},
    hook::{Arrival, Directory},
    id::TenantId,
    rehearsal::MovableClock,
};
use sekisho_keys::{Keys, RootFile, RootSource};
use sekisho_store::{Migration, REHEARSAL};
use sekisho_testkit::TestStore;
use sekisho_vault::{Parts as VaultParts, Scope, Vault, history};
use serde_json::Value;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery";
pub const PORT: u16 = 8443;

pub struct House {
    pub app: Router,
    pub vault: Vault,
    pub identity: Identity,
    pub clock: MovableClock,
    pub acme: TenantId,
    pub evidence: Arc<Mutex<Vec<Proof>>>,
    _keys: tempfile::TempDir,
    pub store: TestStore,
}

struct Kept(Arc<Mutex<Vec<Proof>>>);

#[async_trait]
impl Evidence for Kept {
    async fn all(&self) -> Result<Vec<Proof>, Problem> {
        Ok(self.0.lock().expect("nobody panics holding it").clone())
    }
    async fn of(&self, claim: &str) -> Result<Option<Proof>, Problem> {
        Ok(self.all().await?.into_iter().find(|p| p.claim == claim))
    }
}

fn migrations() -> Vec<Migration> {
    let own = |(number, name, sql): &(u32, &'static str, &'static str)| Migration {
        number: *number,
        name,
        sql,
        postgres: "",
        sqlite: "",
    };
    sekisho_vault::migrations().into_iter().chain(sekisho_identity::MIGRATIONS.iter().map(own)).collect()
}

impl House {
    /// On SQLite, default policy, tenants `acme` and `globex`, each with an administrator `admin`.
    pub async fn new() -> Self {
        Self::on(sekisho_testkit::sqlite(&migrations())).await
    }

    /// The same on each database.
    pub async fn each() -> Vec<Self> {
        let mut houses = vec![Self::new().await];
        if let Some(store) = sekisho_testkit::postgres(&migrations()) {
            houses.push(Self::on(store).await);
        }
        houses
    }

    async fn on(store: TestStore) -> Self {
        store.store.set_mark(REHEARSAL, "1").await.expect("marked");
        let dir = tempfile::tempdir().expect("a directory");
        RootFile::create(&dir.path().join("root.key"), &SystemRng).expect("a root key");
        let clock = MovableClock::new(Time::from_secs(1_800_000_000));
        let (time, rng) = (Arc::new(clock.clone()), Arc::new(SystemRng));
        let root = RootSource::File(dir.path().join("root.key"));
        let keys = Keys::rehearse(store.store.clone(), root, time.clone(), rng.clone(), None).await.expect("keys");
        let gates = Arc::new(Gates::whole());
        let parts =
            VaultParts::new(store.store.clone(), keys, gates.clone(), time.clone(), rng.clone(), "test.example")
                .records(sekisho_identity::RECORDS)
                .bookkeeping(sekisho_identity::BOOKKEEPING)
                .rights_version(&sekisho_identity::sql::RIGHTS_VERSION);
        let vault = Vault::rehearse(parts, None).await.expect("a vault");
        let policy = Arc::new(
            Policy::defaults(&sekisho_controls::schema())
                .named("netmeister")
                .with(&sekisho_controls::audit::ZONE, sekisho_kernel::policy::Value::Str("JST".into())),
        );
        let identity = Identity::new(sekisho_identity::Parts {
            outside: Arc::new(sekisho_kernel::egress::Nowhere),
            vault: vault.clone(),
            gates: gates.clone(),
            policy: policy.clone(),
            clock: time.clone(),
            rng: rng.clone(),
            cores: 2,
        });
        let evidence = Arc::new(Mutex::new(Vec::new()));
        let firewall = {
            let (home, clock) = (dir.path().join("firewall"), time.clone() as sekisho_kernel::time::SharedClock);
            let parts = sekisho_gateway::firewall::Parts { gates: gates.clone(), clock, home };
            sekisho_gateway::firewall::Firewall::open(parts, &policy).expect("the product's own rules")
        };
        let app = sekisho_console::router(sekisho_console::Parts {
            vault: vault.clone(),
            identity: identity.clone(),
            sessions: Arc::new(identity.clone()),
            directory: Arc::new(identity.clone()),
            gates,
            evidence: Arc::new(Kept(evidence.clone())),
            firewall: Some(firewall),
            catalogue: vault.catalogue(),
            clock: time,
            rng,
        });
        let mut house = Self { app, vault, identity, clock, acme: TenantId::NIL, evidence, _keys: dir, store };
        house.acme = house.tenant("acme").await;
        house.tenant("globex").await;
        house
    }

    async fn tenant(&self, word: &str) -> TenantId {
        let new = NewTenant {
            name: word.into(),
            console_host: format!("{word}.console.localhost"),
            app_host: format!("{word}.app.localhost"),
            admin_name: "admin".into(),
        };
        let made = self.identity.create_tenant(Job::FirstStart, new).await.expect("a tenant");
        let body = serde_json::json!({ "token": made.link.reveal(), "password": PASSWORD });
        let answer = self.at(word).json("POST", "/api/v1/links/use", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        made.tenant
    }

    /// A client at a tenant's console.
    pub fn at<'a>(&'a self, word: &str) -> Client<'a> {
        Client { house: self, host: format!("{word}.console.localhost"), headers: Vec::new(), jar: Mutex::default() }
    }

    /// Signed in as somebody, by bearer token.
    pub async fn signed_in(&self, word: &str, name: &str) -> Client<'_> {
        let client = self.at(word);
        let body = serde_json::json!({ "name": name, "password": PASSWORD });
        let answer = client.json("POST", "/api/v1/sign-in", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.body["token"].as_str().expect("a token");
        let bearer = format!("Bearer {token}");
        self.at(word).with("authorization", &bearer)
    }

    pub async fn admin(&self) -> Client<'_> {
        self.signed_in("acme", "admin").await
    }

    /// A person with the usual password; their id.
    pub async fn person(&self, admin: &Client<'_>, name: &str, kind: &str) -> String {
        let body = serde_json::json!({ "name": name, "type": kind, "password": PASSWORD });
        let answer = admin.json("POST", "/api/v1/users", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body["id"].as_str().expect("an id").to_owned()
    }

    /// The history of acme, oldest first.
    pub async fn history(&self) -> Vec<history::Row> {
        let policy = self.identity.effective(self.acme).await.expect("a policy");
        let scope = Scope::of(&Cx::job(self.acme, Job::SignIn, policy, &SystemRng));
        let filter = history::Filter { limit: 200, ..history::Filter::default() };
        let mut rows = self.vault.history(&scope, filter).await.expect("history").rows;
        rows.reverse();
        rows
    }

    /// The entries that `act` leaves in acme's history, as `event outcome`.
    pub async fn entries<T>(&self, act: impl Future<Output = T>) -> (T, Vec<String>) {
        let before: Vec<_> = self.history().await.into_iter().map(|r| r.id).collect();
        let got = act.await;
        let new = self.history().await.into_iter().filter(|r| !before.contains(&r.id));
        (got, new.map(|r| format!("{} {}", r.event, r.outcome.name())).collect())
    }

    pub fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// The day so many days from now, UTC.
    pub fn day_after(&self, days: u64) -> String {
        let at = sekisho_kernel::Clock::now(&self.clock).plus(Duration::from_secs(days * 86_400)).rfc3339();
        at[..10].to_owned()
    }

    pub fn prove(&self, claim: &str, verdict: Verdict) {
        let now = sekisho_kernel::Clock::now(&self.clock);
        self.evidence.lock().expect("nobody panics holding it").push(Proof {
            claim: claim.into(),
            verdict,
            stage: Some(Stage::Rehearsal),
            at: Some(now),
            fresh_until: Some(now.plus(Duration::from_secs(86_400))),
            build: Some("test".into()),
            digest: Some("00".into()),
            steps: Vec::new(),
        });
    }
}

/// Somebody who asks.
pub struct Client<'a> {
    house: &'a House,
    pub host: String,
    headers: Vec<(String, String)>,
    jar: Mutex<Vec<(String, String)>>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().expect("a text"))
    }
    /// The form value against forgery.
    pub fn csrf(&self) -> String {
        let rest = self.text.split("name=\"csrf\" value=\"").nth(1).expect("a form");
        rest.split('"').next().expect("a value").to_owned()
    }
}

impl<'a> Client<'a> {
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
    pub fn origin(&self) -> String {
        format!("https://{}:{PORT}", self.host)
    }
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().expect("one at a time").iter().find(|(n, _)| n == name).map(|(_, v)| v.clone())
    }
    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut jar = self.jar.lock().expect("one at a time");
        jar.retain(|(n, _)| n != name);
        if !value.is_empty() {
            jar.push((name.into(), value.into()));
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Vec::new()).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], Vec::new()).await
    }
    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.json_with(method, path, body, &[]).await
    }
    pub async fn json_with(&self, method: &str, path: &str, body: &Value, more: &[(&str, &str)]) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend_from_slice(more);
        self.send(method, path, &headers, body.to_string().into_bytes()).await
    }
    /// A form as a browser sends it: with its origin, and with the value that the page of `from` holds.
    pub async fn form(&self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(from).await;
        let mut pairs = vec![("csrf".to_owned(), page.csrf())];
        pairs.extend(fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let origin = self.origin();
        self.raw_form(path, &pairs, &[("origin", &origin)]).await
    }
    pub async fn raw_form(&self, path: &str, pairs: &[(String, String)], more: &[(&str, &str)]) -> Answer {
        let text: Vec<String> = pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend_from_slice(more);
        self.send("POST", path, &headers, text.join("&").into_bytes()).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        // Ids are made by the clock: what comes later must come later.
        self.house.pass(Duration::from_millis(1));
        let entry = self.house.identity.host(&self.host).await.expect("looked up").expect("a host");
        let policy = self.house.identity.effective(entry.tenant).await.expect("a policy");
        let peer: IpAddr = "192.0.2.7".parse().expect("an address");
        let arrival = Arrival { host: entry, peer, trace: TraceId::new(&SystemRng), policy, port: PORT };
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        let named = |n: &str| self.headers.iter().any(|(h, _)| h == n) || headers.iter().any(|(h, _)| *h == n);
        if !named("accept-language") {
            request = request.header(header::ACCEPT_LANGUAGE, "en");
        }
        for (name, value) in self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        let jar: Vec<_> = self.jar.lock().expect("one at a time").iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !jar.is_empty() {
            request = request.header(header::COOKIE, jar.join("; "));
        }
        let mut request = request.body(Body::from(body)).expect("a request");
        request.extensions_mut().insert(arrival);
        let response = self.house.app.clone().oneshot(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        for cookie in head.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("a text");
            let (pair, rest) = text.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            self.set_cookie(name, if rest.contains("Max-Age=0") { "" } else { value });
        }
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: head.status.as_u16(), headers: head.headers, text, body }
    }
}

pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |out, b| {
        if b.is_ascii_alphanumeric() { out + &char::from(b).to_string() } else { format!("{out}%{b:02X}") }
    })
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}
