//! A person who belongs to two groups, with one name and one mail address in both.

use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::World,
};
use serde_json::json;

use super::storage::items;
use crate::probing::{Person, Session, person::text, planted::Planted};

/// The person sees, searches and exports one group at a time.
///
/// # Errors
/// When the world does not answer.
pub async fn one_at_a_time(
    world: &dyn World,
    finding: &mut Finding,
    planted: &Planted,
    their_desk: &Session,
    stranger: &Person,
) -> Result<(), Trouble> {
    let name = world.marker("member-of-both");
    let fields = json!({"name": name, "mail": format!("{name}@example.test")});
    let their_marker = world.marker("other-group");
    their_desk.make(world, "/sites", &json!({"name": their_marker, "note": their_marker})).await?;
    their_desk
        .make(world, "/users", &json!({"name": their_marker, "display_name": their_marker, "type": "user"}))
        .await?;
    let mut here = planted.desk.hire(world, &planted.admin, "administrator", &fields).await?;
    let mut there = their_desk.hire(world, stranger, "administrator", &fields).await?;
    let (in_ours, in_theirs) = (here.sign_in(world).await?, there.sign_in(world).await?);
    let ours = &planted.marker.ascii;
    let sides: [(&Session, &String, &String); 2] = [(&in_ours, ours, &their_marker), (&in_theirs, &their_marker, ours)];

    let lists = ["/users?limit=200", "/sites?limit=200", "/history?limit=200", "/me", "/me/sessions"];
    gather(
        world,
        finding,
        &sides,
        "two-groups-seen-one-at-a-time",
        "lists people, sites, history, own account and sessions",
        &lists,
    )
    .await?;
    let mut found = Vec::new();
    for (session, own, other) in &sides {
        for text in [own, other] {
            let users = session.get(world, &format!("/users?text={text}")).await?;
            let history = session.get(world, &format!("/history?limit=200&text={text}")).await?;
            found.push((text == own, items(&users.json()).len(), history.contains(other)));
        }
    }
    let right = found.iter().all(|(own, hits, foreign)| if *own { *hits > 0 } else { *hits == 0 } && !foreign);
    finding.forbidden(
        "two-groups-searched-one-at-a-time",
        "in each group the person searches people and history for the own group's marker and for the other group's",
        "the own group's is found, the other's is not",
        found
            .iter()
            .map(|(own, hits, _)| format!("{} group's: {hits} found", if *own { "own" } else { "other" }))
            .collect::<Vec<_>>()
            .join(", "),
        right,
    );
    let exports = ["/history/export?format=csv", "/history/export?format=jsonl", "/history/export"];
    gather(
        world,
        finding,
        &sides,
        "two-groups-exported-one-at-a-time",
        "downloads the history in every format",
        &exports,
    )
    .await?;
    let both = text(&in_ours.get(world, "/me").await?.json()["user"], "id");
    let twin = text(&in_theirs.get(world, "/me").await?.json()["user"], "id");
    finding.positive(
        "two-groups-seen-one-at-a-time",
        "one name and one mail address are registered in both groups, and their person signs in at each",
        "two accounts that do not know of each other",
        format!("{both} and {twin}"),
        !both.is_empty() && !twin.is_empty() && both != twin,
    );
    finding.absent("two-groups-mailed-one-at-a-time", "mail to people");
    Ok(())
}

async fn gather(
    world: &dyn World,
    finding: &mut Finding,
    sides: &[(&Session, &String, &String); 2],
    clause: &str,
    does: &str,
    paths: &[&str],
) -> Result<(), Trouble> {
    let mut mixed = Vec::new();
    let mut count = 0;
    for (session, _, other) in sides {
        for path in paths {
            let got = session.get(world, path).await?;
            count += 1;
            if got.contains(other) {
                mixed.push((*path).to_owned());
            }
            if got.status != 200 {
                return Err(Trouble(format!("GET {path} was answered {}", got.status)));
            }
        }
    }
    finding.forbidden(
        clause,
        format!("signed in to one group, then to the other, the person {does} ({count} requests)"),
        "nothing of the other group",
        if mixed.is_empty() {
            "nothing of it".into()
        } else {
            format!("the other group's marker in {}", mixed.join(", "))
        },
        mixed.is_empty(),
    );
    Ok(())
}
