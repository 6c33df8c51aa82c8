//! Randomness as a parameter.

/// A source of random bytes. For keys, tokens and salts it must be cryptographically secure; a seeded one
/// exists for tests only.
pub trait Rng: Send + Sync {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    #[expect(clippy::disallowed_methods, reason = "this is where ambient randomness enters")]
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).expect("the operating system's random generator answers; without it nothing may go on");
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill(&mut out);
    out
}
