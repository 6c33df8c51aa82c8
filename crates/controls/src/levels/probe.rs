//! One request, stopped at each level in turn while it would pass at the other three (MOX-22).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, World},
};
use serde_json::{Value, json};

use super::MOX_22;
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    browser::Browser,
    oauth::{App, Tokens, as_app},
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(EachAlone)]
}

/// What is asked for throughout.
const ASKED: &str = "/users";

struct EachAlone;

/// A person with two devices and an application that acts for them.
struct Subject {
    person: Person,
    devices: [Session; 2],
    app: App,
    held: Tokens,
}

impl Subject {
    async fn set(world: &dyn World, desk: &Session, admin: &Person) -> Result<Self, Trouble> {
        let mut person = desk.hire(world, admin, "administrator", &Value::Null).await?;
        let first = person.sign_in(world).await?;
        person.again(world).await?;
        let second = person.sign_in_at(world, 1).await?;
        let app = App::register(world, desk, &["users.read"], true).await?;
        let mut browser = Browser::default();
        browser.keep(&person.console, "__Host-sekisho", &first.token);
        let held = app.tokens(world, &mut browser).await?;
        Ok(Self { person, devices: [first, second], app, held })
    }

    fn application(&self) -> Session {
        as_app(&self.devices[1], &self.held.access)
    }

    async fn all(&self, world: &dyn World) -> Result<Vec<Answer>, Trouble> {
        let mut got = Vec::new();
        for one in [&self.devices[0], &self.devices[1], &self.application()] {
            got.push(one.get(world, ASKED).await?);
        }
        Ok(got)
    }
}

/// The last character is another one.
fn altered(token: &str) -> String {
    let other = if token.ends_with('A') { 'B' } else { 'A' };
    token.chars().take(token.chars().count().saturating_sub(1)).chain([other]).collect()
}

#[async_trait]
impl Probe for EachAlone {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_22
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, other, ..] = world.canaries() else {
            return Err(Trouble("there are no two tenants to try".into()));
        };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let mut subject = Subject::set(world, &desk, &admin).await?;
        let stranger = Person::admin(other).sign_in(world).await?;
        token(world, finding, &subject, &stranger).await?;
        management(world, finding, &subject, &desk).await?;
        device(world, finding, &mut subject, &desk).await?;
        application(world, finding, &subject, &desk).await
    }
}

async fn token(world: &dyn World, finding: &mut Finding, subject: &Subject, stranger: &Session) -> Result<(), Trouble> {
    let let_in = subject.all(world).await?;
    finding.positive(
        "token-alone",
        "a person asks for the users on two devices, one at each node, and an application asks for them",
        "done, all three",
        tally(&let_in),
        let_in.iter().all(good),
    );
    let mut refused = Vec::new();
    for one in [&subject.devices[0], &subject.devices[1], &subject.application()] {
        for token in [String::new(), altered(&one.token), stranger.token.clone()] {
            refused.push(as_app(one, &token).get(world, ASKED).await?);
        }
    }
    finding.forbidden(
        "token-alone",
        "each of them without a token, with its last character changed, and with the token of another organisation's person",
        "401, each of them",
        tally(&refused),
        refused.iter().all(|a| a.status == 401),
    );
    Ok(())
}

async fn management(
    world: &dyn World,
    finding: &mut Finding,
    subject: &Subject,
    desk: &Session,
) -> Result<(), Trouble> {
    let path = format!("/users/{}/functions", subject.person.id);
    desk.need(world, desk.ask("PUT", &path).json(&json!({"off": ["users"]}))).await?;
    let refused = subject.all(world).await?;
    let me = subject.devices[0].get(world, "/me").await?;
    desk.need(world, desk.ask("PUT", &path).json(&json!({"off": []}))).await?;
    let after = subject.all(world).await?;
    finding.forbidden(
        "management-alone",
        "the administrator switches the function off for this person; the same three ask again",
        "403, each of them",
        tally(&refused),
        refused.iter().all(|a| a.status == 403),
    );
    finding.positive(
        "management-alone",
        "meanwhile the person asks for something else; then the function is switched on again and the three ask once more",
        "done: token, device and application were good throughout",
        format!("{}; {}", told(&me), tally(&after)),
        good(&me) && after.iter().all(good),
    );
    Ok(())
}

async fn device(
    world: &dyn World,
    finding: &mut Finding,
    subject: &mut Subject,
    desk: &Session,
) -> Result<(), Trouble> {
    let [first, second] = subject.devices.clone();
    let ended = second.delete(world, &format!("/me/sessions/{}", first.id)).await?;
    let refused = [first.get(world, ASKED).await?, first.at(1).get(world, ASKED).await?];
    let others = [second.get(world, ASKED).await?, subject.application().get(world, ASKED).await?];
    finding.forbidden(
        "device-alone",
        format!("the person signs the first device out from the second ({}); it asks again at each node", told(&ended)),
        "401, each of them",
        tally(&refused),
        good(&ended) && refused.iter().all(|a| a.status == 401),
    );
    finding.positive(
        "device-alone",
        "meanwhile the second device and the application ask",
        "done: the person may, and the application too",
        tally(&others),
        others.iter().all(good),
    );
    let all = desk.delete(world, &format!("/users/{}/sessions", subject.person.id)).await?;
    let refused = [second.get(world, ASKED).await?, second.at(0).get(world, ASKED).await?];
    finding.forbidden(
        "device-alone",
        format!("the administrator signs the person's devices out ({}); the second one asks at each node", told(&all)),
        "401, each of them",
        tally(&refused),
        good(&all) && refused.iter().all(|a| a.status == 401),
    );
    subject.person.again(world).await?;
    let again = subject.person.sign_in(world).await?;
    let got = again.get(world, ASKED).await?;
    finding.positive("device-alone", "the person signs in once more and asks", "done", told(&got), good(&got));
    subject.devices[1] = again;
    Ok(())
}

async fn application(
    world: &dyn World,
    finding: &mut Finding,
    subject: &Subject,
    desk: &Session,
) -> Result<(), Trouble> {
    let mut browser = Browser::default();
    browser.keep(&subject.person.console, "__Host-sekisho", &subject.devices[1].token);
    let held = subject.app.tokens(world, &mut browser).await?;
    let before = as_app(desk, &held.access).get(world, ASKED).await?;
    finding.positive(
        "application-alone",
        "the application has a new token and asks",
        "done",
        told(&before),
        good(&before),
    );
    let stopped = desk.post(world, &format!("/applications/{}/stop", subject.app.id), &json!({})).await?;
    let refused = [
        as_app(desk, &held.access).get(world, ASKED).await?,
        as_app(desk, &held.access).at(1).get(world, ASKED).await?,
        world.send(subject.app.refresh(&held.refresh)).await?,
    ];
    let person = subject.devices[1].get(world, ASKED).await?;
    finding.forbidden(
        "application-alone",
        format!(
            "the administrator takes the application's approval back ({}); it asks at each node, and for a new token",
            told(&stopped)
        ),
        "refused",
        tally(&refused),
        good(&stopped) && !refused.iter().any(good),
    );
    finding.positive(
        "application-alone",
        "meanwhile the person asks on a device",
        "done: the person may",
        told(&person),
        good(&person),
    );
    Ok(())
}
