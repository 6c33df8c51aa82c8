//! Signing clients: the list, one client with its unique IDs, and a key shown once.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{After, ClientIssued, ClientView, NewUniqueId, UniqueIdQuery};
use sekisho_kernel::{
    Problem, Right,
    id::{SigningClientId, UniqueIdId, UserId},
    problem::NOT_FOUND,
};
use serde::Deserialize;

use super::{Returned, Shell, again, render, shell};
use crate::{
    api,
    call::{Call, typed},
    inputs, messages as m, page,
    problem::Fault,
};

/// The list.
#[derive(Template)]
#[template(path = "clients.html")]
pub struct ClientsPage {
    /// Shell.
    pub p: Shell,
    /// Clients.
    pub clients: Vec<ClientView>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

/// A unique ID with the person's name.
#[derive(Clone, Debug)]
pub struct LinkRow {
    /// The unique ID's record.
    pub id: UniqueIdId,
    /// As the application writes it.
    pub unique_id: String,
    /// The person.
    pub user: UserId,
    /// What people call them.
    pub name: String,
}

/// One client.
#[derive(Template)]
#[template(path = "client.html")]
pub struct ClientPage {
    /// Shell.
    pub p: Shell,
    /// The client.
    pub client: ClientView,
    /// Its first 200 unique IDs.
    pub links: Vec<LinkRow>,
}

/// A key, shown once.
#[derive(Template)]
#[template(path = "client_issued.html")]
pub struct ClientIssuedPage {
    /// Shell.
    pub p: Shell,
    /// The client.
    pub client: ClientView,
    /// Its key.
    pub key: String,
}

/// GET /clients
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (clients, next) = if call.route.verb.mutates() {
        (call.parts.identity.clients(call.cx()?, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::clients::page(&call).await?
    };
    let mut p = shell(&call, m::CLIENTS).await?;
    p.returned = returned;
    if call.route.verb.mutates() {
        p.path = "/clients".into();
    }
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &ClientsPage { p, clients, next, paged })
}

async fn issued(call: &Call, issued: ClientIssued) -> Result<Response, Fault> {
    let mut p = shell(call, m::CLIENT_ISSUED).await?;
    p.path = format!("/clients/{}", issued.client.id);
    render(StatusCode::OK, &ClientIssuedPage { p, client: issued.client, key: issued.secret.reveal().clone() })
}

/// POST /clients
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async { Ok(call.parts.identity.create_client(call.cx()?, call.input()?).await?) };
    match made.await {
        Ok(made) => issued(&call, made).await,
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

/// GET /clients/{id}
pub async fn show_one(call: Arc<Call>) -> Result<Response, Fault> {
    show_one_with(call, None).await
}

async fn show_one_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (cx, identity) = (call.cx()?, &call.parts.identity);
    let id: SigningClientId = call.id("id")?;
    let client = identity.client(cx, id).await?;
    let query = UniqueIdQuery { client: Some(id), limit: 200, ..UniqueIdQuery::default() };
    let links = identity.unique_ids(cx, query).await?.items;
    let names: HashMap<UserId, String> = identity.names(cx, links.iter().map(|l| l.user).collect()).await?;
    let links = links
        .into_iter()
        .map(|l| LinkRow {
            id: l.id,
            unique_id: l.unique_id,
            user: l.user,
            name: names.get(&l.user).cloned().unwrap_or_else(|| l.user.to_string()),
        })
        .collect();
    let mut p = shell(&call, m::CLIENTS).await?;
    p.title = client.name.clone();
    p.returned = returned;
    p.path = format!("/clients/{id}");
    render(StatusCode::OK, &ClientPage { p, client, links })
}

async fn back<T>(call: &Arc<Call>, form: &str, code: &str, ended: Result<T, Fault>) -> Result<Response, Fault> {
    match ended {
        Ok(_) => page::done(&format!("/clients/{}", call.param("id")), code),
        Err(fault) => again(call, form, fault, show_one_with).await,
    }
}

/// POST /clients/{id}
pub async fn update(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let (id, version) = (call.id("id")?, call.needed_version()?);
        Ok(call.parts.identity.update_client(call.cx()?, id, version, call.input()?).await?)
    };
    let ended = ended.await;
    back(&call, "update", "saved", ended).await
}

/// POST /clients/{id}/delete
pub async fn delete(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.delete_client(call.cx()?, call.id("id")?, call.version()?).await?) };
    match ended.await {
        Ok(()) => page::done("/clients", "deleted"),
        Err(fault) => again(&call, "delete", fault, show_one_with).await,
    }
}

/// POST /clients/{id}/key
pub async fn renew(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.renew_client(call.cx()?, call.id("id")?).await?) };
    match ended.await {
        Ok(made) => issued(&call, made).await,
        Err(fault) => again(&call, "key", fault, show_one_with).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkForm {
    user: String,
    unique_id: String,
}

/// POST /clients/{id}/unique-ids
pub async fn link(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let pairs: Vec<_> = call.form().into_iter().filter(|(n, _)| n != "csrf").collect();
        let given: LinkForm = typed(inputs::UNIQUE_ID_FORM.pairs(&pairs)?)?;
        let (cx, identity) = (call.cx()?, &call.parts.identity);
        // The act itself says who may; a name that nobody has is told only to who may see people.
        let user = identity.user_named(cx, &given.user).await?.filter(|_| call.may(Right::USERS_READ));
        let user = user.ok_or_else(|| Fault::field("user", m::NOBODY_OF_THAT_NAME.clone()))?;
        let new = NewUniqueId { client: call.id("id")?, user, unique_id: given.unique_id };
        Ok(identity.create_unique_id(cx, new).await?)
    };
    let ended = ended.await;
    back(&call, "link", "created", ended).await
}

/// POST /clients/{id}/unique-ids/{unique}/delete
pub async fn unlink(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let id: UniqueIdId = call.param("unique").parse().map_err(|_| Fault::own(Problem::new(&NOT_FOUND)))?;
        Ok(call.parts.identity.delete_unique_id(call.cx()?, id).await?)
    };
    let ended = ended.await;
    back(&call, "unlink", "deleted", ended).await
}
