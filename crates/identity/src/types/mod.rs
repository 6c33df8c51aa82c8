//! What engine functions take and give: plain values, no HTTP. Times are written as RFC 3339 in UTC.

mod clients;
mod federation;
mod oauth;
mod passkeys;
mod relations;
mod risk;
mod scim;
mod sign_in;
mod signals;
mod tokens;

use sekisho_kernel::{
    Secret, Text, Time,
    access::UserType,
    id::{AddressRuleId, GrantId, RoleId, ScimGroupId, SiteId, UserId},
};
use serde::{Deserialize, Deserializer, Serialize};

pub use clients::{
    ClientIssued, ClientPatch, ClientView, NewClient, NewUniqueId, SignedSignIn, UniqueIdQuery, UniqueIdView,
};
pub use federation::{
    CameBack, CertificateView, Check, ClaimNames, Errand, IdentityQuery, IdentityView, KeyStage, Leaving,
    MailDomainView, NewMailDomain, NewProvider, NewSamlProvider, ProviderPatch, ProviderView, Returning, RoleRule,
    SamlFarewell, SamlKeyView, SamlLogoutMessage, SamlLookView, SamlReturning, SamlSigned, SamlView, Says, WayIn,
    WaysIn,
};
pub use oauth::{
    ApplicationIssued, ApplicationState, ApplicationView, Authorize, AuthorizeRequest, ConsentView, DeviceAsk,
    DeviceStarted, Introspection, KeyState, Leave, LeaveRequest, LeaveTo, LogoutsView, NewApplication, OauthClient,
    OauthTokens, PersonClaims, PersonScope, Proof, Proved, Pushed, SigningKeyView, TokenAsk, TurnKeys,
};
pub use passkeys::{
    PasskeyAnswer, PasskeyMade, PasskeyOptions, PasskeyPatch, PasskeyResponse, PasskeyView, RelyingParty, SecondFactors,
};
pub use relations::{
    Between, NewRelation, PeopleQuery, PersonCard, ReachAsked, ReachTold, ReachedPerson, RelationQuery, RelationState,
    RelationView, Side, SideView, WhyReach,
};
pub use risk::{RiskChange, RiskDecision, RiskQuery, RiskReplay, RiskReplayed, RiskSources, RiskTally};
pub use scim::{
    ConnectionView, GroupMap, MappedGroupView, NewConnection, ScimList, ScimPrecondition, ScimQuery, ScimResource,
    ScimShape,
};
pub use sign_in::{
    Browser, Enrolment, FactorProof, FactorView, LinkUsed, Me, SessionState, SessionView, SignInStep, SignedIn,
};
pub use signals::{NewReceiver, ReceiverPatch, ReceiverView, SignalKind, SubjectForm};

pub use tokens::{NewOwnToken, NewToken, TokenIssued, TokenQuery, TokenView};

/// Writes a [`Time`] as RFC 3339.
pub mod rfc3339 {
    use sekisho_kernel::Time;

    /// For `#[serde(serialize_with)]`.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn serialize<S: serde::Serializer>(time: &Time, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&time.rfc3339())
    }
    /// The same for a time that may be missing.
    ///
    /// # Errors
    /// The serialiser's.
    pub fn option<S: serde::Serializer>(time: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(t) => s.serialize_some(&t.rfc3339()),
            None => s.serialize_none(),
        }
    }
}

/// A page of a list, by id, oldest first.
#[derive(Clone, Debug, Serialize)]
pub struct Listed<T, I> {
    /// The records.
    pub items: Vec<T>,
    /// The id to go on after, when there is more.
    pub next: Option<I>,
}

/// Whether an account may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserState {
    /// Yes.
    Active,
    /// No password has been set yet; a link has been or can be issued.
    Invited,
    /// No, until it is enabled again.
    Disabled,
}

/// A person's account.
#[derive(Clone, Debug, Serialize)]
pub struct UserView {
    /// Its id.
    pub id: UserId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// The sign-in name, unique within the tenant.
    pub name: String,
    /// What people call them.
    pub display_name: String,
    /// Mail address, unique within the tenant; may be missing.
    pub mail: Option<String>,
    /// The built-in type.
    #[serde(rename = "type")]
    pub kind: UserType,
    /// The site the person belongs to.
    pub site: Option<SiteId>,
    /// Whether the account may sign in.
    pub state: UserState,
    /// Until when failed tries keep the account locked.
    #[serde(serialize_with = "rfc3339::option")]
    pub locked_until: Option<Time>,
    /// Whether a second factor is confirmed.
    pub has_factor: bool,
    /// Names of functions switched off for this person.
    pub functions_off: Vec<String>,
    /// Whether no person is behind it: it signs in by API tokens alone.
    pub service: bool,
    /// The version of the terms that the person accepted last.
    pub terms: Option<AcceptedView>,
}

/// A version of the terms of use that somebody has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AcceptedView {
    /// The version.
    pub version: String,
    /// When.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub at: Time,
}

/// The terms of use in force, and what a person has accepted.
#[derive(Clone, Debug, Serialize)]
pub struct TermsView {
    /// The version in force; `None` where none are asked for.
    pub version: Option<String>,
    /// Where the terms of use can be read.
    pub address: Option<String>,
    /// Where the privacy notice can be read.
    pub privacy_address: Option<String>,
    /// Whether the person has yet to accept it.
    pub due: bool,
    /// What they have accepted, newest first.
    pub accepted: Vec<AcceptedView>,
}

/// A new account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Sign-in name: 1 to 128 characters, no white space or control characters.
    pub name: String,
    /// What people call them: 1 to 128 characters; the name when missing.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Mail address.
    #[serde(default)]
    pub mail: Option<String>,
    /// The built-in type.
    #[serde(rename = "type")]
    pub kind: UserType,
    /// The site the person belongs to.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// A first password; without one an invitation link is made.
    #[serde(default, deserialize_with = "secret_option")]
    pub password: Option<Secret<String>>,
    /// Whether no person is behind it: no password, no link, of the type user, API tokens alone.
    #[serde(default)]
    pub service: bool,
}

/// What to change in an account; what is missing stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// Sign-in name.
    #[serde(default)]
    pub name: Option<String>,
    /// What people call them.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Mail address; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    pub mail: Option<Option<String>>,
    /// The built-in type.
    #[serde(default, rename = "type")]
    pub kind: Option<UserType>,
    /// The site; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    pub site: Option<Option<SiteId>>,
}

/// Which accounts to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct UserQuery {
    /// Only accounts after this one.
    #[serde(default)]
    pub after: Option<UserId>,
    /// 1 to 200; 0 takes 50.
    #[serde(default)]
    pub limit: u32,
    /// The account with exactly this sign-in name (compared NFKC, case-folded).
    #[serde(default)]
    pub name: Option<String>,
    /// Accounts with this text in name, display name or mail; in tenants of at most 10,000 people.
    #[serde(default)]
    pub text: Option<String>,
}

/// An account just made.
#[derive(Clone, Debug)]
pub struct Created {
    /// The account.
    pub user: UserView,
    /// The invitation link's token, where no password was given. Shown once.
    pub link: Option<Secret<String>>,
}

/// A role: a named set of rights.
#[derive(Clone, Debug, Serialize)]
pub struct RoleView {
    /// Its id.
    pub id: RoleId,
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
    /// Names of rights of the catalogue.
    pub rights: Vec<String>,
}

/// A new role, or what a role becomes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    /// 1 to 128 characters.
    pub name: String,
    /// Names of rights of the catalogue.
    pub rights: Vec<String>,
}

/// What to change in a role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolePatch {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// The rights, all of them anew.
    #[serde(default)]
    pub rights: Option<Vec<String>>,
}

/// A role granted to a user.
#[derive(Clone, Debug, Serialize)]
pub struct GrantView {
    /// Its id.
    pub id: GrantId,
    /// Moves when another group gives the same, or none does any more.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// As `created`.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// To whom.
    pub user: UserId,
    /// What.
    pub role: RoleId,
    /// For one site only.
    pub site: Option<SiteId>,
    /// Whether somebody granted it by hand.
    pub direct: bool,
    /// The provisioned groups that give it.
    pub groups: Vec<ScimGroupId>,
}

/// A new grant.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGrant {
    /// To whom.
    pub user: UserId,
    /// What.
    pub role: RoleId,
    /// For one site only; the whole tenant when missing.
    #[serde(default)]
    pub site: Option<SiteId>,
}

/// Which grants to list.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct GrantQuery {
    /// Only after this one.
    #[serde(default)]
    pub after: Option<GrantId>,
    /// 1 to 200; 0 takes 50.
    #[serde(default)]
    pub limit: u32,
    /// Only this person's.
    #[serde(default)]
    pub user: Option<UserId>,
    /// Only of this role.
    #[serde(default)]
    pub role: Option<RoleId>,
}

/// A site.
#[derive(Clone, Debug, Serialize)]
pub struct SiteView {
    /// Its id.
    pub id: SiteId,
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
    /// Free text.
    pub note: String,
}

/// A new site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// 1 to 128 characters.
    pub name: String,
    /// At most 1,000 characters.
    #[serde(default)]
    pub note: String,
}

/// What to change in a site.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SitePatch {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// The note.
    #[serde(default)]
    pub note: Option<String>,
}

/// A network from which the tenant's people may come.
#[derive(Clone, Debug, Serialize)]
pub struct AddressRuleView {
    /// Its id.
    pub id: AddressRuleId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When it was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// CIDR, host bits zero.
    pub network: String,
    /// Free text.
    pub note: String,
}

/// A new address rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAddressRule {
    /// An address or a CIDR network, IPv4 or IPv6; IPv4-mapped IPv6 becomes IPv4.
    pub network: String,
    /// At most 1,000 characters.
    #[serde(default)]
    pub note: String,
}

/// What to change in an address rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRulePatch {
    /// The network.
    #[serde(default)]
    pub network: Option<String>,
    /// The note.
    #[serde(default)]
    pub note: Option<String>,
}

/// Which records to list, where there is nothing to filter by.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(bound = "K: sekisho_kernel::id::Kind")]
pub struct After<K: sekisho_kernel::id::Kind> {
    /// Only records after this one.
    #[serde(default)]
    pub after: Option<sekisho_kernel::Id<K>>,
    /// 1 to 200; 0 takes 50.
    #[serde(default)]
    pub limit: u32,
}

impl<K: sekisho_kernel::id::Kind> Default for After<K> {
    fn default() -> Self {
        Self { after: None, limit: 0 }
    }
}

/// A setting as the policy page shows it: each value as JSON (durations in seconds) and as the policy file writes it.
#[derive(Clone, Debug, Serialize)]
pub struct SettingView {
    /// `section.key`.
    pub key: String,
    /// The platform's value.
    pub platform: serde_json::Value,
    /// The same for people.
    pub platform_text: String,
    /// The tenant's own, if set.
    pub tenant: Option<serde_json::Value>,
    /// The same for people.
    pub tenant_text: Option<String>,
    /// What is in force.
    pub effective: serde_json::Value,
    /// The same for people.
    pub effective_text: String,
    /// `fixed`, `min`, `max` or `subset`.
    pub movement: &'static str,
    /// `bool`, `int`, `span`, `choice`, `str`, `zone`, `networks`, `socket`, `sockets`, `origin`, `path`, `list`.
    pub kind: &'static str,
    /// The words of a `choice`.
    pub choices: &'static [&'static str],
    /// What it does.
    pub doc: Text,
}

/// The policy in force.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyView {
    /// The platform policy's name.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// Every setting in key order.
    pub settings: Vec<SettingView>,
}

/// A function of the product, and whether the tenant has switched it off.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionView {
    /// The stable name.
    pub name: &'static str,
    /// Its name for people.
    pub text: Text,
    /// Whether it is off for the whole tenant.
    pub off: bool,
}

/// A secret field of an input.
fn secret<'de, D: Deserializer<'de>>(d: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(d).map(Secret::new)
}

fn secret_option<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Secret<String>>, D::Error> {
    Ok(Option::<String>::deserialize(d)?.map(Secret::new))
}

/// Tells `null` from a missing field.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}
