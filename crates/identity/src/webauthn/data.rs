//! What a browser and an authenticator have signed: client data (§5.8.1) and authenticator data (§6.1).

use serde::Deserialize;

use super::{
    Read, Refused,
    cbor::{self, Value},
    cose::Key,
};

/// Bytes of client data at most: a challenge, an origin and what browsers add so that nobody parses it by a template.
pub const LONGEST_CLIENT_DATA: usize = 4_096;
/// Bytes of a credential id at most (§4, "Credential ID").
pub const LONGEST_ID: usize = 1_023;

/// The client data, what of it counts. Members that are not known are passed over (§5.8.1.2); one that comes twice is not.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientData {
    /// `webauthn.create` or `webauthn.get`.
    #[serde(rename = "type")]
    pub kind: String,
    /// base64url without padding.
    pub challenge: String,
    /// Where the script ran.
    pub origin: String,
    /// Whether it ran inside another origin's page.
    #[serde(default)]
    pub cross_origin: Option<bool>,
    /// Inside whose.
    #[serde(default)]
    pub top_origin: Option<String>,
}

impl ClientData {
    /// Reads it.
    pub fn read(bytes: &[u8]) -> Read<Self> {
        if bytes.len() > LONGEST_CLIENT_DATA {
            return Err(Refused("client-data"));
        }
        serde_json::from_slice(bytes).map_err(|_| Refused("client-data"))
    }
}

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// Authenticator data, whole.
#[derive(Debug)]
pub struct AuthenticatorData<'a> {
    /// SHA-256 of the relying party's id.
    pub rp_id_hash: &'a [u8],
    flags: u8,
    /// Signatures so far, as far as the authenticator counts.
    pub sign_count: u32,
    /// The new credential; in registrations alone.
    pub attested: Option<Attested<'a>>,
}

/// A new credential (§6.5.1).
#[derive(Debug)]
pub struct Attested<'a> {
    /// The authenticator's model, or zeros.
    pub aaguid: [u8; 16],
    /// Its id.
    pub id: &'a [u8],
    /// Its public key.
    pub key: Key,
    /// The same as it came.
    pub cose: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    /// Reads it; no byte may be left over, and the flags must say what there is.
    pub fn read(bytes: &'a [u8]) -> Read<Self> {
        let broken = || Refused("authenticator-data");
        let (rp_id_hash, rest) = bytes.split_at_checked(32).ok_or_else(broken)?;
        let (head, mut rest) = rest.split_first_chunk::<5>().ok_or_else(broken)?;
        let [flags, count @ ..] = *head;
        let mut attested = None;
        if flags & ATTESTED != 0 {
            let (credential, after) = Attested::read(rest)?;
            (attested, rest) = (Some(credential), after);
        }
        if flags & EXTENSIONS != 0 {
            let (extensions, after) = cbor::first(rest)?;
            extensions.pairs().ok_or_else(broken)?;
            rest = after;
        }
        if !rest.is_empty() {
            return Err(Refused("trailing-bytes"));
        }
        Ok(Self { rp_id_hash, flags, sign_count: u32::from_be_bytes(count), attested })
    }

    const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
    /// Whether somebody touched it.
    pub const fn user_present(&self) -> bool {
        self.has(USER_PRESENT)
    }
    /// Whether it knew its owner: by PIN, finger or face.
    pub const fn user_verified(&self) -> bool {
        self.has(USER_VERIFIED)
    }
    /// Whether the credential may live on several devices.
    pub const fn backup_eligible(&self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }
    /// Whether it does now.
    pub const fn backed_up(&self) -> bool {
        self.has(BACKED_UP)
    }
}

impl<'a> Attested<'a> {
    fn read(bytes: &'a [u8]) -> Read<(Self, &'a [u8])> {
        let broken = || Refused("authenticator-data");
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or_else(broken)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(broken)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if !(1..=LONGEST_ID).contains(&length) {
            return Err(Refused("credential-id"));
        }
        let (id, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
        let (map, after): (Value<'_>, _) = cbor::first(rest)?;
        let cose = &rest[..rest.len() - after.len()];
        Ok((Self { aaguid: *aaguid, id, key: Key::of(&map)?, cose }, after))
    }
}
