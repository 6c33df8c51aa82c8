//! Evidence: an in-toto statement (v1) in a DSSE envelope, signed by a key used for nothing else.
//!
//! It says what was tried, expected and seen, when, on which build and under which policy digest.

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{
    Time,
    claim::{Stage, Step, Verdict},
};
use serde::{Deserialize, Serialize};

/// The DSSE payload type of an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// What the statement's predicate is.
pub const PREDICATE_TYPE: &str = "urn:sekisho:evidence:v1";

/// What one proof of one claim found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The claim's id.
    pub claim: String,
    /// What was found.
    pub verdict: Verdict,
    /// Where the probe ran.
    pub stage: Stage,
    /// When, in microseconds since the epoch (UTC).
    pub at: Time,
    /// Until when it counts.
    pub fresh_until: Time,
    /// SHA-256 of the binary that was probed, hex.
    pub build: String,
    /// The name of the policy.
    pub policy: String,
    /// [`sekisho_kernel::Policy::digest`] of the policy it ran under.
    pub policy_digest: String,
    /// What a rehearsal replaced: the closed list.
    pub replaced: Vec<String>,
    /// What was tried, expected and seen.
    pub steps: Vec<Step>,
}

/// A DSSE envelope (v1.0.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    /// [`PAYLOAD_TYPE`].
    pub payload_type: String,
    /// Base64 of the statement.
    pub payload: String,
    /// One signature.
    pub signatures: Vec<Signature>,
}

/// A signature in an [`Envelope`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Names the key.
    pub keyid: String,
    /// Base64 of the Ed25519 signature over the pre-authentication encoding.
    pub sig: String,
}

/// DSSE's pre-authentication encoding.
pub fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}

impl Evidence {
    /// The in-toto statement's bytes.
    pub fn statement(&self) -> Vec<u8> {
        let statement = serde_json::json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                { "name": format!("claim:{}", self.claim) , "digest": { "sha256": self.policy_digest } },
                { "name": "sekisho", "digest": { "sha256": self.build } },
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": self,
        });
        statement.to_string().into_bytes()
    }

    /// Signed by `sign` (Ed25519 over the pre-authentication encoding).
    pub fn seal(&self, keyid: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Envelope {
        let payload = self.statement();
        let sig = sign(&pre_authentication(PAYLOAD_TYPE, &payload));
        Envelope {
            payload_type: PAYLOAD_TYPE.into(),
            payload: STANDARD.encode(&payload),
            signatures: vec![Signature { keyid: keyid.to_owned(), sig: STANDARD.encode(sig) }],
        }
    }

    /// What the evidence is worth to an instance of `build` under `policy_digest` at `now`: a fresh verdict, or `stale`.
    pub fn worth(&self, build: &str, policy_digest: &str, now: Time) -> Verdict {
        let own = self.build == build && self.policy_digest == policy_digest;
        if own && now < self.fresh_until && now >= self.at { self.verdict } else { Verdict::Stale }
    }
}

impl Envelope {
    /// The evidence inside, if the one signature verifies under the Ed25519 public key.
    pub fn open(&self, public: &[u8]) -> Option<Evidence> {
        let payload = STANDARD.decode(&self.payload).ok()?;
        let [signature] = &self.signatures[..] else { return None };
        let sig = STANDARD.decode(&signature.sig).ok()?;
        if self.payload_type != PAYLOAD_TYPE {
            return None;
        }
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, public)
            .verify(&pre_authentication(PAYLOAD_TYPE, &payload), &sig)
            .ok()?;
        let statement: serde_json::Value = serde_json::from_slice(&payload).ok()?;
        if statement.get("predicateType")?.as_str()? != PREDICATE_TYPE {
            return None;
        }
        serde_json::from_value(statement.get("predicate")?.clone()).ok()
    }
}

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}
