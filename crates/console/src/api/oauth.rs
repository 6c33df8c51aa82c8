//! The OAuth 2.1 endpoints that applications call: token, introspection, revocation, metadata (RFC 8414).

use std::sync::Arc;

use axum::{http::header, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_identity::{
    problems::{OAUTH_CLIENT, OAUTH_KIND, OAUTH_REQUEST},
    types::{OauthClient, OauthTokens, TokenAsk},
};
use sekisho_kernel::{Problem, Right, Secret};
use serde_json::json;

use crate::{
    call::{Call, pairs},
    problem::Fault,
    reply,
};

/// The issuer: the console's own address.
pub(crate) fn issuer(call: &Call) -> String {
    let port = if call.arrival.port == 443 { String::new() } else { format!(":{}", call.arrival.port) };
    format!("https://{}{port}", call.arrival.host.host)
}

/// A form in which every field comes at most once (OAuth 2.1 §3.2).
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn of(call: &Call) -> Result<Self, Fault> {
        let form = call.form();
        let twice = form.iter().enumerate().any(|(n, (name, _))| form[..n].iter().any(|(before, _)| before == name));
        if twice { Err(Fault::own(Problem::new(&OAUTH_REQUEST))) } else { Ok(Self(form)) }
    }
    fn may(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone())
    }
    pub(crate) fn need(&self, name: &str) -> Result<String, Fault> {
        self.may(name).ok_or_else(|| Fault::own(Problem::new(&OAUTH_REQUEST)))
    }
}

/// Who asks: `client_secret_basic` or `client_secret_post`, never both; a public client by its id alone.
fn client(call: &Call, form: &Form) -> Result<OauthClient, Fault> {
    let refused = || Fault::own(Problem::new(&OAUTH_CLIENT));
    let (id, secret) = match call.headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let text = value.to_str().map_err(|_| refused())?;
            let (scheme, given) = text.split_once(' ').ok_or_else(refused)?;
            if !scheme.eq_ignore_ascii_case("basic") || form.may("client_secret").is_some() {
                return Err(refused());
            }
            let plain =
                STANDARD.decode(given.trim()).ok().and_then(|b| String::from_utf8(b).ok()).ok_or_else(refused)?;
            let (id, secret) = plain.split_once(':').ok_or_else(refused)?;
            // Both parts are form-encoded first (RFC 6749 §2.3.1).
            let decoded = |part: &str| pairs(format!("x={part}").as_bytes()).pop().map(|(_, v)| v).unwrap_or_default();
            (decoded(id), Some(decoded(secret)))
        }
        None => (form.need("client_id")?, form.may("client_secret")),
    };
    let id = id.parse().map_err(|_| refused())?;
    Ok(OauthClient { id, secret: secret.filter(|s| !s.is_empty()).map(Secret::new) })
}

/// POST /oauth/token
pub async fn token(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form)?;
    let ask = match form.need("grant_type")?.as_str() {
        "authorization_code" => TokenAsk::Code {
            code: Secret::new(form.need("code")?),
            redirect_uri: form.may("redirect_uri"),
            verifier: form.need("code_verifier")?,
        },
        "refresh_token" => {
            TokenAsk::Refresh { token: Secret::new(form.need("refresh_token")?), scope: form.may("scope") }
        }
        "client_credentials" => TokenAsk::Client { scope: form.may("scope") },
        _ => return Err(Fault::own(Problem::new(&OAUTH_KIND))),
    };
    issued(&call.parts.identity.oauth_token(&call.knock(false), &asked, ask).await?)
}

fn issued(tokens: &OauthTokens) -> Result<Response, Fault> {
    let mut body = json!({
        "access_token": tokens.access.reveal(),
        "token_type": "Bearer",
        "expires_in": tokens.lives.as_secs(),
        "scope": tokens.scope,
    });
    if let Some(refresh) = &tokens.refresh {
        body["refresh_token"] = json!(refresh.reveal());
    }
    reply::ok(&body)
}

/// POST /oauth/introspect
pub async fn introspect(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form)?;
    let text = Secret::new(form.need("token")?);
    let Some(found) = call.parts.identity.introspect(&call.knock(false), &asked, &text).await? else {
        return reply::ok(&json!({ "active": false }));
    };
    let kind = if found.refresh { "refresh_token" } else { "Bearer" };
    reply::ok(&json!({
        "active": true,
        "scope": found.scope,
        "client_id": asked.id,
        "sub": found.user,
        "iat": found.issued.secs(),
        "exp": found.expires.secs(),
        "token_type": kind,
        "iss": issuer(&call),
    }))
}

/// POST /oauth/revoke
pub async fn revoke(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form)?;
    let text = Secret::new(form.need("token")?);
    call.parts.identity.revoke(&call.knock(false), &asked, &text).await?;
    reply::ok(&json!({}))
}

/// GET /.well-known/oauth-authorization-server
pub async fn metadata(call: Arc<Call>) -> Result<Response, Fault> {
    let issuer = issuer(&call);
    let at = |path: &str| format!("{issuer}{path}");
    let clients = ["client_secret_basic", "client_secret_post", "none"];
    let secrets = ["client_secret_basic", "client_secret_post"];
    reply::ok(&json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "introspection_endpoint": at("/oauth/introspect"),
        "revocation_endpoint": at("/oauth/revoke"),
        "jwks_uri": at("/.well-known/sekisho/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": clients,
        "introspection_endpoint_auth_methods_supported": secrets,
        "revocation_endpoint_auth_methods_supported": clients,
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": Right::all().map(Right::name).collect::<Vec<_>>(),
    }))
}
