//! Where notices of committed transactions come out.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{PoisonError, RwLock},
};

use tokio::sync::broadcast;

use crate::sql::Notice;

/// Notices that a slow subscriber may leave unread before it is told that it lagged.
const BACKLOG: usize = 1_024;

type Hook = Box<dyn Fn(&Notice) + Send + Sync>;

/// Hooks first, on the thread that committed; then everyone who subscribed.
pub(crate) struct Hub {
    hooks: RwLock<Vec<Hook>>,
    sender: broadcast::Sender<Notice>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self { hooks: RwLock::default(), sender: broadcast::Sender::new(BACKLOG) }
    }
    pub(crate) fn hook(&self, hook: Hook) {
        self.hooks.write().unwrap_or_else(PoisonError::into_inner).push(hook);
    }
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.sender.subscribe()
    }
    pub(crate) fn publish(&self, notice: &Notice) {
        for hook in self.hooks.read().unwrap_or_else(PoisonError::into_inner).iter() {
            // A hook runs on the thread that commits for everyone: its panic must not take that with it.
            if catch_unwind(AssertUnwindSafe(|| hook(notice))).is_err() {
                tracing::error!(topic = %notice.topic, "a notice's hook panicked");
            }
        }
        // Nobody listening is no error.
        let _ = self.sender.send(notice.clone());
    }
}
