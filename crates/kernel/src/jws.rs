//! A signed text in its compact form (RFC 7515 §7.1), put together in one place whoever holds the key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::{Problem, problem::INTERNAL};

/// What stands before the claims. `typ` is never left out: one key signs several kinds of token, and no reader may take one
/// for another (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Header<'a> {
    /// The algorithm.
    pub alg: &'static str,
    /// What kind of token it is.
    pub typ: &'static str,
    /// Which key.
    pub kid: &'a str,
}

/// The token: header and claims, and what `sign` makes of both.
///
/// # Errors
/// `INTERNAL` for claims that are no JSON; those of `sign`.
pub fn compact(
    header: &Header<'_>,
    claims: &impl Serialize,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, Problem>,
) -> Result<String, Problem> {
    let internal = |e: serde_json::Error| Problem::new(&INTERNAL).log(e);
    let header = serde_json::to_vec(header).map_err(internal)?;
    let claims = serde_json::to_vec(claims).map_err(internal)?;
    let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(token)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;

    use super::*;

    #[test]
    fn the_parts_are_those_of_the_standard() {
        // The claims and the key of RFC 7515 §A.1; the header is ours.
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let header = Header { alg: "HS256", typ: "JWT", kid: "a" };
        let claims = serde_json::json!({"iss": "joe"});
        let sign = |text: &[u8]| Ok(hmac::sign(&key, text).as_ref().to_vec());
        let token = compact(&header, &claims, sign).unwrap();
        let (text, tag) = token.rsplit_once('.').unwrap();
        let parts: Vec<&str> = text.split('.').collect();
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[0]).unwrap(), br#"{"alg":"HS256","typ":"JWT","kid":"a"}"#);
        assert_eq!(parts[1], "eyJpc3MiOiJqb2UifQ");
        hmac::verify(&key, text.as_bytes(), &URL_SAFE_NO_PAD.decode(tag).unwrap()).unwrap();
    }
}
