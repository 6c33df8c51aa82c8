//! Who signed in (OpenID Connect Core 1.0): the ID token, what an application may ask about its person, and signing out at
//! an application's wish (RP-Initiated Logout 1.0).
//!
//! `sub` is the person's opaque id, the same for every application of the organisation (§8, `public`): they are all approved
//! by one administrator, and whatever reads users by the API meets the same id there.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Outcome, Problem, Secret, Time, event,
    hook::{Knock, Passage},
    id::{ApplicationId, SessionId, UserId},
    problem::INTERNAL,
};
use sekisho_vault::Scope;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{dpop::Proof, grants, scope::PersonScope};
use crate::{
    Answer, Identity, boxed,
    federation::jwt,
    problems as p,
    records::{Application, ApplicationState, OauthGrant, UserAccount},
    token,
    types::{Leave, LeaveRequest, LeaveTo, PersonClaims, UserState},
};

/// How long an ID token is good. It says who signed in a moment ago; what goes on from there is the application's session.
const ID_TOKEN_LIFE: Duration = Duration::from_secs(300);
const PAGE_LIFE: Duration = Duration::from_secs(600);
const PAGE: &str = "oauth sign-out";

/// What an ID token is made from.
pub struct Identified {
    /// `sub`.
    pub user: UserId,
    /// `aud`.
    pub application: ApplicationId,
    /// `sid` and `auth_time`.
    pub signed_in: (SessionId, Time),
    /// `nonce`.
    pub nonce: Option<String>,
}

/// What an ID token of ours says that comes back as a hint.
pub struct Hint {
    /// `aud`.
    pub application: ApplicationId,
    /// `sub`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
}

/// A request to sign out, as the page carries it: sealed.
#[derive(Serialize, Deserialize)]
struct Leaving {
    to: Option<LeaveTo>,
    until: Time,
}

/// The left half of the access token's hash (§3.1.3.6).
fn at_hash(access: &Secret<String>) -> String {
    URL_SAFE_NO_PAD.encode(&token::sha256(&[access.reveal().as_bytes()])[..16])
}

impl Identity {
    /// An ID token, beside this access token.
    pub(super) async fn id_token(
        &self,
        cx: &Cx,
        issuer: &str,
        who: &Identified,
        access: &Secret<String>,
    ) -> Answer<Secret<String>> {
        let now = self.now();
        let (session, at) = who.signed_in;
        let mut claims = json!({
            "iss": issuer,
            "sub": who.user,
            "aud": who.application,
            "exp": now.plus(ID_TOKEN_LIFE).secs(),
            "iat": now.secs(),
            "auth_time": at.secs(),
            "at_hash": at_hash(access),
            "sid": session,
        });
        if let Some(nonce) = &who.nonce {
            claims["nonce"] = json!(nonce);
        }
        Ok(Secret::new(self.signer(cx).await?.sign("JWT", &claims)?))
    }

    /// What an ID token of ours says, however old: it is a hint, and no proof of who brings it. `None` for any other.
    pub(super) async fn hinted(&self, cx: &Cx, issuer: &str, text: &str) -> Answer<Option<Hint>> {
        let Ok(token) = jwt::verify(text, &self.own_keys(cx).await?, &["jwt"], true) else { return Ok(None) };
        let text = |name: &str| token.claims.get(name).and_then(|v| v.as_str());
        if text("iss") != Some(issuer) {
            return Ok(None);
        }
        let parsed = (
            text("aud").and_then(|t| t.parse().ok()),
            text("sub").and_then(|t| t.parse().ok()),
            text("sid").and_then(|t| t.parse().ok()),
        );
        let (Some(application), Some(user), Some(session)) = parsed else { return Ok(None) };
        Ok(Some(Hint { application, user, session }))
    }

    /// What the holder of an access token may know of its person (§5.3).
    ///
    /// # Errors
    /// `SK-4142` for a token that is none or has run out, `SK-4143` for one that nobody signed in for.
    #[boxed]
    pub async fn person_claims(
        &self,
        knock: &Knock,
        text: &Secret<String>,
        proof: Option<&Proof>,
    ) -> Answer<PersonClaims> {
        let cx = Self::before_sign_in(knock);
        let bad = || Problem::new(&p::OAUTH_TOKEN);
        let Some(key) = grants::access_key(text.reveal()) else {
            return Err(self.asked_in_vain(&cx, "token", bad()).await);
        };
        let found = self.vault().resolve_pointer("access", &key).await?;
        let Some((scope, id)) = found.filter(|(scope, _)| scope.tenant() == cx.tenant) else {
            return Err(self.asked_in_vain(&cx, "token", bad()).await);
        };
        let found = self
            .vault()
            .peek(&scope, move |view| {
                let Some(grant) = view.get::<OauthGrant>(id)? else { return Ok(None) };
                let approved = view
                    .get::<Application>(grant.body.application)?
                    .is_some_and(|a| a.body.state == ApplicationState::Approved);
                let account = view.get::<UserAccount>(grant.body.user)?;
                Ok(account.filter(|a| approved && a.body.state == UserState::Active).map(|a| (grant.body, a)))
            })
            .await?;
        let holds = proof.map(Proof::print);
        let good = |g: &OauthGrant| g.access == hex::encode(key) && g.access_expires > self.now() && g.key == holds;
        let Some((grant, account)) = found.filter(|(g, _)| good(g)) else {
            return Err(self.asked_in_vain(&cx, "token", bad()).await);
        };
        if !grant.person.contains(&PersonScope::Openid) {
            return Err(self.asked_in_vain(&cx, "scope", Problem::new(&p::OAUTH_NARROW)).await);
        }
        if let Some(proof) = proof {
            self.use_proof(&cx, proof).await?;
        }
        let detail = vec![("application", grant.application.to_string())];
        self.vault().enter(&cx, &event::OAUTH_USERINFO, Outcome::Success, &grant.user.to_string(), detail).await?;
        let asked = |scope| grant.person.contains(&scope);
        Ok(PersonClaims {
            user: grant.user,
            names: asked(PersonScope::Profile)
                .then(|| (account.body.name.clone(), account.body.display_name.clone(), account.updated)),
            mail: account.body.mail.filter(|_| asked(PersonScope::Email)),
        })
    }

    async fn asked_in_vain(&self, cx: &Cx, reason: &'static str, problem: Problem) -> Problem {
        let detail = vec![("reason", reason.to_owned())];
        match self.vault().enter(cx, &event::OAUTH_USERINFO, Outcome::Refused, "token", detail).await {
            Ok(()) => problem,
            Err(broken) => broken,
        }
    }

    /// An application wishes that its person signs out (RP-Initiated Logout §2). Whoever comes with an ID token of this very
    /// session is signed out by the caller; everybody else is asked.
    ///
    /// # Errors
    /// `SK-4040` for an address that is none of the application's: nobody is sent there, and nobody is signed out.
    #[boxed]
    pub async fn ask_to_sign_out(
        &self,
        knock: &Knock,
        passage: Option<&Passage>,
        issuer: &str,
        asked: &LeaveRequest,
    ) -> Answer<Leave> {
        let cx = Self::before_sign_in(knock);
        let hint = match &asked.hint {
            Some(text) => self.hinted(&cx, issuer, text).await?,
            None => None,
        };
        let contradicts = |h: &Hint| asked.client.is_some_and(|c| c != h.application);
        let hint = hint.filter(|h| !contradicts(h));
        let application = hint.as_ref().map(|h| h.application).or(asked.client);
        let application = match application {
            Some(id) => self.vault().peek(&Scope::of(&cx), move |view| view.get::<Application>(id)).await?,
            None => None,
        };
        let application = application.filter(|a| a.body.state == ApplicationState::Approved);
        let to = match &asked.redirect {
            None => None,
            Some(address) => {
                let of = application.as_ref().filter(|a| a.body.takes_back(address));
                let of = of.ok_or_else(|| Problem::new(&p::BAD_REDIRECT).at("post_logout_redirect_uri"))?;
                Some(LeaveTo { application: of.id(), address: address.clone(), state: asked.state.clone() })
            }
        };
        let Some(passage) = passage else { return Ok(Leave::Gone { to }) };
        if hint.is_some_and(|h| h.session == passage.session && h.user == passage.user) {
            return Ok(Leave::Now { to });
        }
        let leaving = Leaving { to, until: self.now().plus(PAGE_LIFE) };
        let text = serde_json::to_string(&leaving).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        let sealed = Secret::new(self.vault().seal_text(&Scope::of(&cx), PAGE, &text).await?);
        Ok(Leave::Ask { name: application.map(|a| a.body.name), sealed })
    }

    /// Where to go from the page on which a person said that they sign out.
    ///
    /// # Errors
    /// `SK-4042` for a page that has run out.
    #[boxed]
    pub async fn signed_out_to(&self, cx: &Cx, sealed: &Secret<String>) -> Answer<Option<LeaveTo>> {
        let over = || Problem::new(&p::OAUTH_PAGE_OVER);
        let text = match sealed.reveal().len() {
            ..=8_192 => self.vault().open_text(&Scope::of(cx), PAGE, sealed.reveal()).await?,
            _ => None,
        };
        let leaving = text.and_then(|t| serde_json::from_str::<Leaving>(&t).ok());
        Ok(leaving.filter(|l| l.until > self.now()).ok_or_else(over)?.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_tokens_hash_is_the_left_half() {
        // OpenID Connect Core, §A.3.
        let access = Secret::new("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".to_owned());
        assert_eq!(at_hash(&access), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
