//! The feed: newer rule sets fetched, verified, tested and put in force; what fails leaves the set before it in force.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use sekisho_kernel::{
    Problem, TakenOut, Text, Time,
    egress::{Egress, Purpose, Stream},
    gate::FirewallSource,
};
use tokio::time::timeout;

use super::{
    Firewall, Loaded, Origin, SetInfo,
    archive::{self, Archive, MOST_BYTES, SUFFIX},
    selfcheck, sources,
};
use crate::problems;

/// The file in which the newest accepted archive is kept.
const ACCEPTED: &str = "accepted.sekisho-rules";
/// The name under which an `https` feed has its newest archive.
const LATEST: &str = "latest.sekisho-rules";
/// Files of a feed folder that are looked at.
const MOST_FILES: usize = 1_000;
/// How long fetching over the network may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the feed's visits remember.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Digests of archives that were refused: each is told of once.
    refused: HashSet<[u8; 32]>,
    asked: Option<Time>,
    told_stale: Option<Time>,
}

/// An archive that was not put in force.
#[derive(Debug)]
pub struct Refusal {
    /// Its name and number, as it calls itself.
    pub name: String,
    /// Its number, as it says.
    pub version: u64,
    /// Why.
    pub problem: Problem,
    /// Whether it was in force for a moment.
    pub rolled_back: bool,
}

/// What a visit to the feed brought.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The set that is in force now.
    pub loaded: Option<SetInfo>,
    /// What was refused, each archive once.
    pub refused: Vec<Refusal>,
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    out
}

fn unreachable(place: &str, why: impl std::fmt::Display) -> Problem {
    let why = why.to_string();
    Problem::new(&problems::FEED_UNREACHABLE).at(place.to_owned()).detail(Text::owned(why.clone(), why))
}

impl Firewall {
    /// Whether the feed is to be asked now; then it counts as asked.
    pub fn feed_due(&self) -> bool {
        let source = self.source();
        let now = self.0.clock.now();
        let mut memory = self.0.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let due = !source.feed.is_empty() && memory.asked.is_none_or(|at| now.since(at) >= source.every);
        if due {
            memory.asked = Some(now);
        }
        due
    }

    /// Whether the set in force is older than the policy allows, and nobody was told for a day; then it counts as told.
    pub fn stale_now(&self) -> Option<Duration> {
        let now = self.0.clock.now();
        let age = now.since(self.info().made);
        let mut memory = self.0.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let told = memory.told_stale.is_some_and(|at| now.since(at) < Duration::from_secs(86_400));
        if age <= self.max_age() || told {
            return None;
        }
        memory.told_stale = Some(now);
        Some(age)
    }

    /// Asks the feed, tests what is newer, and puts the newest sound one in force.
    ///
    /// # Errors
    /// `FEED_UNREACHABLE`: the feed could not be read. What it holds and is not sound is no error but a [`Refusal`].
    pub async fn fetch(&self, egress: &dyn Egress) -> Result<Fetched, Problem> {
        let source = self.source();
        if source.feed.is_empty() {
            return Ok(Fetched::default());
        }
        let archives = if source.feed.starts_with("https://") {
            vec![
                timeout(PATIENCE, download(&source, egress, &self.0.clock))
                    .await
                    .map_err(|_| unreachable(&source.feed, "time-out"))??,
            ]
        } else {
            let folder = PathBuf::from(&source.feed);
            tokio::task::spawn_blocking(move || folder_of(&folder))
                .await
                .map_err(|e| unreachable(&source.feed, e))??
        };
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.consider(archives)).await.map_err(|e| unreachable("waf.feed", e))
    }

    /// The newest first: once it is in force, what is older is refused and told of once.
    fn consider(&self, archives: Vec<Vec<u8>>) -> Fetched {
        let mut out = Fetched::default();
        let mut named: Vec<(archive::Manifest, Vec<u8>)> = Vec::new();
        for bytes in archives {
            match archive::peek(&bytes) {
                Some(manifest) => named.push((manifest, bytes)),
                None => self.refuse(&mut out, String::new(), 0, &bytes, Problem::new(&problems::FEED_REFUSED), false),
            }
        }
        named.sort_by_key(|(m, _)| std::cmp::Reverse(m.version));
        for (manifest, bytes) in named {
            let accepted = fs::read(self.0.home.join(ACCEPTED)).unwrap_or_default();
            if bytes == accepted {
                continue;
            }
            let before = self.current();
            match self.take(&bytes) {
                Ok(loaded) => match self.put_in_force(loaded, &bytes) {
                    Ok(info) => out.loaded = Some(info),
                    Err(problem) => {
                        self.put_back(before);
                        self.refuse(&mut out, manifest.name, manifest.version, &bytes, problem, true);
                    }
                },
                Err(problem) => self.refuse(&mut out, manifest.name, manifest.version, &bytes, problem, false),
            }
        }
        out
    }

    fn refuse(&self, out: &mut Fetched, name: String, version: u64, bytes: &[u8], problem: Problem, rolled_back: bool) {
        let mut memory = self.0.feed.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.refused.len() > MOST_FILES {
            memory.refused.clear();
        }
        if memory.refused.insert(digest(bytes)) {
            out.refused.push(Refusal { name, version, problem, rolled_back });
        }
    }

    /// Verifies and tests an archive; nothing is in force yet.
    fn take(&self, bytes: &[u8]) -> Result<Loaded, Problem> {
        let source = self.source();
        let key = Some(source.feed_key.as_str()).filter(|_| self.0.out != Some(TakenOut::FeedSignature));
        let archive = Archive::open(bytes, key)?;
        let current = self.info();
        if current.origin == Origin::Feed && archive.manifest.version <= current.version {
            return Err(Problem::new(&problems::FEED_REFUSED).detail(Text::owned(
                format!(
                    "第 {} 版は、使用中の第 {} 版より新しくありません。",
                    archive.manifest.version, current.version
                ),
                format!("number {} is not newer than {}, which is in force", archive.manifest.version, current.version),
            )));
        }
        sources::from_archive(&archive, self.0.clock.now())
    }

    /// Puts a set in force, looks at it there, and remembers it for the next start.
    fn put_in_force(&self, loaded: Loaded, bytes: &[u8]) -> Result<SetInfo, Problem> {
        self.swap(loaded);
        let current = self.current();
        selfcheck::run(&current).map_err(|why| sources::unusable(&current.info.name, why))?;
        self.remember(bytes).map_err(|e| sources::unusable("firewall", e))?;
        Ok(current.info.clone())
    }

    fn remember(&self, bytes: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.0.home)?;
        let fresh = self.0.home.join("accepted.new");
        fs::write(&fresh, bytes)?;
        fs::rename(fresh, self.0.home.join(ACCEPTED))
    }

    /// At a start: the newest set that was accepted before, if it is still sound. Else the rules of the policy stay in force.
    pub(super) fn take_up_accepted(&self) {
        if self.source().feed.is_empty() {
            return;
        }
        let Ok(bytes) = fs::read(self.0.home.join(ACCEPTED)) else { return };
        match self.take(&bytes) {
            Ok(loaded) => {
                self.swap(loaded);
            }
            Err(problem) => tracing::error!(
                ?problem,
                "the rule set accepted before is not sound; the policy's own rules are in force"
            ),
        }
    }
}

fn folder_of(dir: &Path) -> Result<Vec<Vec<u8>>, Problem> {
    let place = dir.display().to_string();
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| unreachable(&place, e))?.take(MOST_FILES) {
        let path = entry.map_err(|e| unreachable(&place, e))?.path();
        let named = path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.ends_with(SUFFIX));
        let small = fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() <= MOST_BYTES as u64);
        if named && small {
            out.push(fs::read(&path).map_err(|e| unreachable(&place, e))?);
        }
    }
    Ok(out)
}

async fn download(
    source: &FirewallSource,
    egress: &dyn Egress,
    clock: &sekisho_kernel::time::SharedClock,
) -> Result<Vec<u8>, Problem> {
    let failed = |e: &dyn std::fmt::Display| unreachable(&source.feed, e);
    let address = format!("{}/{LATEST}", source.feed.trim_end_matches('/'));
    let uri: Uri = address.parse().map_err(|e| failed(&e))?;
    let host = uri.host().ok_or_else(|| failed(&"it names no host"))?.to_owned();
    let authority = format!("{host}:{}", uri.port_u16().unwrap_or(443));
    let connector = crate::upstream::connector(&source.feed_ca, clock).map_err(|e| failed(&e))?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|e| failed(&e))?;
    let plain: Pin<Box<dyn Stream>> = egress.connect(Purpose::Feed, &authority).await?;
    let stream = connector.connect(name, plain).await.map_err(|e| failed(&e))?;
    let (mut sender, link) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| failed(&e))?;
    let link = tokio::spawn(link);
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let request = Request::get(path)
        .header(header::HOST, authority.trim_end_matches(":443"))
        .header(header::ACCEPT, "application/octet-stream")
        .body(Empty::<Bytes>::new())
        .map_err(|e| failed(&e))?;
    let answer = sender.send_request(request).await.map_err(|e| failed(&e))?;
    if answer.status() != http::StatusCode::OK {
        return Err(failed(&answer.status()));
    }
    let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await.map_err(|e| failed(&e))?;
    link.abort();
    Ok(body.to_bytes().to_vec())
}

/// What [`Firewall`] is known to share; keeps the type's parts in one place.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Firewall>();
    shared::<Arc<Loaded>>();
};
