//! Reading the log back: search, one entry, its proof.

use std::cell::RefCell;

use sekisho_kernel::{Problem, Text, id::EntryId, id::TenantId, problem::INTERNAL, problem::INVALID};
use sekisho_keys::{TenantKeys, normalise};
use sekisho_ledger::{TlogProof, Tree, inclusion_proof, parse_checkpoint, parse_entry};
use sekisho_store::{Read, params};

use super::{draft, purge::least_id, sql, tiles::DbTiles};
use crate::history::{Filter, Found, Row, State};

/// Most entries that a free-text search unseals.
const MOST_UNSEALED: usize = 10_000;
const MOST: u32 = 200;
const USUAL: u32 = 50;

fn row(keys: &TenantKeys, stored: &sekisho_store::Row) -> Result<Row, Problem> {
    let broken = || Problem::new(&INTERNAL).log("an entry of the ledger does not read as one: verify the log");
    let id: [u8; 16] = stored.blob(0)?.try_into().map_err(|_| broken())?;
    let (_, bytes) = draft::open(keys, id, stored.blob(1)?.to_vec())?;
    let entry = parse_entry(&bytes).map_err(|_| broken())?;
    let own = draft::own(entry.body).ok_or_else(broken)?;
    let state = match (stored.opt_int(3)?, stored.opt_int(4)?) {
        (Some(index), Some(signed)) if index < signed => State::Protected,
        (Some(_), _) => State::Sequenced,
        _ => State::Accepted,
    };
    Ok(Row {
        id: EntryId::from_bytes(id),
        at: entry.at(),
        event: own.event,
        outcome: own.outcome,
        actor: own.actor,
        object: own.object,
        address: own.address,
        via: own.via,
        trace: own.trace,
        detail: own.detail,
        state,
        ocsf: String::from_utf8_lossy(entry.body).into_owned(),
    })
}

impl Row {
    fn holds(&self, needle: &str) -> bool {
        let mut texts = [&self.event, &self.actor, &self.object, &self.via, &self.trace]
            .into_iter()
            .chain(self.address.as_ref())
            .chain(self.detail.iter().flat_map(|(n, v)| [n, v]));
        texts.any(|t| normalise(t).contains(needle))
    }
}

/// Entries of a log, newest first.
pub(crate) fn find(db: &mut dyn Read, keys: &TenantKeys, log: TenantId, filter: &Filter) -> Result<Found, Problem> {
    let limit = match filter.limit {
        0 => USUAL,
        n => n.min(MOST),
    } as usize;
    let to = filter.to.map_or([0xff; 16], least_id);
    let mut before = filter.before.map_or(to, |id| id.bytes().min(to));
    let from = filter.from.map_or([0; 16], least_id);
    let object = filter.object.as_ref().map(|o| draft::object_index(keys, o));
    let (event, prefix) = match &filter.event {
        Some(e) if e.ends_with('.') => (None, e.as_str()),
        Some(e) => (Some(e.as_str()), ""),
        None => (None, ""),
    };
    let needle = filter.text.as_ref().map(|t| normalise(t)).filter(|t| !t.is_empty());
    // One more than asked for tells whether there is a next page.
    let batch = if needle.is_some() { 500 } else { limit + 1 };
    let (mut rows, mut unsealed) = (Vec::new(), 0);
    loop {
        let stored = db.query(
            sql::FIND,
            &params![
                &log.bytes(),
                &before,
                &from,
                filter.actor.as_deref(),
                filter.outcome.map(sekisho_kernel::Outcome::name),
                object.as_ref(),
                event,
                prefix,
                i64::try_from(batch).unwrap_or(i64::MAX)
            ],
        )?;
        for one in &stored {
            let row = row(keys, one)?;
            before = row.id.bytes();
            unsealed += 1;
            if needle.as_deref().is_none_or(|n| row.holds(n)) {
                rows.push(row);
            }
            if rows.len() > limit {
                rows.pop();
                let next = rows.last().map(|r: &Row| r.id);
                return Ok(Found { rows, next });
            }
        }
        if stored.len() < batch {
            return Ok(Found { rows, next: None });
        }
        if unsealed >= MOST_UNSEALED {
            let detail = Text::new(
                "自由な文字列での検索は、選んだ期間の 10,000 件までです。",
                "A free-text search looks through at most 10,000 entries of the chosen time.",
            );
            return Err(Problem::new(&INVALID).at("text").detail(detail));
        }
    }
}

/// One entry.
pub(crate) fn one(db: &mut dyn Read, keys: &TenantKeys, log: TenantId, id: EntryId) -> Result<Option<Row>, Problem> {
    let stored = db.query_opt(sql::ONE, &params![&log.bytes(), &id.bytes()])?;
    stored.map(|s| row(keys, &s)).transpose()
}

/// The newest signed checkpoint of a log: epoch, size, note.
pub(crate) fn checkpoint(db: &mut dyn Read, log: TenantId) -> Result<Option<(u32, i64, String)>, Problem> {
    let Some(row) = db.query_opt(sql::NEWEST_CHECKPOINT, &params![&log.bytes()])? else { return Ok(None) };
    let epoch = u32::try_from(row.int(0)?).map_err(|_| Problem::new(&INTERNAL).log("an epoch out of range"))?;
    Ok(Some((epoch, row.int(1)?, String::from_utf8_lossy(row.blob(2)?).into_owned())))
}

/// The C2SP tlog-proof of an entry, once a checkpoint covers it.
pub(crate) fn proof(db: &mut dyn Read, log: TenantId, id: EntryId) -> Result<Option<String>, Problem> {
    let Some(stored) = db.query_opt(sql::ONE, &params![&log.bytes(), &id.bytes()])? else { return Ok(None) };
    let (Some(epoch), Some(index)) = (stored.opt_int(2)?, stored.opt_int(3)?) else { return Ok(None) };
    let Some((newest, size, note)) = checkpoint(db, log)? else { return Ok(None) };
    if i64::from(newest) != epoch || index >= size {
        return Ok(None);
    }
    let unsigned = |n: i64| u64::try_from(n).map_err(|_| Problem::new(&INTERNAL).log("a negative leaf index"));
    let (index, size) = (unsigned(index)?, unsigned(size)?);
    let cell = RefCell::new(db);
    let tiles = DbTiles::new(&cell, log.bytes(), newest);
    let hashes = inclusion_proof(&Tree::new(&tiles, size), index)?;
    let checkpoint = parse_checkpoint(note.as_bytes()).map_err(|e| Problem::new(&INTERNAL).log(e))?;
    Ok(Some(TlogProof { extra: None, index, hashes, checkpoint }.encode()))
}
