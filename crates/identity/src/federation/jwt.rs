//! JSON Web Tokens as an identity provider signs them (RFC 7515, 7517, 7519; RFC 8725 for what to refuse). Keys come from
//! the provider's own set and from nowhere else: what a token says about keys (`jwk`, `jku`, `x5u`, `x5c`) is not read.

use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::json;

/// Longest token, in bytes.
pub const LONGEST: usize = 32 * 1024;
/// Most keys of a set.
const MOST_KEYS: usize = 64;
/// Most keys that are tried for one token without a `kid`.
const MOST_TRIED: usize = 8;

/// An algorithm that is taken (RFC 7518 §3.1, RFC 8037 §3.1). `none` and everything with a shared secret are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// As a header writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
    /// By its name, to the letter. `Ed25519` is its fully specified name (RFC 9864).
    pub fn by_name(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|a| a.name() == name)
    }
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no signed token in compact form, or a part of it is no JSON that is read.
    Malformed,
    /// Its algorithm is not taken.
    Algorithm,
    /// It names a header field that must be understood.
    Critical,
    /// It is of another type.
    Type,
    /// No key of the set is the one that it names.
    NoKey,
    /// The signature is wrong.
    Signature,
}

impl Flaw {
    /// The word in the history.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::Algorithm => "token-algorithm",
            Self::Critical => "token-critical",
            Self::Type => "token-type",
            Self::NoKey => "token-key-unknown",
            Self::Signature => "token-signature",
        }
    }
}

enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

struct Key {
    kid: Option<String>,
    alg: Option<Algorithm>,
    public: Public,
}

/// A provider's keys (RFC 7517 §5): those that verify signatures in an algorithm that is taken.
#[derive(Default)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// Reads a key set; keys of other kinds and uses are passed over. `None` when it is no key set.
    pub fn read(body: &[u8]) -> Option<Self> {
        let set = json::object(body)?;
        let keys = set.get("keys")?.as_array()?;
        Some(Self(keys.iter().take(MOST_KEYS).filter_map(key).collect()))
    }
    /// How many can be used.
    pub const fn len(&self) -> usize {
        self.0.len()
    }
}

fn key(value: &Value) -> Option<Key> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    // A set with a private part in it has been given away.
    if value.get("d").is_some() || value.get("use").is_some_and(|u| u != "sig") {
        return None;
    }
    if let Some(ops) = value.get("key_ops")
        && !ops.as_array()?.iter().any(|o| o == "verify")
    {
        return None;
    }
    let public = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            let n = bytes("n")?;
            // 2,048 to 8,192 bits; the verifier checks again.
            (256..=1_024).contains(&n.len()).then_some(Public::Rsa { n, e: bytes("e")? })?
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == 32 && y.len() == 32).then(|| Public::P256([&[4][..], &x, &y].concat()))?
        }
        ("OKP", Some("Ed25519")) => {
            let x = bytes("x")?;
            (x.len() == 32).then_some(Public::Ed25519(x))?
        }
        _ => return None,
    };
    let alg = match value.get("alg") {
        Some(name) => Some(Algorithm::by_name(name.as_str()?)?),
        None => None,
    };
    let kid = match value.get("kid") {
        Some(kid) => Some(kid.as_str()?.to_owned()),
        None => None,
    };
    Some(Key { kid, alg, public })
}

impl Key {
    /// Whether it may have made this signature: an RSA key never verifies what says ECDSA, and so on.
    fn fits(&self, alg: Algorithm, kid: Option<&str>) -> bool {
        let kind = matches!(
            (&self.public, alg),
            (Public::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256)
                | (Public::P256(_), Algorithm::Es256)
                | (Public::Ed25519(_), Algorithm::EdDsa)
        );
        let named = kid.is_none_or(|kid| self.kid.as_deref() == Some(kid));
        kind && named && self.alg.is_none_or(|own| own == alg)
    }

    fn verifies(&self, alg: Algorithm, message: &[u8], tag: &[u8]) -> bool {
        match (&self.public, alg) {
            (Public::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, tag).is_ok()
            }
            (Public::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PSS_2048_8192_SHA256, message, tag).is_ok()
            }
            (Public::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, tag).is_ok()
            }
            (Public::Ed25519(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(message, tag).is_ok()
            }
            _ => false,
        }
    }
}

/// What a token says, its signature checked, and by which algorithm.
pub struct Token {
    /// Its claims.
    pub claims: Map<String, Value>,
    /// The algorithm.
    pub alg: Algorithm,
}

/// Checks the signature of a compact token (RFC 7515 §7.1) of one of the types `types`; a header without `typ` passes. What
/// it claims is for the caller to check. `checked` is false only in a rehearsal that takes this control out.
///
/// # Errors
/// What is wrong with it.
pub fn verify(text: &str, keys: &Keys, types: &[&str], checked: bool) -> Result<Token, Flaw> {
    let (body, alg) = signed(text, keys, types, checked)?;
    let claims = json::object(&body).ok_or(Flaw::Malformed)?;
    Ok(Token { claims, alg })
}

/// What was signed, whatever it is, and by which algorithm.
fn signed(text: &str, keys: &Keys, types: &[&str], checked: bool) -> Result<(Vec<u8>, Algorithm), Flaw> {
    if text.len() > LONGEST {
        return Err(Flaw::Malformed);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let [head, claims, tag] = parts[..] else { return Err(Flaw::Malformed) };
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::Malformed);
    let header = json::object(&decoded(head)?).ok_or(Flaw::Malformed)?;
    let alg = header.get("alg").and_then(Value::as_str).and_then(Algorithm::by_name).ok_or(Flaw::Algorithm)?;
    // Nothing that could be critical is understood (RFC 7515 §4.1.11), `b64` of RFC 7797 least of all.
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(Flaw::Critical);
    }
    if let Some(typ) = header.get("typ") {
        let typ = typ.as_str().ok_or(Flaw::Type)?.to_ascii_lowercase();
        let bare = typ.strip_prefix("application/").unwrap_or(&typ);
        if !types.contains(&bare) {
            return Err(Flaw::Type);
        }
    }
    let kid = match header.get("kid") {
        Some(kid) => Some(kid.as_str().ok_or(Flaw::Malformed)?),
        None => None,
    };
    let tag = decoded(tag)?;
    let body = decoded(claims)?;
    if checked {
        let message = &text.as_bytes()[..head.len() + 1 + claims.len()];
        let mut fitting = keys.0.iter().filter(|k| k.fits(alg, kid)).take(MOST_TRIED).peekable();
        if fitting.peek().is_none() {
            return Err(Flaw::NoKey);
        }
        if !fitting.any(|k| k.verifies(alg, message, &tag)) {
            return Err(Flaw::Signature);
        }
    }
    Ok((body, alg))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    /// Project Wycheproof's signatures, read from beside the project. What is signed there by an algorithm that is taken
    /// verifies, all else does not.
    #[test]
    fn wycheproof_signatures() {
        let name = "shared/data/wycheproof/json_web_signature_test.json";
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let Some(file) = here.ancestors().map(|a| a.join(name)).find(|p| p.exists()) else {
            assert!(std::env::var_os("CI").is_none(), "shared/data/wycheproof is missing");
            println!("skipped: no {name} beside the project");
            return;
        };
        let data: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let (mut good, mut bad, mut wrong) = (0, 0, Vec::new());
        for group in data["testGroups"].as_array().unwrap() {
            let set = serde_json::json!({ "keys": [group["public"]] }).to_string();
            let keys = Keys::read(set.as_bytes()).unwrap();
            for test in group["tests"].as_array().unwrap() {
                let text = test["jws"].as_str().unwrap();
                let taken = signed(text, &keys, &["jwt"], true).is_ok();
                let head =
                    text.split('.').next().and_then(|h| URL_SAFE_NO_PAD.decode(h).ok()).and_then(|h| json::object(&h));
                let alg = head.and_then(|h| Algorithm::by_name(h.get("alg")?.as_str()?));
                let ours = alg.is_some() && group["public"].is_object();
                match (taken, test["result"] == "valid" && ours) {
                    (true, true) => good += 1,
                    (false, false) => bad += 1,
                    _ => wrong.push(format!("{} {} {}: {taken}", test["tcId"], group["comment"], test["comment"])),
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(good >= 16 && bad > 350, "{good} taken, {bad} refused");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[A-Za-z0-9_.{}\"-]{0,200}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = verify(&text, &Keys::default(), &["jwt"], true);
            let _ = Keys::read(&body);
            let parts = [&b"{\"alg\":\"ES256\"}"[..], &body, &body].map(|p| URL_SAFE_NO_PAD.encode(p));
            let _ = verify(&parts.join("."), &Keys::default(), &["jwt"], false);
        }
    }
}
