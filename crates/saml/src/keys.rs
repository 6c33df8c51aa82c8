//! Certificates that others give us, and our own keys with theirs.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest, rand,
    rsa::{OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey},
    signature::{self, EcdsaKeyPair, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{Problem, Secret, Time};
use x509_parser::{
    asn1_rs::{Any, FromDer, Oid, oid},
    certificate::X509Certificate,
};
use zeroize::Zeroizing;

use crate::{
    algorithms::{KeyKind, SIGNING, Signing},
    problems::{KEY, refuse},
};

/// The most bytes of a certificate in DER.
const CERTIFICATE: usize = 16 * 1024;

/// A certificate as metadata carries it. Trust in it comes from the metadata, not from a chain (SAML metadata interoperability
/// profile §2.6): its dates and issuer are for people to see, its key is what counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    kind: KeyKind,
    key: Vec<u8>,
    not_after: Time,
}

impl Certificate {
    /// Reads DER (RFC 5280). Refuses keys that are neither RSA of 2048 to 8192 bits nor on P-256, P-384 or P-521.
    pub fn from_der(der: &[u8]) -> Result<Self, Problem> {
        let unreadable = || refuse(&KEY, "X.509 証明書として読み取れません。", "It is not an X.509 certificate.");
        if der.len() > CERTIFICATE {
            return Err(unreadable());
        }
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|e| unreadable().log(e))?;
        if !rest.is_empty() {
            return Err(unreadable());
        }
        let spki = parsed.public_key();
        let key = spki.subject_public_key.data.to_vec();
        let kind = kind(&spki.algorithm.algorithm, spki.algorithm.parameters.as_ref(), &key).ok_or_else(|| {
            refuse(
                &KEY,
                "許可されていない種類または長さの鍵です。",
                "The key is of a kind or length that is not allowed.",
            )
        })?;
        Ok(Self { der: der.to_vec(), kind, key, not_after: Time::from_secs(parsed.validity().not_after.timestamp()) })
    }

    /// Reads the base64 of `ds:X509Certificate`, white space allowed.
    pub fn from_base64(text: &str) -> Result<Self, Problem> {
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).take(2 * CERTIFICATE).collect();
        let der = STANDARD.decode(text).map_err(|e| {
            refuse(&KEY, "証明書の base64 を読み取れません。", "The certificate's base64 cannot be read.").log(e)
        })?;
        Self::from_der(&der)
    }

    /// The DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DER in base64, one line.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// SHA-256 over the DER, 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        hex::encode(digest::digest(&digest::SHA256, &self.der))
    }

    /// Its notAfter. Nothing here enforces it; a console warns.
    pub const fn not_after(&self) -> Time {
        self.not_after
    }

    pub(crate) const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether `value` is this key's signature of `message`.
    pub(crate) fn verifies(&self, by: &Signing, message: &[u8], value: &[u8]) -> bool {
        by.kind == self.kind && signature::UnparsedPublicKey::new(by.verify, &self.key).verify(message, value).is_ok()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({:?}, {})", self.kind, self.fingerprint())
    }
}

fn kind(algorithm: &Oid<'_>, parameters: Option<&Any<'_>>, key: &[u8]) -> Option<KeyKind> {
    if *algorithm == oid!(1.2.840.113549.1.1.1) {
        let parsed = aws_lc_rs::rsa::PublicKey::from_der(key).ok()?;
        return (256..=1024).contains(&parsed.modulus_len()).then_some(KeyKind::Rsa);
    }
    if *algorithm != oid!(1.2.840.10045.2.1) {
        return None;
    }
    let curve = parameters?.as_oid().ok()?;
    let kinds = [
        (oid!(1.2.840.10045.3.1.7), KeyKind::P256),
        (oid!(1.3.132.0.34), KeyKind::P384),
        (oid!(1.3.132.0.35), KeyKind::P521),
    ];
    kinds.into_iter().find(|(oid, _)| *oid == curve).map(|(_, kind)| kind)
}

#[derive(Clone)]
enum Private {
    Rsa(Arc<RsaKeyPair>),
    Ec(Arc<EcdsaKeyPair>),
}

/// A private key of ours with its certificate: signs what we send, opens what is encrypted to us. Cheap to clone.
#[derive(Clone)]
pub struct Credential {
    certificate: Certificate,
    private: Private,
    /// Only RSA keys open what is encrypted.
    opens: Option<Arc<OaepPrivateDecryptingKey>>,
}

impl Credential {
    /// From a PKCS#8 key (RFC 5958) and the certificate that belongs to it.
    pub fn new(pkcs8: &Secret<Vec<u8>>, certificate: Certificate) -> Result<Self, Problem> {
        let broken = || refuse(&KEY, "秘密鍵を PKCS#8 として読み取れません。", "The private key is not PKCS#8.");
        let der = pkcs8.reveal();
        let (private, public, opens) = match certificate.kind {
            KeyKind::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(der).map_err(|e| broken().log(e))?;
                let opens = PrivateDecryptingKey::from_pkcs8(der)
                    .map_err(|e| broken().log(e))
                    .and_then(|k| OaepPrivateDecryptingKey::new(k).map_err(|e| broken().log(e)))?;
                let public = signature::KeyPair::public_key(&pair).as_ref().to_vec();
                (Private::Rsa(Arc::new(pair)), public, Some(Arc::new(opens)))
            }
            kind => {
                let by = match kind {
                    KeyKind::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
                    KeyKind::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
                    KeyKind::P256 | KeyKind::Rsa => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                };
                let pair = EcdsaKeyPair::from_pkcs8(by, der).map_err(|e| broken().log(e))?;
                let public = signature::KeyPair::public_key(&pair).as_ref().to_vec();
                (Private::Ec(Arc::new(pair)), public, None)
            }
        };
        if public != certificate.key {
            return Err(refuse(
                &KEY,
                "秘密鍵と証明書が一致しません。",
                "Private key and certificate do not belong together.",
            ));
        }
        Ok(Self { certificate, private, opens })
    }

    /// A new RSA key of 3072 bits with a certificate that it signs itself, and the key's PKCS#8 for safekeeping. `name` becomes the
    /// common name.
    pub fn generate(name: &str, from: Time, until: Time) -> Result<(Self, Secret<Vec<u8>>), Problem> {
        let broken = |e: rcgen::Error| refuse(&KEY, "鍵を作成できません。", "No key could be made.").log(e);
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).map_err(broken)?;
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        for (at, place) in [(from, &mut params.not_before), (until, &mut params.not_after)] {
            if let Ok(at) = time::OffsetDateTime::from_unix_timestamp(at.secs()) {
                *place = at;
            }
        }
        let der = params.self_signed(&pair).map_err(broken)?.der().to_vec();
        let secret = Secret::new(pair.serialize_der());
        Ok((Self::new(&secret, Certificate::from_der(&der)?)?, secret))
    }

    /// The certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whether it can be published for encryption.
    pub const fn opens(&self) -> bool {
        self.opens.is_some()
    }

    /// The signature algorithm that goes with the key.
    pub(crate) fn signing(&self) -> &'static Signing {
        SIGNING
            .iter()
            .find(|s| s.kind == self.certificate.kind)
            .expect("every kind of key has an algorithm in the list")
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let broken = |_| refuse(&KEY, "署名できません。", "The key does not sign.");
        let random = rand::SystemRandom::new();
        match &self.private {
            Private::Rsa(pair) => {
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut out).map_err(broken)?;
                Ok(out)
            }
            Private::Ec(pair) => Ok(pair.sign(&random, message).map_err(broken)?.as_ref().to_vec()),
        }
    }

    pub(crate) fn unwrap(&self, by: &'static OaepAlgorithm, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = self.opens.as_ref()?;
        let mut out = Zeroizing::new(vec![0; key.min_output_size()]);
        let n = key.decrypt(by, wrapped, &mut out, None).ok()?.len();
        out.truncate(n);
        Some(out)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?})", self.certificate)
    }
}
