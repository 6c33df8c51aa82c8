//! A person is added, edited, deactivated and deleted by console, by API and by SCIM; each act has its entry (MOX-32).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};

use super::MOX_32;
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    browser::Browser,
    history,
    person::{API, fresh_password, text},
    rights::service_account,
    scim::Provider,
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(ThreeWays)]
}

struct ThreeWays;

/// A person with what they hold: a session, and an API token.
struct Held {
    id: String,
    session: Session,
    token: Session,
}

impl Held {
    /// The person sets a password by the invitation link, signs in, and makes a token.
    async fn of(world: &dyn World, admin: &Person, id: &str, name: &str, link: &str) -> Result<Self, Trouble> {
        let password = fresh_password(world);
        let used = Ask::new("POST", &admin.console, &format!("{API}/links/use"));
        let used = world.send(used.json(&json!({"token": link, "password": password}))).await?;
        if !good(&used) {
            return Err(Trouble(format!("the invitation link was answered {}", told(&used))));
        }
        let mut person = admin.colleague(id, name, &password);
        let session = person.sign_in(world).await?;
        let new = json!({"name": world.marker("token"), "days": 30, "password": person.password});
        let made = session.make(world, "/me/tokens", &new).await?;
        let token = Session { token: text(&made, "token"), ..session.clone() };
        Ok(Self { id: id.to_owned(), session, token })
    }

    /// Session and token, each at both nodes.
    async fn looks(&self, world: &dyn World) -> Result<Vec<Answer>, Trouble> {
        let mut out = Vec::new();
        for node in [0, 1] {
            out.push(self.session.at(node).get(world, "/me").await?);
            out.push(self.token.at(node).get(world, "/me").await?);
        }
        Ok(out)
    }
}

/// An act that must have its entry.
struct Expected {
    event: &'static str,
    target: String,
    via: &'static str,
    actor: String,
}

/// What all three ways share.
struct Stage<'w> {
    world: &'w dyn World,
    admin: Person,
    desk: Session,
    acts: Vec<Expected>,
}

impl Stage<'_> {
    fn expect(&mut self, id: &str, via: &'static str, actor: &str) {
        for event in ["user.create", "user.update", "user.disable", "user.delete"] {
            self.acts.push(Expected { event, target: id.to_owned(), via, actor: actor.to_owned() });
        }
    }

    async fn shown(&self, id: &str) -> Result<Value, Trouble> {
        Ok(self.desk.get(self.world, &format!("/users/{id}")).await?.json())
    }

    /// Added and edited, before anything is taken away.
    fn told(
        &self,
        finding: &mut Finding,
        clause: &str,
        way: &str,
        answers: &[&Answer],
        shown: &Value,
        inside: &[Answer],
    ) {
        let edited = shown["display_name"] == "Probe, renamed";
        finding.positive(
            clause,
            format!("by {way} a person is added, then edited; the person signs in and makes an API token"),
            "added, edited, let in",
            format!("{}; {}; {}", tally(answers.iter().copied()), shown["display_name"], tally(inside)),
            answers.iter().all(|a| good(a) || (300..400).contains(&a.status)) && edited && inside.iter().all(good),
        );
    }

    async fn gone(
        &self,
        finding: &mut Finding,
        clause: &str,
        way: &str,
        done: &Answer,
        held: &Held,
    ) -> Result<(), Trouble> {
        let after = held.looks(self.world).await?;
        finding.forbidden(
            clause,
            format!(
                "the person is deactivated by {way} ({}); their session and API token, at each node, without a wait",
                told(done)
            ),
            "refused",
            tally(&after),
            !after.iter().any(good),
        );
        Ok(())
    }

    async fn deleted(
        &self,
        finding: &mut Finding,
        clause: &str,
        way: &str,
        done: &Answer,
        id: &str,
    ) -> Result<(), Trouble> {
        let left = self.desk.get(self.world, &format!("/users/{id}")).await?;
        finding.forbidden(
            clause,
            format!("the person is deleted by {way} ({}) and looked for", told(done)),
            "not there any more",
            told(&left),
            left.status == 404,
        );
        Ok(())
    }
}

#[async_trait]
impl Probe for ThreeWays {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_32
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let mut stage = Stage { world, admin, desk, acts: Vec::new() };
        let provider = Provider::connect(world, &stage.desk).await?;
        by_console(&mut stage, finding).await?;
        by_api(&mut stage, finding).await?;
        by_scim(&mut stage, finding, &provider).await?;
        audited(&stage, finding).await?;
        nobody_else(&stage, finding, &provider).await
    }
}

/// The value against forgery of a page's first form.
fn csrf(page: &str) -> String {
    page.split("name=\"csrf\" value=\"").nth(1).and_then(|r| r.split('"').next()).unwrap_or_default().to_owned()
}

/// A form of a page, sent as a browser sends it.
async fn press(
    world: &dyn World,
    browser: &mut Browser,
    host: &str,
    page: &str,
    action: &str,
    fields: &[(&str, &str)],
) -> Result<Answer, Trouble> {
    let seen = browser.open(world, host, page).await?;
    let mut body = format!("csrf={}", csrf(&seen.answer.text()));
    for (name, value) in fields {
        body.push_str(&format!("&{name}={}", value.replace('@', "%40").replace(' ', "+")));
    }
    let mut ask = Ask::new("POST", host, action)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html");
    ask.body = body.into_bytes();
    browser.send(world, ask).await
}

async fn by_console(stage: &mut Stage<'_>, finding: &mut Finding) -> Result<(), Trouble> {
    let (world, host) = (stage.world, stage.desk.host.clone());
    let mut browser = Browser::default();
    browser.keep(&host, "__Host-sekisho", &stage.desk.token);
    let name = world.marker("console");
    let mail = format!("{name}@example.test");
    let fields = [("name", name.as_str()), ("display_name", "Probe"), ("mail", &mail), ("type", "user")];
    let added = press(world, &mut browser, &host, "/users", "/users", &fields).await?;
    let page = added.text();
    let link = page.split("/link?token=").nth(1).and_then(|r| r.split('"').next()).unwrap_or_default().to_owned();
    let id = page.split("/users/usr_").nth(1).and_then(|r| r.get(..32)).map(|hex| format!("usr_{hex}"));
    let id = id.unwrap_or_default();
    let path = format!("/users/{id}");
    let version = stage.shown(&id).await?["version"].to_string();
    let fields = [("version", version.as_str()), ("display_name", "Probe, renamed")];
    let edited = press(world, &mut browser, &host, &path, &path, &fields).await?;
    let held = Held::of(world, &stage.admin, &id, &name, &link).await?;
    let inside = held.looks(world).await?;
    let shown = stage.shown(&id).await?;
    stage.told(finding, "by-console", "console", &[&added, &edited], &shown, &inside);
    let disabled = press(world, &mut browser, &host, &path, &format!("{path}/disable"), &[]).await?;
    stage.gone(finding, "by-console", "console", &disabled, &held).await?;
    let deleted = press(world, &mut browser, &host, &path, &format!("{path}/delete"), &[]).await?;
    stage.deleted(finding, "by-console", "console", &deleted, &id).await?;
    let actor = stage.desk.user.clone();
    stage.expect(&held.id, "console", &actor);
    Ok(())
}

async fn by_api(stage: &mut Stage<'_>, finding: &mut Finding) -> Result<(), Trouble> {
    let (world, name) = (stage.world, stage.world.marker("api"));
    let added = stage.desk.post(world, "/users", &json!({"name": name, "type": "user"})).await?;
    let (id, link) = (text(&added.json(), "id"), text(&added.json(), "link"));
    let path = format!("/users/{id}");
    let version = stage.shown(&id).await?["version"].as_i64().unwrap_or(1);
    let edited = stage.desk.patch(world, &path, version, &json!({"display_name": "Probe, renamed"})).await?;
    let held = Held::of(world, &stage.admin, &id, &name, &link).await?;
    let inside = held.looks(world).await?;
    let shown = stage.shown(&id).await?;
    stage.told(finding, "by-api", "API", &[&added, &edited], &shown, &inside);
    let disabled = stage.desk.post(world, &format!("{path}/disable"), &json!({})).await?;
    stage.gone(finding, "by-api", "API", &disabled, &held).await?;
    let deleted = stage.desk.delete(world, &path).await?;
    stage.deleted(finding, "by-api", "API", &deleted, &id).await?;
    let actor = stage.desk.user.clone();
    stage.expect(&held.id, "api", &actor);
    Ok(())
}

async fn by_scim(stage: &mut Stage<'_>, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    let (world, name) = (stage.world, stage.world.marker("scim"));
    let (added, id) = provider.create(world, &name).await?;
    let edited = provider.replace(world, &id, "displayName", json!("Probe, renamed")).await?;
    let invited = stage.desk.make(world, &format!("/users/{id}/invite"), &json!({})).await?;
    let held = Held::of(world, &stage.admin, &id, &name, &text(&invited, "link")).await?;
    let inside = held.looks(world).await?;
    let shown = stage.shown(&id).await?;
    stage.told(finding, "by-scim", "SCIM", &[&added, &edited], &shown, &inside);
    let found = world.send(provider.ask("GET", &format!("/Users?filter=externalId%20eq%20%22ext-{name}%22"))).await?;
    let kept = found.json()["Resources"][0].clone();
    finding.positive(
        "by-scim",
        "the identity provider looks for the person by its own identifier",
        "one, with the identifier as it was given",
        format!("{}: {} of {}", told(&found), kept["externalId"], found.json()["totalResults"]),
        found.json()["totalResults"] == 1 && kept["externalId"] == format!("ext-{name}") && kept["id"] == id,
    );
    // Entra ID writes truth as a text.
    let disabled = provider.replace(world, &id, "active", json!("False")).await?;
    stage.gone(finding, "by-scim", "SCIM", &disabled, &held).await?;
    let deleted = provider.delete(world, &id).await?;
    stage.deleted(finding, "by-scim", "SCIM", &deleted, &id).await?;
    stage.expect(&held.id, "scim", &provider.account);
    Ok(())
}

async fn audited(stage: &Stage<'_>, finding: &mut Finding) -> Result<(), Trouble> {
    let entries = history::entries(stage.world, &stage.desk, "").await?;
    let mut missing = Vec::new();
    for act in &stage.acts {
        let is = |e: &&history::Entry| {
            let what = e.event() == act.event && e.outcome() == "success" && e.target() == act.target;
            what && e.via() == act.via && e.actor() == act.actor
        };
        let found = entries.iter().filter(is).count();
        if found != 1 {
            missing.push(format!("{} by {}: {found}", act.event, act.via));
        }
    }
    finding.forbidden(
        "each-audited",
        format!("the history is searched for the {} acts above", stage.acts.len()),
        "one entry each, with who did it, to whom, and by which way",
        if missing.is_empty() { "one each".into() } else { missing.join("; ") },
        missing.is_empty() && stage.acts.len() == 12,
    );
    Ok(())
}

/// Whoever has not the right does it by none of the three ways; and a provider's token does nothing but provision.
async fn nobody_else(stage: &Stage<'_>, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    let (world, host) = (stage.world, stage.desk.host.clone());
    let mut member = stage.desk.hire(world, &stage.admin, "user", &Value::Null).await?;
    let session = member.sign_in(world).await?;
    let mut browser = Browser::default();
    browser.keep(&host, "__Host-sekisho", &session.token);
    let name = world.marker("x");
    let mut answers =
        vec![press(world, &mut browser, &host, "/account", "/users", &[("name", &name), ("type", "user")]).await?];
    answers.push(session.post(world, "/users", &json!({"name": name, "type": "user"})).await?);
    let robot = service_account(world, &stage.desk).await?;
    let other = json!({"user": robot, "name": world.marker("t"), "rights": ["users.read", "users.write"], "days": 1});
    let other = text(&stage.desk.make(world, "/tokens", &other).await?, "token");
    for token in [session.token.as_str(), &other, "", "skt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let thief = Provider { token: token.to_owned(), ..provider.clone() };
        let (made, _) = thief.create(world, &name).await?;
        answers.push(made);
        answers.push(thief.delete(world, &member.id).await?);
    }
    let beyond = Session { token: provider.token.clone(), ..session.clone() };
    answers.push(beyond.get(world, "/users").await?);
    answers.push(beyond.post(world, "/users", &json!({"name": name, "type": "user"})).await?);
    answers.push(beyond.delete(world, &format!("/users/{}", member.id)).await?);
    let found = stage.desk.get(world, &format!("/users?name={name}")).await?;
    let none = found.json()["items"].as_array().is_some_and(Vec::is_empty);
    finding.forbidden(
        "nobody-else",
        "a person without the right tries by each way, a service account of another scope and a stranger by SCIM; the provider's token is tried at the API",
        "refused, and nobody is made or deleted",
        format!("{}; made: {}", tally(&answers), if none { "nobody" } else { "somebody" }),
        answers.iter().all(|a| matches!(a.status, 401 | 403)) && none && good(&session.get(world, "/me").await?),
    );
    Ok(())
}
