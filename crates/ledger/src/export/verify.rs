//! Verifies an export.

use std::io::Read;

use sekisho_kernel::Problem;

use super::{ExportReader, Record, reader::Stop};
use crate::{
    Hash, Kind, Leaf, Report, Trust,
    check::{Checker, Seen},
    entry::{DOMAIN, ENTRY_HEAD},
    hash::sha256,
    local::LocalTime,
    problem::UNREADABLE,
};

/// The most missing leaves in a row that are named one by one.
const MAX_GAP: u64 = 1_024;

/// Verifies a downloaded export with no server: commitments from bodies, leaf hashes, roots, signatures, epochs, purges, the
/// local time column, and agreement with the checkpoints kept elsewhere. One pass, bounded memory, safe on hostile input:
/// whatever is wrong with the file is a finding.
///
/// # Errors
/// `SK-8003` when the file cannot be read.
pub fn verify_export(input: impl Read, trust: &Trust) -> Result<Report, Problem> {
    let unreadable = |e: std::io::Error| Problem::new(&UNREADABLE).log(e);
    let mut reader = match ExportReader::new(input) {
        Ok(reader) => reader,
        Err(Stop::Io(e)) => return Err(unreadable(e)),
        Err(Stop::Malformed(bad)) => {
            let mut report = Report { keys_from_data: trust.keys.is_empty(), ..Report::default() };
            report.add(0, Kind::BadFormat { at: 0, why: bad.why.to_owned() });
            return Ok(report);
        }
    };
    let header = reader.header().clone();
    let mut walk = Walk {
        check: Checker::new(header.log, trust, header.keys),
        local: LocalTime::new(&header.zone),
        size: None,
        ended: false,
        scratch: DOMAIN.to_vec(),
    };
    loop {
        let at = reader.offset();
        let step = match reader.next_record() {
            Ok(None) if walk.ended => break,
            Ok(None) => Err("the file ends early"),
            Ok(Some(record)) => walk.record(record),
            Err(Stop::Io(e)) => return Err(unreadable(e)),
            Err(Stop::Malformed(bad)) => Err(bad.why),
        };
        if let Err(why) = step {
            walk.leave_epoch();
            walk.check.add(Kind::BadFormat { at, why: why.to_owned() });
            break;
        }
    }
    Ok(walk.check.finish())
}

struct Walk<'t> {
    check: Checker<'t>,
    local: LocalTime,
    /// The size that the open epoch is said to have; `None` before the first.
    size: Option<u64>,
    ended: bool,
    /// The domain, then room for salt and entry bytes, so that a commitment is one hash over one slice.
    scratch: Vec<u8>,
}

impl Walk<'_> {
    fn record(&mut self, record: Record<'_>) -> Result<(), &'static str> {
        if self.ended {
            return Err("something follows the end");
        }
        match record {
            Record::Purge { epoch, index, salt, bytes } => {
                if self.size.is_some() {
                    return Err("a purge entry's copy after the first epoch");
                }
                self.check.promise(epoch, index, &Seen::Open { salt, bytes, commitment: None });
            }
            Record::Epoch { epoch, size, origin, notes } => {
                self.leave_epoch();
                self.check.open_epoch(epoch, origin, &notes);
                self.size = Some(size);
            }
            Record::Entry { index, commitment, local, salt, bytes } => {
                let head = bytes.first_chunk::<ENTRY_HEAD>().ok_or("an entry is too short")?;
                let mut id = [0; 16];
                id.copy_from_slice(&head[16..32]);
                if self.reach(index)? {
                    self.scratch.truncate(DOMAIN.len());
                    self.scratch.extend_from_slice(salt);
                    self.scratch.extend_from_slice(bytes);
                    let actual = sha256(&self.scratch);
                    let body = Seen::Open { salt, bytes, commitment: Some(actual) };
                    let entry = self.check.leaf(&Leaf { id, commitment }, None, &body);
                    if let Some(entry) = entry
                        && self.local.render(entry.at_micros) != local
                    {
                        self.check.add(Kind::AlteredColumn { leaf: index, column: "local".to_owned() });
                    }
                }
            }
            Record::Gone { index, leaf } => {
                if self.reach(index)? {
                    self.check.leaf(&leaf, None, &Seen::Missing);
                }
            }
            Record::LeftOut { level, hash } => self.left_out(level, hash)?,
            Record::End { unprotected } => {
                self.leave_epoch();
                self.check.count_loose(unprotected);
                self.ended = true;
            }
        }
        Ok(())
    }

    /// Goes on to leaf `index`, naming those that are not there. `false` when it has been passed already.
    fn reach(&mut self, index: u64) -> Result<bool, &'static str> {
        let size = self.size.ok_or("a leaf before the first epoch")?;
        let expected = self.check.size();
        if index >= size {
            return Err("a leaf beyond its epoch's size");
        }
        if index < expected {
            self.check.add(Kind::Reordered { leaf: expected, with: index });
            return Ok(false);
        }
        if index - expected > MAX_GAP {
            return Err("many leaves are missing");
        }
        while self.check.size() < index {
            self.check.hole(None);
        }
        Ok(true)
    }

    fn left_out(&mut self, level: u8, hash: Hash) -> Result<(), &'static str> {
        let size = self.size.ok_or("a leaf before the first epoch")?;
        let fits =
            1u64.checked_shl(level.into()).and_then(|w| w.checked_add(self.check.size())).is_some_and(|e| e <= size);
        if fits && self.check.leave_out(level, hash) { Ok(()) } else { Err("a subtree that does not fit") }
    }

    fn leave_epoch(&mut self) {
        if let Some(size) = self.size.take()
            && self.check.size() < size
        {
            self.check.add(Kind::CutTail { have: self.check.size(), signed: size });
        }
        self.check.close_epoch();
    }
}
