//! The password alone, codes twice, recovery codes twice (NM-03).

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};

use super::{NM_03, RECOVERY_CODES};
use crate::probing::{
    Person, Session,
    answer::good,
    in_force,
    passkey::{Passkey, welcome},
    person::{API, text},
    told,
};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(AsksForCode)]
}

struct AsksForCode;

/// A person with an authenticator app, and the recovery codes they wrote down.
struct WithApp {
    person: Person,
    secret: String,
    recovery: Vec<String>,
}

#[async_trait]
impl Probe for AsksForCode {
    fn spec(&self) -> &'static ClaimSpec {
        &NM_03
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let coder = equip(world, finding, &desk, &admin).await?;
        codes(world, finding, &coder).await?;
        let writer = equip(world, finding, &desk, &admin).await?;
        recovery_codes(world, finding, &writer).await?;
        with_passkey(world, finding, &desk, &admin).await
    }
}

/// An account that sets up an authenticator app. Where the policy asks for one at the first sign-in, the sign-in does.
async fn equip(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<WithApp, Trouble> {
    let mut person = desk.hire(world, like, "user", &Value::Null).await?;
    let session = person.sign_in(world).await?;
    if person.secret.is_some() {
        let issued = session.post(world, "/me/recovery-codes", &json!({"password": person.password})).await?;
        let secret = person.secret.clone().unwrap_or_default();
        return Ok(WithApp { recovery: list(&issued.json()), secret, person });
    }
    let begun = session.make(world, "/me/factors", &json!({"password": person.password})).await;
    let begun = match begun {
        Ok(begun) => begun,
        Err(_) => session.make(world, "/me/factors", &json!({})).await?,
    };
    let (id, secret) = (text(&begun, "id"), text(&begun, "secret"));
    // The step before the present one, so that the present one is still unused.
    let code = world.totp(&secret, -1);
    let confirmed = session.make(world, &format!("/me/factors/{id}/confirm"), &json!({"code": code})).await?;
    let recovery = list(&confirmed);
    let wanted = in_force(world).int(&RECOVERY_CODES);
    finding.positive(
        "recovery-code-works-once",
        "an authenticator app is set up and confirmed with its first code",
        format!("{wanted} recovery codes are issued"),
        format!("{} issued", recovery.len()),
        i64::try_from(recovery.len()) == Ok(wanted),
    );
    Ok(WithApp { person, secret, recovery })
}

fn list(value: &Value) -> Vec<String> {
    let codes = value.get("recovery_codes").and_then(Value::as_array).cloned().unwrap_or_default();
    codes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a sign-in ended with.
struct Outcome {
    token: String,
    words: String,
}

async fn password_alone(world: &dyn World, who: &WithApp) -> Result<(Outcome, String), Trouble> {
    let got = who.person.first_step(world, 0).await?;
    let body = got.json();
    let challenge = text(&body, "challenge");
    Ok((outcome(&got), challenge))
}

fn outcome(got: &Answer) -> Outcome {
    let body = got.json();
    let token = text(&body, "token");
    let words = match (token.is_empty(), text(&body, "state").as_str()) {
        (false, _) => "a session".to_owned(),
        (true, "") => told(got),
        (true, state) => format!("{} {state}, no session", got.status),
    };
    Outcome { token, words }
}

/// Password, then `proof` where it is asked for.
async fn both(world: &dyn World, who: &WithApp, proof: Value) -> Result<Outcome, Trouble> {
    let (first, challenge) = password_alone(world, who).await?;
    if !first.token.is_empty() {
        return Ok(Outcome { words: format!("{} from the password alone", first.words), ..first });
    }
    let mut body = proof;
    if let Some(body) = body.as_object_mut() {
        body.insert("challenge".into(), challenge.into());
    }
    let ask = Ask::new("POST", &who.person.console, &format!("{API}/sign-in/factor")).json(&body);
    Ok(outcome(&world.send(ask).await?))
}

async fn codes(world: &dyn World, finding: &mut Finding, who: &WithApp) -> Result<(), Trouble> {
    let code = world.totp(&who.secret, 0);
    let (alone, challenge) = password_alone(world, who).await?;
    finding.forbidden(
        "password-alone-no-session",
        "the right password of an account with an authenticator app, and nothing more",
        "no session, but the question for a code",
        alone.words.clone(),
        alone.token.is_empty(),
    );
    if !challenge.is_empty() {
        for (what, header, value) in [
            ("bearer token", "authorization", format!("Bearer {challenge}")),
            ("session cookie", "cookie", format!("__Host-sekisho={challenge}")),
        ] {
            let ask = Ask::new("GET", &who.person.console, &format!("{API}/me")).header(header, value);
            let got = world.send(ask).await?;
            finding.forbidden(
                "password-alone-no-session",
                format!("what the question for a code came with is used as {what}"),
                "refused",
                told(&got),
                !good(&got),
            );
        }
    }
    let first = both(world, who, json!({"code": code})).await?;
    finding.positive(
        "code-works-once",
        "the password and the app's present code",
        "a session",
        first.words.clone(),
        !first.token.is_empty(),
    );
    let again = both(world, who, json!({"code": code})).await?;
    finding.forbidden(
        "code-not-again",
        "the password and the same code a second time",
        "no session",
        again.words.clone(),
        again.token.is_empty(),
    );
    Ok(())
}

/// A passkey beside the password is asked for as an app's code is, and nobody else's answers for it.
async fn with_passkey(world: &dyn World, finding: &mut Finding, desk: &Session, like: &Person) -> Result<(), Trouble> {
    if !welcome(world) {
        return Ok(());
    }
    let mut person = desk.hire(world, like, "user", &Value::Null).await?;
    let session = person.sign_in(world).await?;
    let (mut own, _) = Passkey::register(world, &session, &person).await?;
    let who = WithApp { person, secret: String::new(), recovery: Vec::new() };
    let (alone, challenge) = password_alone(world, &who).await?;
    finding.forbidden(
        "password-alone-no-session",
        "the right password of an account with a passkey, and nothing more",
        "no session, but the question for the second factor",
        alone.words.clone(),
        alone.token.is_empty(),
    );
    if challenge.is_empty() {
        return Ok(());
    }
    let handle = hex::decode(who.person.id.trim_start_matches("usr_")).unwrap_or_default();
    let forged = outcome(&Passkey::new(&handle)?.sign_in(world, &who.person, Some(&challenge)).await?);
    finding.forbidden(
        "password-alone-no-session",
        "the password, then a passkey made for the occasion that says it is this account's",
        "no session",
        forged.words.clone(),
        forged.token.is_empty(),
    );
    let (_, challenge) = password_alone(world, &who).await?;
    let both = outcome(&own.sign_in(world, &who.person, Some(&challenge)).await?);
    finding.positive(
        "password-alone-no-session",
        "the password, then the passkey that the account has registered",
        "a session",
        both.words.clone(),
        !both.token.is_empty(),
    );
    Ok(())
}

async fn recovery_codes(world: &dyn World, finding: &mut Finding, who: &WithApp) -> Result<(), Trouble> {
    for (which, code) in ["first", "second"].iter().zip(&who.recovery) {
        let used = both(world, who, json!({"recovery_code": code})).await?;
        finding.positive(
            "recovery-code-works-once",
            format!("the password and the {which} recovery code"),
            "a session",
            used.words.clone(),
            !used.token.is_empty(),
        );
        let again = both(world, who, json!({"recovery_code": code})).await?;
        finding.forbidden(
            "recovery-code-not-again",
            format!("the password and the {which} recovery code a second time"),
            "no session",
            again.words.clone(),
            again.token.is_empty(),
        );
    }
    Ok(())
}
