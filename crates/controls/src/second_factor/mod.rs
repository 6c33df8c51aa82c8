//! The second factor: TOTP (RFC 6238) beside the password, with recovery codes (NM-03).

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::FactorRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{DAY, Declared};

/// Whether users may, or must, have one.
pub static MODE: Setting = Setting {
    key: "second_factor.mode",
    kind: Kind::Choice(&["off", "optional", "required"]),
    default: Default::Str("optional"),
    tenant: Movement::Max,
    doc: Text::new(
        "時刻ベースのワンタイムパスワード（TOTP）の扱い。off は新たな登録を受け付けず、optional は利用者が選び、required は最初のサインインで登録を求めます。登録済みのアカウントには、いずれの場合もコードを求めます。",
        "Time-based one-time passwords (TOTP). off takes no new enrolment, optional leaves it to the user, required asks for enrolment at the first sign-in. An account that has one is asked for its code in every mode.",
    ),
};

/// How many recovery codes are issued.
pub static RECOVERY_CODES: Setting = Setting {
    key: "second_factor.recovery_codes",
    kind: Kind::Int { min: 1, max: 20 },
    default: Default::Int(10),
    tenant: Movement::Fixed,
    doc: Text::new(
        "登録時に発行するリカバリーコードの数。それぞれ 1 回だけ使えます。",
        "Recovery codes issued at enrolment. Each works once.",
    ),
};

/// Time-based one-time passwords can be added to the password.
pub static NM_03: ClaimSpec = ClaimSpec {
    id: "NM-03",
    clauses: &[
        "password-alone-no-session",
        "code-works-once",
        "code-not-again",
        "recovery-code-works-once",
        "recovery-code-not-again",
    ],
    fresh_secs: DAY,
    negative: TakenOut::SecondFactor,
    negative_clause: "password-alone-no-session",
    live: true,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "second_factor",
    text: Text::new(
        "パスワードに加えて、認証アプリのコードを求めます。",
        "Asks for an authenticator code beside the password.",
    ),
    settings: &[&MODE, &RECOVERY_CODES],
    claims: &[&NM_03],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, nobody is asked for a code, or a code works twice.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> FactorRule {
    let mode = policy.str(&MODE);
    let asked = out != Some(TakenOut::SecondFactor);
    FactorRule {
        ask: asked,
        required: asked && mode == "required",
        allowed: mode != "off",
        refuse_replay: out != Some(TakenOut::CodeReplay),
        recovery_codes: u32::try_from(policy.int(&RECOVERY_CODES)).unwrap_or(1),
    }
}
