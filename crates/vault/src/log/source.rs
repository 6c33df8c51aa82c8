//! The log as the verifier reads it: on a live store, on a copied database, with keys or without.

use std::cell::RefCell;

use sekisho_kernel::{Problem, id::TenantId, problem::INTERNAL};
use sekisho_keys::{Keys, TenantKeys};
use sekisho_ledger::{
    Body, EpochHead, Hash, KeyKind, Kind, Leaf, LogSource, Report, Row, TileId, Tiles, Trust, VerifierKey,
    parse_checkpoint, parse_entry, verify_log,
};
use sekisho_store::{Read, params};

use super::{draft, sequence, sql, tiles::DbTiles};

/// One log in a store.
pub(crate) struct Source<'d> {
    db: RefCell<&'d mut dyn Read>,
    log: TenantId,
    keys: Option<TenantKeys>,
}

fn shape(what: &'static str) -> Problem {
    Problem::new(&INTERNAL).log(format!("{what} of the ledger has another shape"))
}

fn small(n: i64, what: &'static str) -> Result<u32, Problem> {
    u32::try_from(n).map_err(|_| shape(what))
}

impl<'d> Source<'d> {
    pub(crate) fn new(db: &'d mut dyn Read, log: TenantId, keys: Option<TenantKeys>) -> Self {
        Self { db: RefCell::new(db), log, keys }
    }

    /// A row from columns id, commitment, format, at, event, outcome, actor, x_object, sealed, beginning at `c`.
    fn row(&self, stored: &sekisho_store::Row, c: usize) -> Result<Row, Problem> {
        // A column of another length is tampering, to be found by the verifier, not an error of the store.
        let mut id = [0; 16];
        let blob = stored.blob(c)?;
        if blob.len() == 16 {
            id.copy_from_slice(blob);
        }
        let mut commitment = [0; 32];
        let blob = stored.blob(c + 1)?;
        if blob.len() == 32 {
            commitment.copy_from_slice(blob);
        }
        let leaf = Leaf { id, commitment: Hash(commitment) };
        let Some(sealed) = stored.opt_blob(c + 8)? else { return Ok(Row { leaf, body: Body::Missing, differs: None }) };
        let Some(keys) = &self.keys else { return Ok(Row { leaf, body: Body::Sealed, differs: None }) };
        let Ok((salt, bytes)) = draft::open(keys, id, sealed.to_vec()) else {
            return Ok(Row { leaf, body: Body::Broken, differs: None });
        };
        let differs = differs(keys, stored, c, &bytes)?;
        Ok(Row { leaf, body: Body::Open { salt, bytes }, differs })
    }
}

/// The name of the first clear column that does not say what the body says.
fn differs(keys: &TenantKeys, stored: &sekisho_store::Row, c: usize, bytes: &[u8]) -> Result<Option<String>, Problem> {
    let Ok(entry) = parse_entry(bytes) else { return Ok(Some("sealed".into())) };
    let Some(own) = draft::own(entry.body) else { return Ok(Some("sealed".into())) };
    let checks = [
        ("format", stored.int(c + 2)? == i64::from(entry.format as u8)),
        ("at", stored.int(c + 3)? == entry.at_micros),
        ("event", stored.text(c + 4)? == own.event),
        ("outcome", stored.text(c + 5)? == own.outcome.name()),
        ("actor", stored.text(c + 6)? == own.actor),
        ("x_object", stored.blob(c + 7)? == draft::object_index(keys, &own.object)),
    ];
    Ok(checks.into_iter().find(|(_, same)| !same).map(|(name, _)| name.to_owned()))
}

impl LogSource for Source<'_> {
    fn log(&self) -> [u8; 16] {
        self.log.bytes()
    }

    fn claimed_keys(&self) -> Result<Vec<VerifierKey>, Problem> {
        let mut db = self.db.borrow_mut();
        let Some(house) = db.query_opt(sql::HOUSE, &[])? else { return Ok(Vec::new()) };
        let name = sequence::key_name(house.text(0)?);
        let mut keys = Vec::new();
        for row in db.query(sql::CLAIMED_KEYS, &[])? {
            let Ok(public) = <[u8; 32]>::try_from(row.blob(0)?) else { continue };
            keys.extend(VerifierKey::new(&name, KeyKind::Ed25519, public).ok());
        }
        Ok(keys)
    }

    fn epochs(&self) -> Result<Vec<EpochHead>, Problem> {
        let rows = self.db.borrow_mut().query(sql::HEADS, &params![&self.log.bytes()])?;
        rows.iter()
            .map(|r| {
                let size = u64::try_from(r.int(2)?).map_err(|_| shape("a head"))?;
                Ok(EpochHead { epoch: small(r.int(0)?, "an epoch")?, origin: r.text(1)?.to_owned(), size })
            })
            .collect()
    }

    fn checkpoints(&self, epoch: u32) -> Result<Vec<Vec<u8>>, Problem> {
        let rows = self.db.borrow_mut().query(sql::CHECKPOINTS, &params![&self.log.bytes(), epoch])?;
        rows.iter().map(|r| Ok(r.blob(0)?.to_vec())).collect()
    }

    fn rows(&self, epoch: u32, from: u64, limit: usize) -> Result<Vec<(u64, Row)>, Problem> {
        let (from, limit) = (i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
        let stored = self.db.borrow_mut().query(sql::ROWS, &params![&self.log.bytes(), epoch, from, limit])?;
        stored.iter().map(|r| Ok((u64::try_from(r.int(0)?).map_err(|_| shape("a leaf"))?, self.row(r, 1)?))).collect()
    }

    fn tile(&self, epoch: u32, id: TileId) -> Result<Option<Vec<u8>>, Problem> {
        DbTiles::new(&self.db, self.log.bytes(), epoch).tile(id)
    }

    fn purges(&self) -> Result<Vec<(u32, u64)>, Problem> {
        let rows = self.db.borrow_mut().query(sql::PURGES, &params![&self.log.bytes()])?;
        rows.iter()
            .map(|r| Ok((small(r.int(0)?, "an epoch")?, u64::try_from(r.int(1)?).map_err(|_| shape("a leaf"))?)))
            .collect()
    }

    fn unsequenced(&self, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<Row>, Problem> {
        let after = after.unwrap_or([0; 16]);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows =
            self.db.borrow_mut().query(sql::UNSEQUENCED, &params![&self.log.bytes(), &after, limit, &[0u8; 32]])?;
        rows.iter().map(|r| self.row(r, 0)).collect()
    }

    fn strays(&self) -> Result<Vec<(u32, Kind)>, Problem> {
        let log = self.log.bytes();
        let mut out = Vec::new();
        let mut last = 0;
        let heads = self.db.borrow_mut().query(sql::HEADS, &params![&log])?;
        for head in &heads {
            let (epoch, size, signed) = (head.int(0)?, head.int(2)?, head.int(3)?);
            last = last.max(epoch);
            let number = u32::try_from(epoch).unwrap_or(0);
            let stray = |why: &str| (number, Kind::BadCheckpoint { why: why.to_owned() });
            // Each checkpoint names the one before it, and the head the newest: none can be taken out unseen.
            let (mut before, mut broken) = (0, false);
            self.db.borrow_mut().for_each(sql::CHECKPOINT_CHAIN, &params![&log, epoch], &mut |row| {
                let (at, prev) = (row.int(0)?, row.int(1)?);
                let noted = parse_checkpoint(row.blob(2)?).ok();
                let agrees = noted.is_some_and(|c| i64::try_from(c.checkpoint.size) == Ok(at));
                broken |= prev != before || !agrees;
                before = at;
                Ok(true)
            })?;
            if broken {
                out.push(stray("a stored checkpoint was changed, taken out or put in"));
            }
            if before != signed {
                out.push(stray("the newest stored checkpoint is not the one that the head names"));
            }
            let size = u64::try_from(size).unwrap_or(0);
            for level in 0..8 {
                let tiles = i64::try_from((size >> (8 * level)).div_ceil(256)).unwrap_or(i64::MAX);
                let rows = self.db.borrow_mut().query(sql::STRAY_TILE, &params![&log, epoch, level, tiles])?;
                for row in &rows {
                    let level = u8::try_from(row.int(0)?).unwrap_or(u8::MAX);
                    let index = u64::try_from(row.int(1)?).unwrap_or(u64::MAX);
                    out.push((number, Kind::AlteredTile { level, index }));
                }
            }
        }
        for row in self.db.borrow_mut().query(sql::STRAY_EPOCH, &params![&log, last])? {
            let why = format!("{} has rows of an epoch that never began", row.text(0)?);
            out.push((0, Kind::BadEpoch { why }));
        }
        for row in self.db.borrow_mut().query(sql::STRAY_PENDING, &params![&log])? {
            out.push((0, Kind::UnexpectedLoose { id: hex::encode(row.blob(0)?) }));
        }
        Ok(out)
    }
}

/// Every log in the store.
pub(crate) fn logs(db: &mut dyn Read) -> Result<Vec<TenantId>, Problem> {
    let mut out = vec![TenantId::NIL];
    for row in db.query(sql::LOGS, &[])? {
        // An id of another length is nobody's; whose it was is missed as a log without a head.
        out.extend(TenantId::from_slice(row.blob(0)?).filter(|log| !log.is_nil()));
    }
    Ok(out)
}

/// Verifies every log in the store, or the one asked for. Without `keys` the bodies stay unchecked, and the reports say so.
pub(crate) fn verify(
    db: &mut dyn Read,
    keys: Option<&Keys>,
    only: Option<TenantId>,
    trust: &Trust,
) -> Result<Vec<(TenantId, Report)>, Problem> {
    let all = match only {
        Some(log) => vec![log],
        None => logs(db)?,
    };
    let mut reports = Vec::new();
    for log in all {
        // A tenant whose keys were destroyed has bodies that nobody can open any more: they stay sealed.
        let keys = keys.and_then(|k| k.tenant(db, log).ok());
        let report = verify_log(&Source::new(db, log, keys), trust)?;
        reports.push((log, report));
    }
    Ok(reports)
}
