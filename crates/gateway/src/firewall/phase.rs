//! The firewall's phases of a request.
//!
//! The head is looked at before anybody is known; a request without a body is looked at whole there. A body is looked at after
//! the right is checked, the application's answer before it leaves. Whatever cannot be looked at although the policy asks for
//! it does not pass.

use bytes::Bytes;
use http::header;
use http_body_util::BodyExt;
use hyper::body::Body as HttpBody;
use sekisho_kernel::{
    Outcome, Problem, event,
    gate::{FirewallMode, FirewallResponses},
    problem,
};
use sekisho_waf::{Blocked, ResponseHead};
use tokio::time::timeout;

use super::{
    Firewall, clear,
    examine::{self, Examination, Head},
    kept::One,
    secrets,
};
use crate::{
    body::{Body, Upload},
    problems, proxy,
    way::{Flow, Inside, Stop, Trail, Way},
};

/// Bodies above it are examined on a thread of their own, so that other requests do not wait.
const LONG: usize = 32 << 10;
/// Bytes of an answer's body that are looked at.
const ANSWER: usize = 512 << 10;

fn firewall(way: &Way) -> Result<Firewall, Problem> {
    // The policy asks for a firewall and there is none: nobody passes.
    way.door().parts.firewall.clone().ok_or_else(|| Problem::new(&problem::UNAVAILABLE).log("there is no firewall"))
}

/// Whether the firewall looks at this request at all.
pub(crate) fn watches(way: &Way) -> bool {
    way.tenant.as_ref().is_some_and(|t| t.firewall.at(clear(way.path()).as_deref()).0 != FirewallMode::Off)
}

/// The head, and the whole request where it has no body.
pub(crate) async fn head(way: &mut Way) -> Flow {
    let Some(rule) = way.tenant.as_ref().map(|t| t.firewall.clone()) else { return Ok(()) };
    let (mode, paranoia) = rule.at(clear(way.path()).as_deref());
    if mode == FirewallMode::Off {
        return Ok(());
    }
    let firewall = firewall(way)?;
    let (now, loaded) = (way.door().clock.now(), firewall.current());
    let Some(set) = loaded.under(&rule, way.path(), now) else {
        return Err(Problem::new(&problem::UNAVAILABLE).log("the rule set cannot be used").into());
    };
    let own = way.inside != Inside::Application;
    let client = examine::client(way.peer, way.port, now.micros() / 1_000_000, way.trace);
    let mut examination = Examination {
        transaction: Box::new(set.transaction(&client)),
        paranoia,
        set: loaded,
        body: Bytes::new(),
        own,
        asked: false,
        firewall,
    };
    let mut blocked = Head::of(&way.head, way.lost, &way.name, own).ask(&mut examination.transaction);
    let bodiless = way.upload.as_ref().is_none_or(HttpBody::is_end_stream);
    if blocked.is_none() && bodiless {
        blocked = examination.ask_body();
    }
    way.firewall = Some(Box::new(examination));
    conclude(way, blocked).await
}

/// Whether the policy has the path pass without a look at its bodies.
fn is_stream(way: &Way) -> bool {
    clear(way.path()).is_some_and(|path| way.rules.is_stream(&path))
}

/// The body, once it is known who sends it and that they may.
pub(crate) async fn body(way: &mut Way) -> Flow {
    let Some(rule) = way.tenant.as_ref().map(|t| t.firewall.clone()) else { return Ok(()) };
    let Some(mut examination) = way.firewall.take_if(|e| !e.asked) else { return Ok(()) };
    let stream = way.inside == Inside::Application && (is_stream(way) || proxy::is_upgrade(way));
    if !stream && let Some(upload) = way.upload.take() {
        let declared = upload.size_hint().exact();
        let too_long = || Problem::new(&problems::BODY_TOO_LARGE).log("longer than waf.max_body");
        if rule.refuse_longer && declared.is_some_and(|n| n > rule.max_body as u64) {
            way.firewall = Some(examination);
            return Err(too_long().into());
        }
        match hold(upload, rule.max_body, way.rules.body_timeout).await? {
            Held::Whole(bytes) => {
                examination.body = if examination.own {
                    secrets::body(way.head.headers.get(header::CONTENT_TYPE), &bytes).unwrap_or_default().into()
                } else {
                    bytes.clone()
                };
                way.upload = Some(Upload::held(bytes));
            }
            Held::Longer(first, rest) => {
                if rule.refuse_longer {
                    way.firewall = Some(examination);
                    return Err(too_long().into());
                }
                way.upload = Some(rest.after(first));
            }
        }
    }
    let (examination, blocked) = if examination.body.len() > LONG {
        let asked = tokio::task::spawn_blocking(move || {
            let blocked = examination.ask_body();
            (examination, blocked)
        });
        asked.await.map_err(|e| Problem::new(&problem::INTERNAL).log(e))?
    } else {
        let blocked = examination.ask_body();
        (examination, blocked)
    };
    way.firewall = Some(examination);
    conclude(way, blocked).await
}

enum Held {
    Whole(Bytes),
    Longer(Bytes, Upload),
}

/// Takes in a body up to the limit.
async fn hold(mut upload: Upload, limit: usize, pause: std::time::Duration) -> Result<Held, Problem> {
    let mut held = Vec::new();
    loop {
        let frame = timeout(pause, upload.frame()).await.map_err(|_| Problem::new(&problems::BODY_SLOW))?;
        let Some(frame) = frame else { return Ok(Held::Whole(held.into())) };
        let frame = frame.map_err(|e| match e.downcast_ref::<crate::body::TooLarge>() {
            Some(_) => Problem::new(&problems::BODY_TOO_LARGE),
            None => Problem::new(&problems::BODY_SLOW).log(e),
        })?;
        if let Ok(data) = frame.into_data() {
            held.extend_from_slice(&data);
        }
        if held.len() > limit {
            return Ok(Held::Longer(held.into(), upload));
        }
    }
}

/// Keeps what was found for the console, tells of it, and stops the request if the rules say so.
async fn conclude(way: &mut Way, blocked: Option<Blocked>) -> Flow {
    let Some(examination) = way.firewall.as_deref() else { return Ok(()) };
    if blocked.is_none() && !examination.asked {
        return Ok(());
    }
    let transaction = &examination.transaction;
    if transaction.matches().is_empty() && transaction.verdict().is_none() {
        return Ok(());
    }
    let found = examine::found(transaction);
    let verdict = transaction.verdict().is_some();
    let firewall = firewall(way)?;
    firewall.keep(One {
        at: way.door().clock.now(),
        tenant: way.host().tenant,
        trace: way.trace,
        peer: way.peer,
        port: way.port,
        request: Head::of(&way.head, way.lost, &way.name, examination.own).kept(examination.body.to_vec()),
        path: way.path().to_owned(),
        blocked: blocked.is_some(),
        score: found.score,
        matches: examine::masked(transaction),
    });
    if !verdict {
        return Ok(());
    }
    let mut detail = vec![("method", way.head.method.to_string()), ("host", way.name.clone())];
    detail.extend(found.detail(&examination.set.name(), examination.paranoia));
    let rules = detail.iter().find(|(n, _)| *n == "rules").map(|(_, v)| v.clone()).unwrap_or_default();
    tracing::warn!(
        trace = %way.trace, peer = %way.peer, path = way.path(), rules, part = found.part, matched = found.value,
        score = found.score, blocked = blocked.is_some(), "the firewall's rules matched"
    );
    let Some(blocked) = blocked else {
        let path: String = way.path().chars().take(512).collect();
        let cx = way.cx();
        way.door().parts.journal.enter(&cx, &event::FIREWALL_DETECT, Outcome::Success, &path, detail).await?;
        return Ok(());
    };
    let kind = if blocked.status == 413 { &problems::BODY_TOO_LARGE } else { &problems::FIREWALL_BLOCKED };
    detail.push(("code", kind.code.to_owned()));
    way.trail = Some(Trail { event: &event::FIREWALL_BLOCK, outcome: Outcome::Refused, detail, read: false });
    Err(Problem::new(kind).into())
}

/// The application's answer, as far as the policy asks.
pub(crate) async fn answer(way: &mut Way) -> Flow {
    let Some(rule) = way.tenant.as_ref().map(|t| t.firewall.clone()) else { return Ok(()) };
    if rule.responses == FirewallResponses::Off || way.inside != Inside::Application {
        return Ok(());
    }
    let from_application = matches!(way.answer.slot().as_ref().map(http::Response::body), Some(Body::Upstream(_)));
    let Some(mut examination) = way.firewall.take().filter(|_| from_application) else { return Ok(()) };
    let Some(answer) = way.answer.take() else { return Ok(()) };
    let (parts, mut body) = answer.into_parts();
    let headers: Vec<(&[u8], &[u8])> =
        parts.headers.iter().map(|(n, v)| (n.as_str().as_bytes(), v.as_bytes())).collect();
    let head = ResponseHead { status: parts.status.as_u16(), protocol: b"HTTP/1.1", headers: &headers };
    let mut blocked = examination.transaction.response(&head).blocked().cloned();
    let wanted = rule.responses == FirewallResponses::Body
        && !parts.headers.contains_key(header::CONTENT_ENCODING)
        && !is_stream(way)
        && examination.transaction.wants_response_body();
    if blocked.is_none() && wanted {
        let mut first = Vec::new();
        while first.len() < ANSWER {
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        first.extend_from_slice(&data);
                    }
                }
                Some(Err(e)) => return Err(Problem::new(&problems::UPSTREAM_BROKE).log(e).into()),
                None => break,
            }
        }
        if first.len() > LONG {
            let asked = tokio::task::spawn_blocking(move || {
                let blocked = examination.ask_answer(&first);
                (examination, blocked, first)
            });
            (examination, blocked, first) = asked.await.map_err(|e| Problem::new(&problem::INTERNAL).log(e))?;
        } else {
            blocked = examination.ask_answer(&first);
        }
        body = body.after(first.into());
    }
    if blocked.is_some() {
        let found = examine::found(&examination.transaction);
        let mut detail = vec![
            ("method", way.head.method.to_string()),
            ("host", way.name.clone()),
            ("status", parts.status.as_u16().to_string()),
            ("code", problems::FIREWALL_ANSWER.code.to_owned()),
        ];
        detail.extend(found.detail(&examination.set.name(), examination.paranoia));
        way.trail = Some(Trail { event: &event::FIREWALL_BLOCK, outcome: Outcome::Refused, detail, read: false });
        return Err(Stop::Refuse(Problem::new(&problems::FIREWALL_ANSWER)));
    }
    way.answer.set(http::Response::from_parts(parts, body));
    Ok(())
}
