//! Passkeys on the way in: alone, as the second factor, and as the factor that is set up because the policy asks for one.
//! A passkey has always verified its owner (PIN, finger, face), so that it is both factors at once.

use sekisho_kernel::{
    Cx, Outcome, Problem, Secret, event,
    hook::Knock,
    id::{PasskeyId, PasskeyKind, UserId},
};
use sekisho_vault::{Scope, Stored};
use serde_json::Value;

use super::{
    over,
    step::{By, Challenge, Finish, Found, Proof, Stage, Way, look_up},
};
use crate::{
    Answer, Identity, boxed, by_job,
    lockout::Try,
    passkeys::{
        self, Fresh,
        ceremony::{Assertion, Begun, Ceremony, Owner, Purpose, creation_options, decoded, request_options},
        credential_key,
    },
    problems::{PASSKEYS_OFF, SIGN_IN_FAILED},
    records::{Passkey, RecoveryCodes},
    sql,
    types::{Browser, PasskeyAnswer, PasskeyOptions, PasskeyResponse, RelyingParty, SecondFactors, SignInStep},
    values,
    webauthn::{self, Asserted, Key, Refused},
};

/// The generator of P-256 (FIPS 186-4 D.1.2.3): held against where there is no key, so that an unknown credential costs
/// what a known one does. That it verifies says nothing.
const NOBODYS: [u8; 65] = {
    let x: [u8; 32] = *b"\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96";
    let y: [u8; 32] = *b"\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
    let mut point = [4; 65];
    let mut i = 0;
    while i < 32 {
        point[1 + i] = x[i];
        point[33 + i] = y[i];
        i += 1;
    }
    point
};

/// A response as it came, decoded.
pub(crate) struct Given {
    pub id: String,
    client_data: Vec<u8>,
    authenticator_data: Vec<u8>,
    signature: Vec<u8>,
    user_handle: Option<Vec<u8>>,
}

impl Given {
    pub fn read(value: Value) -> Option<Self> {
        let given: PasskeyResponse<Assertion> = serde_json::from_value(value).ok()?;
        let of = given.response;
        if given.kind != "public-key" || decoded(&given.id)?.len() > webauthn::LONGEST_ID {
            return None;
        }
        Some(Self {
            id: given.id,
            client_data: decoded(&of.client_data)?,
            authenticator_data: decoded(&of.authenticator_data)?,
            signature: decoded(&of.signature)?,
            user_handle: match of.user_handle {
                Some(text) => Some(decoded(&text)?),
                None => None,
            },
        })
    }
}

/// A credential with its owner.
pub(crate) struct Known {
    pub passkey: Stored<Passkey>,
    pub found: Found,
}

impl Identity {
    /// What a browser needs to sign in by a passkey: without a challenge, by the passkey alone; with one, as the second
    /// factor of the sign-in under way.
    ///
    /// # Errors
    /// `SK-4070` (the policy does not let passkeys sign in alone), `SK-4002`.
    #[boxed]
    pub async fn passkey_options(
        &self,
        knock: &Knock,
        rp: &RelyingParty,
        challenge: Option<&Secret<String>>,
    ) -> Answer<PasskeyOptions> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let Some(challenge) = challenge else {
            if !self.gates().passkeys(&cx.policy).alone {
                return Err(self.refused(&cx, "unknown", "way-off", Problem::new(&PASSKEYS_OFF)).await);
            }
            let options = request_options(rp, &[]);
            return self.begin_ceremony(&scope, rp, Purpose::SignIn, Begun::default(), options).await;
        };
        let way_in = self.opened(&cx, knock, challenge, Stage::Factor).await?;
        let user = way_in.user;
        let own = self.vault().peek(&scope, move |view| passkeys::of(view, user)).await?;
        let begun = Begun { session: None, user: Some(user), way_in: Some(way_in) };
        self.begin_ceremony(&scope, rp, Purpose::Factor, begun, request_options(rp, &own)).await
    }

    /// What may prove the second factor of a sign-in under way.
    ///
    /// # Errors
    /// `SK-4002`.
    #[boxed]
    pub async fn second_factors(&self, knock: &Knock, challenge: &Secret<String>) -> Answer<SecondFactors> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let user = self.opened(&cx, knock, challenge, Stage::Factor).await?.user;
        let codes = self.gates().passkeys(&cx.policy).codes;
        let counts = self.0.counts.clone();
        self.vault()
            .peek(&scope, move |view| {
                let Some(found) = look_up(view, &counts, &By::Id(user))? else { return Ok(SecondFactors::default()) };
                let left = view.get::<RecoveryCodes>(user)?.is_some_and(|c| !c.body.hashes.is_empty());
                let totp = found.factor.is_some();
                Ok(SecondFactors { totp, passkey: found.passkeys > 0, recovery: left && (totp || codes) })
            })
            .await
    }

    /// Signs in by a passkey, alone or as the second factor, whichever its challenge was given for.
    ///
    /// # Errors
    /// `SK-4001` for every failure alike, `SK-4002` for a challenge that is over.
    #[boxed]
    pub async fn sign_in_passkey(
        &self,
        knock: &Knock,
        browser: &Browser,
        rp: &RelyingParty,
        given: PasskeyAnswer,
    ) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let sealed = given.ceremony.reveal();
        let ceremony = match self.take_ceremony(&scope, rp, sealed, Purpose::SignIn, None).await? {
            Some(ceremony) => Some(ceremony),
            None => self.take_ceremony(&scope, rp, sealed, Purpose::Factor, None).await?,
        };
        let Some(ceremony) = ceremony else {
            return Err(self.refused(&cx, "unknown", "challenge", over()).await);
        };
        let alone = ceremony.way_in.is_none();
        if alone && !self.gates().passkeys(&cx.policy).alone {
            return Err(self.refused(&cx, "unknown", "way-off", Problem::new(&PASSKEYS_OFF)).await);
        }
        let Some(given) = Given::read(given.credential) else {
            return Err(self.refused(&cx, "unknown", "malformed", Problem::new(&SIGN_IN_FAILED)).await);
        };
        let known = self.credential_of(&scope, &given.id).await?;
        let (t, object) = self.place(&cx, browser, &ceremony, &given.id, known.as_ref()).await?;
        let asserted = match self.asserted(&ceremony, rp, &given, known.as_ref(), &t) {
            Ok(asserted) => asserted,
            Err(reason) => return Err(self.wrong(&cx, &t, &object, reason).await),
        };
        let Some(Known { passkey, found }) = known else {
            return Err(self.wrong(&cx, &t, &object, "unknown").await);
        };
        let id: PasskeyId = passkey.id::<PasskeyKind>();
        if self.copied(&cx, &passkey, asserted).await? {
            return Err(self.wrong(&cx, &t, &object, "sign-count").await);
        }
        let way = ceremony.way_in.map_or(Way::Passkey, |c| c.way);
        let risk = self.judged_again(&cx, browser, &found, &way).await?;
        if risk.as_ref().is_some_and(|r| r.blocks(true)) {
            return Err(self.wrong_password(&cx, &t, found.id().bytes(), &object, "risk", risk, true).await);
        }
        let proof = Some(Proof::Passkey(id, asserted.sign_count, asserted.backed_up));
        let finish = Finish { proof, way, risk, told: !alone, ..Finish::default() };
        self.go_on(knock, browser, &cx, found, t, finish).await
    }

    /// The credential with its owner; one that is not there costs the same statements.
    pub(crate) async fn credential_of(&self, scope: &Scope, id: &str) -> Answer<Option<Known>> {
        let (counts, id) = (self.0.counts.clone(), id.to_owned());
        self.vault()
            .peek(scope, move |view| {
                counts.statement();
                let passkey = view.find::<Passkey>("credential", &credential_key(&id))?.into_iter().next();
                let passkey = passkey.filter(|p| p.body.credential == id);
                let owner = passkey.as_ref().map_or(UserId::NIL, |p| p.body.user);
                let found = look_up(view, &counts, &By::Id(owner))?;
                Ok(passkey.zip(found).map(|(passkey, found)| Known { passkey, found }))
            })
            .await
    }

    /// The try's place in the counter that password, codes and re-authentication share, and who is entered.
    async fn place(
        &self,
        cx: &Cx,
        browser: &Browser,
        ceremony: &Ceremony,
        id: &str,
        known: Option<&Known>,
    ) -> Answer<(Try, String)> {
        let scope = Scope::of(cx);
        let rule = self.gates().lockout(&cx.policy);
        if let Some(way_in) = &ceremony.way_in {
            let place = way_in.place;
            let same = self.vault().keep(&scope, move |k| k.run(&sql::PLACE_TAKE, &[place.into()])).await? > 0;
            let t = match same {
                true => Self::inherit(&rule, way_in.counter),
                false => self.take(&scope, &rule, way_in.counter).await?,
            };
            return Ok((t, way_in.user.to_string()));
        }
        let user = known.map(|k| k.found.id());
        let (mut counter, object) = self.counter(&scope, id, user).await?;
        if let (true, Some(user)) = (rule.known_device, user) {
            counter = self.device_counter(&scope, user, browser.device.as_ref()).await?.unwrap_or(counter);
        }
        Ok((self.take(&scope, &rule, counter).await?, object))
    }

    /// Whether the assertion is this credential's answer to this challenge, by the person whom it is for.
    pub(crate) fn asserted(
        &self,
        ceremony: &Ceremony,
        rp: &RelyingParty,
        given: &Given,
        known: Option<&Known>,
        t: &Try,
    ) -> Result<Asserted, &'static str> {
        let key = known.and_then(|k| decoded(&k.passkey.body.key)).and_then(|k| Key::whole(&k).ok());
        let eligible = known.is_some_and(|k| k.passkey.body.backup_eligible);
        let asserted = webauthn::assertion(
            &ceremony.expected(rp),
            key.as_ref().unwrap_or(&Key::Es256(NOBODYS)),
            eligible,
            &given.client_data,
            &given.authenticator_data,
            &given.signature,
        );
        if !t.granted {
            return Err("locked");
        }
        let (known, _) = known.zip(key).ok_or("unknown")?;
        let asserted = asserted.map_err(|Refused(why)| why)?;
        let handle = known.found.id().bytes();
        let named = match (&given.user_handle, &ceremony.user) {
            (Some(given), _) => given.as_slice() == handle,
            (None, expected) => expected.is_some(),
        };
        if !named || ceremony.user.is_some_and(|user| user != known.found.id()) {
            return Err("another-user");
        }
        match &ceremony.way_in {
            _ if !known.found.active() => Err("disabled"),
            Some(way_in) if !known.found.unchanged(way_in) => Err("account-changed"),
            _ => Ok(asserted),
        }
    }

    /// Whether the count has not grown: there may be two authenticators with the same key (§6.1.1). Entered by itself, so that
    /// an administrator finds it.
    pub(crate) async fn copied(&self, cx: &Cx, passkey: &Stored<Passkey>, asserted: Asserted) -> Answer<bool> {
        let last = passkey.int("sign_count")?;
        if last == 0 || i64::from(asserted.sign_count) > last {
            return Ok(false);
        }
        self.0.counts.entry();
        let detail = vec![
            ("user", passkey.body.user.to_string()),
            ("count", asserted.sign_count.to_string()),
            ("last_count", last.to_string()),
        ];
        let id: PasskeyId = passkey.id::<PasskeyKind>();
        self.vault().enter(cx, &event::PASSKEY_SUSPECT, Outcome::Success, &id.to_string(), detail).await?;
        Ok(true)
    }

    /// What a browser needs to set up a passkey, where a sign-in under way asks for a second factor and there is none.
    ///
    /// # Errors
    /// `SK-4070`, `SK-4002`.
    #[boxed]
    pub async fn enrol_passkey_options(
        &self,
        knock: &Knock,
        rp: &RelyingParty,
        challenge: &Secret<String>,
    ) -> Answer<PasskeyOptions> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let rule = self.gates().passkeys(&cx.policy);
        if !rule.allowed {
            return Err(self.refused(&cx, "unknown", "way-off", Problem::new(&PASSKEYS_OFF)).await);
        }
        let way_in = self.opened(&cx, knock, challenge, Stage::Enrol).await?;
        let found = self.look_up(&scope, By::Id(way_in.user)).await?;
        let Some(found) = found.filter(|f| f.unchanged(&way_in)) else {
            return Err(self.refused(&cx, &way_in.user.to_string(), "account-changed", over()).await);
        };
        let tenant = self.state(cx.tenant).await?.name.clone();
        let account = &found.account.body;
        let owner = Owner { id: found.id(), name: &account.name, display_name: &account.display_name };
        let options = creation_options(rp, &tenant, &owner, &[], &rule);
        let begun = Begun { session: None, user: Some(found.id()), way_in: Some(way_in) };
        self.begin_ceremony(&scope, rp, Purpose::Enrol, begun, options).await
    }

    /// Registers that passkey, and signs in; with recovery codes to be shown once, where the policy lets them stand in.
    ///
    /// # Errors
    /// `SK-4002`, `SK-4070`, `SK-4071`, `SK-4072`, `SK-4073`, `INVALID` (name).
    #[boxed]
    pub async fn enrol_passkey(
        &self,
        knock: &Knock,
        browser: &Browser,
        rp: &RelyingParty,
        given: PasskeyAnswer,
    ) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let ceremony = self.take_ceremony(&scope, rp, given.ceremony.reveal(), Purpose::Enrol, None).await?;
        let way_in: Option<(Ceremony, Challenge)> = ceremony.and_then(|c| c.way_in.clone().map(|way_in| (c, way_in)));
        let Some((ceremony, way_in)) = way_in else {
            return Err(self.refused(&cx, "unknown", "challenge", over()).await);
        };
        let found = self.look_up(&scope, By::Id(way_in.user)).await?;
        let Some(found) = found.filter(|f| f.unchanged(&way_in) && !f.second()) else {
            return Err(self.refused(&cx, &way_in.user.to_string(), "account-changed", over()).await);
        };
        let (user, id): (UserId, PasskeyId) = (found.id(), self.id());
        let made = match self.gates().passkeys(&cx.policy).allowed {
            false => Err(Problem::new(&PASSKEYS_OFF)),
            true => match values::label("name", &given.name) {
                Ok(name) => self.registered(&cx, rp, &ceremony, (user, name), given.credential).await,
                Err(problem) => Err(problem),
            },
        };
        let (passkey, made) = match made {
            Ok(made) => made,
            Err(problem) => {
                let act = by_job(&cx, sekisho_kernel::Job::SignIn, &event::PASSKEY_CREATE, user);
                return Err(self.stop(&cx, act, problem).await);
            }
        };
        let registered = Some(Fresh { id, passkey, made, codes: self.codes_beside(&cx), anew: true });
        let risk = self.still_welcome(&cx, browser, &found, &way_in).await?;
        let (way, stepped) = (way_in.way.clone(), way_in.stepped);
        let finish = Finish { registered, way, risk, told: true, stepped, ..Finish::default() };
        self.finish(knock, browser, &cx, found, finish, true).await
    }
}
