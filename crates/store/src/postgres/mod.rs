//! The shared store: PostgreSQL, a pool of threads with a connection each, and one that listens.

mod endpoint;
mod link;
mod listen;
mod migrate;
mod scratch;
mod tls;
mod types;
mod wire;

use std::{sync::Arc, thread::JoinHandle};

pub use self::scratch::Scratch;
pub(crate) use self::{
    endpoint::Endpoint,
    listen::Contact,
    migrate::{applied, migrate, rows, script},
    scratch::{count, snapshot},
};
use self::{
    link::{Link, runtime},
    listen::CHANNEL,
};
use crate::{
    error::StoreError,
    faults::Injected,
    reach::Reach,
    sql::{NOTICE_LIMIT, Notice, Read, Sql},
    store::Lines,
    value::{Param, Row},
};

/// The running threads.
pub(crate) struct Engine {
    lines: Arc<Lines>,
    contact: Arc<Contact>,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Starts the threads. The listener has heard itself before this returns.
    pub(crate) fn start(
        endpoint: &Endpoint,
        lines: &Arc<Lines>,
        writers: usize,
        readers: usize,
    ) -> Result<Self, StoreError> {
        let (listener, contact) = listen::start(endpoint.clone(), lines.clone())?;
        let mut engine = Self { lines: lines.clone(), contact: contact.clone(), threads: vec![listener] };
        for _ in 0..writers {
            let (endpoint, contact, shared) = (endpoint.clone(), contact.clone(), lines.clone());
            engine.threads.push(lines.thread("store-write", move || write(&endpoint, &shared, &contact.node))?);
        }
        for _ in 0..readers {
            let (endpoint, shared) = (endpoint.clone(), lines.clone());
            engine.threads.push(lines.thread("store-read", move || read(&endpoint, &shared))?);
        }
        Ok(engine)
    }

    /// Whether notices reach this node.
    pub(crate) fn contact(&self) -> Arc<Contact> {
        self.contact.clone()
    }

    /// Lets nobody in any more, serves who is in line, and waits for the threads.
    pub(crate) fn stop(&mut self) {
        self.lines.writes.close();
        self.lines.reads.close();
        self.contact.stop();
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

/// What begins a transaction of that reach. One text, so one round trip.
fn opening(begin: &str, reach: Reach) -> String {
    format!("{begin}; {}", reach.statement())
}

/// Begins a transaction on the kept connection, or on a new one if that has ended. No closure has run yet, so a
/// server that was restarted meanwhile costs no caller an error.
fn begin<'r>(
    kept: Option<Link<'r>>,
    runtime: &'r tokio::runtime::Runtime,
    endpoint: &Endpoint,
    sql: &str,
) -> Result<Link<'r>, StoreError> {
    if let Some(link) = kept.filter(|link| !link.is_closed())
        && link.batch(sql).is_ok()
    {
        return Ok(link);
    }
    let link = Link::connect(runtime, endpoint)?.learn()?;
    link.batch(sql)?;
    Ok(link)
}

/// A writing thread's whole life.
fn write(endpoint: &Endpoint, lines: &Lines, node: &str) {
    let Some(runtime) = started() else { return };
    let mut kept = None;
    while let Some(mut job) = lines.writes.take_one() {
        match begin(kept.take(), &runtime, endpoint, &opening("BEGIN", job.reach())) {
            Err(error) => job.answer(Some(&error)),
            Ok(link) => {
                let mut tx = Tx { link, failed: None, notices: Vec::new() };
                let succeeded = job.run(&mut tx);
                let Tx { mut link, failed, notices } = tx;
                if !succeeded || failed.is_some() {
                    if link.batch("ROLLBACK").is_ok() {
                        kept = Some(link);
                    }
                    // A closure that reports its own error keeps it; one that swallowed a failure is corrected.
                    job.answer(failed.as_ref().filter(|_| succeeded));
                    continue;
                }
                match commit(&mut link, lines, node, &notices) {
                    Ok(()) => {
                        kept = Some(link);
                        for notice in &notices {
                            lines.hub.publish(notice);
                        }
                        job.answer(None);
                    }
                    Err(error) => {
                        if link.batch("ROLLBACK").is_ok() {
                            kept = Some(link);
                        }
                        job.answer(Some(&error));
                    }
                }
            }
        }
    }
}

fn commit(link: &mut Link<'_>, lines: &Lines, node: &str, notices: &[Notice]) -> Result<(), StoreError> {
    for notice in notices {
        let payload = format!("{node}\n{}\n{}", notice.topic, notice.payload);
        link.for_each("SELECT pg_notify($1, $2)::text", &[CHANNEL.into(), (&payload).into()], &mut |_| Ok(true))?;
    }
    match lines.faults.at_commit() {
        Some(Injected::Fail(error)) => return Err(error),
        Some(Injected::Disconnect) => {
            link.batch("SELECT pg_terminate_backend(pg_backend_pid())")?;
            return Err(StoreError::Lost("the server ended the connection".into()));
        }
        None => {}
    }
    link.batch("COMMIT").map_err(|error| match error {
        StoreError::Lost(why) => StoreError::Uncertain(why),
        other => other,
    })
}

/// All statements of a reading transaction see one state.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A reading thread's whole life.
fn read(endpoint: &Endpoint, lines: &Lines) {
    let Some(runtime) = started() else { return };
    let mut kept = None;
    while let Some(mut job) = lines.reads.take_one() {
        match begin(kept.take(), &runtime, endpoint, &opening(SNAPSHOT, job.reach())) {
            Err(error) => job.answer(Some(&error)),
            Ok(link) => {
                let mut tx = Tx { link, failed: None, notices: Vec::new() };
                let succeeded = job.run(&mut tx);
                let Tx { link, failed, .. } = tx;
                if link.batch("ROLLBACK").is_ok() {
                    kept = Some(link);
                }
                job.answer(failed.as_ref().filter(|_| succeeded));
            }
        }
    }
}

fn started() -> Option<tokio::runtime::Runtime> {
    runtime().inspect_err(|error| tracing::error!(%error, "a database thread cannot start")).ok()
}

/// A closure's view of its transaction.
struct Tx<'r> {
    link: Link<'r>,
    failed: Option<StoreError>,
    notices: Vec<Notice>,
}

impl Tx<'_> {
    /// Runs `act` unless a statement has failed before; remembers if it fails.
    fn step<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = act(self);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }
}

impl Read for Tx<'_> {
    fn reach(&mut self, reach: Reach) -> Result<(), StoreError> {
        self.step(|tx| tx.link.batch(&reach.statement()))
    }

    fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        self.step(|tx| tx.link.prepare(sql).map(drop))
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.step(|tx| tx.link.for_each(sql, params, each))
    }
}

impl Sql for Tx<'_> {
    fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.step(|tx| tx.link.exec(sql, params))
    }

    fn exec_many(&mut self, sql: &str, rows: &[Vec<Param<'_>>]) -> Result<u64, StoreError> {
        self.step(|tx| tx.link.exec_many(sql, rows))
    }

    fn notify(&mut self, topic: &'static str, payload: &str) -> Result<(), StoreError> {
        if topic.len() + payload.len() > NOTICE_LIMIT {
            return Err(StoreError::Bug(format!("a notice of more than {NOTICE_LIMIT} bytes: {topic}")));
        }
        self.notices.push(Notice { topic: topic.into(), payload: Arc::from(payload), own: true });
        Ok(())
    }

    fn try_lock(&mut self, name: &str) -> Result<bool, StoreError> {
        let sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))";
        let mut had = false;
        self.for_each(sql, &[name.into()], &mut |row| {
            had = row.flag(0)?;
            Ok(true)
        })?;
        Ok(had)
    }
}
