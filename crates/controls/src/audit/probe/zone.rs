//! NM-07: one entry, read by people and downloads in different zones and languages.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use sekisho_kernel::{
    Time,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Ask, World},
};
use serde_json::{Value, json};

use crate::{
    audit::{NM_07, ZONE},
    probing::{
        Person, Session,
        answer::good,
        browser::Browser,
        history::{self, Entry},
        in_force,
        person::{API, text},
        told,
    },
};

pub struct OneZone;

/// An entry is under a signed checkpoint within ten seconds; a busy host is given a minute.
const LOOKS: u32 = 12;
const BETWEEN: Duration = Duration::from_secs(5);

/// A reader's own zone and language, told in every way that clients tell them.
struct Reader {
    zone: &'static str,
    name: &'static str,
    language: &'static str,
}

const READERS: [Reader; 4] = [
    Reader { zone: "+09:00", name: "Asia/Tokyo", language: "ja" },
    Reader { zone: "-05:00", name: "America/New_York", language: "en-US" },
    Reader { zone: "+00:00", name: "UTC", language: "en-GB" },
    Reader { zone: "+05:30", name: "Asia/Kolkata", language: "de" },
];

impl Reader {
    fn dress(&self, ask: Ask) -> Ask {
        ask.header("accept-language", self.language)
            .header("time-zone", self.zone)
            .header("x-timezone", self.name)
            .header("prefer", format!("timezone={}", self.name))
            .header("cookie", format!("sekisho-zone={}; tz={}", self.zone, self.name))
    }
}

#[async_trait]
impl Probe for OneZone {
    fn spec(&self) -> &'static ClaimSpec {
        &NM_07
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let mut people = vec![desk.clone()];
        for kind in ["administrator", "approver"] {
            people.push(desk.hire(world, &admin, kind, &Value::Null).await?.sign_in(world).await?);
        }
        let site = text(&desk.make(world, "/sites", &json!({"name": world.marker("dated")})).await?, "id");
        let entries = history::entries(world, &desk, &format!("target={site}")).await?;
        let entry = entries.first().ok_or_else(|| Trouble("the entry to read is not in the history".into()))?.clone();
        let zone = in_force(world).zone(&ZONE);
        let at = Time::parse_rfc3339(&entry.at()).ok_or_else(|| Trouble("an entry without a time".into()))?;
        let expected = at.in_zone(&zone);
        finding.positive(
            "time-in-fixed-zone",
            format!("the entry of {}, read without saying where one is", entry.event()),
            "its UTC time and a local time",
            format!("{} and {}", entry.at(), text(&entry.0, "local_time")),
            !text(&entry.0, "local_time").is_empty(),
        );
        people_see(world, finding, &people, &entry, &expected).await?;
        downloads_show(world, finding, &people, &entry, &expected).await
    }
}

fn joined(all: &BTreeSet<String>) -> String {
    all.iter().cloned().collect::<Vec<_>>().join(" / ")
}

async fn people_see(
    world: &dyn World,
    finding: &mut Finding,
    people: &[Session],
    entry: &Entry,
    expected: &str,
) -> Result<(), Trouble> {
    let (mut times, mut pages_without, mut pages) = (BTreeSet::new(), 0, 0);
    for session in people {
        for reader in &READERS {
            let got = world.send(reader.dress(session.ask("GET", &format!("/history/{}", entry.id())))).await?;
            if !good(&got) {
                return Err(Trouble(format!("reading the entry was answered {}", told(&got))));
            }
            times.insert(text(&got.json(), "local_time"));
            let list = world
                .send(reader.dress(session.ask("GET", &format!("/history?limit=200&target={}", entry.target()))))
                .await?;
            let rows = list.json().get("entries").and_then(Value::as_array).cloned().unwrap_or_default();
            times.extend(rows.iter().filter(|r| text(r, "id") == entry.id()).map(|r| text(r, "local_time")));
            let mut browser = Browser::default();
            browser.keep(&session.host, "__Host-sekisho", &session.token);
            browser.keep(&session.host, "sekisho-zone", reader.zone);
            let ask = Ask::new("GET", &session.host, &format!("/history/{}", entry.id()));
            let page = browser
                .send(world, ask.header("accept-language", reader.language).header("time-zone", reader.zone))
                .await?;
            pages += 1;
            pages_without += usize::from(!page.contains(expected));
        }
    }
    finding.forbidden(
        "users-see-same-time",
        format!(
            "the entry is read by {} people through the API, each saying to be in {} different zones and languages",
            people.len(),
            READERS.len()
        ),
        "one and the same time",
        joined(&times),
        times.len() == 1,
    );
    finding.forbidden(
        "users-see-same-time",
        format!("the same on {pages} pages of the console"),
        format!("each shows {expected}"),
        format!("{} of {pages} show it", pages - pages_without),
        pages_without == 0,
    );
    finding.forbidden(
        "time-in-fixed-zone",
        "that time is held against the entry's UTC time and the zone that the policy fixes",
        expected.to_owned(),
        joined(&times),
        times.iter().all(|t| t == expected),
    );
    Ok(())
}

async fn downloads_show(
    world: &dyn World,
    finding: &mut Finding,
    people: &[Session],
    entry: &Entry,
    expected: &str,
) -> Result<(), Trouble> {
    let Some(desk) = people.first() else { return Ok(()) };
    // The signed log ends where its newest checkpoint does.
    let proof = format!("/history/{}/proof", entry.id());
    for _ in 0..LOOKS {
        world.pass(BETWEEN).await?;
        if good(&world.send(desk.ask("GET", &proof)).await?) {
            break;
        }
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for format in ["csv", "jsonl", "log"] {
        for reader in &READERS {
            let ask = Ask::new("GET", &desk.host, &format!("{API}/history/export?format={format}"));
            let mut ask = reader.dress(ask.header("authorization", format!("Bearer {}", desk.token)));
            ask.node = desk.node;
            let got = world.send(ask).await?;
            if !good(&got) {
                return Err(Trouble(format!("the download was answered {}", told(&got))));
            }
            count += 1;
            let body = got.text();
            // The signed log holds UTC and, beside it, the time in the zone; lines of the other formats name the entry.
            let shows = match format {
                "log" => body.contains(expected),
                _ => body.lines().filter(|l| l.contains(&entry.id())).any(|l| l.contains(expected)),
            };
            if !shows {
                wrong.push(format!("{format} for {}", reader.name));
            }
        }
    }
    finding.forbidden(
        "exports-show-same-time",
        format!("{count} downloads, as CSV, JSON Lines and signed log, by somebody in each of these zones"),
        format!("each shows {expected}"),
        if wrong.is_empty() { "each does".into() } else { format!("not so: {}", wrong.join(", ")) },
        wrong.is_empty(),
    );
    Ok(())
}
