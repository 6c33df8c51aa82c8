//! The ways in: a password, a second factor, an outside identity provider (IDO-36).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, Site, World},
};
use serde_json::{Value, json};

use super::IDO_36;
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    browser::Browser,
    person::{API, text},
    provider::{Leave, Provider, forged, session, unsigned},
    rehearsed, saml, told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(WaysIn), Box::new(super::saml::Federation)]
}

struct WaysIn;

#[async_trait]
impl Probe for WaysIn {
    fn spec(&self) -> &'static ClaimSpec {
        &IDO_36
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        password(world, finding, &desk, &admin).await?;
        multi_factor(world, finding, &desk, &admin).await?;
        let provider = Provider::register(world, &desk).await?;
        by_provider(world, finding, &provider, &desk).await?;
        forgeries(world, finding, &provider).await?;
        strangers(world, finding, &provider, &desk, &admin).await?;
        inside(world, finding, &desk).await?;
        let mut by_saml = saml::Provider::register(world, &desk).await?;
        super::saml::comes_in(world, finding, &by_saml, &desk, "saml").await?;
        super::saml::unsigned(world, finding, &by_saml, "saml").await?;
        super::saml::begun_elsewhere(world, finding, &mut by_saml, &desk, "saml").await?;
        Ok(())
    }
}

fn state(got: &Answer) -> String {
    text(&got.json(), "state")
}

async fn password(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<(), Trouble> {
    let mut person = desk.hire(world, like, "user", &Value::Null).await?;
    let wrong = world.send(person.knock("not the password")).await?;
    finding.forbidden(
        "password",
        "a person's name with a wrong password",
        "no session, and nothing further asked for",
        told(&wrong),
        !good(&wrong),
    );
    let me = person.sign_in(world).await?.get(world, "/me").await?;
    finding.positive(
        "password",
        "the right password, and what the policy asks for beside it",
        "signed in as that person",
        told(&me),
        good(&me) && text(&me.json()["user"], "id") == person.id,
    );
    Ok(())
}

async fn multi_factor(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<(), Trouble> {
    let mut person = desk.hire(world, like, "user", &Value::Null).await?;
    let first = person.sign_in(world).await?;
    if person.secret.is_none() {
        let begun = first.make(world, "/me/factors", &json!({})).await?;
        let secret = text(&begun, "secret");
        let code = world.totp(&secret, -1);
        let path = format!("/me/factors/{}/confirm", text(&begun, "id"));
        first.make(world, &path, &json!({"code": code})).await?;
        person.secret = Some(secret);
    }
    let alone = person.first_step(world, 0).await?;
    let challenge = text(&alone.json(), "challenge");
    let step = |code: &str| {
        let body = json!({"challenge": challenge, "code": code});
        Ask::new("POST", &person.console, &format!("{API}/sign-in/factor")).json(&body)
    };
    let wrong = world.send(step("000000")).await?;
    finding.forbidden(
        "multi-factor",
        "the password alone of a person with an authenticator app, then a wrong code",
        "no session",
        format!("{} {}; {}", alone.status, state(&alone), told(&wrong)),
        text(&alone.json(), "token").is_empty() && !good(&wrong),
    );
    person.again(world).await?;
    let me = person.sign_in(world).await?.get(world, "/me").await?;
    finding.positive(
        "multi-factor",
        "the password and a right code",
        "signed in as that person",
        told(&me),
        good(&me) && text(&me.json()["user"], "id") == person.id,
    );
    Ok(())
}

/// Whether an answer of the provider's began a session, in words.
pub(super) fn came(got: &Answer) -> String {
    match session(got) {
        Some(_) => format!("{}, a session", told(got)),
        None => format!("{}, no session", told(got)),
    }
}

async fn by_provider(
    world: &dyn World,
    finding: &mut Finding,
    provider: &Provider,
    desk: &Session,
) -> Result<(), Trouble> {
    let mut browser = Browser::default();
    let leave = provider.leave(world, &mut browser).await?;
    let subject = world.marker("subject");
    let token = provider.token(&provider.claims(world, &leave, &subject)?);
    let other = Browser::default().send(world, provider.answer(&leave, &provider.issuer())).await?;
    let mut mixed = browser.clone();
    let mixed = mixed.send(world, provider.answer(&leave, "https://other.example.test")).await?;
    finding.forbidden(
        "openid-connect",
        "the answer brought back by another browser, and in another issuer's name",
        "no session",
        format!("{}; {}", came(&other), came(&mixed)),
        session(&other).is_none() && session(&mixed).is_none(),
    );
    let got = provider.come_back(world, &mut browser, &leave, &token).await?;
    let token = session(&got).unwrap_or_default();
    let own = Session { token, ..desk.clone() };
    let me = own.get(world, "/me").await?;
    finding.positive(
        "openid-connect",
        "a person without an account goes to the identity provider from the sign-in page and comes back",
        "signed in, with an account of their own",
        format!("{}; then {}", came(&got), told(&me)),
        good(&me) && text(&me.json()["user"], "name") == subject,
    );
    let again = browser.send(world, provider.answer(&leave, &provider.issuer())).await?;
    finding.forbidden(
        "openid-connect",
        "the same answer a second time",
        "no session",
        came(&again),
        session(&again).is_none(),
    );
    let seen = rehearsed(world)?.sites_seen().await?;
    let exchange = seen.iter().find(|s| s.path == "/token").map(|s| String::from_utf8_lossy(&s.body).into_owned());
    let exchange = exchange.unwrap_or_default();
    finding.positive(
        "openid-connect",
        "what the provider received for the code",
        "the code with its verifier (PKCE)",
        if exchange.contains("code_verifier=") { "both" } else { "no verifier" },
        exchange.contains("code=the-code") && exchange.contains("code_verifier="),
    );
    Ok(())
}

async fn forgeries(world: &dyn World, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    type Make = fn(&Provider, Value) -> Result<String, Trouble>;
    fn with(provider: &Provider, mut claims: Value, name: &str, value: Value) -> Result<String, Trouble> {
        claims[name] = value;
        Ok(provider.token(&claims))
    }
    let shapes: [(&str, Make); 9] = [
        ("signed by a stranger under the provider's key id", |_, c| forged(&c)),
        ("without a signature (alg none)", |_, c| Ok(unsigned(&c))),
        ("that calls its signature HS256", |p, c| Ok(p.sign(&json!({"alg": "HS256", "kid": "probe"}), &c))),
        ("of another issuer", |p, c| with(p, c, "iss", json!("https://other.example.test"))),
        ("for another client", |p, c| with(p, c, "aud", json!("other"))),
        ("for others too", |p, c| with(p, c, "aud", json!(["sekisho-probe", "other"]))),
        ("with another nonce", |p, c| with(p, c, "nonce", json!("other"))),
        ("that has run out", |p, mut c| {
            c["iat"] = json!(c["iat"].as_i64().unwrap_or(0) - 7_200);
            let at = c["iat"].as_i64().unwrap_or(0) + 300;
            with(p, c, "exp", json!(at))
        }),
        ("of the future", |p, mut c| {
            c["exp"] = json!(c["exp"].as_i64().unwrap_or(0) + 7_200);
            let at = c["iat"].as_i64().unwrap_or(0) + 3_600;
            with(p, c, "iat", json!(at))
        }),
    ];
    let mut through = Vec::new();
    let mut answers = Vec::new();
    for (what, make) in shapes {
        let mut browser = Browser::default();
        let leave = provider.leave(world, &mut browser).await?;
        let token = make(provider, provider.claims(world, &leave, &world.marker("forged"))?)?;
        let got = provider.come_back(world, &mut browser, &leave, &token).await?;
        if session(&got).is_some() {
            through.push(what);
        }
        answers.push(got);
    }
    finding.forbidden(
        "openid-connect",
        format!("{} identity tokens that are not the provider's, not for us or not for now", answers.len()),
        "none signs anybody in",
        if through.is_empty() { tally(&answers) } else { format!("signed in: a token {}", through.join("; ")) },
        through.is_empty(),
    );
    Ok(())
}

/// One way there and back in a fresh browser.
async fn round(
    world: &dyn World,
    provider: &Provider,
    said: impl Fn(&Leave) -> Result<Value, Trouble>,
) -> Result<Answer, Trouble> {
    let mut browser = Browser::default();
    let leave = provider.leave(world, &mut browser).await?;
    let token = provider.token(&said(&leave)?);
    provider.come_back(world, &mut browser, &leave, &token).await
}

/// Nobody becomes somebody else by a name or a mail address, and no domain leads anywhere unproven.
async fn strangers(
    world: &dyn World,
    finding: &mut Finding,
    provider: &Provider,
    desk: &Session,
    like: &Person,
) -> Result<(), Trouble> {
    let victim = desk.hire(world, like, "administrator", &Value::Null).await?;
    let named = round(world, provider, |leave| {
        let mut claims = provider.claims(world, leave, &world.marker("thief"))?;
        claims["preferred_username"] = json!(victim.name);
        Ok(claims)
    });
    let named = named.await?;
    let mailed = round(world, provider, |leave| {
        let mut claims = provider.claims(world, leave, &world.marker("thief"))?;
        claims["email"] = json!(format!("{}@example.test", victim.name));
        Ok(claims)
    });
    let mailed = mailed.await?;
    let own = Session { token: session(&mailed).unwrap_or_default(), ..desk.clone() };
    let who = text(&own.get(world, "/me").await?.json()["user"], "id");
    finding.forbidden(
        "openid-connect",
        "the provider vouches for a stranger with an administrator's name, then with their mail address",
        "neither becomes that administrator",
        format!("{}; {}", came(&named), came(&mailed)),
        session(&named).is_none() && who != victim.id,
    );
    let domain = format!("{}.test", world.marker("mail"));
    let made = desk.make(world, "/mail-domains", &json!({"domain": domain, "provider": provider.id})).await?;
    let path = format!("/mail-domains/{}/verify", text(&made, "id"));
    let before = (desk.post(world, &path, &json!({})).await?, by_mail(world, provider, &domain).await?);
    let texts = vec![text(&made, "record_value")];
    let site = Site { host: text(&made, "record_name"), texts, ..Site::default() };
    rehearsed(world)?.stage_site(site).await?;
    let after = (desk.post(world, &path, &json!({})).await?, by_mail(world, provider, &domain).await?);
    finding.forbidden(
        "openid-connect",
        "a mail domain leads to the provider before control of it is proven",
        "it cannot be verified, and leads nowhere",
        format!("{}; {}", told(&before.0), told(&before.1)),
        !good(&before.0) && !good(&before.1),
    );
    finding.positive(
        "openid-connect",
        "the same once the DNS record is there",
        "verified, and it leads to the provider",
        format!("{}; {}", told(&after.0), told(&after.1)),
        good(&after.0) && good(&after.1) && after.1.contains(&provider.host),
    );
    Ok(())
}

/// Somebody enters a mail address of the domain on the sign-in page.
async fn by_mail(world: &dyn World, provider: &Provider, domain: &str) -> Result<Answer, Trouble> {
    let mut browser = Browser::default();
    let page =
        browser.send(world, Ask::new("GET", &provider.console, "/sign-in").header("accept", "text/html")).await?;
    let csrf = crate::probing::provider::hidden(&page, "csrf").unwrap_or_default();
    let mut ask = Ask::new("POST", &provider.console, "/sign-in/mail")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html");
    ask.body = format!("csrf={csrf}&mail=hanako%40{domain}").into_bytes();
    browser.send(world, ask).await
}

/// Addresses that tenants give lead outside only.
async fn inside(world: &dyn World, finding: &mut Finding, desk: &Session) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    instance.sites_seen().await?;
    let mut said = Vec::new();
    let mut through = false;
    for address in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "::ffff:192.168.0.1", "fd00::1"] {
        let host = format!("{}.example.test", world.marker("inside"));
        let address = address.parse().map_err(|e| Trouble::of("an address", e))?;
        // One address outside beside it: a name is refused for any that is inside.
        let outside = "198.51.101.99".parse().map_err(|e| Trouble::of("an address", e))?;
        instance.stage_site(Site { host: host.clone(), addresses: vec![outside, address], ..Site::default() }).await?;
        let new = json!({"name": world.marker("idp"), "issuer": format!("https://{host}"), "client_id": "x"});
        let id = text(&desk.make(world, "/providers", &new).await?, "id");
        let got = desk.post(world, &format!("/providers/{id}/test"), &json!({})).await?;
        through |= !got.contains("is not public");
        said.push(format!("{}", got.json()["good"]));
        desk.delete(world, &format!("/providers/{id}")).await?;
    }
    let seen = instance.sites_seen().await?;
    finding.forbidden(
        "openid-connect",
        format!("{} providers whose names lead to addresses inside", said.len()),
        "nobody is connected to, and the administrator is told why",
        format!("{} requests went out; told why each time: {}", seen.len(), !through),
        seen.is_empty() && !through,
    );
    Ok(())
}
