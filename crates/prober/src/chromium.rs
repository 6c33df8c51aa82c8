//! A real browser in front of a rehearsal: Chromium without a window, told what to do over the DevTools protocol.

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Stdio, sync::Arc, time::Duration};

use crate::client::key_mark;
use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use sekisho_kernel::{
    claim::Trouble,
    world::{RawFile, RealBrowser, Rehearsed},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// Longer than any page of a rehearsal takes, on a busy host too.
const PATIENCE: Duration = Duration::from_secs(120);

struct Chromium {
    devtools: WebSocketStream<TcpStream>,
    asked: u64,
    /// The protocol's session of each tab.
    tabs: Vec<String>,
    /// The session whose page has finished loading since it was last asked to.
    loaded: Option<String>,
    bridge: JoinHandle<()>,
    child: Child,
    profile: tempfile::TempDir,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.bridge.abort();
    }
}

/// Starts `program` with a profile of its own, or a copy of another's. Its every connection, whatever name it is for, leads to the instance's first
/// node.
pub(crate) async fn start(
    program: &Path,
    instance: Arc<dyn Rehearsed>,
    copied: &[RawFile],
) -> Result<Box<dyn RealBrowser>, Trouble> {
    let starting = |e: &dyn std::fmt::Display| Trouble(format!("starting {}: {e}", program.display()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|e| starting(&e))?;
    let port = listener.local_addr().map_err(|e| starting(&e))?.port();
    // Trusted like any site's: what a browser distrusts it does not cache either.
    let trusted = format!("--ignore-certificate-errors-spki-list={}", key_mark(&instance.trust())?);
    let bridge = tokio::spawn(serve(listener, instance));
    let profile = tempfile::tempdir().map_err(|e| starting(&e))?;
    for file in copied {
        let to = profile.path().join(&file.path);
        to.parent().map_or(Ok(()), fs::create_dir_all).map_err(|e| starting(&e))?;
        fs::write(to, &file.bytes).map_err(|e| starting(&e))?;
    }
    let mut command = Command::new(program);
    command
        .args(["--headless=new", "--remote-debugging-port=0", &trusted, "--no-first-run"])
        .args(["--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync"])
        // A tab in the background keeps time like the one in front.
        .args(["--disable-background-timer-throttling", "--disable-renderer-backgrounding"])
        .args(["--disable-backgrounding-occluded-windows", "--disable-features=IntensiveWakeUpThrottling"])
        .args(["--disable-component-update", "--disable-default-apps", "--disable-extensions"])
        .arg(format!("--host-resolver-rules=MAP * 127.0.0.1:{port}"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // Chromium's sandbox refuses to run for root.
    if profile.path().metadata().is_ok_and(|m| m.uid() == 0) {
        command.arg("--no-sandbox");
    }
    let mut child = command.arg("about:blank").spawn().map_err(|e| starting(&e))?;
    let stderr = child.stderr.take().ok_or_else(|| starting(&"no standard error"))?;
    let address = timeout(PATIENCE, address(stderr))
        .await
        .map_err(|e| starting(&e))?
        .ok_or_else(|| starting(&"it ended without naming its DevTools address"))?;
    let host = address.trim_start_matches("ws://").split('/').next().unwrap_or_default();
    let stream = TcpStream::connect(host).await.map_err(|e| starting(&e))?;
    let (devtools, _) = client_async(&address, stream).await.map_err(|e| starting(&e))?;
    Ok(Box::new(Chromium { devtools, asked: 0, tabs: Vec::new(), loaded: None, bridge, child, profile }))
}

async fn serve(listener: TcpListener, instance: Arc<dyn Rehearsed>) {
    while let Ok((mut stream, peer)) = listener.accept().await {
        let instance = instance.clone();
        tokio::spawn(async move {
            // A connection that cannot be made, or breaks off, is for the browser to complain of.
            if let Ok(mut door) = instance.connect(0, "https", peer.ip()).await {
                let _ = copy_bidirectional(&mut stream, &mut door).await;
            }
        });
    }
}

/// The address in `DevTools listening on ws://…`; what follows is read away, so that the browser never blocks on it.
async fn address(stderr: tokio::process::ChildStderr) -> Option<String> {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, address)) = line.split_once("DevTools listening on ") {
            let address = address.trim().to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(address);
        }
    }
    None
}

impl Chromium {
    /// The next message: an answer, or an event that is noted.
    async fn message(&mut self) -> Result<Value, Trouble> {
        loop {
            let next = timeout(PATIENCE, self.devtools.next())
                .await
                .map_err(|_| Trouble(format!("the browser said nothing for {PATIENCE:?}")))?;
            match next {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text).map_err(|e| Trouble::of("the browser's answer", e));
                }
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(Trouble::of("listening to the browser", e)),
                None => return Err(Trouble("the browser has ended".into())),
            }
        }
    }

    fn note(&mut self, event: &Value) {
        if event["method"] == "Page.loadEventFired" {
            self.loaded = event["sessionId"].as_str().map(str::to_owned);
        }
    }

    async fn ask(&mut self, session: Option<&str>, method: &str, params: Value) -> Result<Value, Trouble> {
        self.asked += 1;
        let id = self.asked;
        let mut question = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            question["sessionId"] = session.into();
        }
        let sent = self.devtools.send(Message::text(question.to_string())).await;
        sent.map_err(|e| Trouble::of("telling the browser", e))?;
        loop {
            let mut said = self.message().await?;
            if said["id"] != id {
                self.note(&said);
            } else if said["error"].is_object() {
                return Err(Trouble(format!("the browser refused {method}: {}", said["error"]["message"])));
            } else {
                return Ok(said["result"].take());
            }
        }
    }

    async fn tab(&mut self, tab: usize) -> Result<String, Trouble> {
        while self.tabs.len() <= tab {
            let made = self.ask(None, "Target.createTarget", json!({"url": "about:blank", "newWindow": true})).await?;
            let params = json!({"targetId": made["targetId"], "flatten": true});
            let attached = self.ask(None, "Target.attachToTarget", params).await?;
            let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
            self.ask(Some(&session), "Page.enable", json!({})).await?;
            // Every tab is one that somebody looks at: pages rest while they are hidden.
            self.ask(Some(&session), "Emulation.setFocusEmulationEnabled", json!({"enabled": true})).await?;
            self.tabs.push(session);
        }
        Ok(self.tabs[tab].clone())
    }
}

#[async_trait]
impl RealBrowser for Chromium {
    async fn cookie(&mut self, host: &str, name: &str, value: &str) -> Result<(), Trouble> {
        let session = self.tab(0).await?;
        let url = format!("https://{host}/");
        let params = json!({"name": name, "value": value, "url": url, "path": "/", "secure": true, "httpOnly": true});
        let done = self.ask(Some(&session), "Network.setCookie", params).await?;
        if done["success"] == false { Err(Trouble(format!("the browser did not take {name}"))) } else { Ok(()) }
    }

    async fn open(&mut self, tab: usize, host: &str, path: &str) -> Result<(), Trouble> {
        let session = self.tab(tab).await?;
        self.loaded = None;
        let url = format!("https://{host}{path}");
        let gone = self.ask(Some(&session), "Page.navigate", json!({"url": url})).await?;
        if let Some(why) = gone["errorText"].as_str() {
            return Err(Trouble(format!("the browser could not open {url}: {why}")));
        }
        while self.loaded.as_deref() != Some(&session) {
            let said = self.message().await?;
            self.note(&said);
        }
        Ok(())
    }

    async fn run(&mut self, tab: usize, expression: &str) -> Result<Value, Trouble> {
        let session = self.tab(tab).await?;
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut done = self.ask(Some(&session), "Runtime.evaluate", params).await?;
        if done["exceptionDetails"].is_object() {
            let what = &done["exceptionDetails"]["exception"]["description"];
            return Err(Trouble(format!("a script in the page failed: {what}")));
        }
        Ok(done["result"]["value"].take())
    }

    async fn quit(&mut self) -> Result<Vec<RawFile>, Trouble> {
        let ended = |e: &dyn std::fmt::Display| Trouble(format!("ending the browser: {e}"));
        self.ask(None, "Browser.close", json!({})).await?;
        timeout(PATIENCE, self.child.wait()).await.map_err(|e| ended(&e))?.map_err(|e| ended(&e))?;
        let mut files = Vec::new();
        kept(self.profile.path(), self.profile.path(), &mut files).map_err(|e| ended(&e))?;
        Ok(files)
    }
}

/// The regular files below a folder.
fn kept(root: &Path, folder: &Path, files: &mut Vec<RawFile>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let kind = path.symlink_metadata()?;
        if kind.is_dir() {
            kept(root, &path, files)?;
        } else if kind.is_file() {
            let bytes = fs::read(&path)?;
            files.push(RawFile { path: path.strip_prefix(root).unwrap_or(&path).to_owned(), bytes });
        }
    }
    Ok(())
}
