//! A marker written through every kind of record that a client can write.

use std::{collections::BTreeSet, time::Duration};

use sekisho_kernel::{
    Right,
    claim::Trouble,
    world::{Answer, Ask, Canary, World},
};
use serde_json::json;

use super::{
    Person, Session,
    answer::good,
    browser::Browser,
    oauth::{App, REDIRECT},
    passkey::{self, Passkey, Shows},
    person::text,
    provider::{Provider, session},
    rehearsed, saml, scim,
    search::Marker,
    told,
};

/// What was planted.
pub struct Planted {
    /// The text in names, notes, addresses, header fields, paths and bodies.
    pub marker: Marker,
    /// Secrets that the service itself made or was given: passwords, tokens, the authenticator's secret.
    pub secrets: Vec<(&'static str, String)>,
    /// The administrator at work.
    pub desk: Session,
    /// The administrator.
    pub admin: Person,
    /// Somebody whose every field holds the marker.
    pub person: Person,
    /// Ids of the records made, by kind.
    pub ids: Vec<(&'static str, String)>,
    /// What was read back through the API and holds the marker.
    pub read_back: Vec<Answer>,
}

impl Planted {
    /// The id of the record of a kind.
    pub fn id(&self, kind: &str) -> &str {
        self.ids.iter().find(|(k, _)| *k == kind).map_or("", |(_, id)| id)
    }
    /// Whether everything that was written comes back to whoever may read it.
    pub fn comes_back(&self) -> bool {
        !self.read_back.is_empty() && self.read_back.iter().all(|a| good(a) && a.contains(&self.marker.ascii))
    }
    /// What came back, in words.
    pub fn told(&self) -> String {
        let with = self.read_back.iter().filter(|a| good(a) && a.contains(&self.marker.ascii)).count();
        format!("{with} of {} records come back with the marker", self.read_back.len())
    }
}

/// Writes a marker into every kind of record of a tenant: account, role, grant, site, address rule, signing client, unique ID,
/// provisioned person and group, identity provider, receiver of signals, relation, mail domain, outside identity, consent, switches, policy, second factor, recovery codes, passkey, session, link, a repeated request's kept answer, a locked name, and through the door; and a SAML provider for its key.
///
/// # Errors
/// When something cannot be written.
pub async fn plant(world: &dyn World, canary: &Canary) -> Result<Planted, Trouble> {
    let marker = Marker::new(world.marker("planted"));
    let both = marker.both();
    let mut admin = Person::admin(canary);
    let desk = admin.sign_in(world).await?;
    let mut ids = Vec::new();

    let site = text(&desk.make(world, "/sites", &json!({"name": both, "note": both})).await?, "id");
    let fields = json!({"name": format!("n-{}", marker.ascii), "display_name": both, "mail": format!("{}@example.test", marker.ascii), "site": site});
    let mut person = desk.hire(world, &admin, "user", &fields).await?;
    let role = desk.make(world, "/roles", &json!({"name": both, "rights": [Right::USERS_READ.name()]})).await?;
    let role = text(&role, "id");
    let grant = json!({"user": person.id, "role": role, "site": site});
    let grant = text(&desk.make(world, "/grants", &grant).await?, "id");
    for network in ["0.0.0.0/0", "::/0"] {
        let rule = desk.make(world, "/address-rules", &json!({"network": network, "note": both})).await?;
        ids.push(("address rule", text(&rule, "id")));
    }
    let least = super::in_force(world).int(&crate::passwords::MIN_LENGTH);
    desk.need(world, desk.ask("PUT", "/policy/passwords.min_length").json(&json!({"value": least}))).await?;
    desk.need(world, desk.ask("PUT", "/functions").json(&json!({"off": Vec::<&str>::new()}))).await?;
    let app = json!({"name": both, "redirect_uris": [REDIRECT], "rights": ["application.use"], "confidential": true});
    let app = desk.make(world, "/applications", &app).await?;
    let app = App {
        host: desk.host.clone(),
        id: text(&app, "id"),
        secret: text(&app, "secret"),
        scope: "application.use".into(),
    };
    desk.make(world, &format!("/applications/{}/approve", app.id), &json!({})).await?;
    let mut at_desk = Browser::default();
    at_desk.keep(&canary.console, "__Host-sekisho", &desk.token);
    let held = app.tokens(world, &mut at_desk).await?;
    let consent = newest(world, &desk, "/me/applications").await?;
    let service = super::rights::service_account(world, &desk).await?;
    let token =
        json!({"user": service, "name": both, "rights": ["users.read"], "networks": ["203.0.113.0/24"], "days": 1});
    let token = desk.make(world, "/tokens", &token).await?;
    let (token_id, token) = (text(&token, "id"), text(&token, "token"));
    let scim = scim::Provider::connect(world, &desk).await?;
    let (_, provisioned) = scim.create(world, &format!("scim-{}", marker.ascii)).await?;
    scim.replace(world, &provisioned, "title", json!(both)).await?;
    let group = json!({"displayName": both, "members": [{"value": provisioned}]});
    let group = text(&scim.need(world, "POST", "/Groups", &group).await?, "id");
    let client = desk.make(world, "/signing-clients", &json!({"name": both, "note": both})).await?;
    let (client, key) = (text(&client, "id"), text(&client, "key"));
    let unique = json!({"client": client, "user": person.id, "unique_id": both});
    let unique = text(&desk.make(world, "/unique-ids", &unique).await?, "id");
    let secret_there = format!("secret-{}", marker.ascii);
    let provider = json!({
        "name": both, "issuer": format!("https://{}.example.test/", marker.ascii),
        "client_id": format!("client-{}", marker.ascii), "client_secret": secret_there,
    });
    let provider = text(&desk.make(world, "/providers", &provider).await?, "id");
    let domain = json!({"domain": format!("{}.test", marker.ascii), "provider": provider});
    let domain = text(&desk.make(world, "/mail-domains", &domain).await?, "id");
    let (outside, identity) = came_by_provider(world, &desk, &marker).await?;
    saml::Provider::register(world, &desk).await?;
    let saml_key = newest(world, &desk, "/saml-keys").await?;
    let secret_at_receiver = format!("receiver-{}", marker.ascii);
    let receiver = json!({
        "name": both, "url": format!("https://{}.example.test/set", marker.ascii), "events": ["credential-change"],
        "token": secret_at_receiver,
    });
    let receiver = text(&desk.make(world, "/signal-receivers", &receiver).await?, "id");
    let relation = json!({"one": person.id, "other": site, "note": both});
    let relation = text(&desk.make(world, "/relations", &relation).await?, "id");
    // A repeated request's answer is kept for a day: it holds what it says.
    let kept = desk.ask("POST", "/users").header("idempotency-key", format!("k-{}", marker.ascii));
    let kept = kept.json(&json!({"name": format!("kept-{}", marker.ascii), "display_name": both, "type": "user"}));
    let invited = desk.need(world, kept).await?;
    let link = text(&invited, "link");

    let ask = person.knock(&person.password).header("user-agent", format!("Probe/1 {}", marker.ascii));
    let first = world.send(ask).await?;
    if text(&first.json(), "state").is_empty() {
        return Err(Trouble(format!("the planted account's sign-in was answered {}", told(&first))));
    }
    let session = person.sign_in(world).await?;
    let secret = match person.secret.clone() {
        Some(secret) => secret,
        None => enrol(world, &session, &person).await?,
    };
    ids.push(("second factor", newest(world, &session, "/me/factors").await?));
    if passkey::welcome(world) {
        let options = session.make(world, "/me/passkeys/options", &json!({"password": person.password})).await?;
        let (_, mut body) = Passkey::create(&options, &session.host, Shows::Own)?;
        body["name"] = json!(both);
        session.make(world, "/me/passkeys", &body).await?;
        ids.push(("passkey", newest(world, &session, "/me/passkeys").await?));
    }
    // A stranger's guess at a name: counted and entered.
    let guess = format!("guess-{}", marker.ascii);
    world.send(super::person::knock(&canary.console, &format!("nobody-{}", marker.ascii), &guess, None)).await?;
    through_the_door(world, canary, &desk, &marker).await?;

    let paths = [
        format!("/users/{}", person.id),
        format!("/roles/{role}"),
        format!("/sites/{site}"),
        format!("/address-rules/{}", ids.first().map_or("", |(_, id)| id)),
        format!("/tokens?user={service}"),
        format!("/applications/{}", app.id),
        format!("/signing-clients/{client}"),
        format!("/users/{provisioned}"),
        "/provisioning/groups".to_owned(),
        format!("/unique-ids?client={client}"),
        format!("/providers/{provider}"),
        format!("/signal-receivers/{receiver}"),
        format!("/relations?side={}", person.id),
        "/mail-domains".into(),
        format!("/identities?provider={outside}"),
    ];
    let mut read_back = Vec::new();
    for path in paths {
        read_back.push(desk.get(world, &path).await?);
    }
    ids.extend([
        ("account", person.id.clone()),
        ("role", role),
        ("grant", grant),
        ("site", site),
        ("session", session.id.clone()),
        ("API token", token_id),
        ("application", app.id.clone()),
        ("signing client", client),
        ("unique ID", unique),
        ("provisioned group", group),
        ("identity provider", provider),
        ("receiver of signals", receiver),
        ("relation", relation),
        ("mail domain", domain),
        ("outside identity", identity),
        ("consent", consent),
        ("SAML key", saml_key),
    ]);
    let secrets = vec![
        ("the account's password", person.password.clone()),
        ("a guessed password", guess),
        ("the session's token", session.token.clone()),
        ("the administrator's token", desk.token.clone()),
        ("the authenticator's secret", secret),
        ("the invitation link's token", link),
        ("the signing client's key", key),
        ("the API token", token),
        ("the identity provider's token", scim.token),
        ("our secret at the identity provider", secret_there),
        ("our token at the receiver of signals", secret_at_receiver),
        ("the application's secret", app.secret),
        ("the application's access token", held.access),
        ("the application's refresh token", held.refresh),
    ];
    let secrets = secrets.into_iter().filter(|(_, s)| s.len() >= 8).collect();
    Ok(Planted { marker, secrets, desk, admin, person, ids, read_back })
}

/// The id of what a list begins with.
async fn newest(world: &dyn World, session: &Session, path: &str) -> Result<String, Trouble> {
    let got = session.get(world, path).await?;
    let id = text(&got.json()["items"][0], "id");
    if id.is_empty() { Err(Trouble(format!("{path} lists nothing: {}", told(&got)))) } else { Ok(id) }
}

/// Somebody signs in by an identity provider: the provider's id and the link's.
async fn came_by_provider(world: &dyn World, desk: &Session, marker: &Marker) -> Result<(String, String), Trouble> {
    let provider = Provider::register(world, desk).await?;
    let mut browser = Browser::default();
    let leave = provider.leave(world, &mut browser).await?;
    let mut claims = provider.claims(world, &leave, &format!("sub-{}", marker.ascii))?;
    claims["name"] = json!(marker.both());
    claims["sid"] = json!(format!("sid-{}", marker.ascii));
    let got = provider.come_back(world, &mut browser, &leave, &provider.token(&claims)).await?;
    if session(&got).is_none() {
        return Err(Trouble(format!("the planted provider's answer was taken as {}", told(&got))));
    }
    let listed = desk.get(world, &format!("/identities?provider={}", provider.id)).await?.json();
    Ok((provider.id, text(&listed["items"][0], "id")))
}

async fn enrol(world: &dyn World, session: &Session, person: &Person) -> Result<String, Trouble> {
    let begun = session.make(world, "/me/factors", &json!({})).await?;
    let secret = text(&begun, "secret");
    let path = format!("/me/factors/{}/confirm", text(&begun, "id"));
    session.make(world, &path, &json!({"code": world.totp(&secret, 0)})).await?;
    session.make(world, "/me/recovery-codes", &json!({"password": person.password})).await?;
    Ok(secret)
}

/// The marker in path, query, header fields and body of requests to the application.
async fn through_the_door(world: &dyn World, canary: &Canary, desk: &Session, marker: &Marker) -> Result<(), Trouble> {
    let mut browser = Browser::default();
    browser.keep(&canary.console, "__Host-sekisho", &desk.token);
    browser.open(world, &canary.application, "/").await?;
    let path = format!("/orders/{0}?q={0}", marker.ascii);
    let ask = Ask::new("POST", &canary.application, &path).header("x-probe", marker.ascii.clone());
    let got = browser.send(world, ask.json(&json!({"order": marker.both()}))).await?;
    if !good(&got) {
        return Err(Trouble(format!("the application behind the door answered {}", told(&got))));
    }
    Ok(())
}

/// The tables in which the marker, or one of the secrets, was found in the unsealed records of a tenant.
pub fn kinds_holding<'p>(
    opened: impl IntoIterator<Item = (&'p str, &'p [u8])>,
    planted: &Planted,
) -> BTreeSet<&'p str> {
    let needles: Vec<&[u8]> = std::iter::once(planted.marker.ascii.as_bytes())
        .chain(planted.secrets.iter().map(|(_, s)| s.as_bytes()))
        .collect();
    let holds = |plain: &[u8]| needles.iter().any(|n| plain.windows(n.len()).any(|w| w == *n));
    opened.into_iter().filter(|(_, plain)| holds(plain)).map(|(table, _)| table).collect()
}

/// Lets jobs run that sequence, sign and write out what was just done.
///
/// # Errors
/// When the clock does not move.
pub async fn settle(world: &dyn World) -> Result<(), Trouble> {
    rehearsed(world)?.advance(Duration::from_secs(15)).await
}
