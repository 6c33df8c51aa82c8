//! Key derivation: HKDF-SHA256 (RFC 5869) from 32 random bytes, without salt, with a label that cannot be confused with another.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// `length` bytes for `info` out of `secret` under `salt`.
pub(crate) fn hkdf(
    salt: &[u8],
    secret: &[u8],
    info: &[u8],
    out: &mut [u8],
) -> Result<(), aws_lc_rs::error::Unspecified> {
    let prk = Salt::new(HKDF_SHA256, salt).extract(secret);
    prk.expand(&[info], Length(out.len()))?.fill(out)
}

/// A 256-bit key for the use that `labels` name, each led by its length.
pub(crate) fn derive(secret: &[u8; 32], labels: &[&str]) -> Zeroizing<[u8; 32]> {
    let mut info = b"sekisho/v1".to_vec();
    for label in labels {
        info.extend_from_slice(&(label.len() as u64).to_be_bytes());
        info.extend_from_slice(label.as_bytes());
    }
    let mut out = Zeroizing::new([0; 32]);
    hkdf(&[], secret, &info, &mut out[..]).expect("32 bytes are fewer than HKDF-SHA256 gives at most");
    out
}
