//! The door: listeners, TLS, the phases of a request, the reverse proxy, forward-auth, and the one way out.
//!
//! Layer L2. It knows the kernel's hooks only; who is behind a session, what a control decides and where an entry is
//! kept are answered by whoever the binary puts in [`Parts`]. The order in which a request is looked at stands in
//! one file, `phases.rs`.
//!
//! Waiting for the network (handshakes, headers, bodies, the application) is measured in real time by the runtime;
//! everything that is compared or written (validity, expiry, minutes of entries) comes from the instance's clock.

mod activity;
pub mod assertion;
mod body;
mod connection;
mod cookies;
mod device;
mod door;
mod entrance;
pub mod firewall;
pub mod forward_auth;
mod headers;
pub mod host;
mod limits;
pub mod out;
pub mod outside;
mod page;
mod phases;
mod place;
mod plain;
pub mod problems;
mod proxy;
mod reads;
mod request_line;
mod rules;
pub mod settings;
pub mod tls;
mod upstream;
mod watch;
mod way;

pub use assertion::{Algorithm, PublicKey, Signer, jwks};
pub use body::{BoxError, PageBody, TooLarge, Upload};
pub use cookies::{SESSION as SESSION_COOKIE, START as START_COOKIE};
pub use door::{Gateway, Pages, Parts};
pub use entrance::OWN;
pub use headers::{ASSERTION, TRACE};
pub use out::{Origin, PolicyEgress};
pub use outside::{Beyond, Internet, PolicyOutside};
pub use place::{Bound, Entrance, MemoryListener, MemoryPlaces, Place, Places, Wire};
pub use tls::{CertStore, FileCertStore};
