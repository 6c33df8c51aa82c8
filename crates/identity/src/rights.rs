//! What a person may do: the built-in type's rights, then each granted role's, and the switches.

use std::sync::Arc;

use sekisho_kernel::{
    Function, Problem, RightSet,
    access::{Grant, Right, RightsView},
    id::{SiteId, TenantId, UserId},
};
use sekisho_vault::{Page, Stored, View};

use crate::{
    Answer,
    problems::UNKNOWN_NAME,
    records::{CustomRole, RoleGrant, TenantSetting, UserAccount},
};

/// Most grants one person may have.
pub const MOST_GRANTS: u32 = 500;

/// A person with everything that follows from their account.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub account: Stored<UserAccount>,
    /// What they may do.
    pub view: Arc<RightsView>,
    /// Names of type and roles.
    pub roles: Arc<[String]>,
    /// The sites that their grants name.
    pub sites: Arc<[SiteId]>,
}

impl Person {
    /// The version of the terms that they accepted last, empty for none. `None` for what no person is behind.
    pub fn terms(&self) -> Option<Box<str>> {
        let account = &self.account.body;
        (!account.service).then(|| account.terms.last().map_or_else(Box::default, |a| a.version.as_str().into()))
    }
}

/// Reads a person and their rights. `None` when there is no such account in this tenant.
pub fn person(view: &mut View<'_>, tenant: TenantId, user: UserId) -> Answer<Option<Person>> {
    let Some(account) = view.get::<UserAccount>(user)? else { return Ok(None) };
    let setting = view.get::<TenantSetting>(tenant)?;
    let granted =
        view.list::<RoleGrant>(&Page { limit: MOST_GRANTS, eq: &[("user_id", user.into())], ..Page::default() })?;
    let kind = account.body.kind;
    let mut grants = vec![Grant { rights: kind.rights(), site: None, role: kind.name().to_owned() }];
    if account.body.provisioner {
        let rights = [Right::USERS_PROVISION].into_iter().collect();
        grants.push(Grant { rights, site: None, role: "provisioner".to_owned() });
    }
    let (mut names, mut sites) = (vec![kind.name().to_owned()], Vec::new());
    for grant in granted {
        let Some(role) = view.get::<CustomRole>(grant.body.role)? else { continue };
        let rights = known(&role.body.rights);
        grants.push(Grant { rights, site: grant.body.site, role: grant.body.role.to_string() });
        if !names.contains(&role.body.name) {
            names.push(role.body.name);
        }
        sites.extend(grant.body.site.filter(|s| !sites.contains(s)));
    }
    let moved = setting.as_ref().map_or(Ok(0), |s| s.int("rights_version"))?;
    let rights = RightsView {
        version: account.int("rights_version")? + moved,
        grants,
        tenant_off: setting.map_or(0, |s| bits(&s.body.functions_off)),
        user_off: bits(&account.body.functions_off),
    };
    Ok(Some(Person { account, view: Arc::new(rights), roles: names.into(), sites: sites.into() }))
}

/// The rights of these names; one that has left the catalogue gives nothing.
pub fn known(names: &[String]) -> RightSet {
    names.iter().filter_map(|n| Right::by_name(n)).collect()
}

/// The rights of these names, each of which must be in the catalogue; in catalogue order.
///
/// # Errors
/// `SK-4024` naming the first that is not.
pub fn named(names: &[String]) -> Answer<RightSet> {
    names.iter().map(|n| Right::by_name(n).ok_or_else(|| unknown("rights", n))).collect()
}

/// The names of a set, in catalogue order.
pub fn names(rights: RightSet) -> Vec<String> {
    rights.iter().map(|r| r.name().to_owned()).collect()
}

/// The functions of these names in catalogue order, each once.
///
/// # Errors
/// `SK-4024` naming the first that is not in the catalogue.
pub fn functions(off: &[String]) -> Answer<Vec<String>> {
    if let Some(n) = off.iter().find(|n| Function::by_name(n).is_none()) {
        return Err(unknown("off", n));
    }
    Ok(Function::all().map(|f| f.name().to_owned()).filter(|n| off.contains(n)).collect())
}

/// The bits of these functions; a name that has left the catalogue has none.
pub fn bits(off: &[String]) -> u64 {
    off.iter().filter_map(|n| Function::by_name(n)).fold(0, |bits, f| bits | f.bit())
}

fn unknown(place: &'static str, name: &str) -> Problem {
    let shown: String = name.chars().take(64).collect();
    Problem::new(&UNKNOWN_NAME)
        .at(place)
        .detail(sekisho_kernel::Text::owned(format!("「{shown}」がありません。"), format!("There is no \"{shown}\".")))
}

/// What a view holds at a place, whatever is switched off: `None` for rights that hold in the whole tenant.
pub fn held(view: &RightsView, site: Option<SiteId>) -> RightSet {
    let here = |g: &&Grant| g.site.is_none() || g.site == site;
    view.grants.iter().filter(here).fold(RightSet::EMPTY, |all, g| all.union(g.rights))
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::access::UserType;

    use super::*;

    #[test]
    fn rights_of_a_site_are_held_there_only() {
        let (here, there) = (SiteId::from_bytes([1; 16]), SiteId::from_bytes([2; 16]));
        let view = RightsView {
            version: 0,
            grants: vec![
                Grant { rights: UserType::User.rights(), site: None, role: "user".into() },
                Grant { rights: [Right::USERS_READ].into_iter().collect(), site: Some(here), role: "r".into() },
            ],
            tenant_off: 0,
            user_off: 0,
        };
        assert!(held(&view, Some(here)).has(Right::USERS_READ));
        assert!(!held(&view, Some(there)).has(Right::USERS_READ));
        assert!(!held(&view, None).has(Right::USERS_READ));
        assert!(held(&view, Some(there)).has(Right::APPLICATION_USE));
    }

    #[test]
    fn functions_and_rights_must_be_in_the_catalogue() {
        let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        assert_eq!(functions(&names(&["users", "application", "users"])).unwrap(), ["application", "users"]);
        assert!(functions(&names(&["users", "teleport"])).unwrap_err().is(&UNKNOWN_NAME));
        assert!(named(&names(&["users.read", "users.fly"])).unwrap_err().is(&UNKNOWN_NAME));
        assert_eq!(known(&names(&["users.read", "users.fly"])).iter().count(), 1);
        assert_eq!(bits(&names(&["application"])), Function::APPLICATION.bit());
    }
}
