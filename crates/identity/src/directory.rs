//! Tenants by host name, and what holds for a tenant before anyone has signed in.

use std::sync::Arc;

use async_trait::async_trait;
use sekisho_kernel::{
    Effective, Problem, TakenOut, TenantSettings,
    gate::AddressLists,
    hook::{Directory, HostEntry, HostKind},
    id::TenantId,
    policy::value_from_json,
};
use sekisho_vault::{Page, View};

use crate::{
    Answer, Identity, addresses,
    records::{TenantHost, TenantSetting},
};

/// What is known of a tenant.
pub struct TenantState {
    /// Its own settings.
    pub settings: Arc<TenantSettings>,
    /// Its address lists, the platform's included.
    pub addresses: Arc<AddressLists>,
    /// Its console host.
    pub console: Option<Arc<HostEntry>>,
    /// Its name.
    pub name: String,
}

impl Identity {
    /// The tenant's state, from the cache where notices reach this node.
    pub(crate) async fn state(&self, tenant: TenantId) -> Answer<Arc<TenantState>> {
        if self.vault().in_contact()
            && let Some(state) = self.0.cache.state(tenant)
        {
            return Ok(state);
        }
        let moment = self.0.cache.moment();
        let policy = self.platform();
        let (setting, networks, console) = self
            .vault()
            .peek(&self.scope(tenant), move |view| {
                let setting = view.get::<TenantSetting>(tenant)?.map(|s| s.body);
                Ok((setting, addresses::networks(view)?, console(view, tenant)?))
            })
            .await?;
        let setting = setting.unwrap_or_default();
        let settings = Arc::new(self.own_settings(&setting));
        let effective = self.with_floor(Effective::new(policy, settings.clone()));
        let lists = AddressLists { platform: self.gates().platform_networks(&effective), tenant: networks };
        let state = TenantState { settings, addresses: Arc::new(lists), console, name: setting.name };
        let state = Arc::new(state);
        self.0.cache.put_state(tenant, &state, moment);
        Ok(state)
    }

    /// The tenant's settings, typed. One that the schema no longer has, or has with another type, counts for nothing.
    pub(crate) fn own_settings(&self, setting: &TenantSetting) -> TenantSettings {
        let policy = self.platform();
        let mut own = TenantSettings::default();
        for (key, json) in &setting.settings {
            if let Some(known) = policy.schema().get(key)
                && let Ok(value) = value_from_json(known, json)
            {
                own.set(known, Some(value));
            }
        }
        own
    }

    /// A rehearsal may have taken the platform's floor out.
    pub(crate) fn with_floor(&self, effective: Effective) -> Effective {
        match self.0.taken {
            Some(out @ TakenOut::PolicyFloor) => effective.without_floor(out),
            _ => effective,
        }
    }

    async fn lookup(&self, host: &str) -> Answer<Option<Arc<HostEntry>>> {
        let Some((scope, record)) = self.vault().resolve_pointer("host", host.as_bytes()).await? else {
            return Ok(None);
        };
        let found = self.vault().peek(&scope, move |view| view.get::<TenantHost>(record)).await?;
        Ok(found.filter(|h| h.body.host == host).map(|h| entry(scope.tenant(), &h.body)))
    }
}

fn entry(tenant: TenantId, host: &TenantHost) -> Arc<HostEntry> {
    let kind = if host.console { HostKind::Console } else { HostKind::Application };
    Arc::new(HostEntry { host: host.host.clone(), tenant, kind })
}

fn console(view: &mut View<'_>, tenant: TenantId) -> Answer<Option<Arc<HostEntry>>> {
    let hosts = view.list::<TenantHost>(&Page::default())?;
    Ok(hosts.iter().find(|h| h.body.console).map(|h| entry(tenant, &h.body)))
}

#[async_trait]
impl Directory for Identity {
    async fn host(&self, host: &str) -> Result<Option<Arc<HostEntry>>, Problem> {
        if self.vault().in_contact()
            && let Some(known) = self.0.cache.host(host)
        {
            return Ok(known);
        }
        let moment = self.0.cache.moment();
        let found = self.lookup(host).await?;
        self.0.cache.put_host(host, found.clone(), moment);
        Ok(found)
    }

    async fn console_host(&self, tenant: TenantId) -> Result<Option<Arc<HostEntry>>, Problem> {
        Ok(self.state(tenant).await?.console.clone())
    }

    async fn effective(&self, tenant: TenantId) -> Result<Effective, Problem> {
        let state = self.state(tenant).await?;
        Ok(self.with_floor(Effective::new(self.platform(), state.settings.clone())))
    }

    async fn addresses(&self, tenant: TenantId) -> Result<Arc<AddressLists>, Problem> {
        Ok(self.state(tenant).await?.addresses.clone())
    }
}
