//! A PostgreSQL cluster for tests, from the system's binaries, gone with the process that started it.

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::{
        fs::{OpenOptionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sekisho_store::{Migration, postgres_script};

/// Names the superuser's address (key=value text) of a cluster that is running already.
pub const ENV: &str = "SEKISHO_TEST_PG";

const OWNER: &str = "sekisho_owner";
const SERVICE: &str = "sekisho_service";

/// A running cluster, started here or found through [`ENV`].
pub struct Cluster {
    address: String,
    /// Its end closes the pipe that keeps the server alive.
    _server: Option<Child>,
}

/// A database of one test's own; dropped with this value.
pub struct Database {
    cluster: &'static Cluster,
    name: String,
}

/// The cluster of this process. `None`, with the reason printed, when PostgreSQL is not installed; with `CI=true` that
/// is a failure instead.
pub fn pg() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    match CLUSTER.get_or_init(Cluster::find) {
        Ok(cluster) => Some(cluster),
        Err(why) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("PostgreSQL tests cannot run: {why}"),
        Err(why) => {
            eprintln!("PostgreSQL tests skipped: {why}");
            None
        }
    }
}

impl Cluster {
    fn find() -> Result<Self, String> {
        let cluster = match std::env::var(ENV) {
            Ok(address) if !address.is_empty() => Self { address, _server: None },
            _ => Self::start()?,
        };
        // Two test processes may meet here; roles belong to the whole cluster.
        let roles = format!(
            "DO $$ BEGIN
                 PERFORM pg_advisory_xact_lock(1);
                 IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN
                     CREATE ROLE {OWNER} LOGIN; CREATE ROLE {SERVICE} LOGIN;
                 END IF;
             END $$;"
        );
        postgres_script(&cluster.address, &roles).map_err(|e| e.to_string())?;
        Ok(cluster)
    }

    /// Makes and starts a cluster that ends with this process, however it ends.
    ///
    /// # Errors
    /// The reason, in words, when PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self, String> {
        Self::start_in(&[], &[])
    }

    /// [`Cluster::start`], with every commit on the disk before it is answered: for whoever measures, since tests need no disk.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_durable() -> Result<Self, String> {
        let settings = ["fsync=on", "synchronous_commit=on", "full_page_writes=on"].map(str::to_owned);
        Self::start_in(&settings, &[])
    }

    /// The directory of its socket.
    pub fn sockets(&self) -> &str {
        let host = self.address.split_whitespace().find_map(|part| part.strip_prefix("host="));
        host.unwrap_or_default()
    }

    /// [`Cluster::start`], also reached by TLS on a free port of 127.0.0.1, with this certificate and key (PEM). Gives
    /// the port too.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_tls(certificate: &str, key: &str) -> Result<(Self, u16), String> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let port = free.map_err(|e| e.to_string())?.port();
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "ssl=on".to_owned(),
            "ssl_cert_file=../tls.crt".to_owned(),
            "ssl_key_file=../tls.key".to_owned(),
        ];
        let cluster = Self::start_in(&settings, &[("tls.crt", certificate), ("tls.key", key)])?;
        Ok((cluster, port))
    }

    fn start_in(settings: &[String], files: &[(&str, &str)]) -> Result<Self, String> {
        let bin = binaries().ok_or("no PostgreSQL under /usr/lib/postgresql (apt-get install postgresql)")?;
        let dir = tempfile::Builder::new().prefix("sekisho-pg-").tempdir().map_err(|e| e.to_string())?.keep();
        let mut server = Command::new("/bin/sh");
        server.args(["-c", SCRIPT, "sh"]).arg(&bin).arg(&dir).stdin(Stdio::piped()).current_dir("/");
        server.stdout(Stdio::null()).stderr(Stdio::null());
        server.args(settings.iter().flat_map(|s| ["-c", s]));
        for (name, content) in files {
            let mut file = std::fs::OpenOptions::new();
            let file = file.write(true).create_new(true).mode(0o600).open(dir.join(name));
            file.and_then(|mut f| f.write_all(content.as_bytes())).map_err(|e| e.to_string())?;
        }
        // PostgreSQL refuses to run as root.
        if let Some((uid, gid)) = other_user(&dir)? {
            for name in files.iter().map(|(name, _)| dir.join(name)).chain([dir.clone()]) {
                chown(name, Some(uid), Some(gid)).map_err(|e| e.to_string())?;
            }
            server.uid(uid).gid(gid);
        }
        let server = server.spawn().map_err(|e| e.to_string())?;
        let port = settings.iter().find(|s| s.starts_with("port=")).map_or("", String::as_str);
        let address = format!("host={} user=postgres dbname=postgres {port}", dir.display());
        let mut last = String::new();
        for _ in 0..600 {
            match postgres_script(&address, "SELECT 1") {
                Ok(()) => return Ok(Self { address, _server: Some(server) }),
                Err(error) => last = error.to_string(),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        Err(format!("PostgreSQL does not start: {last}\n{log}"))
    }

    /// The superuser's address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A fresh database, migrated. `migrate` runs once for each set of `migrations` and process, on a database that
    /// the others are copied from; it must leave no connection open.
    pub fn database(&'static self, migrations: &[Migration], migrate: impl FnOnce(&Database)) -> Database {
        static TEMPLATES: Mutex<BTreeMap<Vec<[u8; 32]>, Database>> = Mutex::new(BTreeMap::new());
        let set: Vec<_> = migrations.iter().map(Migration::digest).collect();
        let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
        let template = templates.entry(set).or_insert_with(|| {
            let database = self.copy("template0");
            migrate(&database);
            database
        });
        self.copy(&template.name)
    }

    fn copy(&'static self, template: &str) -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let sql = format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}");
        postgres_script(&self.address, &sql).unwrap();
        Database { cluster: self, name }
    }
}

impl Database {
    /// The superuser's address of this database.
    pub fn address(&self) -> String {
        format!("{} dbname={}", self.cluster.address, self.name)
    }
    /// The address of the role that owns the tables.
    pub fn owner(&self) -> String {
        format!("{} user={OWNER}", self.address())
    }
    /// The address of the role that serves.
    pub fn service(&self) -> String {
        format!("{} user={SERVICE}", self.address())
    }
    /// Everything in it as SQL, with owners and grants, for [`sekisho_store::postgres_script`] on an empty database of
    /// any later PostgreSQL.
    pub fn dump(&self) -> String {
        let bin = binaries().expect("a running cluster's programs");
        let mut dump = Command::new(bin.join("pg_dump"));
        dump.args(["--inserts", "--rows-per-insert=50", "--dbname"]).arg(self.address());
        let done = dump.output().expect("pg_dump starts");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let text = String::from_utf8(done.stdout).expect("a dump in UTF-8");
        // Commands of psql, settings that another version does not know, and what only says which version wrote it.
        let kept = text.lines().filter(|line| !["\\", "SET ", "--"].iter().any(|start| line.starts_with(start)));
        kept.fold(String::new(), |dump, line| dump + line + "\n")
    }
    /// Ends all connections to this database, as a failing network or a restarted server would.
    pub fn cut(&self) {
        let name = &self.name;
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        postgres_script(&self.cluster.address, &sql).unwrap();
    }
    /// Lets nobody connect any more (and ends who is), or lets them again.
    pub fn allow(&self, connections: bool) {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {connections}", self.name);
        postgres_script(&self.cluster.address, &sql).unwrap();
        if !connections {
            self.cut();
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        if let Err(error) = postgres_script(&self.cluster.address, &sql) {
            eprintln!("{}: {error}", self.name);
        }
    }
}

/// Runs as the server's user; ends when its standard input does, that is, with the process that holds the pipe.
const SCRIPT: &str = r#"
bin=$1 dir=$2
shift 2
"$bin/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C --locale-provider=icu --icu-locale=en \
    --auth=trust --no-sync --no-instructions >"$dir/log" 2>&1 || exit 1
"$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=300 -c shared_buffers=64MB -c max_wal_size=256MB -c autovacuum=off "$@" >>"$dir/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$dir/data" "$dir"/log "$dir"/tls.* "$dir"/.s.*
rmdir "$dir"
"#;

/// The newest installed version's programs.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let newest = versions.filter_map(|v| v.file_name().to_str()?.parse::<u32>().ok()).max()?;
    let bin = Path::new("/usr/lib/postgresql").join(newest.to_string()).join("bin");
    bin.join("initdb").exists().then_some(bin)
}

/// For root, who owns `dir`: another user to run as.
fn other_user(dir: &Path) -> Result<Option<(u32, u32)>, String> {
    use std::os::unix::fs::MetadataExt;
    let mine = std::fs::metadata(dir).map_err(|e| e.to_string())?.uid();
    if mine != 0 {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd").map_err(|e| e.to_string())?;
    let find = |name: &str| {
        let line = passwd.lines().find(|l| l.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let (uid, gid) = find("postgres").or_else(|| find("nobody")).ok_or("no user but root to run PostgreSQL as")?;
    Ok(Some((uid, gid)))
}

/// Starts a cluster, runs `command` with [`ENV`] naming it, and gives back its exit code. What `./test` wraps around
/// the tests, so that all their processes share one cluster.
///
/// # Errors
/// The reason, in words.
pub fn with_cluster(command: &[String]) -> Result<i32, String> {
    let (program, arguments) = command.split_first().ok_or("usage: with-postgres COMMAND [ARGUMENT]…")?;
    let mut child = Command::new(program);
    child.args(arguments);
    let cluster = match binaries() {
        Some(_) => Some(Cluster::start()?),
        None => None,
    };
    match &cluster {
        Some(cluster) => drop(child.env(ENV, &cluster.address)),
        None => writeln!(std::io::stderr(), "PostgreSQL is not installed; its tests will be skipped").unwrap_or(()),
    }
    let status = child.status().map_err(|e| format!("{program}: {e}"))?;
    drop(cluster);
    Ok(status.code().unwrap_or(1))
}
