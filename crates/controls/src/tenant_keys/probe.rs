//! One organisation's ciphertexts, another's keys, and a key that is destroyed (MIST-04).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    id::TenantId,
    world::World,
};

use super::MIST_04;
use crate::probing::{
    answer::good,
    planted, rehearsed,
    sealed::{Sealed, Store},
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(OwnKeys)]
}

struct OwnKeys;

#[async_trait]
impl Probe for OwnKeys {
    fn spec(&self) -> &'static ClaimSpec {
        &MIST_04
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let one = planted::plant(world, ours).await?;
        let two = planted::plant(world, theirs).await?;
        planted::settle(world).await?;
        finding.positive(
            "destroyed-key-others-readable",
            "records are written in two organisations and read back through the API",
            "they come back",
            format!("{}; {}", one.told(), two.told()),
            one.comes_back() && two.comes_back(),
        );
        let instance = rehearsed(world)?;
        let store = Store::read(instance).await?;
        let (own, other) = (ours.tenant.bytes(), theirs.tenant.bytes());
        strangers_keys(finding, &store, own, other);

        let tenant = ours.tenant.to_string();
        let done = instance.command(&["key", "shred", "--tenant", &tenant, "--confirm", &ours.name]).await?;
        if done.code != 0 {
            return Err(Trouble(format!("destroying the key ended with code {}: {}", done.code, done.stderr.trim())));
        }
        planted::settle(world).await?;
        let after = Store::read(instance).await?;
        let left = store.of(own).filter(|v| opens_under_any(&after, v)).count();
        finding.forbidden(
            "destroyed-key-own-data-unreadable",
            format!("the first organisation's key is destroyed; its {} sealed rows, kept aside before, are opened with every key that is left", store.of(own).count()),
            "not one opens",
            format!("{left} open; a key of it is {}", if after.ring.has(own) { "still there" } else { "gone" }),
            left == 0 && !after.ring.has(own),
        );
        let got = world.send(one.desk.ask("GET", "/users")).await?;
        finding.forbidden(
            "destroyed-key-own-data-unreadable",
            "the first organisation's administrator asks for its people",
            "refused, nothing shown",
            told(&got),
            !good(&got) && !got.contains(&one.marker.ascii),
        );
        let rows: Vec<&Sealed> = after.of(other).collect();
        let readable = rows.iter().filter(|v| after.ring.open(&v.place, &v.bytes).is_some()).count();
        finding.forbidden(
            "destroyed-key-others-readable",
            "the other organisation's sealed rows are opened with its own key, after the first one's was destroyed",
            "every one opens",
            format!("{readable} of {} open", rows.len()),
            readable == rows.len() && !rows.is_empty(),
        );
        let got = world.send(two.desk.ask("GET", &format!("/users/{}", two.person.id))).await?;
        finding.positive(
            "destroyed-key-others-readable",
            "the other organisation's administrator reads an account",
            "shown",
            told(&got),
            good(&got) && got.contains(&two.marker.ascii),
        );
        Ok(())
    }
}

fn opens_under_any(store: &Store, value: &Sealed) -> bool {
    store.ring.owners().into_iter().any(|owner| store.ring.open_with(owner, &value.place, &value.bytes).is_some())
}

fn strangers_keys(finding: &mut Finding, store: &Store, own: [u8; 16], other: [u8; 16]) {
    for (mine, yours, whose) in [(own, other, "first"), (other, own, "second")] {
        let rows: Vec<&Sealed> = store.of(mine).collect();
        let opened = rows.iter().filter(|v| store.ring.open(&v.place, &v.bytes).is_some()).count();
        let by_other = rows.iter().filter(|v| store.ring.open_with(yours, &v.place, &v.bytes).is_some()).count();
        let nil = TenantId::NIL.bytes();
        let by_platform = rows.iter().filter(|v| store.ring.open_with(nil, &v.place, &v.bytes).is_some()).count();
        finding.forbidden(
            "others-key-opens-nothing",
            format!("the {} sealed rows of the {whose} organisation are opened with its own key, with the other organisation's and with the platform's", rows.len()),
            "all with its own, none with another",
            format!("{opened} with its own, {by_other} with the other organisation's, {by_platform} with the platform's"),
            opened == rows.len() && by_other == 0 && by_platform == 0 && !rows.is_empty(),
        );
    }
}
