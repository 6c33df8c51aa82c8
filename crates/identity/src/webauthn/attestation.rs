//! Attestation statements: `none` (§8.7) and `packed` (§8.2). Other formats prove nothing here, and are refused where the
//! policy wants proof.

use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use serde::{Deserialize, Serialize};
use webpki::{EndEntityCert, KeyUsage, aws_lc_rs as algorithms};
use x509_parser::{
    certificate::X509Certificate, der_parser::Oid, oid_registry::asn1_rs::oid, prelude::FromDer, x509::X509Version,
};

use super::{Read, Refused, cbor::Value, cose, data::Attested};

/// What the policy wants to see.
#[derive(Clone, Copy, Debug)]
pub enum Demand<'a> {
    /// Nothing. A `packed` statement that is there must still be right.
    Nothing,
    /// A `packed` statement: by the credential's own key, or by a certificate of whatever origin.
    Statement,
    /// A `packed` statement by a certificate that leads to one of these roots (DER) at this moment (seconds since 1970).
    Chain(&'a [Vec<u8>], u64),
}

/// What is known of where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attestation {
    /// Nothing: no statement.
    None,
    /// Nothing: a format that we do not read.
    Unread,
    /// Signed by the credential itself.
    Own,
    /// Signed by a certificate of whatever origin.
    Certificate,
    /// Signed by a certificate that leads to a root of the policy.
    Trusted,
}

impl Attestation {
    /// The word in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Unread => "unread",
            Self::Own => "own",
            Self::Certificate => "certificate",
            Self::Trusted => "trusted",
        }
    }
}

/// Certificates of a statement at most.
const LONGEST_CHAIN: usize = 6;
/// id-fido-gen-ce-aaguid (§8.2.1).
const AAGUID: Oid<'static> = oid!(1.3.6.1.4.1.45724.1.1.4);

const fn broken() -> Refused {
    Refused("attestation")
}

/// Verifies a statement over `signed`: the authenticator data followed by the hash of the client data.
pub(super) fn verify(
    format: &str,
    statement: &Value<'_>,
    attested: &Attested<'_>,
    signed: &[u8],
    demand: Demand<'_>,
) -> Read<Attestation> {
    let wanted = !matches!(demand, Demand::Nothing);
    match format {
        "packed" => packed(statement, attested, signed, demand),
        _ if wanted => Err(Refused("attestation-format")),
        "none" if statement.pairs().is_none_or(|pairs| !pairs.is_empty()) => Err(broken()),
        "none" => Ok(Attestation::None),
        _ => Ok(Attestation::Unread),
    }
}

/// §8.2, "Verification procedure".
fn packed(statement: &Value<'_>, attested: &Attested<'_>, signed: &[u8], demand: Demand<'_>) -> Read<Attestation> {
    let members = statement.pairs().map_or(0, Vec::len);
    let algorithm = statement.named("alg").and_then(Value::int).ok_or_else(broken)?;
    let signature = statement.named("sig").and_then(Value::bytes).ok_or_else(broken)?;
    let Some(chain) = statement.named("x5c") else {
        if matches!(demand, Demand::Chain(..)) {
            return Err(Refused("attestation-untrusted"));
        }
        let right = members == 2 && algorithm == attested.key.algorithm() && attested.key.verifies(signed, signature);
        return if right { Ok(Attestation::Own) } else { Err(broken()) };
    };
    let chain: Vec<CertificateDer<'_>> = chain
        .items()
        .filter(|items| members == 3 && (1..=LONGEST_CHAIN).contains(&items.len()))
        .and_then(|items| items.iter().map(|i| i.bytes().map(CertificateDer::from)).collect())
        .ok_or_else(broken)?;
    let (leaf, rest) = chain.split_first().ok_or_else(broken)?;
    let certificate = EndEntityCert::try_from(leaf).map_err(|_| broken())?;
    let verifier: &dyn SignatureVerificationAlgorithm = match algorithm {
        cose::ES256 => algorithms::ECDSA_P256_SHA256,
        cose::EDDSA => algorithms::ED25519,
        cose::RS256 => algorithms::RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(broken()),
    };
    certificate.verify_signature(verifier, signed, signature).map_err(|_| broken())?;
    requirements(leaf, &attested.aaguid)?;
    let Demand::Chain(roots, now) = demand else { return Ok(Attestation::Certificate) };
    let roots: Vec<CertificateDer<'_>> = roots.iter().map(|r| CertificateDer::from(r.as_slice())).collect();
    let anchors: Vec<_> = roots.iter().filter_map(|r| webpki::anchor_from_trusted_cert(r).ok()).collect();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now));
    // Attestation certificates have no extended key usage; one that has must be good for signing in as a client.
    certificate
        .verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, rest, now, KeyUsage::client_auth(), None, None)
        .map_err(|_| Refused("attestation-untrusted"))?;
    Ok(Attestation::Trusted)
}

/// §8.2.1, "Certificate Requirements for Packed Attestation Statements".
fn requirements(leaf: &CertificateDer<'_>, aaguid: &[u8; 16]) -> Read<()> {
    let (rest, certificate) = X509Certificate::from_der(leaf).map_err(|_| broken())?;
    let subject = certificate.subject();
    let one = |mut values: Box<dyn Iterator<Item = Option<String>> + '_>| -> Option<String> {
        let first = values.next().flatten();
        if values.next().is_some() { None } else { first }
    };
    let text = |a: &x509_parser::x509::AttributeTypeAndValue<'_>| a.as_str().ok().map(str::to_owned);
    let country = one(Box::new(subject.iter_country().map(text)));
    let organization = one(Box::new(subject.iter_organization().map(text)));
    let unit = one(Box::new(subject.iter_organizational_unit().map(text)));
    let name = one(Box::new(subject.iter_common_name().map(text)));
    let named = country.is_some_and(|c| c.len() == 2)
        && organization.is_some_and(|o| !o.is_empty())
        && unit.as_deref() == Some("Authenticator Attestation")
        && name.is_some_and(|n| !n.is_empty());
    let leaf_only = matches!(certificate.basic_constraints(), Ok(Some(constraints)) if !constraints.value.ca);
    let model = certificate.get_extension_unique(&AAGUID).map_err(|_| broken())?;
    let same = model.is_none_or(|m| !m.critical && m.value.strip_prefix(&[4, 16]) == Some(aaguid));
    let right = rest.is_empty() && certificate.version() == X509Version::V3 && named && leaf_only && same;
    if right { Ok(()) } else { Err(Refused("attestation-certificate")) }
}
