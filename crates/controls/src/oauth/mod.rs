//! Third-party applications act for people by OAuth, with consent and never with a password (MOX-25, MOX-31).

mod devices;
mod openid;
mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::OauthRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Life of an access token.
pub static ACCESS: Setting = Setting {
    key: "oauth.access",
    kind: Kind::Span { min: 60, max: 3_600 },
    default: Default::Secs(15 * 60),
    tenant: Movement::Fixed,
    doc: Text::new(
        "アプリケーションに渡すアクセストークンの有効期間。",
        "How long an access token of an application is good.",
    ),
};

/// Life of a refresh token that is not used.
pub static REFRESH: Setting = Setting {
    key: "oauth.refresh",
    kind: Kind::Span { min: 3_600, max: 90 * 86_400 },
    default: Default::Secs(30 * 86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "使われないリフレッシュトークンの有効期間。使うたびに新しくなり、最長 90 日で終了します。",
        "How long a refresh token is good that is not used. Each use gives a new one; the longest is 90 days in all.",
    ),
};

/// How long a key signs ID tokens.
pub static KEY_EVERY: Setting = Setting {
    key: "oauth.key_every",
    kind: Kind::Span { min: 86_400, max: 365 * 86_400 },
    default: Default::Secs(90 * 86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "ID トークンに署名する鍵を更新する間隔。",
        "How long a key signs ID tokens before the next one takes over.",
    ),
};

/// How long a key is published before it signs, and after.
pub static KEY_OVERLAP: Setting = Setting {
    key: "oauth.key_overlap",
    kind: Kind::Span { min: 3_600, max: 30 * 86_400 },
    default: Default::Secs(7 * 86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "署名鍵を、使い始める前に公開しておく期間、および使い終えた後も公開し続ける期間。更新の間隔の半分を超える分は、使い始める前には数えません。",
        "How long a key is published before it signs, and stays published afterwards. Before, it is no more than half the time between two keys.",
    ),
};

/// Whether applications must push what they ask for.
pub static PUSHED: Setting = Setting {
    key: "oauth.pushed",
    kind: Kind::Bool,
    default: Default::Bool(false),
    tenant: Movement::Max,
    doc: Text::new(
        "すべてのアプリケーションに、認可の要求をサーバー間で先に送ること（PAR、RFC 9126）を求めるかどうか。false でも、アプリケーションごとに求められます。",
        "Whether every application must push its request for authorisation from server to server (PAR, RFC 9126). With false, single applications may still have to.",
    ),
};

/// Whether tokens must be bound to a key.
pub static BOUND: Setting = Setting {
    key: "oauth.dpop",
    kind: Kind::Bool,
    default: Default::Bool(false),
    tenant: Movement::Max,
    doc: Text::new(
        "すべてのアプリケーションに、トークンを自分の鍵に結び付けること（DPoP、RFC 9449）を求めるかどうか。false でも、アプリケーションごとに求められ、求められなくても使えます。",
        "Whether every application must bind its tokens to a key of its own (DPoP, RFC 9449). With false, single applications may still have to, and each may.",
    ),
};

/// Whether proofs must carry a nonce.
pub static NONCE: Setting = Setting {
    key: "oauth.dpop_nonce",
    kind: Kind::Bool,
    default: Default::Bool(false),
    tenant: Movement::Fixed,
    doc: Text::new(
        "鍵を持つことの証明（DPoP）に、サーバーが発行するノンスを求めるかどうか。前もって作られた証明が使えなくなります。",
        "Whether a proof of possession (DPoP) must carry a nonce of the server's, so that none can be made beforehand.",
    ),
};

/// OAuth lets an app act for a user without seeing the user's credentials, and authenticates every API request.
pub static MOX_25: ClaimSpec = ClaimSpec {
    id: "MOX-25",
    clauses: &[
        "code-with-pkce",
        "refresh-rotates",
        "revocation-ends",
        "missing-refused",
        "expired-refused",
        "narrower-refused",
        "revoked-refused",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::OauthScope,
    negative_clause: "narrower-refused",
    live: false,
};

/// A third-party application needs the user's approval and talks HTTPS on port 443 only.
pub static MOX_31: ClaimSpec = ClaimSpec {
    id: "MOX-31",
    clauses: &["no-token-without-consent", "redirect-is-https-on-443", "webhook-is-https-on-443"],
    fresh_secs: WEEK,
    negative: TakenOut::OauthConsent,
    negative_clause: "no-token-without-consent",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "oauth",
    text: Text::new(
        "第三者のアプリケーションは、管理者の承認と利用者の同意を得て、OAuth で限られた範囲だけを扱います。",
        "Third-party applications act by OAuth, once an administrator has approved them and the person has consented.",
    ),
    settings: &[&ACCESS, &REFRESH, &KEY_EVERY, &KEY_OVERLAP, &PUSHED, &BOUND, &NONCE],
    claims: &[&MOX_25, &MOX_31],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force.
pub(crate) fn rule(policy: &Effective) -> OauthRule {
    OauthRule {
        access: policy.span(&ACCESS),
        refresh: policy.span(&REFRESH),
        key_every: policy.span(&KEY_EVERY),
        key_overlap: policy.span(&KEY_OVERLAP),
        pushed: policy.bool(&PUSHED),
        bound: policy.bool(&BOUND),
        nonce: policy.bool(&NONCE),
    }
}
