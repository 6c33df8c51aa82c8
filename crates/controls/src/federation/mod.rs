//! Outside identity providers sign a tenant's people in (IDO-36, MOX-26).

mod paper;
mod probe;
mod saml;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::FederationRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Whether this way in is open.
pub static MODE: Setting = Setting {
    key: "federation.mode",
    kind: Kind::Choice(&["on", "off"]),
    default: Default::Str("on"),
    tenant: Movement::Max,
    doc: Text::new(
        "外部の ID プロバイダーによるサインイン。on でも、管理者が ID プロバイダーを登録して有効にするまでは誰もサインインできません。off はすべて拒否します。",
        "Sign-in by outside identity providers. With on, nobody comes in until an administrator has registered a provider and enabled it. off refuses it.",
    ),
};

/// How far a provider's clock may be from ours.
pub static SKEW: Setting = Setting {
    key: "federation.skew",
    kind: Kind::Span { min: 5, max: 300 },
    default: Default::Secs(60),
    tenant: Movement::Min,
    doc: Text::new(
        "ID プロバイダーの時計との差として許容する時間（前後とも）。トークンの期限はこの分だけ延びます。",
        "How far a provider's clock may be from ours, either way. A token is good so much longer than it says.",
    ),
};

/// Sign-in by native password, multi-factor, or an outside identity provider.
pub static IDO_36: ClaimSpec = ClaimSpec {
    id: "IDO-36",
    clauses: &["password", "multi-factor", "saml", "openid-connect"],
    fresh_secs: WEEK,
    negative: TakenOut::ProviderSignature,
    negative_clause: "openid-connect",
    live: false,
};

/// SAML 2.0 federation with identity providers of many makes.
pub static MOX_26: ClaimSpec = ClaimSpec {
    id: "MOX-26",
    clauses: &["sign-in", "unsigned", "wrapped", "replayed", "expired", "wrong-audience"],
    fresh_secs: WEEK,
    negative: TakenOut::ProviderSignature,
    negative_clause: "unsigned",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "federation",
    text: Text::new(
        "お客様の ID プロバイダー（OpenID Connect、SAML 2.0）で利用者をサインインさせます。利用者はプロバイダーと識別子で対応付け、メールアドレスでは対応付けません。",
        "Signs people in at the customer's own identity provider (OpenID Connect, SAML 2.0). People are linked by provider and subject, never by mail address.",
    ),
    settings: &[&MODE, &SKEW],
    claims: &[&IDO_36, &MOX_26],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, nobody looks at what the provider has signed.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> FederationRule {
    FederationRule {
        allowed: policy.str(&MODE) == "on",
        skew: policy.span(&SKEW),
        signatures: out != Some(TakenOut::ProviderSignature),
    }
}
