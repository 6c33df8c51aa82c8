//! Signing as an application does: the documented format, written a second time here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, World},
};
use serde_json::json;
use sha2::Sha256;

use super::{
    Person, Session,
    person::{API, text},
};

/// An application with the key it was issued.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its key.
    pub key: String,
}

/// A signed request.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The client's id.
    pub client: String,
    /// The person's ID in the application.
    pub unique_id: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// Used once.
    pub nonce: String,
    /// Base64url.
    pub signature: String,
}

impl Client {
    /// Has the administrator register a client whose unique IDs are its people's sign-in names.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn register(world: &dyn World, desk: &Session, people: &[&Person]) -> Result<Self, Trouble> {
        let made = desk.make(world, "/signing-clients", &json!({"name": world.marker("client")})).await?;
        let client = Self { id: text(&made, "id"), key: text(&made, "key") };
        for person in people {
            let link = json!({"client": client.id, "user": person.id, "unique_id": person.name});
            desk.make(world, "/unique-ids", &link).await?;
        }
        Ok(client)
    }

    /// Has the administrator issue a new key.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn renew(&mut self, world: &dyn World, desk: &Session) -> Result<(), Trouble> {
        let path = format!("/signing-clients/{}/key", self.id);
        self.key = text(&desk.make(world, &path, &json!({})).await?, "key");
        Ok(())
    }

    /// Signs for a person at a host.
    pub fn sign(&self, host: &str, unique_id: &str, timestamp: i64, nonce: &str) -> Signed {
        let lines = ["sekisho-sign-in-v1", host, &self.id, unique_id, &timestamp.to_string(), nonce].join("\n");
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.key.as_bytes()).expect("HMAC takes any key");
        mac.update(lines.as_bytes());
        Signed {
            client: self.id.clone(),
            unique_id: unique_id.to_owned(),
            timestamp,
            nonce: nonce.to_owned(),
            signature: URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()),
        }
    }
}

impl Signed {
    /// The request, to a console's host.
    pub fn ask(&self, host: &str) -> Ask {
        Ask::new("POST", host, &format!("{API}/sign-in/signature")).json(&json!({
            "client": self.client, "unique_id": self.unique_id, "timestamp": self.timestamp,
            "nonce": self.nonce, "signature": self.signature,
        }))
    }
}
