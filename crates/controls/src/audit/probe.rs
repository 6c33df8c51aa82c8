//! The operation history: complete, kept its time, unaltered, in one zone, in one place (NM-05, IDO-41, NM-06, NM-07,
//! MIST-09, IDO-07).

mod every_route;
mod interfaces;
mod kept;
mod reading;
mod recipes;
mod tamper;
mod zone;

use sekisho_kernel::claim::Probe;

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![
        Box::new(every_route::EveryOperation { handed_over: false }),
        Box::new(tamper::Unaltered),
        Box::new(zone::OneZone),
        Box::new(interfaces::OnePlace),
        Box::new(reading::StrictlyControlled),
        Box::new(every_route::EveryOperation { handed_over: true }),
    ]
}
