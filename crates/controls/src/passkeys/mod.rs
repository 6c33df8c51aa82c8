//! Passkeys (WebAuthn): as a way in of their own, or beside the password. No published claim names them yet, so that the
//! paper says nothing of them; tests hold the mechanism.

use sekisho_kernel::{
    Effective, Setting, Text,
    claim::PaperText,
    gate::{PasskeyRule, Provenance},
    policy::{Default, Kind, Movement},
};

use crate::control::Declared;

/// What a passkey may do.
pub static MODE: Setting = Setting {
    key: "passkeys.mode",
    kind: Kind::Choice(&["sign-in", "second-factor", "off"]),
    default: Default::Str("sign-in"),
    tenant: Movement::Max,
    doc: Text::new(
        "パスキーの扱い。sign-in は名前もパスワードも使わないサインインを認め、second-factor はパスワードに続く第 2 要素としてだけ認め、off は新たな登録を受け付けません。登録済みのパスキーは、いずれの場合も第 2 要素として求めます。",
        "Passkeys. sign-in lets one sign in without name and password, second-factor only beside the password, off takes no new ones. An account that has one is asked for a second factor in every mode.",
    ),
};

/// What an authenticator must show of its make.
pub static ATTESTATION: Setting = Setting {
    key: "passkeys.attestation",
    kind: Kind::Choice(&["none", "statement", "trusted"]),
    default: Default::Str("none"),
    tenant: Movement::Max,
    doc: Text::new(
        "登録時に認証器に求める証明。none は何も求めず、statement は検証できる packed 形式の証明（自己署名または証明書）を、trusted は passkeys.roots のいずれかに至る証明書を求めます。それ以外の登録は拒否します。",
        "What an authenticator must prove at registration. none asks for nothing, statement for a packed statement that verifies (its own key's or a certificate's), trusted for a certificate that leads to a root in passkeys.roots. Everything else is refused.",
    ),
};

/// Roots of attestation certificates.
pub static ROOTS: Setting = Setting {
    key: "passkeys.roots",
    kind: Kind::Path,
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "認証器の製造元のルート証明書（PEM）を並べたファイル。passkeys.attestation が trusted のときに使います。空なら、そのときの登録はすべて拒否します。",
        "A file of authenticator makers' root certificates (PEM), for passkeys.attestation = trusted. Empty, every registration is refused then.",
    ),
};

/// Which models are welcome.
pub static AUTHENTICATORS: Setting = Setting {
    key: "passkeys.authenticators",
    kind: Kind::List,
    default: Default::List(&[]),
    tenant: Movement::Subset,
    doc: Text::new(
        "登録を認める認証器の機種（AAGUID）。空ならすべて認めます。passkeys.attestation が trusted でなければ、AAGUID は認証器の自己申告です。",
        "Models of authenticators (AAGUID) that may be registered. Empty, every one. Unless passkeys.attestation is trusted, an AAGUID is what the authenticator says of itself.",
    ),
};

/// How somebody who has lost a passkey comes back in.
pub static RECOVERY: Setting = Setting {
    key: "passkeys.recovery",
    kind: Kind::Choice(&["codes", "administrator"]),
    default: Default::Str("codes"),
    tenant: Movement::Max,
    doc: Text::new(
        "パスキーを失ったときの手段。codes はパスワードとリカバリーコードを、administrator は管理者の一回限りのリンクだけを認めます。リンクを使った後は、第 2 要素を登録し直します。",
        "For a lost passkey. codes accepts the password with a recovery code, administrator only an administrator's one-time link. After the link a second factor is set up anew.",
    ),
};

static PAPER: PaperText = PaperText { heading: Text::new("パスキー", "Passkeys"), paragraphs: &[] };

/// The control.
pub static CONTROL: Declared = Declared {
    section: "passkeys",
    text: Text::new(
        "パスキーによるサインインと第 2 要素を、組織の定める範囲で認めます。",
        "Lets people sign in by passkey, or use one as second factor, as far as the organisation allows.",
    ),
    settings: &[&MODE, &ATTESTATION, &ROOTS, &AUTHENTICATORS, &RECOVERY],
    claims: &[],
    probes: Vec::new,
    paper: &PAPER,
};

/// The rule in force.
pub(crate) fn rule(policy: &Effective) -> PasskeyRule {
    let mode = policy.str(&MODE);
    let models = policy.list(&AUTHENTICATORS);
    PasskeyRule {
        allowed: mode != "off",
        alone: mode == "sign-in",
        provenance: match policy.str(&ATTESTATION).as_str() {
            "none" => Provenance::Any,
            "statement" => Provenance::Statement,
            _ => Provenance::Roots(policy.path(&ROOTS)),
        },
        models: (!models.is_empty()).then(|| models.iter().filter_map(|m| model(m)).collect()),
        codes: policy.str(&RECOVERY) == "codes",
    }
}

/// An AAGUID as people write it; what is none matches nothing.
fn model(text: &str) -> Option<[u8; 16]> {
    let hex: String = text.trim().chars().filter(|c| *c != '-').collect();
    let bytes = hex::decode(hex).ok()?;
    bytes.try_into().ok()
}
