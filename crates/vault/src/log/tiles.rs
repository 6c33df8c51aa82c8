//! Tiles of the tree where they are stored.

use std::cell::RefCell;

use sekisho_kernel::Problem;
use sekisho_ledger::{TileId, Tiles};
use sekisho_store::{Read, params};

use super::sql;

/// The tiles of one epoch of one log, read in the transaction at hand.
pub(crate) struct DbTiles<'a, 'd> {
    db: &'a RefCell<&'d mut dyn Read>,
    log: [u8; 16],
    epoch: u32,
}

impl<'a, 'd> DbTiles<'a, 'd> {
    pub(crate) const fn new(db: &'a RefCell<&'d mut dyn Read>, log: [u8; 16], epoch: u32) -> Self {
        Self { db, log, epoch }
    }
}

impl Tiles for DbTiles<'_, '_> {
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, Problem> {
        let index = i64::try_from(id.index).unwrap_or(i64::MAX);
        let row =
            self.db.borrow_mut().query_opt(sql::TILE, &params![&self.log, self.epoch, i64::from(id.level), index])?;
        Ok(row.map(|r| r.blob(0).map(<[u8]>::to_vec)).transpose()?)
    }
}
