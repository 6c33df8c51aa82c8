//! People made from the host: the demo's and the rehearsal's organisations, through the very functions that the
//! console calls.

use std::{net::IpAddr, sync::Arc};

use sekisho_identity::{
    Identity, NewTenant,
    types::{Browser, NewUser, SignInStep, SignedIn},
};
use sekisho_kernel::{
    Job, Lang, Problem, Rng, Secret,
    access::UserType,
    actor::{TraceId, Via},
    hook::{Directory, HostEntry, Knock, Passage, Sessions},
    id::{SiteId, TenantId},
    problem::{INTERNAL, NOT_FOUND},
    world::{Account, Canary},
};

/// What makes people.
pub struct Provision<'a> {
    /// Whose people.
    pub identity: &'a Identity,
    /// Randomness for trace ids.
    pub rng: &'a dyn Rng,
    /// Where the host's own acts come from.
    pub peer: IpAddr,
}

/// A signed-in administrator at work.
pub struct Desk {
    /// The session.
    pub passage: Arc<Passage>,
    /// Its token.
    pub token: Secret<String>,
    knock: Knock,
}

impl Provision<'_> {
    async fn knock(&self, host: &str) -> Result<Knock, Problem> {
        let host = self.identity.host(host).await?.ok_or_else(|| Problem::new(&NOT_FOUND).at(host.to_owned()))?;
        let policy = self.identity.effective(host.tenant).await?;
        Ok(Knock {
            host,
            peer: self.peer,
            via: Via::Command,
            trace: TraceId::new(self.rng),
            policy,
            lang: Lang::Ja,
            activity: true,
            holds: None,
        })
    }

    /// An organisation, and the one-time link of its first administrator.
    ///
    /// # Errors
    /// As the function behind it.
    pub async fn tenant(
        &self,
        job: Job,
        name: &str,
        console: &str,
        application: &str,
    ) -> Result<(TenantId, Secret<String>), Problem> {
        let new = NewTenant {
            name: name.to_owned(),
            console_host: console.to_owned(),
            app_host: application.to_owned(),
            admin_name: "admin".to_owned(),
        };
        let made = self.identity.create_tenant(job, new).await?;
        Ok((made.tenant, made.link))
    }

    /// An organisation and its first administrator, whose password is set through the one-time link.
    ///
    /// # Errors
    /// As the functions behind it.
    pub async fn organisation(
        &self,
        name: &str,
        console: &str,
        application: &str,
        password: &str,
    ) -> Result<Canary, Problem> {
        let (tenant, link) = self.tenant(Job::FirstStart, name, console, application).await?;
        let knock = self.knock(console).await?;
        let used = self.identity.use_link(&knock, &link, Secret::new(password.to_owned())).await?;
        let admin = Account { user: used.user, name: used.name, password: Secret::new(password.to_owned()) };
        Ok(Canary {
            tenant,
            name: name.to_owned(),
            console: console.to_owned(),
            application: application.to_owned(),
            admin,
        })
    }

    /// Signs an account in that has no second factor.
    ///
    /// # Errors
    /// As sign-in; an account that wants more than its password is a defect here.
    pub async fn sign_in(&self, console: &str, account: &Account) -> Result<Desk, Problem> {
        let knock = self.knock(console).await?;
        let step = self.identity.sign_in(&knock, &Browser::default(), &account.name, account.password.clone()).await?;
        let SignInStep::SignedIn(signed) = step else {
            return Err(Problem::new(&INTERNAL).log("a provisioned account wants more than its password"));
        };
        let SignedIn { token, .. } = *signed;
        let passage = self.identity.resolve(&knock, &token).await?;
        Ok(Desk { passage, token, knock })
    }

    /// One more person of the administrator's organisation, with a first password.
    ///
    /// # Errors
    /// As the function behind it.
    pub async fn person(&self, desk: &Desk, person: Person<'_>) -> Result<Account, Problem> {
        let new = NewUser {
            name: person.name.to_owned(),
            display_name: Some(person.display_name.to_owned()),
            mail: None,
            kind: person.kind,
            site: person.site,
            password: Some(Secret::new(person.password.to_owned())),
            service: false,
        };
        let made = self.identity.create_user(&desk.passage.cx, new).await?;
        Ok(Account {
            user: made.user.id,
            name: person.name.to_owned(),
            password: Secret::new(person.password.to_owned()),
        })
    }

    /// Ends the administrator's session.
    ///
    /// # Errors
    /// As sign-out.
    pub async fn leave(&self, desk: Desk) -> Result<(), Problem> {
        self.identity.sign_out(&desk.knock, &desk.token, None).await.map(|_| ())
    }
}

/// A person to make.
pub struct Person<'a> {
    /// Sign-in name.
    pub name: &'a str,
    /// Shown name.
    pub display_name: &'a str,
    /// Built-in type.
    pub kind: UserType,
    /// Site, if any.
    pub site: Option<SiteId>,
    /// First password.
    pub password: &'a str,
}

/// The host entry of a console, for links.
pub async fn console_of(identity: &Identity, tenant: TenantId) -> Result<Arc<HostEntry>, Problem> {
    identity.console_host(tenant).await?.ok_or_else(|| Problem::new(&NOT_FOUND).at(tenant.to_string()))
}
