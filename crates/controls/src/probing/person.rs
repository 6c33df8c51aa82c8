//! People: accounts made for a run, and what they do through the API.

use std::{net::IpAddr, time::Duration};

use sekisho_kernel::{
    claim::Trouble,
    world::{Account, Answer, Ask, Canary, World},
};
use serde_json::{Value, json};

use super::{answer, in_force, told};
use crate::passwords;

/// Where the API lives.
pub const API: &str = "/api/v1";

/// The cookie of a browser that has signed somebody in before.
const DEVICE: &str = "__Host-sekisho-device";

/// An account, as whoever owns it knows it.
#[derive(Clone, Debug)]
pub struct Person {
    /// Host name of the tenant's console and API.
    pub console: String,
    /// Host name of the tenant's application.
    pub application: String,
    /// The account's id; empty until known.
    pub id: String,
    /// The sign-in name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The authenticator app's secret, where a second factor is set up.
    pub secret: Option<String>,
    /// Where this person's requests come from.
    pub peer: Option<IpAddr>,
    /// The cookie by which their browser is known again; `None` for a program that keeps no cookies.
    pub device: Option<String>,
    /// Time steps of the codes used so far in this run, relative to the clock.
    used: i64,
}

/// A signed-in session at work through the API.
#[derive(Clone, Debug)]
pub struct Session {
    /// Host name of the API.
    pub host: String,
    /// The bearer token.
    pub token: String,
    /// The session's id.
    pub id: String,
    /// The user's id.
    pub user: String,
    /// The value of `X-CSRF-Token`.
    pub csrf: String,
    /// Where requests come from.
    pub peer: Option<IpAddr>,
    /// Which node.
    pub node: usize,
}

impl Person {
    /// The canary tenant's first administrator.
    pub fn admin(canary: &Canary) -> Self {
        Self::of(canary, &canary.admin)
    }

    /// Another person of the same tenant.
    #[must_use]
    pub fn colleague(&self, id: &str, name: &str, password: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            password: password.to_owned(),
            secret: None,
            device: self.device.as_ref().map(|_| String::new()),
            used: 0,
            ..self.clone()
        }
    }

    /// An account of a canary tenant.
    pub fn of(canary: &Canary, account: &Account) -> Self {
        Self {
            console: canary.console.clone(),
            application: canary.application.clone(),
            id: account.user.to_string(),
            name: account.name.clone(),
            password: account.password.reveal().clone(),
            secret: None,
            peer: None,
            device: None,
            used: 0,
        }
    }

    /// The same person with a browser that keeps cookies, and has none yet.
    #[must_use]
    pub fn with_browser(&self) -> Self {
        Self { device: Some(String::new()), ..self.clone() }
    }

    /// Signs in at node 0 with everything that is asked for: a code, a new password, the set-up of a second factor.
    ///
    /// # Errors
    /// When the sign-in is refused or asks for something unknown.
    pub async fn sign_in(&mut self, world: &dyn World) -> Result<Session, Trouble> {
        self.sign_in_at(world, 0).await
    }

    /// The same at a node.
    ///
    /// # Errors
    /// As [`Person::sign_in`].
    pub async fn sign_in_at(&mut self, world: &dyn World, node: usize) -> Result<Session, Trouble> {
        let mut got = self.first_step(world, node).await?;
        for _ in 0..4 {
            let body = got.json();
            let refused = Trouble(format!("the sign-in of {} was answered {}", self.name, told(&got)));
            if !answer::good(&got) {
                return Err(refused);
            }
            let challenge = text(&body, "challenge");
            match text(&body, "state").as_str() {
                "signed-in" => {
                    self.id = text(&body["user"], "id");
                    self.keep(&got);
                    return Session::from(&body, self, node).ok_or(refused);
                }
                "second-factor" => {
                    let code = self.code(world);
                    got = self
                        .step(world, node, "/sign-in/factor", &json!({"challenge": challenge, "code": code}))
                        .await?;
                }
                "password-again" => {
                    let body = json!({"challenge": challenge, "password": self.password});
                    got = self.step(world, node, "/sign-in/again", &body).await?;
                }
                "password-change" => {
                    let new = fresh_password(world);
                    let body = json!({"challenge": challenge, "new_password": new});
                    got = self.step(world, node, "/sign-in/password", &body).await?;
                    self.password = new;
                }
                "enrol-factor" => {
                    let begun = self.step(world, node, "/sign-in/enrol", &json!({"challenge": challenge})).await?;
                    let begun = begun.json();
                    self.secret = Some(text(&begun, "secret"));
                    let challenge = Some(text(&begun, "challenge")).filter(|c| !c.is_empty()).unwrap_or(challenge);
                    let code = self.code(world);
                    let body = json!({"challenge": challenge, "code": code});
                    got = self.step(world, node, "/sign-in/enrol/confirm", &body).await?;
                }
                other => return Err(Trouble(format!("the sign-in of {} asks for “{other}”", self.name))),
            }
        }
        Err(Trouble(format!("the sign-in of {} does not come to an end", self.name)))
    }

    /// Name and password alone: the first step's answer, whatever it is.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn first_step(&self, world: &dyn World, node: usize) -> Result<Answer, Trouble> {
        world.send(self.knock(&self.password).node(node)).await
    }

    /// The request that tries `password`.
    pub fn knock(&self, password: &str) -> Ask {
        self.dressed(knock(&self.console, &self.name, password, self.peer))
    }

    async fn step(&self, world: &dyn World, node: usize, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let mut ask = Ask::new("POST", &self.console, &format!("{API}{path}")).json(body).node(node);
        ask.peer = self.peer;
        world.send(self.dressed(ask)).await
    }

    fn dressed(&self, ask: Ask) -> Ask {
        match self.device.as_deref().filter(|d| !d.is_empty()) {
            Some(device) => ask.header("cookie", format!("{DEVICE}={device}")),
            None => ask,
        }
    }

    /// Keeps the cookie by which the browser is known again, if there is a browser.
    pub fn keep(&mut self, got: &Answer) {
        let lines = got.headers.iter().filter(|(n, _)| n == "set-cookie").map(|(_, v)| v.as_str());
        let set = lines.filter_map(|line| line.strip_prefix(DEVICE)?.strip_prefix('=')?.split(';').next()).next();
        if let (Some(device), Some(set)) = (&mut self.device, set) {
            set.clone_into(device);
        }
    }

    /// A code that was not used before: of the present step, then of the following one, which every verifier allows.
    pub fn code(&mut self, world: &dyn World) -> String {
        let code = self.secret.as_deref().map(|s| world.totp(s, self.used)).unwrap_or_default();
        self.used = (self.used + 1).min(1);
        code
    }

    /// Before signing in once more: where a second factor is asked for, the clock moves on to the next code.
    ///
    /// # Errors
    /// When the clock does not move.
    pub async fn again(&mut self, world: &dyn World) -> Result<(), Trouble> {
        if let (Some(_), Some(instance)) = (&self.secret, world.rehearsed()) {
            instance.advance(Duration::from_secs(60)).await?;
            self.used = 0;
        }
        Ok(())
    }

    /// The same person, coming from elsewhere.
    #[must_use]
    pub fn from(mut self, peer: IpAddr) -> Self {
        self.peer = Some(peer);
        self
    }
}

/// The request of a sign-in with name and password.
pub fn knock(console: &str, name: &str, password: &str, peer: Option<IpAddr>) -> Ask {
    let mut ask =
        Ask::new("POST", console, &format!("{API}/sign-in")).json(&json!({"name": name, "password": password}));
    ask.peer = peer;
    ask
}

/// A text of a JSON object; empty when there is none.
pub fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A password that satisfies the policy in force and was never used.
pub fn fresh_password(world: &dyn World) -> String {
    let least = usize::try_from(in_force(world).int(&passwords::MIN_LENGTH)).unwrap_or(128);
    let mut password = format!("Kq7!{}", world.marker("w"));
    while password.len() < least {
        password.push('z');
    }
    password
}

impl Session {
    fn from(body: &Value, person: &Person, node: usize) -> Option<Self> {
        let token = text(body, "token");
        (!token.is_empty()).then(|| Self {
            host: person.console.clone(),
            token,
            id: text(body, "session"),
            user: text(&body["user"], "id"),
            csrf: text(body, "csrf"),
            peer: person.peer,
            node,
        })
    }

    /// The same session at another node.
    #[must_use]
    pub fn at(&self, node: usize) -> Self {
        Self { node, ..self.clone() }
    }

    /// A request of this session; `path` is below `/api/v1`.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        let mut ask = Ask::new(method, &self.host, &format!("{API}{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .node(self.node);
        ask.peer = self.peer;
        ask
    }

    /// GET.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, world: &dyn World, path: &str) -> Result<Answer, Trouble> {
        world.send(self.ask("GET", path)).await
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, world: &dyn World, path: &str, body: &Value) -> Result<Answer, Trouble> {
        world.send(self.ask("POST", path).json(body)).await
    }

    /// PUT with a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn put(&self, world: &dyn World, path: &str, body: &Value) -> Result<Answer, Trouble> {
        world.send(self.ask("PUT", path).json(body)).await
    }

    /// PATCH with a JSON body, whatever the record's version is.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn patch(&self, world: &dyn World, path: &str, version: i64, body: &Value) -> Result<Answer, Trouble> {
        world.send(self.ask("PATCH", path).header("if-match", format!("\"{version}\"")).json(body)).await
    }

    /// DELETE.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self, world: &dyn World, path: &str) -> Result<Answer, Trouble> {
        world.send(self.ask("DELETE", path)).await
    }

    /// The JSON of a request that must succeed for the probe to go on.
    ///
    /// # Errors
    /// When it does not.
    pub async fn need(&self, world: &dyn World, ask: Ask) -> Result<Value, Trouble> {
        let what = format!("{} {}", ask.method, ask.path);
        let got = world.send(ask).await?;
        if answer::good(&got) { Ok(got.json()) } else { Err(Trouble(format!("{what} was answered {}", told(&got)))) }
    }

    /// Makes a record and gives what came back.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn make(&self, world: &dyn World, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.need(world, self.ask("POST", path).json(body)).await
    }

    /// Makes an account of the tenant with a first password. `more` is laid over the request.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn hire(&self, world: &dyn World, like: &Person, kind: &str, more: &Value) -> Result<Person, Trouble> {
        let marker = world.marker("person");
        let password = fresh_password(world);
        let mut body = json!({
            "name": marker, "display_name": format!("Probe {marker}"), "mail": format!("{marker}@example.test"),
            "type": kind, "password": password,
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        let made = self.make(world, "/users", &body).await?;
        let made = made.get("user").filter(|u| u.is_object()).unwrap_or(&made).clone();
        Ok(like.colleague(&text(&made, "id"), &text(&body, "name"), &text(&body, "password")))
    }
}
