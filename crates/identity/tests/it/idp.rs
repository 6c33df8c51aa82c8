//! An identity provider for tests: pages at addresses, keys of every kind, tokens with whatever is asked for in them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};

use async_trait::async_trait;
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::egress::{Incoming, Outgoing, Outside, Unreached};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://idp.example";
pub const CLIENT: &str = "sekisho";

pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[derive(Default)]
struct State {
    pages: HashMap<String, (u16, Vec<u8>)>,
    texts: HashMap<String, Vec<String>>,
    asked: Vec<(String, String)>,
}

/// The provider, behind the trait that asks outside addresses.
#[derive(Clone, Default)]
pub struct Idp(Arc<Mutex<State>>);

#[async_trait]
impl Outside for Idp {
    async fn ask(&self, request: Outgoing) -> Result<Incoming, Unreached> {
        let mut state = self.state();
        let form = request.form.as_ref().map(|f| f.reveal().clone()).unwrap_or_default();
        let headers: Vec<String> = request.headers.iter().map(|(n, v)| format!("{n}: {}", v.reveal())).collect();
        state.asked.push((request.url.clone(), format!("{form}\n{}", headers.join("\n"))));
        let (status, body) = state.pages.get(&request.url).cloned().ok_or(Unreached::Name)?;
        if body.len() > request.most {
            return Err(Unreached::Large);
        }
        Ok(Incoming { status, kind: "application/json".into(), body })
    }
    async fn txt(&self, name: &str) -> Result<Vec<String>, Unreached> {
        Ok(self.state().texts.get(name).cloned().unwrap_or_default())
    }
}

impl Idp {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no holder panics")
    }
    pub fn put(&self, url: &str, status: u16, body: impl Into<Vec<u8>>) {
        self.state().pages.insert(url.to_owned(), (status, body.into()));
    }
    pub fn gone(&self, url: &str) {
        self.state().pages.remove(url);
    }
    pub fn texts(&self, name: &str, texts: &[&str]) {
        self.state().texts.insert(name.to_owned(), texts.iter().map(|t| (*t).to_owned()).collect());
    }
    /// How often an address was asked.
    pub fn times(&self, url: &str) -> usize {
        self.state().asked.iter().filter(|(u, _)| u == url).count()
    }
    /// What was last sent to an address: form and header fields.
    pub fn last(&self, url: &str) -> String {
        self.state().asked.iter().rev().find(|(u, _)| u == url).map(|(_, sent)| sent.clone()).unwrap_or_default()
    }
    /// A provider as providers are, with these keys.
    pub fn serve(&self, keys: &[Value]) {
        self.put(&format!("{ISSUER}/.well-known/openid-configuration"), 200, metadata().to_string());
        self.put(&format!("{ISSUER}/jwks"), 200, json!({ "keys": keys }).to_string());
    }
    /// What the token endpoint answers.
    pub fn tokens(&self, id_token: &str) {
        let answer = json!({"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": id_token});
        self.put(&format!("{ISSUER}/token"), 200, answer.to_string());
    }
}

pub fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/jwks"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// A signing key of the provider's.
pub enum Key {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// The keys of a run; an RSA key takes a while to make.
pub fn ed(seed: u8) -> Key {
    Key::Ed(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key"))
}
pub fn ec() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::Ec(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")))
}
pub fn rsa() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")))
}

impl Key {
    /// As the key set shows it.
    pub fn public(&self, kid: &str) -> Value {
        match self {
            Self::Ed(key) => json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": b64(key.public_key())}),
            Self::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": b64(&point[1..33]), "y": b64(&point[33..])})
            }
            Self::Rsa(key) => {
                // RSAPublicKey (RFC 8017 §A.1.1) of 2,048 bits: the two integers stand at fixed places.
                let der = key.public_key().as_ref();
                json!({"kty": "RSA", "kid": kid, "n": b64(&der[9..265]), "e": b64(&der[267..])})
            }
        }
    }
    /// Signs under an algorithm's name, whether or not that fits the key.
    pub fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match self {
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
            Self::Ec(key) => key.sign(&rng, message).expect("signed").as_ref().to_vec(),
            Self::Rsa(key) => {
                let padding: &dyn signature::RsaEncoding =
                    if alg == "PS256" { &signature::RSA_PSS_SHA256 } else { &signature::RSA_PKCS1_SHA256 };
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(padding, &rng, message, &mut out).expect("signed");
                out
            }
        }
    }
    /// A token with this header.
    pub fn token(&self, header: &Value, claims: &str) -> String {
        let head = format!("{}.{}", b64(header.to_string()), b64(claims));
        let alg = header["alg"].as_str().unwrap_or_default();
        format!("{head}.{}", b64(self.sign(alg, head.as_bytes())))
    }
    /// The usual one.
    pub fn usual(&self, kid: &str, claims: &Value) -> String {
        self.token(&json!({"alg": self.alg(), "kid": kid}), &claims.to_string())
    }
    pub const fn alg(&self) -> &'static str {
        match self {
            Self::Ed(_) => "EdDSA",
            Self::Ec(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }
}

/// A token with an HMAC in the signature's place.
pub fn hmac_token(header: &Value, claims: &str, key: &[u8]) -> String {
    let head = format!("{}.{}", b64(header.to_string()), b64(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), head.as_bytes());
    format!("{head}.{}", b64(tag))
}
