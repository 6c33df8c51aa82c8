//! Without an entry no act; entries at 364 and 366 days; the log handed over with its proof.

use std::time::Duration;

use sekisho_kernel::{
    claim::{Finding, Trouble},
    policy::show_span,
    world::{Answer, World},
};
use serde_json::{Value, json};

use super::recipes::Cast;
use crate::{
    audit::RETENTION,
    probing::{
        answer::{good, tally},
        history, in_force,
        person::text,
        raw, rehearsed, told,
    },
};

const DAY: Duration = Duration::from_secs(86_400);

/// Every write of an entry fails, and with it every act.
///
/// # Errors
/// When the world does not answer.
pub async fn no_entry_no_action(world: &dyn World, finding: &mut Finding, cast: &mut Cast) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    let desk = &cast.desk;
    let site = desk.make(world, "/sites", &json!({"name": world.marker("kept"), "note": "before"})).await?;
    let site = format!("/sites/{}", text(&site, "id"));
    let name = world.marker("never");
    let newcomer = cast.member.clone();

    instance.break_ledger(true).await?;
    let mut answers: Vec<Answer> = Vec::new();
    let outcome = async {
        answers.push(desk.post(world, "/users", &json!({"name": name, "type": "user"})).await?);
        answers.push(desk.patch(world, &site, 1, &json!({"note": "after"})).await?);
        answers.push(desk.delete(world, &site).await?);
        answers.push(desk.get(world, "/users").await?);
        answers.push(newcomer.first_step(world, 0).await?);
        Ok::<(), Trouble>(())
    }
    .await;
    instance.break_ledger(false).await?;
    outcome?;

    let shown = answers.get(3).is_some_and(|a| a.contains(&cast.member.name));
    let session = answers.iter().any(|a| !text(&a.json(), "token").is_empty());
    let kept = desk.get(world, &site).await?;
    let unchanged = good(&kept) && text(&kept.json(), "note") == "before";
    let made = desk.get(world, &format!("/users?name={name}")).await?;
    let made = made.json().get("items").and_then(Value::as_array).map_or(0, Vec::len);
    finding.forbidden(
        "no-entry-no-action",
        "every write of an entry is made to fail; meanwhile an account is made, a site changed and deleted, the people listed, and somebody signs in; then it is looked what was done",
        "each is refused, nothing is changed or shown, nobody signed in",
        format!(
            "{}; the account {}, the site {}, the list {}, {}",
            tally(&answers),
            if made == 0 { "does not exist" } else { "exists" },
            if unchanged { "is as before" } else { "is not as before" },
            if shown { "was shown" } else { "was not shown" },
            if session { "somebody signed in" } else { "nobody signed in" },
        ),
        answers.iter().all(|a| !good(a)) && unchanged && made == 0 && !shown && !session,
    );
    let after = desk.get(world, "/users").await?;
    finding.positive(
        "no-entry-no-action",
        "entries can be written again, and the people are listed",
        "listed",
        told(&after),
        good(&after),
    );
    Ok(())
}

/// An entry is there a day before its time and gone a day after.
///
/// # Errors
/// When the world does not answer.
pub async fn its_time(world: &dyn World, finding: &mut Finding, cast: &mut Cast) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    let retention = in_force(world).span(&RETENTION);
    let site = text(&cast.desk.make(world, "/sites", &json!({"name": world.marker("dated")})).await?, "id");
    let entries = history::entries(world, &cast.desk, &format!("target={site}")).await?;
    // Where no entries are written the first one that could be looked for stands in; it is not there either.
    let entry = entries.first().map_or_else(|| "ent_0198c2b4000070008000000000000000".to_owned(), history::Entry::id);
    let id = raw::id_bytes(&entry)?;

    instance.advance(retention.saturating_sub(DAY)).await?;
    let young = look(world, cast, &entry, &id).await?;
    finding.forbidden(
        "kept-at-364-days",
        format!(
            "an entry is read when it is {} old, by its id and from raw storage",
            show_span(retention.saturating_sub(DAY))
        ),
        "it is there, and names what it was done to",
        young.words(),
        young.shown && young.stored && young.target == site,
    );
    instance.advance(2 * DAY).await?;
    let old = look(world, cast, &entry, &id).await?;
    finding.forbidden(
        "gone-at-366-days",
        format!("the same when it is {} old", show_span(retention + DAY)),
        "it is gone from both",
        old.words(),
        !old.shown && !old.stored,
    );
    let sound = instance.verify_copy(sekisho_kernel::world::Tamper::Nothing).await?;
    finding.positive(
        "gone-at-366-days",
        "the log without the purged entries is verified",
        "sound: the purge is itself an entry",
        if sound.sound { "sound".into() } else { sound.findings.join("; ") },
        sound.sound,
    );
    Ok(())
}

struct Look {
    shown: bool,
    stored: bool,
    target: String,
    status: String,
}

impl Look {
    fn words(&self) -> String {
        format!(
            "by its id: {}; in raw storage: {}",
            self.status,
            if self.stored { "its row is there" } else { "no row" }
        )
    }
}

async fn look(world: &dyn World, cast: &mut Cast, entry: &str, id: &[u8; 16]) -> Result<Look, Trouble> {
    cast.refresh(world).await?;
    let got = cast.desk.get(world, &format!("/history/{entry}")).await?;
    let table = raw::table(rehearsed(world)?, "ledger_entry").await?;
    let stored = table.rows.iter().any(|r| table.blob(r, "id") == Some(id));
    Ok(Look { shown: good(&got), stored, target: text(&got.json(), "target"), status: told(&got) })
}

/// The tenant downloads its own log and verifies it without the server.
///
/// # Errors
/// When the world does not answer.
pub async fn handed_over(world: &dyn World, finding: &mut Finding, cast: &mut Cast) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    instance.advance(Duration::from_secs(15)).await?;
    cast.refresh(world).await?;
    let got = cast.desk.get(world, "/history/export").await?;
    finding.positive(
        "own-log-downloaded",
        "the organisation's administrator downloads its whole log, without asking anybody",
        "the log, as a file",
        format!("{}, {} bytes of {}", told(&got), got.body.len(), got.header("content-type").unwrap_or("no type")),
        good(&got) && !got.body.is_empty(),
    );
    let whole = instance.verify_export(&got.body).await?;
    finding.positive(
        "completeness-proven",
        "the file is verified without the server, against the checkpoint kept outside",
        "sound and complete",
        if whole.sound { "sound".into() } else { whole.findings.join("; ") },
        whole.sound && whole.anchored,
    );
    let mut missed = Vec::new();
    let changes = changes(&got.body);
    for (what, changed) in &changes {
        // A file that cannot be read any more has been found out too.
        if instance.verify_export(changed).await.is_ok_and(|v| v.sound) {
            missed.push(*what);
        }
    }
    finding.forbidden(
        "completeness-proven",
        format!("the file is verified with {}", changes.iter().map(|(w, _)| *w).collect::<Vec<_>>().join(", with ")),
        "each is detected",
        if missed.is_empty() { "each detected".into() } else { format!("not detected: {}", missed.join(", ")) },
        missed.is_empty(),
    );
    Ok(())
}

fn changes(file: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (middle, end) = (file.len() / 2, file.len());
    let mut flipped = file.to_vec();
    flipped[middle] ^= 1;
    let mut left_out = file.to_vec();
    left_out.drain(middle..(middle + 64).min(end));
    vec![
        ("one bit of an entry flipped", flipped),
        ("64 bytes left out in the middle", left_out),
        ("its last third cut off", file[..end - end / 3].to_vec()),
    ]
}
