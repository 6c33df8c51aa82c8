//! One-time links: a 256-bit token, known to the store by its hash, good once within one hour.

use std::{sync::Arc, time::Duration};

use sekisho_kernel::{
    Effective, Job, Outcome, Problem, Rng, Secret, Time, event,
    hook::Knock,
    id::{LinkId, UserId},
    problem::NOT_FOUND,
};
use sekisho_vault::{Entry, Tx};

use crate::{
    Answer, Identity, boxed, by_job,
    oauth::grants,
    people,
    problems::{LINK_OVER, PASSWORDS_OFF},
    records::{Credential, LinkPurpose, OneTimeLink, RecoveryCodes, RiskProfile, TenantSetting, UserAccount},
    rights, session, settings, signals, sql, token, tokens,
    types::{LinkUsed, UserState},
};

/// How long a link is good.
pub const LIFE: Duration = Duration::from_secs(3_600);

/// A new link: its token, and the record of it.
pub fn new(rng: &dyn Rng, user: UserId, purpose: LinkPurpose, now: Time) -> (Secret<String>, OneTimeLink) {
    let token = token::new(rng);
    (token.text, OneTimeLink { user, purpose, expires: now.plus(LIFE), key: token.hash })
}

/// Puts a link where its token finds it.
pub fn put(tx: &mut Tx<'_>, id: LinkId, link: &OneTimeLink) -> Answer<()> {
    tx.insert(id, link)?;
    tx.point("link", &link.key, id, Some(link.expires))
}

/// Takes away every link of a person.
pub fn drop_all(tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
    for link in people::of_user::<OneTimeLink>(&mut tx.view(), user)? {
        tx.unpoint("link", &link.body.key)?;
        tx.delete::<OneTimeLink>(link.id)?;
    }
    Ok(())
}

impl Identity {
    /// Sets a password by a link, and uses the link up. The second factor goes; whoever is signed in as that person is
    /// signed out; a lock ends. A password that breaks a rule leaves the link good.
    ///
    /// # Errors
    /// `SK-4007` for a link that is unknown, used, run out or another tenant's; `SK-4005`; `SK-4184` where passwords are no way
    /// in, which leaves the link good.
    #[boxed]
    pub async fn use_link(&self, knock: &Knock, token: &Secret<String>, password: Secret<String>) -> Answer<LinkUsed> {
        let cx = Self::before_sign_in(knock);
        let over = || Problem::new(&LINK_OVER);
        let act = |object: String| by_job(&cx, Job::SignIn, &event::LINK_USE, object);
        let Some((link_id, link, account)) = self.link(knock, token).await? else {
            self.vault().enter(&cx, &event::LINK_USE, Outcome::Refused, "link", Vec::new()).await?;
            return Err(over());
        };
        let user = link.user;
        // A link of the host's opens what the organisation itself has closed; what the platform has closed stays so.
        let policy = match link.purpose {
            LinkPurpose::Recover => Effective::platform(self.platform()),
            LinkPurpose::Invite | LinkPurpose::FirstAdministrator => cx.policy.clone(),
        };
        let made = match account {
            _ if !self.gates().password_way(&policy) => Err(Problem::new(&PASSWORDS_OFF)),
            Some(account) => self.renewed(&cx, user, &password, &account).await,
            None => Err(Problem::new(&NOT_FOUND)),
        };
        let (credential, version) = match made {
            Ok(made) => made,
            Err(problem) => return Err(self.stop(&cx, act(user.to_string()), problem).await),
        };
        let (tenant, this) = (cx.tenant, self.clone());
        self.vault()
            .act(&cx, act(user.to_string()), move |tx, permit| {
                // Of two who bring the same token, one takes the pointer away.
                if !tx.unpoint("link", &link.key)? || !tx.delete::<OneTimeLink>(link_id)? {
                    return Err(over());
                }
                let account = tx.get::<UserAccount>(user)?.ok_or_else(over)?;
                if account.body.state == UserState::Disabled && link.purpose != LinkPurpose::Recover {
                    return Err(over());
                }
                match version {
                    Some(version) => tx.update(user, version, &credential)?,
                    None => tx.insert(user, &credential)?,
                };
                let change = if version.is_some() { "update" } else { "create" };
                signals::credential_changed(tx, user, "password", change)?;
                let mut body = UserAccount { state: UserState::Active, ..account.body };
                if link.purpose == LinkPurpose::Recover {
                    body.functions_off.clear();
                    let setting = settings::held(tx, tenant)?;
                    tx.update(tenant, setting.version, &this.without_lock_in(setting.body))?;
                    tx.notify("tenant", &tenant.to_string())?;
                    tx.keep(&sql::RIGHTS_BUMP_TENANT, &[])?;
                    tx.notify("rights", &format!("{tenant}:"))?;
                }
                let factors = people::drop_factors(tx, user)?;
                // Whoever had a second factor sets one up anew: the link alone must not be the weaker way in.
                body.renew_factor |= factors > 0;
                tx.update(user, account.version, &body)?;
                tx.delete::<RecoveryCodes>(user)?;
                // Whoever needed a link may have lost a device: none is known any more.
                tx.delete::<RiskProfile>(user)?;
                tx.keep(&sql::RISK_CLEAR, &[user.into()])?;
                drop_all(tx, user)?;
                session::end_all(tx, tenant, user, None)?;
                tokens::end_all(tx, tenant, user)?;
                grants::end_all(tx, tenant, ("user_id", user.into()))?;
                tx.keep(&sql::TRY_CLEAR, &[user.into()])?;
                people::moved(tx, user)?;
                tx.notify("rights", &format!("{tenant}:{user}"))?;
                let entry = Entry::of(user).with("link", link_id).with("purpose", link.purpose.name());
                tx.commit(permit, entry.with("factors_removed", factors), LinkUsed { user, name: body.name })
            })
            .await
    }

    /// The link of a token, with its account.
    async fn link(
        &self,
        knock: &Knock,
        token: &Secret<String>,
    ) -> Answer<Option<(LinkId, OneTimeLink, Option<UserAccount>)>> {
        let Some(key) = token::hash(token.reveal()) else { return Ok(None) };
        let Some((scope, record)) = self.vault().resolve_pointer("link", &key).await? else { return Ok(None) };
        if scope.tenant() != knock.host.tenant {
            return Ok(None);
        }
        let now = self.now();
        self.vault()
            .peek(&scope, move |view| {
                let Some(link) = view.get::<OneTimeLink>(record)?.filter(|l| l.body.expires > now) else {
                    return Ok(None);
                };
                let account = view.get::<UserAccount>(link.body.user)?.map(|a| a.body);
                Ok(Some((record.cast(), link.body, account)))
            })
            .await
    }

    /// The password that a link sets, and the version of the one it replaces.
    async fn renewed(
        &self,
        cx: &sekisho_kernel::Cx,
        user: UserId,
        password: &Secret<String>,
        account: &UserAccount,
    ) -> Answer<(Credential, Option<i64>)> {
        let old = self.vault().peek(&sekisho_vault::Scope::of(cx), move |view| view.get::<Credential>(user)).await?;
        match old {
            Some(old) => {
                let version = old.version;
                Ok((self.replaced(cx, password, account, &old.body).await?, Some(version)))
            }
            None => Ok((self.credential(cx, password, account).await?, None)),
        }
    }
}

impl LinkPurpose {
    /// The word in entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::FirstAdministrator => "first-administrator",
            Self::Recover => "recover",
        }
    }
}

impl Identity {
    /// What the tenant has set, without what would keep an administrator from switching anything on again: functions, and
    /// values of its own that take passwords away.
    fn without_lock_in(&self, mut setting: TenantSetting) -> TenantSetting {
        let needed = rights::bits(&["users".to_owned(), "policy".to_owned()]);
        setting.functions_off.retain(|f| rights::bits(std::slice::from_ref(f)) & needed == 0);
        let platform = self.platform();
        let open = |own: &TenantSetting| {
            let own = Arc::new(self.own_settings(own));
            self.gates().password_way(&Effective::new(platform.clone(), own))
        };
        if !open(&setting) {
            for key in setting.settings.keys().cloned().collect::<Vec<_>>() {
                let mut without = setting.clone();
                without.settings.remove(&key);
                if open(&without) {
                    return without;
                }
            }
        }
        setting
    }
}
