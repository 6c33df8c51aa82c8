//! MOX-16: a token revoked between two requests of one connection; what tokens look like and how they are stored.

use std::collections::BTreeSet;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::World,
};
use sha2::{Digest, Sha256};

use crate::{
    probing::{Person, Session, answer::good, raw, rehearsed, search::Search, told},
    sessions::MOX_16,
};

pub struct CheckedAgain;

/// Sessions whose tokens are compared.
const SAMPLE: usize = 12;
/// Bits that a token must have at least (NIST SP 800-63B §5.1.1 asks for 64; the design for 256).
const LEAST_BITS: usize = 256;

#[async_trait]
impl Probe for CheckedAgain {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_16
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let mut person = desk.hire(world, &admin, "administrator", &serde_json::Value::Null).await?;
        revoked(world, finding, &desk, &mut person).await?;

        let mut sessions = vec![desk];
        while sessions.len() < SAMPLE {
            admin.again(world).await?;
            sessions.push(admin.sign_in(world).await?);
        }
        unguessable(world, finding, &sessions).await?;
        stored(world, finding, &sessions).await
    }
}

async fn revoked(world: &dyn World, finding: &mut Finding, desk: &Session, person: &mut Person) -> Result<(), Trouble> {
    for (node, connection, how) in [(0, 1, "by an administrator"), (1, 2, "by its owner"), (0, 3, "by signing out")] {
        person.again(world).await?;
        let session = person.sign_in(world).await?.at(node);
        let first = world.send(session.ask("GET", "/me").over(connection)).await?;
        finding.positive(
            "revoked-refused-on-same-connection",
            format!("a request at node {node} over a connection that stays open"),
            "answered",
            told(&first),
            good(&first),
        );
        let ending = match how {
            "by an administrator" => desk.ask("DELETE", &format!("/users/{}/sessions", person.id)),
            "by its owner" => session.at(0).ask("DELETE", &format!("/me/sessions/{}", session.id)),
            _ => session.at(0).ask("POST", "/sign-out").json(&serde_json::json!({})),
        };
        let ended = world.send(ending).await?;
        if !good(&ended) {
            return Err(Trouble(format!("ending the session {how} was answered {}", told(&ended))));
        }
        let second = world.send(session.ask("GET", "/me").over(connection)).await?;
        finding.forbidden(
            "revoked-refused-on-same-connection",
            format!("the session is ended {how} over another connection, then the next request at node {node} over the first one"),
            "refused",
            told(&second),
            !good(&second),
        );
    }
    Ok(())
}

async fn unguessable(world: &dyn World, finding: &mut Finding, sessions: &[Session]) -> Result<(), Trouble> {
    let tokens: Vec<Vec<u8>> = sessions.iter().map(|s| bytes_of(&s.token)).collect();
    let distinct: BTreeSet<&Vec<u8>> = tokens.iter().collect();
    let shortest = tokens.iter().map(Vec::len).min().unwrap_or(0);
    // Two random tokens share about one byte in 256 at the same place; a counter or a clock in them shares many.
    let shared = (0..shortest).filter(|at| tokens.iter().all(|t| t[*at] == tokens[0][*at])).count();
    finding.forbidden(
        "unguessable",
        format!("{} tokens are compared", tokens.len()),
        format!("all different, {LEAST_BITS} bits or more each, no byte the same in all"),
        format!("{} different, {} bits, {shared} bytes the same in all", distinct.len(), shortest * 8),
        distinct.len() == tokens.len() && shortest * 8 >= LEAST_BITS && shared == 0,
    );
    let Some(session) = sessions.last() else { return Ok(()) };
    let alive = world.send(session.ask("GET", "/me")).await?;
    finding.positive("unguessable", "a request with the token as it was given", "answered", told(&alive), good(&alive));
    let mut bytes = bytes_of(&session.token);
    let last = bytes.len().saturating_sub(1);
    if let Some(byte) = bytes.get_mut(last) {
        *byte ^= 1;
    }
    let random: Vec<u8> = (0..2).flat_map(|_| Sha256::digest(world.marker("guess"))).take(bytes.len()).collect();
    for (what, guess) in [
        ("the token with its last bit flipped", URL_SAFE_NO_PAD.encode(&bytes)),
        ("a random value of the same length", URL_SAFE_NO_PAD.encode(random)),
        ("the session's id", session.id.clone()),
        ("the user's id", session.user.clone()),
    ] {
        let forged = Session { token: guess, ..session.clone() };
        let got = world.send(forged.ask("GET", "/me")).await?;
        finding.forbidden(
            "unguessable",
            format!("a request with {what} in the token's place"),
            "refused",
            told(&got),
            !good(&got),
        );
    }
    Ok(())
}

/// The token's own bytes: what its base64url says, else its characters.
fn bytes_of(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token).unwrap_or_else(|_| token.as_bytes().to_vec())
}

async fn stored(world: &dyn World, finding: &mut Finding, sessions: &[Session]) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    let decoded: Vec<Vec<u8>> = sessions.iter().map(|s| bytes_of(&s.token)).collect();
    let wanted: Vec<&[u8]> =
        sessions.iter().map(|s| s.token.as_bytes()).chain(decoded.iter().map(Vec::as_slice)).collect();
    let files = instance.raw_files().await?;
    let hits = Search::of_bytes(&wanted).files(&files);
    finding.forbidden(
        "stored-only-hashed",
        format!(
            "{} tokens of living sessions, as text and as bytes, are searched for in all {} raw files and logs",
            sessions.len(),
            files.len()
        ),
        "not one of them",
        hits.first().map_or_else(|| "nothing found".into(), crate::probing::search::Hit::told),
        hits.is_empty(),
    );
    let tables = raw::tables(instance).await?;
    let hashed = sessions.iter().zip(&decoded).filter(|(session, bytes)| {
        let of = |b: &[u8]| raw::holding(&tables, &Sha256::digest(b));
        !of(session.token.as_bytes()).is_empty() || !of(bytes).is_empty()
    });
    let hashed = hashed.count();
    finding.forbidden(
        "stored-only-hashed",
        "raw storage is searched for the SHA-256 of each token",
        "each is found: the hash is what is stored",
        format!("{hashed} of {} found", sessions.len()),
        hashed == sessions.len(),
    );
    Ok(())
}
