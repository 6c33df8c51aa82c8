//! What the access check alone cannot see: reach over sites, rights beyond one's own, the last administrator.

use std::sync::Arc;

use sekisho_kernel::{
    Cx, Effective, Function, Problem, RightSet, Target, Text,
    access::{AccessQuestion, Right, RightsView, UserType},
    actor::Actor,
    gate::Gates,
    id::{SiteId, TenantId, UserId},
};
use sekisho_vault::{Page, Record, Stored, Tx, View};

use crate::{
    Answer, Identity, people,
    problems::{ABOVE_OWN, BEYOND_OWN, LAST_ADMINISTRATOR, NO_OTHER_WAY},
    records::{IdentityProvider, OutsideIdentity, Passkey, UserAccount},
    rights::{self, Person},
    sql,
    types::UserState,
};

/// Most records that a filtered list looks at for one page.
const SCANNED: usize = 10_000;

/// What an actor reaches, for closures that run apart from the engine.
#[derive(Clone)]
pub struct Reach {
    gates: Arc<dyn Gates>,
    tenant: TenantId,
    view: Option<Arc<RightsView>>,
}

impl Reach {
    /// Whether the actor has `right` on records of `site`.
    pub fn has(&self, right: Right, site: Option<SiteId>) -> bool {
        self.may(right, Target::site(self.tenant, site))
    }

    fn may(&self, right: Right, target: Target) -> bool {
        let Some(view) = &self.view else { return true };
        let question = AccessQuestion { tenant: self.tenant, view: view.clone(), right, target };
        self.gates.access(&question).allows()
    }

    /// What to ask for when records of several sites are listed: the whole tenant, or else the first site reached.
    pub fn target(&self, right: Right) -> Target {
        let whole = Target::tenant(self.tenant);
        if self.may(right, whole) {
            return whole;
        }
        let sites = self.view.iter().flat_map(|v| v.grants.iter().filter_map(|g| g.site));
        sites.map(|s| Target::site(self.tenant, Some(s))).find(|t| self.may(right, *t)).unwrap_or(whole)
    }

    /// Refuses to give away what one does not have at that place.
    ///
    /// # Errors
    /// `SK-4013` naming the rights.
    pub fn gives(&self, rights: RightSet, site: Option<SiteId>) -> Answer<()> {
        let Some(view) = &self.view else { return Ok(()) };
        let own = rights::held(view, site);
        if rights.within(own) {
            return Ok(());
        }
        let missing: Vec<&str> = rights.iter().filter(|r| !own.has(*r)).map(Right::name).collect();
        let list = missing.join(", ");
        Err(Problem::new(&BEYOND_OWN).detail(Text::owned(format!("持たない権限: {list}"), format!("Missing: {list}."))))
    }

    /// Refuses to change somebody who has more rights than oneself: a link or a mail address in the wrong hands would
    /// be those rights.
    ///
    /// # Errors
    /// `SK-4014`.
    pub fn above(&self, person: &Person) -> Answer<()> {
        let Some(view) = &self.view else { return Ok(()) };
        let within = person.view.grants.iter().all(|g| g.rights.within(rights::held(view, g.site)));
        if within { Ok(()) } else { Err(Problem::new(&ABOVE_OWN)) }
    }
}

impl Identity {
    /// What the context's actor reaches. A job reaches everything that its act allows.
    pub(crate) fn reach(&self, cx: &Cx) -> Reach {
        let view = match &cx.actor {
            Actor::User { rights, .. } => Some(rights.clone()),
            Actor::Job(_) => None,
            Actor::Stranger => Some(Arc::new(RightsView { version: 0, grants: vec![], tenant_off: 0, user_off: 0 })),
        };
        Reach { gates: self.0.gates.clone(), tenant: cx.tenant, view }
    }
}

/// Refuses what would leave the tenant without an administrator who can administer: active, a password set, and with
/// the functions for users and policy on. Other acts that count wait until this one is done.
///
/// # Errors
/// `SK-4012`.
pub fn another_administrator(tx: &mut Tx<'_>, than: UserId) -> Answer<()> {
    tx.keep(&sql::TENANT_HOLD, &[])?;
    let admins = tx.list::<UserAccount>(&Page {
        limit: Page::MOST,
        eq: &[("user_type", UserType::Administrator.name().into()), ("state", UserState::Active.code().into())],
        ..Page::default()
    })?;
    if admins.iter().any(|a| a.id::<sekisho_kernel::id::UserKind>() != than && able(&a.body)) {
        Ok(())
    } else {
        Err(Problem::new(&LAST_ADMINISTRATOR))
    }
}

/// Where passwords are no way in, refuses what would leave no administrator who can come in by a passkey or by an enabled
/// provider. To be called after the change, in its transaction.
///
/// # Errors
/// `SK-4185`.
pub fn way_in_left(tx: &mut Tx<'_>, gates: &dyn Gates, policy: &Effective) -> Answer<()> {
    if gates.password_way(policy) {
        return Ok(());
    }
    tx.keep(&sql::TENANT_HOLD, &[])?;
    let (alone, providers) = (gates.passkeys(policy).alone, gates.federation(policy).allowed);
    let admins = tx.list::<UserAccount>(&Page {
        limit: Page::MOST,
        eq: &[("user_type", UserType::Administrator.name().into()), ("state", UserState::Active.code().into())],
        ..Page::default()
    })?;
    for admin in admins.iter().filter(|a| able(&a.body)) {
        let id: UserId = admin.id::<sekisho_kernel::id::UserKind>();
        if alone && tx.count::<Passkey>(&[("user_id", id.into())])? > 0 {
            return Ok(());
        }
        if !providers {
            continue;
        }
        for link in people::of_user::<OutsideIdentity>(&mut tx.view(), id)? {
            if tx.get::<IdentityProvider>(link.body.provider)?.is_some_and(|p| p.body.enabled) {
                return Ok(());
            }
        }
    }
    Err(Problem::new(&NO_OTHER_WAY))
}

/// Whether the account is an administrator's who can administer.
pub fn able(account: &UserAccount) -> bool {
    let needed = Function::USERS.bit() | Function::POLICY.bit();
    account.kind == UserType::Administrator
        && account.state == UserState::Active
        && rights::bits(&account.functions_off) & needed == 0
}

/// A page of records that pass `keep`, and the id to go on after when there may be more.
pub fn page<R: Record>(
    view: &mut View<'_>,
    page: &Page<'_>,
    keep: impl Fn(&Stored<R>) -> bool,
) -> Answer<(Vec<Stored<R>>, Option<sekisho_kernel::id::RecordId>)> {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let (mut out, mut after, mut scanned) = (Vec::new(), page.after, 0);
    loop {
        let rows = view.list::<R>(&Page { after, limit: page.limit.max(200), ..page.clone() })?;
        let full = rows.len() >= limit.max(200);
        for row in rows {
            if out.len() == limit {
                return Ok((out, after));
            }
            (after, scanned) = (Some(row.id), scanned + 1);
            if keep(&row) {
                out.push(row);
            }
        }
        if !full {
            return Ok((out, None));
        }
        if scanned >= SCANNED {
            return Ok((out, after));
        }
    }
}
