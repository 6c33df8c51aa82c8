//! Signing out takes what lies on a device, and the key (MOX-30).

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Ask, World},
};

use super::{Device, LYING, MODULE, READ, TAB, is_key, keep, real, refused, said, size, things, wipes};
use crate::{
    device::MOX_30,
    probing::{
        Person, Session,
        answer::good,
        person::{API, text},
        raw, rehearsed,
        search::Search,
        told,
    },
};

pub(super) struct Wiped;

#[async_trait]
impl Probe for Wiped {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_30
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        here(world, finding, &Device::of(world, &desk, &admin).await?).await?;
        from_elsewhere(world, finding, &desk, &Device::of(world, &desk, &admin).await?).await?;
        away(world, finding, &desk, &Device::of(world, &desk, &admin).await?).await
    }
}

fn told_wiped(yes: bool) -> &'static str {
    if yes { "told to forget what the site keeps" } else { "not told to forget anything" }
}

/// Signed out by its own page.
async fn here(world: &dyn World, finding: &mut Finding, device: &Device) -> Result<(), Trouble> {
    let (key, page) = (device.key(world, 0).await?, device.page(world, 0).await?);
    finding.positive(
        "key-gone",
        "a page asks for its session's key",
        "it is given",
        told(&key),
        is_key(&key) && page.status == 200 && !wipes(&page),
    );
    let out = device.browser.clone().send(world, Ask::new("POST", device.host(), "/.sekisho/sign-out")).await?;
    finding.positive("data-gone", "the page signs out", "done", told(&out), good(&out) || out.status == 303);
    finding.forbidden(
        "data-gone",
        "what the answer tells the browser",
        "to forget what the site keeps",
        told_wiped(wipes(&out)),
        wipes(&out),
    );
    for node in [0, 1] {
        let got = device.key(world, node).await?;
        refused(finding, "key-gone", &format!("the signed-out browser asks for the key at node {node}"), &got);
    }
    Ok(())
}

/// Signed out by the administrator, with its pages open.
async fn from_elsewhere(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    device: &Device,
) -> Result<(), Trouble> {
    end(world, desk, device).await?;
    let next = device.page(world, 1).await?;
    finding.forbidden(
        "data-gone",
        "the administrator ends the person's sessions; what the next answer tells the browser",
        "to forget what the site keeps, and to sign in",
        format!("{}; {}", told(&next), told_wiped(wipes(&next))),
        wipes(&next) && !good(&next),
    );
    let asked = device.key(world, 0).await?;
    finding.forbidden(
        "key-gone",
        "a page that is still open asks for the key",
        "no key, and to forget what the site keeps",
        format!("{}; {}", told(&asked), told_wiped(wipes(&asked))),
        !is_key(&asked) && wipes(&asked),
    );
    Ok(())
}

async fn end(world: &dyn World, desk: &Session, device: &Device) -> Result<(), Trouble> {
    let ask = desk.ask("DELETE", &format!("/users/{}/sessions", device.person.id));
    desk.need(world, ask).await.map(drop)
}

/// Signed out while it is switched off; somebody has its bytes.
async fn away(world: &dyn World, finding: &mut Finding, desk: &Session, device: &Device) -> Result<(), Trouble> {
    let before = device.key(world, 0).await?;
    let asked = Ask::new("GET", &device.person.console, &format!("{API}/session"));
    let session = text(&device.browser.clone().send(world, asked).await?.json(), "session");
    let id = raw::id_bytes(&session)?;
    let stored = raw::holding(&raw::tables(rehearsed(world)?).await?, &id);
    finding.positive(
        "offline-device",
        "raw storage is searched for the session, of which the key is made, while the device is away",
        "its record is there",
        format!("{} tables; {}", stored.len(), told(&before)),
        !stored.is_empty() && is_key(&before),
    );
    let sealed = world.marker("sealed");
    let clauses = ["later-bytes-do-not-open"];
    let mut bytes = None;
    if let Some(mut browser) = real(world, finding, device, &clauses).await? {
        let read = keep(&mut *browser, device.host(), &things(&sealed)).await?;
        let record = said(&browser.run(TAB, LYING).await?);
        let files = browser.quit().await?;
        let found = hits(&record, &files);
        finding.positive(
            "later-bytes-do-not-open",
            "Chromium keeps five things and is switched off; its profile is searched for a sealed record",
            "the record is there",
            format!("{read} kept; {}; found {found} times", size(&files)),
            read == 5 && found > 0,
        );
        bytes = Some((record, files));
    }
    end(world, desk, device).await?;
    rehearsed(world)?.advance(Duration::from_secs(3_600)).await?;
    let stored = raw::holding(&raw::tables(rehearsed(world)?).await?, &id);
    finding.forbidden(
        "offline-device",
        "the administrator ends the person's sessions; raw storage is searched again an hour later",
        "no record any more, and so nothing to make the key of",
        if stored.is_empty() { "nothing found".into() } else { format!("found in {} tables", stored.len()) },
        stored.is_empty(),
    );
    let back = device.key(world, 1).await?;
    refused(finding, "offline-device", "the device comes back and asks for the key", &back);
    let anew = device.again(world).await?;
    let key = anew.key(world, 0).await?;
    finding.forbidden(
        "later-bytes-do-not-open",
        "the same person signs in anew and asks for the key",
        "another key",
        if key.body == before.body { "the same key" } else { "another key" },
        is_key(&key) && key.body != before.body,
    );
    let Some((record, files)) = bytes else { return Ok(()) };
    // Its bytes, in the hands of somebody who is let in as the same person.
    let Some(mut thief) = world.browser_with(&files).await? else { return Ok(()) };
    anew.lend(&mut *thief).await?;
    thief.open(TAB, device.host(), MODULE).await?;
    let lying = said(&thief.run(TAB, LYING).await?);
    let opened = said(&thief.run(TAB, READ).await?);
    finding.forbidden(
        "later-bytes-do-not-open",
        "the bytes of before in another Chromium, with a new session of the same person: the page opens what it kept",
        "nothing is opened",
        format!("{}; {opened}", if lying == record { "the record is there" } else { "the record is not there" }),
        lying == record && opened == "nothing",
    );
    // The device itself: it comes back with the cookie it had.
    let Some(mut browser) = world.browser_with(&files).await? else { return Ok(()) };
    device.lend(&mut *browser).await?;
    browser.open(TAB, device.host(), "/").await?;
    browser.open(TAB, device.host(), MODULE).await?;
    let left = said(&browser.run(TAB, LYING).await?);
    let later = browser.quit().await?;
    let found = hits(&record, &later);
    finding.forbidden(
        "offline-device",
        "the device comes back: its browser opens the application, and its profile is searched for the sealed record",
        "not even the sealed record",
        format!("{}; found {found} times", if left.is_empty() { "no database" } else { "the database is there" }),
        left.is_empty() && found == 0,
    );
    Ok(())
}

/// How often a sealed record lies in a profile.
fn hits(record: &str, files: &[sekisho_kernel::world::RawFile]) -> usize {
    let bytes = hex::decode(record).unwrap_or_default();
    if bytes.is_empty() { 0 } else { Search::of_bytes(&[&bytes]).files(files).len() }
}
