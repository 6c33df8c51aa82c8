//! The fault layer: what a disk or a network does to a store, on demand. Only tests can make one: without the
//! feature `faults`, which nothing that serves turns on, there is no constructor and no field to put it into.

use crate::error::StoreError;

/// What befalls a commit.
#[allow(dead_code, reason = "constructed only where the fault layer is")]
pub(crate) enum Injected {
    /// It fails with this error and nothing stands.
    Fail(StoreError),
    /// The connection to the database ends in its place.
    Disconnect,
}

/// The place inside the engines that asks whether something shall go wrong.
#[derive(Clone, Default)]
pub(crate) struct FaultPoint {
    #[cfg(any(test, feature = "faults"))]
    pub(crate) faults: Option<Faults>,
}

#[cfg(any(test, feature = "faults"))]
impl FaultPoint {
    /// Called in place of each physical commit's first step.
    pub(crate) fn at_commit(&self) -> Option<Injected> {
        self.faults.as_ref().and_then(Faults::next)
    }
    /// Most pages that SQLite may use, if that has changed.
    pub(crate) fn page_limit(&self) -> Option<u32> {
        self.faults.as_ref().and_then(Faults::changed_limit)
    }
}

#[cfg(not(any(test, feature = "faults")))]
impl FaultPoint {
    pub(crate) const fn at_commit(&self) -> Option<Injected> {
        None
    }
    pub(crate) const fn page_limit(&self) -> Option<u32> {
        None
    }
}

#[cfg(any(test, feature = "faults"))]
pub use plan::{Fault, Faults, Gate};

#[cfg(any(test, feature = "faults"))]
mod plan {
    use std::{
        collections::VecDeque,
        sync::{
            Arc, Mutex, PoisonError,
            mpsc::{Receiver, Sender, channel},
        },
    };

    use super::{Injected, StoreError};

    /// One thing that goes wrong with one physical commit.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Fault {
        /// No room left.
        DiskFull,
        /// The disk answers with an error.
        Io,
        /// The connection to the database ends before the commit is sent.
        Disconnect,
    }

    enum Planned {
        Fault(Fault),
        Hold { arrived: Sender<()>, released: Receiver<()> },
    }

    /// A plan of faults, shared between a test and the store it gave it to.
    #[derive(Clone, Default)]
    pub struct Faults(Arc<Mutex<Plan>>);

    #[derive(Default)]
    struct Plan {
        commits: VecDeque<Planned>,
        limit: Option<u32>,
    }

    /// Holds one physical commit up, however long: its members have run, none has been answered.
    pub struct Gate {
        arrived: Receiver<()>,
        release: Sender<()>,
    }

    impl Faults {
        /// No faults yet.
        pub fn new() -> Self {
            Self::default()
        }
        /// The next `count` physical commits suffer `fault`, after those planned already.
        pub fn plan(&self, count: usize, fault: Fault) {
            self.with(|p| p.commits.extend(std::iter::repeat_with(|| Planned::Fault(fault)).take(count)));
        }
        /// The next physical commit, after those planned already, waits until the gate is opened or dropped.
        pub fn hold(&self) -> Gate {
            let (at_gate, arrived) = channel();
            let (release, released) = channel();
            self.with(|p| p.commits.push_back(Planned::Hold { arrived: at_gate, released }));
            Gate { arrived, release }
        }
        /// From the next group on, SQLite itself may use no more than `pages` pages of 4,096 bytes; `None` ends it.
        pub fn limit_pages(&self, pages: Option<u32>) {
            self.with(|p| p.limit = Some(pages.unwrap_or(u32::MAX - 1)));
        }
        /// How many planned faults have not happened yet.
        pub fn left(&self) -> usize {
            self.with(|p| p.commits.len())
        }
        fn with<T>(&self, act: impl FnOnce(&mut Plan) -> T) -> T {
            act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }
        pub(super) fn changed_limit(&self) -> Option<u32> {
            self.with(|p| p.limit.take())
        }
        pub(super) fn next(&self) -> Option<Injected> {
            match self.with(|p| p.commits.pop_front())? {
                Planned::Fault(Fault::DiskFull) => Some(Injected::Fail(StoreError::Full("injected".into()))),
                Planned::Fault(Fault::Io) => Some(Injected::Fail(StoreError::Io("injected".into()))),
                Planned::Fault(Fault::Disconnect) => Some(Injected::Disconnect),
                Planned::Hold { arrived, released } => {
                    // Either side may be gone: a test that ended opens its gates.
                    let _ = arrived.send(());
                    let _ = released.recv();
                    None
                }
            }
        }
    }

    impl Gate {
        /// Blocks until a commit stands before the gate.
        pub fn wait(&self) {
            let _ = self.arrived.recv();
        }
        /// Lets it go on.
        pub fn open(self) {
            let _ = self.release.send(());
        }
    }
}
