//! Entries of many callers, inserted together: a transaction takes along whatever is in line when it begins, and the next
//! one waits behind it in the store already, so that the disk never waits for the callers nor they for one another.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sekisho_kernel::{Problem, problem::UNAVAILABLE};
use sekisho_store::{Reach, Store};
use tokio::sync::oneshot;

use super::draft::{Sealed, insert};

/// Most entries of one transaction.
const MOST: usize = 1_024;
/// Most transactions on their way: one at work, one in the store's line.
const WAYS: usize = 2;

type Caller = oneshot::Sender<Result<(), Problem>>;

/// The line of entries in front of the store.
#[derive(Clone, Default)]
pub(crate) struct Appender(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    entries: Vec<Sealed>,
    callers: Vec<Caller>,
    /// Transactions on their way.
    ways: usize,
    /// One of them has yet to take along what is in line.
    waiting: bool,
}

impl Line {
    /// Whether a transaction is to be sent for what is in line. It is taken to be on its way then.
    fn send(&mut self) -> bool {
        let send = !self.entries.is_empty() && !self.waiting && self.ways < WAYS;
        self.waiting |= send;
        self.ways += usize::from(send);
        send
    }

    fn take(&mut self) -> (Vec<Sealed>, Vec<Caller>) {
        self.waiting = false;
        let some = self.entries.len().min(MOST);
        let rest = (self.entries.split_off(some), self.callers.split_off(some));
        (mem::replace(&mut self.entries, rest.0), mem::replace(&mut self.callers, rest.1))
    }
}

impl Appender {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends one entry; answers after its physical commit. Whoever drops the future leaves the entry in line.
    ///
    /// # Errors
    /// The store's: then nothing of the transaction stands.
    pub(crate) async fn append(&self, store: &Store, entry: Sealed) -> Result<(), Problem> {
        let answer = self.enqueue(store, entry);
        answer.await.unwrap_or_else(|_| Err(Problem::new(&UNAVAILABLE).log("the line of entries ended")))
    }

    fn enqueue(&self, store: &Store, entry: Sealed) -> oneshot::Receiver<Result<(), Problem>> {
        let (caller, answer) = oneshot::channel();
        let mut line = self.line();
        line.entries.push(entry);
        line.callers.push(caller);
        if line.send() {
            tokio::spawn(self.clone().work(store.clone()));
        }
        answer
    }

    async fn work(self, store: Store) {
        loop {
            let taken: Arc<Mutex<Option<Vec<Caller>>>> = Arc::default();
            let done = {
                let (line, taken) = (self.clone(), taken.clone());
                let gather = move |db: &mut dyn sekisho_store::Sql| {
                    let (mut entries, callers) = line.line().take();
                    *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(callers);
                    // In the order of their ids they go to one end of each index.
                    entries.sort_unstable_by_key(|entry| entry.id);
                    insert(db, &entries)
                };
                store.within(Reach::Append).write_gathered(gather).await
            };
            let callers = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            // A transaction that never began answers for those it would have taken along.
            for caller in callers.unwrap_or_else(|| self.line().take().1) {
                // A caller may have gone; the entry stands all the same.
                let _ = caller.send(done.clone());
            }
            let mut line = self.line();
            line.ways -= 1;
            if !line.send() {
                return;
            }
        }
    }
}
