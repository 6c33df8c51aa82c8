//! A provider signs a person out (OpenID Connect Back-Channel Logout 1.0).

use sekisho_kernel::{
    Job, Problem, Secret, event,
    hook::Knock,
    id::{ProviderId, RecordId, TenantId, UserId},
    problem::CONFLICT,
};
use sekisho_vault::{Entry, Scope, Tx};

use super::{id_token, identities, jwt};
use crate::{
    Answer, Identity, boxed, by_job, people,
    problems::PROVIDER_REFUSED,
    records::{CameBy, IdentityProvider, Protocol, UserSession},
    session, token,
};

/// The pointer from a provider's session to its person.
pub const SESSION: &str = "provider-session";
/// Marks a provider's session that it has ended: nobody comes in by it any more.
pub const ENDED: &str = "provider-ended";
const USED: &str = "provider-logout";

/// The mark of a provider's own session.
pub fn mark(provider: ProviderId, sid: &str) -> [u8; 16] {
    let whole = token::sha256(&[&provider.bytes(), sid.as_bytes()]);
    let mut out = [0; 16];
    out.copy_from_slice(&whole[..16]);
    out
}

/// Ends a person's sessions that came of this provider and are named. How many ended.
pub fn end_of(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    provider: ProviderId,
    user: UserId,
    named: impl Fn(&CameBy) -> bool,
) -> Answer<u32> {
    let mut ended = 0;
    for one in people::of_user::<UserSession>(&mut tx.view(), user)? {
        if one.body.provider.as_ref().is_some_and(|c| c.provider == provider && named(c)) {
            session::end(tx, tenant, &one)?;
            ended += 1;
        }
    }
    Ok(ended)
}

impl Identity {
    /// Ends the sessions that a logout token names; a token is good once. How many ended.
    ///
    /// # Errors
    /// `SK-4050` for a token that is not taken; the history tells why.
    #[boxed]
    pub async fn provider_sign_out(&self, knock: &Knock, id: ProviderId, text: &Secret<String>) -> Answer<u32> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let found = self.vault().peek(&scope, move |view| view.get::<IdentityProvider>(id)).await?;
        let Some(provider) = found.map(|p| p.body).filter(|_| self.gates().federation(&cx.policy).allowed) else {
            return Err(self.sign_out_refused(&cx, id, "provider-off").await);
        };
        let Protocol::Oidc(oidc) = &provider.protocol else {
            return Err(self.sign_out_refused(&cx, id, "protocol").await);
        };
        let known = match self.known_provider(id, oidc).await {
            Ok(known) => known,
            Err(trouble) => return Err(self.sign_out_refused(&cx, id, trouble.step).await),
        };
        if text.reveal().len() > jwt::LONGEST {
            return Err(self.sign_out_refused(&cx, id, "token-malformed").await);
        }
        let token = self.verified_token(&cx, id, oidc, &known, text.reveal(), &["logout+jwt", "jwt"]).await;
        let checked = token
            .map_err(|flaw| flaw.word())
            .and_then(|token| id_token::check_logout(&token, &self.against(&cx, oidc)));
        let logout = match checked {
            Ok(logout) => logout,
            Err(word) => return Err(self.sign_out_refused(&cx, id, word).await),
        };
        let used = token::sha256(&[&id.bytes(), logout.id.as_bytes()]);
        let session = logout.session.as_deref().map(|sid| mark(id, sid));
        let tenant = cx.tenant;
        self.vault()
            .act(&cx, by_job(&cx, Job::SignIn, &event::PROVIDER_SIGN_OUT, id), move |tx, permit| {
                let replayed = |p: Problem| {
                    if p.is(&CONFLICT) { Problem::new(&PROVIDER_REFUSED).log("token-replayed") } else { p }
                };
                tx.point(USED, &used, id, Some(logout.until)).map_err(replayed)?;
                let by_subject: Option<UserId> = match &logout.subject {
                    Some(subject) => identities::find(&mut tx.view(), id, subject)?.map(|l| l.body.user),
                    None => None,
                };
                let by_session: Option<UserId> = match &session {
                    Some(mark) => tx.pointer(SESSION, mark)?.map(RecordId::cast),
                    None => None,
                };
                let user = match (&logout.subject, by_subject, by_session) {
                    (Some(_), subject, _) => subject,
                    (None, _, session) => session,
                };
                let mut entry = Entry::of(id);
                let mut ended = 0;
                if let Some(user) = user {
                    entry = entry.with("user", user);
                    ended = end_of(tx, tenant, id, user, |c| session.is_none() || c.session == session)?;
                }
                tx.commit(permit, entry.with("ended", ended), ended)
            })
            .await
    }
}
