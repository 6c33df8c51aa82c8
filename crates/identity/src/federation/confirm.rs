//! Proving again who is there, at one's identity provider: for whoever has neither a password nor a passkey, and wants a first
//! passkey. It takes a fresh sign-in there, of the very subject that is linked, and is good for nothing else.

use sekisho_kernel::{
    Cx, Outcome, Problem, Secret, event,
    hook::Passage,
    id::{ProviderId, SessionId, UserId},
};
use sekisho_vault::{Entry, Scope, View};
use serde::{Deserialize, Serialize};

use super::{flow::Refusal, identities, people::Vouched};
use crate::{
    Answer, Identity,
    account::who,
    boxed, own, people,
    problems::{CONFIRM_ANOTHER, CONFIRM_OTHERWISE, PASSKEYS_OFF},
    records::{Credential, IdentityProvider, OutsideIdentity, Passkey},
    sign_in::step::Once,
    types::WayIn,
};

/// Whose errand it is who is signed in already.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Own {
    pub user: UserId,
    pub session: SessionId,
    /// Whether they prove who is there; otherwise they link.
    pub confirm: bool,
}

impl Own {
    pub fn of(passage: &Passage, confirm: bool) -> Self {
        Self { user: passage.user, session: passage.session, confirm }
    }

    /// Whether whoever comes back is who left, in the same session.
    pub fn is(&self, passage: &Passage) -> bool {
        (self.user, self.session) == (passage.user, passage.session)
    }
}

/// What a person has to prove by who is there.
pub enum Means {
    /// A password that is a way in, or a passkey.
    Nearer,
    /// These providers alone, each switched on.
    Providers(Vec<WayIn>),
}

/// What this person has. `password` is whether passwords are a way in, `providers` whether providers are.
pub fn means(view: &mut View<'_>, user: UserId, password: bool, providers: bool) -> Answer<Means> {
    if view.count::<Passkey>(&[("user_id", user.into())])? > 0 || (password && view.get::<Credential>(user)?.is_some())
    {
        return Ok(Means::Nearer);
    }
    let mut ways = Vec::new();
    for link in people::of_user::<OutsideIdentity>(view, user)?.into_iter().filter(|_| providers) {
        let id = link.body.provider;
        if let Some(provider) = view.get::<IdentityProvider>(id)?.filter(|p| p.body.enabled) {
            ways.push(WayIn { id, name: provider.body.name });
        }
    }
    Ok(Means::Providers(ways))
}

impl Identity {
    /// The providers at which the person can prove who they are before they register a first passkey: none for whoever has a
    /// password or a passkey to prove it by. Makes no entry.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn ways_to_confirm(&self, cx: &Cx) -> Answer<Vec<WayIn>> {
        if !self.gates().passkeys(&cx.policy).allowed {
            return Ok(Vec::new());
        }
        match self.means(cx).await? {
            Means::Nearer => Ok(Vec::new()),
            Means::Providers(ways) => Ok(ways),
        }
    }

    async fn means(&self, cx: &Cx) -> Answer<Means> {
        let (user, _) = who(cx)?;
        let password = self.gates().password_way(&cx.policy);
        let providers = self.gates().federation(&cx.policy).allowed;
        self.vault().peek(&Scope::of(cx), move |view| means(view, user, password, providers)).await
    }

    /// Whether a person may set out to prove at this provider who they are.
    pub(super) async fn may_confirm(&self, cx: &Cx, id: ProviderId) -> Answer<()> {
        let (user, _) = who(cx)?;
        let problem = match self.means(cx).await? {
            _ if !self.gates().passkeys(&cx.policy).allowed => Problem::new(&PASSKEYS_OFF),
            Means::Nearer => Problem::new(&CONFIRM_OTHERWISE),
            Means::Providers(ways) if ways.iter().any(|w| w.id == id) => return Ok(()),
            Means::Providers(_) => Problem::new(&CONFIRM_ANOTHER).at("provider"),
        };
        Err(self.stop(cx, own(cx, &event::SESSION_REAUTHENTICATE, user), problem).await)
    }

    /// Whether what a provider has vouched for in this session still counts: nothing nearer has come, and the provider is still
    /// the person's.
    pub(crate) async fn still_vouches(&self, cx: &Cx, provider: ProviderId) -> Answer<bool> {
        Ok(match self.means(cx).await? {
            Means::Nearer => false,
            Means::Providers(ways) => ways.iter().any(|w| w.id == provider),
        })
    }

    /// The person has signed in anew at the provider: what stands in for their password when they register a first passkey, once,
    /// within five minutes, in this session.
    ///
    /// # Errors
    /// `SK-4201` for anybody else's subject, `SK-4050` for an answer that came before.
    pub(super) async fn confirmed_at(&self, cx: &Cx, vouched: &Vouched<'_>, once: Once) -> Answer<Secret<String>> {
        let (user, session) = who(cx)?;
        let (provider, subject) = (vouched.id, vouched.subject.clone());
        let proof = self.sealed_proof(cx, Some(provider)).await?;
        self.vault()
            .act(cx, own(cx, &event::SESSION_REAUTHENTICATE, user), move |tx, permit| {
                let link = identities::find(&mut tx.view(), provider, &subject)?;
                if link.is_none_or(|l| l.body.user != user) {
                    return Err(Problem::new(&CONFIRM_ANOTHER));
                }
                once.take(tx)?;
                let entry = Entry::of(user).with("session", session).with("provider", provider).with("for", "passkey");
                tx.commit(permit, entry, proof)
            })
            .await
    }

    /// An answer that is not taken, of somebody who wanted to prove who they are.
    pub(super) async fn unconfirmed(&self, cx: &Cx, id: ProviderId, refusal: Refusal) -> Problem {
        let Refusal(word, problem) = refusal;
        let Ok((user, _)) = who(cx) else { return problem };
        let detail = vec![("provider", id.to_string()), ("reason", word.to_owned())];
        let (event, object) = (&event::SESSION_REAUTHENTICATE, user.to_string());
        match self.vault().enter(cx, event, Outcome::Refused, &object, detail).await {
            Ok(()) => problem,
            Err(broken) => broken,
        }
    }
}
