//! Somebody who has not accepted the version in force reaches nothing but the question (NM-35).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::json;

use super::{NM_35, VERSION};
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    browser::Browser,
    history, in_force,
    person::{API, text},
    rehearsed, told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(Asked)]
}

struct Asked;

/// What a person who has not accepted is refused with.
const DUE: &str = "terms-due";

fn refused(answer: &Answer) -> bool {
    answer.status == 403 && answer.contains(DUE)
}

/// Everything that somebody who is signed in could go on to: API, pages, the application, on every node.
async fn onward(world: &dyn World, session: &Session) -> Result<Vec<Answer>, Trouble> {
    let mut out = Vec::new();
    for node in 0..2 {
        let here = session.at(node);
        for path in ["/me", "/me/sessions", "/users", "/history?limit=1", "/policy"] {
            out.push(here.get(world, path).await?);
        }
        out.push(here.post(world, "/users", &json!({"name": world.marker("made"), "type": "user"})).await?);
    }
    Ok(out)
}

/// The pages, as a browser with the session's cookie asks for them.
async fn pages(world: &dyn World, session: &Session) -> Result<Vec<Answer>, Trouble> {
    let mut out = Vec::new();
    for path in ["/", "/account", "/users", "/history"] {
        let ask = Ask::new("GET", &session.host, path).header("cookie", format!("__Host-sekisho={}", session.token));
        out.push(world.send(ask).await?);
    }
    Ok(out)
}

#[async_trait]
impl Probe for Asked {
    fn spec(&self) -> &'static ClaimSpec {
        &NM_35
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let operator = rehearsed(world)?;
        finding.missing(
            "record",
            "how data is handled under the terms is for people to attest; there is no record of attestations yet",
        );
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let before = in_force(world).str(&VERSION);
        let (first, second) = (world.marker("terms"), world.marker("newer"));
        operator.operator_sets(VERSION.key, &json!(first)).await?;
        let outcome = asked(world, finding, &desk, &admin, &first).await;
        let outcome = match outcome {
            // Nobody is asked: there is nothing to accept, and nothing more to see.
            Ok(None) => Ok(()),
            Ok(Some(person)) => {
                operator.operator_sets(VERSION.key, &json!(second)).await?;
                anew(world, finding, &desk, &person, &second).await
            }
            Err(trouble) => Err(trouble),
        };
        operator.operator_sets(VERSION.key, &json!(before)).await?;
        outcome
    }
}

/// A version comes into force: nobody goes on without accepting it, whoever accepts does.
async fn asked(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    admin: &Person,
    version: &str,
) -> Result<Option<Session>, Trouble> {
    let clause = "asked-before-going-on";
    let seen = onward(world, desk).await?;
    finding.forbidden(
        clause,
        format!(
            "version {version} comes into force; a session of before goes on to {} things at two nodes",
            seen.len()
        ),
        "refused until accepted",
        tally(&seen),
        seen.iter().all(refused),
    );
    let mut newly = admin.clone();
    newly.again(world).await?;
    let fresh = newly.sign_in(world).await?;
    let seen = onward(world, &fresh).await?;
    finding.forbidden(
        clause,
        "the same by somebody who signs in after it",
        "refused until accepted",
        tally(&seen),
        seen.iter().all(refused),
    );
    let shown = pages(world, &fresh).await?;
    finding.forbidden(
        clause,
        "the pages in a browser",
        "sent to the question",
        tally(&shown),
        shown.iter().all(|a| a.status == 303 && a.header("location") == Some("/terms")),
    );
    if !seen.iter().any(refused) {
        return Ok(None);
    }
    let other = fresh.post(world, "/me/terms", &json!({"accept": "another"})).await?;
    let after = fresh.get(world, "/me").await?;
    finding.forbidden(
        clause,
        "another version than the one in force is accepted",
        "refused, and nothing opened",
        format!("{}, then {}", told(&other), told(&after)),
        other.status == 409 && refused(&after),
    );
    newly.again(world).await?;
    let mut browser = Browser::from(newly.peer);
    browser.sign_in(world, &mut newly).await?;
    let visit = browser.open(world, &newly.application, "/").await?;
    finding.forbidden(
        clause,
        "a browser opens the application through the door",
        "led to the question",
        visit.told(),
        visit.host == newly.console && visit.path == "/terms" && good(&visit.answer),
    );
    let question = fresh.get(world, "/me/terms").await?;
    let accepted = fresh.post(world, "/me/terms", &json!({"accept": version})).await?;
    let opened = fresh.get(world, "/me").await?;
    let elsewhere = desk.at(1).get(world, "/me").await?;
    finding.positive(
        "accepted-goes-on",
        "the person reads which version is asked for, accepts it and goes on, in every session and at both nodes",
        "let through",
        tally([&question, &accepted, &opened, &elsewhere]),
        text(&question.json(), "version") == version && good(&accepted) && good(&opened) && good(&elsewhere),
    );
    let visit = browser.open(world, &newly.application, "/").await?;
    finding.positive(
        "accepted-goes-on",
        "the browser opens the application again",
        "led in",
        visit.told(),
        visit.host == newly.application && good(&visit.answer),
    );
    on_record(world, finding, &fresh, version).await?;
    Ok(Some(fresh))
}

/// Who has accepted which version is in the log and with the account.
async fn on_record(world: &dyn World, finding: &mut Finding, session: &Session, version: &str) -> Result<(), Trouble> {
    let entries = history::entries(world, session, "action=terms.accept").await?;
    let entry = entries
        .iter()
        .find(|e| e.outcome() == "success" && e.actor().contains(&session.user) && e.0.to_string().contains(version));
    let account = session.get(world, &format!("/users/{}", session.user)).await?;
    let kept = text(account.json().get("terms").unwrap_or(&serde_json::Value::Null), "version");
    finding.forbidden(
        "on-record-by-version",
        format!("the record of the acceptance of {version} is looked for"),
        "an entry with person and version, and the version with the account",
        format!("{}; account: {kept}", entry.map_or_else(|| "no entry".to_owned(), history::Entry::told)),
        entry.is_some() && kept == version,
    );
    Ok(())
}

/// Another version comes into force: whoever accepted the one before is asked again.
async fn anew(
    world: &dyn World,
    finding: &mut Finding,
    desk: &Session,
    person: &Session,
    version: &str,
) -> Result<(), Trouble> {
    let mut seen = onward(world, person).await?;
    seen.extend(onward(world, desk).await?);
    finding.forbidden(
        "new-version-asks-again",
        format!("version {version} replaces it; the sessions that had accepted go on"),
        "refused until accepted",
        tally(&seen),
        seen.iter().all(refused),
    );
    let old = world.send(person.ask("POST", "/me/terms").json(&json!({"accept": version}))).await?;
    let opened = person.get(world, "/me").await?;
    finding.positive(
        "new-version-asks-again",
        format!("it is accepted at {API}/me/terms"),
        "let through",
        tally([&old, &opened]),
        good(&old) && good(&opened),
    );
    Ok(())
}
