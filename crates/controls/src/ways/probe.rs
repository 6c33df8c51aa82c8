//! Everything that adds is tried without a session; each of the four ways yields one that adds, and none once it is off.

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};

use super::MOX_53;
use crate::{
    passwords,
    probing::{
        Person, Session,
        answer::{good, tally},
        browser::{Browser, socket_answers},
        oauth::{App, as_app},
        operations::operations,
        passkey::Passkey,
        person::{API, fresh_password, text},
        provider::session,
        rehearsed,
        saml::Provider,
        signature::Client,
        told,
    },
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(NothingBefore)]
}

/// The name of a session's cookie.
const COOKIE: &str = "__Host-sekisho";

struct NothingBefore;

#[async_trait]
impl Probe for NothingBefore {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_53
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        strangers(world, finding, &desk, &admin).await?;
        ended(world, finding, &desk, &admin).await?;
        by_password(world, finding, &desk, &admin).await?;
        let signs = by_signature(world, finding, &desk, &admin).await?;
        let app = by_oauth(world, finding, &desk, &admin).await?;
        let provider = by_saml(world, finding, &admin, &desk).await?;
        off(world, finding, &desk, &admin, signs, &app, &provider).await?;
        passwords_off(world, finding, &desk, &admin).await?;
        finding.missing("mail-in", "content that comes by mail");
        Ok(())
    }
}

/// A browser in which a session of the console has begun.
fn browser(console: &str, token: &str) -> Browser {
    let mut browser = Browser::default();
    browser.keep(console, COOKIE, token);
    browser
}

/// Adds to the application, by request and by WebSocket: what was answered, and whether both arrived.
async fn adds(world: &dyn World, browser: &mut Browser, host: &str) -> Result<(String, bool), Trouble> {
    let path = format!("/orders/{}", world.marker("added"));
    let visit = browser.open(world, host, "/orders").await?;
    rehearsed(world)?.upstream_seen().await?;
    let got = browser.send(world, Ask::new("POST", host, &path).json(&json!({"note": "added"}))).await?;
    let arrived = rehearsed(world)?.upstream_seen().await?.iter().any(|s| s.path == path);
    let echoed = match browser.socket(world, host, "/socket").await? {
        Ok(mut socket) => socket_answers(&mut *socket, "added").await?,
        Err(_) => false,
    };
    let words = format!("{}; then {}, {}", visit.told(), told(&got), if echoed { "echoed" } else { "no WebSocket" });
    Ok((words, arrived && echoed))
}

async fn strangers(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<(), Trouble> {
    let operations = operations(world, &desk.host).await?;
    let (mut got, mut through) = (Vec::new(), Vec::new());
    for operation in operations.iter().filter(|o| o.method != "GET") {
        // The ways in themselves.
        if operation.path.starts_with("/sign-in") || operation.path == "/links/use" {
            continue;
        }
        let path = operation.filled("usr_01a203baed7576b7ae94e9addb9a46de");
        for token in [None, Some("A".repeat(43))] {
            let mut ask = Ask::new(&operation.method, &desk.host, &format!("{API}{path}")).json(&json!({}));
            if let Some(token) = token {
                ask = ask.header("authorization", format!("Bearer {token}"));
            }
            let answer = world.send(ask).await?;
            if answer.status != 401 {
                through.push(format!("{}: {}", operation.name(), told(&answer)));
            }
            got.push(answer);
        }
    }
    finding.forbidden(
        "no-session",
        format!("{} requests to every operation of the API that changes something, without a token and with one that is none", got.len()),
        "401, each of them",
        if through.is_empty() { tally(&got) } else { through.join("; ") },
        through.is_empty() && got.len() > 50,
    );
    let mut refused = Vec::new();
    for path in ["/scim/v2/Users", "/scim/v2/Bulk"] {
        refused.push(world.send(Ask::new("POST", &desk.host, path).json(&json!({}))).await?);
    }
    for path in ["/sites", "/users", "/account/tokens"] {
        let mut form = Ask::new("POST", &desk.host, path).header("content-type", "application/x-www-form-urlencoded");
        form.body = b"name=added".to_vec();
        refused.push(Browser::default().send(world, form).await?);
    }
    let host = &like.application;
    rehearsed(world)?.upstream_seen().await?;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for cookie in ["", "__Host-sekisho=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let mut ask = Ask::new(method, host, "/orders/added").json(&json!({"note": "added"}));
            if !cookie.is_empty() {
                ask = ask.header("cookie", cookie);
            }
            refused.push(world.send(ask).await?);
        }
    }
    let socket = Browser::default().socket(world, host, "/socket").await?;
    let seen = rehearsed(world)?.upstream_seen().await?.len();
    finding.forbidden(
        "no-session",
        "forms, provisioning, and requests and a WebSocket to the application, without a session",
        "refused; nothing reaches the application",
        format!(
            "{}; WebSocket: {}; {seen} requests arrived",
            tally(&refused),
            if socket.is_ok() { "open" } else { "refused" }
        ),
        socket.is_err() && seen == 0 && !refused.iter().any(good),
    );
    Ok(())
}

/// A session that has ended is none.
async fn ended(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<(), Trouble> {
    let mut person = desk.hire(world, like, "administrator", &Value::Null).await?;
    let own = person.sign_in(world).await?;
    let site = || json!({"name": world.marker("site")});
    let mut before = Vec::new();
    for node in [0, 1] {
        before.push(own.at(node).post(world, "/sites", &site()).await?);
    }
    finding.positive(
        "no-session",
        "an administrator adds a site at each node",
        "added, both",
        tally(&before),
        before.iter().all(good),
    );
    let out = own.post(world, "/sign-out", &json!({})).await?;
    let mut after = Vec::new();
    for node in [0, 1] {
        after.push(own.at(node).post(world, "/sites", &site()).await?);
    }
    finding.forbidden(
        "no-session",
        format!("the same after signing out ({}), at each node", told(&out)),
        "401, both",
        tally(&after),
        good(&out) && after.iter().all(|a| a.status == 401),
    );
    Ok(())
}

async fn by_password(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<(), Trouble> {
    let mut person = desk.hire(world, like, "user", &Value::Null).await?;
    let own = person.sign_in(world).await?;
    let (words, added) = adds(world, &mut browser(&person.console, &own.token), &person.application).await?;
    finding.positive("password", "a person signs in by name and password and adds", "it arrives", words, added);
    Ok(())
}

/// An application that vouches for a person.
struct Signs {
    client: Client,
    person: Person,
}

impl Signs {
    async fn send(&self, world: &dyn World) -> Result<Answer, Trouble> {
        let now = rehearsed(world)?.now().secs();
        let signed = self.client.sign(&self.person.console, &self.person.name, now, &world.marker("nonce"));
        world.send(signed.ask(&self.person.console)).await
    }
}

async fn by_signature(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
) -> Result<Signs, Trouble> {
    let person = desk.hire(world, like, "user", &Value::Null).await?;
    let client = Client::register(world, desk, &[&person]).await?;
    let signs = Signs { client, person };
    let got = signs.send(world).await?;
    let mut browser = browser(&signs.person.console, &text(&got.json(), "token"));
    let (words, added) = adds(world, &mut browser, &signs.person.application).await?;
    finding.positive(
        "signature",
        "an application signs a person in by unique ID, who adds",
        "it arrives",
        words,
        added,
    );
    Ok(signs)
}

async fn by_oauth(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<App, Trouble> {
    let mut person = desk.hire(world, like, "administrator", &Value::Null).await?;
    let own = person.sign_in(world).await?;
    let app = App::register(world, desk, &["sites.write"], true).await?;
    let held = app.tokens(world, &mut browser(&person.console, &own.token)).await?;
    let got = as_app(desk, &held.access).post(world, "/sites", &json!({"name": world.marker("site")})).await?;
    finding.positive(
        "oauth",
        "an application to which a person has consented adds a site",
        "added",
        told(&got),
        good(&got),
    );
    Ok(app)
}

async fn by_saml(world: &dyn World, finding: &mut Finding, like: &Person, desk: &Session) -> Result<Provider, Trouble> {
    let provider = Provider::register(world, desk).await?;
    let mut there = Browser::default();
    let leave = provider.leave(world, &mut there).await?;
    let field = provider.answer(&provider.said(world, Some(&leave), &world.marker("person"))?)?;
    provider.bring(world, &mut there, &field, &leave.state).await?;
    let (words, added) = adds(world, &mut there, &like.application).await?;
    finding.positive("saml", "a SAML provider signs a person in, who adds", "it arrives", words, added);
    Ok(provider)
}

/// Each way that can be switched off is, and is tried; then on again.
async fn off(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    like: &Person,
    signs: Signs,
    app: &App,
    provider: &Provider,
) -> Result<(), Trouble> {
    let mut person = desk.hire(world, like, "administrator", &Value::Null).await?;
    let own = person.sign_in(world).await?;
    let mut consents = browser(&person.console, &own.token);
    let held = app.tokens(world, &mut consents).await?;
    let mut there = Browser::default();
    let leave = provider.leave(world, &mut there).await?;
    let field = provider.answer(&provider.said(world, Some(&leave), &world.marker("person"))?)?;
    for key in ["unique_id.mode", "federation.mode"] {
        desk.need(world, desk.ask("PUT", &format!("/policy/{key}")).json(&json!({"value": "off"}))).await?;
    }
    desk.make(world, &format!("/applications/{}/stop", app.id), &json!({})).await?;
    let signed = signs.send(world).await?;
    let back = provider.bring(world, &mut there.clone(), &field, &leave.state).await?;
    let renewed = world.send(app.refresh(&held.refresh)).await?;
    let used = as_app(desk, &held.access).post(world, "/sites", &json!({"name": world.marker("site")})).await?;
    finding.forbidden(
        "way-off",
        "unique IDs and SAML are switched off and the application's approval is taken back; each way is tried",
        "no session, no token, nothing added",
        tally(&[signed.clone(), back.clone(), renewed.clone(), used.clone()]),
        !good(&signed) && session(&back).is_none() && !good(&renewed) && used.status == 401,
    );
    for key in ["unique_id.mode", "federation.mode"] {
        let back = desk.delete(world, &format!("/policy/{key}")).await?;
        if !good(&back) {
            return Err(Trouble(format!("taking {key} back was answered {}", told(&back))));
        }
    }
    let signed = signs.send(world).await?;
    let leave = provider.leave(world, &mut there).await?;
    let field = provider.answer(&provider.said(world, Some(&leave), &world.marker("person"))?)?;
    let back = provider.bring(world, &mut there, &field, &leave.state).await?;
    finding.positive(
        "way-off",
        "both are switched on again",
        "a session, by each",
        tally(&[signed.clone(), back.clone()]),
        good(&signed) && session(&back).is_some(),
    );
    Ok(())
}

/// Sign-in by password is switched off: refused while nobody could come in otherwise, then tried everywhere; then on again.
async fn passwords_off(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<(), Trouble> {
    let path = format!("/policy/{}", passwords::SIGN_IN.key);
    let off = || desk.ask("PUT", &path).json(&json!({"value": "off"}));
    let alone = world.send(off()).await?;
    finding.forbidden(
        "way-off",
        "sign-in by password is switched off while no administrator can come in another way",
        "refused, with what to do first",
        told(&alone),
        alone.status == 409,
    );
    let mut boss = desk.hire(world, like, "administrator", &Value::Null).await?;
    let theirs = boss.sign_in(world).await?;
    let (mut passkey, _) = Passkey::register(world, &theirs, &boss).await?;
    let mut person = desk.hire(world, like, "user", &Value::Null).await?;
    let own = person.sign_in(world).await?;
    // A sign-in that waits for its second factor, and a link, both from before.
    let waiting = text(&boss.first_step(world, 0).await?.json(), "challenge");
    let invited = desk.make(world, "/users", &json!({"name": world.marker("guest"), "type": "user"})).await?;
    desk.need(world, off()).await?;
    let mut seen = Vec::new();
    for node in [0, 1] {
        seen.push(person.first_step(world, node).await?);
        let again = json!({"password": person.password});
        seen.push(own.at(node).post(world, "/me/reauthenticate", &again).await?);
    }
    let link = json!({"token": text(&invited, "link"), "password": fresh_password(world)});
    seen.push(world.send(Ask::new("POST", &desk.host, &format!("{API}/links/use")).json(&link)).await?);
    let unknown = stranger(like, &world.marker("nobody"));
    let nobody = unknown.first_step(world, 0).await?;
    let wrong = world.send(person.knock("not the password")).await?;
    finding.forbidden(
        "way-off",
        "it is switched off: a right password at both nodes, as proof of who is there, and a link that sets one",
        "refused, each of them; a wrong password and an unknown name are answered alike",
        format!("{}; wrong: {}, unknown: {}", tally(&seen), told(&wrong), told(&nobody)),
        seen.iter().all(|a| a.status == 403) && wrong.status == 403 && nobody.status == 403,
    );
    let late = passkey.knock(world, &boss, Some(&waiting)).await;
    let late = match late {
        Ok(ask) => session(&world.send(ask).await?).is_some(),
        Err(_) => false,
    };
    finding.forbidden(
        "way-off",
        "a sign-in that had begun by password before goes on with its second factor",
        "no session",
        if late { "a session" } else { "refused" },
        !late,
    );
    let by_passkey = passkey.sign_in(world, &boss, None).await?;
    finding.positive(
        "way-off",
        "meanwhile an administrator comes in by passkey alone",
        "a session",
        told(&by_passkey),
        good(&by_passkey),
    );
    let back = desk.delete(world, &path).await?;
    if !good(&back) {
        return Err(Trouble(format!("taking {} back was answered {}", passwords::SIGN_IN.key, told(&back))));
    }
    let again = person.first_step(world, 1).await?;
    finding.positive("way-off", "passwords are switched on again", "a session", told(&again), good(&again));
    Ok(())
}

/// Somebody who does not exist.
fn stranger(like: &Person, name: &str) -> Person {
    like.colleague("", name, "a password of nobody's")
}
