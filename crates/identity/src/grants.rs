//! Grants: a role given to a user, for the whole tenant or for one site.

use sekisho_kernel::{
    Cx, Problem, Target, Text,
    access::Right,
    event,
    id::{GrantId, UserId},
    problem::{CONFLICT, FORBIDDEN, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Scope, Stored};

use crate::{
    Answer, Identity, boxed, guard, page_size, people,
    problems::{GROUP_GRANT, TOO_MANY_RECORDS},
    records::{CustomRole, RoleGrant, Site, UserAccount},
    rights::{self, MOST_GRANTS},
    sql,
    types::{GrantQuery, GrantView, Listed, NewGrant},
    under,
};

impl Identity {
    /// Grants a role.
    ///
    /// # Errors
    /// `NOT_FOUND` (user, role or site), `CONFLICT` (granted already), `SK-4013` (rights beyond one's own), `FORBIDDEN`
    /// where one's right is for a site and the person belongs to another.
    #[boxed]
    pub async fn create_grant(&self, cx: &Cx, new: NewGrant) -> Answer<GrantView> {
        let (id, tenant, reach): (GrantId, _, _) = (self.id(), cx.tenant, self.reach(cx));
        let act = under(Right::GRANTS_WRITE, &event::GRANT_CREATE, Target::site(tenant, new.site), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let missing = |place: &'static str| move || Problem::new(&NOT_FOUND).at(place);
                let user = tx.get::<UserAccount>(new.user)?.ok_or_else(missing("user"))?;
                if !reach.has(Right::GRANTS_WRITE, user.body.site) && !reach.has(Right::GRANTS_WRITE, None) {
                    return Err(Problem::new(&FORBIDDEN).at("user"));
                }
                let role = tx.get::<CustomRole>(new.role)?.ok_or_else(missing("role"))?;
                if let Some(site) = new.site {
                    tx.get::<Site>(site)?.ok_or_else(missing("site"))?;
                }
                reach.gives(rights::known(&role.body.rights), new.site)?;
                let granted = people::of_user::<RoleGrant>(&mut tx.view(), new.user)?;
                let there = granted.iter().find(|g| g.body.role == new.role && g.body.site == new.site);
                if there.is_some_and(|g| g.body.direct) {
                    return Err(already());
                }
                if let Some(there) = there {
                    // A group gives it already: now it stays when the group no longer does.
                    let body = RoleGrant { direct: true, ..there.body.clone() };
                    tx.update(there.id, there.version, &body)?;
                    people::moved(tx, new.user)?;
                    let made = tx.get::<RoleGrant>(there.id)?.map(grant_view).ok_or_else(missing("grant"))?;
                    let entry = Entry::of(made.id).with("user", new.user).with("role", new.role);
                    return tx.commit(permit, with_site(entry, &made), made);
                }
                if granted.len() >= usize::try_from(MOST_GRANTS).unwrap_or(usize::MAX) {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                let body =
                    RoleGrant { user: new.user, role: new.role, site: new.site, direct: true, groups: Vec::new() };
                tx.insert(id, &body).map_err(|p| if p.is(&CONFLICT) { already() } else { p })?;
                people::moved(tx, new.user)?;
                tx.notify("rights", &format!("{tenant}:{}", new.user))?;
                let made = tx.get::<RoleGrant>(id)?.map(grant_view).ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let entry = Entry::of(id).with("user", new.user).with("role", new.role);
                tx.commit(permit, with_site(entry, &made), made)
            })
            .await
    }

    /// A page of grants.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn grants(&self, cx: &Cx, query: GrantQuery) -> Answer<Listed<GrantView, GrantId>> {
        let object = query.user.map_or_else(|| "grants".to_owned(), |u: UserId| u.to_string());
        let act = under(Right::ROLES_READ, &event::GRANT_LIST, Target::tenant(cx.tenant), object);
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (query.after.map(GrantId::cast), page_size(query.limit));
                let mut eq = Vec::new();
                eq.extend(query.user.map(|u| ("user_id", u.into())));
                eq.extend(query.role.map(|r| ("role_id", r.into())));
                let (rows, next) = guard::page(view, &Page { after, limit, eq: &eq, ..Page::default() }, |_| true)?;
                Ok(Listed { items: rows.into_iter().map(grant_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Takes a role back; the person is held to what is left at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4099` where a provisioned group gives it.
    #[boxed]
    pub async fn delete_grant(&self, cx: &Cx, id: GrantId) -> Answer<()> {
        let site = self
            .vault()
            .peek(&Scope::of(cx), move |view| Ok(view.get::<RoleGrant>(id)?.and_then(|g| g.body.site)))
            .await?;
        let tenant = cx.tenant;
        let act = under(Right::GRANTS_WRITE, &event::GRANT_DELETE, Target::site(tenant, site), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                // A grant never changes, so the site is still the one that the right was checked for.
                let stored = tx.get::<RoleGrant>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                match (stored.body.direct, stored.body.groups.is_empty()) {
                    (_, true) => drop(tx.delete::<RoleGrant>(id)?),
                    (true, false) => {
                        let body = RoleGrant { direct: false, ..stored.body.clone() };
                        tx.update(id, stored.version, &body)?;
                    }
                    (false, false) => return Err(Problem::new(&GROUP_GRANT)),
                }
                let grant = grant_view(stored);
                people::moved(tx, grant.user)?;
                tx.notify("rights", &format!("{tenant}:{}", grant.user))?;
                let entry = Entry::of(id).with("user", grant.user).with("role", grant.role);
                tx.commit(permit, with_site(entry, &grant), ())
            })
            .await
    }
}

fn already() -> Problem {
    Problem::new(&CONFLICT)
        .at("role")
        .detail(Text::new("このロールはすでに付与されています。", "The person has this role already."))
}

fn with_site(entry: Entry, grant: &GrantView) -> Entry {
    match grant.site {
        Some(site) => entry.with("site", site),
        None => entry,
    }
}

fn grant_view(grant: Stored<RoleGrant>) -> GrantView {
    GrantView {
        id: grant.id(),
        version: grant.version,
        created: grant.created,
        updated: grant.updated,
        user: grant.body.user,
        role: grant.body.role,
        site: grant.body.site,
        direct: grant.body.direct,
        groups: grant.body.groups,
    }
}
