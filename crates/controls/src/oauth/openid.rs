//! The parts of MOX-25's probe about requests that are pushed and people who sign in to an application.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::{Ask, World},
};
use serde_json::{Value, json};

use crate::probing::{
    Session,
    answer::{good, tally},
    browser::Browser,
    oauth::{App, REDIRECT, Tokens, as_app, asks, verifier},
    person::text,
    told,
};

const CLAUSE: &str = "code-with-pkce";

/// A person signs in to an application that must push what it asks for.
pub async fn signs_in(
    world: &dyn World,
    finding: &mut Finding,
    browser: &mut Browser,
    desk: &Session,
) -> Result<(), Trouble> {
    let new = json!({
        "name": world.marker("app"), "redirect_uris": [REDIRECT], "rights": ["users.read"], "confidential": true,
        "openid": true, "require_pushed_authorization_requests": true,
    });
    let app = App::register_as(world, desk, &new, "openid profile users.read", true).await?;
    let (secret, nonce) = (verifier(world), world.marker("n"));
    let asked = app.authorize(&secret, "xyz");
    let form = asked.split_once('?').map_or("", |(_, query)| query).replace(&format!("client_id={}&", app.id), "");
    let pushed = world.send(app.form("/oauth/par", &format!("{form}&nonce={nonce}"))).await?;
    let reference = text(&pushed.json(), "request_uri");
    let path = |client: &str| {
        let reference = reference.replace(':', "%3A");
        format!("/oauth/authorize?client_id={client}&request_uri={reference}")
    };
    let mut open =
        async |path: &str| browser.send(world, Ask::new("GET", &app.host, path).header("accept", "text/html")).await;
    let unpushed = open(&asked).await?;
    let stranger = App::register(world, desk, &["users.read"], true).await?;
    let foreign = open(&path(&stranger.id)).await?;
    let page = open(&path(&app.id)).await?;
    let back = app.decide(world, browser, &page, "allow").await?;
    let code = App::code(&back).unwrap_or_default();
    let got = world.send(app.exchange(&code, &secret)).await?;
    let tokens = Tokens::of(&got);
    let access = tokens.map(|t| t.access).unwrap_or_default();
    let keys = world.send(Ask::new("GET", &app.host, "/oauth/jwks")).await?.json();
    let claims = verified(&text(&got.json(), "id_token"), &keys).unwrap_or(Value::Null);
    let bearer =
        |token: &str| Ask::new("GET", &app.host, "/oauth/userinfo").header("authorization", format!("Bearer {token}"));
    let known = world.send(bearer(&access)).await?;
    let same = known.json()["sub"] == claims["sub"] && claims["sub"].is_string();
    let used = as_app(desk, &access).get(world, "/users").await?;
    finding.positive(
        CLAUSE,
        "an application pushes its request, the person consents, and it reads its ID token, the person's name and the users",
        "the token is for it, signed by a published key and carries its nonce; the name and the list come",
        format!(
            "pushed: {}; ID token verified: {}; for it: {}; its nonce: {}; userinfo: {}, the same person: {same}; list: {}",
            told(&pushed),
            !claims.is_null(),
            claims["aud"] == app.id.as_str(),
            claims["nonce"] == nonce.as_str(),
            told(&known),
            told(&used),
        ),
        claims["aud"] == app.id.as_str() && claims["nonce"] == nonce.as_str() && same && good(&used),
    );
    let again = browser.send(world, Ask::new("GET", &app.host, &path(&app.id)).header("accept", "text/html")).await?;
    let all = [unpushed, foreign, again];
    finding.forbidden(
        CLAUSE,
        "the same without pushing, the pushed request for another application, and the pushed request once more",
        "no consent page and no code",
        tally(&all),
        !all.iter().any(|a| asks(a) || App::code(a).is_some()),
    );
    let plain = stranger.tokens(world, browser).await?;
    let mut nobody = vec![world.send(bearer(&plain.access)).await?];
    nobody.push(world.send(bearer(&"A".repeat(43))).await?);
    nobody.push(world.send(Ask::new("GET", &app.host, "/oauth/userinfo")).await?);
    finding.forbidden(
        CLAUSE,
        "the person's name asked for by a token whose scope has no sign-in, by an invented one, and by none",
        "refused",
        tally(&nobody),
        !nobody.iter().any(good),
    );
    Ok(())
}

/// The claims of a token that a key of the set has signed.
fn verified(token: &str, keys: &Value) -> Option<Value> {
    let (message, tag) = token.rsplit_once('.')?;
    let (head, claims) = message.split_once('.')?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let head: Value = serde_json::from_slice(&bytes(head)?).ok()?;
    let key = keys["keys"].as_array()?.iter().find(|k| k["kid"] == head["kid"] && k["alg"] == head["alg"])?;
    let (n, e) = (bytes(key["n"].as_str()?)?, bytes(key["e"].as_str()?)?);
    let public = RsaPublicKeyComponents { n, e };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &bytes(tag)?).ok()?;
    serde_json::from_slice(&bytes(claims)?).ok()
}
