//! How each operation of the API is made to succeed, to be refused and to fail.

mod passkeys;
mod relations;
mod saml;
mod signals;

use std::time::Duration;

use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, Site, World},
};
use serde_json::{Value, json};

use super::every_route::End;
use crate::{
    probing::{
        Person, Session,
        browser::Browser,
        history, in_force,
        oauth::App,
        operations::Operation,
        person::{API, fresh_password, text},
        provider::{self, Provider},
        rehearsed, rights, scim,
        signature::Client,
        told,
    },
    terms,
};

/// The people of the sweep.
pub struct Cast {
    /// The tenant's administrator.
    pub admin: Person,
    /// At work.
    pub desk: Session,
    /// Somebody without any right but the application's use.
    pub member: Person,
    /// At work.
    member_desk: Session,
    /// Sessions made for single runs.
    others: Vec<Session>,
    /// A sign-in that waits for a new password, prepared while the clock could still be moved.
    stale: String,
    /// What the operator named as terms before a run put others in force.
    terms: Option<String>,
}

/// What is too long to be read as a body.
const TOO_LONG: usize = 70_000;

impl Cast {
    /// Makes everybody.
    ///
    /// # Errors
    /// When somebody cannot be made.
    pub async fn assemble(world: &dyn World) -> Result<Self, Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let stale_person = desk.hire(world, &admin, "user", &Value::Null).await?;
        // A password that has run out: the organisation sets the shortest age, and more than a day goes by.
        let age = desk.ask("PUT", "/policy/passwords.max_age").json(&json!({"value": "1d"}));
        desk.need(world, age).await?;
        rehearsed(world)?.advance(Duration::from_secs(90_000)).await?;
        let stale = stale_person.first_step(world, 0).await?.json();
        admin.again(world).await?;
        let desk = admin.sign_in(world).await?;
        desk.need(world, desk.ask("DELETE", "/policy/passwords.max_age")).await?;
        for network in ["0.0.0.0/0", "::/0"] {
            desk.make(world, "/address-rules", &json!({"network": network, "note": "everybody"})).await?;
        }
        let mut member = desk.hire(world, &admin, "user", &Value::Null).await?;
        let member_desk = member.sign_in(world).await?;
        let stale = text(&stale, "challenge");
        Ok(Self { admin, desk, member, member_desk, others: Vec::new(), stale, terms: None })
    }

    /// Everybody's sessions.
    pub fn sessions(&self) -> Vec<&Session> {
        [&self.desk, &self.member_desk].into_iter().chain(&self.others).collect()
    }

    /// Signs the administrator in again where the session has ended.
    ///
    /// # Errors
    /// When the sign-in is refused.
    pub async fn refresh(&mut self, world: &dyn World) -> Result<(), Trouble> {
        if self.desk.get(world, "/session").await?.status != 200 {
            self.admin.again(world).await?;
            self.desk = self.admin.sign_in(world).await?;
        }
        Ok(())
    }

    /// The request by which `operation` ends as wanted; `None` where it has no such ending.
    ///
    /// # Errors
    /// When something cannot be prepared, or the operation is one that this probe knows nothing of.
    pub async fn ask(&mut self, world: &dyn World, operation: &Operation, end: End) -> Result<Option<Ask>, Trouble> {
        if let Some(before) = self.terms.take() {
            rehearsed(world)?.operator_sets(terms::VERSION.key, &json!(before)).await?;
        }
        // None shows or changes anything of the organisation's: the page's polling, the public document, a challenge.
        let silent = matches!(operation.path.as_str(), "/session" | "/openapi.json") || passkeys::challenge(operation);
        if operation.path == "/openapi.json" || silent && end != End::Refused {
            return Ok(None);
        }
        match end {
            // In a log without entries there is none to show: the entries that the other runs lack say what is broken.
            _ if end != End::Failing && operation.path.starts_with("/history/") && self.log_is_empty(world).await? => {
                Ok(None)
            }
            End::Succeeding if passkeys::kept_out(world, operation) => Ok(None),
            End::Succeeding => self.succeeding(world, operation).await.map(Some),
            End::Refused => self.refused(world, operation).await.map(Some),
            End::Failing => Ok(Some(self.failing(operation))),
        }
    }

    async fn log_is_empty(&self, world: &dyn World) -> Result<bool, Trouble> {
        Ok(history::entries(world, &self.desk, "").await?.is_empty())
    }

    /// A session of somebody new.
    async fn newcomer(&mut self, world: &dyn World) -> Result<(Person, Session), Trouble> {
        let mut person = self.desk.hire(world, &self.admin, "user", &Value::Null).await?;
        let session = person.sign_in(world).await?;
        self.others.push(session.clone());
        Ok((person, session))
    }

    async fn made(&self, world: &dyn World, path: &str, body: Value) -> Result<String, Trouble> {
        let made = self.desk.make(world, path, &body).await?;
        Ok(text(made.get("user").filter(|u| u.is_object()).unwrap_or(&made), "id"))
    }

    async fn role(&self, world: &dyn World) -> Result<String, Trouble> {
        self.made(world, "/roles", json!({"name": world.marker("role"), "rights": ["users.read"]})).await
    }

    async fn site(&self, world: &dyn World) -> Result<String, Trouble> {
        self.made(world, "/sites", json!({"name": world.marker("site")})).await
    }

    async fn rule(&self, world: &dyn World) -> Result<String, Trouble> {
        let digits: String = world.marker("a").chars().filter(char::is_ascii_hexdigit).collect();
        let network = format!("2001:db8:{}:{}::/64", &digits[2..6], &digits[6..10]);
        self.made(world, "/address-rules", json!({"network": network})).await
    }

    async fn client(&self, world: &dyn World) -> Result<String, Trouble> {
        Ok(Client::register(world, &self.desk, &[]).await?.id)
    }

    /// What makes a service account's token.
    async fn token(&self, world: &dyn World) -> Result<Value, Trouble> {
        let account = rights::service_account(world, &self.desk).await?;
        Ok(json!({"user": account, "name": world.marker("token"), "rights": ["users.read"], "days": 1}))
    }

    async fn provider(&self, world: &dyn World) -> Result<String, Trouble> {
        self.made(world, "/providers", rights::provider(world)).await
    }

    /// What makes a mail domain.
    async fn domain(&self, world: &dyn World) -> Result<Value, Trouble> {
        let domain = format!("{}.test", world.marker("mail"));
        Ok(json!({"domain": domain, "provider": self.provider(world).await?}))
    }

    /// A person whom an identity provider has signed in, and who has a password too.
    async fn linked(&mut self, world: &dyn World) -> Result<Session, Trouble> {
        let provider = Provider::register(world, &self.desk).await?;
        let mut browser = Browser::default();
        let leave = provider.leave(world, &mut browser).await?;
        let token = provider.token(&provider.claims(world, &leave, &world.marker("linked"))?);
        let got = provider.come_back(world, &mut browser, &leave, &token).await?;
        let token = provider::session(&got).ok_or_else(|| Trouble(format!("the provider's answer: {}", told(&got))))?;
        let mut session = Session { token, ..self.desk.clone() };
        session.user = text(&session.get(world, "/me").await?.json()["user"], "id");
        // A password as well, so that the link is not the only way in; setting it ends the session.
        let invited = self.desk.make(world, &format!("/users/{}/invite", session.user), &json!({})).await?;
        let password = fresh_password(world);
        let body = json!({"token": text(&invited, "link"), "password": password});
        self.desk.need(world, self.public("POST", "/links/use", body)).await?;
        let name = text(&self.desk.get(world, &format!("/users/{}", session.user)).await?.json(), "name");
        let mut person = self.admin.colleague(&session.user, &name, &password);
        let session = person.sign_in(world).await?;
        self.others.push(session.clone());
        Ok(session)
    }

    /// What makes a unique ID.
    async fn link(&self, world: &dyn World) -> Result<Value, Trouble> {
        let (client, user) = (self.client(world).await?, self.user(world).await?);
        Ok(json!({"client": client, "user": user, "unique_id": world.marker("unique")}))
    }

    async fn user(&self, world: &dyn World) -> Result<String, Trouble> {
        rights::invited(world, &self.desk).await
    }

    /// A person with an authenticator app: signed in, the secret kept.
    async fn with_app(&mut self, world: &dyn World) -> Result<(Person, Session, String), Trouble> {
        let (mut person, session) = self.newcomer(world).await?;
        let begun = session.make(world, "/me/factors", &json!({})).await?;
        let (id, secret) = (text(&begun, "id"), text(&begun, "secret"));
        let code = world.totp(&secret, -1);
        session.make(world, &format!("/me/factors/{id}/confirm"), &json!({"code": code})).await?;
        person.secret = Some(secret);
        Ok((person, session, id))
    }

    /// The challenge of a sign-in that waits for a code.
    async fn waiting(&mut self, world: &dyn World) -> Result<(Person, String), Trouble> {
        let (person, ..) = self.with_app(world).await?;
        let challenge = text(&person.first_step(world, 0).await?.json(), "challenge");
        Ok((person, challenge))
    }

    /// The challenge of a sign-in that is asked for the password once more: a new browser in a new network.
    async fn unlike_ever(&mut self, world: &dyn World) -> Result<(Person, String), Trouble> {
        let (person, _) = self.newcomer(world).await?;
        let away = person.clone().from(std::net::IpAddr::from([203, 0, 113, 50]));
        let challenge = text(&away.first_step(world, 0).await?.json(), "challenge");
        Ok((person, challenge))
    }

    /// The challenge of a sign-in that must set up a second factor; `begun` gives the secret as well.
    async fn must_enrol(&mut self, world: &dyn World, begun: bool) -> Result<(String, String), Trouble> {
        let person = self.desk.hire(world, &self.admin, "user", &Value::Null).await?;
        let mode = self.desk.ask("PUT", "/policy/second_factor.mode").json(&json!({"value": "required"}));
        self.desk.need(world, mode).await?;
        let challenge = text(&person.first_step(world, 0).await?.json(), "challenge");
        let mut secret = String::new();
        if begun {
            let ask = self.public("POST", "/sign-in/enrol", json!({"challenge": challenge}));
            secret = text(&self.desk.need(world, ask).await?, "secret");
        }
        self.desk.need(world, self.desk.ask("DELETE", "/policy/second_factor.mode")).await?;
        Ok((challenge, secret))
    }

    fn public(&self, method: &str, path: &str, body: Value) -> Ask {
        Ask::new(method, &self.admin.console, &format!("{API}{path}")).json(&body)
    }

    async fn succeeding(&mut self, world: &dyn World, operation: &Operation) -> Result<Ask, Trouble> {
        let name = operation.name();
        if operation.path.starts_with("/sign-") || operation.path == "/links/use" {
            return self.way_in(world, &name).await;
        }
        if operation.path.starts_with("/people") {
            return self.finding(world, operation).await;
        }
        if operation.path.starts_with("/me") {
            return self.own_account(world, operation, &name).await;
        }
        let (path, body) = self.managed(world, operation, &name).await?;
        let ask = self.desk.ask(&operation.method, &path);
        Ok(with_body(ask, body, &operation.method))
    }

    /// Operations on a way in, and the way out.
    async fn way_in(&mut self, world: &dyn World, name: &str) -> Result<Ask, Trouble> {
        Ok(match name {
            "POST /sign-in" => self.member.knock(&self.member.password),
            "POST /sign-in/factor" => {
                let (person, challenge) = self.waiting(world).await?;
                let code = world.totp(person.secret.as_deref().unwrap_or_default(), 0);
                self.public("POST", "/sign-in/factor", json!({"challenge": challenge, "code": code}))
            }
            "POST /sign-in/again" => {
                let (person, challenge) = self.unlike_ever(world).await?;
                self.public("POST", "/sign-in/again", json!({"challenge": challenge, "password": person.password}))
            }
            "POST /sign-in/password" => {
                let new = fresh_password(world);
                self.public("POST", "/sign-in/password", json!({"challenge": self.stale, "new_password": new}))
            }
            "POST /sign-in/enrol" => {
                let (challenge, _) = self.must_enrol(world, false).await?;
                self.public("POST", "/sign-in/enrol", json!({"challenge": challenge}))
            }
            "POST /sign-in/enrol/confirm" => {
                let (challenge, secret) = self.must_enrol(world, true).await?;
                let body = json!({"challenge": challenge, "code": world.totp(&secret, 0)});
                self.public("POST", "/sign-in/enrol/confirm", body)
            }
            "POST /sign-in/signature" => {
                let (person, _) = self.newcomer(world).await?;
                let client = Client::register(world, &self.desk, &[&person]).await?;
                let now = rehearsed(world)?.now().secs();
                client.sign(&self.admin.console, &person.name, now, &world.marker("nonce")).ask(&self.admin.console)
            }
            "POST /sign-out" => {
                let (_, session) = self.newcomer(world).await?;
                session.ask("POST", "/sign-out").json(&json!({}))
            }
            "POST /links/use" => {
                let made =
                    self.desk.make(world, "/users", &json!({"name": world.marker("linked"), "type": "user"})).await?;
                let body = json!({"token": text(&made, "link"), "password": fresh_password(world)});
                self.public("POST", "/links/use", body)
            }
            other => self.passkey_way_in(world, other).await?,
        })
    }

    async fn own_account(&mut self, world: &dyn World, operation: &Operation, name: &str) -> Result<Ask, Trouble> {
        let method = operation.method.as_str();
        Ok(match name {
            "GET /me"
            | "GET /me/factors"
            | "GET /me/sessions"
            | "GET /me/tokens"
            | "GET /me/applications"
            | "GET /me/identities"
            | "GET /me/terms" => self.member_desk.ask("GET", &operation.path),
            "POST /me/terms" => {
                let (_, session) = self.newcomer(world).await?;
                let version = world.marker("terms");
                self.terms = Some(in_force(world).str(&terms::VERSION));
                rehearsed(world)?.operator_sets(terms::VERSION.key, &json!(version)).await?;
                session.ask(method, &operation.path).json(&json!({"accept": version}))
            }
            "PUT /me/password" => {
                let (person, session) = self.newcomer(world).await?;
                let body = json!({"current": person.password, "new": fresh_password(world)});
                session.ask(method, "/me/password").json(&body)
            }
            "POST /me/reauthenticate" | "POST /me/recovery-codes" => {
                let (person, session, _) = self.with_app(world).await?;
                session.ask(method, &operation.path).json(&json!({"password": person.password}))
            }
            "POST /me/factors" => {
                let (_, session) = self.newcomer(world).await?;
                session.ask(method, "/me/factors").json(&json!({}))
            }
            "POST /me/factors/{id}/confirm" => {
                let (_, session) = self.newcomer(world).await?;
                let begun = session.make(world, "/me/factors", &json!({})).await?;
                let code = world.totp(&text(&begun, "secret"), 0);
                session.ask(method, &operation.filled(&text(&begun, "id"))).json(&json!({"code": code}))
            }
            "DELETE /me/factors/{id}" => {
                let (person, session, id) = self.with_app(world).await?;
                session.ask(method, &operation.filled(&id)).json(&json!({"password": person.password}))
            }
            "DELETE /me/sessions/{id}" => {
                let (mut person, session) = self.newcomer(world).await?;
                let other = person.sign_in(world).await?;
                session.ask(method, &operation.filled(&other.id))
            }
            "POST /me/tokens" => {
                let (person, session) = self.newcomer(world).await?;
                session.ask(method, "/me/tokens").json(&own_token(world, &person))
            }
            "DELETE /me/tokens/{id}" => {
                let (person, session) = self.newcomer(world).await?;
                let made = session.make(world, "/me/tokens", &own_token(world, &person)).await?;
                session.ask(method, &operation.filled(&text(&made, "id")))
            }
            "DELETE /me/applications/{id}" => {
                let (person, session) = self.newcomer(world).await?;
                let app = App::register(world, &self.desk, &["application.use"], true).await?;
                let mut browser = Browser::default();
                browser.keep(&person.console, "__Host-sekisho", &session.token);
                app.tokens(world, &mut browser).await?;
                let listed = session.get(world, "/me/applications").await?.json();
                session.ask(method, &operation.filled(&text(&listed["items"][0], "id")))
            }
            "DELETE /me/identities/{id}" => {
                // Two providers link the person, so that one of them can go.
                let session = self.linked(world).await?;
                let listed = session.get(world, "/me/identities").await?.json();
                session.ask(method, &operation.filled(&text(&listed["items"][0], "id")))
            }
            "DELETE /me/sessions" => {
                let (_, session) = self.newcomer(world).await?;
                session.ask(method, "/me/sessions?keep=current")
            }
            other => self.own_passkeys(world, operation, other).await?,
        })
    }

    /// Operations that need a right: path and body.
    async fn managed(
        &mut self,
        world: &dyn World,
        operation: &Operation,
        name: &str,
    ) -> Result<(String, Value), Trouble> {
        let least = in_force(world).int(&crate::passwords::MIN_LENGTH);
        let plain = |path: &str| Ok((path.to_owned(), Value::Null));
        let filled = |id: String, body: Value| Ok((operation.filled(&id), body));
        match name {
            "GET /users"
            | "GET /rights"
            | "GET /roles"
            | "GET /grants"
            | "GET /sites"
            | "GET /address-rules"
            | "GET /policy"
            | "GET /functions"
            | "GET /history"
            | "GET /risk"
            | "GET /risk/decisions"
            | "GET /history/checkpoint"
            | "GET /claims"
            | "GET /firewall"
            | "GET /firewall/blocked"
            | "GET /catalogue" => plain(&operation.path),
            "POST /firewall/replay" => Ok(("/firewall/replay".into(), json!({"paranoia": 2}))),
            "POST /risk/replay" => Ok(("/risk/replay".into(), json!({"days": 1}))),
            "GET /history/export" => plain("/history/export?format=jsonl"),
            "POST /firewall/exclusions" => {
                // Where the operator allows exclusions, as every operation is tried that succeeds at all.
                let operator = rehearsed(world)?;
                operator.operator_sets("waf.tenant_exclusions", &json!(5)).await?;
                let until = operator.now().plus(Duration::from_secs(20 * 86_400)).rfc3339();
                let part = format!("ARGS:{}", world.marker("field"));
                let (day, reason) = (&until[..10], "a probe's own");
                let body = json!({"rule": 9_100_110, "part": part, "path": "/", "until": day, "reason": reason});
                Ok(("/firewall/exclusions".into(), body))
            }
            "POST /users" => Ok(("/users".into(), json!({"name": world.marker("made"), "type": "user"}))),
            "GET /users/{id}" | "GET /users/{id}/sessions" | "DELETE /users/{id}" | "DELETE /users/{id}/sessions" => {
                filled(self.user(world).await?, Value::Null)
            }
            "PATCH /users/{id}" => filled(self.user(world).await?, json!({"display_name": world.marker("called")})),
            "POST /users/{id}/enable" => {
                let id = self.user(world).await?;
                self.desk.make(world, &format!("/users/{id}/disable"), &json!({})).await?;
                filled(id, json!({}))
            }
            "POST /users/{id}/disable" | "POST /users/{id}/unlock" | "POST /users/{id}/invite" => {
                filled(self.user(world).await?, json!({}))
            }
            "PUT /users/{id}/functions" => filled(self.user(world).await?, json!({"off": ["application"]})),
            "POST /roles" => Ok(("/roles".into(), json!({"name": world.marker("role"), "rights": ["users.read"]}))),
            "GET /roles/{id}" | "DELETE /roles/{id}" => filled(self.role(world).await?, Value::Null),
            "PATCH /roles/{id}" => filled(self.role(world).await?, json!({"rights": ["sites.read"]})),
            "POST /grants" => {
                Ok(("/grants".into(), json!({"user": self.user(world).await?, "role": self.role(world).await?})))
            }
            "DELETE /grants/{id}" => {
                let body = json!({"user": self.user(world).await?, "role": self.role(world).await?});
                filled(self.made(world, "/grants", body).await?, Value::Null)
            }
            "POST /sites" => Ok(("/sites".into(), json!({"name": world.marker("site")}))),
            "GET /sites/{id}" | "DELETE /sites/{id}" => filled(self.site(world).await?, Value::Null),
            "PATCH /sites/{id}" => filled(self.site(world).await?, json!({"note": world.marker("note")})),
            "POST /applications" => Ok(("/applications".into(), application(world))),
            "GET /applications/{id}" | "DELETE /applications/{id}" => {
                filled(self.made(world, "/applications", application(world)).await?, Value::Null)
            }
            "POST /applications/{id}/approve" | "POST /applications/{id}/stop" => {
                filled(self.made(world, "/applications", application(world)).await?, json!({}))
            }
            "POST /signing-keys/turn" => Ok((operation.path.clone(), json!({"withdraw": true}))),
            "GET /provisioning" | "GET /provisioning/groups" | "GET /applications" => plain(&operation.path),
            "POST /provisioning" => Ok(("/provisioning".into(), json!({"name": world.marker("idp"), "days": 1}))),
            "PUT /provisioning/groups/{id}" => {
                let provider = scim::Provider::connect(world, &self.desk).await?;
                let group = json!({"displayName": world.marker("group")});
                let group = provider.need(world, "POST", "/Groups", &group).await?;
                filled(text(&group, "id"), json!({"role": self.role(world).await?}))
            }
            "GET /providers" | "GET /mail-domains" | "GET /identities" | "GET /signing-keys" => plain(&operation.path),
            "POST /providers" => Ok(("/providers".into(), rights::provider(world))),
            "GET /providers/{id}" | "DELETE /providers/{id}" => filled(self.provider(world).await?, Value::Null),
            "PATCH /providers/{id}" => filled(self.provider(world).await?, json!({"button": false})),
            "POST /providers/{id}/test" => filled(self.provider(world).await?, json!({})),
            "POST /mail-domains" => Ok(("/mail-domains".into(), self.domain(world).await?)),
            "DELETE /mail-domains/{id}" => {
                let body = self.domain(world).await?;
                filled(self.made(world, "/mail-domains", body).await?, Value::Null)
            }
            "POST /mail-domains/{id}/verify" => {
                let body = self.domain(world).await?;
                let made = self.desk.make(world, "/mail-domains", &body).await?;
                let texts = vec![text(&made, "record_value")];
                let site = Site { host: text(&made, "record_name"), texts, ..Site::default() };
                rehearsed(world)?.stage_site(site).await?;
                filled(text(&made, "id"), json!({}))
            }
            "DELETE /identities/{id}" => {
                let user = self.linked(world).await?.user;
                let listed = self.desk.get(world, &format!("/identities?user={user}")).await?.json();
                filled(text(&listed["items"][0], "id"), Value::Null)
            }
            "POST /tokens" => Ok(("/tokens".into(), self.token(world).await?)),
            "DELETE /tokens/{id}" => {
                let body = self.token(world).await?;
                filled(self.made(world, "/tokens", body).await?, Value::Null)
            }
            "GET /tokens" | "GET /signing-clients" | "GET /unique-ids" => plain(&operation.path),
            "POST /signing-clients" => Ok(("/signing-clients".into(), json!({"name": world.marker("client")}))),
            "GET /signing-clients/{id}" | "DELETE /signing-clients/{id}" => {
                filled(self.client(world).await?, Value::Null)
            }
            "PATCH /signing-clients/{id}" => filled(self.client(world).await?, json!({"note": world.marker("note")})),
            "POST /signing-clients/{id}/key" => filled(self.client(world).await?, json!({})),
            "POST /unique-ids" => Ok(("/unique-ids".into(), self.link(world).await?)),
            "DELETE /unique-ids/{id}" => {
                let body = self.link(world).await?;
                filled(self.made(world, "/unique-ids", body).await?, Value::Null)
            }
            "POST /address-rules" => {
                Ok(("/address-rules".into(), json!({"network": "2001:db8:77::/48", "note": world.marker("rule")})))
            }
            "GET /address-rules/{id}" | "DELETE /address-rules/{id}" => filled(self.rule(world).await?, Value::Null),
            "PATCH /address-rules/{id}" => filled(self.rule(world).await?, json!({"note": world.marker("note")})),
            "PUT /policy/{key}" => filled("passwords.min_length".into(), json!({"value": least})),
            "DELETE /policy/{key}" => filled("passwords.min_length".into(), Value::Null),
            "PUT /functions" => Ok(("/functions".into(), json!({"off": Vec::<&str>::new()}))),
            "GET /history/{id}" | "GET /history/{id}/proof" => {
                rehearsed(world)?.advance(Duration::from_secs(15)).await?;
                // The oldest entry has long been sequenced and signed.
                let entries = history::entries(world, &self.desk, "").await?;
                filled(entries.last().map(history::Entry::id).unwrap_or_default(), Value::Null)
            }
            "GET /claims/{claim}" => filled("NM-05".into(), Value::Null),
            other => match self.saml(world, operation).await? {
                Some(recipe) => Ok(recipe),
                None => self.related(world, operation, other).await,
            },
        }
    }

    async fn refused(&mut self, world: &dyn World, operation: &Operation) -> Result<Ask, Trouble> {
        let name = operation.name();
        let challenge = || json!({"challenge": "AAAA"});
        let merged = |more: Value| {
            let mut body = challenge();
            if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
                body.extend(more.clone());
            }
            body
        };
        if let Some(ask) = self.refused_passkey(&name) {
            return Ok(ask);
        }
        match name.as_str() {
            "POST /sign-in" => {
                return Ok(self.public(
                    "POST",
                    "/sign-in",
                    json!({"name": world.marker("nobody"), "password": "wrong"}),
                ));
            }
            "POST /sign-in/factor" => {
                let (_, challenge) = self.waiting(world).await?;
                return Ok(self.public("POST", "/sign-in/factor", json!({"challenge": challenge, "code": "000000"})));
            }
            "POST /sign-in/again" => {
                let (_, challenge) = self.unlike_ever(world).await?;
                return Ok(self.public("POST", "/sign-in/again", json!({"challenge": challenge, "password": "wrong"})));
            }
            "POST /sign-in/password" => {
                let body = merged(json!({"new_password": fresh_password(world)}));
                return Ok(self.public("POST", "/sign-in/password", body));
            }
            "POST /sign-in/enrol" => return Ok(self.public("POST", "/sign-in/enrol", challenge())),
            "POST /sign-in/enrol/confirm" => {
                return Ok(self.public("POST", "/sign-in/enrol/confirm", merged(json!({"code": "000000"}))));
            }
            "POST /sign-in/signature" => {
                let client = Client { id: missing("cli"), key: "no key".into() };
                return Ok(client.sign(&self.admin.console, "nobody", 1, "nonce-of-nobody-0").ask(&self.admin.console));
            }
            "POST /links/use" => {
                let body = json!({"token": "AAAA", "password": fresh_password(world)});
                return Ok(self.public("POST", "/links/use", body));
            }
            _ => {}
        }
        let own = operation.path.starts_with("/me")
            || matches!(operation.path.as_str(), "/session" | "/sign-out" | "/people" | "/people/{id}");
        if own {
            // Without a session; what everybody may do of their own is refused to nobody else.
            let path = operation.filled("fac_00000000000000000000000000000000");
            let path = if operation.path == "/me/sessions" && operation.method == "DELETE" {
                format!("{path}?keep=current")
            } else {
                path
            };
            let ask = Ask::new(&operation.method, &self.admin.console, &format!("{API}{path}"));
            return Ok(if operation.method == "GET" { ask } else { ask.json(&json!({})) });
        }
        let (path, body) = self.managed(world, operation, &name).await?;
        Ok(with_body(self.member_desk.ask(&operation.method, &path), body, &operation.method))
    }

    fn failing(&self, operation: &Operation) -> Ask {
        let own = operation.path.starts_with("/me") || operation.path == "/sign-out";
        let public = operation.path.starts_with("/sign-in") || operation.path == "/links/use";
        if public {
            return self.public(&operation.method, &operation.path, json!({"no_such_field": true}));
        }
        let session = if own { &self.member_desk } else { &self.desk };
        let prefixes = [
            ("/users", "usr"),
            ("/roles", "rol"),
            ("/grants", "gra"),
            ("/sites", "sit"),
            ("/address-rules", "adr"),
            ("/history", "ent"),
            ("/signing-clients", "cli"),
            ("/signal-receivers", "sgr"),
            ("/unique-ids", "uid"),
            ("/people", "usr"),
            ("/relations", "rel"),
            ("/me/factors", "fac"),
            ("/me/passkeys", "pky"),
            ("/me/sessions", "ses"),
            ("/me/tokens", "tok"),
            ("/me/applications", "cns"),
            ("/applications", "app"),
            ("/provisioning/groups", "grp"),
            ("/tokens", "tok"),
            ("/me/identities", "idn"),
            ("/identities", "idn"),
            ("/providers", "idp"),
            ("/saml-keys", "smk"),
            ("/mail-domains", "dom"),
        ];
        if operation.has_parameter() {
            let prefix = prefixes.iter().find(|(p, _)| operation.path.starts_with(p));
            let id = match prefix {
                Some((_, prefix)) => missing(prefix),
                None => "no.such".to_owned(),
            };
            let body = match (operation.method.as_str(), operation.path.as_str()) {
                ("GET", _) => Value::Null,
                (_, p) if p.ends_with("/functions") => json!({"off": Vec::<&str>::new()}),
                (_, p) if p.ends_with("/confirm") => json!({"code": "000000"}),
                (_, "/policy/{key}") if operation.method == "PUT" => json!({"value": 1}),
                ("DELETE", "/me/factors/{id}" | "/me/passkeys/{id}") => json!({"password": self.member.password}),
                ("DELETE", _) => Value::Null,
                _ => json!({}),
            };
            return with_body(session.ask(&operation.method, &operation.filled(&id)), body, &operation.method);
        }
        let bad_query = operation.query.first().map(|q| match q.as_str() {
            "limit" => "limit=0".to_owned(),
            other => format!("{other}=%20no-such-value"),
        });
        match (operation.method.as_str(), bad_query) {
            ("GET" | "DELETE", Some(query)) => session.ask(&operation.method, &format!("{}?{query}", operation.path)),
            ("POST" | "PUT" | "PATCH", _) if operation.path != "/sign-out" => {
                session.ask(&operation.method, &operation.path).json(&json!({"no_such_field": true}))
            }
            // Nothing in it can be wrong but its length.
            _ => {
                let mut ask =
                    session.ask(&operation.method, &operation.path).header("content-type", "application/json");
                ask.body = vec![b' '; TOO_LONG];
                ask
            }
        }
    }
}

/// What makes an application.
fn application(world: &dyn World) -> Value {
    json!({"name": world.marker("app"), "redirect_uris": ["https://app.example.test/callback"], "rights": ["users.read"]})
}

/// What makes a token of a person's own.
fn own_token(world: &dyn World, person: &Person) -> Value {
    json!({"name": world.marker("token"), "days": 1, "password": person.password})
}

/// An id that names nothing.
fn missing(prefix: &str) -> String {
    format!("{prefix}_0198c2b4000070008000000000000000")
}

fn unknown(name: &str) -> Trouble {
    Trouble(format!("the document lists {name}, for which this probe has no run"))
}

fn with_body(ask: Ask, body: Value, method: &str) -> Ask {
    let ask = if method == "PATCH" { ask.header("if-match", "\"1\"") } else { ask };
    if body.is_null() { ask } else { ask.json(&body) }
}
