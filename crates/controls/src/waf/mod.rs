//! The web application firewall: which rules look at requests, and what is done with what they find (DX-03, DX-14).
//!
//! This folder holds the figures and reads the entries of its lists. Loading and running rules is the door's.

mod attacks;
mod list;
mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Policy, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::{FirewallMode, FirewallResponses, FirewallRule, FirewallSource},
    policy::{Default, Kind, Movement, Value},
};

use crate::control::{Declared, WEEK};

pub use list::{exclusion, path};

/// What is done with what the rules find.
pub static MODE: Setting = Setting {
    key: "waf.mode",
    kind: Kind::Choice(&["off", "detect", "on"]),
    default: Default::Str("on"),
    tenant: Movement::Max,
    doc: Text::new(
        "ファイアウォールの動作。on は遮断し、detect は通したうえで記録だけを残し、off は検査しません。",
        "What the firewall does: `on` blocks, `detect` lets pass and enters what it would have blocked, `off` looks at nothing.",
    ),
};

/// The paranoia level.
pub static PARANOIA: Setting = Setting {
    key: "waf.paranoia",
    kind: Kind::Int { min: 1, max: 4 },
    default: Default::Int(1),
    tenant: Movement::Max,
    doc: Text::new(
        "厳しさの段階（OWASP Core Rule Set の paranoia level）。高いほど多くの規則が働き、誤検知も増えます。",
        "Paranoia level of the rule set. The higher, the more rules run, and the more ordinary requests they take for attacks.",
    ),
};

/// The anomaly score that blocks.
pub static THRESHOLD: Setting = Setting {
    key: "waf.threshold",
    kind: Kind::Int { min: 1, max: 100 },
    default: Default::Int(5),
    tenant: Movement::Fixed,
    doc: Text::new(
        "要求を遮断する異常スコア。深刻な規則 1 件が 5 点です。",
        "The anomaly score from which a request is blocked. One critical rule scores 5.",
    ),
};

/// A folder with a rule set.
pub static RULES: Setting = Setting {
    key: "waf.rules",
    kind: Kind::Path,
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "ルールセットのフォルダー。OWASP Core Rule Set 4 または Debian の modsecurity-crs を変更せずに読み込みます。空なら製品に含まれる基本の規則を使います。",
        "Folder of a rule set: OWASP Core Rule Set 4 or Debian's modsecurity-crs, unmodified. Empty: the base rules that come with the product.",
    ),
};

/// A file with rules of one's own.
pub static OWN_RULES: Setting = Setting {
    key: "waf.own_rules",
    kind: Kind::Path,
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "独自の規則を SecLang で書いたファイル。ルールセットとともに読み込みます。",
        "A file with rules of one's own in SecLang, loaded beside the rule set.",
    ),
};

/// Paths with values of their own.
pub static PATHS: Setting = Setting {
    key: "waf.paths",
    kind: Kind::List,
    default: Default::List(&[]),
    tenant: Movement::Fixed,
    doc: Text::new(
        "経路ごとの動作。「/upload/ detect」「/admin/ paranoia 3」「/static/ off」のように、経路の先頭部分に続けて書きます。最も長く一致するものが有効です。",
        "What holds for paths that begin so: `/upload/ detect`, `/admin/ paranoia 3`, `/static/ off`. The longest match decides.",
    ),
};

/// Exclusions.
pub static EXCLUSIONS: Setting = Setting {
    key: "waf.exclusions",
    kind: Kind::List,
    default: Default::List(&[]),
    tenant: Movement::Beside,
    doc: Text::new(
        "除外。「rule 942100 on ARGS:comment at /orders/ until 2027-03-31: 理由」のように、規則（またはタグ）、見ない部分、経路、期限、理由を書きます。期限を過ぎた除外は働きません。",
        "Exclusions: `rule 942100 on ARGS:comment at /orders/ until 2027-03-31: the reason`, or `tag …`. Rule, part, path, last day and reason; past its day an exclusion no longer counts.",
    ),
};

/// How many exclusions a tenant may have of its own.
pub static TENANT_EXCLUSIONS: Setting = Setting {
    key: "waf.tenant_exclusions",
    kind: Kind::Int { min: 0, max: 200 },
    default: Default::Int(0),
    tenant: Movement::Fixed,
    doc: Text::new(
        "組織の管理者が自組織について追加できる除外の数。1 つの規則、1 つの部分、1 つの経路、90 日以内に限ります。0 なら追加できず、コンソールは運用者に渡す 1 行を示します。",
        "How many exclusions a tenant's administrators may add for their own organisation: one rule, one part, one path, at most 90 days each. 0: none; the console then shows the line to hand to the operator.",
    ),
};

/// Bytes of a body that are looked at.
pub static MAX_BODY: Setting = Setting {
    key: "waf.max_body",
    kind: Kind::Int { min: 1_024, max: 64 * 1024 * 1024 },
    default: Default::Int(1024 * 1024),
    tenant: Movement::Fixed,
    doc: Text::new(
        "検査する要求の本文の上限（バイト）です。",
        "Largest request body, in bytes, that is held and looked at.",
    ),
};

/// What is done with longer bodies.
pub static LONGER_BODIES: Setting = Setting {
    key: "waf.longer_bodies",
    kind: Kind::Choice(&["pass", "refuse"]),
    default: Default::Str("refuse"),
    tenant: Movement::Fixed,
    doc: Text::new(
        "上限を超える本文の扱い。refuse は拒否し、pass は本文を検査せずに通します。",
        "What is done with a longer body: `refuse`, or `pass` without looking at it.",
    ),
};

/// How far answers are looked at.
pub static RESPONSES: Setting = Setting {
    key: "waf.responses",
    kind: Kind::Choice(&["off", "head", "body"]),
    default: Default::Str("head"),
    tenant: Movement::Fixed,
    doc: Text::new(
        "アプリケーションの応答の検査。head は状態とヘッダーだけ、body は本文（先頭 512 KiB まで）も検査します。",
        "How far the application's answers are looked at: `head` at status and header fields, `body` at the first 512 KiB of text as well.",
    ),
};

/// The feed.
pub static FEED: Setting = Setting {
    key: "waf.feed",
    kind: Kind::Str { max: 512 },
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "新しいルールセットの配布元。フォルダー、または https:// で始まるアドレスです。空なら取り込みません。",
        "Where new rule sets come from: a folder, or an address that begins with https://. Empty: none are fetched.",
    ),
};

/// The feed's key.
pub static FEED_KEY: Setting = Setting {
    key: "waf.feed_key",
    kind: Kind::Str { max: 64 },
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "配布元の Ed25519 公開鍵（base64）。`sekisho waf feed key` が表示します。この鍵の署名がないものは読み込みません。",
        "The feed's Ed25519 public key, base64, as `sekisho waf feed key` prints it. What it has not signed is not loaded.",
    ),
};

/// Whose certificates an https feed may have.
pub static FEED_CA: Setting = Setting {
    key: "waf.feed_ca",
    kind: Kind::Path,
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "https の配布元の証明書を検証する認証局の PEM ファイルです。https の配布元では必須です。",
        "PEM file of the authorities that an https feed's certificate is checked against. Required for an https feed.",
    ),
};

/// How often the feed is asked.
pub static FEED_EVERY: Setting = Setting {
    key: "waf.feed_every",
    kind: Kind::Span { min: 60, max: 7 * 86_400 },
    default: Default::Secs(3_600),
    tenant: Movement::Fixed,
    doc: Text::new("配布元を確認する間隔です。", "How often the feed is asked for a newer rule set."),
};

/// The age at which a rule set is out of date.
pub static MAX_AGE: Setting = Setting {
    key: "waf.max_age",
    kind: Kind::Span { min: 86_400, max: 3_650 * 86_400 },
    default: Default::Secs(90 * 86_400),
    tenant: Movement::Fixed,
    doc: Text::new(
        "ルールセットがこの期間より古くなると、コンソールに示し、1 日に 1 回警告を記録します。",
        "A rule set older than this is pointed out in the console, and a warning is entered once a day.",
    ),
};

/// A firewall and measures in the application guard against unauthorised access.
pub static DX_03: ClaimSpec = ClaimSpec {
    id: "DX-03",
    clauses: &["attacks-blocked", "ordinary-traffic-passes", "application-refuses-by-itself", "slow-attack-detected"],
    fresh_secs: WEEK,
    negative: TakenOut::Firewall,
    negative_clause: "attacks-blocked",
    live: false,
};

/// The firewall takes in the newest threat information regularly.
pub static DX_14: ClaimSpec = ClaimSpec {
    id: "DX-14",
    clauses: &[
        "new-set-loads-by-itself",
        "no-request-dropped",
        "blocks-what-passed-before",
        "unsigned-refused",
        "older-refused",
        "failing-refused",
        "age-shown-and-alerts",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::FeedSignature,
    negative_clause: "unsigned-refused",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "waf",
    text: Text::new(
        "アプリケーションとコンソールへの要求を検査し、攻撃を遮断します。",
        "Looks at requests to the application and the console, and blocks attacks.",
    ),
    settings: &[
        &MODE,
        &PARANOIA,
        &THRESHOLD,
        &RULES,
        &OWN_RULES,
        &PATHS,
        &EXCLUSIONS,
        &TENANT_EXCLUSIONS,
        &MAX_BODY,
        &LONGER_BODIES,
        &RESPONSES,
        &FEED,
        &FEED_KEY,
        &FEED_CA,
        &FEED_EVERY,
        &MAX_AGE,
    ],
    claims: &[&DX_03, &DX_14],
    probes: probe::probes,
    paper: &paper::PAPER,
};

fn size(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

/// The rule in force; taken out, nothing is looked at. An entry that cannot be read counts for nothing: reading the policy has
/// refused it before.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> FirewallRule {
    if out == Some(TakenOut::Firewall) {
        return FirewallRule::off();
    }
    let platform = Effective::platform(policy.platform.clone());
    let ours = platform.list(&EXCLUSIONS);
    let most = size(policy.int(&TENANT_EXCLUSIONS));
    let of_tenant = match policy.tenant.get(&EXCLUSIONS) {
        Some(Value::List(texts)) => texts.iter().take(most).collect(),
        _ => Vec::new(),
    };
    let mut exclusions: Vec<_> = ours.iter().filter_map(|text| exclusion(text).ok()).collect();
    exclusions.extend(of_tenant.into_iter().filter_map(|text| {
        let read = exclusion(text).ok().filter(list::is_narrow)?;
        Some(sekisho_kernel::gate::FirewallExclusion { own: true, ..read })
    }));
    FirewallRule {
        mode: list::mode(&policy.str(&MODE)).unwrap_or(FirewallMode::On),
        paranoia: u8::try_from(policy.int(&PARANOIA)).unwrap_or(4),
        threshold: u32::try_from(policy.int(&THRESHOLD)).unwrap_or(1),
        paths: policy.list(&PATHS).iter().filter_map(|text| path(text).ok()).collect(),
        exclusions,
        max_body: size(policy.int(&MAX_BODY)),
        refuse_longer: policy.str(&LONGER_BODIES) == "refuse",
        responses: match policy.str(&RESPONSES).as_str() {
            "off" => FirewallResponses::Off,
            "head" => FirewallResponses::Head,
            _ => FirewallResponses::Body,
        },
    }
}

/// Where the rules come from.
pub(crate) fn source(policy: &Effective) -> FirewallSource {
    FirewallSource {
        rules: policy.str(&RULES),
        own: policy.str(&OWN_RULES),
        feed: policy.str(&FEED),
        feed_key: policy.str(&FEED_KEY),
        feed_ca: policy.str(&FEED_CA),
        every: policy.span(&FEED_EVERY),
        max_age: policy.span(&MAX_AGE),
        tenant_exclusions: u32::try_from(policy.int(&TENANT_EXCLUSIONS)).unwrap_or(0),
    }
}

/// The entries of the lists that cannot be read: the setting's key, the entry, and why.
pub fn faults(policy: &Policy) -> Vec<(&'static str, String, Text)> {
    let list = |setting: &'static Setting| match policy.value(setting) {
        Value::List(texts) => texts,
        _ => Vec::new(),
    };
    let mut out = Vec::new();
    for text in list(&PATHS) {
        if let Err(why) = path(&text) {
            out.push((PATHS.key, text, why));
        }
    }
    for text in list(&EXCLUSIONS) {
        if let Err(why) = exclusion(&text) {
            out.push((EXCLUSIONS.key, text, why));
        }
    }
    out
}

/// Whether an exclusion is narrow enough to be a tenant's own: one rule, one part.
pub fn may_be_own(exclusion: &sekisho_kernel::gate::FirewallExclusion) -> bool {
    list::is_narrow(exclusion)
}

/// Whether a tenant may set this list of exclusions: each narrow, and not too many. The number is the door's to hold.
pub(crate) fn may_exclude(own: &Value) -> bool {
    match own {
        Value::List(texts) => texts.iter().all(|text| exclusion(text).is_ok_and(|e| list::is_narrow(&e))),
        _ => false,
    }
}
