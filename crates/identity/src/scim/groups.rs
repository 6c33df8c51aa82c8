//! Groups, as an identity provider keeps them; what one gives is an administrator's to say.

use std::collections::BTreeSet;

use sekisho_kernel::{
    Cx, Problem, RightSet, Target,
    access::Right,
    event,
    id::{ScimGroupId, ScimGroupKind, UserId},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Scope, Stored, View};
use serde_json::{Map, Value, json};

use super::{
    Resource,
    members::{self, Change},
    names, patch,
    schema::{GROUP_URI, GROUPS},
    users::{meta, noted},
    value::{self, Ignored},
};
use crate::{
    Answer, Identity, boxed, guard, page_size,
    problems::{SCIM_MUTABILITY, SCIM_VERSION},
    records::{CustomRole, ScimGroup, ScimMember, Site},
    rights, sql,
    types::{After, GroupMap, Listed, MappedGroupView, ScimPrecondition, ScimResource},
    under,
    values::{self, taken},
};

/// How often a change is tried again that another one overtook.
const TRIES: usize = 3;

fn etag(group: &Stored<ScimGroup>) -> String {
    format!("W/\"{}\"", group.version)
}

fn location(base: &str, id: ScimGroupId) -> String {
    format!("{base}/Groups/{id}")
}

/// The resource without its members.
pub fn resource(base: &str, group: &Stored<ScimGroup>) -> Resource {
    let id: ScimGroupId = group.id();
    let mut out = Map::new();
    out.insert("schemas".into(), json!([GROUP_URI]));
    out.insert("id".into(), json!(id));
    out.insert("displayName".into(), json!(group.body.name));
    if let Some(external) = &group.body.external_id {
        out.insert("externalId".into(), json!(external));
    }
    out.insert("meta".into(), meta("Group", group.created, group.updated, &location(base, id), &etag(group)));
    out
}

/// Adds the members.
pub fn with_members(view: &mut View<'_>, base: &str, id: ScimGroupId, resource: &mut Resource) -> Answer<()> {
    let all: Vec<Value> = members::of_group(view, id)?
        .into_iter()
        .map(|m| json!({ "value": m.body.user, "$ref": format!("{base}/Users/{}", m.body.user), "type": "User" }))
        .collect();
    if !all.is_empty() {
        resource.insert("members".into(), json!(all));
    }
    Ok(())
}

fn read(view: &mut View<'_>, base: &str, id: ScimGroupId, members: bool) -> Answer<ScimResource> {
    let group = view.get::<ScimGroup>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
    let mut body = resource(base, &group);
    if members {
        with_members(view, base, id, &mut body)?;
    }
    Ok(ScimResource { id: id.to_string(), etag: etag(&group), location: location(base, id), body })
}

/// What a resource says a group is to be.
struct Wanted {
    name: String,
    external_id: Option<String>,
    members: BTreeSet<UserId>,
}

impl Wanted {
    fn of(resource: &Resource) -> Answer<Self> {
        let text = |name: &str| resource.get(name).and_then(Value::as_str);
        let missing = || Problem::new(&SCIM_MUTABILITY).at("displayName");
        let name = values::label("displayName", text("displayName").ok_or_else(missing)?)?;
        let nobody = || {
            value::wrong("members", "この組織の利用者ではありません。", "There is no such user in this organisation.")
        };
        let mut all = BTreeSet::new();
        for member in resource.get("members").and_then(Value::as_array).into_iter().flatten() {
            let id = member.get("value").and_then(Value::as_str).and_then(|v| v.parse().ok());
            all.insert(id.ok_or_else(nobody)?);
        }
        Ok(Self { name, external_id: text("externalId").map(str::to_owned), members: all })
    }
}

impl Identity {
    /// Makes a group. It gives nothing until an administrator says what.
    ///
    /// # Errors
    /// `SK-4090`, `SK-4094`, `SK-4019` (name taken), `SK-4098`.
    #[boxed]
    pub async fn scim_create_group(&self, cx: &Cx, base: &str, body: &Value) -> Answer<ScimResource> {
        let id: ScimGroupId = self.id();
        let (act, open) = self.provision(cx, &event::GROUP_CREATE, id);
        let mut ignored = Ignored::default();
        let wanted = open.and_then(|()| Wanted::of(&value::resource(&GROUPS, body, &mut ignored)?));
        let wanted = self.sound(cx, &act, wanted).await?;
        let (base, rng, tenant) = (base.to_owned(), self.0.rng.clone(), cx.tenant);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let group = ScimGroup { name: wanted.name, external_id: wanted.external_id, role: None, site: None };
                tx.insert(id, &group).map_err(taken)?;
                let change = Change { id, group, rng };
                wanted.members.iter().try_for_each(|user| change.join(tx, *user))?;
                let joined: Vec<UserId> = wanted.members.iter().copied().collect();
                members::tell(tx, tenant, &joined)?;
                let made = read(&mut tx.view(), &base, id, true)?;
                let entry = Entry::of(id).with("members", joined.len());
                tx.commit(permit, noted(entry, &ignored), made)
            })
            .await
    }

    /// One group.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4098`.
    #[boxed]
    pub async fn scim_group(&self, cx: &Cx, base: &str, id: ScimGroupId, members: bool) -> Answer<ScimResource> {
        let (act, open) = self.provision(cx, &event::GROUP_READ, id);
        self.sound(cx, &act, open).await?;
        let base = base.to_owned();
        self.vault().look(cx, act, move |view| read(view, &base, id, members)).await
    }

    /// Puts name and members in the place of a group's.
    ///
    /// # Errors
    /// As [`Identity::scim_create_group`]; `NOT_FOUND`, `SK-4097`.
    #[boxed]
    pub async fn scim_replace_group(
        &self,
        cx: &Cx,
        base: &str,
        id: ScimGroupId,
        expected: &ScimPrecondition,
        body: &Value,
    ) -> Answer<ScimResource> {
        self.scim_change_group(cx, base, id, expected, |resource, ignored| {
            *resource = value::resource(&GROUPS, body, ignored)?;
            Ok(())
        })
        .await
    }

    /// Changes a group by PATCH operations.
    ///
    /// # Errors
    /// As [`Identity::scim_replace_group`]; `SK-4091` to `SK-4095`.
    #[boxed]
    pub async fn scim_patch_group(
        &self,
        cx: &Cx,
        base: &str,
        id: ScimGroupId,
        expected: &ScimPrecondition,
        body: &Value,
    ) -> Answer<ScimResource> {
        self.scim_change_group(cx, base, id, expected, |resource, ignored| {
            let operations = patch::operations(&GROUPS, body)?;
            patch::apply(&GROUPS, resource, &operations, ignored)
        })
        .await
    }

    async fn scim_change_group(
        &self,
        cx: &Cx,
        base: &str,
        id: ScimGroupId,
        expected: &ScimPrecondition,
        change: impl Fn(&mut Resource, &mut Ignored) -> Answer<()>,
    ) -> Answer<ScimResource> {
        let mut left = TRIES;
        loop {
            let at = base.to_owned();
            let seen = self
                .vault()
                .peek(&Scope::of(cx), move |view| {
                    let Some(group) = view.get::<ScimGroup>(id)? else { return Ok(None) };
                    let mut resource = resource(&at, &group);
                    with_members(view, &at, id, &mut resource)?;
                    Ok(Some((group, resource)))
                })
                .await?;
            let mut ignored = Ignored::default();
            let (act, open) = self.provision(cx, &event::GROUP_UPDATE, id);
            let prepared = open.and_then(|()| {
                let (group, mut resource) = seen.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if expected.matches.as_ref().is_some_and(|given| !names(given, &etag(&group))) {
                    return Err(Problem::new(&SCIM_VERSION));
                }
                change(&mut resource, &mut ignored)?;
                Ok((group.version, Wanted::of(&resource)?))
            });
            let (version, wanted) = self.sound(cx, &act, prepared).await?;
            let (base, rng, tenant) = (base.to_owned(), self.0.rng.clone(), cx.tenant);
            let done = self
                .vault()
                .act(cx, act, move |tx, permit| {
                    let now = tx.get::<ScimGroup>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                    let group = ScimGroup { name: wanted.name, external_id: wanted.external_id, ..now.body };
                    let overtaken = |p: Problem| if p.is(&CONFLICT) { Problem::new(&SCIM_VERSION) } else { p };
                    tx.update(id, version, &group).map_err(taken).map_err(overtaken)?;
                    let change = Change { id, group, rng };
                    let there = members::of_group(&mut tx.view(), id)?;
                    let mut moved = Vec::new();
                    for member in there.iter().filter(|m| !wanted.members.contains(&m.body.user)) {
                        change.leave(tx, member)?;
                        moved.push(member.body.user);
                    }
                    let left = moved.len();
                    let known: BTreeSet<UserId> = there.iter().map(|m| m.body.user).collect();
                    for user in wanted.members.difference(&known) {
                        change.join(tx, *user)?;
                        moved.push(*user);
                    }
                    members::tell(tx, tenant, &moved)?;
                    let shown = read(&mut tx.view(), &base, id, true)?;
                    let entry = Entry::of(id).with("joined", moved.len() - left).with("left", left);
                    let named: Vec<String> = moved.iter().take(20).map(ToString::to_string).collect();
                    let entry = if named.is_empty() { entry } else { entry.with("members", named.join(" ")) };
                    tx.commit(permit, noted(entry, &ignored), shown)
                })
                .await;
            left -= 1;
            match done {
                Err(p) if p.is(&SCIM_VERSION) && expected.matches.is_none() && left > 0 => {}
                done => return done,
            }
        }
    }

    /// Deletes a group; what it gave is taken back at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4097`, `SK-4098`.
    #[boxed]
    pub async fn scim_delete_group(&self, cx: &Cx, id: ScimGroupId, expected: &ScimPrecondition) -> Answer<()> {
        let (act, open) = self.provision(cx, &event::GROUP_DELETE, id);
        self.sound(cx, &act, open).await?;
        let (rng, tenant, expected) = (self.0.rng.clone(), cx.tenant, expected.matches.clone());
        self.vault()
            .act(cx, act, move |tx, permit| {
                let group = tx.get::<ScimGroup>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if expected.is_some_and(|given| !names(&given, &etag(&group))) {
                    return Err(Problem::new(&SCIM_VERSION));
                }
                let change = Change { id, group: group.body, rng };
                let all = members::of_group(&mut tx.view(), id)?;
                all.iter().try_for_each(|member| change.leave(tx, member))?;
                tx.delete::<ScimGroup>(id)?;
                let gone: Vec<UserId> = all.iter().map(|m| m.body.user).collect();
                members::tell(tx, tenant, &gone)?;
                tx.commit(permit, Entry::of(id).with("left", gone.len()), ())
            })
            .await
    }

    /// A page of provisioned groups, with what they give.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn mapped_groups(
        &self,
        cx: &Cx,
        page: After<ScimGroupKind>,
    ) -> Answer<Listed<MappedGroupView, ScimGroupId>> {
        let act = under(Right::CLIENTS_READ, &event::GROUP_LIST, Target::tenant(cx.tenant), "groups");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (page.after.map(ScimGroupId::cast), page_size(page.limit));
                let (rows, next) = guard::page(view, &Page { after, limit, ..Page::default() }, |_| true)?;
                let items = rows.into_iter().map(|g| mapped(view, g)).collect::<Answer<_>>()?;
                Ok(Listed { items, next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Says which role a group gives; its members have it at once, and lose what it gave before.
    ///
    /// # Errors
    /// `NOT_FOUND` (group, role, site), `SK-4013` (rights beyond one's own), `SK-4027`, `CONFLICT`.
    #[boxed]
    pub async fn map_group(
        &self,
        cx: &Cx,
        id: ScimGroupId,
        version: Option<i64>,
        map: GroupMap,
    ) -> Answer<MappedGroupView> {
        let (tenant, reach, rng) = (cx.tenant, self.reach(cx), self.0.rng.clone());
        let act = under(Right::GRANTS_WRITE, &event::GROUP_MAP, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let missing = |place: &'static str| move || Problem::new(&NOT_FOUND).at(place);
                let now = tx.get::<ScimGroup>(id)?.ok_or_else(missing("id"))?;
                let rights = match map.role {
                    Some(role) => rights::known(&tx.get::<CustomRole>(role)?.ok_or_else(missing("role"))?.body.rights),
                    None => RightSet::EMPTY,
                };
                let site = map.site.filter(|_| map.role.is_some());
                if let Some(site) = site {
                    tx.get::<Site>(site)?.ok_or_else(missing("site"))?;
                }
                reach.gives(rights, site)?;
                let all = members::of_group(&mut tx.view(), id)?;
                let before = Change { id, group: now.body.clone(), rng: rng.clone() };
                let after = Change { id, group: ScimGroup { role: map.role, site, ..now.body }, rng };
                tx.update(id, version.unwrap_or(now.version), &after.group)?;
                for member in &all {
                    before.take(tx, member.body.user)?;
                    after.give(tx, member.body.user)?;
                }
                let moved: Vec<UserId> = all.iter().map(|m| m.body.user).collect();
                members::tell(tx, tenant, &moved)?;
                let group = tx.get::<ScimGroup>(id)?.ok_or_else(missing("id"))?;
                let shown = mapped(&mut tx.view(), group)?;
                let mut entry = Entry::of(id).with("members", moved.len());
                entry = entry.with("role", map.role.map_or_else(|| "none".to_owned(), |r| r.to_string()));
                if let Some(site) = site {
                    entry = entry.with("site", site);
                }
                tx.commit(permit, entry, shown)
            })
            .await
    }
}

fn mapped(view: &mut View<'_>, group: Stored<ScimGroup>) -> Answer<MappedGroupView> {
    let id: ScimGroupId = group.id();
    Ok(MappedGroupView {
        id,
        version: group.version,
        created: group.created,
        updated: group.updated,
        members: view.count::<ScimMember>(&[("group_id", id.into())])?,
        name: group.body.name,
        role: group.body.role,
        site: group.body.site,
    })
}
