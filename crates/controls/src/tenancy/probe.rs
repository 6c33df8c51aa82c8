//! Every route with another tenant's identifiers, and what raw storage shows (NM-09).

mod routes;
mod storage;
mod two_groups;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::World,
};

use super::NM_09;
use crate::probing::{Person, planted};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(KeptApart)]
}

struct KeptApart;

#[async_trait]
impl Probe for KeptApart {
    fn spec(&self) -> &'static ClaimSpec {
        &NM_09
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let planted = planted::plant(world, ours).await?;
        finding.positive(
            "no-marker-by-any-route",
            "a marker is written into records of every kind of the first group and read back by its own administrator",
            "it comes back",
            planted.told(),
            planted.comes_back(),
        );
        let mut stranger = Person::admin(theirs);
        let desk = stranger.sign_in(world).await?;
        routes::every_route(world, finding, &planted, &desk).await?;
        routes::wrong_door(world, finding, &planted, theirs).await?;
        two_groups::one_at_a_time(world, finding, &planted, &desk, &stranger).await?;
        planted::settle(world).await?;
        storage::under_own_id(world, finding, &planted, ours.tenant.bytes(), theirs.tenant.bytes()).await?;
        storage::index(world, finding, &planted, &desk, ours.tenant.bytes(), theirs.tenant.bytes()).await?;
        storage::service_role(world, finding, ours.tenant, theirs.tenant).await
    }
}
