//! Judged sign-ins: shown, and judged again under other settings.

use std::sync::Arc;

use axum::response::Response;
use sekisho_identity::types::{RiskDecision, RiskQuery};
use sekisho_kernel::Right;

use crate::{call::Call, problem::Fault, reply};

/// GET /risk
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    let act = call.act(Right::HISTORY_READ, "risk")?;
    let sources = call.parts.identity.risk_sources(call.cx()?).await;
    reply::ok(&call.parts.vault.look(call.cx()?, act, move |_| Ok(sources)).await?)
}

/// One page of them.
pub(crate) async fn page(call: &Call) -> Result<(Vec<RiskDecision>, Option<String>), Fault> {
    let given = call.filter()?;
    let risky = given.get("risky").and_then(serde_json::Value::as_bool).unwrap_or_default();
    let query = RiskQuery { before: call.position("risk").await?, limit: call.limit(&given), risky };
    let (found, next) = call.parts.identity.risk_decisions(call.cx()?, query).await?;
    let next = call.next("risk", next).await?;
    Ok((found, next))
}

/// GET /risk/decisions
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let (items, next) = page(&call).await?;
    reply::list(&items, next.as_deref())
}

/// POST /risk/replay
pub async fn replay(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.replay_risk(call.cx()?, call.input()?).await?)
}
