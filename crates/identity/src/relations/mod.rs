//! Relations: who may find and reach whom, as an administrator keeps them and an application asks.

mod host;
mod people;

use std::time::Duration;

use sekisho_kernel::{
    Cx, Problem, Target, Text, Time,
    access::Right,
    event,
    id::{RelationId, UserId},
    problem::{INVALID, NOT_FOUND},
};
use sekisho_vault::{Act, Entry, Page, Stored, Tx, View};

use crate::{
    Answer, Identity, boxed, guard, page_size,
    problems::{RELATION_DATES, RELATION_OVER, RELATION_THERE, RELATION_TO_ONESELF, TOO_MANY_RECORDS},
    records::{CustomRole, Relation, Side, Site, UserAccount},
    sql::{self, ids},
    types::{
        Between, Listed, NewRelation, ReachAsked, ReachTold, ReachedPerson, RelationQuery, RelationState, RelationView,
        SideView, WhyReach,
    },
    under, values,
};

/// Most relations of a tenant, ended ones that are still listed among them.
const MOST: u64 = 200_000;
/// Most people that one question may be about.
const ASKED: usize = 50;
/// How long an ended relation stays in the list; the log tells of it for longer.
pub const ENDED_KEPT: Duration = Duration::from_secs(365 * 86_400);

fn missing(place: &'static str) -> impl Fn() -> Problem {
    move || Problem::new(&NOT_FOUND).at(place)
}

impl Identity {
    /// Lets the people of two sides reach each other.
    ///
    /// # Errors
    /// `NOT_FOUND` (a side), `INVALID`, `SK-4180` to `SK-4182`, `SK-4027`.
    #[boxed]
    pub async fn create_relation(&self, cx: &Cx, new: NewRelation) -> Answer<RelationView> {
        let id: RelationId = self.id();
        let act = under(Right::RELATIONS_WRITE, &event::RELATION_CREATE, Target::tenant(cx.tenant), id);
        self.relate(cx, act, id, new).await
    }

    async fn relate(&self, cx: &Cx, act: Act, id: RelationId, new: NewRelation) -> Answer<RelationView> {
        self.vault()
            .act(cx, act, move |tx, permit| {
                // Roles and sites that are being deleted wait, and so does whoever adds the same relation.
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let now = tx.now();
                let starts = new.starts.unwrap_or(now).max(now);
                if new.ends.is_some_and(|ends| ends <= starts) {
                    return Err(Problem::new(&RELATION_DATES).at("ends"));
                }
                if new.one == new.other && matches!(new.one, Side::Person(_)) {
                    return Err(Problem::new(&RELATION_TO_ONESELF).at("other"));
                }
                known(tx, new.one, "one")?;
                known(tx, new.other, "other")?;
                if tx.count::<Relation>(&[])? >= MOST {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                refuse_twice(tx, &new, starts)?;
                let body =
                    Relation { one: new.one, other: new.other, note: values::note(&new.note)?, starts, ends: new.ends };
                tx.insert(id, &body)?;
                let made = shown(&mut tx.view(), id, now)?;
                let mut entry =
                    Entry::of(id).with("one", new.one).with("other", new.other).with("starts", starts.rfc3339());
                if let Some(ends) = new.ends {
                    entry = entry.with("ends", ends.rfc3339());
                }
                tx.commit(permit, entry, made)
            })
            .await
    }

    /// A page of relations, oldest first.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn relations(&self, cx: &Cx, query: RelationQuery) -> Answer<Listed<RelationView, RelationId>> {
        let object = listed(&query);
        let act = under(Right::RELATIONS_READ, &event::RELATION_LIST, Target::tenant(cx.tenant), object);
        self.relations_by(cx, act, query).await
    }

    async fn relations_by(&self, cx: &Cx, act: Act, query: RelationQuery) -> Answer<Listed<RelationView, RelationId>> {
        let now = self.now();
        self.vault()
            .look(cx, act, move |view| {
                let limit = page_size(query.limit);
                let Some(side) = query.side else {
                    let page = Page { after: query.after.map(RelationId::cast), limit, ..Page::default() };
                    let (rows, next) = guard::page(view, &page, |_| true)?;
                    let items = rows.into_iter().map(|r| relation_view(view, r, now)).collect::<Answer<_>>()?;
                    return Ok(Listed { items, next: next.map(|n| n.cast()) });
                };
                let after = query.after.unwrap_or(RelationId::NIL);
                let wanted = i64::from(limit) + 1;
                let rows = view.books(&sql::RELATION_OF, &[side.bytes().into(), after.into(), wanted.into()])?;
                let mut found: Vec<RelationId> = ids(&rows);
                let more = found.len() > limit as usize;
                found.truncate(limit as usize);
                let next = found.last().copied().filter(|_| more);
                let items = found.into_iter().map(|id| shown(view, id, now)).collect::<Answer<_>>()?;
                Ok(Listed { items, next })
            })
            .await
    }

    /// Ends a relation now: its people no longer reach each other by it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4183`.
    #[boxed]
    pub async fn end_relation(&self, cx: &Cx, id: RelationId) -> Answer<RelationView> {
        let act = under(Right::RELATIONS_WRITE, &event::RELATION_END, Target::tenant(cx.tenant), id);
        self.end_by(cx, act, id).await
    }

    async fn end_by(&self, cx: &Cx, act: Act, id: RelationId) -> Answer<RelationView> {
        self.vault()
            .act(cx, act, move |tx, permit| {
                let found = tx.get::<Relation>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let now = tx.now();
                if found.body.ends.is_some_and(|ends| ends <= now) {
                    return Err(Problem::new(&RELATION_OVER));
                }
                let body = Relation { starts: found.body.starts.min(now), ends: Some(now), ..found.body };
                tx.update(id, found.version, &body)?;
                let ended = shown(&mut tx.view(), id, now)?;
                tx.commit(permit, Entry::of(id).with("one", body.one).with("other", body.other), ended)
            })
            .await
    }

    /// Whether two people may reach each other, and why, for an administrator.
    ///
    /// # Errors
    /// `NOT_FOUND` naming the person.
    #[boxed]
    pub async fn between(&self, cx: &Cx, one: UserId, other: UserId) -> Answer<Between> {
        let act = under(Right::RELATIONS_READ, &event::RELATION_EXPLAIN, Target::tenant(cx.tenant), one);
        self.between_by(cx, act, one, other).await
    }

    async fn between_by(&self, cx: &Cx, act: Act, one: UserId, other: UserId) -> Answer<Between> {
        let (rule, now) = (self.gates().relations(&cx.policy), self.now());
        self.vault()
            .look(cx, act, move |view| {
                let mut person = |id: UserId, place| {
                    let found = view.get::<UserAccount>(id)?.ok_or_else(missing(place))?;
                    Ok::<_, Problem>(SideView { id: Side::Person(id), name: found.body.display_name })
                };
                let (one_side, other_side) = (person(one, "one")?, person(other, "other")?);
                let both = ids::<()>(&view.books(&sql::PEOPLE_TWO, &[one.into(), other.into()])?).len() == 2;
                let found: Vec<RelationId> =
                    ids(&view.books(&sql::RELATION_BETWEEN, &[one.into(), other.into(), now.into()])?);
                let why = match () {
                    () if one == other => WhyReach::OnePerson,
                    () if !both => WhyReach::NotActive,
                    () if rule.everyone => WhyReach::Everyone,
                    () if found.is_empty() => WhyReach::NotRelated,
                    () => WhyReach::Related,
                };
                let relations = found.into_iter().map(|id| shown(view, id, now)).collect::<Answer<_>>()?;
                let may = matches!(why, WhyReach::Everyone | WhyReach::Related);
                Ok(Between { one: one_side, other: other_side, may, why, relations })
            })
            .await
    }

    /// Whom of some people one person may reach, for an application that keeps its messages and shares to it. Whoever does
    /// not exist gets the answer that an unrelated person gets, at the same cost. The entry names whom it was refused for.
    ///
    /// # Errors
    /// `INVALID` for more than 50 people.
    #[boxed]
    pub async fn may_reach(&self, cx: &Cx, asked: ReachAsked) -> Answer<ReachTold> {
        let act = under(Right::RELATIONS_CHECK, &event::RELATION_CHECK, Target::tenant(cx.tenant), asked.person);
        if asked.others.len() > ASKED {
            let detail = Text::new("50 人までを指定してください。", "Name at most 50 people.");
            return Err(self.stop(cx, act, Problem::new(&INVALID).at("others").detail(detail)).await);
        }
        let (rule, now, counts) = (self.gates().relations(&cx.policy), self.now(), self.0.counts.clone());
        let ReachAsked { person, others } = asked;
        self.vault()
            .look_telling(cx, act, move |view| {
                let (mut told, mut refused) = (Vec::with_capacity(others.len()), Vec::new());
                for user in others {
                    counts.statement();
                    let may = people::reaches(view, rule, person, user, now)?;
                    told.push(ReachedPerson { user, may });
                    if !may {
                        refused.push(user.to_string());
                    }
                }
                let mut detail = vec![("asked", told.len().to_string())];
                if !refused.is_empty() {
                    detail.push(("refused", refused.join(" ")));
                }
                Ok((ReachTold { person, others: told }, detail))
            })
            .await
    }
}

/// What the entry of a list names.
fn listed(query: &RelationQuery) -> String {
    query.side.map_or_else(|| "relations".to_owned(), |side| side.to_string())
}

/// Refuses a side that names nothing, or an account behind which there is no person.
fn known(tx: &mut Tx<'_>, side: Side, place: &'static str) -> Answer<()> {
    let there = match side {
        Side::Person(id) => tx.get::<UserAccount>(id)?.is_some_and(|u| !u.body.service),
        Side::Role(id) => tx.get::<CustomRole>(id)?.is_some(),
        Side::Site(id) => tx.get::<Site>(id)?.is_some(),
    };
    if there { Ok(()) } else { Err(missing(place)()) }
}

/// Refuses a second relation of the same two sides whose time meets another's.
fn refuse_twice(tx: &mut Tx<'_>, new: &NewRelation, starts: Time) -> Answer<()> {
    let sides = [new.one.bytes().into(), new.other.bytes().into(), tx.now().into()];
    let there: Vec<RelationId> = ids(&tx.view().books(&sql::RELATION_THERE, &sides)?);
    for id in there {
        let Some(old) = tx.get::<Relation>(id)? else { continue };
        let before = new.ends.is_some_and(|ends| ends <= old.body.starts);
        let after = old.body.ends.is_some_and(|ends| ends <= starts);
        if !before && !after {
            return Err(Problem::new(&RELATION_THERE).at("other"));
        }
    }
    Ok(())
}

fn side_view(view: &mut View<'_>, side: Side) -> Answer<SideView> {
    let name = match side {
        Side::Person(id) => view.get::<UserAccount>(id)?.map(|u| u.body.display_name),
        Side::Role(id) => view.get::<CustomRole>(id)?.map(|r| r.body.name),
        Side::Site(id) => view.get::<Site>(id)?.map(|s| s.body.name),
    };
    Ok(SideView { id: side, name: name.unwrap_or_else(|| side.to_string()) })
}

fn shown(view: &mut View<'_>, id: RelationId, now: Time) -> Answer<RelationView> {
    let found = view.get::<Relation>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
    relation_view(view, found, now)
}

fn relation_view(view: &mut View<'_>, r: Stored<Relation>, now: Time) -> Answer<RelationView> {
    let state = match (r.body.starts, r.body.ends) {
        (_, Some(ends)) if ends <= now => RelationState::Ended,
        (starts, _) if starts > now => RelationState::Planned,
        _ => RelationState::Current,
    };
    Ok(RelationView {
        id: r.id(),
        version: r.version,
        created: r.created,
        updated: r.updated,
        one: side_view(view, r.body.one)?,
        other: side_view(view, r.body.other)?,
        note: r.body.note,
        starts: r.body.starts,
        ends: r.body.ends,
        state,
    })
}
