//! Operations on people and the relations between them.

use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, World},
};
use serde_json::{Value, json};

use super::Cast;
use crate::probing::{operations::Operation, told};

impl Cast {
    /// The member finds the administrator, to whom there is a relation.
    pub(super) async fn finding(&self, world: &dyn World, operation: &Operation) -> Result<Ask, Trouble> {
        let body = json!({"one": self.member.id, "other": self.admin.id});
        let made = self.desk.post(world, "/relations", &body).await?;
        // A run before this one may have made it.
        if made.status != 201 && made.status != 409 {
            return Err(Trouble(told(&made)));
        }
        Ok(self.member_desk.ask("GET", &operation.filled(&self.admin.id)))
    }

    /// What makes a relation: two people of their own.
    async fn relation(&self, world: &dyn World) -> Result<Value, Trouble> {
        Ok(json!({"one": self.user(world).await?, "other": self.user(world).await?, "note": world.marker("note")}))
    }

    /// Operations on relations: path and body.
    pub(super) async fn related(
        &self,
        world: &dyn World,
        operation: &Operation,
        name: &str,
    ) -> Result<(String, Value), Trouble> {
        Ok(match name {
            "GET /relations" => ("/relations".into(), Value::Null),
            "POST /relations" => ("/relations".into(), self.relation(world).await?),
            "POST /relations/{id}/end" => {
                let body = self.relation(world).await?;
                (operation.filled(&self.made(world, "/relations", body).await?), json!({}))
            }
            "GET /relations/between" => {
                let (one, other) = (self.user(world).await?, self.user(world).await?);
                (format!("/relations/between?one={one}&other={other}"), Value::Null)
            }
            "POST /relations/check" => {
                let (person, other) = (self.user(world).await?, self.user(world).await?);
                ("/relations/check".into(), json!({"person": person, "others": [other]}))
            }
            other => return self.signalled(world, operation, other).await,
        })
    }
}
