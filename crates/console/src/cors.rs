//! Which pages of other sites may read our answers (the Fetch Standard's CORS protocol): those of the organisation's approved public
//! applications, and only what such a page needs to sign its person in: metadata, keys, token, claims and revocation.
//!
//! Nothing is ever let in with credentials: no cookie counts there, and no browser sends one. Whoever is no browser is not
//! stopped by this and is not meant to be; what a request may do is decided by what it proves.

use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use sekisho_kernel::{Problem, problem::FORBIDDEN};

use crate::{
    call::Call,
    problem::Fault,
    routes::{RouteInfo, routes},
};

/// Header fields that such a page may send.
const SENT: &str = "authorization, content-type, dpop";
/// Those of an answer that it may read.
const READ: &str = "dpop-nonce, www-authenticate";
/// How long a browser may remember a leave: an application that is stopped is out within minutes.
const REMEMBERED: &str = "300";
/// The longest list of header fields that is read.
const LONGEST: usize = 256;

/// The origin of a page of another site that may read this route's answers.
pub async fn admitted(call: &Call) -> Option<HeaderValue> {
    if !call.route.shared {
        return None;
    }
    let origin = alone(&call.headers, header::ORIGIN.as_str())?;
    match call.parts.identity.is_public_origin(call.arrival.host.tenant, origin.to_str().ok()?).await {
        Ok(known) => known.then(|| origin.clone()),
        Err(problem) => {
            tracing::warn!(?problem, "the origins of public applications could not be read");
            None
        }
    }
}

/// What a browser asks before it sends what a plain form could not.
pub fn preflight(call: &Call, admitted: bool) -> Result<Response, Fault> {
    let refused = || Fault::own(Problem::new(&FORBIDDEN).at("Origin"));
    let wanted = alone(&call.headers, header::ACCESS_CONTROL_REQUEST_METHOD.as_str()).and_then(|v| v.to_str().ok());
    let methods: Vec<&str> =
        routes().iter().filter(|r| r.shared && r.path == call.route.path).map(|r| r.verb.name()).collect();
    let fields: Vec<_> = call.headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter().collect();
    if !admitted || !wanted.is_some_and(|w| methods.contains(&w)) || fields.len() > 1 || !fields.iter().all(sendable) {
        return Err(refused());
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let methods = HeaderValue::try_from(methods.join(", ")).map_err(|_| refused())?;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
    Ok(response)
}

/// Whether it is a preflight of a route that has any.
pub fn is_preflight(call: &Call) -> bool {
    call.route.shared && call.method == Method::OPTIONS
}

/// Lets the page read the answer.
pub fn dress(route: &RouteInfo, admitted: Option<HeaderValue>, response: &mut Response) {
    if !route.shared {
        return;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = admitted {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
    }
}

/// A header field that is there once.
fn alone<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())
}

fn sendable(names: &&HeaderValue) -> bool {
    let Ok(text) = names.to_str() else { return false };
    text.len() <= LONGEST
        && text.split(',').all(|name| SENT.split(", ").any(|known| name.trim().eq_ignore_ascii_case(known)))
}
