//! Proving again who is there, by a passkey: what it gives stands in for the password where an act asks for one, once. What a fresh
//! sign-in at a provider gives stands in for it where a first passkey is registered, and nowhere else.

use sekisho_kernel::{
    Cx, Event, Problem, Secret, Time, event,
    id::{PasskeyKind, ProviderId, RecordId, SessionId, UserId},
    problem::INTERNAL,
};
use sekisho_vault::{Entry, Scope};
use serde::{Deserialize, Serialize};

use super::{
    ceremony::{Begun, LIFE, Purpose, request_options},
    of, used,
};
use crate::{
    Answer, Identity,
    account::who,
    boxed,
    lockout::Try,
    own,
    problems::{PASSKEY_OVER, PASSKEY_WRONG},
    sign_in::passkey::{Given, Known},
    sql,
    types::{PasskeyAnswer, PasskeyOptions, RelyingParty},
};

/// What a proof begins with. A password that begins so too is taken for a password, since it opens nothing.
pub const PREFIX: &str = "skc_";
const PROOF: &str = "passkey proof";

/// What a passkey or a provider has proven, as the person carries it: sealed.
#[derive(Serialize, Deserialize)]
struct Proof {
    id: RecordId,
    user: UserId,
    session: SessionId,
    /// Where a provider has, which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<ProviderId>,
    until: Time,
}

impl Identity {
    /// A proof of who is there, by a passkey or by a provider.
    pub(crate) async fn sealed_proof(&self, cx: &Cx, provider: Option<ProviderId>) -> Answer<Secret<String>> {
        let (user, session) = who(cx)?;
        let proof = Proof { id: self.id(), user, session, provider, until: self.now().plus(LIFE) };
        let text = serde_json::to_string(&proof).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        let sealed = self.vault().seal_text(&Scope::of(cx), PROOF, &text).await?;
        Ok(Secret::new(format!("{PREFIX}{sealed}")))
    }

    /// What a browser needs to prove by a passkey who is there.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn confirm_options(&self, cx: &Cx, rp: &RelyingParty) -> Answer<PasskeyOptions> {
        let (user, session) = who(cx)?;
        let scope = Scope::of(cx);
        let passkeys = self.vault().peek(&scope, move |view| of(view, user)).await?;
        let begun = Begun { session: Some(session), user: Some(user), way_in: None };
        self.begin_ceremony(&scope, rp, Purpose::Confirm, begun, request_options(rp, &passkeys)).await
    }

    /// Proves it. What comes back is good once, within five minutes, in this session, wherever a password is asked for as
    /// proof.
    ///
    /// # Errors
    /// `SK-4074` (challenge), `SK-4076`.
    #[boxed]
    pub async fn confirm_by_passkey(&self, cx: &Cx, rp: &RelyingParty, given: PasskeyAnswer) -> Answer<Secret<String>> {
        let (user, session) = who(cx)?;
        let scope = Scope::of(cx);
        let act = || own(cx, &event::SESSION_REAUTHENTICATE, user);
        let ceremony = self.take_ceremony(&scope, rp, given.ceremony.reveal(), Purpose::Confirm, Some(session)).await?;
        let Some(ceremony) = ceremony.filter(|c| c.user == Some(user)) else {
            return Err(self.stop(cx, act(), Problem::new(&PASSKEY_OVER)).await);
        };
        let t = self.take(&scope, &self.gates().lockout(&cx.policy), user.bytes()).await?;
        let (known, asserted) = match Given::read(given.credential) {
            Some(given) => {
                let known = self.credential_of(&scope, &given.id).await?;
                let asserted = self.asserted(&ceremony, rp, &given, known.as_ref(), &t);
                (known, asserted)
            }
            None => (None, Err("malformed")),
        };
        let proven = match (known, asserted) {
            (Some(Known { passkey, .. }), Ok(asserted)) => {
                let copied = self.copied(cx, &passkey, asserted).await?;
                (!copied).then_some((passkey, asserted)).ok_or("sign-count")
            }
            (_, asserted) => Err(asserted.err().unwrap_or("unknown")),
        };
        let (passkey, asserted) = match proven {
            Ok(proven) => proven,
            Err(reason) => {
                self.fail(cx, &t, &user.to_string()).await?;
                return Err(self.stop(cx, act(), Problem::new(&PASSKEY_WRONG).log(reason)).await);
            }
        };
        let proof = self.sealed_proof(cx, None).await?;
        let id = passkey.id::<PasskeyKind>();
        let done = self
            .vault()
            .act(cx, act(), move |tx, permit| {
                let now = tx.now();
                if !used(tx, id, asserted.sign_count, asserted.backed_up, Some(now))? {
                    return Err(Problem::new(&PASSKEY_WRONG));
                }
                t.give_back(tx)?;
                tx.commit(permit, Entry::of(user).with("session", session).with("passkey", id), ())
            })
            .await;
        self.settle(cx, t, done).await?;
        Ok(proof)
    }

    /// Takes a proof that stands in for a password; `None` where it is none of ours, so that it may be a password. A provider's
    /// counts where a first passkey is registered.
    pub(crate) async fn confirmed_by_proof(
        &self,
        cx: &Cx,
        event: &'static Event,
        given: &Secret<String>,
        first_passkey: bool,
    ) -> Answer<Option<Try>> {
        let (user, session) = who(cx)?;
        let scope = Scope::of(cx);
        let Some(sealed) = given.reveal().strip_prefix(PREFIX) else { return Ok(None) };
        let text = match sealed.len() {
            ..=1_024 => self.vault().open_text(&scope, PROOF, sealed).await?,
            _ => None,
        };
        let Some(proof) = text.and_then(|t| serde_json::from_str::<Proof>(&t).ok()) else { return Ok(None) };
        let ours = proof.user == user && proof.session == session && proof.until > self.now();
        let ours = ours
            && match proof.provider {
                None => true,
                Some(provider) => first_passkey && self.still_vouches(cx, provider).await?,
            };
        let (id, until) = (proof.id, proof.until);
        let take = move |k: &mut sekisho_vault::Keeper<'_>| k.run(&sql::CEREMONY_TAKE, &[id.into(), until.into()]);
        if ours && self.vault().keep(&scope, take).await? > 0 {
            return Ok(Some(Self::untried(user.bytes())));
        }
        Err(self.stop(cx, own(cx, event, user), Problem::new(&PASSKEY_OVER)).await)
    }
}
