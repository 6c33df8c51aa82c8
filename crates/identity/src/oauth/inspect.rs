//! What an application asks about its own tokens: introspection (RFC 7662) and revocation (RFC 7009).

use sekisho_kernel::{Cx, Job, Outcome, Problem, Secret, event, hook::Knock, id::OauthGrantId};
use sekisho_vault::{Entry, Scope, Stored};

use super::{flow::may_ask, grants, scope::Wanted};
use crate::{
    Answer, Identity, boxed, by_job, problems as p,
    records::{Application, OauthGrant, UserAccount},
    types::{Introspection, OauthClient, UserState},
};

impl Identity {
    /// The family of an access or refresh token that belongs to the application that asks, and whether its person is
    /// active.
    async fn family_of(&self, cx: &Cx, client: &OauthClient, text: &str) -> Answer<Option<(Stored<OauthGrant>, bool)>> {
        let by_access = match grants::access_key(text) {
            Some(key) => self.vault().resolve_pointer("access", &key).await?,
            None => None,
        };
        let id: Option<OauthGrantId> = match by_access {
            Some((scope, id)) => Some(id.cast()).filter(|_| scope.tenant() == cx.tenant),
            None => grants::refresh_claim(text).map(|(id, _)| id),
        };
        let (scope, asks) = (Scope::of(cx), client.clone());
        // One look for all three, since each look is a turn of the store's readers; who is not the application sees none.
        let found = self.vault().peek(&scope, move |view| {
            if !view.get::<Application>(asks.id)?.is_some_and(|a| may_ask(&asks, &a)) {
                return Ok(None);
            }
            let Some(grant) = id.map(|id| view.get::<OauthGrant>(id)).transpose()?.flatten() else {
                return Ok(Some(None));
            };
            let person = view.get::<UserAccount>(grant.body.user)?;
            Ok(Some(Some((grant, person.is_some_and(|u| u.body.state == UserState::Active)))))
        });
        let Some(found) = found.await? else {
            return Err(self.oauth_refused(cx, &client.id.to_string(), "client", Problem::new(&p::OAUTH_CLIENT)).await);
        };
        let own = |(g, _): &(Stored<OauthGrant>, bool)| {
            let refresh = grants::refresh_claim(text).is_some_and(|(_, turn)| turn == g.body.turn)
                && grants::refresh_sound(text, &g.body);
            g.body.application == client.id
                && (refresh || grants::access_key(text).map(hex::encode).as_ref() == Some(&g.body.access))
        };
        Ok(found.filter(own))
    }

    /// Whether a token of the application's own is good (RFC 7662).
    ///
    /// # Errors
    /// `SK-4041`.
    #[boxed]
    pub async fn introspect(
        &self,
        knock: &Knock,
        client: &OauthClient,
        text: &Secret<String>,
    ) -> Answer<Option<Introspection>> {
        let cx = Self::before_sign_in(knock);
        let found = self.family_of(&cx, client, text.reveal()).await?;
        self.vault().enter(&cx, &event::OAUTH_INTROSPECT, Outcome::Success, &client.id.to_string(), Vec::new()).await?;
        let Some((grant, active)) = found else { return Ok(None) };
        let refresh = grants::refresh_claim(text.reveal()).is_some();
        let expires = if refresh { grant.body.expires } else { grant.body.access_expires };
        Ok((active && expires > self.now()).then(|| Introspection {
            scope: Wanted::of(&grant.body.rights, &grant.body.person).text(),
            user: grant.body.user,
            issued: grant.updated,
            expires,
            refresh,
            key: grant.body.key.clone(),
        }))
    }

    /// Ends the family of a token of the application's own; one that is not there is as good as ended (RFC 7009 §2.2).
    ///
    /// # Errors
    /// `SK-4041`.
    #[boxed]
    pub async fn revoke(&self, knock: &Knock, client: &OauthClient, text: &Secret<String>) -> Answer<()> {
        let cx = Self::before_sign_in(knock);
        let found: Option<OauthGrantId> = self.family_of(&cx, client, text.reveal()).await?.map(|(g, _)| g.id());
        let (tenant, client) = (cx.tenant, client.id);
        let object = found.map_or_else(|| client.to_string(), |id| id.to_string());
        self.vault()
            .act(&cx, by_job(&cx, Job::SignIn, &event::OAUTH_REVOKE, object.clone()), move |tx, permit| {
                if let Some(id) = found
                    && let Some(grant) = tx.get::<OauthGrant>(id)?
                {
                    grants::end(tx, tenant, &grant)?;
                }
                tx.commit(permit, Entry::of(object).with("application", client), ())
            })
            .await
    }
}
