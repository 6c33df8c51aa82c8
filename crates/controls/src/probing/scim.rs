//! An identity provider as its maker would write it: it provisions over SCIM with a token of its own.

use sekisho_kernel::{
    claim::Trouble,
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};

use super::{Session, answer::good, person::text, told};

/// Where SCIM lives.
pub const SCIM: &str = "/scim/v2";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A provider and its token.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Host name of the service.
    pub host: String,
    /// The bearer token.
    pub token: String,
    /// The account as which it provisions.
    pub account: String,
    /// Which node it reaches.
    pub node: usize,
}

impl Provider {
    /// Has an administrator connect it.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(world: &dyn World, desk: &Session) -> Result<Self, Trouble> {
        let made = desk.make(world, "/provisioning", &json!({"name": world.marker("idp"), "days": 30})).await?;
        Ok(Self { host: desk.host.clone(), token: text(&made, "token"), account: text(&made, "user"), node: 0 })
    }

    /// A request.
    pub fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(method, &self.host, &format!("{SCIM}{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .node(self.node)
    }

    /// Sends a body.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(&self, world: &dyn World, method: &str, path: &str, body: &Value) -> Result<Answer, Trouble> {
        let mut ask = self.ask(method, path).header("content-type", "application/scim+json");
        ask.body = body.to_string().into_bytes();
        world.send(ask).await
    }

    /// Makes a person; the answer and their id.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn create(&self, world: &dyn World, name: &str) -> Result<(Answer, String), Trouble> {
        let new = json!({
            "schemas": [USER], "userName": name, "externalId": format!("ext-{name}"), "active": true,
            "name": {"familyName": "Probe", "givenName": name},
            "emails": [{"value": format!("{name}@example.test"), "type": "work", "primary": true}],
        });
        let made = self.send(world, "POST", "/Users", &new).await?;
        let id = text(&made.json(), "id");
        Ok((made, id))
    }

    /// Changes a person by one operation, as Entra ID writes it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn replace(&self, world: &dyn World, id: &str, path: &str, value: Value) -> Result<Answer, Trouble> {
        let body = json!({"schemas": [PATCH], "Operations": [{"op": "Replace", "path": path, "value": value}]});
        self.send(world, "PATCH", &format!("/Users/{id}"), &body).await
    }

    /// Deletes a person.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn delete(&self, world: &dyn World, id: &str) -> Result<Answer, Trouble> {
        world.send(self.ask("DELETE", &format!("/Users/{id}"))).await
    }

    /// The JSON of a request that must succeed for the probe to go on.
    ///
    /// # Errors
    /// When it does not.
    pub async fn need(&self, world: &dyn World, method: &str, path: &str, body: &Value) -> Result<Value, Trouble> {
        let got = self.send(world, method, path, body).await?;
        if good(&got) { Ok(got.json()) } else { Err(Trouble(format!("{method} {path} was answered {}", told(&got)))) }
    }
}
