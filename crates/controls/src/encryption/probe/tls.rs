//! MIST-16 and MOX-15: every suite at every version, one hello at a time, on every listener that speaks TLS.

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{HelloAnswer, World},
};

use super::recorded;
use crate::{
    encryption::{MIST_16, MOX_15},
    probing::{
        Person,
        answer::good,
        browser::{Browser, socket_answers},
        suites::{Cipher, Exchange, Offer, SUITES, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, offer_all, taken, version_name},
        told,
    },
};

/// Listeners of an instance that speak TLS; a serving one is known by its front door alone.
fn listeners(world: &dyn World) -> Vec<String> {
    match world.rehearsed() {
        Some(instance) => instance.listeners().into_iter().filter(|l| l.tls).map(|l| l.name).collect(),
        None => vec!["https".into()],
    }
}

/// What every listener said, under the console's name and under the application's.
async fn all_offers(world: &dyn World, finding: &mut Finding) -> Result<(Vec<Offer>, Vec<Offer>), Trouble> {
    let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
    let (mut console, mut application) = (Vec::new(), Vec::new());
    let names = listeners(world);
    for listener in &names {
        let one = offer_all(world, listener, &canary.console).await?;
        let two = offer_all(world, listener, &canary.application).await?;
        finding.positive(
            "every-listener",
            format!("{} suites at 4 versions each are offered to the listener {listener}, one at a time, under both host names", SUITES.len()),
            "at least one is taken",
            format!("taken: {}", taken(&one)),
            one.iter().any(Offer::taken) && two.iter().any(Offer::taken),
        );
        console.extend(one);
        application.extend(two);
    }
    Ok((console, application))
}

/// What must not be taken among `offers`.
fn none_taken<'o>(finding: &mut Finding, clause: &str, what: &str, offers: impl Iterator<Item = &'o Offer>) {
    let offers: Vec<&Offer> = offers.collect();
    let through: Vec<&Offer> = offers.iter().copied().filter(|o| o.taken()).collect();
    finding.forbidden(
        clause,
        format!("{} hellos: {what}", offers.len()),
        "every one refused",
        if through.is_empty() {
            format!("{} refused", offers.len())
        } else {
            format!("taken: {}", taken(through.iter().copied()))
        },
        through.is_empty() && !offers.is_empty(),
    );
}

/// A real client, with what the listener chooses for it.
async fn real_client(world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
    let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
    let mut admin = Person::admin(canary);
    let mut browser = Browser::default();
    browser.sign_in(world, &mut admin).await?;
    let page = browser.open(world, &canary.console, "/").await?;
    finding.positive("console", "a page of the console over TLS", "shown", page.told(), good(&page.answer));
    browser.open(world, &canary.application, "/").await?;
    let answers = match browser.socket(world, &canary.application, "/socket").await? {
        Ok(mut socket) => socket_answers(&mut *socket, "over TLS").await?.then_some("it answers".to_owned()),
        Err(refused) => return Err(Trouble(format!("the WebSocket was answered {}", told(&refused)))),
    };
    finding.positive(
        "websocket",
        "a WebSocket to the application through the same listener",
        "it answers",
        answers.clone().unwrap_or_else(|| "it does not answer".into()),
        answers.is_some(),
    );
    Ok(())
}

/// MIST-16.
pub struct Aes256Alone;

#[async_trait]
impl Probe for Aes256Alone {
    fn spec(&self) -> &'static ClaimSpec {
        &MIST_16
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let (console, application) = all_offers(world, finding).await?;
        real_client(world, finding).await?;
        let all = || console.iter().chain(&application);
        let wanted = |o: &&Offer| o.suite.forward_secret() && matches!(o.suite.cipher, Cipher::Aead(256));
        for (clause, version) in [("tls-1-2-aes-256-accepted", TLS_1_2), ("tls-1-3-aes-256-accepted", TLS_1_3)] {
            let these: Vec<&Offer> = all().filter(|o| o.version == version).filter(wanted).collect();
            finding.positive(
                clause,
                format!("forward-secret AES-256 suites of {}", version_name(version)),
                "taken, with an ephemeral key exchange",
                format!("taken: {}", taken(these.iter().copied())),
                these.iter().any(
                    |o| matches!(o.answer, HelloAnswer::Accepted { ephemeral: true, version: v, .. } if v == version),
                ),
            );
        }
        none_taken(finding, "tls-1-0-refused", "every suite at TLS 1.0", all().filter(|o| o.version == TLS_1_0));
        none_taken(finding, "tls-1-1-refused", "every suite at TLS 1.1", all().filter(|o| o.version == TLS_1_1));
        none_taken(
            finding,
            "aes-128-refused",
            "suites with AES-128, any mode, any version",
            all().filter(|o| o.suite.aes_bits() == 128),
        );
        none_taken(
            finding,
            "chacha20-refused",
            "suites with ChaCha20-Poly1305",
            all().filter(|o| o.suite.cipher == Cipher::ChaCha),
        );
        none_taken(
            finding,
            "cbc-refused",
            "suites with AES in CBC",
            all().filter(|o| matches!(o.suite.cipher, Cipher::Cbc(_))),
        );
        none_taken(
            finding,
            "static-rsa-refused",
            "suites whose key the client sends to the server's RSA key",
            all().filter(|o| o.suite.exchange == Exchange::StaticRsa),
        );
        let others = |o: &&Offer| !o.suite.forward_secret() || o.suite.cipher == Cipher::Other;
        none_taken(
            finding,
            "every-listener",
            "everything else: anonymous, shared keys, static Diffie-Hellman, 3DES, DES, RC4, export grade, NULL and the rare ones",
            all().filter(others),
        );
        none_taken(
            finding,
            "websocket",
            "under the application's host name, where WebSockets come in: whatever is not forward-secret AES-256",
            application.iter().filter(|o| !wanted(o)),
        );
        none_taken(
            finding,
            "console",
            "under the console's host name: whatever is not forward-secret AES-256",
            console.iter().filter(|o| !wanted(o)),
        );
        Ok(())
    }
}

/// MOX-15.
pub struct StrongAndForwardSecret;

#[async_trait]
impl Probe for StrongAndForwardSecret {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_15
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let (console, application) = all_offers(world, finding).await?;
        let all = || console.iter().chain(&application);
        let strong = |o: &&Offer| o.suite.forward_secret() && o.suite.aes_bits() >= 128;
        for version in [TLS_1_2, TLS_1_3] {
            let these: Vec<&Offer> = all().filter(|o| o.version == version).filter(strong).collect();
            finding.positive(
                "strong-aes-accepted",
                format!("forward-secret suites of {} with AES of 128 bits or more", version_name(version)),
                "at least one is taken",
                format!("taken: {}", taken(these.iter().copied())),
                these.iter().any(|o| o.taken()),
            );
        }
        none_taken(
            finding,
            "other-ciphers-refused",
            "every suite without AES of 128 bits or more: ChaCha20, 3DES, DES, RC4, export grade, NULL and the rare ones",
            all().filter(|o| o.suite.aes_bits() < 128),
        );
        none_taken(
            finding,
            "every-listener",
            "every suite at TLS 1.0 and 1.1",
            all().filter(|o| matches!(o.version, TLS_1_0 | TLS_1_1)),
        );
        none_taken(
            finding,
            "forward-secret-only",
            "every suite without a key exchange of its own for each session",
            all().filter(|o| !o.suite.forward_secret()),
        );
        let lasting: Vec<&Offer> =
            all().filter(|o| matches!(o.answer, HelloAnswer::Accepted { ephemeral: false, .. })).collect();
        finding.forbidden(
            "forward-secret-only",
            "in the answers to all hellos that were taken, the server's key exchange is looked for",
            "each brings an ephemeral one",
            if lasting.is_empty() {
                "each does".into()
            } else {
                format!("not with {}", taken(lasting.iter().copied()))
            },
            lasting.is_empty(),
        );
        recorded::stays_closed(world, finding).await
    }
}
