//! Proofs of possession (DPoP, RFC 9449) as requests carry them.

use axum::http::{HeaderMap, header};
use sekisho_identity::{
    problems::{DPOP_PROOF, OAUTH_TOKEN},
    types::{Proof, Proved},
};
use sekisho_kernel::{Problem, Secret};

use crate::{api::oauth::issuer, call::Call, problem::Fault};

/// The scheme of the header field `Authorization`.
pub const SCHEME: &str = "dpop";
/// The algorithms of proofs.
pub const ALGORITHMS: [&str; 4] = ["ES256", "EdDSA", "PS256", "RS256"];

/// Whether a request brings its token under the scheme.
pub fn asked(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(' ').next().is_some_and(|s| s.eq_ignore_ascii_case(SCHEME))
}

/// The proof that came with a request, if one did: there is at most one (RFC 9449 §4.3).
pub async fn brought(call: &Call, access: Option<&Secret<String>>) -> Result<Option<Proof>, Fault> {
    let refused = || Fault::own(Problem::new(&DPOP_PROOF));
    let mut all = call.headers.get_all("dpop").iter();
    let Some(first) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(refused());
    }
    let url = format!("{}{}", issuer(call), call.uri.path());
    let asked = Proved { proof: first.to_str().map_err(|_| refused())?, method: call.method.as_str(), url: &url };
    Ok(Some(call.parts.identity.proof(&call.knock(false), &asked, access).await.map_err(Fault::own)?))
}

/// The proof beside a token that is brought under the scheme. From here on the call holds its key.
pub async fn shown(call: &mut Call) -> Result<Proof, Fault> {
    let token = call.token.clone().filter(|t| t.reveal().starts_with(sekisho_identity::ACCESS));
    let token = token.ok_or_else(|| Fault::own(Problem::new(&OAUTH_TOKEN)))?;
    let proof = brought(call, Some(&token)).await?.ok_or_else(|| Fault::own(Problem::new(&DPOP_PROOF)))?;
    call.holds = Some(proof.key);
    Ok(proof)
}
