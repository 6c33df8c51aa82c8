//! Outside identity providers, whom they vouch for, and which mail domains lead to them.

use sekisho_kernel::{
    RecordDef, Time,
    id::{ProviderId, RoleId, UserId},
};
use sekisho_vault::Record;
use serde::{Deserialize, Serialize};

use super::{ClearValues, IDENTITY_PROVIDER, MAIL_DOMAIN, OUTSIDE_IDENTITY, SAML_KEY};

/// The outside provider of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameBy {
    /// Which.
    pub provider: ProviderId,
    /// The mark of its own session (`sid`), where it told one.
    #[serde(default)]
    pub session: Option<[u8; 16]>,
}

/// A claim that gives a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The claim, by its name or by a path of names with dots between.
    pub claim: String,
    /// The value that it has, or that is in its list, to the letter.
    pub value: String,
    /// The role.
    pub role: RoleId,
}

/// What an OpenID provider needs.
#[derive(Clone, Serialize, Deserialize)]
pub struct OidcSettings {
    /// Its issuer, to the letter; never changed, since subjects are the issuer's.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there; `None` for a client without.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Whether the userinfo endpoint is asked too.
    #[serde(default)]
    pub userinfo: bool,
}

/// Which signatures a SAML provider's answers must carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SamlSigned {
    /// The assertion's own.
    #[default]
    Assertion,
    /// The whole response's.
    Response,
    /// Both.
    Both,
}

/// Where a SAML provider takes logout messages, by HTTP-Redirect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlLogout {
    /// Requests.
    pub location: String,
    /// Answers.
    pub response: String,
}

/// What a SAML provider's metadata says, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlMetadata {
    /// Its entity id, to the letter; never changed, since names are the provider's.
    pub entity_id: String,
    /// Certificates whose keys sign for it, DER in base64.
    pub certificates: Vec<String>,
    /// Where people are sent, by HTTP-Redirect.
    pub sign_on: String,
    /// Where logout messages go, if anywhere.
    #[serde(default)]
    pub logout: Option<SamlLogout>,
    /// After this nothing of it is believed.
    #[serde(default)]
    pub valid_until: Option<Time>,
}

/// What a SAML provider needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SamlSettings {
    /// What it says of itself.
    pub metadata: SamlMetadata,
    /// Where its metadata was read; `None` when it was pasted.
    #[serde(default)]
    pub url: Option<String>,
    /// When it was read.
    pub read: Time,
    /// Signatures that must be there.
    #[serde(default)]
    pub signed: SamlSigned,
    /// Whether only encrypted assertions are taken.
    #[serde(default)]
    pub encrypted: bool,
    /// Whether the provider may begin.
    #[serde(default)]
    pub unsolicited: bool,
}

/// How a provider is spoken to.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "protocol", rename_all = "lowercase")]
pub enum Protocol {
    /// OpenID Connect.
    Oidc(OidcSettings),
    /// SAML 2.0.
    Saml(SamlSettings),
}

/// Which claim is what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimNames {
    /// Sign-in name of a new account.
    pub name: String,
    /// Display name.
    pub display_name: String,
    /// Mail address, taken when the provider says that it is verified.
    pub mail: String,
}

/// An outside identity provider of a tenant.
#[derive(Clone, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// Its name, on the sign-in page too.
    pub name: String,
    /// How it is spoken to.
    #[serde(flatten)]
    pub protocol: Protocol,
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
impl Record for IdentityProvider {
    const DEF: &'static RecordDef = &IDENTITY_PROVIDER;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone())]
    }
    fn clear(&self) -> ClearValues {
        vec![("enabled", self.enabled.into())]
    }
}

/// Which subject of a provider is which person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutsideIdentity {
    /// The provider.
    pub provider: ProviderId,
    /// Whom it names.
    pub user: UserId,
    /// As the provider writes it.
    pub subject: String,
    /// What the provider calls the person, for people to know it by.
    #[serde(default)]
    pub name: String,
    /// Whether the account was made by it: its names follow.
    #[serde(default)]
    pub made: bool,
}
impl Record for OutsideIdentity {
    const DEF: &'static RecordDef = &OUTSIDE_IDENTITY;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("link", crate::federation::identities::link_key(self.provider, &self.subject))]
    }
    fn clear(&self) -> ClearValues {
        vec![("provider_id", self.provider.into()), ("user_id", self.user.into())]
    }
}

/// A mail domain that leads to a provider, once control of it is proven.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MailDomain {
    /// In lower case.
    pub domain: String,
    /// Where it leads.
    pub provider: ProviderId,
    /// What the DNS record holds.
    pub proof: String,
    /// When control of it was proven.
    #[serde(default)]
    pub verified: Option<Time>,
}
impl Record for MailDomain {
    const DEF: &'static RecordDef = &MAIL_DOMAIN;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("domain", self.domain.clone())]
    }
    fn clear(&self) -> ClearValues {
        vec![("provider_id", self.provider.into()), ("verified", self.verified.is_some().into())]
    }
}

/// What a key of ours is to SAML providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyStage {
    /// Published, so that providers know it before it signs.
    Next,
    /// It signs.
    Current,
    /// It opens what is still encrypted to it.
    Old,
}

/// A key of ours towards SAML providers.
#[derive(Clone, Serialize, Deserialize)]
pub struct SamlKey {
    /// What it is to them.
    pub stage: KeyStage,
    /// PKCS#8 in base64.
    pub key: String,
    /// The certificate, DER in base64.
    pub certificate: String,
}
impl Record for SamlKey {
    const DEF: &'static RecordDef = &SAML_KEY;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    fn clear(&self) -> ClearValues {
        Vec::new()
    }
}
