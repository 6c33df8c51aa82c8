//! The door's entries, written through the vault.

use async_trait::async_trait;
use sekisho_kernel::{Cx, Event, Outcome, Problem, hook::Journal};
use sekisho_vault::Vault;

/// Enters what the door sees.
pub struct VaultJournal(pub Vault);

#[async_trait]
impl Journal for VaultJournal {
    async fn enter(
        &self,
        cx: &Cx,
        event: &'static Event,
        outcome: Outcome,
        target: &str,
        detail: Vec<(&'static str, String)>,
    ) -> Result<(), Problem> {
        self.0.enter(cx, event, outcome, target, detail).await
    }
}
