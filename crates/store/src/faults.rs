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

impl FaultPoint {
    /// Called in place of each physical commit's first step.
    #[cfg(any(test, feature = "faults"))]
    pub(crate) fn at_commit(&self) -> Option<Injected> {
        self.faults.as_ref().and_then(Faults::next)
    }
    /// Called in place of each physical commit's first step.
    #[cfg(not(any(test, feature = "faults")))]
    pub(crate) const fn at_commit(&self) -> Option<Injected> {
        None
    }
}

#[cfg(any(test, feature = "faults"))]
pub use plan::{Fault, Faults};

#[cfg(any(test, feature = "faults"))]
mod plan {
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex, PoisonError},
        time::Duration,
    };

    use super::{Injected, StoreError};

    /// One thing that goes wrong with one physical commit.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Fault {
        /// No room left.
        DiskFull,
        /// The disk answers with an error.
        Io,
        /// It takes this much longer, then succeeds.
        Delay(Duration),
        /// The connection to the database ends before the commit is sent.
        Disconnect,
    }

    /// A plan of faults, shared between a test and the store it gave it to.
    #[derive(Clone, Debug, Default)]
    pub struct Faults(Arc<Mutex<VecDeque<Fault>>>);

    impl Faults {
        /// No faults yet.
        pub fn new() -> Self {
            Self::default()
        }
        /// The next `count` physical commits suffer `fault`, after those planned already.
        pub fn plan(&self, count: usize, fault: Fault) {
            self.lock().extend(std::iter::repeat_n(fault, count));
        }
        /// How many planned faults have not happened yet.
        pub fn left(&self) -> usize {
            self.lock().len()
        }
        fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Fault>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
        pub(super) fn next(&self) -> Option<Injected> {
            let fault = self.lock().pop_front()?;
            match fault {
                Fault::DiskFull => Some(Injected::Fail(StoreError::Full("injected".into()))),
                Fault::Io => Some(Injected::Fail(StoreError::Io("injected".into()))),
                Fault::Disconnect => Some(Injected::Disconnect),
                Fault::Delay(span) => {
                    std::thread::sleep(span);
                    None
                }
            }
        }
    }
}
