//! What an ID token and a logout token must say (OpenID Connect Core §3.1.3.7, Back-Channel Logout §2.6).

use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::Time;
use serde_json::{Map, Value};

use super::jwt::{Algorithm, Token};
use crate::signals::logout::EVENT as LOGOUT;

/// Longest life of an ID token that is believed, whatever it says of itself.
const OLDEST: Duration = Duration::from_secs(24 * 3_600);
/// How old a logout token may be.
const LOGOUT_OLDEST: Duration = Duration::from_secs(600);
/// Longest `sub`, `sid` and `jti`.
pub const LONGEST: usize = 255;

/// Against what a token is held.
pub struct Wanted<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Ourselves.
    pub client: &'a str,
    /// Now, by our clock.
    pub now: Time,
    /// How far the provider's clock may be from it.
    pub skew: Duration,
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A NumericDate (RFC 7519 §2), its fraction cut off.
fn time(claims: &Map<String, Value>, name: &str) -> Option<Time> {
    let value = claims.get(name)?;
    let secs = value.as_i64().or_else(|| {
        let float = value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "seconds within the years that a Time holds")]
        (0.0..4e11).contains(&float).then_some(float as i64)
    })?;
    (0..400_000_000_000).contains(&secs).then(|| Time::from_secs(secs))
}

/// A subject, session or token id: text of one line.
pub fn name_of(claims: &Map<String, Value>, name: &'static str) -> Option<String> {
    let value = text(claims, name)?;
    let plain = !value.is_empty() && value.len() <= LONGEST && !value.chars().any(char::is_control);
    plain.then(|| value.to_owned())
}

/// Issuer, audience and the times that every token has.
fn common(token: &Token, wanted: &Wanted<'_>, oldest: Duration) -> Result<(), &'static str> {
    let claims = &token.claims;
    if text(claims, "iss") != Some(wanted.issuer) {
        return Err("token-issuer");
    }
    // A token that others take too could have been handed to us by one of them.
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => Some(one.as_str()),
        Some(Value::Array(all)) if all.len() == 1 => all[0].as_str(),
        _ => None,
    };
    if audience != Some(wanted.client) {
        return Err("token-audience");
    }
    if claims.get("azp").is_some_and(|azp| azp != wanted.client) {
        return Err("token-authorised-party");
    }
    let expires = time(claims, "exp").ok_or("token-expired")?;
    if expires.plus(wanted.skew) <= wanted.now {
        return Err("token-expired");
    }
    let issued = time(claims, "iat").ok_or("token-issued-at")?;
    if issued > wanted.now.plus(wanted.skew) || wanted.now.since(issued) > oldest + wanted.skew {
        return Err("token-issued-at");
    }
    if claims.contains_key("nbf") && time(claims, "nbf").is_none_or(|t| t > wanted.now.plus(wanted.skew)) {
        return Err("token-not-yet");
    }
    Ok(())
}

/// Checks an ID token; its subject.
///
/// # Errors
/// The word for what is wrong.
pub fn check(token: &Token, wanted: &Wanted<'_>, nonce: &str, access: Option<&str>) -> Result<String, &'static str> {
    common(token, wanted, OLDEST)?;
    if text(&token.claims, "nonce") != Some(nonce) {
        return Err("token-nonce");
    }
    if let Some(hash) = token.claims.get("at_hash") {
        let right = access.is_some_and(|access| hash.as_str() == Some(&half_hash(token.alg, access)));
        if !right {
            return Err("token-access-hash");
        }
    }
    name_of(&token.claims, "sub").ok_or("token-subject")
}

/// Whether the person has signed in at the provider since `asked`.
///
/// # Errors
/// The word for what is wrong.
pub fn anew(token: &Token, wanted: &Wanted<'_>, asked: Time) -> Result<(), &'static str> {
    let at = time(&token.claims, "auth_time").ok_or("token-auth-time")?;
    let asked = Time::from_secs(asked.secs());
    if at.plus(wanted.skew) < asked || at > wanted.now.plus(wanted.skew) {
        return Err("token-auth-time");
    }
    Ok(())
}

/// Half of the hash of an access token, by the hash of the token's own algorithm (Core §3.1.3.6).
fn half_hash(alg: Algorithm, access: &str) -> String {
    let hash = match alg {
        Algorithm::EdDsa => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let whole = digest::digest(hash, access.as_bytes());
    URL_SAFE_NO_PAD.encode(&whole.as_ref()[..whole.as_ref().len() / 2])
}

/// What a logout token says.
#[derive(Debug)]
pub struct Logout {
    /// Whom it ends.
    pub subject: Option<String>,
    /// Which of the provider's sessions it ends.
    pub session: Option<String>,
    /// By which it is known again.
    pub id: String,
    /// Until when it could come again.
    pub until: Time,
}

/// Checks a logout token.
///
/// # Errors
/// The word for what is wrong.
pub fn check_logout(token: &Token, wanted: &Wanted<'_>) -> Result<Logout, &'static str> {
    common(token, wanted, LOGOUT_OLDEST)?;
    let claims = &token.claims;
    // An ID token must never pass for one.
    if claims.contains_key("nonce") {
        return Err("token-nonce");
    }
    let events = claims.get("events").and_then(Value::as_object).ok_or("token-events")?;
    if !events.get(LOGOUT).is_some_and(Value::is_object) {
        return Err("token-events");
    }
    let id = name_of(claims, "jti").ok_or("token-id")?;
    let named = |name: &'static str| match claims.contains_key(name) {
        true => name_of(claims, name).map(Some).ok_or("token-subject"),
        false => Ok(None),
    };
    let (subject, session) = (named("sub")?, named("sid")?);
    if subject.is_none() && session.is_none() {
        return Err("token-subject");
    }
    let until = wanted.now.plus(LOGOUT_OLDEST + wanted.skew * 2);
    Ok(Logout { subject, session, id, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_hash_is_as_published() {
        // OpenID Connect Core, appendix A.3: the example's access token and its at_hash.
        assert_eq!(
            half_hash(Algorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }
}
