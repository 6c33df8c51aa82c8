//! What one person finds of others: those whom they may reach, and nobody else.

use std::collections::HashMap;

use sekisho_kernel::{
    Cx, Problem, Target, Time,
    access::Right,
    event,
    gate::RelationRule,
    id::{SiteId, UserId},
    problem::{NOT_FOUND, UNAUTHENTICATED},
};
use sekisho_vault::View;

use crate::{
    Answer, Identity, boxed, page_size,
    people::fold,
    records::{Site, UserAccount},
    sql::{self, ids},
    types::{Listed, PeopleQuery, PersonCard},
    under,
};

/// How many accounts are looked at in one step.
const STEP: i64 = 200;
/// Most accounts that one page of a search opens.
const SCANNED: usize = 5_000;

/// Whether two people may reach each other: one statement, whoever they are and whether they are at all.
pub fn reaches(view: &mut View<'_>, rule: RelationRule, one: UserId, other: UserId, now: Time) -> Answer<bool> {
    let rows = if rule.everyone {
        view.books(&sql::PEOPLE_TWO, &[one.into(), other.into()])?.len() == 2
    } else {
        !view.books(&sql::RELATION_BETWEEN, &[one.into(), other.into(), now.into()])?.is_empty()
    };
    Ok(rows)
}

/// The next people whom `me` may reach.
fn reachable(view: &mut View<'_>, rule: RelationRule, me: UserId, after: UserId, now: Time) -> Answer<Vec<UserId>> {
    let (me, after, step) = (me.into(), after.into(), STEP.into());
    let rows = if rule.everyone {
        view.books(&sql::PEOPLE_EVERYONE, &[me, after, step])?
    } else {
        view.books(&sql::PEOPLE_RELATED, &[me, after, step, now.into()])?
    };
    Ok(ids(&rows))
}

fn card(
    view: &mut View<'_>,
    sites: &mut HashMap<SiteId, Option<String>>,
    id: UserId,
    user: UserAccount,
) -> Answer<PersonCard> {
    let site = match user.site {
        None => None,
        Some(at) => match sites.get(&at) {
            Some(name) => name.clone(),
            None => {
                let name = view.get::<Site>(at)?.map(|s| s.body.name);
                sites.insert(at, name.clone());
                name
            }
        },
    };
    Ok(PersonCard { id, display_name: user.display_name, site })
}

impl Identity {
    /// The people whom the person who asks may reach. A search opens their accounts alone, so that it costs the same
    /// whoever else there is.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for anybody but a person.
    #[boxed]
    pub async fn people(&self, cx: &Cx, query: PeopleQuery) -> Answer<Listed<PersonCard, UserId>> {
        let me = cx.actor.user().ok_or_else(|| Problem::new(&UNAUTHENTICATED))?;
        let act = under(Right::PEOPLE_FIND, &event::PEOPLE_LIST, Target::tenant(cx.tenant), "people");
        let (rule, now, counts) = (self.gates().relations(&cx.policy), self.now(), self.0.counts.clone());
        self.vault()
            .look(cx, act, move |view| {
                let limit = page_size(query.limit) as usize;
                let text = query.text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(fold);
                let (mut items, mut sites) = (Vec::new(), HashMap::new());
                let (mut after, mut scanned) = (query.after.unwrap_or(UserId::NIL), 0);
                loop {
                    counts.statement();
                    let found = reachable(view, rule, me, after, now)?;
                    let full = found.len() as i64 == STEP;
                    for id in found {
                        if items.len() == limit {
                            return Ok(Listed { items, next: Some(after) });
                        }
                        (after, scanned) = (id, scanned + 1);
                        counts.statement();
                        let Some(user) = view.get::<UserAccount>(id)? else { continue };
                        if text.as_ref().is_none_or(|t| fold(&user.body.display_name).contains(t)) {
                            items.push(card(view, &mut sites, id, user.body)?);
                        }
                    }
                    if !full {
                        return Ok(Listed { items, next: None });
                    }
                    if scanned >= SCANNED {
                        return Ok(Listed { items, next: Some(after) });
                    }
                }
            })
            .await
    }

    /// One person, if the person who asks may reach them. Somebody unrelated and somebody who does not exist are one answer,
    /// at one cost and with one entry.
    ///
    /// # Errors
    /// `NOT_FOUND`; `UNAUTHENTICATED` for anybody but a person.
    #[boxed]
    pub async fn person(&self, cx: &Cx, id: UserId) -> Answer<PersonCard> {
        let me = cx.actor.user().ok_or_else(|| Problem::new(&UNAUTHENTICATED))?;
        let act = under(Right::PEOPLE_FIND, &event::PEOPLE_READ, Target::tenant(cx.tenant), id);
        let (rule, now, counts) = (self.gates().relations(&cx.policy), self.now(), self.0.counts.clone());
        self.vault()
            .look(cx, act, move |view| {
                counts.statement();
                if !reaches(view, rule, me, id, now)? {
                    return Err(Problem::new(&NOT_FOUND));
                }
                counts.statement();
                let user = view.get::<UserAccount>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                card(view, &mut HashMap::new(), id, user.body)
            })
            .await
    }
}
