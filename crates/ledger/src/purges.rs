//! What the purge entries of a log allow to be missing.

use std::collections::{BTreeSet, BinaryHeap, HashMap};

use crate::{EntryRef, Format, Hash, Purge, report::MAX_FINDINGS};

/// The most purge entries of a log, and the most leaf ranges of all of them together.
const MAX_RANGES: usize = 1 << 20;

struct Cover {
    epoch: u32,
    from: u64,
    to: u64,
    before: i64,
    receipt: bool,
}

/// By what right a body is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Age,
    Receipt,
}

/// Filled from the purge entries before the leaves are walked, then asked leaf by leaf in ascending order.
#[derive(Default)]
pub(crate) struct Purges {
    covers: Vec<Cover>,
    sorted: bool,
    next: usize,
    epoch: u32,
    active: BinaryHeap<(i64, u64)>,
    receipts_until: u64,
    promised: HashMap<(u32, u64), (Hash, bool)>,
    receipts: BTreeSet<String>,
    /// A purge entry is there and cannot be read.
    pub(crate) sealed: bool,
}

impl Purges {
    /// Takes in the purge entry that is said to be leaf `index` of `epoch`. `false` when it is not a lawful one.
    pub(crate) fn promise(
        &mut self,
        (epoch, index): (u32, u64),
        commitment: Hash,
        entry: &EntryRef<'_>,
        retention: &[(String, i64)],
    ) -> bool {
        if entry.format != Format::Purge
            || self.promised.len() == MAX_RANGES
            || self.promised.insert((epoch, index), (commitment, false)).is_some()
        {
            return false;
        }
        let Ok(purge) = Purge::from_body(entry.body) else {
            return false;
        };
        let least = retention.iter().filter(|(class, _)| *class == purge.class).map(|(_, keep)| *keep).max();
        let aged = purge.keep_micros >= least.unwrap_or(0)
            && purge.before_micros.checked_add(purge.keep_micros).is_some_and(|due| due <= entry.at_micros);
        let receipt = purge.receipt.as_ref().is_some_and(|r| r.at_micros <= entry.at_micros);
        let behind =
            purge.epoch < epoch || (purge.epoch == epoch && purge.leaves.last().is_none_or(|(_, to)| *to <= index));
        if !(aged || receipt) || !behind || self.covers.len() + purge.leaves.len() > MAX_RANGES {
            return false;
        }
        self.covers.extend(purge.leaves.iter().map(|&(from, to)| Cover {
            epoch: purge.epoch,
            from,
            to,
            before: purge.before_micros,
            receipt,
        }));
        self.sorted = false;
        if let Some(receipt) = purge.receipt
            && self.receipts.len() < MAX_FINDINGS
        {
            self.receipts.insert(receipt.id);
        }
        true
    }

    /// The leaf that holds a purge entry has been reached.
    pub(crate) fn reached(&mut self, epoch: u32, index: u64, commitment: &Hash) {
        if let Some((promised, met)) = self.promised.get_mut(&(epoch, index))
            && promised == commitment
        {
            *met = true;
        }
    }

    /// The erasure receipts that purge entries name.
    pub(crate) fn receipts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.receipts).into_iter().collect()
    }

    /// Purge entries that were believed and are not in the log.
    pub(crate) fn broken(&self) -> Vec<(u32, u64)> {
        let mut out: Vec<_> = self.promised.iter().filter(|(_, (_, met))| !met).map(|(at, _)| *at).collect();
        out.sort_unstable();
        out
    }

    /// By what right the body of this leaf, made at `made` (microseconds), may be missing. Leaves must be asked in
    /// ascending order.
    pub(crate) fn right(&mut self, epoch: u32, index: u64, made: i64) -> Option<Right> {
        if !self.sorted {
            self.covers.sort_by_key(|c| (c.epoch, c.from));
            self.sorted = true;
        }
        if epoch != self.epoch {
            self.epoch = epoch;
            self.active.clear();
            self.receipts_until = 0;
        }
        while let Some(cover) = self.covers.get(self.next)
            && (cover.epoch, cover.from) <= (epoch, index)
        {
            self.next += 1;
            if cover.epoch == epoch && cover.receipt {
                self.receipts_until = self.receipts_until.max(cover.to);
            } else if cover.epoch == epoch {
                self.active.push((cover.before, cover.to));
            }
        }
        if self.receipts_until > index {
            return Some(Right::Receipt);
        }
        while self.active.peek().is_some_and(|(_, to)| *to <= index) {
            self.active.pop();
        }
        self.active.peek().is_some_and(|(before, _)| made < *before).then_some(Right::Age)
    }
}
