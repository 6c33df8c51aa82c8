//! Outside identity providers, mail domains and linked identities, as they are given and shown.

use sekisho_kernel::{
    Secret, Text, Time,
    id::{IdentityId, MailDomainId, ProviderId, UserId},
};
use serde::{Deserialize, Serialize};

use super::{rfc3339, secret_option};
pub use crate::records::{ClaimNames, RoleRule};
use crate::types::SignInStep;

/// A provider.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderView {
    /// Its id.
    pub id: ProviderId,
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
    /// `oidc`.
    pub protocol: &'static str,
    /// Its issuer.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Whether we have a secret there.
    pub has_secret: bool,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Whether its userinfo endpoint is asked too.
    pub userinfo: bool,
    /// Whether it signs anybody in.
    pub enabled: bool,
    /// Whether the sign-in page has a button for it.
    pub button: bool,
    /// Whether somebody who has no account gets one.
    pub create_users: bool,
    /// Whether its word that a second factor was used is taken for ours.
    pub trusts_factor: bool,
    /// Which claim is what.
    pub claims: ClaimNames,
    /// Which claims give which roles.
    pub rules: Vec<RoleRule>,
}

/// A new provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProvider {
    /// 1 to 128 characters.
    pub name: String,
    /// https, to the letter as the provider writes it.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    #[serde(default, deserialize_with = "secret_option")]
    pub client_secret: Option<Secret<String>>,
}

/// What to change in a provider; what is missing stays. The issuer never changes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderPatch {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// Our name there.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Our secret there; the empty text takes it away.
    #[serde(default, deserialize_with = "secret_option")]
    pub client_secret: Option<Secret<String>>,
    /// What is asked for beside `openid`.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Whether its userinfo endpoint is asked too.
    #[serde(default)]
    pub userinfo: Option<bool>,
    /// Whether it signs anybody in.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Whether the sign-in page has a button for it.
    #[serde(default)]
    pub button: Option<bool>,
    /// Whether somebody who has no account gets one.
    #[serde(default)]
    pub create_users: Option<bool>,
    /// Whether its word that a second factor was used is taken for ours.
    #[serde(default)]
    pub trusts_factor: Option<bool>,
    /// The claim with the sign-in name of a new account.
    #[serde(default)]
    pub name_claim: Option<String>,
    /// The claim with the display name.
    #[serde(default)]
    pub display_name_claim: Option<String>,
    /// The claim with the mail address.
    #[serde(default)]
    pub mail_claim: Option<String>,
    /// Which claims give which roles, all of them anew.
    #[serde(default)]
    pub rules: Option<Vec<RoleRule>>,
}

/// One thing that was looked at when a provider was tried.
#[derive(Clone, Debug)]
pub struct Check {
    /// `discovery`, `keys`, `client`.
    pub name: &'static str,
    /// Whether it is good.
    pub good: bool,
    /// What was found.
    pub says: Text,
}

/// A mail domain.
#[derive(Clone, Debug, Serialize)]
pub struct MailDomainView {
    /// Its id.
    pub id: MailDomainId,
    /// Moves with every change.
    pub version: i64,
    /// When it was registered.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// In lower case.
    pub domain: String,
    /// Where it leads.
    pub provider: ProviderId,
    /// The name of the TXT record that proves control of it.
    pub record_name: String,
    /// What the record holds.
    pub record_value: String,
    /// When control of it was proven; it leads nowhere before.
    #[serde(serialize_with = "rfc3339::option")]
    pub verified_at: Option<Time>,
}

/// A new mail domain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMailDomain {
    /// Letters, digits, hyphens and dots.
    pub domain: String,
    /// Where it leads.
    pub provider: ProviderId,
}

/// A linked identity.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityView {
    /// Its id.
    pub id: IdentityId,
    /// Moves with every change.
    pub version: i64,
    /// When it was linked.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// The provider.
    pub provider: ProviderId,
    /// The provider's name.
    pub provider_name: String,
    /// Whom it names.
    pub user: UserId,
    /// As the provider writes it.
    pub subject: String,
    /// What the provider calls the person.
    pub name: String,
}

/// Which identities.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityQuery {
    /// Only after this one.
    #[serde(default)]
    pub after: Option<IdentityId>,
    /// 1 to 200; 0 takes 50.
    #[serde(default)]
    pub limit: u32,
    /// Only this person's.
    #[serde(default)]
    pub user: Option<UserId>,
    /// Only of this provider.
    #[serde(default)]
    pub provider: Option<ProviderId>,
}

/// A way in that the sign-in page offers.
#[derive(Clone, Debug)]
pub struct WayIn {
    /// The provider.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
}

/// What the sign-in page offers beside the password.
#[derive(Clone, Debug, Default)]
pub struct WaysIn {
    /// Providers with a button.
    pub buttons: Vec<WayIn>,
    /// Whether any mail domain leads to a provider.
    pub by_mail: bool,
}

/// What for a person is sent to a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// To sign in.
    SignIn,
    /// To link their account here to the one there; they are signed in.
    Link,
}

/// A person on the way to a provider.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The provider's address.
    pub to: String,
    /// What their browser carries meanwhile, sealed.
    pub carried: Secret<String>,
}

/// A person back from a provider.
#[derive(Clone, Debug, Default)]
pub struct Returning {
    /// What their browser carried.
    pub carried: Option<Secret<String>>,
    /// `state`.
    pub state: Option<String>,
    /// `code`.
    pub code: Option<Secret<String>>,
    /// `iss` (RFC 9207).
    pub issuer: Option<String>,
    /// `error`.
    pub error: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum CameBack {
    /// A sign-in went on.
    Step(SignInStep),
    /// The account is linked.
    Linked,
}
