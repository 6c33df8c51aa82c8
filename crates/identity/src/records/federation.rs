//! Outside identity providers, whom they vouch for, and which mail domains lead to them.

use sekisho_kernel::{
    RecordDef, Time,
    id::{ProviderId, RoleId, UserId},
};
use sekisho_vault::Record;
use serde::{Deserialize, Serialize};

use super::{ClearValues, IDENTITY_PROVIDER, MAIL_DOMAIN, OUTSIDE_IDENTITY, SAML_KEY, SAML_PARTING};
use crate::types::LeaveTo;

/// The outside provider of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameBy {
    /// Which.
    pub provider: ProviderId,
    /// The mark of its own session (`sid`, `SessionIndex`), where it told one.
    #[serde(default)]
    pub session: Option<[u8; 16]>,
    /// That session as a SAML provider calls it, to be named when the person signs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// When the provider says that the session ends, at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
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

/// Where a SAML provider takes logout messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlLogout {
    /// Requests.
    pub location: String,
    /// Answers.
    pub response: String,
    /// Whether by HTTP-POST; else by HTTP-Redirect.
    #[serde(default)]
    pub post: bool,
}

/// What a SAML provider's metadata says, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlMetadata {
    /// Its entity id, to the letter; never changed, since names are the provider's.
    pub entity_id: String,
    /// Certificates whose keys sign for it, DER in base64.
    pub certificates: Vec<String>,
    /// Where people are sent.
    pub sign_on: String,
    /// Whether by HTTP-POST; else by HTTP-Redirect.
    #[serde(default)]
    pub post: bool,
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
    /// Whether who signs out here signs out there.
    #[serde(default = "yes")]
    pub single_logout: bool,
    /// What was found when the address was last looked at.
    #[serde(default)]
    pub look: Option<SamlLook>,
    /// Fingerprints of certificates that it had: none of them comes back by itself.
    #[serde(default)]
    pub left: Vec<String>,
}

impl SamlSettings {
    /// Those that a provider begins with: `metadata`, read at `url` or pasted. What it may leave out is the strictest that every
    /// provider can do.
    pub fn new(metadata: SamlMetadata, url: Option<String>, read: Time) -> Self {
        Self {
            metadata,
            url,
            read,
            signed: SamlSigned::Assertion,
            encrypted: false,
            unsolicited: false,
            single_logout: true,
            look: None,
            left: Vec::new(),
        }
    }
}

const fn yes() -> bool {
    true
}

/// What was found where a provider's metadata is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlLook {
    /// When.
    pub at: Time,
    /// What.
    #[serde(flatten)]
    pub found: SamlFound,
}

/// How metadata stood to what is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "lowercase")]
pub enum SamlFound {
    /// It says the same.
    Same,
    /// It said more, under a signature that is trusted: it is registered now.
    Taken,
    /// It says something else that an administrator has to look at: the fingerprints of its certificates.
    Waiting {
        /// SHA-256, hexadecimal.
        certificates: Vec<String>,
    },
    /// It could not be read.
    Failed {
        /// Why, in Japanese.
        ja: String,
        /// Why, in English.
        en: String,
    },
}

impl SamlFound {
    /// Its name in answers and in the history.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Taken => "taken",
            Self::Waiting { .. } => "waiting",
            Self::Failed { .. } => "failed",
        }
    }
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
    /// It has signed; it opens what is still encrypted to it.
    Old,
}

/// A key of ours towards SAML providers.
#[derive(Clone, Serialize, Deserialize)]
pub struct SamlKey {
    /// 1 for the tenant's first; each is made once, whichever node makes it.
    #[serde(default = "first")]
    pub turn: u32,
    /// What it is to them.
    pub stage: KeyStage,
    /// PKCS#8 in base64.
    pub key: String,
    /// The certificate, DER in base64.
    pub certificate: String,
}
/// The number of a key from before keys were numbered: there was one.
const fn first() -> u32 {
    1
}
impl Record for SamlKey {
    const DEF: &'static RecordDef = &SAML_KEY;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("turn", self.turn.to_string())]
    }
    fn clear(&self) -> ClearValues {
        Vec::new()
    }
}

/// An application's person who has been led on to sign out at their provider. The pointer `saml-goodbye` leads here from the
/// request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SamlParting {
    /// Who has yet to answer.
    pub provider: ProviderId,
    /// The RelayState that has to come back.
    pub state: String,
    /// Where the person goes then.
    pub to: LeaveTo,
    /// When it runs out.
    pub expires: Time,
}
impl Record for SamlParting {
    const DEF: &'static RecordDef = &SAML_PARTING;
    fn clear(&self) -> ClearValues {
        vec![("expires", self.expires.into())]
    }
}
