//! What a passkey is known by.

use sekisho_kernel::{RecordDef, id::UserId};
use sekisho_vault::Record;
use serde::{Deserialize, Serialize};

use super::{ClearValues, PASSKEY};

/// A passkey.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passkey {
    /// Whose.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The credential's id, base64url.
    pub credential: String,
    /// Its COSE_Key, base64url.
    pub key: String,
    /// The authenticator's model (AAGUID), hex.
    pub model: String,
    /// How the authenticator says it can be reached.
    pub transports: Vec<String>,
    /// Whether it may live on several devices: never changes (WebAuthn §6.1.3).
    pub backup_eligible: bool,
    /// What is known of where it comes from.
    pub attestation: crate::webauthn::Attestation,
}
impl Passkey {
    /// CAEP's `credential_type` (§3.3.1): built into the device, or carried along.
    pub fn credential_type(&self) -> &'static str {
        let built_in = self.transports.iter().any(|t| t == "internal");
        if built_in { "fido2-platform" } else { "fido2-roaming" }
    }
}
impl Record for Passkey {
    const DEF: &'static RecordDef = &PASSKEY;
    fn indexed(&self) -> Vec<(&'static str, String)> {
        vec![("credential", crate::passkeys::credential_key(&self.credential))]
    }
    /// What each use changes is bookkeeping's.
    fn clear(&self) -> ClearValues {
        vec![("user_id", self.user.into())]
    }
}
