//! `Idempotency-Key`: the same request sent twice within 24 h is done once and answered twice.

use aws_lc_rs::digest;
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use sekisho_kernel::{Once, Problem, Text};
use sekisho_vault::Answered;
use serde::{Deserialize, Serialize};

use crate::{
    call::Call,
    problem::Fault,
    routes::{Surface, Verb},
    serve::defect,
};

const NAME: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What is known of the key.
pub enum State {
    /// It was answered before: this is the answer.
    Answer(Response),
    /// It is new, or the request has none.
    Fresh(Option<Slot>),
}

/// Where the answer will be kept.
pub struct Slot(pub Once);

#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    kind: Option<String>,
    etag: Option<String>,
    body: String,
}

/// Looks the key up. Only the API's POST by a signed-in person takes one.
pub async fn replay(call: &Call) -> Result<State, Fault> {
    let takes = call.route.surface == Surface::Api && call.route.verb == Verb::Post && call.passage.is_some();
    let Some(value) = call.headers.get(NAME).filter(|_| takes) else { return Ok(State::Fresh(None)) };
    let key = value.to_str().unwrap_or("");
    if key.is_empty() || key.len() > 128 {
        return Err(Fault::field(
            "Idempotency-Key",
            Text::new("1 文字以上 128 文字以下の ASCII 文字で指定します。", "Give 1 to 128 visible ASCII characters."),
        ));
    }
    let user = call.user().map(|u| u.to_string()).unwrap_or_default();
    let mut all = digest::Context::new(&digest::SHA256);
    for part in [call.route.name.as_bytes(), call.uri.to_string().as_bytes(), &call.body] {
        all.update(&(part.len() as u64).to_be_bytes());
        all.update(part);
    }
    let (key, fingerprint) = (format!("{user}/{key}"), all.finish());
    let bytes = match call.parts.vault.answered(call.cx()?, &key, fingerprint.as_ref()).await.map_err(told)? {
        Answered::With(bytes) => bytes,
        Answered::Not(once) => return Ok(State::Fresh(once.map(Slot))),
    };
    let kept: Kept = serde_json::from_slice(&bytes).map_err(defect)?;
    let body = STANDARD.decode(&kept.body).map_err(defect)?;
    let status = StatusCode::from_u16(kept.status).map_err(defect)?;
    let mut response = (status, Body::from(body)).into_response();
    for (name, value) in [(header::CONTENT_TYPE, kept.kind), (header::ETAG, kept.etag)] {
        if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(State::Answer(response))
}

impl Slot {
    /// Gives the key back: nothing was done, and the request may be sent again with it.
    pub async fn forget(self, call: &Call) {
        let Ok(cx) = call.cx() else { return };
        if let Err(cause) = call.parts.vault.forget_answer(cx, self.0).await {
            tracing::warn!(trace = %call.arrival.trace, ?cause, "a key could not be given back");
        }
    }

    /// Keeps a successful answer, and gives it on. The act is done by now: if its answer cannot be kept, the person is
    /// answered all the same, and a second try is told that it was done.
    pub async fn keep(self, call: &Call, response: Response) -> Result<Response, Fault> {
        let (head, body) = response.into_parts();
        let bytes: Bytes = body.collect().await.map_err(defect)?.to_bytes();
        let text = |name| head.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok()).map(str::to_owned);
        let kept = Kept {
            status: head.status.as_u16(),
            kind: text(header::CONTENT_TYPE),
            etag: text(header::ETAG),
            body: STANDARD.encode(&bytes),
        };
        let kept = serde_json::to_vec(&kept).map_err(defect)?;
        if let Err(cause) = call.parts.vault.keep_answer(call.cx()?, self.0, &kept).await {
            tracing::error!(trace = %call.arrival.trace, ?cause, "an answer could not be kept under its key");
        }
        Ok(Response::from_parts(head, Body::from(bytes)))
    }
}

/// The problem is the key's, and its entry is still to be written.
fn told(problem: Problem) -> Fault {
    Fault::own(problem.at("Idempotency-Key"))
}
