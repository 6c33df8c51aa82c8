//! Passkeys: what goes to a browser and comes back (WebAuthn Level 3 §5.1, JSON forms), and what is shown.

use sekisho_kernel::{Secret, Time, id::PasskeyId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{rfc3339, secret};

/// The console as a browser sees it.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    /// Its host name: the relying party's id.
    pub id: String,
    /// Its origin, `https://` and the port where it is not 443.
    pub origin: String,
    /// A random value that only the browser has, in a cookie: a challenge is answered by the browser that asked for it.
    pub browser: Secret<String>,
}

/// What a browser needs for a ceremony.
#[derive(Clone, Debug)]
pub struct PasskeyOptions {
    /// The ceremony, sealed: comes back with the answer.
    pub ceremony: Secret<String>,
    /// `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`.
    pub public_key: Value,
}

/// What comes back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyAnswer {
    /// From the options.
    #[serde(deserialize_with = "secret")]
    pub ceremony: Secret<String>,
    /// `RegistrationResponseJSON` or `AuthenticationResponseJSON`.
    pub credential: Value,
    /// What a new passkey is called; in registrations alone.
    #[serde(default)]
    pub name: String,
}

/// A response, what of it counts; browsers send more.
#[derive(Clone, Debug, Deserialize)]
pub struct PasskeyResponse<R> {
    /// The credential's id, base64url.
    pub id: String,
    /// `public-key`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The authenticator's part.
    pub response: R,
}

/// A passkey, as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct PasskeyView {
    /// Its id.
    pub id: PasskeyId,
    /// Moves with every change of its name.
    pub version: i64,
    /// When it was registered.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// When its name was last changed.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub updated: Time,
    /// What its owner calls it.
    pub name: String,
    /// Its last use.
    #[serde(serialize_with = "rfc3339::option")]
    pub last_used: Option<Time>,
    /// The authenticator's model (AAGUID) as it says itself; all zeros where it says none.
    pub authenticator: String,
    /// `none`, `unread`, `own`, `certificate`, `trusted`.
    pub attestation: &'static str,
    /// Whether it lives on several devices, as of its last use.
    pub backed_up: bool,
    /// How many recovery codes the account has left.
    pub recovery_left: u32,
}

/// A passkey just registered.
#[derive(Clone, Debug)]
pub struct PasskeyMade {
    /// The passkey.
    pub passkey: PasskeyView,
    /// Recovery codes, where the account had none. Shown once.
    pub recovery_codes: Vec<Secret<String>>,
}

/// What to change in a passkey.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeyPatch {
    /// 1 to 128 characters.
    pub name: String,
}

/// What may prove the second factor in a sign-in under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecondFactors {
    /// An authenticator app's code.
    pub totp: bool,
    /// A passkey.
    pub passkey: bool,
    /// A recovery code.
    pub recovery: bool,
}

impl SecondFactors {
    /// The words in answers.
    pub fn names(self) -> Vec<&'static str> {
        let all = [(self.totp, "totp"), (self.passkey, "passkey"), (self.recovery, "recovery-code")];
        all.into_iter().filter(|(has, _)| *has).map(|(_, name)| name).collect()
    }
}
