//! One's own account: password, re-authentication, sessions.

use sekisho_kernel::{
    Actor, Cx, Event, Problem, Secret, TakenOut, Target,
    access::Right,
    event,
    gate::PasswordRule,
    hook::Onward,
    id::{SessionId, UserId},
    problem::{NOT_FOUND, UNAUTHENTICATED},
};
use sekisho_vault::{Entry, Scope, Stored};

use crate::{
    Answer, Identity, boxed,
    federation::saml::Farewell,
    lockout::Try,
    own,
    password::{refused, used_before},
    people,
    problems::{PASSWORDS_OFF, WRONG_PASSWORD},
    records::{Credential, UserAccount, UserSession},
    session::{self, ends_at, last_used},
    signals,
    types::{SessionState, SessionView},
    under,
};

/// Who asks: the person and the session.
pub fn who(cx: &Cx) -> Answer<(UserId, SessionId)> {
    match &cx.actor {
        Actor::User { id, session, .. } => Ok((*id, *session)),
        _ => Err(Problem::new(&UNAUTHENTICATED)),
    }
}

impl Identity {
    /// Confirms one's password, or in its place the proof that a passkey gave, before an act. A failure is entered as a
    /// refusal of the act; the try that is given back goes into it.
    pub(crate) async fn confirm(&self, cx: &Cx, event: &'static Event, given: &Secret<String>) -> Answer<Try> {
        match self.confirmed_by_proof(cx, event, given, false).await? {
            Some(t) => Ok(t),
            None => Ok(self.confirm_password(cx, event, given).await?.1),
        }
    }

    /// Confirms one's password before an act. The try shares the sign-in's counter; a failure is entered as a refusal of
    /// the act, and the try that is given back goes into it.
    pub(crate) async fn confirm_password(
        &self,
        cx: &Cx,
        event: &'static Event,
        password: &Secret<String>,
    ) -> Answer<(Stored<Credential>, Try)> {
        let (user, _) = who(cx)?;
        if !self.gates().password_way(&cx.policy) {
            return Err(self.stop(cx, own(cx, event, user), Problem::new(&PASSWORDS_OFF)).await);
        }
        let scope = Scope::of(cx);
        let (rule, cost) = (self.gates().lockout(&cx.policy), self.gates().password(&cx.policy));
        let place = match self.0.hasher.enter(cx.peer) {
            Ok(place) => place,
            Err(busy) => return Err(self.stop(cx, own(cx, event, user), busy).await),
        };
        let stored = self.vault().peek(&scope, move |view| view.get::<Credential>(user)).await?;
        let t = self.take(&scope, &rule, user.bytes()).await?;
        let evaluated = stored.filter(|_| t.granted);
        let hash = match &evaluated {
            Some(credential) => credential.body.password.clone(),
            None => self.0.hasher.dummy(&cost)?,
        };
        let right = self.0.hasher.verify(&place, password, &hash).await?;
        match evaluated.filter(|_| right) {
            Some(credential) => Ok((credential, t)),
            None => {
                self.fail(cx, &t, &user.to_string()).await?;
                Err(self.stop(cx, own(cx, event, user), Problem::new(&WRONG_PASSWORD)).await)
            }
        }
    }

    /// What came of an act that a confirmed password led to: where it failed for another reason, the try is given back.
    pub(crate) async fn settle<T>(&self, cx: &Cx, t: Try, done: Answer<T>) -> Answer<T> {
        if done.is_err() {
            self.give_back(&Scope::of(cx), t).await?;
        }
        done
    }

    /// The credential that replaces `old`: every rule checked, the history too.
    pub(crate) async fn replaced(
        &self,
        cx: &Cx,
        password: &Secret<String>,
        account: &UserAccount,
        old: &Credential,
    ) -> Answer<Credential> {
        let rule = self.gates().password(&cx.policy);
        self.check_password(password, &rule, account).await?;
        let place = self.0.hasher.enter(cx.peer)?;
        let kept = usize::try_from(rule.history).unwrap_or(0);
        if kept > 0 {
            for before in std::iter::once(&old.password).chain(old.history.iter().take(kept)) {
                if self.0.hasher.verify(&place, password, before).await? {
                    return Err(refused(&[used_before(&rule)]));
                }
            }
        }
        let hash = self.0.hasher.hash(&place, password, &rule).await?;
        Ok(Credential { password: hash, changed: self.now(), history: history(old, &rule) })
    }

    /// Changes one's own password; every other session of one's own ends.
    ///
    /// # Errors
    /// `SK-4004`, `SK-4005`.
    #[boxed]
    pub async fn change_password(&self, cx: &Cx, current: Secret<String>, new: Secret<String>) -> Answer<()> {
        let (user, this) = who(cx)?;
        let event = &event::PASSWORD_CHANGE;
        let (old, t) = self.confirm_password(cx, event, &current).await?;
        let account = self.vault().peek(&Scope::of(cx), move |view| view.get::<UserAccount>(user)).await?;
        let made = match account {
            Some(account) => self.replaced(cx, &new, &account.body, &old.body).await,
            None => Err(Problem::new(&NOT_FOUND)),
        };
        let credential = match made {
            Ok(credential) => credential,
            Err(problem) => {
                self.give_back(&Scope::of(cx), t).await?;
                return Err(self.stop(cx, own(cx, event, user), problem).await);
            }
        };
        let tenant = cx.tenant;
        let done = self
            .vault()
            .act(cx, own(cx, event, user), move |tx, permit| {
                tx.update(user, old.version, &credential)?;
                signals::credential_changed(tx, user, "password", "update")?;
                let ended = session::end_all(tx, tenant, user, Some(this))?;
                t.give_back(tx)?;
                tx.commit(permit, Entry::of(user).with("sessions_ended", ended), ())
            })
            .await;
        self.settle(cx, t, done).await
    }

    /// Proves again that it is the person who sits there.
    ///
    /// # Errors
    /// `SK-4004`.
    #[boxed]
    pub async fn reauthenticate(&self, cx: &Cx, password: Secret<String>) -> Answer<()> {
        let (user, this) = who(cx)?;
        let event = &event::SESSION_REAUTHENTICATE;
        let t = self.confirm(cx, event, &password).await?;
        let done = self
            .vault()
            .act(cx, own(cx, event, user), move |tx, permit| {
                t.give_back(tx)?;
                tx.commit(permit, Entry::of(user).with("session", this), ())
            })
            .await;
        self.settle(cx, t, done).await
    }

    /// The session that asks. Asking never prolongs it, and makes no entry: a page asks by itself every so often, and learns
    /// only what it was told at sign-in.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn session_state(&self, cx: &Cx) -> Answer<SessionState> {
        let (user, session) = who(cx)?;
        let rule = self.gates().session(&cx.policy);
        self.vault()
            .peek(&Scope::of(cx), move |view| {
                let gone = || Problem::new(&UNAUTHENTICATED);
                let stored = view.get::<UserSession>(session)?.ok_or_else(gone)?;
                let account = view.get::<UserAccount>(user)?.ok_or_else(gone)?;
                let used = last_used(&stored)?;
                Ok(SessionState {
                    session,
                    user: people::user_view(view, account, &std::collections::HashMap::new())?,
                    idle_ends_at: rule.idle.map(|i| used.plus(i)),
                    ends_at: ends_at(&stored.body, rule.absolute),
                })
            })
            .await
    }

    /// One's own sessions, oldest first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn own_sessions(&self, cx: &Cx) -> Answer<Vec<SessionView>> {
        let (user, this) = who(cx)?;
        self.sessions_of(cx, own(cx, &event::SESSION_LIST, user), user, Some(this)).await
    }

    /// A person's sessions, oldest first.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    #[boxed]
    pub async fn user_sessions(&self, cx: &Cx, id: UserId) -> Answer<Vec<SessionView>> {
        let target = self.target_of(cx, id).await?;
        let this = who(cx).ok().map(|(_, session)| session);
        self.sessions_of(cx, under(Right::SESSIONS_READ, &event::SESSION_LIST, target, id), id, this).await
    }

    async fn sessions_of(
        &self,
        cx: &Cx,
        act: sekisho_vault::Act,
        user: UserId,
        this: Option<SessionId>,
    ) -> Answer<Vec<SessionView>> {
        let absolute = self.gates().session(&cx.policy).absolute;
        self.vault()
            .look(cx, act, move |view| {
                view.get::<UserAccount>(user)?.ok_or_else(|| Problem::new(&NOT_FOUND))?;
                let sessions = people::of_user::<UserSession>(view, user)?;
                let shown = |s: Stored<UserSession>| {
                    Ok(SessionView {
                        id: s.id(),
                        user,
                        created: s.body.signed_in,
                        last_used: last_used(&s)?,
                        ends_at: ends_at(&s.body, absolute),
                        current: Some(s.id()) == this,
                        address: s.body.address,
                        browser: s.body.browser,
                    })
                };
                sessions.into_iter().map(shown).collect()
            })
            .await
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// `NOT_FOUND` for anybody else's.
    #[boxed]
    pub async fn end_own_session(&self, cx: &Cx, id: SessionId) -> Answer<()> {
        let (user, _) = who(cx)?;
        let tenant = cx.tenant;
        self.vault()
            .act(cx, own(cx, &event::SESSION_END, id), move |tx, permit| {
                let session = tx.get::<UserSession>(id)?.filter(|s| s.body.user == user);
                session::end(tx, tenant, &session.ok_or_else(|| Problem::new(&NOT_FOUND))?)?;
                tx.commit(permit, Entry::of(id).with("user", user), ())
            })
            .await
    }

    /// Ends every session of one's own but this one; how many there were.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn end_other_sessions(&self, cx: &Cx) -> Answer<u32> {
        let (_, this) = who(cx)?;
        self.end_own_sessions(cx, Some(this), None).await
    }

    /// Ends every session of one's own, this one too; how many there were, and where the person may go on, as
    /// [`sekisho_kernel::hook::Sessions::sign_out`] tells.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn end_every_session(&self, cx: &Cx, console: &str) -> Answer<(u32, Option<Onward>)> {
        let (user, this) = who(cx)?;
        let farewell = self.farewell(cx, (user, this), console, None).await;
        let onward = farewell.as_ref().map(|f| f.onward.clone());
        Ok((self.end_own_sessions(cx, None, farewell).await?, onward))
    }

    async fn end_own_sessions(&self, cx: &Cx, except: Option<SessionId>, farewell: Option<Farewell>) -> Answer<u32> {
        let (user, _) = who(cx)?;
        let tenant = cx.tenant;
        let taken_out = self.0.taken == Some(TakenOut::SignOutEverywhere);
        self.vault()
            .act(cx, own(cx, &event::SESSION_END, user), move |tx, permit| {
                let ended = if taken_out { 0 } else { session::end_all(tx, tenant, user, except)? };
                let mut entry = Entry::of(user).with("sessions_ended", ended);
                if let Some(farewell) = &farewell {
                    farewell.put(tx)?;
                    entry = entry.with("provider", farewell.provider);
                }
                tx.commit(permit, entry, ended)
            })
            .await
    }

    /// Ends every session of a person; how many there were.
    ///
    /// # Errors
    /// `FORBIDDEN`, `NOT_FOUND`.
    #[boxed]
    pub async fn end_user_sessions(&self, cx: &Cx, id: UserId) -> Answer<u32> {
        let target: Target = self.target_of(cx, id).await?;
        let tenant = cx.tenant;
        self.vault()
            .act(cx, under(Right::SESSIONS_END, &event::SESSION_END, target, id), move |tx, permit| {
                people::found(tx, tenant, id, target)?;
                let ended = session::end_all(tx, tenant, id, None)?;
                tx.commit(permit, Entry::of(id).with("sessions_ended", ended), ended)
            })
            .await
    }
}

/// The hashes that a new password will be held against next time.
fn history(old: &Credential, rule: &PasswordRule) -> Vec<String> {
    let kept = usize::try_from(rule.history).unwrap_or(0);
    std::iter::once(&old.password).chain(&old.history).take(kept).cloned().collect()
}
