//! Third-party applications and their tokens, as they are given and shown.

use std::time::Duration;

use sekisho_kernel::{
    RightSet, Secret, Time,
    id::{ApplicationId, ConsentId, UserId},
};
use serde::{Deserialize, Serialize};

use super::rfc3339;
pub use crate::records::ApplicationState;

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
    /// Whether it may act.
    pub state: ApplicationState,
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
#[derive(Clone, Debug, Deserialize)]
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
}

/// A request for authorisation (OAuth 2.1 §4.1.1).
#[derive(Clone, Debug)]
pub struct AuthorizeRequest {
    /// `client_id`.
    pub client: ApplicationId,
    /// `redirect_uri`.
    pub redirect_uri: String,
    /// `response_type`.
    pub response_type: String,
    /// `scope`.
    pub scope: Option<String>,
    /// `state`.
    pub state: Option<String>,
    /// `code_challenge`.
    pub challenge: String,
    /// `code_challenge_method`.
    pub method: String,
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
        /// The request, sealed, for the page's form.
        sealed: Secret<String>,
    },
    /// On to this address.
    Go(String),
}

/// Who asks the token endpoint.
#[derive(Clone, Debug)]
pub struct OauthClient {
    /// `client_id`.
    pub id: ApplicationId,
    /// `client_secret`.
    pub secret: Option<Secret<String>>,
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
}
