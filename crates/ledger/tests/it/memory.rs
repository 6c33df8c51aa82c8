//! A stored log in memory.

use std::collections::HashMap;

use sekisho_kernel::Problem;
use sekisho_ledger::{EpochHead, LogSource, Row, TileId, VerifierKey};

/// A stored log held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    /// See [`LogSource::log`].
    pub log: [u8; 16],
    /// See [`LogSource::claimed_keys`].
    pub keys: Vec<VerifierKey>,
    /// See [`LogSource::epochs`].
    pub epochs: Vec<EpochHead>,
    /// Notes by epoch.
    pub checkpoints: HashMap<u32, Vec<Vec<u8>>>,
    /// Rows by epoch, in the order in which they are given out.
    pub rows: HashMap<u32, Vec<(u64, Row)>>,
    /// Tiles by epoch and id.
    pub tiles: HashMap<(u32, TileId), Vec<u8>>,
    /// See [`LogSource::purges`].
    pub purges: Vec<(u32, u64)>,
    /// See [`LogSource::unsequenced`].
    pub unsequenced: Vec<Row>,
}

impl LogSource for MemoryLog {
    fn log(&self) -> [u8; 16] {
        self.log
    }
    fn claimed_keys(&self) -> Result<Vec<VerifierKey>, Problem> {
        Ok(self.keys.clone())
    }
    fn epochs(&self) -> Result<Vec<EpochHead>, Problem> {
        Ok(self.epochs.clone())
    }
    fn checkpoints(&self, epoch: u32) -> Result<Vec<Vec<u8>>, Problem> {
        Ok(self.checkpoints.get(&epoch).cloned().unwrap_or_default())
    }
    fn rows(&self, epoch: u32, from: u64, limit: usize) -> Result<Vec<(u64, Row)>, Problem> {
        let rows = self.rows.get(&epoch).map_or(&[][..], |r| r);
        let start = rows.partition_point(|(index, _)| *index < from);
        Ok(rows[start..].iter().take(limit).cloned().collect())
    }
    fn tile(&self, epoch: u32, id: TileId) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.tiles.get(&(epoch, id)).cloned())
    }
    fn purges(&self) -> Result<Vec<(u32, u64)>, Problem> {
        Ok(self.purges.clone())
    }
    fn unsequenced(&self, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<Row>, Problem> {
        let later = self.unsequenced.iter().filter(|r| after.is_none_or(|a| r.leaf.id > a));
        Ok(later.take(limit).cloned().collect())
    }
}
