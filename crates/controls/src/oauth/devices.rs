//! The parts of MOX-25's probe about tokens that are bound to a key, and devices without a browser.

use std::time::Duration;

use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::json;

use crate::probing::{
    Session,
    answer::{good, tally},
    browser::Browser,
    dpop::Holder,
    oauth::{App, REDIRECT, TOKEN, Tokens, as_app, asks, verifier},
    person::{API, text},
    rehearsed, told,
};

const USERS: &str = "/api/v1/users";

/// A token that is bound to a key, used with it, and by whoever has stolen it.
pub async fn bound(
    world: &dyn World,
    finding: &mut Finding,
    browser: &mut Browser,
    desk: &Session,
) -> Result<(), Trouble> {
    let new = json!({
        "name": world.marker("app"), "redirect_uris": [REDIRECT], "rights": ["users.read"], "confidential": true,
        "dpop_bound_access_tokens": true,
    });
    let app = App::register_as(world, desk, &new, "users.read", true).await?;
    let (holder, thief) = (Holder::new(world, &app.host).await?, Holder::new(world, &app.host).await?);
    let secret = verifier(world);
    let page = app.open(world, browser, &secret).await?;
    let back = app.decide(world, browser, &page, "allow").await?;
    let code = App::code(&back).unwrap_or_default();
    let unbound = world.send(app.exchange(&code, &secret)).await?;
    let proof = holder.proof(world, "POST", TOKEN, None)?;
    let got = world.send(app.exchange(&code, &secret).header("dpop", proof)).await?;
    let tokens = Tokens::of(&got);
    let access = tokens.as_ref().map(|t| t.access.clone()).unwrap_or_default();
    let ask = |scheme: &str, proof: Option<String>| {
        let ask = Ask::new("GET", &app.host, USERS).header("authorization", format!("{scheme} {access}"));
        match proof {
            Some(proof) => ask.header("dpop", proof),
            None => ask,
        }
    };
    let proof = |holder: &Holder, method: &str, path: &str| holder.proof(world, method, path, Some(&access));
    let once = proof(&holder, "GET", USERS)?;
    let used = world.send(ask("DPoP", Some(once.clone()))).await?;
    finding.positive(
        "code-with-pkce",
        "an application binds its token to a key, and reads the users with a proof that it holds the key",
        "the token says that it is bound, and the list comes",
        format!("{} {}; list: {}", told(&got), got.json()["token_type"], told(&used)),
        got.json()["token_type"] == "DPoP" && good(&used),
    );
    let mut stolen: Vec<Answer> = vec![unbound];
    for ask in [
        ask("Bearer", None),
        ask("DPoP", None),
        ask("DPoP", Some(once.clone())),
        ask("DPoP", Some(once)).node(1),
        ask("DPoP", Some(proof(&thief, "GET", USERS)?)),
        ask("DPoP", Some(proof(&holder, "POST", USERS)?)),
        ask("DPoP", Some(proof(&holder, "GET", &format!("{API}/roles"))?)),
        ask("DPoP", Some(holder.proof(world, "GET", USERS, None)?)),
    ] {
        stolen.push(world.send(ask).await?);
    }
    let refresh = tokens.map(|t| t.refresh).unwrap_or_default();
    stolen.push(world.send(app.refresh(&refresh)).await?);
    finding.forbidden(
        "code-with-pkce",
        "the code without a proof; the token without its key, with another, with a proof that was used (at both nodes), that is for another method, address or token; its refresh token without a key",
        "refused, each of them",
        tally(&stolen),
        !stolen.iter().any(good),
    );
    Ok(())
}

fn hidden(page: &Answer, name: &str) -> Option<String> {
    let html = page.text();
    let rest = html.split(&format!("name=\"{name}\" value=\"")).nth(1)?;
    Some(rest.split('"').next()?.to_owned())
}

/// A device shows a code, a person types it in and decides.
pub async fn device(
    world: &dyn World,
    finding: &mut Finding,
    browser: &mut Browser,
    desk: &Session,
) -> Result<(), Trouble> {
    let new = json!({
        "name": world.marker("app"), "rights": ["users.read"], "confidential": true, "device_authorization": true,
    });
    let app = App::register_as(world, desk, &new, "users.read", true).await?;
    let started = world.send(app.form("/oauth/device_authorization", "scope=users.read")).await?;
    let (code, shown) = (text(&started.json(), "device_code"), text(&started.json(), "user_code"));
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let poll = || app.form(TOKEN, &format!("{grant}&device_code={code}"));
    let early = world.send(poll()).await?;
    let page = browser.send(world, Ask::new("GET", &app.host, "/device").header("accept", "text/html")).await?;
    let csrf = hidden(&page, "csrf").unwrap_or_default();
    let mut send = async |path: &str, fields: &str| {
        let mut ask = Ask::new("POST", &app.host, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html");
        ask.body = format!("csrf={csrf}&{fields}").into_bytes();
        browser.send(world, ask).await
    };
    let guessed = send("/device", "user_code=BBBB-BBBB").await?;
    let asked = send("/device", &format!("user_code={shown}")).await?;
    let request = hidden(&asked, "request").unwrap_or_default();
    send("/device/decide", &format!("request={request}&decision=allow")).await?;
    rehearsed(world)?.advance(Duration::from_secs(6)).await?;
    let got = world.send(poll()).await?;
    let access = Tokens::of(&got).map(|t| t.access).unwrap_or_default();
    let used = as_app(desk, &access).get(world, "/users").await?;
    finding.positive(
        "code-with-pkce",
        "a device shows a code, a person types it in and allows it, and the device reads the users",
        "the person is asked, the device gets a token and the list",
        format!("started: {}; asked: {}; token: {}; list: {}", told(&started), asks(&asked), told(&got), told(&used)),
        asks(&asked) && good(&used),
    );
    rehearsed(world)?.advance(Duration::from_secs(11)).await?;
    let again = world.send(poll()).await?;
    finding.forbidden(
        "code-with-pkce",
        "the device asks before the person has decided, and once more after; a code that nobody shows is typed in",
        "no token, and nobody is asked",
        format!("{}; asked: {}", tally(&[early.clone(), again.clone()]), asks(&guessed)),
        !good(&early) && !good(&again) && !asks(&guessed),
    );
    Ok(())
}
