//! Ends what has run out.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Job, Time, event,
    hook::Directory,
    id::{SessionId, TenantId},
};
use sekisho_vault::{Entry, Scope};

use crate::{
    Answer, Identity, boxed, by_job,
    records::UserSession,
    relations::ENDED_KEPT,
    session::{self, last_used},
    sql,
};

/// How often to sweep.
pub const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions ended, an entry each.
    pub sessions: u64,
    /// Links, counters and half-way sign-ins forgotten.
    pub others: u64,
}

impl Identity {
    /// Ends sessions that are over, with an entry each, and forgets links, counters and half-way sign-ins that have run
    /// out. One node at a time; run it every [`SWEEP_EVERY`].
    ///
    /// # Errors
    /// The first tenant's that cannot be swept; the others have been.
    #[boxed]
    pub async fn sweep(&self) -> Answer<Swept> {
        let mut swept = Swept::default();
        let mut trouble = None;
        for tenant in self.vault().tenants().await? {
            match self.sweep_tenant(tenant).await {
                Ok(part) => {
                    swept.sessions += part.sessions;
                    swept.others += part.others;
                }
                Err(problem) => {
                    tracing::warn!(%tenant, ?problem, "not swept");
                    trouble.get_or_insert(problem);
                }
            }
        }
        match self.sweep_marks().await {
            Ok(marks) => swept.others += marks,
            Err(problem) => {
                tracing::warn!(?problem, "marks of failed sign-ins not swept");
                trouble.get_or_insert(problem);
            }
        }
        self.tidy_cache();
        trouble.map_or(Ok(swept), Err)
    }

    async fn sweep_tenant(&self, tenant: TenantId) -> Answer<Swept> {
        let policy = self.effective(tenant).await?;
        let cx = Cx::job(tenant, Job::Sweeper, policy, self.rng());
        let (rule, now) = (self.gates().session(&cx.policy), self.now());
        let idle = rule.idle.map_or(Time::from_micros(i64::MIN), |idle| now.minus(idle));
        let absolute = now.minus(rule.absolute);
        let (over, others) = self
            .vault()
            .keep(&Scope::of(&cx), move |keeper| {
                let mut others = 0;
                for statement in [
                    &sql::TRY_SWEEP,
                    &sql::PLACE_SWEEP,
                    &sql::CEREMONY_SWEEP,
                    &sql::LINK_SWEEP,
                    &sql::OAUTH_SWEEP,
                    &sql::OAUTH_PUSH_SWEEP,
                    &sql::SAML_PARTING_SWEEP,
                    &sql::PROOF_SWEEP,
                    &sql::DEVICE_SWEEP,
                    &sql::RISK_STATE_SWEEP,
                ] {
                    others += keeper.run(statement, &[now.into()])?;
                }
                others += keeper.run(&sql::RELATION_SWEEP, &[now.minus(ENDED_KEPT).into()])?;
                let rows = keeper.rows(&sql::SESSION_OVER, &[idle.into(), absolute.into(), now.into()])?;
                Ok((sql::ids(&rows), others))
            })
            .await?;
        let mut sessions = 0;
        for id in over {
            sessions += u64::from(self.expire(&cx, id, idle, absolute).await?);
        }
        let others = others + self.sweep_tokens(&cx).await? + self.drop_signals(&cx).await?;
        self.turn_keys(&cx).await?;
        Ok(Swept { sessions, others })
    }

    async fn expire(&self, cx: &Cx, id: SessionId, idle: Time, absolute: Time) -> Answer<bool> {
        let tenant = cx.tenant;
        let still = self.vault().peek(&Scope::of(cx), move |view| view.get::<UserSession>(id)).await?;
        // Another node, or a click, may have come first.
        let Some(user) = still.filter(|s| is_over(s, idle, absolute, self.now())).map(|s| s.body.user) else {
            return Ok(false);
        };
        self.vault()
            .act(cx, by_job(cx, Job::Sweeper, &event::SESSION_EXPIRE, user), move |tx, permit| {
                if let Some(session) = tx.get::<UserSession>(id)? {
                    session::end(tx, tenant, &session)?;
                }
                tx.commit(permit, Entry::of(user).with("session", id), ())
            })
            .await?;
        Ok(true)
    }

    /// Takes out of this node's cache what is over by the platform's own limits.
    fn tidy_cache(&self) {
        let policy = sekisho_kernel::Effective::platform(self.platform());
        let (rule, now) = (self.gates().session(&policy), self.now());
        if self.0.taken.is_none() {
            self.0.cache.tidy(|slot| sekisho_kernel::gate::session_over(&rule, slot.times(), now));
        }
    }
}

fn is_over(session: &sekisho_vault::Stored<UserSession>, idle: Time, absolute: Time, now: Time) -> bool {
    let own = session.body.provider.as_ref().and_then(|p| p.until);
    own.is_some_and(|until| until <= now)
        || session.body.signed_in <= absolute
        || last_used(session).is_ok_and(|used| used <= idle)
}
