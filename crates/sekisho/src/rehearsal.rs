//! Rehearsals: a whole instance of this binary under a policy, in a scratch directory of its own, with a clock that can be
//! moved, a second node and raw access to what is stored. Only places are replaced: listeners, upstream, the other side of
//! the way out, store, root key, clock, location database.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use sekisho_controls::waf;
use sekisho_gateway::{
    MemoryPlaces, Places,
    firewall::archive::{self, SigningKey},
};
use sekisho_identity::risk::writer::{self, At};
use sekisho_kernel::{
    Policy, Problem, RecordDef, Rng, Secret, SystemRng, TakenOut, Time,
    claim::Trouble,
    egress::Stream,
    id::TenantId,
    policy::Value,
    rehearsal::MovableClock,
    rng,
    world::{
        Canary, CommandOutcome, Factory, FeedSet, FeedSigner, Listener, ProcessFacts, Raw as RawValue, RawFile,
        Rehearsed, Seen, Site, Tamper, Verified,
    },
};
use sekisho_keys::{Keys, RootFile, RootSource};
use sekisho_ledger::{Report, Verdict};
use sekisho_store::{Kind, Raw, Reach, Store, StoreConfig, StoreError};

use crate::{
    beyond::Sites,
    commands,
    instance::{self, Elsewhere, Instance, Spec},
    place::Paths,
    process,
    provision::Provision,
    sample::{self, Sample},
    settings,
};

/// What copies of a server's rows are called.
const COPY: &str = "rows";

/// Where a rehearsal's clock stands at first: a fixed moment, so that runs are alike.
const START: Time = Time::from_secs(1_798_761_600);
/// Where the networks for benchmarks (RFC 2544) are in a rehearsal: towns of Japan, and another continent.
const PLACES: &[(&str, At)] = &[
    ("198.18.1.0/24", At { lat: 35.68, lon: 139.69, radius: 20, system: 64_501 }),
    ("198.18.2.0/24", At { lat: 34.69, lon: 135.50, radius: 20, system: 64_502 }),
    ("198.18.16.0/20", At { lat: 35.60, lon: 139.73, radius: 20, system: 64_503 }),
    // A telephone's provider, whose places are vague.
    ("198.18.64.0/18", At { lat: 36.20, lon: 138.25, radius: 500, system: 64_504 }),
    ("198.19.1.0/24", At { lat: 40.71, lon: -74.01, radius: 20, system: 64_505 }),
];
const CANARY_PASSWORD: &str = "Kanari-7-toshokan-Hashi";

/// Raises rehearsals of this binary.
pub struct OwnFactory {
    /// Scratch directories are made below it.
    pub scratch: PathBuf,
    /// A PostgreSQL server on which each rehearsal gets a database of its own, instead of the embedded one: the address
    /// of a role that may make databases and roles.
    pub lender: Option<Secret<String>>,
}

fn trouble(doing: &'static str) -> impl Fn(Problem) -> Trouble {
    move |problem| Trouble(format!("{doing}: {problem:?}"))
}

/// A scratch directory that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(below: &Path, rng: &dyn Rng) -> std::io::Result<Self> {
        let dir = below.join(format!("sekisho-rehearsal-{}", hex::encode(rng::bytes::<8>(rng))));
        std::fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A rehearsed instance.
pub struct Rehearsal {
    scratch: Scratch,
    instance: Arc<Instance>,
    clock: MovableClock,
    doors: Vec<MemoryPlaces>,
    canaries: Vec<Canary>,
    sample: Sample,
    sites: Arc<Sites>,
    trust: String,
    remembered: Mutex<Option<PathBuf>>,
    /// The newest copy of a server's rows, and the state that they were in.
    copied: Mutex<Option<(String, PathBuf)>>,
    server: Mutex<Option<Arc<sekisho_store::Scratch>>>,
    raw: Arc<Raw>,
    console_output: Mutex<Vec<u8>>,
    /// Signs what is put in the feed.
    publisher: SigningKey,
}

#[async_trait]
impl Factory for OwnFactory {
    async fn raise(&self, policy: Arc<Policy>, out: Option<TakenOut>) -> Result<Box<dyn Rehearsed>, Trouble> {
        Ok(Box::new(Rehearsal::raise(self, policy, out).await?))
    }
}

impl Rehearsal {
    async fn raise(factory: &OwnFactory, policy: Arc<Policy>, out: Option<TakenOut>) -> Result<Self, Trouble> {
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let scratch =
            Scratch::new(&factory.scratch, &*rng).map_err(|e| Trouble::of("making the scratch directory", e))?;
        let paths = Paths::around(&scratch.0.join("data"));
        std::fs::create_dir_all(&paths.data).map_err(|e| Trouble::of("making the data directory", e))?;
        RootFile::create(&paths.root_key, &*rng).map_err(trouble("making the root key"))?;
        let sample = sample::start().await.map_err(|e| Trouble::of("starting the application", e))?;
        let upstream = Value::Str(format!("http://{}", sample.address));
        // Places are replaced, figures never: evidence names the digest of the policy as it was given.
        let feed = scratch.0.join("feed");
        std::fs::create_dir_all(&feed).map_err(|e| Trouble::of("making the feed's folder", e))?;
        let publisher = SigningKey::from_seed(&rng::bytes::<32>(&*rng)).map_err(trouble("making the feed's key"))?;
        let places = scratch.0.join("places.mmdb");
        std::fs::write(&places, writer::database(PLACES)).map_err(|e| Trouble::of("writing the places", e))?;
        let mut placed = (*policy)
            .clone()
            .with(&sekisho_gateway::settings::UPSTREAM, upstream)
            .with(&waf::FEED, Value::Str(feed.display().to_string()))
            .with(&waf::FEED_KEY, Value::Str(publisher.public()))
            .with(&sekisho_controls::adaptive::LOCATION_DB, Value::Str(places.display().to_string()))
            .with(&sekisho_controls::adaptive::NETWORK_DB, Value::Str(String::new()));
        let server = match &factory.lender {
            None => None,
            Some(lender) => {
                let (server, on_server) = borrow(lender.clone(), &scratch.0, placed).await?;
                placed = on_server;
                Some(server)
            }
        };
        let clock = MovableClock::new(START);
        let (mut doors, mut places) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let (near, far) = Places::memory();
            doors.push(near);
            places.push(far);
        }
        let spec =
            Spec { root: RootSource::File(paths.root_key.clone()), paths, policy: Arc::new(placed), rng: rng.clone() };
        let sites = Arc::new(Sites::new()?);
        let elsewhere = Elsewhere { clock: Arc::new(clock.clone()), places, beyond: sites.clone(), out };
        let instance = Instance::rehearse(spec, elsewhere).await.map_err(trouble("raising the instance"))?;
        let config = instance.config.clone();
        let raw = tokio::task::spawn_blocking(move || {
            let raw = Raw::open(&config)?;
            if out == Some(TakenOut::RowSecurity) && config.kind() == Kind::Postgres {
                raw.run(LET_TENANTS_MEET)?;
            }
            Ok(Arc::new(raw))
        })
        .await
        .map_err(|e| Trouble::of("reaching the database", e))?
        .map_err(|e: StoreError| Trouble::of("reaching the database", e))?;
        let provision = Provision { identity: &instance.nodes[0].identity, rng: &*rng, peer: [127, 0, 0, 1].into() };
        let mut canaries = Vec::new();
        for (name, host) in [("カナリア第一", "canary-one"), ("カナリア第二", "canary-two")] {
            let canary = provision
                .organisation(
                    name,
                    &format!("{host}.console.localhost"),
                    &format!("{host}.app.localhost"),
                    CANARY_PASSWORD,
                )
                .await
                .map_err(trouble("making a canary"))?;
            canaries.push(canary);
            // Ids sort by time: whatever falls back on their order does so alike in every run.
            clock.set(sekisho_kernel::Clock::now(&clock).plus(Duration::from_millis(1)));
        }
        let trust = instance.nodes[0]
            .gateway
            .as_ref()
            .and_then(sekisho_gateway::Gateway::trust)
            .ok_or_else(|| Trouble("the door has no certificate authority of its own".into()))?;
        Ok(Self {
            scratch,
            instance: Arc::new(instance),
            clock,
            doors,
            canaries,
            sample,
            sites,
            trust,
            remembered: Mutex::default(),
            copied: Mutex::default(),
            server: Mutex::new(server.map(Arc::new)),
            raw,
            console_output: Mutex::default(),
            publisher,
        })
    }

    fn paths(&self) -> &Paths {
        &self.instance.paths
    }

    /// Copies the database as a thief would who stops the machine: first everything committed goes to the file.
    async fn copy(&self, label: &str) -> Result<PathBuf, Trouble> {
        self.instance.store.checkpoint_wal().await.map_err(|e| Trouble::of("flushing the log", e))?;
        let to = self.fresh(label);
        let from = self.laid_down().await?;
        let copied = to.clone();
        tokio::task::spawn_blocking(move || copy_dir(&from, &copied))
            .await
            .map_err(|e| Trouble::of("copying the database", e))?
            .map_err(|e| Trouble::of("copying the database", e))?;
        Ok(to)
    }

    fn fresh(&self, label: &str) -> PathBuf {
        self.scratch.0.join(format!("{label}-{}", hex::encode(rng::bytes::<4>(&*self.instance.rng))))
    }

    /// Where everything that is stored lies in files: the data directory, or a copy of the server's rows as they are now.
    async fn laid_down(&self) -> Result<PathBuf, Trouble> {
        if self.instance.config.kind() == Kind::Sqlite {
            return Ok(self.paths().data.clone());
        }
        let known = self.copied.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (raw, to) = (self.raw.clone(), self.fresh(COPY));
        let copied = tokio::task::spawn_blocking(move || {
            let at = raw.state()?;
            match known {
                Some((then, dir)) if then == at => Ok((at, dir)),
                _ => raw.copy_to(&to, &instance::migrations()).map(|()| (at, to)),
            }
        })
        .await
        .map_err(|e| Trouble::of("copying the server's rows", e))?
        .map_err(|e: sekisho_store::StoreError| Trouble::of("copying the server's rows", e))?;
        *self.copied.lock().unwrap_or_else(PoisonError::into_inner) = Some(copied.clone());
        Ok(copied.1)
    }

    async fn verify_at(&self, dir: &Path) -> Result<Verified, Trouble> {
        let store = {
            let (config, migrations) = (StoreConfig::sqlite(dir), instance::migrations());
            tokio::task::spawn_blocking(move || Store::inspect(config, &migrations))
                .await
                .map_err(|e| Trouble::of("opening the copy", e))?
                .map_err(|e| Trouble::of("opening the copy", e))?
        };
        let outcome = self.verify_store(&store).await;
        store.close();
        outcome
    }

    async fn verify_store(&self, store: &Store) -> Result<Verified, Trouble> {
        let root = RootSource::File(self.paths().root_key.clone());
        let keys = Keys::open(store.clone(), root, Arc::new(self.clock.clone()), self.instance.rng.clone()).await;
        let trust = commands::ledger::trust(&self.paths().checkpoints, None)
            .map_err(|e| Trouble::of("the checkpoints outside", e))?;
        let reports = sekisho_vault::log::verify_store(store, keys.ok(), None, trust)
            .await
            .map_err(trouble("verifying the copy"))?;
        Ok(summed(&reports.into_iter().map(|(_, r)| r).collect::<Vec<_>>()))
    }
}

/// A database of the rehearsal's own on the server that is lent, and the policy that names it.
async fn borrow(
    lender: Secret<String>,
    scratch: &Path,
    policy: Policy,
) -> Result<(sekisho_store::Scratch, Policy), Trouble> {
    let dir = scratch.to_owned();
    let server = tokio::task::spawn_blocking(move || sekisho_store::Scratch::new(&lender, &dir, &SystemRng))
        .await
        .map_err(|e| Trouble::of("making the database", e))?
        .map_err(|e| Trouble::of("making the database", e))?;
    let mut policy = policy.with(&settings::STORE_KIND, Value::Str("postgres".into()));
    for (setting, name, address) in [
        (&settings::STORE_SERVICE_URL_FILE, "database.service", server.service()),
        (&settings::STORE_OWNER_URL_FILE, "database.owner", server.owner()),
    ] {
        let file = scratch.join(name);
        commands::write_private(&file, address.reveal())
            .map_err(|e| Trouble::of("keeping the database's address", e))?;
        policy = policy.with(setting, Value::Str(file.display().to_string()));
    }
    Ok((server, policy))
}

fn is_copy(below: &Path) -> bool {
    below.iter().next().is_some_and(|first| first.to_string_lossy().starts_with(&format!("{COPY}-")))
}

/// What lies on the server's disk, and whether it could be read; what passed on the wire to it, in any case.
fn server_files(server: &sekisho_store::Scratch) -> Result<(Vec<RawFile>, bool), Trouble> {
    let passed = server.wire().into_iter().enumerate();
    let wire = passed.map(|(n, bytes)| RawFile { path: format!("wire/database-{n}").into(), bytes });
    match server.files() {
        Ok(files) => {
            let files = files.into_iter().map(|(path, bytes)| RawFile { path, bytes });
            Ok((files.chain(wire).collect(), true))
        }
        Err(StoreError::Refused(why)) => {
            tracing::warn!(why, "the lent role may not read the server's files: lend a superuser's");
            Ok((wire.collect(), false))
        }
        Err(other) => Err(Trouble::of("reading the server's files", other)),
    }
}

fn summed(reports: &[Report]) -> Verified {
    Verified {
        sound: !reports.is_empty() && reports.iter().all(|r| r.verdict() != Verdict::Tampered),
        anchored: reports.iter().all(|r| r.anchored.is_some()),
        findings: reports.iter().flat_map(|r| r.findings.iter().map(|f| f.text.en.to_string())).collect(),
    }
}

fn copy_dir(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_dir(&entry.path(), &to.join(entry.file_name()))?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn collect(dir: &Path, into: &mut Vec<RawFile>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), into)?;
        } else if kind.is_file() {
            into.push(RawFile { path: entry.path(), bytes: std::fs::read(entry.path())? });
        }
    }
    Ok(())
}

fn raw_value(row: &sekisho_store::Row, i: usize) -> RawValue {
    if let Ok(Some(n)) = row.opt_int(i) {
        RawValue::Int(n)
    } else if let Ok(Some(t)) = row.opt_text(i) {
        RawValue::Text(t.to_owned())
    } else if let Ok(Some(b)) = row.opt_blob(i) {
        RawValue::Blob(b.to_vec())
    } else {
        RawValue::Null
    }
}

#[async_trait]
impl Rehearsed for Rehearsal {
    fn canaries(&self) -> Vec<Canary> {
        self.canaries.clone()
    }
    fn policy(&self) -> Arc<Policy> {
        self.instance.policy()
    }
    fn listeners(&self) -> Vec<Listener> {
        [("https", true), ("http", false), ("forward-auth", false)]
            .map(|(name, tls)| Listener { name: name.into(), tls })
            .into()
    }
    async fn connect(&self, node: usize, listener: &str, peer: IpAddr) -> Result<Pin<Box<dyn Stream>>, Trouble> {
        let doors = self.doors.get(node).ok_or_else(|| Trouble(format!("there is no node {node}")))?;
        let door = match listener {
            "https" => &doors.https,
            "http" => &doors.http,
            "forward-auth" => &doors.forward_auth,
            other => return Err(Trouble(format!("no listener is called {other}"))),
        };
        let stream = door.connect(peer).await.map_err(|e| Trouble::of("connecting to the door", e))?;
        Ok(Box::pin(stream))
    }
    fn trust(&self) -> String {
        self.trust.clone()
    }
    fn now(&self) -> Time {
        sekisho_kernel::Clock::now(&self.clock)
    }
    async fn advance(&self, span: Duration) -> Result<(), Trouble> {
        let to = self.now().plus(span);
        let clock = self.clock.clone();
        self.instance.jobs.jump(to, move |at| clock.set(at)).await;
        Ok(())
    }
    async fn raw_files(&self) -> Result<Vec<RawFile>, Trouble> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let of_server = match server {
            None => None,
            Some(server) => Some(
                tokio::task::spawn_blocking(move || server_files(&server))
                    .await
                    .map_err(|e| Trouble::of("reading the server's files", e))??,
            ),
        };
        // A copy of the rows stands in for files that the lender's role may not read; the log of changes is then missed.
        let copies = self.laid_down().await?;
        let (root, config) = (self.scratch.0.clone(), StoreConfig::sqlite(&copies));
        let mut files = tokio::task::spawn_blocking(move || {
            // Database file and write-ahead log are both to be searched full.
            Raw::open(&config)
                .and_then(|raw| raw.write_back())
                .map_err(|e| Trouble::of("bringing the write-ahead log into the database file", e))?;
            let mut files = Vec::new();
            collect(&root, &mut files).map_err(|e| Trouble::of("reading raw storage", e))?;
            if let Some((of_server, whole)) = of_server {
                files.retain(|f| !whole || !is_copy(f.path.strip_prefix(&root).unwrap_or(&f.path)));
                files.extend(of_server);
            }
            Ok(files)
        })
        .await
        .map_err(|e| Trouble::of("reading raw storage", e))??;
        let output = self.console_output.lock().unwrap_or_else(PoisonError::into_inner).clone();
        files.push(RawFile { path: "command output".into(), bytes: output });
        Ok(files)
    }
    async fn raw_rows(&self, sql: &str) -> Result<Vec<Vec<RawValue>>, Trouble> {
        let (config, sql) = (StoreConfig::sqlite(self.laid_down().await?), sql.to_owned());
        tokio::task::spawn_blocking(move || {
            let rows = Raw::open(&config).and_then(|raw| raw.query(&sql)).map_err(|e| Trouble::of(&sql, e))?;
            Ok(rows.iter().map(|row| (0..row.len()).map(|i| raw_value(row, i)).collect()).collect())
        })
        .await
        .map_err(|e| Trouble::of("reading raw rows", e))?
    }
    async fn as_service_role(
        &self,
        tenant: Option<TenantId>,
        sql: &str,
    ) -> Result<Option<Result<u64, String>>, Trouble> {
        let (raw, sql) = (self.raw.clone(), sql.to_owned());
        let answer = tokio::task::spawn_blocking(move || raw.as_service(tenant.map(Reach::Tenant), &sql))
            .await
            .map_err(|e| Trouble::of("asking as the service's role", e))?;
        match answer {
            Ok(rows) => Ok(rows.map(Ok)),
            Err(StoreError::Refused(why)) => Ok(Some(Err(why))),
            Err(other) => Err(Trouble::of("asking as the service's role", other)),
        }
    }
    async fn remember(&self) -> Result<(), Trouble> {
        let copy = self.copy("remembered").await?;
        let checkpoints = copy.join("checkpoints.remembered");
        let _ = std::fs::copy(&self.paths().checkpoints, checkpoints);
        *self.remembered.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        Ok(())
    }
    async fn verify_copy(&self, tamper: Tamper) -> Result<Verified, Trouble> {
        let dir = match &tamper {
            Tamper::RollBack => {
                let kept = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).clone();
                kept.ok_or_else(|| Trouble("nothing was remembered to roll back to".into()))?
            }
            _ => self.copy("copy").await?,
        };
        let (statements, resign) = match tamper {
            Tamper::Sql(statements) => (statements, false),
            Tamper::Resign(statements) => (statements, true),
            Tamper::Nothing | Tamper::RollBack => (Vec::new(), false),
        };
        if !statements.is_empty() {
            let config = StoreConfig::sqlite(&dir);
            tokio::task::spawn_blocking(move || {
                let raw = Raw::open(&config).map_err(|e| Trouble::of("opening the copy", e))?;
                statements.iter().try_for_each(|s| raw.run(s).map_err(|e| Trouble::of(s, e)))
            })
            .await
            .map_err(|e| Trouble::of("changing the copy", e))??;
        }
        if resign {
            self.resign(&dir).await?;
        }
        self.verify_at(&dir).await
    }
    async fn verify_export(&self, export: &[u8]) -> Result<Verified, Trouble> {
        let trust = commands::ledger::trust(&self.paths().checkpoints, None)
            .map_err(|e| Trouble::of("the checkpoints outside", e))?;
        let report = sekisho_ledger::verify_export(export, &trust).map_err(trouble("verifying the download"))?;
        Ok(summed(&[report]))
    }
    async fn root_key(&self) -> Result<Secret<Vec<u8>>, Trouble> {
        let text = std::fs::read(&self.paths().root_key).map_err(|e| Trouble::of("reading the root key file", e))?;
        Ok(Secret::new(text))
    }
    async fn command(&self, args: &[&str]) -> Result<CommandOutcome, Trouble> {
        let line = std::iter::once("sekisho").chain(args.iter().copied());
        let outcome = match <crate::cli::Cli as clap::Parser>::try_parse_from(line) {
            Ok(cli) => match commands::host_words(&cli.command) {
                Some((_, words, _)) => commands::host::run(&self.instance, words, None).await,
                None => return Err(Trouble(format!("no instance runs `sekisho {}`", args.join(" ")))),
            },
            Err(wrong) => commands::refused(commands::WRONG, wrong.to_string()),
        };
        let mut output = self.console_output.lock().unwrap_or_else(PoisonError::into_inner);
        output.extend_from_slice(outcome.stdout.as_bytes());
        output.extend_from_slice(outcome.stderr.as_bytes());
        Ok(outcome)
    }
    async fn upstream_seen(&self) -> Result<Vec<Seen>, Trouble> {
        Ok(self.sample.received.take())
    }
    async fn stage_site(&self, site: Site) -> Result<(), Trouble> {
        self.sites.put(site)
    }
    async fn sites_seen(&self) -> Result<Vec<Seen>, Trouble> {
        Ok(self.sites.seen())
    }
    fn catalogue(&self) -> Vec<&'static RecordDef> {
        instance::catalogue()
    }
    fn process(&self) -> ProcessFacts {
        process::facts()
    }
    async fn break_ledger(&self, broken: bool) -> Result<(), Trouble> {
        let raw = self.raw.clone();
        let script = match (self.instance.config.kind(), broken) {
            (Kind::Sqlite, true) => {
                "CREATE TRIGGER ledger_broken BEFORE INSERT ON ledger_entry BEGIN SELECT RAISE(ABORT, 'the disk of the log is gone'); END;"
            }
            (Kind::Sqlite, false) => "DROP TRIGGER IF EXISTS ledger_broken;",
            (Kind::Postgres, true) => {
                "CREATE FUNCTION ledger_broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the disk of the log is gone'; END $$;
                 CREATE TRIGGER ledger_broken BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_broken();"
            }
            (Kind::Postgres, false) => {
                "DROP TRIGGER IF EXISTS ledger_broken ON ledger_entry; DROP FUNCTION IF EXISTS ledger_broken();"
            }
        };
        tokio::task::spawn_blocking(move || raw.run(script).map_err(|e| Trouble::of("breaking the log", e)))
            .await
            .map_err(|e| Trouble::of("breaking the log", e))?
    }
    async fn operator_sets(&self, key: &str, value: &serde_json::Value) -> Result<(), Trouble> {
        let policy = self.instance.policy();
        let setting = policy.schema().get(key).ok_or_else(|| Trouble(format!("there is no setting {key}")))?;
        let value = sekisho_kernel::policy::value_from_json(setting, value).map_err(trouble("reading the value"))?;
        self.instance.reload((*policy).clone().with(setting, value)).await.map_err(trouble("reading the policy again"))
    }
    async fn put_in_feed(&self, set: FeedSet) -> Result<(), Trouble> {
        let stranger = SigningKey::from_seed(&[7; 32]).map_err(trouble("making a stranger's key"))?;
        let key = match set.signer {
            FeedSigner::Own => Some(&self.publisher),
            FeedSigner::Stranger => Some(&stranger),
            FeedSigner::Nobody => None,
        };
        let files = [("rules/feed.conf", set.rules), ("tests/feed.yaml", set.tests)]
            .map(|(name, text)| (name.to_owned(), text.into_bytes()))
            .into();
        let bytes = archive::make("rehearsal", set.version, set.made, false, &files, key)
            .map_err(trouble("making the archive"))?;
        let name = format!("{}{}", hex::encode(rng::bytes::<6>(&*self.instance.rng)), archive::SUFFIX);
        std::fs::write(self.scratch.0.join("feed").join(name), bytes).map_err(|e| Trouble::of("writing to the feed", e))
    }
    async fn end(&self) {
        self.instance.store.close();
        // The server is left as it was lent.
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = tokio::task::spawn_blocking(move || drop(server)).await;
        let _ = std::fs::remove_dir_all(&self.scratch.0);
    }
}

/// The owner's own means against what keeps tenants apart in the database.
const LET_TENANTS_MEET: &str = "DO $$ DECLARE kept record; BEGIN
    FOR kept IN SELECT oid::regclass AS name FROM pg_class WHERE relrowsecurity LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', kept.name);
    END LOOP; END $$";

/// What the thief of the signing key does first: every entry that is still there becomes pending again, the tree goes.
const FORGET_TREE: &str = "
DROP TRIGGER IF EXISTS ledger_leaf_stays; DROP TRIGGER IF EXISTS ledger_leaf_kept;
DROP TRIGGER IF EXISTS ledger_checkpoint_stays; DROP TRIGGER IF EXISTS ledger_checkpoint_kept;
INSERT OR IGNORE INTO ledger_pending (log, id, commitment)
    SELECT l.log, l.id, l.commitment FROM ledger_leaf l JOIN ledger_entry e ON e.log = l.log AND e.id = l.id;
DELETE FROM ledger_leaf; DELETE FROM ledger_tile; DELETE FROM ledger_head; DELETE FROM ledger_checkpoint;
";

impl Rehearsal {
    /// Computes the tree of a changed copy anew and signs it with the real key, as its thief would.
    async fn resign(&self, dir: &Path) -> Result<(), Trouble> {
        let raw = StoreConfig::sqlite(dir);
        tokio::task::spawn_blocking(move || Raw::open(&raw).and_then(|raw| raw.run(FORGET_TREE)))
            .await
            .map_err(|e| Trouble::of("tearing the tree down", e))?
            .map_err(|e| Trouble::of("tearing the tree down", e))?;
        let (config, migrations) = (StoreConfig::sqlite(dir), instance::migrations());
        let store = tokio::task::spawn_blocking(move || Store::open(config, &migrations))
            .await
            .map_err(|e| Trouble::of("opening the copy", e))?
            .map_err(|e| Trouble::of("opening the copy", e))?;
        let root = RootSource::File(self.paths().root_key.clone());
        let outcome = async {
            let keys = Keys::open(store.clone(), root, Arc::new(self.clock.clone()), self.instance.rng.clone())
                .await
                .map_err(trouble("opening the copy's keys"))?;
            sekisho_vault::log::sequence_copy(&store, &keys).await.map_err(trouble("signing the copy anew"))
        }
        .await;
        store.close();
        outcome
    }
}
