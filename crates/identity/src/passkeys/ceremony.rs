//! Ceremonies: a challenge, what it is for and for whom travels sealed; that it was answered is what the store keeps. So a
//! stranger who asks for challenges fills nothing, and of two answers to one challenge, on whatever nodes, one is looked at.

use std::{path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use sekisho_kernel::{
    Cx, Problem, Time,
    gate::{PasskeyRule, Provenance},
    id::{RecordId, SessionId, UserId},
    problem::INTERNAL,
    rng,
};
use sekisho_vault::{Scope, Stored};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Answer, Identity,
    problems::{PASSKEY_MODEL, PASSKEY_REFUSED},
    records::Passkey,
    sign_in::Challenge,
    sql, token,
    types::{PasskeyOptions, PasskeyResponse, RelyingParty},
    webauthn::{self, ALGORITHMS, Demand, Expected, Refused, Registered},
};

/// How long a challenge is good.
pub const LIFE: Duration = Duration::from_secs(300);
/// Bytes of a file of roots at most.
const MOST_ROOTS: u64 = 1 << 20;

/// What a challenge is for. An answer to one is none to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Signing in, by the passkey alone.
    SignIn,
    /// The second factor of a sign-in under way.
    Factor,
    /// Setting up the second factor that a sign-in under way asks for.
    Enrol,
    /// A new passkey of a signed-in person.
    Register,
    /// A signed-in person proves again who is there.
    Confirm,
}

/// A ceremony under way, as the browser carries it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ceremony {
    purpose: Purpose,
    id: RecordId,
    challenge: [u8; 32],
    /// SHA-256 of the browser's cookie, where nobody is signed in.
    browser: Option<[u8; 32]>,
    /// The session that asks, where somebody is.
    session: Option<SessionId>,
    /// For whom it is; nobody knows yet when a passkey signs in alone.
    pub user: Option<UserId>,
    /// The sign-in under way.
    pub way_in: Option<Challenge>,
    until: Time,
}

/// For whom a ceremony begins.
#[derive(Default)]
pub struct Begun {
    pub session: Option<SessionId>,
    pub user: Option<UserId>,
    pub way_in: Option<Challenge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attested {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
    #[serde(default)]
    transports: Vec<String>,
}

/// What proves that a passkey is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assertion {
    /// base64url, as all of them.
    #[serde(rename = "clientDataJSON")]
    pub client_data: String,
    /// The authenticator's data.
    pub authenticator_data: String,
    /// Its signature.
    pub signature: String,
    /// The user's handle, where the authenticator keeps one.
    #[serde(default)]
    pub user_handle: Option<String>,
}

/// How an authenticator can be reached (§5.8.4).
const TRANSPORTS: [&str; 6] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

pub fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn context(rp: &RelyingParty) -> String {
    format!("passkey {}", rp.id)
}

/// What names a credential to an authenticator.
fn descriptors(passkeys: &[Stored<Passkey>]) -> Vec<Value> {
    let one = |p: &Stored<Passkey>| {
        let mut out = json!({ "type": "public-key", "id": p.body.credential });
        if let (false, Value::Object(map)) = (p.body.transports.is_empty(), &mut out) {
            map.insert("transports".into(), json!(p.body.transports));
        }
        out
    };
    passkeys.iter().map(one).collect()
}

/// `PublicKeyCredentialRequestOptionsJSON` (§5.5), without the challenge.
pub fn request_options(rp: &RelyingParty, allowed: &[Stored<Passkey>]) -> Value {
    json!({
        "rpId": rp.id,
        "timeout": LIFE.as_millis(),
        "userVerification": "required",
        "allowCredentials": descriptors(allowed),
    })
}

/// Whose passkey it will be.
pub struct Owner<'a> {
    pub id: UserId,
    pub name: &'a str,
    pub display_name: &'a str,
}

/// `PublicKeyCredentialCreationOptionsJSON` (§5.4), without the challenge.
pub fn creation_options(
    rp: &RelyingParty,
    tenant: &str,
    owner: &Owner<'_>,
    own: &[Stored<Passkey>],
    rule: &PasskeyRule,
) -> Value {
    let direct = rule.provenance != Provenance::Any || rule.models.is_some();
    let parameters: Vec<Value> = ALGORITHMS.iter().map(|a| json!({ "type": "public-key", "alg": a })).collect();
    json!({
        "rp": { "id": rp.id, "name": if tenant.is_empty() { "Sekisho" } else { tenant } },
        "user": {
            "id": URL_SAFE_NO_PAD.encode(owner.id.bytes()), "name": owner.name, "displayName": owner.display_name,
        },
        "pubKeyCredParams": parameters,
        "timeout": LIFE.as_millis(),
        "excludeCredentials": descriptors(own),
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": if direct { "direct" } else { "none" },
    })
}

impl Identity {
    /// Begins a ceremony.
    pub(crate) async fn begin_ceremony(
        &self,
        scope: &Scope,
        rp: &RelyingParty,
        purpose: Purpose,
        begun: Begun,
        mut public_key: Value,
    ) -> Answer<PasskeyOptions> {
        let ceremony = Ceremony {
            purpose,
            id: self.id(),
            challenge: rng::bytes(self.rng()),
            browser: begun.session.is_none().then(|| token::sha256(&[rp.browser.reveal().as_bytes()])),
            session: begun.session,
            user: begun.user,
            way_in: begun.way_in,
            until: self.now().plus(LIFE),
        };
        if let Value::Object(map) = &mut public_key {
            map.insert("challenge".into(), json!(URL_SAFE_NO_PAD.encode(ceremony.challenge)));
        }
        let text = serde_json::to_string(&ceremony).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        let ceremony = self.vault().seal_text(scope, &context(rp), &text).await?;
        Ok(PasskeyOptions { ceremony: sekisho_kernel::Secret::new(ceremony), public_key })
    }

    /// Takes the ceremony that a browser brings back: once, whatever comes of it. `None` when it is none of ours, of another
    /// purpose, browser or session, has run out, or was taken before.
    pub(crate) async fn take_ceremony(
        &self,
        scope: &Scope,
        rp: &RelyingParty,
        sealed: &str,
        purpose: Purpose,
        session: Option<SessionId>,
    ) -> Answer<Option<Ceremony>> {
        let text = match sealed.len() {
            ..=4_096 => self.vault().open_text(scope, &context(rp), sealed).await?,
            _ => None,
        };
        let ceremony = text.and_then(|t| serde_json::from_str::<Ceremony>(&t).ok());
        let browser = session.is_none().then(|| token::sha256(&[rp.browser.reveal().as_bytes()]));
        let ours =
            |c: &Ceremony| c.purpose == purpose && c.until > self.now() && c.session == session && c.browser == browser;
        let Some(ceremony) = ceremony.filter(ours) else { return Ok(None) };
        let (id, until) = (ceremony.id, ceremony.until);
        let first = self.vault().keep(scope, move |k| k.run(&sql::CEREMONY_TAKE, &[id.into(), until.into()])).await?;
        Ok((first > 0).then_some(ceremony))
    }

    /// A registration's record, verified under the policy's rule.
    pub(crate) async fn registered(
        &self,
        cx: &Cx,
        rp: &RelyingParty,
        ceremony: &Ceremony,
        (user, name): (UserId, String),
        credential: Value,
    ) -> Answer<(Passkey, Registered)> {
        let refused = |why: &str| Problem::new(&PASSKEY_REFUSED).at("credential").log(why);
        let given: PasskeyResponse<Attested> =
            serde_json::from_value(credential).map_err(|e| refused(&format!("malformed: {e}")))?;
        let (data, object) = decoded(&given.response.client_data)
            .zip(decoded(&given.response.attestation_object))
            .ok_or_else(|| refused("not base64url"))?;
        let rule = self.gates().passkeys(&cx.policy);
        let roots = match &rule.provenance {
            Provenance::Roots(path) => roots(path.clone()).await?,
            _ => Vec::new(),
        };
        let demand = match &rule.provenance {
            Provenance::Any => Demand::Nothing,
            Provenance::Statement => Demand::Statement,
            Provenance::Roots(_) => Demand::Chain(&roots, u64::try_from(self.now().secs()).unwrap_or(0)),
        };
        let expected = Expected { rp_id: &rp.id, origin: &rp.origin, challenge: &ceremony.challenge };
        let made = webauthn::registration(&expected, demand, &data, &object).map_err(|Refused(why)| {
            let kind = if why.starts_with("attestation-") { &PASSKEY_MODEL } else { &PASSKEY_REFUSED };
            Problem::new(kind).at("credential").log(why)
        })?;
        if given.kind != "public-key" || decoded(&given.id).as_ref() != Some(&made.id) {
            return Err(refused("another credential's id"));
        }
        if rule.models.as_ref().is_some_and(|models| !models.contains(&made.aaguid)) {
            return Err(Problem::new(&PASSKEY_MODEL).at("credential").log(hex::encode(made.aaguid)));
        }
        let transports = given.response.transports.into_iter().filter(|t| TRANSPORTS.contains(&t.as_str()));
        let passkey = Passkey {
            user,
            name,
            credential: URL_SAFE_NO_PAD.encode(&made.id),
            key: URL_SAFE_NO_PAD.encode(&made.key),
            model: hex::encode(made.aaguid),
            transports: transports.take(TRANSPORTS.len()).collect(),
            backup_eligible: made.backup_eligible,
            attestation: made.attestation,
        };
        Ok((passkey, made))
    }
}

impl Ceremony {
    /// What an answer to it must name.
    pub fn expected<'a>(&'a self, rp: &'a RelyingParty) -> Expected<'a> {
        Expected { rp_id: &rp.id, origin: &rp.origin, challenge: &self.challenge }
    }
}

/// The certificates of a PEM file. Without any, nothing is trusted.
async fn roots(path: String) -> Answer<Vec<Vec<u8>>> {
    let broken =
        |why: &dyn std::fmt::Display| Problem::new(&PASSKEY_MODEL).log(format!("passkeys.roots, {path}: {why}"));
    if path.is_empty() {
        return Err(broken(&"not set"));
    }
    let file = path.clone();
    let read = tokio::task::spawn_blocking(move || {
        let path = Path::new(&file);
        match std::fs::metadata(path)?.len() {
            ..=MOST_ROOTS => std::fs::read(path),
            _ => Err(std::io::ErrorKind::FileTooLarge.into()),
        }
    });
    let bytes = read.await.map_err(|e| broken(&e))?.map_err(|e| broken(&e))?;
    CertificateDer::pem_slice_iter(&bytes)
        .map(|c| c.map(|c| c.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|e| broken(&e))
}
