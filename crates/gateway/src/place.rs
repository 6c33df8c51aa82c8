//! Places where connections come in: sockets, or memory. A rehearsal replaces only places; this is the closed list.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use sekisho_kernel::{Policy, Problem, policy::Value};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Mutex, mpsc},
};

use crate::{problems, settings};

/// Bytes that one direction of an in-memory connection holds.
const MEMORY_BUFFER: usize = 64 * 1024;
/// In-memory connections waiting to be accepted.
const MEMORY_BACKLOG: usize = 1_024;

/// An accepted connection's bytes.
#[derive(Debug)]
pub enum Wire {
    /// TCP.
    Tcp(TcpStream),
    /// Within the process.
    Memory(DuplexStream),
}

/// One listener.
#[derive(Debug)]
pub enum Place {
    /// A bound socket.
    Tcp(TcpListener),
    /// Connections made by the process itself through a [`MemoryListener`].
    Memory(Mutex<mpsc::Receiver<(DuplexStream, IpAddr)>>),
}

/// The connecting side of an in-memory place. Clones connect to the same place.
#[derive(Clone, Debug)]
pub struct MemoryListener {
    sender: mpsc::Sender<(DuplexStream, IpAddr)>,
}

impl MemoryListener {
    /// A new place and the side that connects to it.
    pub fn new() -> (Self, Place) {
        let (sender, receiver) = mpsc::channel(MEMORY_BACKLOG);
        (Self { sender }, Place::Memory(Mutex::new(receiver)))
    }
    /// Connects as if from `peer`.
    ///
    /// # Errors
    /// `ConnectionRefused` once the gateway has shut down.
    pub async fn connect(&self, peer: IpAddr) -> io::Result<DuplexStream> {
        let (near, far) = tokio::io::duplex(MEMORY_BUFFER);
        let gone = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
        self.sender.send((far, peer)).await.map_err(gone)?;
        Ok(near)
    }
}

impl Place {
    /// Binds a socket.
    ///
    /// # Errors
    /// `LISTEN`, naming the address.
    pub async fn bind(address: &str) -> Result<Self, Problem> {
        let failed = |e: io::Error| Problem::new(&problems::LISTEN).at(address.to_owned()).log(e);
        Ok(Self::Tcp(TcpListener::bind(address).await.map_err(failed)?))
    }
    /// The next connection and its peer.
    pub(crate) async fn accept(&self) -> io::Result<(Wire, IpAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Small answers must not wait for a delayed acknowledgement.
                stream.set_nodelay(true)?;
                Ok((Wire::Tcp(stream), peer.ip().to_canonical()))
            }
            Self::Memory(receiver) => match receiver.lock().await.recv().await {
                Some((stream, peer)) => Ok((Wire::Memory(stream), peer.to_canonical())),
                None => std::future::pending().await,
            },
        }
    }
    /// The bound address; `None` in memory.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Memory(_) => None,
        }
    }
}

/// All listeners of one instance.
#[derive(Debug, Default)]
pub struct Places {
    /// HTTPS.
    pub https: Vec<Place>,
    /// Plain HTTP.
    pub http: Vec<Place>,
    /// Forward-auth.
    pub forward_auth: Vec<Place>,
}

/// The connecting sides of [`Places::memory`].
#[derive(Clone, Debug)]
pub struct MemoryPlaces {
    /// HTTPS.
    pub https: MemoryListener,
    /// Plain HTTP.
    pub http: MemoryListener,
    /// Forward-auth.
    pub forward_auth: MemoryListener,
}

impl Places {
    /// The sockets that the policy declares, bound; no others.
    ///
    /// # Errors
    /// `LISTEN` for the first that cannot be bound.
    pub async fn bind(policy: &Policy) -> Result<Self, Problem> {
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        for (places, setting) in all.iter_mut().zip([&settings::HTTPS, &settings::HTTP, &settings::FORWARD_AUTH]) {
            let Value::List(addresses) = policy.value(setting) else { continue };
            for address in addresses {
                places.push(Place::bind(&address).await?);
            }
        }
        let [https, http, forward_auth] = all;
        Ok(Self { https, http, forward_auth })
    }
    /// One place of each kind in memory.
    pub fn memory() -> (MemoryPlaces, Self) {
        let (https, https_place) = MemoryListener::new();
        let (http, http_place) = MemoryListener::new();
        let (forward_auth, forward_place) = MemoryListener::new();
        let places = Self { https: vec![https_place], http: vec![http_place], forward_auth: vec![forward_place] };
        (MemoryPlaces { https, http, forward_auth }, places)
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// HTTPS.
    Https,
    /// Plain HTTP.
    Http,
    /// Forward-auth.
    ForwardAuth,
}

/// A bound socket and what it is for.
pub type Bound = (Entrance, SocketAddr);

/// Every place with its kind, for the accept loops.
pub(crate) fn each(places: Places) -> Vec<(Entrance, Arc<Place>)> {
    let kinds = [Entrance::Https, Entrance::Http, Entrance::ForwardAuth];
    let lists = [places.https, places.http, places.forward_auth];
    kinds.into_iter().zip(lists).flat_map(|(k, l)| l.into_iter().map(move |p| (k, Arc::new(p)))).collect()
}

macro_rules! either {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Wire::Tcp($stream) => $call,
            Wire::Memory($stream) => $call,
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, s => Pin::new(s).poll_read(cx, buf))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, s => Pin::new(s).poll_write(cx, buf))
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, s => Pin::new(s).poll_write_vectored(cx, bufs))
    }
    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(s) => s.is_write_vectored(),
            Self::Memory(s) => s.is_write_vectored(),
        }
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, s => Pin::new(s).poll_flush(cx))
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, s => Pin::new(s).poll_shutdown(cx))
    }
}
