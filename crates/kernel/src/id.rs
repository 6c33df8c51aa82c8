//! Typed identifiers: a short prefix and a UUIDv7 (RFC 9562 §5.7), `usr_0198c2b4…` (32 hex digits).
//!
//! An id is a name, never a secret: it tells its creation time to the millisecond.

use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

use crate::{rng::Rng, time::Time};

/// What an id names. Implemented by empty types.
pub trait Kind: 'static {
    /// Lower-case letters before the underscore.
    const PREFIX: &'static str;
}

/// An identifier of the kind `K`, 16 bytes.
pub struct Id<K>(u128, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// The id of all zeroes, which names the platform itself where a tenant is expected.
    pub const NIL: Self = Self(0, PhantomData);

    /// A new id at `now`, its 62 random bits from `rng`. The 12 bits after the milliseconds are their fraction (RFC 9562
    /// section 6.2, method 3), so that ids made in one millisecond sort by time as well.
    pub fn new(now: Time, rng: &dyn Rng) -> Self {
        let mut random = [0u8; 10];
        rng.fill(&mut random);
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        let fraction = u16::try_from(now.micros().rem_euclid(1_000) * 4_096 / 1_000).unwrap_or(0);
        random[..2].copy_from_slice(&fraction.to_be_bytes());
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Self(uuid.as_u128(), PhantomData)
    }

    /// From the 16 bytes that a store holds. `None` unless there are exactly 16.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_bytes(bytes.try_into().ok()?))
    }

    /// From 16 big-endian bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes), PhantomData)
    }

    /// 16 big-endian bytes; they sort as the ids do, by creation time.
    pub const fn bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Whether this is [`Id::NIL`].
    pub const fn is_nil(self) -> bool {
        self.0 == 0
    }

    /// The same bits as an id of another kind. For the few places where one thing is another's namesake.
    pub const fn cast<J>(self) -> Id<J> {
        Id(self.0, PhantomData)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> hash::Hash for Id<K> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{:032x}", K::PREFIX, self.0)
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the expected kind")]
pub struct BadId;

impl<K: Kind> FromStr for Id<K> {
    type Err = BadId;

    /// Accepts exactly what `Display` writes: one spelling per id, so that ids can be compared as texts.
    fn from_str(text: &str) -> Result<Self, BadId> {
        let hex = text.strip_prefix(K::PREFIX).and_then(|t| t.strip_prefix('_')).ok_or(BadId)?;
        let plain = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(BadId);
        }
        u128::from_str_radix(hex, 16).map(|n| Self(n, PhantomData)).map_err(|_| BadId)
    }
}
impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Declares a kind and its id alias; one line an id.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $alias:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        pub enum $kind {}
        impl Kind for $kind { const PREFIX: &'static str = $prefix; }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}
kinds! {
    /// A customer organisation ("group"); the nil id is the platform.
    TenantKind TenantId "ten";
    /// A person's account.
    UserKind UserId "usr";
    /// A named set of rights.
    RoleKind RoleId "rol";
    /// One grant of a role to a user.
    GrantKind GrantId "gra";
    /// A site (branch) of a tenant.
    SiteKind SiteId "sit";
    /// A signed-in session.
    SessionKind SessionId "ses";
    /// An address rule.
    AddressRuleKind AddressRuleId "adr";
    /// A second factor.
    FactorKind FactorId "fac";
    /// A passkey.
    PasskeyKind PasskeyId "pky";
    /// A ledger entry.
    EntryKind EntryId "ent";
    /// A one-time link.
    LinkKind LinkId "lnk";
    /// A piece of evidence.
    EvidenceKind EvidenceId "evd";
    /// An application that signs its users in by unique ID and signature.
    SigningClientKind SigningClientId "cli";
    /// A unique ID of such an application.
    UniqueIdKind UniqueIdId "uid";
    /// A third-party application.
    ApplicationKind ApplicationId "app";
    /// A person's consent to one.
    ConsentKind ConsentId "cns";
    /// What an application holds: a family of tokens.
    OauthGrantKind OauthGrantId "oag";
    /// A receiver of security signals.
    SignalReceiverKind SignalReceiverId "sgr";
    /// A signal on its way to one.
    SignalEventKind SignalEventId "sge";
    /// A key that signs signals.
    SignalKeyKind SignalKeyId "sgk";
    /// A key that signs ID tokens.
    OauthKeyKind OauthKeyId "oky";
    /// A device that waits for a person.
    OauthDeviceKind OauthDeviceId "oad";
    /// A request for authorisation that was pushed.
    OauthPushKind OauthPushId "oap";
    /// An API token.
    ApiTokenKind ApiTokenId "tok";
    /// A group that an identity provider keeps by SCIM.
    ScimGroupKind ScimGroupId "grp";
    /// Somebody's membership of one.
    ScimMemberKind ScimMemberId "mem";
    /// A tenant's outside identity provider.
    ProviderKind ProviderId "idp";
    /// A key of a tenant's towards SAML providers.
    SamlKeyKind SamlKeyId "smk";
    /// Where a person goes on who signs out at a SAML provider.
    SamlPartingKind SamlPartingId "smp";
    /// Which of its subjects is which person.
    IdentityKind IdentityId "idn";
    /// A mail domain that leads to one.
    MailDomainKind MailDomainId "dom";
    /// A relation between people.
    RelationKind RelationId "rel";
    /// Any catalogued record, where its kind does not matter.
    RecordKind RecordId "rec";
}
