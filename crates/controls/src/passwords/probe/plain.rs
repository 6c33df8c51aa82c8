//! A sign-in over plain HTTP: refused before its body is read.

use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::World,
};
use serde_json::json;

use crate::probing::{Person, person::API, rehearsed};

const CLAUSE: &str = "plain-http-refused-before-body";

/// The head of a sign-in alone, then a whole one, over plain HTTP; and the same over TLS.
///
/// # Errors
/// When there is no plain listener or no answer.
pub async fn refused_before_body(world: &dyn World, finding: &mut Finding, person: &Person) -> Result<(), Trouble> {
    let plain: Vec<String> = rehearsed(world)?
        .listeners()
        .into_iter()
        .filter(|l| !l.tls && l.name != "forward-auth")
        .map(|l| l.name)
        .collect();
    let mut again = person.clone();
    again.again(world).await?;
    let over_tls = again.sign_in(world).await;
    finding.positive(
        CLAUSE,
        "the sign-in over TLS",
        "signed in",
        over_tls.as_ref().map_or_else(ToString::to_string, |_| "signed in".into()),
        over_tls.is_ok(),
    );
    if plain.is_empty() {
        return Err(Trouble("no plain listener is declared, so nothing could be refused there".into()));
    }
    for listener in plain {
        let body = json!({"name": person.name, "password": person.password}).to_string();
        let head = format!(
            "POST {API}/sign-in HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            person.console,
            body.len()
        );
        let early = world.raw(&listener, head.as_bytes()).await?;
        let line = first_line(&early);
        finding.forbidden(
            CLAUSE,
            format!("the head of a sign-in over plain HTTP to the listener {listener}, its body held back"),
            "refused at once, without waiting for the body",
            if early.is_empty() { "no answer: it waits for the body".into() } else { line.clone() },
            refusal(&line),
        );
        let whole = world.raw(&listener, format!("{head}{body}").as_bytes()).await?;
        let text = String::from_utf8_lossy(&whole).into_owned();
        finding.forbidden(
            CLAUSE,
            format!("the whole sign-in with the right password over plain HTTP to the listener {listener}"),
            "refused, no session",
            first_line(&whole),
            refusal(&first_line(&whole))
                && !text.contains("\"token\"")
                && !text.to_lowercase().contains("set-cookie: __host-sekisho="),
        );
    }
    Ok(())
}

fn first_line(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).lines().next().unwrap_or_default().to_owned()
}

/// A final status that is neither success nor an invitation to go on.
fn refusal(line: &str) -> bool {
    let status = line.split(' ').nth(1).and_then(|s| s.parse::<u16>().ok());
    status.is_some_and(|s| s >= 300)
}
