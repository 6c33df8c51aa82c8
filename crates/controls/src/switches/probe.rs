//! Each function switched off, for one user and for one tenant (MOX-33, MOX-37).

use async_trait::async_trait;
use sekisho_kernel::{
    Function, Right,
    access::UserType,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Ask, World},
};
use serde_json::{Value, json};

use super::{MOX_33, MOX_37};
use crate::probing::{
    Person, Session,
    rights::{Actor, Scenery, done, refused},
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(PerUser), Box::new(PerTenant)]
}

/// What belongs to a function: one request for each of its rights.
fn rights_of(function: Function) -> impl Iterator<Item = Right> {
    Right::all().filter(move |r| r.function() == function)
}

/// What was not as it should be, or how many were.
#[derive(Default)]
struct Tally {
    right: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, ok: bool, words: String) {
        if ok {
            self.right += 1;
        } else {
            self.wrong.push(words);
        }
    }
    fn words(&self, what: &str) -> String {
        match self.wrong.first() {
            None => format!("{} requests {what}", self.right),
            Some(first) => format!("{} requests {what}, {} not: {first}", self.right, self.wrong.len()),
        }
    }
    fn sound(&self) -> bool {
        self.wrong.is_empty() && self.right > 0
    }
}

async fn administrator(world: &dyn World, desk: &Session, like: &Person) -> Result<Actor, Trouble> {
    let person = desk.hire(world, like, UserType::Administrator.name(), &Value::Null).await?;
    Actor::enter(world, person).await
}

struct PerUser;

#[async_trait]
impl Probe for PerUser {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_33
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let scenery = Scenery::set(world, &desk, &admin).await?;
        let mut one = administrator(world, &desk, &admin).await?;
        let mut colleague = administrator(world, &desk, &admin).await?;
        let (mut before, mut off, mut others, mut after) =
            (Tally::default(), Tally::default(), Tally::default(), Tally::default());
        let mut functions = 0;
        for function in Function::all() {
            functions += 1;
            for right in rights_of(function) {
                let got = scenery.tries(world, &mut one, right).await?;
                before.add(done(&got), format!("{}: {}", right.name(), told(&got)));
            }
            switch(world, &desk, &one.person.id, &[function.name()]).await?;
            for right in rights_of(function) {
                let words = |got| format!("{} with {} off: {}", right.name(), function.name(), told(got));
                let got = scenery.tries(world, &mut one, right).await?;
                off.add(refused(&got), words(&got));
                let got = scenery.tries(world, &mut colleague, right).await?;
                others.add(done(&got), words(&got));
            }
            switch(world, &desk, &one.person.id, &[]).await?;
            for right in rights_of(function) {
                let got = scenery.tries(world, &mut one, right).await?;
                after.add(done(&got), format!("{} switched on again: {}", right.name(), told(&got)));
            }
        }
        finding.positive(
            "switched-off-refused-to-user",
            format!("an administrator uses each of the {functions} functions, before it is switched off for them"),
            "done",
            before.words("done"),
            before.sound(),
        );
        finding.forbidden(
            "switched-off-refused-to-user",
            "the same, one function after another being switched off for this user",
            "refused",
            off.words("refused"),
            off.sound(),
        );
        finding.positive(
            "nobody-else-refused",
            "meanwhile another administrator of the same organisation uses the function",
            "done",
            others.words("done"),
            others.sound(),
        );
        finding.positive(
            "switched-off-refused-to-user",
            "the function is switched on again",
            "done",
            after.words("done"),
            after.sound(),
        );
        Ok(())
    }
}

async fn switch(world: &dyn World, desk: &Session, user: &str, off: &[&str]) -> Result<Value, Trouble> {
    desk.need(world, desk.ask("PUT", &format!("/users/{user}/functions")).json(&json!({"off": off}))).await
}

struct PerTenant;

#[async_trait]
impl Probe for PerTenant {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_37
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let (mut admin, mut other) = (Person::admin(ours), Person::admin(theirs));
        let (desk, their_desk) = (admin.sign_in(world).await?, other.sign_in(world).await?);
        let scenery = Scenery::set(world, &desk, &admin).await?;
        let their_scenery = Scenery::set(world, &their_desk, &other).await?;
        let mut one = administrator(world, &desk, &admin).await?;
        let mut colleague = administrator(world, &desk, &admin).await?;
        let mut stranger = administrator(world, &their_desk, &other).await?;
        let (mut before, mut off, mut others) = (Tally::default(), Tally::default(), Tally::default());
        let mut functions = 0;
        // The function that holds the switches comes last: it may be that nobody can turn it on again.
        let mut order: Vec<Function> = Function::all().collect();
        order.sort_by_key(|f| *f == Right::SWITCHES_WRITE.function());
        for function in order {
            functions += 1;
            for right in rights_of(function) {
                let got = scenery.tries(world, &mut one, right).await?;
                before.add(done(&got), format!("{}: {}", right.name(), told(&got)));
            }
            // Grants and accounts are prepared by the administrator, so requests are made ready before the switch.
            let mut ready: Vec<(Right, Ask)> = Vec::new();
            for right in rights_of(function).filter(|r| *r != Right::APPLICATION_USE) {
                ready.push((right, scenery.request(world, &one.session, right).await?));
                ready.push((right, scenery.request(world, &colleague.session, right).await?));
            }
            desk.need(world, desk.ask("PUT", "/functions").json(&json!({"off": [function.name()]}))).await?;
            for (right, ask) in ready {
                let got = world.send(ask).await?;
                off.add(refused(&got), format!("{} with {} off: {}", right.name(), function.name(), told(&got)));
            }
            if function == Right::APPLICATION_USE.function() {
                for actor in [&mut one, &mut colleague] {
                    let got = scenery.tries(world, actor, Right::APPLICATION_USE).await?;
                    off.add(refused(&got), format!("the application: {}", told(&got)));
                }
            }
            for right in rights_of(function) {
                let got = their_scenery.tries(world, &mut stranger, right).await?;
                others.add(
                    done(&got),
                    format!("{} with {} off elsewhere: {}", right.name(), function.name(), told(&got)),
                );
            }
            if function != Right::SWITCHES_WRITE.function() {
                desk.need(world, desk.ask("PUT", "/functions").json(&json!({"off": Vec::<&str>::new()}))).await?;
            }
        }
        finding.positive(
            "switched-off-refused-to-tenant",
            format!("an administrator uses each of the {functions} functions, before it is switched off for the organisation"),
            "done",
            before.words("done"),
            before.sound(),
        );
        finding.forbidden(
            "switched-off-refused-to-tenant",
            "two administrators of the organisation try the same, one function after another being switched off for it",
            "refused",
            off.words("refused"),
            off.sound(),
        );
        finding.positive(
            "no-other-tenant-refused",
            "meanwhile an administrator of another organisation uses the function",
            "done",
            others.words("done"),
            others.sound(),
        );
        Ok(())
    }
}
