//! NM-04 and IDO-39: a role with one right, and every right of the catalogue tried with it.

use async_trait::async_trait;
use sekisho_kernel::{
    Right, RightSet,
    access::UserType,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, World},
};
use serde_json::{Value, json};

use crate::{
    access::{IDO_39, NM_04},
    probing::{
        Person,
        person::text,
        rights::{Actor, Scenery, done, refused},
        told,
    },
};

/// Roles of one right each; with `types_too` also the three built-in user types.
pub struct OneRight {
    pub types_too: bool,
}

#[async_trait]
impl Probe for OneRight {
    fn spec(&self) -> &'static ClaimSpec {
        if self.types_too { &IDO_39 } else { &NM_04 }
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let scenery = Scenery::set(world, &desk, &admin).await?;
        one_by_one(world, finding, &scenery).await?;
        if self.types_too {
            for kind in UserType::ALL {
                user_type(world, finding, &scenery, kind).await?;
            }
        }
        Ok(())
    }
}

/// A person whose only role holds one right after another. What the built-in type `user` brings with it is switched off for
/// that person except where it is the right under trial.
async fn one_by_one(world: &dyn World, finding: &mut Finding, scenery: &Scenery) -> Result<(), Trouble> {
    let desk = &scenery.admin;
    let person = desk.hire(world, &scenery.like, "user", &Value::Null).await?;
    let role = desk
        .make(world, "/roles", &json!({"name": world.marker("one-right"), "rights": [Right::USERS_READ.name()]}))
        .await?;
    let (role, mut version) = (text(&role, "id"), role.get("version").and_then(Value::as_i64).unwrap_or(1));
    desk.make(world, "/grants", &json!({"user": person.id, "role": role})).await?;
    let mut actor = Actor::enter(world, person).await?;
    let (mut performed, mut wrongly_refused) = (0, Vec::new());
    let (mut held_back, mut wrongly_done) = (0, Vec::new());
    for right in Right::all() {
        let body = json!({"rights": [right.name()]});
        let changed = desk.patch(world, &format!("/roles/{role}"), version, &body).await?;
        if !done(&changed) {
            return Err(Trouble(format!("giving the role the right {} was answered {}", right.name(), told(&changed))));
        }
        version = changed.json().get("version").and_then(Value::as_i64).unwrap_or(version + 1);
        let brought = UserType::User.rights().without(right);
        let off: Vec<&str> = brought.iter().map(|r| r.function().name()).collect();
        let switch = desk.ask("PUT", &format!("/users/{}/functions", actor.person.id)).json(&json!({"off": off}));
        desk.need(world, switch).await?;
        for tried in Right::all() {
            let got = scenery.tries(world, &mut actor, tried).await?;
            match (tried == right, done(&got), refused(&got)) {
                (true, true, _) => performed += 1,
                (true, false, _) => wrongly_refused.push(words(right, tried, &got)),
                (false, _, true) => held_back += 1,
                (false, ..) => wrongly_done.push(words(right, tried, &got)),
            }
        }
    }
    let count = Right::all().count();
    finding.positive(
        "role-right-performs",
        format!("a role holds one right after another, {count} in all; its holder does what that right allows"),
        "done, each of them",
        said(performed, "done", &wrongly_refused),
        performed == count && wrongly_refused.is_empty(),
    );
    finding.forbidden(
        "every-other-right-refused",
        format!(
            "with each of these roles the holder tries all {} other rights of the catalogue, one request each",
            count - 1
        ),
        "refused, each of them",
        said(held_back, "refused", &wrongly_done),
        held_back == count * (count - 1) && wrongly_done.is_empty(),
    );
    Ok(())
}

async fn user_type(world: &dyn World, finding: &mut Finding, scenery: &Scenery, kind: UserType) -> Result<(), Trouble> {
    let rights: RightSet = kind.rights();
    let clause = match kind {
        UserType::Administrator => "administrator-type",
        UserType::Approver => "approver-type",
        UserType::User => "user-type",
    };
    let person = scenery.admin.hire(world, &scenery.like, kind.name(), &Value::Null).await?;
    let mut actor = Actor::enter(world, person).await?;
    let (mut performed, mut wrongly_refused) = (0, Vec::new());
    let (mut held_back, mut wrongly_done) = (0, Vec::new());
    for tried in Right::all() {
        let got = scenery.tries(world, &mut actor, tried).await?;
        match (rights.has(tried), done(&got), refused(&got)) {
            (true, true, _) => performed += 1,
            (true, false, _) => wrongly_refused.push(format!("{}: {}", tried.name(), told(&got))),
            (false, _, true) => held_back += 1,
            (false, ..) => wrongly_done.push(format!("{}: {}", tried.name(), told(&got))),
        }
    }
    let own = rights.iter().count();
    finding.positive(
        clause,
        format!("a person of the type {} does what the type's {own} rights allow", kind.name()),
        "done, each of them",
        said(performed, "done", &wrongly_refused),
        performed == own,
    );
    let others = Right::all().count() - own;
    if others > 0 {
        finding.forbidden(
            clause,
            format!("a person of the type {} tries the {others} rights that the type does not have", kind.name()),
            "refused, each of them",
            said(held_back, "refused", &wrongly_done),
            held_back == others,
        );
    }
    Ok(())
}

fn words(holding: Right, tried: Right, got: &Answer) -> String {
    format!("{} with {} alone: {}", tried.name(), holding.name(), told(got))
}

/// `324 refused`, or what was not, up to five of them.
fn said(count: usize, what: &str, others: &[String]) -> String {
    if others.is_empty() {
        return format!("{count} {what}");
    }
    let shown: Vec<&str> = others.iter().take(5).map(String::as_str).collect();
    format!("{count} {what}, {} not: {}", others.len(), shown.join("; "))
}
