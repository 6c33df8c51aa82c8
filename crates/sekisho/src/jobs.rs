//! Jobs of the system, each with an interval, run when due by the clock that the instance was given.
//!
//! A jump of the clock goes from due job to due job and runs each: 365 days of a rehearsal run every sweep they hold.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sekisho_kernel::{Problem, Time, time::SharedClock};
use tokio::sync::Mutex;

/// A recurring piece of work.
#[async_trait]
pub trait Work: Send + Sync {
    /// The stable name, for the log.
    fn name(&self) -> &'static str;
    /// How often it runs.
    fn every(&self) -> Duration;
    /// Does it. A failure is logged and tried again when next due.
    async fn run(&self, now: Time) -> Result<(), Problem>;
}

struct Entry {
    work: Arc<dyn Work>,
    due: Time,
}

/// Turns of one job in one jump of the clock.
const MOST_TURNS: u32 = 200;

/// All jobs of one instance.
pub struct Scheduler {
    clock: SharedClock,
    entries: Mutex<Vec<Entry>>,
}

impl Scheduler {
    /// Every job is first due one interval from now.
    pub fn new(clock: SharedClock, works: Vec<Arc<dyn Work>>) -> Self {
        let now = clock.now();
        let entries = works.into_iter().map(|work| Entry { due: now.plus(work.every()), work }).collect();
        Self { clock, entries: Mutex::new(entries) }
    }

    /// When the next job is due.
    pub async fn next_due(&self) -> Option<Time> {
        self.entries.lock().await.iter().map(|e| e.due).min()
    }

    /// Runs every job that is due now, earliest first. A job that slept through several of its turns runs once.
    pub async fn run_due(&self) {
        let now = self.clock.now();
        let mut entries = self.entries.lock().await;
        entries.sort_by_key(|e| e.due);
        for entry in entries.iter_mut().filter(|e| e.due <= now) {
            entry.due = now.plus(entry.work.every());
            if let Err(problem) = entry.work.run(now).await {
                tracing::error!(job = entry.work.name(), ?problem, "a job failed and will run again when next due");
            }
        }
    }

    /// Goes to `to` from due job to due job, `set` moving the clock to each. A job with more than [`MOST_TURNS`] turns on
    /// the way takes that many, evenly spread: between them nobody writes, so that one turn does the work of many.
    pub async fn jump(&self, to: Time, set: impl Fn(Time) + Send + Sync) {
        let from = self.clock.now();
        let span = to.since(from);
        let steps: Vec<Duration> = {
            let entries = self.entries.lock().await;
            entries.iter().map(|e| e.work.every().max(span / MOST_TURNS)).collect()
        };
        {
            let mut entries = self.entries.lock().await;
            for (entry, step) in entries.iter_mut().zip(&steps) {
                entry.due = entry.due.max(from.plus(*step).minus(entry.work.every()));
            }
        }
        loop {
            let next = {
                let mut entries = self.entries.lock().await;
                let Some(next) = entries.iter_mut().filter(|e| e.due <= to).min_by_key(|e| e.due) else { break };
                let (work, due) = (next.work.clone(), next.due);
                next.due = due.plus(work.every().max(span / MOST_TURNS));
                (work, due)
            };
            let (work, due) = next;
            set(due);
            if let Err(problem) = work.run(due).await {
                tracing::error!(job = work.name(), ?problem, "a job failed and will run again when next due");
            }
        }
        set(to);
    }

    /// Runs jobs as they come due until the future is dropped.
    pub async fn run(&self) {
        while let Some(due) = self.next_due().await {
            self.clock.due(due).await;
            self.run_due().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use sekisho_kernel::rehearsal::MovableClock;

    use super::*;

    struct Count(AtomicU32, Duration);

    #[async_trait]
    impl Work for Count {
        fn name(&self) -> &'static str {
            "count"
        }
        fn every(&self) -> Duration {
            self.1
        }
        async fn run(&self, _: Time) -> Result<(), Problem> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_job_runs_at_each_of_its_turns_and_once_after_a_long_sleep() {
        let clock = MovableClock::new(Time::from_secs(1_000));
        let count = Arc::new(Count(AtomicU32::new(0), Duration::from_secs(10)));
        let scheduler = Scheduler::new(Arc::new(clock.clone()), vec![count.clone()]);
        clock.advance(Duration::from_secs(9));
        scheduler.run_due().await;
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        clock.advance(Duration::from_secs(1));
        scheduler.run_due().await;
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        clock.advance(Duration::from_secs(3_600));
        scheduler.run_due().await;
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        assert_eq!(scheduler.next_due().await, Some(Time::from_secs(1_010 + 3_600 + 10)));
    }
}
