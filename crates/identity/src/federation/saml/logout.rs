//! Single logout (SAML profiles §4.4). Whoever signs out here is led on to sign out at the provider; a provider ends sessions here
//! by a signed request. Nothing that is wrong with a provider keeps anybody signed in.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Cx, Job, Outcome, Problem, Time, event,
    hook::{Knock, Onward},
    id::{ProviderId, SamlPartingId, SessionId, UserId},
    problem::CONFLICT,
    rng,
};
use sekisho_saml::{
    EndSession, IdentityProvider as Idp, Kind, LogoutMessage, LogoutRequest, Outgoing, PendingLogout, Rules,
    ServiceProvider, problems,
};
use sekisho_vault::{Entry, Page, Scope, Tx};

use super::{name_of, provider, subject};
use crate::{
    Answer, Identity, boxed, by_job,
    federation::{
        flow::Refusal,
        identities,
        logout::{ENDED, end_of, mark},
    },
    problems::LOGOUT_REFUSED,
    records::{Application, ApplicationState, IdentityProvider, OutsideIdentity, Protocol, SamlParting, UserSession},
    token,
    types::{LeaveTo, SamlFarewell, SamlLogoutMessage},
};

/// The pointer from a request of ours to the provider that has yet to answer it, or to the record of where the person goes then.
const GOODBYE: &str = "saml-goodbye";
/// Marks a provider's request that has been used.
const USED: &str = "saml-logout";
/// How long an assertion could still come for a session that has ended, with a sign-in that has begun here.
const LATE: Duration = Duration::from_secs(20 * 60);

/// A request to the provider, ready for the browser.
pub struct Farewell {
    /// Whose.
    pub provider: ProviderId,
    /// Where to.
    pub onward: Onward,
    key: [u8; 32],
    until: Time,
    parting: Option<(SamlPartingId, SamlParting)>,
}

impl Farewell {
    /// Remembers that an answer to it is waited for.
    pub fn put(&self, tx: &mut Tx<'_>) -> Answer<()> {
        match &self.parting {
            None => tx.point(GOODBYE, &self.key, self.provider, Some(self.until)),
            Some((id, parting)) => {
                tx.insert(*id, parting)?;
                tx.point(GOODBYE, &self.key, *id, Some(self.until))
            }
        }
    }
}

/// The address, if the application still has it.
fn back(tx: &mut Tx<'_>, to: &LeaveTo) -> Answer<Option<String>> {
    let of = tx.get::<Application>(to.application)?.map(|a| a.body);
    let still = of.is_some_and(|a| a.state == ApplicationState::Approved && a.takes_back(&to.address));
    Ok(still.then(|| to.whole()))
}

fn key(provider: ProviderId, id: &str) -> [u8; 32] {
    token::sha256(&[&provider.bytes(), id.as_bytes()])
}

/// A message for the browser to carry.
pub(super) fn carried(out: Outgoing) -> Onward {
    match out {
        Outgoing::Redirect(to) => Onward { to, fields: Vec::new() },
        Outgoing::Post { action, fields } => Onward { to: action, fields },
    }
}

impl SamlLogoutMessage {
    fn borrowed(&self) -> (LogoutMessage<'_>, Kind) {
        match self {
            Self::Query(raw) => (LogoutMessage::Redirect(raw), LogoutMessage::kind_of(raw)),
            Self::Form { field, relay_state, answer } => {
                let kind = if *answer { Kind::Response } else { Kind::Request };
                (LogoutMessage::Post { field, relay_state: relay_state.as_deref() }, kind)
            }
        }
    }
}

fn refused() -> Problem {
    Problem::new(&LOGOUT_REFUSED)
}

fn why(refusal: Refusal) -> (&'static str, Problem) {
    let Refusal(word, problem) = refusal;
    let ours = problem.is(&crate::problems::PROVIDER_REFUSED);
    (word, if ours { refused() } else { problem })
}

impl Identity {
    /// What leads the person of a session on to sign out at their SAML provider, and from there `to` an application. Whatever is
    /// missing or wrong, there is none.
    pub(crate) async fn farewell(
        &self,
        cx: &Cx,
        of: (UserId, SessionId),
        origin: &str,
        to: Option<LeaveTo>,
    ) -> Option<Farewell> {
        match self.prepared_farewell(cx, of, origin, to).await {
            Ok(farewell) => farewell,
            Err(problem) => {
                tracing::warn!(?problem, "a person signs out here alone");
                None
            }
        }
    }

    async fn prepared_farewell(
        &self,
        cx: &Cx,
        (user, id): (UserId, SessionId),
        origin: &str,
        to: Option<LeaveTo>,
    ) -> Answer<Option<Farewell>> {
        let found = self
            .vault()
            .peek(&Scope::of(cx), move |view| {
                let Some(came) = view.get::<UserSession>(id)?.and_then(|s| s.body.provider) else { return Ok(None) };
                let Some(provider) = view.get::<IdentityProvider>(came.provider)? else { return Ok(None) };
                let eq = [("provider_id", came.provider.into()), ("user_id", user.into())];
                let link = view.list::<OutsideIdentity>(&Page { limit: 1, eq: &eq, ..Page::default() })?.pop();
                Ok(link.map(|link| (came, provider.body, link.body.subject)))
            })
            .await?;
        let Some((came, record, subject)) = found else { return Ok(None) };
        let Protocol::Saml(settings) = &record.protocol else { return Ok(None) };
        let open = self.gates().federation(&cx.policy).allowed && record.enabled && settings.single_logout;
        if !open || settings.metadata.logout.is_none() {
            return Ok(None);
        }
        let (Some(name_id), Some(sp)) = (name_of(&subject), self.saml_service(cx, origin).await?) else {
            return Ok(None);
        };
        let now = self.now();
        let session = EndSession { name_id, session_index: came.index };
        let state = to.is_some().then(|| URL_SAFE_NO_PAD.encode(rng::bytes::<16>(self.rng())));
        let (out, pending) = sp.logout(&provider(settings, now)?, &session, state.as_deref(), now, self.rng())?;
        let (key, until) = (key(came.provider, &pending.id), pending.until);
        let parting = to
            .zip(state)
            .map(|(to, state)| (self.id(), SamlParting { provider: came.provider, state, to, expires: until }));
        Ok(Some(Farewell { provider: came.provider, onward: carried(out), key, until, parting }))
    }

    /// Takes a logout message of a provider: ends the sessions that a request names and gives the answer to it, or takes note of
    /// the answer to a request of ours.
    ///
    /// # Errors
    /// `SK-4160` for every message that is not taken, the history tells why; `SK-4134` for a request that has been used.
    #[boxed]
    pub async fn saml_logout(&self, knock: &Knock, origin: &str, message: &SamlLogoutMessage) -> Answer<SamlFarewell> {
        let cx = Self::before_sign_in(knock);
        let (borrowed, kind) = message.borrowed();
        let event = if kind == Kind::Request { &event::PROVIDER_SIGN_OUT } else { &event::PROVIDER_SIGNED_OUT };
        let known = async {
            let peeked = borrowed.peek(kind)?;
            if !self.gates().federation(&cx.policy).allowed {
                return Err(Refusal::from("provider-off"));
            }
            let id = self.provider_called(&cx, &peeked.issuer).await?.ok_or(problems::ISSUER.name)?;
            Ok::<_, Refusal>((id, peeked))
        };
        let mut object = "saml".to_owned();
        let judged = match known.await {
            Err(refusal) => Err(refusal),
            Ok((id, peeked)) => {
                object = id.to_string();
                match kind {
                    Kind::Request => self.asked_to_end(knock, origin, id, borrowed).await,
                    Kind::Response => self.answered(knock, origin, id, borrowed, peeked.in_response_to).await,
                }
            }
        };
        let (word, problem) = match judged {
            Ok(done) => return done,
            Err(refusal) => why(refusal),
        };
        let detail = vec![("reason", word.to_owned())];
        match self.vault().enter(&cx, event, Outcome::Refused, &object, detail).await {
            Ok(()) => Err(problem),
            Err(broken) => Err(broken),
        }
    }

    /// Both sides, as a message of this provider is judged.
    async fn sides(
        &self,
        knock: &Knock,
        origin: &str,
        id: ProviderId,
    ) -> Result<(Idp, ServiceProvider, Rules), Refusal> {
        let cx = Self::before_sign_in(knock);
        let found = self.provider_in_use(&cx, id).await?.ok_or("provider-off")?;
        let Protocol::Saml(settings) = &found.protocol else { return Err("provider-off".into()) };
        let idp = provider(settings, self.now())?;
        let sp = self.saml_service(&cx, origin).await?.ok_or("saml-key-missing")?;
        Ok((idp, sp, super::rules(settings, self.gates().federation(&cx.policy).skew)))
    }

    /// A provider wants sessions to end. The outer result is whether its message is believed.
    async fn asked_to_end(
        &self,
        knock: &Knock,
        origin: &str,
        id: ProviderId,
        message: LogoutMessage<'_>,
    ) -> Result<Answer<SamlFarewell>, Refusal> {
        let (idp, sp, rules) = self.sides(knock, origin, id).await?;
        let now = self.now();
        let request = sp.logout_request(&idp, message, &rules, now)?;
        let answer = match idp.logout.is_empty() {
            true => None,
            false => Some(carried(sp.logout_answer(&idp, &request, true, now, self.rng())?)),
        };
        // By then the request is refused for its age.
        let until = now.plus(rules.oldest + rules.skew * 2 + Duration::from_secs(1));
        Ok(self.end_asked(knock, id, request, until).await.map(|()| SamlFarewell::Asked(answer)))
    }

    async fn end_asked(&self, knock: &Knock, id: ProviderId, request: LogoutRequest, until: Time) -> Answer<()> {
        let cx = Self::before_sign_in(knock);
        let (tenant, late) = (cx.tenant, self.now().plus(LATE));
        let (used, subject) = (key(id, &request.id), subject(&request.name_id));
        let marks: Vec<[u8; 16]> = request.sessions.iter().map(|index| mark(id, index)).collect();
        self.vault()
            .act(&cx, by_job(&cx, Job::SignIn, &event::PROVIDER_SIGN_OUT, id), move |tx, permit| {
                let replayed = |p: Problem| if p.is(&CONFLICT) { Problem::new(&problems::LOGOUT_REPLAY) } else { p };
                tx.point(USED, &used, id, Some(until)).map_err(replayed)?;
                let user: Option<UserId> = identities::find(&mut tx.view(), id, &subject)?.map(|l| l.body.user);
                let mut entry = Entry::of(id);
                let mut ended = 0;
                if let Some(user) = user {
                    entry = entry.with("user", user);
                    for mark in &marks {
                        tx.unpoint(ENDED, mark)?;
                        tx.point(ENDED, mark, id, Some(late))?;
                    }
                    let named = |mark: &[u8; 16]| marks.contains(mark);
                    ended =
                        end_of(tx, tenant, id, user, |c| marks.is_empty() || c.session.as_ref().is_some_and(named))?;
                }
                tx.commit(permit, entry.with("ended", ended), ())
            })
            .await
    }

    /// A provider has answered a request of ours. Nobody's session hangs on it any more.
    async fn answered(
        &self,
        knock: &Knock,
        origin: &str,
        id: ProviderId,
        message: LogoutMessage<'_>,
        in_response_to: Option<String>,
    ) -> Result<Answer<SamlFarewell>, Refusal> {
        let (idp, sp, rules) = self.sides(knock, origin, id).await?;
        let request = in_response_to.ok_or(problems::IN_RESPONSE_TO.name)?;
        let now = self.now();
        let key = key(id, &request);
        let cx = Self::before_sign_in(knock);
        let pending = PendingLogout {
            id: request,
            issuer: idp.entity_id.clone(),
            until: now.plus(Duration::from_secs(1)),
            relay_state: self.parting(&cx, &key).await?.map(|p| p.state),
        };
        let answer = sp.logout_response(&idp, message, &pending, &rules, now)?;
        let done =
            self.vault().act(&cx, by_job(&cx, Job::SignIn, &event::PROVIDER_SIGNED_OUT, id), move |tx, permit| {
                // Of two who bring it one is heard, and of those that nobody asked for none.
                let nobody = || refused().log(problems::IN_RESPONSE_TO.name);
                let waits = tx.pointer(GOODBYE, &key)?.ok_or_else(nobody)?;
                tx.unpoint(GOODBYE, &key)?;
                let mut to = None;
                let mut entry = Entry::of(id).with("partial", answer.partial);
                if waits != id.cast() {
                    let parting = tx.get::<SamlParting>(waits)?.map(|p| p.body);
                    let parting = parting.filter(|p| p.provider == id).ok_or_else(nobody)?;
                    tx.delete::<SamlParting>(waits)?;
                    to = back(tx, &parting.to)?;
                    entry = entry.with("application", parting.to.application);
                }
                tx.commit(permit, entry, SamlFarewell::Answered { partial: answer.partial, to })
            });
        Ok(done.await)
    }

    /// What was put down about a request of ours, where an application waits for the person.
    async fn parting(&self, cx: &Cx, key: &[u8]) -> Answer<Option<SamlParting>> {
        let found = self.vault().resolve_pointer(GOODBYE, key).await?.filter(|(s, _)| s.tenant() == cx.tenant);
        let Some((scope, id)) = found else { return Ok(None) };
        let found = self.vault().peek(&scope, move |view| view.get::<SamlParting>(id)).await?;
        Ok(found.map(|p| p.body))
    }
}
