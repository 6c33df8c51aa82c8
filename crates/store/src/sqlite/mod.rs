//! The embedded store: one SQLite file, one thread that writes, a few that read.

mod checkpoint;
pub(crate) mod conn;
mod migrate;
mod writer;

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use self::conn::{Role, Statements};
use crate::{
    error::StoreError,
    job::ReadOnly,
    reach::Reach,
    sql::Read,
    store::Lines,
    value::{Param, Row},
};

/// The database's file name in the data directory.
pub(crate) const FILE: &str = "sekisho.db";
/// The lock's file name in the data directory.
const LOCK: &str = "sekisho.lock";

/// What the threads share.
pub(crate) struct Shared {
    path: PathBuf,
    lines: Arc<Lines>,
}

/// The running threads.
pub(crate) struct Engine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Makes the data directory (0700) if needed and takes its exclusive lock, which the operating system gives back
/// when the file is closed, whatever becomes of the process.
pub(crate) fn lock(dir: &Path) -> Result<File, StoreError> {
    let io = |e: std::io::Error| StoreError::Io(format!("{}: {e}", dir.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io)?;
    let file = private(&dir.join(LOCK)).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(dir.to_owned())),
        Err(TryLockError::Error(e)) => Err(io(e)),
    }
}

/// Opens the database file for writing, making it (0600) if needed. SQLite gives its companions the same mode.
pub(crate) fn open_writer(dir: &Path) -> Result<Connection, StoreError> {
    let path = dir.join(FILE);
    private(&path).map_err(|e| StoreError::Io(format!("{}: {e}", path.display())))?;
    conn::open(&path, Role::Writer)
}

fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

impl Engine {
    /// Starts the threads; `writer` comes migrated, with the lock it holds. Without it nothing can be written.
    pub(crate) fn start(
        path: &Path,
        lines: &Arc<Lines>,
        writer: Option<(Connection, File)>,
        readers: usize,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared { path: path.to_owned(), lines: lines.clone() });
        let mut engine = Self { shared: shared.clone(), threads: Vec::new() };
        let role = if writer.is_some() { Role::Reader } else { Role::Inspector };
        if let Some((conn, lock)) = writer {
            let shared = shared.clone();
            engine.threads.push(lines.thread("store-write", move || {
                writer::run(&shared, conn);
                // Held to the very end, so that whoever finds it free finds the database at rest.
                drop(lock);
            })?);
        }
        for _ in 0..readers.max(1) {
            let shared = shared.clone();
            engine.threads.push(lines.thread("store-read", move || read(&shared, role))?);
        }
        Ok(engine)
    }

    /// Lets nobody in any more, serves who is in line, and waits for the threads.
    pub(crate) fn stop(&mut self) {
        self.shared.lines.writes.close();
        self.shared.lines.reads.close();
        let here = std::thread::current().id();
        for thread in self.threads.drain(..) {
            // A closure that owns the last handle of its own store ends on the store's own thread.
            if thread.thread().id() != here && thread.join().is_err() {
                tracing::error!("a database thread panicked");
            }
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A reading thread's whole life.
fn read(shared: &Shared, role: Role) {
    while let Some(mut job) = shared.lines.reads.take_one() {
        let conn = match conn::open(&shared.path, role) {
            Ok(conn) => conn,
            Err(error) => {
                job.answer(Some(&error));
                continue;
            }
        };
        let mut db = Statements::new(&conn);
        loop {
            let error = snapshot(&mut db, &mut *job);
            job.answer(error.as_ref());
            if matches!(error, Some(StoreError::Io(_) | StoreError::Corrupt(_))) || !db.is_outside() {
                break;
            }
            match shared.lines.reads.take_one() {
                Some(next) => job = next,
                None => return,
            }
        }
    }
}

/// Runs one reader within one state of the database.
fn snapshot(db: &mut Statements<'_>, job: &mut dyn ReadOnly) -> Option<StoreError> {
    if let Err(error) = db.control("BEGIN") {
        return Some(error);
    }
    let mut view = View { db, failed: None };
    let succeeded = job.run(&mut view);
    let failed = view.failed.filter(|_| succeeded);
    match db.control("COMMIT") {
        Ok(()) => failed,
        Err(error) => Some(failed.unwrap_or(error)),
    }
}

struct View<'b, 'c> {
    db: &'b mut Statements<'c>,
    failed: Option<StoreError>,
}

impl Read for View<'_, '_> {
    fn reach(&mut self, _reach: Reach) -> Result<(), StoreError> {
        Ok(())
    }

    fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        self.db.get(sql).map(drop)
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.db.get(sql).and_then(|statement| conn::for_each(statement, sql, params, each));
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }
}

/// What was applied to the database in `dir`, which must be there.
pub(crate) fn applied(dir: &Path) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    migrate::recorded(&conn::open(&dir.join(FILE), Role::Inspector)?)
}

/// Bytes of the database file and its write-ahead log.
pub(crate) fn size(path: &Path) -> Result<u64, StoreError> {
    let mut total = 0;
    for suffix in ["", "-wal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::metadata(&name) {
            Ok(meta) => total += meta.len(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(StoreError::Io(e.to_string())),
        }
    }
    Ok(total)
}

/// Moves the whole write-ahead log into the database file and empties it, so that nothing deleted lingers there.
pub(crate) fn checkpoint(path: &Path) -> Result<(), StoreError> {
    /// SQLite waits for readers by itself, but not for whoever is copying the log right now.
    const TRIES: u32 = 20;
    let conn = conn::open(path, Role::Writer)?;
    for _ in 0..TRIES {
        let busy: i64 = conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))
            .map_err(|e| conn::error(e, "checkpoint"))?;
        if busy == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(StoreError::Busy("readers hold the write-ahead log".into()))
}
