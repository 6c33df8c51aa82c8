//! People's accounts.

use std::collections::HashMap;

use sekisho_kernel::{
    Cx, Event, Problem, RightSet, Secret, TakenOut, Target,
    access::{Right, UserType},
    event,
    id::{SiteId, TenantId, UserId},
    problem::{CONFLICT, FORBIDDEN, NOT_FOUND, UNAUTHENTICATED},
};
use sekisho_vault::{Committed, Entry, Page, Permit, Scope, Stored, Tx, View};

use crate::{
    Answer, Identity, boxed, clients,
    federation::identities,
    guard::{self, Reach, Ways, able},
    link,
    oauth::{applications, grants},
    own, page_size,
    password::{self, Whose},
    people::{changed, drop_factors, fold, found, has_way_in, mentions, moved, of_user, shown, user_view},
    problems::{OWN_ACCOUNT, PASSWORDS_OFF, SEARCH_TOO_WIDE, SERVICE_ACCOUNT},
    records::{Credential, LinkPurpose, RecoveryCodes, RiskProfile, RoleGrant, Site, UserAccount},
    rights::{self, Person},
    scim, session, sql, tokens,
    types::{Created, Listed, Me, NewUser, UserPatch, UserQuery, UserState, UserView},
    under,
    values::{self, taken},
};

/// Most people of a tenant whose names a substring search opens.
const SEARCHED: u64 = 10_000;

impl Identity {
    /// Makes an account, with a password or with an invitation link.
    ///
    /// # Errors
    /// `INVALID`, `SK-4005` (password), `SK-4013` (type beyond one's own rights), `SK-4019` (name or mail taken).
    #[boxed]
    pub async fn create_user(&self, cx: &Cx, new: NewUser) -> Answer<Created> {
        let id: UserId = self.id();
        let act = under(Right::USERS_WRITE, &event::USER_CREATE, Target::site(cx.tenant, new.site), id);
        let made = self.account(cx, &new).await;
        let (account, credential) = match made {
            Ok(made) => made,
            Err(problem) => return Err(self.stop(cx, act, problem).await),
        };
        let (reach, now) = (self.reach(cx), self.now());
        // Where passwords are no way in, there is nothing for a link to set: the person comes by a provider.
        let links = !new.service && self.gates().password_way(&cx.policy);
        let invitation = (credential.is_none() && links).then(|| link::new(self.rng(), id, LinkPurpose::Invite, now));
        let link_id = self.id();
        let token = invitation.as_ref().map(|(token, _)| token.clone());
        let user = self
            .vault()
            .act(cx, act, move |tx, permit| {
                reach.gives(account.kind.rights(), None)?;
                known_site(&mut tx.view(), account.site)?;
                tx.insert(id, &account).map_err(taken)?;
                if let Some(credential) = &credential {
                    tx.insert(id, credential)?;
                }
                let mut entry = Entry::of(id).with("type", account.kind.name());
                if let Some((_, body)) = &invitation {
                    link::put(tx, link_id, body)?;
                    entry = entry.with("link", link_id);
                }
                let user = shown(&mut tx.view(), id)?;
                tx.commit(permit, entry, user)
            })
            .await?;
        Ok(Created { user, link: token })
    }

    /// Checks what a new account is made of, and hashes its password.
    async fn account(&self, cx: &Cx, new: &NewUser) -> Answer<(UserAccount, Option<Credential>)> {
        let name = values::sign_in_name(&new.name)?;
        let display_name = match &new.display_name {
            Some(d) => values::label("display_name", d)?,
            None => name.clone(),
        };
        let mail = new.mail.as_deref().filter(|m| !m.trim().is_empty()).map(values::mail).transpose()?;
        let mut account = UserAccount {
            name,
            display_name,
            mail,
            kind: new.kind,
            state: UserState::Invited,
            site: new.site,
            functions_off: Vec::new(),
            terms: Vec::new(),
            service: new.service,
            provisioner: false,
            subject_provider: None,
            renew_factor: false,
        };
        if new.service {
            if new.kind != UserType::User || new.password.is_some() {
                return Err(Problem::new(&SERVICE_ACCOUNT).at("service"));
            }
            account.state = UserState::Active;
        }
        // Whoever lacks the right gets no hash computed; the act refuses them.
        let allowed = self.reach(cx).has(Right::USERS_WRITE, new.site);
        let Some(password) = new.password.as_ref().filter(|_| allowed) else { return Ok((account, None)) };
        let credential = self.credential(cx, password, &account).await?;
        account.state = UserState::Active;
        Ok((account, Some(credential)))
    }

    /// A first password, checked and hashed.
    pub(crate) async fn credential(
        &self,
        cx: &Cx,
        password: &Secret<String>,
        account: &UserAccount,
    ) -> Answer<Credential> {
        let rule = self.gates().password(&cx.policy);
        self.check_password(password, &rule, account).await?;
        let place = self.0.hasher.enter(cx.peer)?;
        let password = self.0.hasher.hash(&place, password, &rule).await?;
        Ok(Credential { password, changed: self.now(), history: Vec::new() })
    }

    /// Every rule but the history.
    pub(crate) async fn check_password(
        &self,
        password: &Secret<String>,
        rule: &sekisho_kernel::gate::PasswordRule,
        account: &UserAccount,
    ) -> Answer<()> {
        let list = match &rule.breached_list {
            Some(path) => Some(self.0.breached.get(path).await?),
            None => None,
        };
        let whose = Whose { name: &account.name, mail: account.mail.as_deref(), display_name: &account.display_name };
        password::check(password, rule, whose, list.as_deref())
    }

    /// One account.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn user(&self, cx: &Cx, id: UserId) -> Answer<UserView> {
        let target = self.target_of(cx, id).await?;
        let locked = self.locked(cx).await?;
        let tenant = cx.tenant;
        self.vault()
            .look(cx, under(Right::USERS_READ, &event::USER_READ, target, id), move |view| {
                let user = view.get::<UserAccount>(id)?.filter(|u| Target::site(tenant, u.body.site) == target);
                user_view(view, user.ok_or_else(|| Problem::new(&NOT_FOUND))?, &locked)
            })
            .await
    }

    /// A page of accounts; a person whose right is for single sites sees those sites' people.
    ///
    /// # Errors
    /// `SK-4020` for a substring search among more than 10,000 people.
    #[boxed]
    pub async fn users(&self, cx: &Cx, query: UserQuery) -> Answer<Listed<UserView, UserId>> {
        let (reach, locked) = (self.reach(cx), self.locked(cx).await?);
        let act = under(Right::USERS_READ, &event::USER_LIST, reach.target(Right::USERS_READ), "users");
        self.vault()
            .look(cx, act, move |view| {
                let seen = |u: &Stored<UserAccount>| reach.has(Right::USERS_READ, u.body.site);
                let limit = page_size(query.limit);
                let after = query.after.map(UserId::cast);
                let (rows, next) = match (&query.name, &query.text) {
                    (Some(name), _) => {
                        (view.find::<UserAccount>("name", name)?.into_iter().filter(seen).collect(), None)
                    }
                    (None, Some(text)) if !text.trim().is_empty() => {
                        if view.count::<UserAccount>(&[])? > SEARCHED {
                            return Err(Problem::new(&SEARCH_TOO_WIDE).at("text"));
                        }
                        let text = fold(text.trim());
                        let page = Page { after, limit, ..Page::default() };
                        guard::page(view, &page, |u| seen(u) && mentions(&u.body, &text))?
                    }
                    _ => guard::page(view, &Page { after, limit, ..Page::default() }, seen)?,
                };
                let items = rows.into_iter().map(|u| user_view(view, u, &locked)).collect::<Answer<_>>()?;
                Ok(Listed { items, next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Changes an account as it was at `version`.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `INVALID`, and those of [`Identity::create_user`]; `SK-4012`, `SK-4014`, `SK-4185`.
    #[boxed]
    pub async fn update_user(&self, cx: &Cx, id: UserId, version: i64, patch: UserPatch) -> Answer<UserView> {
        let (reach, ways) = (self.reach(cx), self.ways(cx));
        self.change(cx, id, &event::USER_UPDATE, Right::USERS_WRITE, move |tx, person| {
            reach.above(person)?;
            let mut account = person.account.body.clone();
            if let Some(name) = &patch.name {
                account.name = values::sign_in_name(name)?;
            }
            if let Some(name) = &patch.display_name {
                account.display_name = values::label("display_name", name)?;
            }
            if let Some(mail) = &patch.mail {
                account.mail = mail.as_deref().map(values::mail).transpose()?;
            }
            if let Some(site) = patch.site {
                known_site(&mut tx.view(), site)?;
                if !reach.has(Right::USERS_WRITE, site) {
                    return Err(Problem::new(&FORBIDDEN).at("site"));
                }
                account.site = site;
            }
            if let Some(kind) = patch.kind {
                if account.service && kind != UserType::User {
                    return Err(Problem::new(&SERVICE_ACCOUNT).at("type"));
                }
                reach.gives(kind.rights(), None)?;
                account.kind = kind;
            }
            if able(&person.account.body) && !able(&account) {
                guard::dispensable(tx, ways, id)?;
            }
            let entry = changed(&person.account.body, &account);
            moved(tx, id)?;
            tx.update(id, version, &account).map_err(taken)?;
            Ok(entry)
        })
        .await
    }

    /// Keeps the person from signing in, and ends their sessions at once.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4012`, `SK-4014`, `SK-4026`, `SK-4185`.
    #[boxed]
    pub async fn disable_user(&self, cx: &Cx, id: UserId) -> Answer<UserView> {
        let (tenant, reach, ways, me) = (cx.tenant, self.reach(cx), self.ways(cx), cx.actor.user());
        let taken_out = self.0.taken == Some(TakenOut::Deactivation);
        self.change(cx, id, &event::USER_DISABLE, Right::USERS_WRITE, move |tx, person| {
            gone_for_good(tx, &reach, ways, me, person)?;
            let account = UserAccount { state: UserState::Disabled, ..person.account.body.clone() };
            moved(tx, id)?;
            tx.update(id, person.account.version, &account)?;
            if taken_out {
                return Ok(Entry::default());
            }
            shut_out(tx, tenant, id)
        })
        .await
    }

    /// Lets the person sign in again.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4014`.
    #[boxed]
    pub async fn enable_user(&self, cx: &Cx, id: UserId) -> Answer<UserView> {
        let reach = self.reach(cx);
        self.change(cx, id, &event::USER_ENABLE, Right::USERS_WRITE, move |tx, person| {
            reach.above(person)?;
            let active = person.account.body.service || has_way_in(tx, id)?;
            let state = if active { UserState::Active } else { UserState::Invited };
            moved(tx, id)?;
            tx.update(id, person.account.version, &UserAccount { state, ..person.account.body.clone() })?;
            Ok(Entry::default())
        })
        .await
    }

    /// Ends a lock before its time.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn unlock_user(&self, cx: &Cx, id: UserId) -> Answer<UserView> {
        self.change(cx, id, &event::ACCOUNT_UNLOCK, Right::USERS_WRITE, move |tx, _| {
            tx.keep(&sql::TRY_CLEAR, &[id.into()])?;
            Ok(Entry::default())
        })
        .await
    }

    /// Deletes the account and everything that hangs on it. Entries go on naming its id, and nothing else of it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `SK-4012`, `SK-4014`, `SK-4026`, `SK-4185`.
    #[boxed]
    pub async fn delete_user(&self, cx: &Cx, id: UserId, version: Option<i64>) -> Answer<()> {
        let target = self.target_of(cx, id).await?;
        let (tenant, reach, ways, me) = (cx.tenant, self.reach(cx), self.ways(cx), cx.actor.user());
        self.vault()
            .act(cx, under(Right::USERS_WRITE, &event::USER_DELETE, target, id), move |tx, permit| {
                let person = found(tx, tenant, id, target)?;
                if version.is_some_and(|v| v != person.account.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                gone_for_good(tx, &reach, ways, me, &person)?;
                remove(tx, tenant, id)?;
                tx.commit(permit, Entry::of(id), ())
            })
            .await
    }

    /// A link by which the person sets a password, the first or again; their second factor goes with it, so that a lost
    /// device locks nobody out for good. Earlier links stop working. Shown once, good for one hour.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4014`, `SK-4184` where passwords are no way in.
    #[boxed]
    pub async fn invite_user(&self, cx: &Cx, id: UserId) -> Answer<Secret<String>> {
        let target = self.target_of(cx, id).await?;
        let (tenant, reach) = (cx.tenant, self.reach(cx));
        let open = self.gates().password_way(&cx.policy);
        let (token, body) = link::new(self.rng(), id, LinkPurpose::Invite, self.now());
        let link_id = self.id();
        self.vault()
            .act(cx, under(Right::USERS_WRITE, &event::USER_INVITE, target, id), move |tx, permit| {
                let person = found(tx, tenant, id, target)?;
                if person.account.body.service {
                    return Err(Problem::new(&SERVICE_ACCOUNT));
                }
                reach.above(&person)?;
                if !open {
                    return Err(Problem::new(&PASSWORDS_OFF));
                }
                link::drop_all(tx, id)?;
                link::put(tx, link_id, &body)?;
                tx.commit(permit, Entry::of(id).with("link", link_id), token)
            })
            .await
    }

    /// Switches functions off for one person, and all others on.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4012`, `SK-4024`, `SK-4185`.
    #[boxed]
    pub async fn switch_user(&self, cx: &Cx, id: UserId, off: Vec<String>) -> Answer<UserView> {
        let (functions, ways) = (rights::functions(&off), self.ways(cx));
        self.change(cx, id, &event::USER_SWITCH, Right::SWITCHES_WRITE, move |tx, person| {
            let account = UserAccount { functions_off: functions?, ..person.account.body.clone() };
            if able(&person.account.body) && !able(&account) {
                guard::dispensable(tx, ways, id)?;
            }
            moved(tx, id)?;
            tx.update(id, person.account.version, &account)?;
            Ok(Entry::default().with("off", account.functions_off.join(" ")))
        })
        .await
    }

    /// Display names for entries shown in the history; ids of nobody are left out. Makes no entry: reading the history
    /// has made one.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn names(&self, cx: &Cx, ids: Vec<UserId>) -> Answer<HashMap<UserId, String>> {
        self.vault()
            .peek(&Scope::of(cx), move |view| {
                let mut names = HashMap::new();
                for id in ids.into_iter().take(1_000) {
                    if !names.contains_key(&id)
                        && let Some(user) = view.get::<UserAccount>(id)?
                    {
                        names.insert(id, user.body.display_name);
                    }
                }
                Ok(names)
            })
            .await
    }

    /// The person who asks.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for anybody else.
    #[boxed]
    pub async fn me(&self, cx: &Cx) -> Answer<Me> {
        let sekisho_kernel::Actor::User { id, session, rights } = &cx.actor else {
            return Err(Problem::new(&UNAUTHENTICATED));
        };
        let (id, session, reach) = (*id, *session, self.reach(cx));
        let here: RightSet = Right::all().filter(|r| reach.has(*r, None)).collect();
        let sites: Vec<SiteId> = rights.grants.iter().filter_map(|g| g.site).collect();
        let there: RightSet =
            Right::all().filter(|r| !here.has(*r) && sites.iter().any(|s| reach.has(*r, Some(*s)))).collect();
        let locked = HashMap::new();
        let (user, has_password) = self
            .vault()
            .look(cx, own(cx, &event::USER_READ, id), move |view| {
                let account = view.get::<UserAccount>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                Ok((user_view(view, account, &locked)?, view.get::<Credential>(id)?.is_some()))
            })
            .await?;
        Ok(Me { user, session, has_password, rights: rights::names(here), site_rights: rights::names(there) })
    }

    /// On what a right over this person is needed: their site's people, or the tenant's when there is no such person.
    pub(crate) async fn target_of(&self, cx: &Cx, id: UserId) -> Answer<Target> {
        let site = self
            .vault()
            .peek(&Scope::of(cx), move |view| Ok(view.get::<UserAccount>(id)?.and_then(|u| u.body.site)))
            .await?;
        Ok(Target::site(cx.tenant, site))
    }

    /// Does something to one account, and shows it as it then is.
    async fn change<F>(&self, cx: &Cx, id: UserId, event: &'static Event, right: Right, f: F) -> Answer<UserView>
    where
        F: FnOnce(&mut Tx<'_>, &Person) -> Answer<Entry> + Send + 'static,
    {
        let target = self.target_of(cx, id).await?;
        let tenant = cx.tenant;
        let mut user = self
            .vault()
            .act(cx, under(right, event, target, id), move |tx, permit| {
                let person = found(tx, tenant, id, target)?;
                let entry = f(tx, &person)?;
                tx.notify("rights", &format!("{tenant}:{id}"))?;
                done(tx, permit, id, entry)
            })
            .await?;
        user.locked_until = self.locked(cx).await?.get(&id.bytes()).copied();
        Ok(user)
    }
}

fn done(tx: &mut Tx<'_>, permit: Permit, id: UserId, entry: Entry) -> Answer<Committed<UserView>> {
    let user = shown(&mut tx.view(), id)?;
    tx.commit(permit, Entry { object: id.to_string(), ..entry }, user)
}

/// Ends every session and token of an account, on every node at once.
pub fn shut_out(tx: &mut Tx<'_>, tenant: TenantId, id: UserId) -> Answer<Entry> {
    let (ended, tokens) = (session::end_all(tx, tenant, id, None)?, tokens::end_all(tx, tenant, id)?);
    let held = grants::end_all(tx, tenant, ("user_id", id.into()))?;
    Ok(Entry::default().with("sessions_ended", ended).with("tokens_ended", tokens + held))
}

/// Takes an account away with everything that hangs on it.
pub fn remove(tx: &mut Tx<'_>, tenant: TenantId, id: UserId) -> Answer<()> {
    session::end_all(tx, tenant, id, None)?;
    tokens::end_all(tx, tenant, id)?;
    applications::drop_person(tx, tenant, id)?;
    tx.delete::<Credential>(id)?;
    tx.delete::<RecoveryCodes>(id)?;
    tx.delete::<RiskProfile>(id)?;
    tx.keep(&sql::RISK_CLEAR, &[id.into()])?;
    drop_factors(tx, id)?;
    link::drop_all(tx, id)?;
    clients::drop_unique_ids(tx, id)?;
    scim::forget_person(tx, id)?;
    identities::drop_person(tx, id)?;
    for grant in of_user::<RoleGrant>(&mut tx.view(), id)? {
        tx.delete::<RoleGrant>(grant.id)?;
    }
    tx.keep(&sql::TRY_CLEAR, &[id.into()])?;
    tx.keep(&sql::RELATION_DROP, &[id.into()])?;
    tx.delete::<UserAccount>(id)?;
    tx.notify("rights", &format!("{tenant}:{id}"))
}

/// What disabling and deleting have in common.
fn gone_for_good(tx: &mut Tx<'_>, reach: &Reach, ways: Ways, me: Option<UserId>, person: &Person) -> Answer<()> {
    let id: UserId = person.account.id();
    if me == Some(id) {
        return Err(Problem::new(&OWN_ACCOUNT));
    }
    reach.above(person)?;
    if able(&person.account.body) { guard::dispensable(tx, ways, id) } else { Ok(()) }
}

fn known_site(view: &mut View<'_>, site: Option<SiteId>) -> Answer<()> {
    match site {
        Some(id) if view.get::<Site>(id)?.is_none() => Err(Problem::new(&NOT_FOUND).at("site")),
        _ => Ok(()),
    }
}
