//! Moving the write-ahead log into the database file, beside the thread that writes.
//!
//! A thread of its own copies the pages and syncs the file while commits go on. It never quite catches up with a busy
//! writer, and only a log that has been copied whole begins anew: what little is left is copied by the writer itself.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use rusqlite::Connection;

use super::conn::{self, Role};
use crate::error::StoreError;

/// Pages of the log not yet copied for which the copying thread is woken.
const EARLY: i32 = 2_000;
/// Pages of the log from which on the writer ends it, when little is left to copy.
const LATE: i32 = 8_000;
/// What is little, in pages.
const LITTLE: i32 = 1_000;
/// Pages of the log from which on the writer copies whatever is left: a slow disk slows writers down and does not fill up.
const FAR: i32 = 32_000;

/// The writer's side.
#[derive(Clone)]
pub(super) struct Copier {
    wake: SyncSender<()>,
    copied: Arc<AtomicI32>,
}

/// The copying thread's side.
pub(super) struct Copying {
    woken: Receiver<()>,
    copied: Arc<AtomicI32>,
}

pub(super) fn pair() -> (Copier, Copying) {
    let (wake, woken) = sync_channel(1);
    let copied = Arc::new(AtomicI32::new(0));
    (Copier { wake, copied: copied.clone() }, Copying { woken, copied })
}

/// Who copies what after a commit that left `pages` in the log, of which `copied` are known to be in the file.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Nobody,
    Thread,
    Writer,
}

const fn turn(pages: i32, copied: i32) -> Turn {
    let left = pages - copied;
    if pages >= FAR || (pages >= LATE && left <= LITTLE) {
        Turn::Writer
    } else if left >= EARLY || pages >= LATE {
        Turn::Thread
    } else {
        Turn::Nobody
    }
}

impl Copier {
    /// Looks after the log of the writer's connection, in place of SQLite's own automatic checkpoint.
    pub(super) fn watch(self, conn: &mut Connection) -> Result<(), StoreError> {
        let hook = move |wal: &mut rusqlite::hooks::Wal, pages: i32| {
            let mut copied = self.copied.load(Ordering::Relaxed);
            if pages < copied {
                // The log began anew.
                self.copied.store(0, Ordering::Relaxed);
                copied = 0;
            }
            match turn(pages, copied) {
                Turn::Nobody => {}
                // Awake already, if the channel is full.
                Turn::Thread => drop(self.wake.try_send(())),
                // Whatever hinders it is met again after the next commit; the commit itself stands.
                Turn::Writer => drop(wal.checkpoint()),
            }
            Ok(())
        };
        conn.wal_hook(Some(hook)).map_err(|e| conn::error(e, "watching the log"))
    }
}

impl Copying {
    /// The copying thread's whole life: until the writer's side is gone.
    pub(super) fn run(self, path: &Path) {
        let mut kept = None;
        while self.woken.recv().is_ok() {
            let copied = match kept.take().map_or_else(|| conn::open(path, Role::Copier), Ok) {
                Ok(conn) => copy(&conn).inspect(|_| kept = Some(conn)),
                Err(error) => Err(error),
            };
            match copied {
                Ok(pages) => self.copied.store(pages, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "copying the write-ahead log"),
            }
        }
    }
}

/// Copies what the log holds right now; the pages of the log that are in the file then.
fn copy(conn: &Connection) -> Result<i32, StoreError> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2)).map_err(|e| conn::error(e, "checkpoint"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_copies_and_the_writer_ends_the_log() {
        assert_eq!(turn(EARLY - 1, 0), Turn::Nobody);
        assert_eq!(turn(EARLY, 0), Turn::Thread);
        assert_eq!(turn(LATE, 0), Turn::Thread, "much is left: not the writer's time");
        assert_eq!(turn(LATE, LATE - LITTLE), Turn::Writer);
        assert_eq!(turn(LATE + 1, LATE - LITTLE), Turn::Thread);
        assert_eq!(turn(FAR, 0), Turn::Writer, "a log has a bound");
    }
}
