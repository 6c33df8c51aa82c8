//! The walk that every verification shares: epochs, leaves and bodies in order, each looked at once.

mod epochs;

use std::collections::HashSet;

use crate::{
    EntryRef, Format, Frontier, Hash, Kind, Leaf, Origin, Report, Salt, SignedCheckpoint, Trust, VerifierKey,
    entry::{commit, id_micros, parse_entry},
    note::KeyKind,
    purges::{Purges, Right},
};

/// Ids remembered to find an entry that is in the log twice: at least this many leaves back, at most twice as many.
const REMEMBERED_IDS: usize = 1 << 20;

/// The most leaves whose rows and tiles disagree that are kept apart; the rest is only counted.
const MAX_SUSPECTS: usize = 4_096;

/// A body as the walk meets it.
pub(crate) enum Seen<'a> {
    /// Salt and entry bytes, and the commitment to them when it has been computed already.
    Open {
        salt: &'a Salt,
        bytes: &'a [u8],
        commitment: Option<Hash>,
    },
    Missing,
    Sealed,
    Broken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Stored,
    Anchor,
}

#[derive(Clone, Copy)]
struct Mark {
    size: u64,
    root: Hash,
    whose: Whose,
}

struct Suspect {
    leaf: u64,
    row: Hash,
    stored: Hash,
}

struct Open {
    number: u32,
    origin: String,
    /// The tree by its rows.
    rows: Frontier,
    /// The tree by its stored tiles, once they disagree with the rows.
    tiles: Option<Frontier>,
    suspects: Vec<Suspect>,
    more_suspects: u64,
    marks: Vec<Mark>,
    next: usize,
    newest: Option<SignedCheckpoint>,
    mismatched: bool,
}

struct Closed {
    number: u32,
    origin: String,
    size: u64,
    root: Hash,
    newest: Option<SignedCheckpoint>,
    unmet: Vec<Mark>,
}

pub(crate) struct Checker<'t> {
    trust: &'t Trust,
    keys: Vec<VerifierKey>,
    log: [u8; 16],
    house: Option<String>,
    pub(crate) report: Report,
    purges: Purges,
    ids: (HashSet<u64>, HashSet<u64>),
    open: Option<Open>,
    closed: Option<Closed>,
    gone_unread: u64,
    unprotected: u64,
}

impl<'t> Checker<'t> {
    /// `claimed` are the keys that the data themselves name, used only when `trust` has none.
    pub(crate) fn new(log: [u8; 16], trust: &'t Trust, claimed: Vec<VerifierKey>) -> Self {
        let keys_from_data = trust.keys.is_empty();
        let keys = if keys_from_data { claimed } else { trust.keys.clone() };
        let keys: Vec<_> = keys.into_iter().filter(|k| k.kind() == KeyKind::Ed25519).collect();
        let report = Report {
            log: hex::encode(log),
            bodies_checked: true,
            keys: keys.iter().map(VerifierKey::encode).collect(),
            keys_from_data,
            ..Report::default()
        };
        Self {
            trust,
            keys,
            log,
            house: None,
            report,
            purges: Purges::default(),
            ids: Default::default(),
            open: None,
            closed: None,
            gone_unread: 0,
            unprotected: 0,
        }
    }

    fn epoch(&self) -> u32 {
        self.open.as_ref().map_or(0, |o| o.number)
    }

    pub(crate) fn add(&mut self, kind: Kind) {
        self.report.add(self.epoch(), kind);
    }

    /// Takes in a purge entry before the leaves are walked.
    pub(crate) fn promise(&mut self, epoch: u32, leaf: u64, body: &Seen<'_>) {
        let lawful = match body {
            Seen::Open { salt, bytes, .. } => parse_entry(bytes).is_ok_and(|entry| {
                let at = (epoch, leaf);
                entry.log == self.log && self.purges.promise(at, commit(salt, bytes), &entry, &self.trust.retention)
            }),
            Seen::Sealed => {
                self.purges.sealed = true;
                true
            }
            Seen::Missing | Seen::Broken => false,
        };
        if !lawful {
            self.report.add(epoch, Kind::BadPurge { leaf });
        }
    }

    /// The next index expected in the open epoch.
    pub(crate) fn size(&self) -> u64 {
        self.open.as_ref().map_or(0, |o| o.rows.size())
    }

    /// One leaf, at the next index. `stored` is its hash by the stored tile, if there is one. Returns the entry when the
    /// body is open and is what the leaf commits to.
    pub(crate) fn leaf<'a>(&mut self, leaf: &Leaf, stored: Option<Hash>, body: &Seen<'a>) -> Option<EntryRef<'a>> {
        let index = self.size();
        if !self.remember(&leaf.id) {
            self.add(Kind::DuplicateEntry { leaf: index });
        }
        let entry = self.body(index, leaf, body);
        self.push(leaf.hash(), stored);
        self.report.counts.leaves += 1;
        entry
    }

    /// A leaf whose row is gone; `stored` as in [`Checker::leaf`].
    pub(crate) fn hole(&mut self, stored: Option<Hash>) {
        let leaf = self.size();
        self.add(Kind::MissingLeaf { leaf });
        if leaf == 0 {
            self.link(None);
        }
        self.push(stored.unwrap_or(Hash([0; 32])), None);
    }

    /// `2^level` leaves for which only their subtree's root stands. `false` when they do not fit here.
    pub(crate) fn leave_out(&mut self, level: u8, root: Hash) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let from = open.rows.size();
        if !open.rows.push_subtree(level, root) {
            return false;
        }
        let to = open.rows.size();
        let number = open.number;
        while let Some(mark) = open.marks.get(open.next)
            && mark.size < to
        {
            open.next += 1;
            if mark.size > from {
                self.report.add(number, Kind::AnchorNotCompared { size: mark.size });
            }
        }
        self.report.counts.left_out += to - from;
        if from == 0 {
            self.link(None);
        }
        self.settle();
        true
    }

    fn remember(&mut self, id: &[u8; 16]) -> bool {
        // The low half of a UUIDv7 is its random part.
        let mut low = [0; 8];
        low.copy_from_slice(&id[8..]);
        let low = u64::from_be_bytes(low);
        if self.ids.0.len() == REMEMBERED_IDS {
            std::mem::swap(&mut self.ids.0, &mut self.ids.1);
            self.ids.0.clear();
        }
        !self.ids.1.contains(&low) && self.ids.0.insert(low)
    }

    fn body<'a>(&mut self, index: u64, leaf: &Leaf, body: &Seen<'a>) -> Option<EntryRef<'a>> {
        let epoch = self.epoch();
        let mut out = None;
        match body {
            Seen::Open { salt, bytes, commitment } => {
                self.report.counts.bodies += 1;
                let commitment = commitment.unwrap_or_else(|| commit(salt, bytes));
                let entry = parse_entry(bytes).ok();
                out = entry.filter(|e| commitment == leaf.commitment && e.id == leaf.id && e.log == self.log);
                if out.is_none() {
                    self.add(Kind::Altered { leaf: index });
                }
            }
            Seen::Broken => self.add(Kind::Altered { leaf: index }),
            Seen::Sealed => {
                self.report.counts.sealed += 1;
                self.report.bodies_checked = false;
            }
            Seen::Missing => match self.purges.right(epoch, index, id_micros(&leaf.id)) {
                Some(Right::Age) => self.report.counts.purged += 1,
                Some(Right::Receipt) => self.report.counts.erased += 1,
                None if self.purges.sealed => self.gone_unread += 1,
                None => self.add(Kind::MissingBody { leaf: index }),
            },
        }
        if let Some(entry) = &out
            && entry.format == Format::Purge
        {
            self.purges.reached(epoch, index, &leaf.commitment);
        }
        if index == 0 {
            match body {
                Seen::Sealed => self.link_sealed(),
                _ => self.link(out.as_ref()),
            }
        }
        out
    }

    fn push(&mut self, row: Hash, stored: Option<Hash>) {
        let Some(open) = &mut self.open else { return };
        if let Some(stored) = stored
            && stored != row
        {
            if open.tiles.is_none() {
                open.tiles = Some(open.rows.clone());
            }
            if open.suspects.len() < MAX_SUSPECTS {
                open.suspects.push(Suspect { leaf: open.rows.size(), row, stored });
            } else {
                open.more_suspects += 1;
            }
        }
        if let Some(tiles) = &mut open.tiles {
            tiles.push(stored.unwrap_or(row));
        }
        open.rows.push(row);
        if open.marks.get(open.next).is_some_and(|m| m.size <= open.rows.size()) {
            self.settle();
        }
    }

    /// Compares the root with every checkpoint of the present size.
    fn settle(&mut self) {
        let Some(open) = &mut self.open else { return };
        let size = open.rows.size();
        let Some(first) = open.marks.get(open.next).filter(|m| m.size == size) else {
            return;
        };
        let mut root = open.rows.root();
        let tiles = open.tiles.as_ref().map(Frontier::root);
        let by_tiles = tiles.is_some_and(|t| {
            root != first.root && open.marks[open.next..].iter().any(|m| m.size == size && m.root == t)
        });
        let by_rows = open.marks[open.next..].iter().any(|m| m.size == size && m.root == root);
        let mut found = Vec::new();
        if by_tiles && !by_rows {
            blame_rows(open, &mut found);
            open.rows = open.tiles.take().unwrap_or_default();
            root = open.rows.root();
        } else if by_rows {
            blame_tiles(open, &mut found);
        }
        let agreed = by_rows || by_tiles;
        while let Some(mark) = open.marks.get(open.next).copied()
            && mark.size == size
        {
            open.next += 1;
            match (mark.whose, mark.root == root) {
                (Whose::Anchor, true) => self.report.anchored = self.report.anchored.max(Some(size)),
                (Whose::Stored, true) => {}
                (Whose::Anchor, false) => found.push(Kind::ForkedHead { size }),
                (Whose::Stored, false) if agreed => found.push(Kind::ForkedHead { size }),
                (Whose::Stored, false) if open.mismatched => {}
                (Whose::Stored, false) => {
                    open.mismatched = true;
                    found.push(Kind::RootMismatch { size });
                }
            }
        }
        for kind in found {
            self.add(kind);
        }
    }

    /// An accepted entry that is not in the tree yet.
    pub(crate) fn loose<'a>(&mut self, leaf: &Leaf, body: &Seen<'a>) -> Option<EntryRef<'a>> {
        self.unprotected += 1;
        let entry = match body {
            Seen::Open { salt, bytes, .. } => {
                self.report.counts.bodies += 1;
                let entry = parse_entry(bytes).ok();
                entry.filter(|e| commit(salt, bytes) == leaf.commitment && e.id == leaf.id && e.log == self.log)
            }
            Seen::Sealed => {
                self.report.counts.sealed += 1;
                self.report.bodies_checked = false;
                return None;
            }
            Seen::Missing | Seen::Broken => None,
        };
        if entry.is_none() || !self.remember(&leaf.id) {
            self.report.add(0, Kind::UnexpectedLoose { id: hex::encode(leaf.id) });
        }
        entry
    }

    /// Accepted entries that the data only count.
    pub(crate) fn count_loose(&mut self, count: u64) {
        self.unprotected = self.unprotected.saturating_add(count);
    }

    pub(crate) fn finish(mut self) -> Report {
        self.close_epoch();
        let last = self.closed.take();
        let (number, size) = last.as_ref().map_or((0, 0), |c| (c.number, c.size));
        let newest = last.as_ref().and_then(|c| c.newest.clone());
        let signed = newest.as_ref().map_or(0, |n| n.checkpoint.size);
        if let Some(closed) = last {
            self.flush(closed);
        }
        for anchor in &self.trust.anchors {
            let head = &anchor.checkpoint;
            let Some(origin) = Origin::parse(&head.origin) else {
                continue;
            };
            let ours = origin.log == self.log && self.house.as_ref().is_none_or(|h| *h == origin.house);
            let newer = origin.epoch > number || (origin.epoch == number && head.size > signed && head.size <= size);
            if ours && newer {
                self.report.add(number, Kind::RolledBack { have: signed, anchor: head.size });
            }
        }
        for (epoch, leaf) in self.purges.broken() {
            // Without the purge, what it excused is not excused.
            self.report.add(epoch, Kind::BadPurge { leaf });
        }
        match &newest {
            None => self.report.add(number, Kind::NoCheckpoint),
            Some(newest) => {
                let by = newest.verify(&self.trust.witnesses).map_or(0, |by| by.len());
                self.report.counts.witnesses = by as u64;
                if by < self.trust.quorum {
                    self.report.add(number, Kind::TooFewWitnesses { have: by, want: self.trust.quorum });
                }
            }
        }
        if self.gone_unread > 0 {
            self.report.add(0, Kind::MissingBodiesUnchecked { count: self.gone_unread });
        }
        if self.report.counts.left_out > 0 {
            self.report.add(0, Kind::LeftOut { count: self.report.counts.left_out });
        }
        self.report.receipts = self.purges.receipts();
        let count = self.unprotected.saturating_add(size.saturating_sub(signed));
        if count > 0 {
            self.report.add(number, Kind::NotYetProtected { count });
        }
        self.report
    }
}

/// The tiles are as signed, so the rows were changed.
fn blame_rows(open: &mut Open, found: &mut Vec<Kind>) {
    let places: std::collections::HashMap<Hash, u64> = open.suspects.iter().map(|s| (s.stored, s.leaf)).collect();
    for suspect in open.suspects.drain(..) {
        found.push(match places.get(&suspect.row) {
            Some(&with) => Kind::Reordered { leaf: suspect.leaf, with },
            None => Kind::Altered { leaf: suspect.leaf },
        });
    }
    if std::mem::take(&mut open.more_suspects) > 0 {
        found.push(Kind::RootMismatch { size: open.rows.size() });
    }
}

/// The rows are as signed, so the tiles were changed.
fn blame_tiles(open: &mut Open, found: &mut Vec<Kind>) {
    let mut last = None;
    for suspect in open.suspects.drain(..) {
        let index = suspect.leaf >> 8;
        if last != Some(index) {
            found.push(Kind::AlteredTile { level: 0, index });
            last = Some(index);
        }
    }
    open.more_suspects = 0;
    open.tiles = None;
}
