//! The operation history: search, one entry, its proof, downloads.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sekisho_kernel::{
    Outcome, Problem, Right, Text, Time, Zone, event,
    id::{EntryId, UserId},
    problem::{NOT_FOUND, UNAVAILABLE},
};
use sekisho_vault::history::{Filter, Row};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use crate::{call::Call, pipe, problem::Fault, reply};

/// An entry as people and programs are shown it.
#[derive(Clone, Debug, Serialize)]
pub struct EntryView {
    /// Its id.
    pub id: EntryId,
    /// UTC.
    pub at: String,
    /// In the policy's fixed zone, or the reader's.
    pub local_time: String,
    /// `object.verb`.
    pub event: String,
    /// The event for people.
    #[serde(skip)]
    pub says: Text,
    /// Opaque.
    pub actor: String,
    /// The person's name today, from the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// Opaque id or path.
    pub target: String,
    /// `success`, `refused`, `failed`.
    pub outcome: String,
    /// The network peer.
    pub address: String,
    /// The interface.
    pub via: String,
    /// Trace id.
    pub trace: String,
    /// Details by name.
    pub detail: Map<String, Value>,
    /// `accepted`, `sequenced`, `protected`.
    pub state: &'static str,
}

/// The entry in this zone.
pub fn view(row: &Row, zone: &Zone, names: &HashMap<UserId, String>) -> EntryView {
    let name = row.actor.parse::<UserId>().ok().and_then(|id| names.get(&id).cloned());
    let known = event::by_name(&row.event).map(|e| e.text.clone());
    EntryView {
        id: row.id,
        at: row.at.rfc3339(),
        local_time: row.at.in_zone(zone),
        event: row.event.clone(),
        says: known.unwrap_or_else(|| Text::owned(row.event.clone(), row.event.clone())),
        actor: row.actor.clone(),
        actor_name: name,
        target: row.object.clone(),
        outcome: row.outcome.name().to_owned(),
        address: row.address.clone().unwrap_or_default(),
        via: row.via.clone(),
        trace: row.trace.clone(),
        detail: row.detail.iter().map(|(k, v)| (k.clone(), json!(v))).collect(),
        state: row.state.name(),
    }
}

/// The vault's filter from the checked query.
pub(crate) fn filter(given: &Map<String, Value>) -> Filter {
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let time = |name: &str| text(name).and_then(|t| Time::parse_rfc3339(&t));
    let outcome =
        |name: &str| [Outcome::Success, Outcome::Refused, Outcome::Failed].into_iter().find(|o| o.name() == name);
    Filter {
        before: None,
        limit: 0,
        from: time("from"),
        to: time("to"),
        actor: text("actor"),
        event: text("action"),
        outcome: text("result").and_then(|r| outcome(&r)),
        object: text("target"),
        text: text("text"),
    }
}

/// A page of entries. The search runs only for who may read it, and the one entry about it says how it ended.
pub(crate) async fn page(
    call: &Call,
    mut filter: Filter,
    limit: u32,
) -> Result<(Vec<EntryView>, Option<String>), Fault> {
    filter.before = call.position("history").await?;
    filter.limit = limit;
    let act = call.act(Right::HISTORY_READ, "history")?;
    let cx = call.cx()?;
    let found = if call.may(Right::HISTORY_READ) {
        call.parts.vault.history(&call.scope(), filter).await
    } else {
        Ok(sekisho_vault::history::Found::default())
    };
    let found = call.parts.vault.look(cx, act, move |_| found).await?;
    let people = found.rows.iter().filter_map(|r| r.actor.parse().ok()).collect();
    let names = call.parts.identity.names(cx, people).await?;
    let next = call.next("history", found.next).await?;
    Ok((found.rows.iter().map(|r| view(r, &call.zone, &names)).collect(), next))
}

/// GET /history
pub async fn list(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let (entries, next) = page(&call, filter(&given), call.limit(&given)).await?;
    reply::ok(&json!({ "entries": entries, "next": next }))
}

/// One entry and, for pages, its proof.
pub(crate) async fn one(call: &Call, id: EntryId) -> Result<EntryView, Fault> {
    let act = call.act(Right::HISTORY_READ, id.to_string())?;
    let cx = call.cx()?;
    let found = call.parts.vault.history_entry(&call.scope(), id).await;
    let found = found.and_then(|row| row.ok_or_else(|| Problem::new(&NOT_FOUND)));
    let row = call.parts.vault.look(cx, act, move |_| found).await?;
    let people = row.actor.parse().ok().into_iter().collect();
    let names = call.parts.identity.names(cx, people).await?;
    Ok(view(&row, &call.zone, &names))
}

/// GET /history/{id}
pub async fn read(call: Arc<Call>) -> Result<Response, Fault> {
    reply::ok(&one(&call, call.id("id")?).await?)
}

/// GET /history/{id}/proof
pub async fn proof(call: Arc<Call>) -> Result<Response, Fault> {
    let id: EntryId = call.id("id")?;
    let act = call.act(Right::HISTORY_READ, id.to_string())?;
    let proof = call.parts.vault.history_proof(&call.scope(), id).await;
    let proof = proof.and_then(|p| p.ok_or_else(|| Problem::new(&NOT_FOUND)));
    plain(call.parts.vault.look(call.cx()?, act, move |_| proof).await?)
}

/// GET /history/checkpoint
pub async fn checkpoint(call: Arc<Call>) -> Result<Response, Fault> {
    let act = call.act(Right::HISTORY_READ, "checkpoint")?;
    let found = call.parts.vault.history_checkpoint(&call.scope()).await;
    let found = found.and_then(|p| p.ok_or_else(|| Problem::new(&NOT_FOUND)));
    plain(call.parts.vault.look(call.cx()?, act, move |_| found).await?)
}

fn plain(text: String) -> Result<Response, Fault> {
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))], text).into_response())
}

/// GET /history/export
pub async fn export(call: Arc<Call>) -> Result<Response, Fault> {
    let given = call.filter()?;
    let format = given.get("format").and_then(Value::as_str).unwrap_or("log").to_owned();
    let act = call.act(Right::HISTORY_EXPORT, "history")?;
    call.parts.vault.look(call.cx()?, act, |_| Ok(())).await?;
    let filter = Filter { limit: 200, ..filter(&given) };
    match format.as_str() {
        "csv" => Ok(download(rows(call, filter, Form::Csv), "text/csv; charset=utf-8", "history.csv")),
        "jsonl" => Ok(download(rows(call, filter, Form::Lines), "application/jsonl", "history.jsonl")),
        _ => log(&call).await,
    }
}

async fn log(call: &Call) -> Result<Response, Fault> {
    // Each download holds a reader of the store: a few at a time, so that downloads cannot stop the house.
    static AT_ONCE: Semaphore = Semaphore::const_new(2);
    let Ok(place) = AT_ONCE.try_acquire() else {
        return Err(Fault::own(Problem::new(&UNAVAILABLE).retry_after(Duration::from_secs(10))));
    };
    let (pipe, pieces) = pipe::pipe();
    let (vault, scope, zone) = (call.parts.vault.clone(), call.scope(), call.zone.clone());
    tokio::spawn(async move {
        let failed = pipe.failure();
        if let Err(problem) = vault.export(&scope, zone, pipe).await {
            tracing::warn!(cause = ?problem, "a download broke off");
            failed.tell();
        }
        drop(place);
    });
    Ok(download(Body::from_stream(pieces), "application/vnd.sekisho.log", "history.sekisho-log"))
}

fn download(body: Body, kind: &'static str, name: &str) -> Response {
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    Lines,
}

/// Entries as a stream, 200 at a time: memory does not grow with the history.
fn rows(call: Arc<Call>, filter: Filter, form: Form) -> Body {
    let head = match form {
        // Excel takes a file for UTF-8 only with a byte-order mark.
        Form::Csv => Some(Bytes::from_static(
            b"\xef\xbb\xbfid,time_utc,time,event,outcome,actor,actor_name,target,address,via,trace,state,detail\r\n",
        )),
        Form::Lines => None,
    };
    let stream = futures_util::stream::unfold((call, Some(filter), head), move |(call, filter, head)| async move {
        if let Some(head) = head {
            return Some((Ok::<_, std::io::Error>(head), (call, filter, None)));
        }
        let filter = filter?;
        let found = match call.parts.vault.history(&call.scope(), filter.clone()).await {
            Ok(found) => found,
            // The stream breaks off: a download that ends early must not look whole.
            Err(problem) => return Some((Err(std::io::Error::other(problem.kind.name)), (call, None, None))),
        };
        let people = found.rows.iter().filter_map(|r| r.actor.parse().ok()).collect();
        let names = match call.cx() {
            Ok(cx) => call.parts.identity.names(cx, people).await.unwrap_or_default(),
            Err(_) => HashMap::new(),
        };
        let mut out = Vec::new();
        for row in &found.rows {
            let entry = view(row, &call.zone, &names);
            match form {
                Form::Csv => csv_line(&mut out, &entry),
                Form::Lines => {
                    let mut line = serde_json::to_value(&entry).unwrap_or(Value::Null);
                    if let (Value::Object(map), Ok(ocsf)) = (&mut line, serde_json::from_str::<Value>(&row.ocsf)) {
                        map.insert("ocsf".into(), ocsf);
                    }
                    out.extend_from_slice(line.to_string().as_bytes());
                    out.push(b'\n');
                }
            }
        }
        let next = found.next.map(|before| Filter { before: Some(before), ..filter });
        Some((Ok(Bytes::from(out)), (call, next, None)))
    });
    Body::from_stream(stream)
}

fn csv_line(out: &mut Vec<u8>, e: &EntryView) {
    let detail = if e.detail.is_empty() { String::new() } else { Value::Object(e.detail.clone()).to_string() };
    let id = e.id.to_string();
    let name = e.actor_name.as_deref().unwrap_or("");
    let cells = [
        &id,
        &e.at,
        &e.local_time,
        &e.event,
        &e.outcome,
        &e.actor,
        name,
        &e.target,
        &e.address,
        &e.via,
        &e.trace,
        e.state,
        &detail,
    ];
    let line: Vec<String> = cells.iter().map(|c| csv_cell(c)).collect();
    out.extend_from_slice(line.join(",").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// RFC 4180, always quoted where needed; a cell that a sheet would take for a formula is led by an apostrophe.
pub fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let lead = if formula { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) || formula {
        format!("\"{lead}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_break_out_or_become_formulas() {
        assert_eq!(csv_cell("plain 文字"), "plain 文字");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
        assert_eq!(csv_cell("@x"), "\"'@x\"");
    }
}
