//! What somebody is about to do, and the proof that they may.

use sekisho_kernel::{Event, Job, Right, Target, id::EntryId};

/// What an act needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A signed-in person with this right on the target.
    Right(Right),
    /// A signed-in person, acting on their own account.
    Own,
    /// This job of the system, where the job matrix lists the event.
    Job(Job),
}

/// An act, before it is done.
#[derive(Clone, Debug)]
pub struct Act {
    /// What the entry will say happened.
    pub event: &'static Event,
    /// What it needs.
    pub need: Need,
    /// On what the right is needed. Its tenant must be the context's.
    pub target: Target,
    /// The opaque id (`usr_…`) or path that it is done to, for the entry of a refusal.
    pub object: String,
}

/// What the entry of a committed act says beside who, when and what.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The opaque id or path that it was done to; empty takes [`Act::object`].
    pub object: String,
    /// Details, by name. Sealed with the entry; people appear by opaque id only.
    pub detail: Vec<(&'static str, String)>,
}

impl Entry {
    /// About `object`, without details.
    pub fn of(object: impl ToString) -> Self {
        Self { object: object.to_string(), detail: Vec::new() }
    }
    /// With one more detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.detail.push((name, value.to_string()));
        self
    }
}

/// Proof that the access check passed for one act. Made by [`crate::Vault::act`] alone, used up by
/// [`crate::Tx::commit`].
///
/// ```compile_fail
/// // Nobody else makes one.
/// let permit = sekisho_vault::Permit { rights_version: None, entry: sekisho_kernel::Id::NIL };
/// ```
/// ```compile_fail
/// // And nobody has two: commit takes it away.
/// fn twice(tx: &mut sekisho_vault::Tx<'_>, permit: sekisho_vault::Permit) {
///     let _ = tx.commit(permit, sekisho_vault::Entry::default(), ());
///     let _ = tx.commit(permit, sekisho_vault::Entry::default(), ());
/// }
/// ```
#[derive(Debug)]
pub struct Permit {
    /// The rights version of the person's view, checked again at commit; `None` for jobs.
    pub(crate) rights_version: Option<i64>,
    /// The act's entry: a permit is good for its own act only.
    pub(crate) entry: EntryId,
}

/// Proof that an act's entry has been written; only [`crate::Tx::commit`] makes one, so no write ends without.
#[derive(Debug)]
#[must_use = "the act answers with it"]
pub struct Committed<T> {
    pub(crate) value: T,
}
