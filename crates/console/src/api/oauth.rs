//! The endpoints that applications call: token, introspection, revocation, pushed requests, what they may know of their
//! person, keys, metadata (RFC 8414, OpenID Connect Discovery 1.0).

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_identity::{
    problems::{OAUTH_CLIENT, OAUTH_KIND, OAUTH_REQUEST, OAUTH_TOKEN},
    types::{AuthorizeRequest, OauthClient, OauthTokens, PersonScope, TokenAsk},
};
use sekisho_kernel::{Problem, Right, Secret};
use serde_json::json;

use crate::{
    call::{Call, pairs},
    dpop,
    problem::Fault,
    reply,
};

/// RFC 8628 §3.4.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

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
async fn client(call: &Call, form: &Form) -> Result<OauthClient, Fault> {
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
    let proof = dpop::brought(call, None).await?;
    Ok(OauthClient { id, secret: secret.filter(|s| !s.is_empty()).map(Secret::new), proof })
}

/// POST /oauth/token
pub async fn token(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form).await?;
    let ask = match form.need("grant_type")?.as_str() {
        "authorization_code" => TokenAsk::Code {
            code: Secret::new(form.need("code")?),
            redirect_uri: form.may("redirect_uri"),
            verifier: form.need("code_verifier")?,
        },
        "refresh_token" => {
            TokenAsk::Refresh { token: Secret::new(form.need("refresh_token")?), scope: form.may("scope") }
        }
        DEVICE_CODE => TokenAsk::Device { code: Secret::new(form.need("device_code")?) },
        "client_credentials" => TokenAsk::Client { scope: form.may("scope") },
        _ => return Err(Fault::own(Problem::new(&OAUTH_KIND))),
    };
    issued(&call.parts.identity.oauth_token(&call.knock(false), &issuer(&call), &asked, ask).await?)
}

fn issued(tokens: &OauthTokens) -> Result<Response, Fault> {
    let mut body = json!({
        "access_token": tokens.access.reveal(),
        "token_type": if tokens.bound { "DPoP" } else { "Bearer" },
        "expires_in": tokens.lives.as_secs(),
        "scope": tokens.scope,
    });
    if let Some(refresh) = &tokens.refresh {
        body["refresh_token"] = json!(refresh.reveal());
    }
    if let Some(id_token) = &tokens.id_token {
        body["id_token"] = json!(id_token.reveal());
    }
    reply::ok(&body)
}

/// POST /oauth/introspect
pub async fn introspect(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form).await?;
    let text = Secret::new(form.need("token")?);
    let Some(found) = call.parts.identity.introspect(&call.knock(false), &asked, &text).await? else {
        return reply::ok(&json!({ "active": false }));
    };
    let kind = match (found.refresh, &found.key) {
        (true, _) => "refresh_token",
        (false, Some(_)) => "DPoP",
        (false, None) => "Bearer",
    };
    let mut body = json!({
        "active": true,
        "scope": found.scope,
        "client_id": asked.id,
        "sub": found.user,
        "iat": found.issued.secs(),
        "exp": found.expires.secs(),
        "token_type": kind,
        "iss": issuer(&call),
    });
    if let Some(key) = found.key {
        body["cnf"] = json!({ "jkt": key });
    }
    reply::ok(&body)
}

/// POST /oauth/revoke
pub async fn revoke(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form).await?;
    let text = Secret::new(form.need("token")?);
    call.parts.identity.revoke(&call.knock(false), &asked, &text).await?;
    reply::ok(&json!({}))
}

/// POST /oauth/par
pub async fn push(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form).await?;
    // Who asks in the header field need not say so again.
    let own = |name: &str| form.may(name).or_else(|| (name == "client_id").then(|| asked.id.to_string()));
    let request = AuthorizeRequest::read(own).map_err(Fault::own)?;
    let pushed = call.parts.identity.push_request(&call.knock(false), &asked, request).await?;
    let body = json!({ "request_uri": pushed.reference.reveal(), "expires_in": pushed.lives.as_secs() });
    reply::json(StatusCode::CREATED, &body)
}

/// POST /oauth/device_authorization
pub async fn device(call: Arc<Call>) -> Result<Response, Fault> {
    let form = Form::of(&call)?;
    let asked = client(&call, &form).await?;
    let scope = form.may("scope");
    let started = call.parts.identity.start_device(&call.knock(false), &asked, scope.as_deref()).await?;
    let page = format!("{}/device", issuer(&call));
    reply::ok(&json!({
        "device_code": started.device.reveal(),
        "user_code": started.code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", started.code),
        "expires_in": started.lives.as_secs(),
        "interval": started.interval.as_secs(),
    }))
}

/// GET and POST /oauth/userinfo
pub async fn userinfo(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '));
    let bound = dpop::asked(&call.headers);
    let token = given.filter(|(scheme, _)| bound || scheme.eq_ignore_ascii_case("bearer"));
    let token = token.ok_or_else(|| Fault::own(Problem::new(&OAUTH_TOKEN)))?.1.trim();
    let token = Secret::new(token.to_owned());
    let proof = if bound { dpop::brought(&call, Some(&token)).await? } else { None };
    let found = call.parts.identity.person_claims(&call.knock(false), &token, proof.as_ref()).await?;
    let mut body = json!({ "sub": found.user });
    if let Some((name, display, updated)) = found.names {
        body["preferred_username"] = json!(name);
        body["name"] = json!(display);
        body["updated_at"] = json!(updated.secs());
    }
    if let Some(mail) = found.mail {
        body["email"] = json!(mail);
        // An administrator or a directory wrote it down; nobody has sent anything there.
        body["email_verified"] = json!(false);
    }
    reply::ok(&body)
}

/// GET /oauth/jwks, and /.well-known/sekisho/signals.json, where receivers of signals have found their keys before.
pub async fn keys(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&call.parts.identity.key_set(&call.any_cx()).await?)
}

/// GET /.well-known/oauth-authorization-server and /.well-known/openid-configuration
pub async fn metadata(call: Arc<Call>) -> Result<Response, Fault> {
    let issuer = issuer(&call);
    let at = |path: &str| format!("{issuer}{path}");
    let clients = ["client_secret_basic", "client_secret_post", "none"];
    let secrets = ["client_secret_basic", "client_secret_post"];
    let person = PersonScope::ALL.map(PersonScope::name);
    let scopes: Vec<_> = person.into_iter().chain(["offline_access"]).chain(Right::all().map(Right::name)).collect();
    reply::ok(&json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "introspection_endpoint": at("/oauth/introspect"),
        "revocation_endpoint": at("/oauth/revoke"),
        "pushed_authorization_request_endpoint": at("/oauth/par"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "end_session_endpoint": at("/oauth/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "jwks_uri": at("/oauth/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "device_authorization_endpoint": at("/oauth/device_authorization"),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", DEVICE_CODE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": clients,
        "introspection_endpoint_auth_methods_supported": secrets,
        "revocation_endpoint_auth_methods_supported": clients,
        "authorization_response_iss_parameter_supported": true,
        "require_pushed_authorization_requests": call.parts.gates.oauth(&call.arrival.policy).pushed,
        "dpop_signing_alg_values_supported": dpop::ALGORITHMS,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid",
            "preferred_username", "name", "updated_at", "email", "email_verified",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "scopes_supported": scopes,
    }))
}
