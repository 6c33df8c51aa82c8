//! People, as an identity provider keeps them. What the account holds (name, display name, mail, state) is the account's;
//! everything else that SCIM says lies beside it.

use sekisho_kernel::{
    Cx, Event, Problem, TakenOut, Text, Time,
    access::UserType,
    event,
    id::{TenantId, UserId},
    problem::NOT_FOUND,
};
use sekisho_vault::{Entry, Scope, Stored, Tx, View};
use serde_json::{Map, Value, json};

use super::{
    Resource, members, names, patch,
    schema::{ENTERPRISE_URI, USER_URI, USERS},
    subjects,
    value::{self, Ignored},
};
use crate::{
    Answer, Identity, boxed,
    guard::{self, Ways},
    people::{changed, has_way_in, moved},
    problems::{ABOVE_OWN, OWN_ACCOUNT, SCIM_MUTABILITY, SCIM_VERSION},
    records::{ScimProfile, UserAccount},
    types::{ScimPrecondition, ScimResource, UserState},
    users,
    values::{self, taken},
};

/// How often a change is tried again that another one overtook, where the client named no version.
const TRIES: usize = 3;
/// The most that is kept of a person beyond the account, in bytes.
const MOST_KEPT: usize = 32 * 1_024;

/// A person with what SCIM says of them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The account.
    pub account: Stored<UserAccount>,
    /// The rest.
    pub profile: Option<Stored<ScimProfile>>,
}

impl Loaded {
    /// Reads one; service accounts are no people.
    pub fn get(view: &mut View<'_>, id: UserId) -> Answer<Option<Self>> {
        let Some(account) = view.get::<UserAccount>(id)?.filter(|a| !a.body.service) else { return Ok(None) };
        let profile = view.get::<ScimProfile>(id)?;
        Ok(Some(Self { account, profile }))
    }

    /// The version: the account's and the profile's.
    pub fn etag(&self) -> String {
        format!("W/\"{}.{}\"", self.account.version, self.profile.as_ref().map_or(0, |p| p.version))
    }

    /// The resource without its groups.
    pub fn resource(&self, base: &str) -> Resource {
        let account = &self.account.body;
        let mut out = self.profile.as_ref().map_or_else(Map::new, |p| p.body.attributes.clone());
        let mut schemas = vec![USER_URI];
        schemas.extend(out.contains_key(ENTERPRISE_URI).then_some(ENTERPRISE_URI));
        // What the account says now goes before what SCIM said once.
        if self.profile.is_none() || called(&out, &account.name) != account.display_name {
            out.insert("displayName".into(), json!(account.display_name));
        }
        let mut emails = match out.remove("emails") {
            Some(Value::Array(all)) => all,
            _ => Vec::new(),
        };
        let at = preferred(&emails);
        let said = at.and_then(|i| emails[i].get("value")).and_then(Value::as_str).map(str::trim);
        if said != account.mail.as_deref() {
            match (at, &account.mail) {
                (Some(i), Some(mail)) => emails[i]["value"] = json!(mail),
                (None, Some(mail)) => emails.push(json!({ "value": mail, "type": "work", "primary": true })),
                (Some(i), None) => drop(emails.remove(i)),
                (None, None) => {}
            }
        }
        if !emails.is_empty() {
            out.insert("emails".into(), json!(emails));
        }
        let id: UserId = self.account.id();
        if let Some(external) = self.profile.as_ref().and_then(|p| p.body.external_id.as_ref()) {
            out.insert("externalId".into(), json!(external));
        }
        out.insert("schemas".into(), json!(schemas));
        out.insert("id".into(), json!(id));
        out.insert("userName".into(), json!(account.name));
        out.insert("active".into(), json!(account.state != UserState::Disabled));
        let updated = self.profile.as_ref().map_or(self.account.updated, |p| p.updated.max(self.account.updated));
        out.insert("meta".into(), meta("User", self.account.created, updated, &self.location(base), &self.etag()));
        out
    }

    fn location(&self, base: &str) -> String {
        format!("{base}/Users/{}", self.account.id::<sekisho_kernel::id::UserKind>())
    }
}

/// `meta` of a resource.
pub fn meta(kind: &str, created: Time, updated: Time, location: &str, etag: &str) -> Value {
    json!({
        "resourceType": kind, "created": created.rfc3339(), "lastModified": updated.rfc3339(),
        "location": location, "version": etag,
    })
}

/// Adds the groups that the person is a member of.
pub fn with_groups(view: &mut View<'_>, base: &str, id: UserId, resource: &mut Resource) -> Answer<()> {
    let groups: Vec<Value> = members::groups_of(view, id)?
        .into_iter()
        .map(|(id, name)| {
            json!({ "value": id, "$ref": format!("{base}/Groups/{id}"), "display": name, "type": "direct" })
        })
        .collect();
    if !groups.is_empty() {
        resource.insert("groups".into(), json!(groups));
    }
    Ok(())
}

/// The mail address that is the account's: the primary one, else the one for work, else the first.
fn preferred(emails: &[Value]) -> Option<usize> {
    let is = |v: &Value, key: &str, wanted: Value| v.get(key) == Some(&wanted);
    emails
        .iter()
        .position(|e| is(e, "primary", json!(true)))
        .or_else(|| emails.iter().position(|e| is(e, "type", json!("work"))))
        .or_else(|| (!emails.is_empty()).then_some(0))
}

/// What people call somebody: the display name, else the name's parts, else the sign-in name.
fn called(attributes: &Resource, user_name: &str) -> String {
    let text =
        |v: Option<&Value>| v.and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let part = |name: &str| text(attributes.get("name").and_then(|n| n.get(name)));
    let parts = || {
        let (family, given) = (part("familyName"), part("givenName"));
        let han = |t: &Option<String>| t.as_ref().is_some_and(|t| !t.is_ascii());
        let order = if han(&family) { [family, given] } else { [given, family] };
        let all: Vec<String> = order.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(" "))
    };
    let all = text(attributes.get("displayName")).or_else(|| part("formatted")).or_else(parts);
    let line = |t: String| t.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(values::NAME_LEN).collect();
    all.map_or_else(|| user_name.to_owned(), line)
}

/// What a resource says an account is to be.
struct Wanted {
    name: String,
    display_name: String,
    mail: Option<String>,
    active: Option<bool>,
    profile: ScimProfile,
}

impl Wanted {
    fn of(mut resource: Resource) -> Answer<Self> {
        let name = resource.remove("userName").as_ref().and_then(Value::as_str).map(str::to_owned);
        let missing = || value::wrong("userName", "userName は必須です。", "userName is required.");
        let name = values::sign_in_name(&name.ok_or_else(missing)?).map_err(|p| at(p, "userName"))?;
        let emails = resource.get("emails").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mail = preferred(emails).and_then(|i| emails[i].get("value")).and_then(Value::as_str);
        let mail = mail.map(values::mail).transpose().map_err(|p| at(p, "emails"))?;
        let active = resource.remove("active").as_ref().and_then(Value::as_bool);
        let external_id = resource.remove("externalId").as_ref().and_then(Value::as_str).map(str::to_owned);
        for name in ["id", "schemas", "meta", "groups"] {
            resource.remove(name);
        }
        let display_name = values::label("displayName", &called(&resource, &name))?;
        let profile = ScimProfile { external_id, attributes: resource };
        if serde_json::to_vec(&profile).map_or(usize::MAX, |b| b.len()) > MOST_KEPT {
            return Err(value::wrong(
                "attributes",
                "属性は合計 32 KiB までです。",
                "All attributes together may have 32 KiB at most.",
            ));
        }
        Ok(Self { name, display_name, mail, active, profile })
    }

    /// The event of bringing an account there.
    const fn event(&self, was: UserState) -> &'static Event {
        match (was, self.active) {
            (UserState::Disabled, Some(true)) => &event::USER_ENABLE,
            (UserState::Active | UserState::Invited, Some(false)) => &event::USER_DISABLE,
            _ => &event::USER_UPDATE,
        }
    }
}

/// A field's rule under the attribute's own name.
fn at(problem: Problem, place: &'static str) -> Problem {
    problem.at(place)
}

impl Identity {
    /// Makes an account.
    ///
    /// # Errors
    /// `SK-4090`, `SK-4094`, `SK-4019` (name or mail taken), `SK-4098`.
    #[boxed]
    pub async fn scim_create_user(&self, cx: &Cx, base: &str, body: &Value) -> Answer<ScimResource> {
        let id: UserId = self.id();
        let (act, open) = self.provision(cx, &event::USER_CREATE, id);
        let mut ignored = Ignored::default();
        let wanted = open.and_then(|()| Wanted::of(value::resource(&USERS, body, &mut ignored)?));
        let wanted = self.sound(cx, &act, wanted).await?;
        let (base, client) = (base.to_owned(), cx.actor.user());
        self.vault()
            .act(cx, act, move |tx, permit| {
                let active = wanted.active.unwrap_or(true);
                let subject = subjects::believed(tx, client, &wanted.profile)?;
                let account = UserAccount {
                    name: wanted.name,
                    display_name: wanted.display_name,
                    mail: wanted.mail,
                    kind: UserType::User,
                    state: match (active, &subject) {
                        (false, _) => UserState::Disabled,
                        (true, Some(_)) => UserState::Active,
                        (true, None) => UserState::Invited,
                    },
                    site: None,
                    functions_off: Vec::new(),
                    service: false,
                    terms: Vec::new(),
                    provisioner: false,
                    subject_provider: None,
                    renew_factor: false,
                };
                tx.insert(id, &account).map_err(taken)?;
                tx.insert(id, &wanted.profile)?;
                let mut entry = Entry::of(id).with("type", account.kind.name()).with("active", active);
                if let Some(subject) = subject {
                    let provider = subject.0;
                    let link = subjects::link(tx, id, subject, &account.name)?;
                    entry = entry.with("provider", provider).with("identity", link);
                }
                let made = shown(tx, &base, id)?;
                tx.commit(permit, noted(entry, &ignored), made)
            })
            .await
    }

    /// One person.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4098`.
    #[boxed]
    pub async fn scim_user(&self, cx: &Cx, base: &str, id: UserId) -> Answer<ScimResource> {
        let (act, open) = self.provision(cx, &event::USER_READ, id);
        self.sound(cx, &act, open).await?;
        let base = base.to_owned();
        self.vault().look(cx, act, move |view| read(view, &base, id)).await
    }

    /// Puts other attributes in the place of a person's. Who is disabled and whose state is not named stays so.
    ///
    /// # Errors
    /// As [`Identity::scim_create_user`]; `NOT_FOUND`, `SK-4097`, `SK-4012`, `SK-4014`, `SK-4026`.
    #[boxed]
    pub async fn scim_replace_user(
        &self,
        cx: &Cx,
        base: &str,
        id: UserId,
        expected: &ScimPrecondition,
        body: &Value,
    ) -> Answer<ScimResource> {
        self.scim_change_user(cx, base, id, expected, |resource, ignored| {
            *resource = value::resource(&USERS, body, ignored)?;
            Ok(())
        })
        .await
    }

    /// Changes a person by PATCH operations.
    ///
    /// # Errors
    /// As [`Identity::scim_replace_user`]; `SK-4091` to `SK-4095`.
    #[boxed]
    pub async fn scim_patch_user(
        &self,
        cx: &Cx,
        base: &str,
        id: UserId,
        expected: &ScimPrecondition,
        body: &Value,
    ) -> Answer<ScimResource> {
        self.scim_change_user(cx, base, id, expected, |resource, ignored| {
            let operations = patch::operations(&USERS, body)?;
            patch::apply(&USERS, resource, &operations, ignored)?;
            if resource.get("userName").is_none() {
                return Err(Problem::new(&SCIM_MUTABILITY).at("userName"));
            }
            Ok(())
        })
        .await
    }

    async fn scim_change_user(
        &self,
        cx: &Cx,
        base: &str,
        id: UserId,
        expected: &ScimPrecondition,
        change: impl Fn(&mut Resource, &mut Ignored) -> Answer<()>,
    ) -> Answer<ScimResource> {
        let mut left = TRIES;
        loop {
            let seen = self.vault().peek(&Scope::of(cx), move |view| Loaded::get(view, id)).await?;
            let mut ignored = Ignored::default();
            let prepared = self.prepared(seen.as_ref(), base, expected, &mut ignored, &change);
            let was = seen.as_ref().map_or(UserState::Invited, |s| s.account.body.state);
            let event = prepared.as_ref().map_or(&event::USER_UPDATE, |w| w.event(was));
            let (act, open) = self.provision(cx, event, id);
            let wanted = self.sound(cx, &act, open.and(prepared)).await?;
            let work = Work {
                tenant: cx.tenant,
                id,
                etag: seen.map(|s| s.etag()).unwrap_or_default(),
                me: cx.actor.user(),
                ways: self.ways(cx),
                base: base.to_owned(),
                taken_out: self.0.taken == Some(TakenOut::Deprovisioning),
            };
            let done = self
                .vault()
                .act(cx, act, move |tx, permit| {
                    let entry = work.write(tx, wanted)?;
                    let now = shown(tx, &work.base, id)?;
                    tx.commit(permit, noted(entry, &ignored), now)
                })
                .await;
            left -= 1;
            match done {
                Err(p) if p.is(&SCIM_VERSION) && expected.matches.is_none() && left > 0 => {}
                done => return done,
            }
        }
    }

    fn prepared(
        &self,
        seen: Option<&Loaded>,
        base: &str,
        expected: &ScimPrecondition,
        ignored: &mut Ignored,
        change: impl Fn(&mut Resource, &mut Ignored) -> Answer<()>,
    ) -> Answer<Wanted> {
        let seen = seen.ok_or_else(|| Problem::new(&NOT_FOUND))?;
        if expected.matches.as_ref().is_some_and(|given| !names(given, &seen.etag())) {
            return Err(Problem::new(&SCIM_VERSION));
        }
        let mut resource = seen.resource(base);
        change(&mut resource, ignored)?;
        Wanted::of(resource)
    }

    /// Deletes a person, with every session and token, on every node at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4097`, `SK-4012`, `SK-4026`, `SK-4098`.
    #[boxed]
    pub async fn scim_delete_user(&self, cx: &Cx, id: UserId, expected: &ScimPrecondition) -> Answer<()> {
        let (act, open) = self.provision(cx, &event::USER_DELETE, id);
        self.sound(cx, &act, open).await?;
        let (tenant, me, expected) = (cx.tenant, cx.actor.user(), expected.matches.clone());
        let ways = self.ways(cx);
        let taken_out = self.0.taken == Some(TakenOut::Deprovisioning);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let found = Loaded::get(&mut tx.view(), id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                if expected.is_some_and(|given| !names(&given, &found.etag())) {
                    return Err(Problem::new(&SCIM_VERSION));
                }
                let mut entry = Entry::of(id);
                if !taken_out {
                    entry = leaving(tx, ways, me, &found.account, entry)?;
                    users::remove(tx, tenant, id)?;
                }
                tx.commit(permit, entry, ())
            })
            .await
    }
}

/// A change of one person, within its act.
struct Work {
    tenant: TenantId,
    id: UserId,
    etag: String,
    me: Option<UserId>,
    ways: Ways,
    base: String,
    taken_out: bool,
}

/// A person leaves, by the word of the organisation's own identity provider. It is not held to what passwords are given up for
/// (`SK-4185`): who has left must be out at once, and the host lets an administrator in again. The entry tells of it. Somebody to
/// let in there must be left all the same.
fn leaving(
    tx: &mut Tx<'_>,
    ways: Ways,
    me: Option<UserId>,
    account: &Stored<UserAccount>,
    entry: Entry,
) -> Answer<Entry> {
    let id: UserId = account.id();
    if me == Some(id) {
        return Err(Problem::new(&OWN_ACCOUNT));
    }
    if !guard::able(&account.body) {
        return Ok(entry);
    }
    guard::another_administrator(tx, id)?;
    if !guard::only_one_in(tx, ways, id)? {
        return Ok(entry);
    }
    tracing::warn!(user = %id, "provisioning takes away the only administrator who comes in without a password");
    Ok(entry.with("way_in_left", "none"))
}

impl Work {
    fn write(&self, tx: &mut Tx<'_>, wanted: Wanted) -> Answer<Entry> {
        let now = Loaded::get(&mut tx.view(), self.id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
        if now.etag() != self.etag {
            return Err(Problem::new(&SCIM_VERSION));
        }
        let was = &now.account.body;
        let state = match (was.state, wanted.active) {
            (state, _) if self.taken_out => state,
            (UserState::Active | UserState::Invited, Some(false)) => UserState::Disabled,
            (UserState::Disabled, Some(true)) => {
                if has_way_in(tx, self.id)? {
                    UserState::Active
                } else {
                    UserState::Invited
                }
            }
            (state, _) => state,
        };
        let account = UserAccount {
            name: wanted.name,
            display_name: wanted.display_name,
            mail: wanted.mail,
            state,
            ..was.clone()
        };
        let lets_in = was.state == UserState::Disabled && state != UserState::Disabled;
        let reached = account.name != was.name || account.mail != was.mail;
        if (lets_in || reached) && !members::direct_only(&mut tx.view(), &now.account)? {
            return Err(Problem::new(&ABOVE_OWN).detail(Text::new(
                "管理者が直接権限を与えた利用者です。サインイン名、メールアドレスの変更と再有効化は、管理コンソールで行ってください。",
                "An administrator gave this person rights by hand. Rename, re-address or re-enable them in the console.",
            )));
        }
        let mut entry = changed(was, &account);
        if was.state != state && state == UserState::Disabled {
            entry = leaving(tx, self.ways, self.me, &now.account, entry)?;
            entry.detail.extend(users::shut_out(tx, self.tenant, self.id)?.detail);
        }
        let same = was.name == account.name
            && was.display_name == account.display_name
            && was.mail == account.mail
            && was.state == account.state;
        if !same {
            moved(tx, self.id)?;
            tx.update(self.id, now.account.version, &account).map_err(taken)?;
            tx.notify("rights", &format!("{}:{}", self.tenant, self.id))?;
        }
        match &now.profile {
            Some(there) if there.body == wanted.profile => {}
            Some(there) => {
                tx.update(self.id, there.version, &wanted.profile)?;
                entry = entry.with("attributes", "changed");
            }
            None => {
                tx.insert(self.id, &wanted.profile)?;
                entry = entry.with("attributes", "added");
            }
        }
        Ok(entry)
    }
}

/// An entry that also names what was not kept.
pub fn noted(entry: Entry, ignored: &Ignored) -> Entry {
    let names = ignored.names();
    if names.is_empty() { entry } else { entry.with("ignored", names) }
}

fn shown(tx: &mut Tx<'_>, base: &str, id: UserId) -> Answer<ScimResource> {
    read(&mut tx.view(), base, id)
}

fn read(view: &mut View<'_>, base: &str, id: UserId) -> Answer<ScimResource> {
    let loaded = Loaded::get(view, id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
    let mut body = loaded.resource(base);
    with_groups(view, base, id, &mut body)?;
    Ok(ScimResource { id: id.to_string(), etag: loaded.etag(), location: loaded.location(base), body })
}
