//! A data directory made by `sekisho init`, and the real `sekisho serve` over it.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use sekisho_kernel::{
    Policy, Schema, SystemClock, SystemRng,
    claim::Trouble,
    time::SharedClock,
    world::{Answer, Ask, World},
};
use sekisho_prober::live::{Doors, LiveWorld};
use sekisho_store::{Kind, postgres_script};
use sekisho_testkit::Database;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The password of whoever signs in.
pub const PASSWORD: &str = "Kansuiro-no-Banya-1601";
/// Host name of the first organisation's console.
pub const CONSOLE: &str = "acme.console.localhost";
/// Host name of its application.
pub const APP: &str = "acme.app.localhost";

/// Where an instance's files are, and the database that is not among them.
pub struct Place {
    /// The data directory; what stands beside it stands beside it here too.
    pub data: PathBuf,
    /// Given to every process: the clock of an earlier day, for one.
    pub environment: Vec<(String, String)>,
    _dir: TempDir,
    database: Option<Database>,
}

/// What belongs to an instance and stands beside its data directory.
const BESIDE: [&str; 2] = [".root-key", ".checkpoints"];

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("a file");
        let lasting = !entry.file_name().to_string_lossy().ends_with(".lock");
        if lasting && entry.file_type().expect("its type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("it can be copied");
        }
    }
}

/// The clock by which the test judges certificates, and the policy that nobody asks.
fn world(https: SocketAddr, authority: &str, clock: SharedClock) -> LiveWorld {
    let policy = Arc::new(Policy::defaults(&Schema::new(sekisho_controls::settings())));
    let doors = Doors { https, http: None };
    LiveWorld::new(doors, authority, Vec::new(), policy, clock, Arc::new(SystemRng)).expect("the door's authority")
}

impl Place {
    /// An empty one whose policy names the kind of database. `None` where PostgreSQL is not installed.
    pub fn new(kind: Kind) -> Option<Self> {
        let database = match kind {
            Kind::Sqlite => None,
            Kind::Postgres => Some(sekisho_testkit::pg()?.database(&[], |_| {})),
        };
        let dir = tempfile::tempdir().expect("a directory");
        let data = dir.path().join("data");
        std::fs::create_dir(&data).expect("the data directory");
        let place = Self { data, environment: Vec::new(), _dir: dir, database };
        place.write_addresses();
        place.write_policy();
        Some(place)
    }

    /// What an earlier version left in `from`: its data directory, what stood beside it, and its dump. `None` where
    /// PostgreSQL is needed and not installed.
    pub fn restore(kind: Kind, from: &Path) -> Option<Self> {
        let place = Self::new(kind)?;
        copy(&from.join("data"), &place.data);
        for suffix in BESIDE {
            std::fs::copy(from.join(format!("data{suffix}")), place.beside(suffix)).expect("it can be copied");
        }
        let key = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(place.beside(".root-key"), key).expect("the root key's mode");
        if let Some(database) = &place.database {
            let dump = std::fs::read_to_string(from.join("dump.sql")).expect("the dump");
            postgres_script(&database.address(), &dump).expect("it can be restored");
        }
        Some(place)
    }

    /// Where a server holds the data: whether every table with a tenant in each row is kept apart by the database itself.
    pub fn is_kept_apart(&self) -> bool {
        const BARE: &str = "DO $$ BEGIN IF EXISTS (
            SELECT FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('tenant', 'log')
            WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity
                AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)))
            THEN RAISE EXCEPTION 'a table is open'; END IF; END $$";
        self.database.as_ref().is_none_or(|database| postgres_script(&database.address(), BARE).is_ok())
    }

    /// Keeps a stopped instance in `to`, for later versions to open.
    pub fn keep(&self, to: &Path) {
        std::fs::create_dir_all(to.join("data")).expect("a directory");
        copy(&self.data, &to.join("data"));
        for suffix in BESIDE {
            std::fs::copy(self.beside(suffix), to.join(format!("data{suffix}"))).expect("it can be copied");
        }
        if let Some(database) = &self.database {
            std::fs::write(to.join("dump.sql"), database.dump()).expect("the dump");
        }
    }

    /// The roles' addresses, beside the data directory.
    fn write_addresses(&self) {
        let Some(database) = &self.database else { return };
        for (suffix, address) in [(".service", database.service()), (".owner", database.owner())] {
            std::fs::write(self.beside(suffix), address).expect("an address");
        }
    }

    /// Any free port, and this place's own database. The addresses of its roles are found from wherever the policy is.
    fn write_policy(&self) {
        let store = match self.database {
            None => "",
            Some(_) => {
                "\n[store]\nkind = \"postgres\"\nservice_url_file = \"../data.service\"\nowner_url_file = \"../data.owner\"\n"
            }
        };
        let text = format!(
            "name = \"acme\"\nextends = \"netmeister\"\n\n[listen]\nhttps = [\"127.0.0.1:0\"]\n\n[door]\nupstream = \"http://127.0.0.1:9\"\n{store}"
        );
        std::fs::write(self.data.join("policy.toml"), text).expect("the policy");
    }

    /// A file beside the data directory.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        self.data.with_file_name(format!("data{suffix}"))
    }

    /// A command over this place.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
        command.args(["--lang", "en"]).args(words).arg("--data").arg(&self.data);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What a command that succeeds says.
    pub fn run(&self, words: &[&str]) -> String {
        let done = self.command(words).output().expect("it starts");
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "sekisho {}: {}\n{out}\n{err}", words.join(" "), done.status);
        out.into_owned()
    }

    /// `sekisho init`: the first administrator's link's token, and the log's verifier key.
    pub fn init(&self) -> (String, String) {
        let said = self.run(&["init", "--tenant", "Acme K.K.", "--console-host", CONSOLE, "--app-host", APP]);
        let link = said.lines().find_map(|line| line.split_once("/link#")).expect("a link").1.to_owned();
        let key = said.lines().find_map(|line| line.strip_prefix("log verifier key: ")).expect("a key").to_owned();
        (link, key)
    }

    /// `sekisho ledger verify`: `intact`, `unproven` or `tampered` for each log, and everything it said.
    pub fn verify(&self, key: &str, anchor: Option<&Path>) -> (Vec<String>, String) {
        let mut command = self.command(&["ledger", "verify", "--json", "--key", key]);
        if let Some(anchor) = anchor {
            command.arg("--anchor").arg(anchor);
        }
        let done = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let reports: Value = serde_json::from_str(&said)
            .unwrap_or_else(|e| panic!("{e}: {said}\n{}", String::from_utf8_lossy(&done.stderr)));
        let verdicts = reports.as_array().expect("one report for each log").iter();
        (verdicts.map(|r| r["verdict"].as_str().expect("a verdict").to_owned()).collect(), said)
    }

    /// Starts `sekisho serve`, without waiting for anything.
    pub fn spawn(&self) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.beside(".log")).expect("the log");
        self.command(&["serve"]).stdout(Stdio::piped()).stderr(log).spawn().expect("it starts")
    }

    /// Starts `sekisho serve` and waits for its door.
    pub fn serve(&self, clock: SharedClock) -> Served {
        let mut child = self.spawn();
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address =
            lines.by_ref().map_while(Result::ok).find_map(|line| line.strip_prefix("https ").map(str::to_owned));
        let Some(address) = address else {
            let _ = child.wait();
            let log = std::fs::read_to_string(self.beside(".log")).unwrap_or_default();
            panic!("it does not serve: {log}");
        };
        let authority = std::fs::read_to_string(self.data.join("authority.pem")).expect("the door's authority");
        let world = world(address.parse().expect("an address"), &authority, clock);
        Served { child, world }
    }

    /// [`Place::serve`] by today's clock.
    pub fn serve_now(&self) -> Served {
        self.serve(Arc::new(SystemClock))
    }
}

/// A serving process. Killed, with SIGKILL, when this value goes.
pub struct Served {
    child: Child,
    world: LiveWorld,
}

impl Served {
    /// Sends one request.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Trouble> {
        self.world.send(ask).await
    }

    /// Sets the first administrator's password by the link of `init`.
    pub async fn use_link(&self, link: &str) {
        let body = json!({ "token": link, "password": PASSWORD });
        self.done(Ask::new("POST", CONSOLE, "/api/v1/links/use").json(&body)).await;
    }

    /// Signs somebody in; the session's token.
    pub async fn sign_in(&self, name: &str) -> String {
        let body = json!({ "name": name, "password": PASSWORD });
        let step = self.done(Ask::new("POST", CONSOLE, "/api/v1/sign-in").json(&body)).await;
        step["token"].as_str().expect("signed in").to_owned()
    }

    /// Signs somebody in who gives a code too.
    pub async fn sign_in_with(&self, name: &str, code: &str) -> String {
        let body = json!({ "name": name, "password": PASSWORD });
        let step = self.done(Ask::new("POST", CONSOLE, "/api/v1/sign-in").json(&body)).await;
        let body = json!({ "challenge": step["challenge"], "code": code });
        let step = self.done(Ask::new("POST", CONSOLE, "/api/v1/sign-in/factor").json(&body)).await;
        step["token"].as_str().expect("signed in").to_owned()
    }

    /// A request that succeeds; what it gives.
    pub async fn done(&self, ask: Ask) -> Value {
        let what = format!("{} {}", ask.method, ask.path);
        let answer = self.ask(ask).await.expect("an answer");
        assert!((200..300).contains(&answer.status), "{what}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// A read that succeeds.
    pub async fn read(&self, token: &str, path: &str) -> Value {
        self.done(signed("GET", path, token)).await
    }

    /// Everything of a list, page by page; `items` names the list's field.
    pub async fn all(&self, token: &str, path: &str, items: &str) -> Vec<Value> {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.read(token, &format!("{path}{mark}limit=200{after}")).await;
            found.extend(page[items].as_array().expect("a list").iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return found,
            }
        }
    }

    /// SIGKILL, without waiting for its end: for whoever is talking to it still.
    pub fn kill_now(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("SIGKILL");
    }

    /// SIGKILL. What it was doing is not finished.
    pub fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("gone");
    }

    /// SIGTERM; the exit code.
    pub async fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("SIGTERM");
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().expect("its state") {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not stop");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request of a session, below `/api/v1`.
pub fn signed(method: &str, path: &str, token: &str) -> Ask {
    Ask::new(method, CONSOLE, &format!("/api/v1{path}")).header("authorization", format!("Bearer {token}"))
}
