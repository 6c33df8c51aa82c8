//! The probes of this control's claims.

use sekisho_kernel::claim::Probe;

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    Vec::new()
}
