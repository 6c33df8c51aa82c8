//! More than 700 distinct attacks, encoded several ways, against every public route; ordinary traffic; and the same attacks with
//! the firewall off (DX-03).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::json;

use super::blocked;
use crate::{
    probing::{Person, answer::good, browser::Browser, in_force, operations::operations, person::API, rehearsed, told},
    waf::{
        DX_03, MODE,
        attacks::{Attack, Encoding, attacks, percent},
    },
};

/// Distinct attacks that are sent; the claim's text asks for more than 700.
const SENT: usize = 720;
/// Requests under way at the same time, one connection each.
const LANES: usize = 8;

pub struct EveryRoute;

/// Where in a request the value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Query(&'static str),
    Form(&'static str),
    Json(&'static str),
}

/// A public route, or one of the application that a signed-in person reaches.
#[derive(Clone, Debug)]
struct Route {
    host: String,
    method: &'static str,
    path: String,
    place: Place,
    cookie: Option<String>,
}

impl Route {
    fn name(&self) -> String {
        format!("{} {}{}", self.method, self.host, self.path)
    }

    fn ask(&self, lane: u32) -> Ask {
        let ask = Ask::new(self.method, &self.host, &self.path).over(lane).header("user-agent", "Mozilla/5.0");
        let ask = ask.header("accept", "application/json");
        match &self.cookie {
            Some(cookie) => ask.header("cookie", cookie.clone()).header("sec-fetch-site", "same-origin"),
            None => ask,
        }
    }

    /// The request with a value that is already written for a URL.
    fn with(&self, written: &str, plain: &str, lane: u32) -> Ask {
        let mut ask = self.ask(lane);
        match self.place {
            Place::Query(name) => {
                ask.path = format!("{}?{name}={written}", self.path);
                if self.method == "POST" { ask.json(&json!({})) } else { ask }
            }
            Place::Form(name) => {
                ask.body = format!("{name}={written}").into_bytes();
                ask.header("content-type", "application/x-www-form-urlencoded")
            }
            Place::Json(name) => ask.json(&json!({ name: plain })),
        }
    }

    fn attack(&self, attack: &Attack, encoding: Encoding, lane: u32) -> Ask {
        let written = encoding.write(attack);
        let mut ask = self.with(&written, &encoding.inside(attack), lane);
        if let (Place::Json(name), Encoding::Full) = (self.place, encoding) {
            // Every character as an escape (RFC 8259 §7).
            let escaped: String = attack.text.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
            ask.body = format!("{{\"{name}\":\"{escaped}\"}}").into_bytes();
        }
        ask
    }
}

/// The routes that anybody reaches without a session, and the application's.
async fn routes(world: &dyn World, console: &str, application: &str, cookie: &str) -> Result<Vec<Route>, Trouble> {
    let ours = |method, path: String, place| Route { host: console.to_owned(), method, path, place, cookie: None };
    let mut out = Vec::new();
    for operation in operations(world, console).await? {
        // What answers a stranger with anything but 401 is public.
        let method = match operation.method.as_str() {
            "GET" => "GET",
            "POST" => "POST",
            _ => continue,
        };
        if operation.has_parameter() {
            continue;
        }
        let ask = Ask::new(method, console, &format!("{API}{}", operation.path));
        let got = world.send(if method == "POST" { ask.json(&json!({})) } else { ask }).await?;
        let name = got.json().get("code").and_then(|c| c.as_str()).unwrap_or_default().to_owned();
        if got.status == 401 && name != "SK-4001" {
            continue;
        }
        let place = if operation.path == "/sign-in" { Place::Json("name") } else { Place::Query("x") };
        out.push(ours(method, format!("{API}{}", operation.path), place));
    }
    for path in ["/sign-in", "/sign-in/factor", "/sign-in/password", "/sign-in/enrol", "/link"] {
        out.push(ours("GET", path.to_owned(), Place::Query("to")));
    }
    out.push(ours("POST", "/sign-in".to_owned(), Place::Form("name")));
    out.push(ours("POST", "/lang".to_owned(), Place::Form("lang")));
    out.push(ours("GET", "/.well-known/oauth-authorization-server".to_owned(), Place::Query("x")));
    for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
        out.push(ours("POST", path.to_owned(), Place::Form("client_id")));
    }
    let app = |method, path: &str, place| Route {
        host: application.to_owned(),
        method,
        path: path.to_owned(),
        place,
        cookie: Some(cookie.to_owned()),
    };
    out.push(app("GET", "/.sekisho/enter", Place::Query("path")));
    out.push(app("GET", "/search", Place::Query("q")));
    out.push(app("GET", "/orders", Place::Query("id")));
    out.push(app("POST", "/orders", Place::Form("note")));
    out.push(app("POST", "/api/notes", Place::Json("text")));
    Ok(out)
}

/// Sends them all, a few at a time, each over a connection of its lane and host; a connection that was closed is replaced.
async fn send(world: &dyn World, routes: &[Route], asks: Vec<(usize, Ask)>) -> Result<Vec<(usize, Answer)>, Trouble> {
    let mut out = Vec::with_capacity(asks.len());
    let mut closed = 0;
    let mut pending = asks.into_iter().peekable();
    let mut round: Vec<(usize, Ask)> = Vec::with_capacity(LANES);
    while pending.peek().is_some() {
        round.clear();
        while round.len() < LANES
            && let Some((route, mut ask)) = pending.next()
        {
            let host = u32::from(routes[route].cookie.is_some());
            let lane = u32::try_from(round.len()).unwrap_or(0);
            ask.connection = Some(1_000 + host * 100 + lane + closed * 1_000);
            round.push((route, ask));
        }
        let answers = world.send_all(round.iter().map(|(_, a)| a.clone()).collect()).await;
        for ((route, ask), answer) in round.iter().zip(answers) {
            let answer = match answer {
                Ok(answer) => answer,
                Err(_) => {
                    closed += 1;
                    let mut again = ask.clone();
                    again.connection = None;
                    world.send(again).await?
                }
            };
            out.push((*route, answer));
        }
    }
    Ok(out)
}

#[async_trait]
impl Probe for EveryRoute {
    fn spec(&self) -> &'static ClaimSpec {
        &DX_03
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("a tenant is needed".into())) };
        let mut person = Person::admin(canary);
        let mut browser = Browser::default();
        browser.sign_in(world, &mut person).await?;
        let entered = browser.open(world, &canary.application, "/").await?;
        if entered.host != canary.application {
            return Err(Trouble(format!("the application could not be opened: {}", entered.told())));
        }
        let cookie = browser.cookies(&canary.application);
        let routes = routes(world, &canary.console, &canary.application, &cookie).await?;
        let all = attacks();
        // Evenly over all kinds, the same at every run.
        let chosen: Vec<&Attack> = (0..SENT).map(|i| &all[i * all.len() / SENT]).collect();
        ordinary(world, finding, &routes).await?;
        stopped(world, finding, &routes, &chosen).await?;
        by_itself(world, finding, &routes, &chosen).await?;
        finding.missing(
            "slow-attack-detected",
            "a slow attack that trips no single rule, and the one alert with evidence that it should raise",
        );
        Ok(())
    }
}

/// Requests of ordinary people with what rules are easily wrong about.
const ORDINARY: &[&str] = &[
    "optical router",
    "光ルーター",
    "O'Brien",
    "D'Angelo & Sons",
    "10 or 20 pieces",
    "select a colour from the list",
    "update me on the order, please",
    "C++ and C# books",
    "50% off",
    "It's 5 o'clock; we leave at 6.",
    "drop off at the table by the window",
    "A-1001",
    "東京都千代田区丸の内1-2-3 丸の内ビル 4階",
    "見積書（2026年度）の件、よろしくお願いします。",
    "Mr. & Mrs. Smith",
    "script for the play, act 2",
    "price < 100 and size > 3",
    "naïve café façade",
    "union of two sets",
    "who am I to say?",
];

async fn ordinary(world: &dyn World, finding: &mut Finding, routes: &[Route]) -> Result<(), Trouble> {
    let mut asks = Vec::new();
    for (at, route) in routes.iter().enumerate() {
        for value in ORDINARY {
            asks.push((at, route.with(&percent(value, false), value, 0)));
        }
    }
    let count = asks.len();
    let answers = send(world, routes, asks).await?;
    let wrong = answers.iter().find(|(_, a)| blocked(a));
    finding.positive(
        "ordinary-traffic-passes",
        format!(
            "{count} ordinary requests, prose in Japanese and English, names with apostrophes, to {} routes",
            routes.len()
        ),
        "none is blocked",
        wrong.map_or_else(|| "none was blocked".into(), |(at, a)| format!("{}: {}", routes[*at].name(), told(a))),
        wrong.is_none(),
    );
    let plain: Vec<(usize, Ask)> = routes
        .iter()
        .enumerate()
        .filter(|(_, r)| r.cookie.is_some() && r.path != "/.sekisho/enter")
        .map(|(at, r)| (at, r.with("A-1001", "A-1001", 0)))
        .collect();
    let answers = send(world, routes, plain).await?;
    let wrong = answers.iter().find(|(_, a)| !good(a));
    finding.positive(
        "ordinary-traffic-passes",
        "an order number to each route of the application",
        "answered by the application",
        wrong.map_or_else(|| "all answered".into(), |(at, a)| format!("{}: {}", routes[*at].name(), told(a))),
        wrong.is_none(),
    );
    Ok(())
}

async fn stopped(
    world: &dyn World,
    finding: &mut Finding,
    routes: &[Route],
    chosen: &[&Attack],
) -> Result<(), Trouble> {
    for (at, route) in routes.iter().enumerate() {
        let asks: Vec<(usize, Ask)> = chosen
            .iter()
            .enumerate()
            // Each attack is written differently from route to route: all encodings, several times each.
            .map(|(i, a)| (at, route.attack(a, Encoding::ALL[(i + at) % Encoding::ALL.len()], 0)))
            .collect();
        let answers = send(world, routes, asks).await?;
        let through: Vec<usize> = (0..answers.len()).filter(|i| !blocked(&answers[*i].1)).collect();
        let seen = match through.first() {
            None => format!("all {} blocked", answers.len()),
            Some(first) => format!(
                "{} passed; the first, {} {:?}: {}",
                through.len(),
                chosen[*first].kind,
                chosen[*first].text.chars().take(60).collect::<String>(),
                told(&answers[*first].1)
            ),
        };
        finding.forbidden(
            "attacks-blocked",
            format!("{} distinct attacks in {} encodings to {}", chosen.len(), Encoding::ALL.len(), route.name()),
            "each is blocked by the firewall",
            seen,
            through.is_empty(),
        );
    }
    Ok(())
}

/// With the firewall off, as an operator could set it: the application and our own routes refuse, or take the value for
/// nothing but a value.
async fn by_itself(
    world: &dyn World,
    finding: &mut Finding,
    routes: &[Route],
    chosen: &[&Attack],
) -> Result<(), Trouble> {
    let clause = "application-refuses-by-itself";
    let operator = rehearsed(world)?;
    let before = in_force(world).str(&MODE);
    operator.operator_sets("waf.mode", &json!("off")).await?;
    let (theirs, ours): (Vec<usize>, Vec<usize>) =
        (0..routes.len()).partition(|at| routes[*at].cookie.is_some() && routes[*at].path != "/.sekisho/enter");
    let outcome = async {
        for (group, who) in [(&theirs, "the application"), (&ours, "our own public routes")] {
            let asks: Vec<(usize, Ask)> = chosen
                .iter()
                .enumerate()
                .map(|(i, a)| {
                    let at = group[i % group.len()];
                    (at, routes[at].attack(a, Encoding::ALL[(i / group.len()) % Encoding::ALL.len()], 0))
                })
                .collect();
            let answers = send(world, routes, asks).await?;
            let by_firewall = answers.iter().filter(|(_, a)| blocked(a)).count();
            let harm = answers.iter().zip(chosen).find(|((at, a), attack)| {
                // A page that never reads the value answers as it always does; what it must not do is break, or say back
                // unescaped what a browser reads as anything but text.
                let said_back = attack.text.contains(['<', '>', '"', '\'', '&']) && a.contains(&attack.text);
                let inert = !theirs.contains(at) && !said_back;
                a.status >= 500 || (a.status < 400 && !inert)
            });
            finding.forbidden(
                clause,
                format!("the firewall off, {} attacks to {who}", chosen.len()),
                "refused, or without effect",
                match harm {
                    None => format!("all {} refused or without effect, {by_firewall} by the firewall", answers.len()),
                    Some(((at, a), attack)) => format!("{} {:?}: {}", routes[*at].name(), attack.text, told(a)),
                },
                harm.is_none() && by_firewall == 0,
            );
        }
        Ok(())
    };
    let outcome: Result<(), Trouble> = outcome.await;
    operator.operator_sets("waf.mode", &json!(before)).await?;
    outcome
}
