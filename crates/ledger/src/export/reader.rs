//! Reads an export record by record, in bounded memory.

use std::io::{self, Read};

use super::{ExportHeader, MAX_HEADER, MAX_RECORD, parse_export_header};
use crate::{Hash, Leaf, Malformed, Salt};

/// A record of an export; see the format in [`crate::export`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the format's table")]
pub enum Record<'a> {
    /// `P`
    Purge { epoch: u32, index: u64, salt: &'a Salt, bytes: &'a [u8] },
    /// `O`
    Epoch { epoch: u32, size: u64, origin: &'a str, notes: Vec<Vec<u8>> },
    /// `E`
    Entry { index: u64, commitment: Hash, local: &'a [u8], salt: &'a Salt, bytes: &'a [u8] },
    /// `G`
    Gone { index: u64, leaf: Leaf },
    /// `S`
    LeftOut { level: u8, hash: Hash },
    /// `Z`
    End { unprotected: u64 },
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is not of the format.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Reads the header and then the records.
pub struct ExportReader<R> {
    input: R,
    header: ExportHeader,
    buffer: Vec<u8>,
    /// The unread part of `buffer`.
    from: usize,
    to: usize,
    /// Where in the file `from` is.
    offset: u64,
}

const CHUNK: usize = 256 << 10;

fn bad(why: &'static str) -> Malformed {
    Malformed::new("export", why)
}

impl<R: Read> ExportReader<R> {
    /// Reads the header. `input` need not be buffered.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn new(mut input: R) -> Result<Self, Stop> {
        let mut buffer = vec![0; CHUNK];
        let mut to = 0;
        while to < MAX_HEADER {
            match input.read(&mut buffer[to..])? {
                0 => break,
                n => to += n,
            }
            if buffer[..to].windows(2).any(|w| w == b"\n\n") {
                break;
            }
        }
        let (header, from) = parse_export_header(&buffer[..to])?;
        Ok(Self { input, header, buffer, from, to, offset: from as u64 })
    }

    /// The header.
    pub const fn header(&self) -> &ExportHeader {
        &self.header
    }

    /// Where in the file the next record begins.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next record; `None` at the end of the file.
    ///
    /// # Errors
    /// See [`Stop`]. Reading must not go on after one.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, Stop> {
        if !self.fill(5)? {
            return if self.from == self.to { Ok(None) } else { Err(bad("the file ends inside a record").into()) };
        }
        let head = &self.buffer[self.from..];
        let (tag, length) = (head[0], u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize);
        if length > MAX_RECORD {
            return Err(bad("a record is too long").into());
        }
        if !self.fill(5 + length)? {
            return Err(bad("the file ends inside a record").into());
        }
        let start = self.from + 5;
        self.from = start + length;
        self.offset += 5 + length as u64;
        Ok(Some(parse_record(tag, &self.buffer[start..start + length])?))
    }

    /// Makes `wanted` unread bytes available. `false` when the file ends before.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        if self.to - self.from >= wanted {
            return Ok(true);
        }
        self.buffer.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.to < wanted {
            match self.input.read(&mut self.buffer[self.to..]) {
                Ok(0) => return Ok(false),
                Ok(n) => self.to += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }
}

fn parse_record(tag: u8, data: &[u8]) -> Result<Record<'_>, Malformed> {
    let mut cut = Cut(data);
    let record = match tag {
        b'P' => Record::Purge {
            epoch: u32::from_be_bytes(*cut.array()?),
            index: u64::from_be_bytes(*cut.array()?),
            salt: cut.array()?,
            bytes: cut.rest(),
        },
        b'O' => {
            let epoch = u32::from_be_bytes(*cut.array()?);
            let size = u64::from_be_bytes(*cut.array()?);
            let length = u16::from_be_bytes(*cut.array()?);
            let origin = std::str::from_utf8(cut.take(length.into())?).map_err(|_| bad("an origin is not UTF-8"))?;
            let mut notes = Vec::new();
            while !cut.0.is_empty() {
                let length = u32::from_be_bytes(*cut.array()?);
                notes.push(cut.take(length as usize)?.to_vec());
            }
            Record::Epoch { epoch, size, origin, notes }
        }
        b'E' => {
            let index = u64::from_be_bytes(*cut.array()?);
            let commitment = Hash(*cut.array()?);
            let [length] = *cut.array()?;
            Record::Entry { index, commitment, local: cut.take(length.into())?, salt: cut.array()?, bytes: cut.rest() }
        }
        b'G' => {
            let index = u64::from_be_bytes(*cut.array()?);
            Record::Gone { index, leaf: Leaf { id: *cut.array()?, commitment: Hash(*cut.array()?) } }
        }
        b'S' => {
            let [level] = *cut.array()?;
            Record::LeftOut { level, hash: Hash(*cut.array()?) }
        }
        b'Z' => Record::End { unprotected: u64::from_be_bytes(*cut.array()?) },
        _ => return Err(bad("unknown record")),
    };
    if cut.0.is_empty() { Ok(record) } else { Err(bad("a record is longer than its parts")) }
}

struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (now, later) = self.0.split_at_checked(length).ok_or(bad("a record is too short"))?;
        self.0 = later;
        Ok(now)
    }
    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (now, later) = self.0.split_first_chunk().ok_or(bad("a record is too short"))?;
        self.0 = later;
        Ok(now)
    }
    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
