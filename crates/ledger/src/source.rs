//! Verification of a log where it is stored: a running instance, or a copied database.

use sekisho_kernel::Problem;

use crate::{
    Hash, Kind, Leaf, Report, Salt, TILE_WIDTH, TileId, Trust, VerifierKey,
    check::{Checker, Seen},
    tile::{parse_tile, perfect_root},
};

/// Rows asked for at once.
const BATCH: usize = 4_096;

/// The most missing rows between two that are named one by one; beyond, the rest counts as cut off.
const MAX_GAP: u64 = 65_536;

/// A body as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Opened: the salt and the entry bytes.
    Open {
        /// The salt.
        salt: Salt,
        /// The entry bytes.
        bytes: Vec<u8>,
    },
    /// There is none any more.
    Missing,
    /// There is one, and no key to open it.
    Sealed,
    /// There is one, and it does not open under the key: it was changed or moved.
    Broken,
}

impl Body {
    fn seen(&self) -> Seen<'_> {
        match self {
            Self::Open { salt, bytes } => Seen::Open { salt, bytes, commitment: None },
            Self::Missing => Seen::Missing,
            Self::Sealed => Seen::Sealed,
            Self::Broken => Seen::Broken,
        }
    }
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The entry's id and commitment, as stored beside the body.
    pub leaf: Leaf,
    /// The body.
    pub body: Body,
    /// The name of a column beside the body (time, action, result…) that does not say what the opened body says.
    pub differs: Option<String>,
}

/// An epoch as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochHead {
    /// Its number, from 1.
    pub epoch: u32,
    /// Its origin line ([`crate::Origin`]).
    pub origin: String,
    /// The number of leaves in its tree.
    pub size: u64,
}

/// A stored log. Everything it says is doubted.
pub trait LogSource {
    /// The log's id.
    fn log(&self) -> [u8; 16];

    /// The verifier keys that the store itself names; used, and reported as such, only when the verifier was given none.
    ///
    /// # Errors
    /// The store does not answer; so for all of these.
    fn claimed_keys(&self) -> Result<Vec<VerifierKey>, Problem> {
        Ok(Vec::new())
    }

    /// All epochs, oldest first.
    ///
    /// # Errors
    /// The store's.
    fn epochs(&self) -> Result<Vec<EpochHead>, Problem>;

    /// The stored checkpoints of an epoch, signed notes: at least the newest, at best a few dozen older ones too.
    ///
    /// # Errors
    /// The store's.
    fn checkpoints(&self, epoch: u32) -> Result<Vec<Vec<u8>>, Problem>;

    /// Leaf rows with index ≥ `from` by ascending index, at most `limit`; fewer only at the end. Rows beyond the head must
    /// be given too.
    ///
    /// # Errors
    /// The store's.
    fn rows(&self, epoch: u32, from: u64, limit: usize) -> Result<Vec<(u64, Row)>, Problem>;

    /// A stored tile, as it is.
    ///
    /// # Errors
    /// The store's.
    fn tile(&self, epoch: u32, id: TileId) -> Result<Option<Vec<u8>>, Problem>;

    /// Where the purge entries are: (epoch, leaf index).
    ///
    /// # Errors
    /// The store's.
    fn purges(&self) -> Result<Vec<(u32, u64)>, Problem>;

    /// Entries accepted and in no tree yet, by ascending id, those after `after`, at most `limit`; fewer only at the end.
    ///
    /// # Errors
    /// The store's.
    fn unsequenced(&self, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<Row>, Problem>;

    /// What the store itself sees is not as it should be, by epoch (0 for none): rows that belong to nothing, columns that do
    /// not agree with each other. It can only add to what the verifier finds.
    ///
    /// # Errors
    /// The store's.
    fn strays(&self) -> Result<Vec<(u32, Kind)>, Problem> {
        Ok(Vec::new())
    }
}

/// Recomputes a stored log: commitments from bodies, leaf hashes, tiles, roots, signatures, epochs, purges, and agreement
/// with the checkpoints kept elsewhere. Memory does not grow with the log.
///
/// # Errors
/// Only the store's own: whatever the stored data are is a finding, not an error.
pub fn verify_log(source: &dyn LogSource, trust: &Trust) -> Result<Report, Problem> {
    let mut check = Checker::new(source.log(), trust, source.claimed_keys()?);
    for (epoch, index) in source.purges()? {
        let row = source.rows(epoch, index, 1)?.pop().filter(|(at, _)| *at == index);
        let body = row.map_or(Body::Missing, |(_, row)| row.body);
        check.promise(epoch, index, &body.seen());
    }
    for head in source.epochs()? {
        check.open_epoch(head.epoch, &head.origin, &source.checkpoints(head.epoch)?);
        walk(source, &head, &mut check)?;
    }
    check.close_epoch();
    for (epoch, kind) in source.strays()? {
        check.report.add(epoch, kind);
    }
    let mut after = None;
    loop {
        let rows = source.unsequenced(after, BATCH)?;
        for row in &rows {
            let entry = check.loose(&row.leaf, &row.body.seen());
            if entry.is_some() && row.differs.is_some() {
                check.report.add(0, Kind::UnexpectedLoose { id: hex::encode(row.leaf.id) });
            }
        }
        match rows.last() {
            Some(last) if rows.len() == BATCH && after.is_none_or(|a| a < last.leaf.id) => after = Some(last.leaf.id),
            _ => break,
        }
    }
    Ok(check.finish())
}

fn walk(source: &dyn LogSource, head: &EpochHead, check: &mut Checker<'_>) -> Result<(), Problem> {
    let mut tiles = StoredTiles { source, head, level0: (u64::MAX, None), rows: Vec::new(), above: Vec::new() };
    let mut from = 0;
    'rows: loop {
        let rows = source.rows(head.epoch, from, BATCH)?;
        for (index, row) in &rows {
            if *index < check.size() || *index >= head.size {
                check.add(Kind::UnexpectedEntry { leaf: *index });
                continue;
            }
            if *index - check.size() > MAX_GAP {
                break 'rows;
            }
            while check.size() < *index {
                let stored = tiles.hash(check.size(), check)?;
                check.hole(stored);
                tiles.row(stored.unwrap_or(Hash([0; 32])), check)?;
            }
            let stored = tiles.hash(*index, check)?;
            let entry = check.leaf(&row.leaf, stored, &row.body.seen());
            if let (Some(_), Some(column)) = (entry, &row.differs) {
                check.add(Kind::AlteredColumn { leaf: *index, column: column.clone() });
            }
            tiles.row(row.leaf.hash(), check)?;
        }
        match rows.last() {
            Some((last, _)) if rows.len() == BATCH && *last >= from => from = last.saturating_add(1),
            _ => break,
        }
    }
    if check.size() < head.size {
        check.add(Kind::CutTail { have: check.size(), signed: head.size });
    }
    tiles.end(check)
}

/// The stored tiles beside the walk: leaf hashes for the rows to be compared with, and each tile against the tiles below.
struct StoredTiles<'a> {
    source: &'a dyn LogSource,
    head: &'a EpochHead,
    level0: (u64, Option<Vec<Hash>>),
    /// Leaf hashes by the rows, of the level-0 tile that is being filled.
    rows: Vec<Hash>,
    /// For each level from 1: what its tile should hold, by the rows and by the stored tiles below.
    above: Vec<(u64, Vec<(Hash, Hash)>)>,
}

impl StoredTiles<'_> {
    fn read(&self, id: TileId, check: &mut Checker<'_>) -> Result<Option<Vec<Hash>>, Problem> {
        check.report.counts.tiles += 1;
        let stored = self.source.tile(self.head.epoch, id)?;
        let hashes = stored.and_then(|bytes| parse_tile(&bytes).ok());
        let hashes = hashes.filter(|h| h.len() == id.width(self.head.size));
        if hashes.is_none() {
            check.add(Kind::AlteredTile { level: id.level, index: id.index });
        }
        Ok(hashes)
    }

    fn hash(&mut self, leaf: u64, check: &mut Checker<'_>) -> Result<Option<Hash>, Problem> {
        let index = leaf >> 8;
        if self.level0.0 != index {
            self.level0 = (index, self.read(TileId { level: 0, index }, check)?);
        }
        Ok(self.level0.1.as_ref().and_then(|h| h.get((leaf & 0xff) as usize)).copied())
    }

    fn row(&mut self, hash: Hash, check: &mut Checker<'_>) -> Result<(), Problem> {
        self.rows.push(hash);
        if self.rows.len() < TILE_WIDTH {
            return Ok(());
        }
        let by_rows = perfect_root(&self.rows);
        self.rows.clear();
        let by_tile = self.level0.1.as_ref().and_then(|h| perfect_root(h)).or(by_rows);
        match (by_rows, by_tile) {
            (Some(rows), Some(tile)) => self.up(1, (rows, tile), check),
            _ => Ok(()),
        }
    }

    fn up(&mut self, level: u8, hashes: (Hash, Hash), check: &mut Checker<'_>) -> Result<(), Problem> {
        let at = usize::from(level) - 1;
        if self.above.len() == at {
            self.above.push((0, Vec::new()));
        }
        self.above[at].1.push(hashes);
        if self.above[at].1.len() == TILE_WIDTH { self.compare(level, check) } else { Ok(()) }
    }

    fn compare(&mut self, level: u8, check: &mut Checker<'_>) -> Result<(), Problem> {
        let (index, wanted) = &mut self.above[usize::from(level) - 1];
        let (id, wanted) = (TileId { level, index: *index }, std::mem::take(wanted));
        *index += 1;
        let stored = self.read(id, check)?;
        if let Some(stored) = &stored
            && stored.iter().zip(&wanted).any(|(s, (rows, tile))| s != rows && s != tile)
        {
            check.add(Kind::AlteredTile { level, index: id.index });
        }
        let by_rows: Vec<Hash> = wanted.iter().map(|(rows, _)| *rows).collect();
        let full = by_rows.len() == TILE_WIDTH;
        match (perfect_root(&by_rows), stored.as_ref().and_then(|s| perfect_root(s))) {
            (Some(rows), tile) if full => self.up(level + 1, (rows, tile.unwrap_or(rows)), check),
            _ => Ok(()),
        }
    }

    fn end(mut self, check: &mut Checker<'_>) -> Result<(), Problem> {
        let mut level = 1;
        while usize::from(level) <= self.above.len() {
            if !self.above[usize::from(level) - 1].1.is_empty() {
                self.compare(level, check)?;
            }
            level += 1;
        }
        Ok(())
    }
}
