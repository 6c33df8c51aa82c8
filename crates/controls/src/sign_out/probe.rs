//! Three browsers of one person, signed out by one press or by the administrator (MOX-28, MOX-29).

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, Socket, World},
};
use serde_json::{Value, json};

use super::{MOX_28, MOX_29};
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    browser::{Browser, socket_answers, socket_stays},
    oauth::{App, Tokens, as_app},
    person::{API, text},
    rehearsed, told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(OnePress), Box::new(Deactivated)]
}

/// Seconds within which an open WebSocket must be closed.
const SOON: u32 = 1;
/// The page with the button, and where the button leads.
const PAGE: &str = "/sessions";
const PRESS: &str = "/sessions/end-all";

struct OnePress;
struct Deactivated;

/// A browser with console and application open.
struct Device {
    browser: Browser,
    console: String,
    application: String,
}

/// The WebSocket of each device's application.
type Sockets = Vec<Box<dyn Socket>>;

impl Device {
    async fn of(world: &dyn World, person: &mut Person, node: usize) -> Result<(Self, Box<dyn Socket>), Trouble> {
        let mut browser = Browser::from(None);
        browser.node = node;
        browser.sign_in(world, person).await?;
        person.again(world).await?;
        let visit = browser.open(world, &person.application, "/orders").await?;
        if visit.host != person.application || visit.answer.status != 200 {
            return Err(Trouble(format!("the application was answered {}", visit.told())));
        }
        let opened = browser.socket(world, &person.application, "/socket").await?;
        let socket = opened.map_err(|refused| Trouble(format!("the WebSocket was answered {}", told(&refused))))?;
        Ok((Self { browser, console: person.console.clone(), application: person.application.clone() }, socket))
    }

    /// The next request at the console and at the application, with the cookies as they are, at a node. Whatever comes
    /// back, cookies included, is not kept: each look finds the browser as it was.
    async fn look(&self, world: &dyn World, node: usize) -> Result<[Answer; 2], Trouble> {
        let mut browser = self.browser.clone();
        browser.node = node;
        let console = browser.send(world, Ask::new("GET", &self.console, &format!("{API}/session"))).await?;
        let application = browser.send(world, Ask::new("GET", &self.application, "/orders")).await?;
        Ok([console, application])
    }
}

/// Three devices, the second at the other node.
async fn three(world: &dyn World, person: &mut Person) -> Result<(Vec<Device>, Sockets), Trouble> {
    let (mut devices, mut sockets) = (Vec::new(), Vec::new());
    for node in [0, 1, 0] {
        let (device, socket) = Device::of(world, person, node).await?;
        devices.push(device);
        sockets.push(socket);
    }
    Ok((devices, sockets))
}

async fn all_in(
    world: &dyn World,
    finding: &mut Finding,
    devices: &[Device],
    sockets: &mut Sockets,
) -> Result<(), Trouble> {
    let (mut inside, mut open) = (0, 0);
    for device in devices {
        for node in [0, 1] {
            inside += device.look(world, node).await?.iter().filter(|a| good(a)).count();
        }
    }
    for socket in sockets {
        open += usize::from(socket_answers(&mut **socket, "before").await?);
    }
    finding.positive(
        "signed-in-on-three",
        format!("{} browsers of one person ask console and application, each at both nodes", devices.len()),
        "all are let in, their WebSockets answer",
        format!("{inside} of {} requests let in, {open} WebSockets open", devices.len() * 4),
        inside == devices.len() * 4 && open == devices.len(),
    );
    Ok(())
}

/// The next request of each browser; whether each was refused.
async fn all_out(
    world: &dyn World,
    finding: &mut Finding,
    clause: &str,
    tried: &str,
    devices: &[Device],
    nodes: &[usize],
) -> Result<(), Trouble> {
    let mut let_in = Vec::new();
    for (n, device) in devices.iter().enumerate() {
        for node in nodes {
            let answers = device.look(world, *node).await?;
            for (what, got) in ["console", "application"].into_iter().zip(&answers).filter(|(_, got)| good(got)) {
                let_in.push(format!("browser {} at the {what}, node {node}: {}", n + 1, told(got)));
            }
        }
    }
    let asked = devices.len() * nodes.len() * 2;
    finding.forbidden(
        clause,
        tried,
        "refused at console and application",
        if let_in.is_empty() { format!("{asked} requests refused") } else { let_in.join("; ") },
        let_in.is_empty(),
    );
    Ok(())
}

/// What the page's form carries against forgery.
fn form_value(page: &str) -> Option<&str> {
    let form = page.split(&format!("action=\"{PRESS}\"")).nth(1)?;
    form.split("name=\"csrf\" value=\"").nth(1)?.split('"').next()
}

#[async_trait]
impl Probe for OnePress {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_28
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let mut person = desk.hire(world, &admin, "user", &Value::Null).await?;
        let (devices, mut sockets) = three(world, &mut person).await?;
        all_in(world, finding, &devices, &mut sockets).await?;
        let mut pressing = devices[0].browser.clone();
        let page = pressing.open(world, &person.console, PAGE).await?;
        let text = page.answer.text();
        let csrf = form_value(&text)
            .ok_or_else(|| Trouble(format!("{} shows no button to sign out everywhere", page.told())))?;
        let mut press = Ask::new("POST", &person.console, PRESS)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html");
        press.body = format!("csrf={csrf}").into_bytes();
        let pressed = pressing.send(world, press).await?;
        let done = (300..400).contains(&pressed.status);
        finding.positive(
            "next-request-of-each-refused",
            "the button of the page that lists one's devices is pressed once",
            "the person is sent to the sign-in",
            told(&pressed),
            done,
        );
        let tried = "the next request of each browser, with the cookies it had";
        all_out(world, finding, "next-request-of-each-refused", tried, &devices, &[0]).await
    }
}

#[async_trait]
impl Probe for Deactivated {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_29
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let mut person = desk.hire(world, &admin, "user", &Value::Null).await?;
        let (devices, mut sockets) = three(world, &mut person).await?;
        all_in(world, finding, &devices, &mut sockets).await?;
        let app = App::register(world, &desk, &["application.use"], true).await?;
        let held = app.tokens(world, &mut devices[0].browser.clone()).await?;
        let used = [
            as_app(&desk, &held.access).get(world, "/me").await?,
            as_app(&desk, &held.access).at(1).get(world, "/me").await?,
        ];
        finding.positive(
            "oauth-tokens-ended",
            "the person consents to an application, which uses its token at each node",
            "it works",
            tally(&used),
            used.iter().all(good),
        );
        let own = person.sign_in(world).await?;
        let new = json!({"name": world.marker("token"), "days": 30, "password": person.password});
        let token = own.make(world, "/me/tokens", &new).await?;
        let token = Session { token: text(&token, "token"), ..own };
        let used = [token.get(world, "/me").await?, token.at(1).get(world, "/me").await?];
        finding.positive(
            "signed-in-on-three",
            "an API token of the same person, at each node",
            "it works",
            tally(&used),
            used.iter().all(good),
        );
        let path = format!("/users/{}", person.id);
        let disabled = desk.post(world, &format!("{path}/disable"), &json!({})).await?;
        finding.positive(
            "next-request-of-each-refused",
            "the administrator deactivates the person, at node 0",
            "done",
            told(&disabled),
            good(&disabled),
        );
        let tried = "the next request of each browser";
        all_out(world, finding, "next-request-of-each-refused", tried, &devices, &[0]).await?;
        let tried = "the same at each node, without a wait";
        all_out(world, finding, "at-once-on-every-node", tried, &devices, &[0, 1]).await?;
        tokens(world, finding, &token).await?;
        closed(world, finding, &mut sockets).await?;
        oauth(world, finding, &app, &held, &desk).await?;
        // Whoever is let in again signs in again: what has ended stays ended.
        let enabled = desk.post(world, &format!("{path}/enable"), &json!({})).await?;
        let tried = format!("the account is enabled again ({}), then the same browsers ask once more", told(&enabled));
        all_out(world, finding, "at-once-on-every-node", &tried, &devices, &[0, 1]).await
    }
}

async fn closed(world: &dyn World, finding: &mut Finding, sockets: &mut Sockets) -> Result<(), Trouble> {
    let mut open = vec![true; sockets.len()];
    for _ in 0..=SOON {
        for (socket, open) in sockets.iter_mut().zip(&mut open).filter(|(_, open)| **open) {
            *open = socket_stays(&mut **socket, "after").await?;
        }
        if open.contains(&true) {
            rehearsed(world)?.advance(Duration::from_secs(1)).await?;
        }
    }
    let left = open.iter().filter(|o| **o).count();
    finding.forbidden(
        "open-websockets-closed",
        format!("messages over the {} WebSockets that were open, within {SOON} s", sockets.len()),
        "every one is closed",
        format!("{left} still answer"),
        left == 0,
    );
    Ok(())
}

async fn tokens(world: &dyn World, finding: &mut Finding, token: &Session) -> Result<(), Trouble> {
    let got = [token.get(world, "/me").await?, token.at(1).get(world, "/me").await?];
    finding.forbidden(
        "at-once-on-every-node",
        "the person's API token, at each node",
        "refused",
        tally(&got),
        !got.iter().any(good),
    );
    Ok(())
}

/// Tokens of applications that act for the person.
async fn oauth(
    world: &dyn World,
    finding: &mut Finding,
    app: &App,
    held: &Tokens,
    desk: &Session,
) -> Result<(), Trouble> {
    let got = [
        as_app(desk, &held.access).get(world, "/me").await?,
        as_app(desk, &held.access).at(1).get(world, "/me").await?,
        world.send(app.refresh(&held.refresh)).await?,
    ];
    finding.forbidden(
        "oauth-tokens-ended",
        "the access token that an application holds for the person, at each node, and its refresh token",
        "refused",
        tally(&got),
        !got.iter().any(good),
    );
    Ok(())
}
