//! Lists (RFC 7644 §3.4.2): by an index where the filter names one, else by looking through at most 10,000.

use std::collections::{BTreeSet, HashMap};

use sekisho_kernel::{
    Cx, Problem, event,
    id::{RecordId, ScimGroupId, UserId, UserKind},
};
use sekisho_vault::{Page, Scope, Stored, View};

use super::{
    MOST_LISTED, Resource, SEARCHED,
    filter::{self, Filter, Place},
    groups, members,
    schema::{GROUPS, ResourceType, USERS},
    users::{Loaded, with_groups},
};
use crate::{
    Answer, Identity, boxed, guard,
    problems::SCIM_TOO_MANY,
    records::{SERVICE, ScimGroup, ScimMember, ScimProfile, UserAccount},
    sql,
    types::{ScimList, ScimQuery},
};

/// A query that has been read.
struct Sought {
    filter: Option<Filter>,
    sort: Option<Place>,
    query: ScimQuery,
    start: u64,
    count: u32,
}

impl Sought {
    fn of(kind: &'static ResourceType, query: ScimQuery) -> Answer<Self> {
        let filter = query.filter.as_deref().map(|f| filter::filter(kind, f)).transpose()?;
        let sort = query.sort_by.as_deref().map(|s| filter::place(kind, s)).transpose()?;
        // RFC 7644 §3.4.2.4: less than 1 stands for 1, a negative count for 0.
        let start = query.start.map_or(1, |s| u64::try_from(s).unwrap_or(1).max(1));
        let count = query.count.map_or(100, |c| u32::try_from(c.max(0)).unwrap_or(u32::MAX)).min(MOST_LISTED);
        Ok(Self { filter, sort, query, start, count })
    }

    /// Whether the list is as it lies: a page of it can be read alone.
    const fn plain(&self) -> bool {
        self.filter.is_none() && self.sort.is_none()
    }

    /// The page of what was found, in order.
    fn page(&self, mut found: Vec<Resource>) -> (u64, Vec<Resource>) {
        if let Some(place) = &self.sort {
            // Resources without the attribute come last, whatever the order (RFC 7644 §3.4.2.3).
            found.sort_by_cached_key(|r| place.sorted_by(r).map_or((1, String::new()), |key| (0, key)));
            if self.query.descending {
                let without = found.iter().position(|r| place.sorted_by(r).is_none()).unwrap_or(found.len());
                found[..without].reverse();
            }
        }
        let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
        let skip = usize::try_from(self.start - 1).unwrap_or(usize::MAX);
        let count = usize::try_from(self.count).unwrap_or(0);
        (total, found.into_iter().skip(skip).take(count).collect())
    }
}

fn too_many() -> Problem {
    Problem::new(&SCIM_TOO_MANY).at("filter")
}

impl Identity {
    /// People.
    ///
    /// # Errors
    /// `SK-4091`, `SK-4092` (sort), `SK-4096` for a search that no index answers among more than 10,000 people, `SK-4098`.
    #[boxed]
    pub async fn scim_users(&self, cx: &Cx, base: &str, query: ScimQuery) -> Answer<ScimList> {
        let (act, open) = self.provision(cx, &event::USER_LIST, "users");
        let sought = self.sound(cx, &act, open.and_then(|()| Sought::of(&USERS, query))).await?;
        let before = if sought.plain() && sought.start > 1 {
            let skip = i64::try_from(sought.start - 2).unwrap_or(i64::MAX);
            let rows = self.vault().keep(&Scope::of(cx), move |k| k.rows(&sql::PEOPLE_AT, &[skip.into()])).await?;
            let id = rows.first().and_then(|r| r.first()?.opaque()).and_then(RecordId::from_slice);
            // Past the end there is nothing more.
            Some(id.unwrap_or_else(|| RecordId::from_bytes([0xff; 16])))
        } else {
            None
        };
        let base = base.to_owned();
        self.vault()
            .look(cx, act, move |view| {
                let (total, mut page) = if sought.plain() {
                    people_from(view, &base, before, sought.count)?
                } else {
                    sought.page(people_found(view, &base, sought.filter.as_ref())?)
                };
                for resource in &mut page {
                    let id = resource.get("id").and_then(|i| i.as_str()).and_then(|i| i.parse().ok());
                    if let (true, Some(id)) = (sought.query.shape.shows("groups"), id) {
                        with_groups(view, &base, id, resource)?;
                    }
                    sought.query.shape.cut(&USERS, resource);
                }
                Ok(ScimList { total, start: sought.start, resources: page })
            })
            .await
    }

    /// Groups.
    ///
    /// # Errors
    /// As [`Identity::scim_users`].
    #[boxed]
    pub async fn scim_groups(&self, cx: &Cx, base: &str, query: ScimQuery) -> Answer<ScimList> {
        let (act, open) = self.provision(cx, &event::GROUP_LIST, "groups");
        let sought = self.sound(cx, &act, open.and_then(|()| Sought::of(&GROUPS, query))).await?;
        let base = base.to_owned();
        self.vault()
            .look(cx, act, move |view| {
                let found = groups_found(view, &base, sought.filter.as_ref())?;
                let (total, mut page) = sought.page(found);
                for resource in &mut page {
                    let id = resource.get("id").and_then(|i| i.as_str()).and_then(|i| i.parse().ok());
                    if let (true, Some(id)) = (sought.query.shape.shows("members"), id) {
                        groups::with_members(view, &base, id, resource)?;
                    }
                    sought.query.shape.cut(&GROUPS, resource);
                }
                Ok(ScimList { total, start: sought.start, resources: page })
            })
            .await
    }
}

/// A page of everybody, oldest first.
fn people_from(view: &mut View<'_>, base: &str, after: Option<RecordId>, count: u32) -> Answer<(u64, Vec<Resource>)> {
    let services = view.count::<UserAccount>(&[("user_type", SERVICE.into())])?;
    let total = view.count::<UserAccount>(&[])?.saturating_sub(services);
    if count == 0 {
        return Ok((total, Vec::new()));
    }
    let page = Page { after, limit: count, ..Page::default() };
    let (accounts, _) = guard::page::<UserAccount>(view, &page, |a| !a.body.service)?;
    let mut out = Vec::with_capacity(accounts.len());
    for account in accounts {
        let profile = view.get::<ScimProfile>(account.id::<UserKind>())?;
        out.push(Loaded { account, profile }.resource(base));
    }
    Ok((total, out))
}

/// Everybody whom the filter admits.
fn people_found(view: &mut View<'_>, base: &str, filter: Option<&Filter>) -> Answer<Vec<Resource>> {
    let known = match filter.and_then(Filter::equalities) {
        Some(all) => people_indexed(view, &all)?,
        None => None,
    };
    let candidates = match known {
        Some(ids) => {
            let mut out = Vec::new();
            for id in ids {
                out.extend(Loaded::get(view, id)?);
            }
            out
        }
        None => everybody(view)?,
    };
    let groups = filter.is_some_and(|f| f.names("groups"));
    let mut out = Vec::new();
    for loaded in candidates {
        let mut resource = loaded.resource(base);
        if groups {
            with_groups(view, base, loaded.account.id(), &mut resource)?;
        }
        if filter.is_none_or(|f| f.matches(&resource)) {
            out.push(resource);
        }
    }
    Ok(out)
}

/// Whom the indexes name; `None` where one of the equalities has no index.
fn people_indexed(view: &mut View<'_>, all: &[(Place, &str)]) -> Answer<Option<BTreeSet<UserId>>> {
    let mut out = BTreeSet::new();
    for (place, text) in all {
        if place.is("userName") {
            out.extend(view.find::<UserAccount>("name", text)?.iter().map(Stored::id::<UserKind>));
        } else if place.is("externalId") {
            out.extend(view.find::<ScimProfile>("external", text)?.iter().map(Stored::id::<UserKind>));
        } else if place.is("id") {
            out.extend(text.parse::<UserId>().ok());
        } else if place.is("groups") {
            if let Ok(group) = text.parse::<ScimGroupId>() {
                out.extend(members::of_group(view, group)?.iter().map(|m| m.body.user));
            }
        } else {
            return Ok(None);
        }
    }
    Ok(Some(out))
}

fn everybody(view: &mut View<'_>) -> Answer<Vec<Loaded>> {
    if view.count::<UserAccount>(&[])? > SEARCHED {
        return Err(too_many());
    }
    let all = Page { limit: Page::MOST, ..Page::default() };
    let mut profiles: HashMap<RecordId, Stored<ScimProfile>> =
        view.list::<ScimProfile>(&all)?.into_iter().map(|p| (p.id, p)).collect();
    let accounts = view.list::<UserAccount>(&all)?;
    let people = accounts.into_iter().filter(|a| !a.body.service);
    Ok(people.map(|account| Loaded { profile: profiles.remove(&account.id), account }).collect())
}

/// Every group that the filter admits.
fn groups_found(view: &mut View<'_>, base: &str, filter: Option<&Filter>) -> Answer<Vec<Resource>> {
    let known = match filter.and_then(Filter::equalities) {
        Some(all) => groups_indexed(view, &all)?,
        None => None,
    };
    let candidates = match known {
        Some(ids) => {
            let mut out = Vec::new();
            for id in ids {
                out.extend(view.get::<ScimGroup>(id)?);
            }
            out
        }
        None if view.count::<ScimGroup>(&[])? > SEARCHED => return Err(too_many()),
        None => view.list::<ScimGroup>(&Page { limit: Page::MOST, ..Page::default() })?,
    };
    let members = filter.is_some_and(|f| f.names("members"));
    let mut out = Vec::new();
    for group in candidates {
        let mut resource = groups::resource(base, &group);
        if members {
            groups::with_members(view, base, group.id(), &mut resource)?;
        }
        if filter.is_none_or(|f| f.matches(&resource)) {
            out.push(resource);
        }
    }
    Ok(out)
}

fn groups_indexed(view: &mut View<'_>, all: &[(Place, &str)]) -> Answer<Option<BTreeSet<ScimGroupId>>> {
    let mut out = BTreeSet::new();
    for (place, text) in all {
        if place.is("displayName") {
            out.extend(view.find::<ScimGroup>("name", text)?.iter().map(Stored::id));
        } else if place.is("externalId") {
            out.extend(view.find::<ScimGroup>("external", text)?.iter().map(Stored::id));
        } else if place.is("id") {
            out.extend(text.parse::<ScimGroupId>().ok());
        } else if place.is("members") {
            if let Ok(user) = text.parse::<UserId>() {
                let mine = crate::people::of_user::<ScimMember>(view, user)?;
                out.extend(mine.iter().map(|m| m.body.group));
            }
        } else {
            return Ok(None);
        }
    }
    Ok(Some(out))
}
