//! Acceptance of the terms of use, by version.

use sekisho_kernel::{
    Cx, Problem, event,
    id::UserId,
    problem::{CONFLICT, NOT_FOUND, UNAUTHENTICATED},
};
use sekisho_vault::Entry;

use crate::{
    Answer, Identity, boxed, own,
    records::{Accepted, MOST_ACCEPTED, UserAccount},
    types::{AcceptedView, TermsView},
};

impl From<&Accepted> for AcceptedView {
    fn from(one: &Accepted) -> Self {
        Self { version: one.version.clone(), at: one.at }
    }
}

fn person(cx: &Cx) -> Answer<UserId> {
    cx.actor.user().ok_or_else(|| Problem::new(&UNAUTHENTICATED))
}

impl Identity {
    fn terms_view(&self, cx: &Cx, account: &UserAccount) -> TermsView {
        let rule = self.gates().terms(&cx.policy);
        let last = account.terms.last().map_or("", |a| a.version.as_str());
        let due = !account.service && rule.as_ref().is_some_and(|rule| rule.version != last);
        let (version, terms, privacy) =
            rule.map_or((None, None, None), |r| (Some(r.version), Some(r.terms), Some(r.privacy)));
        let named = |address: Option<String>| address.filter(|a| !a.is_empty());
        let accepted = account.terms.iter().rev().map(AcceptedView::from).collect();
        TermsView { version, address: named(terms), privacy_address: named(privacy), due, accepted }
    }

    /// The terms in force, and what the person has accepted.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for anybody but a person.
    #[boxed]
    pub async fn terms(&self, cx: &Cx) -> Answer<TermsView> {
        let id = person(cx)?;
        let account = self
            .vault()
            .look(cx, own(cx, &event::TERMS_READ, id), move |view| {
                Ok(view.get::<UserAccount>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?.body)
            })
            .await?;
        Ok(self.terms_view(cx, &account))
    }

    /// Accepts the version in force, which the person must have been shown: another one is refused. Accepting it once more
    /// changes nothing.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for anybody but a person, `NOT_FOUND` where no terms are in force, `CONFLICT` for another version.
    #[boxed]
    pub async fn accept_terms(&self, cx: &Cx, version: &str) -> Answer<TermsView> {
        let id = person(cx)?;
        let rule = self.gates().terms(&cx.policy).ok_or_else(|| Problem::new(&NOT_FOUND))?;
        if rule.version != version {
            return Err(Problem::new(&CONFLICT).at("version"));
        }
        let (now, tenant) = (self.now(), cx.tenant);
        let account = self
            .vault()
            .act(cx, own(cx, &event::TERMS_ACCEPT, id), move |tx, permit| {
                let found = tx.get::<UserAccount>(id)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let mut account = found.body;
                if account.terms.last().is_none_or(|last| last.version != rule.version) {
                    account.terms.push(Accepted { version: rule.version.clone(), at: now });
                    let old = account.terms.len().saturating_sub(MOST_ACCEPTED);
                    account.terms.drain(..old);
                    tx.update(id, found.version, &account)?;
                    tx.notify("rights", &format!("{tenant}:{id}"))?;
                }
                tx.commit(permit, Entry::of(id).with("version", rule.version), account)
            })
            .await?;
        Ok(self.terms_view(cx, &account))
    }
}
