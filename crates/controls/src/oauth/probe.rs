//! An application acts for a person: with a code and PKCE, within its scope, with consent, and no longer (MOX-25, MOX-31).

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    Right,
    access::UserType,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::json;

use super::{ACCESS, MOX_25, MOX_31, devices, openid};
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    browser::Browser,
    in_force,
    oauth::{App, REDIRECT, TOKEN, Tokens, as_app, asks, refused, verifier},
    operations::operations,
    person::API,
    rehearsed,
    rights::Scenery,
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(ActsForAPerson), Box::new(WithConsent)]
}

struct ActsForAPerson;
struct WithConsent;

/// An administrator whose browser is signed in: what an application may do is the scope's doing alone.
async fn person(world: &dyn World) -> Result<(Session, Browser, Person), Trouble> {
    let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
    let mut admin = Person::admin(canary);
    let desk = admin.sign_in(world).await?;
    let mut browser = Browser::default();
    browser.keep(&admin.console, "__Host-sekisho", &desk.token);
    Ok((desk, browser, admin))
}

#[async_trait]
impl Probe for ActsForAPerson {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_25
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let (desk, mut browser, admin) = person(world).await?;
        let app = App::register(world, &desk, &["users.read", "sites.read"], true).await?;
        code_with_pkce(world, finding, &app, &mut browser, &desk).await?;
        openid::signs_in(world, finding, &mut browser, &desk).await?;
        devices::bound(world, finding, &mut browser, &desk).await?;
        devices::device(world, finding, &mut browser, &desk).await?;
        refresh(world, finding, &app, &mut browser, &desk).await?;
        let revoked = revocation(world, finding, &app, &mut browser, &desk).await?;
        let narrow = App::register(world, &desk, &["application.use"], true).await?;
        let narrow = narrow.tokens(world, &mut browser).await?;
        narrower(world, finding, &desk, &admin, &narrow).await?;
        let expired = app.tokens(world, &mut browser).await?;
        rehearsed(world)?.advance(in_force(world).span(&ACCESS) + Duration::from_secs(1)).await?;
        sweep(world, finding, &desk, "missing-refused", "no token", None, &[401]).await?;
        let late = Some(expired.access.as_str());
        sweep(world, finding, &desk, "expired-refused", "a token a second past its end", late, &[401]).await?;
        let gone = Some(revoked.as_str());
        sweep(world, finding, &desk, "revoked-refused", "a revoked token", gone, &[401]).await
    }
}

async fn code_with_pkce(
    world: &dyn World,
    finding: &mut Finding,
    app: &App,
    browser: &mut Browser,
    desk: &Session,
) -> Result<(), Trouble> {
    let secret = verifier(world);
    let page = app.open(world, browser, &secret).await?;
    let back = app.decide(world, browser, &page, "allow").await?;
    let code = App::code(&back).unwrap_or_default();
    let mut wrong = Vec::new();
    for ask in [
        app.exchange(&code, &verifier(world)),
        app.exchange(&code, ""),
        App { secret: "A".repeat(43), ..app.clone() }.exchange(&code, &secret),
        App::register(world, desk, &["users.read"], true).await?.exchange(&code, &secret),
    ] {
        wrong.push(world.send(ask).await?);
    }
    let got = world.send(app.exchange(&code, &secret)).await?;
    let tokens = Tokens::of(&got);
    let access = tokens.as_ref().map(|t| t.access.clone()).unwrap_or_default();
    let used = as_app(desk, &access).get(world, "/users").await?;
    finding.positive(
        "code-with-pkce",
        "a person consents; the application brings the code with its verifier and reads the users",
        "it gets a token and the list",
        format!("consent page: {}; token: {}; list: {}", asks(&page), told(&got), told(&used)),
        asks(&page) && tokens.is_some() && good(&used),
    );
    finding.forbidden(
        "code-with-pkce",
        "the same code with another verifier, none, a wrong secret, and by another application",
        "refused",
        tally(&wrong),
        !wrong.iter().any(good),
    );
    let again = world.send(app.exchange(&code, &secret)).await?;
    let after = as_app(desk, &access).get(world, "/users").await?;
    finding.forbidden(
        "code-with-pkce",
        "the code a second time, then the token that it gave",
        "refused, and what it gave is worth nothing any more",
        format!("{}; then {}", told(&again), told(&after)),
        !good(&again) && !good(&after),
    );
    let plain = app.authorize(&secret, "s").replace("S256", "plain");
    let without = plain.split("&code_challenge").next().unwrap_or_default().to_owned();
    let mut downgraded = Vec::new();
    for path in [plain, without] {
        let got = browser.send(world, Ask::new("GET", &app.host, &path).header("accept", "text/html")).await?;
        downgraded.push((App::code(&got).is_some() || asks(&got), refused(&got).unwrap_or_else(|| told(&got))));
    }
    finding.forbidden(
        "code-with-pkce",
        "authorisation without a challenge, or with the method plain",
        "refused",
        downgraded.iter().map(|(_, w)| w.as_str()).collect::<Vec<_>>().join(", "),
        !downgraded.iter().any(|(done, _)| *done),
    );
    Ok(())
}

async fn refresh(
    world: &dyn World,
    finding: &mut Finding,
    app: &App,
    browser: &mut Browser,
    desk: &Session,
) -> Result<(), Trouble> {
    let first = app.tokens(world, browser).await?;
    let got = world.send(app.refresh(&first.refresh)).await?;
    let second = Tokens::of(&got).unwrap_or_else(|| first.clone());
    let old = as_app(desk, &first.access).get(world, "/users").await?;
    let new = as_app(desk, &second.access).at(1).get(world, "/users").await?;
    finding.positive(
        "refresh-rotates",
        "a refresh token is used, and the token that it gives, at the other node",
        "new tokens, and they work",
        format!("{}; {}", told(&got), told(&new)),
        good(&got) && second.refresh != first.refresh && good(&new),
    );
    let replay = world.send(app.refresh(&first.refresh).node(1)).await?;
    let after =
        [as_app(desk, &second.access).get(world, "/users").await?, world.send(app.refresh(&second.refresh)).await?];
    finding.forbidden(
        "refresh-rotates",
        "the old access token; the old refresh token again; then what the family holds",
        "refused, and the whole family with it",
        format!("{}; {}; {}", told(&old), told(&replay), tally(&after)),
        !good(&old) && !good(&replay) && !after.iter().any(good),
    );
    Ok(())
}

async fn revocation(
    world: &dyn World,
    finding: &mut Finding,
    app: &App,
    browser: &mut Browser,
    desk: &Session,
) -> Result<String, Trouble> {
    let tokens = app.tokens(world, browser).await?;
    let before = as_app(desk, &tokens.access).get(world, "/users").await?;
    let active = world.send(app.form("/oauth/introspect", &format!("token={}", tokens.access))).await?;
    let stranger = App::register(world, desk, &["users.read"], true).await?;
    let foreign = world.send(stranger.form("/oauth/introspect", &format!("token={}", tokens.access))).await?;
    let revoked = world.send(app.form("/oauth/revoke", &format!("token={}", tokens.refresh))).await?;
    finding.positive(
        "revocation-ends",
        "a token is used, introspected and its family revoked",
        "good, active, done",
        format!("{}; active: {}; {}", told(&before), active.json()["active"], told(&revoked)),
        good(&before) && active.json()["active"] == true && good(&revoked),
    );
    let after = [
        as_app(desk, &tokens.access).get(world, "/users").await?,
        as_app(desk, &tokens.access).at(1).get(world, "/users").await?,
        world.send(app.refresh(&tokens.refresh)).await?,
    ];
    let inactive = world.send(app.form("/oauth/introspect", &format!("token={}", tokens.access))).await?;
    finding.forbidden(
        "revocation-ends",
        "access and refresh token after that, at both nodes; introspection, also by another application before",
        "refused; not active",
        format!("{}; active: {}, for another: {}", tally(&after), inactive.json()["active"], foreign.json()["active"]),
        !after.iter().any(good) && inactive.json()["active"] == false && foreign.json()["active"] == false,
    );
    Ok(tokens.access)
}

/// Each right's own request, by a token whose scope has it not; and every operation there is.
async fn narrower(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    admin: &Person,
    tokens: &Tokens,
) -> Result<(), Trouble> {
    let scenery = Scenery::set(world, desk, admin).await?;
    let app = as_app(desk, &tokens.access);
    let mut answers = Vec::new();
    for right in UserType::Administrator.rights().iter().filter(|r| *r != Right::APPLICATION_USE) {
        answers.push(world.send(scenery.request(world, &app, right).await?).await?);
    }
    finding.forbidden(
        "narrower-refused",
        format!("{} requests, one for each right that the person has and the scope has not", answers.len()),
        "403, each of them",
        tally(&answers),
        answers.iter().all(|a| a.status == 403),
    );
    sweep(
        world,
        finding,
        desk,
        "narrower-refused",
        "a token of another scope",
        Some(&tokens.access),
        &[400, 403, 404, 428],
    )
    .await
}

/// Every operation of the document but the ways in, with a token in the session's place.
async fn sweep(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    clause: &str,
    what: &str,
    token: Option<&str>,
    wanted: &[u16],
) -> Result<(), Trouble> {
    let all = operations(world, &desk.host).await?;
    let (mut answers, mut through) = (Vec::new(), Vec::new());
    for operation in &all {
        let public =
            operation.path.starts_with("/sign-in") || matches!(operation.path.as_str(), "/links/use" | "/openapi.json");
        // With any token a program learns whose it is.
        let own = operation.name() == "GET /me" && wanted.contains(&403);
        if public || own {
            continue;
        }
        let path = operation.filled("usr_0198c2b4000070008000000000000000");
        let mut ask = Ask::new(&operation.method, &desk.host, &format!("{API}{path}"));
        if operation.method != "GET" {
            ask = ask.json(&json!({}));
        }
        if let Some(token) = token {
            ask = ask.header("authorization", format!("Bearer {token}"));
        }
        let got = world.send(ask).await?;
        if !wanted.contains(&got.status) {
            through.push(format!("{}: {}", operation.name(), told(&got)));
        }
        answers.push(got);
    }
    finding.forbidden(
        clause,
        format!("{} operations of the API's document with {what}", answers.len()),
        "none is done",
        if through.is_empty() { tally(&answers) } else { through.join("; ") },
        through.is_empty() && answers.len() > 40,
    );
    Ok(())
}

#[async_trait]
impl Probe for WithConsent {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_31
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let (desk, mut browser, _) = person(world).await?;
        without(world, finding, &desk, &mut browser).await?;
        addresses(world, finding, &desk).await?;
        let listed = operations(world, &desk.host).await?;
        if listed.iter().any(|o| o.path.contains("webhook")) {
            finding.error("webhook-is-https-on-443", "a webhook's address", "there are webhooks that are not tried");
        } else {
            finding.absent("webhook-is-https-on-443", "an operation of the API that takes a webhook's address");
        }
        Ok(())
    }
}

async fn without(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    browser: &mut Browser,
) -> Result<(), Trouble> {
    let app = App::register(world, desk, &["users.read"], true).await?;
    let secret = verifier(world);
    let asked = app.open(world, browser, &secret).await?;
    let denied = match asks(&asked) {
        true => app.decide(world, browser, &asked, "deny").await?,
        false => asked.clone(),
    };
    finding.forbidden(
        "no-token-without-consent",
        "an approved application sends a person here who has not consented; then the person says no",
        "the person is asked, and no code goes back",
        format!("asked: {}; a code: {}", asks(&asked), App::code(&denied).is_some()),
        asks(&asked) && App::code(&asked).is_none() && App::code(&denied).is_none(),
    );
    let tokens = app.tokens(world, browser).await?;
    let used = as_app(desk, &tokens.access).get(world, "/users").await?;
    let listed = desk.get(world, "/me/applications").await?;
    finding.positive(
        "no-token-without-consent",
        "the person consents, the application uses its token",
        "it works",
        told(&used),
        good(&used),
    );
    finding.forbidden(
        "no-token-without-consent",
        "while the token works, the person lists who acts for them",
        "the consent is on record",
        format!("{}, the application listed: {}", told(&listed), listed.contains(&app.id)),
        listed.contains(&app.id),
    );
    let id = listed.json()["items"].as_array().and_then(|all| {
        let own = all.iter().find(|c| c["application"] == app.id.as_str())?;
        own["id"].as_str().map(str::to_owned)
    });
    let withdrawn = desk.delete(world, &format!("/me/applications/{}", id.unwrap_or_default())).await?;
    let mut after = vec![as_app(desk, &tokens.access).get(world, "/users").await?];
    after.push(world.send(app.refresh(&tokens.refresh)).await?);
    let again = app.open(world, browser, &secret).await?;
    finding.forbidden(
        "no-token-without-consent",
        format!(
            "the consent is withdrawn ({}); its tokens are used, and the application sends the person again",
            told(&withdrawn)
        ),
        "refused, and the person is asked anew",
        format!("{}; asked: {}", tally(&after), asks(&again)),
        good(&withdrawn) && !after.iter().any(good) && App::code(&again).is_none() && asks(&again),
    );
    let pending = App::register(world, desk, &["users.read"], false).await?;
    let early = pending.open(world, browser, &secret).await?;
    let machine = world.send(pending.form(TOKEN, "grant_type=client_credentials")).await?;
    finding.forbidden(
        "no-token-without-consent",
        "an application that no administrator has approved sends a person, and asks for a token itself",
        "refused",
        format!("{}; {}", told(&early), told(&machine)),
        !asks(&early) && App::code(&early).is_none() && !good(&machine),
    );
    Ok(())
}

async fn addresses(world: &dyn World, finding: &mut Finding, desk: &Session) -> Result<(), Trouble> {
    let register = async |address: &str| -> Result<Answer, Trouble> {
        let new = json!({"name": world.marker("app"), "redirect_uris": [address], "rights": ["users.read"]});
        desk.post(world, "/applications", &new).await
    };
    let kept = register(REDIRECT).await?;
    finding.positive(
        "redirect-is-https-on-443",
        format!("an application with the address {REDIRECT}"),
        "registered",
        told(&kept),
        good(&kept),
    );
    let mut answers = Vec::new();
    let bad = [
        "http://app.example.test/callback",
        "https://app.example.test:8443/callback",
        "https://app.example.test:80/callback",
        "https://user@app.example.test/callback",
        "https://app.example.test/callback#part",
        "https://192.0.2.1/callback",
        "ftp://app.example.test/callback",
        "app:/callback",
    ];
    for address in bad {
        answers.push(register(address).await?);
    }
    finding.forbidden(
        "redirect-is-https-on-443",
        format!("{} addresses that are not https on port 443 with a host name", bad.len()),
        "refused",
        tally(&answers),
        !answers.iter().any(good),
    );
    let app = App::register(world, desk, &["users.read"], true).await?;
    let mut browser = Browser::default();
    browser.keep(&app.host, "__Host-sekisho", &desk.token);
    let path = app.authorize(&verifier(world), "s");
    let mut turned = Vec::new();
    for other in [
        "https%3A%2F%2Fevil.example.test%2Fcallback",
        "https%3A%2F%2Fapp.example.test%2Fcallback%2F..%2Fx",
        "https%3A%2F%2Fapp.example.test%3A443%2Fcallback",
    ] {
        let other = path.replace("https%3A%2F%2Fapp.example.test%2Fcallback", other);
        turned.push(browser.send(world, Ask::new("GET", &app.host, &other).header("accept", "text/html")).await?);
    }
    finding.forbidden(
        "redirect-is-https-on-443",
        "the application names another address than the registered one, to the letter",
        "no page and no way back",
        tally(&turned),
        turned.iter().all(|a| a.status >= 400 && a.header("location").is_none()),
    );
    Ok(())
}
