//! Lockout: failed sign-ins lock the account for a time (NM-01).
//!
//! This folder holds the figures. The counting itself, before any hash is computed, is the sign-in engine's.

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::LockoutRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Failed tries that lock.
pub static TRIES: Setting = Setting {
    key: "lockout.tries",
    kind: Kind::Int { min: 1, max: 100 },
    default: Default::Int(3),
    tenant: Movement::Min,
    doc: Text::new(
        "アカウントをロックするまでのサインイン失敗の回数。パスワード、認証アプリのコード、リカバリーコードおよび再認証を合わせて数えます。",
        "Failed sign-ins that lock the account. Password, authenticator code, recovery code and re-authentication are counted together.",
    ),
};

/// How long the lock lasts.
pub static PERIOD: Setting = Setting {
    key: "lockout.period",
    kind: Kind::Span { min: 60, max: 7 * 86_400 },
    default: Default::Secs(30 * 60),
    tenant: Movement::Max,
    doc: Text::new(
        "ロック時間。ロックに至らなかった失敗も、この時間が過ぎると数えられなくなります。",
        "How long the lock lasts. Failures that did not lock are forgotten after the same time.",
    ),
};

/// Whether a known browser has a counter of its own.
pub static KNOWN_DEVICE: Setting = Setting {
    key: "lockout.known_device",
    kind: Kind::Bool,
    default: Default::Bool(false),
    tenant: Movement::Fixed,
    doc: Text::new(
        "以前にサインインしたブラウザーの失敗を別に数えるかどうか。有効にすると、他人がロックさせて本人を締め出すことを防げます。",
        "Whether a browser that signed in before is counted apart, so that a stranger cannot lock a person out.",
    ),
};

/// Three failed sign-ins lock the account for 30 minutes.
pub static NM_01: ClaimSpec = ClaimSpec {
    id: "NM-01",
    clauses: &[
        "three-wrong-lock",
        "all-at-once",
        "across-nodes",
        "refused-until-period-ends",
        "accepted-after-period",
        "existence-not-revealed",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::Lockout,
    negative_clause: "refused-until-period-ends",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "lockout",
    text: Text::new("サインインの失敗が続いたアカウントをロックします。", "Locks an account after failed sign-ins."),
    settings: &[&TRIES, &PERIOD, &KNOWN_DEVICE],
    claims: &[&NM_01],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, no number of failures locks.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> LockoutRule {
    let tries = u32::try_from(policy.int(&TRIES)).unwrap_or(1);
    LockoutRule {
        tries: (out != Some(TakenOut::Lockout)).then_some(tries),
        period: policy.span(&PERIOD),
        known_device: policy.bool(&KNOWN_DEVICE),
    }
}
