//! A wire between a rehearsal's service and the server, on which everything that passes is kept.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_postgres::config::Host;

use super::endpoint::Endpoint;
use crate::error::StoreError;

/// The port that the socket's name bears.
pub(crate) const PORT: u16 = 5432;

/// Everything that went one way over one connection.
type Kept = Arc<Mutex<Vec<u8>>>;

/// A Unix socket in a directory, behind which the real server is.
pub(crate) struct Wire {
    dir: PathBuf,
    passed: Arc<Mutex<Vec<Kept>>>,
    stopped: Arc<AtomicBool>,
}

trait Half: Read + Write + Send {
    fn again(&self) -> io::Result<Box<dyn Half>>;
    fn end(&self);
}

impl Half for UnixStream {
    fn again(&self) -> io::Result<Box<dyn Half>> {
        Ok(Box::new(self.try_clone()?))
    }
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Half for TcpStream {
    fn again(&self) -> io::Result<Box<dyn Half>> {
        Ok(Box::new(self.try_clone()?))
    }
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Wire {
    /// Listens in `dir`; whoever connects there reaches `server`.
    pub(crate) fn lay(dir: &Path, server: &Endpoint) -> Result<Self, StoreError> {
        let bad = |e: io::Error| StoreError::Io(format!("{}: {e}", dir.display()));
        let listener = UnixListener::bind(dir.join(socket(PORT))).map_err(bad)?;
        let wire = Self { dir: dir.to_owned(), passed: Arc::default(), stopped: Arc::default() };
        let (server, passed, stopped) = (server.clone(), wire.passed.clone(), wire.stopped.clone());
        let accept = move || {
            for near in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                if let Err(error) = join(near, &server, &passed) {
                    tracing::debug!(%error, "a connection to the lent server was not joined");
                }
            }
        };
        std::thread::Builder::new().name("wire".into()).spawn(accept).map_err(bad)?;
        Ok(wire)
    }

    /// What has passed, a piece for each way of each connection.
    pub(crate) fn passed(&self) -> Vec<Vec<u8>> {
        let all = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|one| one.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        let path = self.dir.join(socket(PORT));
        // Wakes the thread that accepts.
        let _ = UnixStream::connect(&path);
        let _ = std::fs::remove_file(path);
    }
}

fn socket(port: u16) -> String {
    format!(".s.PGSQL.{port}")
}

fn reach(server: &Endpoint) -> io::Result<Box<dyn Half>> {
    let config = server.config();
    let port = config.get_ports().first().copied().unwrap_or(PORT);
    if let Some(address) = config.get_hostaddrs().first() {
        return Ok(Box::new(TcpStream::connect((*address, port))?));
    }
    match config.get_hosts().first() {
        Some(Host::Unix(dir)) => Ok(Box::new(UnixStream::connect(dir.join(socket(port)))?)),
        Some(Host::Tcp(name)) => Ok(Box::new(TcpStream::connect((name.as_str(), port))?)),
        None => Err(io::Error::other("the server's address names no host")),
    }
}

fn join(near: UnixStream, server: &Endpoint, passed: &Mutex<Vec<Kept>>) -> io::Result<()> {
    let far = reach(server)?;
    let near: Box<dyn Half> = Box::new(near);
    for (from, to) in [(near.again()?, far.again()?), (far, near)] {
        let kept = Kept::default();
        passed.lock().unwrap_or_else(PoisonError::into_inner).push(kept.clone());
        std::thread::Builder::new().name("wire".into()).spawn(move || carry(from, to, &kept))?;
    }
    Ok(())
}

fn carry(mut from: Box<dyn Half>, mut to: Box<dyn Half>, kept: &Mutex<Vec<u8>>) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(n) = from.read(&mut piece) {
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&piece[..n]);
        if n == 0 || to.write_all(&piece[..n]).is_err() {
            break;
        }
    }
    from.end();
    to.end();
}
