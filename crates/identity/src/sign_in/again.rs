//! What the judgement of a sign-in's risk leads to: the password once more, or a refusal that looks like any other.

use sekisho_kernel::{Cx, Problem, Secret, hook::Knock};
use sekisho_vault::Scope;

use super::{
    failed, over,
    step::{By, Challenge, Finish, Found, Stage, Way},
};
use crate::{
    Answer, Identity, boxed,
    lockout::{Counter, Try},
    risk::Risk,
    sql,
    types::{Browser, SignInStep},
};

impl Identity {
    /// The password once more, of an account that has no second factor and whose sign-in was stepped up. The first try goes
    /// on in the place that the password before took.
    ///
    /// # Errors
    /// `SK-4001`, `SK-4002`, `SK-4003`.
    #[boxed]
    pub async fn sign_in_again(
        &self,
        knock: &Knock,
        browser: &Browser,
        challenge: &Secret<String>,
        password: Secret<String>,
    ) -> Answer<SignInStep> {
        let cx = Self::before_sign_in(knock);
        let scope = Scope::of(&cx);
        let challenge = self.opened(&cx, knock, challenge, Stage::Again).await?;
        let (rule, cost) = (self.gates().lockout(&cx.policy), self.gates().password(&cx.policy));
        let object = challenge.user.to_string();
        if password.reveal().chars().count() > crate::password::LONGEST {
            return Err(self.refused(&cx, &object, "too-long", failed()).await);
        }
        let line = match self.0.hasher.enter(cx.peer) {
            Ok(line) => line,
            Err(busy) => return Err(self.refused(&cx, &object, "busy", busy).await),
        };
        let place = challenge.place;
        let same = self.vault().keep(&scope, move |k| k.run(&sql::PLACE_TAKE, &[place.into()])).await? > 0;
        let t = match same {
            true => Self::inherit(&rule, challenge.counter),
            false => self.take(&scope, &rule, challenge.counter).await?,
        };
        let found = self.look_up(&scope, By::Id(challenge.user)).await?.filter(|f| f.unchanged(&challenge));
        let usable = found.as_ref().filter(|_| t.granted).and_then(Found::usable);
        let hash = match usable {
            Some(credential) => credential.body.password.clone(),
            None => self.0.hasher.dummy(&cost)?,
        };
        let (usable, right) = (usable.is_some(), self.0.hasher.verify(&line, &password, &hash).await?);
        drop(line);
        let risk = match &found {
            Some(found) => self.judged_again(&cx, browser, found, &challenge.way).await?,
            None => None,
        };
        let Some(found) = found.filter(|_| usable && right) else {
            let reason = if t.granted { "wrong-password" } else { "locked" };
            return Err(self.wrong_password(&cx, &t, challenge.user.bytes(), &object, reason, risk, false).await);
        };
        // A second factor that was set up meanwhile is what a step-up asks for.
        if found.second() || risk.as_ref().is_some_and(|r| r.blocks(false)) {
            return Err(self.wrong_password(&cx, &t, found.id().bytes(), &object, "risk", risk, true).await);
        }
        let finish = Finish { risk, told: true, stepped: true, way: challenge.way, ..Finish::default() };
        self.go_on(knock, browser, &cx, found, t, finish).await
    }

    /// The judgement at a later step, whose request may come from elsewhere than the first.
    pub(super) async fn judged_again(
        &self,
        cx: &Cx,
        browser: &Browser,
        found: &Found,
        way: &Way,
    ) -> Answer<Option<Risk>> {
        match way {
            Way::Password | Way::Passkey => self.judge(cx, browser, &found.account.body.name, Some(found)).await,
            // What an application vouches for comes from its server, not from where the person is.
            Way::Signature(_) => Ok(None),
            // The provider has judged its own sign-in.
            Way::Provider(_) => Ok(None),
        }
    }

    /// The same for a step that guesses nothing: whoever would now be refused, or asked for more, begins anew.
    pub(super) async fn still_welcome(
        &self,
        cx: &Cx,
        browser: &Browser,
        found: &Found,
        challenge: &Challenge,
    ) -> Answer<Option<Risk>> {
        let risk = self.judged_again(cx, browser, found, &challenge.way).await?;
        let Some(judged) = &risk else { return Ok(None) };
        let missing = judged.steps_up() && !challenge.stepped;
        if missing || judged.blocks(found.second()) {
            let object = found.id().to_string();
            return Err(self.refused_with(cx, &object, "risk", over(), judged.detail()).await);
        }
        Ok(risk)
    }

    /// A wrong password, one that was not looked at, or a right one whose sign-in is blocked: all three count, cost and
    /// answer the same. Only the log tells them apart.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing that the one step knows")]
    pub(super) async fn wrong_password(
        &self,
        cx: &Cx,
        t: &Try,
        who: Counter,
        object: &str,
        reason: &'static str,
        risk: Option<Risk>,
        blocked: bool,
    ) -> Problem {
        let hold = Self::hold(risk.as_ref(), who, blocked, self.now());
        let detail = risk.as_ref().filter(|_| blocked).map(Risk::detail).unwrap_or_default();
        // All at once, so that an entry which is made for one and folded into a count for another takes no time of its own.
        let (counted, marked, refused) = tokio::join!(
            self.fail_with(cx, t, object, hold),
            self.mark(cx, risk.as_ref()),
            self.refused_with(cx, object, reason, failed(), detail),
        );
        match counted.and(marked) {
            Ok(()) => refused,
            Err(problem) => problem,
        }
    }
}
