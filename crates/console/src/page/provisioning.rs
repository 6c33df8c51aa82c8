//! Provisioning by SCIM: the address and the token for the identity provider, what its groups give, and what it did last.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, ConnectionView, GroupMap, MappedGroupView, NewConnection};
use sekisho_kernel::{ProblemKind, Right, Text, id::EntryId, problem::*};
use sekisho_vault::history::{Filter, Row};

use super::{Choice, Mark, Returned, Shell, again, history, render, shell, site_choices, tokens::TokenIssuedPage};
use crate::{
    api::{self, scim::base},
    call::{Call, typed},
    inputs, messages as m, page,
    problem::{Fault, SCIM_METHOD, SCIM_NOT_IMPLEMENTED, SCIM_TOO_LARGE},
};

const HERE: &str = "/provisioning";
/// How many of each connection's newest calls are shown.
const NEWEST: u32 = 20;

/// A call of an identity provider.
#[derive(Clone, Debug)]
pub struct CallRow {
    /// The entry's id.
    pub id: EntryId,
    /// When, UTC.
    pub at: String,
    /// When, in the page's zone.
    pub local_time: String,
    /// What.
    pub says: Text,
    /// `object.verb`.
    pub event: String,
    /// How it ended, as a chip.
    pub outcome: Mark,
    /// On what.
    pub target: String,
    /// The problem's code.
    pub code: String,
    /// What went wrong.
    pub why: Option<&'static ProblemKind>,
    /// Which attribute.
    pub place: String,
    /// Names of attributes that were not kept.
    pub ignored: String,
}

/// The page.
#[derive(Template)]
#[template(path = "provisioning.html")]
pub struct ProvisioningPage {
    /// Shell.
    pub p: Shell,
    /// Where the identity provider is to call.
    pub address: String,
    /// Whether the policy lets it.
    pub open: bool,
    /// Connections.
    pub connections: Vec<ConnectionView>,
    /// The OpenID providers whose subjects a connection's identifiers may be; empty for who may not say so.
    pub providers: Vec<Choice>,
    /// Groups.
    pub groups: Vec<MappedGroupView>,
    /// Roles to choose from.
    pub roles: Vec<Choice>,
    /// Sites to choose from.
    pub sites: Vec<Choice>,
    /// The newest calls; `None` for who may not read the history.
    pub calls: Option<Vec<CallRow>>,
    /// The next page of groups.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

/// What a code of an entry stands for.
fn explained(code: &str) -> Option<&'static ProblemKind> {
    let own: [&'static ProblemKind; 9] = [
        &SCIM_METHOD,
        &SCIM_NOT_IMPLEMENTED,
        &SCIM_TOO_LARGE,
        &INVALID,
        &NOT_FOUND,
        &FORBIDDEN,
        &CONFLICT,
        &UNAUTHENTICATED,
        &crate::problem::MALFORMED,
    ];
    let identity = sekisho_identity::problems::ALL.iter().copied();
    own.into_iter().chain(identity).find(|k| k.code == code)
}

fn row(row: &Row, call: &Call) -> CallRow {
    let said = |names: &[&str]| {
        let found = row.detail.iter().find(|(n, _)| names.contains(&n.as_str()));
        found.map(|(_, v)| v.clone()).unwrap_or_default()
    };
    let known = sekisho_kernel::event::by_name(&row.event).map(|e| e.text.clone());
    let code = said(&["problem", "code"]);
    CallRow {
        id: row.id,
        at: row.at.rfc3339(),
        local_time: row.at.in_zone(&call.zone),
        says: known.unwrap_or_else(|| Text::owned(row.event.clone(), row.event.clone())),
        event: row.event.clone(),
        outcome: history::outcome(row.outcome.name()),
        target: row.object.clone(),
        why: explained(&code),
        code,
        place: said(&["place"]),
        ignored: said(&["ignored"]),
    }
}

/// The newest calls of all connections.
async fn calls(call: &Call, connections: &[ConnectionView]) -> Result<Option<Vec<CallRow>>, Fault> {
    if !call.may(Right::HISTORY_READ) {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for connection in connections.iter().take(20) {
        let filter = Filter { actor: Some(connection.user.to_string()), limit: NEWEST, ..Filter::default() };
        rows.extend(call.parts.vault.history(&call.scope(), filter).await.map_err(Fault::own)?.rows);
    }
    rows.sort_by_key(|r| std::cmp::Reverse(r.id));
    rows.truncate(usize::try_from(NEWEST).unwrap_or(20));
    Ok(Some(rows.iter().map(|r| row(r, call)).collect()))
}

/// GET /provisioning
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (cx, identity) = (call.cx()?, &call.parts.identity);
    let connections = identity.connections(cx).await?;
    let (groups, next) = if call.route.verb.mutates() {
        (identity.mapped_groups(cx, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::provisioning::page(&call).await?
    };
    let maps = call.may(Right::GRANTS_WRITE) && call.may(Right::ROLES_READ) && !groups.is_empty();
    let (mut roles, mut sites) = (Vec::new(), Vec::new());
    if maps {
        roles.push(Choice::new("", m::NO_ROLE.get(call.lang)));
        let all = identity.roles(cx, After { after: None, limit: 200 }).await?.items;
        roles.extend(all.into_iter().map(|r| Choice::new(r.id.to_string(), r.name)));
        sites = site_choices(&page::sites(&call).await?, m::WHOLE_TENANT, call.lang);
    }
    let mut providers = Vec::new();
    if call.may(Right::FEDERATION_WRITE) && call.may(Right::FEDERATION_READ) && call.may(Right::TOKENS_WRITE) {
        let all = identity.providers(cx, After { after: None, limit: 200 }).await?.items;
        providers
            .extend(all.into_iter().filter(|p| p.protocol == "oidc").map(|p| Choice::new(p.id.to_string(), p.name)));
        if !providers.is_empty() {
            providers.insert(0, Choice::new("", m::SCIM_SUBJECTS_NONE.get(call.lang)));
        }
    }
    let calls = calls(&call, &connections).await?;
    let mut p = shell(&call, m::PROVISIONING).await?;
    if call.route.verb.mutates() {
        p.path = HERE.into();
    }
    p.returned = returned;
    let open = call.parts.gates.provisioning(&call.arrival.policy).scim;
    let paged = call.asked("after").is_some();
    let (address, page) = (base(&call), next);
    let page =
        ProvisioningPage { p, address, open, connections, providers, groups, roles, sites, calls, next: page, paged };
    render(StatusCode::OK, &page)
}

/// POST /provisioning
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let mut pairs: Vec<(String, String)> = call.form().into_iter().filter(|(n, _)| n != "csrf").collect();
        let line: Vec<(String, String)> = pairs.extract_if(.., |(n, _)| n == "networks").collect();
        let each = line.iter().flat_map(|(_, line)| line.split_whitespace());
        pairs.extend(each.map(|n| ("networks".to_owned(), n.to_owned())));
        let new: NewConnection = typed(inputs::NEW_CONNECTION.pairs(&pairs)?)?;
        Ok(call.parts.identity.create_connection(call.cx()?, new).await?)
    };
    match made.await {
        Ok(made) => {
            let mut p = shell(&call, m::TOKEN_ISSUED).await?;
            p.path = HERE.into();
            let name = format!("{} — {}", made.token.name, base(&call));
            let page = TokenIssuedPage { p, name, text: made.text.reveal().clone(), onward: HERE };
            render(StatusCode::OK, &page)
        }
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

/// POST /provisioning/{id}/delete
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.delete_user(call.cx()?, call.id("id")?, None).await?;
    page::done(HERE, "deleted")
}

/// POST /provisioning/tokens/{id}/end
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.end_token(call.cx()?, call.id("id")?).await?;
    page::done(HERE, "token-ended")
}

/// POST /provisioning/groups/{id}
pub async fn map(call: Arc<Call>) -> Result<Response, Fault> {
    let done = async {
        let pairs: Vec<_> =
            call.form().into_iter().filter(|(n, _)| !matches!(n.as_str(), "csrf" | "version")).collect();
        let map: GroupMap = typed(inputs::GROUP_MAP.pairs(&pairs)?)?;
        Ok(call.parts.identity.map_group(call.cx()?, call.id("id")?, call.version()?, map).await?)
    };
    match done.await {
        Ok(_) => page::done(HERE, "saved"),
        Err(fault) => again(&call, "map", fault, show_with).await,
    }
}

impl ProvisioningPage {
    /// The name of a role; its id where it cannot be read.
    pub fn role(&self, group: &MappedGroupView) -> String {
        let Some(role) = group.role else { return m::NO_ROLE.get(self.p.lang).to_owned() };
        let id = role.to_string();
        self.roles.iter().find(|c| c.value == id).map_or(id, |c| c.label.clone())
    }
}

/// Role and site of a group, as a form's values.
pub fn chosen(group: &MappedGroupView) -> (String, String) {
    (group.role.map(|r| r.to_string()).unwrap_or_default(), group.site.map(|s| s.to_string()).unwrap_or_default())
}
