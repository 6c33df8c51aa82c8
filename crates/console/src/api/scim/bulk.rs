//! Bulk requests (RFC 7644 §3.7): bounded, with references to what the same request makes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use axum::{http::StatusCode, response::Response};
use sekisho_identity::{
    problems::{SCIM_SYNTAX, SCIM_VALUE},
    scim::patch::field,
    types::{ScimPrecondition, ScimResource},
};
use sekisho_kernel::{
    Problem, Right, Text,
    problem::{FORBIDDEN, NOT_FOUND},
};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::{answer, base, body};
use crate::{
    call::Call,
    problem::{Fault, SCIM_METHOD},
    reply,
};

/// Most operations of one request.
pub const MOST: usize = 1_000;
/// How many that make something run at the same time.
const AT_ONCE: usize = 16;
const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
const REFERENCE: &str = "bulkId:";

#[derive(Clone)]
struct Operation {
    method: String,
    path: String,
    bulk_id: Option<String>,
    version: Option<String>,
    data: Value,
}

impl Operation {
    fn of(value: &Value) -> Result<Self, Fault> {
        let text = |name: &str| field(value, name).and_then(Value::as_str).map(str::to_owned);
        let syntax = |place: &'static str| Fault::own(Problem::new(&SCIM_SYNTAX).at(place));
        let method = text("method").ok_or_else(|| syntax("method"))?.to_ascii_uppercase();
        let path = text("path").filter(|p| p.starts_with('/')).ok_or_else(|| syntax("path"))?;
        let bulk_id = text("bulkId").filter(|b| !b.is_empty());
        if method == "POST" && bulk_id.is_none() {
            return Err(syntax("bulkId"));
        }
        let data = field(value, "data").cloned().unwrap_or(Value::Null);
        Ok(Self { method, path, bulk_id, version: text("version"), data })
    }

    /// The references in it, in path and data.
    fn references(&self) -> Vec<String> {
        let mut out: Vec<String> =
            self.path.split('/').filter_map(|p| p.strip_prefix(REFERENCE).map(str::to_owned)).collect();
        collect(&self.data, &mut out);
        out
    }

    /// The values of which no two resources may have the same.
    fn unique(&self) -> impl Iterator<Item = String> {
        let name = field(&self.data, if self.path == "/Groups" { "displayName" } else { "userName" });
        let mails = field(&self.data, "emails").and_then(Value::as_array).into_iter().flatten();
        let mails = mails.filter_map(|mail| field(mail, "value")).map(|mail| ("mail", mail));
        let values = name.map(|name| (self.path.as_str(), name)).into_iter().chain(mails);
        values.filter_map(|(of, value)| Some(format!("{of} {}", value.as_str()?.trim().to_lowercase())))
    }

    /// With each reference replaced by the id that it stands for.
    fn resolved(&self, known: &HashMap<String, String>) -> Self {
        let part = |p: &str| p.strip_prefix(REFERENCE).and_then(|b| known.get(b)).cloned().unwrap_or_else(|| p.into());
        let path = self.path.split('/').map(part).collect::<Vec<_>>().join("/");
        let mut data = self.data.clone();
        replace(&mut data, known);
        Self { path, data, ..self.clone() }
    }
}

fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.extend(text.strip_prefix(REFERENCE).map(str::to_owned)),
        Value::Array(all) => all.iter().for_each(|v| collect(v, out)),
        Value::Object(map) => map.values().for_each(|v| collect(v, out)),
        _ => {}
    }
}

fn replace(value: &mut Value, known: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(id) = text.strip_prefix(REFERENCE).and_then(|b| known.get(b)) {
                *text = id.clone();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|v| replace(v, known)),
        Value::Object(map) => map.values_mut().for_each(|v| replace(v, known)),
        _ => {}
    }
}

/// What became of an operation.
struct Done {
    status: u16,
    made: Option<ScimResource>,
    error: Option<Value>,
}

async fn run(call: &Call, base: &str, operation: &Operation) -> Result<(u16, Option<ScimResource>), Problem> {
    let cx = call.cx().map_err(|f| Problem::new(f.problem.kind))?;
    let identity = &call.parts.identity;
    let expected = ScimPrecondition { matches: operation.version.clone() };
    let missing = || Problem::new(&NOT_FOUND);
    let segments: Vec<&str> = operation.path.trim_start_matches('/').split('/').collect();
    let done = match (operation.method.as_str(), &segments[..]) {
        ("POST", ["Users"]) => (201, Some(identity.scim_create_user(cx, base, &operation.data).await?)),
        ("POST", ["Groups"]) => (201, Some(identity.scim_create_group(cx, base, &operation.data).await?)),
        (method @ ("PUT" | "PATCH" | "DELETE"), ["Users", id]) => {
            let id = id.parse().map_err(|_| missing())?;
            match method {
                "PUT" => (200, Some(identity.scim_replace_user(cx, base, id, &expected, &operation.data).await?)),
                "PATCH" => (200, Some(identity.scim_patch_user(cx, base, id, &expected, &operation.data).await?)),
                _ => {
                    identity.scim_delete_user(cx, id, &expected).await?;
                    (204, None)
                }
            }
        }
        (method @ ("PUT" | "PATCH" | "DELETE"), ["Groups", id]) => {
            let id = id.parse().map_err(|_| missing())?;
            match method {
                "PUT" => (200, Some(identity.scim_replace_group(cx, base, id, &expected, &operation.data).await?)),
                "PATCH" => (200, Some(identity.scim_patch_group(cx, base, id, &expected, &operation.data).await?)),
                _ => {
                    identity.scim_delete_group(cx, id, &expected).await?;
                    (204, None)
                }
            }
        }
        (_, ["Users" | "Groups"] | ["Users" | "Groups", _]) => return Err(Problem::new(&SCIM_METHOD)),
        _ => return Err(missing()),
    };
    Ok(done)
}

async fn done(call: &Call, base: &str, operation: &Operation) -> Done {
    match run(call, base, operation).await {
        Ok((status, made)) => Done { status, made, error: None },
        Err(problem) => failed(call, &problem),
    }
}

fn failed(call: &Call, problem: &Problem) -> Done {
    let (status, error) = reply::scim_error(call.lang, problem);
    Done { status: status.as_u16(), made: None, error: Some(error) }
}

/// POST /Bulk
pub async fn bulk(call: Arc<Call>) -> Result<Response, Fault> {
    if !call.may(Right::USERS_PROVISION) {
        return Err(Fault::own(Problem::new(&FORBIDDEN)));
    }
    let body = body(&call)?;
    let syntax = || Fault::own(Problem::new(&SCIM_SYNTAX).at("Operations"));
    let list = field(&body, "Operations").and_then(Value::as_array).ok_or_else(syntax)?;
    if list.is_empty() || list.len() > MOST {
        let text =
            Text::owned(format!("1 件以上 {MOST} 件以下にしてください。"), format!("Give 1 to {MOST} operations."));
        return Err(Fault::own(
            Problem::new(if list.is_empty() { &SCIM_SYNTAX } else { &crate::problem::SCIM_TOO_LARGE })
                .at("Operations")
                .detail(text),
        ));
    }
    let operations = list.iter().map(Operation::of).collect::<Result<Vec<_>, _>>()?;
    let mut ids: Vec<&str> = operations.iter().filter_map(|o| o.bulk_id.as_deref()).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|w| w[0] == w[1]) {
        return Err(Fault::own(Problem::new(&SCIM_SYNTAX).at("bulkId")));
    }
    let most = field(&body, "failOnErrors").and_then(Value::as_u64).filter(|n| *n > 0);
    let results = all(&call, operations.clone(), most).await;
    let shown: Vec<Value> = operations.iter().zip(results).filter_map(|(o, r)| Some(told(o, r?))).collect();
    answer(StatusCode::OK, &json!({ "schemas": [RESPONSE], "Operations": shown }))
}

fn told(operation: &Operation, done: Done) -> Value {
    let mut out = Map::new();
    out.insert("method".into(), json!(operation.method));
    out.insert("status".into(), json!(done.status.to_string()));
    if let Some(bulk_id) = &operation.bulk_id {
        out.insert("bulkId".into(), json!(bulk_id));
    }
    if let Some(made) = done.made {
        out.insert("location".into(), json!(made.location));
        out.insert("version".into(), json!(made.etag));
    }
    if let Some(error) = done.error {
        out.insert("response".into(), error);
    }
    Value::Object(out)
}

/// Runs them in order, save that one which refers to what a later one makes waits for it; those that make something and
/// follow each other run side by side. Stops when so many have failed.
async fn all(call: &Arc<Call>, operations: Vec<Operation>, most: Option<u64>) -> Vec<Option<Done>> {
    let base = base(call);
    let mut results: Vec<Option<Done>> = operations.iter().map(|_| None).collect();
    let mut known: HashMap<String, String> = HashMap::new();
    let mut waiting: Vec<usize> = (0..operations.len()).collect();
    let mut errors = 0;
    let enough = |errors: u64| most.is_some_and(|most| errors >= most);
    loop {
        let (mut later, mut progress) = (Vec::new(), false);
        let mut queue = waiting.into_iter().peekable();
        while let Some(at) = queue.next() {
            if enough(errors) {
                return results;
            }
            let ready = |at: usize| operations[at].references().iter().all(|r| known.contains_key(r));
            if !ready(at) {
                later.push(at);
                continue;
            }
            let mut batch = vec![at];
            let makes = |at: usize| operations[at].method == "POST";
            let mut taken: HashSet<String> = operations[at].unique().collect();
            // One that must stop at the first errors runs alone: nothing after it may be done already.
            while let Some(next) = queue.peek().copied() {
                if most.is_some() || !makes(at) || !makes(next) || !ready(next) || batch.len() >= AT_ONCE {
                    break;
                }
                // Of two that want the same name, the first in the request has it.
                if !operations[next].unique().all(|value| taken.insert(value)) {
                    break;
                }
                batch.push(next);
                queue.next();
            }
            for (at, done) in side_by_side(call, &base, &operations, &known, batch).await {
                errors += u64::from(done.error.is_some());
                if let (Some(bulk_id), Some(made)) = (&operations[at].bulk_id, &done.made) {
                    known.insert(bulk_id.clone(), made.id.clone());
                }
                results[at] = Some(done);
                progress = true;
            }
        }
        if later.is_empty() {
            return results;
        }
        if !progress {
            // They refer to each other, or to what was never made.
            for at in later {
                let problem = Problem::new(&SCIM_VALUE).at("bulkId").detail(Text::new(
                    "参照先の bulkId が解決できません。",
                    "The bulkId that it refers to stands for nothing.",
                ));
                let (_, error) = reply::scim_error(call.lang, &problem);
                results[at] = Some(Done { status: 409, made: None, error: Some(conflict(error)) });
            }
            return results;
        }
        waiting = later;
    }
}

/// An unresolved reference is a conflict (RFC 7644 §3.7.1).
fn conflict(mut error: Value) -> Value {
    error["status"] = json!("409");
    error
}

async fn side_by_side(
    call: &Arc<Call>,
    base: &str,
    operations: &[Operation],
    known: &HashMap<String, String>,
    batch: Vec<usize>,
) -> Vec<(usize, Done)> {
    if let [at] = batch[..] {
        return vec![(at, done(call, base, &operations[at].resolved(known)).await)];
    }
    let mut running = JoinSet::new();
    for at in batch {
        let (call, base, operation) = (Arc::clone(call), base.to_owned(), operations[at].resolved(known));
        running.spawn(async move { (at, done(&call, &base, &operation).await) });
    }
    running.join_all().await
}
