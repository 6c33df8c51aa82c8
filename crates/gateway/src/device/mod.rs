//! What pages keep on a device: the module that seals it, and the key, which a living session alone is given.

use http::{HeaderValue, Method, Response, StatusCode, header};
use sekisho_kernel::{Category, Problem, Secret, gate::Decision, problem};

use crate::{
    body::Body,
    cookies, entrance,
    phases::may_use,
    problems,
    way::{Stop, Way},
};

/// Where pages import the module from.
pub(crate) const MODULE: &str = "/.sekisho/device.js";
/// Where the module asks for the key (`POST`), and whether the session lives (`HEAD`).
pub(crate) const KEY: &str = "/.sekisho/device-key";

const SCRIPT: &str = include_str!("device.js");

/// The module. It is nobody's secret and the same for everybody.
pub(crate) fn module() -> Response<Body> {
    let mut answer = Response::new(Body::text(SCRIPT.to_owned()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    guard(headers);
    answer
}

fn guard(headers: &mut http::HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
}

/// The session's key for this host: 32 bytes. Only a page of this host may ask, and asking prolongs no session. A browser
/// whose session is over is told to wipe what it keeps.
pub(crate) async fn key(way: &mut Way) -> Result<Response<Body>, Stop> {
    if !entrance::same_origin(way) {
        return Err(Problem::new(&problems::CROSS_SITE).into());
    }
    let nobody = || Problem::new(&problem::UNAUTHENTICATED);
    let token = cookies::find(&way.head.headers, cookies::SESSION).ok_or_else(nobody)?;
    let token = Secret::new(token.to_owned());
    let sessions = way.door().parts.sessions.clone();
    let found = sessions.resolve(&way.knock(false), &token).await;
    way.over = matches!(&found, Err(problem) if problem.kind.category == Category::Unauthenticated);
    let passage = found?;
    if let Decision::Refuse(kind) = may_use(&*way.door().parts.gates, &passage, way.host()) {
        return Err(Problem::new(kind).into());
    }
    let mut answer = if way.head.method == Method::POST {
        let key = sessions.device_key(&passage, way.host()).await;
        way.over = matches!(&key, Err(problem) if problem.kind.category == Category::Unauthenticated);
        let mut answer = Response::new(Body::Made(Some(key?.reveal().clone().into())));
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        answer
    } else {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer
    };
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard(answer.headers_mut());
    Ok(answer)
}
