//! A whole instance for hostile bytes: two organisations, an administrator who is signed in everywhere, and an
//! application behind the door.

use std::{
    collections::BTreeMap,
    panic,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sekisho::rehearsal::OwnFactory;
use sekisho_kernel::{
    Lang, SystemRng,
    policy::Value as Setting,
    world::{Ask, Canary, Factory, Rehearsed, Seen, Tamper, World},
};
use sekisho_prober::rehearsal::RehearsalWorld;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::Runtime,
    time::{Instant, timeout},
};

/// Panics so far in the instance's own threads: a task of the instance that panics answers nobody, and is a finding.
pub static PANICS: AtomicUsize = AtomicUsize::new(0);
/// What stands in the other organisation alone.
pub const SECRET: &str = "Himitsu-no-Okura";
const PROXY_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// How long an answer may take, and how long it may be.
const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST_ANSWER: usize = 4 << 20;

/// Counts panics from now on.
pub fn watch_panics() {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // Tests run in threads of their names, and fail by themselves.
        let test = std::thread::current().name().is_some_and(|name| name == "main" || name.contains("::"));
        PANICS.fetch_add(usize::from(!test), Ordering::SeqCst);
        told(info);
    }));
}

/// The instance, and what the administrator holds of it.
pub struct Scene {
    pub runtime: Runtime,
    pub instance: Arc<dyn Rehearsed>,
    pub world: RehearsalWorld,
    tls: tokio_rustls::TlsConnector,
    http2: tokio_rustls::TlsConnector,
    /// What stands for `{name}` in an input.
    pub words: BTreeMap<&'static str, String>,
    _dir: tempfile::TempDir,
}

/// Runs with the process's instance; another is raised when the last input has locked everybody out.
pub fn with<T>(run: impl FnOnce(&Scene) -> T) -> T {
    static SCENE: Mutex<Option<Scene>> = Mutex::new(None);
    let mut scene = SCENE.lock().unwrap_or_else(PoisonError::into_inner);
    if scene.as_ref().is_some_and(|scene| !scene.signed_in()) {
        let mut last = scene.take().expect("just seen");
        if last.sign_in() {
            *scene = Some(last);
        } else {
            last.end();
        }
    }
    run(scene.get_or_insert_with(Scene::raise))
}

/// After many inputs: the log of the instance is whole.
pub fn settle() {
    with(|scene| {
        let verified = scene.runtime.block_on(scene.instance.verify_copy(Tamper::Nothing)).expect("it can be verified");
        assert!(verified.sound, "{:?}", verified.findings);
    });
}

impl Scene {
    fn raise() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let dir = tempfile::tempdir().expect("a directory");
        let secret = dir.path().join("proxy.secret");
        std::fs::write(&secret, PROXY_SECRET).expect("the proxies' secret");
        let policy =
            sekisho::policies::shipped(&sekisho::settings::schema(), "netmeister", Lang::En).expect("it ships");
        let policy = policy
            .with(
                &sekisho_gateway::settings::PROXIES,
                Setting::Networks(vec!["127.0.0.1/32".parse().expect("a network")]),
            )
            .with(&sekisho_gateway::settings::SECRET_FILE, Setting::Str(secret.display().to_string()));
        let factory = OwnFactory { scratch: dir.path().to_owned(), lender: None };
        let instance: Arc<dyn Rehearsed> =
            Arc::from(runtime.block_on(factory.raise(Arc::new(policy), None)).expect("an instance"));
        let world = RehearsalWorld::new(instance.clone(), Arc::new(SystemRng), None).expect("a world");
        let (tls, http2) = (trusting(&instance.trust(), &[]), trusting(&instance.trust(), &[b"h2".to_vec()]));
        let mut scene = Self { runtime, instance, world, tls, http2, words: BTreeMap::new(), _dir: dir };
        assert!(scene.sign_in(), "the administrator signs in");
        scene.plant();
        scene
    }

    fn end(self) {
        self.runtime.block_on(self.instance.end());
    }

    fn canary(&self, n: usize) -> &Canary {
        &self.world.canaries()[n]
    }

    /// What the other organisation keeps to itself.
    fn plant(&mut self) {
        let other = self.canary(1).clone();
        let id = self.runtime.block_on(async {
            let body = json!({ "name": other.admin.name, "password": other.admin.password.reveal() });
            let step = self
                .world
                .send(Ask::new("POST", &other.console, "/api/v1/sign-in").json(&body))
                .await
                .expect("an answer");
            let token = step.json()["token"].as_str().expect("signed in").to_owned();
            let ask =
                Ask::new("POST", &other.console, "/api/v1/sites").header("authorization", format!("Bearer {token}"));
            let made = self.world.send(ask.json(&json!({ "name": SECRET }))).await.expect("an answer");
            made.json()["id"].as_str().expect("a site").to_owned()
        });
        self.words.insert("other", id);
    }

    /// Whether the administrator's session still is one.
    fn signed_in(&self) -> bool {
        let token = &self.words["token"];
        let ask = Ask::new("GET", &self.canary(0).console, "/api/v1/session")
            .header("authorization", format!("Bearer {token}"));
        self.runtime.block_on(self.world.send(ask)).is_ok_and(|answer| answer.status == 200)
    }

    /// Signs the administrator in at the console and goes on to the application, as a browser does.
    fn sign_in(&mut self) -> bool {
        let canary = self.canary(0).clone();
        let found = self.runtime.block_on(async {
            let mut jar = Jar::default();
            let body = json!({ "name": canary.admin.name, "password": canary.admin.password.reveal() });
            let step = jar.send(&self.world, Ask::new("POST", &canary.console, "/api/v1/sign-in").json(&body)).await?;
            let step = step.json();
            let (token, csrf) = (step["token"].as_str()?.to_owned(), step["csrf"].as_str()?.to_owned());
            let bearer =
                |path: &str| Ask::new("GET", &canary.console, path).header("authorization", format!("Bearer {token}"));
            // Enough for a list to have a second page.
            for n in 0..2 {
                let ask = Ask { method: "POST".into(), ..bearer("/api/v1/sites") };
                self.world.send(ask.json(&json!({ "name": format!("site {n}") }))).await.ok()?;
            }
            let page = self.world.send(bearer("/api/v1/sites?limit=1")).await.ok()?.json();
            let (cursor, site) = (page["next"].as_str()?.to_owned(), page["items"][0]["id"].as_str()?.to_owned());
            let (mut host, mut path) = (canary.application.clone(), "/".to_owned());
            for _ in 0..8 {
                let ask = Ask::new("GET", &host, &path).header("accept", "text/html");
                let Some(to) = jar.send(&self.world, ask).await?.header("location").map(str::to_owned) else { break };
                let rest = to.strip_prefix("https://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
                (host, path) = match rest {
                    Some((authority, tail)) => (authority.split(':').next()?.to_owned(), format!("/{tail}")),
                    None => (host, to),
                };
            }
            let (console, app) = (canary.console.clone(), canary.application.clone());
            let (cookie, entered) = (jar.of(&console), jar.of(&app));
            (host == app).then(|| {
                let user = canary.admin.user.to_string();
                BTreeMap::from([
                    ("console", console),
                    ("app", app),
                    ("token", token),
                    ("csrf", csrf),
                    ("cursor", cursor),
                    ("site", site),
                    ("cookie", cookie),
                    ("entered", entered),
                    ("user", user),
                    ("secret", PROXY_SECRET.to_owned()),
                ])
            })
        });
        // The visit just made is no stranger's.
        self.reached();
        found.map(|words| self.words.extend(words)).is_some()
    }

    /// The input with every `{name}` replaced, and `{length}` by the length of what follows the head.
    pub fn dressed(&self, input: &[u8]) -> Vec<u8> {
        let mut text = input.to_vec();
        for (name, value) in &self.words {
            text = replaced(&text, format!("{{{name}}}").as_bytes(), value.as_bytes());
        }
        let body = text.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| text.len() - at - 4);
        replaced(&text, b"{length}", body.to_string().as_bytes())
    }

    /// Sends bytes to a listener, inside TLS for a host where one is given; everything that comes back.
    pub fn exchange(&self, listener: &str, host: Option<&str>, bytes: &[u8]) -> Vec<u8> {
        self.runtime.block_on(async {
            let peer = [127, 0, 0, 1].into();
            let plain = self.instance.connect(0, listener, peer).await.expect("the listener accepts");
            let Some(host) = host else { return talk(plain, bytes).await };
            talk(self.tls.connect(named(host), plain).await.expect("a handshake"), bytes).await
        })
    }

    /// Sends frames of HTTP/2 to an application's host; the frames that come back.
    pub fn frames(&self, bytes: &[u8]) -> Vec<u8> {
        self.runtime.block_on(async {
            let plain = self.instance.connect(0, "https", [127, 0, 0, 1].into()).await.expect("the listener accepts");
            let stream = self.http2.connect(named(&self.words["app"]), plain).await.expect("a handshake");
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            talk(stream, bytes).await
        })
    }

    /// What the application has received since it was last asked.
    pub fn reached(&self) -> Vec<Seen> {
        self.runtime.block_on(self.instance.upstream_seen()).expect("the application answers")
    }
}

fn named(host: &str) -> rustls::pki_types::ServerName<'static> {
    rustls::pki_types::ServerName::try_from(host.to_owned()).expect("a host name")
}

fn trusting(pem: &str, protocols: &[Vec<u8>]) -> tokio_rustls::TlsConnector {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.expect("a certificate")).expect("an authority");
    }
    // The rehearsal's clock is not ours: names and signatures are judged, not days.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_details(provider, Arc::new(Then))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.to_vec();
    tokio_rustls::TlsConnector::from(Arc::new(config))
}

/// The day on which rehearsals begin.
#[derive(Debug)]
struct Then;

impl rustls::time_provider::TimeProvider for Then {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(1_798_761_600 + 60)))
    }
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = rest.windows(from.len()).position(|w| w == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Sends everything and reads until the other side ends. When it is silent for a moment it is told that no more comes:
/// it may be waiting for the rest of a request.
async fn talk(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, bytes: &[u8]) -> Vec<u8> {
    let (mut answer, mut chunk, mut told) = (Vec::new(), vec![0; 16 << 10], false);
    let begun = Instant::now();
    // The door may answer and close before it has read everything.
    let mut wrote = timeout(Duration::from_millis(200), stream.write_all(bytes)).await.is_ok_and(|w| w.is_ok());
    wrote &= stream.flush().await.is_ok();
    loop {
        assert!(begun.elapsed() < PATIENCE, "no end to the answer: {}", String::from_utf8_lossy(&answer));
        assert!(answer.len() < LONGEST_ANSWER, "an answer of more than {LONGEST_ANSWER} bytes");
        let wait = if told || !wrote { Duration::from_secs(1) } else { Duration::from_millis(40) };
        match timeout(wait, stream.read(&mut chunk)).await {
            Ok(Ok(read @ 1..)) => answer.extend_from_slice(&chunk[..read]),
            Ok(_) => return answer,
            Err(_) if !told => {
                told = true;
                let _ = stream.shutdown().await;
            }
            Err(_) => {}
        }
    }
}

/// A browser's cookies, host by host.
#[derive(Default)]
struct Jar(BTreeMap<String, BTreeMap<String, String>>);

impl Jar {
    fn of(&self, host: &str) -> String {
        let of_host = self.0.get(host).into_iter().flatten();
        of_host.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn send(&mut self, world: &RehearsalWorld, ask: Ask) -> Option<sekisho_kernel::world::Answer> {
        let host = ask.host.clone();
        let ask = ask.header("cookie", self.of(&host)).header("sec-fetch-site", "same-origin");
        let answer = world.send(ask).await.ok()?;
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.0.entry(host.clone()).or_default().insert(name.to_owned(), value.to_owned());
            }
        }
        Some(answer)
    }
}
