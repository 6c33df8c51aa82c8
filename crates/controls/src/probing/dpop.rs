//! A holder of a key, who proves it with each request (RFC 9449). Written apart from what verifies it.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, World},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{person::text, rehearsed};

/// A key pair, and how the server calls itself.
pub struct Holder {
    pair: Ed25519KeyPair,
    issuer: String,
}

impl Holder {
    /// A new key for the server at this host.
    ///
    /// # Errors
    /// When it does not say what it is called.
    pub async fn new(world: &dyn World, host: &str) -> Result<Self, Trouble> {
        let seed = Sha256::digest(world.marker("key"));
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|e| Trouble(format!("no key: {e}")))?;
        let known = world.send(Ask::new("GET", host, "/.well-known/openid-configuration")).await?.json();
        Ok(Self { pair, issuer: text(&known, "issuer") })
    }

    /// A proof for one request, with an access token or without.
    ///
    /// # Errors
    /// Outside a rehearsal, whose clock is the server's.
    pub fn proof(&self, world: &dyn World, method: &str, path: &str, access: Option<&str>) -> Result<String, Trouble> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(self.pair.public_key().as_ref()) });
        let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk });
        let mut claims = json!({
            "jti": world.marker("jti"), "htm": method, "htu": format!("{}{path}", self.issuer),
            "iat": rehearsed(world)?.now().secs(),
        });
        if let Some(access) = access {
            claims["ath"] = json!(encode(&Sha256::digest(access)));
        }
        let message = format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()));
        let tag = encode(self.pair.sign(message.as_bytes()).as_ref());
        Ok(format!("{message}.{tag}"))
    }
}
