//! What lies on a device is sealed, and the key is not among it (MOX-27).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Ask, RawFile, World},
};

use super::{Device, LYING, MODULE, READ, TAB, is_key, keep, real, refused, said, size, things};
use crate::{
    device::MOX_27,
    probing::{
        Person,
        browser::Browser,
        rehearsed,
        search::{Hit, Search},
        told,
    },
};

pub(super) struct Kept;

#[async_trait]
impl Probe for Kept {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_27
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let device = Device::of(world, &desk, &admin).await?;
        let other = Device::of(world, &desk, &admin).await?;
        let key = device.key(world, 0).await?;
        finding.positive(
            "copied-profile-opens-nothing",
            "a page of the application asks for its session's key",
            "32 bytes, which no cache may keep",
            told(&key),
            is_key(&key) && key.header("cache-control") == Some("no-store"),
        );
        let mut without = Browser::from(None);
        let got = without.send(world, Ask::new("POST", device.host(), super::KEY)).await?;
        refused(finding, "copied-profile-opens-nothing", "the same without a session", &got);
        let foreign = Ask::new("POST", device.host(), super::KEY)
            .header("cookie", device.browser.cookies(device.host()))
            .header("sec-fetch-site", "cross-site");
        let got = world.send(foreign).await?;
        refused(finding, "copied-profile-opens-nothing", "the same from another site's page", &got);
        let theirs = other.key(world, 0).await?;
        finding.forbidden(
            "copied-profile-opens-nothing",
            "another person's session asks for its own key",
            "another one",
            if theirs.body == key.body { "the same key" } else { "another key" },
            is_key(&theirs) && theirs.body != key.body,
        );
        let page = device.page(world, 0).await?;
        finding.positive(
            "not-kept-by-the-cache",
            "a page of the application",
            "answered",
            told(&page),
            page.status == 200,
        );
        let cache = page.header("cache-control").unwrap_or("nothing");
        finding.forbidden(
            "not-kept-by-the-cache",
            "what the answer says of caches",
            "no-store",
            cache,
            cache == "no-store",
        );
        at_the_service(world, finding, &key.body).await?;
        let clauses = ["nowhere-in-raw-bytes"];
        let Some(mut browser) = real(world, finding, &device, &clauses).await? else { return Ok(()) };
        let (sealed, plain, answered) = (world.marker("sealed"), world.marker("plain"), world.marker("answered"));
        let things = things(&sealed);
        let read = keep(&mut *browser, device.host(), &things).await?;
        // An answer that names it, and something beside the module that shows what a look at the profile finds.
        let beside = format!(
            "fetch('/news/{answered}').then(got => got.text()).then(text => {{ localStorage.setItem('plain', '{plain}'); return text; }})"
        );
        let answer = browser.run(TAB, &beside).await?;
        let token = device.browser.cookies(device.host());
        let token = token.split("; ").filter_map(|c| c.split_once('=')).find(|(n, _)| *n == "__Host-sekisho");
        let token = token.map(|(_, value)| value.to_owned()).unwrap_or_default();
        let files = browser.quit().await?;
        let seen = Search::of_bytes(&[plain.as_bytes()]).files(&files);
        finding.positive(
            "nowhere-in-raw-bytes",
            "Chromium's page keeps a message, a file, a thumbnail, a draft and a contact, and reads them back; it writes one \
             marker past the module; then the browser ends and its profile is searched",
            "five are read back, and what was not sealed is found",
            format!("{read} read back; {}, {}", size(&files), first(&seen)),
            read == 5 && said(&answer).contains(&answered) && !seen.is_empty() && !token.is_empty(),
        );
        let wanted: [&[u8]; 4] = [sealed.as_bytes(), answered.as_bytes(), token.as_bytes(), &key.body];
        let found = Search::of_bytes(&wanted).files(&files);
        finding.forbidden(
            "nowhere-in-raw-bytes",
            "the profile is searched for the five, for an answer of the application, for the session's token and for the key",
            "none of them, in any form",
            first(&found),
            found.is_empty(),
        );
        copied(world, finding, device.host(), &files, &sealed).await
    }
}

/// The profile on another machine.
async fn copied(
    world: &dyn World,
    finding: &mut Finding,
    host: &str,
    files: &[RawFile],
    sealed: &str,
) -> Result<(), Trouble> {
    let Some(mut thief) = world.browser_with(files).await? else { return Ok(()) };
    thief.open(TAB, host, MODULE).await?;
    let lying = said(&thief.run(TAB, LYING).await?);
    finding.positive(
        "copied-profile-opens-nothing",
        "another Chromium is started on a copy of the profile",
        "the sealed records are in it",
        format!("a record of {} bytes", lying.len() / 2),
        !lying.is_empty(),
    );
    let opened = said(&thief.run(TAB, READ).await?);
    thief.open(TAB, host, "/").await?;
    let page = said(&thief.run(TAB, "location.pathname + ' ' + document.documentElement.outerHTML").await?);
    let inside = !page.starts_with("/sign-in ");
    finding.forbidden(
        "copied-profile-opens-nothing",
        "there the application's page opens what it kept, and then the application",
        "nothing is opened, a sign-in is asked for",
        format!("{opened}; {}", if inside { "the application is shown" } else { "a sign-in is asked for" }),
        !opened.contains(sealed) && !opened.starts_with("opened") && !inside,
    );
    Ok(())
}

/// The key is made when it is asked for, and lies nowhere.
async fn at_the_service(world: &dyn World, finding: &mut Finding, key: &[u8]) -> Result<(), Trouble> {
    let files = rehearsed(world)?.raw_files().await?;
    let found = Search::of_bytes(&[key]).files(&files);
    finding.forbidden(
        "copied-profile-opens-nothing",
        "everything that the service keeps is searched for the key",
        "nothing",
        first(&found),
        found.is_empty(),
    );
    Ok(())
}

fn first(hits: &[Hit]) -> String {
    hits.first()
        .map_or_else(|| "nothing found".to_owned(), |hit| format!("{} times, first in {}", hits.len(), hit.told()))
}
