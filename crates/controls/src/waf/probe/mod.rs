//! Probes of the firewall: attacks against every public route (DX-03), and its feed of rule sets (DX-14).

mod attacked;
mod fed;

use sekisho_kernel::{claim::Probe, world::Answer};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(attacked::EveryRoute), Box::new(fed::Feed)]
}

/// The code of the door's answer to a request that the firewall has blocked.
const BLOCKED: &str = "SK-5020";

/// Whether the firewall has blocked it, by the answer's own word.
fn blocked(answer: &Answer) -> bool {
    answer.status == 403 && answer.json().get("code").and_then(serde_json::Value::as_str) == Some(BLOCKED)
}
