//! Plain HTTP: shown the way to HTTPS, and nothing else.

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use sekisho_kernel::Problem;

use crate::{
    body::{Body, Upload},
    connection::Line,
    host, page, phases, problems,
    rules::Rules,
    way::{Stop, Way},
};

/// GET and HEAD of a known host: 308 to the same address with `https`. Everything else: refused with the body unread,
/// and the connection closed.
pub(crate) async fn answer(line: Arc<Line>, rules: Arc<Rules>, request: Request<Incoming>) -> Response<Body> {
    let (head, incoming) = request.into_parts();
    drop(incoming);
    let mut way = Way::new(line, rules, head, Upload::held(""));
    let mut answer = match to_https(&mut way).await {
        Ok(Some(redirect)) => redirect,
        Ok(None) => phases::conclude(&mut way, Err(Stop::Refuse(Problem::new(&problems::PLAIN_HTTP)))).await,
        Err(stop) => phases::conclude(&mut way, Err(stop)).await,
    };
    answer.headers_mut().remove(header::STRICT_TRANSPORT_SECURITY);
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

async fn to_https(way: &mut Way) -> Result<Option<Response<Body>>, Stop> {
    phases::known_host(way).await?;
    if way.head.method != Method::GET && way.head.method != Method::HEAD {
        return Ok(None);
    }
    let path = way.head.uri.path_and_query().map_or("/", |pq| pq.as_str());
    let to = format!("{}{path}", host::origin(&way.name, way.port));
    Ok(page::redirect(StatusCode::PERMANENT_REDIRECT, &to))
}
