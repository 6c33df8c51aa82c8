//! Relations: the list, adding and ending one, and why two people may or may not reach each other.

use std::sync::Arc;

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::{
    After, Between, NewRelation, RelationQuery, RelationState, RelationView, Side, SideView, WhyReach,
};
use sekisho_kernel::{Right, Text, id::UserId};
use serde::Deserialize;

use super::{Choice, Mark, Returned, Shell, again, history::day_in, render, shell, sites};
use crate::{
    api,
    call::{Call, typed},
    inputs, messages as m, page,
    problem::Fault,
};

/// The list.
#[derive(Template)]
#[template(path = "relations.html")]
pub struct RelationsPage {
    /// Shell.
    pub p: Shell,
    /// Relations.
    pub rows: Vec<RelationView>,
    /// A person by name, every role and every site.
    pub groups: Vec<Choice>,
    /// Whether everybody may reach everybody, whatever relations there are.
    pub everyone: bool,
    /// The next page.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub paged: bool,
}

/// Two people.
#[derive(Template)]
#[template(path = "relation_between.html")]
pub struct BetweenPage {
    /// Shell.
    pub p: Shell,
    /// The sign-in name of the one.
    pub one: String,
    /// And of the other.
    pub other: String,
    /// The answer, once both are given.
    pub found: Option<Between>,
}

impl BetweenPage {
    /// Why, or why not.
    pub fn why(&self, found: &Between) -> &str {
        self.p.t(why(found.why))
    }
}

/// What kind of side it is.
pub fn kind(side: &SideView) -> &'static Text {
    match side.id {
        Side::Person(_) => m::PERSON,
        Side::Role(_) => m::ROLE,
        Side::Site(_) => m::SITE,
    }
}

/// The state as a chip.
pub fn state(row: &RelationView) -> Mark {
    match row.state {
        RelationState::Current => Mark { tone: "good", icon: "check", text: m::RELATION_CURRENT },
        RelationState::Planned => Mark { tone: "info", icon: "clock", text: m::RELATION_PLANNED },
        RelationState::Ended => Mark { tone: "mute", icon: "dash", text: m::RELATION_ENDED },
    }
}

/// Whether it has ended.
pub fn over(row: &RelationView) -> bool {
    row.state == RelationState::Ended
}

/// Why two people may reach each other, or may not.
pub const fn why(why: WhyReach) -> &'static Text {
    match why {
        WhyReach::Everyone => m::WHY_EVERYONE,
        WhyReach::Related => m::WHY_RELATED,
        WhyReach::NotRelated => m::WHY_NOT_RELATED,
        WhyReach::NotActive => m::WHY_NOT_ACTIVE,
        WhyReach::OnePerson => m::WHY_ONE_PERSON,
    }
}

/// What a side can be: a person by name, or a role or site from the list.
pub fn groups(p: &Shell, roles: &[(String, String)], sites: &[(String, String)]) -> Vec<Choice> {
    let mut out = vec![Choice::new("", p.t(m::RELATION_BY_NAME))];
    for (kind, list) in [(m::ROLE, roles), (m::SITE, sites)] {
        out.extend(list.iter().map(|(id, name)| Choice::new(id.clone(), format!("{}: {name}", p.t(kind)))));
    }
    out
}

/// GET /relations
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    show_with(call, None).await
}

async fn show_with(call: Arc<Call>, returned: Option<Returned>) -> Result<Response, Fault> {
    let (rows, next) = if call.route.verb.mutates() {
        let query = RelationQuery { limit: 50, ..RelationQuery::default() };
        (call.parts.identity.relations(call.cx()?, query).await?.items, None)
    } else {
        api::relations::page(&call).await?
    };
    let mut p = shell(&call, m::RELATIONS).await?;
    p.returned = returned;
    if call.route.verb.mutates() {
        p.path = "/relations".into();
    }
    let may_write = p.may(Right::RELATIONS_WRITE);
    let roles = if may_write && p.may(Right::ROLES_READ) {
        call.parts.identity.roles(call.cx()?, After { after: None, limit: 200 }).await?.items
    } else {
        Vec::new()
    };
    let roles: Vec<_> = roles.into_iter().map(|r| (r.id.to_string(), r.name)).collect();
    let places = if may_write { sites(&call).await? } else { Vec::new() };
    let places: Vec<_> = places.into_iter().map(|s| (s.id.to_string(), s.name)).collect();
    let groups = groups(&p, &roles, &places);
    let everyone = call.parts.gates.relations(&call.arrival.policy).everyone;
    let paged = call.asked("after").is_some();
    render(StatusCode::OK, &RelationsPage { p, rows, groups, everyone, next, paged })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RelationForm {
    #[serde(default)]
    one_group: Option<Side>,
    #[serde(default)]
    one: Option<String>,
    #[serde(default)]
    other_group: Option<Side>,
    #[serde(default)]
    other: Option<String>,
    #[serde(default)]
    starts: Option<String>,
    #[serde(default)]
    ends: Option<String>,
    #[serde(default)]
    note: String,
}

/// The person with a sign-in name, as far as the reader may see people.
async fn named(call: &Call, field: &str, name: Option<&str>) -> Result<UserId, Fault> {
    let found = match name.map(str::trim).filter(|n| !n.is_empty()) {
        Some(name) if call.may(Right::USERS_READ) => call.parts.identity.user_named(call.cx()?, name).await?,
        _ => None,
    };
    found.ok_or_else(|| Fault::field(field, m::NOBODY_OF_THAT_NAME.clone()))
}

/// POST /relations
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = async {
        let given: RelationForm = call.input()?;
        let one = match given.one_group {
            Some(side) => side,
            None => Side::Person(named(&call, "one", given.one.as_deref()).await?),
        };
        let other = match given.other_group {
            Some(side) => side,
            None => Side::Person(named(&call, "other", given.other.as_deref()).await?),
        };
        let day = |text: &Option<String>| text.as_deref().and_then(|day| day_in(&call.zone, day));
        let (starts, ends) = (day(&given.starts).map(|(first, _)| first), day(&given.ends).map(|(_, after)| after));
        let new = NewRelation { one, other, note: given.note, starts, ends };
        Ok(call.parts.identity.create_relation(call.cx()?, new).await?)
    };
    match made.await {
        Ok(_) => page::done("/relations", "created"),
        Err(fault) => again(&call, "create", fault, show_with).await,
    }
}

/// POST /relations/{id}/end
pub async fn end(call: Arc<Call>) -> Result<Response, Fault> {
    let ended = async { Ok(call.parts.identity.end_relation(call.cx()?, call.id("id")?).await?) };
    match ended.await {
        Ok(_) => page::done("/relations", "relation-ended"),
        Err(fault) => again(&call, call.param("id"), fault, show_with).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Two {
    one: String,
    other: String,
}

/// GET /relations/between
pub async fn between(call: Arc<Call>) -> Result<Response, Fault> {
    let pairs = call.query();
    let mut p = shell(&call, m::RELATION_BETWEEN).await?;
    let asked = |name: &str| call.asked(name).unwrap_or_default();
    let (one, other) = (asked("one"), asked("other"));
    if pairs.is_empty() {
        return render(StatusCode::OK, &BetweenPage { p, one, other, found: None });
    }
    let found = async {
        let two: Two = typed(inputs::BETWEEN_FORM.pairs(&pairs)?)?;
        let (one, other) = (named(&call, "one", Some(&two.one)).await?, named(&call, "other", Some(&two.other)).await?);
        Ok::<_, Fault>(call.parts.identity.between(call.cx()?, one, other).await?)
    };
    match found.await {
        Ok(found) => render(StatusCode::OK, &BetweenPage { p, one, other, found: Some(found) }),
        Err(fault) if !fault.fields.is_empty() => {
            p.returned = Some(page::returned(&call, "between", &fault));
            let mut answer = render(StatusCode::OK, &BetweenPage { p, one, other, found: None })?;
            *answer.status_mut() = crate::reply::status(fault.problem.kind.category);
            Err(fault.on(answer))
        }
        Err(fault) => Err(fault),
    }
}
