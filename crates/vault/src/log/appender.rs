//! Entries of many callers, inserted together: whatever waits while one batch is being committed is the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sekisho_kernel::{Problem, problem::UNAVAILABLE};
use sekisho_store::{Reach, Store};
use tokio::sync::oneshot;

use super::draft::{Sealed, insert};

/// Most entries of one batch.
const MOST: usize = 1_024;

/// The line of entries in front of the store.
#[derive(Clone, Default)]
pub(crate) struct Appender(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    entries: Vec<Sealed>,
    callers: Vec<oneshot::Sender<Result<(), Problem>>>,
    /// Whether a task is at work on the line.
    busy: bool,
}

impl Appender {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends one entry; answers after its physical commit. Whoever drops the future leaves the entry in line.
    ///
    /// # Errors
    /// The store's: then nothing of the batch stands.
    pub(crate) async fn append(&self, store: &Store, entry: Sealed) -> Result<(), Problem> {
        let answer = self.enqueue(store, entry);
        answer.await.unwrap_or_else(|_| Err(Problem::new(&UNAVAILABLE).log("the line of entries ended")))
    }

    fn enqueue(&self, store: &Store, entry: Sealed) -> oneshot::Receiver<Result<(), Problem>> {
        let (caller, answer) = oneshot::channel();
        let mut line = self.line();
        line.entries.push(entry);
        line.callers.push(caller);
        if !std::mem::replace(&mut line.busy, true) {
            tokio::spawn(self.clone().work(store.clone()));
        }
        answer
    }

    async fn work(self, store: Store) {
        loop {
            let (entries, callers) = {
                let mut line = self.line();
                let some = line.entries.len().min(MOST);
                if some == 0 {
                    line.busy = false;
                    return;
                }
                let rest = (line.entries.split_off(some), line.callers.split_off(some));
                (std::mem::replace(&mut line.entries, rest.0), std::mem::replace(&mut line.callers, rest.1))
            };
            let done = store.within(Reach::Append).write(move |db| insert(db, &entries)).await;
            for caller in callers {
                // A caller may have gone; the entry stands all the same.
                let _ = caller.send(done.clone());
            }
        }
    }
}
