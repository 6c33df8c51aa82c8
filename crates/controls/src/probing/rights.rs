//! One request for each right of the catalogue: what somebody who has it can do, and nobody else.

use sekisho_kernel::{
    Right,
    claim::Trouble,
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};

use super::{Person, Session, answer, browser::Browser, person::text};

/// Somebody signed in, in a browser; the API is called with the same session.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub person: Person,
    /// The browser.
    pub browser: Browser,
    /// The session.
    pub session: Session,
}

impl Actor {
    /// Signs in.
    ///
    /// # Errors
    /// When the sign-in is refused.
    pub async fn enter(world: &dyn World, mut person: Person) -> Result<Self, Trouble> {
        let mut session = person.sign_in(world).await?;
        let mut browser = Browser::from(person.peer);
        // One sign-in for both: the cookie holds what the API takes as bearer token.
        browser.keep(&person.console, "__Host-sekisho", &session.token);
        session.peer = person.peer;
        Ok(Self { person, browser, session })
    }
}

/// What requests act on.
pub struct Scenery {
    /// The administrator who prepares and restores.
    pub admin: Session,
    /// An account that is acted upon.
    pub target: String,
    /// A role that holds only the right to grant roles.
    pub role: String,
    /// Whoever made it, for accounts of the same tenant.
    pub like: Person,
}

impl Scenery {
    /// Prepares a tenant: an account and a role to act upon, and address rules that admit everybody, so that adding
    /// further ones shuts nobody out.
    ///
    /// # Errors
    /// When the administrator cannot prepare it.
    pub async fn set(world: &dyn World, admin: &Session, like: &Person) -> Result<Self, Trouble> {
        for network in ["0.0.0.0/0", "::/0"] {
            admin.make(world, "/address-rules", &json!({"network": network, "note": "everybody"})).await?;
        }
        let role = json!({"name": world.marker("granted"), "rights": [Right::GRANTS_WRITE.name()]});
        let role = text(&admin.make(world, "/roles", &role).await?, "id");
        let target = invited(world, admin).await?;
        Ok(Self { admin: admin.clone(), target, role, like: like.clone() })
    }

    /// Tries what `right` allows.
    ///
    /// # Errors
    /// When there is no answer, or the right is one that this probe knows no request for.
    pub async fn tries(&self, world: &dyn World, who: &mut Actor, right: Right) -> Result<Answer, Trouble> {
        if right == Right::APPLICATION_USE {
            let host = who.person.application.clone();
            let visit = who.browser.open(world, &host, "/").await?;
            // Only the application's own page counts as its use.
            let mut answer = visit.answer;
            if visit.host != host && answer.status == 200 {
                answer.status = 401;
            }
            return Ok(answer);
        }
        let ask = self.request(world, &who.session, right).await?;
        world.send(ask).await
    }

    /// The request for a right, the application's use aside.
    ///
    /// # Errors
    /// As [`Scenery::tries`].
    pub async fn request(&self, world: &dyn World, who: &Session, right: Right) -> Result<Ask, Trouble> {
        let post = |path: &str, body: Value| who.ask("POST", path).json(&body);
        let target = &self.target;
        Ok(match right {
            Right::USERS_READ => who.ask("GET", "/users"),
            Right::USERS_WRITE => post("/users", json!({"name": world.marker("made"), "type": "user"})),
            Right::ROLES_READ => who.ask("GET", "/roles"),
            Right::ROLES_WRITE => {
                post("/roles", json!({"name": world.marker("role"), "rights": [Right::ROLES_WRITE.name()]}))
            }
            Right::GRANTS_WRITE => {
                let user = invited(world, &self.admin).await?;
                post("/grants", json!({"user": user, "role": self.role}))
            }
            Right::SITES_READ => who.ask("GET", "/sites"),
            Right::SITES_WRITE => post("/sites", json!({"name": world.marker("site")})),
            Right::ADDRESSES_READ => who.ask("GET", "/address-rules"),
            Right::ADDRESSES_WRITE => post("/address-rules", json!({"network": documentation_address(world)})),
            Right::HISTORY_READ => who.ask("GET", "/history?limit=1"),
            Right::HISTORY_EXPORT => who.ask("GET", "/history/export?format=jsonl"),
            Right::POLICY_READ => who.ask("GET", "/policy"),
            Right::POLICY_WRITE => {
                let value = super::in_force(world).int(&crate::passwords::MIN_LENGTH);
                who.ask("PUT", "/policy/passwords.min_length").json(&json!({"value": value}))
            }
            Right::SWITCHES_WRITE => {
                who.ask("PUT", &format!("/users/{target}/functions")).json(&json!({"off": Vec::<String>::new()}))
            }
            Right::CLAIMS_READ => who.ask("GET", "/claims"),
            Right::SESSIONS_READ => who.ask("GET", &format!("/users/{target}/sessions")),
            Right::SESSIONS_END => who.ask("DELETE", &format!("/users/{target}/sessions")),
            Right::CLIENTS_READ => who.ask("GET", "/signing-clients"),
            Right::CLIENTS_WRITE => post("/signing-clients", json!({"name": world.marker("client")})),
            Right::CLIENTS_APPROVE => {
                let new = json!({"name": world.marker("app"), "redirect_uris": ["https://app.example.test/"]});
                let app = text(&self.admin.make(world, "/applications", &new).await?, "id");
                post(&format!("/applications/{app}/approve"), json!({}))
            }
            Right::USERS_PROVISION => {
                let mut ask = Ask::new("GET", &who.host, &format!("{}/Users?count=1", super::scim::SCIM))
                    .header("authorization", format!("Bearer {}", who.token))
                    .node(who.node);
                ask.peer = who.peer;
                ask
            }
            Right::FEDERATION_READ => who.ask("GET", "/providers"),
            Right::FEDERATION_WRITE => {
                // An organisation may have few of them: one is renamed instead of another being made.
                let known = self.admin.need(world, self.admin.ask("GET", "/providers")).await?;
                let one = match known["items"].get(0) {
                    Some(one) => one.clone(),
                    None => self.admin.make(world, "/providers", &provider(world)).await?,
                };
                let version = one["version"].as_i64().unwrap_or(1);
                who.ask("PATCH", &format!("/providers/{}", text(&one, "id")))
                    .header("if-match", format!("\"{version}\""))
                    .json(&json!({"name": world.marker("idp")}))
            }
            Right::PEOPLE_FIND => who.ask("GET", "/people"),
            Right::RELATIONS_READ => who.ask("GET", "/relations"),
            Right::RELATIONS_WRITE => {
                let other = invited(world, &self.admin).await?;
                post("/relations", json!({"one": target, "other": other}))
            }
            Right::RELATIONS_CHECK => post("/relations/check", json!({"person": target, "others": [target]})),
            Right::TOKENS_READ => who.ask("GET", "/tokens"),
            Right::TOKENS_WRITE => {
                let account = service_account(world, &self.admin).await?;
                let rights = [Right::TOKENS_WRITE.name()];
                post("/tokens", json!({"user": account, "name": world.marker("token"), "rights": rights, "days": 1}))
            }
            other => return Err(Trouble(format!("no request is known that exercises the right {}", other.name()))),
        })
    }
}

/// What makes an identity provider.
pub fn provider(world: &dyn World) -> Value {
    json!({"name": world.marker("idp"), "issuer": "https://idp.example.test", "client_id": "probe"})
}

/// An account that has been invited and never signs in.
///
/// # Errors
/// When it is refused.
pub async fn invited(world: &dyn World, admin: &Session) -> Result<String, Trouble> {
    let made = admin.make(world, "/users", &json!({"name": world.marker("target"), "type": "user"})).await?;
    Ok(text(made.get("user").filter(|u| u.is_object()).unwrap_or(&made), "id"))
}

/// A service account.
///
/// # Errors
/// When it is refused.
pub async fn service_account(world: &dyn World, admin: &Session) -> Result<String, Trouble> {
    let new = json!({"name": world.marker("service"), "type": "user", "service": true});
    Ok(text(&admin.make(world, "/users", &new).await?, "id"))
}

/// An IPv6 address that nobody has (RFC 3849), another one each time.
fn documentation_address(world: &dyn World) -> String {
    let marker = world.marker("a");
    let digits: String = marker.chars().filter(char::is_ascii_hexdigit).collect();
    let at = digits.len().saturating_sub(16);
    let groups: Vec<&str> = (0..4).filter_map(|i| digits.get(at + i * 4..at + i * 4 + 4)).collect();
    format!("2001:db8:0:1:{}/128", groups.join(":"))
}

/// Whether the answer says that the right is missing.
pub const fn refused(got: &Answer) -> bool {
    got.status == 403
}

/// Whether the answer says that it was done.
pub const fn done(got: &Answer) -> bool {
    answer::good(got)
}
