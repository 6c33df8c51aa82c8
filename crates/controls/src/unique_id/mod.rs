//! Sign-in by unique ID and signature: an application vouches for its users (MOX-24).

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::SignatureRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Whether this way in is open.
pub static MODE: Setting = Setting {
    key: "unique_id.mode",
    kind: Kind::Choice(&["on", "off"]),
    default: Default::Str("on"),
    tenant: Movement::Max,
    doc: Text::new(
        "一意の ID と署名によるサインイン。on でも、管理者が署名クライアントを登録するまでは誰もサインインできません。off はすべて拒否します。",
        "Sign-in by unique ID and signature. With on, nobody comes in until an administrator has registered a signing client. off refuses it.",
    ),
};

/// How far a signature's timestamp may be from the clock.
pub static SKEW: Setting = Setting {
    key: "unique_id.skew",
    kind: Kind::Span { min: 5, max: 300 },
    default: Default::Secs(60),
    tenant: Movement::Min,
    doc: Text::new(
        "署名の時刻と時計との差の上限（前後とも）。これを超える署名は拒否します。",
        "How far a signature's timestamp may be from the clock, either way. Beyond it the signature is refused.",
    ),
};

/// An application can sign its users in by unique ID and signature.
pub static MOX_24: ClaimSpec = ClaimSpec {
    id: "MOX-24",
    clauses: &["right-signs-in", "replayed-refused", "stale-refused", "altered-refused", "other-clients-refused"],
    fresh_secs: WEEK,
    negative: TakenOut::SignatureOnce,
    negative_clause: "replayed-refused",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "unique_id",
    text: Text::new(
        "アプリケーションの署名（クライアント ID、鍵、時刻）で利用者をサインインさせます。署名は 1 回だけ使えます。",
        "Signs people in by an application's signature (client id, key, timestamp), each of which works once.",
    ),
    settings: &[&MODE, &SKEW],
    claims: &[&MOX_24],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, a signature works again and again.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> SignatureRule {
    SignatureRule {
        allowed: policy.str(&MODE) == "on",
        skew: policy.span(&SKEW),
        once: out != Some(TakenOut::SignatureOnce),
    }
}
