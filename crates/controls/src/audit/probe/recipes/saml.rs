//! How the operations on SAML providers and our keys towards them are made to succeed.

use sekisho_kernel::{claim::Trouble, world::World};
use serde_json::{Value, json};

use super::Cast;
use crate::probing::{operations::Operation, person::text, saml};

impl Cast {
    /// Where to and what with; `None` for what is no such operation.
    pub(super) async fn saml(
        &self,
        world: &dyn World,
        operation: &Operation,
    ) -> Result<Option<(String, Value)>, Trouble> {
        Ok(Some(match operation.name().as_str() {
            "POST /saml-providers" => {
                let entity = format!("https://{}.example.test", world.marker("saml"));
                let metadata = saml::metadata(&entity, &saml::Pen::new()?);
                ("/saml-providers".into(), json!({"name": world.marker("saml"), "metadata": metadata}))
            }
            "GET /saml-keys" => ("/saml-keys".into(), Value::Null),
            "POST /saml-keys" => {
                self.one_saml_key(world).await?;
                ("/saml-keys".into(), json!({}))
            }
            "POST /saml-keys/{id}/switch" => (operation.filled(&self.next_saml_key(world).await?), json!({})),
            "DELETE /saml-keys/{id}" => (operation.filled(&self.next_saml_key(world).await?), Value::Null),
            _ => return Ok(None),
        }))
    }

    /// There is a key that signs, and none beside it.
    async fn one_saml_key(&self, world: &dyn World) -> Result<(), Trouble> {
        let keys = self.desk.need(world, self.desk.ask("GET", "/saml-keys")).await?;
        let keys = keys["items"].as_array().cloned().unwrap_or_default();
        if keys.is_empty() {
            saml::Provider::register(world, &self.desk).await?;
        }
        for key in keys.iter().filter(|k| text(k, "stage") != "current") {
            self.desk.delete(world, &format!("/saml-keys/{}", text(key, "id"))).await?;
        }
        Ok(())
    }

    async fn next_saml_key(&self, world: &dyn World) -> Result<String, Trouble> {
        self.one_saml_key(world).await?;
        self.made(world, "/saml-keys", json!({})).await
    }
}
