//! One connection: TLS, then HTTP/1.1 or HTTP/2, then each request through the phases.

use std::{
    convert::Infallible,
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use http::{HeaderValue, Request, Response};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::server::Acceptor;
use sekisho_kernel::Rng;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use crate::{
    body::{Body, Upload},
    door::{Door, State, reached},
    forward_auth, headers, host,
    limits::Seat,
    phases,
    place::{Entrance, Wire},
    plain,
    request_line::{Lost, Pending, RequestLine, Tapped},
    rules::Rules,
    way::Way,
};

/// Requests that one HTTP/2 connection has under way at a time.
const STREAMS: u32 = 128;
/// Random bytes fetched at a time for trace ids.
const IDS: usize = 512;

/// What is true of a connection, for all of its requests.
pub(crate) struct Line {
    pub door: Arc<Door>,
    pub peer: IpAddr,
    pub peer_field: HeaderValue,
    pub entrance: Entrance,
    /// The name of the TLS handshake.
    pub sni: Option<String>,
    /// The listener's port.
    pub port: u16,
    pub ids: Ids,
    forwarded: OnceLock<(HeaderValue, HeaderValue)>,
    port_field: OnceLock<(u16, HeaderValue)>,
    _seat: Seat,
}

/// Random bytes for trace ids, fetched in blocks: the operating system is asked once in 32 requests.
pub(crate) struct Ids {
    source: Arc<dyn Rng>,
    block: Mutex<([u8; IDS], usize)>,
}

impl Rng for Ids {
    fn fill(&self, out: &mut [u8]) {
        let mut guard = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let (block, used) = &mut *guard;
        if out.len() > IDS {
            return self.source.fill(out);
        }
        if *used + out.len() > IDS {
            self.source.fill(block);
            *used = 0;
        }
        out.copy_from_slice(&block[*used..*used + out.len()]);
        *used += out.len();
    }
}

impl Line {
    fn new(door: Arc<Door>, peer: IpAddr, entrance: Entrance, sni: Option<String>, port: u16, seat: Seat) -> Arc<Self> {
        let ids = Ids { source: door.parts.rng.clone(), block: Mutex::new(([0; IDS], IDS)) };
        let peer_field = headers::peer(peer);
        Arc::new(Self {
            door,
            peer,
            peer_field,
            entrance,
            sni,
            port,
            ids,
            forwarded: OnceLock::new(),
            port_field: OnceLock::new(),
            _seat: seat,
        })
    }
    /// The port people reach the door at, as a field's value.
    pub fn port_field(&self, port: u16) -> HeaderValue {
        let (known, value) = self.port_field.get_or_init(|| (port, HeaderValue::from(port)));
        if *known == port { value.clone() } else { HeaderValue::from(port) }
    }
    /// The `Forwarded` value; nearly always the same for all requests of a connection.
    pub fn forwarded(&self, authority: &HeaderValue) -> HeaderValue {
        let make = || headers::forwarded(self.peer, authority.to_str().unwrap_or_default());
        let (known, value) = self.forwarded.get_or_init(|| (authority.clone(), make()));
        if known == authority { value.clone() } else { make() }
    }
}

/// Serves one accepted connection to its end.
pub(crate) async fn serve(door: Arc<Door>, wire: Wire, peer: IpAddr, entrance: Entrance, port: u16, seat: Seat) {
    let rules = door.rules();
    if entrance != Entrance::Https {
        let line = Line::new(door, peer, entrance, None, port, seat);
        return http(line, &rules, wire, false).await;
    }
    let shaken = timeout(rules.header_timeout, handshake(&door, &rules, wire)).await;
    let (stream, sni) = match shaken {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_) => return tracing::debug!(%peer, "a TLS handshake took too long"),
    };
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let line = Line::new(door, peer, entrance, sni, port, seat);
    http(line, &rules, stream, h2).await;
}

/// The handshake. A name that the directory does not know gets a refusal instead of a certificate.
async fn handshake(door: &Door, rules: &Rules, wire: Wire) -> std::io::Result<(TlsStream<Wire>, Option<String>)> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), wire).await?;
    let name = start.client_hello().server_name().and_then(host::name).map(|n| n.into_owned());
    let known = match &name {
        Some(name) => door.parts.directory.host(name).await.unwrap_or_else(|problem| {
            tracing::error!(?problem, "the directory does not answer");
            None
        }),
        None => None,
    };
    let config = if known.is_some() { &rules.tls } else { &door.nobody };
    Ok((start.into_stream(config.clone()).await?, name))
}

async fn http<I>(line: Arc<Line>, rules: &Rules, io: I, h2: bool)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = line.peer;
    let mut closing = line.door.state.clone();
    let mut closed = closing.clone();
    let first = RequestLine::new();
    let tapped = Tapped { io, line: first.clone() };
    let service = service_fn(move |request: Request<Incoming>| {
        let body = !request.body().is_end_stream();
        let lost = if h2 { (Lost::Nothing, None) } else { first.lost(request.method(), request.uri(), body) };
        answer(line.clone(), request, lost)
    });
    let ended = if h2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(rules.max_header_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(rules.header_timeout)
            .keep_alive_timeout(rules.header_timeout);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(tapped), service));
        tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = reached(&mut closing, State::Closing) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = reached(&mut closed, State::Closed) => Ok(()),
                }
            }
        }
    } else {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(rules.header_timeout)
            .max_headers(rules.max_headers)
            .max_header_size(rules.max_header_bytes);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(tapped), service).with_upgrades());
        tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = reached(&mut closing, State::Closing) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection => ended,
                    () = reached(&mut closed, State::Closed) => Ok(()),
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}

async fn answer(
    line: Arc<Line>,
    request: Request<Incoming>,
    (lost, pending): (Lost, Option<Pending>),
) -> Result<Response<Body>, Infallible> {
    let rules = line.door.rules();
    let refuse_plain = rules.refuse_plain_http;
    Ok(match line.entrance {
        Entrance::ForwardAuth => Box::pin(forward_auth::answer(line, rules, request)).await,
        Entrance::Http if refuse_plain => Box::pin(plain::answer(line, rules, request)).await,
        Entrance::Https | Entrance::Http => {
            let (head, incoming) = request.into_parts();
            let upload = Upload::new(incoming, rules.max_body).pending(pending);
            let mut way = Way::new(line, rules, head, upload);
            way.lost = lost;
            phases::run(&mut way).await
        }
    })
}
