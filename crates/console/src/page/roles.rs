//! Roles: the list, and one role's rights as check boxes by function.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, RoleView};
use sekisho_kernel::{Function, Lang, Right, Text, access::UserType};

use super::{Returned, Shell, again, render, shell};
use crate::{api, call::Call, messages as m, page, problem::Fault};

/// The rights of one function.
#[derive(Clone, Debug)]
pub struct MatrixGroup {
    /// The function.
    pub function: &'static Text,
    /// Its rights.
    pub rights: Vec<MatrixRight>,
}

/// A right in the matrix.
#[derive(Clone, Debug)]
pub struct MatrixRight {
    /// Its stable name.
    pub name: &'static str,
    /// Its name for people.
    pub text: &'static Text,
    /// Whether it is in the role.
    pub on: bool,
}

/// The whole catalogue by function, with these rights on.
pub fn matrix(on: &[String]) -> Vec<MatrixGroup> {
    Function::all()
        .map(|function| MatrixGroup {
            function: function.text(),
            rights: Right::all()
                .filter(|r| r.function() == function)
                .map(|r| MatrixRight { name: r.name(), text: r.text(), on: on.iter().any(|n| n == r.name()) })
                .collect(),
        })
        .filter(|g| !g.rights.is_empty())
        .collect()
}

/// So many rights, in words.
pub fn count(lang: &Lang, n: usize) -> String {
    match lang {
        Lang::Ja => format!("{n} 件の権限"),
        Lang::En => format!("{n} {}", if n == 1 { "right" } else { "rights" }),
    }
}

/// The list.
#[derive(Template)]
#[template(path = "roles.html")]
pub struct RolesPage {
    /// Shell.
    pub p: Shell,
    /// The three types, which come with rights of their own.
    pub built_in: [UserType; 3],
    /// Roles.
    pub roles: Vec<RoleView>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// The rights of a new role.
    pub matrix: Vec<MatrixGroup>,
}

/// One role.
#[derive(Template)]
#[template(path = "role.html")]
pub struct RolePage {
    /// Shell.
    pub p: Shell,
    /// The role.
    pub role: RoleView,
    /// Its rights.
    pub matrix: Vec<MatrixGroup>,
}

/// The rights that a returned form had ticked.
fn ticked(returned: Option<&Returned>) -> Option<Vec<String>> {
    returned.map(|r| r.values.iter().filter(|(n, _)| n == "rights").map(|(_, v)| v.clone()).collect())
}

/// GET /roles
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (roles, next) = if call.route.verb.mutates() {
        (call.parts.identity.roles(call.cx()?, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::roles::page(&call).await?
    };
    let mut p = shell(&call, m::ROLES).await?;
    let matrix = matrix(&ticked(returned.as_ref()).unwrap_or_default());
    p.returned = returned;
    if call.route.verb.mutates() {
        p.path = "/roles".into();
    }
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &RolesPage { p, built_in: UserType::ALL, roles, next, paged, matrix })
}

/// POST /roles
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = match input_with_rights(&call) {
        Ok(new) => call.parts.identity.create_role(call.cx()?, new).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    match made {
        Ok(role) => page::done(&format!("/roles/{}", role.id), "created"),
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

/// A form without a ticked box sends no `rights` at all: that means none.
fn input_with_rights<T: serde::de::DeserializeOwned>(call: &Call) -> Result<T, Fault> {
    let mut pairs: Vec<_> =
        call.form().into_iter().filter(|(n, _)| !matches!(n.as_str(), "csrf" | "version")).collect();
    if !pairs.iter().any(|(n, _)| n == "rights") {
        pairs.push(("rights".into(), String::new()));
    }
    let shape = call.route.body.unwrap_or(&crate::inputs::NEW_ROLE);
    crate::call::typed(shape.pairs(&pairs)?)
}

/// GET /roles/{id}
pub async fn show_one(call: Arc<Call>) -> Result<Response, Fault> {
    show_one_with(call, None).await
}

async fn show_one_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let role = call.parts.identity.role(call.cx()?, call.id("id")?).await?;
    let mut p = shell(&call, m::ROLES).await?;
    let matrix = matrix(&ticked(returned.as_ref()).unwrap_or_else(|| role.rights.clone()));
    p.title = role.name.clone();
    p.returned = returned;
    p.path = format!("/roles/{}", role.id);
    render(StatusCode::OK, &RolePage { p, role, matrix })
}

/// POST /roles/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let (id, version) = (call.id("id")?, call.needed_version()?);
        Ok(call.parts.identity.update_role(call.cx()?, id, version, input_with_rights(&call)?).await?)
    };
    match ended.await {
        Ok(role) => page::done(&format!("/roles/{}", role.id), "saved"),
        Err(fault) => again(&call, "update", fault, show_one_with).await,
    }
}

/// POST /roles/{id}/delete
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.delete_role(call.cx()?, call.id("id")?, call.version()?).await?) };
    match ended.await {
        Ok(()) => page::done("/roles", "deleted"),
        Err(fault) => again(&call, "delete", fault, show_one_with).await,
    }
}
