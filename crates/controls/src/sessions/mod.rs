//! Sessions: their ends, and the check of the token at every request (NM-02, MOX-16).

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::SessionRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Time without activity after which a session ends.
pub static IDLE: Setting = Setting {
    key: "sessions.idle",
    kind: Kind::Span { min: 60, max: 86_400 },
    default: Default::Secs(30 * 60),
    tenant: Movement::Min,
    doc: Text::new(
        "無操作サインアウトまでの無操作時間。画面の自動更新と WebSocket の通信は、操作とみなされません。",
        "Time without activity after which the session ends. Polling and WebSocket traffic are no activity.",
    ),
};

/// Time since sign-in after which a session ends.
pub static ABSOLUTE: Setting = Setting {
    key: "sessions.absolute",
    kind: Kind::Span { min: 300, max: 90 * 86_400 },
    default: Default::Secs(12 * 3_600),
    tenant: Movement::Min,
    doc: Text::new(
        "セッションの最長時間。操作が続いていても、サインインからこの時間が過ぎると終了します。",
        "Time since sign-in after which the session ends, however busy it is.",
    ),
};

/// Thirty minutes without activity sign the user out.
pub static NM_02: ClaimSpec = ClaimSpec {
    id: "NM-02",
    clauses: &[
        "real-browser",
        "polling-does-not-prolong",
        "websocket-does-not-prolong",
        "signed-out-at-limit",
        "shows-no-data",
        "click-prolongs",
        "refresh-token-does-not-prolong",
        "record-gone-on-every-node",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::IdleEnd,
    negative_clause: "signed-out-at-limit",
    live: false,
};

/// Each session has a unique token, checked again on every transaction.
pub static MOX_16: ClaimSpec = ClaimSpec {
    id: "MOX-16",
    clauses: &["revoked-refused-on-same-connection", "unguessable", "stored-only-hashed"],
    fresh_secs: WEEK,
    negative: TakenOut::SessionRecheck,
    negative_clause: "revoked-refused-on-same-connection",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "sessions",
    text: Text::new(
        "セッションを無操作時間と最長時間で終了し、要求のたびに確認します。",
        "Ends sessions after idle time and at their longest time, and checks them at every request.",
    ),
    settings: &[&IDLE, &ABSOLUTE],
    claims: &[&NM_02, &MOX_16],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force; taken out, idle sessions go on, or a resolved session is not looked at again.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> SessionRule {
    SessionRule {
        idle: (out != Some(TakenOut::IdleEnd)).then(|| policy.span(&IDLE)),
        absolute: policy.span(&ABSOLUTE),
        recheck: out != Some(TakenOut::SessionRecheck),
    }
}
