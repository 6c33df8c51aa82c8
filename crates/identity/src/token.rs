//! Opaque tokens: 256 random bits, base64url without padding, known to the store by their SHA-256 only.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{Rng, Secret, rng};

/// Length of a token as text.
pub const TEXT_LEN: usize = 43;

/// A token's 32 bytes and their text.
pub struct Token {
    /// What is handed out.
    pub text: Secret<String>,
    /// What the store is given.
    pub hash: [u8; 32],
}

/// A new token.
pub fn new(rng: &dyn Rng) -> Token {
    let bytes: [u8; 32] = rng::bytes(rng);
    Token { text: Secret::new(URL_SAFE_NO_PAD.encode(bytes)), hash: sha256(&[&bytes]) }
}

/// The hash under which the token is stored. `None` for a text that no token has.
pub fn hash(text: &str) -> Option<[u8; 32]> {
    Some(sha256(&[&bytes(text)?]))
}

/// The bytes of a token. `None` for a text that no token has.
pub fn bytes(text: &str) -> Option<[u8; 32]> {
    if text.len() != TEXT_LEN {
        return None;
    }
    let mut out = [0; 32];
    let n = URL_SAFE_NO_PAD.decode_slice(text, &mut out).ok()?;
    (n == out.len()).then_some(out)
}

/// SHA-256 over the parts, each led by its length where there are several.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        if parts.len() > 1 {
            digest.update(&(part.len() as u64).to_be_bytes());
        }
        digest.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(digest.finish().as_ref());
    out
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::SystemRng;

    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_and_by_one_spelling_only() {
        let token = new(&SystemRng);
        assert_eq!(token.text.reveal().len(), TEXT_LEN);
        assert_eq!(hash(token.text.reveal()), Some(token.hash));
        assert_eq!(hash(&format!("{}=", token.text.reveal())), None);
        assert_eq!(hash(&token.text.reveal()[1..]), None);
        // 43 characters hold 258 bits; the two spare ones must be zero.
        let mut twin = token.text.reveal().clone();
        let last = twin.pop().unwrap();
        let at = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let n = at.iter().position(|c| char::from(*c) == last).unwrap();
        twin.push(char::from(at[n ^ 1]));
        assert_eq!(hash(&twin), None);
        assert_eq!(hash("ä".repeat(22).as_str()), None);
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        assert_ne!(sha256(&[b"ab", b"c"]), sha256(&[b"a", b"bc"]));
    }
}
