//! AES-256 key wrap with padding (RFC 5649, NIST SP 800-38F §6.3).

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use sekisho_kernel::{Problem, problem::INTERNAL};
use zeroize::Zeroizing;

/// Wraps `key`.
pub(crate) fn wrap(kek: &[u8; 32], key: &[u8]) -> Result<Vec<u8>, Problem> {
    let defect = || Problem::new(&INTERNAL).log("a key could not be wrapped");
    let mut out = vec![0; key.len().next_multiple_of(8) + 8];
    let kek = AesKek::new(&AES_256, kek).map_err(|_| defect())?;
    let length = kek.wrap_with_padding(key, &mut out).map_err(|_| defect())?.len();
    out.truncate(length);
    Ok(out)
}

/// Unwraps; `None` when it was not wrapped under `kek` or was changed.
pub(crate) fn unwrap(kek: &[u8; 32], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // The cipher writes whole blocks before it knows how much of them is padding.
    let mut out = Zeroizing::new(vec![0; wrapped.len()]);
    let length = AesKek::new(&AES_256, kek).ok()?.unwrap_with_padding(wrapped, &mut out).ok()?.len();
    out.truncate(length);
    Some(out)
}
