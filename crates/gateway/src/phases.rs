//! The phases of a request, in the order in which they run. Each is one function with one signature; this file is the
//! one place that says which come, and in what order.

use std::sync::Arc;

use http::{Method, Response, header};
use sekisho_kernel::{
    Actor, Outcome, Problem, Right, Secret, Target,
    access::AccessQuestion,
    actor::Via,
    event,
    gate::{Decision, Gates},
    hook::{Arrival, HostEntry, HostKind, Passage},
    problem,
};

use crate::{
    activity,
    body::Body,
    cookies, entrance,
    firewall::phase,
    forward_auth, headers, host, page, problems, proxy,
    reads::route,
    request_line::Lost,
    way::{Flow, Inside, Stop, Trail, Way},
};

/// A request at the door, from its head to its handler. After TLS and connection limits, before [`outward`].
async fn inward(way: &mut Way) -> Flow {
    limits(way).await?;
    tenant(way).await?;
    address(way).await?;
    if phase::watches(way) {
        Box::pin(phase::head(way)).await?;
    }
    session(way).await?;
    right(way).await?;
    body(way).await?;
    if way.firewall.is_some() {
        Box::pin(phase::body(way)).await?;
    }
    handler(way).await
}

/// A reverse proxy's question whether a request may pass: the same phases, without bodies.
async fn inward_asked(way: &mut Way) -> Flow {
    tenant(way).await?;
    address(way).await?;
    if phase::watches(way) {
        Box::pin(phase::head(way)).await?;
    }
    session(way).await?;
    right(way).await?;
    forward_auth::allow(way).await
}

/// An answer on its way out, whoever made it.
async fn outward(way: &mut Way) -> Flow {
    if way.firewall.is_some() {
        Box::pin(answered(way)).await;
    }
    response(way).await?;
    ledger(way).await
}

/// The firewall's look at an answer. What it withholds leaves as a refusal, with the same care as every other.
async fn answered(way: &mut Way) {
    let flow = phase::answer(way).await;
    way.firewall = None;
    stopped(way, flow);
}

/// Runs a request through every phase.
pub(crate) async fn run(way: &mut Way) -> Response<Body> {
    let flow = inward(way).await;
    conclude(way, flow).await
}

/// The first phases alone: whether the host is one of ours. For plain HTTP, which is never let further in.
pub(crate) async fn known_host(way: &mut Way) -> Flow {
    limits(way).await?;
    tenant(way).await
}

/// Runs a reverse proxy's question through its phases.
pub(crate) async fn run_asked(way: &mut Way) -> Response<Body> {
    let flow = inward_asked(way).await;
    conclude(way, flow).await
}

/// Turns whatever came of a request into its answer. An answer that could not be entered does not leave.
pub(crate) async fn conclude(way: &mut Way, flow: Flow) -> Response<Body> {
    stopped(way, flow);
    let flow = outward(way).await;
    stopped(way, flow);
    way.answer.take().unwrap_or_else(|| refused(way, &Problem::new(&problem::INTERNAL)))
}

fn refused(way: &Way, problem: &Problem) -> Response<Body> {
    page::refusal(problem, way.trace, page::lang(&way.head.headers), way.page)
}

fn stopped(way: &mut Way, flow: Flow) {
    match flow {
        Ok(()) => {}
        Err(Stop::Elsewhere(answer)) => way.answer.set(*answer),
        Err(Stop::Refuse(problem)) => {
            if let Some(log) = problem.log_text() {
                tracing::warn!(code = problem.kind.code, trace = %way.trace, "{log}");
            }
            let answer = refused(way, &problem);
            if way.trail.is_none() {
                way.trail = Some(trail_of(way, &problem, &answer));
            }
            way.answer.set(answer);
        }
    }
}

fn trail_of(way: &Way, problem: &Problem, answer: &Response<Body>) -> Trail {
    let ours = [&problems::UPSTREAM_UNREACHABLE, &problems::UPSTREAM_TIMEOUT, &problems::UPSTREAM_BROKE];
    let failed = ours.iter().any(|kind| problem.is(kind)) || answer.status().is_server_error();
    let (event, outcome) = match (failed, way.inside) {
        (true, Inside::Application) => (&event::DOOR_FAIL, Outcome::Failed),
        (true, _) => (&event::ROUTE_REFUSE, Outcome::Failed),
        (false, Inside::Application) => (&event::DOOR_REFUSE, Outcome::Refused),
        (false, _) => (&event::ROUTE_REFUSE, Outcome::Refused),
    };
    let detail = vec![
        ("method", way.head.method.to_string()),
        ("status", answer.status().as_u16().to_string()),
        ("code", problem.kind.code.to_owned()),
    ];
    Trail { event, outcome, detail, read: false }
}

/// Parse and size limits: a method we carry, one host name, a plain path. (Sizes and counts of header fields were
/// held to their limits while they were read.)
async fn limits(way: &mut Way) -> Flow {
    let malformed = || Problem::new(&problems::MALFORMED);
    if way.head.method == Method::CONNECT || way.head.method == Method::TRACE {
        return Err(Problem::new(&problems::METHOD_REFUSED).into());
    }
    if way.lost == Lost::Fragment || !way.path().starts_with('/') {
        return Err(malformed().at("path").into());
    }
    if way.head.headers.get_all(header::CONTENT_TYPE).iter().nth(1).is_some() {
        // One body has one type (RFC 9110 §8.3): whoever sends two hopes that somebody behind reads the other one.
        return Err(malformed().at("content-type").into());
    }
    let mut fields = way.head.headers.get_all(header::HOST).iter();
    let field = fields.next().map(|f| f.to_str()).transpose().map_err(|_| malformed().at("host"))?;
    if fields.next().is_some() {
        return Err(malformed().at("host").into());
    }
    let text = match (way.head.uri.authority(), field) {
        (Some(a), Some(field)) if !a.as_str().eq_ignore_ascii_case(field) => {
            return Err(malformed().at("host").into());
        }
        (Some(a), _) => a.as_str(),
        (None, Some(field)) => field,
        (None, None) => return Err(malformed().at("host").into()),
    };
    let authority = host::parse(text).ok_or_else(|| malformed().at("host"))?;
    (way.name, way.name_port) = (authority.host.into_owned(), authority.port);
    Ok(())
}

/// The tenant, by the host name. The name of the handshake and the name of the request must be one.
async fn tenant(way: &mut Way) -> Flow {
    let unknown = || Stop::Refuse(Problem::new(&problems::HOST_UNKNOWN));
    if way.line.sni.as_deref().is_some_and(|sni| sni != way.name) {
        return Err(unknown());
    }
    let directory = &way.line.door.parts.directory;
    let entry = directory.host(&way.name).await?.ok_or_else(unknown)?;
    let policy = directory.effective(entry.tenant).await?;
    way.rules = way.door().rules.at(&policy.platform);
    way.tenant = Some(way.door().rules.tenant(entry.tenant, &policy));
    way.policy = Some(policy);
    way.inside = match entry.kind {
        HostKind::Console => Inside::Pages,
        HostKind::Application if entrance::is_own(way.path()) => Inside::Own,
        HostKind::Application => Inside::Application,
    };
    if way.via == Via::Door && entry.kind == HostKind::Console {
        way.via = match way.path() {
            path if path.starts_with("/api/") => Via::Api,
            path if path.starts_with("/scim/") => Via::Scim,
            _ => Via::Console,
        };
    }
    way.host = Some(entry);
    Ok(())
}

/// The address rules of platform and tenant.
async fn address(way: &mut Way) -> Flow {
    let lists = way.door().parts.directory.addresses(way.host().tenant).await?;
    let Decision::Refuse(kind) = way.door().parts.gates.address(&lists, way.peer) else { return Ok(()) };
    let problem = Problem::new(kind);
    let detail = vec![("method", way.head.method.to_string()), ("code", kind.code.to_owned())];
    way.trail = Some(Trail { event: &event::ADDRESS_REFUSE, outcome: Outcome::Refused, detail, read: false });
    Err(problem.into())
}

/// The session behind the cookie of an application's host. Our pages ask for theirs themselves.
async fn session(way: &mut Way) -> Flow {
    if way.inside != Inside::Application {
        return Ok(());
    }
    let Some(token) = cookies::find(&way.head.headers, cookies::SESSION) else {
        return Box::pin(entrance::ask_in(way)).await;
    };
    let token = Secret::new(token.to_owned());
    let by_itself = way.rules.is_background(way.path());
    let act = !by_itself && activity::is_act(&way.head.method, &way.head.headers, way.rules.scripted_reads);
    let knock = way.knock(act);
    match way.door().parts.sessions.resolve(&knock, &token).await {
        // Whoever has yet to accept the terms is sent to the console, which asks; a program is told.
        Ok(passage) if passage.terms_due => match Box::pin(entrance::ask_in(way)).await {
            Err(Stop::Refuse(_)) => Err(Problem::new(&problem::TERMS_DUE).into()),
            sent => sent,
        },
        Ok(passage) => {
            (way.passage, way.token) = (Some(passage), Some(token));
            Ok(())
        }
        Err(problem) if problem.kind.category == sekisho_kernel::Category::Unauthenticated => {
            way.over = true;
            Box::pin(entrance::ask_in(way)).await
        }
        Err(problem) => Err(problem.into()),
    }
}

/// The right to use the application, for the whole tenant or for a site.
async fn right(way: &mut Way) -> Flow {
    let Some(passage) = &way.passage else { return Ok(()) };
    match may_use(&*way.door().parts.gates, passage, way.host()) {
        Decision::Allow => Ok(()),
        Decision::Refuse(kind) => Err(Problem::new(kind).into()),
    }
}

/// Whether the application behind `host` may be used: the terms are accepted, and the access gate allows it.
pub(crate) fn may_use(gates: &dyn Gates, passage: &Passage, host: &Arc<HostEntry>) -> Decision {
    if passage.terms_due {
        return Decision::Refuse(&problem::TERMS_DUE);
    }
    let Actor::User { rights, .. } = &passage.cx.actor else { return Decision::Refuse(&problem::FORBIDDEN) };
    let asked = |site| {
        gates.access(&AccessQuestion {
            tenant: passage.cx.tenant,
            view: rights.clone(),
            right: Right::APPLICATION_USE,
            target: Target::site(host.tenant, site),
        })
    };
    let whole = asked(None);
    if whole.allows() || !passage.sites.iter().any(|site| asked(Some(*site)).allows()) {
        return whole;
    }
    Decision::Allow
}

/// The body's limit: a declared length over it is refused before a byte is read, an undeclared one when it is passed.
async fn body(way: &mut Way) -> Flow {
    let limit = if way.inside == Inside::Application && way.rules.is_stream(way.path()) {
        u64::MAX
    } else {
        way.rules.max_body
    };
    let declared = way.head.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Problem::new(&problems::BODY_TOO_LARGE).into());
    }
    if let Some(upload) = &mut way.upload {
        upload.limit(limit);
    }
    Ok(())
}

/// Our pages, the door's own addresses, or the application.
async fn handler(way: &mut Way) -> Flow {
    match way.inside {
        // Boxed, so that the state of a request to the application stays small.
        Inside::Pages => Box::pin(pages(way)).await,
        Inside::Own => Box::pin(entrance::own(way)).await,
        Inside::Application => proxy::pass(way).await,
    }
}

async fn pages(way: &mut Way) -> Flow {
    let (head, upload) = (way.head.clone(), way.upload.take());
    let mut request = http::Request::from_parts(head, upload.unwrap_or_else(|| crate::body::Upload::held("")));
    request.extensions_mut().insert(Arrival {
        host: way.host().clone(),
        peer: way.peer,
        trace: way.trace,
        policy: way.policy(),
        port: way.port,
    });
    way.answer.set(way.door().parts.pages.serve(request).await.map(Body::Page));
    Ok(())
}

/// Response rules: what may not reach the browser is taken out, what it must be told is put in.
async fn response(way: &mut Way) -> Flow {
    let (wipe, kept) = (way.wipes(), way.may_be_cached());
    let Some(answer) = way.answer.slot() else { return Ok(()) };
    if way.inside == Inside::Application && way.passage.is_some() && way.via != Via::ForwardAuth {
        let status = answer.status();
        headers::clean_answer(answer.headers_mut(), status, &way.rules);
        if !kept {
            headers::keep_out_of_caches(answer.headers_mut());
        }
    }
    if way.via != Via::ForwardAuth {
        headers::set_security(answer.headers_mut(), &way.rules);
        if way.over {
            entrance::forget(answer.headers_mut(), wipe);
        }
    }
    Ok(())
}

/// The entry, accepted before the answer leaves. Our pages' engines write their own.
async fn ledger(way: &mut Way) -> Flow {
    let Some(trail) = way.trail.take() else { return Ok(()) };
    let path: String = way.path().chars().take(512).collect();
    let session = way.passage.as_ref().filter(|_| trail.read).map(|p| p.session);
    let now = way.door().clock.now();
    if let (Some(session), Some(tenant)) = (session, &way.tenant)
        && !tenant.each_read
    {
        let route = route(&path);
        if way.door().reads.entered(session, &route, now) {
            return Ok(());
        }
        enter(way, trail, &path).await?;
        way.door().reads.remember(session, &route, now);
        return Ok(());
    }
    enter(way, trail, &path).await
}

async fn enter(way: &mut Way, trail: Trail, path: &str) -> Flow {
    let cx = way.cx();
    let accepted = way.door().parts.journal.enter(&cx, trail.event, trail.outcome, path, trail.detail).await;
    if let Err(problem) = accepted {
        // Set, so that the refusal that follows does not ask for another entry that cannot be written either.
        tracing::error!(trace = %way.trace, ?problem, "an entry was not accepted; its answer does not leave");
        way.answer.clear();
        return Err(Problem::new(&problem::UNAVAILABLE).into());
    }
    Ok(())
}
