//! IDO-07: reading customer data without the right, by interface, raw role and store; and with it.

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::World,
};
use serde_json::Value;

use crate::{
    audit::IDO_07,
    encryption::opened,
    probing::{
        answer::{good, tally},
        history, planted, rehearsed,
        search::{Hit, Search},
        told,
    },
};

pub struct StrictlyControlled;

#[async_trait]
impl Probe for StrictlyControlled {
    fn spec(&self) -> &'static ClaimSpec {
        &IDO_07
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let instance = rehearsed(world)?;
        let planted = planted::plant(world, ours).await?;
        let paths = [
            format!("/users/{}", planted.person.id),
            "/users?limit=200".to_owned(),
            format!("/users/{}/sessions", planted.person.id),
            format!("/sites/{}", planted.id("site")),
            "/address-rules".to_owned(),
            "/history?limit=200".to_owned(),
            "/history/export?format=csv".to_owned(),
        ];
        let nobody = planted.desk.hire(world, &planted.admin, "user", &Value::Null).await?.sign_in(world).await?;
        let mut refused = Vec::new();
        for path in &paths {
            refused.push(nobody.get(world, path).await?);
        }
        let held = |a: &sekisho_kernel::world::Answer| a.status == 403 && !a.contains(&planted.marker.ascii);
        finding.forbidden(
            "refused-by-interface",
            format!(
                "a member without any right reads {} kinds of the organisation's data through the API",
                paths.len()
            ),
            "refused, nothing shown",
            tally(&refused),
            refused.iter().all(held),
        );
        reading_leaves_entry(world, finding, &planted).await?;
        match instance.as_service_role(None, "SELECT * FROM user_account").await? {
            None => finding
                .absent("refused-by-raw-role", "a database role of the service's: the embedded database has none"),
            Some(result) => finding.forbidden(
                "refused-by-raw-role",
                "SELECT * FROM user_account under the service's role, without an organisation",
                "nothing comes back",
                match &result {
                    Ok(rows) => format!("{rows} rows"),
                    Err(refused) => refused.clone(),
                },
                !matches!(result, Ok(rows) if rows > 0),
            ),
        }
        planted::settle(world).await?;
        let texts: Vec<&[u8]> = [planted.marker.ascii.as_bytes(), planted.marker.kana.as_bytes()].into();
        let files = instance.raw_files().await?;
        let hits = Search::of_bytes(&texts).files(&files);
        finding.forbidden(
            "refused-by-store",
            format!("whoever has the {} raw files, but not the key, looks for the same data in them", files.len()),
            "nothing readable",
            hits.first().map_or_else(|| "nothing readable".into(), Hit::told),
            hits.is_empty(),
        );
        opened::open_everything(world, finding, &planted, ours.tenant.bytes(), theirs.tenant.bytes()).await?;
        finding.absent("unusual-reading-alerts", "detections that could alert");
        Ok(())
    }
}

async fn reading_leaves_entry(
    world: &dyn World,
    finding: &mut Finding,
    planted: &planted::Planted,
) -> Result<(), Trouble> {
    let from = std::net::IpAddr::from([10, 7, 7, 7]);
    let path = format!("/users/{}", planted.person.id);
    let read = world.send(planted.desk.ask("GET", &path).peer(from)).await?;
    finding.positive(
        "reading-leaves-entry",
        "an administrator with the right reads the account",
        "shown",
        told(&read),
        good(&read) && read.contains(&planted.marker.ascii),
    );
    let entries = history::entries(world, &planted.desk, "action=user.read").await?;
    let of_it: Vec<&history::Entry> = entries
        .iter()
        .filter(|e| {
            e.address() == from.to_string() && e.target() == planted.person.id && e.actor() == planted.desk.user
        })
        .collect();
    finding.forbidden(
        "reading-leaves-entry",
        format!("the history is searched for that reading, from {from}"),
        "one entry that names reader, record, time and address",
        of_it.first().map_or_else(|| "no entry".into(), |e| e.told()),
        of_it.len() == 1,
    );
    Ok(())
}
