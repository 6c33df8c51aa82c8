//! Outside identity providers sign a tenant's people in (IDO-36, MOX-26).

mod paper;
mod parting;
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

/// When the next SAML key is prepared.
pub static SAML_KEY_AHEAD: Setting = Setting {
    key: "federation.saml_key_ahead",
    kind: Kind::Span { min: 7 * 86_400, max: 365 * 86_400 },
    default: Default::Secs(90 * 86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "SAML で使うこちらの証明書の期限のどれだけ前に、次の鍵を用意して公開するか。使い始める操作は管理者が行います。",
        "How long before the end of our SAML certificate the next key is prepared and published. An administrator takes it into use.",
    ),
};

/// How often metadata is read again.
pub static SAML_METADATA_EVERY: Setting = Setting {
    key: "federation.saml_metadata_every",
    kind: Kind::Span { min: 3_600, max: 30 * 86_400 },
    default: Default::Secs(86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "SAML プロバイダーのメタデータを、登録された URL から読み直す間隔。登録済みの鍵で署名された変更だけを自動で反映し、それ以外は管理者の確認を待ちます。",
        "How often a SAML provider's metadata is read again at its address. Only what a key known already has signed is taken over; anything else waits for an administrator.",
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
    settings: &[&MODE, &SKEW, &SAML_KEY_AHEAD, &SAML_METADATA_EVERY],
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
        key_ahead: policy.span(&SAML_KEY_AHEAD),
        metadata_every: policy.span(&SAML_METADATA_EVERY),
    }
}
