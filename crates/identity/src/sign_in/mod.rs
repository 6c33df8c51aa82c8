//! Signing in: password, second factor, a new password where the old one has run out, enrolment where the policy asks
//! for it, session. Every failure gets one and the same answer at the same cost.

mod again;
pub(crate) mod passkey;
pub mod signature;
pub mod step;

use std::time::Duration;

use sekisho_kernel::{
    Cx, Event, Job, Outcome, Problem, Secret, event,
    hook::Knock,
    id::{FactorId, RecordId},
    problem::INTERNAL,
};
use sekisho_vault::{Entry, Scope};

use crate::{
    Answer, Identity, boxed, by_job, factors,
    hasher::outdated,
    lockout::Try,
    password::LONGEST,
    people,
    problems::{CODE_WRONG, FACTOR_EXISTS, PASSWORDS_OFF, SIGN_IN_FAILED, SIGN_IN_OVER},
    records::{Credential, Factor, UserAccount},
    session, sql, totp,
    types::{Browser, Enrolment, FactorProof, SignInStep, SignedIn},
    values::NAME_LEN,
};
pub use step::Challenge;
use step::{By, Enrolled, Finish, Found, Proof, Stage, Way, look_up, reason};

/// How long a challenge is good.
const CHALLENGE_LIFE: Duration = Duration::from_secs(600);

fn failed() -> Problem {
    Problem::new(&SIGN_IN_FAILED)
}

fn over() -> Problem {
    Problem::new(&SIGN_IN_OVER)
}

impl Identity {
    /// The first step: name and password.
    ///
    /// # Errors
    /// `SK-4001` for every failure alike; `SK-4003` when too many sign-ins wait; `SK-4184` where passwords are no way in.
    #[boxed]
    pub async fn sign_in(
        &self,
        knock: &Knock,
        browser: &Browser,
        name: &str,
        password: Secret<String>,
    ) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        // Before anything is looked at: whoever's name it is, and whatever the password.
        if !self.gates().password_way(&cx.policy) {
            return Err(self.refused(&cx, "unknown", "way-off", Problem::new(&PASSWORDS_OFF)).await);
        }
        let (rule, cost) = (self.gates().lockout(&cx.policy), self.gates().password(&cx.policy));
        if name.chars().count() > NAME_LEN || password.reveal().chars().count() > LONGEST {
            return Err(self.refused(&cx, "unknown", "too-long", failed()).await);
        }
        let place = match self.0.hasher.enter(cx.peer) {
            Ok(place) => place,
            Err(busy) => return Err(self.refused(&cx, "unknown", "busy", busy).await),
        };
        let found = self.look_up(&scope, By::Name(name.to_owned())).await?;
        let known = found.as_ref().map(Found::id);
        let (mut counter, object) = self.counter(&scope, name, known).await?;
        if rule.known_device
            && let Some(user) = known
        {
            let own = self.device_counter(&scope, user, browser.device.as_ref()).await?;
            counter = own.unwrap_or(counter);
        }
        let t = self.take(&scope, &rule, counter).await?;
        let reason = reason(found.as_ref(), &t);
        let usable = found.as_ref().filter(|_| t.granted).and_then(Found::usable);
        let hash = match usable {
            Some(credential) => credential.body.password.clone(),
            None => self.0.hasher.dummy(&cost)?,
        };
        let (usable, right) = (usable.is_some(), self.0.hasher.verify(&place, &password, &hash).await?);
        // Wrong or right, it is judged after the hash: what failed meanwhile from the same address counts.
        let risk = self.judge(&cx, browser, name, found.as_ref()).await?;
        let Some(found) = found.filter(|_| usable && right) else {
            return Err(self.wrong_password(&cx, &t, counter, &object, reason, risk, false).await);
        };
        if risk.as_ref().is_some_and(|r| r.blocks(found.second())) {
            return Err(self.wrong_password(&cx, &t, found.id().bytes(), &object, "risk", risk, true).await);
        }
        let mut finish = Finish { risk, ..Finish::default() };
        if let Some(old) = found.usable().filter(|c| outdated(&c.body.password, &cost)) {
            let password = self.0.hasher.hash(&place, &password, &cost).await?;
            finish.rehashed = Some(Credential { password, ..old.body.clone() });
        }
        drop(place);
        self.go_on(knock, browser, &cx, found, t, finish).await
    }

    /// The second step of an account that has a second factor: a code, or a recovery code. The first try goes on in the
    /// place that the password took; each further one takes its own.
    ///
    /// # Errors
    /// `SK-4001`, `SK-4002`.
    #[boxed]
    pub async fn sign_in_factor(
        &self,
        knock: &Knock,
        browser: &Browser,
        challenge: &Secret<String>,
        proof: FactorProof,
    ) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let challenge = self.opened(&cx, knock, challenge, Stage::Factor).await?;
        let rule = self.gates().lockout(&cx.policy);
        let object = challenge.user.to_string();
        let place = challenge.place;
        let same = self.vault().keep(&scope, move |k| k.run(&sql::PLACE_TAKE, &[place.into()])).await? > 0;
        let t = match same {
            true => Self::inherit(&rule, challenge.counter),
            false => self.take(&scope, &rule, challenge.counter).await?,
        };
        let found = self.look_up(&scope, By::Id(challenge.user)).await?;
        if !t.granted {
            return Err(self.wrong(&cx, &t, &object, "locked").await);
        }
        let Some(found) = found.filter(|f| f.unchanged(&challenge) && f.second()) else {
            return Err(self.wrong(&cx, &t, &object, "account-changed").await);
        };
        let proof = match (proof, &found.factor) {
            (FactorProof::Recovery(code), factor) => {
                let stands_in = factor.is_some() || self.gates().passkeys(&cx.policy).codes;
                stands_in.then(|| Proof::Recovery(factors::recovery_hash(code.reveal())))
            }
            (FactorProof::Code(code), Some(factor)) => {
                let step = totp::check(&Secret::new(factor.body.secret.clone()), code.reveal(), self.now())?;
                step.map(|step| Proof::Step(factor.id(), step))
            }
            (FactorProof::Code(_), None) => None,
        };
        let Some(proof) = proof else {
            return Err(self.wrong(&cx, &t, &object, "wrong-code").await);
        };
        let risk = self.judged_again(&cx, browser, &found, &challenge.way).await?;
        if risk.as_ref().is_some_and(|r| r.blocks(true)) {
            return Err(self.wrong_password(&cx, &t, found.id().bytes(), &object, "risk", risk, true).await);
        }
        let finish = Finish { proof: Some(proof), way: challenge.way, risk, told: true, ..Finish::default() };
        self.go_on(knock, browser, &cx, found, t, finish).await
    }

    /// A new password in place of one that has run out. One that breaks a rule leaves the challenge good.
    ///
    /// # Errors
    /// `SK-4002`, `SK-4005`.
    #[boxed]
    pub async fn sign_in_password(
        &self,
        knock: &Knock,
        browser: &Browser,
        challenge: &Secret<String>,
        new: Secret<String>,
    ) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let (found, object, challenge) = self.challenged(&cx, knock, challenge, Stage::Password).await?;
        let Some(old) = found.usable().cloned() else { return Err(over()) };
        let risk = self.still_welcome(&cx, browser, &found, &challenge).await?;
        match self.replaced(&cx, &new, &found.account.body, &old.body).await {
            Ok(renewed) => {
                let stepped = challenge.stepped;
                let finish = Finish { renewed: Some(renewed), risk, told: true, stepped, ..Finish::default() };
                let proven = found.second();
                self.finish(knock, browser, &cx, found, finish, proven).await
            }
            Err(problem) => {
                let act = by_job(&cx, Job::SignIn, &event::PASSWORD_CHANGE, object);
                Err(self.stop(&cx, act, problem).await)
            }
        }
    }

    /// What the authenticator needs, where the policy asks for a second factor and the account has none.
    ///
    /// # Errors
    /// `SK-4002`, `SK-4010`.
    #[boxed]
    pub async fn sign_in_enrol(&self, knock: &Knock, challenge: &Secret<String>) -> Answer<Enrolment> {
        let cx = Self::before_sign_in(knock);
        let (found, ..) = self.challenged(&cx, knock, challenge, Stage::Enrol).await?;
        let id: FactorId = self.id();
        let (enrolment, factor) = self.enrolment(&cx, id, found.id(), &found.account.body.name).await?;
        self.vault()
            .act(&cx, by_job(&cx, Job::SignIn, &event::FACTOR_CREATE, id), move |tx, permit| {
                factors::put_pending(tx, id, &factor)?;
                tx.commit(permit, Entry::of(id).with("user", factor.user).with("kind", "totp"), enrolment)
            })
            .await
    }

    /// The first code of that authenticator: confirms it and signs in, with recovery codes to be shown once.
    ///
    /// # Errors
    /// `SK-4002`, `SK-4008`, `SK-4010`.
    #[boxed]
    pub async fn sign_in_enrol_confirm(
        &self,
        knock: &Knock,
        browser: &Browser,
        challenge: &Secret<String>,
        code: Secret<String>,
    ) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let (found, object, challenge) = self.challenged(&cx, knock, challenge, Stage::Enrol).await?;
        let act = || by_job(&cx, Job::SignIn, &event::FACTOR_CONFIRM, object.clone());
        let user = found.id();
        let pending = self
            .vault()
            .peek(&Scope::of(&cx), move |view| {
                Ok(people::of_user::<Factor>(view, user)?.into_iter().rfind(|f| !f.body.confirmed))
            })
            .await?;
        let Some(factor) = pending.filter(|_| !found.second()) else {
            return Err(self.stop(&cx, act(), Problem::new(&FACTOR_EXISTS)).await);
        };
        let step = totp::check(&Secret::new(factor.body.secret.clone()), code.reveal(), self.now())?;
        let Some(step) = step else {
            return Err(self.stop(&cx, act(), Problem::new(&CODE_WRONG).at("code")).await);
        };
        let risk = self.still_welcome(&cx, browser, &found, &challenge).await?;
        let count = self.gates().factor(&cx.policy).recovery_codes;
        let (shown, codes) = factors::recovery_codes(self.rng(), count);
        let enrolled = Some(Enrolled { factor, step, codes, shown });
        let (way, stepped) = (challenge.way, challenge.stepped);
        let finish = Finish { enrolled, way, risk, told: true, stepped, ..Finish::default() };
        self.finish(knock, browser, &cx, found, finish, true).await
    }

    pub(crate) async fn look_up(&self, scope: &Scope, by: By) -> Answer<Option<Found>> {
        let counts = self.0.counts.clone();
        self.vault().peek(scope, move |view| look_up(view, &counts, &by)).await
    }

    /// After a right password or a right code: what is wanted next, or the session.
    async fn go_on(
        &self,
        knock: &Knock,
        browser: &Browser,
        cx: &Cx,
        found: Found,
        t: Try,
        mut finish: Finish,
    ) -> Answer<SignInStep> {
        let asks = self.gates().factor(&cx.policy).ask || finish.wants_more();
        let object = found.id().to_string();
        let done = if asks && found.second() && finish.proof.is_none() {
            self.challenge(knock, cx, Stage::Factor, &found, Some(&t), finish, &event::SESSION_CHALLENGE).await
        } else if finish.wants_more() {
            self.challenge(knock, cx, Stage::Again, &found, Some(&t), finish, &event::SESSION_CHALLENGE).await
        } else {
            finish.given_back = Some(t);
            let proven = finish.proof.is_some();
            self.finish(knock, browser, cx, found, finish, proven).await
        };
        match done {
            // The act was refused, and so entered, by itself: a code used before, an account changed meanwhile.
            Err(p) if p.is(&SIGN_IN_FAILED) => {
                self.fail(cx, &t, &object).await?;
                Err(p)
            }
            Err(p) => {
                self.give_back(&Scope::of(cx), t).await?;
                Err(p)
            }
            done => done,
        }
    }

    /// All factors are right: a new password or an authenticator first, where the policy asks for it, then the session.
    pub(crate) async fn finish(
        &self,
        knock: &Knock,
        browser: &Browser,
        cx: &Cx,
        found: Found,
        mut finish: Finish,
        has_factor: bool,
    ) -> Answer<SignInStep> {
        if !self.still_open(cx, &finish.way) {
            return Err(self.refused(cx, &found.id().to_string(), "way-off", over()).await);
        }
        let (passwords, factor) = (self.gates().password(&cx.policy), self.gates().factor(&cx.policy));
        let age = found.usable().map(|c| self.now().since(c.body.changed)).unwrap_or_default();
        let by_password = finish.way == Way::Password && finish.renewed.is_none();
        let expired = by_password && !passwords.max_age.is_zero() && age >= passwords.max_age;
        let changed = if finish.renewed.is_some() { &event::PASSWORD_CHANGE } else { &event::SESSION_CHALLENGE };
        if expired {
            return self.challenge(knock, cx, Stage::Password, &found, None, finish, changed).await;
        }
        let wanted = factor.required || (found.account.body.renew_factor && factor.ask && factor.allowed);
        if wanted && !has_factor && !found.second() {
            return self.challenge(knock, cx, Stage::Enrol, &found, None, finish, changed).await;
        }
        let (user, once, tenant) = (found.id(), factor.refuse_replay, cx.tenant);
        let mut made = self.make_session(knock, user, &browser.agent);
        if let Way::Provider(by) = &finish.way {
            made.came(by.clone());
        }
        let (idle_ends_at, ends_at) = made.ends(&self.gates().session(&cx.policy));
        let device = finish.risk.as_ref().and_then(|r| r.device.clone()).unwrap_or_else(|| self.new_device());
        let marks = self.gates().lockout(&cx.policy).known_device || finish.risk.is_some();
        let mark = match marks {
            true => Some(self.device_mark(&Scope::of(cx), user, &device).await?),
            false => None,
        };
        if let Some(risk) = &mut finish.risk {
            risk.device = Some(device);
        }
        let risk = finish.risk.clone();
        self.0.counts.entry();
        let done = self
            .vault()
            .act(cx, by_job(cx, Job::SignIn, &event::SESSION_SIGN_IN, user), move |tx, permit| {
                let entry = Entry::of(user).with("session", made.id);
                if let Some(risk) = &finish.risk {
                    risk.learn(tx, user)?;
                }
                let entry = finish.apply(tx, &found, once, entry)?;
                if finish.renewed.is_some() {
                    session::end_all(tx, tenant, user, None)?;
                }
                session::make_room(tx, tenant, user)?;
                made.put(tx)?;
                let account = tx.get::<UserAccount>(user)?.ok_or_else(failed)?;
                let user = people::user_view(&mut tx.view(), account, &std::collections::HashMap::new())?;
                let recovery_codes = finish.shown();
                let (session, token) = (made.id, made.token);
                let signed_in = SignedIn { token, session, user, idle_ends_at, ends_at, device: mark, recovery_codes };
                tx.commit(permit, entry, SignInStep::SignedIn(Box::new(signed_in)))
            })
            .await?;
        if let Some(risk) = risk {
            self.forgive(&risk).await?;
        }
        Ok(done)
    }

    /// Ends a step with a challenge for the next.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing that the one step knows")]
    pub(crate) async fn challenge(
        &self,
        knock: &Knock,
        cx: &Cx,
        stage: Stage,
        found: &Found,
        t: Option<&Try>,
        finish: Finish,
        event: &'static Event,
    ) -> Answer<SignInStep> {
        let user = found.id();
        let until = self.now().plus(CHALLENGE_LIFE);
        let (place, pending): (RecordId, Option<Try>) = (self.id(), t.copied());
        let moved = finish.renewed.is_some() || finish.rehashed.is_some();
        let credential = found.version() + i64::from(moved);
        let counter = t.map_or(user.bytes(), |t| t.counter);
        let (way, stepped) = (finish.way.clone(), finish.stepped || finish.proof.is_some());
        let next = Challenge { stage, user, way, credential, stepped, counter, place, until };
        let (once, tenant, found) = (self.gates().factor(&cx.policy).refuse_replay, cx.tenant, found.clone());
        self.0.counts.entry();
        self.vault()
            .act(cx, by_job(cx, Job::SignIn, event, user), move |tx, permit| {
                let entry = finish.apply(tx, &found, once, Entry::of(user).with("wanted", stage.name()))?;
                if finish.renewed.is_some() {
                    session::end_all(tx, tenant, user, None)?;
                }
                if let Some(risk) = &finish.risk {
                    risk.remember(tx, user)?;
                }
                if let Some(t) = pending {
                    t.pend(tx)?;
                    tx.keep(&sql::PLACE_KEEP, &[place.into(), until.into()])?;
                }
                tx.commit(permit, entry, ())
            })
            .await?;
        let text = serde_json::to_string(&next).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        let sealed = self.vault().seal_text(&Scope::of(cx), &context(knock), &text).await.map(Secret::new)?;
        Ok(match stage {
            Stage::Factor => SignInStep::SecondFactor(sealed),
            Stage::Again => SignInStep::PasswordAgain(sealed),
            Stage::Password => SignInStep::PasswordChange(sealed),
            Stage::Enrol => SignInStep::EnrolFactor(sealed),
        })
    }

    /// The challenge that a browser brings back.
    async fn opened(&self, cx: &Cx, knock: &Knock, sealed: &Secret<String>, stage: Stage) -> Answer<Challenge> {
        let text = match sealed.reveal().len() {
            ..=2_048 => self.vault().open_text(&Scope::of(cx), &context(knock), sealed.reveal()).await?,
            _ => None,
        };
        let challenge = text.and_then(|t| serde_json::from_str::<Challenge>(&t).ok());
        match challenge.filter(|c| c.stage == stage && c.until > self.now()) {
            Some(challenge) if !self.still_open(cx, &challenge.way) => {
                Err(self.refused(cx, &challenge.user.to_string(), "way-off", over()).await)
            }
            Some(challenge) => Ok(challenge),
            None => Err(self.refused(cx, "unknown", "challenge", over()).await),
        }
    }

    /// Whether a sign-in that began by this way may go on: passwords may have been switched off meanwhile.
    fn still_open(&self, cx: &Cx, way: &Way) -> bool {
        *way != Way::Password || self.gates().password_way(&cx.policy)
    }

    /// The same with its account, for steps that guess nothing.
    async fn challenged(
        &self,
        cx: &Cx,
        knock: &Knock,
        sealed: &Secret<String>,
        stage: Stage,
    ) -> Answer<(Found, String, Challenge)> {
        let challenge = self.opened(cx, knock, sealed, stage).await?;
        let object = challenge.user.to_string();
        let found = self.look_up(&Scope::of(cx), By::Id(challenge.user)).await?;
        match found.filter(|f| f.unchanged(&challenge)) {
            Some(found) => Ok((found, object, challenge)),
            None => Err(self.refused(cx, &object, "account-changed", over()).await),
        }
    }

    /// A wrong guess, or one that was not looked at: counted, entered, answered like every other.
    async fn wrong(&self, cx: &Cx, t: &Try, object: &str, reason: &'static str) -> Problem {
        if let Err(problem) = self.fail(cx, t, object).await {
            return problem;
        }
        self.refused(cx, object, reason, failed()).await
    }

    pub(crate) async fn refused(&self, cx: &Cx, object: &str, reason: &'static str, problem: Problem) -> Problem {
        self.refused_with(cx, object, reason, problem, Vec::new()).await
    }

    async fn refused_with(
        &self,
        cx: &Cx,
        object: &str,
        reason: &'static str,
        problem: Problem,
        more: Vec<(&'static str, String)>,
    ) -> Problem {
        self.0.counts.entry();
        let mut detail = vec![("reason", reason.to_owned())];
        detail.extend(more);
        match self.vault().enter(cx, &event::SESSION_SIGN_IN, Outcome::Refused, object, detail).await {
            Ok(()) => problem,
            Err(problem) => problem,
        }
    }
}

fn context(knock: &Knock) -> String {
    format!("sign-in {}", knock.host.host)
}
