//! Signing clients and their unique IDs, as they are given and shown.

use sekisho_kernel::{
    Secret, Time,
    id::{SigningClientId, UniqueIdId, UserId},
};
use serde::{Deserialize, Serialize};

use super::{rfc3339, secret};

/// A signing client; its key is not shown again.
#[derive(Clone, Debug, Serialize)]
pub struct ClientView {
    /// Its id, public: the `client` of a signature.
    pub id: SigningClientId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it, or its key, was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// Unique within the tenant.
    pub name: String,
    /// Free text.
    pub note: String,
    /// Whether it signs nobody in for now.
    pub disabled: bool,
}

/// A client with its new key.
#[derive(Clone, Debug)]
pub struct ClientIssued {
    /// The client.
    pub client: ClientView,
    /// The key of its signatures, 43 characters. Shown once.
    pub secret: Secret<String>,
}

/// A new client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// 1 to 128 characters.
    pub name: String,
    /// At most 1,000 characters.
    #[serde(default)]
    pub note: String,
}

/// What to change in a client.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientPatch {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// The note.
    #[serde(default)]
    pub note: Option<String>,
    /// Whether it signs nobody in for now.
    #[serde(default)]
    pub disabled: Option<bool>,
}

/// Which person a unique ID is.
#[derive(Clone, Debug, Serialize)]
pub struct UniqueIdView {
    /// Its id.
    pub id: UniqueIdId,
    /// Always 1: they are made and taken away, never changed.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// As `created`.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// The client.
    pub client: SigningClientId,
    /// The person.
    pub user: UserId,
    /// As the application writes it.
    pub unique_id: String,
}

/// A new unique ID.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUniqueId {
    /// The client.
    pub client: SigningClientId,
    /// The person.
    pub user: UserId,
    /// 1 to 255 characters, taken to the letter.
    pub unique_id: String,
}

/// Which unique IDs to list.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct UniqueIdQuery {
    /// Only after this one.
    #[serde(default)]
    pub after: Option<UniqueIdId>,
    /// 1 to 200; 0 takes 50.
    #[serde(default)]
    pub limit: u32,
    /// Only this client's.
    #[serde(default)]
    pub client: Option<SigningClientId>,
    /// Only this person's.
    #[serde(default)]
    pub user: Option<UserId>,
}

/// A sign-in by unique ID and signature.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedSignIn {
    /// The client.
    pub client: SigningClientId,
    /// The person, by the application's own name for them.
    pub unique_id: String,
    /// Seconds since 1970 (UTC) at which it was signed.
    pub timestamp: i64,
    /// 16 to 64 characters `A-Z a-z 0-9 - _`, never used before by this client.
    pub nonce: String,
    /// HMAC-SHA-256 in base64url without padding.
    #[serde(deserialize_with = "secret")]
    pub signature: Secret<String>,
}
