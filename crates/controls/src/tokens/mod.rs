//! API tokens: who may have one, how long it lives, and when an unused one ends by itself.

use sekisho_kernel::{
    Effective, Setting, Text,
    claim::PaperText,
    gate::TokenRule,
    policy::{Default, Kind, Movement},
};

use crate::control::Declared;

/// Whether people may have tokens of their own.
pub static PERSONAL: Setting = Setting {
    key: "tokens.personal",
    kind: Kind::Choice(&["on", "off"]),
    default: Default::Str("on"),
    tenant: Movement::Max,
    doc: Text::new(
        "利用者自身の API トークン。off では新たに発行できません。サービスアカウントのトークンは管理者が発行します。",
        "People's own API tokens. With off none is issued any more. Service accounts' tokens are issued by administrators.",
    ),
};

/// The longest life of a token.
pub static LONGEST: Setting = Setting {
    key: "tokens.longest",
    kind: Kind::Span { min: 86_400, max: 3_650 * 86_400 },
    default: Default::Secs(365 * 86_400),
    tenant: Movement::Min,
    doc: Text::new(
        "API トークンの有効期間の上限。これより長いトークンは発行できません。",
        "The longest life of an API token. None is issued for longer.",
    ),
};

/// Time without use after which a token ends.
pub static UNUSED: Setting = Setting {
    key: "tokens.unused",
    kind: Kind::Span { min: 86_400, max: 365 * 86_400 },
    default: Default::Secs(90 * 86_400),
    tenant: Movement::Min,
    doc: Text::new(
        "使われない API トークンが自動的に終了するまでの時間。",
        "Time without use after which an API token ends by itself.",
    ),
};

/// The control. No paper promises it yet; what the deactivation of an account ends includes its tokens (MOX-29).
pub static CONTROL: Declared = Declared {
    section: "tokens",
    text: Text::new(
        "API トークンの発行、有効期間、使われないトークンの終了を定めます。",
        "Says who has API tokens, how long they live, and when unused ones end.",
    ),
    settings: &[&PERSONAL, &LONGEST, &UNUSED],
    claims: &[],
    probes: Vec::new,
    paper: &PaperText { heading: Text::new("API トークン", "API tokens"), paragraphs: &[] },
};

/// The rule in force.
pub(crate) fn rule(policy: &Effective) -> TokenRule {
    TokenRule { personal: policy.str(&PERSONAL) == "on", longest: policy.span(&LONGEST), unused: policy.span(&UNUSED) }
}
