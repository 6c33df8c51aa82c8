//! The tree as tiles of 256 hashes (C2SP tlog-tiles, height 8), and the right edge that a sequencer appends to.
//!
//! Written here rather than taken from the crate `tlog_tiles` 0.2: that one addresses hashes one by one and assembles tiles from
//! them afterwards, where our store keeps whole tiles only, and it brings a second SHA-256 (`sha2`), `url`, and
//! older `base64` and `thiserror` into the build. What we need of it is this file and `proof.rs`.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map::Entry},
    fmt::Write as _,
};

use sekisho_kernel::Problem;

use crate::{Frontier, Hash, Malformed, node_hash, problem::TILE_MISSING};

/// Hashes in a full tile.
pub const TILE_WIDTH: usize = 256;

/// Which tile: hash `i` of tile `index` at `level` is the root of the `256^level` leaves from
/// `(index * 256 + i) * 256^level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// 0 to 7; level 0 holds leaf hashes.
    pub level: u8,
    /// Position within the level, from 0.
    pub index: u64,
}

impl TileId {
    /// The path that C2SP tlog-tiles serves it at, `tile/0/x001/x234/067` or `tile/0/x001/x234/067.p/8` when it holds fewer
    /// than 256 hashes.
    pub fn path(self, width: usize) -> String {
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        let mut out = format!("tile/{}", self.level);
        for (i, group) in groups.iter().enumerate().rev() {
            let _ = write!(out, "/{}{group:03}", if i > 0 { "x" } else { "" });
        }
        if width < TILE_WIDTH {
            let _ = write!(out, ".p/{width}");
        }
        out
    }

    /// How many hashes this tile holds in a tree of `size` leaves: 0 to 256.
    pub const fn width(self, size: u64) -> usize {
        if self.level > 7 {
            return 0;
        }
        let hashes = size >> (8 * self.level as u32);
        let full = hashes >> 8;
        if self.index < full {
            TILE_WIDTH
        } else if self.index == full {
            (hashes & 0xff) as usize
        } else {
            0
        }
    }
}

/// Where stored tiles are read from.
pub trait Tiles {
    /// The tile's hashes, concatenated: 1 to 256 times 32 bytes. A tile longer than the caller's tree needs is
    /// fine; `None` when there is none.
    ///
    /// # Errors
    /// The store does not answer.
    fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, Problem>;
}

/// A tile to be stored, replacing what was stored under its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileWrite {
    /// Which tile.
    pub id: TileId,
    /// All its hashes, concatenated: 1 to 256 times 32 bytes.
    pub bytes: Vec<u8>,
}

/// Splits a stored tile into hashes.
///
/// # Errors
/// Not 1 to 256 times 32 bytes.
pub fn parse_tile(bytes: &[u8]) -> Result<Vec<Hash>, Malformed> {
    if bytes.is_empty() || bytes.len() > TILE_WIDTH * 32 || !bytes.len().is_multiple_of(32) {
        return Err(Malformed::new("tile", "not 1 to 256 hashes"));
    }
    Ok(bytes.chunks_exact(32).filter_map(Hash::from_slice).collect())
}

/// The root of a perfect subtree; `hashes` must be a power of two in number.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row.pop()
}

/// The partly filled tile of each level: all that a sequencer keeps of a log, at most 8 × 8 KiB. Clone it before
/// [`Edge::append`] and keep the clone if the write of the tiles fails.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of the tree without leaves.
    pub const fn new() -> Self {
        Self { size: 0, levels: Vec::new() }
    }

    /// Reads the edge of the stored tree of `size` leaves: one tile a level.
    ///
    /// # Errors
    /// `SK-8002` when a tile is missing or too short, and the store's own.
    pub fn load(tiles: &dyn Tiles, size: u64) -> Result<Self, Problem> {
        let mut levels = Vec::new();
        for level in 0..8u8 {
            let hashes = size >> (8 * u32::from(level));
            if hashes == 0 {
                break;
            }
            let id = TileId { level, index: hashes >> 8 };
            let width = id.width(size);
            levels.push(if width == 0 { Vec::new() } else { read(tiles, id, width)? });
        }
        Ok(Self { size, levels })
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Hash {
        self.frontier().root()
    }

    /// The perfect subtrees of the whole tree.
    pub fn frontier(&self) -> Frontier {
        let mut out = Frontier::new();
        for (level, row) in self.levels.iter().enumerate().rev() {
            for hash in row {
                let fitted = out.push_subtree(level as u8 * 8, *hash);
                debug_assert!(fitted, "rows are pushed from the widest subtrees to the narrowest");
            }
        }
        out
    }

    /// Appends leaves by their hashes, and returns every tile that is new or longer, in ascending order. All must be
    /// stored before a checkpoint of the new size is signed.
    #[must_use]
    pub fn append(&mut self, leaves: &[Hash]) -> Vec<TileWrite> {
        let mut out = Vec::new();
        self.fill(0, leaves, &mut out);
        self.size += leaves.len() as u64;
        out
    }

    fn fill(&mut self, level: usize, hashes: &[Hash], out: &mut Vec<TileWrite>) {
        if hashes.is_empty() {
            return;
        }
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        let mut index = (self.size >> (8 * level)) >> 8;
        let mut up = Vec::new();
        let mut rest = hashes;
        while !rest.is_empty() {
            let row = &mut self.levels[level];
            let (now, later) = rest.split_at(rest.len().min(TILE_WIDTH - row.len()));
            row.extend_from_slice(now);
            rest = later;
            let id = TileId { level: level as u8, index };
            out.push(TileWrite { id, bytes: row.iter().flat_map(|h| h.0).collect() });
            if row.len() == TILE_WIDTH {
                up.extend(perfect_root(row));
                row.clear();
                index += 1;
            }
        }
        self.fill(level + 1, &up, out);
    }
}

fn read(tiles: &dyn Tiles, id: TileId, width: usize) -> Result<Vec<Hash>, Problem> {
    let bytes = tiles.tile(id)?.ok_or_else(|| Problem::new(&TILE_MISSING).log(id.path(width)))?;
    let mut hashes = parse_tile(&bytes)?;
    if hashes.len() < width {
        return Err(Problem::new(&TILE_MISSING).log(format!("{} holds {}", id.path(width), hashes.len())));
    }
    hashes.truncate(width);
    Ok(hashes)
}

/// A stored tree of a given size, from which proofs are made. Keeps the tiles that it has read.
pub struct Tree<'a> {
    tiles: &'a dyn Tiles,
    size: u64,
    read: RefCell<HashMap<TileId, Vec<Hash>>>,
}

impl<'a> Tree<'a> {
    /// The tree of the first `size` leaves in `tiles`.
    pub fn new(tiles: &'a dyn Tiles, size: u64) -> Self {
        Self { tiles, size, read: RefCell::default() }
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root (RFC 6962 §2.1).
    ///
    /// # Errors
    /// `SK-8002`, and the store's own.
    pub fn root(&self) -> Result<Hash, Problem> {
        self.range(0, self.size)
    }

    /// The root of the perfect subtree of the `2^level` leaves from `index << level` on, which must all be in the tree.
    ///
    /// # Errors
    /// `SK-8002`, and the store's own.
    pub fn node(&self, level: u8, index: u64) -> Result<Hash, Problem> {
        let missing = || Problem::new(&TILE_MISSING).log(format!("node {level}/{index} of {}", self.size));
        let end = index.checked_add(1).and_then(|i| i.checked_mul(1u64.checked_shl(u32::from(level))?));
        if end.is_none_or(|end| end > self.size) {
            return Err(missing());
        }
        let first = index << (level % 8);
        let id = TileId { level: level / 8, index: first >> 8 };
        let mut read = self.read.borrow_mut();
        let row = match read.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self::read(self.tiles, id, id.width(self.size))?),
        };
        let from = (first & 0xff) as usize;
        row.get(from..from + (1 << (level % 8))).and_then(perfect_root).ok_or_else(missing)
    }

    /// The hash of the leaves `from..to` where they form a subtree of the tree (RFC 6962 §2.1 splits).
    pub(crate) fn range(&self, from: u64, to: u64) -> Result<Hash, Problem> {
        let mut out = Frontier::new();
        for (level, index) in crate::frontier::cover(from, to) {
            let fitted = out.push_subtree(level, self.node(level, index)?);
            debug_assert!(fitted, "a subtree's leaves split into perfect subtrees that shrink to the right");
        }
        Ok(out.root())
    }
}
