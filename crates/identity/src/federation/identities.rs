//! Which subject of a provider is which person. A link is made by somebody who has just signed in to the account, or with
//! the account itself; never because two mail addresses are alike.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Problem, Target,
    access::Right,
    event,
    id::{IdentityId, ProviderId, UserId},
    problem::NOT_FOUND,
};
use sekisho_vault::{Entry, Page, Scope, Stored, Tx, View};

use crate::{
    Answer, Identity,
    account::who,
    boxed, guard, own, page_size, people,
    problems::SIGN_IN_AGAIN,
    records::{IdentityProvider, OutsideIdentity, UserSession},
    rights, token,
    types::{IdentityQuery, IdentityView, Listed},
    under,
};

/// How fresh a sign-in must be for linking.
pub const RECENT: Duration = Duration::from_secs(600);

/// What finds the link of a subject: the same text of another provider is another one, to the letter.
pub fn link_key(provider: ProviderId, subject: &str) -> String {
    hex::encode(token::sha256(&[&provider.bytes(), subject.as_bytes()]))
}

fn missing() -> Problem {
    Problem::new(&NOT_FOUND)
}

impl Identity {
    /// A page of links.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn identities(&self, cx: &Cx, query: IdentityQuery) -> Answer<Listed<IdentityView, IdentityId>> {
        let act = under(Right::FEDERATION_READ, &event::IDENTITY_LIST, Target::tenant(cx.tenant), "identities");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (query.after.map(IdentityId::cast), page_size(query.limit));
                let mut eq = Vec::new();
                eq.extend(query.provider.map(|p| ("provider_id", p.into())));
                eq.extend(query.user.map(|u| ("user_id", u.into())));
                let (rows, next) = guard::page(view, &Page { after, limit, eq: &eq, ..Page::default() }, |_| true)?;
                let items = rows.into_iter().map(|row| identity_view(view, row)).collect::<Answer<_>>()?;
                Ok(Listed { items, next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Takes anybody's link away.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4014`, `SK-4185`.
    #[boxed]
    pub async fn delete_identity(&self, cx: &Cx, id: IdentityId) -> Answer<()> {
        let (tenant, reach, ways) = (cx.tenant, self.reach(cx), self.ways(cx));
        let act = under(Right::FEDERATION_WRITE, &event::IDENTITY_DELETE, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let link = tx.get::<OutsideIdentity>(id)?.ok_or_else(missing)?;
                let person = rights::person(&mut tx.view(), tenant, link.body.user)?;
                if let Some(person) = &person {
                    reach.above(person)?;
                }
                tx.delete::<OutsideIdentity>(id)?;
                if person.is_some_and(|p| guard::able(&p.account.body)) {
                    guard::way_in_left(tx, ways)?;
                }
                let entry = Entry::of(id).with("provider", link.body.provider).with("user", link.body.user);
                tx.commit(permit, entry, ())
            })
            .await
    }

    /// One's own links.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn own_identities(&self, cx: &Cx) -> Answer<Vec<IdentityView>> {
        let (user, _) = who(cx)?;
        self.vault()
            .look(cx, own(cx, &event::IDENTITY_LIST, user), move |view| {
                let rows = people::of_user::<OutsideIdentity>(view, user)?;
                rows.into_iter().map(|row| identity_view(view, row)).collect()
            })
            .await
    }

    /// Takes one of one's own links away.
    ///
    /// # Errors
    /// `NOT_FOUND` for anybody else's, `SK-4055` for the only way in, `SK-4056` when the sign-in is not recent.
    #[boxed]
    pub async fn delete_own_identity(&self, cx: &Cx, id: IdentityId) -> Answer<()> {
        let (user, session) = who(cx)?;
        let (now, ways) = (self.now(), self.ways(cx));
        self.vault()
            .act(cx, own(cx, &event::IDENTITY_DELETE, id), move |tx, permit| {
                let link = tx.get::<OutsideIdentity>(id)?.filter(|l| l.body.user == user).ok_or_else(missing)?;
                let session = tx.get::<UserSession>(session)?;
                if session.is_none_or(|s| now.since(s.body.signed_in) >= RECENT) {
                    return Err(Problem::new(&SIGN_IN_AGAIN));
                }
                tx.delete::<OutsideIdentity>(id)?;
                guard::own_way_left(tx, ways, user)?;
                tx.commit(permit, Entry::of(id).with("provider", link.body.provider).with("user", user), ())
            })
            .await
    }

    /// Refuses to begin or end a link unless the person has signed in a short while ago.
    pub(super) async fn recent(&self, cx: &Cx) -> Answer<()> {
        let (_, session) = who(cx)?;
        let now = self.now();
        let found = self.vault().peek(&Scope::of(cx), move |view| view.get::<UserSession>(session)).await?;
        match found.is_some_and(|s| now.since(s.body.signed_in) < RECENT) {
            true => Ok(()),
            false => Err(Problem::new(&SIGN_IN_AGAIN)),
        }
    }
}

/// Takes every link of a provider away; how many.
pub fn drop_of(tx: &mut Tx<'_>, provider: ProviderId) -> Answer<u32> {
    let mut n = 0;
    loop {
        let eq = [("provider_id", provider.into())];
        let rows = tx.list::<OutsideIdentity>(&Page { limit: 1_000, eq: &eq, ..Page::default() })?;
        if rows.is_empty() {
            return Ok(n);
        }
        for row in rows {
            n += u32::from(tx.delete::<OutsideIdentity>(row.id)?);
        }
    }
}

/// Takes every link of a person away.
pub fn drop_person(tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
    for row in people::of_user::<OutsideIdentity>(&mut tx.view(), user)? {
        tx.delete::<OutsideIdentity>(row.id)?;
    }
    Ok(())
}

/// Whether a person can come in by a provider.
pub fn has_any(tx: &mut Tx<'_>, user: UserId) -> Answer<bool> {
    Ok(tx.count::<OutsideIdentity>(&[("user_id", user.into())])? > 0)
}

/// The link of a subject.
pub fn find(view: &mut View<'_>, provider: ProviderId, subject: &str) -> Answer<Option<Stored<OutsideIdentity>>> {
    Ok(view.find::<OutsideIdentity>("link", &link_key(provider, subject))?.into_iter().next())
}

fn identity_view(view: &mut View<'_>, row: Stored<OutsideIdentity>) -> Answer<IdentityView> {
    let provider = view.get::<IdentityProvider>(row.body.provider)?;
    Ok(IdentityView {
        id: row.id(),
        version: row.version,
        created: row.created,
        updated: row.updated,
        provider: row.body.provider,
        provider_name: provider.map(|p| p.body.name).unwrap_or_default(),
        user: row.body.user,
        subject: row.body.subject,
        name: row.body.name,
    })
}
