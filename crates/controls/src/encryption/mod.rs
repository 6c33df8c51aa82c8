//! Encryption, in transit and at rest (NM-27, MIST-03, MIST-16, MIST-17, MIST-25, MOX-15, DX-18, IDO-25).

mod paper;
mod probe;
pub(crate) use probe::opened;

use std::time::Duration;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::TlsRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{DAY, Declared, WEEK};

/// Least TLS version.
pub static TLS_MIN: Setting = Setting {
    key: "encryption.tls_min",
    kind: Kind::Choice(&["1.2", "1.3"]),
    default: Default::Str("1.2"),
    tenant: Movement::Fixed,
    doc: Text::new(
        "受け付ける TLS の最小バージョン。1.1 以下は、どの設定でも受け付けません。",
        "Least TLS version accepted. 1.1 and below are accepted under no setting.",
    ),
};

/// Cipher suites.
pub static CIPHERS: Setting = Setting {
    key: "encryption.ciphers",
    kind: Kind::Choice(&["modern", "aes-128", "aes-256"]),
    default: Default::Str("modern"),
    tenant: Movement::Fixed,
    doc: Text::new(
        "受け付ける暗号スイート。いずれも前方秘匿性のある AEAD に限ります。modern は AES と ChaCha20-Poly1305、aes-128 は 128 ビット以上の AES、aes-256 は AES-256 だけを受け付けます。",
        "Cipher suites accepted, forward-secret AEAD suites in every case: modern takes AES and ChaCha20-Poly1305, aes-128 takes AES of 128 bits or more, aes-256 takes AES-256 alone.",
    ),
};

/// Strict transport security.
pub static HSTS: Setting = Setting {
    key: "encryption.hsts",
    kind: Kind::Span { min: 0, max: 730 * 86_400 },
    default: Default::Secs(365 * 86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "HSTS（Strict-Transport-Security）の有効期間。0s は送信しません。",
        "How long browsers keep to HTTPS (Strict-Transport-Security max-age). 0s sends no such field.",
    ),
};

/// The marker search of MIST-03, which NM-27 and DX-18 name as theirs.
const MARKER_SEARCH: &[&str] = &[
    "every-record-kind",
    "as-utf-8",
    "as-utf-16",
    "as-shift-jis",
    "as-base64",
    "as-hex",
    "in-compressed-blocks",
    "database-files",
    "write-ahead-log",
    "object-store",
    "search-index",
    "backups",
    "logs",
    "temporary-files",
    "swap-files",
    "control-store-hits",
    "hop-between-nodes",
    "hop-to-database",
    "hop-to-object-store",
];

/// The independent opening of MIST-17, which IDO-25 names as its own.
const OPENED_INDEPENDENTLY: &[&str] = &[
    "every-row-opened-independently",
    "every-object-opened-independently",
    "key-of-32-bytes",
    "right-plaintext",
    "no-nonce-repeats",
    "flipped-ciphertext-fails",
    "flipped-tag-fails",
    "flipped-tenant-fails",
    "flipped-record-id-fails",
    "other-tenants-key-fails",
    "next-records-key-fails",
];

/// Data in transit and at rest is encrypted by industry-standard methods.
pub static MIST_03: ClaimSpec = ClaimSpec {
    id: "MIST-03",
    clauses: MARKER_SEARCH,
    fresh_secs: WEEK,
    negative: TakenOut::Sealing,
    negative_clause: "database-files",
    live: false,
};

/// All customer information is encrypted in storage and in transit.
pub static NM_27: ClaimSpec = ClaimSpec { id: "NM-27", ..MIST_03 };

/// The database instance is encrypted.
pub static DX_18: ClaimSpec = ClaimSpec { id: "DX-18", ..MIST_03 };

/// API traffic uses TLS 1.2 or later and is encrypted with AES-256.
pub static MIST_16: ClaimSpec = ClaimSpec {
    id: "MIST-16",
    clauses: &[
        "every-listener",
        "websocket",
        "console",
        "tls-1-0-refused",
        "tls-1-1-refused",
        "tls-1-2-aes-256-accepted",
        "tls-1-3-aes-256-accepted",
        "aes-128-refused",
        "chacha20-refused",
        "cbc-refused",
        "static-rsa-refused",
    ],
    fresh_secs: DAY,
    negative: TakenOut::TlsSuites,
    negative_clause: "aes-128-refused",
    live: true,
};

/// Data stored inside the cloud is encrypted with AES-256.
pub static MIST_17: ClaimSpec = ClaimSpec {
    id: "MIST-17",
    clauses: OPENED_INDEPENDENTLY,
    fresh_secs: WEEK,
    negative: TakenOut::Sealing,
    negative_clause: "every-row-opened-independently",
    live: false,
};

/// Customer data is encrypted with AES-256 at rest.
pub static IDO_25: ClaimSpec = ClaimSpec { id: "IDO-25", ..MIST_17 };

/// Personal data is encrypted at block level.
pub static MIST_25: ClaimSpec = ClaimSpec {
    id: "MIST-25",
    clauses: &["personal-fields-unreadable"],
    fresh_secs: WEEK,
    negative: TakenOut::Sealing,
    negative_clause: "personal-fields-unreadable",
    live: false,
};

/// TLS with strong ciphers and forward secrecy.
pub static MOX_15: ClaimSpec = ClaimSpec {
    id: "MOX-15",
    clauses: &[
        "every-listener",
        "strong-aes-accepted",
        "other-ciphers-refused",
        "forward-secret-only",
        "recorded-session-stays-closed",
    ],
    fresh_secs: DAY,
    negative: TakenOut::TlsSuites,
    negative_clause: "other-ciphers-refused",
    live: true,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "encryption",
    text: Text::new("通信と保存データを暗号化します。", "Encrypts data in transit and at rest."),
    settings: &[&TLS_MIN, &CIPHERS, &HSTS],
    claims: &[&MIST_03, &NM_27, &DX_18, &MIST_16, &MOX_15, &MIST_17, &IDO_25, &MIST_25],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, every suite that the library has is accepted.
pub(crate) fn tls(policy: &Effective, out: Option<TakenOut>) -> TlsRule {
    if out == Some(TakenOut::TlsSuites) {
        return TlsRule { tls12: true, aes_bits: 128, aes_only: false };
    }
    let ciphers = policy.str(&CIPHERS);
    TlsRule {
        tls12: policy.str(&TLS_MIN) == "1.2",
        aes_bits: if ciphers == "aes-256" { 256 } else { 128 },
        aes_only: ciphers != "modern",
    }
}

/// The `max-age` of Strict-Transport-Security; `None` sends no such field.
pub(crate) fn hsts(policy: &Effective) -> Option<Duration> {
    Some(policy.span(&HSTS)).filter(|age| !age.is_zero())
}
