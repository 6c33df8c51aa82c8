//! What the access check alone cannot see: reach over sites, rights beyond one's own, the last administrator, the last way in.

use std::sync::Arc;

use sekisho_kernel::{
    Cx, Effective, Function, Problem, RightSet, Target, Text,
    access::{AccessQuestion, Right, RightsView, UserType},
    actor::Actor,
    gate::Gates,
    id::{SiteId, TenantId, UserId, UserKind},
};
use sekisho_vault::{Page, Record, Stored, Tx, View};

use crate::{
    Answer, Identity, people,
    problems::{ABOVE_OWN, BEYOND_OWN, LAST_ADMINISTRATOR, LAST_WAY_IN, NO_OTHER_WAY},
    records::{Credential, IdentityProvider, OutsideIdentity, Passkey, UserAccount},
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
    /// By what people come in under the context's policy.
    pub(crate) fn ways(&self, cx: &Cx) -> Ways {
        Ways::of(&*self.0.gates, &cx.policy)
    }

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
    if administrators(tx)?.iter().any(|a| *a != than) { Ok(()) } else { Err(Problem::new(&LAST_ADMINISTRATOR)) }
}

/// Everybody who can administer.
fn administrators(tx: &mut Tx<'_>) -> Answer<Vec<UserId>> {
    let all = tx.list::<UserAccount>(&Page {
        limit: Page::MOST,
        eq: &[("user_type", UserType::Administrator.name().into()), ("state", UserState::Active.code().into())],
        ..Page::default()
    })?;
    Ok(all.iter().filter(|a| able(&a.body)).map(Stored::id::<UserKind>).collect())
}

/// By what people come in, as a policy has it. An application's signature is no way of a person's own.
#[derive(Clone, Copy)]
pub struct Ways {
    password: bool,
    /// A passkey alone.
    passkey: bool,
    providers: bool,
}

impl Ways {
    pub fn of(gates: &dyn Gates, policy: &Effective) -> Self {
        Self {
            password: gates.password_way(policy),
            passkey: gates.passkeys(policy).alone,
            providers: gates.federation(policy).allowed,
        }
    }

    /// Whether somebody can come in, by whichever way.
    fn lead_in(self, tx: &mut Tx<'_>, user: UserId) -> Answer<bool> {
        Ok((self.password && tx.get::<Credential>(user)?.is_some()) || self.lead_in_without_password(tx, user)?)
    }

    /// The same by a passkey or by a provider that is switched on.
    fn lead_in_without_password(self, tx: &mut Tx<'_>, user: UserId) -> Answer<bool> {
        if self.passkey && tx.count::<Passkey>(&[("user_id", user.into())])? > 0 {
            return Ok(true);
        }
        if self.providers {
            for link in people::of_user::<OutsideIdentity>(&mut tx.view(), user)? {
                if tx.get::<IdentityProvider>(link.body.provider)?.is_some_and(|p| p.body.enabled) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Where passwords are no way in, refuses what would leave no administrator who can come in by a passkey or by an enabled
/// provider. To be called after the change, in its transaction.
///
/// # Errors
/// `SK-4185`.
pub fn way_in_left(tx: &mut Tx<'_>, ways: Ways) -> Answer<()> {
    if ways.password || somebody_comes_in(tx, ways, None)? { Ok(()) } else { Err(Problem::new(&NO_OTHER_WAY)) }
}

/// Refuses what has taken somebody's last way in, in the transaction of the change. An administrator who keeps one is one who can
/// come in. Other acts that count wait until this one is done.
///
/// # Errors
/// `SK-4055`.
pub fn own_way_left(tx: &mut Tx<'_>, ways: Ways, user: UserId) -> Answer<()> {
    tx.keep(&sql::TENANT_HOLD, &[])?;
    if ways.lead_in(tx, user)? { Ok(()) } else { Err(Problem::new(&LAST_WAY_IN)) }
}

/// Whether this person is the only administrator who can come in, where passwords are no way in. To be asked before what takes
/// the person away. Who could not come in either is not missed.
pub fn only_one_in(tx: &mut Tx<'_>, ways: Ways, person: UserId) -> Answer<bool> {
    Ok(!ways.password && ways.lead_in_without_password(tx, person)? && !somebody_comes_in(tx, ways, Some(person))?)
}

/// Whether an administrator, other than `than`, can come in without a password. Other acts that count wait until this one is
/// done.
fn somebody_comes_in(tx: &mut Tx<'_>, ways: Ways, than: Option<UserId>) -> Answer<bool> {
    tx.keep(&sql::TENANT_HOLD, &[])?;
    for admin in administrators(tx)? {
        if Some(admin) != than && ways.lead_in_without_password(tx, admin)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses what takes away the last administrator who can administer, or the last who can come in. To be called before it.
///
/// # Errors
/// `SK-4012`, `SK-4185`.
pub fn dispensable(tx: &mut Tx<'_>, ways: Ways, person: UserId) -> Answer<()> {
    another_administrator(tx, person)?;
    if only_one_in(tx, ways, person)? { Err(Problem::new(&NO_OTHER_WAY)) } else { Ok(()) }
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
