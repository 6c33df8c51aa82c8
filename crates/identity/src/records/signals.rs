//! Receivers of security signals, and what waits for them.

use sekisho_kernel::{
    RecordDef, Time,
    id::{SessionId, UserId},
};
use sekisho_vault::Record;
use serde::{Deserialize, Serialize};

use super::{SIGNAL_EVENT, SIGNAL_KEY, SIGNAL_RECEIVER};

/// What is signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// A session has ended.
    SessionRevoked,
    /// A password or second factor has changed.
    CredentialChange,
}

/// How signals name people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectForm {
    /// By our issuer and their id (RFC 9493 §3.2.3).
    #[default]
    IssSub,
    /// By mail address where they have one (RFC 9493 §3.2.2).
    Email,
}

/// On whose account something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initiator {
    /// An administrator's.
    Admin,
    /// The person's own.
    User,
    /// The policy's.
    Policy,
    /// The system's.
    System,
}

/// A receiver of signals.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignalReceiver {
    /// Its name.
    pub name: String,
    /// Where signals are sent.
    pub url: String,
    /// The console's address when it was registered: what signals call us.
    pub issuer: String,
    /// What signals call it.
    pub audience: String,
    /// A bearer token.
    #[serde(default)]
    pub token: Option<String>,
    /// Which signals.
    pub events: Vec<SignalKind>,
    /// How people are named.
    #[serde(default)]
    pub subject: SubjectForm,
}
impl Record for SignalReceiver {
    const DEF: &'static RecordDef = &SIGNAL_RECEIVER;
    /// Whether it is switched on, and what came of sending, is bookkeeping's.
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone())]
    }
}

/// How a credential changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialChanged {
    /// CAEP's `credential_type`.
    pub credential: String,
    /// CAEP's `change_type`.
    pub change: String,
}

/// What a signal is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A person.
    Person {
        /// What happened.
        kind: SignalKind,
        /// To whom.
        user: UserId,
        /// Their mail address then.
        mail: Option<String>,
        /// Which session.
        session: Option<SessionId>,
        /// Which credential, and how.
        change: Option<CredentialChanged>,
    },
    /// A session has ended in which its person had signed in to an application, which is told.
    Logout {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
        /// What its ID tokens called us.
        issuer: String,
    },
    /// The stream itself: an administrator has switched it (SSF 1.0 §8.1.5).
    Stream {
        /// Whether anything is sent from now on.
        enabled: bool,
    },
}

/// A signal on its way to one receiver. Its id is the token's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignalEvent {
    /// What.
    pub about: About,
    /// On whose account.
    pub initiator: Initiator,
    /// When.
    pub at: Time,
}
impl Record for SignalEvent {
    const DEF: &'static RecordDef = &SIGNAL_EVENT;
}

/// A key that has signed a tenant's signals. None is made any more.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignalKey {
    /// PKCS #8, base64url.
    pub pkcs8: String,
    /// Until when it is published, once that is set.
    #[serde(default)]
    pub ends: Option<Time>,
}
impl Record for SignalKey {
    const DEF: &'static RecordDef = &SIGNAL_KEY;
}
