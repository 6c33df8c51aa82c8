//! For the binary: the first tenant, and what commands on the host do.

use sekisho_kernel::{
    Cx, Effective, Job, Problem, Secret, Text,
    access::UserType,
    event,
    id::{RecordId, TenantId, UserId, UserKind},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Scope, Tx};

use crate::{
    Answer, Identity, boxed, by_job, link,
    problems::BAD_HOST,
    records::{LinkPurpose, TenantHost, TenantSetting, UserAccount},
    sql,
    types::UserState,
    values,
};

/// A tenant to be made.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// The organisation's name.
    pub name: String,
    /// The host name of its sign-in, console and API.
    pub console_host: String,
    /// The host name of its application.
    pub app_host: String,
    /// The sign-in name of its first administrator.
    pub admin_name: String,
}

/// A tenant just made.
#[derive(Clone, Debug)]
pub struct TenantMade {
    /// Its id.
    pub tenant: TenantId,
    /// Its first administrator.
    pub admin: UserId,
    /// The token of the link by which that person sets a password: once, within one hour.
    pub link: Secret<String>,
}

impl Identity {
    fn command(&self, tenant: TenantId, job: Job) -> Cx {
        Cx::job(tenant, job, Effective::platform(self.platform()), self.rng())
    }

    /// Makes a tenant with its host names and its first administrator. `job` is first-start or command.
    ///
    /// # Errors
    /// `SK-4029` (host name), `INVALID` (names); the store's.
    #[boxed]
    pub async fn create_tenant(&self, job: Job, new: NewTenant) -> Answer<TenantMade> {
        let name = values::label("name", &new.name)?;
        let (console, app) = (values::host(&new.console_host)?, values::host(&new.app_host)?);
        if console == app {
            return Err(Problem::new(&BAD_HOST).at("app_host"));
        }
        let admin_name = values::sign_in_name(&new.admin_name)?;
        let tenant: TenantId = self.id();
        let cx = self.command(tenant, job);
        for host in [&console, &app] {
            if self.vault().resolve_pointer("host", host.as_bytes()).await?.is_some() {
                return Err(host_taken(host));
            }
        }
        self.vault().create_tenant(&cx).await?;
        let admin: UserId = self.id();
        let (token, link) = link::new(self.rng(), admin, LinkPurpose::FirstAdministrator, self.now());
        let ids: (RecordId, RecordId) = (self.id(), self.id());
        let link_id = self.id();
        let account = UserAccount {
            display_name: admin_name.clone(),
            name: admin_name,
            mail: None,
            kind: UserType::Administrator,
            state: UserState::Invited,
            site: None,
            functions_off: Vec::new(),
            terms: Vec::new(),
            service: false,
            provisioner: false,
            subject_provider: None,
            renew_factor: false,
        };
        self.vault()
            .act(&cx, by_job(&cx, job, &event::TENANT_CREATE, tenant), move |tx, permit| {
                tx.insert(tenant, &TenantSetting { name, ..TenantSetting::default() })?;
                for (id, host, console) in [(ids.0, console, true), (ids.1, app, false)] {
                    put_host(tx, id, TenantHost { host, console })?;
                }
                tx.insert(admin, &account)?;
                link::put(tx, link_id, &link)?;
                tx.commit(permit, Entry::of(tenant).with("administrator", admin).with("link", link_id), ())
            })
            .await?;
        Ok(TenantMade { tenant, admin, link: token })
    }

    /// A link by which an administrator comes back in: it sets a password, takes the second factor away, and switches the
    /// functions for users and policy on again. For the oldest administrator, active ones first.
    ///
    /// # Errors
    /// `NOT_FOUND` in a tenant without an administrator.
    #[boxed]
    pub async fn recover_admin(&self, tenant: TenantId) -> Answer<(UserId, Secret<String>)> {
        let cx = self.command(tenant, Job::Command);
        let admins = self
            .vault()
            .peek(&Scope::of(&cx), |view| {
                let eq = [("user_type", UserType::Administrator.name().into())];
                view.list::<UserAccount>(&Page { limit: 200, eq: &eq, ..Page::default() })
            })
            .await?;
        let best = admins.iter().min_by_key(|a| (a.body.state != UserState::Active, a.id));
        let admin: UserId = best.map(|a| a.id::<UserKind>()).ok_or_else(|| Problem::new(&NOT_FOUND))?;
        let (token, body) = link::new(self.rng(), admin, LinkPurpose::Recover, self.now());
        let link_id = self.id();
        self.vault()
            .act(&cx, by_job(&cx, Job::Command, &event::LINK_CREATE, admin), move |tx, permit| {
                link::drop_all(tx, admin)?;
                link::put(tx, link_id, &body)?;
                tx.commit(permit, Entry::of(admin).with("link", link_id).with("purpose", "recover"), (admin, token))
            })
            .await
    }

    /// Ends the lock of the account with this sign-in name.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn unlock(&self, tenant: TenantId, name: &str) -> Answer<UserId> {
        let cx = self.command(tenant, Job::Command);
        let name = name.to_owned();
        let found = self.vault().peek(&Scope::of(&cx), move |view| view.find::<UserAccount>("name", &name)).await?;
        let user: UserId = found.first().map(|a| a.id::<UserKind>()).ok_or_else(|| Problem::new(&NOT_FOUND))?;
        self.vault()
            .act(&cx, by_job(&cx, Job::Command, &event::ACCOUNT_UNLOCK, user), move |tx, permit| {
                tx.keep(&sql::TRY_CLEAR, &[user.into()])?;
                tx.commit(permit, Entry::of(user), user)
            })
            .await
    }

    /// Every tenant with its name, oldest first.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn tenants(&self) -> Answer<Vec<(TenantId, String)>> {
        let mut named = Vec::new();
        for tenant in self.vault().tenants().await? {
            named.push((tenant, self.state(tenant).await?.name.clone()));
        }
        Ok(named)
    }
}

fn put_host(tx: &mut Tx<'_>, id: RecordId, host: TenantHost) -> Answer<()> {
    tx.insert(id, &host)?;
    tx.point("host", host.host.as_bytes(), id, None)
        .map_err(|p| if p.is(&CONFLICT) { host_taken(&host.host) } else { p })?;
    tx.notify("host", &host.host)
}

fn host_taken(host: &str) -> Problem {
    Problem::new(&BAD_HOST)
        .at("host")
        .detail(Text::owned(format!("{host} は登録されています。"), format!("{host} is registered already.")))
}
