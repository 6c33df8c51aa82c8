//! WebSocket (RFC 6455) through the door: bytes both ways over a connection of its own, until the session is over.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::{
    body::Incoming,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use sekisho_kernel::egress::Egress;
use tokio::{io::copy_bidirectional, time::timeout};

use super::{Failure, Upstream, exchange::connect};
use crate::{body::Upload, rules::Rules};

/// Whether a request asks for a WebSocket.
pub(crate) fn is_websocket(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::GET && says(headers, header::UPGRADE, "websocket") && says(headers, header::CONNECTION, "upgrade")
}

fn says(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case(word))
}

/// The application's half of an accepted WebSocket.
pub(crate) struct Tunnel {
    upstream: OnUpgrade,
}

/// Asks the application. With 101 there is a tunnel; any other answer is an ordinary one.
pub(crate) async fn open(
    upstream: &Arc<Upstream>,
    egress: &dyn Egress,
    rules: &Rules,
    mut request: Request<Upload>,
) -> Result<(Response<Incoming>, Option<Tunnel>), Failure> {
    let headers = request.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let mut lane = connect(upstream, egress, rules.connect_timeout).await?;
    let link = lane.link.with_upgrades();
    tokio::spawn(async move {
        if let Err(error) = link.await {
            tracing::debug!(%error, "a WebSocket's connection to the application ended");
        }
    });
    let sent = timeout(rules.upstream_timeout, lane.sender.send_request(request)).await;
    let mut answer = sent.map_err(|_| Failure::Silent)?.map_err(Failure::Broken)?;
    let tunnel = (answer.status() == StatusCode::SWITCHING_PROTOCOLS
        && says(answer.headers(), header::UPGRADE, "websocket"))
    .then(|| Tunnel { upstream: hyper::upgrade::on(&mut answer) });
    Ok((answer, tunnel))
}

impl Tunnel {
    /// Carries bytes until either side closes, or `over` completes.
    pub async fn carry(self, client: OnUpgrade, over: impl Future<Output = ()>) {
        let Ok((client, upstream)) = tokio::try_join!(client, self.upstream) else { return };
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        let copy = copy_bidirectional::<TokioIo<Upgraded>, TokioIo<Upgraded>>(&mut client, &mut upstream);
        let over = std::pin::pin!(over);
        tokio::select! {
            ended = copy => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a WebSocket broke off");
                }
            }
            () = over => {}
        }
        // Dropping both closes both. A close frame of ours might fall into the middle of another frame.
    }
}
