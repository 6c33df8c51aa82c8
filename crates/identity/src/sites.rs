//! Sites: places within a tenant.

use sekisho_kernel::{
    Cx, Problem, Target,
    access::Right,
    event,
    id::{SiteId, SiteKind},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Stored};

use crate::{
    Answer, Identity, boxed, guard, page_size,
    problems::SITE_IN_USE,
    records::{RoleGrant, ScimGroup, Site, UserAccount},
    sql,
    types::{After, Listed, NewSite, SitePatch, SiteView},
    under,
    values::{self, taken},
};

impl Identity {
    /// Makes a site. A right for single sites is not enough: the new one is none of them.
    ///
    /// # Errors
    /// `INVALID`, `SK-4019` (name taken).
    #[boxed]
    pub async fn create_site(&self, cx: &Cx, new: NewSite) -> Answer<SiteView> {
        let id: SiteId = self.id();
        let act = under(Right::SITES_WRITE, &event::SITE_CREATE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let site = Site { name: values::label("name", &new.name)?, note: values::note(&new.note)? };
                tx.insert(id, &site).map_err(taken)?;
                let made = shown(tx.get(id)?)?;
                tx.commit(permit, Entry::of(id), made)
            })
            .await
    }

    /// One site.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn site(&self, cx: &Cx, id: SiteId) -> Answer<SiteView> {
        let act = under(Right::SITES_READ, &event::SITE_READ, Target::site(cx.tenant, Some(id)), id);
        self.vault().look(cx, act, move |view| shown(view.get(id)?)).await
    }

    /// A page of sites; a person whose right is for single sites sees those.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn sites(&self, cx: &Cx, page: After<SiteKind>) -> Answer<Listed<SiteView, SiteId>> {
        let reach = self.reach(cx);
        let act = under(Right::SITES_READ, &event::SITE_LIST, reach.target(Right::SITES_READ), "sites");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (page.after.map(SiteId::cast), page_size(page.limit));
                let (rows, next) = guard::page(view, &Page { after, limit, ..Page::default() }, |s| {
                    reach.has(Right::SITES_READ, Some(s.id()))
                })?;
                Ok(Listed { items: rows.into_iter().map(site_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Changes a site as it was at `version`.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `INVALID`, `SK-4019`.
    #[boxed]
    pub async fn update_site(&self, cx: &Cx, id: SiteId, version: i64, patch: SitePatch) -> Answer<SiteView> {
        let act = under(Right::SITES_WRITE, &event::SITE_UPDATE, Target::site(cx.tenant, Some(id)), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let mut site = tx.get::<Site>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?.body;
                if let Some(name) = &patch.name {
                    site.name = values::label("name", name)?;
                }
                if let Some(note) = &patch.note {
                    site.note = values::note(note)?;
                }
                tx.update(id, version, &site).map_err(taken)?;
                let now = shown(tx.get(id)?)?;
                tx.commit(permit, Entry::of(id), now)
            })
            .await
    }

    /// Deletes a site to which nobody and no grant belongs.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `SK-4016`.
    #[boxed]
    pub async fn delete_site(&self, cx: &Cx, id: SiteId, version: Option<i64>) -> Answer<()> {
        let act = under(Right::SITES_WRITE, &event::SITE_DELETE, Target::site(cx.tenant, Some(id)), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let site = tx.get::<Site>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if version.is_some_and(|v| v != site.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                let people = tx.count::<UserAccount>(&[("site_id", id.into())])?;
                let groups = tx.count::<ScimGroup>(&[("site_id", id.into())])?;
                if people + groups + tx.count::<RoleGrant>(&[("site_id", id.into())])? > 0 {
                    return Err(Problem::new(&SITE_IN_USE));
                }
                let relations = tx.keep(&sql::RELATION_DROP, &[id.into()])?;
                tx.delete::<Site>(id)?;
                tx.commit(permit, Entry::of(id).with("relations_ended", relations), ())
            })
            .await
    }
}

fn shown(site: Option<Stored<Site>>) -> Answer<SiteView> {
    site.map(site_view).ok_or_else(|| Problem::new(&NOT_FOUND))
}

fn site_view(site: Stored<Site>) -> SiteView {
    SiteView {
        id: site.id(),
        version: site.version,
        created: site.created,
        updated: site.updated,
        name: site.body.name,
        note: site.body.note,
    }
}
