//! Users: the list, one account, and what can be done to it.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, FunctionView, GrantQuery, NewGrant, UserState, UserView};
use sekisho_kernel::{
    Function, Lang, Right, Secret,
    access::UserType,
    id::{GrantId, UserId},
    percent::encode,
};
use serde::Deserialize;

use super::{Choice, Mark, Returned, Shell, again, render, shell, site_choices, sites};
use crate::{
    api,
    call::{Call, typed},
    inputs, messages as m, page,
    problem::Fault,
};

/// The list.
#[derive(Template)]
#[template(path = "users.html")]
pub struct UsersPage {
    /// Shell.
    pub p: Shell,
    /// Accounts.
    pub users: Vec<UserView>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// What is searched for.
    pub text: String,
    /// Types to choose from.
    pub types: Vec<Choice>,
    /// Sites to choose from.
    pub sites: Vec<Choice>,
}

/// A role somebody holds.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// The grant.
    pub id: GrantId,
    /// The role's name.
    pub role: String,
    /// Where it holds.
    pub scope: String,
}

/// One account.
#[derive(Template)]
#[template(path = "user.html")]
pub struct UserPage {
    /// Shell.
    pub p: Shell,
    /// The account.
    pub user: UserView,
    /// Whether it is disabled.
    pub disabled: bool,
    /// Its mail address.
    pub mail: String,
    /// Its site.
    pub site: String,
    /// Types to choose from.
    pub types: Vec<Choice>,
    /// Sites to choose from.
    pub sites: Vec<Choice>,
    /// Where a grant can hold.
    pub scopes: Vec<Choice>,
    /// Functions, off or on for this person.
    pub functions: Vec<FunctionView>,
    /// Roles held, for who may read roles.
    pub grants: Option<Vec<GrantRow>>,
    /// Roles to choose from.
    pub roles: Vec<Choice>,
}

/// A link, shown once.
#[derive(Template)]
#[template(path = "issued.html")]
pub struct IssuedPage {
    /// Shell.
    pub p: Shell,
    /// The account.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// The address to hand over.
    pub link: String,
}

/// The account's state as a chip.
pub fn state(user: &UserView) -> Mark {
    match user.state {
        _ if user.locked_until.is_some() => Mark { tone: "bad", icon: "lock", text: m::STATE_LOCKED },
        UserState::Active => Mark { tone: "good", icon: "check", text: m::STATE_ACTIVE },
        UserState::Invited => Mark { tone: "info", icon: "clock", text: m::STATE_INVITED },
        UserState::Disabled => Mark { tone: "mute", icon: "dash", text: m::STATE_DISABLED },
    }
}

/// The types to choose from.
pub fn types(lang: Lang) -> Vec<Choice> {
    UserType::ALL.into_iter().rev().map(|t| Choice::new(t.name(), t.text().get(lang))).collect()
}

/// GET /users
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (users, next) = if call.route.verb.mutates() {
        let query = sekisho_identity::types::UserQuery { limit: 50, ..Default::default() };
        let found = call.parts.identity.users(call.cx()?, query).await?;
        (found.items, None)
    } else {
        api::users::page(&call).await?
    };
    let all_sites = if call.may(Right::USERS_WRITE) { sites(&call).await? } else { Vec::new() };
    let mut p = shell(&call, m::USERS).await?;
    p.returned = returned;
    if call.route.verb.mutates() {
        p.path = "/users".into();
    }
    let page = UsersPage {
        users,
        next,
        paged: call.asked("after").is_some(),
        text: call.asked("text").unwrap_or_default(),
        types: types(call.lang),
        sites: site_choices(&all_sites, m::NO_SITE, call.lang),
        p,
    };
    render(StatusCode::OK, &page)
}

/// POST /users
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = match call.input() {
        Ok(new) => call.parts.identity.create_user(call.cx()?, new).await.map_err(Fault::from),
        Err(fault) => Err(fault),
    };
    match made {
        Ok(made) => match made.link {
            Some(link) => issued(&call, made.user.id, made.user.display_name, &link).await,
            None => page::done(&format!("/users/{}", made.user.id), "created"),
        },
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

async fn issued(call: &Call, user: UserId, name: String, link: &Secret<String>) -> Result<Response, Fault> {
    let p = shell(call, m::LINK_ISSUED).await?;
    let port = if call.arrival.port == 443 { String::new() } else { format!(":{}", call.arrival.port) };
    let link = format!("https://{}{port}/link?token={}", call.arrival.host.host, encode(link.reveal()));
    render(StatusCode::OK, &IssuedPage { p, user, name, link })
}

/// GET /users/{id}
pub async fn show_one(call: Arc<Call>) -> Result<Response, Fault> {
    show_one_with(call, None).await
}

async fn show_one_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let cx = call.cx()?;
    let identity = &call.parts.identity;
    let id: UserId = call.id("id")?;
    let user = identity.user(cx, id).await?;
    let all_sites =
        if call.may(Right::USERS_WRITE) || call.may(Right::ROLES_READ) { sites(&call).await? } else { Vec::new() };
    let (grants, roles) = if call.may(Right::ROLES_READ) {
        let roles = identity.roles(cx, After { after: None, limit: 200 }).await?.items;
        let held = identity.grants(cx, GrantQuery { user: Some(id), limit: 200, ..Default::default() }).await?.items;
        let names: HashMap<_, _> = roles.iter().map(|r| (r.id, r.name.clone())).collect();
        let places: HashMap<_, _> = all_sites.iter().map(|s| (s.id, s.name.clone())).collect();
        let rows = held
            .into_iter()
            .map(|g| GrantRow {
                id: g.id,
                role: names.get(&g.role).cloned().unwrap_or_else(|| g.role.to_string()),
                scope: match g.site {
                    None => m::WHOLE_TENANT.get(call.lang).to_owned(),
                    Some(site) => places.get(&site).cloned().unwrap_or_else(|| site.to_string()),
                },
            })
            .collect();
        (Some(rows), roles.into_iter().map(|r| Choice::new(r.id.to_string(), r.name)).collect())
    } else {
        (None, Vec::new())
    };
    let mut p = shell(&call, m::USERS).await?;
    p.title = user.display_name.clone();
    p.returned = returned;
    p.path = format!("/users/{id}");
    let functions = Function::all()
        .map(|f| FunctionView {
            name: f.name(),
            text: f.text().clone(),
            off: user.functions_off.iter().any(|off| off == f.name()),
        })
        .collect();
    let page = UserPage {
        disabled: user.state == UserState::Disabled,
        mail: user.mail.clone().unwrap_or_default(),
        site: user.site.map(|s| s.to_string()).unwrap_or_default(),
        types: types(call.lang),
        sites: site_choices(&all_sites, m::NO_SITE, call.lang),
        scopes: site_choices(&all_sites, m::WHOLE_TENANT, call.lang),
        functions,
        grants,
        roles,
        user,
        p,
    };
    render(StatusCode::OK, &page)
}

/// Back to the account, which says what was done; or the account again, with what is wrong.
async fn back<T>(call: &Arc<Call>, form: &str, code: &str, ended: Result<T, Fault>) -> Result<Response, Fault> {
    match ended {
        Ok(_) => page::done(&format!("/users/{}", call.param("id")), code),
        Err(fault) => again(call, form, fault, show_one_with).await,
    }
}

/// POST /users/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let (id, version) = (call.id("id")?, call.needed_version()?);
        Ok(call.parts.identity.update_user(call.cx()?, id, version, call.input()?).await?)
    };
    let ended = ended.await;
    back(&call, "update", "saved", ended).await
}

/// POST /users/{id}/delete
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.delete_user(call.cx()?, call.id("id")?, call.version()?).await?) };
    match ended.await {
        Ok(()) => page::done("/users", "deleted"),
        Err(fault) => again(&call, "delete", fault, show_one_with).await,
    }
}

/// POST /users/{id}/disable
pub async fn disable(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.disable_user(call.cx()?, call.id("id")?).await?) }.await;
    back(&call, "disable", "disabled", ended).await
}

/// POST /users/{id}/enable
pub async fn enable(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.enable_user(call.cx()?, call.id("id")?).await?) }.await;
    back(&call, "enable", "enabled", ended).await
}

/// POST /users/{id}/unlock
pub async fn unlock(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.unlock_user(call.cx()?, call.id("id")?).await?) }.await;
    back(&call, "unlock", "unlocked", ended).await
}

/// POST /users/{id}/invite
pub async fn invite(call: Arc<Call>) -> Result<Response, Fault> {
    let id: UserId = call.id("id")?;
    let issued_link = call.parts.identity.invite_user(call.cx()?, id).await.map_err(Fault::from);
    match issued_link {
        Ok(link) => {
            let names = call.parts.identity.names(call.cx()?, vec![id]).await?;
            issued(&call, id, names.get(&id).cloned().unwrap_or_default(), &link).await
        }
        Err(fault) => again(&call, "invite", fault, show_one_with).await,
    }
}

/// The functions that a form's check boxes leave out.
pub fn off(call: &Call) -> Result<Vec<String>, Fault> {
    let on: Vec<String> = call.form().into_iter().filter(|(n, _)| n == "on").map(|(_, v)| v).collect();
    if let Some(unknown) = on.iter().find(|name| Function::by_name(name).is_none()) {
        let pair = [("off".to_owned(), unknown.clone())];
        inputs::OFF.pairs(&pair)?;
    }
    Ok(Function::all().map(Function::name).filter(|n| !on.iter().any(|o| o == n)).map(str::to_owned).collect())
}

/// POST /users/{id}/functions
pub async fn switch(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let off = off(&call)?;
        Ok(call.parts.identity.switch_user(call.cx()?, call.id("id")?, off).await?)
    };
    let ended = ended.await;
    back(&call, "functions", "saved", ended).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantForm {
    role: sekisho_kernel::id::RoleId,
    site: Option<sekisho_kernel::id::SiteId>,
}

/// POST /users/{id}/grants
pub async fn grant(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let pairs: Vec<_> = call.form().into_iter().filter(|(n, _)| n != "csrf").collect();
        let given: GrantForm = typed(inputs::GRANT_FORM.pairs(&pairs)?)?;
        let new = NewGrant { user: call.id("id")?, role: given.role, site: given.site };
        Ok(call.parts.identity.create_grant(call.cx()?, new).await?)
    };
    let ended = ended.await;
    back(&call, "grant", "granted", ended).await
}

/// POST /users/{id}/grants/{grant}/delete
pub async fn revoke(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.delete_grant(call.cx()?, call.id("grant")?).await?) }.await;
    back(&call, "revoke", "revoked", ended).await
}
