//! The store as the rooms above see it.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use sekisho_kernel::Time;
use tokio::sync::{broadcast, oneshot};

use crate::{
    config::{Kind, Place, StoreConfig},
    error::StoreError,
    faults::FaultPoint,
    hub::Hub,
    job::{Job, ReadOnly, Write},
    migrate::{self, Migration},
    postgres,
    queue::Queue,
    reach::{Reach, Within},
    schema::{self, Table},
    sql::{Notice, Read, Sql},
    sqlite,
};

/// Most transactions that wait in line, of each sort.
const LINE: usize = 4_096;

/// What callers put jobs into and database threads take them from.
pub(crate) struct Lines {
    pub(crate) writes: Queue<Box<dyn Write>>,
    pub(crate) reads: Queue<Box<dyn ReadOnly>>,
    pub(crate) hub: Hub,
    pub(crate) faults: FaultPoint,
}

enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

struct Inner {
    kind: Kind,
    lines: Arc<Lines>,
    engine: Mutex<Engine>,
    /// PostgreSQL's heartbeat.
    contact: Option<Arc<postgres::Contact>>,
    read_only: bool,
    /// SQLite's file.
    file: Option<std::path::PathBuf>,
}

/// An open store. Clones share it; it closes when the last one goes or with [`Store::close`].
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl Store {
    /// Opens the store and brings its schema up to `migrations` (in any order, of all crates).
    ///
    /// Blocks: call it before serving.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has the data directory, [`StoreError::Newer`] and
    /// [`StoreError::Differs`] when the schema is not of this binary's line, or whatever opening meets.
    pub fn open(config: StoreConfig, migrations: &[Migration]) -> Result<Self, StoreError> {
        let all = migrate::plan(migrations)?;
        let lines = Arc::new(Lines::new(config.faults.clone()));
        match &config.place {
            Place::Sqlite { dir } => {
                let lock = sqlite::lock(dir)?;
                let mut conn = sqlite::open_writer(dir)?;
                migrate::run(&mut conn, &all)?;
                Self::sqlite(dir, lines, Some((conn, lock)), config.readers)
            }
            Place::Postgres { service, owner, ca } => {
                let service = postgres::Endpoint::new(service, ca.as_deref())?;
                let owner = owner.as_ref().map(|o| postgres::Endpoint::new(o, ca.as_deref())).transpose()?;
                postgres::migrate(owner.as_ref().unwrap_or(&service), &service, &all)?;
                Self::postgres(&service, lines, &config, false)
            }
        }
    }

    /// Opens the store to read only, beside a process that serves it or on a copy of it. No lock is taken and no
    /// migration run; every write answers [`StoreError::Refused`].
    ///
    /// # Errors
    /// As [`Store::open`], but for [`StoreError::Locked`]; [`StoreError::Config`] when migrations are missing.
    pub fn inspect(config: StoreConfig, migrations: &[Migration]) -> Result<Self, StoreError> {
        let all = migrate::plan(migrations)?;
        let lines = Arc::new(Lines::new(FaultPoint::default()));
        let (store, applied) = match &config.place {
            Place::Sqlite { dir } => {
                let applied = sqlite::applied(dir)?;
                (Self::sqlite(dir, lines, None, config.readers)?, applied)
            }
            Place::Postgres { service, ca, .. } => {
                let service = postgres::Endpoint::new(service, ca.as_deref())?;
                let applied = postgres::applied(&service)?;
                (Self::postgres(&service, lines, &config, true)?, applied)
            }
        };
        match migrate::pending(&all, &applied)?.first() {
            None => Ok(store),
            Some(missing) => {
                let (number, name) = (missing.number, missing.name);
                Err(StoreError::Config(format!("migration {number} ({name}) has not been applied to this database")))
            }
        }
    }

    fn sqlite(
        dir: &Path,
        lines: Arc<Lines>,
        writer: Option<(rusqlite::Connection, std::fs::File)>,
        readers: usize,
    ) -> Result<Self, StoreError> {
        let read_only = writer.is_none();
        let path = dir.join(sqlite::FILE);
        let engine = sqlite::Engine::start(&path, &lines, writer, readers)?;
        Ok(Self(Arc::new(Inner {
            kind: Kind::Sqlite,
            lines,
            engine: Mutex::new(Engine::Sqlite(engine)),
            contact: None,
            read_only,
            file: Some(path),
        })))
    }

    fn postgres(
        service: &postgres::Endpoint,
        lines: Arc<Lines>,
        config: &StoreConfig,
        read_only: bool,
    ) -> Result<Self, StoreError> {
        let engine = postgres::Engine::start(service, &lines, config.writers, config.readers)?;
        Ok(Self(Arc::new(Inner {
            kind: Kind::Postgres,
            lines,
            contact: Some(engine.contact()),
            engine: Mutex::new(Engine::Postgres(engine)),
            read_only,
            file: None,
        })))
    }

    /// Runs `work` as one transaction on a database thread and answers after its physical commit.
    ///
    /// `Ok` from `work` commits, `Err` or a panic takes back what it wrote and nothing else. Concurrent calls may
    /// share one physical commit; if that fails, each of them gets the error and nothing of theirs stands. Dropping
    /// the future does not stop a transaction already in line. `work` must not wait for anything but the database.
    ///
    /// It reaches no tenant's rows: see [`Store::within`].
    ///
    /// # Errors
    /// Whatever `work` returns, or a [`StoreError`].
    pub fn write<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&mut dyn Sql) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_within(Reach::Nobody, true, work)
    }

    /// The store for transactions that reach somebody's rows.
    pub fn within(&self, reach: Reach) -> Within {
        Within { store: self.clone(), reach }
    }

    pub(crate) fn write_within<T, E, F>(
        &self,
        reach: Reach,
        single: bool,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&mut dyn Sql) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let inner = self.0.clone();
        async move {
            inner.may_write()?;
            let (mut job, answer) = Job::new(reach, work);
            job.single = single;
            inner.lines.writes.push(job).await?;
            received(answer.await)
        }
    }

    /// Runs `work` against one consistent state of the database, without holding writers up. It reaches no tenant's rows:
    /// see [`Store::within`].
    ///
    /// # Errors
    /// Whatever `work` returns, or a [`StoreError`].
    pub fn read<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&mut dyn Read) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.read_within(Reach::Nobody, work)
    }

    pub(crate) fn read_within<T, E, F>(
        &self,
        reach: Reach,
        work: F,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        F: FnOnce(&mut dyn Read) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let inner = self.0.clone();
        async move {
            let (job, answer) = Job::new(reach, work);
            inner.lines.reads.push(job).await?;
            received(answer.await)
        }
    }

    /// [`Store::write`] for threads outside of any async runtime, such as the command line's.
    ///
    /// # Errors
    /// As [`Store::write`].
    ///
    /// # Panics
    /// When called from within an async task.
    pub fn write_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Sql) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.0.may_write()?;
        let (job, answer) = Job::new(Reach::Nobody, work);
        self.0.lines.writes.push_blocking(job)?;
        received(answer.blocking_recv())
    }

    /// [`Store::read`] for threads outside of any async runtime.
    ///
    /// # Errors
    /// As [`Store::read`].
    ///
    /// # Panics
    /// When called from within an async task.
    pub fn read_blocking<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Read) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = Job::new(Reach::Nobody, work);
        self.0.lines.reads.push_blocking(job)?;
        received(answer.blocking_recv())
    }

    /// Which database it is. For words to people; no code above should need to branch on it.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Notices of all nodes' committed transactions from now on. A subscriber that lags behind by 1,024 is told so
    /// by the channel and must then act as on [`crate::RESYNC`].
    pub fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.0.lines.hub.subscribe()
    }

    /// Calls `hook` for every notice, for one's own before the writer is answered. It runs on a database thread and
    /// must be quick and write nothing.
    pub fn on_notice(&self, hook: impl Fn(&Notice) + Send + Sync + 'static) {
        self.0.lines.hub.hook(Box::new(hook));
    }

    /// Whether notices of other nodes reach this one: its own heartbeat, sent every 200 ms, was sent less than
    /// 500 ms ago and came back. While not, whatever is cached must be asked of the database at every request.
    /// Always true on SQLite.
    pub fn in_contact(&self) -> bool {
        self.0.contact.as_ref().is_none_or(|contact| contact.is_kept())
    }

    /// The database server's clock; `None` on SQLite, which shares this process's.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn database_now(&self) -> Result<Option<Time>, StoreError> {
        match self.0.kind {
            Kind::Sqlite => Ok(None),
            Kind::Postgres => {
                let sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
                let now = self.read(move |db| number(db, sql)).await?;
                Ok(Some(Time::from_micros(now)))
            }
        }
    }

    /// The value marked under `key` in the store's own `meta` table.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn mark(&self, key: &str) -> Result<Option<String>, StoreError> {
        let key = key.to_owned();
        self.read(move |db| {
            let row = db.query_opt("SELECT value FROM meta WHERE key = $1", &[(&key).into()])?;
            row.map(|r| r.text(0).map(str::to_owned)).transpose()
        })
        .await
    }

    /// Marks `value` under `key`, in place of an earlier one.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn set_mark(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let (key, value) = (key.to_owned(), value.to_owned());
        self.write(move |db| {
            db.exec(
                "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                &[(&key).into(), (&value).into()],
            )
            .map(drop)
        })
        .await
    }

    /// Prepares each of `statements` on the live schema, without running any. Tests call it with every statement of a
    /// crate, on both databases.
    ///
    /// # Errors
    /// The first text that this database does not understand, in a [`StoreError::Bug`].
    pub async fn prepare(&self, statements: &[&str]) -> Result<(), StoreError> {
        let statements: Vec<String> = statements.iter().map(|&s| s.to_owned()).collect();
        self.read(move |db| statements.iter().try_for_each(|sql| db.prepare(sql))).await
    }

    /// The live schema, by table name; the store's own tables included.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn schema(&self) -> Result<Vec<Table>, StoreError> {
        let kind = self.0.kind;
        self.read(move |db| schema::list(kind, db)).await
    }

    /// Bytes that the database takes: SQLite's file and write-ahead log, PostgreSQL's whole database.
    ///
    /// # Errors
    /// Any [`StoreError`].
    pub async fn size(&self) -> Result<u64, StoreError> {
        match &self.0.file {
            Some(path) => sqlite::size(path),
            None => {
                let bytes = self.read(|db| number(db, "SELECT pg_database_size(current_database())")).await?;
                Ok(u64::try_from(bytes).unwrap_or(0))
            }
        }
    }

    /// Empties SQLite's write-ahead log into the file, so that what was deleted is gone from the disk. Nothing to do
    /// on PostgreSQL, whose log is the server's own.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when readers hold the log for 2 s.
    pub async fn checkpoint_wal(&self) -> Result<(), StoreError> {
        let Some(path) = self.0.file.clone() else { return Ok(()) };
        tokio::task::spawn_blocking(move || sqlite::checkpoint(&path))
            .await
            .unwrap_or_else(|e| Err(StoreError::Bug(e.to_string())))
    }

    /// How many transactions wait in line: writing, reading.
    pub fn waiting(&self) -> (usize, usize) {
        (self.0.lines.writes.len(), self.0.lines.reads.len())
    }

    /// Serves who is in line, lets nobody in any more, and gives the database back. Blocks for that long.
    pub fn close(&self) {
        match &mut *self.0.engine.lock().unwrap_or_else(PoisonError::into_inner) {
            Engine::Sqlite(engine) => engine.stop(),
            Engine::Postgres(engine) => engine.stop(),
        }
    }
}

impl Inner {
    fn may_write(&self) -> Result<(), StoreError> {
        if self.read_only { Err(StoreError::Refused("this store was opened to read only".into())) } else { Ok(()) }
    }
}

impl Lines {
    fn new(faults: FaultPoint) -> Self {
        Self { writes: Queue::new(LINE), reads: Queue::new(LINE), hub: Hub::new(), faults }
    }

    /// Starts a database thread. Closures' panics are caught one by one; should a thread itself panic, the store
    /// closes rather than leave callers waiting for good.
    pub(crate) fn thread(
        self: &Arc<Self>,
        name: &'static str,
        run: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, StoreError> {
        let lines = self.clone();
        let guarded = move || {
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                tracing::error!(name, "a database thread panicked; the store is closed");
                lines.writes.abandon();
                lines.reads.abandon();
            }
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(guarded);
        thread.map_err(|e| StoreError::Io(format!("thread: {e}")))
    }
}

/// The one number that `sql` answers.
fn number(db: &mut dyn Read, sql: &str) -> Result<i64, StoreError> {
    db.query_opt(sql, &[])?.ok_or_else(|| StoreError::Bug(format!("no row: {sql}")))?.int(0)
}

fn received<T, E: From<StoreError>>(answer: Result<Result<T, E>, oneshot::error::RecvError>) -> Result<T, E> {
    answer.unwrap_or_else(|_| Err(StoreError::Closed.into()))
}
