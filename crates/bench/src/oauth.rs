//! Tokens and their introspection over HTTP, by an instance on one core, against npm's `oidc-provider` on the same core.
//! Ours are durable and in the ledger when the answer leaves. The counterpart's lie in its memory adapter, which its own
//! documentation keeps for development; and, in a row of their own, in a PostgreSQL that commits to the disk, whose work on other
//! cores is not counted against it. And the cheapest question about a session over HTTP: forward-auth's.

use std::{fs, path::Path, process::Command};

use sekisho_identity::types::{NewApplication, NewUser};
use sekisho_kernel::{access::UserType, world::Ask};
use sekisho_testkit::Cluster;

use crate::{
    house::{self, House, Tenant},
    load::{Load, Request, load},
    machine::Running,
    served::{COOKIE, Served, free_port, listening},
    table::{Row, count, median},
};

/// The console's host name, which the load generator must be able to resolve.
const HOST: &str = "localhost";
/// The application's.
const APP: &str = "app.localhost";
const SCOPE: &str = "application.use";
/// The secret between instance and proxy.
const PROXY: &str = "0123456789abcdef0123456789abcdef";
const ROUNDS: usize = 5;
/// Upstream of nobody: the answers are our own.
const NOBODY: &str = "http://127.0.0.1:9";

/// An instance on core 0 with an approved application of a service account, and somebody signed in.
struct Ours {
    served: Served,
    /// The port of forward-auth, plain HTTP.
    auth: u16,
    client: String,
    secret: String,
    session: String,
}

impl Ours {
    fn start(data: &Path) -> Self {
        let (client, secret, session) = house::runtime().block_on(async {
            let house = House::open(data, house::policy(&[])).await;
            let tenant = house.tenant_of("acme", HOST, APP).await;
            let (_, passage) = house.sign_in(&tenant).await;
            let session = house.enter(&tenant, &passage).await;
            let (client, secret) = machine(&house, &tenant).await;
            house.store.close();
            (client, secret, session.reveal().clone())
        });
        let auth = free_port();
        fs::write(data.join("proxy.secret"), PROXY).unwrap();
        let listen = format!("forward_auth = [\"127.0.0.1:{auth}\"]\n");
        let kept = std::path::absolute(data.join("proxy.secret")).unwrap();
        let more = format!("\n[forward_auth]\nproxies = [\"127.0.0.1/32\"]\nsecret_file = \"{}\"\n", kept.display());
        let served = Served::start_with(data, NOBODY, Some(0), &listen, &more);
        Self { served, auth, client, secret, session }
    }

    fn at(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.served.port)
    }

    fn credentials(&self) -> String {
        format!("client_id={}&client_secret={}", self.client, self.secret)
    }

    fn token_form(&self) -> String {
        format!("grant_type=client_credentials&scope={SCOPE}&{}", self.credentials())
    }

    /// An access token.
    fn token(&self) -> String {
        house::runtime().block_on(async {
            let mut ask = Ask::new("POST", HOST, "/oauth/token");
            ask = ask.header("content-type", "application/x-www-form-urlencoded");
            ask.body = self.token_form().into_bytes();
            let answer = self.served.client().send(&ask).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.json()["access_token"].as_str().unwrap().to_owned()
        })
    }
}

/// A confidential application that acts as a service account, approved: its id and secret.
async fn machine(house: &House, tenant: &Tenant) -> (String, String) {
    let (_, passage) = house.sign_in(tenant).await;
    let robot = NewUser {
        name: "robot".into(),
        display_name: None,
        mail: None,
        kind: UserType::User,
        site: None,
        password: None,
        service: true,
    };
    let robot = house.identity.create_user(&passage.cx, robot).await.unwrap();
    let new = NewApplication {
        name: "machine".into(),
        redirect_uris: Vec::new(),
        rights: vec![SCOPE.into()],
        confidential: true,
        account: Some(robot.user.id),
        ..NewApplication::default()
    };
    let made = house.identity.create_application(&passage.cx, new).await.unwrap();
    house.identity.decide_application(&passage.cx, made.application.id, true).await.unwrap();
    (made.application.id.to_string(), made.secret.unwrap().reveal().clone())
}

/// The counterpart on core 0.
struct Theirs {
    running: Running,
    port: u16,
    token: String,
}

impl Theirs {
    const CREDENTIALS: &str = "client_id=bench&client_secret=a-secret-of-the-counterpart";

    fn start(dir: &Path, store: Option<&Cluster>) -> Self {
        let port = free_port();
        let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
        let [certificate, key, token] =
            ["c.pem", "k.pem", "token"].map(|name| std::path::absolute(dir.join(name)).unwrap());
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mut node = Command::new("node");
        node.env("NODE_ENV", "production").arg("tests/oauth/provider.mjs").arg(port.to_string()).args([
            &certificate,
            &key,
            &token,
        ]);
        node.args(store.map(Cluster::sockets));
        let running = Running::on_core(0, &node);
        listening(port);
        Self { running, port, token: fs::read_to_string(&token).unwrap() }
    }

    fn at(&self, path: &str) -> String {
        format!("https://{HOST}:{}{path}", self.port)
    }
}

fn post(url: String, form: String) -> Request {
    Request { url, form: Some(form), headers: Vec::new() }
}

/// Loads in turns.
fn in_turns(dir: &Path, ours: (&Request, u32), theirs: (&Request, u32)) -> (Vec<Load>, Vec<Load>) {
    (0..ROUNDS).map(|_| (load(dir, ours.0, ours.1), load(dir, theirs.0, theirs.1))).unzip()
}

fn of(loads: &[Load], pick: fn(&Load) -> f64) -> f64 {
    median(loads.iter().map(pick).collect())
}

/// Rates and processor times of loads taken in turns, as two rows.
fn rows(what: [&'static str; 2], name: &str, ours: &[Load], theirs: &[Load], bars: [&'static str; 2]) -> Vec<Row> {
    let ratio = |pick: fn(&Load, &Load) -> f64| median(ours.iter().zip(theirs).map(|(o, t)| pick(o, t)).collect());
    vec![
        Row {
            what: what[0],
            ours: format!("{} /s", count(of(ours, |l| l.rate))),
            against: format!("{name}, {} /s", count(of(theirs, |l| l.rate))),
            result: format!("{:.1} ×", ratio(|o, t| o.rate / t.rate)),
            bar: bars[0],
        },
        Row {
            what: what[1],
            ours: format!("{:.0} µs", of(ours, |l| l.cost)),
            against: format!("{name}, {:.0} µs", of(theirs, |l| l.cost)),
            result: format!("{:.1} ×", ratio(|o, t| t.cost / o.cost)),
            bar: bars[1],
        },
    ]
}

pub fn measure() -> Vec<Row> {
    let dir = tempfile::tempdir_in("target").unwrap();
    let ours = Ours::start(&dir.path().join("data"));
    let form = format!("grant_type=client_credentials&scope={SCOPE}&{}", Theirs::CREDENTIALS);
    let mine = post(ours.at("/oauth/token"), ours.token_form());
    let against = |store: Option<&Cluster>| {
        let theirs = Theirs::start(dir.path(), store);
        let request = post(theirs.at("/token"), form.clone());
        in_turns(dir.path(), (&mine, ours.served.pid()), (&request, theirs.running.0.id()))
    };
    let (beside, memory) = against(None);
    let cluster = Cluster::start_durable().unwrap();
    let (again, durable) = against(Some(&cluster));
    let mut out = rows(
        ["client-credentials tokens, HTTPS, one core", "the same, by processor time a token"],
        "npm oidc-provider, tokens in memory (its adapter for development), not durable",
        &beside,
        &memory,
        ["≥ 2,000 /s, ≥ 10 ×", ""],
    );
    out.extend(rows(
        ["client-credentials tokens, HTTPS, one core, durable on both sides", "the same, by processor time a token"],
        "npm oidc-provider, tokens in PostgreSQL (synchronous_commit = on), whose own work runs on other cores",
        &again,
        &durable,
        ["≥ 2,000 /s, ≥ 10 ×", ""],
    ));
    out
}

pub fn introspect() -> Vec<Row> {
    let dir = tempfile::tempdir_in("target").unwrap();
    let ours = Ours::start(&dir.path().join("data"));
    let theirs = Theirs::start(dir.path(), None);
    let form = format!("token={}&{}", ours.token(), ours.credentials());
    let their_form = format!("token={}&{}", theirs.token, Theirs::CREDENTIALS);
    let (mine, other) = in_turns(
        dir.path(),
        (&post(ours.at("/oauth/introspect"), form), ours.served.pid()),
        (&post(theirs.at("/token/introspection"), their_form), theirs.running.0.id()),
    );
    let mut out = rows(
        ["introspection of an access token, HTTPS, one core", "the same, by processor time a question"],
        "npm oidc-provider, tokens in memory",
        &mine,
        &other,
        ["≥ 20,000 /s (this or the session check)", ""],
    );
    let fields = [
        ("X-Sekisho-Proxy-Secret", PROXY.to_owned()),
        ("X-Forwarded-Host", APP.to_owned()),
        ("X-Forwarded-Uri", "/some/path".to_owned()),
        ("X-Forwarded-Method", "GET".to_owned()),
        ("X-Forwarded-Proto", "https".to_owned()),
        ("X-Forwarded-For", "192.0.2.1".to_owned()),
        ("Cookie", format!("{COOKIE}={}", ours.session)),
    ];
    let check = Request { url: format!("http://127.0.0.1:{}/auth", ours.auth), form: None, headers: fields.into() };
    let checks: Vec<Load> = (0..ROUNDS).map(|_| load(dir.path(), &check, ours.served.pid())).collect();
    out.push(Row {
        what: "session check, forward-auth `/auth` with its signed assertion, plain HTTP, one core",
        ours: format!("{} /s", count(of(&checks, |l| l.rate))),
        against: format!("{:.1} µs of processor time each", of(&checks, |l| l.cost)),
        result: format!("{} /s", count(of(&checks, |l| l.rate))),
        bar: "≥ 20,000 /s",
    });
    out
}
