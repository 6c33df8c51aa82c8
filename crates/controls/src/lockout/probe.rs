//! Guesses, one by one and all at once, and the right password after them (NM-01).

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    policy::show_span,
    world::{Answer, Ask, World},
};

use super::{NM_01, PERIOD, TRIES};
use crate::probing::{
    Person, Session,
    answer::{good, same_face, tally},
    in_force,
    person::{knock, text},
    rehearsed, rights, told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(LocksOut)]
}

struct LocksOut;

/// Addresses kept for documentation (RFC 5737): every guess comes from another one.
fn stranger(n: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, n])
}

#[async_trait]
impl Probe for LocksOut {
    fn spec(&self) -> &'static ClaimSpec {
        &NM_01
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let policy = in_force(world);
        let tries = usize::try_from(policy.int(&TRIES)).unwrap_or(1);
        let period = policy.span(&PERIOD);
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;

        let in_turn = guess_in_turn(world, finding, &desk, &admin, tries).await?;
        let at_once = guess_at_once(world, finding, &desk, &admin, tries).await?;
        let over_nodes = guess_over_nodes(world, finding, &desk, &admin, tries).await?;
        existence(world, finding, &desk, &admin, tries).await?;

        let instance = rehearsed(world)?;
        let last = Duration::from_secs(1);
        instance.advance(period.saturating_sub(last)).await?;
        for (how, person) in [("in turn", &in_turn), ("at once", &at_once), ("over both nodes", &over_nodes)] {
            let got = person.first_step(world, 0).await?;
            finding.forbidden(
                "refused-until-period-ends",
                format!(
                    "the right password of the account that was guessed {how}, 1 s before the {} are over",
                    show_span(period)
                ),
                "refused",
                told(&got),
                !good(&got),
            );
        }
        instance.advance(last).await?;
        for (how, mut person) in [("in turn", in_turn), ("at once", at_once), ("over both nodes", over_nodes)] {
            let session = person.sign_in(world).await;
            finding.positive(
                "accepted-after-period",
                format!("the right password of the account that was guessed {how}, after {}", show_span(period)),
                "signed in",
                session.as_ref().map_or_else(ToString::to_string, |_| "signed in".into()),
                session.is_ok(),
            );
        }
        Ok(())
    }
}

/// Someone who can sign in, and just has.
async fn person(
    world: &dyn World,
    finding: &mut Finding,
    clause: &str,
    desk: &Session,
    like: &Person,
) -> Result<Person, Trouble> {
    let mut person = desk.hire(world, like, "user", &serde_json::Value::Null).await?;
    let session = person.sign_in(world).await;
    finding.positive(
        clause,
        "the right password of a new account, before any guess",
        "signed in",
        session.as_ref().map_or_else(ToString::to_string, |_| "signed in".into()),
        session.is_ok(),
    );
    Ok(person)
}

async fn guess_in_turn(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    tries: usize,
) -> Result<Person, Trouble> {
    let person = person(world, finding, "three-wrong-lock", desk, like).await?;
    let mut answers = Vec::new();
    for n in 0..tries {
        answers.push(world.send(person.knock(&format!("wrong guess {n}"))).await?);
    }
    let right = person.first_step(world, 0).await?;
    finding.forbidden(
        "three-wrong-lock",
        format!("{tries} wrong passwords one after another, then the right one"),
        "the right one is refused like the wrong ones",
        format!("wrong: {}; right: {}", tally(&answers), told(&right)),
        answers.iter().all(|a| !good(a)) && !good(&right),
    );
    Ok(person)
}

async fn guess_at_once(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    tries: usize,
) -> Result<Person, Trouble> {
    // Exactly as many as lock: not one of them may be lost in the rush.
    let exact = person(world, finding, "all-at-once", desk, like).await?;
    let many = person(world, finding, "all-at-once", desk, like).await?;
    for (who, count) in [(&exact, tries), (&many, tries * 4)] {
        let guesses: Vec<Ask> = (0..count)
            .map(|n| {
                let from = Some(stranger(u8::try_from(n % 200).unwrap_or(0)));
                knock(&who.console, &who.name, &format!("wrong guess {n}"), from).node(n % 2)
            })
            .collect();
        let answers: Vec<Answer> = world.send_all(guesses).await.into_iter().collect::<Result<_, _>>()?;
        let right = who.first_step(world, 0).await?;
        finding.forbidden(
            "all-at-once",
            format!("{count} wrong passwords at the same time, each from an address and over a connection of its own, then the right one"),
            "the right one is refused",
            format!("wrong: {}; right: {}", tally(&answers), told(&right)),
            answers.iter().all(|a| !good(a)) && !good(&right),
        );
    }
    Ok(exact)
}

async fn guess_over_nodes(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    tries: usize,
) -> Result<Person, Trouble> {
    let person = person(world, finding, "across-nodes", desk, like).await?;
    let mut answers = Vec::new();
    for n in 0..tries {
        answers.push(world.send(person.knock(&format!("wrong guess {n}")).node(n % 2)).await?);
    }
    for node in [0, 1] {
        let right = person.first_step(world, node).await?;
        finding.forbidden(
            "across-nodes",
            format!("{tries} wrong passwords, turn about at the two nodes, then the right one at node {node}"),
            "the right one is refused at either node",
            format!("wrong: {}; right: {}", tally(&answers), told(&right)),
            !good(&right),
        );
    }
    Ok(person)
}

/// What a stranger sees of names that exist, are locked, are disabled, have no password, or do not exist at all.
async fn existence(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    tries: usize,
) -> Result<(), Trouble> {
    let known = desk.hire(world, like, "user", &serde_json::Value::Null).await?;
    let disabled = desk.hire(world, like, "user", &serde_json::Value::Null).await?;
    desk.need(world, desk.ask("POST", &format!("/users/{}/disable", disabled.id)).json(&serde_json::json!({}))).await?;
    let invited = rights::invited(world, desk).await?;
    let invited = text(&desk.need(world, desk.ask("GET", &format!("/users/{invited}"))).await?, "name");
    let nobody = world.marker("nobody");
    // One guess more than locks: the first answers and those after the lock are compared alike.
    let mut seen: Vec<(&str, &str, Vec<Answer>)> = Vec::new();
    for (what, name) in [
        ("an account that exists", known.name.as_str()),
        ("a disabled account", disabled.name.as_str()),
        ("an invited account without a password", invited.as_str()),
        ("a name that nobody has", nobody.as_str()),
    ] {
        let mut answers = Vec::new();
        for n in 0..=tries {
            answers.push(world.send(knock(&like.console, name, &format!("wrong guess {n}"), None)).await?);
        }
        seen.push((what, name, answers));
    }
    let Some((_, nobody, blank)) = seen.pop() else { return Ok(()) };
    for (what, name, answers) in &seen {
        let differs = answers.iter().zip(&blank).enumerate().find_map(|(n, (a, b))| {
            same_face(a, &[name], b, &[nobody]).err().map(|why| format!("guess {}: {why}", n + 1))
        });
        finding.forbidden(
            "existence-not-revealed",
            format!("{} wrong passwords for {what}, and as many for a name that nobody has", tries + 1),
            "status, header fields and body are the same, before the lock and after it",
            differs.clone().unwrap_or_else(|| format!("the same throughout: {}", tally(answers))),
            differs.is_none(),
        );
    }
    Ok(())
}
