//! The way into an application's host: sent to the console to sign in, back with a one-time code, out again.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use sekisho_kernel::{Category, Problem, Secret, actor::Via, percent::encode, problem, rng};

use crate::{
    body::Body,
    cookies, device,
    forward_auth::Asked,
    host, page, problems,
    way::{Flow, Stop, Way},
};

/// Addresses below it are the door's own on every application host; they never reach the application.
pub const OWN: &str = "/.sekisho/";
/// Seconds within which a browser comes back from the sign-in.
const START_AGE: u32 = 3_600;
/// Length of a binding: 32 bytes in base64url.
const BINDING: usize = 43;

/// Whether a path is the door's own.
pub(crate) fn is_own(path: &str) -> bool {
    path.starts_with(OWN)
}

/// Sends a browser to the sign-in; tells a program that it needs one.
pub(crate) async fn ask_in(way: &mut Way) -> Flow {
    let safe = way.head.method == Method::GET || way.head.method == Method::HEAD;
    if !(way.page && safe) {
        return Err(Problem::new(&problem::UNAUTHENTICATED).into());
    }
    let by_status = way.asked == Some(Asked::Status);
    let status = if by_status { StatusCode::UNAUTHORIZED } else { StatusCode::SEE_OTHER };
    let answer = to_console(way, status).await?;
    Err(Stop::Elsewhere(Box::new(answer)))
}

/// The redirect to the console's `/enter`, and the cookie that binds the way in to this browser.
pub(crate) async fn to_console(way: &Way, status: StatusCode) -> Result<Response<Body>, Stop> {
    let entry = way.host();
    let missing = || Problem::new(&problems::HOST_UNKNOWN).log("the tenant has no console host");
    let console = way.door().parts.directory.console_host(entry.tenant).await?.ok_or_else(missing)?;
    let path = way.head.uri.path_and_query().map_or("/", |pq| host::local_path(pq.as_str()));
    let kept = cookies::find(&way.head.headers, cookies::START).filter(|b| is_binding(b));
    let binding = kept.map_or_else(|| BASE64.encode(rng::bytes::<32>(&*way.door().parts.rng)), str::to_owned);
    let to = format!(
        "{}/enter?to={}&path={}&bind={}",
        host::origin(&console.host, way.port),
        encode(&entry.host),
        encode(path),
        bind(&binding)
    );
    let internal = || Problem::new(&problem::INTERNAL);
    let mut answer = page::redirect(status, &to).ok_or_else(internal)?;
    let cookie = cookies::set(cookies::START, &binding, Some(START_AGE)).ok_or_else(internal)?;
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// What the console learns of the cookie: its hash, so that the address of the redirect is no use without the browser.
fn bind(cookie: &str) -> String {
    BASE64.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, cookie.as_bytes()))
}

fn is_binding(text: &str) -> bool {
    text.len() == BINDING && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The door's own addresses on an application's host.
pub(crate) async fn own(way: &mut Way) -> Flow {
    let answer = match (way.path(), &way.head.method) {
        ("/.sekisho/enter", &Method::GET) => enter(way).await?,
        ("/.sekisho/sign-out", &Method::POST) => sign_out(way).await?,
        (device::MODULE, &Method::GET) => device::module(),
        (device::KEY, &Method::POST | &Method::HEAD) => device::key(way).await?,
        ("/.sekisho/enter" | "/.sekisho/sign-out" | device::MODULE | device::KEY, _) => {
            return Err(Problem::new(&problems::METHOD_REFUSED).into());
        }
        _ => return Err(Problem::new(&problem::NOT_FOUND).into()),
    };
    way.answer.set(answer);
    Ok(())
}

/// Takes the one-time code in and gives the browser this host's own session cookie.
async fn enter(way: &Way) -> Result<Response<Body>, Stop> {
    let refused = || Problem::new(&problems::ENTRY_REFUSED);
    let query = way.head.uri.query().unwrap_or_default();
    let code = host::query_value(query, "code").ok_or_else(refused)?;
    let path = host::query_value(query, "path").unwrap_or_default();
    let binding = cookies::find(&way.head.headers, cookies::START).filter(|b| is_binding(b)).ok_or_else(refused)?;
    let entered = way.door().parts.sessions.enter(&way.knock(true), &Secret::new(code), &bind(binding)).await;
    let token = entered.map_err(|problem| match problem.kind.category {
        Category::Unavailable | Category::Internal | Category::TooMany => problem,
        _ => refused().log(problem),
    })?;
    let internal = || Problem::new(&problem::INTERNAL);
    let mut answer = page::redirect(StatusCode::SEE_OTHER, host::local_path(&path)).ok_or_else(internal)?;
    let session = cookies::set(cookies::SESSION, token.reveal(), None).ok_or_else(internal)?;
    let done = cookies::set(cookies::START, "", Some(0)).ok_or_else(internal)?;
    answer.headers_mut().append(header::SET_COOKIE, session);
    answer.headers_mut().append(header::SET_COOKIE, done);
    Ok(answer)
}

/// Ends the session and forgets its cookie. Only a page of this host may ask.
async fn sign_out(way: &mut Way) -> Result<Response<Body>, Stop> {
    if !same_origin(way) {
        return Err(Problem::new(&problems::CROSS_SITE).into());
    }
    let console = way.door().parts.directory.console_host(way.host().tenant).await?;
    let console = console.map(|c| host::origin(&c.host, way.port));
    let mut onward = None;
    if let Some(token) = cookies::find(&way.head.headers, cookies::SESSION) {
        let token = Secret::new(token.to_owned());
        match way.door().parts.sessions.sign_out(&way.knock(false), &token, console.as_deref()).await {
            Ok(on) => onward = on,
            Err(problem) if problem.kind.category == Category::Unauthenticated => {}
            Err(problem) => return Err(problem.into()),
        }
    }
    let internal = || Problem::new(&problem::INTERNAL);
    let led = match &onward {
        Some(on) if !way.page => Some(page::told(on)),
        Some(on) if on.fields.is_empty() => page::redirect(StatusCode::SEE_OTHER, &on.to),
        Some(on) => page::posts(on, page::lang(&way.head.headers)),
        None => None,
    };
    let mut answer = match led {
        Some(led) => led,
        // Also where the provider's address is not one to lead to: the person is signed out all the same.
        None if way.page => {
            let to = console.map_or_else(|| "/".to_owned(), |console| format!("{console}/sign-in"));
            page::redirect(StatusCode::SEE_OTHER, &to).ok_or_else(internal)?
        }
        None => {
            let mut done = Response::new(Body::empty());
            *done.status_mut() = StatusCode::NO_CONTENT;
            done
        }
    };
    forget(answer.headers_mut(), way.wipes());
    Ok(answer)
}

/// Signs a browser out of this host: its session's cookie goes, and with it what pages of this origin have kept in it
/// (Clear Site Data §3.1). Cookies are not cleared as a kind: that would reach every host of the registrable domain.
pub(crate) fn forget(headers: &mut HeaderMap, wipe: bool) {
    if let Some(gone) = cookies::set(cookies::SESSION, "", Some(0)) {
        headers.append(header::SET_COOKIE, gone);
    }
    if wipe {
        headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
    }
}

/// Whether a page of the same origin asks (Fetch Metadata; `Origin` for browsers without it).
pub(crate) fn same_origin(way: &Way) -> bool {
    let headers = &way.head.headers;
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let port = if way.via == Via::ForwardAuth { way.port } else { way.name_port.unwrap_or(443) };
    origin.as_bytes() == host::origin(&way.name, port).as_bytes()
}
