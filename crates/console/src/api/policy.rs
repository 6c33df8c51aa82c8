//! The policy in force, and the functions that can be switched off.

use std::sync::Arc;

use axum::response::Response;
use sekisho_controls::{
    CONTROLS,
    catalogue::{self, ClaimFile},
};
use sekisho_identity::types::{PolicyView, SettingView};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::OffInput;
use crate::{call::Call, problem::Fault, reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    value: Value,
}

/// A setting, and the promises that its control keeps.
#[derive(Serialize)]
struct Promising {
    #[serde(flatten)]
    setting: SettingView,
    claims: Vec<&'static str>,
}

impl Promising {
    /// Those of one paper, where the policy in force is that paper's own.
    fn new(setting: SettingView, paper: Option<ClaimFile>) -> Self {
        let section = setting.key.split('.').next().unwrap_or_default();
        let kept = CONTROLS.iter().filter(|c| c.section == section).flat_map(|c| c.claims.iter().map(|spec| spec.id));
        let of_paper = |id: &&str| paper.is_none_or(|p| catalogue::by_id(id).is_some_and(|c| c.file == p));
        let claims = kept.filter(of_paper).collect();
        Self { setting, claims }
    }
}

fn paper(call: &Call) -> Option<ClaimFile> {
    ClaimFile::from_slug(call.arrival.policy.platform.name())
}

/// GET /policy
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    let PolicyView { name, digest, settings } = call.parts.identity.policy(call.cx()?).await?;
    let paper = ClaimFile::from_slug(&name);
    let settings: Vec<Promising> = settings.into_iter().map(|view| Promising::new(view, paper)).collect();
    reply::ok(&json!({ "name": name, "digest": digest, "settings": settings }))
}

/// PUT /policy/{key}
pub async fn set(call: Arc<Call>) -> Result<Response, Fault> {
    let given: Setting = call.input()?;
    let set = call.parts.identity.set_policy(call.cx()?, call.param("key"), given.value).await?;
    reply::ok(&Promising::new(set, paper(&call)))
}

/// DELETE /policy/{key}
pub async fn clear(call: Arc<Call>) -> Result<Response, Fault> {
    let cleared = call.parts.identity.clear_policy(call.cx()?, call.param("key")).await?;
    reply::ok(&Promising::new(cleared, paper(&call)))
}

/// GET /functions
pub async fn functions(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&json!({ "functions": call.parts.identity.functions(call.cx()?).await? }))
}

/// PUT /functions
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let given: OffInput = call.input()?;
    reply::ok(&json!({ "functions": call.parts.identity.switch_functions(call.cx()?, given.off).await? }))
}
