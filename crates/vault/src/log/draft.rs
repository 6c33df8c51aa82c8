//! An entry on its way into the log: the OCSF event encoded once, committed to with a salt, sealed, inserted.

use std::borrow::Cow;

use sekisho_kernel::{Cx, Event, Outcome, Problem, Rng, Time, id::EntryId, id::TenantId, problem::INTERNAL, rng};
use sekisho_keys::{Place, TenantKeys};
use sekisho_ledger::{Entry, Format, Leaf, Salt};
use sekisho_store::{Param, Sql, params};
use serde::{Deserialize, Serialize};

use super::sql;

/// The table that entry bodies are sealed for.
pub(crate) const TABLE: &str = "ledger_entry";
/// Entry bodies never change, so their version never moves.
pub(crate) const VERSION: i64 = 1;
/// Names and values of details are cut to these lengths in bytes.
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 8 << 10;

/// What history shows of an entry. What OCSF has a place for stands there, the rest under `unmapped.sekisho`.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub event: String,
    pub outcome: Outcome,
    pub actor: String,
    pub object: String,
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
    metadata: Metadata<'a>,
    actor: Actor<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint<'a>>,
    #[serde(flatten)]
    subject: Subject<'a>,
    unmapped: Unmapped<'a>,
}

/// What a class asks for about whom or what the event was done to.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Subject<'a> {
    /// Account change, authentication, user access management.
    User(Uid<'a>),
    /// Group management.
    Group(Uid<'a>),
    /// API activity.
    Api { operation: &'a str },
    /// Application lifecycle.
    App(Product<'a>),
    /// Detection finding.
    FindingInfo { uid: &'a str, title: &'a str },
    /// HTTP activity.
    HttpRequest { url: Url<'a> },
}

#[derive(Serialize)]
struct Uid<'a> {
    uid: &'a str,
}

#[derive(Serialize)]
struct Url<'a> {
    path: &'a str,
}

impl<'a> Subject<'a> {
    fn of(own: &'a Own, event: &'static Event) -> Self {
        let object = Uid { uid: &own.object };
        match event.class_uid {
            3_001 | 3_002 | 3_005 => Self::User(object),
            3_006 => Self::Group(object),
            6_002 => Self::App(PRODUCT),
            2_004 => Self::FindingInfo { uid: &own.object, title: &event.text.en },
            4_002 => Self::HttpRequest { url: Url { path: &own.object } },
            _ => Self::Api { operation: event.name },
        }
    }
}

/// A person, or a part of the system.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Actor<'a> {
    #[serde(borrow)]
    User(User<'a>),
    #[serde(borrow)]
    AppName(Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    type_id: u8,
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

const PRODUCT: Product<'static> = Product { name: "Sekisho", vendor_name: "Sekisho" };

#[derive(Serialize)]
struct Product<'a> {
    name: &'a str,
    vendor_name: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Endpoint<'a> {
    #[serde(borrow)]
    ip: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct Unmapped<'a> {
    #[serde(borrow)]
    sekisho: Rest<'a>,
}

/// What OCSF has no place for.
#[derive(Serialize, Deserialize)]
struct Rest<'a> {
    outcome: Outcome,
    #[serde(borrow)]
    object: Cow<'a, str>,
    #[serde(borrow)]
    via: Cow<'a, str>,
    #[serde(borrow)]
    detail: Cow<'a, [(String, String)]>,
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
    pub(super) id: EntryId,
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
    let name = Cow::Borrowed(own.actor.as_str());
    let ocsf = Ocsf {
        activity_id: event.activity_id,
        category_uid: event.class_uid / 1_000,
        class_uid: event.class_uid,
        type_uid: event.class_uid * 100 + event.activity_id,
        severity_id: 1,
        time: now.micros().div_euclid(1_000),
        status: if own.outcome == Outcome::Success { "Success" } else { "Failure" },
        status_id: own.outcome.ocsf_status(),
        metadata: Metadata {
            version: "1.3.0",
            product: PRODUCT,
            uid: id.to_string(),
            event_code: event.name,
            correlation_uid: &own.trace,
            tenant_uid: log.to_string(),
        },
        actor: if own.actor.starts_with("usr_") {
            Actor::User(User { uid: name, type_id: 1 })
        } else {
            Actor::AppName(name)
        },
        src_endpoint: own.address.as_deref().map(|ip| Endpoint { ip: ip.into() }),
        subject: Subject::of(own, event),
        unmapped: Unmapped {
            sekisho: Rest {
                outcome: own.outcome,
                object: own.object.as_str().into(),
                via: own.via.as_str().into(),
                detail: own.detail.as_slice().into(),
            },
        },
    };
    let mut out = Vec::with_capacity(768);
    serde_json::to_writer(&mut out, &ocsf).expect("plain structs of texts and numbers have a JSON form");
    out
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

/// Inserts sealed entries, within whatever transaction `db` is.
///
/// # Errors
/// The store's.
pub(crate) fn insert(db: &mut dyn Sql, entries: &[Sealed]) -> Result<(), Problem> {
    let keys: Vec<_> = entries.iter().map(|e| (e.log.bytes(), e.id.bytes())).collect();
    let rows: Vec<_> = entries.iter().zip(&keys).map(|(e, (log, id))| e.row(log, id)).collect();
    db.exec_many(sql::INSERT_ENTRY, &rows)?;
    let pending = entries.iter().zip(&keys).map(|(e, (log, id))| params![log, id, &e.commitment].to_vec());
    db.exec_many(sql::INSERT_PENDING, &pending.collect::<Vec<_>>())?;
    Ok(())
}

impl Sealed {
    fn row<'a>(&'a self, log: &'a [u8; 16], id: &'a [u8; 16]) -> Vec<Param<'a>> {
        params![
            log,
            id,
            i64::from(self.format as u8),
            self.at,
            &self.event,
            self.outcome.name(),
            &self.actor,
            &self.x_object,
            &self.sealed
        ]
        .to_vec()
    }
}

/// Seals and inserts.
///
/// # Errors
/// As [`seal`] and [`insert`].
pub(crate) fn append(db: &mut dyn Sql, keys: &TenantKeys, rng: &dyn Rng, draft: Draft) -> Result<EntryId, Problem> {
    let sealed = seal(keys, rng, draft)?;
    insert(db, std::slice::from_ref(&sealed))?;
    Ok(sealed.id)
}

/// A stored body opened: salt and entry bytes.
pub(crate) fn open(keys: &TenantKeys, id: [u8; 16], sealed: Vec<u8>) -> Result<(Salt, Vec<u8>), Problem> {
    let plain = keys.open(Place { table: TABLE, id, version: VERSION }, sealed)?;
    let (salt, bytes) = plain.split_at_checked(32).ok_or_else(|| Problem::new(&INTERNAL).log("a body without salt"))?;
    Ok((salt.try_into().expect("split at 32"), bytes.to_vec()))
}

/// What history shows, out of an entry's body.
pub(crate) fn own(body: &[u8]) -> Option<Own> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        metadata: Codes<'a>,
        #[serde(borrow)]
        actor: Actor<'a>,
        #[serde(borrow)]
        src_endpoint: Option<Endpoint<'a>>,
        #[serde(borrow)]
        unmapped: Unmapped<'a>,
    }
    #[derive(Deserialize)]
    struct Codes<'a> {
        #[serde(borrow)]
        event_code: Cow<'a, str>,
        #[serde(borrow)]
        correlation_uid: Cow<'a, str>,
    }
    let event: Event<'_> = serde_json::from_slice(body).ok()?;
    let rest = event.unmapped.sekisho;
    Some(Own {
        event: event.metadata.event_code.into_owned(),
        outcome: rest.outcome,
        actor: match event.actor {
            Actor::User(User { uid, .. }) => uid.into_owned(),
            Actor::AppName(name) => name.into_owned(),
        },
        object: rest.object.into_owned(),
        address: event.src_endpoint.map(|e| e.ip.into_owned()),
        via: rest.via.into_owned(),
        trace: event.metadata.correlation_uid.into_owned(),
        detail: rest.detail.into_owned(),
    })
}
