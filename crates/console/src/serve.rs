//! From the request to the handler and back: the same steps for every route, in this order.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use sekisho_identity::{is_token, problems::DPOP_NONCE};
use sekisho_kernel::{
    Lang, Outcome, Problem, Secret, Zone, event,
    hook::{Arrival, origin},
    problem::{Category, FORBIDDEN, INTERNAL, NOT_FOUND, TERMS_DUE, UNAUTHENTICATED},
};

use crate::{
    call::Call,
    cookie, cors, dpop, guard, idempotency, page,
    parts::Parts,
    problem::{FORGED, Fault, MALFORMED, SCIM_METHOD, SCIM_TOO_LARGE, TOO_LARGE},
    reply,
    routes::{Access, RouteInfo, Surface, UNKNOWN},
};

type Params = Result<RawPathParams, RawPathParamsRejection>;

/// The largest body, in bytes, unless the route says more.
pub const MAX_BODY: usize = 64 * 1024;
/// The same where a body holds a document.
pub const LARGE_BODY: usize = 512 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Runs one route.
pub async fn run(
    route: &'static RouteInfo,
    State(parts): State<Parts>,
    params: Option<RawPathParams>,
    request: Request,
) -> Response {
    let Some(arrival) = request.extensions().get::<Arrival>().cloned() else {
        // Only a wiring that leaves the door out gets here; there is no tenant, so there is no log to enter it in.
        tracing::error!(route = route.name, "a request without the door's arrival");
        return dressed(route, None, StatusCode::INTERNAL_SERVER_ERROR.into_response());
    };
    let params = params.iter().flatten().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let (head, body) = request.into_parts();
    let (lang, zone, zone_fixed) = reader(&parts, route, &arrival, &head.headers);
    let form_token = match cookie::get(&head.headers, cookie::FORM) {
        Some(value) => (value.to_owned(), false),
        None => (hex::encode(sekisho_kernel::rng::bytes::<16>(&*parts.rng)), true),
    };
    let mut call = Call {
        route,
        arrival,
        lang,
        zone,
        zone_fixed,
        method: head.method,
        uri: head.uri,
        params,
        body: axum::body::Bytes::new(),
        token: token(route, &head.headers),
        passage: None,
        form_token,
        holds: None,
        now: parts.clock.now(),
        headers: head.headers,
        parts,
    };
    let admitted = cors::admitted(&call).await;
    let answer = match read(route, body).await {
        Ok(_) if cors::is_preflight(&call) => match cors::preflight(&call, admitted.is_some()) {
            Ok(leave) => leave,
            Err(fault) => refused(&call, fault).await,
        },
        Ok(bytes) => {
            call.body = bytes;
            match admit(&mut call).await {
                Ok(()) => handle(call).await,
                Err(fault) => refused(&call, fault).await,
            }
        }
        Err(fault) => refused(&call, fault).await,
    };
    let mut answer = dressed(route, Some(lang), answer);
    cors::dress(route, admitted, &mut answer);
    answer
}

async fn handle(mut call: Call) -> Response {
    let replayable = match idempotency::replay(&call).await {
        Ok(idempotency::State::Answer(response)) => return response,
        Ok(idempotency::State::Fresh(slot)) => slot,
        Err(fault) => return refused(&call, fault).await,
    };
    if let Some(slot) = &replayable {
        call.act_once(slot.0);
    }
    let call = Arc::new(call);
    let answer = (call.route.handler)(Arc::clone(&call)).await;
    let answer = match (answer, replayable) {
        (Ok(response), Some(slot)) => slot.keep(&call, response).await,
        (Err(fault), Some(slot)) => {
            slot.forget(&call).await;
            Err(fault)
        }
        (other, _) => other,
    };
    match answer {
        Ok(mut response) => {
            if call.form_token.1 && call.route.surface == Surface::Page && call.passage.is_none() {
                let made = cookie::set(cookie::FORM, &call.form_token.0, cookie::Life::Browser);
                response.headers_mut().extend(made.map(|v| (header::SET_COOKIE, v)));
            }
            response
        }
        Err(fault) => refused(&call, fault).await,
    }
}

/// Session, origin and forgery, before any handler runs.
async fn admit(call: &mut Call) -> Result<(), Fault> {
    let route = call.route;
    let mutating = route.verb.mutates();
    let bearer = call.headers.contains_key(header::AUTHORIZATION) && programs(route);
    let proof = if bearer && dpop::asked(&call.headers) { Some(dpop::shown(call).await?) } else { None };
    if matches!(route.surface, Surface::Oauth | Surface::Saml) {
        // Applications prove who they are in the request itself, providers by their signature; no session's cookie counts, so
        // nobody can be made to send it. Other sites' pages are where SAML's forms come from.
        return if mutating { content_type(route, &call.headers, &call.body) } else { Ok(()) };
    }
    if mutating {
        let browser_only = route.surface == Surface::Page;
        guard::same_origin(&call.headers, &call.arrival.host.host, call.arrival.port, browser_only)?;
        content_type(route, &call.headers, &call.body)?;
    }
    // An API token comes in its own header field, never in a cookie that a browser would send along.
    if !bearer && call.token.as_ref().is_some_and(|t| is_token(t.reveal())) {
        call.token = None;
    }
    if let (true, Some(token)) = (route.access != Access::Public || route.surface == Surface::Page, call.token.clone())
    {
        let knock = call.knock(route.activity);
        match call.parts.sessions.resolve(&knock, &token).await {
            Ok(passage) if passage.cx.tenant == call.arrival.host.tenant => {
                // Only a proof that opened something is written down: nobody fills the store with others.
                if let Some(proof) = &proof {
                    call.parts.identity.use_proof(&passage.cx, proof).await.map_err(Fault::own)?;
                }
                call.passage = Some(passage);
            }
            Ok(_) => {}
            Err(problem) if problem.kind.category == Category::Unauthenticated => {}
            Err(problem) => return Err(Fault::own(problem)),
        }
    }
    if route.access != Access::Public && call.passage.is_none() {
        return Err(Fault::own(Problem::new(&UNAUTHENTICATED)));
    }
    // A token's scope are rights; what belongs to the person alone is done by the person.
    let by_token = call.token.as_ref().is_some_and(|t| is_token(t.reveal()));
    if by_token && route.access == Access::Own && route.name != "readMe" {
        return Err(Fault::own(Problem::new(&FORBIDDEN).log("an API token on one's own account")));
    }
    if route.access != Access::Public && !route.before_terms && call.passage.as_ref().is_some_and(|p| p.terms_due) {
        return Err(Fault::own(Problem::new(&TERMS_DUE)));
    }
    if mutating && !bearer {
        forgery(call)?;
    }
    Ok(())
}

/// Whether programs call it, by a bearer token.
const fn programs(route: &RouteInfo) -> bool {
    matches!(route.surface, Surface::Api | Surface::Scim)
}

/// The CSRF value: against the session's token where somebody is signed in, else, on pages, against the form cookie.
fn forgery(call: &Call) -> Result<(), Fault> {
    let given = match call.route.surface {
        Surface::Api | Surface::Scim => {
            call.headers.get("x-csrf-token").and_then(|v| v.to_str().ok()).unwrap_or("").to_owned()
        }
        Surface::Page | Surface::File | Surface::Oauth | Surface::Saml => call.field("csrf"),
    };
    let sound = match (&call.token, &call.passage, call.route.surface) {
        (Some(token), Some(_), _) => guard::csrf_matches(token.reveal(), &given),
        // Without a session there is no cookie to abuse; the API wants JSON, which no form can send.
        (_, None, Surface::Api) => true,
        _ => !call.form_token.1 && guard::csrf_matches(&call.form_token.0, &given),
    };
    if sound { Ok(()) } else { Err(Fault::own(Problem::new(&FORGED).log("the CSRF value is missing or wrong"))) }
}

fn content_type(route: &RouteInfo, headers: &HeaderMap, body: &[u8]) -> Result<(), Fault> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let fits = match route.surface {
        Surface::Api => kind == "application/json" || (body.is_empty() && kind.is_empty()),
        Surface::Scim => {
            matches!(kind.as_str(), "application/scim+json" | "application/json")
                || (body.is_empty() && kind.is_empty())
        }
        // What is asked by header fields alone has no body.
        Surface::Oauth if body.is_empty() && kind.is_empty() => true,
        Surface::Page | Surface::File | Surface::Oauth | Surface::Saml => kind == "application/x-www-form-urlencoded",
    };
    if fits { Ok(()) } else { Err(Fault::own(Problem::new(&MALFORMED).at("Content-Type"))) }
}

fn token(route: &RouteInfo, headers: &HeaderMap) -> Option<Secret<String>> {
    if matches!(route.surface, Surface::Oauth | Surface::Saml) {
        return None;
    }
    if programs(route)
        && let Some(value) = headers.get(header::AUTHORIZATION)
    {
        let text = value.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case(dpop::SCHEME);
        return known.then(|| Secret::new(token.trim().to_owned()));
    }
    // A cookie that a browser sends along provisions nobody.
    if route.surface == Surface::Scim {
        return None;
    }
    cookie::get(headers, cookie::SESSION).map(|t| Secret::new(t.to_owned()))
}

/// Language and zone of whoever reads the answer.
fn reader(parts: &Parts, route: &RouteInfo, arrival: &Arrival, headers: &HeaderMap) -> (Lang, Zone, bool) {
    let chosen = cookie::get(headers, cookie::LANG).and_then(Lang::from_tag).filter(|_| !programs(route));
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
    let lang = chosen.unwrap_or_else(|| Lang::negotiate(asked));
    let fixed = parts.gates.audit(&arrival.policy).zone;
    let zone_fixed = fixed.is_some();
    let zone = fixed.unwrap_or_else(|| {
        let told =
            headers.get("time-zone").and_then(|v| v.to_str().ok()).or_else(|| cookie::get(headers, cookie::ZONE));
        told.and_then(Zone::parse).unwrap_or_else(Zone::utc)
    });
    (lang, zone, zone_fixed)
}

async fn read(route: &RouteInfo, body: Body) -> Result<axum::body::Bytes, Fault> {
    // Bulk requests and large groups are longer than what people send.
    let too_large = if route.surface == Surface::Scim { &SCIM_TOO_LARGE } else { &TOO_LARGE };
    match tokio::time::timeout(BODY_TIME, Limited::new(body, route.most).collect()).await {
        Ok(Ok(all)) => Ok(all.to_bytes()),
        Ok(Err(e)) if e.is::<http_body_util::LengthLimitError>() => Err(Fault::own(Problem::new(too_large))),
        Ok(Err(e)) => Err(Fault::own(Problem::new(&MALFORMED).log(e))),
        Err(_) => Err(Fault::own(Problem::new(&MALFORMED).log("the body took too long"))),
    }
}

/// Tells the person, and enters the refusal or failure where no engine has.
async fn refused(call: &Call, mut fault: Fault) -> Response {
    let problem = &fault.problem;
    if let Some(cause) = problem.log_text() {
        tracing::warn!(trace = %call.arrival.trace, code = problem.kind.code, route = call.route.name, cause, "refused");
    }
    let to_sign_in =
        call.route.surface == Surface::Page && problem.is(&UNAUTHENTICATED) && call.route.access != Access::Public;
    let to_terms = call.route.surface == Surface::Page && problem.is(&TERMS_DUE);
    // A first visit is sent to the sign-in page, and on to the terms: nothing was asked for that could be refused.
    let first_visit = (to_terms || to_sign_in && call.token.is_none()) && !call.route.verb.mutates();
    if !fault.entered && !first_visit {
        let event = call.route.event.unwrap_or(&event::ROUTE_REFUSE);
        let outcome = match problem.kind.category {
            Category::Forbidden | Category::Unauthenticated | Category::TooMany => Outcome::Refused,
            _ if call.route.event.is_none() => Outcome::Refused,
            _ => Outcome::Failed,
        };
        let mut detail = vec![("code", problem.kind.code.to_owned())];
        detail.extend(problem.place.as_ref().map(|p| ("place", p.chars().take(128).collect())));
        let entered = call.parts.vault.enter(&call.any_cx(), event, outcome, call.uri.path(), detail).await;
        if let Err(broken) = entered {
            tracing::error!(trace = %call.arrival.trace, cause = ?broken, "an entry could not be written");
            return reply::problem(call, &Fault::own(broken));
        }
    }
    // The browser still shows a session that has ended, here or elsewhere: what it kept goes too.
    let ended = problem.is(&UNAUTHENTICATED) && cookie::get(&call.headers, cookie::SESSION).is_some();
    let silent = match (to_sign_in || to_terms) && call.route.name == "authorizePage" {
        true => page::authorize::silently(call, problem.kind).await,
        false => None,
    };
    let nonce = match problem.is(&DPOP_NONCE) {
        true => call.parts.identity.dpop_nonce(&call.knock(false)).await.ok(),
        false => None,
    };
    let mut response = match fault.page.take() {
        _ if silent.is_some() => silent.unwrap_or_default(),
        _ if to_sign_in => page::sign_in::redirect(call, "/sign-in"),
        _ if to_terms => page::sign_in::redirect(call, "/terms"),
        Some(page) => page,
        None => reply::problem(call, &fault),
    };
    if let Some(nonce) = nonce.and_then(|n| HeaderValue::try_from(n).ok()) {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    if ended && call.passage.is_none() {
        cookie::wipe(response.headers_mut());
    }
    response
}

/// Every address that no route has: refused, and entered.
pub async fn unknown(state: State<Parts>, request: Request) -> Response {
    let path = request.uri().path();
    let route = match path {
        _ if path.starts_with("/api/") => &UNKNOWN[0],
        _ if path.starts_with("/scim/") => &UNKNOWN[2],
        _ => &UNKNOWN[1],
    };
    run(route, state, None, request).await
}

/// The handler of [`unknown`].
pub async fn nothing_here(call: Arc<Call>) -> Result<Response, Fault> {
    let path = call.uri.path();
    let alike = |known: &str| {
        known.split('/').count() == path.split('/').count()
            && known.split('/').zip(path.split('/')).all(|(k, p)| k.starts_with('{') || k == p)
    };
    // RFC 7644 §4: discovery takes GET alone, and says so.
    let scim = call.route.surface == Surface::Scim
        && crate::routes::routes().iter().any(|r| r.surface == Surface::Scim && alike(r.path));
    Err(Fault::own(Problem::new(if scim { &SCIM_METHOD } else { &NOT_FOUND })))
}

const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The one address of another site to which a page of ours may post its form.
#[derive(Clone, Debug)]
pub struct PostsTo(pub String);

/// The headers of every answer.
fn dressed(route: &RouteInfo, lang: Option<Lang>, mut response: Response) -> Response {
    let file = route.surface == Surface::File;
    let posts_to = response.extensions_mut().remove::<PostsTo>().map(|PostsTo(to)| to);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    // `same-origin`, not `no-referrer`: under the latter browsers send `Origin: null` with our own forms.
    set("referrer-policy", "same-origin");
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "DENY");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    set("cache-control", if file { "public, max-age=300, must-revalidate" } else { "no-store" });
    if !file {
        set("vary", "Accept-Language, Cookie, Authorization");
    }
    let posts = posts_to.as_deref().and_then(origin);
    let policy =
        posts.and_then(|to| CSP.replacen("form-action 'self'", &format!("form-action 'self' {to}"), 1).parse().ok());
    headers.insert("content-security-policy", policy.unwrap_or(HeaderValue::from_static(CSP)));
    if let (Some(lang), false) = (lang, file) {
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    }
    response
}

/// The axum router of the whole list.
pub fn router(parts: Parts) -> axum::Router {
    use axum::routing::{MethodFilter, MethodRouter, on};
    let mut paths: Vec<(&'static str, MethodRouter<Parts>)> = Vec::new();
    for route in crate::routes::routes() {
        // What is shared is asked for beforehand; of several routes at one path, the first answers for all.
        let asked = route.shared && !paths.iter().any(|(path, _)| *path == route.path);
        let filter = if asked { route.verb.filter().or(MethodFilter::OPTIONS) } else { route.verb.filter() };
        let served = on(filter, move |state: State<Parts>, params: Params, request: Request| {
            run(route, state, params.ok(), request)
        });
        match paths.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, router)) => *router = std::mem::take(router).merge(served),
            None => paths.push((route.path, served)),
        }
    }
    let mut router = axum::Router::new();
    for (path, served) in paths {
        router = router.route(path, served.fallback(unknown));
    }
    router.fallback(unknown).with_state(parts)
}

/// A defect of ours, before anything was asked.
pub fn defect(why: impl std::fmt::Display) -> Fault {
    Fault::own(Problem::new(&INTERNAL).log(why))
}
