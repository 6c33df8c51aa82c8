//! Ed25519 signing keys (RFC 8032), one for each purpose, made at first start and kept wrapped under the root.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sekisho_kernel::{Problem, problem::INTERNAL};

/// What a signing key is for, and for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Checkpoints of the ledger.
    Checkpoint,
    /// Evidence of probes.
    Evidence,
    /// Assertions to the application behind the door.
    Assertion,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Checkpoint, Self::Evidence, Self::Assertion];
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Evidence => "evidence",
            Self::Assertion => "assertion",
        }
    }
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

/// A public key of this instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// What it is for.
    pub purpose: Purpose,
    /// 1 for the first, one more after each rotation.
    pub version: u32,
    /// The Ed25519 public key.
    pub bytes: [u8; 32],
}

impl PublicKey {
    /// Whether `signature` over `message` is of this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature).is_ok()
    }
}

/// Signs for one purpose.
pub struct Signer {
    public: PublicKey,
    pair: Ed25519KeyPair,
}

impl Signer {
    pub(crate) fn of_seed(purpose: Purpose, version: u32, seed: &[u8]) -> Result<Self, Problem> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| defect("not an Ed25519 seed"))?;
        let bytes = pair.public_key().as_ref().try_into().map_err(|_| defect("not an Ed25519 key"))?;
        Ok(Self { public: PublicKey { purpose, version, bytes }, pair })
    }
    /// The same published key, with another behind it: only where a rehearsal has taken the right one out.
    pub(crate) fn swapped(&self, seed: &[u8; 32]) -> Result<Self, Problem> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| defect("not an Ed25519 seed"))?;
        Ok(Self { public: self.public, pair })
    }
    /// The public half, as published.
    pub const fn public(&self) -> PublicKey {
        self.public
    }
    /// The signature over `message`.
    ///
    /// # Errors
    /// The key's holder does not answer.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Problem> {
        self.pair.sign(message).as_ref().try_into().map_err(|_| defect("an Ed25519 signature has 64 bytes"))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} {})", self.public.purpose.name(), self.public.version)
    }
}

fn defect(why: &str) -> Problem {
    Problem::new(&INTERNAL).log(why)
}
