//! Markers in raw bytes, hellos of every suite, and a second program that opens what was sealed (MIST-03, NM-27, DX-18,
//! MIST-25, MIST-16, MOX-15, MIST-17, IDO-25).

mod marker;
pub(crate) mod opened;
mod recorded;
mod tls;

use sekisho_kernel::claim::Probe;

use super::{DX_18, IDO_25, MIST_03, MIST_17, NM_27};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![
        Box::new(marker::Nowhere(&MIST_03)),
        Box::new(marker::Nowhere(&NM_27)),
        Box::new(marker::Nowhere(&DX_18)),
        Box::new(marker::PersonalBlocks),
        Box::new(tls::Aes256Alone),
        Box::new(tls::StrongAndForwardSecret),
        Box::new(opened::OpenedIndependently(&MIST_17)),
        Box::new(opened::OpenedIndependently(&IDO_25)),
    ]
}
