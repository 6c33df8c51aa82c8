//! Devices without a browser (RFC 8628): the device shows a code, the person types it in elsewhere, sees which application
//! asks for what, and decides; meanwhile the device asks for its tokens.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Job, Outcome, Problem, Rng, Secret, Time, event,
    hook::Knock,
    id::{ApplicationId, OauthDeviceId, OauthDeviceKind, UserId},
    problem::{CONFLICT, INTERNAL},
};
use sekisho_vault::{Entry, Scope, Stored};
use serde::{Deserialize, Serialize};

use super::{
    dpop::Proof,
    flow::{Turn, identified, issued},
    scope::Wanted,
};
use crate::{
    Answer, Identity,
    account::who,
    boxed, by_job, own, problems as p,
    records::{Application, ApplicationState, DeviceState, OauthDevice, UserSession},
    signals::logout,
    sql, token,
    types::{DeviceAsk, DeviceStarted, OauthClient},
};

/// How long a person has to type the code in and decide.
const LIFE: Duration = Duration::from_secs(600);
/// How long a device waits between two questions, until it is told to wait longer (RFC 8628 §3.5).
const INTERVAL: Duration = Duration::from_secs(5);
/// Most devices of a tenant that wait at a time.
const MOST: u64 = 10_000;
/// The letters of a code: no vowels, so that no words come of it, and none that look alike (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a code: 20^8, more than 2^34.
const LENGTH: usize = 8;
const POINTER: &str = "oauth-device";
const PAGE: &str = "oauth device";

fn is(kind: &'static sekisho_kernel::ProblemKind) -> Problem {
    Problem::new(kind)
}

/// A decision to be made, as the page carries it: sealed.
#[derive(Serialize, Deserialize)]
struct Asked {
    device: OauthDeviceId,
    user: UserId,
    until: Time,
}

/// A new code. Bytes that would make some letters likelier than others are passed over.
fn letters(rng: &dyn Rng) -> String {
    let mut out = String::with_capacity(LENGTH);
    while out.len() < LENGTH {
        let fair = sekisho_kernel::rng::bytes::<16>(rng).into_iter().filter(|b| *b < 240);
        out.extend(fair.map(|b| char::from(LETTERS[usize::from(b) % LETTERS.len()])).take(LENGTH - out.len()));
    }
    out
}

/// What a person typed, as codes are kept. `None` for what cannot be one.
fn typed(text: &str) -> Option<String> {
    let plain: String = text.chars().take(64).filter(|c| !matches!(c, '-' | ' ' | '\u{2010}')).collect();
    let upper = plain.to_ascii_uppercase();
    (upper.len() == LENGTH && upper.bytes().all(|b| LETTERS.contains(&b))).then_some(upper)
}

/// As it is shown: `WDJB-MJHT`.
fn shown(code: &str) -> String {
    let (left, right) = code.split_at(LENGTH / 2);
    format!("{left}-{right}")
}

impl Identity {
    /// A device asks for a code.
    ///
    /// # Errors
    /// `SK-4041` (client), `SK-4045` (not for devices), `SK-4044` (scope), `SK-4141` (too many wait).
    #[boxed]
    pub async fn start_device(
        &self,
        knock: &Knock,
        client: &OauthClient,
        scope: Option<&str>,
    ) -> Answer<DeviceStarted> {
        let cx = Self::before_sign_in(knock);
        let application = self.oauth_client(&cx, client).await?;
        let id: ApplicationId = application.id();
        let most = Wanted::most(&application.body.rights, application.body.openid);
        let plain = Wanted { person: Vec::new(), ..most.clone() };
        let wanted = match Wanted::read(scope, &most, plain) {
            _ if !application.body.device => Err(is(&p::OAUTH_NOT_ALLOWED)),
            Some(wanted) => Ok(wanted),
            None => Err(is(&p::OAUTH_SCOPE)),
        };
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(problem) => {
                let detail = vec![("code", problem.kind.code.to_owned())];
                self.vault().enter(&cx, &event::OAUTH_DEVICE, Outcome::Refused, &id.to_string(), detail).await?;
                return Err(problem);
            }
        };
        let made = token::new(self.rng());
        let (record, code, expires) = (self.id::<OauthDeviceKind>(), letters(self.rng()), self.now().plus(LIFE));
        let (key, kept) = (made.hash, code.clone());
        self.vault()
            .act(&cx, by_job(&cx, Job::SignIn, &event::OAUTH_DEVICE, id), move |tx, permit| {
                if tx.count::<OauthDevice>(&[])? >= MOST {
                    return Err(is(&p::OAUTH_MANY));
                }
                let device = OauthDevice {
                    application: id,
                    code: kept,
                    rights: wanted.names(),
                    person: wanted.person.clone(),
                    state: DeviceState::Waiting,
                    expires,
                };
                // Two devices with one code would share a decision.
                tx.insert(record, &device).map_err(|e| if e.is(&CONFLICT) { is(&p::OAUTH_MANY) } else { e })?;
                tx.point(POINTER, &key, record, Some(expires.plus(LIFE)))?;
                tx.commit(permit, Entry::of(id).with("device", record).with("rights", wanted.text()), ())
            })
            .await?;
        Ok(DeviceStarted { device: made.text, code: shown(&code), lives: LIFE, interval: INTERVAL })
    }

    /// A person has typed a code in: what they are asked. Wrong codes are counted against the person, as wrong passwords are.
    ///
    /// # Errors
    /// `SK-4146` for a code that nobody shows, `SK-4147` after too many of them.
    #[boxed]
    pub async fn device_typed(&self, cx: &Cx, text: &str) -> Answer<DeviceAsk> {
        let (user, _) = who(cx)?;
        let (scope, rule) = (Scope::of(cx), self.gates().lockout(&cx.policy));
        let hash = self.vault().keyed_hash(&scope, "try.device code", &user.bytes()).await?;
        let mut counter = [0xfd; 16];
        counter[1..].copy_from_slice(&hash[..15]);
        let stopped = |problem| self.stop(cx, own(cx, &event::OAUTH_DEVICE, user), problem);
        if !self.take(&scope, &rule, counter).await?.granted {
            return Err(stopped(is(&p::DEVICE_TRIES)).await);
        }
        let found = match typed(text) {
            Some(code) => {
                self.vault()
                    .peek(&scope, move |view| {
                        let Some(device) = view.find::<OauthDevice>("code", &code)?.into_iter().next() else {
                            return Ok(None);
                        };
                        let application = view.get::<Application>(device.body.application)?;
                        Ok(application.map(|a| (device, a.body)))
                    })
                    .await?
            }
            None => None,
        };
        let waits = |d: &Stored<OauthDevice>| d.body.state == DeviceState::Waiting && d.body.expires > self.now();
        let found = found.filter(|(d, a)| waits(d) && a.state == ApplicationState::Approved && a.device);
        let Some((device, application)) = found else { return Err(stopped(is(&p::DEVICE_CODE)).await) };
        // This try's place alone: whoever types codes of their own in between has no more guesses for it.
        if let Some(tries) = rule.tries {
            let place = [counter.into(), i64::from(tries).into(), 1.into()];
            self.vault().keep(&scope, move |k| k.run(&sql::TRY_GIVE_BACK, &place)).await?;
        }
        let asked = Asked { device: device.id(), user, until: device.body.expires };
        let text = serde_json::to_string(&asked).map_err(|e| is(&INTERNAL).log(e))?;
        let sealed = Secret::new(self.vault().seal_text(&scope, PAGE, &text).await?);
        let wanted = Wanted::of(&device.body.rights, &device.body.person);
        let code = shown(&device.body.code);
        Ok(DeviceAsk { name: application.name, code, rights: wanted.rights, person: wanted.person, sealed })
    }

    /// The person's decision.
    ///
    /// # Errors
    /// `SK-4042` for a page that has run out, was another person's, or was decided already.
    #[boxed]
    pub async fn decide_device(&self, cx: &Cx, sealed: &Secret<String>, allow: bool) -> Answer<()> {
        let (user, session) = who(cx)?;
        let over = || is(&p::OAUTH_PAGE_OVER);
        let text = match sealed.reveal().len() {
            ..=4_096 => self.vault().open_text(&Scope::of(cx), PAGE, sealed.reveal()).await?,
            _ => None,
        };
        let asked = text.and_then(|t| serde_json::from_str::<Asked>(&t).ok());
        let Some(asked) = asked.filter(|a| a.user == user && a.until > self.now()) else {
            return Err(self.stop(cx, own(cx, &event::OAUTH_DEVICE, user), over()).await);
        };
        let id = asked.device;
        if allow {
            let found = self.vault().peek(&Scope::of(cx), move |view| view.get::<OauthDevice>(id)).await?;
            let found = found.filter(|d| d.body.state == DeviceState::Waiting).ok_or_else(over)?.body;
            self.consented(cx, found.application, Wanted::of(&found.rights, &found.person)).await?;
        }
        self.vault()
            .act(cx, own(cx, &event::OAUTH_DEVICE, user), move |tx, permit| {
                let found = tx.get::<OauthDevice>(id)?.filter(|d| d.body.state == DeviceState::Waiting);
                let found = found.ok_or_else(over)?;
                let signed_in = tx.get::<UserSession>(session)?.ok_or_else(over)?.body.signed_in;
                let state = match allow {
                    true => DeviceState::Allowed { user, session, signed_in },
                    false => DeviceState::Denied,
                };
                let entry = Entry::of(user).with("application", found.body.application).with("device", id);
                tx.update(id, found.version, &OauthDevice { state, ..found.body })?;
                tx.commit(permit, entry.with("allowed", allow), ())
            })
            .await
    }

    /// A device asks for its tokens (RFC 8628 §3.4). Asking while the person has not decided makes no entry.
    pub(super) async fn by_device(
        &self,
        cx: &Cx,
        issuer: &str,
        application: Stored<Application>,
        proof: Option<Proof>,
        given: &Secret<String>,
    ) -> Answer<Turn> {
        let client: ApplicationId = application.id();
        let refused = || is(&p::OAUTH_GRANT);
        let key = token::hash(given.reveal());
        let found = match key {
            Some(key) => self.vault().resolve_pointer(POINTER, &key).await?.map(|(scope, id)| (scope, id, key)),
            None => None,
        };
        let found = found.filter(|(scope, ..)| scope.tenant() == cx.tenant);
        let Some((scope, id, key)) = found else {
            return Err(self.oauth_refused(cx, &client.to_string(), "device", refused()).await);
        };
        let device = self.vault().peek(&scope, move |view| view.get::<OauthDevice>(id)).await?;
        // What was swept away has run out.
        let Some(device) = device else { return Err(is(&p::DEVICE_EXPIRED)) };
        if device.body.application != client {
            return Err(self.oauth_refused(cx, &client.to_string(), "device", refused()).await);
        }
        if device.body.expires <= self.now() {
            return Err(is(&p::DEVICE_EXPIRED));
        }
        let now = self.now();
        let rows = self.vault().keep(&scope, move |k| k.rows(&sql::DEVICE_POLL, &[id.into(), now.into()])).await?;
        if rows.first().and_then(|r| r.first()?.int()) == Some(1) {
            return Err(is(&p::DEVICE_SLOW));
        }
        let (user, session, signed_in) = match device.body.state {
            DeviceState::Waiting => return Err(is(&p::DEVICE_PENDING)),
            DeviceState::Denied => {
                return Err(self.oauth_refused(cx, &client.to_string(), "denied", is(&p::DEVICE_DENIED)).await);
            }
            DeviceState::Allowed { user, session, signed_in } => (user, session, signed_in),
        };
        let wanted = Wanted::of(&device.body.rights, &device.body.person);
        let mut family = self.family(user, client, &wanted, (true, proof), cx);
        family.grant.signed_in = Some((session, signed_in));
        let (grant, issuer) = (self.id::<sekisho_kernel::id::OauthGrantKind>(), issuer.to_owned());
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, &event::OAUTH_TOKEN, user), move |tx, permit| {
                let consent = super::applications::consent_of(&mut tx.view(), user, client)?;
                let consented = consent.is_some_and(|c| wanted.within(&Wanted::of(&c.body.rights, &c.body.person)));
                // Once: of two questions that come together, one gets the tokens.
                if !consented || !tx.unpoint(POINTER, &key)? {
                    return Err(refused());
                }
                tx.delete::<OauthDevice>(id)?;
                let tokens = family.put(tx, grant, refused)?;
                let entry = Entry::of(user).with("application", client).with("grant", grant).with("device", id);
                let identified = identified(&family.grant, None);
                // The session in which the person allowed it may have ended since; then there is nothing to be told any more.
                if let (true, Some(session)) = (identified.is_some(), tx.get::<UserSession>(session)?) {
                    logout::learned(tx, &session, client, &issuer)?;
                }
                tx.commit(permit, entry.with("rights", wanted.text()), issued(tokens, identified))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::SystemRng;

    use super::*;

    #[test]
    fn a_code_is_typed_as_people_type() {
        let code = letters(&SystemRng);
        assert_eq!(typed(&shown(&code)), Some(code.clone()));
        assert_eq!(typed(&format!(" {} ", shown(&code).to_lowercase())), Some(code.clone()));
        assert_ne!(letters(&SystemRng), code);
        for bad in ["", "WDJB", "WDJB-MJHTX", "ABCD-EFGH", "WDJB-MJH1", "ＷＤＪＢ-ＭＪＨＴ"] {
            assert_eq!(typed(bad), None, "{bad}");
        }
    }
}
