//! A marker password in raw bytes, the stored form, and a sign-in over plain HTTP (NM-28, MOX-23).

mod hashed;
mod plain;

use sekisho_kernel::claim::Probe;

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(hashed::OnlyHashed { over_the_wire: false }), Box::new(hashed::OnlyHashed { over_the_wire: true })]
}
