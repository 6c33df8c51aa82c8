//! The one way out. Implemented in `gateway`, handed down by the binary; no other part opens connections.

use std::pin::Pin;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::problem::Problem;

/// A connected byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why a connection is wanted; what is not on this list cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The application behind the door.
    Upstream,
    /// The feed of the firewall's rule sets.
    Feed,
}

/// Opens outgoing connections to destinations the policy lists.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Connects to `authority` (`host:port`), or refuses.
    async fn connect(&self, purpose: Purpose, authority: &str) -> Result<Pin<Box<dyn Stream>>, Problem>;
}
