//! Writes an export.

use std::io::{self, Write};

use super::{ExportHeader, MAX_RECORD};
use crate::{Hash, Leaf, Salt, entry::parse_entry, local::LocalTime};

/// Writes an export record by record, in the order that the format asks for. Memory does not grow with the log.
pub struct ExportWriter<W> {
    out: W,
    local: LocalTime,
    index: u64,
    record: Vec<u8>,
}

fn wrong(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

impl<W: Write> ExportWriter<W> {
    /// Writes the header. `out` should be buffered.
    ///
    /// # Errors
    /// `out`'s own; so for all of these.
    pub fn new(mut out: W, header: &ExportHeader) -> io::Result<Self> {
        out.write_all(header.encode().as_bytes())?;
        Ok(Self { out, local: LocalTime::new(&header.zone), index: 0, record: Vec::new() })
    }

    fn put(&mut self, tag: u8, parts: &[&[u8]]) -> io::Result<()> {
        let length: usize = parts.iter().map(|p| p.len()).sum();
        let short =
            u32::try_from(length).ok().filter(|_| length <= MAX_RECORD).ok_or_else(|| wrong("record too long"))?;
        self.record.clear();
        self.record.push(tag);
        self.record.extend_from_slice(&short.to_be_bytes());
        parts.iter().for_each(|p| self.record.extend_from_slice(p));
        self.out.write_all(&self.record)
    }

    /// A copy of a purge entry, all of them before the first epoch.
    ///
    /// # Errors
    /// `out`'s.
    pub fn purge(&mut self, epoch: u32, index: u64, salt: &Salt, entry_bytes: &[u8]) -> io::Result<()> {
        self.put(b'P', &[&epoch.to_be_bytes(), &index.to_be_bytes(), salt, entry_bytes])
    }

    /// Opens an epoch of `size` leaves with its checkpoints (signed notes): the newest, of exactly `size` in the newest epoch.
    ///
    /// # Errors
    /// `out`'s, or more than 1 MiB of notes.
    pub fn epoch(&mut self, epoch: u32, size: u64, origin: &str, notes: &[Vec<u8>]) -> io::Result<()> {
        let mut data = epoch.to_be_bytes().to_vec();
        data.extend_from_slice(&size.to_be_bytes());
        let length = u16::try_from(origin.len()).map_err(|_| wrong("origin too long"))?;
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(origin.as_bytes());
        for note in notes {
            let length = u32::try_from(note.len()).map_err(|_| wrong("note too long"))?;
            data.extend_from_slice(&length.to_be_bytes());
            data.extend_from_slice(note);
        }
        self.index = 0;
        self.put(b'O', &[&data])
    }

    /// The next leaf, with its body. `commitment` is the stored one.
    ///
    /// # Errors
    /// `out`'s, or the bytes are no entry.
    pub fn entry(&mut self, commitment: &Hash, salt: &Salt, entry_bytes: &[u8]) -> io::Result<()> {
        let at = parse_entry(entry_bytes).map_err(|bad| wrong(bad.why))?.at_micros;
        let index = self.index.to_be_bytes();
        let local = self.local.render(at).to_vec();
        self.put(b'E', &[&index, &commitment.0, &[local.len() as u8], &local, salt, entry_bytes])?;
        self.index += 1;
        Ok(())
    }

    /// The next leaf, whose body is gone.
    ///
    /// # Errors
    /// `out`'s.
    pub fn gone(&mut self, leaf: &Leaf) -> io::Result<()> {
        self.put(b'G', &[&self.index.to_be_bytes(), &leaf.data()])?;
        self.index += 1;
        Ok(())
    }

    /// Leaves out the next `2^level` leaves, whose subtree has the root `hash`. See [`crate::cover`] and
    /// [`crate::Tree::node`].
    ///
    /// # Errors
    /// `out`'s, or the index is no multiple of `2^level`.
    pub fn leave_out(&mut self, level: u8, hash: &Hash) -> io::Result<()> {
        if level > 62 || !self.index.is_multiple_of(1 << level) {
            return Err(wrong("a subtree cannot begin here"));
        }
        self.put(b'S', &[&[level], &hash.0])?;
        self.index += 1 << level;
        Ok(())
    }

    /// Ends the file; `unprotected` entries are accepted and under no checkpoint yet. Gives `out` back, flushed.
    ///
    /// # Errors
    /// `out`'s.
    pub fn end(mut self, unprotected: u64) -> io::Result<W> {
        self.put(b'Z', &[&unprotected.to_be_bytes()])?;
        self.out.flush()?;
        Ok(self.out)
    }
}
