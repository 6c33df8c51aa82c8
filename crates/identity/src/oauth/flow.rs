//! The token endpoint (OAuth 2.1 §3.2): a code, a refresh token or a client's own name for tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Job, Outcome, Problem, ProblemKind, Secret, TakenOut, event,
    hook::Knock,
    id::{ApplicationId, OauthGrantId, UserId},
    problem::CONFLICT,
};
use sekisho_vault::{Entry, Scope, Stored, Tx};

use super::{
    applications,
    applications::consent_of,
    authorize::{CODE, CODE_LIFE, Code},
    dpop::Proof,
    grants,
    openid::Identified,
    scope::{PersonScope, Wanted},
};
use crate::{
    Answer, Identity, boxed, by_job, problems as p,
    records::{Application, ApplicationState, OauthGrant, UserAccount, UserSession},
    signals::logout,
    token,
    types::{OauthClient, OauthTokens, TokenAsk, UserState},
};

fn is(kind: &'static ProblemKind) -> Problem {
    Problem::new(kind)
}

/// What came of a code or a refresh token inside its act: a replay ends the family, which must be committed.
pub enum Turn {
    /// The tokens, and who has signed in where that was asked.
    Issued(Box<(OauthTokens, Option<Identified>)>),
    Replayed,
}

impl Identity {
    /// The application behind a client's id and secret.
    pub(super) async fn oauth_client(&self, cx: &Cx, client: &OauthClient) -> Answer<Stored<Application>> {
        let id = client.id;
        let found = self.vault().peek(&Scope::of(cx), move |view| view.get::<Application>(id)).await?;
        match found.filter(|a| may_ask(client, a)) {
            Some(found) => Ok(found),
            None => Err(self.oauth_refused(cx, &id.to_string(), "client", is(&p::OAUTH_CLIENT)).await),
        }
    }

    pub(super) async fn oauth_refused(&self, cx: &Cx, object: &str, reason: &'static str, problem: Problem) -> Problem {
        let detail = vec![("reason", reason.to_owned())];
        match self.vault().enter(cx, &event::OAUTH_TOKEN, Outcome::Refused, object, detail).await {
            Ok(()) => problem,
            Err(broken) => broken,
        }
    }

    /// The token endpoint.
    ///
    /// # Errors
    /// `SK-4041` (client), `SK-4043` (grant), `SK-4044` (scope), `SK-4045` (not allowed for this client).
    #[boxed]
    pub async fn oauth_token(
        &self,
        knock: &Knock,
        issuer: &str,
        client: &OauthClient,
        ask: TokenAsk,
    ) -> Answer<OauthTokens> {
        let cx = Self::before_sign_in(knock);
        let application = self.oauth_client(&cx, client).await?;
        if client.proof.is_none() && (application.body.bound || self.gates().oauth(&cx.policy).bound) {
            return Err(self.oauth_refused(&cx, &client.id.to_string(), "proof", is(&p::DPOP_PROOF)).await);
        }
        let turn = match ask {
            TokenAsk::Code { code, redirect_uri, verifier } => {
                self.by_code(&cx, issuer, application, client.proof, (&code, redirect_uri, &verifier)).await
            }
            TokenAsk::Refresh { token, scope } => self.by_refresh(&cx, application, client.proof, &token, scope).await,
            TokenAsk::Device { code } => self.by_device(&cx, issuer, application, client.proof, &code).await,
            TokenAsk::Client { scope } => self.by_client(&cx, application, client.proof, scope).await,
        };
        match turn? {
            Turn::Issued(issued) => {
                let (mut tokens, identified) = *issued;
                if let Some(who) = identified {
                    tokens.id_token = Some(self.id_token(&cx, issuer, &who, &tokens.access).await?);
                }
                Ok(tokens)
            }
            Turn::Replayed => Err(is(&p::OAUTH_GRANT)),
        }
    }

    /// A family that begins.
    pub(super) fn family(
        &self,
        user: UserId,
        application: ApplicationId,
        scope: &Wanted,
        (refreshable, proof): (bool, Option<Proof>),
        cx: &Cx,
    ) -> Family {
        let (rule, now) = (self.gates().oauth(&cx.policy), self.now());
        let (text, key) = grants::access(self.rng());
        let expires = if refreshable { grants::ends(now, now, rule.refresh) } else { now.plus(rule.access) };
        let grant = OauthGrant {
            application,
            user,
            rights: scope.names(),
            person: scope.person.clone(),
            signed_in: None,
            key: proof.map(|p| p.print()),
            access: hex::encode(key),
            access_expires: now.plus(rule.access),
            seed: hex::encode(sekisho_kernel::rng::bytes::<32>(self.rng())),
            turn: 0,
            refreshable,
            expires,
        };
        Family { grant, text, key, life: rule.access, proof }
    }

    async fn by_code(
        &self,
        cx: &Cx,
        issuer: &str,
        application: Stored<Application>,
        proof: Option<Proof>,
        (code, redirect_uri, verifier): (&Secret<String>, Option<String>, &str),
    ) -> Answer<Turn> {
        let refused = || is(&p::OAUTH_GRANT);
        let client: ApplicationId = application.id();
        let object = client.to_string();
        let text = match code.reveal().len() {
            ..=4_096 => self.vault().open_text(&Scope::of(cx), CODE, code.reveal()).await?,
            _ => None,
        };
        let found = text.and_then(|t| serde_json::from_str::<Code>(&t).ok()).filter(|c| c.application == client);
        let Some(found) = found.filter(|c| c.until > self.now()) else {
            return Err(self.oauth_refused(cx, &object, "code", refused()).await);
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        let formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(plain);
        let proven = URL_SAFE_NO_PAD.encode(token::sha256(&[verifier.as_bytes()])) == found.challenge;
        if !formed || !proven || redirect_uri.is_some_and(|r| r != found.redirect) {
            return Err(self.oauth_refused(cx, &object, "verifier", refused()).await);
        }
        // A code that is bound to a key is nothing without it (RFC 9449 §10).
        if found.key.is_some() && found.key != proof.map(|p| p.print()) {
            return Err(self.oauth_refused(cx, &object, "key", refused()).await);
        }
        let scope = Wanted::of(&found.rights, &found.person);
        let mut family = self.family(found.user, client, &scope, (true, proof), cx);
        let (used, issuer) = (token::sha256(&[code.reveal().as_bytes()]), issuer.to_owned());
        let (tenant, taken_out) = (cx.tenant, self.0.taken == Some(TakenOut::OauthConsent));
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, &event::OAUTH_TOKEN, found.user), move |tx, permit| {
                let entry = Entry::of(found.user).with("application", client).with("grant", found.grant);
                match tx.point("oauth-code", &used, found.grant, Some(found.until.plus(CODE_LIFE))) {
                    Err(p) if p.is(&CONFLICT) => {
                        // Somebody has seen the code: what it gave is worth nothing any more (OAuth 2.1 §4.1.3).
                        if let Some(given) = tx.get::<OauthGrant>(found.grant)? {
                            grants::end(tx, tenant, &given)?;
                        }
                        return tx.commit(permit, entry.with("replayed", "code"), Turn::Replayed);
                    }
                    other => other?,
                }
                let session = tx.get::<UserSession>(found.session)?;
                let consent = consent_of(&mut tx.view(), found.user, client)?;
                let consented = consent.is_some_and(|c| scope.within(&Wanted::of(&c.body.rights, &c.body.person)));
                let Some(session) = session.filter(|_| consented || taken_out) else { return Err(refused()) };
                family.grant.signed_in = Some((found.session, session.body.signed_in));
                let tokens = family.put(tx, found.grant, refused)?;
                let identified = identified(&family.grant, found.nonce.clone());
                if identified.is_some() {
                    logout::learned(tx, &session, client, &issuer)?;
                }
                tx.commit(permit, entry.with("rights", scope.text()), issued(tokens, identified))
            })
            .await
    }

    async fn by_refresh(
        &self,
        cx: &Cx,
        application: Stored<Application>,
        proof: Option<Proof>,
        given: &Secret<String>,
        scope: Option<String>,
    ) -> Answer<Turn> {
        let refused = || is(&p::OAUTH_GRANT);
        let client: ApplicationId = application.id();
        let Some((id, turn)) = grants::refresh_claim(given.reveal()) else {
            return Err(self.oauth_refused(cx, &client.to_string(), "refresh", refused()).await);
        };
        let (rule, now, tenant) = (self.gates().oauth(&cx.policy), self.now(), cx.tenant);
        let (text, hash) = grants::access(self.rng());
        let (given, public) = (given.clone(), application.body.secret.is_none());
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, &event::OAUTH_REFRESH, id), move |tx, permit| {
                let found = tx.get::<OauthGrant>(id)?.filter(|g| g.body.application == client && g.body.refreshable);
                let found = found.filter(|g| grants::refresh_sound(given.reveal(), &g.body) && g.body.expires > now);
                let found = found.ok_or_else(refused)?;
                let entry = Entry::of(id).with("application", client).with("user", found.body.user);
                if turn != found.body.turn {
                    grants::end(tx, tenant, &found)?;
                    return tx.commit(permit, entry.with("replayed", "refresh"), Turn::Replayed);
                }
                active(tx, found.body.user, refused)?;
                // Bound once is bound for good; who keeps no secret has only the key to be known by (RFC 9449 §5).
                let key = proof.map(|p| p.print());
                if found.body.key.is_some() && (key.is_none() || (public && key != found.body.key)) {
                    return Err(is(&p::DPOP_PROOF));
                }
                used_up(tx, proof)?;
                let held = Wanted::of(&found.body.rights, &found.body.person);
                let narrow = Wanted::read(scope.as_deref(), &held, held.clone()).ok_or_else(|| is(&p::OAUTH_SCOPE))?;
                tx.unpoint("access", &hex::decode(&found.body.access).unwrap_or_default())?;
                let next = OauthGrant {
                    rights: narrow.names(),
                    person: narrow.person.clone(),
                    key,
                    access: hex::encode(hash),
                    access_expires: now.plus(rule.access),
                    turn: found.body.turn + 1,
                    expires: grants::ends(found.created, now, rule.refresh),
                    ..found.body
                };
                tx.update(id, found.version, &next)?;
                tx.point("access", &hash, id, Some(next.access_expires))?;
                tx.notify("session", &format!("{tenant}:{}", id.cast::<sekisho_kernel::id::SessionKind>()))?;
                let tokens = OauthTokens {
                    refresh: Some(grants::refresh_text(id, &next)),
                    access: text,
                    lives: rule.access,
                    scope: narrow.text(),
                    id_token: None,
                    bound: next.key.is_some(),
                };
                // A refreshed ID token has no nonce (OpenID Connect Core §12.2).
                tx.commit(permit, entry, issued(tokens, identified(&next, None)))
            })
            .await
    }

    async fn by_client(
        &self,
        cx: &Cx,
        application: Stored<Application>,
        proof: Option<Proof>,
        scope: Option<String>,
    ) -> Answer<Turn> {
        let client: ApplicationId = application.id();
        let Some(account) = application.body.account else {
            return Err(self.oauth_refused(cx, &client.to_string(), "not-a-machine", is(&p::OAUTH_NOT_ALLOWED)).await);
        };
        let most = Wanted::most(&application.body.rights, false);
        let Some(scope) = Wanted::read(scope.as_deref(), &most, most.clone()) else {
            return Err(self.oauth_refused(cx, &client.to_string(), "scope", is(&p::OAUTH_SCOPE)).await);
        };
        let (family, id) =
            (self.family(account, client, &scope, (false, proof), cx), self.id::<sekisho_kernel::id::OauthGrantKind>());
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, &event::OAUTH_TOKEN, account), move |tx, permit| {
                let tokens = family.put(tx, id, || is(&p::OAUTH_GRANT))?;
                let entry = Entry::of(account)
                    .with("application", client)
                    .with("grant", id)
                    .with("rights", tokens.scope.clone());
                tx.commit(permit, entry, issued(tokens, None))
            })
            .await
    }
}

/// Uses a proof up, in the act that it is for.
fn used_up(tx: &mut Tx<'_>, proof: Option<Proof>) -> Answer<()> {
    match proof {
        Some(proof) if !proof.take(tx)? => Err(is(&p::DPOP_PROOF)),
        _ => Ok(()),
    }
}

pub fn issued(tokens: OauthTokens, identified: Option<Identified>) -> Turn {
    Turn::Issued(Box::new((tokens, identified)))
}

/// Who has signed in, where the application may know.
pub fn identified(grant: &OauthGrant, nonce: Option<String>) -> Option<Identified> {
    let asked = grant.person.contains(&PersonScope::Openid);
    let signed_in = grant.signed_in.filter(|_| asked)?;
    Some(Identified { user: grant.user, application: grant.application, signed_in, nonce })
}

/// Whether it is the approved application that it says it is.
pub fn may_ask(client: &OauthClient, application: &Stored<Application>) -> bool {
    applications::secret_right(&application.body, client.secret.as_ref())
        && application.body.state == ApplicationState::Approved
}

pub struct Family {
    /// As it will be kept.
    pub grant: OauthGrant,
    text: Secret<String>,
    key: [u8; 32],
    life: std::time::Duration,
    proof: Option<Proof>,
}

impl Family {
    pub fn put(&self, tx: &mut Tx<'_>, id: OauthGrantId, refused: impl Fn() -> Problem) -> Answer<OauthTokens> {
        active(tx, self.grant.user, &refused)?;
        let approved = tx.get::<Application>(self.grant.application)?;
        if !approved.is_some_and(|a| a.body.state == ApplicationState::Approved) {
            return Err(refused());
        }
        used_up(tx, self.proof)?;
        tx.insert(id, &self.grant)?;
        tx.point("access", &self.key, id, Some(self.grant.access_expires))?;
        Ok(OauthTokens {
            access: self.text.clone(),
            refresh: self.grant.refreshable.then(|| grants::refresh_text(id, &self.grant)),
            lives: self.life,
            scope: Wanted::of(&self.grant.rights, &self.grant.person).text(),
            id_token: None,
            bound: self.grant.key.is_some(),
        })
    }
}

fn active(tx: &mut Tx<'_>, user: UserId, refused: impl Fn() -> Problem) -> Answer<()> {
    let account = tx.get::<UserAccount>(user)?;
    if account.is_some_and(|a| a.body.state == UserState::Active) { Ok(()) } else { Err(refused()) }
}
