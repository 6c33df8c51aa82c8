//! A person's browser keeps data of the application, is copied, and is signed out here, from elsewhere, and while it is away.

mod kept;
mod wiped;

use sekisho_kernel::{
    claim::{Finding, Probe, Trouble},
    world::{Answer, Ask, RawFile, RealBrowser, World},
};
use serde_json::{Value, json};

use crate::probing::{Person, Session, browser::Browser, told};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(kept::Kept), Box::new(wiped::Wiped)]
}

/// Where the module asks for the key.
const KEY: &str = "/.sekisho/device-key";
/// The module, opened as a page: an address of the application's host that nobody has to sign in for.
const MODULE: &str = "/.sekisho/device.js";
/// The one tab.
const TAB: usize = 0;

/// A person, and a browser that is signed in to the application.
struct Device {
    person: Person,
    browser: Browser,
}

impl Device {
    /// Somebody new.
    async fn of(world: &dyn World, desk: &Session, admin: &Person) -> Result<Self, Trouble> {
        let person = desk.hire(world, admin, "user", &Value::Null).await?;
        Self { person, browser: Browser::from(None) }.enter(world).await
    }

    /// The same person signs in, in a browser without anything.
    async fn again(&self, world: &dyn World) -> Result<Self, Trouble> {
        let mut person = self.person.clone();
        person.again(world).await?;
        Self { person, browser: Browser::from(None) }.enter(world).await
    }

    async fn enter(mut self, world: &dyn World) -> Result<Self, Trouble> {
        self.browser.sign_in(world, &mut self.person).await?;
        let visit = self.browser.open(world, &self.person.application, "/orders").await?;
        if visit.host != self.person.application || visit.answer.status != 200 {
            return Err(Trouble(format!("the application was answered {}", visit.told())));
        }
        Ok(self)
    }

    fn host(&self) -> &str {
        &self.person.application
    }

    /// Asks for the key with the cookies as they are; what comes back is not kept.
    async fn key(&self, world: &dyn World, node: usize) -> Result<Answer, Trouble> {
        let mut browser = self.browser.clone();
        browser.node = node;
        browser.send(world, Ask::new("POST", self.host(), KEY)).await
    }

    /// Opens a page with the cookies as they are.
    async fn page(&self, world: &dyn World, node: usize) -> Result<Answer, Trouble> {
        let mut browser = self.browser.clone();
        browser.node = node;
        let ask = Ask::new("GET", self.host(), "/orders").header("accept", "text/html");
        browser.send(world, ask).await
    }

    /// Gives a real browser the application host's cookies.
    async fn lend(&self, real: &mut dyn RealBrowser) -> Result<(), Trouble> {
        for (name, value) in self.browser.cookies(self.host()).split("; ").filter_map(|c| c.split_once('=')) {
            real.cookie(self.host(), name, value).await?;
        }
        Ok(())
    }
}

/// Whether an answer gave 32 bytes.
fn is_key(answer: &Answer) -> bool {
    answer.status == 200 && answer.body.len() == 32
}

/// Whether an answer makes a browser forget what the site keeps.
fn wipes(answer: &Answer) -> bool {
    answer.header("clear-site-data").is_some_and(|v| v.contains("\"storage\"") && v.contains("\"cache\""))
}

/// What pages keep, each kind in the way an application would: a text, bytes, a record.
fn things(marker: &str) -> Value {
    json!({
        "message": format!("a message {marker}"),
        "file": [format!("a file {marker}")],
        "thumbnail": [format!("a thumbnail {marker}")],
        "draft": format!("a draft {marker}"),
        "contact": {"name": format!("a contact {marker}"), "mail": "x@example.test"},
    })
}

/// Has the application's page keep things; how many it reads back.
async fn keep(real: &mut dyn RealBrowser, host: &str, things: &Value) -> Result<Value, Trouble> {
    real.open(TAB, host, "/").await?;
    let script = "(async () => {
        const things = THINGS, encoder = new TextEncoder(), decoder = new TextDecoder();
        const { open } = await import('/.sekisho/device.js');
        const kept = await open();
        for (const [name, value] of Object.entries(things))
            await kept.put(name, Array.isArray(value) ? encoder.encode(value[0]) : value);
        let good = 0;
        for (const [name, value] of Object.entries(things)) {
            const got = await kept.get(name), plain = got instanceof Uint8Array ? [decoder.decode(got)] : got;
            good += JSON.stringify(plain) === JSON.stringify(value);
        }
        return good;
    })()";
    real.run(TAB, &script.replace("THINGS", &things.to_string())).await
}

/// One sealed record as it lies in the browser's database, hex; nothing when there is none. Asks nobody for a key.
const LYING: &str = "(async () => {
    const known = await indexedDB.databases();
    if (!known.some(found => found.name === 'sekisho-device')) return '';
    const request = indexedDB.open('sekisho-device');
    const opened = await new Promise((yes, no) => { request.onsuccess = () => yes(request.result); request.onerror = no; });
    try {
        const all = opened.transaction('records').objectStore('records').getAll();
        const found = await new Promise((yes, no) => { all.onsuccess = () => yes(all.result); all.onerror = no; });
        const record = found.find(one => one.sealed);
        return record ? [...record.sealed].map(byte => byte.toString(16).padStart(2, '0')).join('') : '';
    } finally { opened.close(); }
})()";

/// What the module makes of what lies there: the draft, or why there is none.
const READ: &str = "import('/.sekisho/device.js').then(module => module.open()).then(kept => kept.get('draft'))
    .then(value => value === undefined ? 'nothing' : `opened: ${value}`, error => `refused: ${error.reason ?? error.name}`)";

/// What a script said, as words.
fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn size(files: &[RawFile]) -> String {
    let bytes: usize = files.iter().map(|f| f.bytes.len()).sum();
    format!("{} files, {} KiB", files.len(), bytes / 1024)
}

/// A real browser that is lent the device's cookies. Without one on this host, `clauses` name it as absent.
async fn real(
    world: &dyn World,
    finding: &mut Finding,
    device: &Device,
    clauses: &[&str],
) -> Result<Option<Box<dyn RealBrowser>>, Trouble> {
    let Some(mut real) = world.browser().await? else {
        for clause in clauses {
            finding.absent(clause, "a real browser: this host has no Chromium");
        }
        return Ok(None);
    };
    device.lend(&mut *real).await?;
    Ok(Some(real))
}

/// Whether the key was refused, as words.
fn refused(finding: &mut Finding, clause: &str, tried: &str, got: &Answer) {
    finding.forbidden(clause, tried, "no key", told(got), !is_key(got));
}
