//! What a rehearsal may take out, and the clock that it may move. Nothing here can be reached from a policy, a
//! flag, a file or the environment of a serving instance: the values have no serde, no `FromStr`, no `Default`,
//! and `serve`'s constructor takes none of them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::time::{Clock, Due, Time};

/// One control really taken out of a rehearsed instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TakenOut {
    /// The gate that counts tries and locks accounts.
    Lockout,
    /// The gate that ends idle sessions.
    IdleEnd,
    /// The gate that asks for the second factor.
    SecondFactor,
    /// The check that a one-time code was not used before.
    CodeReplay,
    /// The access check: every right is granted.
    AccessCheck,
    /// The site part of the access check: a site's grant reaches every site.
    SiteScope,
    /// The writing of ledger entries.
    EntryWrite,
    /// The purge of entries past their retention.
    RetentionPurge,
    /// The copy of the newest checkpoint kept outside the database.
    OutsideCheckpoint,
    /// The key that signs checkpoints is another one.
    CheckpointKey,
    /// The fixed zone: times are rendered in each reader's own.
    FixedZone,
    /// The tenant in every statement and in every seal.
    TenantScope,
    /// The database's own row level security, where the database is a server's: its service role sees every row.
    RowSecurity,
    /// Sealing: bodies are stored as they are.
    Sealing,
    /// Keys of each tenant's own: every tenant's data is sealed under one key.
    TenantKeys,
    /// Password hashing: the password is stored as it came.
    PasswordHash,
    /// The refusal of plain HTTP.
    PlainHttpRefusal,
    /// The restriction of TLS suites.
    TlsSuites,
    /// Checking the session anew at every request.
    SessionRecheck,
    /// The hash of stored session tokens.
    TokenHash,
    /// Switching functions off per user.
    UserSwitch,
    /// Switching functions off per tenant.
    TenantSwitch,
    /// The platform's floor under tenants' policies.
    PolicyFloor,
    /// The gate on source addresses.
    AddressRule,
    /// The administrator type's own rights over accounts: only an operator could do it.
    SelfService,
    /// The question for acceptance of the terms of use: nobody is asked.
    Terms,
    /// The relations between people: everybody may reach everybody.
    Relations,
    /// The firewall: no rule looks at a request.
    Firewall,
    /// The check of a fetched rule set's signature.
    FeedSignature,
    /// The guard that keeps record types without a class out of the store.
    DataCatalogue,
    /// What keeps answers out of a browser's cache.
    DeviceCache,
    /// What tells a signed-out browser to forget what the site has kept.
    DeviceWipe,
    /// The end of a person's other sessions when they sign out everywhere.
    SignOutEverywhere,
    /// What follows when an account is disabled: its sessions go on.
    Deactivation,
    /// The judgement of a sign-in's risk: none is judged.
    AdaptiveSignIn,
    /// The scope of applications' tokens: each has all of its person's rights.
    OauthScope,
    /// The consent that an application needs.
    OauthConsent,
    /// What follows when SCIM says that a person is no longer active, or deletes them.
    Deprovisioning,
    /// The check of what an identity provider has signed: anybody's word counts as the provider's.
    ProviderSignature,
    /// The store of used signatures: one signs in again and again.
    SignatureOnce,
}

impl TakenOut {
    /// What is gone, in words, for evidence.
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct MovableClock {
    now: Arc<AtomicI64>,
    moved: Arc<watch::Sender<()>>,
}

impl MovableClock {
    /// Standing at `start`.
    pub fn new(start: Time) -> Self {
        Self { now: Arc::new(AtomicI64::new(start.micros())), moved: Arc::new(watch::Sender::new(())) }
    }
    /// Moves on by `span` and wakes everyone whose moment has come.
    pub fn advance(&self, span: Duration) {
        self.set(self.now().plus(span));
    }
    /// Moves on to `at`; never back.
    pub fn set(&self, at: Time) {
        self.now.fetch_max(at.micros(), Ordering::SeqCst);
        self.moved.send_replace(());
    }
}

impl fmt::Debug for MovableClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MovableClock({:?})", self.now())
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Time {
        Time::from_micros(self.now.load(Ordering::SeqCst))
    }
    fn due(&self, at: Time) -> Due {
        let this = self.clone();
        Box::pin(async move {
            let mut moved = this.moved.subscribe();
            while this.now() < at {
                if moved.changed().await.is_err() {
                    return;
                }
            }
        })
    }
}
