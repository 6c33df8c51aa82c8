//! How epochs begin, end and join.

use super::{Checker, Closed, Mark, Open, Whose, blame_rows};
use crate::{
    EMPTY_ROOT, EntryRef, EpochStart, Format, Frontier, Kind, Origin, SignedCheckpoint, checkpoint::parse_checkpoint,
    report::EpochReport,
};

impl Checker<'_> {
    /// Opens an epoch: its origin line and its stored checkpoints (signed notes).
    pub(crate) fn open_epoch(&mut self, number: u32, origin: &str, notes: &[Vec<u8>]) {
        self.close_epoch();
        let expected = self.closed.as_ref().map_or(1, |c| c.number.saturating_add(1));
        if number != expected {
            let why = format!("{number} ≠ {expected}");
            self.report.add(number, Kind::BadEpoch { why });
        }
        let parsed = Origin::parse(origin).filter(|o| o.log == self.log && o.epoch == number);
        let house = parsed.map(|o| o.house);
        if house.is_none() || self.house.as_ref().is_some_and(|h| Some(h) != house.as_ref()) {
            self.report.add(number, Kind::BadCheckpoint { why: format!("origin {}", origin.escape_debug()) });
        }
        if self.house.is_none() {
            self.house = house;
        }
        let mut open = Open {
            number,
            origin: origin.to_owned(),
            rows: Frontier::new(),
            tiles: None,
            suspects: Vec::new(),
            more_suspects: 0,
            marks: Vec::new(),
            next: 0,
            newest: None,
            mismatched: false,
        };
        for note in notes {
            let Some(signed) = self.believe(note, origin, number) else {
                continue;
            };
            let head = &signed.checkpoint;
            open.marks.push(Mark { size: head.size, root: head.root, whose: Whose::Stored });
            self.report.counts.checkpoints += 1;
            if open.newest.as_ref().is_none_or(|n| n.checkpoint.size <= head.size) {
                open.newest = Some(signed);
            }
        }
        for anchor in &self.trust.anchors {
            if anchor.checkpoint.origin != origin {
                continue;
            }
            if let Some(signed) = self.believe(anchor.note.encode().as_bytes(), origin, number) {
                let head = signed.checkpoint;
                open.marks.push(Mark { size: head.size, root: head.root, whose: Whose::Anchor });
            }
        }
        open.marks.sort_by_key(|m| m.size);
        self.open = Some(open);
        self.settle();
    }

    /// A note that is a checkpoint of `origin` signed by a known key.
    fn believe(&mut self, note: &[u8], origin: &str, epoch: u32) -> Option<SignedCheckpoint> {
        let kind = match parse_checkpoint(note) {
            Err(bad) => Kind::BadCheckpoint { why: bad.why.to_owned() },
            Ok(signed) if signed.checkpoint.origin != origin => {
                Kind::BadCheckpoint { why: format!("origin {}", signed.checkpoint.origin.escape_debug()) }
            }
            Ok(signed) => match signed.verify(&self.keys) {
                Err(bad) => Kind::BadSignature { key: bad.0 },
                Ok(by) if by.is_empty() => Kind::BadCheckpoint { why: "signed by no known key".to_owned() },
                Ok(_) => return Some(signed),
            },
        };
        self.report.add(epoch, kind);
        None
    }

    /// Ends the open epoch, if there is one.
    pub(crate) fn close_epoch(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        let mut found = Vec::new();
        // Beyond the last checkpoint nothing can tell rows from tiles: the rows are what people read.
        blame_rows(&mut open, &mut found);
        if let Some(closed) = self.closed.take() {
            // The epoch had no leaf 0 to speak of the one before.
            self.report.add(open.number, Kind::BadEpoch { why: "no first entry".to_owned() });
            self.flush(closed);
        }
        for kind in found {
            self.report.add(open.number, kind);
        }
        let (size, root) = (open.rows.size(), open.rows.root());
        let signed = open.newest.as_ref().map(|n| n.checkpoint.size);
        self.report.epochs.push(EpochReport { epoch: open.number, origin: open.origin.clone(), size, root, signed });
        self.closed = Some(Closed {
            number: open.number,
            origin: open.origin,
            size,
            root,
            newest: open.newest,
            unmet: open.marks.split_off(open.next),
        });
    }

    /// Leaf 0 of an epoch speaks of the epoch before.
    pub(super) fn link(&mut self, entry: Option<&EntryRef<'_>>) {
        let number = self.epoch();
        let start = entry.filter(|e| e.format == Format::EpochStart).map(|e| EpochStart::from_body(e.body));
        let Some(closed) = self.closed.take() else {
            if start.is_some() {
                self.add(Kind::BadEpoch { why: "nothing is before it".to_owned() });
            }
            return;
        };
        let Some(Ok(start)) = start else {
            self.add(Kind::BadEpoch { why: "its first entry does not name it".to_owned() });
            return self.flush(closed);
        };
        if start.epoch != number || start.kept_size != closed.size || start.kept_root != closed.root {
            let why = format!("kept {} ≠ {}", start.kept_size, closed.size);
            self.add(Kind::BadEpoch { why });
        }
        let Some(previous) = self.believe(start.previous.as_bytes(), &closed.origin, number) else {
            return self.flush(closed);
        };
        let head = previous.checkpoint;
        let newest = closed.newest.as_ref().map(|n| &n.checkpoint);
        if newest.is_some_and(|n| n.size > head.size) {
            self.add(Kind::BadEpoch { why: format!("names {}, which is not the newest", head.size) });
        }
        if head.size > closed.size {
            self.report.add(closed.number, Kind::LostInRestore { from: closed.size, to: head.size });
        } else {
            let known = (head.size == closed.size && head.root == closed.root)
                || newest.is_some_and(|n| n.size == head.size && n.root == head.root)
                || (head.size == 0 && head.root == EMPTY_ROOT);
            if !known {
                self.add(Kind::BadEpoch { why: format!("names {}, which is not among its checkpoints", head.size) });
            }
        }
        for mark in &closed.unmet {
            let kind = match mark.size.cmp(&head.size) {
                std::cmp::Ordering::Equal if mark.root == head.root => continue,
                std::cmp::Ordering::Equal => Kind::ForkedHead { size: mark.size },
                std::cmp::Ordering::Less => Kind::AnchorNotCompared { size: mark.size },
                std::cmp::Ordering::Greater => unmet(&closed, mark),
            };
            self.report.add(closed.number, kind);
        }
    }

    pub(super) fn link_sealed(&mut self) {
        let Some(closed) = self.closed.take() else {
            return;
        };
        for mark in &closed.unmet {
            self.report.add(closed.number, Kind::AnchorNotCompared { size: mark.size });
        }
    }

    pub(super) fn flush(&mut self, closed: Closed) {
        let mut cut = false;
        for mark in closed.unmet.iter().rev() {
            // The largest says it all.
            if mark.whose == Whose::Anchor || !cut {
                self.report.add(closed.number, unmet(&closed, mark));
            }
            cut |= mark.whose == Whose::Stored;
        }
    }
}

fn unmet(closed: &Closed, mark: &Mark) -> Kind {
    match mark.whose {
        Whose::Stored => Kind::CutTail { have: closed.size, signed: mark.size },
        Whose::Anchor => Kind::RolledBack { have: closed.size, anchor: mark.size },
    }
}
