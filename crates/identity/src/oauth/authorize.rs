//! The authorisation endpoint (OAuth 2.1 §4.1, OpenID Connect Core §3.1.2): what an application asks a person for, the
//! person's answer, and the code.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Outcome, Problem, Secret, TakenOut, Time, event,
    hook::Knock,
    id::{ApplicationId, OauthGrantId, SessionId, UserId},
    percent::with_query,
    problem::{INTERNAL, UNAUTHENTICATED},
};
use sekisho_vault::{Entry, Scope, Stored};
use serde::{Deserialize, Serialize};

use super::{
    applications::consent_of,
    scope::{PersonScope, Wanted},
};
use crate::{
    Answer, Identity,
    account::who,
    boxed, own, problems as p,
    records::{Application, ApplicationState, Consent, UserSession},
    token,
    types::{Authorize, AuthorizeRequest},
};

/// How long an authorisation code is good (OAuth 2.1 §4.1.2 asks for a minute at most in spirit, ten in letter).
pub const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long a consent page may stay open, and a sign-in that was asked for may take.
const PAGE_LIFE: Duration = Duration::from_secs(600);
/// What a sealed code is for.
pub const CODE: &str = "oauth code";
const PAGE: &str = "oauth consent";
const FRESH: &str = "oauth fresh sign-in";

fn is(kind: &'static sekisho_kernel::ProblemKind) -> Problem {
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
    person: Vec<PersonScope>,
    nonce: Option<String>,
    pushed: Option<String>,
    key: Option<String>,
    until: Time,
}

/// What a code stands for: sealed.
#[derive(Serialize, Deserialize)]
pub struct Code {
    /// The family that it begins.
    pub grant: OauthGrantId,
    /// For whom it is.
    pub application: ApplicationId,
    /// Who consented.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// Where the code went.
    pub redirect: String,
    /// `code_challenge`.
    pub challenge: String,
    /// Names of the rights.
    pub rights: Vec<String>,
    /// What is asked of the person.
    pub person: Vec<PersonScope>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// The key to which it is bound.
    pub key: Option<String>,
    /// When it runs out.
    pub until: Time,
}

/// What `prompt` asks for (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Prompt {
    none: bool,
    login: bool,
    consent: bool,
}

impl Prompt {
    /// `None` for what cannot be asked for.
    fn read(text: Option<&str>) -> Option<Self> {
        let mut out = Self::default();
        for word in text.unwrap_or_default().split(' ').filter(|w| !w.is_empty()) {
            match word {
                "none" => out.none = true,
                // Whoever is to choose the account signs in anew, as whom they like.
                "login" | "select_account" => out.login = true,
                "consent" => out.consent = true,
                _ => return None,
            }
        }
        (!out.none || !(out.login || out.consent)).then_some(out)
    }
}

impl AuthorizeRequest {
    /// From the parameters of a request, each of which came at most once.
    ///
    /// # Errors
    /// `SK-4041` (client), `SK-4040` (no address, or a parameter longer than 1,024 bytes).
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Answer<Self> {
        let text = |name: &str| get(name).unwrap_or_default();
        let request = Self {
            client: text("client_id").parse().map_err(|_| is(&p::OAUTH_CLIENT))?,
            redirect_uri: text("redirect_uri"),
            response_type: text("response_type"),
            response_mode: get("response_mode"),
            scope: get("scope"),
            state: get("state"),
            challenge: text("code_challenge"),
            method: text("code_challenge_method"),
            nonce: get("nonce"),
            prompt: get("prompt"),
            max_age: get("max_age"),
            hint: get("id_token_hint"),
            key: get("dpop_jkt"),
            unsupported: ["request", "request_uri", "registration"]
                .into_iter()
                .find(|n| get(n).is_some())
                .map(str::to_owned),
            pushed: None,
            fresh: None,
        };
        let others = [&request.scope, &request.state, &request.nonce, &request.prompt, &request.max_age];
        let long = others.into_iter().flatten().any(|v| v.len() > 1_024) || request.redirect_uri.len() > 1_024;
        if long || request.redirect_uri.is_empty() {
            return Err(is(&p::BAD_REDIRECT).at("redirect_uri"));
        }
        Ok(request)
    }

    /// What is wrong with it, as the answer says it, or what it asks for.
    fn wanted(&self, application: &Application) -> Result<(Wanted, Prompt, Option<u64>), String> {
        if let Some(name) = &self.unsupported {
            return Err(format!("{name}_not_supported"));
        }
        if self.response_type != "code" {
            return Err("unsupported_response_type".into());
        }
        let challenge =
            self.method == "S256" && self.challenge.len() == 43 && URL_SAFE_NO_PAD.decode(&self.challenge).is_ok();
        let key = self.key.as_deref().is_none_or(|k| token::bytes(k).is_some());
        let mode = self.response_mode.as_deref().is_none_or(|m| m == "query");
        let age = self.max_age.as_deref().map(|a| a.parse::<u64>().map_err(drop)).transpose();
        let (true, true, Some(prompt), Ok(age)) = (challenge && key, mode, Prompt::read(self.prompt.as_deref()), age)
        else {
            return Err("invalid_request".into());
        };
        let most = Wanted::most(&application.rights, application.openid);
        let otherwise = Wanted { person: Vec::new(), ..most.clone() };
        let wanted = Wanted::read(self.scope.as_deref(), &most, otherwise).ok_or("invalid_scope")?;
        Ok((wanted, prompt, age))
    }

    /// What is wrong with a request that is pushed (RFC 9126 §2.3).
    pub(super) fn flaw(&self, application: &Application) -> Option<Problem> {
        if !application.redirects.contains(&self.redirect_uri) {
            return Some(is(&p::BAD_REDIRECT).at("redirect_uri"));
        }
        self.wanted(application).err().map(|word| match word.as_str() {
            "invalid_scope" => is(&p::OAUTH_SCOPE),
            _ => is(&p::OAUTH_REQUEST),
        })
    }

    fn back(&self, word: &str, issuer: &str) -> String {
        answer(&self.redirect_uri, &[("error", word)], self.state.as_deref(), issuer)
    }
}

/// The application, if it may send people here, and to nowhere but an address of its own.
fn welcome(found: Option<Stored<Application>>, asked: &AuthorizeRequest) -> Answer<Application> {
    let application = found.map(|a| a.body).filter(|a| a.state == ApplicationState::Approved && a.account.is_none());
    let application = application.ok_or_else(|| is(&p::OAUTH_CLIENT))?;
    if !application.redirects.contains(&asked.redirect_uri) {
        return Err(is(&p::BAD_REDIRECT).at("redirect_uri"));
    }
    Ok(application)
}

impl Identity {
    /// A person's browser asks for an application. What is wrong with client or address is told to the person; the rest
    /// goes back to the application.
    ///
    /// # Errors
    /// `SK-4041` (client), `SK-4040` (address).
    #[boxed]
    pub async fn authorize(&self, cx: &Cx, issuer: &str, asked: &AuthorizeRequest) -> Answer<Authorize> {
        let (user, session) = who(cx)?;
        let id = asked.client;
        let (found, consent, session) = self
            .vault()
            .peek(&Scope::of(cx), move |view| {
                Ok((view.get::<Application>(id)?, consent_of(view, user, id)?, view.get::<UserSession>(session)?))
            })
            .await?;
        let application = welcome(found, asked)?;
        let signed_in = session.ok_or_else(|| is(&UNAUTHENTICATED))?.body.signed_in;
        let back = |word: &str| Ok(Authorize::Go(asked.back(word, issuer)));
        let pushed = self.gates().oauth(&cx.policy).pushed || application.pushed;
        if pushed && asked.pushed.is_none() {
            return back("invalid_request");
        }
        let (wanted, prompt, age) = match asked.wanted(&application) {
            Ok(all) => all,
            Err(word) => return back(&word),
        };
        let old = age.is_some_and(|age| self.now().since(signed_in) > Duration::from_secs(age));
        if (prompt.login || old) && !self.came_anew(cx, asked, signed_in).await? {
            if prompt.none {
                return back("login_required");
            }
            let text = format!("{id} {}", self.now().micros());
            let fresh = self.vault().seal_text(&Scope::of(cx), FRESH, &text).await?;
            return Ok(Authorize::SignIn { fresh: Secret::new(fresh) });
        }
        // Somebody else is expected (§3.1.2.1, `id_token_hint`).
        if let Some(hint) = &asked.hint
            && self.hinted(cx, issuer, hint).await?.is_none_or(|h| h.user != user || h.application != id)
        {
            return back("login_required");
        }
        let asked = Asked {
            application: id,
            user,
            redirect: asked.redirect_uri.clone(),
            state: asked.state.clone(),
            challenge: asked.challenge.clone(),
            rights: wanted.names(),
            person: wanted.person.clone(),
            nonce: asked.nonce.clone(),
            pushed: asked.pushed.clone(),
            key: asked.key.clone(),
            until: self.now().plus(PAGE_LIFE),
        };
        let consented = consent.is_some_and(|c| wanted.within(&Wanted::of(&c.body.rights, &c.body.person)));
        if (consented && !prompt.consent) || self.0.taken == Some(TakenOut::OauthConsent) {
            return Ok(Authorize::Go(self.code(cx, &asked, issuer).await?));
        }
        if prompt.none {
            return Ok(Authorize::Go(answer(
                &asked.redirect,
                &[("error", "consent_required")],
                asked.state.as_deref(),
                issuer,
            )));
        }
        let text = serde_json::to_string(&asked).map_err(|e| is(&INTERNAL).log(e))?;
        let sealed = Secret::new(self.vault().seal_text(&Scope::of(cx), PAGE, &text).await?);
        Ok(Authorize::Ask { name: application.name, rights: wanted.rights, person: wanted.person, sealed })
    }

    /// Whether the person has signed in since this request asked them to.
    async fn came_anew(&self, cx: &Cx, asked: &AuthorizeRequest, signed_in: Time) -> Answer<bool> {
        let Some(fresh) = asked.fresh.as_deref().filter(|f| f.len() <= 512) else { return Ok(false) };
        let Some(text) = self.vault().open_text(&Scope::of(cx), FRESH, fresh).await? else { return Ok(false) };
        let Some((client, since)) = text.split_once(' ') else { return Ok(false) };
        let since = Time::from_micros(since.parse().unwrap_or(i64::MAX));
        Ok(client == asked.client.to_string() && signed_in >= since && self.now() < since.plus(PAGE_LIFE))
    }

    /// Where a browser is sent back to whose person may be asked nothing (`prompt=none`) and cannot be answered for. `None`
    /// when the person may be asked.
    ///
    /// # Errors
    /// `SK-4041` (client), `SK-4040` (address).
    #[boxed]
    pub async fn silently(
        &self,
        knock: &Knock,
        issuer: &str,
        asked: &AuthorizeRequest,
        word: &str,
    ) -> Answer<Option<String>> {
        if !Prompt::read(asked.prompt.as_deref()).is_some_and(|p| p.none) {
            return Ok(None);
        }
        let (cx, id) = (Self::before_sign_in(knock), asked.client);
        let found = self.vault().peek(&Scope::of(&cx), move |view| view.get::<Application>(id)).await?;
        welcome(found, asked)?;
        Ok(Some(asked.back(word, issuer)))
    }

    /// The person's answer on the consent page: the address to go on to.
    ///
    /// # Errors
    /// `SK-4042` for a page that has run out or was another person's.
    #[boxed]
    pub async fn consent(&self, cx: &Cx, issuer: &str, sealed: &Secret<String>, allow: bool) -> Answer<String> {
        let (user, _) = who(cx)?;
        let over = || is(&p::OAUTH_PAGE_OVER);
        let text = match sealed.reveal().len() {
            ..=8_192 => self.vault().open_text(&Scope::of(cx), PAGE, sealed.reveal()).await?,
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
        self.consented(cx, application, Wanted::of(&asked.rights, &asked.person)).await?;
        self.code(cx, &asked, issuer).await
    }

    /// Puts a person's consent on record, beside what they consented to before.
    pub(super) async fn consented(&self, cx: &Cx, application: ApplicationId, wanted: Wanted) -> Answer<()> {
        let (user, _) = who(cx)?;
        let id = self.id::<sekisho_kernel::id::ConsentKind>();
        self.vault()
            .act(cx, own(cx, &event::CONSENT_CREATE, user), move |tx, permit| {
                let found = tx.get::<Application>(application)?.ok_or_else(|| is(&p::OAUTH_CLIENT))?.body;
                let most = Wanted::most(&found.rights, found.openid);
                if found.state != ApplicationState::Approved || !wanted.within(&most) {
                    return Err(is(&p::OAUTH_CLIENT));
                }
                let told = wanted.text();
                match consent_of(&mut tx.view(), user, application)? {
                    Some(old) => {
                        let all = Wanted::of(&old.body.rights, &old.body.person).with(&wanted);
                        let next = Consent { rights: all.names(), person: all.person, ..old.body };
                        tx.update(old.id, old.version, &next)?;
                    }
                    None => {
                        tx.insert(id, &Consent { application, user, rights: wanted.names(), person: wanted.person })?;
                    }
                }
                tx.commit(permit, Entry::of(user).with("application", application).with("rights", told), ())
            })
            .await
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
            person: asked.person.clone(),
            nonce: asked.nonce.clone(),
            key: asked.key.clone(),
            until: self.now().plus(CODE_LIFE),
        };
        let text = serde_json::to_string(&code).map_err(|e| is(&INTERNAL).log(e))?;
        let sealed = self.vault().seal_text(&Scope::of(cx), CODE, &text).await?;
        let (application, grant) = (asked.application, code.grant);
        match &asked.pushed {
            Some(reference) => self.use_pushed(cx, user, reference.clone(), (application, grant)).await?,
            None => {
                let detail = vec![("application", application.to_string()), ("grant", grant.to_string())];
                self.vault().enter(cx, &event::OAUTH_AUTHORIZE, Outcome::Success, &user.to_string(), detail).await?;
            }
        }
        Ok(answer(&asked.redirect, &[("code", &sealed)], asked.state.as_deref(), issuer))
    }
}

/// The redirect address with the answer in its query, `iss` included (RFC 9207).
pub fn answer(redirect: &str, pairs: &[(&str, &str)], state: Option<&str>, issuer: &str) -> String {
    let all: Vec<_> = pairs.iter().copied().chain(state.map(|s| ("state", s))).chain([("iss", issuer)]).collect();
    with_query(redirect, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_asks_for_what_there_is_and_none_stands_alone() {
        let read = |text: &str| Prompt::read(Some(text));
        assert_eq!(Prompt::read(None), Some(Prompt::default()));
        assert_eq!(read("login consent"), Some(Prompt { none: false, login: true, consent: true }));
        assert_eq!(read("none"), Some(Prompt { none: true, ..Prompt::default() }));
        for bad in ["none login", "consent none", "create", "LOGIN"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
