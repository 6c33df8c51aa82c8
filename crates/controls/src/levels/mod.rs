//! Four levels of access control, one behind the other (MOX-22): the token that signs a request in, the devices a person is
//! signed in on, what the administrator has switched off, and the approval of third-party applications. Each is another
//! control's mechanism; what is claimed here is that each of them stops a request by itself.

mod paper;
mod probe;

use sekisho_kernel::{TakenOut, Text, claim::ClaimSpec};

use crate::control::{DAY, Declared};

/// Access has four levels of control.
pub static MOX_22: ClaimSpec = ClaimSpec {
    id: "MOX-22",
    clauses: &["token-alone", "device-alone", "management-alone", "application-alone"],
    fresh_secs: DAY,
    negative: TakenOut::UserSwitch,
    negative_clause: "management-alone",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "levels",
    text: Text::new(
        "アクセスを、トークン、端末、管理者の設定、アプリケーションの承認の 4 段階で制御します。",
        "Controls access at four levels: token, device, management and application.",
    ),
    settings: &[],
    claims: &[&MOX_22],
    probes: probe::probes,
    paper: &paper::PAPER,
};
