//! A person goes to a provider and comes back: authorisation code with PKCE (RFC 7636), a state that only their own browser
//! can bring back, a nonce in the token, and the provider that was asked, no other, behind the answer (RFC 9207, RFC 9700
//! §4.4).

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sekisho_kernel::{
    Cx, Outcome, Problem, Secret, Time,
    egress::Outgoing,
    event,
    hook::{Knock, Passage},
    id::{IdentityId, ProviderId, UserId},
    percent::{encode, with_query},
    problem::{CONFLICT, INTERNAL, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    confirm::Own,
    domains, id_token,
    id_token::Wanted,
    json,
    jwt::{self, Flaw, Token},
    mapping,
    metadata::{Known, Trouble},
    people::Vouched,
};
use crate::{
    Answer, Identity,
    account::who,
    boxed, own, people,
    problems::{CONFIRM_STALE, LINKED_ALREADY, PROVIDER_DOWN, PROVIDER_REFUSED},
    records::{CameBy, IdentityProvider, MailDomain, OidcSettings, OutsideIdentity, Protocol},
    sign_in::step::{By, Finish, Once, Stage, Way},
    token,
    types::{Browser, CameBack, Errand, Leaving, Returning, SignInStep, WayIn, WaysIn},
};

/// How long a person may be away.
const AWAY: Duration = Duration::from_secs(600);
/// What seals what their browser carries.
const CARRIED: &str = "provider errand";
/// Largest answer of a token or userinfo endpoint.
const LARGEST: usize = 128 * 1024;

/// A person under way, as their browser carries it: sealed, bound to host and provider.
#[derive(Serialize, Deserialize)]
struct Going {
    /// What makes state, nonce and verifier.
    seed: [u8; 16],
    /// Who links or proves who they are; nobody signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<Own>,
    until: Time,
}

impl Going {
    fn made(&self, of: &str) -> String {
        URL_SAFE_NO_PAD.encode(token::sha256(&[of.as_bytes(), &self.seed]))
    }
    fn state(&self) -> String {
        self.made("state")
    }
    fn nonce(&self) -> String {
        self.made("nonce")
    }
    fn verifier(&self) -> String {
        self.made("verifier")
    }
    /// When the person left, where they must sign in there anew.
    fn anew(&self) -> Option<Time> {
        self.own.filter(|o| o.confirm).map(|_| self.until.minus(AWAY))
    }
}

fn context(knock: &Knock, id: ProviderId) -> String {
    format!("{CARRIED} {id} {}", knock.host.host)
}

/// Where a provider sends people back to: an address of its own, so that no other can answer for it.
pub fn callback(origin: &str, id: ProviderId) -> String {
    format!("{origin}/federation/{id}/callback")
}

pub(super) fn form(pairs: &[(&str, &str)]) -> Secret<String> {
    Secret::new(pairs.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect::<Vec<_>>().join("&"))
}

pub(super) fn refused() -> Problem {
    Problem::new(&PROVIDER_REFUSED)
}

/// Why an answer was not taken: the word in the history, and the problem that the person is told.
pub(super) struct Refusal(pub(super) &'static str, pub(super) Problem);

impl From<&'static str> for Refusal {
    fn from(word: &'static str) -> Self {
        Self(word, refused())
    }
}

impl From<Flaw> for Refusal {
    fn from(flaw: Flaw) -> Self {
        Self(flaw.word(), refused())
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self(trouble.step, Problem::new(&PROVIDER_DOWN).log(trouble.text.en))
    }
}

impl Identity {
    /// What the sign-in page offers beside the password. Makes no entry: it is shown to everybody.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn ways_in(&self, knock: &Knock) -> Answer<WaysIn> {
        if !self.gates().federation(&knock.policy).allowed {
            return Ok(WaysIn::default());
        }
        let scope = self.scope(knock.host.tenant);
        self.vault()
            .peek(&scope, move |view| {
                let enabled = [("enabled", true.into())];
                let all = view.list::<IdentityProvider>(&Page { limit: 50, eq: &enabled, ..Page::default() })?;
                let verified = [("verified", true.into())];
                let by_mail = !all.is_empty()
                    && !view.list::<MailDomain>(&Page { limit: 1, eq: &verified, ..Page::default() })?.is_empty();
                let shown = all.into_iter().filter(|p| p.body.button);
                Ok(WaysIn { buttons: shown.map(|p| WayIn { id: p.id(), name: p.body.name }).collect(), by_mail })
            })
            .await
    }

    /// The provider to which a mail address leads here.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn provider_of_mail(&self, knock: &Knock, mail: &str) -> Answer<Option<ProviderId>> {
        let Some(domain) = domains::of_mail(mail) else { return Ok(None) };
        let scope = self.scope(knock.host.tenant);
        let found = self.vault().peek(&scope, move |view| view.find::<MailDomain>("domain", &domain)).await?;
        Ok(found.into_iter().find(|d| d.body.verified.is_some()).map(|d| d.body.provider))
    }

    /// A provider that is switched on.
    pub(super) async fn provider_in_use(&self, cx: &Cx, id: ProviderId) -> Answer<Option<IdentityProvider>> {
        if !self.gates().federation(&cx.policy).allowed {
            return Ok(None);
        }
        let found = self.vault().peek(&Scope::of(cx), move |view| view.get::<IdentityProvider>(id)).await?;
        Ok(found.map(|p| p.body).filter(|p| p.enabled))
    }

    /// Sends a person to a provider. `origin` is the console's own address; `passage` is of whoever is signed in.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4051` (the provider does not answer), `SK-4056` (linking without a recent sign-in); to prove who one is,
    /// `SK-4070`, `SK-4200`, `SK-4201`.
    #[boxed]
    pub async fn leave(
        &self,
        knock: &Knock,
        origin: &str,
        id: ProviderId,
        errand: Errand,
        passage: Option<&Passage>,
    ) -> Answer<Leaving> {
        let cx = Self::before_sign_in(knock);
        let Some(provider) = self.provider_in_use(&cx, id).await? else { return Err(Problem::new(&NOT_FOUND)) };
        let own = match (errand, passage) {
            (Errand::SignIn, _) => None,
            (_, None) => return Err(Problem::new(&sekisho_kernel::problem::UNAUTHENTICATED)),
            (Errand::Link, Some(passage)) => {
                if let Err(stale) = self.recent(&passage.cx).await {
                    return Err(self.stop(&passage.cx, own(&passage.cx, &event::IDENTITY_CREATE, id), stale).await);
                }
                Some(Own::of(passage, false))
            }
            (Errand::Confirm, Some(passage)) => {
                self.may_confirm(&passage.cx, id).await?;
                Some(Own::of(passage, true))
            }
        };
        let oidc = match &provider.protocol {
            Protocol::Oidc(oidc) => oidc,
            Protocol::Saml(settings) => return self.leave_saml(&cx, knock, origin, id, settings, own).await,
        };
        let known = match self.known_provider(id, oidc).await {
            Ok(known) => known,
            Err(trouble) => {
                let Refusal(word, problem) = trouble.into();
                return Err(self.refused(&cx, &id.to_string(), word, problem).await);
            }
        };
        let going = Going { seed: sekisho_kernel::rng::bytes(self.rng()), own, until: self.now().plus(AWAY) };
        let challenge = URL_SAFE_NO_PAD.encode(token::sha256(&[going.verifier().as_bytes()]));
        let scope = std::iter::once("openid").chain(oidc.scopes.iter().map(String::as_str)).collect::<Vec<_>>();
        let mut pairs = vec![
            ("response_type", "code".to_owned()),
            ("client_id", oidc.client_id.clone()),
            ("redirect_uri", callback(origin, id)),
            ("scope", scope.join(" ")),
            ("state", going.state()),
            ("nonce", going.nonce()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256".to_owned()),
        ];
        if let Some(own) = own {
            // Whoever links, or proves who they are, shows at the provider, too, that they are there.
            pairs.push(("prompt", "login".to_owned()));
            if own.confirm {
                // With it the token must say when they did (Core §3.1.2.1).
                pairs.push(("max_age", "0".to_owned()));
            }
        }
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let text = serde_json::to_string(&going).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        let carried = self.vault().seal_text(&Scope::of(&cx), &context(knock, id), &text).await.map(Secret::new)?;
        Ok(Leaving {
            to: with_query(&known.metadata.authorization, &pairs),
            carried,
            fields: Vec::new(),
            posted_back: false,
        })
    }

    /// Takes a person back from a provider: the next step of their sign-in, the link made, or who they are proven.
    ///
    /// # Errors
    /// `SK-4050` for every answer that is not taken, the history tells why; `SK-4051`, `SK-4053`, `SK-4054`, `SK-4058`, `SK-4201`,
    /// `SK-4202`.
    #[boxed]
    pub async fn come_back(
        &self,
        knock: &Knock,
        browser: &Browser,
        origin: &str,
        id: ProviderId,
        back: Returning,
        passage: Option<&Passage>,
    ) -> Answer<CameBack> {
        let cx = Self::before_sign_in(knock);
        let object = id.to_string();
        let going = match self.going(&cx, knock, id, &back).await? {
            Ok(going) => going,
            Err(word) => return Err(self.refused(&cx, &object, word, refused()).await),
        };
        let Some(provider) = self.provider_in_use(&cx, id).await? else {
            return Err(self.refused(&cx, &object, "provider-off", refused()).await);
        };
        let Protocol::Oidc(oidc) = &provider.protocol else {
            return Err(self.refused(&cx, &object, "protocol", refused()).await);
        };
        let passage = passage.filter(|p| going.own.is_some_and(|own| own.is(p)));
        let vouched = match (self.vouched(&cx, origin, id, &provider, oidc, &going, &back).await, passage) {
            (Ok(vouched), _) => vouched,
            (Err(refusal), Some(passage)) if going.anew().is_some() => {
                return Err(self.unconfirmed(&passage.cx, id, refusal).await);
            }
            (Err(Refusal(word, problem)), _) => return Err(self.refused(&cx, &object, word, problem).await),
        };
        let once = Once {
            kind: "provider-state",
            key: token::sha256(&[&id.bytes(), going.state().as_bytes()]),
            target: id.cast(),
            until: going.until.plus(Duration::from_secs(1)),
            refused: &PROVIDER_REFUSED,
        };
        if let Some(own) = going.own {
            let Some(passage) = passage else {
                return Err(self.refused(&cx, &object, "another-session", refused()).await);
            };
            if own.confirm {
                return self.confirmed_at(&passage.cx, &vouched, once).await.map(CameBack::Confirmed);
            }
            self.link_identity(&passage.cx, &vouched, once).await?;
            return Ok(CameBack::Linked);
        }
        let session = id_token::name_of(&vouched.claims, "sid").map(|sid| super::logout::mark(id, &sid));
        let proven = provider.trusts_factor && mapping::used_factor(&vouched.claims);
        let way = Way::Provider(CameBy { provider: id, session, index: None, until: None });
        self.arrived(knock, browser, &cx, &vouched, way, once, proven).await
    }

    /// From somebody whom a provider vouches for to the next step of their sign-in.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing that the one step knows")]
    pub(super) async fn arrived(
        &self,
        knock: &Knock,
        browser: &Browser,
        cx: &Cx,
        vouched: &Vouched<'_>,
        way: Way,
        once: Once,
        proven: bool,
    ) -> Answer<CameBack> {
        let user = match self.person_of(cx, vouched).await {
            Ok(user) => user,
            Err(problem) if problem.is(&crate::problems::NO_ACCOUNT) => {
                return Err(self.refused(cx, &vouched.id.to_string(), "no-account", problem).await);
            }
            Err(problem) => return Err(problem),
        };
        self.admit(knock, browser, cx, user, way, once, proven).await.map(CameBack::Step)
    }

    /// From the account to the next step.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing that the one step knows")]
    async fn admit(
        &self,
        knock: &Knock,
        browser: &Browser,
        cx: &Cx,
        user: UserId,
        way: Way,
        once: Once,
        proven: bool,
    ) -> Answer<SignInStep> {
        let found = self.look_up(&Scope::of(cx), By::Id(user)).await?;
        let Some(found) = found.filter(|f| f.active()) else {
            return Err(self.refused(cx, &user.to_string(), "disabled", refused()).await);
        };
        let finish = Finish { way, once: Some(once), ..Finish::default() };
        if self.gates().factor(&cx.policy).ask && found.second() && !proven {
            return self.challenge(knock, cx, Stage::Factor, &found, None, finish, &event::SESSION_CHALLENGE).await;
        }
        self.finish(knock, browser, cx, found, finish, proven).await
    }

    /// The errand that an answer belongs to, or the word for why it is none.
    async fn going(
        &self,
        cx: &Cx,
        knock: &Knock,
        id: ProviderId,
        back: &Returning,
    ) -> Answer<Result<Going, &'static str>> {
        let Some(carried) = back.carried.as_ref().filter(|c| c.reveal().len() <= 1_024) else {
            return Ok(Err("state-missing"));
        };
        let text = self.vault().open_text(&Scope::of(cx), &context(knock, id), carried.reveal()).await?;
        let going = text.and_then(|t| serde_json::from_str::<Going>(&t).ok());
        let Some(going) = going else { return Ok(Err("state-of-another")) };
        if going.until <= self.now() {
            return Ok(Err("state-expired"));
        }
        let given = back.state.as_deref().unwrap_or_default();
        let same: bool = subtle::ConstantTimeEq::ct_eq(going.state().as_bytes(), given.as_bytes()).into();
        Ok(if same { Ok(going) } else { Err("state") })
    }

    /// What the provider says of the person: the code brought to its token endpoint, the token checked.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing that the one step knows")]
    async fn vouched<'a>(
        &self,
        cx: &Cx,
        origin: &str,
        id: ProviderId,
        provider: &'a IdentityProvider,
        oidc: &OidcSettings,
        going: &Going,
        back: &Returning,
    ) -> Result<Vouched<'a>, Refusal> {
        let known = self.known_provider(id, oidc).await?;
        // Whose answer it is, before anything in it is used (RFC 9207 §2.4).
        match &back.issuer {
            Some(issuer) if *issuer != oidc.issuer => return Err("answer-issuer".into()),
            None if known.metadata.names_issuer => return Err("answer-issuer".into()),
            _ => {}
        }
        if back.error.is_some() {
            return Err("provider-said-no".into());
        }
        let Some(code) = back.code.as_ref().filter(|c| c.reveal().len() <= 4_096) else { return Err("code".into()) };
        let answer = self.exchanged(&known, oidc, code, &callback(origin, id), &going.verifier()).await?;
        let access = answer.get("access_token").and_then(Value::as_str);
        let text = answer.get("id_token").and_then(Value::as_str).ok_or("token-missing")?;
        let token = self.verified_token(cx, id, oidc, &known, text, &["jwt"]).await?;
        let wanted = self.against(cx, oidc);
        let subject = id_token::check(&token, &wanted, &going.nonce(), access)?;
        if let Some(left) = going.anew() {
            // Of the signed token alone: userinfo says nothing of this sign-in.
            id_token::anew(&token, &wanted, left).map_err(|word| Refusal(word, Problem::new(&CONFIRM_STALE)))?;
        }
        let mut claims = token.claims;
        if oidc.userinfo
            && let (Some(url), Some(access)) = (&known.metadata.userinfo, access)
        {
            for (name, value) in self.userinfo(url, access, &subject).await? {
                // What is signed stands; the rest is added to it.
                claims.entry(name).or_insert(value);
            }
        }
        Ok(Vouched { id, provider, subject, claims })
    }

    /// Against what tokens of this provider are held.
    pub(super) fn against<'a>(&self, cx: &Cx, oidc: &'a OidcSettings) -> Wanted<'a> {
        let rule = self.gates().federation(&cx.policy);
        Wanted { issuer: &oidc.issuer, client: &oidc.client_id, now: self.now(), skew: rule.skew }
    }

    /// Checks a token's signature; a key that is not known leads to one look at the provider's keys.
    pub(super) async fn verified_token(
        &self,
        cx: &Cx,
        id: ProviderId,
        oidc: &OidcSettings,
        known: &Known,
        text: &str,
        types: &[&str],
    ) -> Result<Token, Flaw> {
        let checked = self.gates().federation(&cx.policy).signatures;
        match jwt::verify(text, &known.keys, types, checked) {
            Err(Flaw::NoKey) => match self.renewed_keys(id, oidc, known).await {
                Some(newer) => jwt::verify(text, &newer.keys, types, checked),
                None => Err(Flaw::NoKey),
            },
            other => other,
        }
    }

    async fn exchanged(
        &self,
        known: &Known,
        oidc: &OidcSettings,
        code: &Secret<String>,
        redirect: &str,
        verifier: &str,
    ) -> Result<Map<String, Value>, Refusal> {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        let request = token_request(known, oidc, &pairs);
        let url = &known.metadata.token;
        let got = self.0.outside.ask(request).await.map_err(|why| Trouble::unreached("token", url, &why))?;
        let body = json::object(&got.body);
        if got.status != 200 {
            let word = body.as_ref().and_then(|b| b.get("error")).and_then(Value::as_str).unwrap_or_default();
            return Err(match word {
                "invalid_client" | "unauthorized_client" => "client-refused",
                _ => "code-refused",
            }
            .into());
        }
        let body = body.ok_or("token-answer")?;
        let bearer = body.get("token_type").and_then(Value::as_str).is_some_and(|t| t.eq_ignore_ascii_case("bearer"));
        if bearer { Ok(body) } else { Err("token-answer".into()) }
    }

    async fn userinfo(&self, url: &str, access: &str, subject: &str) -> Result<Map<String, Value>, Refusal> {
        let mut request = Outgoing::get(url, LARGEST);
        request.headers.push(("authorization", Secret::new(format!("Bearer {access}"))));
        request.headers.push(("accept", Secret::new("application/json".to_owned())));
        let got = self.0.outside.ask(request).await.map_err(|why| Trouble::unreached("userinfo", url, &why))?;
        let body = json::object(&got.body).filter(|_| got.status == 200).ok_or("userinfo")?;
        // Core §5.3.2: of another person it is worth nothing.
        if body.get("sub").and_then(Value::as_str) == Some(subject) { Ok(body) } else { Err("userinfo-subject".into()) }
    }

    /// Links the person's account to the subject.
    pub(super) async fn link_identity(&self, cx: &Cx, vouched: &Vouched<'_>, once: Once) -> Answer<()> {
        let (user, _) = who(cx)?;
        let act = own(cx, &event::IDENTITY_CREATE, vouched.id);
        if let Err(stale) = self.recent(cx).await {
            return Err(self.stop(cx, act, stale).await);
        }
        let id: IdentityId = self.id();
        let link = OutsideIdentity {
            provider: vouched.id,
            user,
            subject: vouched.subject.clone(),
            name: vouched.label(),
            made: false,
        };
        self.vault()
            .act(cx, act, move |tx, permit| {
                once.take(tx)?;
                let own = people::of_user::<OutsideIdentity>(&mut tx.view(), user)?;
                if own.iter().any(|l| l.body.provider == link.provider) {
                    return Err(Problem::new(&LINKED_ALREADY));
                }
                let already = |p: Problem| if p.is(&CONFLICT) { Problem::new(&LINKED_ALREADY) } else { p };
                tx.insert(id, &link).map_err(already)?;
                tx.commit(permit, Entry::of(id).with("provider", link.provider).with("user", user), ())
            })
            .await
    }

    /// The word of somebody's refusal, entered as a sign-in that was not.
    pub(super) async fn sign_out_refused(&self, cx: &Cx, id: ProviderId, word: &'static str) -> Problem {
        let detail = vec![("reason", word.to_owned())];
        let object = id.to_string();
        match self.vault().enter(cx, &event::PROVIDER_SIGN_OUT, Outcome::Refused, &object, detail).await {
            Ok(()) => refused(),
            Err(broken) => broken,
        }
    }
}

/// A request to the token endpoint, with our secret where the provider wants it (RFC 6749 §2.3.1).
pub(super) fn token_request(known: &Known, oidc: &OidcSettings, pairs: &[(&str, &str)]) -> Outgoing {
    let mut all = pairs.to_vec();
    let mut headers = vec![("accept", Secret::new("application/json".to_owned()))];
    match &oidc.client_secret {
        Some(secret) if known.metadata.secret_in_form => {
            all.push(("client_id", &oidc.client_id));
            all.push(("client_secret", secret));
        }
        Some(secret) => {
            let both = format!("{}:{}", encode(&oidc.client_id), encode(secret));
            headers.push(("authorization", Secret::new(format!("Basic {}", STANDARD.encode(both)))));
        }
        None => all.push(("client_id", &oidc.client_id)),
    }
    Outgoing { url: known.metadata.token.clone(), headers, form: Some(form(&all)), most: LARGEST }
}
