//! The operations on passkeys.

use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, World},
};
use serde_json::{Value, json};

use super::{Cast, unknown};
use crate::{
    passkeys,
    probing::{
        Person, Session, in_force,
        operations::Operation,
        passkey::{Passkey, Shows, enrolling, welcome},
        person::text,
    },
};

/// Whether an operation hands out a challenge, or the way to a provider. Whoever asks has it, as often as they like; what is done
/// with it is entered.
pub fn challenge(operation: &Operation) -> bool {
    matches!(
        operation.path.as_str(),
        "/sign-in/passkey/options"
            | "/sign-in/enrol/passkey/options"
            | "/me/reauthenticate/passkey/options"
            | "/me/reauthenticate/provider"
    )
}

/// Whether an operation cannot succeed because the policy keeps the probe's passkey out.
pub fn kept_out(world: &dyn World, operation: &Operation) -> bool {
    operation.path.contains("/passkey") && operation.method != "GET" && !welcome(world)
}

impl Cast {
    /// Somebody new with a passkey.
    async fn with_passkey(&mut self, world: &dyn World) -> Result<(Person, Session, Passkey), Trouble> {
        let (person, session) = self.newcomer(world).await?;
        let (key, _) = Passkey::register(world, &session, &person).await?;
        Ok((person, session, key))
    }

    /// Ways in.
    pub(super) async fn passkey_way_in(&mut self, world: &dyn World, name: &str) -> Result<Ask, Trouble> {
        match name {
            "POST /sign-in/passkey" => {
                let (person, _, mut key) = self.with_passkey(world).await?;
                // Alone where the policy lets it, else beside the password.
                let challenge = match in_force(world).str(&passkeys::MODE).as_str() {
                    "sign-in" => None,
                    _ => Some(text(&person.first_step(world, 0).await?.json(), "challenge")),
                };
                key.knock(world, &person, challenge.as_deref()).await
            }
            "POST /sign-in/enrol/passkey" => {
                let (challenge, _) = self.must_enrol(world, false).await?;
                enrolling(world, &self.admin, &challenge).await
            }
            other => Err(unknown(other)),
        }
    }

    /// One's own.
    pub(super) async fn own_passkeys(
        &mut self,
        world: &dyn World,
        operation: &Operation,
        name: &str,
    ) -> Result<Ask, Trouble> {
        let method = operation.method.as_str();
        Ok(match name {
            "GET /me/passkeys" => self.member_desk.ask(method, &operation.path),
            "POST /me/passkeys/options" => {
                let (person, session) = self.newcomer(world).await?;
                session.ask(method, &operation.path).json(&json!({"password": person.password}))
            }
            "POST /me/passkeys" => {
                let (person, session) = self.newcomer(world).await?;
                let password = json!({"password": person.password});
                let options = session.make(world, "/me/passkeys/options", &password).await?;
                let (_, body) = Passkey::create(&options, &session.host, Shows::Own)?;
                session.ask(method, &operation.path).json(&body)
            }
            "POST /me/reauthenticate/passkey" => {
                let (_, session, mut key) = self.with_passkey(world).await?;
                let options = session.make(world, "/me/reauthenticate/passkey/options", &json!({})).await?;
                session.ask(method, &operation.path).json(&key.answer(&options, &session.host)?)
            }
            "PATCH /me/passkeys/{id}" => {
                let (_, session, _) = self.with_passkey(world).await?;
                let path = operation.filled(&first(world, &session).await?);
                session.ask(method, &path).header("if-match", "\"1\"").json(&json!({"name": world.marker("key")}))
            }
            "DELETE /me/passkeys/{id}" => {
                let (person, session, _) = self.with_passkey(world).await?;
                let path = operation.filled(&first(world, &session).await?);
                session.ask(method, &path).json(&json!({"password": person.password}))
            }
            other => return Err(unknown(other)),
        })
    }

    /// A way in that is refused: what it is for was never begun.
    pub(super) fn refused_passkey(&self, name: &str) -> Option<Ask> {
        let body: Value = match name {
            "POST /sign-in/passkey/options" => json!({"step": "factor", "challenge": "AAAA"}),
            "POST /sign-in/enrol/passkey/options" => json!({"challenge": "AAAA"}),
            "POST /sign-in/passkey" => json!({"ceremony": "AAAA", "credential": {}}),
            "POST /sign-in/enrol/passkey" => json!({"ceremony": "AAAA", "credential": {}, "name": "Probe"}),
            _ => return None,
        };
        Some(self.public("POST", name.strip_prefix("POST ")?, body))
    }
}

async fn first(world: &dyn World, session: &Session) -> Result<String, Trouble> {
    let listed = session.get(world, "/me/passkeys").await?.json();
    Ok(text(&listed["items"][0], "id"))
}
