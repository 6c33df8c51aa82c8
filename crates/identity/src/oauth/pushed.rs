//! Pushed authorisation requests (RFC 9126): what an application asks for goes from server to server, and the browser
//! carries a reference that is good once.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Job, Outcome, Problem, Secret, event,
    hook::Knock,
    id::{ApplicationId, OauthGrantId, OauthPushKind, UserId},
};
use sekisho_vault::Entry;

use crate::{
    Answer, Identity, boxed, by_job, own, problems as p,
    records::OauthPush,
    token,
    types::{AuthorizeRequest, OauthClient, Pushed},
};

/// How long a reference is good: as long as signing in and consenting may take.
pub const LIFE: Duration = Duration::from_secs(600);
/// Most references of a tenant at a time: anybody may make them for an application that keeps no secret.
pub const MOST: u64 = 10_000;
/// What a reference begins with (RFC 9126 §2.2).
pub const SCHEME: &str = "urn:ietf:params:oauth:request_uri:";
const POINTER: &str = "oauth-push";

fn over() -> Problem {
    Problem::new(&p::OAUTH_PUSH_OVER)
}

impl Identity {
    /// Keeps a request for the browser that will bring its reference.
    ///
    /// # Errors
    /// `SK-4041` (client), `SK-4040`, `SK-4044`, `SK-4046` (what is wrong with the request), `SK-4141` (too many).
    #[boxed]
    pub async fn push_request(
        &self,
        knock: &Knock,
        client: &OauthClient,
        mut request: AuthorizeRequest,
    ) -> Answer<Pushed> {
        let cx = Self::before_sign_in(knock);
        let application = self.oauth_client(&cx, client).await?;
        let id: ApplicationId = application.id();
        let key = client.proof.map(|p| p.print());
        let other = key.is_some() && request.key.is_some() && key != request.key;
        request.key = key.or(request.key);
        let flaw = match application.body.account {
            Some(_) => Some(Problem::new(&p::OAUTH_NOT_ALLOWED)),
            None if other => Some(Problem::new(&p::DPOP_PROOF)),
            None if request.client != id => Some(Problem::new(&p::OAUTH_REQUEST)),
            None => request.flaw(&application.body),
        };
        if let Some(flaw) = flaw {
            let detail = vec![("code", flaw.kind.code.to_owned())];
            self.vault().enter(&cx, &event::OAUTH_PUSH, Outcome::Refused, &id.to_string(), detail).await?;
            return Err(flaw);
        }
        let (made, record) = (token::new(self.rng()), self.id::<OauthPushKind>());
        let expires = self.now().plus(LIFE);
        let (hash, proof) = (made.hash, client.proof);
        self.vault()
            .act(&cx, by_job(&cx, Job::SignIn, &event::OAUTH_PUSH, id), move |tx, permit| {
                if tx.count::<OauthPush>(&[])? >= MOST {
                    return Err(Problem::new(&p::OAUTH_MANY));
                }
                if let Some(proof) = proof
                    && !proof.take(tx)?
                {
                    return Err(Problem::new(&p::DPOP_PROOF));
                }
                tx.insert(record, &OauthPush { application: id, request, expires })?;
                tx.point(POINTER, &hash, record, Some(expires))?;
                tx.commit(permit, Entry::of(id), ())
            })
            .await?;
        Ok(Pushed { reference: Secret::new(format!("{SCHEME}{}", made.text.reveal())), lives: LIFE })
    }

    /// The request behind a reference that a browser brings for the application `client`.
    ///
    /// # Errors
    /// `SK-4140` for one that is unknown, used, run out, or another application's.
    #[boxed]
    pub async fn pushed_request(&self, cx: &Cx, client: ApplicationId, reference: &str) -> Answer<AuthorizeRequest> {
        let key = reference.strip_prefix(SCHEME).and_then(token::hash).ok_or_else(over)?;
        let found = self.vault().resolve_pointer(POINTER, &key).await?;
        let (scope, id) = found.filter(|(scope, _)| scope.tenant() == cx.tenant).ok_or_else(over)?;
        let found = self.vault().peek(&scope, move |view| view.get::<OauthPush>(id)).await?;
        let found = found.filter(|f| f.body.application == client && f.body.expires > self.now()).ok_or_else(over)?;
        Ok(AuthorizeRequest { pushed: Some(hex::encode(key)), ..found.body.request })
    }

    /// Uses a reference up as its code is given out.
    pub(super) async fn use_pushed(
        &self,
        cx: &Cx,
        user: UserId,
        reference: String,
        (application, grant): (ApplicationId, OauthGrantId),
    ) -> Answer<()> {
        let key = hex::decode(&reference).map_err(|_| over())?;
        self.vault()
            .act(cx, own(cx, &event::OAUTH_AUTHORIZE, user), move |tx, permit| {
                let id = tx.pointer(POINTER, &key)?.ok_or_else(over)?;
                if !tx.unpoint(POINTER, &key)? {
                    return Err(over());
                }
                tx.delete::<OauthPush>(id)?;
                let entry = Entry::of(user).with("application", application).with("grant", grant);
                tx.commit(permit, entry.with("pushed", "yes"), ())
            })
            .await
    }
}
