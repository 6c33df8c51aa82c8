//! The one thread that writes to SQLite, and the group commit.
//!
//! A batch is whatever waits in line: one physical transaction, one sync of the write-ahead log, a savepoint for
//! each member that writes. Nobody is answered before COMMIT has returned.

use std::{sync::Arc, time::Duration};

use rusqlite::Connection;
use tokio::time::Instant;

use super::{
    Shared,
    checkpoint::{self, Copier},
    conn::{self, Role, Statements},
};
use crate::{
    error::StoreError,
    faults::Injected,
    job::Write,
    reach::Reach,
    sql::{NOTICE_LIMIT, Notice, Read, Sql},
    value::{Param, Row},
};

/// Most members of one physical transaction. It bounds what a failing disk can take back at once.
pub(crate) const MOST_MEMBERS: usize = 512;

/// Longest wait for members to gather, and never more than half of what the last commit took.
const MOST_PATIENCE: Duration = Duration::from_millis(1);

/// So many have come before a writer that waits for members is woken: they run while the next ones come.
const HANDFUL: usize = 8;

/// How many members to expect, and how long to wait for them.
///
/// Whoever was just answered is likely to come back, and whoever came meanwhile waits already. Without a moment's
/// patience the two would take turns for good, each paying for a sync of its own. One writer alone never waits.
#[derive(Clone, Copy, Default)]
struct Forecast {
    members: usize,
    patience: Duration,
}

/// The writer thread's whole life, and that of the thread which copies the log: the database is at rest when it ends.
pub(crate) fn run(shared: &Shared, first: Connection) {
    let (copier, copying) = checkpoint::pair();
    std::thread::scope(|scope| {
        let copies = std::thread::Builder::new().name("store-copy".into());
        if let Err(error) = copies.spawn_scoped(scope, move || copying.run(&shared.path)) {
            tracing::error!(%error, "no thread to copy the write-ahead log: the writer does it late");
        }
        write(shared, first, &copier);
        drop(copier);
    });
}

fn write(shared: &Shared, first: Connection, copier: &Copier) {
    let mut next = Some(first);
    let mut jobs: Vec<Box<dyn Write>> = Vec::with_capacity(MOST_MEMBERS);
    loop {
        let opened = next.take().map_or_else(|| conn::open(&shared.path, Role::Writer), Ok);
        let watched = opened.and_then(|mut conn| copier.clone().watch(&mut conn).map(|()| conn));
        let conn = match watched {
            Ok(conn) => conn,
            Err(error) => {
                if !shared.lines.writes.take(MOST_MEMBERS, &mut jobs) {
                    return;
                }
                answer_all(jobs.drain(..), &error);
                continue;
            }
        };
        let mut db = Statements::new(&conn);
        let mut forecast = Forecast::default();
        loop {
            if !shared.lines.writes.take(MOST_MEMBERS, &mut jobs) {
                return;
            }
            if let Some(pages) = shared.lines.faults.page_limit() {
                db.limit(pages);
            }
            let kept = Vec::with_capacity(MOST_MEMBERS);
            let mut batch = Batch { shared, db: &mut db, kept, notices: Vec::new(), forecast };
            if !batch.run(&mut jobs) {
                tracing::warn!("reopening the database after a failure");
                break;
            }
            forecast = batch.forecast;
        }
    }
}

fn answer_all(jobs: impl Iterator<Item = Box<dyn Write>>, error: &StoreError) {
    for job in jobs {
        job.answer(Some(error));
    }
}

struct Batch<'b, 'c> {
    shared: &'b Shared,
    db: &'b mut Statements<'c>,
    /// Members to be answered after the commit, each with the error that replaces its own answer, if any.
    kept: Vec<(Box<dyn Write>, Option<StoreError>)>,
    notices: Vec<Notice>,
    /// For this batch; once it is done, for the next.
    forecast: Forecast,
}

impl Batch<'_, '_> {
    /// Runs `jobs` to their answers. `false`: the connection cannot be trusted any more.
    fn run(&mut self, jobs: &mut Vec<Box<dyn Write>>) -> bool {
        if let Err(error) = self.db.control("BEGIN IMMEDIATE") {
            answer_all(jobs.drain(..), &error);
            return trusted(&error);
        }
        let Forecast { members: expected, patience } = self.forecast;
        let alone = jobs.len() == 1 && expected <= 1;
        let (mut ran, mut singles, mut more) = (0, 0, true);
        while !jobs.is_empty() {
            ran += jobs.len();
            singles += jobs.iter().filter(|job| job.single()).count();
            let mut members = jobs.drain(..);
            while let Some(job) = members.next() {
                if let Err(error) = self.member(job, alone) {
                    // SQLite took the whole transaction back: whoever ran in it has lost, the rest start anew.
                    self.abandon(&error);
                    let begun = if trusted(&error) { self.db.control("BEGIN IMMEDIATE") } else { Err(error) };
                    if let Err(error) = begun {
                        answer_all(members, &error);
                        return trusted(&error);
                    }
                }
            }
            drop(members);
            let missing = expected.min(MOST_MEMBERS).saturating_sub(singles);
            if more && missing > 0 {
                more = self.shared.lines.writes.gather(missing.min(HANDFUL), MOST_MEMBERS - ran, patience, jobs);
            }
        }
        let begun = Instant::now();
        let committed = self.commit();
        self.forecast.patience = (begun.elapsed() / 2).min(MOST_PATIENCE);
        self.forecast.members = singles + self.shared.lines.writes.count(|job| job.single());
        match committed {
            Ok(()) => {
                for notice in self.notices.drain(..) {
                    self.shared.lines.hub.publish(&notice);
                }
                for (job, error) in self.kept.drain(..) {
                    job.answer(error.as_ref());
                }
                true
            }
            Err(error) => {
                self.abandon(&error);
                trusted(&error)
            }
        }
    }

    /// Runs one member. `Err`: the whole transaction is gone.
    fn member(&mut self, mut job: Box<dyn Write>, alone: bool) -> Result<(), StoreError> {
        let savepoint = if alone { Savepoint::Whole } else { Savepoint::None };
        let mut tx = Tx { db: self.db, savepoint, failed: None, notices: Vec::new() };
        let succeeded = job.run(&mut tx);
        let Tx { savepoint, failed, notices, .. } = tx;
        let keep = succeeded && failed.is_none();
        if self.db.is_outside() {
            let error = failed.unwrap_or_else(|| StoreError::Bug("the transaction ended by itself".into()));
            self.kept.push((job, None));
            return Err(error);
        }
        let settled = match (savepoint, keep) {
            (Savepoint::None, _) | (Savepoint::Whole, true) => Ok(()),
            (Savepoint::Set, true) => self.db.control("RELEASE member"),
            (Savepoint::Set, false) => {
                self.db.control("ROLLBACK TO member").and_then(|()| self.db.control("RELEASE member"))
            }
            (Savepoint::Whole, false) => self.db.control("ROLLBACK").and_then(|()| self.db.control("BEGIN IMMEDIATE")),
        };
        if keep {
            self.notices.extend(notices);
        }
        // A closure that reports its own error keeps it; one that swallowed a failed statement's is corrected.
        self.kept.push((job, failed.filter(|_| succeeded)));
        settled
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        match self.shared.lines.faults.at_commit() {
            Some(Injected::Fail(error)) => return Err(error),
            Some(Injected::Disconnect) => return Err(StoreError::Io("connection dropped".into())),
            None => {}
        }
        // A sync that fails may leave a whole commit in the log file, which a crash right now would bring to life.
        self.db.control("COMMIT").map_err(|error| match error {
            StoreError::Io(why) => StoreError::Uncertain(why),
            other => other,
        })
    }

    /// Rolls back and tells everyone who ran in this transaction. Also those who failed by themselves: what they
    /// failed on may have been a neighbour's row that now never was.
    fn abandon(&mut self, error: &StoreError) {
        tracing::error!(%error, members = self.kept.len(), "a group commit failed");
        if !self.db.is_outside()
            && let Err(error) = self.db.control("ROLLBACK")
        {
            tracing::error!(%error, "rollback failed");
        }
        self.notices.clear();
        answer_all(self.kept.drain(..).map(|(job, _)| job), error);
    }
}

/// Whether a connection that gave `error` may be used on.
const fn trusted(error: &StoreError) -> bool {
    !matches!(error, StoreError::Io(_) | StoreError::Uncertain(_) | StoreError::Corrupt(_) | StoreError::Bug(_))
}

/// How one member's writes can be taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    /// Nothing written yet.
    None,
    /// Back to its savepoint.
    Set,
    /// It is alone: back to the transaction's start.
    Whole,
}

/// A member's view of the transaction.
struct Tx<'b, 'c> {
    db: &'b mut Statements<'c>,
    savepoint: Savepoint,
    failed: Option<StoreError>,
    notices: Vec<Notice>,
}

impl Tx<'_, '_> {
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

    /// Sets the savepoint ahead of the first statement that writes.
    fn before_write(&mut self) -> Result<(), StoreError> {
        if self.savepoint == Savepoint::None {
            self.db.control("SAVEPOINT member")?;
            self.savepoint = Savepoint::Set;
        }
        Ok(())
    }
}

impl Read for Tx<'_, '_> {
    fn reach(&mut self, _reach: Reach) -> Result<(), StoreError> {
        Ok(())
    }

    fn prepare(&mut self, sql: &str) -> Result<(), StoreError> {
        self.step(|tx| tx.db.get(sql).map(drop))
    }

    fn for_each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.step(|tx| {
            if !tx.db.get(sql)?.readonly() {
                tx.before_write()?;
            }
            conn::for_each(tx.db.get(sql)?, sql, params, each)
        })
    }
}

impl Sql for Tx<'_, '_> {
    fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.step(|tx| {
            tx.before_write()?;
            conn::execute(tx.db.get(sql)?, sql, params)
        })
    }

    fn exec_many(&mut self, sql: &str, rows: &[Vec<Param<'_>>]) -> Result<u64, StoreError> {
        self.step(|tx| {
            tx.before_write()?;
            let statement = tx.db.get(sql)?;
            let mut changed = 0;
            for row in rows {
                changed += conn::execute(statement, sql, row)?;
            }
            Ok(changed)
        })
    }

    fn notify(&mut self, topic: &'static str, payload: &str) -> Result<(), StoreError> {
        if topic.len() + payload.len() > NOTICE_LIMIT {
            return Err(StoreError::Bug(format!("a notice of more than {NOTICE_LIMIT} bytes: {topic}")));
        }
        self.notices.push(Notice { topic: topic.into(), payload: Arc::from(payload), own: true });
        Ok(())
    }

    fn try_lock(&mut self, _name: &str) -> Result<bool, StoreError> {
        Ok(true)
    }
}
