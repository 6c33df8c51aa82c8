//! The OAuth 2.1 endpoints: authorisation with PKCE, tokens, introspection (RFC 7662), revocation (RFC 7009).

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Job, Outcome, Problem, ProblemKind, RightSet, Secret, TakenOut, Time, event,
    hook::Knock,
    id::{ApplicationId, OauthGrantId, SessionId, UserId},
    problem::{CONFLICT, INTERNAL},
};
use sekisho_vault::{Entry, Scope, Stored, Tx};
use serde::{Deserialize, Serialize};

use super::{applications, applications::consent_of, grants};
use crate::{
    Answer, Identity,
    account::who,
    by_job, own, problems as p,
    records::{Application, ApplicationState, Consent, OauthGrant, UserAccount, UserSession},
    rights, token,
    types::{Authorize, AuthorizeRequest, Introspection, OauthClient, OauthTokens, TokenAsk, UserState},
};

/// How long an authorisation code is good (OAuth 2.1 §4.1.2 asks for a minute at most in spirit, ten in letter).
const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long a consent page may stay open.
const PAGE_LIFE: Duration = Duration::from_secs(600);
const CODE: &str = "oauth code";
const PAGE: &str = "oauth consent";

fn is(kind: &'static ProblemKind) -> Problem {
    Problem::new(kind)
}

/// A request for authorisation that has been checked, as the consent page carries it: sealed.
#[derive(Serialize, Deserialize)]
struct Asked {
    application: ApplicationId,
    user: UserId,
    redirect: String,
    state: Option<String>,
    challenge: String,
    rights: Vec<String>,
    until: Time,
}

/// What a code stands for: sealed.
#[derive(Serialize, Deserialize)]
struct Code {
    grant: OauthGrantId,
    application: ApplicationId,
    user: UserId,
    session: SessionId,
    redirect: String,
    challenge: String,
    rights: Vec<String>,
    until: Time,
}

/// What came of a code or a refresh token inside its act: a replay ends the family, which must be committed.
enum Turn {
    Issued(Box<OauthTokens>),
    Replayed,
}

impl Identity {
    /// A person's browser asks for an application. What is wrong with client or address is told to the person; the rest
    /// goes back to the application.
    ///
    /// # Errors
    /// `SK-4041` (client), `SK-4040` (address).
    pub async fn authorize(&self, cx: &Cx, issuer: &str, asked: &AuthorizeRequest) -> Answer<Authorize> {
        let (user, _) = who(cx)?;
        let id = asked.client;
        let found = self
            .vault()
            .peek(&Scope::of(cx), move |view| {
                let application = view.get::<Application>(id)?;
                Ok((application, consent_of(view, user, id)?))
            })
            .await?;
        let (Some(application), consent) = found else { return Err(is(&p::OAUTH_CLIENT)) };
        if application.body.state != ApplicationState::Approved || application.body.account.is_some() {
            return Err(is(&p::OAUTH_CLIENT));
        }
        if !application.body.redirects.contains(&asked.redirect_uri) {
            return Err(is(&p::BAD_REDIRECT).at("redirect_uri"));
        }
        let back = |error: &str| {
            Ok(Authorize::Go(answer(&asked.redirect_uri, &[("error", error)], asked.state.as_deref(), issuer)))
        };
        if asked.response_type != "code" {
            return back("unsupported_response_type");
        }
        if asked.method != "S256" || asked.challenge.len() != 43 || URL_SAFE_NO_PAD.decode(&asked.challenge).is_err() {
            return back("invalid_request");
        }
        let Some(scope) = applications::scope(asked.scope.as_deref(), rights::known(&application.body.rights)) else {
            return back("invalid_scope");
        };
        let asked = Asked {
            application: id,
            user,
            redirect: asked.redirect_uri.clone(),
            state: asked.state.clone(),
            challenge: asked.challenge.clone(),
            rights: rights::names(scope),
            until: self.now().plus(PAGE_LIFE),
        };
        let consented = consent.is_some_and(|c| scope.within(rights::known(&c.body.rights)));
        if consented || self.0.taken == Some(TakenOut::OauthConsent) {
            return Ok(Authorize::Go(self.code(cx, &asked, issuer).await?));
        }
        let text = serde_json::to_string(&asked).map_err(|e| is(&INTERNAL).log(e))?;
        let sealed = self.vault().seal_text(&Scope::of(cx), PAGE, &text).await?;
        Ok(Authorize::Ask { name: application.body.name, rights: scope, sealed: Secret::new(sealed) })
    }

    /// The person's answer on the consent page: the address to go on to.
    ///
    /// # Errors
    /// `SK-4042` for a page that has run out or was another person's.
    pub async fn consent(&self, cx: &Cx, issuer: &str, sealed: &Secret<String>, allow: bool) -> Answer<String> {
        let (user, _) = who(cx)?;
        let over = || is(&p::OAUTH_PAGE_OVER);
        let text = match sealed.reveal().len() {
            ..=4_096 => self.vault().open_text(&Scope::of(cx), PAGE, sealed.reveal()).await?,
            _ => None,
        };
        let asked = text.and_then(|t| serde_json::from_str::<Asked>(&t).ok());
        let Some(asked) = asked.filter(|a| a.user == user && a.until > self.now()) else {
            return Err(self.stop(cx, own(cx, &event::CONSENT_CREATE, user), over()).await);
        };
        let application = asked.application;
        if !allow {
            self.vault()
                .enter(cx, &event::CONSENT_CREATE, Outcome::Refused, &application.to_string(), Vec::new())
                .await?;
            return Ok(answer(&asked.redirect, &[("error", "access_denied")], asked.state.as_deref(), issuer));
        }
        let (id, scope) = (self.id::<sekisho_kernel::id::ConsentKind>(), rights::known(&asked.rights));
        self.vault()
            .act(cx, own(cx, &event::CONSENT_CREATE, user), move |tx, permit| {
                let found = tx.get::<Application>(application)?.ok_or_else(|| is(&p::OAUTH_CLIENT))?;
                if found.body.state != ApplicationState::Approved || !scope.within(rights::known(&found.body.rights)) {
                    return Err(is(&p::OAUTH_CLIENT));
                }
                match consent_of(&mut tx.view(), user, application)? {
                    Some(old) => {
                        let all = rights::known(&old.body.rights).union(scope);
                        tx.update(old.id, old.version, &Consent { rights: rights::names(all), ..old.body })?;
                    }
                    None => {
                        tx.insert(id, &Consent { application, user, rights: rights::names(scope) })?;
                    }
                }
                let told = rights::names(scope).join(" ");
                tx.commit(permit, Entry::of(user).with("application", application).with("rights", told), ())
            })
            .await?;
        self.code(cx, &asked, issuer).await
    }

    /// The address with a code in it.
    async fn code(&self, cx: &Cx, asked: &Asked, issuer: &str) -> Answer<String> {
        let (user, session) = who(cx)?;
        let code = Code {
            grant: self.id(),
            application: asked.application,
            user,
            session,
            redirect: asked.redirect.clone(),
            challenge: asked.challenge.clone(),
            rights: asked.rights.clone(),
            until: self.now().plus(CODE_LIFE),
        };
        let text = serde_json::to_string(&code).map_err(|e| is(&INTERNAL).log(e))?;
        let sealed = self.vault().seal_text(&Scope::of(cx), CODE, &text).await?;
        let detail = vec![("application", asked.application.to_string()), ("grant", code.grant.to_string())];
        self.vault().enter(cx, &event::OAUTH_AUTHORIZE, Outcome::Success, &user.to_string(), detail).await?;
        Ok(answer(&asked.redirect, &[("code", &sealed)], asked.state.as_deref(), issuer))
    }

    /// The application behind a client's id and secret.
    async fn oauth_client(&self, cx: &Cx, client: &OauthClient) -> Answer<Stored<Application>> {
        let id = client.id;
        let found = self.vault().peek(&Scope::of(cx), move |view| view.get::<Application>(id)).await?;
        match found.filter(|a| may_ask(client, a)) {
            Some(found) => Ok(found),
            None => Err(self.oauth_refused(cx, &id.to_string(), "client", is(&p::OAUTH_CLIENT)).await),
        }
    }

    async fn oauth_refused(&self, cx: &Cx, object: &str, reason: &'static str, problem: Problem) -> Problem {
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
    pub async fn oauth_token(&self, knock: &Knock, client: &OauthClient, ask: TokenAsk) -> Answer<OauthTokens> {
        let cx = Self::before_sign_in(knock);
        let application = self.oauth_client(&cx, client).await?;
        let turn = match ask {
            TokenAsk::Code { code, redirect_uri, verifier } => {
                self.by_code(&cx, application, &code, redirect_uri, &verifier).await
            }
            TokenAsk::Refresh { token, scope } => self.by_refresh(&cx, application, &token, scope).await,
            TokenAsk::Client { scope } => self.by_client(&cx, application, scope).await,
        };
        match turn? {
            Turn::Issued(tokens) => Ok(*tokens),
            Turn::Replayed => Err(is(&p::OAUTH_GRANT)),
        }
    }

    /// A family that begins.
    fn family(&self, user: UserId, application: ApplicationId, scope: RightSet, refreshable: bool, cx: &Cx) -> Family {
        let (rule, now) = (self.gates().oauth(&cx.policy), self.now());
        let (text, key) = grants::access(self.rng());
        let expires = if refreshable { grants::ends(now, now, rule.refresh) } else { now.plus(rule.access) };
        let grant = OauthGrant {
            application,
            user,
            rights: rights::names(scope),
            access: hex::encode(key),
            access_expires: now.plus(rule.access),
            seed: hex::encode(sekisho_kernel::rng::bytes::<32>(self.rng())),
            turn: 0,
            refreshable,
            expires,
        };
        Family { grant, text, key, life: rule.access }
    }

    async fn by_code(
        &self,
        cx: &Cx,
        application: Stored<Application>,
        code: &Secret<String>,
        redirect_uri: Option<String>,
        verifier: &str,
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
        let family = self.family(found.user, client, rights::known(&found.rights), true, cx);
        let used = token::sha256(&[code.reveal().as_bytes()]);
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
                let scope = rights::known(&found.rights);
                let consented = consent.is_some_and(|c| scope.within(rights::known(&c.body.rights)));
                if session.is_none() || !(consented || taken_out) {
                    return Err(refused());
                }
                let tokens = family.put(tx, found.grant, refused)?;
                tx.commit(permit, entry.with("rights", found.rights.join(" ")), Turn::Issued(Box::new(tokens)))
            })
            .await
    }

    async fn by_refresh(
        &self,
        cx: &Cx,
        application: Stored<Application>,
        given: &Secret<String>,
        scope: Option<String>,
    ) -> Answer<Turn> {
        let refused = || is(&p::OAUTH_GRANT);
        let client: ApplicationId = application.id();
        let Some((id, turn)) = grants::refresh_claim(given.reveal()) else {
            return Err(self.oauth_refused(cx, &client.to_string(), "refresh", refused()).await);
        };
        let (rule, now, tenant) = (self.gates().oauth(&cx.policy), self.now(), cx.tenant);
        let (text, key) = grants::access(self.rng());
        let given = given.clone();
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
                let held = rights::known(&found.body.rights);
                let narrow = applications::scope(scope.as_deref(), held).ok_or_else(|| is(&p::OAUTH_SCOPE))?;
                tx.unpoint("access", &hex::decode(&found.body.access).unwrap_or_default())?;
                let next = OauthGrant {
                    rights: rights::names(narrow),
                    access: hex::encode(key),
                    access_expires: now.plus(rule.access),
                    turn: found.body.turn + 1,
                    expires: grants::ends(found.created, now, rule.refresh),
                    ..found.body
                };
                tx.update(id, found.version, &next)?;
                tx.point("access", &key, id, Some(next.access_expires))?;
                tx.notify("session", &format!("{tenant}:{}", id.cast::<sekisho_kernel::id::SessionKind>()))?;
                let tokens = OauthTokens {
                    refresh: Some(grants::refresh_text(id, &next)),
                    access: text,
                    lives: rule.access,
                    scope: next.rights.join(" "),
                };
                tx.commit(permit, entry, Turn::Issued(Box::new(tokens)))
            })
            .await
    }

    async fn by_client(&self, cx: &Cx, application: Stored<Application>, scope: Option<String>) -> Answer<Turn> {
        let client: ApplicationId = application.id();
        let Some(account) = application.body.account else {
            return Err(self.oauth_refused(cx, &client.to_string(), "not-a-machine", is(&p::OAUTH_NOT_ALLOWED)).await);
        };
        let most = rights::known(&application.body.rights);
        let Some(scope) = applications::scope(scope.as_deref(), most) else {
            return Err(self.oauth_refused(cx, &client.to_string(), "scope", is(&p::OAUTH_SCOPE)).await);
        };
        let (family, id) =
            (self.family(account, client, scope, false, cx), self.id::<sekisho_kernel::id::OauthGrantKind>());
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, &event::OAUTH_TOKEN, account), move |tx, permit| {
                let tokens = family.put(tx, id, || is(&p::OAUTH_GRANT))?;
                let entry = Entry::of(account)
                    .with("application", client)
                    .with("grant", id)
                    .with("rights", tokens.scope.clone());
                tx.commit(permit, entry, Turn::Issued(Box::new(tokens)))
            })
            .await
    }

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
            return Err(self.oauth_refused(cx, &client.id.to_string(), "client", is(&p::OAUTH_CLIENT)).await);
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
            scope: grant.body.rights.join(" "),
            user: grant.body.user,
            issued: grant.updated,
            expires,
            refresh,
        }))
    }

    /// Ends the family of a token of the application's own; one that is not there is as good as ended (RFC 7009 §2.2).
    ///
    /// # Errors
    /// `SK-4041`.
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

/// Whether it is the approved application that it says it is.
fn may_ask(client: &OauthClient, application: &Stored<Application>) -> bool {
    applications::secret_right(&application.body, client.secret.as_ref())
        && application.body.state == ApplicationState::Approved
}

struct Family {
    grant: OauthGrant,
    text: Secret<String>,
    key: [u8; 32],
    life: Duration,
}

impl Family {
    fn put(&self, tx: &mut Tx<'_>, id: OauthGrantId, refused: impl Fn() -> Problem) -> Answer<OauthTokens> {
        active(tx, self.grant.user, &refused)?;
        let approved = tx.get::<Application>(self.grant.application)?;
        if !approved.is_some_and(|a| a.body.state == ApplicationState::Approved) {
            return Err(refused());
        }
        tx.insert(id, &self.grant)?;
        tx.point("access", &self.key, id, Some(self.grant.access_expires))?;
        Ok(OauthTokens {
            access: self.text.clone(),
            refresh: self.grant.refreshable.then(|| grants::refresh_text(id, &self.grant)),
            lives: self.life,
            scope: self.grant.rights.join(" "),
        })
    }
}

fn active(tx: &mut Tx<'_>, user: UserId, refused: impl Fn() -> Problem) -> Answer<()> {
    let account = tx.get::<UserAccount>(user)?;
    if account.is_some_and(|a| a.body.state == UserState::Active) { Ok(()) } else { Err(refused()) }
}

/// The redirect address with the answer in its query, `iss` included (RFC 9207).
fn answer(redirect: &str, pairs: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut out, b| {
            if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
                out.push(char::from(b));
            } else {
                out.push_str(&format!("%{b:02X}"));
            }
            out
        })
    };
    let all = pairs.iter().copied().chain(state.map(|s| ("state", s))).chain([("iss", issuer)]);
    all.fold(redirect.to_owned(), |mut out, (name, value)| {
        out.push(if out.contains('?') { '&' } else { '?' });
        out.push_str(&format!("{name}={}", encode(value)));
        out
    })
}
