//! The vocabulary every room of Sekisho shares: ids, time, randomness, texts, problems, policy, rights,
//! data classes, events, hooks, and the shapes of a control, a claim and a probe. It does no I/O.
//!
//! Layer L0: may use nothing of the workspace.

pub mod access;
pub mod actor;
pub mod catalogue;
pub mod claim;
pub mod egress;
pub mod event;
pub mod gate;
pub mod hook;
pub mod id;
pub mod jws;
pub mod percent;
pub mod policy;
pub mod problem;
pub mod rehearsal;
pub mod rng;
pub mod secret;
pub mod text;
pub mod time;
pub mod world;

pub use access::{Function, Grant, Right, RightSet, RightsView, Target};
pub use actor::{Actor, Cx, Job, Once, TraceId};
pub use catalogue::{DataClass, IndexedField, RecordDef};
pub use event::{Event, Outcome};
pub use id::Id;
pub use policy::{Effective, Policy, Schema, Setting, TenantSettings};
pub use problem::{Category, Problem, ProblemKind};
pub use rehearsal::TakenOut;
pub use rng::{Rng, SystemRng};
pub use secret::Secret;
pub use text::{Lang, Text};
pub use time::{Clock, SystemClock, Time, Zone};
