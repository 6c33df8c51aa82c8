//! What the settings of third-party applications do.

use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, World},
};

use serde_json::json;

use super::Side;
use crate::probing::{
    answer::good,
    browser::Browser,
    oauth::{App, TOKEN, asks, refused, verifier},
    person::text,
    told,
};

/// An application sends a person without having pushed what it asks for.
pub async fn unpushed(world: &dyn World, side: &Side, admitted: bool) -> Result<Vec<(String, bool)>, Trouble> {
    let app = App::register(world, &side.desk, &["users.read"], true).await?;
    let mut browser = Browser::default();
    browser.keep(&app.host, "__Host-sekisho", &side.desk.token);
    let mut out = Vec::new();
    for node in [0, 1] {
        let path = app.authorize(&verifier(world), "s");
        let ask = Ask::new("GET", &app.host, &path).header("accept", "text/html").node(node);
        let got = browser.send(world, ask).await?;
        let asked = asks(&got);
        out.push((refused(&got).unwrap_or_else(|| told(&got)), asked == admitted));
    }
    Ok(out)
}

/// An application asks for a token that is bound to no key.
pub async fn unbound(world: &dyn World, side: &Side, admitted: bool) -> Result<Vec<(String, bool)>, Trouble> {
    let robot = json!({"name": world.marker("robot"), "type": "user", "service": true});
    let robot = text(&side.desk.make(world, "/users", &robot).await?, "id");
    let new = json!({
        "name": world.marker("app"), "rights": ["application.use"], "confidential": true, "account": robot,
    });
    let app = App::register_as(world, &side.desk, &new, "application.use", true).await?;
    let mut out = Vec::new();
    for node in [0, 1] {
        let got = world.send(app.form(TOKEN, "grant_type=client_credentials").node(node)).await?;
        out.push((told(&got), good(&got) == admitted));
    }
    Ok(out)
}
