//! What provisioning by SCIM takes and gives.

use sekisho_kernel::{
    Time,
    id::{ProviderId, RoleId, ScimGroupId, SiteId, UserId},
};
use serde::{Deserialize, Serialize};

use super::{TokenView, rfc3339};
use crate::scim::Resource;
pub use crate::scim::shape::Shape as ScimShape;

/// A resource for an answer.
#[derive(Clone, Debug)]
pub struct ScimResource {
    /// Its id.
    pub id: String,
    /// Its version, as an `ETag`.
    pub etag: String,
    /// Its address.
    pub location: String,
    /// Its attributes.
    pub body: Resource,
}

/// What a request says about the version that it means.
#[derive(Clone, Debug, Default)]
pub struct ScimPrecondition {
    /// `If-Match`.
    pub matches: Option<String>,
}

/// Which resources to list (RFC 7644 §3.4.2).
#[derive(Clone, Debug, Default)]
pub struct ScimQuery {
    /// `filter`.
    pub filter: Option<String>,
    /// `startIndex`, from 1.
    pub start: Option<i64>,
    /// `count`.
    pub count: Option<i64>,
    /// `sortBy`.
    pub sort_by: Option<String>,
    /// Whether `sortOrder` is descending.
    pub descending: bool,
    /// What of each is shown.
    pub shape: ScimShape,
}

/// Resources listed.
#[derive(Clone, Debug, Default)]
pub struct ScimList {
    /// How many there are in all.
    pub total: u64,
    /// The place of the first one.
    pub start: u64,
    /// The resources.
    pub resources: Vec<Resource>,
}

/// A new connection of an identity provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewConnection {
    /// What the identity provider is called.
    pub name: String,
    /// Networks from which it comes; none admits all.
    #[serde(default)]
    pub networks: Vec<String>,
    /// How many days its token is good.
    pub days: u32,
    /// The OpenID provider whose subjects its `externalId`s are: whom it makes comes in there at once. None believes nothing.
    #[serde(default)]
    pub subject_provider: Option<ProviderId>,
}

/// A connection: a service account that may do nothing but provision, and its tokens.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionView {
    /// The account.
    pub user: UserId,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// What the identity provider is called.
    pub name: String,
    /// Whether it may provision.
    pub active: bool,
    /// The OpenID provider whose subjects its `externalId`s are.
    pub subject_provider: Option<ProviderId>,
    /// Its tokens.
    pub tokens: Vec<TokenView>,
}

/// A provisioned group and the role that it gives.
#[derive(Clone, Debug, Serialize)]
pub struct MappedGroupView {
    /// Its id.
    pub id: ScimGroupId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// Its name at the identity provider.
    pub name: String,
    /// How many members it has.
    pub members: u64,
    /// The role that it gives.
    pub role: Option<RoleId>,
    /// For one site only.
    pub site: Option<SiteId>,
}

/// Which role a group gives.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMap {
    /// The role; none takes the mapping away.
    #[serde(default)]
    pub role: Option<RoleId>,
    /// For one site only; the whole tenant when missing.
    #[serde(default)]
    pub site: Option<SiteId>,
}
