//! Operations on receivers of security signals.

use sekisho_kernel::{claim::Trouble, world::World};
use serde_json::{Value, json};

use super::{Cast, unknown};
use crate::probing::operations::Operation;

/// What makes a receiver of signals.
fn receiver(world: &dyn World) -> Value {
    let name = world.marker("receiver");
    json!({"name": name, "url": format!("https://{name}.example.test/set"), "events": ["session-revoked"]})
}

impl Cast {
    /// Operations on receivers: path and body.
    pub(super) async fn signalled(
        &self,
        world: &dyn World,
        operation: &Operation,
        name: &str,
    ) -> Result<(String, Value), Trouble> {
        let body = match name {
            "GET /signal-receivers" => return Ok((operation.path.clone(), Value::Null)),
            "POST /signal-receivers" => return Ok((operation.path.clone(), receiver(world))),
            "GET /signal-receivers/{id}" | "DELETE /signal-receivers/{id}" => Value::Null,
            "PATCH /signal-receivers/{id}" => json!({"enabled": false}),
            "POST /signal-receivers/{id}/test" => json!({}),
            other => return Err(unknown(other)),
        };
        let id = self.made(world, "/signal-receivers", receiver(world)).await?;
        Ok((operation.filled(&id), body))
    }
}
