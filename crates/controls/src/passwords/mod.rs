//! Passwords: their rules, their hash, and no open channel for them (NM-28, MOX-23).

mod paper;
mod probe;

use std::time::Duration;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::PasswordRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Least memory cost in KiB that OWASP's Password Storage Cheat Sheet recommends for Argon2id with two passes.
pub const OWASP_MEMORY_KIB: i64 = 19_456;
/// Least passes that go with [`OWASP_MEMORY_KIB`].
pub const OWASP_PASSES: i64 = 2;

/// Least length.
pub static MIN_LENGTH: Setting = Setting {
    key: "passwords.min_length",
    kind: Kind::Int { min: 8, max: 128 },
    default: Default::Int(12),
    tenant: Movement::Max,
    doc: Text::new("パスワードの最小文字数。", "Least length of a password in characters."),
};

/// Classes that must appear.
pub static CLASSES: Setting = Setting {
    key: "passwords.classes",
    kind: Kind::Int { min: 1, max: 4 },
    default: Default::Int(1),
    tenant: Movement::Max,
    doc: Text::new(
        "英小文字、英大文字、数字、その他の 4 文字種のうち、含めなければならない種類の数。",
        "How many of the four character classes (lower case, upper case, digits, others) a password must have.",
    ),
};

/// Earlier passwords that may not come back.
pub static HISTORY: Setting = Setting {
    key: "passwords.history",
    kind: Kind::Int { min: 0, max: 24 },
    default: Default::Int(5),
    tenant: Movement::Max,
    doc: Text::new(
        "再利用できない過去のパスワードの数。0 は制限しません。",
        "How many earlier passwords may not be used again. 0 sets no limit.",
    ),
};

/// Age after which a password must be changed.
pub static MAX_AGE: Setting = Setting {
    key: "passwords.max_age",
    kind: Kind::Span { min: 0, max: 3_650 * 86_400 },
    default: Default::Secs(0),
    tenant: Movement::Min,
    doc: Text::new(
        "パスワードの有効期間。過ぎると次のサインインで変更を求めます。0s は無期限です（最も緩い値として扱われます）。",
        "Age after which the next sign-in asks for a new password. 0s means never, and counts as the loosest value.",
    ),
};

/// A file of breached passwords.
pub static BREACHED_LIST: Setting = Setting {
    key: "passwords.breached_list",
    kind: Kind::Path,
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "漏えい済みパスワード一覧のファイル。1 行に 1 件、平文または大文字 16 進の SHA-1 で書きます。空の場合は照合しません。",
        "File of breached passwords, one a line, plain or as upper-case SHA-1 hex. Empty checks against none.",
    ),
};

/// Argon2id memory cost.
pub static MEMORY_KIB: Setting = Setting {
    key: "passwords.memory_kib",
    kind: Kind::Int { min: OWASP_MEMORY_KIB, max: 1_048_576 },
    default: Default::Int(OWASP_MEMORY_KIB),
    tenant: Movement::Fixed,
    doc: Text::new(
        "パスワードのハッシュ（Argon2id）に使うメモリの量（KiB）。OWASP の推奨値を下回れません。",
        "Memory cost of the password hash (Argon2id) in KiB. It cannot go below OWASP's recommendation.",
    ),
};

/// Argon2id passes.
pub static PASSES: Setting = Setting {
    key: "passwords.passes",
    kind: Kind::Int { min: OWASP_PASSES, max: 16 },
    default: Default::Int(OWASP_PASSES),
    tenant: Movement::Fixed,
    doc: Text::new(
        "パスワードのハッシュ（Argon2id）の反復回数。OWASP の推奨値を下回れません。",
        "Passes of the password hash (Argon2id). It cannot go below OWASP's recommendation.",
    ),
};

/// Whether they sign people in.
pub static SIGN_IN: Setting = Setting {
    key: "passwords.sign_in",
    kind: Kind::Choice(&["on", "off"]),
    default: Default::Str("on"),
    tenant: Movement::Max,
    doc: Text::new(
        "パスワードによるサインイン。off では、パスワードでサインインすることも、本人であることを改めて証明することもできず、パスワードを設定するリンクも使えません。組織は、ほかの方法でサインインできる管理者がいる場合にだけ off にできます。",
        "Sign-in by password. off: no password signs anybody in or proves again who is there, and links that set one are refused. An organisation can choose off only while an administrator of its own can come in another way.",
    ),
};

/// Passwords are hashed and never stored in the clear.
pub static NM_28: ClaimSpec = ClaimSpec {
    id: "NM-28",
    clauses: &[
        "not-in-database",
        "not-in-logs",
        "not-in-core",
        "not-in-backup",
        "stored-salted",
        "stored-memory-hard",
        "cost-at-or-above-recommended",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::PasswordHash,
    negative_clause: "stored-memory-hard",
    live: false,
};

/// Passwords are stored only as one-way hashes and never cross an open channel.
pub static MOX_23: ClaimSpec = ClaimSpec {
    id: "MOX-23",
    clauses: &[
        "not-in-database",
        "not-in-logs",
        "not-in-core",
        "not-in-backup",
        "stored-salted",
        "stored-memory-hard",
        "cost-at-or-above-recommended",
        "plain-http-refused-before-body",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::PlainHttpRefusal,
    negative_clause: "plain-http-refused-before-body",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "passwords",
    text: Text::new(
        "パスワードの規則を定め、一方向ハッシュだけを保存します。",
        "Sets the rules of passwords and stores nothing but their one-way hash.",
    ),
    settings: &[&MIN_LENGTH, &CLASSES, &HISTORY, &MAX_AGE, &SIGN_IN, &BREACHED_LIST, &MEMORY_KIB, &PASSES],
    claims: &[&NM_28, &MOX_23],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// Whether passwords sign people in.
pub(crate) fn way(policy: &Effective) -> bool {
    policy.str(&SIGN_IN) == "on"
}

/// The rule in force. Taking the hash out is the engine's matter: the rule stays.
pub(crate) fn rule(policy: &Effective) -> PasswordRule {
    let count = |setting, least| u32::try_from(policy.int(setting)).unwrap_or(least);
    let list = policy.path(&BREACHED_LIST);
    PasswordRule {
        min_length: count(&MIN_LENGTH, 128),
        classes: count(&CLASSES, 4),
        history: count(&HISTORY, 24),
        max_age: Duration::from_secs(policy.span(&MAX_AGE).as_secs()),
        breached_list: (!list.is_empty()).then_some(list),
        memory_kib: count(&MEMORY_KIB, 19_456),
        passes: count(&PASSES, 2),
    }
}
