//! A right signature signs in once; a replayed, stale, altered or another client's one does not (MOX-24).

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    policy::show_span,
    world::{Answer, World},
};
use serde_json::{Value, json};

use super::{MOX_24, SKEW};
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    in_force,
    person::text,
    rehearsed,
    signature::{Client, Signed},
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(BySignature)]
}

/// How many bring the same signature at the same time.
const AT_ONCE: usize = 8;

struct BySignature;

fn signed_in(got: &Answer) -> bool {
    good(got) && text(&got.json(), "state") == "signed-in"
}

struct Stage<'w> {
    world: &'w dyn World,
    console: String,
    client: Client,
    person: Person,
}

impl Stage<'_> {
    fn now(&self) -> Result<i64, Trouble> {
        Ok(rehearsed(self.world)?.now().secs())
    }
    /// A right signature of this moment.
    fn fresh(&self) -> Result<Signed, Trouble> {
        let nonce = self.world.marker("nonce");
        Ok(self.client.sign(&self.console, &self.person.name, self.now()?, &nonce))
    }
    async fn send(&self, signed: &Signed, node: usize) -> Result<Answer, Trouble> {
        self.world.send(signed.ask(&self.console).node(node)).await
    }
}

#[async_trait]
impl Probe for BySignature {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_24
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, other, ..] = world.canaries() else { return Err(Trouble("there are no tenants to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let person = desk.hire(world, &admin, "user", &Value::Null).await?;
        let client = Client::register(world, &desk, &[&person]).await?;
        let stage = Stage { world, console: canary.console.clone(), client, person };

        let first = stage.fresh()?;
        let entered = stage.send(&first, 0).await?;
        let who = text(&entered.json()["user"], "id");
        let session = Session { token: text(&entered.json(), "token"), ..desk.clone() };
        let me = session.get(world, "/me").await?;
        finding.positive(
            "right-signs-in",
            "an application signs for one of its users, and the token is used",
            "signed in as that user",
            format!("{}; then {}", told(&entered), told(&me)),
            signed_in(&entered) && who == stage.person.id && good(&me),
        );
        replayed(&stage, finding, &first).await?;
        stale(&stage, finding).await?;
        altered(&stage, finding).await?;
        other_clients(&stage, finding, &desk, &admin, &other.console).await
    }
}

async fn replayed(stage: &Stage<'_>, finding: &mut Finding, first: &Signed) -> Result<(), Trouble> {
    let (world, instance) = (stage.world, rehearsed(stage.world)?);
    let skew = in_force(world).span(&SKEW);
    let mut again = Vec::new();
    for node in [0, 1] {
        again.push(stage.send(first, node).await?);
    }
    // Just before its time is over, the jobs that tidy up having run.
    instance.advance(skew - Duration::from_secs(1)).await?;
    again.push(stage.send(first, 1).await?);
    finding.forbidden(
        "replayed-refused",
        format!("the same signature again, at each node, and {} later", show_span(skew - Duration::from_secs(1))),
        "refused each time",
        tally(&again),
        !again.iter().any(signed_in),
    );
    let one = stage.fresh()?;
    let asks = (0..AT_ONCE).map(|n| one.ask(&stage.console).node(n % 2)).collect();
    let answers: Vec<Answer> = world.send_all(asks).await.into_iter().collect::<Result<_, _>>()?;
    let inside = answers.iter().filter(|a| signed_in(a)).count();
    finding.forbidden(
        "replayed-refused",
        format!("{AT_ONCE} bring one signature at the same time, half of them at each node"),
        "one is let in",
        tally(&answers),
        inside == 1,
    );
    let now = stage.now()?;
    let twin = stage.client.sign(&stage.console, &stage.person.name, now - 1, &one.nonce);
    let got = stage.send(&twin, 0).await?;
    finding.forbidden(
        "replayed-refused",
        "another timestamp rightly signed with a nonce that was used",
        "refused",
        told(&got),
        !signed_in(&got),
    );
    Ok(())
}

async fn stale(stage: &Stage<'_>, finding: &mut Finding) -> Result<(), Trouble> {
    let skew = in_force(stage.world).span(&SKEW);
    let edge = i64::try_from(skew.as_secs()).unwrap_or(i64::MAX);
    let now = stage.now()?;
    let at = |secs: i64| stage.client.sign(&stage.console, &stage.person.name, secs, &stage.world.marker("nonce"));
    let within = stage.send(&at(now - edge + 2), 0).await?;
    finding.positive(
        "stale-refused",
        format!("a signature nearly {} old", show_span(skew)),
        "signed in",
        told(&within),
        signed_in(&within),
    );
    let mut answers = Vec::new();
    for secs in [now - edge - 1, now - 86_400, 0, now + edge + 2, now + 86_400] {
        answers.push(stage.send(&at(secs), 0).await?);
    }
    finding.forbidden(
        "stale-refused",
        format!("right signatures a second more than {} old, a day old, of 1970, and as far ahead", show_span(skew)),
        "refused",
        tally(&answers),
        !answers.iter().any(signed_in),
    );
    Ok(())
}

async fn altered(stage: &Stage<'_>, finding: &mut Finding) -> Result<(), Trouble> {
    let mut answers = Vec::new();
    let good = stage.fresh()?;
    let changed = [
        Signed { unique_id: format!("{} ", good.unique_id), ..good.clone() },
        Signed { unique_id: good.unique_id.to_uppercase(), ..good.clone() },
        Signed { timestamp: good.timestamp - 1, ..good.clone() },
        Signed { nonce: stage.world.marker("nonce"), ..good.clone() },
        Signed { signature: flipped(&good.signature), ..good.clone() },
        Signed { signature: good.signature[..42].to_owned(), ..good.clone() },
        Signed { signature: "A".repeat(43), ..good.clone() },
        Signed { signature: String::new(), ..good.clone() },
    ];
    for signed in &changed {
        answers.push(stage.send(signed, 0).await?);
    }
    let kept = stage.send(&good, 0).await?;
    finding.forbidden(
        "altered-refused",
        format!("{} requests, each with one part changed after it was signed", changed.len()),
        "refused",
        tally(&answers),
        !answers.iter().any(signed_in),
    );
    finding.positive(
        "altered-refused",
        "the same request as it was signed: what failed has not used it up",
        "signed in",
        told(&kept),
        signed_in(&kept),
    );
    Ok(())
}

/// The first character another one.
fn flipped(signature: &str) -> String {
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{first}{}", &signature[1..])
}

async fn other_clients(
    stage: &Stage<'_>,
    finding: &mut Finding,
    desk: &Session,
    admin: &Person,
    elsewhere: &str,
) -> Result<(), Trouble> {
    let world = stage.world;
    let colleague = desk.hire(world, admin, "user", &Value::Null).await?;
    let second = Client::register(world, desk, &[&colleague]).await?;
    let own = second.sign(&stage.console, &colleague.name, stage.now()?, &world.marker("nonce"));
    let entered = stage.send(&own, 0).await?;
    finding.positive(
        "other-clients-refused",
        "a second client signs for its own user",
        "signed in",
        told(&entered),
        signed_in(&entered),
    );
    let now = stage.now()?;
    let nonce = || world.marker("nonce");
    // Signed by the second client: in its own name for the first one's user, and in the first one's name.
    let foreign = second.sign(&stage.console, &stage.person.name, now, &nonce());
    let posing = Client { id: stage.client.id.clone(), ..second.clone() };
    let posed = posing.sign(&stage.console, &stage.person.name, now, &nonce());
    let mut answers = vec![stage.send(&foreign, 0).await?, stage.send(&posed, 0).await?];
    // For this host, brought to the other organisation's, and the other way round.
    answers.push(world.send(stage.fresh()?.ask(elsewhere)).await?);
    let there = stage.client.sign(elsewhere, &stage.person.name, now, &nonce());
    answers.push(world.send(there.ask(elsewhere)).await?);
    answers.push(stage.send(&there, 0).await?);
    // A key that was replaced, and a client that was stopped.
    let old = second.clone();
    let mut renewed = second.clone();
    renewed.renew(world, desk).await?;
    answers.push(stage.send(&old.sign(&stage.console, &colleague.name, now, &nonce()), 0).await?);
    let anew = stage.send(&renewed.sign(&stage.console, &colleague.name, now, &nonce()), 0).await?;
    let path = format!("/signing-clients/{}", renewed.id);
    let version = desk.get(world, &path).await?.json()["version"].as_i64().unwrap_or(0);
    let stopped = desk.patch(world, &path, version, &json!({"disabled": true})).await?;
    answers.push(stage.send(&renewed.sign(&stage.console, &colleague.name, now, &nonce()), 0).await?);
    finding.positive(
        "other-clients-refused",
        "the second client's key is replaced, the new one used, then the client is stopped",
        "signed in with the new key",
        format!("{}; stopping: {}", told(&anew), told(&stopped)),
        signed_in(&anew) && good(&stopped),
    );
    finding.forbidden(
        "other-clients-refused",
        "another client's key for this user, in both names; another organisation's host; a replaced key; a stopped client",
        "refused",
        tally(&answers),
        !answers.iter().any(signed_in),
    );
    Ok(())
}
