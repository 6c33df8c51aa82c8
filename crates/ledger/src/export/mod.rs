//! The downloaded export, `.sekisho-log`: a whole log in one file that verifies with no server.
//!
//! A text header, then binary records. Binary, because a verifier must do 500,000 entries a second on one core and parsing
//! JSON lines alone would take that; the header is text so that `head` shows what the file is. All
//! integers are big-endian and unsigned.
//!
//! ```text
//! file   = header record*
//! header = "sekisho-log/v1\n"
//!          "log "  32 lower-case hex digits       "\n"     the log's id
//!          "zone " name                           "\n"     of the local time column: UTC, JST, +hh:mm or -hh:mm
//!          ( "key " name+id+base64                "\n" )*  the log's verifier keys (C2SP signed-note); at most 16
//!          "\n"                                            at most 8,192 bytes in all
//! record = tag (1) length (4) payload (length bytes; at most 1,052,672)
//!
//! tag  payload
//! 'P'  epoch (4) index (8) salt (32) entry bytes           a copy of a purge entry
//! 'O'  epoch (4) size (8) origin length (2) origin ( note length (4) note )*
//!                                                          opens an epoch of `size` leaves; its checkpoints, signed notes
//! 'E'  index (8) commitment (32) local length (1) local salt (32) entry bytes
//!                                                          a leaf whose body is here
//! 'G'  index (8) entry id (16) commitment (32)             a leaf whose body is gone
//! 'S'  level (1) hash (32)                                 2^level leaves left out: the root of their subtree
//! 'Z'  unprotected (8)                                     the end; accepted entries that no checkpoint protects yet
//! ```
//!
//! `P` records come first, before any `O`, so that one pass can judge missing bodies; each is believed only if the
//! leaf at its place turns out to be that entry. Epochs follow in order, each with its leaves in order. `S` may stand
//! only where the index is a multiple of `2^level`; a selection (some days, some actions) is thus
//! exported without the rest and still verifies up to the signed root. Purge entries and the first leaf of an
//! epoch must never be left out. Exactly one `Z` ends the file, and nothing follows it.
//!
//! `local` is the entry's time in the header's zone, `2026-11-22 09:30:00 JST`, for whoever opens the file without our tools; a
//! time outside the years 1 to 9998 is written as its microseconds. Entry bytes, salts, commitments and leaves are as
//! documented in [`crate::entry`].

mod reader;
mod verify;
mod writer;

use sekisho_kernel::Zone;

use crate::{Malformed, VerifierKey, note::parse_verifier_key};

pub use reader::{ExportReader, Record, Stop};
pub use verify::verify_export;
pub use writer::ExportWriter;

const FIRST_LINE: &str = "sekisho-log/v1\n";
const MAX_HEADER: usize = 8_192;
const MAX_KEYS: usize = 16;
const MAX_RECORD: usize = crate::MAX_ENTRY + 4_096;

/// The header of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportHeader {
    /// The log's id.
    pub log: [u8; 16],
    /// The zone of the local time column.
    pub zone: Zone,
    /// The log's verifier keys, as the exporter names them.
    pub keys: Vec<VerifierKey>,
}

impl ExportHeader {
    /// The header's text.
    pub fn encode(&self) -> String {
        let mut out = format!("{FIRST_LINE}log {}\nzone {}\n", hex::encode(self.log), self.zone.name());
        for key in &self.keys {
            out.push_str(&format!("key {}\n", key.encode()));
        }
        out.push('\n');
        out
    }
}

/// Reads the header at the beginning of `bytes`, and how long it is.
///
/// # Errors
/// Anything but what [`ExportHeader::encode`] writes, or more than 8,192 bytes.
pub fn parse_export_header(bytes: &[u8]) -> Result<(ExportHeader, usize), Malformed> {
    let bad = |why| Malformed::new("export header", why);
    let bytes = &bytes[..bytes.len().min(MAX_HEADER)];
    let end = bytes.windows(2).position(|w| w == b"\n\n").ok_or(bad("no empty line at its end"))?;
    let text = std::str::from_utf8(&bytes[..=end]).map_err(|_| bad("not UTF-8"))?;
    let rest = text.strip_prefix(FIRST_LINE).ok_or(bad("not a sekisho-log of version 1"))?;
    let mut lines = rest.split_terminator('\n');
    let mut log = [0; 16];
    let id = lines.next().and_then(|l| l.strip_prefix("log ")).ok_or(bad("no log id"))?;
    hex::decode_to_slice(id, &mut log).map_err(|_| bad("not a log id"))?;
    let zone = lines.next().and_then(|l| l.strip_prefix("zone ")).ok_or(bad("no zone"))?;
    let zone = Zone::parse(zone).ok_or(bad("not a zone"))?;
    let mut keys = Vec::new();
    for line in lines {
        if keys.len() == MAX_KEYS {
            return Err(bad("too many keys"));
        }
        keys.push(parse_verifier_key(line.strip_prefix("key ").ok_or(bad("unknown line"))?)?);
    }
    let header = ExportHeader { log, zone, keys };
    if header.encode().as_bytes() != &bytes[..end + 2] {
        return Err(bad("not in its one spelling"));
    }
    Ok((header, end + 2))
}
