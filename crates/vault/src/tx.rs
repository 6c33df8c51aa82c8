//! Reading and writing within one tenant.

use std::marker::PhantomData;

use sekisho_kernel::{Id, Problem, Time, id::Kind, id::RecordId, problem::INTERNAL};

use crate::{ClearValue, Committed, Entry, Page, Permit, Record, Stored};

/// Reads records of one tenant.
pub struct View<'a> {
    _of: PhantomData<&'a mut ()>,
}

impl View<'_> {
    /// The record with this id, or `None` where there is none in this tenant.
    ///
    /// # Errors
    /// The store's, and `SK-3…` when a stored row fails authentication.
    pub fn get<R: Record>(&mut self, _id: Id<impl Kind>) -> Result<Option<Stored<R>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// The records whose blind-indexed `field` equals `value` (compared NFKC, case-folded, trimmed), at most 1,000.
    ///
    /// # Errors
    /// As [`View::get`].
    pub fn find<R: Record>(&mut self, _field: &'static str, _value: &str) -> Result<Vec<Stored<R>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// A page of records.
    ///
    /// # Errors
    /// As [`View::get`].
    pub fn list<R: Record>(&mut self, _page: &Page<'_>) -> Result<Vec<Stored<R>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// How many records have these values in their clear columns.
    ///
    /// # Errors
    /// The store's.
    pub fn count<R: Record>(&mut self, _eq: &[(&'static str, ClearValue)]) -> Result<u64, Problem> {
        Err(Problem::new(&INTERNAL))
    }
}

/// Reads and writes records of one tenant. Nothing of it stands unless [`Tx::commit`] has been called and its answer
/// returned.
pub struct Tx<'a> {
    _of: PhantomData<&'a mut ()>,
}

impl Tx<'_> {
    /// The same transaction, for helpers that only read.
    pub fn view(&mut self) -> View<'_> {
        View { _of: PhantomData }
    }
    /// See [`View::get`].
    ///
    /// # Errors
    /// As there.
    pub fn get<R: Record>(&mut self, id: Id<impl Kind>) -> Result<Option<Stored<R>>, Problem> {
        self.view().get(id)
    }
    /// See [`View::find`].
    ///
    /// # Errors
    /// As there.
    pub fn find<R: Record>(&mut self, field: &'static str, value: &str) -> Result<Vec<Stored<R>>, Problem> {
        self.view().find(field, value)
    }
    /// See [`View::list`].
    ///
    /// # Errors
    /// As there.
    pub fn list<R: Record>(&mut self, page: &Page<'_>) -> Result<Vec<Stored<R>>, Problem> {
        self.view().list(page)
    }
    /// See [`View::count`].
    ///
    /// # Errors
    /// As there.
    pub fn count<R: Record>(&mut self, eq: &[(&'static str, ClearValue)]) -> Result<u64, Problem> {
        self.view().count::<R>(eq)
    }
    /// The moment at which the act is done: the same throughout.
    pub fn now(&self) -> Time {
        Time::ZERO
    }
    /// A new record; its version, 1.
    ///
    /// # Errors
    /// `CONFLICT` when the id or a unique value is taken (the place names the field); the store's.
    pub fn insert<R: Record>(&mut self, _id: Id<impl Kind>, _body: &R) -> Result<i64, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Replaces the record as it was at `version`; the new version.
    ///
    /// # Errors
    /// `CONFLICT` when the version has moved or a unique value is taken, `NOT_FOUND` when there is no such record.
    pub fn update<R: Record>(&mut self, _id: Id<impl Kind>, _version: i64, _body: &R) -> Result<i64, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Deletes the record; whether there was one.
    ///
    /// # Errors
    /// The store's.
    pub fn delete<R: Record>(&mut self, _id: Id<impl Kind>) -> Result<bool, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Makes `key` (a host name, a hash of a token or of a mail domain) lead to a record of this tenant, before
    /// the tenant is known: [`crate::Vault::resolve_pointer`].
    ///
    /// # Errors
    /// `CONFLICT` when the key is taken.
    pub fn point(
        &mut self,
        _kind: &'static str,
        _key: &[u8],
        _target: Id<impl Kind>,
        _expires: Option<Time>,
    ) -> Result<(), Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Takes a pointer of this tenant away; whether there was one. Of two who take the same one, one is told `true`.
    ///
    /// # Errors
    /// The store's.
    pub fn unpoint(&mut self, _kind: &'static str, _key: &[u8]) -> Result<bool, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Where a pointer of this tenant leads; `None` also when it has run out.
    ///
    /// # Errors
    /// The store's.
    pub fn pointer(&mut self, _kind: &'static str, _key: &[u8]) -> Result<Option<RecordId>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Runs a bookkeeping statement in this same transaction: counters given back with the sign-in that succeeded,
    /// rights versions moved with the grant. The number of rows changed.
    ///
    /// # Errors
    /// As [`Keeper::run`].
    pub fn keep(&mut self, _statement: &'static Bookkeeping, _params: &[ClearValue]) -> Result<u64, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// As [`Tx::keep`]; its rows.
    ///
    /// # Errors
    /// As [`Keeper::run`].
    pub fn keep_rows(
        &mut self,
        _statement: &'static Bookkeeping,
        _params: &[ClearValue],
    ) -> Result<Vec<Vec<ClearValue>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Tells every node, once committed. Topic and payload together at most 4,000 bytes.
    ///
    /// # Errors
    /// A defect of ours when it is too long.
    pub fn notify(&mut self, _topic: &'static str, _payload: &str) -> Result<(), Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Writes the same event into the platform's log too, under the same entry id, without the tenant's data.
    pub fn also_platform(&mut self, _entry: Entry) {}
    /// Writes the act's entry and closes the transaction to further writes.
    ///
    /// # Errors
    /// `FORBIDDEN` when the person's rights have changed since the check; the store's.
    pub fn commit<T>(&mut self, permit: Permit, entry: Entry, value: T) -> Result<Committed<T>, Problem> {
        let _ = (permit.rights_version, entry);
        Ok(Committed { value })
    }
}

/// A statement on bookkeeping columns and counters: last use, counters, TOTP step, locks. Declared as a `static`,
/// handed to the vault when it is opened, printed in a golden file.
#[derive(Debug)]
pub struct Bookkeeping {
    /// What it is for, such as `session.touch`.
    pub name: &'static str,
    /// The statement: `SELECT`, `INSERT`, `UPDATE` or `DELETE`, also with `RETURNING`. `$1` is the tenant and must be
    /// held against (or inserted into) the column `tenant`; what the caller gives follows from `$2` on.
    pub sql: &'static str,
}

/// Runs bookkeeping statements in one tenant, in one transaction, without an entry.
pub struct Keeper<'a> {
    _of: PhantomData<&'a mut ()>,
}

impl Keeper<'_> {
    /// Runs the statement; the number of rows changed.
    ///
    /// # Errors
    /// A defect of ours when the statement was not declared to the vault; the store's.
    pub fn run(&mut self, _statement: &'static Bookkeeping, _params: &[ClearValue]) -> Result<u64, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// Runs the statement; its rows.
    ///
    /// # Errors
    /// As [`Keeper::run`].
    pub fn rows(
        &mut self,
        _statement: &'static Bookkeeping,
        _params: &[ClearValue],
    ) -> Result<Vec<Vec<ClearValue>>, Problem> {
        Err(Problem::new(&INTERNAL))
    }
    /// The moment.
    pub fn now(&self) -> Time {
        Time::ZERO
    }
}
