//! The lawful purge: entries past their retention lose their bodies, and an entry says which and by what rule.

use std::time::Duration;

use sekisho_kernel::{Cx, Outcome, Problem, Rng, Time, event, id::TenantId, problem::INTERNAL};
use sekisho_keys::TenantKeys;
use sekisho_ledger::{Format, Purge};
use sekisho_store::{Sql, params};

use super::{draft, sql};
use crate::ids;

/// Most entries purged in one transaction.
const BATCH: i64 = 5_000;

/// The least id that an entry of `at` can have (UUIDv7 begins with the milliseconds).
pub(crate) fn least_id(at: Time) -> [u8; 16] {
    let millis = u64::try_from(at.micros().div_euclid(1_000)).unwrap_or(0);
    let mut id = [0; 16];
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id
}

/// Purges one batch of a log's entries that are past `keep` at `now`. `true` when there may be more.
pub(crate) fn purge(
    db: &mut dyn Sql,
    cx: &Cx,
    keys: &TenantKeys,
    rng: &dyn Rng,
    log: TenantId,
    keep: Duration,
    now: Time,
) -> Result<bool, Problem> {
    let before = now.minus(keep);
    let old = db.query(sql::OLD, &params![&log.bytes(), &least_id(before), BATCH])?;
    let Some(first) = old.first() else { return Ok(false) };
    // One purge entry speaks of one epoch.
    let epoch = first.int(0)?;
    let mut leaves: Vec<(u64, u64)> = Vec::new();
    let mut ids = Vec::new();
    for row in &old {
        if row.int(0)? != epoch {
            break;
        }
        let index = u64::try_from(row.int(1)?).map_err(|_| Problem::new(&INTERNAL).log("a negative leaf index"))?;
        match leaves.last_mut() {
            Some((_, end)) if *end == index => *end += 1,
            _ => leaves.push((index, index + 1)),
        }
        ids.push(row.blob(2)?.to_vec());
    }
    let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
    let statement = Purge {
        rule: "audit.retention".into(),
        class: "audit".into(),
        before_micros: before.micros(),
        keep_micros: micros(keep),
        epoch: u32::try_from(epoch).map_err(|_| Problem::new(&INTERNAL).log("an epoch out of range"))?,
        leaves,
        receipt: None,
    };
    let id = ids::entry(now, rng);
    let detail = [("entries", ids.len().to_string()), ("before", before.rfc3339())];
    let entry =
        draft::Draft::event(cx, log, &event::LEDGER_PURGE, Outcome::Success, &log.to_string(), &detail, id, now)
            .reshape(Format::Purge, |value| statement.to_body(value))?;
    draft::append(db, keys, rng, entry)?;
    let log_bytes = log.bytes();
    let rows: Vec<_> = ids.iter().map(|id| params![&log_bytes, id].to_vec()).collect();
    db.exec_many(sql::FORGET, &rows)?;
    Ok(old.len() as i64 == BATCH || ids.len() < old.len())
}
