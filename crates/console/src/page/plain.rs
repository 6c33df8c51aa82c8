//! Sites and address rules: lists of a name and a note.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{AddressRuleView, After, SiteView};
use sekisho_kernel::{Right, Text, Time};

use super::{Returned, Shell, again, render, shell};
use crate::{api, call::Call, messages as m, page, problem::Fault};

/// The words of such a page.
#[derive(Debug)]
pub struct Words {
    /// Where it is.
    pub path: &'static str,
    /// Its heading.
    pub title: &'static Text,
    /// One line about it.
    pub lead: &'static Text,
    /// Adding one.
    pub add: &'static Text,
    /// The first field's name in the API.
    pub field: &'static str,
    /// And for people.
    pub name: &'static Text,
    /// What it takes.
    pub hint: &'static Text,
    /// When there is none.
    pub none: &'static Text,
    /// Whether it is set in a monospaced face.
    pub mono: bool,
}

/// Sites.
pub static SITES: Words = Words {
    path: "/sites",
    title: m::SITES,
    lead: m::SITES_LEAD,
    add: m::ADD_SITE,
    field: "name",
    name: m::SITE_NAME,
    hint: m::SITE_HINT,
    none: m::NO_SITES,
    mono: false,
};

/// Address rules.
pub static ADDRESSES: Words = Words {
    path: "/addresses",
    title: m::ADDRESSES,
    lead: m::ADDRESSES_LEAD,
    add: m::ADD_ADDRESS,
    field: "network",
    name: m::NETWORK,
    hint: m::NETWORK_HINT,
    none: m::NO_ADDRESSES,
    mono: true,
};

/// One row.
#[derive(Clone, Debug)]
pub struct PlainRow {
    /// Id.
    pub id: String,
    /// Version.
    pub version: i64,
    /// Name or network.
    pub name: String,
    /// Note.
    pub note: String,
    /// Last change.
    pub updated: Time,
}

impl From<SiteView> for PlainRow {
    fn from(s: SiteView) -> Self {
        Self { id: s.id.to_string(), version: s.version, name: s.name, note: s.note, updated: s.updated }
    }
}
impl From<AddressRuleView> for PlainRow {
    fn from(r: AddressRuleView) -> Self {
        Self { id: r.id.to_string(), version: r.version, name: r.network, note: r.note, updated: r.updated }
    }
}

/// What the page points out about the list as a whole.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Tone.
    pub tone: &'static str,
    /// Icon.
    pub icon: &'static str,
    /// Words.
    pub text: String,
}

/// The list.
#[derive(Template)]
#[template(path = "plain_list.html")]
pub struct PlainPage {
    /// Shell.
    pub p: Shell,
    /// Its words.
    pub words: &'static Words,
    /// Rows.
    pub rows: Vec<PlainRow>,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
    /// Whether the reader may change them.
    pub can_write: bool,
    /// What is to be said of the list.
    pub notice: Option<Notice>,
}

/// GET /sites
pub async fn sites(call: Arc<Call>) -> Result<Response, Fault> {
    show_sites(call, None).await
}

async fn show_sites(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (items, next) = if call.route.verb.mutates() {
        (call.parts.identity.sites(call.cx()?, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::sites::page(&call).await?
    };
    let rows = items.into_iter().map(PlainRow::from).collect();
    let can_write = call.may(Right::SITES_WRITE);
    show(&call, &SITES, rows, next, can_write, None, returned).await
}

/// GET /addresses
pub async fn addresses(call: Arc<Call>) -> Result<Response, Fault> {
    show_addresses(call, None).await
}

async fn show_addresses(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (items, next) = if call.route.verb.mutates() {
        (call.parts.identity.address_rules(call.cx()?, After { after: None, limit: 50 }).await?.items, None)
    } else {
        api::addresses::page(&call).await?
    };
    let (ja, en) =
        (format!("現在の接続元アドレス: {}", call.arrival.peer), format!("You come from {}.", call.arrival.peer));
    let text = if items.is_empty() {
        Text::owned(
            format!("登録がない間は、すべてのアドレスから接続できます。{ja}"),
            format!("While there is no rule, every address may come in. {en}"),
        )
    } else {
        Text::owned(
            format!("登録したアドレス範囲以外からは接続できません。{ja}"),
            format!("Only the networks below may come in. {en}"),
        )
    };
    let notice = Notice { tone: "", icon: "network", text: text.get(call.lang).to_owned() };
    let rows = items.into_iter().map(PlainRow::from).collect();
    let can_write = call.may(Right::ADDRESSES_WRITE);
    show(&call, &ADDRESSES, rows, next, can_write, Some(notice), returned).await
}

async fn show(
    call: &Call,
    words: &'static Words,
    rows: Vec<PlainRow>,
    next: Option<String>,
    can_write: bool,
    notice: Option<Notice>,
    returned: Option<Returned>,
) -> Result<Response, Fault> {
    let mut p = shell(call, words.title).await?;
    p.returned = returned;
    if call.route.verb.mutates() {
        p.path = words.path.into();
    }
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &PlainPage { p, words, rows, next, paged, can_write, notice })
}

/// POST /sites
pub async fn create_site(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.create_site(call.cx()?, call.input()?).await?) };
    match ended.await {
        Ok(_) => page::done("/sites", "created"),
        Err(fault) => again(&call, "create", fault, show_sites).await,
    }
}

/// POST /sites/{id}
pub async fn update_site(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let (id, version) = (call.id("id")?, call.needed_version()?);
        Ok(call.parts.identity.update_site(call.cx()?, id, version, call.input()?).await?)
    };
    match ended.await {
        Ok(_) => page::done("/sites", "saved"),
        Err(fault) => again(&call, call.param("id"), fault, show_sites).await,
    }
}

/// POST /sites/{id}/delete
pub async fn delete_site(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.delete_site(call.cx()?, call.id("id")?, call.version()?).await?) };
    match ended.await {
        Ok(()) => page::done("/sites", "deleted"),
        Err(fault) => again(&call, call.param("id"), fault, show_sites).await,
    }
}

/// POST /addresses
pub async fn create_address(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.create_address_rule(call.cx()?, call.input()?).await?) };
    match ended.await {
        Ok(_) => page::done("/addresses", "created"),
        Err(fault) => again(&call, "create", fault, show_addresses).await,
    }
}

/// POST /addresses/{id}
pub async fn update_address(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async {
        let (id, version) = (call.id("id")?, call.needed_version()?);
        Ok(call.parts.identity.update_address_rule(call.cx()?, id, version, call.input()?).await?)
    };
    match ended.await {
        Ok(_) => page::done("/addresses", "saved"),
        Err(fault) => again(&call, call.param("id"), fault, show_addresses).await,
    }
}

/// POST /addresses/{id}/delete
pub async fn delete_address(call: Arc<Call>) -> Result<Response, Fault> {
    let ended =
        async { Ok(call.parts.identity.delete_address_rule(call.cx()?, call.id("id")?, call.version()?).await?) };
    match ended.await {
        Ok(()) => page::done("/addresses", "deleted"),
        Err(fault) => again(&call, call.param("id"), fault, show_addresses).await,
    }
}
