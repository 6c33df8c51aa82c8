//! A tenant's administrator does everything about accounts, and no operator does anything (IDO-08).

use async_trait::async_trait;
use sekisho_kernel::{
    Right,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, World},
};
use serde_json::{Value, json};

use super::IDO_08;
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    history, person,
    person::text,
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(WithoutOperator)]
}

struct WithoutOperator;

#[async_trait]
impl Probe for WithoutOperator {
    fn spec(&self) -> &'static ClaimSpec {
        &IDO_08
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let listed = desk.get(world, "/users").await?;
        finding.positive(
            "no-operator-needed",
            "the organisation's administrator signs in and lists its accounts",
            "listed",
            told(&listed),
            good(&listed),
        );
        let before: Vec<String> = history::entries(world, &desk, "").await?.iter().map(history::Entry::id).collect();
        let mut all = Done { wanted: 0, done: 0 };
        manage(world, finding, &desk, &admin, &mut all).await?;

        let entries = history::entries(world, &desk, "").await?;
        let by_others: Vec<String> = entries
            .iter()
            .filter(|e| !before.contains(&e.id()))
            .filter(|e| {
                e.via() == "command" || e.actor().starts_with("system:command") || e.actor().starts_with("opr_")
            })
            .map(history::Entry::told)
            .collect();
        finding.forbidden(
            "no-operator-needed",
            format!("the {} steps above were all done by the organisation's own people; the history is searched for anybody else", all.wanted),
            "every step done, not one act of an operator",
            format!("{} of {} done; acts of others: {}", all.done, all.wanted, by_others.first().map_or("none", String::as_str)),
            all.done == all.wanted && by_others.is_empty(),
        );
        Ok(())
    }
}

/// How many steps were done.
struct Done {
    wanted: usize,
    done: usize,
}

impl Done {
    fn step(&mut self, finding: &mut Finding, clause: &str, tried: &str, answers: &[&Answer], ok: bool) {
        self.wanted += 1;
        self.done += usize::from(ok);
        let seen = tally(answers.iter().copied());
        // To need an operator is what is forbidden here: a step that is refused breaks the claim.
        finding.forbidden(clause, tried, "done by the administrator alone", seen, ok);
    }
}

async fn manage(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    admin: &Person,
    all: &mut Done,
) -> Result<(), Trouble> {
    let password = person::fresh_password(world);
    let name = world.marker("account");
    let made = desk
        .post(world, "/users", &json!({"name": name, "display_name": "Probe", "type": "user", "password": password}))
        .await?;
    let body = made.json();
    let id = text(body.get("user").filter(|u| u.is_object()).unwrap_or(&body), "id");
    let mut newcomer = admin.colleague(&id, &name, &password);
    let entered = newcomer.sign_in(world).await;
    all.step(
        finding,
        "administrator-creates",
        "an account is made and its person signs in",
        &[&made],
        good(&made) && entered.is_ok(),
    );

    let invited = desk.post(world, "/users", &json!({"name": world.marker("invited"), "type": "user"})).await?;
    let body = invited.json();
    let (link, invited_name) = (text(&body, "link"), text(body.get("user").unwrap_or(&body), "name"));
    let password = person::fresh_password(world);
    let used = use_link(world, admin, &link, &password).await?;
    let mut guest = admin.colleague("", &invited_name, &password);
    let entered = guest.sign_in(world).await;
    all.step(
        finding,
        "administrator-creates",
        "somebody is invited, sets a password through the link and signs in",
        &[&invited, &used],
        good(&invited) && good(&used) && entered.is_ok(),
    );

    let path = format!("/users/{id}");
    let version = version_of(&desk.get(world, &path).await?);
    let changed =
        desk.patch(world, &path, version, &json!({"display_name": "Probe, renamed", "type": "approver"})).await?;
    let shown = desk.get(world, &path).await?;
    all.step(
        finding,
        "administrator-changes",
        "the account's name and type are changed",
        &[&changed],
        good(&changed) && shown.contains("Probe, renamed") && text(&shown.json(), "type") == "approver",
    );

    let disabled = desk.post(world, &format!("{path}/disable"), &json!({})).await?;
    let shut_out = newcomer.first_step(world, 0).await?;
    let enabled = desk.post(world, &format!("{path}/enable"), &json!({})).await?;
    newcomer.again(world).await?;
    let back = newcomer.sign_in(world).await;
    all.step(
        finding,
        "administrator-disables-and-enables",
        "the account is disabled, its person is refused; it is enabled, its person signs in",
        &[&disabled, &shut_out, &enabled],
        good(&disabled) && !good(&shut_out) && good(&enabled) && back.is_ok(),
    );
    let unlocked = desk.post(world, &format!("{path}/unlock"), &json!({})).await?;
    all.step(finding, "administrator-changes", "the account is unlocked", &[&unlocked], good(&unlocked));
    let ended = desk.delete(world, &format!("{path}/sessions")).await?;
    all.step(finding, "administrator-changes", "the account's sessions are ended", &[&ended], good(&ended));

    let role = desk
        .post(world, "/roles", &json!({"name": world.marker("role"), "rights": [Right::HISTORY_EXPORT.name()]}))
        .await?;
    let granted = desk.post(world, "/grants", &json!({"user": id, "role": text(&role.json(), "id")})).await?;
    newcomer.again(world).await?;
    let used = match newcomer.sign_in(world).await {
        Ok(session) => session.get(world, "/history/export?format=jsonl").await?,
        Err(_) => granted.clone(),
    };
    let taken = desk.delete(world, &format!("/grants/{}", text(&granted.json(), "id"))).await?;
    all.step(
        finding,
        "administrator-grants-roles",
        "a role is made, granted, used by its holder and taken back",
        &[&role, &granted, &used, &taken],
        [&role, &granted, &used, &taken].iter().all(|a| good(a)),
    );

    let deleted = desk.delete(world, &path).await?;
    let gone = desk.get(world, &path).await?;
    all.step(
        finding,
        "administrator-deletes",
        "the account is deleted and looked for",
        &[&deleted, &gone],
        good(&deleted) && gone.status == 404,
    );
    Ok(())
}

fn version_of(answer: &Answer) -> i64 {
    answer.json().get("version").and_then(Value::as_i64).unwrap_or(1)
}

async fn use_link(world: &dyn World, admin: &Person, link: &str, password: &str) -> Result<Answer, Trouble> {
    let ask = sekisho_kernel::world::Ask::new("POST", &admin.console, &format!("{}/links/use", person::API));
    world.send(ask.json(&json!({"token": link, "password": password}))).await
}
