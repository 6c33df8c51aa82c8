//! A request passed on to the application, and its answer brought back.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version, header};
use hyper::upgrade::OnUpgrade;
use sekisho_kernel::{Outcome, Problem, event};
use tokio::sync::oneshot;

use crate::{
    assertion::{self, Word},
    body::Body,
    connection::Line,
    cookies,
    door::{State, reached},
    headers, host, problems,
    upstream::{Tunnel, Upstream, UpstreamBody, exchange, is_websocket, open},
    watch::Watch,
    way::{Flow, Trail, Way},
};

/// Whether a request asks to leave HTTP behind.
pub(crate) fn is_upgrade(way: &Way) -> bool {
    is_websocket(&way.head.method, &way.head.headers)
}

/// Reads change nothing (RFC 9110 §9.2.1), unless the method is overridden in a field.
pub(crate) fn is_read(method: &Method, headers: &HeaderMap) -> bool {
    let safe = method == Method::GET || method == Method::HEAD || method == Method::OPTIONS;
    let overrides = ["x-http-method-override", "x-http-method", "x-method-override"];
    safe && !overrides.iter().any(|name| headers.contains_key(*name))
}

/// The assertion for this request: the kept one, or a fresh one.
pub(crate) async fn assertion(way: &Way, audience: &Arc<str>) -> Result<Option<HeaderValue>, Problem> {
    let Some(passage) = &way.passage else { return Ok(None) };
    let (door, now) = (way.door(), way.door().clock.now());
    if let Some(kept) = door.assertions.kept(passage, audience, now) {
        return Ok(Some(kept));
    }
    let missing = || Problem::new(&problems::HOST_UNKNOWN).log("the tenant has no console host");
    let console = door.parts.directory.console_host(way.host().tenant).await?.ok_or_else(missing)?;
    let issuer = host::origin(&console.host, way.port);
    let word = Word { issuer: &issuer, audience, passage };
    let value = assertion::sign(&*door.parts.signer, &word, now, &*door.parts.rng)?;
    door.assertions.keep(passage, audience, now, value.clone());
    Ok(Some(value))
}

/// Passes the request on.
pub(crate) async fn pass(way: &mut Way) -> Flow {
    let Some(upstream) = way.rules.upstream.clone() else {
        return Err(Problem::new(&problems::UPSTREAM_MISSING).into());
    };
    let websocket = is_upgrade(way);
    let read = is_read(&way.head.method, &way.head.headers) && !websocket;
    let method = way.head.method.clone();
    way.assertion = assertion(way, &upstream.audience).await?;
    let client = way.head.extensions.remove::<OnUpgrade>();
    let request = outgoing(way)?;
    let status = if websocket {
        Box::pin(open_tunnel(way, &upstream, request, client)).await?
    } else {
        through(way, &upstream, request).await?
    };
    let detail = vec![("method", method.to_string()), ("status", status.to_string())];
    way.trail = Some(Trail { event: &event::DOOR_PASS, outcome: Outcome::Success, detail, read });
    Ok(())
}

async fn through(
    way: &mut Way,
    upstream: &Arc<Upstream>,
    request: Request<crate::body::Upload>,
) -> Result<u16, Problem> {
    let stream = way.rules.is_stream(way.path());
    let egress = &*way.line.door.parts.egress;
    let (answer, lane) = exchange(upstream, egress, &way.rules, request).await.map_err(|f| f.problem())?;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Problem::new(&problems::UPSTREAM_BROKE).log("101 to a request that asked for no upgrade"));
    }
    let (mut head, incoming) = answer.into_parts();
    let events = head.headers.get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/event-stream"));
    let pause = (!stream && !events).then_some(way.rules.upstream_timeout);
    let mut body = UpstreamBody::new(incoming, Some((lane, upstream.clone())), pause);
    if (stream || events)
        && let Some(watch) = Watch::of(way)
    {
        let (alive, over) = oneshot::channel::<()>();
        body.end_with(over);
        tokio::spawn(watch.hold(alive));
    }
    head.version = Version::default();
    let status = head.status.as_u16();
    way.answer.set(http::Response::from_parts(head, Body::Upstream(body)));
    Ok(status)
}

async fn open_tunnel(
    way: &mut Way,
    upstream: &Arc<Upstream>,
    request: Request<crate::body::Upload>,
    client: Option<OnUpgrade>,
) -> Result<u16, Problem> {
    let Some(client) = client else { return Err(Problem::new(&problems::SWITCH_REFUSED)) };
    let egress = &*way.line.door.parts.egress;
    let (answer, tunnel) = open(upstream, egress, &way.rules, request).await.map_err(|f| f.problem())?;
    let (mut head, incoming) = answer.into_parts();
    if let Some(tunnel) = tunnel {
        let watch = Watch::of(way);
        tokio::spawn(carry(tunnel, client, watch, way.line.clone()));
    }
    head.version = Version::default();
    let status = head.status.as_u16();
    let body = UpstreamBody::new(incoming, None, Some(way.rules.upstream_timeout));
    way.answer.set(http::Response::from_parts(head, Body::Upstream(body)));
    Ok(status)
}

async fn carry(tunnel: Tunnel, client: OnUpgrade, watch: Option<Watch>, line: Arc<Line>) {
    let mut closing = line.door.state.clone();
    let over = async {
        let ended = async {
            match watch {
                Some(watch) => watch.until_over().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = ended => {}
            () = reached(&mut closing, State::Closing) => {}
        }
    };
    tunnel.carry(client, over).await;
}

/// Fields that the door adds to a request.
const FIELDS: usize = 8;

/// The request as the application gets it: without our cookies and without anybody's word about where it comes from
/// but ours.
fn outgoing(way: &mut Way) -> Result<Request<crate::body::Upload>, Problem> {
    let malformed = || Problem::new(&problems::MALFORMED).at("path");
    let uri = Uri::from(way.head.uri.path_and_query().cloned().ok_or_else(malformed)?);
    let method = way.head.method.clone();
    let mut fields = std::mem::take(&mut way.head.headers);
    // What the phases that follow still read.
    if let Some(lang) = fields.get(header::ACCEPT_LANGUAGE) {
        way.head.headers.insert(header::ACCEPT_LANGUAGE, lang.clone());
    }
    let authority = match (fields.get(header::HOST), way.head.uri.authority()) {
        (Some(field), _) => field.clone(),
        (None, Some(a)) => HeaderValue::from_str(a.as_str()).map_err(|_| malformed())?,
        (None, None) => return Err(malformed()),
    };
    headers::clean_request(&mut fields);
    cookies::strip_request(&mut fields);
    fields.reserve(FIELDS);
    let forwarded = way.line.forwarded(&authority);
    let port = way.line.port_field(way.port);
    headers::set_forwarded(&mut fields, &way.line.peer_field, &authority, port, forwarded);
    fields.insert(header::HOST, authority);
    if let Some(value) = &way.assertion {
        fields.insert(headers::ASSERTION.clone(), value.clone());
    }
    fields.insert(headers::TRACE.clone(), headers::trace(way.trace));
    let upload = way.upload.take().unwrap_or_else(|| crate::body::Upload::held(""));
    let mut request = Request::new(upload);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = fields;
    Ok(request)
}
