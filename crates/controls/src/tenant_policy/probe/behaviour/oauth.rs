//! What the settings of third-party applications do.

use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, World},
};

use super::Side;
use crate::probing::{
    browser::Browser,
    oauth::{App, asks, refused, verifier},
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
