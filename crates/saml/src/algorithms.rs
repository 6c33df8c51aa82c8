//! The algorithms that are allowed, by their names. What is not here is refused: SHA-1, MD5, HMAC, DSA, CBC, PKCS#1 v1.5 key
//! transport, XPath and XSLT have no name in this crate.

use aws_lc_rs::{aead, digest, rsa, signature};
use sekisho_kernel::{Problem, Text};

use crate::problems::ALGORITHM;

/// Exclusive canonicalisation without comments.
pub(crate) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// The enveloped signature transform (XML Signature §6.6.4).
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// What a public key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// RSA of 2048 to 8192 bits.
    Rsa,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
}

/// A signature algorithm: its name, its key, and what verifies it.
pub(crate) struct Signing {
    pub(crate) uri: &'static str,
    pub(crate) kind: KeyKind,
    pub(crate) verify: &'static dyn signature::VerificationAlgorithm,
}

/// XML Signature 1.1 §6.4: ECDSA values are r and s, one after the other.
pub(crate) static SIGNING: [Signing; 6] = [
    Signing {
        uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        kind: KeyKind::Rsa,
        verify: &signature::RSA_PKCS1_2048_8192_SHA256,
    },
    Signing {
        uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        kind: KeyKind::Rsa,
        verify: &signature::RSA_PKCS1_2048_8192_SHA384,
    },
    Signing {
        uri: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        kind: KeyKind::Rsa,
        verify: &signature::RSA_PKCS1_2048_8192_SHA512,
    },
    Signing {
        uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        kind: KeyKind::P256,
        verify: &signature::ECDSA_P256_SHA256_FIXED,
    },
    Signing {
        uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        kind: KeyKind::P384,
        verify: &signature::ECDSA_P384_SHA384_FIXED,
    },
    Signing {
        uri: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        kind: KeyKind::P521,
        verify: &signature::ECDSA_P521_SHA512_FIXED,
    },
];

/// The signature algorithm called `uri`.
pub(crate) fn signing(uri: &str) -> Result<&'static Signing, Problem> {
    SIGNING.iter().find(|s| s.uri == uri).ok_or_else(|| not_listed(uri))
}

/// The digest called `uri`.
pub(crate) fn digest(uri: &str) -> Result<&'static digest::Algorithm, Problem> {
    match uri {
        "http://www.w3.org/2001/04/xmlenc#sha256" => Ok(&digest::SHA256),
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Ok(&digest::SHA384),
        "http://www.w3.org/2001/04/xmlenc#sha512" => Ok(&digest::SHA512),
        _ => Err(not_listed(uri)),
    }
}

/// The content encryption called `uri` (XML Encryption 1.1 §5.2.4).
pub(crate) fn content(uri: &str) -> Result<&'static aead::Algorithm, Problem> {
    match uri {
        "http://www.w3.org/2009/xmlenc11#aes128-gcm" => Ok(&aead::AES_128_GCM),
        "http://www.w3.org/2009/xmlenc11#aes192-gcm" => Ok(&aead::AES_192_GCM),
        "http://www.w3.org/2009/xmlenc11#aes256-gcm" => Ok(&aead::AES_256_GCM),
        _ => Err(not_listed(uri)),
    }
}

/// RSA-OAEP by its name, digest and mask (XML Encryption 1.1 §5.5.2). SHA-1 within OAEP needs no collision resistance and is what
/// every provider sends; it is allowed here alone.
pub(crate) fn transport(
    uri: &str,
    digest: Option<&str>,
    mask: Option<&str>,
) -> Result<&'static rsa::OaepAlgorithm, Problem> {
    const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
    const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
    const MGF1_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";
    const MGF1_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
    match (uri, digest.unwrap_or(SHA1), mask.unwrap_or(MGF1_SHA1)) {
        (
            "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p" | "http://www.w3.org/2009/xmlenc11#rsa-oaep",
            SHA1,
            MGF1_SHA1,
        ) => Ok(&rsa::OAEP_SHA1_MGF1SHA1),
        ("http://www.w3.org/2009/xmlenc11#rsa-oaep", SHA256, MGF1_SHA256) => Ok(&rsa::OAEP_SHA256_MGF1SHA256),
        (_, digest, mask) => Err(not_listed(&format!("{uri} {digest} {mask}"))),
    }
}

fn not_listed(uri: &str) -> Problem {
    let shown = shown(uri);
    Problem::new(&ALGORITHM).detail(Text::owned(format!("指定されたもの: {shown}。"), format!("Given: {shown}.")))
}

/// A foreign text for a message: one line, at most 200 characters.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
