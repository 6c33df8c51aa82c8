//! API tokens, as they are asked for and shown.

use sekisho_kernel::{
    Secret, Time,
    id::{ApiTokenId, UserId},
};
use serde::{Deserialize, Serialize};

use super::rfc3339;

/// A token; its text is not shown again.
#[derive(Clone, Debug, Serialize)]
pub struct TokenView {
    /// Its id.
    pub id: ApiTokenId,
    /// Always 1: tokens are made and ended, never changed.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// As `created`.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// Whose rights it has at most.
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// Its scope: names of rights.
    pub rights: Vec<String>,
    /// Networks from which it may be used; none admits all.
    pub networks: Vec<String>,
    /// Last use as stored, up to a minute older than the truth; `None` if it was never used.
    #[serde(serialize_with = "rfc3339::option")]
    pub last_used: Option<Time>,
    /// When it runs out.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub expires_at: Time,
    /// When it ends if it is not used until then.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub ends_unused_at: Time,
}

/// A token just made.
#[derive(Clone, Debug)]
pub struct TokenIssued {
    /// The token.
    pub token: TokenView,
    /// Its text, `skt_` and 43 characters. Shown once.
    pub text: Secret<String>,
}

/// A new token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for: 1 to 128 characters.
    pub name: String,
    /// Its scope: names of rights of the catalogue.
    #[serde(default)]
    pub rights: Vec<String>,
    /// Networks from which it may be used, at most 20; none admits all.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Days until it runs out.
    pub days: u32,
}

/// A new token of one's own.
#[derive(Clone, Debug)]
pub struct NewOwnToken {
    /// What is wanted.
    pub token: NewToken,
    /// One's own password.
    pub password: Secret<String>,
}

/// Which tokens to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenQuery {
    /// Only after this one.
    pub after: Option<ApiTokenId>,
    /// 1 to 200; 0 takes 50.
    pub limit: u32,
    /// Only this account's.
    pub user: Option<UserId>,
}
