//! The vault itself.

use std::sync::Arc;

use sekisho_kernel::{
    Cx, Event, Outcome, Problem, Time,
    id::{EntryId, RecordId, TenantId},
    problem::INTERNAL,
};

use crate::{Act, Committed, Keeper, Permit, Scope, Tx, View, history};

/// Tenant data. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<()>,
}

impl Vault {
    /// Checks the access, writes, and enters the act in one transaction. Exactly one entry follows: the one that
    /// `f` commits, or else, after the rollback, one that says `refused` (for `FORBIDDEN`, `UNAUTHENTICATED`, too many)
    /// or `failed`.
    ///
    /// # Errors
    /// `FORBIDDEN` without the right, and whatever `f` returns.
    pub async fn act<T, F>(&self, _cx: &Cx, _act: Act, _f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>, Permit) -> Result<Committed<T>, Problem> + Send + 'static,
    {
        let _ = &self.inner;
        Err(Problem::new(&INTERNAL))
    }

    /// Checks the access, reads, and makes one entry.
    ///
    /// # Errors
    /// As [`Vault::act`].
    pub async fn look<T, F>(&self, _cx: &Cx, _act: Act, _f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut View<'_>) -> Result<T, Problem> + Send + 'static,
    {
        Err(Problem::new(&INTERNAL))
    }

    /// The system's own reads (session resolution, policy): no entry.
    ///
    /// # Errors
    /// Whatever `f` returns.
    pub async fn peek<T, F>(&self, _scope: &Scope, _f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut View<'_>) -> Result<T, Problem> + Send + 'static,
    {
        Err(Problem::new(&INTERNAL))
    }

    /// Bookkeeping columns and counters: no entry.
    ///
    /// # Errors
    /// Whatever `f` returns.
    pub async fn keep<T, F>(&self, _scope: &Scope, _f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Keeper<'_>) -> Result<T, Problem> + Send + 'static,
    {
        Err(Problem::new(&INTERNAL))
    }

    /// An entry without a write, accepted when this returns. Refusals of strangers beyond 10 per address and minute are
    /// counted, and the count is entered at the minute's end.
    ///
    /// # Errors
    /// The store's.
    pub async fn enter(
        &self,
        _cx: &Cx,
        _event: &'static Event,
        _outcome: Outcome,
        _object: &str,
        _detail: Vec<(&'static str, String)>,
    ) -> Result<(), Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// The record that a platform pointer leads to, with the scope of its tenant; `None` also when it has run out.
    ///
    /// # Errors
    /// The store's.
    pub async fn resolve_pointer(
        &self,
        _kind: &'static str,
        _key: &[u8],
    ) -> Result<Option<(Scope, RecordId)>, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// Makes a tenant: its keys and its log. The context's tenant is the new one's id, its actor first-start or command.
    /// The first act in it enters its making.
    ///
    /// # Errors
    /// `FORBIDDEN` for another actor; the store's.
    pub async fn create_tenant(&self, _cx: &Cx) -> Result<(), Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// Calls `hook` with topic and payload of every committed notice of every node, for one's own before the writer is
    /// answered. After a gap the topic is `resync`: whatever is cached must go. It must be quick and write nothing.
    pub fn on_notice(&self, _hook: impl Fn(&str, &str) + Send + Sync + 'static) {}

    /// Whether notices of other nodes reach this one. While not, whatever is cached must be asked anew at every request.
    pub fn in_contact(&self) -> bool {
        true
    }

    /// Every tenant, oldest first; the platform is not among them.
    ///
    /// # Errors
    /// The store's.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// A keyed hash (HMAC-SHA256 under the tenant's blind-index key) for counters and caches that must not show what
    /// they are about. Stable over scheduled key rotation.
    ///
    /// # Errors
    /// The store's, where the key has to be read.
    pub async fn keyed_hash(&self, _scope: &Scope, _label: &'static str, _data: &[u8]) -> Result<[u8; 32], Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// Seals a short text (a list's cursor, a sign-in challenge) under the tenant's key, bound to `context` (tenant is
    /// implied; name the route and filter). URL-safe base64.
    ///
    /// # Errors
    /// The store's, where the key has to be read.
    pub async fn seal_text(&self, _scope: &Scope, _context: &str, _plain: &str) -> Result<String, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// Opens what [`Vault::seal_text`] sealed for the same tenant and context; `None` for anything else.
    ///
    /// # Errors
    /// The store's, where the key has to be read.
    pub async fn open_text(&self, _scope: &Scope, _context: &str, _sealed: &str) -> Result<Option<String>, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// The answer already given to this idempotency key within 24 h, if the request's fingerprint is the same.
    ///
    /// # Errors
    /// `CONFLICT` when the key was used for another request.
    pub async fn answered(&self, _cx: &Cx, _key: &str, _fingerprint: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// Keeps an answer (sealed) under the idempotency key for 24 h.
    ///
    /// # Errors
    /// `CONFLICT` when another request has taken the key meanwhile.
    pub async fn keep_answer(&self, _cx: &Cx, _key: &str, _fingerprint: &[u8], _answer: &[u8]) -> Result<(), Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// Entries of the scope's log, newest first. Reading is itself an act: enter it.
    ///
    /// # Errors
    /// The store's; `INVALID` for a free-text search over more than 10,000 entries.
    pub async fn history(&self, _scope: &Scope, _filter: history::Filter) -> Result<history::Found, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// One entry of the scope's log.
    ///
    /// # Errors
    /// The store's.
    pub async fn history_entry(&self, _scope: &Scope, _id: EntryId) -> Result<Option<history::Row>, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// The C2SP tlog-proof of one entry; `None` while no checkpoint covers it.
    ///
    /// # Errors
    /// The store's.
    pub async fn history_proof(&self, _scope: &Scope, _id: EntryId) -> Result<Option<String>, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// The newest signed checkpoint of the scope's log.
    ///
    /// # Errors
    /// The store's.
    pub async fn history_checkpoint(&self, _scope: &Scope) -> Result<Option<String>, Problem> {
        Err(Problem::new(&INTERNAL))
    }

    /// The moment, by the instance's clock.
    pub fn now(&self) -> Time {
        Time::ZERO
    }
}
