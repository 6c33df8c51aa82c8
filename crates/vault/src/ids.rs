//! Entry ids that sort by time to the microsecond.

use sekisho_kernel::{Rng, Time, id::EntryId, rng};

/// A UUIDv7 whose 12 bits after the version hold the fraction of the millisecond (RFC 9562 §6.2, method 3), so that entries
/// sort as they happened; the 62 bits after the variant are random.
pub(crate) fn entry(now: Time, rng: &dyn Rng) -> EntryId {
    let micros = now.micros().max(0);
    let (millis, rest) = (micros / 1_000, micros % 1_000);
    let fraction = rest * 4_096 / 1_000;
    let mut bytes: [u8; 16] = rng::bytes(rng);
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70 | u8::try_from(fraction >> 8).unwrap_or(0x0f);
    bytes[7] = u8::try_from(fraction & 0xff).unwrap_or(0xff);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    EntryId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::SystemRng;

    use super::*;

    #[test]
    fn ids_are_uuids_of_version_7_and_sort_by_the_microsecond() {
        let id = |micros| entry(Time::from_micros(micros), &SystemRng);
        let base = 1_800_000_000_000_000;
        for step in 0..2_000 {
            assert!(id(base + step) < id(base + step + 1), "{step}");
        }
        let bytes = id(base + 999).bytes();
        assert_eq!(bytes[..6], (base / 1_000).to_be_bytes()[2..]);
        assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 2));
    }
}
