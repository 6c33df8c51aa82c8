//! A browser as far as probes need one: a cookie jar per host, redirects followed, nothing else remembered.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use sekisho_kernel::{
    claim::Trouble,
    world::{Answer, Ask, Socket, World},
};
use serde_json::json;

use super::{
    Person, answer,
    person::{API, text},
    told,
};

/// A browser.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    jar: BTreeMap<String, BTreeMap<String, String>>,
    /// Cookies that go along with other sites' forms (`SameSite=None`).
    across: BTreeSet<(String, String)>,
    /// Where it sends from.
    pub peer: Option<IpAddr>,
    /// Which node it reaches.
    pub node: usize,
}

impl Browser {
    /// A fresh one that sends from an address.
    pub fn from(peer: Option<IpAddr>) -> Self {
        Self { peer, ..Self::default() }
    }

    /// The cookies it would send to a host.
    pub fn cookies(&self, host: &str) -> String {
        let of_host = self.jar.get(host).into_iter().flatten();
        of_host.map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ")
    }

    /// Sets a cookie as a script of the page would.
    pub fn keep(&mut self, host: &str, name: &str, value: &str) {
        self.jar.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
    }

    /// One request, as the browser would send it; cookies that come back are kept.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&mut self, world: &dyn World, ask: Ask) -> Result<Answer, Trouble> {
        let host = ask.host.clone();
        let got = world.send(self.dress(ask)).await?;
        self.take(&host, &got);
        Ok(got)
    }

    /// A form that another site's page sends: only cookies that are meant for that go along.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send_across(&mut self, world: &dyn World, ask: Ask) -> Result<Answer, Trouble> {
        let host = ask.host.clone();
        let meant = |name: &str| self.across.contains(&(host.clone(), name.to_owned()));
        let of_host = self.jar.get(&host).into_iter().flatten().filter(|(n, _)| meant(n));
        let cookies = of_host.map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ");
        let mut ask = ask.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
        if !cookies.is_empty() {
            ask = ask.header("cookie", cookies);
        }
        ask.peer = ask.peer.or(self.peer);
        ask.node = self.node;
        let got = world.send(ask).await?;
        self.take(&host, &got);
        Ok(got)
    }

    fn dress(&self, mut ask: Ask) -> Ask {
        let cookies = self.cookies(&ask.host);
        if !cookies.is_empty() {
            ask = ask.header("cookie", cookies);
        }
        if ask.method != "GET" {
            ask = ask.header("sec-fetch-site", "same-origin");
        }
        ask.peer = ask.peer.or(self.peer);
        ask.node = self.node;
        ask
    }

    fn take(&mut self, host: &str, got: &Answer) {
        for (_, line) in got.headers.iter().filter(|(n, _)| n == "set-cookie") {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|p| p.split_once('=')) else { continue };
            let jar = self.jar.entry(host.to_owned()).or_default();
            let of = (host.to_owned(), name.to_owned());
            if parts.clone().any(|p| p.eq_ignore_ascii_case("samesite=none")) {
                self.across.insert(of);
            } else {
                self.across.remove(&of);
            }
            if parts.any(|p| p.eq_ignore_ascii_case("max-age=0")) {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Opens an address and follows redirects, at most ten, over all hosts.
    ///
    /// # Errors
    /// When there is no answer or no end of redirects.
    pub async fn open(&mut self, world: &dyn World, host: &str, path: &str) -> Result<Visit, Trouble> {
        let (mut host, mut path) = (host.to_owned(), path.to_owned());
        for _ in 0..10 {
            let ask = Ask::new("GET", &host, &path).header("accept", "text/html,application/xhtml+xml");
            let got = self.send(world, ask).await?;
            let Some(to) = got.header("location").filter(|_| (300..400).contains(&got.status)) else {
                return Ok(Visit { host, path, answer: got });
            };
            if let Some(rest) = to.strip_prefix("https://") {
                let (authority, tail) = rest.split_once('/').unwrap_or((rest, ""));
                host = authority.split(':').next().unwrap_or(authority).to_owned();
                path = format!("/{tail}");
            } else {
                path = to.to_owned();
            }
        }
        Err(Trouble(format!("ten redirects after {path} there was still no page")))
    }

    /// Signs in on the console host, the session's cookie staying in the jar. What the account asks for beyond the
    /// password is answered as in [`Person::sign_in`].
    ///
    /// # Errors
    /// When the sign-in is refused.
    pub async fn sign_in(&mut self, world: &dyn World, person: &mut Person) -> Result<(), Trouble> {
        let console = person.console.clone();
        let body = json!({"name": person.name, "password": person.password});
        let mut got = self.send(world, Ask::new("POST", &console, &format!("{API}/sign-in")).json(&body)).await?;
        if text(&got.json(), "state") == "second-factor" {
            let body = json!({"challenge": text(&got.json(), "challenge"), "code": person.code(world)});
            got = self.send(world, Ask::new("POST", &console, &format!("{API}/sign-in/factor")).json(&body)).await?;
        }
        let body = got.json();
        if !answer::good(&got) || text(&body, "state") != "signed-in" {
            let state = text(&body, "state");
            return Err(Trouble(format!("the browser's sign-in was answered {} {state}", told(&got))));
        }
        Ok(())
    }

    /// Opens a WebSocket with the cookies of its host.
    ///
    /// # Errors
    /// When there is no answer; a refusal is inside `Ok`.
    pub async fn socket(
        &self,
        world: &dyn World,
        host: &str,
        path: &str,
    ) -> Result<Result<Box<dyn Socket>, Answer>, Trouble> {
        let ask = Ask::new("GET", host, path).header("origin", format!("https://{host}"));
        world.websocket(self.dress(ask)).await
    }
}

/// Where the browser ended up.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The host.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// The page.
    pub answer: Answer,
}

impl Visit {
    /// `200 at acme.app.localhost/`.
    pub fn told(&self) -> String {
        let path = self.path.split('?').next().unwrap_or(&self.path);
        format!("{} at {}{path}", told(&self.answer), self.host)
    }
}

/// Whether the socket still answers: `true` after an echo, `false` once it is closed.
///
/// # Errors
/// When it is silent: neither open nor closed.
pub async fn socket_answers(socket: &mut dyn Socket, words: &str) -> Result<bool, Trouble> {
    if socket.send(words).await.is_err() {
        return Ok(false);
    }
    Ok(socket.receive().await?.is_some())
}

/// Messages within one moment of the instance's clock: the door closes a WebSocket as soon as it hears of the end, but what
/// is under way meanwhile is answered, and a busy machine takes longer to hear.
const ONE_MOMENT: usize = 60;

/// Whether a WebSocket is still open after one moment of the instance's clock.
///
/// # Errors
/// When it is open and silent.
pub async fn socket_stays(socket: &mut dyn Socket, words: &str) -> Result<bool, Trouble> {
    for _ in 0..ONE_MOMENT {
        if !socket_answers(socket, words).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
