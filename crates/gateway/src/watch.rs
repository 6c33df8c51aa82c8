//! Connections that outlive their request (WebSockets, event streams) are asked about again and again: whether the
//! session, the address and the right still hold. Asking never prolongs a session.

use std::time::Duration;

use sekisho_kernel::{Problem, Secret, gate::Decision, hook::Knock};
use tokio::sync::oneshot;

use crate::{connection::Line, phases, way::Way};

/// How often. "At once" means within a second.
const EVERY: Duration = Duration::from_millis(500);

/// A session being watched.
pub(crate) struct Watch {
    line: std::sync::Arc<Line>,
    knock: Knock,
    token: Secret<String>,
}

impl Watch {
    /// For the request's session; `None` where nothing is to be watched, because the re-check was taken out.
    pub fn of(way: &Way) -> Option<Self> {
        let recheck = way.tenant.as_ref().is_none_or(|t| t.recheck);
        let token = way.token.clone().filter(|_| recheck)?;
        Some(Self { line: way.line.clone(), knock: way.knock(false), token })
    }

    /// Completes when the session, the address or the right no longer hold, or cannot be asked about.
    pub async fn until_over(mut self) {
        loop {
            let clock = &self.line.door.clock;
            tokio::select! {
                () = clock.due(clock.now().plus(EVERY)) => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Err(problem) = self.ask().await {
                tracing::debug!(trace = %self.knock.trace, ?problem, "an open connection's session is over");
                return;
            }
        }
    }

    /// Holds `alive` until the session is over, or until nobody cares any more.
    pub async fn hold(self, mut alive: oneshot::Sender<()>) {
        tokio::select! {
            () = self.until_over() => {}
            () = alive.closed() => {}
        }
    }

    async fn ask(&mut self) -> Result<(), Problem> {
        let parts = &self.line.door.parts;
        let host = &self.knock.host;
        self.knock.policy = parts.directory.effective(host.tenant).await?;
        let lists = parts.directory.addresses(host.tenant).await?;
        if let Decision::Refuse(kind) = parts.gates.address(&lists, self.knock.peer) {
            return Err(Problem::new(kind));
        }
        let passage = parts.sessions.resolve(&self.knock, &self.token).await?;
        match phases::may_use(&*parts.gates, &passage, host) {
            Decision::Allow => Ok(()),
            Decision::Refuse(kind) => Err(Problem::new(kind)),
        }
    }
}
