//! A closure on its way to a database thread, and its answer on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{
    error::StoreError,
    reach::Reach,
    sql::{Read, Sql},
};

/// A write transaction in line.
pub(crate) trait Write: Send {
    /// Whose rows it may reach.
    fn reach(&self) -> Reach;
    /// Whether it stands for one caller among many, so that others are worth waiting for.
    fn single(&self) -> bool;
    /// Runs the closure. `true`: keep what it wrote.
    fn run(&mut self, sql: &mut dyn Sql) -> bool;
    /// Answers the caller: with what the closure returned, or with `error` in its place.
    fn answer(self: Box<Self>, error: Option<&StoreError>);
}

/// A read transaction in line.
pub(crate) trait ReadOnly: Send {
    /// Whose rows it may reach.
    fn reach(&self) -> Reach;
    /// Runs the closure. `true`: it succeeded.
    fn run(&mut self, sql: &mut dyn Read) -> bool;
    /// See [`Write::answer`].
    fn answer(self: Box<Self>, error: Option<&StoreError>);
}

/// The closure, then its result.
pub(crate) struct Job<F, T, E> {
    reach: Reach,
    /// See [`Write::single`].
    pub(crate) single: bool,
    closure: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E: From<StoreError>> Job<F, T, E> {
    pub(crate) fn new(reach: Reach, closure: F) -> (Box<Self>, oneshot::Receiver<Result<T, E>>) {
        let (reply, receiver) = oneshot::channel();
        (Box::new(Self { reach, single: true, closure: Some(closure), result: None, reply }), receiver)
    }

    fn call(&mut self, run: impl FnOnce(F) -> Result<T, E>) -> bool {
        let Some(closure) = self.closure.take() else { return false };
        // The closure is consumed and the transaction rolled back, so nothing half-changed is seen again.
        let result = catch_unwind(AssertUnwindSafe(|| run(closure))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(StoreError::Bug(format!("a transaction panicked: {text}")).into())
        });
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn finish(self, error: Option<&StoreError>) {
        let result = match (error, self.result) {
            (Some(error), _) => Err(error.clone().into()),
            (None, Some(result)) => result,
            (None, None) => Err(StoreError::Closed.into()),
        };
        // The caller may have gone; the transaction stands all the same.
        let _ = self.reply.send(result);
    }
}

impl<F, T, E> Write for Job<F, T, E>
where
    F: FnOnce(&mut dyn Sql) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn reach(&self) -> Reach {
        self.reach
    }
    fn single(&self) -> bool {
        self.single
    }
    fn run(&mut self, sql: &mut dyn Sql) -> bool {
        self.call(|f| f(sql))
    }
    fn answer(self: Box<Self>, error: Option<&StoreError>) {
        self.finish(error);
    }
}

impl<F, T, E> ReadOnly for Job<F, T, E>
where
    F: FnOnce(&mut dyn Read) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn reach(&self) -> Reach {
        self.reach
    }
    fn run(&mut self, sql: &mut dyn Read) -> bool {
        self.call(|f| f(sql))
    }
    fn answer(self: Box<Self>, error: Option<&StoreError>) {
        self.finish(error);
    }
}
