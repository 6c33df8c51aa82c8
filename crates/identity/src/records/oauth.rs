//! What third-party applications are, hold, and are allowed, and the keys that sign for them.

use sekisho_kernel::{
    RecordDef, Time,
    id::{ApplicationId, SessionId, UserId},
};
use sekisho_vault::Record;
use serde::{Deserialize, Serialize};

use super::{ClearValues, OAUTH_APPLICATION, OAUTH_CONSENT, OAUTH_DEVICE, OAUTH_GRANT, OAUTH_KEY, OAUTH_PUSH};
pub use crate::oauth::scope::PersonScope;

/// Whether an application may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationState {
    /// Registered; nobody has approved it.
    Pending,
    /// Approved by an administrator.
    Approved,
    /// Stopped by an administrator.
    Stopped,
}

impl ApplicationState {
    /// The code of the clear column.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Stopped => "stopped",
        }
    }
}

/// A third-party application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Addresses to which people are sent back, compared to the letter.
    pub redirects: Vec<String>,
    /// Names of the rights that it may ask for.
    pub rights: Vec<String>,
    /// SHA-256 of its secret, hex; `None` for one that cannot keep a secret.
    #[serde(default)]
    pub secret: Option<String>,
    /// The service account as which it acts when it acts for nobody.
    #[serde(default)]
    pub account: Option<UserId>,
    /// Whether people may sign in to it (OpenID Connect).
    #[serde(default)]
    pub openid: bool,
    /// Addresses to which people may be sent after signing out, compared to the letter.
    #[serde(default)]
    pub logout_redirects: Vec<String>,
    /// Whether it must push what it asks for.
    #[serde(default)]
    pub pushed: bool,
    /// Whether its tokens must be bound to a key.
    #[serde(default)]
    pub bound: bool,
    /// Whether devices without a browser may ask for it.
    #[serde(default)]
    pub device: bool,
    /// Where it is told that a session has ended.
    #[serde(default)]
    pub backchannel: Option<Backchannel>,
    /// Whether it may act.
    pub state: ApplicationState,
}

/// Where an application is told that a session has ended (OpenID Connect Back-Channel Logout §2.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Backchannel {
    /// `backchannel_logout_uri`.
    pub uri: String,
    /// `backchannel_logout_session_required`. Every token names the session; an application may say that it needs it.
    pub session_required: bool,
}
impl Application {
    /// Whether people who have signed out may be sent to this address.
    pub fn takes_back(&self, address: &str) -> bool {
        self.logout_redirects.iter().any(|own| own == address)
    }
}
impl Record for Application {
    const DEF: &'static RecordDef = &OAUTH_APPLICATION;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone())]
    }
    /// What came of telling it is bookkeeping's.
    fn clear(&self) -> ClearValues {
        vec![("state", self.state.code().into())]
    }
}

/// A person's consent to an application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Consent {
    /// To which.
    pub application: ApplicationId,
    /// Whose.
    pub user: UserId,
    /// Names of the rights consented to.
    pub rights: Vec<String>,
    /// What it may learn of the person.
    #[serde(default)]
    pub person: Vec<PersonScope>,
}
impl Record for Consent {
    const DEF: &'static RecordDef = &OAUTH_CONSENT;
    fn clear(&self) -> ClearValues {
        vec![("application_id", self.application.into()), ("user_id", self.user.into())]
    }
}

/// A family of tokens: what one authorisation gave, refreshed again and again.
#[derive(Clone, Serialize, Deserialize)]
pub struct OauthGrant {
    /// Who holds it.
    pub application: ApplicationId,
    /// For whom it acts.
    pub user: UserId,
    /// Names of its rights.
    pub rights: Vec<String>,
    /// What its holder may learn of the person.
    #[serde(default)]
    pub person: Vec<PersonScope>,
    /// In which session the person consented, and when they had signed in to it; `None` where nobody was asked.
    #[serde(default)]
    pub signed_in: Option<(SessionId, Time)>,
    /// The thumbprint of the key to which its tokens are bound.
    #[serde(default)]
    pub key: Option<String>,
    /// SHA-256 of the access token, hex: the pointer's key.
    pub access: String,
    /// When the access token runs out.
    pub access_expires: Time,
    /// What makes this family's refresh tokens.
    pub seed: String,
    /// How often it was refreshed: the one turn that is good.
    pub turn: u32,
    /// Whether it has a refresh token.
    pub refreshable: bool,
    /// When the family ends.
    pub expires: Time,
}
impl Record for OauthGrant {
    const DEF: &'static RecordDef = &OAUTH_GRANT;
    fn clear(&self) -> ClearValues {
        vec![
            ("application_id", self.application.into()),
            ("user_id", self.user.into()),
            ("expires", self.expires.into()),
        ]
    }
}

/// A key that signs ID tokens and signals.
#[derive(Clone, Serialize, Deserialize)]
pub struct OauthKey {
    /// 1 for the tenant's first; each is made once, whichever node makes it.
    pub turn: u32,
    /// Its name in the key set and in tokens' headers.
    pub kid: String,
    /// PKCS #8, base64url.
    pub private: String,
    /// Modulus and exponent, base64url (RFC 7518 §6.3.1).
    pub public: (String, String),
    /// From when it signs: it is published before.
    pub starts: Time,
}
impl Record for OauthKey {
    const DEF: &'static RecordDef = &OAUTH_KEY;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("turn", self.turn.to_string())]
    }
}

/// A request that waits for its browser. The pointer `oauth-push` leads here from the reference's hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OauthPush {
    /// Whose it is.
    pub application: ApplicationId,
    /// What is asked for.
    pub request: crate::types::AuthorizeRequest,
    /// When it runs out.
    pub expires: Time,
}
impl Record for OauthPush {
    const DEF: &'static RecordDef = &OAUTH_PUSH;
    fn clear(&self) -> ClearValues {
        vec![("expires", self.expires.into())]
    }
}

/// How far a person is with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceState {
    /// Nobody has decided.
    Waiting,
    /// Somebody has allowed it.
    Allowed {
        /// Who.
        user: UserId,
        /// In which session.
        session: SessionId,
        /// When they had signed in to it.
        signed_in: Time,
    },
    /// Somebody has not.
    Denied,
}

/// A device that waits for a person. The pointer `oauth-device` leads here from the hash of the device's own code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OauthDevice {
    /// Whose it is.
    pub application: ApplicationId,
    /// What the person types in.
    pub code: String,
    /// Names of the rights that it asks for.
    pub rights: Vec<String>,
    /// What it asks about the person.
    pub person: Vec<PersonScope>,
    /// How far the person is.
    pub state: DeviceState,
    /// When it runs out.
    pub expires: Time,
}
impl Record for OauthDevice {
    const DEF: &'static RecordDef = &OAUTH_DEVICE;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("code", self.code.clone())]
    }
    /// What each question changes is bookkeeping's.
    fn clear(&self) -> ClearValues {
        vec![("expires", self.expires.into())]
    }
}
