//! Where pages of public applications come from: the origins of their redirect addresses.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sekisho_kernel::{Time, id::TenantId};
use sekisho_vault::Page;

use crate::{
    Answer, Identity, boxed,
    records::{Application, ApplicationState},
};

/// How long what was read is used: a change on another node counts after that.
const FRESH: Duration = Duration::from_secs(10);
/// The longest origin that is looked at.
const LONGEST: usize = 300;

/// When they were read, and what they are.
type Known = (Time, Arc<BTreeSet<String>>);

/// What this node knows, by tenant.
#[derive(Default)]
pub struct Origins(Mutex<HashMap<TenantId, Known>>);

impl Origins {
    fn known(&self, tenant: TenantId, now: Time) -> Option<Arc<BTreeSet<String>>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read, origins) = all.get(&tenant)?;
        (*read <= now && now.since(*read) < FRESH).then(|| origins.clone())
    }
    fn keep(&self, tenant: TenantId, now: Time, origins: &Arc<BTreeSet<String>>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (read, _)| *read <= now && now.since(*read) < FRESH);
        all.insert(tenant, (now, origins.clone()));
    }
    /// An application of this tenant has changed.
    pub fn forget(&self, tenant: TenantId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }
}

/// The origin of a redirect address (RFC 6454 §6.1): it is https on 443, which browsers leave out.
fn origin(redirect: &str) -> Option<String> {
    let rest = redirect.strip_prefix("https://")?;
    let authority = rest.split(['/', '?']).next()?;
    Some(format!("https://{}", authority.strip_suffix(":443").unwrap_or(authority)))
}

impl Identity {
    /// Whether pages of this origin are an approved public application's of this tenant.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn is_public_origin(&self, tenant: TenantId, given: &str) -> Answer<bool> {
        if given.len() > LONGEST || !given.starts_with("https://") {
            return Ok(false);
        }
        let now = self.now();
        if let Some(known) = self.0.origins.known(tenant, now) {
            return Ok(known.contains(given));
        }
        let scope = self.scope(tenant);
        let read = self.vault().peek(&scope, |view| {
            let eq = [("state", ApplicationState::Approved.code().into())];
            let rows = view.list::<Application>(&Page { limit: Page::MOST, eq: &eq, ..Page::default() })?;
            let public = rows.into_iter().filter(|r| r.body.secret.is_none() && r.body.account.is_none());
            Ok(public.flat_map(|r| r.body.redirects).filter_map(|r| origin(&r)).collect::<BTreeSet<_>>())
        });
        let origins = Arc::new(read.await?);
        self.0.origins.keep(tenant, now, &origins);
        Ok(origins.contains(given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send() {
        for (redirect, wanted) in [
            ("https://app.example/cb", "https://app.example"),
            ("https://app.example:443/cb?x=https://evil.example", "https://app.example"),
            ("https://app.example?x=1", "https://app.example"),
            ("https://app.example", "https://app.example"),
        ] {
            assert_eq!(origin(redirect).as_deref(), Some(wanted), "{redirect}");
        }
        assert_eq!(origin("http://app.example/"), None);
    }
}
