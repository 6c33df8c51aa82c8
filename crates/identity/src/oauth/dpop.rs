//! Tokens that only the holder of a key can use (DPoP, RFC 9449). A proof is a token that the key itself has signed, for one
//! request, and is good once within a minute on all nodes.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{Cx, Problem, Secret, Time, hook::Knock};
use sekisho_vault::{Scope, Tx};
use serde_json::{Value, json};

use crate::{
    Answer, Identity, boxed,
    federation::{json, jwt},
    problems as p, sql, token,
};

/// How far a proof's time may be from ours, either way.
const WINDOW: Duration = Duration::from_secs(60);
/// Longest proof, in bytes.
const LONGEST: usize = 8 * 1024;
/// Longest `jti`, in bytes.
const LONGEST_ID: usize = 256;
/// How long a nonce of ours is good: this window and the next.
const NONCE_WINDOW: i64 = 120;

/// The request that a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct Proved<'a> {
    /// `DPoP`: the proof, as it came.
    pub proof: &'a str,
    /// The method.
    pub method: &'a str,
    /// The address, without query.
    pub url: &'a str,
}

/// A proof that has been looked at, and not been used up yet.
#[derive(Clone, Copy, Debug)]
pub struct Proof {
    /// The thumbprint of its key (RFC 7638).
    pub key: [u8; 32],
    /// Its id, and that of its key.
    mark: [u8; 16],
    /// When it runs out.
    until: Time,
}

/// Why a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is none, or a part of it is missing or of another kind.
    Malformed,
    /// It is signed by no key of its own, or by none that is taken.
    Signature,
    /// It is for another request or token.
    Request,
    /// It is too old, or from the future.
    Time,
    /// It has no nonce of ours, or an old one.
    Nonce,
}

/// A key's thumbprint (RFC 7638 §3). `None` for one of another kind, or whose parts are not written as they are to be.
pub(crate) fn thumbprint(jwk: &Value) -> Option<[u8; 32]> {
    // The members that make the key, each as its bytes are written, so that a key has one print.
    let part = |name: &str| {
        let text = jwk.get(name)?.as_str()?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (URL_SAFE_NO_PAD.encode(bytes) == text).then(|| text.to_owned())
    };
    let plain = |name: &str| Some(jwk.get(name)?.as_str()?.to_owned());
    let members = match plain("kty")?.as_str() {
        "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, part("e")?, part("n")?),
        "EC" => format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, part("x")?, part("y")?),
        "OKP" => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, part("x")?),
        _ => return None,
    };
    Some(token::sha256(&[members.as_bytes()]))
}

/// An address without query and fragment, in the one form in which it is compared (RFC 9449 §4.3).
fn plain(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = bare.split_once("://").unwrap_or(("", bare));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_suffix(":443").unwrap_or(&authority);
    format!("{}://{authority}/{path}", scheme.to_ascii_lowercase())
}

/// Looks at a proof (RFC 9449 §4.3): all but whether it was used before.
fn looked_at(
    asked: &Proved<'_>,
    access: Option<&Secret<String>>,
    nonces: Option<&[String]>,
    now: Time,
) -> Result<Proof, Flaw> {
    if asked.proof.len() > LONGEST {
        return Err(Flaw::Malformed);
    }
    let head = asked.proof.split('.').next().and_then(|h| URL_SAFE_NO_PAD.decode(h).ok());
    let head = head.and_then(|h| json::object(&h)).ok_or(Flaw::Malformed)?;
    let typed = head.get("typ").is_some_and(|t| t == "dpop+jwt");
    let jwk = head.get("jwk").filter(|k| typed && k.is_object()).ok_or(Flaw::Malformed)?;
    let keys = jwt::Keys::read(json!({ "keys": [jwk] }).to_string().as_bytes()).ok_or(Flaw::Malformed)?;
    let token = jwt::verify(asked.proof, &keys, &["dpop+jwt"], true).map_err(|_| Flaw::Signature)?;
    let key = thumbprint(jwk).ok_or(Flaw::Signature)?;
    let text = |name: &str| token.claims.get(name).and_then(Value::as_str);
    let id = text("jti").filter(|id| (1..=LONGEST_ID).contains(&id.len())).ok_or(Flaw::Malformed)?;
    let made = token.claims.get("iat").and_then(Value::as_i64).ok_or(Flaw::Malformed)?;
    let (method, url) = (text("htm").ok_or(Flaw::Malformed)?, text("htu").ok_or(Flaw::Malformed)?);
    let hash = access.map(|a| URL_SAFE_NO_PAD.encode(token::sha256(&[a.reveal().as_bytes()])));
    if method != asked.method || plain(url) != plain(asked.url) || hash.is_some_and(|h| text("ath") != Some(&h)) {
        return Err(Flaw::Request);
    }
    let made = Time::from_secs(made.clamp(0, i64::from(u32::MAX)));
    if now.since(made) > WINDOW || made.since(now) > WINDOW {
        return Err(Flaw::Time);
    }
    if nonces.is_some_and(|all| !all.iter().any(|n| text("nonce") == Some(n))) {
        return Err(Flaw::Nonce);
    }
    let mut mark = [0; 16];
    mark.copy_from_slice(&token::sha256(&[&key, id.as_bytes()])[..16]);
    Ok(Proof { key, mark, until: made.plus(WINDOW * 2) })
}

impl Proof {
    /// The thumbprint as tokens and answers write it.
    pub fn print(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key)
    }
    /// Uses the proof up within an act: `false` for one that was used.
    pub fn take(&self, tx: &mut Tx<'_>) -> Answer<bool> {
        Ok(tx.keep(&sql::PROOF_TAKE, &[self.mark.into(), self.until.into()])? > 0)
    }
}

impl Identity {
    /// Looks at a proof that came with a request.
    ///
    /// # Errors
    /// `SK-4144` for one that is not taken, `SK-4145` for one without a nonce where the policy asks for one.
    #[boxed]
    pub async fn proof(&self, knock: &Knock, asked: &Proved<'_>, access: Option<&Secret<String>>) -> Answer<Proof> {
        let cx = Self::before_sign_in(knock);
        let nonces = match self.gates().oauth(&cx.policy).nonce {
            true => Some([self.nonce_of(&cx, 0).await?, self.nonce_of(&cx, -1).await?]),
            false => None,
        };
        looked_at(asked, access, nonces.as_ref().map(<[String; 2]>::as_slice), self.now()).map_err(|flaw| match flaw {
            Flaw::Nonce => Problem::new(&p::DPOP_NONCE),
            other => Problem::new(&p::DPOP_PROOF).log(format!("{other:?}")),
        })
    }

    /// Uses a proof up, outside an act: it stood before a request of the API.
    ///
    /// # Errors
    /// `SK-4144` for one that was used.
    #[boxed]
    pub async fn use_proof(&self, cx: &Cx, proof: &Proof) -> Answer<()> {
        let Proof { mark, until, .. } = *proof;
        let scope = Scope::of(cx);
        let taken = self.vault().keep(&scope, move |k| k.run(&sql::PROOF_TAKE, &[mark.into(), until.into()]));
        if taken.await? > 0 { Ok(()) } else { Err(Problem::new(&p::DPOP_PROOF).log("used before")) }
    }

    /// The nonce that proofs are to carry now (RFC 9449 §8); the same on every node.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn dpop_nonce(&self, knock: &Knock) -> Answer<String> {
        self.nonce_of(&Self::before_sign_in(knock), 0).await
    }

    async fn nonce_of(&self, cx: &Cx, windows: i64) -> Answer<String> {
        let window = self.now().secs().div_euclid(NONCE_WINDOW) + windows;
        let made = self.vault().keyed_hash(&Scope::of(cx), "dpop nonce", &window.to_be_bytes()).await?;
        Ok(URL_SAFE_NO_PAD.encode(&made[..16]))
    }
}
