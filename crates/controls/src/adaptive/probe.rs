//! Staged sign-ins, each with the right password, and a week of ordinary ones (IDO-43).

mod week;

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use sekisho_kernel::{
    Effective,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, World},
};
use serde_json::{Value, json};

use super::{
    HIGH, HIGH_AT, IDO_43, LISTED_POINTS, LOW, MEDIUM, MEDIUM_AT, NEW_DEVICE, NEW_NETWORK, SPRAY_NAMES, SPRAYING,
    TRAVEL, WITHOUT_FACTOR,
};
use crate::probing::{
    Person, Session,
    answer::{good, same_face},
    in_force,
    person::{knock, text},
    rehearsed, told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(Suspicious)]
}

struct Suspicious;

/// Addresses of the rehearsal's places: networks for benchmarks (RFC 2544), which are nobody's.
pub(super) const fn tokyo(n: u8) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 1, n))
}
/// Another network, three hours away by train.
pub(super) const fn osaka(n: u8) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 2, n))
}
/// Another continent.
const NEW_YORK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 19, 1, 10));
/// Where nobody has been, and no database knows where it is.
const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 50));
/// From where one guesses at many.
const SPRAYER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 66));
/// On the list.
const LISTED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

/// What the policy says of so many points.
fn wanted(policy: &Effective, points: i64) -> String {
    let setting = match () {
        () if points >= policy.int(&HIGH_AT) => &HIGH,
        () if points >= policy.int(&MEDIUM_AT) => &MEDIUM,
        () => &LOW,
    };
    let action = policy.str(setting);
    if action == "step_up" && policy.str(&WITHOUT_FACTOR) == "block" { "block".into() } else { action }
}

/// What a first step came to, in the policy's words. People of this probe have no second factor unless the policy asks
/// everybody for one; then it is asked for in any case.
pub(super) fn came_to(got: &Answer) -> String {
    match text(&got.json(), "state").as_str() {
        "password-again" => "step_up".into(),
        "signed-in" | "second-factor" | "enrol-factor" | "password-change" if good(got) => "allow".into(),
        _ if got.status == 401 => "block".into(),
        _ => told(got),
    }
}

#[async_trait]
impl Probe for Suspicious {
    fn spec(&self) -> &'static ClaimSpec {
        &IDO_43
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let mut desk = admin.sign_in(world).await?;
        let mut staged = Vec::new();
        new_device(world, finding, &desk, &admin, &mut staged).await?;
        travel(world, finding, &desk, &admin, &mut staged).await?;
        // Half a day has passed, and with it the session.
        admin.again(world).await?;
        desk = admin.sign_in(world).await?;
        spraying(world, finding, &desk, &admin, &mut staged).await?;
        listed(world, finding, &desk, &admin, &mut staged).await?;
        entered(world, finding, &desk, &staged).await?;
        week::ordinary(world, finding, &mut desk, &mut admin).await
    }
}

/// Something that was staged: whose sign-in, what it came to, and a reason that must be given.
struct Staged {
    user: String,
    action: String,
    reason: &'static str,
}

/// An account whose person has signed in once from Tokyo, with a browser.
async fn at_home(world: &dyn World, desk: &Session, like: &Person) -> Result<Person, Trouble> {
    let person = desk.hire(world, like, "user", &Value::Null).await?;
    let mut person = person.with_browser().from(tokyo(10));
    person.sign_in(world).await?;
    Ok(person)
}

async fn new_device(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    staged: &mut Vec<Staged>,
) -> Result<(), Trouble> {
    let clause = "new-device-and-network";
    let policy = in_force(world);
    let person = at_home(world, desk, like).await?;
    let known = person.first_step(world, 1).await?;
    finding.positive(
        clause,
        "the browser and network of the last sign-in",
        "signed in",
        came_to(&known),
        came_to(&known) == "allow",
    );
    let action = wanted(&policy, policy.int(&NEW_DEVICE) + policy.int(&NEW_NETWORK));
    let stranger = person.with_browser().from(ELSEWHERE);
    for node in [0, 1] {
        let got = stranger.first_step(world, node).await?;
        finding.forbidden(
            clause,
            format!("the right password, with a new browser from a new network, at node {node}"),
            format!("{action}, as the policy says"),
            came_to(&got),
            came_to(&got) == action && action != "allow",
        );
        if node == 0 && action == "step_up" {
            let challenge = text(&got.json(), "challenge");
            let again = async |password: &str| {
                let body = json!({"challenge": challenge, "password": password});
                let path = format!("{}/sign-in/again", crate::probing::person::API);
                let ask = sekisho_kernel::world::Ask::new("POST", &stranger.console, &path).json(&body);
                world.send(ask.peer(ELSEWHERE)).await
            };
            let wrong = again("wrong").await?;
            finding.forbidden(clause, "a wrong password at the further step", "refused", told(&wrong), !good(&wrong));
        }
    }
    staged.push(Staged { user: person.id.clone(), action: action.clone(), reason: "new-device" });
    staged.push(Staged { user: person.id.clone(), action: action.clone(), reason: "new-network" });
    if action == "step_up" {
        let mut own = stranger;
        let done = own.sign_in(world).await;
        let next = own.first_step(world, 1).await?;
        finding.positive(
            clause,
            "the person goes through the further step, and comes again with that browser",
            "signed in both times, the second time without it",
            format!("{}; {}", done.as_ref().map_or_else(ToString::to_string, |_| "signed in".into()), came_to(&next)),
            done.is_ok() && came_to(&next) == "allow",
        );
    }
    Ok(())
}

async fn travel(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    staged: &mut Vec<Staged>,
) -> Result<(), Trouble> {
    let clause = "impossible-travel";
    let policy = in_force(world);
    let instance = rehearsed(world)?;
    let (hurried, flown) = (at_home(world, desk, like).await?, at_home(world, desk, like).await?);
    instance.advance(Duration::from_secs(1_800)).await?;
    let far = policy.int(&NEW_NETWORK) + policy.int(&TRAVEL);
    for (what, person, points) in [
        ("with the known browser", hurried.clone().from(NEW_YORK), far),
        ("with a new browser", hurried.with_browser().from(NEW_YORK), far + policy.int(&NEW_DEVICE)),
    ] {
        let action = wanted(&policy, points);
        let got = person.first_step(world, 0).await?;
        finding.forbidden(
            clause,
            format!("the right password from New York {what}, half an hour after a sign-in from Tokyo"),
            format!("{action}, as the policy says"),
            came_to(&got),
            came_to(&got) == action && action != "allow",
        );
        staged.push(Staged { user: hurried.id.clone(), action, reason: "impossible-travel" });
    }
    instance.advance(Duration::from_secs(14 * 3_600)).await?;
    let landed = flown.from(NEW_YORK).first_step(world, 0).await?;
    finding.positive(
        clause,
        "a person signs in from New York with the known browser, 14 hours after Tokyo",
        "signed in",
        came_to(&landed),
        came_to(&landed) == "allow",
    );
    Ok(())
}

async fn spraying(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    staged: &mut Vec<Staged>,
) -> Result<(), Trouble> {
    let clause = "spraying";
    let policy = in_force(world);
    let victim = desk.hire(world, like, "user", &Value::Null).await?;
    let before = victim.clone().from(SPRAYER).first_step(world, 0).await?;
    finding.positive(
        clause,
        "a person's first sign-in, from an address that has done nothing yet",
        "signed in",
        came_to(&before),
        came_to(&before) == "allow",
    );
    let victim = desk.hire(world, like, "user", &Value::Null).await?;
    let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
    let names = usize::try_from(policy.int(&SPRAY_NAMES)).unwrap_or(1);
    for n in 0..names {
        let canary = if n % 2 == 0 { ours } else { theirs };
        let name = world.marker("guessed");
        world.send(knock(&canary.console, &name, "Spring-2026!", Some(SPRAYER)).node(n / 2 % 2)).await?;
    }
    let action = wanted(&policy, policy.int(&SPRAYING));
    for node in [0, 1] {
        let got = victim.clone().from(SPRAYER).first_step(world, node).await?;
        finding.forbidden(
            clause,
            format!("{names} names of two organisations are tried in vain from one address over both nodes, then the right password of another at node {node}"),
            format!("{action}, as the policy says"),
            came_to(&got),
            came_to(&got) == action && action != "allow",
        );
    }
    staged.push(Staged { user: victim.id.clone(), action, reason: "spraying" });
    let mut own = victim.from(tokyo(30));
    let elsewhere = own.sign_in(world).await;
    finding.positive(
        clause,
        "the same person from an address of their own",
        "signed in",
        elsewhere.as_ref().map_or_else(ToString::to_string, |_| "signed in".into()),
        elsewhere.is_ok(),
    );
    Ok(())
}

async fn listed(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    staged: &mut Vec<Staged>,
) -> Result<(), Trouble> {
    let clause = "listed-address";
    let policy = in_force(world);
    let person = at_home(world, desk, like).await?;
    let near = person.clone().from(LISTED).first_step(world, 0).await?;
    finding.positive(
        clause,
        "the known browser from an address before it is listed",
        "signed in",
        came_to(&near),
        came_to(&near) == "allow",
    );
    let set = desk.ask("PUT", "/policy/adaptive.listed").json(&json!({"value": ["198.51.100.0/24"]}));
    desk.need(world, set).await?;
    let person = at_home(world, desk, like).await?.from(LISTED);
    let action = wanted(&policy, policy.int(&LISTED_POINTS) + policy.int(&NEW_NETWORK));
    let mut answers = Vec::new();
    for node in [0, 1] {
        let got = person.first_step(world, node).await?;
        finding.forbidden(
            clause,
            format!("an administrator lists 198.51.100.0/24; the known browser from there with the right password at node {node}"),
            format!("{action}, as the policy says"),
            came_to(&got),
            came_to(&got) == action && action != "allow",
        );
        answers.push(got);
    }
    staged.push(Staged { user: person.id.clone(), action: action.clone(), reason: "listed-address" });
    if action == "block" {
        let wrong = world.send(person.knock("wrong")).await?;
        let nobody = world.marker("nobody");
        let unknown = world.send(knock(&person.console, &nobody, "wrong", Some(LISTED))).await?;
        for (what, other, name) in
            [("a wrong password", &wrong, person.name.as_str()), ("a name that nobody has", &unknown, nobody.as_str())]
        {
            let differs = answers.iter().find_map(|a| same_face(a, &[&person.name], other, &[name]).err());
            finding.forbidden(
                "nothing-revealed",
                format!("the refusal of a right password beside that of {what}, from the same address"),
                "status, header fields and body are the same",
                differs.clone().unwrap_or_else(|| "the same".into()),
                differs.is_none(),
            );
        }
    } else {
        finding.absent("nothing-revealed", "a refusal: the policy refuses nobody for a listed address");
    }
    desk.need(world, desk.ask("DELETE", "/policy/adaptive.listed")).await?;
    let after = at_home(world, desk, like).await?.from(LISTED).first_step(world, 0).await?;
    finding.positive(
        "nothing-revealed",
        "the known browser from the same address once it is no longer listed",
        "signed in",
        came_to(&after),
        came_to(&after) == "allow",
    );
    Ok(())
}

/// Each staged sign-in is in the history, with its end and its reason.
async fn entered(world: &dyn World, finding: &mut Finding, desk: &Session, staged: &[Staged]) -> Result<(), Trouble> {
    let shown = desk.need(world, desk.ask("GET", "/risk/decisions?limit=200")).await?;
    let all = shown["items"].as_array().cloned().unwrap_or_default();
    let has = |s: &Staged| {
        all.iter().any(|d| {
            d["user"] == s.user.as_str()
                && d["action"] == s.action.as_str()
                && d["reasons"].as_array().is_some_and(|r| r.iter().any(|x| x == s.reason))
        })
    };
    let missing: Vec<_> = staged.iter().filter(|s| !has(s)).map(|s| format!("{} {}", s.action, s.reason)).collect();
    finding.forbidden(
        "decisions-entered",
        format!("{} staged sign-ins are looked for among {} decisions", staged.len(), all.len()),
        "each is there with what was done and why",
        if missing.is_empty() { "all there".into() } else { format!("missing: {}", missing.join(", ")) },
        missing.is_empty() && !staged.is_empty(),
    );
    let of_each = all.first().map(|d| text(d, "id")).unwrap_or_default();
    let entry = desk.get(world, &format!("/history/{of_each}")).await?;
    finding.forbidden(
        "decisions-entered",
        "a decision's own entry of the operation history",
        "it says the level, the reasons and what was seen",
        told(&entry),
        good(&entry) && entry.contains("risk_reasons") && entry.contains("risk_facts"),
    );
    let replay = json!({"days": 1, "settings": {"adaptive.medium_at": 10}});
    let replayed = desk.post(world, "/risk/replay", &replay).await?;
    finding.positive(
        "decisions-entered",
        "an administrator tries a lower threshold on the past day",
        "the past is judged again, and nothing is changed",
        told(&replayed),
        good(&replayed),
    );
    Ok(())
}
