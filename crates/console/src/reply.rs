//! Answers: JSON with its version, problems, redirects.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sekisho_kernel::problem::Category;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{call::Call, dpop, page, problem::Fault, routes::Surface, serve::defect};

/// JSON under a status.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<Response, Fault> {
    let bytes = serde_json::to_vec(value).map_err(defect)?;
    Ok((status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], bytes).into_response())
}

/// 200 with JSON.
pub fn ok<T: Serialize>(value: &T) -> Result<Response, Fault> {
    json(StatusCode::OK, value)
}

/// A record with its `ETag`.
pub fn record<T: Serialize>(status: StatusCode, version: i64, value: &T) -> Result<Response, Fault> {
    let mut response = json(status, value)?;
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A list in the API's form.
pub fn list<T: Serialize>(items: &[T], next: Option<&str>) -> Result<Response, Fault> {
    ok(&json!({ "items": items, "next": next }))
}

/// 204.
pub fn nothing() -> Result<Response, Fault> {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 303 to an address of our own, or of a host that the directory knows.
pub fn see(to: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(to) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// HTML under a status.
pub fn html(status: StatusCode, text: String) -> Response {
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], Body::from(text)).into_response()
}

/// The status of a category.
pub fn status(category: Category) -> StatusCode {
    StatusCode::from_u16(category.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The problem as this route's readers are told it: RFC 9457 JSON, or a page.
pub fn problem(call: &Call, fault: &Fault) -> Response {
    let problem = &fault.problem;
    let mut response = match call.route.surface {
        Surface::Api => {
            let body = problem_json(call, fault).to_string();
            let kind = HeaderValue::from_static("application/problem+json");
            (status(problem.kind.category), [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        Surface::Oauth => oauth_error(problem, call.route.path == "/oauth/userinfo"),
        Surface::Scim => {
            let (status, body) = scim_error(call.lang, problem);
            let kind = HeaderValue::from_static("application/scim+json");
            (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
        }
        Surface::Page | Surface::File | Surface::Saml => page::error::render(call, fault),
    };
    let headers = response.headers_mut();
    if let Some(wait) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    if problem.kind.category == Category::Unauthenticated && matches!(call.route.surface, Surface::Api | Surface::Scim)
    {
        let wanted = match problem.kind.name {
            "oauth-invalid-dpop-proof" => DPOP_PROOF_WANTED,
            "oauth-use-dpop-nonce" => DPOP_NONCE_WANTED,
            _ if dpop::asked(&call.headers) => "DPoP error=\"invalid_token\", algs=\"ES256 EdDSA PS256 RS256\"",
            _ => "Bearer",
        };
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(wanted));
    }
    response
}

/// RFC 9449 §7.1 and §9.
const DPOP_PROOF_WANTED: &str = "DPoP error=\"invalid_dpop_proof\", algs=\"ES256 EdDSA PS256 RS256\"";
const DPOP_NONCE_WANTED: &str = "DPoP error=\"use_dpop_nonce\", algs=\"ES256 EdDSA PS256 RS256\"";

/// An error as OAuth 2.1 §3.2.4 writes it. A proof that is not taken is a wrong request to us who issue tokens, and no
/// way in where a token is used.
fn oauth_error(problem: &sekisho_kernel::Problem, resource: bool) -> Response {
    let kind = problem.kind;
    let word = match kind.name.strip_prefix("oauth-") {
        Some(word) => word.replace('-', "_"),
        None if kind.category == Category::Unavailable => "temporarily_unavailable".into(),
        None if kind.category == Category::Internal => "server_error".into(),
        None => "invalid_request".into(),
    };
    let body = json!({ "error": word, "error_description": kind.title.get(sekisho_kernel::Lang::En) }).to_string();
    let json = HeaderValue::from_static("application/json");
    let proof = matches!(kind.name, "oauth-invalid-dpop-proof" | "oauth-use-dpop-nonce") && !resource;
    let status = if proof { StatusCode::BAD_REQUEST } else { status(kind.category) };
    let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
    // RFC 6750 §3 where a token was wanted, RFC 6749 §5.2 where the application's own name was.
    let wanted = match kind.name {
        "oauth-invalid-token" => Some("Bearer error=\"invalid_token\""),
        "oauth-insufficient-scope" => Some("Bearer error=\"insufficient_scope\", scope=\"openid\""),
        "oauth-invalid-dpop-proof" => Some(DPOP_PROOF_WANTED).filter(|_| resource),
        "oauth-use-dpop-nonce" => Some(DPOP_NONCE_WANTED).filter(|_| resource),
        _ if kind.category == Category::Unauthenticated => Some("Basic realm=\"oauth\""),
        _ => None,
    };
    if let Some(wanted) = wanted {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(wanted));
    }
    response
}

/// An error as RFC 7644 §3.12 writes it.
pub fn scim_error(lang: sekisho_kernel::Lang, problem: &sekisho_kernel::Problem) -> (StatusCode, Value) {
    let kind = problem.kind;
    let status = match kind.name {
        "scim-version" => StatusCode::PRECONDITION_FAILED,
        "scim-method" => StatusCode::METHOD_NOT_ALLOWED,
        "scim-not-implemented" => StatusCode::NOT_IMPLEMENTED,
        _ => status(kind.category),
    };
    let word = match kind.name {
        "scim-invalid-syntax" | "malformed" => Some("invalidSyntax"),
        "scim-invalid-filter" => Some("invalidFilter"),
        "scim-invalid-path" => Some("invalidPath"),
        "scim-no-target" => Some("noTarget"),
        "scim-invalid-value" | "invalid" => Some("invalidValue"),
        "scim-mutability" => Some("mutability"),
        "scim-too-many" => Some("tooMany"),
        "name-taken" | "subject-taken" => Some("uniqueness"),
        _ => None,
    };
    let mut out = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.as_u16().to_string(),
        "detail": format!("{} [{}]", problem.message(lang), kind.code),
    });
    if let Some(word) = word {
        out["scimType"] = json!(word);
    }
    (status, out)
}

/// RFC 9457 §3 with our extensions.
pub fn problem_json(call: &Call, fault: &Fault) -> Value {
    let problem = &fault.problem;
    let lang = call.lang;
    let title = problem.kind.title.get(lang);
    let detail = problem.detail.as_ref().map_or(title, |d| d.get(lang));
    let mut out = json!({
        "type": format!("urn:sekisho:problem:{}", problem.kind.name),
        "title": title,
        "status": problem.kind.category.status(),
        "detail": detail,
        "code": problem.kind.code,
        "trace": call.arrival.trace.to_string(),
        "remedy": problem.kind.remedy.get(lang),
    });
    if let Value::Object(map) = &mut out {
        if let Some(place) = &problem.place {
            map.insert("place".into(), json!(place));
        }
        if let Some(wait) = problem.retry_after {
            map.insert("retry_after".into(), json!(wait.as_secs().max(1)));
        }
        if fault.fields.len() > 1 {
            let errors: Vec<_> =
                fault.fields.iter().map(|f| json!({ "place": f.field, "detail": f.says.get(lang) })).collect();
            map.insert("errors".into(), json!(errors));
        }
    }
    out
}
