//! The bounded line in front of the database threads.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::error::StoreError;

/// How long a caller waits for a place in the line before it is told [`StoreError::Busy`].
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A bounded queue: many producers (async or not), threads as consumers.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    room: Notify,
    limit: usize,
}

struct State<T> {
    jobs: VecDeque<T>,
    /// Consumers that sleep until there are `wanted` jobs.
    idle: usize,
    wanted: usize,
    closed: bool,
    producers_wait: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State { jobs: VecDeque::new(), idle: 0, wanted: 1, closed: false, producers_wait: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), room: Notify::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Every critical section leaves the state whole, so a poisoned lock still holds a valid queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `job` in line, or gives it back when there is no place.
    fn try_push(&self, job: T) -> Result<(), Refusal<T>> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::Closed);
        }
        if state.jobs.len() >= self.limit {
            state.producers_wait = true;
            return Err(Refusal::Full(job));
        }
        state.jobs.push_back(job);
        let wake = state.idle > 0 && state.jobs.len() >= state.wanted;
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Puts `job` in line, waiting for a place up to [`PATIENCE`].
    pub(crate) async fn push(&self, job: T) -> Result<(), StoreError> {
        let mut job = match self.try_push(job) {
            Ok(()) => return Ok(()),
            Err(Refusal::Closed) => return Err(StoreError::Closed),
            Err(Refusal::Full(job)) => job,
        };
        let wait = async {
            loop {
                let room = self.room.notified();
                tokio::pin!(room);
                // Registered before the second look, so that a place freed in between is not missed.
                room.as_mut().enable();
                match self.try_push(job) {
                    Ok(()) => return Ok(()),
                    Err(Refusal::Closed) => return Err(StoreError::Closed),
                    Err(Refusal::Full(back)) => job = back,
                }
                room.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| Err(busy()))
    }

    /// [`Queue::push`] for threads outside of any runtime.
    pub(crate) fn push_blocking(&self, mut job: T) -> Result<(), StoreError> {
        const STEP: Duration = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        loop {
            match self.try_push(job) {
                Ok(()) => return Ok(()),
                Err(Refusal::Closed) => return Err(StoreError::Closed),
                Err(Refusal::Full(back)) => job = back,
            }
            if waited >= PATIENCE {
                return Err(busy());
            }
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }

    /// Waits for jobs and moves up to `most` of them into `out`. `false` once closed and empty.
    pub(crate) fn take(&self, most: usize, out: &mut Vec<T>) -> bool {
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return false;
            }
            state.idle += 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        self.hand_over(state, most, out);
        true
    }

    /// Moves up to `most` jobs into `out`; if there are none, waits up to `span` for `wanted` of them first. `false`
    /// when they did not come in time, though some may be in `out`. For one consumer only.
    pub(crate) fn gather(&self, wanted: usize, most: usize, span: Duration, out: &mut Vec<T>) -> bool {
        let mut state = self.lock();
        let mut in_time = true;
        if state.jobs.is_empty() {
            state.idle += 1;
            state.wanted = wanted;
            let waited = self.filled.wait_timeout_while(state, span, |s| s.jobs.len() < wanted && !s.closed);
            state = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            in_time = state.jobs.len() >= wanted;
            state.wanted = 1;
            state.idle -= 1;
        }
        self.hand_over(state, most, out);
        in_time
    }

    /// [`Queue::take`] of one.
    pub(crate) fn take_one(&self) -> Option<T> {
        let mut out = Vec::with_capacity(1);
        self.take(1, &mut out);
        out.pop()
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// How many of those that wait are `such`.
    pub(crate) fn count(&self, such: impl Fn(&T) -> bool) -> usize {
        self.lock().jobs.iter().filter(|job| such(job)).count()
    }

    fn hand_over(&self, mut state: MutexGuard<'_, State<T>>, most: usize, out: &mut Vec<T>) {
        let n = state.jobs.len().min(most);
        out.extend(state.jobs.drain(..n));
        let wake = n > 0 && std::mem::take(&mut state.producers_wait);
        drop(state);
        if wake {
            self.room.notify_waiters();
        }
    }

    /// [`Queue::close`] without serving who is in line: their callers learn that the store is closed.
    pub(crate) fn abandon(&self) {
        self.close();
        let left = std::mem::take(&mut self.lock().jobs);
        drop(left);
    }

    /// Lets nobody in any more; what is in line is still served.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.room.notify_waiters();
    }
}

enum Refusal<T> {
    Closed,
    Full(T),
}

fn busy() -> StoreError {
    StoreError::Busy(format!("no place in line within {} s", PATIENCE.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_line_refuses_after_patience_and_recovers() {
        let queue = Queue::new(2);
        queue.push(1).await.expect("place");
        queue.push(2).await.expect("place");
        assert!(matches!(queue.push(3).await, Err(StoreError::Busy(_))));
        let mut out = Vec::new();
        assert!(queue.take(8, &mut out));
        assert_eq!(out, [1, 2]);
        queue.push(3).await.expect("place again");
        queue.close();
        assert!(matches!(queue.push(4).await, Err(StoreError::Closed)));
        assert_eq!(queue.take_one(), Some(3));
        assert_eq!(queue.take_one(), None);
    }

    #[tokio::test]
    async fn a_freed_place_goes_to_one_who_waits() {
        let queue = std::sync::Arc::new(Queue::new(1));
        queue.push(1).await.expect("place");
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.push(2).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(queue.take_one(), Some(1));
        waiting.await.expect("task").expect("place");
        assert_eq!(queue.len(), 1);
    }
}
