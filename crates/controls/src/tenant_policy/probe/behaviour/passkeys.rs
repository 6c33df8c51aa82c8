//! What the settings of passkeys do.

use sekisho_kernel::{
    claim::Trouble,
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};

use super::{Effect, Side};
use crate::probing::{
    Person,
    answer::good,
    passkey::{Passkey, Shows},
    person::{API, text},
    told,
};

/// People register a passkey of no known maker.
pub async fn registered(
    world: &dyn World,
    people: &[Person; 2],
    shows: Shows,
    admitted: bool,
) -> Result<Vec<(String, bool)>, Trouble> {
    let mut out = Vec::new();
    for (node, person) in people.iter().enumerate() {
        let got = register(world, person, shows, node).await?;
        out.push((told(&got), good(&got) == admitted));
    }
    Ok(out)
}

async fn register(world: &dyn World, person: &Person, shows: Shows, node: usize) -> Result<Answer, Trouble> {
    let session = person.clone().sign_in(world).await?.at(node);
    let options = session.post(world, "/me/passkeys/options", &json!({"password": person.password})).await?;
    if !good(&options) {
        return Ok(options);
    }
    let (_, body) = Passkey::create(&options.json(), &session.host, shows)?;
    session.post(world, "/me/passkeys", &body).await
}

/// Recovery codes of people who now have a passkey: the first of each.
pub async fn codes(world: &dyn World, people: &[Person; 2]) -> Result<Vec<String>, Trouble> {
    let mut out = Vec::new();
    for person in people {
        let session = person.clone().sign_in(world).await?;
        let (_, codes) = Passkey::register(world, &session, person).await?;
        out.push(codes.into_iter().next().unwrap_or_default());
    }
    Ok(out)
}

/// Somebody who has lost the passkey signs in with the password and a recovery code.
pub async fn recovered(
    world: &dyn World,
    pairs: (&[Person; 2], &[Person; 2]),
    codes: [&[String]; 2],
) -> Result<Effect, Trouble> {
    let mut seen = Vec::new();
    for (people, codes, admitted) in [(pairs.0, codes[0], false), (pairs.1, codes[1], true)] {
        let mut side = Vec::new();
        for (node, (person, code)) in people.iter().zip(codes).enumerate() {
            let challenge = text(&person.first_step(world, node).await?.json(), "challenge");
            let body = json!({"challenge": challenge, "recovery_code": code});
            let path = format!("{API}/sign-in/factor");
            let ask = Ask::new("POST", &person.console, &path).json(&body).node(node);
            let got = world.send(ask).await?;
            side.push((told(&got), good(&got) == admitted));
        }
        seen.push(side);
    }
    let (loose, strict) = (seen.pop().unwrap_or_default(), seen.pop().unwrap_or_default());
    Ok(Effect::of("the password and a recovery code of an account with a passkey", strict, loose))
}

/// An administrator who can come in by a passkey.
pub async fn administrator(world: &dyn World, side: &Side) -> Result<(), Trouble> {
    let mut boss = side.desk.hire(world, &side.admin, "administrator", &Value::Null).await?;
    let session = boss.sign_in(world).await?;
    Passkey::register(world, &session, &boss).await.map(drop)
}
