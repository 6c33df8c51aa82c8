//! DER by hand (X.690): a certificate for a key, the key of a certificate; and encryption to it (XML Encryption 1.1).

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    rand::{self, SystemRandom},
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::claim::Trouble;

use super::{DS, broken};

/// rsaEncryption with its NULL (RFC 3279 §2.3.1).
const RSA: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// id-ecPublicKey on P-256 (RFC 5480 §2.1.1).
const P256: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07,
];
/// ecdsa-with-SHA256 (RFC 5758 §3.2).
const ECDSA_SHA256: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes() {
        [0, short] if short < 0x80 => out.push(short),
        [0, one] => out.extend([0x81, one]),
        two => out.extend([0x82, two[0], two[1]]),
    }
    out.extend(content);
    out
}

/// A certificate that nobody has signed: what counts is that the metadata names it.
pub fn certificate(point: &[u8]) -> Vec<u8> {
    let dates = tlv(0x30, &[&tlv(0x17, &[b"200101000000Z"]), &tlv(0x17, &[b"491231235959Z"])]);
    let key = tlv(0x30, &[&P256, &tlv(0x03, &[&[0], point])]);
    let name = tlv(0x30, &[]);
    let version = [0xa0, 0x03, 0x02, 0x01, 0x02];
    let body = tlv(0x30, &[&version, &[0x02, 0x01, 0x01], &ECDSA_SHA256, &name, &dates, &name, &key]);
    tlv(0x30, &[&body, &ECDSA_SHA256, &tlv(0x03, &[&[0, 0x30, 0x00]])])
}

/// Where a certificate has its RSA key: the whole SubjectPublicKeyInfo, and the RSAPublicKey in it.
fn rsa_parts(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = certificate.windows(RSA.len()).position(|w| w == RSA)?;
    let start = at.checked_sub(4)?;
    let length = |at: usize| Some(usize::from(u16::from_be_bytes([*certificate.get(at)?, *certificate.get(at + 1)?])));
    let whole = certificate.get(start..start + 4 + length(start + 2)?)?;
    // A BIT STRING: tag, three bytes of length, no unused bits.
    let bits = at + RSA.len();
    Some((whole, certificate.get(bits + 5..bits + 4 + length(bits + 2)?)?))
}

/// The RSAPublicKey of a certificate.
pub fn rsa_key(certificate: &[u8]) -> Option<Vec<u8>> {
    rsa_parts(certificate).map(|(_, key)| key.to_vec())
}

/// An `EncryptedAssertion` that the certificate's key opens.
pub fn encrypted(certificate: &[u8], assertion: &str) -> Result<String, Trouble> {
    let (whole, _) = rsa_parts(certificate).ok_or_else(|| broken("the service's certificate has no RSA key"))?;
    let (mut key, mut iv) = ([0; 32], [0; 12]);
    let random = SystemRandom::new();
    rand::SecureRandom::fill(&random, &mut key).map_err(broken)?;
    rand::SecureRandom::fill(&random, &mut iv).map_err(broken)?;
    let mut body = assertion.as_bytes().to_vec();
    let by = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(broken)?);
    by.seal_in_place_append_tag(Nonce::assume_unique_for_key(iv), Aad::empty(), &mut body).map_err(broken)?;
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(whole).map_err(broken)?).map_err(broken)?;
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None).map_err(broken)?;
    let value = |bytes: &[u8]| {
        format!("<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>", STANDARD.encode(bytes))
    };
    Ok(format!(
        "<saml:EncryptedAssertion xmlns:saml=\"{}\"><xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
         Type=\"http://www.w3.org/2001/04/xmlenc#Element\"><xenc:EncryptionMethod \
         Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/><ds:KeyInfo xmlns:ds=\"{DS}\"><xenc:EncryptedKey>\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p\"/>{}</xenc:EncryptedKey></ds:KeyInfo>{}\
         </xenc:EncryptedData></saml:EncryptedAssertion>",
        super::ASSERTION,
        value(&wrapped),
        value(&[&iv[..], &body].concat()),
    ))
}

/// Percent-decoding (RFC 3986 §2.1).
pub fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|d| std::str::from_utf8(d).ok());
        match pair.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    out
}
