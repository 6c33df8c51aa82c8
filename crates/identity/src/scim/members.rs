//! Memberships, and the grants that follow from them where an administrator has mapped a group to a role.

use std::sync::Arc;

use sekisho_kernel::{
    Id, Problem, Rng,
    access::UserType,
    id::{GrantId, ScimGroupId, ScimMemberId, TenantId, UserId},
};
use sekisho_vault::{Page, Stored, Tx, View};

use super::{SEARCHED, value};
use crate::{
    Answer,
    people::{self, of_user},
    problems::TOO_MANY_RECORDS,
    records::{RoleGrant, ScimGroup, ScimMember, UserAccount},
    rights::MOST_GRANTS,
};

/// Beyond so many people whose rights move, every node forgets the whole organisation's at once.
const EACH: usize = 20;

/// Who is in a group.
pub fn of_group(view: &mut View<'_>, group: ScimGroupId) -> Answer<Vec<Stored<ScimMember>>> {
    let limit = u32::try_from(SEARCHED).unwrap_or(Page::MOST);
    view.list::<ScimMember>(&Page { limit, eq: &[("group_id", group.into())], ..Page::default() })
}

/// The groups of a person, by id and name.
pub fn groups_of(view: &mut View<'_>, user: UserId) -> Answer<Vec<(ScimGroupId, String)>> {
    let mut out = Vec::new();
    for member in of_user::<ScimMember>(view, user)? {
        if let Some(group) = view.get::<ScimGroup>(member.body.group)? {
            out.push((member.body.group, group.body.name));
        }
    }
    Ok(out)
}

/// Whether nothing was given to the person by hand: neither a type above the common one nor a role. Only then may a
/// provisioning client change by what name and address they come in, or let them in again.
pub fn direct_only(view: &mut View<'_>, account: &Stored<UserAccount>) -> Answer<bool> {
    let user = account.id();
    let by_hand = of_user::<RoleGrant>(view, user)?.iter().any(|g| g.body.direct);
    Ok(account.body.kind == UserType::User && !by_hand)
}

/// Changes of who is in a group.
pub struct Change {
    /// The group.
    pub id: ScimGroupId,
    /// What it gives.
    pub group: ScimGroup,
    /// Randomness for new ids.
    pub rng: Arc<dyn Rng>,
}

impl Change {
    fn id<K>(&self, tx: &Tx<'_>) -> Id<K> {
        Id::new(tx.now(), &*self.rng)
    }

    /// Takes somebody in.
    ///
    /// # Errors
    /// `SK-4094` for nobody of this organisation, `SK-4027` for too many grants.
    pub fn join(&self, tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
        let nobody = || {
            value::wrong("members", "この組織の利用者ではありません。", "There is no such user in this organisation.")
        };
        tx.get::<UserAccount>(user)?.filter(|u| !u.body.service).ok_or_else(nobody)?;
        let id: ScimMemberId = self.id(tx);
        tx.insert(id, &ScimMember { group: self.id, user })?;
        self.give(tx, user)
    }

    /// Takes somebody out.
    ///
    /// # Errors
    /// The store's.
    pub fn leave(&self, tx: &mut Tx<'_>, member: &Stored<ScimMember>) -> Answer<()> {
        tx.delete::<ScimMember>(member.id)?;
        self.take(tx, member.body.user)
    }

    /// Gives a member the group's role.
    ///
    /// # Errors
    /// `SK-4027`.
    pub fn give(&self, tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
        let Some(role) = self.group.role else { return Ok(()) };
        let granted = of_user::<RoleGrant>(&mut tx.view(), user)?;
        match granted.iter().find(|g| g.body.role == role && g.body.site == self.group.site) {
            Some(there) if there.body.groups.contains(&self.id) => return Ok(()),
            Some(there) => {
                let mut body = there.body.clone();
                body.groups.push(self.id);
                tx.update(there.id, there.version, &body)?;
            }
            None if granted.len() >= usize::try_from(MOST_GRANTS).unwrap_or(usize::MAX) => {
                return Err(Problem::new(&TOO_MANY_RECORDS));
            }
            None => {
                let id: GrantId = self.id(tx);
                let site = self.group.site;
                tx.insert(id, &RoleGrant { user, role, site, direct: false, groups: vec![self.id] })?;
            }
        }
        people::moved(tx, user)
    }

    /// Takes the group's role from somebody; it stays where another group gives it, or somebody gave it by hand.
    ///
    /// # Errors
    /// The store's.
    pub fn take(&self, tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
        let mut moved = false;
        for grant in of_user::<RoleGrant>(&mut tx.view(), user)? {
            if !grant.body.groups.contains(&self.id) {
                continue;
            }
            let mut body = grant.body.clone();
            body.groups.retain(|g| *g != self.id);
            if body.direct || !body.groups.is_empty() {
                tx.update(grant.id, grant.version, &body)?;
            } else {
                tx.delete::<RoleGrant>(grant.id)?;
            }
            moved = true;
        }
        if moved { people::moved(tx, user) } else { Ok(()) }
    }
}

/// Tells every node whose rights have moved.
pub fn tell(tx: &mut Tx<'_>, tenant: TenantId, users: &[UserId]) -> Answer<()> {
    if users.len() > EACH {
        return tx.notify("rights", &format!("{tenant}:"));
    }
    users.iter().try_for_each(|user| tx.notify("rights", &format!("{tenant}:{user}")))
}

/// Takes a person out of every group; their grants go with the account.
pub fn forget_person(tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
    for member in of_user::<ScimMember>(&mut tx.view(), user)? {
        tx.delete::<ScimMember>(member.id)?;
        // The group's version moves with its members.
        if let Some(group) = tx.get::<ScimGroup>(member.body.group)? {
            tx.update(group.id, group.version, &group.body)?;
        }
    }
    tx.delete::<crate::records::ScimProfile>(user)?;
    Ok(())
}
