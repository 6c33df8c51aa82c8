//! The jobs of an instance.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sekisho_gateway::firewall::{Fetched, Firewall};
use sekisho_identity::Identity;
use sekisho_kernel::{
    Cx, Effective, Event, Job, Lang, Outcome, Policy, Problem, SystemRng, Time, egress::Egress, event, gate::Gates,
    hook::Directory, id::TenantId,
};
use sekisho_vault::{Scope, Vault};
use tokio::sync::watch;

use crate::jobs::Work;

type Live = watch::Receiver<Arc<Policy>>;

fn effective(live: &Live) -> Effective {
    Effective::platform(live.borrow().clone())
}

/// Gives entries their leaf within a second of being accepted.
struct Sequence(Vault, Live);
/// Signs checkpoints within ten seconds.
struct Checkpoint(Vault);
/// Purges what is past its retention.
struct Purge(Vault, Live);
/// Ends what has run out: sessions, links, codes, counters.
struct Sweep(Vec<Identity>, Vault);

/// Sends security signals. Receivers may be slow, and other jobs wait for none: it goes on by itself, one turn at a time.
struct Signals(Identity, Arc<AtomicBool>);

impl Signals {
    fn due(&self) {
        let identity = self.0.clone();
        beside(&self.1, async move {
            if let Err(problem) = identity.send_signals().await {
                tracing::warn!(?problem, "signals were not sent and will be tried again");
            }
        });
    }
}

/// Goes on by itself, one turn at a time: the other jobs do not wait for it.
fn beside(under_way: &Arc<AtomicBool>, turn: impl Future<Output = ()> + Send + 'static) {
    if under_way.swap(true, Ordering::AcqRel) {
        return;
    }
    let under_way = under_way.clone();
    tokio::spawn(async move {
        turn.await;
        under_way.store(false, Ordering::Release);
    });
}

/// Looks after SAML providers beside the other jobs: a provider that takes its time holds nobody up.
struct Upkeep(Identity, Arc<AtomicBool>);

impl Upkeep {
    fn due(&self) {
        let identity = self.0.clone();
        beside(&self.1, async move {
            if let Err(problem) = identity.keep_up_saml().await {
                tracing::warn!(?problem, "SAML providers were not looked after and will be later");
            }
        });
    }
}

/// Gives tenants a new key version when their policy's interval has passed.
struct Rotate(Vault, Identity, Arc<dyn Gates>);

impl Rotate {
    async fn due(&self, now: Time) -> Result<(), Problem> {
        for tenant in self.0.tenants().await? {
            let policy = self.1.effective(tenant).await?;
            let Some(every) = self.2.key_rotation(&policy) else { continue };
            let cx = Cx::job(tenant, Job::Rewrap, policy, &SystemRng);
            let newest = self.0.key_states(&Scope::of(&cx)).await?.into_iter().map(|s| s.created).max();
            if newest.is_some_and(|made| now.since(made) >= every) {
                let _version = self.0.rotate_key(&cx).await?;
            }
        }
        Ok(())
    }
}

/// Asks the firewall's feed, and says when the rule set in force is out of date.
pub struct Feed {
    /// Enters what came of it.
    pub vault: Vault,
    /// The rule sets.
    pub firewall: Firewall,
    /// The policy in force.
    pub live: Live,
    /// The way out.
    pub egress: Arc<dyn Egress>,
}

impl Feed {
    async fn enter(
        &self,
        event: &'static Event,
        outcome: Outcome,
        object: &str,
        detail: Vec<(&'static str, String)>,
    ) -> Result<(), Problem> {
        let cx = Cx::job(TenantId::NIL, Job::Firewall, effective(&self.live), &SystemRng);
        self.vault.enter(&cx, event, outcome, object, detail).await
    }

    /// One visit to the feed, with its entries.
    ///
    /// # Errors
    /// The feed cannot be read, or an entry cannot be written.
    pub async fn visit(&self) -> Result<Fetched, Problem> {
        let fetched = self.firewall.fetch(&*self.egress).await?;
        for refusal in &fetched.refused {
            let event = if refusal.rolled_back { &event::FIREWALL_ROLL_BACK } else { &event::FIREWALL_REJECT };
            let why = refusal.problem.message(Lang::En);
            tracing::error!(name = refusal.name, version = refusal.version, why, "a rule set was refused");
            let detail = vec![("version", refusal.version.to_string()), ("reason", why)];
            self.enter(event, Outcome::Refused, &refusal.name, detail).await?;
        }
        if let Some(set) = &fetched.loaded {
            let detail = vec![
                ("version", set.version.to_string()),
                ("made", set.made.rfc3339()),
                ("rules", set.rules.to_string()),
                ("tests", set.tests.to_string()),
            ];
            self.enter(&event::FIREWALL_LOAD, Outcome::Success, &set.name, detail).await?;
        }
        Ok(fetched)
    }

    async fn due(&self) -> Result<(), Problem> {
        let visited = if self.firewall.feed_due() { self.visit().await.map(|_| ()) } else { Ok(()) };
        if let Some(age) = self.firewall.stale_now() {
            let set = self.firewall.info();
            tracing::error!(set = set.name, days = age.as_secs() / 86_400, "the firewall's rule set is out of date");
            let detail = vec![("made", set.made.rfc3339()), ("age_seconds", age.as_secs().to_string())];
            self.enter(&event::FIREWALL_STALE, Outcome::Failed, &set.name, detail).await?;
        }
        visited
    }
}

macro_rules! work {
    ($kind:ty, $name:literal, $every:expr, |$this:ident, $now:ident| $run:expr) => {
        #[async_trait]
        impl Work for $kind {
            fn name(&self) -> &'static str {
                $name
            }
            fn every(&self) -> Duration {
                $every
            }
            async fn run(&self, $now: Time) -> Result<(), Problem> {
                let $this = self;
                $run
            }
        }
    };
}

work!(Sequence, "sequence", Duration::from_millis(500), |this, _now| this.0.sequence(&effective(&this.1)).await);
work!(Checkpoint, "checkpoint", Duration::from_secs(5), |this, _now| this.0.checkpoint().await);
work!(Purge, "purge", Duration::from_secs(3_600), |this, _now| this.0.purge(&effective(&this.1)).await);
work!(Rotate, "rotate", Duration::from_secs(3_600), |this, now| this.due(now).await);
work!(Signals, "signals", Duration::from_secs(2), |this, _now| {
    this.due();
    Ok(())
});
work!(Upkeep, "saml", sekisho_identity::UPKEEP_EVERY, |this, _now| {
    this.due();
    Ok(())
});
work!(Feed, "firewall-feed", Duration::from_secs(60), |this, _now| this.due().await);
work!(Sweep, "sweep", Duration::from_secs(30), |this, _now| {
    for identity in &this.0 {
        let _swept = identity.sweep().await?;
    }
    this.1.sweep().await
});

/// All of them.
pub fn all(
    vault: &Vault,
    identities: Vec<Identity>,
    gates: Arc<dyn Gates>,
    live: Live,
    feed: Feed,
) -> Vec<Arc<dyn Work>> {
    let first = identities.first().cloned();
    let mut works: Vec<Arc<dyn Work>> = vec![
        Arc::new(Sequence(vault.clone(), live.clone())),
        Arc::new(Checkpoint(vault.clone())),
        Arc::new(Purge(vault.clone(), live)),
        Arc::new(Sweep(identities, vault.clone())),
        Arc::new(feed),
    ];
    works.extend(first.clone().map(|identity| Arc::new(Signals(identity, Arc::default())) as Arc<dyn Work>));
    works.extend(first.clone().map(|identity| Arc::new(Upkeep(identity, Arc::default())) as Arc<dyn Work>));
    works.extend(first.map(|identity| Arc::new(Rotate(vault.clone(), identity, gates)) as Arc<dyn Work>));
    works
}
