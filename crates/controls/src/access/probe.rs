//! Every right against every request; sites against sites (NM-04, IDO-39, MIST-22).

mod matrix;
mod sites;

use sekisho_kernel::claim::Probe;

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![
        Box::new(matrix::OneRight { types_too: false }),
        Box::new(matrix::OneRight { types_too: true }),
        Box::new(sites::SiteBySite),
    ]
}
