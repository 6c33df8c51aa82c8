//! The two ceremonies: registering a credential (§7.1) and verifying an assertion (§7.2), step by step.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use super::{
    Read, Refused,
    attestation::{self, Attestation, Demand},
    cbor::{self, Value},
    cose::Key,
    data::{AuthenticatorData, ClientData},
};
use crate::token::sha256;

/// Bytes of an attestation object at most: a statement with its chain of certificates, and 4 kB of data.
const LONGEST_OBJECT: usize = 32 * 1_024;
/// Bytes of an assertion's authenticator data at most.
const LONGEST_DATA: usize = 2_048;
/// Bytes of a signature at most: RSA with 4096 bits.
const LONGEST_SIGNATURE: usize = 512;

/// What a response must be an answer to.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The relying party's id: a host name.
    pub rp_id: &'a str,
    /// The one origin, with scheme and, where it is not 443, port.
    pub origin: &'a str,
    /// The challenge.
    pub challenge: &'a [u8; 32],
}

/// A credential that may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its id.
    pub id: Vec<u8>,
    /// Its COSE_Key, as it came.
    pub key: Vec<u8>,
    /// Signatures so far.
    pub sign_count: u32,
    /// The authenticator's model.
    pub aaguid: [u8; 16],
    /// Whether it may live on several devices.
    pub backup_eligible: bool,
    /// Whether it does.
    pub backed_up: bool,
    /// What is known of where it comes from.
    pub attestation: Attestation,
}

/// What an assertion has proven, beside possession of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    /// Signatures so far. Whoever stores the last one holds it against that (§7.2 step 22).
    pub sign_count: u32,
    /// Whether the credential lives on several devices now.
    pub backed_up: bool,
}

/// Verifies a registration (§7.1). Whether the id is taken, and whether the model is welcome, is the caller's to see.
///
/// # Errors
/// The first step that fails.
pub fn registration(expected: &Expected<'_>, demand: Demand, client_data: &[u8], object: &[u8]) -> Read<Registered> {
    client(expected, "webauthn.create", client_data)?;
    if object.len() > LONGEST_OBJECT {
        return Err(Refused("attestation-object"));
    }
    let broken = || Refused("attestation-object");
    let map = cbor::whole(object)?;
    if map.pairs().is_none_or(|pairs| pairs.len() != 3) {
        return Err(broken());
    }
    let format = map.named("fmt").and_then(Value::text).ok_or_else(broken)?;
    let bytes = map.named("authData").and_then(Value::bytes).ok_or_else(broken)?;
    let statement = map.named("attStmt").filter(|s| s.pairs().is_some()).ok_or_else(broken)?;
    let data = AuthenticatorData::read(bytes)?;
    authenticator(expected, &data)?;
    let attested = data.attested.as_ref().ok_or(Refused("no-credential"))?;
    let signed = [bytes, &sha256(&[client_data])].concat();
    let attestation = attestation::verify(format, statement, attested, &signed, demand)?;
    Ok(Registered {
        id: attested.id.to_vec(),
        key: attested.cose.to_vec(),
        sign_count: data.sign_count,
        aaguid: attested.aaguid,
        backup_eligible: data.backup_eligible(),
        backed_up: data.backed_up(),
        attestation,
    })
}

/// Verifies an assertion (§7.2) against the credential's key and its backup eligibility, which never changes (§6.1.3).
///
/// # Errors
/// The first step that fails.
pub fn assertion(
    expected: &Expected<'_>,
    key: &Key,
    backup_eligible: bool,
    client_data: &[u8],
    authenticator_data: &[u8],
    signature: &[u8],
) -> Read<Asserted> {
    client(expected, "webauthn.get", client_data)?;
    if authenticator_data.len() > LONGEST_DATA || signature.len() > LONGEST_SIGNATURE {
        return Err(Refused("authenticator-data"));
    }
    let data = AuthenticatorData::read(authenticator_data)?;
    authenticator(expected, &data)?;
    if data.attested.is_some() {
        // §6.1: "For assertion signatures, the AT flag MUST NOT be set".
        return Err(Refused("authenticator-data"));
    }
    if data.backup_eligible() != backup_eligible {
        return Err(Refused("backup-eligibility"));
    }
    let signed = [authenticator_data, &sha256(&[client_data])].concat();
    if !key.verifies(&signed, signature) {
        return Err(Refused("signature"));
    }
    Ok(Asserted { sign_count: data.sign_count, backed_up: data.backed_up() })
}

/// The client data: kind, challenge, origin, and no page of another origin around it (§7.1 and §7.2, steps 7 to 14).
fn client(expected: &Expected<'_>, kind: &str, bytes: &[u8]) -> Read<()> {
    let data = ClientData::read(bytes)?;
    if data.kind != kind {
        return Err(Refused("type"));
    }
    let challenge = URL_SAFE_NO_PAD.encode(expected.challenge);
    if !bool::from(data.challenge.as_bytes().ct_eq(challenge.as_bytes())) {
        return Err(Refused("challenge"));
    }
    if data.origin != expected.origin {
        return Err(Refused("origin"));
    }
    if data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err(Refused("cross-origin"));
    }
    Ok(())
}

/// The authenticator data: relying party, presence, verification, and flags that agree (steps 15 to 19).
fn authenticator(expected: &Expected<'_>, data: &AuthenticatorData<'_>) -> Read<()> {
    if data.rp_id_hash != sha256(&[expected.rp_id.as_bytes()]) {
        return Err(Refused("rp-id"));
    }
    if !data.user_present() {
        return Err(Refused("user-presence"));
    }
    if !data.user_verified() {
        return Err(Refused("user-verification"));
    }
    if data.backed_up() && !data.backup_eligible() {
        return Err(Refused("backup-flags"));
    }
    Ok(())
}
