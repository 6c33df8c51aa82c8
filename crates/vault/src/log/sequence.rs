//! The sequencer: gives accepted entries their leaf, signs checkpoints, keeps the newest ones outside the database.

use std::{cell::RefCell, collections::BTreeMap, io::Write, path::Path, sync::Arc, time::Duration};

use sekisho_kernel::{Problem, Time, problem::INTERNAL};
use sekisho_keys::{Keys, Purpose};
use sekisho_ledger::{Checkpoint, Edge, Hash, KeyKind, Leaf, Origin, Signer, VerifierKey, parse_checkpoint};
use sekisho_store::{Read, Sql, params};

use super::{sql, tiles::DbTiles};

/// Least time between two checkpoints that are kept for ever.
const HOUR: Duration = Duration::from_secs(3_600);

/// The newest epoch of a log.
pub(crate) struct Head {
    pub epoch: u32,
    pub size: u64,
}

fn number(n: i64) -> Result<u64, Problem> {
    u64::try_from(n).map_err(|_| Problem::new(&INTERNAL).log("a negative size in the ledger"))
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn head(db: &mut dyn Read, log: &[u8; 16]) -> Result<Option<Head>, Problem> {
    let Some(row) = db.query_opt(sql::NEWEST_HEAD, &params![log])? else { return Ok(None) };
    let epoch = u32::try_from(row.int(0)?).map_err(|_| Problem::new(&INTERNAL).log("an epoch out of range"))?;
    Ok(Some(Head { epoch, size: number(row.int(2)?)? }))
}

/// Gives up to 4,096 accepted entries of each log their leaves. `true` when there may be more.
pub(crate) fn sequence(db: &mut dyn Sql, house: &str) -> Result<bool, Problem> {
    if !db.try_lock("ledger-sequencer")? {
        return Ok(false);
    }
    let mut more = false;
    for row in db.query(sql::PENDING_LOGS, &[])? {
        let log: [u8; 16] =
            row.blob(0)?.try_into().map_err(|_| Problem::new(&INTERNAL).log("a log id of another length"))?;
        more |= sequence_log(db, house, &log)?;
    }
    Ok(more)
}

fn sequence_log(db: &mut dyn Sql, house: &str, log: &[u8; 16]) -> Result<bool, Problem> {
    let pending = db.query(sql::PENDING, &params![log])?;
    let head = match head(db, log)? {
        Some(head) => head,
        None => {
            let origin = Origin { house: house.to_owned(), log: *log, epoch: 1 }.to_string();
            db.exec(sql::INSERT_HEAD, &params![log, 1, &origin])?;
            Head { epoch: 1, size: 0 }
        }
    };
    let mut leaves = Vec::with_capacity(pending.len());
    for row in &pending {
        let (Ok(id), Ok(commitment)) = (row.blob(0)?.try_into(), row.blob(1)?.try_into()) else {
            return Err(Problem::new(&INTERNAL).log("a pending entry of another shape"));
        };
        leaves.push(Leaf { id, commitment: Hash(commitment) });
    }
    let mut edge = {
        let read: &mut dyn Read = db;
        let cell = RefCell::new(read);
        Edge::load(&DbTiles::new(&cell, *log, head.epoch), head.size)?
    };
    let hashes: Vec<Hash> = leaves.iter().map(Leaf::hash).collect();
    for tile in edge.append(&hashes) {
        let (level, index) = (i64::from(tile.id.level), signed(tile.id.index));
        db.exec(sql::PUT_TILE, &params![log, head.epoch, level, index, &tile.bytes])?;
    }
    let rows: Vec<_> = leaves
        .iter()
        .zip(head.size..)
        .map(|(leaf, index)| params![log, head.epoch, signed(index), &leaf.id, &leaf.commitment.0].to_vec())
        .collect();
    db.exec_many(sql::INSERT_LEAF, &rows)?;
    if let Some(last) = leaves.last() {
        // Exactly those that have their leaf now: another may have been accepted meanwhile whose id is lower than the last one's.
        let gone = db.exec(sql::DELETE_PENDING, &params![log, head.epoch, signed(head.size), &last.id])?;
        if gone != leaves.len() as u64 {
            return Err(Problem::new(&INTERNAL).log("leaves without a pending entry"));
        }
    }
    // Two sequencers cannot fork a log: the second finds the head moved and its transaction ends.
    if db.exec(sql::MOVE_HEAD, &params![log, head.epoch, signed(head.size), signed(edge.size())])? != 1 {
        return Err(Problem::new(&INTERNAL).log("the head of a log moved under the sequencer"));
    }
    Ok(pending.len() == 4_096)
}

/// The instance's checkpoint key as the ledger's signer.
pub(crate) struct HouseSigner {
    signer: Arc<sekisho_keys::Signer>,
    key: VerifierKey,
}

/// The name under which an installation signs its checkpoints.
pub(crate) fn key_name(house: &str) -> String {
    format!("sekisho/{house}")
}

impl HouseSigner {
    pub(crate) fn new(keys: &Keys, house: &str) -> Result<Self, Problem> {
        let signer = keys.signer(Purpose::Checkpoint)?;
        let key = VerifierKey::new(&key_name(house), KeyKind::Ed25519, signer.public().bytes)
            .map_err(|e| Problem::new(&INTERNAL).log(e))?;
        Ok(Self { signer, key })
    }
}

impl Signer for HouseSigner {
    fn key(&self) -> &VerifierKey {
        &self.key
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Problem> {
        self.signer.sign(message)
    }
}

/// Signs the head of every log that has grown since its last checkpoint. `true` when there may be more.
pub(crate) fn checkpoint(db: &mut dyn Sql, signer: &HouseSigner) -> Result<bool, Problem> {
    if !db.try_lock("ledger-checkpoints")? {
        return Ok(false);
    }
    let heads = db.query(sql::UNSIGNED_HEADS, &[])?;
    for row in &heads {
        let log: [u8; 16] =
            row.blob(0)?.try_into().map_err(|_| Problem::new(&INTERNAL).log("a log id of another length"))?;
        let epoch = u32::try_from(row.int(1)?).map_err(|_| Problem::new(&INTERNAL).log("an epoch out of range"))?;
        let (origin, size) = (row.text(2)?.to_owned(), number(row.int(3)?)?);
        let root = {
            let read: &mut dyn Read = db;
            let cell = RefCell::new(read);
            Edge::load(&DbTiles::new(&cell, log, epoch), size)?.root()
        };
        let note = Checkpoint { origin, size, root }.sign(signer)?.note.encode();
        keep_checkpoint(db, &log, epoch, signed(size), note.as_bytes())?;
        db.exec(sql::SIGN_HEAD, &params![&log, epoch, signed(size)])?;
    }
    Ok(heads.len() == 256)
}

/// Stores a checkpoint: beside the newest one, or in its place when that is not an hour ahead of the one before it.
fn keep_checkpoint(db: &mut dyn Sql, log: &[u8; 16], epoch: u32, size: i64, note: &[u8]) -> Result<(), Problem> {
    let newest = db.query_opt(sql::LAST_CHECKPOINT, &params![log, epoch])?;
    let Some(newest) = newest else {
        db.exec(sql::INSERT_CHECKPOINT, &params![log, epoch, size, 0, note])?;
        return Ok(());
    };
    let (last, prev) = (newest.int(0)?, newest.int(1)?);
    let since = made(db, log, epoch, (prev - 1).max(0))?;
    if made(db, log, epoch, size - 1)?.since(since) < HOUR {
        db.exec(sql::MOVE_CHECKPOINT, &params![log, epoch, last, size, note])?;
    } else {
        db.exec(sql::INSERT_CHECKPOINT, &params![log, epoch, size, last, note])?;
    }
    Ok(())
}

/// When the entry of a leaf was made, by its id.
fn made(db: &mut dyn Sql, log: &[u8; 16], epoch: u32, index: i64) -> Result<Time, Problem> {
    let missing = || Problem::new(&INTERNAL).log("a leaf is missing from the ledger: verify the log");
    let row = db.query_opt(sql::LEAF_ID, &params![log, epoch, index])?.ok_or_else(missing)?;
    let id: [u8; 16] = row.blob(0)?.try_into().map_err(|_| missing())?;
    Ok(Time::from_micros(sekisho_ledger::id_micros(&id)))
}

/// The newest checkpoints of all logs, as the database has them.
pub(crate) fn newest(db: &mut dyn Read) -> Result<Vec<String>, Problem> {
    let rows = db.query(sql::ALL_NEWEST_CHECKPOINTS, &[])?;
    rows.iter().map(|r| Ok(String::from_utf8_lossy(r.blob(0)?).into_owned())).collect()
}

/// Reads a file of checkpoints kept outside the database: JSON, origin to signed note.
///
/// # Errors
/// The file cannot be read, or is not of its form.
pub fn read_outside(path: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let bytes = std::fs::read(path)?;
    serde_json::from_slice(&bytes).map_err(std::io::Error::from)
}

/// Merges `notes` into the file, never letting a log go back. A checkpoint in the file that is ahead of the database's
/// stays: it is what shows a rollback.
pub(crate) fn keep_outside(path: &Path, notes: &[String]) -> std::io::Result<()> {
    let mut kept = match read_outside(path) {
        Ok(kept) => kept,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
        Err(e) => return Err(e),
    };
    let size_of = |note: &str| parse_checkpoint(note.as_bytes()).map_or(0, |c| c.checkpoint.size);
    let mut changed = false;
    for note in notes {
        let Ok(parsed) = parse_checkpoint(note.as_bytes()) else { continue };
        let (origin, size) = (parsed.checkpoint.origin, parsed.checkpoint.size);
        match kept.get(&origin).map(|old| size_of(old)) {
            Some(old) if old > size => {
                tracing::error!(%origin, old, size, "a log is shorter than its checkpoint outside the database: run `sekisho ledger verify`");
            }
            Some(old) if old == size => {}
            _ => {
                kept.insert(origin, note.clone());
                changed = true;
            }
        }
    }
    if !changed {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(&serde_json::to_vec_pretty(&kept)?)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}
