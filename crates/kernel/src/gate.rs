//! Hooks at which controls decide, and the typed rules they hand to engines. An engine asks; it never names the
//! control that answers. A control taken out of a rehearsal simply does not answer, and the hook's open default holds.

use std::{net::IpAddr, time::Duration};

use ipnet::IpNet;

use crate::{
    access::AccessQuestion,
    policy::{Effective, Setting, Value},
    problem::ProblemKind,
    text::Text,
    time::{Time, Zone},
};

/// What a gate says.
#[derive(Clone, Copy, Debug)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Stop, with this problem.
    Refuse(&'static ProblemKind),
}

impl Decision {
    /// Whether it is `Allow`.
    pub const fn allows(self) -> bool {
        matches!(self, Self::Allow)
    }
}

/// Which handshakes a listener accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRule {
    /// Whether TLS 1.2 is offered beside 1.3.
    pub tls12: bool,
    /// Least AES key bits: 128 or 256. ChaCha20 is refused whenever `aes_only` is set.
    pub aes_bits: u16,
    /// Only AES suites.
    pub aes_only: bool,
}

/// How many tries, and for how long the account is locked after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutRule {
    /// Failed tries that lock. `None`: never (only when the control is taken out).
    pub tries: Option<u32>,
    /// How long the lock lasts, and after which an unlocked count is forgotten.
    pub period: Duration,
    /// Whether a browser that signed in before has a counter of its own.
    pub known_device: bool,
}

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRule {
    /// Without activity. `None`: never (only when the control is taken out).
    pub idle: Option<Duration>,
    /// Since sign-in.
    pub absolute: Duration,
    /// Whether a resolved session is checked anew at every request.
    pub recheck: bool,
}

/// What is asked for beside the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorRule {
    /// Whether an account that has a second factor is asked for it.
    pub ask: bool,
    /// Whether every account must have one (enrolment follows the first sign-in).
    pub required: bool,
    /// Whether users may enrol one.
    pub allowed: bool,
    /// Whether a code is refused the second time.
    pub refuse_replay: bool,
    /// How many recovery codes are issued.
    pub recovery_codes: u32,
}

/// What a passkey may do, and where it may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyRule {
    /// Whether people may register one.
    pub allowed: bool,
    /// Whether one signs in by itself, without name and password.
    pub alone: bool,
    /// What an authenticator must show of its make.
    pub provenance: Provenance,
    /// The models (AAGUID, 16 bytes) that are welcome. `None`: every one.
    pub models: Option<Vec<[u8; 16]>>,
    /// Whether a recovery code stands in for a lost passkey; else only a link of an administrator's helps.
    pub codes: bool,
}

/// What an authenticator must show of its make when a passkey is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// Nothing.
    Any,
    /// A statement that can be verified.
    Statement,
    /// One whose certificate leads to a root in this file (PEM).
    Roots(String),
}

/// Whether an application's signature signs a person in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureRule {
    /// Whether this way in is open.
    pub allowed: bool,
    /// How far its timestamp may be from the clock, either way.
    pub skew: Duration,
    /// Whether it is refused the second time.
    pub once: bool,
}

/// What a sign-in's risk leads to, from mild to strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskAction {
    /// Goes on as it would anyway.
    #[default]
    Allow,
    /// The second factor, or the password once more where the account has none.
    StepUp,
    /// Refused, with the answer that a wrong password gets.
    Block,
}

impl RiskAction {
    /// The word of the policy file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::StepUp => "step_up",
            Self::Block => "block",
        }
    }
}

/// Whether risk is judged, and whether the judgement is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdaptiveMode {
    /// Nothing is judged.
    Off,
    /// Judged and entered in the log; everybody goes on as they would anyway.
    Watch,
    /// Judged, entered and acted on.
    On,
}

/// What each sign of risk adds to the score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RiskPoints {
    /// A browser that has not signed this person in before.
    pub device: u32,
    /// A network from which this person has not signed in before.
    pub network: u32,
    /// Farther from the last place than anybody travels in the time.
    pub travel: u32,
    /// Many failed tries on the account or from the address.
    pub velocity: u32,
    /// Many names tried from the address.
    pub spraying: u32,
    /// An address on the list.
    pub listed: u32,
}

/// How a sign-in's risk is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdaptiveRule {
    /// Whether it is judged at all.
    pub mode: AdaptiveMode,
    /// What low, medium and high risk lead to.
    pub actions: [RiskAction; 3],
    /// Score from which risk is medium.
    pub medium_at: u32,
    /// Score from which risk is high.
    pub high_at: u32,
    /// How far below a threshold the score must fall before a level that was reached is left again.
    pub hysteresis: u32,
    /// How long a level that was reached is remembered without a sign-in that was completed.
    pub calm: Duration,
    /// What each sign adds.
    pub points: RiskPoints,
    /// Over which time failed tries are counted.
    pub window: Duration,
    /// Failed tries on one account that count as many.
    pub account_tries: u32,
    /// Failed tries from one address that count as many.
    pub address_tries: u32,
    /// Names tried in vain from one address that count as spraying.
    pub spray_names: u32,
    /// Names below which an address that sprayed no longer does.
    pub spray_clear: u32,
    /// Kilometres an hour beyond which nobody travels.
    pub travel_speed: u32,
    /// The database of places; empty for none.
    pub location_db: String,
    /// The database of networks (autonomous systems); empty for none.
    pub network_db: String,
    /// A file of listed networks; empty for none.
    pub listed_file: String,
    /// Listed networks beside the file's.
    pub listed: Vec<IpNet>,
    /// The least that happens while a database or file that the policy names cannot be read.
    pub without_location: RiskAction,
    /// What a step-up is for an account without a second factor: `StepUp` asks for the password once more.
    pub without_factor: RiskAction,
}

impl AdaptiveRule {
    /// Nothing is judged.
    pub const OFF: Self = Self {
        mode: AdaptiveMode::Off,
        actions: [RiskAction::Allow; 3],
        medium_at: u32::MAX,
        high_at: u32::MAX,
        hysteresis: 0,
        calm: Duration::ZERO,
        points: RiskPoints { device: 0, network: 0, travel: 0, velocity: 0, spraying: 0, listed: 0 },
        window: Duration::ZERO,
        account_tries: u32::MAX,
        address_tries: u32::MAX,
        spray_names: u32::MAX,
        spray_clear: u32::MAX,
        travel_speed: u32::MAX,
        location_db: String::new(),
        network_db: String::new(),
        listed_file: String::new(),
        listed: Vec::new(),
        without_location: RiskAction::Allow,
        without_factor: RiskAction::StepUp,
    };
}

/// How long applications' tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OauthRule {
    /// An access token.
    pub access: Duration,
    /// A refresh token that is not used.
    pub refresh: Duration,
    /// How long a key signs ID tokens.
    pub key_every: Duration,
    /// How long a key is published before it signs, and after.
    pub key_overlap: Duration,
    /// Whether every application must push what it asks for.
    pub pushed: bool,
    /// Whether every token must be bound to a key that its holder proves to hold (RFC 9449).
    pub bound: bool,
    /// Whether such a proof must carry a nonce of ours.
    pub nonce: bool,
}

impl OauthRule {
    /// Nothing lives.
    pub const NONE: Self = Self {
        access: Duration::ZERO,
        refresh: Duration::ZERO,
        key_every: Duration::ZERO,
        key_overlap: Duration::ZERO,
        pushed: true,
        bound: true,
        nonce: true,
    };
}

/// Whether and how an outside identity provider signs people in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FederationRule {
    /// Whether this way in is open.
    pub allowed: bool,
    /// How far its clock may be from ours, either way.
    pub skew: Duration,
    /// Whether signatures are checked. `false` only when the control is taken out.
    pub signatures: bool,
    /// How long before the end of our certificate towards SAML providers the next key is prepared.
    pub key_ahead: Duration,
    /// How often a SAML provider's metadata is read again where it is published.
    pub metadata_every: Duration,
}

/// The terms of use that people must have accepted before they go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermsRule {
    /// The version in force, never empty.
    pub version: String,
    /// Where the terms of use can be read; may be empty.
    pub terms: String,
    /// Where the privacy notice can be read; may be empty.
    pub privacy: String,
}

/// Who may find and reach whom within a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelationRule {
    /// Everybody may reach everybody; otherwise only along relations.
    pub everyone: bool,
}

/// What browsers may keep of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRule {
    /// Whether their cache keeps answers as the application says. Otherwise it keeps none that a session was given.
    pub cache: bool,
    /// Beginnings of paths whose answers hold nobody's data, and may be kept all the same.
    pub cacheable: Vec<String>,
    /// Whether a browser that is signed out is told to forget what the site has kept.
    pub wipe: bool,
}

/// How long API tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRule {
    /// Whether people may have tokens of their own.
    pub personal: bool,
    /// The longest life.
    pub longest: Duration,
    /// Time without use after which one ends.
    pub unused: Duration,
}

/// Whether identity providers may provision people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvisioningRule {
    /// Whether SCIM answers.
    pub scim: bool,
}

/// What a password must satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordRule {
    /// Least length in characters (Unicode scalar values).
    pub min_length: u32,
    /// How many of the four classes (lower, upper, digit, other) must appear.
    pub classes: u32,
    /// How many earlier passwords may not come back.
    pub history: u32,
    /// Age after which it must be changed; zero means never.
    pub max_age: Duration,
    /// A file of breached passwords, one a line (plain, or upper-case SHA-1 hex as in the Pwned Passwords download).
    pub breached_list: Option<String>,
    /// Argon2id memory cost in KiB.
    pub memory_kib: u32,
    /// Argon2id passes.
    pub passes: u32,
}

/// Where entries are rendered and how long they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRule {
    /// How long entries are kept. `None`: for ever (only when the purge is taken out).
    pub retention: Option<Duration>,
    /// The zone for every reader. `None`: each reader's own (only when the control is taken out).
    pub zone: Option<Zone>,
    /// Whether every proxied read is entered, not one per session, route and minute.
    pub each_read: bool,
}

/// The address lists that apply to one request.
#[derive(Clone, Debug, Default)]
pub struct AddressLists {
    /// The platform's list; empty admits all.
    pub platform: Vec<IpNet>,
    /// The tenant's list; empty admits all.
    pub tenant: Vec<IpNet>,
}

/// What the firewall does with a request that its rules would block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FirewallMode {
    /// It looks at nothing.
    Off,
    /// It lets the request pass and enters what it would have blocked.
    Detect,
    /// It blocks.
    On,
}

/// How far the firewall looks at the application's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirewallResponses {
    /// Not at all.
    Off,
    /// At status and header fields.
    Head,
    /// At the body too, as far as its media type and limit allow.
    Body,
}

/// What holds for paths that begin so, instead of the rule's own values. The longest prefix decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallPath {
    /// Begins with `/`.
    pub prefix: String,
    /// The mode there.
    pub mode: Option<FirewallMode>,
    /// The paranoia level there.
    pub paranoia: Option<u8>,
}

/// Which rules an exclusion is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FirewallRules {
    /// The one with this id.
    Id(u32),
    /// All with exactly this tag.
    Tag(String),
}

/// A rule that does not look at a part of some requests: the answer to a false positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallExclusion {
    /// Which rules.
    pub rules: FirewallRules,
    /// The parts they do not look at (`ARGS:comment`); `None`: they do not run at all.
    pub targets: Option<String>,
    /// On paths that begin so.
    pub path: String,
    /// The moment from which it no longer counts.
    pub until: Time,
    /// Why.
    pub reason: String,
    /// As it stands in the policy.
    pub text: String,
    /// Whether the tenant made it itself.
    pub own: bool,
}

/// What the firewall does for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallRule {
    /// What is done with a request that the rules would block.
    pub mode: FirewallMode,
    /// 1 to 4.
    pub paranoia: u8,
    /// The anomaly score from which a request is blocked.
    pub threshold: u32,
    /// Paths with values of their own.
    pub paths: Vec<FirewallPath>,
    /// What is left out.
    pub exclusions: Vec<FirewallExclusion>,
    /// Bytes of a body that are looked at.
    pub max_body: usize,
    /// Whether a longer body is refused; else it passes without being looked at.
    pub refuse_longer: bool,
    /// How far answers are looked at.
    pub responses: FirewallResponses,
}

impl FirewallRule {
    /// A firewall that is not there.
    pub const fn off() -> Self {
        Self {
            mode: FirewallMode::Off,
            paranoia: 1,
            threshold: 5,
            paths: Vec::new(),
            exclusions: Vec::new(),
            max_body: 0,
            refuse_longer: false,
            responses: FirewallResponses::Off,
        }
    }
    /// Mode and paranoia level for a decoded path. `None` for one that can be read as another: the strictest of all hold.
    pub fn at(&self, path: Option<&str>) -> (FirewallMode, u8) {
        let Some(path) = path else {
            let modes = self.paths.iter().filter_map(|p| p.mode);
            let levels = self.paths.iter().filter_map(|p| p.paranoia);
            return (modes.fold(self.mode, FirewallMode::max), levels.fold(self.paranoia, u8::max));
        };
        let found = self.paths.iter().filter(|p| path.starts_with(&p.prefix)).max_by_key(|p| p.prefix.len());
        let (mode, paranoia) = found.map_or((None, None), |p| (p.mode, p.paranoia));
        (mode.unwrap_or(self.mode), paranoia.unwrap_or(self.paranoia))
    }
}

/// Where the firewall's rules come from: the platform's alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirewallSource {
    /// A folder with a rule set; empty: the rules that come with the product.
    pub rules: String,
    /// A file with rules of one's own.
    pub own: String,
    /// The feed of new rule sets: a folder, or an `https://` address; empty: none.
    pub feed: String,
    /// The feed's Ed25519 public key, base64.
    pub feed_key: String,
    /// The authorities (PEM file) that an `https` feed's certificate is checked against.
    pub feed_ca: String,
    /// How often the feed is asked.
    pub every: Duration,
    /// The age of the rule set from which it is out of date.
    pub max_age: Duration,
    /// How many exclusions a tenant may have of its own.
    pub tenant_exclusions: u32,
}

/// A session as the gate sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    /// When it was made.
    pub created: Time,
    /// Its last activity by a person.
    pub last_used: Time,
    /// When whoever vouched for the person says that it ends, at the latest.
    pub until: Option<Time>,
}

/// The gates of all controls, asked by engines.
pub trait Gates: Send + Sync {
    /// The handshake rule of TLS listeners.
    fn tls(&self, policy: &Effective) -> TlsRule;
    /// Whether plain HTTP is refused before any body is read. `false` only when the control is taken out.
    fn refuse_plain_http(&self, policy: &Effective) -> bool;
    /// Whether an address may come in.
    fn address(&self, lists: &AddressLists, peer: IpAddr) -> Decision;
    /// The lockout rule.
    fn lockout(&self, policy: &Effective) -> LockoutRule;
    /// The session rule.
    fn session(&self, policy: &Effective) -> SessionRule;
    /// The second-factor rule.
    fn factor(&self, policy: &Effective) -> FactorRule;
    /// The password rule.
    fn password(&self, policy: &Effective) -> PasswordRule;
    /// Whether a password signs people in, and proves again who is there; not where no control answers.
    fn password_way(&self, _policy: &Effective) -> bool {
        false
    }
    /// The terms that people must have accepted before they go on. `None`: none are asked for.
    fn terms(&self, _policy: &Effective) -> Option<TermsRule> {
        None
    }
    /// Who may reach whom; only along relations where no control answers.
    fn relations(&self, _policy: &Effective) -> RelationRule {
        RelationRule { everyone: false }
    }
    /// What browsers may keep; without a control that answers, what the application says, until they are signed out.
    fn device(&self, _policy: &Effective) -> DeviceRule {
        DeviceRule { cache: true, cacheable: Vec::new(), wipe: true }
    }
    /// The rule of applications' tokens; none lives where no control answers.
    fn oauth(&self, _policy: &Effective) -> OauthRule {
        OauthRule::NONE
    }
    /// The rule of provisioning; closed where no control answers.
    fn provisioning(&self, _policy: &Effective) -> ProvisioningRule {
        ProvisioningRule { scim: false }
    }
    /// The rule of passkeys; none is taken where no control answers.
    fn passkeys(&self, _policy: &Effective) -> PasskeyRule {
        let provenance = Provenance::Statement;
        PasskeyRule { allowed: false, alone: false, provenance, models: Some(Vec::new()), codes: false }
    }
    /// The rule of API tokens; none lives where no control answers.
    fn tokens(&self, _policy: &Effective) -> TokenRule {
        TokenRule { personal: false, longest: Duration::ZERO, unused: Duration::ZERO }
    }
    /// The rule of outside identity providers; closed where no control answers.
    fn federation(&self, _policy: &Effective) -> FederationRule {
        FederationRule {
            allowed: false,
            skew: Duration::ZERO,
            signatures: true,
            key_ahead: Duration::ZERO,
            metadata_every: Duration::MAX,
        }
    }
    /// The rule of signatures; closed where no control answers.
    fn signature(&self, _policy: &Effective) -> SignatureRule {
        SignatureRule { allowed: false, skew: Duration::ZERO, once: true }
    }
    /// The rule of adaptive sign-in; nothing is judged where no control answers.
    fn adaptive(&self, _policy: &Effective) -> AdaptiveRule {
        AdaptiveRule::OFF
    }
    /// Whether the right is granted on the target.
    fn access(&self, question: &AccessQuestion) -> Decision;
    /// The audit rule.
    fn audit(&self, policy: &Effective) -> AuditRule;
    /// The `max-age` of Strict-Transport-Security (RFC 6797); `None` sends no such field.
    fn hsts(&self, _policy: &Effective) -> Option<Duration> {
        None
    }
    /// The platform's networks in force, for [`AddressLists::platform`]; empty admits all.
    fn platform_networks(&self, _policy: &Effective) -> Vec<IpNet> {
        Vec::new()
    }
    /// Age at which a tenant's key gets a new version; `None` rotates only on request.
    fn key_rotation(&self, _policy: &Effective) -> Option<Duration> {
        None
    }
    /// What the firewall does for a tenant. Without a control that answers there is none.
    fn firewall(&self, _policy: &Effective) -> FirewallRule {
        FirewallRule::off()
    }
    /// Where the firewall's rules come from.
    fn firewall_source(&self, _policy: &Effective) -> FirewallSource {
        FirewallSource::default()
    }
    /// Whether a tenant may set `own` for a setting whose platform value is `platform`.
    fn tenant_value(&self, _setting: &'static Setting, _platform: &Value, _own: &Value) -> Decision {
        Decision::Allow
    }
    /// Whether the policy floor, switches and so on are in force is decided inside the gates above; this names
    /// each control for the policy page: its section, and a sentence for people.
    fn sections(&self) -> Vec<(&'static str, Text)>;
}

/// Whether `times` is past the rule's idle or absolute end at `now`.
pub fn session_over(rule: &SessionRule, times: SessionTimes, now: Time) -> bool {
    let idle_over = rule.idle.is_some_and(|idle| now.since(times.last_used) >= idle);
    let own = times.until.is_some_and(|until| now >= until);
    own || idle_over || now.since(times.created) >= rule.absolute
}
