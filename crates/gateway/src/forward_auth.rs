//! The door for applications behind another reverse proxy: nginx (`auth_request`), Traefik and Caddy
//! (forward auth), Envoy (`ext_authz` over HTTP).
//!
//! Only listed addresses that present the shared secret are answered, and only here are forwarded fields believed.
//! `/auth` says yes (200), no session (401, with `Location` for a browser) or no right (403), which is all that nginx
//! understands; `/forward` answers what the proxy can hand to the browser as it is: 200, 303 or a refusal.
//! `/.sekisho/…` of an application's host must be routed here too.

use std::{net::IpAddr, sync::Arc};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use hyper::body::Incoming;
use sekisho_kernel::{Outcome, Problem, actor::Via, event};

use crate::{
    body::{Body, Upload},
    connection::Line,
    entrance, headers, host, phases, problems, proxy,
    rules::Rules,
    way::{Flow, Stop, Trail, Way},
};

/// The field in which a proxy presents the shared secret.
pub static SECRET: HeaderName = HeaderName::from_static("x-sekisho-proxy-secret");
static HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
static METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
static PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
static FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The question for proxies that only pass on a status.
const AUTH: &str = "/auth";
/// The question for proxies that hand our answer to the browser.
const FORWARD: &str = "/forward";

/// How a yes or no is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By status alone.
    Status,
    /// As an answer for the browser.
    Answer,
}

pub(crate) async fn answer(line: Arc<Line>, rules: Arc<Rules>, request: Request<Incoming>) -> Response<Body> {
    let (head, incoming) = request.into_parts();
    let upload = Upload::new(incoming, rules.max_body);
    let mut way = Way::new(line, rules, head, upload);
    way.via = Via::ForwardAuth;
    match prepare(&mut way) {
        Ok(true) => phases::run_asked(&mut way).await,
        Ok(false) => phases::run(&mut way).await,
        Err(problem) => phases::conclude(&mut way, Err(Stop::Refuse(problem))).await,
    }
}

/// Whether the connection's peer may ask, and knows the secret.
fn trusted(way: &Way) -> bool {
    let listed = way.rules.proxies.iter().any(|net| net.contains(&way.line.peer));
    let presented = headers::single(&way.head.headers, &SECRET).unwrap_or_default();
    let known = way.rules.secret.as_ref();
    listed && known.is_some_and(|s| verify_slices_are_equal(s.reveal().as_bytes(), presented.as_bytes()).is_ok())
}

/// Puts the request that the proxy speaks of in the place of the proxy's own. True for a question, false for one of
/// the door's own addresses.
fn prepare(way: &mut Way) -> Result<bool, Problem> {
    if !trusted(way) {
        return Err(Problem::new(&problems::PROXY_UNKNOWN));
    }
    let malformed = |place: &'static str| Problem::new(&problems::MALFORMED).at(place);
    let fields = &way.head.headers;
    let path = way.head.uri.path_and_query().map_or("/", |pq| pq.as_str()).to_owned();
    let own = entrance::is_own(&path);
    let (asked, rest) = match (path.strip_prefix(AUTH), path.strip_prefix(FORWARD)) {
        _ if own => (None, path.as_str()),
        (Some(rest), _) => (Some(Asked::Status), rest),
        (_, Some(rest)) => (Some(Asked::Answer), rest),
        _ => return Err(Problem::new(&sekisho_kernel::problem::NOT_FOUND)),
    };
    if way.rules.refuse_plain_http && headers::single(fields, &PROTO) != Some("https") {
        return Err(Problem::new(&problems::PLAIN_HTTP));
    }
    let text = headers::single(fields, &HOST).or_else(|| headers::single(fields, &header::HOST));
    let text = text.ok_or_else(|| malformed("x-forwarded-host"))?.to_owned();
    let authority = host::parse(&text).ok_or_else(|| malformed("x-forwarded-host"))?;
    let port = headers::single(fields, &PORT).and_then(|p| p.parse().ok());
    way.port = way.rules.public_port.or(authority.port).or(port).unwrap_or(443);
    (way.name, way.name_port) = (authority.host.into_owned(), authority.port);
    way.peer = peer(way, &way.rules)?;
    if asked.is_some() {
        let uri = headers::single(fields, &URI).map(str::to_owned);
        let uri = uri.unwrap_or_else(|| if rest.is_empty() { "/".into() } else { rest.to_owned() });
        if uri.contains('#') {
            return Err(malformed("x-forwarded-uri"));
        }
        let uri: Uri = uri.parse().map_err(|_| malformed("x-forwarded-uri"))?;
        if !uri.path().starts_with('/') {
            return Err(malformed("x-forwarded-uri"));
        }
        if let Some(method) = headers::single(fields, &METHOD) {
            way.head.method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed("x-forwarded-method"))?;
        }
        way.head.uri = Uri::from(uri.into_parts().path_and_query.ok_or_else(|| malformed("x-forwarded-uri"))?);
        way.page = crate::page::wants_page(&way.head.method, &way.head.headers);
    }
    let value = HeaderValue::try_from(text).map_err(|_| malformed("x-forwarded-host"))?;
    way.head.headers.insert(header::HOST, value);
    way.asked = asked;
    Ok(asked.is_some())
}

/// The last address that a trusted proxy has seen and that is not a trusted proxy's itself.
fn peer(way: &Way, rules: &Rules) -> Result<IpAddr, Problem> {
    let malformed = || Problem::new(&problems::MALFORMED).at("x-forwarded-for");
    let mut seen = Vec::new();
    for value in way.head.headers.get_all(&FOR) {
        for part in value.to_str().map_err(|_| malformed())?.split(',') {
            seen.push(part.trim());
        }
    }
    let mut last = None;
    for text in seen.into_iter().rev().take(16) {
        let address: IpAddr = text.parse().map_err(|_| malformed())?;
        let address = address.to_canonical();
        last = Some(address);
        if !rules.proxies.iter().any(|net| net.contains(&address)) {
            break;
        }
    }
    last.ok_or_else(malformed)
}

/// Yes: with the assertion for the application.
pub(crate) async fn allow(way: &mut Way) -> Flow {
    let own = || host::origin(&way.name, way.port).into();
    let audience = way.rules.upstream.as_ref().map_or_else(own, |u| u.audience.clone());
    if way.passage.is_none() {
        return Err(Problem::new(&problems::HOST_UNKNOWN).into());
    }
    let mut yes = Response::new(Body::empty());
    if let Some(value) = proxy::assertion(way, &audience).await? {
        yes.headers_mut().insert(headers::ASSERTION.clone(), value);
    }
    yes.headers_mut().insert(headers::TRACE.clone(), headers::trace(way.trace));
    yes.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    way.answer.set(yes);
    let detail = vec![("method", way.head.method.to_string())];
    let read = proxy::is_read(&way.head.method, &way.head.headers);
    way.trail = Some(Trail { event: &event::DOOR_PASS, outcome: Outcome::Success, detail, read });
    Ok(())
}
