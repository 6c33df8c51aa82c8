//! The record types: the one declaration of each table of this crate, and what is sealed in it.

mod federation;
mod oauth;
mod passkeys;
mod relations;
mod signals;

use std::collections::BTreeMap;

use sekisho_kernel::{
    RecordDef, Text,
    access::UserType,
    catalogue::{Clear, DataClass, IndexedField, Protection, Retention},
    id::{ApplicationId, ProviderId, RoleId, ScimGroupId, SigningClientId, SiteId, UserId},
};
use sekisho_vault::{ClearValue, Record};
use serde::{Deserialize, Serialize};

pub use federation::{
    CameBy, ClaimNames, IdentityProvider, KeyStage, MailDomain, OidcSettings, OutsideIdentity, Protocol, RoleRule,
    SamlFound, SamlKey, SamlLogout, SamlLook, SamlMetadata, SamlParting, SamlSettings, SamlSigned,
};
pub use oauth::{
    Application, ApplicationState, Backchannel, Consent, DeviceState, OauthDevice, OauthGrant, OauthKey, OauthPush,
    PersonScope,
};
pub use passkeys::Passkey;
pub use relations::{Relation, Side};
pub use signals::{
    About, CredentialChanged, Initiator, SignalEvent, SignalKey, SignalKind, SignalReceiver, SubjectForm,
};

use crate::types::UserState;

type ClearValues = Vec<(&'static str, ClearValue)>;

macro_rules! def {
    ($c:ident $table:literal $ja:literal $en:literal $class:ident $prot:ident $ret:expr, [$($ix:literal $un:literal),*], [$($col:literal $ty:ident),*]) => {
        #[doc = $en]
        pub static $c: RecordDef = RecordDef {
            table: $table, text: Text::new($ja, $en), class: DataClass::$class, protection: Protection::$prot,
            retention: $ret, indexed: &[$(IndexedField { name: $ix, unique: $un }),*], clear: &[$(($col, Clear::$ty)),*],
        };
    };
}

def!(TENANT_SETTING "tenant_setting" "組織の名称、ポリシーおよび機能の設定" "An organisation's name, policy and function switches"
    Configuration Sealed Retention::UntilDeleted, [], ["rights_version" Int]);
def!(TENANT_HOST "tenant_host" "組織のホスト名" "An organisation's host names"
    Configuration Sealed Retention::UntilDeleted, [], []);
def!(USER_ACCOUNT "user_account" "ユーザーの名前、表示名、メールアドレス" "Users: name, display name, mail address"
    Personal Sealed Retention::UntilDeleted, ["name" true, "mail" true],
    ["user_type" Code, "state" Code, "site_id" Opaque, "rights_version" Int]);
def!(CREDENTIAL "credential" "パスワードのハッシュ" "Password hashes"
    Personal Sealed Retention::UntilDeleted, [], []);
def!(FACTOR "factor" "第 2 要素（認証アプリの共有鍵）" "Second factors: the secret shared with an authenticator"
    Personal Sealed Retention::UntilDeleted, [], ["user_id" Opaque, "confirmed" Int, "step" Int]);
def!(PASSKEY "passkey" "パスキー（名称、公開鍵、認証器の機種）" "Passkeys: name, public key, model of the authenticator"
    Personal Sealed Retention::UntilDeleted, ["credential" true],
    ["user_id" Opaque, "sign_count" Int, "backed_up" Int, "last_used" Int]);
def!(PASSKEY_CEREMONY "passkey_ceremony" "使用済みのパスキー要求" "Challenges of passkeys that are used up"
    Metadata ClearByGoldenFile Retention::UntilExpiry, [], ["expires" Int]);
def!(RECOVERY_CODES "recovery_codes" "リカバリーコードのハッシュ" "Hashes of recovery codes"
    Personal Sealed Retention::UntilDeleted, [], []);
def!(CUSTOM_ROLE "custom_role" "ロールの名称と権限" "Roles: name and rights"
    Configuration Sealed Retention::UntilDeleted, ["name" true], []);
def!(ROLE_GRANT "role_grant" "ロールの付与" "Grants of roles"
    Configuration Sealed Retention::UntilDeleted, [], ["user_id" Opaque, "role_id" Opaque, "site_id" Opaque]);
def!(SITE "site" "拠点の名称と説明" "Sites: name and note"
    Configuration Sealed Retention::UntilDeleted, ["name" true], []);
def!(ADDRESS_RULE "address_rule" "接続元アドレス制限" "Address rules"
    Configuration Sealed Retention::UntilDeleted, [], []);
def!(USER_SESSION "user_session" "セッション（接続元アドレス、ブラウザー）" "Sessions: source address and browser"
    Personal Sealed Retention::UntilExpiry, [], ["user_id" Opaque, "signed_in" Int, "last_used" Int, "ends" Int]);
def!(ONE_TIME_LINK "one_time_link" "一回限りのリンク" "One-time links"
    Metadata Sealed Retention::UntilExpiry, [], ["user_id" Opaque, "expires" Int]);
def!(OAUTH_APPLICATION "oauth_application" "第三者のアプリケーション（名称、戻り先、権限。秘密はハッシュのみ）" "Third-party applications: name, addresses, rights, and the secret's hash alone"
    Configuration Sealed Retention::UntilDeleted, ["name" true],
    ["state" Code, "sent" Int, "last_sent" Int, "failing" Int, "dropped" Int, "overflow" Int, "trouble" Code]);
def!(OAUTH_CONSENT "oauth_consent" "アプリケーションへの同意" "People's consents to applications"
    Personal Sealed Retention::UntilDeleted, [], ["application_id" Opaque, "user_id" Opaque]);
def!(OAUTH_GRANT "oauth_grant" "アプリケーションが保持するトークン（ハッシュと権限）" "What applications hold: hashes and rights of their tokens"
    Personal Sealed Retention::UntilExpiry, [], ["application_id" Opaque, "user_id" Opaque, "expires" Int]);
def!(OAUTH_KEY "oauth_key" "ID トークンとシグナルに署名する鍵" "Keys that sign ID tokens and signals"
    KeyMaterial Sealed Retention::UntilDeleted, ["turn" true], []);
def!(OAUTH_PUSH "oauth_push" "アプリケーションから先に届いた認可の要求" "Requests for authorisation that applications have pushed"
    Metadata Sealed Retention::UntilExpiry, [], ["expires" Int]);
def!(OAUTH_DEVICE "oauth_device" "利用者の許可を待つ機器（ブラウザーなし）" "Devices without a browser that wait for a person"
    Personal Sealed Retention::UntilExpiry, ["code" true], ["expires" Int, "polled" Int, "wait" Int, "fast" Int]);
def!(OAUTH_PROOF "oauth_proof" "使用済みの鍵所持の証明（DPoP）" "Proofs of possession that are used up"
    Metadata ClearByGoldenFile Retention::UntilExpiry, [], ["expires" Int]);
def!(API_TOKEN "api_token" "API トークン（名称、権限、接続元。トークン自体はハッシュのみ）" "API tokens: name, scope, addresses, and the token's hash alone"
    Personal Sealed Retention::UntilExpiry, [], ["user_id" Opaque, "expires" Int, "last_used" Int]);
def!(SIGNING_CLIENT "signing_client" "署名クライアントの名称と鍵" "Signing clients: name and key"
    Configuration Sealed Retention::UntilDeleted, ["name" true], []);
def!(UNIQUE_ID "unique_id" "署名クライアントの一意の ID と利用者の対応" "Which unique ID of a signing client is which person"
    Personal Sealed Retention::UntilDeleted, ["link" true], ["client_id" Opaque, "user_id" Opaque]);
def!(SCIM_PROFILE "scim_profile" "SCIM で受け取ったユーザーの属性" "What an identity provider says of people by SCIM"
    Personal Sealed Retention::UntilDeleted, ["external" false], []);
def!(SCIM_GROUP "scim_group" "SCIM で連携したグループ（名称、対応するロール）" "Groups provisioned by SCIM: name, and the role they give"
    Configuration Sealed Retention::UntilDeleted, ["name" true, "external" false], ["role_id" Opaque, "site_id" Opaque]);
def!(SCIM_MEMBER "scim_member" "SCIM で連携したグループのメンバー" "Who is a member of which provisioned group"
    Personal Sealed Retention::UntilDeleted, [], ["group_id" Opaque, "user_id" Opaque]);
def!(IDENTITY_PROVIDER "identity_provider" "外部の ID プロバイダー（名称、発行者、クライアントの秘密、ロールの対応）" "Identity providers: name, issuer, client secret, role rules"
    Configuration Sealed Retention::UntilDeleted, ["name" true], ["enabled" Int]);
def!(OUTSIDE_IDENTITY "outside_identity" "ID プロバイダーの利用者とユーザーの対応" "Which subject of an identity provider is which person"
    Personal Sealed Retention::UntilDeleted, ["link" true], ["provider_id" Opaque, "user_id" Opaque]);
def!(MAIL_DOMAIN "mail_domain" "ID プロバイダーへつながるメールドメイン" "Mail domains that lead to an identity provider"
    Configuration Sealed Retention::UntilDeleted, ["domain" true], ["provider_id" Opaque, "verified" Int]);
def!(SAML_KEY "saml_key" "SAML の署名および復号の鍵" "Keys that sign and open SAML messages"
    Configuration Sealed Retention::UntilDeleted, ["turn" true], []);
def!(SAML_PARTING "saml_parting" "SAML プロバイダーでサインアウトしたあとに戻る、アプリケーションのアドレス" "Addresses of applications to which people go back from signing out at a SAML provider"
    Metadata Sealed Retention::UntilExpiry, [], ["expires" Int]);
def!(TRY_COUNTER "try_counter" "サインイン失敗の計数" "Counters of failed sign-ins"
    Metadata ClearByGoldenFile Retention::UntilExpiry, [],
    ["places" Int, "failed" Int, "locked" Int, "expires" Int]);
def!(SIGN_IN_PLACE "sign_in_place" "途中のサインイン" "Sign-ins under way"
    Metadata ClearByGoldenFile Retention::UntilExpiry, [], ["expires" Int]);

def!(SIGNAL_RECEIVER "signal_receiver" "シグナルの受信側（名称、アドレス、トークン）" "Receivers of security signals: name, address, token"
    Configuration Sealed Retention::UntilDeleted, ["name" true],
    ["enabled" Int, "sent" Int, "last_sent" Int, "failing" Int, "dropped" Int, "overflow" Int, "trouble" Code]);
def!(SIGNAL_EVENT "signal_event" "送信待ちのシグナル" "Security signals that wait to be sent"
    Personal Sealed Retention::UntilExpiry, [], ["receiver_id" Opaque, "due" Int, "expires" Int]);
def!(SIGNAL_KEY "signal_key" "以前のシグナルの署名鍵" "Keys that have signed security signals"
    Configuration Sealed Retention::UntilDeleted, [], []);
def!(RISK_PROFILE "risk_profile" "サインインに使った端末、ネットワークおよび最後の場所" "Browsers and networks of a person's sign-ins, and the last place"
    Personal Sealed Retention::UntilDeleted, [], []);
def!(RISK_STATE "risk_state" "直前の不審なサインインの程度" "The level of a risky sign-in a moment ago"
    Metadata ClearByGoldenFile Retention::UntilExpiry, [], ["level" Int, "expires" Int]);
def!(RISK_MARK "risk_mark" "接続元とアカウントごとのサインイン失敗の計数（鍵付きハッシュ）" "Failed sign-ins by address and account, under keyed hashes"
    Metadata ClearByGoldenFile Retention::UntilExpiry, [],
    ["address" Opaque, "name" Opaque, "tries" Int, "expires" Int]);

def!(RELATION "relation" "誰と誰が連絡できるかを定める関係（メモを含む）" "Relations: who may reach whom, and a note"
    Personal Sealed Retention::UntilDeleted, [], ["one_id" Opaque, "other_id" Opaque, "starts" Int, "ends" Int]);

/// Every table of this crate.
pub const RECORDS: &[&RecordDef] = &[
    &TENANT_SETTING,
    &TENANT_HOST,
    &USER_ACCOUNT,
    &CREDENTIAL,
    &FACTOR,
    &PASSKEY,
    &PASSKEY_CEREMONY,
    &RECOVERY_CODES,
    &CUSTOM_ROLE,
    &ROLE_GRANT,
    &SITE,
    &ADDRESS_RULE,
    &USER_SESSION,
    &ONE_TIME_LINK,
    &OAUTH_APPLICATION,
    &OAUTH_CONSENT,
    &OAUTH_GRANT,
    &OAUTH_KEY,
    &OAUTH_PUSH,
    &OAUTH_PROOF,
    &OAUTH_DEVICE,
    &API_TOKEN,
    &SIGNING_CLIENT,
    &UNIQUE_ID,
    &SCIM_PROFILE,
    &SCIM_GROUP,
    &SCIM_MEMBER,
    &IDENTITY_PROVIDER,
    &OUTSIDE_IDENTITY,
    &MAIL_DOMAIN,
    &SAML_KEY,
    &SAML_PARTING,
    &TRY_COUNTER,
    &SIGN_IN_PLACE,
    &SIGNAL_RECEIVER,
    &SIGNAL_EVENT,
    &SIGNAL_KEY,
    &RISK_PROFILE,
    &RISK_STATE,
    &RISK_MARK,
    &RELATION,
];

/// One per tenant; its id is the tenant's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TenantSetting {
    /// The organisation's name.
    pub name: String,
    /// The tenant's own policy, `section.key` → the value as JSON.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Names of functions switched off for everybody.
    #[serde(default)]
    pub functions_off: Vec<String>,
}
impl Record for TenantSetting {
    const DEF: &'static RecordDef = &TENANT_SETTING;
}

/// What a host name stands for. The platform's pointer `host` leads here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TenantHost {
    /// Lower-case, without port.
    pub host: String,
    /// Whether it is the console's; else an application's.
    pub console: bool,
}
impl Record for TenantHost {
    const DEF: &'static RecordDef = &TENANT_HOST;
}

/// The code of a service account in the clear column of types.
pub const SERVICE: &str = "service";

/// A person's account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserAccount {
    /// Sign-in name.
    pub name: String,
    /// What people call them.
    pub display_name: String,
    /// Mail address.
    #[serde(default)]
    pub mail: Option<String>,
    /// Built-in type.
    pub kind: UserType,
    /// Whether the account may sign in.
    pub state: UserState,
    /// The site the person belongs to.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Names of functions switched off for this person.
    #[serde(default)]
    pub functions_off: Vec<String>,
    /// Whether no person is behind it: it signs in by API tokens alone.
    #[serde(default)]
    pub service: bool,
    /// Whether it is an identity provider's: it may provision people by SCIM.
    #[serde(default)]
    pub provisioner: bool,
    /// Of which provider its `externalId`s are the subjects, if it is an identity provider's that an administrator believes so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_provider: Option<ProviderId>,
    /// Whether a second factor that was taken away must be set up anew at the next sign-in.
    #[serde(default)]
    pub renew_factor: bool,
    /// What the person has accepted, oldest first; the newest [`MOST_ACCEPTED`].
    #[serde(default)]
    pub terms: Vec<Accepted>,
}

/// Most acceptances of one person that an account keeps; all of them are in the log.
pub const MOST_ACCEPTED: usize = 20;

/// A version of the terms of use that somebody has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The version.
    pub version: String,
    /// When.
    pub at: sekisho_kernel::Time,
}
impl Record for UserAccount {
    const DEF: &'static RecordDef = &USER_ACCOUNT;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![("name", self.name.clone())];
        out.extend(self.mail.clone().map(|m| ("mail", m)));
        out
    }
    fn clear(&self) -> ClearValues {
        let kind = if self.service { SERVICE } else { self.kind.name() };
        vec![("user_type", kind.into()), ("state", self.state.code().into()), ("site_id", self.site.into())]
    }
}

impl UserState {
    /// The code of the clear column.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Disabled => "disabled",
        }
    }
}

/// A person's password. Its id is the user's.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// PHC string (Argon2id).
    pub password: String,
    /// When it was set, microseconds.
    pub changed: sekisho_kernel::Time,
    /// PHC strings of earlier ones, newest first.
    #[serde(default)]
    pub history: Vec<String>,
}
impl Record for Credential {
    const DEF: &'static RecordDef = &CREDENTIAL;
}

/// A second factor.
#[derive(Clone, Serialize, Deserialize)]
pub struct Factor {
    /// Whose.
    pub user: UserId,
    /// Base32.
    pub secret: String,
    /// Whether a code has confirmed it.
    pub confirmed: bool,
}
impl Record for Factor {
    const DEF: &'static RecordDef = &FACTOR;
    /// The step is bookkeeping's: a code is taken by moving it on.
    fn clear(&self) -> ClearValues {
        vec![("user_id", self.user.into()), ("confirmed", self.confirmed.into())]
    }
}

/// A person's recovery codes. Its id is the user's.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// SHA-256, hex, of those not used yet.
    pub hashes: Vec<String>,
}
impl Record for RecoveryCodes {
    const DEF: &'static RecordDef = &RECOVERY_CODES;
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CustomRole {
    /// Its name.
    pub name: String,
    /// Names of rights. One that has left the catalogue gives nothing.
    pub rights: Vec<String>,
}
impl Record for CustomRole {
    const DEF: &'static RecordDef = &CUSTOM_ROLE;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone())]
    }
}

/// A role granted to a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoleGrant {
    /// To whom.
    pub user: UserId,
    /// What.
    pub role: sekisho_kernel::id::RoleId,
    /// Where; the whole tenant without.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Whether somebody granted it by hand.
    #[serde(default = "yes")]
    pub direct: bool,
    /// The provisioned groups that give it.
    #[serde(default)]
    pub groups: Vec<ScimGroupId>,
}
/// Grants from before there were groups were all made by hand.
const fn yes() -> bool {
    true
}
impl Record for RoleGrant {
    const DEF: &'static RecordDef = &ROLE_GRANT;
    fn clear(&self) -> ClearValues {
        // Without a site the column holds the nil id, since UNIQUE takes NULLs for different from each other.
        let site = self.site.unwrap_or(SiteId::NIL);
        vec![("user_id", self.user.into()), ("role_id", self.role.into()), ("site_id", site.into())]
    }
}

/// A site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Free text.
    #[serde(default)]
    pub note: String,
}
impl Record for Site {
    const DEF: &'static RecordDef = &SITE;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone())]
    }
}

/// A network from which people may come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AddressRule {
    /// CIDR.
    #[serde(with = "cidr")]
    pub network: ipnet::IpNet,
    /// Free text.
    #[serde(default)]
    pub note: String,
}
/// Networks as text.
mod cidr {
    use serde::Deserialize;

    pub fn serialize<S: serde::Serializer>(net: &ipnet::IpNet, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(net)
    }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<ipnet::IpNet, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}
impl Record for AddressRule {
    const DEF: &'static RecordDef = &ADDRESS_RULE;
}

/// One host's token of a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HostToken {
    /// The host whose cookie holds it.
    pub host: String,
    /// What the pointer `session` has for a key, hex: the token's SHA-256.
    pub key: String,
}

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserSession {
    /// Whose.
    pub user: UserId,
    /// When the person signed in.
    pub signed_in: sekisho_kernel::Time,
    /// The address it was made from.
    pub address: String,
    /// What the browser called itself.
    pub browser: String,
    /// The console host's token first, then one of each application host.
    pub tokens: Vec<HostToken>,
    /// By which outside provider the person came in, and in which of its sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<CameBy>,
    /// From which the keys of what its pages keep on the device are made. It goes with the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceSecret>,
    /// Which applications have learned of it, by an ID token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<SignedInTo>,
}

/// An application to which a person has signed in, in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedInTo {
    /// Which.
    pub application: ApplicationId,
    /// What its ID tokens call us.
    pub issuer: String,
}

/// 32 random bytes, base64url.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeviceSecret(pub String);
impl std::fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSecret")
    }
}
impl Record for UserSession {
    const DEF: &'static RecordDef = &USER_SESSION;
    /// The last use is bookkeeping's.
    fn clear(&self) -> ClearValues {
        let ends = self.provider.as_ref().and_then(|p| p.until);
        vec![("user_id", self.user.into()), ("signed_in", self.signed_in.into()), ("ends", ends.into())]
    }
}

/// An API token. The pointer `token` leads here from its hash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiToken {
    /// Whose rights it has at most.
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// Its scope: names of rights.
    pub rights: Vec<String>,
    /// Networks from which it may be used; none admits all.
    #[serde(default)]
    pub networks: Vec<String>,
    /// SHA-256 of the token, hex: the pointer's key.
    pub key: String,
    /// When it runs out.
    pub expires: sekisho_kernel::Time,
}
impl Record for ApiToken {
    const DEF: &'static RecordDef = &API_TOKEN;
    /// The last use is bookkeeping's.
    fn clear(&self) -> ClearValues {
        vec![("user_id", self.user.into()), ("expires", self.expires.into())]
    }
}

/// An application that signs its users in by unique ID and signature.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningClient {
    /// Its name.
    pub name: String,
    /// Free text.
    #[serde(default)]
    pub note: String,
    /// The key of its signatures, as it was shown once: both sides compute with it, so that a hash would not do.
    pub secret: String,
    /// Whether it signs nobody in for now.
    #[serde(default)]
    pub disabled: bool,
}
impl Record for SigningClient {
    const DEF: &'static RecordDef = &SIGNING_CLIENT;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone())]
    }
}

/// Which person a unique ID of a signing client is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UniqueId {
    /// Whose ID it is.
    pub client: SigningClientId,
    /// Whom it names.
    pub user: UserId,
    /// As the application writes it.
    pub unique_id: String,
}
impl Record for UniqueId {
    const DEF: &'static RecordDef = &UNIQUE_ID;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("link", crate::clients::link_key(self.client, &self.unique_id))]
    }
    fn clear(&self) -> ClearValues {
        vec![("client_id", self.client.into()), ("user_id", self.user.into())]
    }
}

/// What is known of a person's sign-ins. Its id is the user's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RiskProfile(pub crate::risk::Known);
impl Record for RiskProfile {
    const DEF: &'static RecordDef = &RISK_PROFILE;
}

/// What a one-time link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// A person sets a password, the first or again.
    Invite,
    /// The first administrator sets a password.
    FirstAdministrator,
    /// An administrator comes back in: the second factor goes too.
    Recover,
}

/// A one-time link.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct OneTimeLink {
    /// For whom.
    pub user: UserId,
    /// What for.
    pub purpose: LinkPurpose,
    /// When it runs out.
    pub expires: sekisho_kernel::Time,
    /// SHA-256 of the token: the pointer's key.
    pub key: [u8; 32],
}
impl Record for OneTimeLink {
    const DEF: &'static RecordDef = &ONE_TIME_LINK;
    fn clear(&self) -> ClearValues {
        vec![("user_id", self.user.into()), ("expires", self.expires.into())]
    }
}

/// What SCIM says of a person beyond the account. Its id is the user's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScimProfile {
    /// The provisioning client's own identifier.
    #[serde(default)]
    pub external_id: Option<String>,
    /// Attributes by their canonical names, without what the account holds.
    #[serde(default)]
    pub attributes: serde_json::Map<String, serde_json::Value>,
}
impl Record for ScimProfile {
    const DEF: &'static RecordDef = &SCIM_PROFILE;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        self.external_id.iter().map(|e| ("external", e.clone())).collect()
    }
}

/// A group that an identity provider keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScimGroup {
    /// Its name.
    pub name: String,
    /// The provisioning client's own identifier.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The role that an administrator lets it give.
    #[serde(default)]
    pub role: Option<RoleId>,
    /// Where; the whole tenant without.
    #[serde(default)]
    pub site: Option<SiteId>,
}
impl Record for ScimGroup {
    const DEF: &'static RecordDef = &SCIM_GROUP;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        let mut out = vec![("name", self.name.clone())];
        out.extend(self.external_id.clone().map(|e| ("external", e)));
        out
    }
    fn clear(&self) -> ClearValues {
        vec![("role_id", self.role.into()), ("site_id", self.site.into())]
    }
}

/// Somebody's membership of a group.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ScimMember {
    /// Of which.
    pub group: ScimGroupId,
    /// Whose.
    pub user: UserId,
}
impl Record for ScimMember {
    const DEF: &'static RecordDef = &SCIM_MEMBER;
    fn clear(&self) -> ClearValues {
        vec![("group_id", self.group.into()), ("user_id", self.user.into())]
    }
}
