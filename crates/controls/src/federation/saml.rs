//! A SAML provider signs people in, and whatever is not its word, for us and for now signs in nobody (MOX-26).

use async_trait::async_trait;
use sekisho_kernel::{
    Time,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, World},
};
use serde_json::json;

use super::{MOX_26, parting, probe::came};
use crate::probing::{
    Person, Session,
    answer::{good, tally},
    browser::Browser,
    person::text,
    provider::session,
    saml::{Pen, Provider, Said, response, wrapped},
    told,
};

pub(super) struct Federation;

#[async_trait]
impl Probe for Federation {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_26
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let desk = Person::admin(canary).sign_in(world).await?;
        let mut provider = Provider::register(world, &desk).await?;
        comes_in(world, finding, &provider, &desk, "sign-in").await?;
        encrypted(world, finding, &provider).await?;
        unsigned(world, finding, &provider, "unsigned").await?;
        around(world, finding, &provider).await?;
        again(world, finding, &provider).await?;
        late(world, finding, &provider).await?;
        elsewhere(world, finding, &provider).await?;
        begun_elsewhere(world, finding, &mut provider, &desk, "replayed").await?;
        parting::ended(world, finding, &provider, &desk).await?;
        parting::rolled_over(world, finding, &provider, &desk).await?;
        Ok(())
    }
}

/// A person without an account goes there and comes back; nobody brings their answer in another browser.
pub(super) async fn comes_in(
    world: &dyn World,
    finding: &mut Finding,
    provider: &Provider,
    desk: &Session,
    clause: &'static str,
) -> Result<(), Trouble> {
    let mut browser = Browser::default();
    let leave = provider.leave(world, &mut browser).await?;
    finding.positive(
        clause,
        "the request with which a person is sent to the provider",
        "signed by the key in the service's metadata",
        if provider.signed(&leave) { "so" } else { "not so" },
        provider.signed(&leave),
    );
    let subject = world.marker("subject");
    let field = provider.answer(&provider.said(world, Some(&leave), &subject)?)?;
    let other = provider.bring(world, &mut Browser::default(), &field, &leave.state).await?;
    let mut stranger = Browser::default();
    let theirs = provider.leave(world, &mut stranger).await?;
    let mixed = provider.bring(world, &mut stranger, &field, &theirs.state).await?;
    let state = provider.bring(world, &mut browser.clone(), &field, "another").await?;
    finding.forbidden(
        clause,
        "the answer brought by another browser, as the answer to another request, and with another RelayState",
        "no session",
        format!("{}; {}; {}", came(&other), came(&mixed), came(&state)),
        [&other, &mixed, &state].into_iter().all(|got| session(got).is_none()),
    );
    let got = provider.bring(world, &mut browser, &field, &leave.state).await?;
    let own = Session { token: session(&got).unwrap_or_default(), ..desk.clone() };
    let me = own.get(world, "/me").await?;
    finding.positive(
        clause,
        "a person without an account goes to the provider from the sign-in page and comes back",
        "signed in, with an account of their own",
        format!("{}; then {}", came(&got), told(&me)),
        good(&me) && text(&me.json()["user"], "name") == subject,
    );
    Ok(())
}

/// One way there and back in a fresh browser.
async fn round(
    world: &dyn World,
    provider: &Provider,
    make: impl Fn(Said) -> Result<String, Trouble>,
) -> Result<Answer, Trouble> {
    let mut browser = Browser::default();
    let leave = provider.leave(world, &mut browser).await?;
    let field = make(provider.said(world, Some(&leave), &world.marker("saml"))?)?;
    provider.bring(world, &mut browser, &field, &leave.state).await
}

async fn encrypted(world: &dyn World, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    let got = round(world, provider, |said| provider.sealed_answer(&said)).await?;
    finding.positive(
        "sign-in",
        "the same with an assertion that is encrypted to the service's key",
        "a session",
        came(&got),
        session(&got).is_some(),
    );
    Ok(())
}

/// Answers that none but the provider's own signature would make true.
pub(super) async fn unsigned(
    world: &dyn World,
    finding: &mut Finding,
    provider: &Provider,
    clause: &'static str,
) -> Result<(), Trouble> {
    let stranger = Pen::new()?;
    let plain = round(world, provider, |said| Ok(response(&said, &said.assertion()))).await?;
    let theirs =
        round(world, provider, |said| Ok(response(&said, &stranger.sign(&said.id, &said.assertion())?))).await?;
    finding.forbidden(
        clause,
        "an answer without a signature, and one that a stranger has signed, whose certificate it brings along",
        "no session",
        format!("{}; {}", came(&plain), came(&theirs)),
        session(&plain).is_none() && session(&theirs).is_none(),
    );
    Ok(())
}

/// Sends each answer in a browser of its own; those that began a session, and all answers.
async fn each(
    world: &dyn World,
    provider: &Provider,
    make: impl Fn(&Said) -> Result<Vec<(&'static str, String)>, Trouble>,
) -> Result<(Vec<&'static str>, Vec<Answer>), Trouble> {
    let sample = make(&provider.said(world, None, "sample")?)?.len();
    let (mut through, mut answers) = (Vec::new(), Vec::new());
    for n in 0..sample {
        let mut browser = Browser::default();
        let leave = provider.leave(world, &mut browser).await?;
        let said = provider.said(world, Some(&leave), &world.marker("saml"))?;
        let Some((what, field)) = make(&said)?.into_iter().nth(n) else { continue };
        let got = provider.bring(world, &mut browser, &field, &leave.state).await?;
        if session(&got).is_some() {
            through.push(what);
        }
        answers.push(got);
    }
    Ok((through, answers))
}

async fn around(world: &dyn World, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    let (through, answers) = each(world, provider, |said| wrapped(provider, said, "thief")).await?;
    finding.forbidden(
        "wrapped",
        format!("{} answers in which somebody else stands beside, around or within what was signed", answers.len()),
        "none signs anybody in",
        if through.is_empty() { tally(&answers) } else { format!("signed in: somebody {}", through.join("; ")) },
        through.is_empty(),
    );
    Ok(())
}

async fn again(world: &dyn World, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    let mut browser = Browser::default();
    let leave = provider.leave(world, &mut browser).await?;
    let before = browser.clone();
    let field = provider.answer(&provider.said(world, Some(&leave), &world.marker("saml"))?)?;
    let first = provider.bring(world, &mut browser, &field, &leave.state).await?;
    let after = provider.bring(world, &mut browser, &field, &leave.state).await?;
    let second = provider.bring(world, &mut before.clone(), &field, &leave.state).await?;
    finding.positive("replayed", "an answer, the first time", "a session", came(&first), session(&first).is_some());
    finding.forbidden(
        "replayed",
        "the same answer in the same browser, and in a copy of it as it was before",
        "no session",
        format!("{}; {}", came(&after), came(&second)),
        session(&after).is_none() && session(&second).is_none(),
    );
    Ok(())
}

async fn late(world: &dyn World, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    let (through, answers) = each(world, provider, |said| {
        let at = |seconds: i64, good: i64| Said { at: Time::from_secs(said.at.secs() + seconds), good, ..said.clone() };
        Ok(vec![
            ("from two hours ago", provider.answer(&at(-7_200, 300))?),
            ("from two hours ago that says it is good for a day", provider.answer(&at(-7_200, 86_400))?),
            ("of the future", provider.answer(&at(3_600, 300))?),
        ])
    })
    .await?;
    finding.forbidden(
        "expired",
        "answers that have run out, are old, or are of the future",
        "none signs anybody in",
        if through.is_empty() { tally(&answers) } else { format!("signed in: an answer {}", through.join("; ")) },
        through.is_empty(),
    );
    Ok(())
}

async fn elsewhere(world: &dyn World, finding: &mut Finding, provider: &Provider) -> Result<(), Trouble> {
    let other = "https://other.example.test/saml";
    let (through, answers) = each(world, provider, |said| {
        Ok(vec![
            ("for another audience", provider.answer(&Said { audience: other.into(), ..said.clone() })?),
            ("for another recipient", provider.answer(&Said { recipient: other.into(), ..said.clone() })?),
            ("of another issuer", provider.answer(&Said { issuer: other.into(), ..said.clone() })?),
        ])
    })
    .await?;
    finding.forbidden(
        "wrong-audience",
        "answers for another audience or recipient, or of another issuer, with the provider's signature",
        "none signs anybody in",
        if through.is_empty() { tally(&answers) } else { format!("signed in: an answer {}", through.join("; ")) },
        through.is_empty(),
    );
    Ok(())
}

/// An answer that nobody has asked for is one only where the administrator allows it, and then once.
pub(super) async fn begun_elsewhere(
    world: &dyn World,
    finding: &mut Finding,
    provider: &mut Provider,
    desk: &Session,
    clause: &'static str,
) -> Result<(), Trouble> {
    let fresh = || provider.said(world, None, &world.marker("saml")).and_then(|said| provider.answer(&said));
    let (before, field) = (fresh()?, fresh()?);
    let refused = provider.bring(world, &mut Browser::default(), &before, "").await?;
    provider.change(world, desk, &json!({"unsolicited": true})).await?;
    let first = provider.bring(world, &mut Browser::default(), &field, "").await?;
    let second = provider.bring(world, &mut Browser::default(), &field, "").await?;
    provider.change(world, desk, &json!({"unsolicited": false})).await?;
    finding.positive(
        clause,
        "an answer that nobody asked for, once the administrator lets the provider begin",
        "a session",
        came(&first),
        session(&first).is_some(),
    );
    finding.forbidden(
        clause,
        "such an answer while that is off, and one a second time, from another browser",
        "no session",
        format!("{}; {}", came(&refused), came(&second)),
        session(&refused).is_none() && session(&second).is_none(),
    );
    Ok(())
}
