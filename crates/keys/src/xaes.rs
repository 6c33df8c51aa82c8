//! XAES-256-GCM (C2SP XAES-256-GCM): AES-256-GCM with a 256-bit key and a 192-bit random value per message. A key of
//! its own is derived for each message, so that GCM's bounds on messages per key are never near.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_256, EncryptingKey, UnboundCipherKey},
    error::Unspecified,
};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of the random value.
pub const NONCE: usize = 24;
/// Bytes of the authentication tag.
pub const TAG: usize = 16;

/// A key, its schedule and CMAC subkey computed once. aws-lc wipes the schedule when it is dropped.
pub struct Xaes {
    ecb: EncryptingKey,
    subkey: Zeroizing<[u8; 16]>,
}

impl Xaes {
    /// From 32 bytes.
    ///
    /// # Errors
    /// Never for 32 bytes; the library's own signature.
    pub fn new(key: &[u8; 32]) -> Result<Self, Unspecified> {
        let ecb = EncryptingKey::ecb(UnboundCipherKey::new(&AES_256, key)?)?;
        let mut block = [0; 16];
        ecb.encrypt(&mut block)?;
        // NIST SP 800-38B §6.1: the subkey K1.
        let carry = block[0] >> 7;
        for i in 0..16 {
            let next = block.get(i + 1).map_or(0, |b| b >> 7);
            block[i] = (block[i] << 1) | next;
        }
        block[15] ^= carry * 0x87;
        let subkey = Zeroizing::new(block);
        block.zeroize();
        Ok(Self { ecb, subkey })
    }

    /// The AES-256-GCM key of messages whose random value begins with these 12 bytes (NIST SP 800-108r1 §4.1 in
    /// counter mode over CMAC: each block of it is one block cipher call).
    fn derive(&self, first: &[u8; 12]) -> Result<LessSafeKey, Unspecified> {
        let mut key = Zeroizing::new([0u8; 32]);
        for (counter, half) in [1u8, 2].iter().zip(key.chunks_exact_mut(16)) {
            half[1] = *counter;
            half[2] = b'X';
            half[4..].copy_from_slice(first);
            for (b, k) in half.iter_mut().zip(self.subkey.iter()) {
                *b ^= k;
            }
        }
        // ECB over the two blocks at once.
        self.ecb.encrypt(&mut key[..])?;
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key[..])?))
    }

    /// Encrypts `data` in place and answers the tag.
    ///
    /// # Errors
    /// Longer than GCM allows (64 GiB).
    pub fn seal(&self, nonce: &[u8; NONCE], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG], Unspecified> {
        let (key, rest) = self.split(nonce)?;
        let tag = key.seal_in_place_separate_tag(rest, Aad::from(aad), data)?;
        tag.as_ref().try_into().map_err(|_| Unspecified)
    }

    /// Decrypts `data` (ciphertext and tag) in place and answers the plain part.
    ///
    /// # Errors
    /// Not authentic. Nothing of `data` may be used then.
    pub fn open<'d>(&self, nonce: &[u8; NONCE], aad: &[u8], data: &'d mut [u8]) -> Result<&'d mut [u8], Unspecified> {
        let (key, rest) = self.split(nonce)?;
        key.open_in_place(rest, Aad::from(aad), data)
    }

    fn split(&self, nonce: &[u8; NONCE]) -> Result<(LessSafeKey, Nonce), Unspecified> {
        let (first, rest) = nonce.split_first_chunk::<12>().ok_or(Unspecified)?;
        Ok((self.derive(first)?, Nonce::try_assume_unique_for_key(rest)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(key: u8, aad: &[u8]) -> String {
        let mut data = b"XAES-256-GCM".to_vec();
        let xaes = Xaes::new(&[key; 32]).expect("key");
        let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
        let tag = xaes.seal(nonce, aad, &mut data).expect("seal");
        data.extend_from_slice(&tag);
        let out = hex::encode(&data);
        assert_eq!(xaes.open(nonce, aad, &mut data).expect("open"), b"XAES-256-GCM");
        out
    }

    /// The vectors of C2SP XAES-256-GCM, for both values of the subkey's carry.
    #[test]
    fn published_vectors() {
        assert_eq!(sealed(1, b""), "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
        assert_eq!(sealed(3, b"c2sp.org/XAES-256-GCM"), "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
    }

    proptest::proptest! {
        /// The derivation is CMAC in counter mode, as the standard says it, for any key.
        #[test]
        fn derives_as_cmac_does(key: [u8; 32], nonce: [u8; 24], plain in proptest::collection::vec(0u8.., 0..200)) {
            use aws_lc_rs::cmac;
            let by = cmac::Key::new(cmac::AES_256, &key).expect("key");
            let block = |n: u8| [&[0, n, b'X', 0], &nonce[..12]].concat();
            let halves = [1, 2].map(|n| cmac::sign(&by, &block(n)).expect("signed").as_ref().to_vec()).concat();
            let theirs = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &halves).expect("key"));
            let mut wanted = plain.clone();
            let rest = Nonce::try_assume_unique_for_key(&nonce[12..]).expect("nonce");
            theirs.seal_in_place_append_tag(rest, Aad::from(b"aad"), &mut wanted).expect("sealed");
            let mut data = plain;
            let tag = Xaes::new(&key).expect("key").seal(&nonce, b"aad", &mut data).expect("sealed");
            data.extend_from_slice(&tag);
            proptest::prop_assert_eq!(data, wanted);
        }
    }
}
