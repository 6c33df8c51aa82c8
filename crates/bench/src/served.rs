//! The binary itself, serving a data directory.

use std::{
    fs,
    net::{IpAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    pin::Pin,
    process::{Command, Stdio},
    time::Duration,
};

use sekisho_kernel::{
    Clock, SystemClock, Time,
    claim::Trouble,
    egress::Stream,
    world::{Answer, Ask},
};
use sekisho_prober::client::{Client, Dial};

use crate::machine::Running;

/// The session cookie of every host.
pub const COOKIE: &str = "__Host-sekisho";

/// The release binary, built by `cargo xtask bench` beforehand.
pub fn binary() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name("sekisho")
}

/// A serving process. It ends with this value.
pub struct Served {
    running: Running,
    /// Its HTTPS port.
    pub port: u16,
    /// The authority that its certificates come from, PEM.
    authority: String,
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until something listens.
pub fn listening(port: u16) {
    for _ in 0..1_200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing listens on port {port}");
}

/// A file's text, once it is there: sockets are bound before certificates are made.
fn written(path: &Path) -> String {
    for _ in 0..200 {
        match fs::read_to_string(path) {
            Ok(text) if text.contains("-----END CERTIFICATE-----") => return text,
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    panic!("{} was never written", path.display());
}

impl Served {
    /// Serves `data` under the netmeister profile, and `more` of a policy, in front of `upstream`; on one core if told so.
    pub fn start(data: &Path, upstream: &str, core: Option<usize>, more: &str) -> Self {
        Self::start_with(data, upstream, core, "", more)
    }

    /// The same, with further lines of the policy's listeners.
    pub fn start_with(data: &Path, upstream: &str, core: Option<usize>, listen: &str, more: &str) -> Self {
        let port = free_port();
        let policy = format!(
            "name = \"bench\"\nextends = \"netmeister\"\n\n[listen]\nhttps = [\"127.0.0.1:{port}\"]\n{listen}\n\
             [door]\nupstream = \"{upstream}\"\n{more}"
        );
        fs::write(data.join("policy.toml"), policy).unwrap();
        let mut command = Command::new(binary());
        command.args(["--lang", "en", "serve", "--data"]).arg(data).stdout(Stdio::null());
        let running = match core {
            Some(core) => Running::on_core(core, &command),
            None => Running(command.spawn().unwrap()),
        };
        listening(port);
        Self { running, port, authority: written(&data.join("authority.pem")) }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.running.0.id()
    }

    /// A client that trusts its authority.
    pub fn client(&self) -> Client<ToPort> {
        Client::new(ToPort(self.port), &self.authority).unwrap()
    }
}

/// Dials a port of this machine.
pub struct ToPort(u16);

#[async_trait::async_trait]
impl Dial for ToPort {
    async fn dial(&self, _: usize, _: &str, _: IpAddr) -> Result<Pin<Box<dyn Stream>>, Trouble> {
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", self.0)).await;
        let stream = stream.map_err(|e| Trouble::of("connecting", e))?;
        stream.set_nodelay(true).map_err(|e| Trouble::of("connecting", e))?;
        Ok(Box::pin(stream))
    }
    fn now(&self) -> Time {
        SystemClock.now()
    }
}

/// A signed-in request for a page, over connection `number` or a fresh one.
pub async fn page(client: &Client<ToPort>, host: &str, path: &str, token: &str, number: Option<u32>) -> Answer {
    let mut ask =
        Ask::new("GET", host, path).header("cookie", format!("{COOKIE}={token}")).header("accept", "text/html");
    ask.connection = number;
    let answer = client.send(&ask).await.unwrap();
    assert_eq!(answer.status, 200, "{host}{path}: {:?}", answer.headers);
    answer
}
