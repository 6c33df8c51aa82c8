//! A small paper with one claim of each verdict.

use std::time::Duration;

use sekisho_kernel::{
    DataClass, IndexedField, Policy, RecordDef, Schema, Setting, Text, Time, Zone,
    catalogue::{Clear, Protection, Retention},
    claim::{PaperText, Stage, Verdict},
    policy::{Default, Kind, Movement, Value},
};
use sekisho_paper::{Area, Chapter, Claim, Input, Place, Proof, Source};

static TRIES: Setting = Setting {
    key: "lockout.tries",
    kind: Kind::Int { min: 1, max: 100 },
    default: Default::Int(3),
    tenant: Movement::Min,
    doc: Text::new("失敗の回数。", "Failed sign-ins that lock."),
};
static PERIOD: Setting = Setting {
    key: "lockout.period",
    kind: Kind::Span { min: 60, max: 604_800 },
    default: Default::Secs(1_800),
    tenant: Movement::Max,
    doc: Text::new("ロック時間。", "How long the lock lasts."),
};
static RETENTION: Setting = Setting {
    key: "audit.retention",
    kind: Kind::Span { min: 86_400, max: 315_360_000 },
    default: Default::Secs(31_536_000),
    tenant: Movement::Fixed,
    doc: Text::new("保存期間。", "How long entries are kept."),
};
static LISTEN: Setting = Setting {
    key: "door.listen",
    kind: Kind::Socket,
    default: Default::Str("10.1.2.3:8443"),
    tenant: Movement::Fixed,
    doc: Text::new("待ち受け口。", "Where the door listens."),
};

static LOCKOUT: PaperText = PaperText {
    heading: Text::new("アカウントロック", "Account lockout"),
    paragraphs: &[
        (
            &["EX-01"],
            Text::new(
                "{lockout.tries} 回失敗すると、{lockout.period}ロックされます。",
                "After {lockout.tries} failures the account is locked for {lockout.period}.",
            ),
        ),
        (&["EX-01", "EX-02"], Text::new("載せない段落。", "A paragraph that must not show.")),
    ],
};

static PEOPLE: RecordDef = RecordDef {
    table: "users",
    text: Text::new("アカウント", "Accounts"),
    class: DataClass::Personal,
    protection: Protection::Sealed,
    retention: Retention::UntilDeleted,
    indexed: &[IndexedField { name: "name", unique: true }],
    clear: &[("state", Clear::Code)],
};
static ENTRIES: RecordDef = RecordDef {
    table: "entries",
    text: Text::new("操作履歴の記録", "Entries of the operation history"),
    class: DataClass::Audit,
    protection: Protection::Sealed,
    retention: Retention::Setting("audit.retention"),
    indexed: &[],
    clear: &[],
};
static LINKS: RecordDef = RecordDef {
    table: "links",
    text: Text::new("一回限りのリンク", "One-time links"),
    class: DataClass::Metadata,
    protection: Protection::ClearByGoldenFile,
    retention: Retention::UntilExpiry,
    indexed: &[],
    clear: &[],
};

pub fn policy() -> Policy {
    Policy::defaults(&Schema::new([&TRIES, &PERIOD, &RETENTION, &LISTEN]))
        .named("sample")
        .with(&PERIOD, Value::Span(Duration::from_secs(3_600)))
}

/// When the sample is written: 2026-11-22 12:00:00 JST.
fn now() -> Time {
    Time::parse_rfc3339("2026-11-22T12:00:00+09:00").expect("a time")
}

pub fn input(policy: &Policy) -> Input<'_> {
    let now = now();
    let proven = |verdict| Proof {
        verdict,
        stage: Some(Stage::Rehearsal),
        at: Some(now.minus(Duration::from_secs(3_600))),
        fresh_until: Some(now.plus(Duration::from_secs(86_400))),
        reference: Some("evt_0198c2b4_000a".into()),
        missing: Vec::new(),
    };
    let partly = Proof { missing: vec!["refresh tokens".into(), "a second <node>".into()], ..proven(Verdict::Partly) };
    let proofs = [
        Proof { stage: Some(Stage::Live), ..proven(Verdict::Holds) },
        proven(Verdict::Broken),
        proven(Verdict::Stale),
        proven(Verdict::Unknown),
        partly,
        Proof::bare(Verdict::NotKeptYet),
        Proof::bare(Verdict::NotProven),
        Proof { stage: None, ..proven(Verdict::Attested) },
        Proof { stage: None, fresh_until: Some(now), ..proven(Verdict::Attested) },
    ];
    let claims = proofs
        .into_iter()
        .enumerate()
        .map(|(at, proof)| Claim {
            id: format!("EX-{:02}", at + 1),
            says: Text::owned(
                format!("表明事項その {} は 99.5 % です。", at + 1),
                format!("Claim {} is 99.5 %.", at + 1),
            ),
            kind: Text::new("システムによる実施", "Enforced"),
            area: if at < 7 { "sign-in".into() } else { "governance".into() },
            proof,
        })
        .collect();
    let area = |id: &str, ja: &'static str, en: &'static str| Area {
        id: id.into(),
        title: Text::new(ja, en),
        intro: Text::new("本節の説明です。", "What this section is about."),
    };
    Input {
        service: "Example & Co <cloud>",
        policy: Some(policy),
        build: "0.1.0 (sha256 0123abcd)",
        at: now,
        zone: Zone::parse("JST").expect("a zone"),
        chapters: vec![
            Chapter {
                title: Text::new("統制", "Governance"), areas: vec![area("governance", "統制", "Governance")]
            },
            Chapter {
                title: Text::new("利用者", "Users"),
                areas: vec![area("sign-in", "サインイン", "Sign-in"), area("empty", "空", "Empty")],
            },
        ],
        papers: vec![Source {
            title: Text::new("見本ホワイトペーパー", "Sample white paper"),
            service: Text::new("見本のサービス", "A sample service"),
            claims,
        }],
        controls: vec![&LOCKOUT],
        catalogue: vec![&PEOPLE, &ENTRIES, &LINKS],
        places: vec![Place {
            what: Text::new("データベース", "Database"),
            location: Text::new("日本（東京）", "Japan (Tokyo)"),
            data: Text::new("すべての区分、暗号化済み", "All classes, encrypted"),
        }],
    }
}
