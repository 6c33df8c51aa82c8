//! Nothing is added before a sign-in, by whichever of the four ways (MOX-53). Each way is another control's mechanism; what
//! is claimed here is that there is no way beside them.

mod paper;
mod probe;

use sekisho_kernel::{TakenOut, Text, claim::ClaimSpec};

use crate::control::{DAY, Declared};

/// Nothing can be added before signing in by one of four ways.
pub static MOX_53: ClaimSpec = ClaimSpec {
    id: "MOX-53",
    clauses: &["no-session", "password", "signature", "oauth", "saml", "way-off", "mail-in"],
    fresh_secs: DAY,
    negative: TakenOut::SessionRecheck,
    negative_clause: "no-session",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "ways",
    text: Text::new(
        "サインインするまで、何も追加できません。サインインの方法は、パスワード、一意の ID と署名、OAuth、SAML の 4 つです。",
        "Lets nobody add anything before they sign in: by password, unique ID with signature, OAuth, or SAML.",
    ),
    settings: &[],
    claims: &[&MOX_53],
    probes: probe::probes,
    paper: &paper::PAPER,
};
