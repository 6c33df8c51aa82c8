//! From a subject to an account: the linked one, or a new one where the provider may make accounts. Roles follow the
//! provider's claims at each sign-in.

use sekisho_kernel::{
    Cx, Job, Problem,
    access::UserType,
    event,
    id::{GrantId, IdentityId, ProviderId, RoleId, UserId, UserKind},
    problem::CONFLICT,
};
use sekisho_vault::{Entry, Scope, Stored, Tx};
use serde_json::{Map, Value};

use super::{identities, mapping};
use crate::{
    Answer, Identity, by_job, people,
    problems::{NAME_HAS_ACCOUNT, NO_ACCOUNT, PROVIDER_REFUSED},
    records::{CustomRole, IdentityProvider, OutsideIdentity, RoleGrant, UserAccount},
    rights::MOST_GRANTS,
    sql,
    types::UserState,
    values,
};

/// A provider with what it has said of a person.
pub struct Vouched<'a> {
    pub id: ProviderId,
    pub provider: &'a IdentityProvider,
    pub subject: String,
    pub claims: Map<String, Value>,
}

impl Vouched<'_> {
    /// What the provider calls the person, to know the link by.
    pub fn label(&self) -> String {
        let names = &self.provider.claims;
        let name = mapping::text(&self.claims, &names.name).or_else(|| mapping::text(&self.claims, &names.mail));
        let name = name.unwrap_or(&self.subject);
        name.chars().filter(|c| !c.is_control()).take(values::NAME_LEN).collect()
    }

    fn display_name(&self) -> Option<String> {
        let text = mapping::text(&self.claims, &self.provider.claims.display_name)?;
        values::label("display_name", text).ok()
    }

    /// The roles that its rules name, and of these the ones that the claims give.
    fn roles(&self) -> (Vec<RoleId>, Vec<RoleId>) {
        let (mut managed, mut given) = (Vec::new(), Vec::new());
        for rule in &self.provider.rules {
            if !managed.contains(&rule.role) {
                managed.push(rule.role);
            }
            if mapping::matches(&self.claims, rule) && !given.contains(&rule.role) {
                given.push(rule.role);
            }
        }
        (managed, given)
    }
}

impl Identity {
    /// The account of a subject.
    ///
    /// # Errors
    /// `SK-4053` (no account, and none is made), `SK-4054` (the name is another account's), `SK-4050`.
    pub(super) async fn person_of(&self, cx: &Cx, vouched: &Vouched<'_>) -> Answer<UserId> {
        let (id, subject) = (vouched.id, vouched.subject.clone());
        let found = self
            .vault()
            .peek(&Scope::of(cx), move |view| {
                let Some(link) = identities::find(view, id, &subject)? else { return Ok(None) };
                let account = view.get::<UserAccount>(link.body.user)?;
                let grants = people::of_user::<RoleGrant>(view, link.body.user)?;
                Ok(Some((link, account, grants)))
            })
            .await?;
        match found {
            Some((link, account, grants)) => {
                let user = link.body.user;
                if account.is_some_and(|a| a.body.state == UserState::Active && stale(vouched, &link, &a, &grants)) {
                    self.sync(cx, vouched, &link).await?;
                }
                Ok(user)
            }
            None if vouched.provider.create_users => self.make_account(cx, vouched).await,
            None => Err(Problem::new(&NO_ACCOUNT)),
        }
    }

    async fn make_account(&self, cx: &Cx, vouched: &Vouched<'_>) -> Answer<UserId> {
        let (user, link): (UserId, IdentityId) = (self.id(), self.id());
        let name = mapping::text(&vouched.claims, &vouched.provider.claims.name).unwrap_or(&vouched.subject);
        let name = values::sign_in_name(name).map_err(|_| Problem::new(&PROVIDER_REFUSED).log("name-unusable"))?;
        let account = UserAccount {
            display_name: vouched.display_name().unwrap_or_else(|| name.clone()),
            name,
            mail: mapping::verified_mail(&vouched.claims, &vouched.provider.claims.mail),
            kind: UserType::User,
            state: UserState::Active,
            site: None,
            functions_off: Vec::new(),
            service: false,
            terms: Vec::new(),
            provisioner: false,
            subject_provider: None,
            renew_factor: false,
        };
        let identity = OutsideIdentity {
            provider: vouched.id,
            user,
            subject: vouched.subject.clone(),
            name: vouched.label(),
            made: true,
        };
        let (_, given) = vouched.roles();
        let grants: Vec<(GrantId, RoleId)> = given.into_iter().map(|role| (self.id(), role)).collect();
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, &event::USER_CREATE, user), move |tx, permit| {
                if !tx.find::<UserAccount>("name", &account.name)?.is_empty() {
                    return Err(Problem::new(&NAME_HAS_ACCOUNT));
                }
                let mut account = account;
                // Another account's address proves nothing here: this one has none.
                if let Some(mail) = &account.mail
                    && !tx.find::<UserAccount>("mail", mail)?.is_empty()
                {
                    account.mail = None;
                }
                let taken = |p: Problem| if p.is(&CONFLICT) { Problem::new(&NAME_HAS_ACCOUNT) } else { p };
                tx.insert(user, &account).map_err(taken)?;
                tx.insert(link, &identity)?;
                let mut entry = Entry::of(user).with("type", account.kind.name()).with("provider", identity.provider);
                for (id, role) in grants {
                    if tx.get::<CustomRole>(role)?.is_some() {
                        tx.insert(id, &by_rule(user, role))?;
                        entry = entry.with("role", role);
                    }
                }
                tx.commit(permit, entry, user)
            })
            .await
    }

    /// Brings roles and, for an account that the provider made, the display name to what the claims say.
    async fn sync(&self, cx: &Cx, vouched: &Vouched<'_>, link: &Stored<OutsideIdentity>) -> Answer<()> {
        let (managed, given) = vouched.roles();
        let given: Vec<(GrantId, RoleId)> = given.into_iter().map(|role| (self.id(), role)).collect();
        let display_name = vouched.display_name().filter(|_| link.body.made);
        let (user, provider, tenant) = (link.body.user, vouched.id, cx.tenant);
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, &event::IDENTITY_SYNC, user), move |tx, permit| {
                tx.keep(&sql::TENANT_HOLD, &[])?;
                let mut entry = Entry::of(user).with("provider", provider);
                let held = people::of_user::<RoleGrant>(&mut tx.view(), user)?;
                let (granted, revoked) = regrant(tx, user, &held, &managed, &given)?;
                if granted + revoked > 0 {
                    entry = entry.with("granted", granted).with("revoked", revoked);
                    people::moved(tx, user)?;
                    tx.notify("rights", &format!("{tenant}:{user}"))?;
                }
                if let (Some(name), Some(account)) = (display_name, tx.get::<UserAccount>(user)?)
                    && account.body.display_name != name
                {
                    let body = UserAccount { display_name: name, ..account.body };
                    tx.update(account.id.cast::<UserKind>(), account.version, &body)?;
                    entry = entry.with("changed", "display_name");
                }
                tx.commit(permit, entry, ())
            })
            .await
    }
}

/// Whether anything of an account is not as the claims say.
fn stale(
    vouched: &Vouched<'_>,
    link: &Stored<OutsideIdentity>,
    account: &Stored<UserAccount>,
    grants: &[Stored<RoleGrant>],
) -> bool {
    let (managed, given) = vouched.roles();
    let has = |role: &RoleId| grants.iter().any(|g| g.body.direct && g.body.role == *role && g.body.site.is_none());
    let roles = managed.iter().any(|role| has(role) != given.contains(role));
    let named = link.body.made && vouched.display_name().is_some_and(|n| n != account.body.display_name);
    roles || named
}

/// A role of the whole tenant that a rule gives. It is held as if by hand: a provisioned group that gives it too neither takes
/// it away nor loses its own part in it.
fn by_rule(user: UserId, role: RoleId) -> RoleGrant {
    RoleGrant { user, role, site: None, direct: true, groups: Vec::new() }
}

/// Grants and takes back the managed roles of the whole tenant; how many of each.
fn regrant(
    tx: &mut Tx<'_>,
    user: UserId,
    held: &[Stored<RoleGrant>],
    managed: &[RoleId],
    given: &[(GrantId, RoleId)],
) -> Answer<(u32, u32)> {
    let (mut granted, mut revoked) = (0, 0);
    let whole = || held.iter().filter(|g| g.body.site.is_none());
    for grant in whole().filter(|g| g.body.direct && managed.contains(&g.body.role)) {
        if given.iter().any(|(_, role)| *role == grant.body.role) {
            continue;
        }
        if grant.body.groups.is_empty() {
            tx.delete::<RoleGrant>(grant.id)?;
        } else {
            tx.update(grant.id, grant.version, &RoleGrant { direct: false, ..grant.body.clone() })?;
        }
        revoked += 1;
    }
    let room = usize::try_from(MOST_GRANTS).unwrap_or(usize::MAX).saturating_sub(held.len());
    for (id, role) in given.iter().take(room) {
        match whole().find(|g| g.body.role == *role) {
            Some(there) if there.body.direct => continue,
            Some(there) => tx.update(there.id, there.version, &RoleGrant { direct: true, ..there.body.clone() })?,
            None if tx.get::<CustomRole>(*role)?.is_some() => tx.insert(*id, &by_rule(user, *role))?,
            None => continue,
        };
        granted += 1;
    }
    Ok((granted, revoked))
}
