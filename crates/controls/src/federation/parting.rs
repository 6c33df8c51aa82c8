//! A SAML provider ends the sessions that it names, and our certificate towards it rolls over (MOX-26).

use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::World,
};
use serde_json::json;

use super::probe::came;
use crate::probing::{
    Session,
    answer::good,
    browser::Browser,
    person::text,
    provider::session,
    saml::{Pen, Provider, Said},
    told,
};

/// Somebody signs in at the provider; what it said of them.
async fn comes(
    world: &dyn World,
    provider: &Provider,
    desk: &Session,
    subject: &str,
) -> Result<(Session, Said), Trouble> {
    let mut browser = Browser::default();
    let leave = provider.leave(world, &mut browser).await?;
    let said = provider.said(world, Some(&leave), subject)?;
    let got = provider.bring(world, &mut browser, &provider.answer(&said)?, &leave.state).await?;
    let token = session(&got).ok_or_else(|| Trouble(format!("the provider's answer: {}", told(&got))))?;
    Ok((Session { token, ..desk.clone() }, said))
}

/// On how many of two nodes a session is one.
async fn alive(world: &dyn World, session: &Session) -> Result<usize, Trouble> {
    let mut nodes = 0;
    for node in [0, 1] {
        nodes += usize::from(good(&Session { node, ..session.clone() }.get(world, "/me").await?));
    }
    Ok(nodes)
}

/// Logout requests end what the provider itself has named, and nothing else.
pub(super) async fn ended(
    world: &dyn World,
    finding: &mut Finding,
    provider: &Provider,
    desk: &Session,
) -> Result<(), Trouble> {
    let subject = world.marker("subject");
    let (first, said) = comes(world, provider, desk, &subject).await?;
    let (second, _) = comes(world, provider, desk, &subject).await?;
    let wish = provider.farewell(world, &said)?;
    let plain = provider.part(world, &wish.text).await?;
    let theirs = provider.part(world, &Pen::new()?.sign(&wish.id, &wish.text)?).await?;
    let before = alive(world, &first).await?;
    finding.forbidden(
        "unsigned",
        "a logout request without a signature, and one that a stranger has signed, whose certificate it brings along",
        "the session goes on at both nodes",
        format!("{}; {}; it goes on at {before}", told(&plain), told(&theirs)),
        before == 2,
    );
    let signed = provider.pen.sign(&wish.id, &wish.text)?;
    let got = provider.part(world, &signed).await?;
    let (gone, left) = (alive(world, &first).await?, alive(world, &second).await?);
    finding.positive(
        "sign-in",
        "the provider's own request to end one of a person's two sessions",
        "it has ended at both nodes, and the other goes on",
        format!("{}; the one goes on at {gone} nodes, the other at {left}", told(&got)),
        gone == 0 && left == 2,
    );
    let again = provider.part(world, &signed).await?;
    finding.forbidden(
        "replayed",
        "the same logout request a second time",
        "refused",
        told(&again),
        again.status >= 400,
    );
    Ok(())
}

/// Our key rolls over: what is encrypted to the one before is understood until it is retired.
pub(super) async fn rolled_over(
    world: &dyn World,
    finding: &mut Finding,
    provider: &Provider,
    desk: &Session,
) -> Result<(), Trouble> {
    let known = desk.need(world, desk.ask("GET", "/saml-keys")).await?;
    let current = known["items"].as_array().into_iter().flatten().find(|k| text(k, "stage") == "current");
    let before =
        current.map(|k| text(k, "id")).ok_or_else(|| Trouble("there is no key towards SAML providers".into()))?;
    let next = text(&desk.make(world, "/saml-keys", &json!({})).await?, "id");
    desk.need(world, desk.ask("POST", &format!("/saml-keys/{next}/switch")).json(&json!({}))).await?;
    let sealed = async || {
        let mut browser = Browser::default();
        let leave = provider.leave(world, &mut browser).await?;
        let said = provider.said(world, Some(&leave), &world.marker("saml"))?;
        provider.bring(world, &mut browser, &provider.sealed_answer(&said)?, &leave.state).await
    };
    let switched = sealed().await?;
    finding.positive(
        "sign-in",
        "an answer encrypted to the service's earlier certificate, after the next one was taken into use",
        "a session",
        came(&switched),
        session(&switched).is_some(),
    );
    desk.delete(world, &format!("/saml-keys/{before}")).await?;
    let retired = sealed().await?;
    finding.forbidden(
        "expired",
        "the same once the administrator has retired that certificate",
        "no session",
        came(&retired),
        session(&retired).is_none(),
    );
    Ok(())
}
