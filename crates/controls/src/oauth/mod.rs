//! Third-party applications act for people by OAuth, with consent and never with a password (MOX-25, MOX-31).

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
    settings: &[&ACCESS, &REFRESH],
    claims: &[&MOX_25, &MOX_31],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force.
pub(crate) fn rule(policy: &Effective) -> OauthRule {
    OauthRule { access: policy.span(&ACCESS), refresh: policy.span(&REFRESH) }
}
