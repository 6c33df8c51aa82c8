//! Outside identity providers, mail domains and linked identities, as they are given and shown.

use sekisho_kernel::{
    Secret, Text, Time,
    hook::Onward,
    id::{IdentityId, MailDomainId, ProviderId, SamlKeyId, UserId},
};
use serde::{Deserialize, Serialize};

use super::{rfc3339, secret_option};
pub use crate::records::{ClaimNames, KeyStage, RoleRule, SamlSigned};
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
    /// `oidc` or `saml`.
    pub protocol: &'static str,
    /// Its issuer, or its entity id.
    pub issuer: String,
    /// Our name there; empty for SAML, where our entity id is the address of our metadata.
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
    /// What a SAML provider has beside.
    pub saml: Option<SamlView>,
}

/// What a SAML provider's metadata says, and what is asked of its answers.
#[derive(Clone, Debug, Serialize)]
pub struct SamlView {
    /// Certificates whose keys sign for it.
    pub certificates: Vec<CertificateView>,
    /// Where people are sent.
    pub sign_on: String,
    /// Where its metadata was read; `None` when it was pasted.
    pub metadata_url: Option<String>,
    /// When it was read.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub read_at: Time,
    /// After this nothing of it is believed.
    #[serde(serialize_with = "rfc3339::option")]
    pub valid_until: Option<Time>,
    /// Which signatures its answers must carry.
    pub signed: SamlSigned,
    /// Whether only encrypted assertions are taken.
    pub encrypted: bool,
    /// Whether it may begin.
    pub unsolicited: bool,
    /// Where its logout requests go; `None` when its metadata names nothing.
    pub logout: Option<String>,
    /// Whether who signs out here signs out there.
    pub single_logout: bool,
    /// What was found when its address was last looked at; `None` before, and when its metadata was pasted.
    pub look: Option<SamlLookView>,
}

/// What was found where a provider's metadata is published.
#[derive(Clone, Debug, Serialize)]
pub struct SamlLookView {
    /// When.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub at: Time,
    /// `same`, `taken`, `waiting` for an administrator, or `failed`.
    pub found: &'static str,
    /// Fingerprints of the certificates of what waits.
    pub certificates: Vec<String>,
    /// Why it failed.
    pub says: Option<Says>,
}

/// A sentence in both languages.
#[derive(Clone, Debug, Serialize)]
pub struct Says {
    /// In Japanese.
    pub ja: String,
    /// In English.
    pub en: String,
}

/// A certificate.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateView {
    /// SHA-256 over its DER, hexadecimal.
    pub fingerprint: String,
    /// Its last day; its key counts, not its dates.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub not_after: Time,
}

/// A key of ours towards SAML providers.
#[derive(Clone, Debug, Serialize)]
pub struct SamlKeyView {
    /// Its id.
    pub id: SamlKeyId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When its stage last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// What it is to providers.
    pub stage: KeyStage,
    /// SHA-256 over its certificate, hexadecimal.
    pub fingerprint: String,
    /// The certificate's last day.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub not_after: Time,
    /// Whether that is so near that another is wanted.
    pub due: bool,
}

/// A new SAML provider. One of `metadata` and `metadata_url` must be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSamlProvider {
    /// 1 to 128 characters.
    pub name: String,
    /// Its metadata, XML.
    #[serde(default)]
    pub metadata: Option<String>,
    /// Where its metadata is, https.
    #[serde(default)]
    pub metadata_url: Option<String>,
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
    /// A SAML provider's metadata, anew.
    #[serde(default)]
    pub metadata: Option<String>,
    /// Where it is read anew.
    #[serde(default)]
    pub metadata_url: Option<String>,
    /// Which signatures a SAML provider's answers must carry.
    #[serde(default)]
    pub signed: Option<SamlSigned>,
    /// Whether only encrypted assertions are taken.
    #[serde(default)]
    pub encrypted: Option<bool>,
    /// Whether a SAML provider may begin.
    #[serde(default)]
    pub unsolicited: Option<bool>,
    /// SAML: whether who signs out here signs out there.
    #[serde(default)]
    pub single_logout: Option<bool>,
}

/// One thing that was looked at when a provider was tried.
#[derive(Clone, Debug)]
pub struct Check {
    /// `discovery`, `keys`, `client`; `metadata`, `certificates`, `own`.
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
    /// To prove again who is there, before a first passkey; they are signed in.
    Confirm,
}

/// A person on the way to a provider.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// The provider's address.
    pub to: String,
    /// What a form posts there; empty where the browser just goes.
    pub fields: Vec<(&'static str, String)>,
    /// What their browser carries meanwhile, sealed.
    pub carried: Secret<String>,
    /// Whether another site's page posts the answer: the cookie has to come along then.
    pub posted_back: bool,
}

/// A SAML logout message, as it came.
#[derive(Clone, Debug)]
pub enum SamlLogoutMessage {
    /// HTTP-Redirect: the raw query.
    Query(String),
    /// HTTP-POST.
    Form {
        /// `SAMLRequest` or `SAMLResponse`.
        field: String,
        /// `RelayState`.
        relay_state: Option<String>,
        /// Whether it was the latter.
        answer: bool,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SamlFarewell {
    /// The sessions that a provider named have ended; the answer to it, where it takes one.
    Asked(Option<Onward>),
    /// A provider has answered a person's sign-out.
    Answered {
        /// Whether the person may still be signed in elsewhere.
        partial: bool,
        /// The address of the application that they came from to sign out.
        to: Option<String>,
    },
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

/// A person back from a SAML provider.
#[derive(Clone, Debug)]
pub struct SamlReturning {
    /// What their browser carried.
    pub carried: Option<Secret<String>>,
    /// `SAMLResponse`, as it came.
    pub response: String,
    /// `RelayState`.
    pub relay_state: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum CameBack {
    /// A sign-in went on.
    Step(SignInStep),
    /// The account is linked.
    Linked,
    /// The person is who they were: what stands in for a password when they register a first passkey, once.
    Confirmed(Secret<String>),
}
