//! An entry on its way into the log: the OCSF event encoded once, committed to with a salt, sealed, inserted.

use std::collections::BTreeMap;

use sekisho_kernel::{Cx, Event, Outcome, Problem, Rng, Time, id::EntryId, id::TenantId, problem::INTERNAL, rng};
use sekisho_keys::{Place, TenantKeys};
use sekisho_ledger::{Entry, Format, Leaf, Salt};
use sekisho_store::{Sql, params};
use serde::{Deserialize, Serialize};

use super::sql;

/// The table that entry bodies are sealed for.
pub(crate) const TABLE: &str = "ledger_entry";
/// Entry bodies never change, so their version never moves.
pub(crate) const VERSION: i64 = 1;
/// Names and values of details are cut to these lengths in bytes.
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 8 << 10;

/// Our part of the event, under `unmapped.sekisho`: everything that history shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Own {
    pub event: String,
    pub outcome: Outcome,
    pub actor: String,
    pub object: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub via: String,
    pub trace: String,
    pub detail: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Ocsf<'a> {
    activity_id: u32,
    category_uid: u32,
    class_uid: u32,
    type_uid: u32,
    severity_id: u8,
    time: i64,
    status: &'a str,
    status_id: u8,
    message: &'a str,
    metadata: Metadata<'a>,
    actor: BTreeMap<&'a str, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint<'a>>,
    unmapped: Unmapped<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'a str,
    product: Product<'a>,
    uid: String,
    event_code: &'a str,
    correlation_uid: &'a str,
    tenant_uid: String,
}

#[derive(Serialize)]
struct Product<'a> {
    name: &'a str,
    vendor_name: &'a str,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    ip: &'a str,
}

#[derive(Serialize)]
struct Unmapped<'a> {
    sekisho: &'a Own,
}

/// An entry before it is sealed.
pub(crate) struct Draft {
    log: TenantId,
    id: EntryId,
    at: Time,
    format: Format,
    own: Own,
    body: Vec<u8>,
}

/// An entry ready to be inserted.
pub(crate) struct Sealed {
    log: TenantId,
    id: EntryId,
    at: Time,
    format: Format,
    event: String,
    outcome: Outcome,
    actor: String,
    x_object: Vec<u8>,
    commitment: [u8; 32],
    sealed: Vec<u8>,
}

fn cut(text: &str, longest: usize) -> String {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

impl Draft {
    /// The event of an act: who, when, what, to what, how it ended, from where.
    #[expect(clippy::too_many_arguments, reason = "the parts of one sentence, each of another type")]
    pub(crate) fn event(
        cx: &Cx,
        log: TenantId,
        event: &'static Event,
        outcome: Outcome,
        object: &str,
        detail: &[(&'static str, String)],
        id: EntryId,
        now: Time,
    ) -> Self {
        let own = Own {
            event: event.name.to_owned(),
            outcome,
            actor: cx.actor.name(),
            object: cut(object, LONGEST_VALUE),
            address: cx.peer.map(|p| p.to_canonical().to_string()),
            via: cx.via.name().to_owned(),
            trace: cx.trace.to_string(),
            detail: detail.iter().map(|(n, v)| (cut(n, LONGEST_NAME), cut(v, LONGEST_VALUE))).collect(),
        };
        let body = ocsf(&own, event, log, id, now);
        Self { log, id, at: now, format: Format::Event, own, body }
    }

    /// Puts a body of another format in place, made from this one's.
    ///
    /// # Errors
    /// Whatever `make` returns.
    pub(crate) fn reshape(
        mut self,
        format: Format,
        make: impl FnOnce(serde_json::Value) -> Result<Vec<u8>, sekisho_ledger::Malformed>,
    ) -> Result<Self, Problem> {
        let value = serde_json::from_slice(&self.body).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        self.body = make(value).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        self.format = format;
        Ok(self)
    }
}

fn ocsf(own: &Own, event: &'static Event, log: TenantId, id: EntryId, now: Time) -> Vec<u8> {
    let mut actor = BTreeMap::new();
    if own.actor.starts_with("usr_") {
        actor.insert("user", serde_json::json!({ "uid": own.actor, "type_id": 1 }));
    } else {
        actor.insert("app_name", serde_json::Value::String(own.actor.clone()));
    }
    let ocsf = Ocsf {
        activity_id: event.activity_id,
        category_uid: event.class_uid / 1_000,
        class_uid: event.class_uid,
        type_uid: event.class_uid * 100 + event.activity_id,
        severity_id: 1,
        time: now.micros().div_euclid(1_000),
        status: if own.outcome == Outcome::Success { "Success" } else { "Failure" },
        status_id: own.outcome.ocsf_status(),
        message: &event.text.en,
        metadata: Metadata {
            version: "1.3.0",
            product: Product { name: "Sekisho", vendor_name: "Sekisho" },
            uid: id.to_string(),
            event_code: event.name,
            correlation_uid: &own.trace,
            tenant_uid: log.to_string(),
        },
        actor,
        src_endpoint: own.address.as_deref().map(|ip| Endpoint { ip }),
        unmapped: Unmapped { sekisho: own },
    };
    serde_json::to_vec(&ocsf).expect("plain structs of texts and numbers have a JSON form")
}

/// Commits to the entry and seals it, on the caller's thread.
///
/// # Errors
/// `SK-2006` when the tenant's keys were destroyed.
pub(crate) fn seal(keys: &TenantKeys, rng: &dyn Rng, draft: Draft) -> Result<Sealed, Problem> {
    let Draft { log, id, at, format, own, body } = draft;
    let bytes = Entry { log: log.bytes(), id: id.bytes(), format, at_micros: at.micros(), body }.encode();
    let salt: Salt = rng::bytes(rng);
    let leaf = Leaf::of(&salt, &bytes).map_err(|e| Problem::new(&INTERNAL).log(e))?;
    let mut buffer = Vec::with_capacity(sekisho_keys::OVERHEAD + salt.len() + bytes.len());
    buffer.resize(sekisho_keys::HEADER, 0);
    buffer.extend_from_slice(&salt);
    buffer.extend_from_slice(&bytes);
    keys.seal_in_place(Place { table: TABLE, id: id.bytes(), version: VERSION }, &mut buffer)?;
    let x_object = object_index(keys, &own.object);
    let Own { event, outcome, actor, .. } = own;
    Ok(Sealed { log, id, at, format, event, outcome, actor, x_object, commitment: leaf.commitment.0, sealed: buffer })
}

/// The blind index by which history finds the entries about an object.
pub(crate) fn object_index(keys: &TenantKeys, object: &str) -> Vec<u8> {
    keys.mac("ledger/object", object.as_bytes()).to_vec()
}

/// Inserts a sealed entry, within whatever transaction `db` is.
///
/// # Errors
/// The store's.
pub(crate) fn insert(db: &mut dyn Sql, sealed: &Sealed) -> Result<(), Problem> {
    let (log, id) = (sealed.log.bytes(), sealed.id.bytes());
    db.exec(
        sql::INSERT_ENTRY,
        &params![
            &log,
            &id,
            i64::from(sealed.format as u8),
            sealed.at,
            &sealed.event,
            sealed.outcome.name(),
            &sealed.actor,
            &sealed.x_object,
            &sealed.sealed
        ],
    )?;
    db.exec(sql::INSERT_PENDING, &params![&log, &id, &sealed.commitment])?;
    Ok(())
}

/// Seals and inserts.
///
/// # Errors
/// As [`seal`] and [`insert`].
pub(crate) fn append(db: &mut dyn Sql, keys: &TenantKeys, rng: &dyn Rng, draft: Draft) -> Result<EntryId, Problem> {
    let sealed = seal(keys, rng, draft)?;
    insert(db, &sealed)?;
    Ok(sealed.id)
}

/// A stored body opened: salt and entry bytes.
pub(crate) fn open(keys: &TenantKeys, id: [u8; 16], sealed: Vec<u8>) -> Result<(Salt, Vec<u8>), Problem> {
    let plain = keys.open(Place { table: TABLE, id, version: VERSION }, sealed)?;
    let (salt, bytes) = plain.split_at_checked(32).ok_or_else(|| Problem::new(&INTERNAL).log("a body without salt"))?;
    Ok((salt.try_into().expect("split at 32"), bytes.to_vec()))
}

/// Our part of an entry's body.
pub(crate) fn own(body: &[u8]) -> Option<Own> {
    #[derive(Deserialize)]
    struct Event {
        unmapped: Unmapped,
    }
    #[derive(Deserialize)]
    struct Unmapped {
        sekisho: Own,
    }
    serde_json::from_slice::<Event>(body).ok().map(|e| e.unmapped.sekisho)
}
