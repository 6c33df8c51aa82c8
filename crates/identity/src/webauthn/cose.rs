//! Public keys as authenticators give them: COSE_Key (RFC 9052 §7, RFC 9053) of three algorithms, with exactly the members
//! that WebAuthn §6.5.1 allows.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::{
    Read, Refused,
    cbor::{self, Value},
};

/// What is offered to authenticators, the preferred first: ES256, EdDSA with Ed25519, RS256 (RFC 9053 §2, RFC 8812 §2).
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];

pub(super) const ES256: i64 = -7;
pub(super) const EDDSA: i64 = -8;
pub(super) const RS256: i64 = -257;

/// Bytes of an RSA modulus: 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// A public key that signatures can be held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECDSA on P-256 with SHA-256: the uncompressed point.
    Es256([u8; 65]),
    /// Ed25519.
    EdDsa([u8; 32]),
    /// RSASSA-PKCS1-v1_5 with SHA-256: modulus and exponent.
    Rs256(Vec<u8>, Vec<u8>),
}

impl Key {
    /// The key that `bytes` are, whole.
    ///
    /// # Errors
    /// Anything but a COSE_Key of ours.
    pub fn whole(bytes: &[u8]) -> Read<Self> {
        Self::of(&cbor::whole(bytes)?)
    }

    /// The key that a map is.
    pub(super) fn of(map: &Value<'_>) -> Read<Self> {
        let broken = || Refused("public-key");
        let int = |label| map.numbered(label).and_then(Value::int);
        let bytes = |label| map.numbered(label).and_then(Value::bytes);
        let members = map.pairs().ok_or_else(broken)?.len();
        let (key, expected) = match (int(1), int(3)) {
            (Some(2), Some(ES256)) if int(-1) == Some(1) => {
                let (x, y) = bytes(-2).zip(bytes(-3)).ok_or_else(broken)?;
                let point: [u8; 65] = [&[4], x, y].concat().try_into().map_err(|_| broken())?;
                if x.len() != 32 {
                    return Err(broken());
                }
                (Self::Es256(point), 5)
            }
            (Some(1), Some(EDDSA)) if int(-1) == Some(6) => {
                let x = bytes(-2).ok_or_else(broken)?;
                (Self::EdDsa(x.try_into().map_err(|_| broken())?), 4)
            }
            (Some(3), Some(RS256)) => {
                let (n, e) = bytes(-1).zip(bytes(-2)).ok_or_else(broken)?;
                let exponent =
                    matches!(e, [_] | [_, _] | [_, _, _] | [_, _, _, _]) && e[0] != 0 && e[e.len() - 1] & 1 == 1;
                if !MODULUS.contains(&n.len()) || n[0] == 0 || !exponent || e == [1] {
                    return Err(broken());
                }
                (Self::Rs256(n.to_vec(), e.to_vec()), 4)
            }
            _ => return Err(Refused("algorithm")),
        };
        if members == expected { Ok(key) } else { Err(broken()) }
    }

    /// Its COSE algorithm.
    pub const fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => ES256,
            Self::EdDsa(_) => EDDSA,
            Self::Rs256(..) => RS256,
        }
    }

    /// Whether the signature is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature),
            Self::EdDsa(x) => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
            Self::Rs256(n, e) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        }
        .is_ok()
    }
}
