//! Custom roles: rights of the catalogue under a name.

use sekisho_kernel::{
    Cx, Problem, RightSet, Target,
    access::Right,
    event,
    id::{RoleId, RoleKind},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Stored};

use crate::{
    Answer, Identity, boxed, guard, page_size,
    problems::ROLE_IN_USE,
    records::{CustomRole, RoleGrant, ScimGroup},
    rights, sql,
    types::{After, Listed, NewRole, RolePatch, RoleView},
    under,
    values::{self, taken},
};

impl Identity {
    /// Makes a role.
    ///
    /// # Errors
    /// `INVALID`, `SK-4013` (rights beyond one's own), `SK-4019` (name taken), `SK-4024` (unknown right).
    #[boxed]
    pub async fn create_role(&self, cx: &Cx, new: NewRole) -> Answer<RoleView> {
        let (id, reach): (RoleId, _) = (self.id(), self.reach(cx));
        let act = under(Right::ROLES_WRITE, &event::ROLE_CREATE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let granted = rights::named(&new.rights)?;
                reach.gives(granted, None)?;
                let role = CustomRole { name: values::label("name", &new.name)?, rights: rights::names(granted) };
                tx.insert(id, &role).map_err(taken)?;
                let entry = Entry::of(id).with("rights", role.rights.join(" "));
                let made = shown(tx.get(id)?)?;
                tx.commit(permit, entry, made)
            })
            .await
    }

    /// One role.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn role(&self, cx: &Cx, id: RoleId) -> Answer<RoleView> {
        let act = under(Right::ROLES_READ, &event::ROLE_READ, Target::tenant(cx.tenant), id);
        self.vault().look(cx, act, move |view| shown(view.get(id)?)).await
    }

    /// A page of roles.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn roles(&self, cx: &Cx, page: After<RoleKind>) -> Answer<Listed<RoleView, RoleId>> {
        let act = under(Right::ROLES_READ, &event::ROLE_LIST, Target::tenant(cx.tenant), "roles");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (page.after.map(RoleId::cast), page_size(page.limit));
                let (rows, next) = guard::page(view, &Page { after, limit, ..Page::default() }, |_| true)?;
                Ok(Listed { items: rows.into_iter().map(role_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Changes a role as it was at `version`; everybody who has it is held to the new rights at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, and those of [`Identity::create_role`].
    #[boxed]
    pub async fn update_role(&self, cx: &Cx, id: RoleId, version: i64, patch: RolePatch) -> Answer<RoleView> {
        let (tenant, reach) = (cx.tenant, self.reach(cx));
        let act = under(Right::ROLES_WRITE, &event::ROLE_UPDATE, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let old = tx.get::<CustomRole>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let mut role = old.body.clone();
                let mut entry = Entry::of(id);
                if let Some(name) = &patch.name {
                    role.name = values::label("name", name)?;
                }
                if let Some(names) = &patch.rights {
                    let (before, after) = (rights::known(&role.rights), rights::named(names)?);
                    let added: RightSet = after.iter().filter(|r| !before.has(*r)).collect();
                    reach.gives(added, None)?;
                    role.rights = rights::names(after);
                    entry = entry.with("rights", role.rights.join(" "));
                }
                tx.update(id, version, &role).map_err(taken)?;
                tx.keep(&sql::RIGHTS_BUMP_HOLDERS, &[id.into()])?;
                tx.notify("rights", &format!("{tenant}:"))?;
                let now = shown(tx.get(id)?)?;
                tx.commit(permit, entry, now)
            })
            .await
    }

    /// Deletes a role that nobody has.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `SK-4015`.
    #[boxed]
    pub async fn delete_role(&self, cx: &Cx, id: RoleId, version: Option<i64>) -> Answer<()> {
        let act = under(Right::ROLES_WRITE, &event::ROLE_DELETE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                // Grants wait for this, so that none is made of a role that is going.
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let role = tx.get::<CustomRole>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if version.is_some_and(|v| v != role.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                let groups = tx.count::<ScimGroup>(&[("role_id", id.into())])?;
                if groups + tx.count::<RoleGrant>(&[("role_id", id.into())])? > 0 {
                    return Err(Problem::new(&ROLE_IN_USE));
                }
                let relations = tx.keep(&sql::RELATION_DROP, &[id.into()])?;
                tx.delete::<CustomRole>(id)?;
                tx.commit(permit, Entry::of(id).with("relations_ended", relations), ())
            })
            .await
    }
}

fn shown(role: Option<Stored<CustomRole>>) -> Answer<RoleView> {
    role.map(role_view).ok_or_else(|| Problem::new(&NOT_FOUND))
}

fn role_view(role: Stored<CustomRole>) -> RoleView {
    RoleView {
        id: role.id(),
        version: role.version,
        created: role.created,
        updated: role.updated,
        name: role.body.name,
        rights: role.body.rights,
    }
}
