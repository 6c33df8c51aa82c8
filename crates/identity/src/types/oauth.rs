//! Third-party applications and their tokens, as they are given and shown.

use std::time::Duration;

use sekisho_kernel::{
    RightSet, Secret, Time,
    id::{ApplicationId, ConsentId, UserId},
    percent::with_query,
};
use serde::{Deserialize, Serialize};

use super::rfc3339;
pub use crate::{
    oauth::dpop::{Proof, Proved},
    records::{ApplicationState, PersonScope},
};

/// An application.
#[derive(Clone, Debug, Serialize)]
pub struct ApplicationView {
    /// Its id, public: the `client_id`.
    pub id: ApplicationId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// Unique within the tenant.
    pub name: String,
    /// Addresses to which people are sent back.
    pub redirect_uris: Vec<String>,
    /// Names of the rights that it may ask for.
    pub rights: Vec<String>,
    /// Whether it has a secret.
    pub confidential: bool,
    /// The service account as which it acts when it acts for nobody.
    pub account: Option<UserId>,
    /// Whether people may sign in to it (OpenID Connect).
    pub openid: bool,
    /// Addresses to which people may be sent after signing out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether it must push what it asks for (RFC 9126).
    pub require_pushed_authorization_requests: bool,
    /// Whether its tokens must be bound to a key (RFC 9449).
    pub dpop_bound_access_tokens: bool,
    /// Whether devices without a browser may ask for it (RFC 8628).
    pub device_authorization: bool,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout).
    pub backchannel_logout_uri: Option<String>,
    /// Whether it needs to be told which.
    pub backchannel_logout_session_required: bool,
    /// What came of telling it.
    pub logouts: LogoutsView,
    /// Whether it may act.
    pub state: ApplicationState,
}

/// What came of telling an application that sessions have ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LogoutsView {
    /// Logout tokens that it took.
    pub sent: i64,
    /// Given up: refused, a day in vain, or more than can wait.
    pub dropped: i64,
    /// Tries in vain since it last took one.
    pub failing: i64,
    /// What the last of them met, a word.
    pub trouble: Option<String>,
}

/// An application just made.
#[derive(Clone, Debug)]
pub struct ApplicationIssued {
    /// The application.
    pub application: ApplicationView,
    /// Its secret, if it is confidential. Shown once.
    pub secret: Option<Secret<String>>,
}

/// A new application.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    /// 1 to 128 characters.
    pub name: String,
    /// https on 443; none for one that acts as a service account.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Names of the rights that it may ask for.
    #[serde(default)]
    pub rights: Vec<String>,
    /// Whether it keeps a secret.
    #[serde(default)]
    pub confidential: bool,
    /// The service account as which it acts.
    #[serde(default)]
    pub account: Option<UserId>,
    /// Whether people may sign in to it (OpenID Connect).
    #[serde(default)]
    pub openid: bool,
    /// Addresses to which people may be sent after signing out: https on 443.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Whether it must push what it asks for (RFC 9126).
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Whether its tokens must be bound to a key (RFC 9449).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// Whether devices without a browser may ask for it (RFC 8628).
    #[serde(default)]
    pub device_authorization: bool,
    /// Where it is told that a session has ended (OpenID Connect Back-Channel Logout): https.
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// Whether it needs to be told which.
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
}

/// An application that acts for oneself.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentView {
    /// The consent's id.
    pub id: ConsentId,
    /// Moves with every change.
    pub version: i64,
    /// When it was first given.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last widened.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// The application.
    pub application: ApplicationId,
    /// Its name.
    pub name: String,
    /// Names of the rights consented to.
    pub rights: Vec<String>,
    /// What it may learn of oneself: `openid`, `profile`, `email`.
    pub person: Vec<PersonScope>,
}

/// A request for authorisation (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2.1). Parameters that are not named here are
/// ignored, as §3.1.2.1 has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// `client_id`.
    pub client: ApplicationId,
    /// `redirect_uri`.
    pub redirect_uri: String,
    /// `response_type`.
    pub response_type: String,
    /// `response_mode`.
    pub response_mode: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// `code_challenge`.
    pub challenge: String,
    /// `code_challenge_method`.
    pub method: String,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `prompt`.
    pub prompt: Option<String>,
    /// `max_age`, in seconds.
    pub max_age: Option<String>,
    /// `id_token_hint`.
    pub hint: Option<String>,
    /// `dpop_jkt`: the key to which the code is bound (RFC 9449 §10).
    #[serde(default)]
    pub key: Option<String>,
    /// A way of asking that is not taken: `request`, `request_uri`, `registration`.
    pub unsupported: Option<String>,
    /// The hash of the reference by which it came, if it was pushed.
    #[serde(skip)]
    pub pushed: Option<String>,
    /// What shows that the person signed in for it.
    #[serde(skip)]
    pub fresh: Option<String>,
}

/// A request that has been pushed (RFC 9126 §2.2).
#[derive(Clone, Debug)]
pub struct Pushed {
    /// `request_uri`.
    pub reference: Secret<String>,
    /// `expires_in`.
    pub lives: Duration,
}

/// What follows.
#[derive(Clone, Debug)]
pub enum Authorize {
    /// The person is asked.
    Ask {
        /// The application's name.
        name: String,
        /// What it asks for.
        rights: RightSet,
        /// What it asks about the person.
        person: Vec<PersonScope>,
        /// The request, sealed, for the page's form.
        sealed: Secret<String>,
    },
    /// The person signs in anew, and comes back with this.
    SignIn {
        /// For [`AuthorizeRequest::fresh`].
        fresh: Secret<String>,
    },
    /// On to this address.
    Go(String),
}

/// A request to sign out (RP-Initiated Logout §2).
#[derive(Clone, Debug)]
pub struct LeaveRequest {
    /// `id_token_hint`.
    pub hint: Option<String>,
    /// `client_id`.
    pub client: Option<ApplicationId>,
    /// `post_logout_redirect_uri`.
    pub redirect: Option<String>,
    /// `state`.
    pub state: Option<String>,
}

/// Where an application wants its person back once they have signed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveTo {
    /// Whose address it is.
    pub application: ApplicationId,
    /// An address that the application has registered.
    pub address: String,
    /// What goes back with it.
    pub state: Option<String>,
}

impl LeaveTo {
    /// The address with its state.
    pub fn whole(&self) -> String {
        let state: Vec<_> = self.state.iter().map(|s| ("state", s)).collect();
        with_query(&self.address, &state)
    }
}

/// What follows.
#[derive(Clone, Debug)]
pub enum Leave {
    /// Nobody is signed in here.
    Gone {
        /// Where to go on, if anywhere.
        to: Option<LeaveTo>,
    },
    /// The session is to end at once.
    Now {
        /// Where to go on, if anywhere.
        to: Option<LeaveTo>,
    },
    /// The person is asked.
    Ask {
        /// The application's name, if it is known.
        name: Option<String>,
        /// The request, sealed, for the page's form.
        sealed: Secret<String>,
    },
}

/// What an application may know of its person (OpenID Connect Core §5.1).
#[derive(Clone, Debug)]
pub struct PersonClaims {
    /// `sub`.
    pub user: UserId,
    /// `preferred_username`, `name` and `updated_at`.
    pub names: Option<(String, String, Time)>,
    /// `email`.
    pub mail: Option<String>,
}

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published; it signs later.
    Next,
    /// It signs.
    Signing,
    /// It signs no more; what it has signed is still verified.
    Past,
}

/// A key of the published set.
#[derive(Clone, Debug, Serialize)]
pub struct SigningKeyView {
    /// Its name.
    pub kid: String,
    /// Its algorithm.
    pub alg: &'static str,
    /// Where it is in its life.
    pub state: KeyState,
    /// From when it signs.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub starts: Time,
    /// Until when it is published, if that is known.
    #[serde(serialize_with = "rfc3339::option")]
    pub ends: Option<Time>,
}

/// How the keys are turned.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnKeys {
    /// Whether those before are withdrawn at once.
    pub withdraw: bool,
}

/// A device that waits for a person (RFC 8628 §3.2).
#[derive(Clone, Debug)]
pub struct DeviceStarted {
    /// `device_code`.
    pub device: Secret<String>,
    /// `user_code`.
    pub code: String,
    /// `expires_in`.
    pub lives: Duration,
    /// `interval`.
    pub interval: Duration,
}

/// What a person is asked who has typed a device's code in.
#[derive(Clone, Debug)]
pub struct DeviceAsk {
    /// The application's name.
    pub name: String,
    /// The code, as the device shows it.
    pub code: String,
    /// What it asks for.
    pub rights: RightSet,
    /// What it asks about the person.
    pub person: Vec<PersonScope>,
    /// The decision to be made, sealed, for the page's form.
    pub sealed: Secret<String>,
}

/// Who asks the token endpoint.
#[derive(Clone, Debug)]
pub struct OauthClient {
    /// `client_id`.
    pub id: ApplicationId,
    /// `client_secret`.
    pub secret: Option<Secret<String>>,
    /// What proves that it holds a key, where it came with that.
    pub proof: Option<Proof>,
}

/// What is asked of it.
#[derive(Clone, Debug)]
pub enum TokenAsk {
    /// `authorization_code`.
    Code {
        /// `code`.
        code: Secret<String>,
        /// `redirect_uri`, where it is sent.
        redirect_uri: Option<String>,
        /// `code_verifier`.
        verifier: String,
    },
    /// `refresh_token`.
    Refresh {
        /// `refresh_token`.
        token: Secret<String>,
        /// `scope`: no wider than before.
        scope: Option<String>,
    },
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    Device {
        /// `device_code`.
        code: Secret<String>,
    },
    /// `client_credentials`.
    Client {
        /// `scope`.
        scope: Option<String>,
    },
}

/// Tokens just issued.
#[derive(Clone, Debug)]
pub struct OauthTokens {
    /// `access_token`.
    pub access: Secret<String>,
    /// `refresh_token`.
    pub refresh: Option<Secret<String>>,
    /// `expires_in`.
    pub lives: Duration,
    /// `scope`.
    pub scope: String,
    /// `id_token`.
    pub id_token: Option<Secret<String>>,
    /// Whether they are bound to a key.
    pub bound: bool,
}

/// A good token (RFC 7662 §2.2).
#[derive(Clone, Debug)]
pub struct Introspection {
    /// `scope`.
    pub scope: String,
    /// `sub`.
    pub user: UserId,
    /// `iat`.
    pub issued: Time,
    /// `exp`.
    pub expires: Time,
    /// Whether it is a refresh token.
    pub refresh: bool,
    /// `cnf.jkt`: the key to which it is bound.
    pub key: Option<String>,
}
