//! The command socket: the one way in which commands on the host reach a running instance. A Unix socket in the data
//! directory, 0600, whose peer must be the same user or root; one JSON line each way; every command is an entry.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use sekisho_kernel::world::CommandOutcome;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

const NAME: &str = "command.sock";
const LONGEST_LINE: u64 = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    args: Vec<String>,
    input: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

/// What answers commands.
#[async_trait]
pub trait Commands: Send + Sync {
    /// Runs one command line (without the program's name), `input` being what came with it.
    async fn command(&self, args: Vec<String>, input: Option<String>) -> CommandOutcome;
}

/// Where the socket of a data directory is.
pub fn path(data: &Path) -> PathBuf {
    data.join(NAME)
}

/// A listening command socket; its file goes when it is dropped.
pub struct CommandSocket {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for CommandSocket {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Listens in `data`. The caller holds the store's exclusive lock, so a socket file that is already there is a dead one's.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(data: &Path, commands: Arc<dyn Commands>) -> std::io::Result<CommandSocket> {
    let path = path(data);
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let task = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let commands = commands.clone();
                    tokio::spawn(async move {
                        if let Err(error) = answer(stream, &*commands).await {
                            tracing::warn!(%error, "a command was not answered");
                        }
                    });
                }
                Err(error) => tracing::warn!(%error, "the command socket could not accept"),
            }
        }
    });
    Ok(CommandSocket { path, task })
}

async fn answer(stream: UnixStream, commands: &dyn Commands) -> std::io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer != 0 && peer != rustix::process::getuid().as_raw() {
        return Err(std::io::Error::other(format!("user {peer} may not give commands")));
    }
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    timeout(Duration::from_secs(10), BufReader::new(read.take(LONGEST_LINE)).read_line(&mut line)).await??;
    let request: Request = serde_json::from_str(&line)?;
    let outcome = commands.command(request.args, request.input).await;
    let answer = Answer { code: outcome.code, stdout: outcome.stdout, stderr: outcome.stderr };
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}

/// Gives a command to the instance that serves `data`. `None` when none is running.
///
/// # Errors
/// When one is running and does not answer.
pub async fn ask(data: &Path, args: &[String], input: Option<String>) -> std::io::Result<Option<CommandOutcome>> {
    let stream = match UnixStream::connect(path(data)).await {
        Ok(stream) => stream,
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(&Request { args: args.to_vec(), input })?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut answer = String::new();
    timeout(PATIENCE, BufReader::new(read.take(LONGEST_LINE)).read_line(&mut answer)).await??;
    let answer: Answer = serde_json::from_str(&answer)?;
    Ok(Some(CommandOutcome { code: answer.code, stdout: answer.stdout, stderr: answer.stderr }))
}
