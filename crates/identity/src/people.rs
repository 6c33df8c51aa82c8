//! What functions about people share: finding, showing, and what hangs on an account.

use std::collections::HashMap;

use sekisho_kernel::{
    Problem, Target, Time,
    id::{TenantId, UserId, UserKind},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Record, Stored, Tx, View};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Answer,
    federation::identities,
    passkeys,
    records::{Credential, Factor, Passkey, UserAccount},
    rights::{self, Person},
    signals, sql,
    types::UserView,
};

/// The person, still at the site that the right was checked for.
pub fn found(tx: &mut Tx<'_>, tenant: TenantId, id: UserId, target: Target) -> Answer<Person> {
    let person = rights::person(&mut tx.view(), tenant, id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
    if Target::site(tenant, person.account.body.site) == target { Ok(person) } else { Err(Problem::new(&CONFLICT)) }
}

/// Moves the rights version of one person.
pub fn moved(tx: &mut Tx<'_>, id: UserId) -> Answer<()> {
    tx.keep(&sql::RIGHTS_BUMP, &[id.into()]).map(drop)
}

/// What belongs to this person, by the column `user_id`.
pub fn of_user<R: Record>(view: &mut View<'_>, id: UserId) -> Answer<Vec<Stored<R>>> {
    view.list::<R>(&Page { limit: 1_000, eq: &[("user_id", id.into())], ..Page::default() })
}

/// Takes every second factor away, passkeys too; how many there were.
pub fn drop_factors(tx: &mut Tx<'_>, id: UserId) -> Answer<u32> {
    let mut n = passkeys::drop_all(tx, id)?;
    for factor in of_user::<Factor>(&mut tx.view(), id)? {
        n += u32::from(tx.delete::<Factor>(factor.id)?);
        if factor.body.confirmed {
            signals::credential_changed(tx, id, "app", "revoke")?;
        }
    }
    Ok(n)
}

/// Whether a person has anything to come in with: a password, a link to a provider or a passkey, wherever these are a way.
pub fn has_way_in(tx: &mut Tx<'_>, id: UserId) -> Answer<bool> {
    Ok(tx.get::<Credential>(id)?.is_some()
        || identities::has_any(tx, id)?
        || tx.count::<Passkey>(&[("user_id", id.into())])? > 0)
}

/// A person has a second factor now: one that was taken away need not be set up anew any more.
pub fn has_second_factor(tx: &mut Tx<'_>, id: UserId) -> Answer<()> {
    match tx.get::<UserAccount>(id)? {
        Some(a) if a.body.renew_factor => {
            tx.update(id, a.version, &UserAccount { renew_factor: false, ..a.body }).map(drop)
        }
        _ => Ok(()),
    }
}

/// Which fields have changed, by name: the entry tells no personal data.
pub fn changed(old: &UserAccount, new: &UserAccount) -> Entry {
    let fields = [
        ("name", old.name != new.name),
        ("display_name", old.display_name != new.display_name),
        ("mail", old.mail != new.mail),
        ("type", old.kind != new.kind),
        ("site", old.site != new.site),
    ];
    let list: Vec<&str> = fields.iter().filter(|(_, moved)| *moved).map(|(name, _)| *name).collect();
    let entry = Entry::default().with("changed", list.join(" "));
    if old.kind == new.kind { entry } else { entry.with("type", new.kind.name()) }
}

/// The account as it is now.
pub fn shown(view: &mut View<'_>, id: UserId) -> Answer<UserView> {
    let account = view.get::<UserAccount>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
    user_view(view, account, &HashMap::new())
}

/// An account as it is shown.
pub fn user_view(view: &mut View<'_>, user: Stored<UserAccount>, locked: &HashMap<[u8; 16], Time>) -> Answer<UserView> {
    let id: UserId = user.id::<UserKind>();
    let factors = view.count::<Factor>(&[("user_id", id.into()), ("confirmed", true.into())])?
        + view.count::<Passkey>(&[("user_id", id.into())])?;
    Ok(UserView {
        id,
        version: user.version,
        created: user.created,
        updated: user.updated,
        name: user.body.name,
        display_name: user.body.display_name,
        mail: user.body.mail,
        kind: user.body.kind,
        site: user.body.site,
        state: user.body.state,
        locked_until: locked.get(&id.bytes()).copied(),
        has_factor: factors > 0,
        functions_off: user.body.functions_off,
        service: user.body.service,
        terms: user.body.terms.last().map(Into::into),
    })
}

/// A text as a search compares it.
pub fn fold(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase()
}

/// Whether name, display name or mail have a folded text in them.
pub fn mentions(user: &UserAccount, folded: &str) -> bool {
    [Some(&user.name), Some(&user.display_name), user.mail.as_ref()]
        .into_iter()
        .flatten()
        .any(|text| fold(text).contains(folded))
}
