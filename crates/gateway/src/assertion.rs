//! `Sekisho-Assertion`: a signed word for the application about who is signed in (RFC 7519, RFC 7515), and the keys to
//! check it with (RFC 7517, RFC 8037).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use http::HeaderValue;
use sekisho_kernel::{
    Actor, Problem, Rng, Time,
    hook::Passage,
    id::{SessionId, SiteId, TenantId, UserId},
    jws::{self, Header},
    problem, rng,
};
use serde::Serialize;

/// How long an assertion is valid.
pub const VALID: Duration = Duration::from_secs(60);
/// How long it is used again.
const REUSED: Duration = Duration::from_secs(30);
/// Assertions kept.
const KEPT: usize = 16_384;

/// A signature algorithm for assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256; signatures are the 64 bytes of r and s (RFC 7518 §3.4).
    Es256,
}

impl Algorithm {
    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }
}

/// A public key for the JWKS document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its name, in the header of what it signed.
    pub id: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Ed25519: 32 bytes. P-256: the uncompressed point, 65 bytes beginning with 4.
    pub bytes: Vec<u8>,
}

/// Signs assertions. The keys stay with whoever implements it.
pub trait Signer: Send + Sync {
    /// The key in use.
    fn key(&self) -> Arc<PublicKey>;
    /// Every key whose signatures may still be valid, the one in use first.
    fn keys(&self) -> Vec<PublicKey>;
    /// Signs with the key in use.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem>;
}

/// The JWKS document (RFC 7517 §5) for the keys.
pub fn jwks(keys: &[PublicKey]) -> serde_json::Value {
    let one = |key: &PublicKey| {
        let mut jwk = serde_json::json!({ "use": "sig", "kid": key.id, "alg": key.algorithm.name() });
        match key.algorithm {
            Algorithm::EdDsa => {
                jwk["kty"] = "OKP".into();
                jwk["crv"] = "Ed25519".into();
                jwk["x"] = BASE64.encode(&key.bytes).into();
            }
            Algorithm::Es256 => {
                let point = key.bytes.get(1..65)?;
                jwk["kty"] = "EC".into();
                jwk["crv"] = "P-256".into();
                jwk["x"] = BASE64.encode(&point[..32]).into();
                jwk["y"] = BASE64.encode(&point[32..]).into();
            }
        }
        Some(jwk)
    };
    serde_json::json!({ "keys": keys.iter().filter_map(one).collect::<Vec<_>>() })
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: UserId,
    iat: i64,
    exp: i64,
    jti: &'a str,
    tenant: TenantId,
    sites: &'a [SiteId],
    roles: &'a [String],
    session: SessionId,
}

/// What an assertion says, beside the times.
pub(crate) struct Word<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub passage: &'a Passage,
}

/// Signs an assertion now, past the kept ones.
pub(crate) fn sign(signer: &dyn Signer, word: &Word<'_>, now: Time, rng: &dyn Rng) -> Result<HeaderValue, Problem> {
    let internal = |e: &dyn fmt::Display| Problem::new(&problem::INTERNAL).log(e);
    let passage = word.passage;
    let key = signer.key();
    let jti = hex::encode(rng::bytes::<16>(rng));
    let claims = Claims {
        iss: word.issuer,
        aud: word.audience,
        sub: passage.user,
        iat: now.secs(),
        exp: now.plus(VALID).secs(),
        jti: &jti,
        tenant: passage.cx.tenant,
        sites: &passage.sites,
        roles: &passage.roles,
        session: passage.session,
    };
    let header = Header { alg: key.algorithm.name(), typ: "JWT", kid: &key.id };
    let token = jws::compact(&header, &claims, |text| signer.sign(text))?;
    HeaderValue::try_from(token).map_err(|e| internal(&e))
}

/// Assertions in use, by session.
#[derive(Debug, Default)]
pub(crate) struct Assertions {
    kept: Mutex<HashMap<SessionId, Kept>>,
}

#[derive(Debug)]
struct Kept {
    value: HeaderValue,
    audience: Arc<str>,
    rights: i64,
    made: Time,
}

/// Moves with every change of what the person may do, so that an old word is not used again after it.
fn rights(passage: &Passage) -> i64 {
    match &passage.cx.actor {
        Actor::User { rights, .. } => rights.version,
        _ => 0,
    }
}

impl Assertions {
    /// The kept one, while less than half its life has passed and nothing it says has changed.
    pub fn kept(&self, passage: &Passage, audience: &Arc<str>, now: Time) -> Option<HeaderValue> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let one = kept.get(&passage.session)?;
        let same = one.audience == *audience && one.rights == rights(passage);
        (same && one.made <= now && now.since(one.made) < REUSED).then(|| one.value.clone())
    }
    /// Keeps a new one.
    pub fn keep(&self, passage: &Passage, audience: &Arc<str>, now: Time, value: HeaderValue) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.retain(|_, one| now.since(one.made) < REUSED);
            if kept.len() >= KEPT {
                kept.clear();
            }
        }
        let one = Kept { value, audience: audience.clone(), rights: rights(passage), made: now };
        kept.insert(passage.session, one);
    }
}
