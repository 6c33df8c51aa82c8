//! A browser left untouched, and a token that was revoked (NM-02, MOX-16).

mod idle;
mod token;

use sekisho_kernel::claim::Probe;

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(idle::LeftUntouched), Box::new(token::CheckedAgain)]
}
