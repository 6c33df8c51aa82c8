//! The console: server-rendered pages in Japanese and English, and the public API `/api/v1`, behind one axum router.
//!
//! Layer L3: may use the engines (L2), the vault (L1) and the kernel. [`routes::routes`] is the one list of what exists;
//! everything a page does is an act of the API under another address, with the same checks and the same entries.
//! Authorisation happens in the engines, where the act is done; here a right decides only what is shown.

mod api;
mod call;
mod cookie;
mod cors;
mod dpop;
mod files;
mod guard;
mod idempotency;
mod inputs;
pub mod messages;
pub mod openapi;
pub mod page;
mod parts;
mod pipe;
pub mod problem;
mod reply;
pub mod routes;
mod schemas;
mod serve;
mod shape;

pub use api::{
    claims::{Standing, join},
    firewall::{Blocked, ExclusionView, Figures, Ranked, SetView, State as FirewallState},
    history::{EntryView, view as entry_view},
};
pub use files::{MARK, SCRIPT, STYLE};
pub use parts::{Evidence, Parts, Proof};
pub use routes::{Access, RouteInfo, Surface, Verb, routes};
pub use serve::{MAX_BODY, router};
