//! Audit: what the operation history holds, how long, in which zone it shows, and that it cannot be altered (NM-05,
//! NM-06, NM-07, MIST-09, IDO-07, IDO-41).

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::AuditRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{DAY, Declared, WEEK};

/// How long entries are kept.
pub static RETENTION: Setting = Setting {
    key: "audit.retention",
    kind: Kind::Span { min: 86_400, max: 3_650 * 86_400 },
    default: Default::Secs(365 * 86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "操作履歴の保存期間。過ぎた記録の本文は消去され、消去したこと自体が記録されます。",
        "How long entries of the operation history are kept. Bodies past it are purged, and the purge is itself an entry.",
    ),
};

/// The zone in which times are shown.
pub static ZONE: Setting = Setting {
    key: "audit.zone",
    kind: Kind::Zone,
    default: Default::Str("UTC"),
    tenant: Movement::Fixed,
    doc: Text::new(
        "操作履歴の時刻を表示するタイムゾーン。すべての利用者とダウンロードに適用されます。",
        "The fixed zone in which the operation history shows times, to every reader and in every download.",
    ),
};

/// How reads through the door are entered.
pub static READS: Setting = Setting {
    key: "audit.reads",
    kind: Kind::Choice(&["minute", "each"]),
    default: Default::Str("minute"),
    tenant: Movement::Max,
    doc: Text::new(
        "ゲートウェイを通る閲覧の記録方法。minute はセッション、経路および 1 分ごとに 1 件、each は要求ごとに 1 件です。",
        "How reads through the gateway are entered: minute is one entry per session, route and minute, each is one per request.",
    ),
};

/// The result of every operation is kept in an operation history for 365 days.
pub static NM_05: ClaimSpec = ClaimSpec {
    id: "NM-05",
    clauses: &[
        "succeeding-one-entry",
        "refused-one-entry",
        "failing-one-entry",
        "entry-names-all",
        "sign-in-entry",
        "failed-sign-in-entry",
        "sign-out-entry",
        "no-entry-no-action",
        "kept-at-364-days",
        "gone-at-366-days",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::EntryWrite,
    negative_clause: "succeeding-one-entry",
    live: false,
};

/// The operation history cannot be altered.
pub static NM_06: ClaimSpec = ClaimSpec {
    id: "NM-06",
    clauses: &[
        "role-update-refused",
        "role-delete-refused",
        "role-truncate-refused",
        "changed-detected",
        "removed-detected",
        "reordered-detected",
        "forged-detected",
        "cut-short-detected",
        "rolled-back-detected",
        "re-signed-detected",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::OutsideCheckpoint,
    negative_clause: "rolled-back-detected",
    live: false,
};

/// The history's time zone is fixed.
pub static NM_07: ClaimSpec = ClaimSpec {
    id: "NM-07",
    clauses: &["users-see-same-time", "exports-show-same-time", "time-in-fixed-zone"],
    fresh_secs: DAY,
    negative: TakenOut::FixedZone,
    negative_clause: "users-see-same-time",
    live: true,
};

/// Audit logs are captured in one central place.
pub static MIST_09: ClaimSpec = ClaimSpec {
    id: "MIST-09",
    clauses: &["console", "api", "device", "operator", "command-line", "gateway", "within-seconds"],
    fresh_secs: WEEK,
    negative: TakenOut::EntryWrite,
    negative_clause: "api",
    live: false,
};

/// Access to customer data is strictly controlled, its log watched, and data encrypted by default.
pub static IDO_07: ClaimSpec = ClaimSpec {
    id: "IDO-07",
    clauses: &[
        "refused-by-interface",
        "refused-by-raw-role",
        "refused-by-store",
        "reading-leaves-entry",
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
        "unusual-reading-alerts",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::AccessCheck,
    negative_clause: "refused-by-interface",
    live: false,
};

/// Sign-in and operation logs are kept for one year and handed over on request.
pub static IDO_41: ClaimSpec = ClaimSpec {
    id: "IDO-41",
    clauses: &[
        "succeeding-one-entry",
        "refused-one-entry",
        "failing-one-entry",
        "entry-names-all",
        "sign-in-entry",
        "failed-sign-in-entry",
        "sign-out-entry",
        "no-entry-no-action",
        "kept-at-364-days",
        "gone-at-366-days",
        "own-log-downloaded",
        "completeness-proven",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::RetentionPurge,
    negative_clause: "gone-at-366-days",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "audit",
    text: Text::new(
        "すべての操作とその結果を、改ざんを検知できる操作履歴に記録します。",
        "Enters every operation and its result in an operation history that shows any tampering.",
    ),
    settings: &[&RETENTION, &ZONE, &READS],
    claims: &[&NM_05, &NM_06, &NM_07, &MIST_09, &IDO_07, &IDO_41],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, entries are never purged, or each reader's own zone is used.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> AuditRule {
    AuditRule {
        retention: (out != Some(TakenOut::RetentionPurge)).then(|| policy.span(&RETENTION)),
        zone: (out != Some(TakenOut::FixedZone)).then(|| policy.zone(&ZONE)),
        each_read: policy.str(&READS) == "each",
    }
}
