//! A search through raw bytes for a text in every form in which software writes one down.

use aho_corasick::AhoCorasick;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{
        DecompressorOxide, decompress,
        inflate_flags::{TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF},
    },
};
use sekisho_kernel::world::RawFile;

/// The most that one compressed block may unfold to.
const MOST_UNFOLDED: usize = 4 << 20;

/// How a text may have been written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// UTF-8, and so ASCII.
    Utf8,
    /// UTF-16, either byte order.
    Utf16,
    /// Shift_JIS (JIS X 0208 katakana).
    ShiftJis,
    /// Base64, standard and URL-safe, at each of its three alignments.
    Base64,
    /// Hexadecimal, either case.
    Hex,
}

impl Form {
    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 => "UTF-16",
            Self::ShiftJis => "Shift_JIS",
            Self::Base64 => "base64",
            Self::Hex => "hex",
        }
    }
}

/// A text that occurs nowhere else, in ASCII and in katakana.
#[derive(Clone, Debug)]
pub struct Marker {
    /// Letters, digits and hyphens.
    pub ascii: String,
    /// The same marker's hex digits as full-width katakana.
    pub kana: String,
}

impl Marker {
    /// From a marker of the world: a label, a hyphen, hex digits.
    pub fn new(ascii: String) -> Self {
        let digits = ascii.rsplit('-').next().unwrap_or(&ascii);
        let kana = digits.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| char::from_u32(0x30a1 + d)).collect();
        Self { ascii, kana }
    }
    /// Both, as one text to plant.
    pub fn both(&self) -> String {
        format!("{} {}", self.ascii, self.kana)
    }
}

/// Shift_JIS of full-width katakana (JIS X 0208 row 5). `None` for any other character.
pub fn shift_jis(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for c in text.chars() {
        let at = u16::try_from(u32::from(c).checked_sub(0x30a1)?).ok().filter(|at| *at <= 0x55)?;
        // 0x7f is no second byte.
        out.extend_from_slice(&(0x8340 + at + u16::from(at >= 0x3f)).to_be_bytes());
    }
    Some(out)
}

/// The characters of base64 that depend on `bytes` alone when `before` other bytes stand in front.
fn base64_core(bytes: &[u8], before: usize, engine: &impl Engine) -> String {
    let mut padded = vec![0; before];
    padded.extend_from_slice(bytes);
    let all = engine.encode(&padded);
    let first = (before * 8).div_ceil(6);
    let last = (padded.len() * 8) / 6;
    all.get(first..last).unwrap_or_default().to_owned()
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The file's name.
    pub file: String,
    /// In which form.
    pub form: Form,
    /// Where in the file; for a compressed block, where the block begins.
    pub at: usize,
    /// Whether inside a compressed block.
    pub compressed: bool,
}

impl Hit {
    /// `data.db at byte 8192 as UTF-8`.
    pub fn told(&self) -> String {
        let inside = if self.compressed { " inside a compressed block" } else { "" };
        format!("{} at byte {}{inside} as {}", self.file, self.at, self.form.name())
    }
}

/// Looks for some texts in all forms at once.
pub struct Search {
    patterns: AhoCorasick,
    forms: Vec<Form>,
}

impl Search {
    /// For markers, each in ASCII and katakana.
    ///
    /// # Panics
    /// Never: the patterns are few and short.
    pub fn of(markers: &[&Marker]) -> Self {
        let texts: Vec<&[u8]> = markers.iter().flat_map(|m| [m.ascii.as_bytes(), m.kana.as_bytes()]).collect();
        Self::of_bytes(&texts)
    }

    /// For any bytes; what is UTF-8 text is looked for as text as well.
    ///
    /// # Panics
    /// Never: the patterns are few and short.
    pub fn of_bytes(wanted: &[&[u8]]) -> Self {
        let mut needles: Vec<(Form, Vec<u8>)> = Vec::new();
        for bytes in wanted.iter().filter(|b| b.len() >= 4) {
            needles.push((Form::Utf8, bytes.to_vec()));
            for before in 0..3 {
                needles.push((Form::Base64, base64_core(bytes, before, &STANDARD).into_bytes()));
                needles.push((Form::Base64, base64_core(bytes, before, &URL_SAFE).into_bytes()));
            }
            needles.push((Form::Hex, hex::encode(bytes).into_bytes()));
            needles.push((Form::Hex, hex::encode_upper(bytes).into_bytes()));
            if let Ok(text) = std::str::from_utf8(bytes) {
                needles.push((Form::Utf16, text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
                needles.push((Form::Utf16, text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
                needles.extend(shift_jis(text).map(|bytes| (Form::ShiftJis, bytes)));
            }
        }
        needles.sort();
        needles.dedup();
        let (forms, bytes): (Vec<Form>, Vec<Vec<u8>>) = needles.into_iter().unzip();
        Self { patterns: AhoCorasick::new(&bytes).expect("a few dozen short patterns"), forms }
    }

    /// Every hit in `bytes`, at most 100, compressed blocks unfolded.
    pub fn bytes(&self, file: &str, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = self.plain(file, bytes);
        for (at, unfolded) in unfold(bytes) {
            let inside = self.plain(file, &unfolded).into_iter().map(|h| Hit { at, compressed: true, ..h });
            hits.extend(inside);
        }
        hits
    }

    fn plain(&self, file: &str, bytes: &[u8]) -> Vec<Hit> {
        let found = self.patterns.find_overlapping_iter(bytes).take(100);
        let hit = |m: aho_corasick::Match| Hit {
            file: file.to_owned(),
            form: self.forms[m.pattern().as_usize()],
            at: m.start(),
            compressed: false,
        };
        found.map(hit).collect()
    }

    /// Every hit in `files`.
    pub fn files(&self, files: &[RawFile]) -> Vec<Hit> {
        files.iter().flat_map(|f| self.bytes(&name_of(f), &f.bytes)).collect()
    }
}

/// A raw file's name without its folder.
pub fn name_of(file: &RawFile) -> String {
    file.path.file_name().map_or_else(|| file.path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// Everything in `bytes` that unfolds as a zlib stream (RFC 1950), a gzip member (RFC 1952) or a deflated ZIP entry, with
/// where it begins. A block cut short gives what it holds.
pub fn unfold(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut out = Vec::new();
    let mut inflate = Inflate::default();
    for at in 0..bytes.len().saturating_sub(2) {
        let rest = &bytes[at..];
        let unfolded = match *rest {
            // CM = 8, FCHECK makes the pair a multiple of 31.
            [cmf, flags, ..] if cmf & 0x8f == 0x08 && (u16::from(cmf) << 8 | u16::from(flags)).is_multiple_of(31) => {
                inflate.unfold(rest, TINFL_FLAG_PARSE_ZLIB_HEADER)
            }
            [0x1f, 0x8b, 8, flags, ..] => gzip_body(rest, flags).and_then(|body| inflate.unfold(body, 0)),
            [b'P', b'K', 3, 4, ..] => zip_body(rest).and_then(|body| inflate.unfold(body, 0)),
            _ => None,
        };
        out.extend(unfolded.map(|u| (at, u)));
    }
    out
}

/// Room for most of what unfolds by chance, which is nothing or little.
const FIRST_ROOM: usize = 64 << 10;

/// An inflater, used again for each of the many places that merely look like the beginning of a block.
#[derive(Default)]
struct Inflate {
    state: Box<DecompressorOxide>,
    room: Vec<u8>,
}

impl Inflate {
    /// What `block` holds up to its end, its first mistake, or [`MOST_UNFOLDED`]; nothing below 4 bytes.
    fn unfold(&mut self, mut block: &[u8], flags: u32) -> Option<Vec<u8>> {
        self.state.init();
        self.room.resize(FIRST_ROOM, 0);
        let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let mut held = 0;
        loop {
            let (status, read, written) = decompress(&mut self.state, block, &mut self.room, held, flags);
            held += written;
            block = block.get(read..).unwrap_or_default();
            if status != TINFLStatus::HasMoreOutput || self.room.len() >= MOST_UNFOLDED {
                return (held >= 4).then(|| self.room[..held].to_vec());
            }
            self.room.resize(self.room.len() * 2, 0);
        }
    }
}

fn gzip_body(member: &[u8], flags: u8) -> Option<&[u8]> {
    let mut rest = member.get(10..)?;
    if flags & 4 != 0 {
        let length = usize::from(u16::from_le_bytes([*rest.first()?, *rest.get(1)?]));
        rest = rest.get(2 + length..)?;
    }
    for bit in [8, 16] {
        if flags & bit != 0 {
            let end = rest.iter().position(|b| *b == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

fn zip_body(entry: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(usize::from(u16::from_le_bytes([*entry.get(at)?, *entry.get(at + 1)?])));
    (word(8)? == 8).then_some(())?;
    entry.get(30 + word(26)? + word(28)?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker::new("canary-0123456789abcdef0123".into())
    }

    #[test]
    fn shift_jis_is_that_of_the_standard() {
        // ア 8341, ミ 837E, ム 8380 (7F is skipped), ン 8393.
        assert_eq!(shift_jis("アミムン"), Some(vec![0x83, 0x41, 0x83, 0x7e, 0x83, 0x80, 0x83, 0x93]));
        assert_eq!(shift_jis("Ａ"), None);
    }

    #[test]
    fn every_form_is_found_wherever_it_stands() {
        let marker = marker();
        let search = Search::of(&[&marker]);
        for (text, forms) in [(&marker.ascii, &[Form::Utf8][..]), (&marker.kana, &[Form::ShiftJis, Form::Utf16])] {
            for form in forms {
                let written = match form {
                    Form::Utf8 => text.clone().into_bytes(),
                    Form::ShiftJis => shift_jis(text).expect("katakana"),
                    _ => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                };
                let hits = search.bytes("f", &[b"..".to_vec(), written].concat());
                assert!(hits.iter().any(|h| h.form == *form && h.at == 2), "{form:?}: {hits:?}");
            }
        }
        for before in 0..7 {
            let mut record = vec![b'x'; before];
            record.extend_from_slice(marker.both().as_bytes());
            record.extend_from_slice(b" and more");
            for encoded in [STANDARD.encode(&record), URL_SAFE.encode(&record)] {
                assert!(search.bytes("f", encoded.as_bytes()).iter().any(|h| h.form == Form::Base64));
            }
            assert!(search.bytes("f", hex::encode(&record).as_bytes()).iter().any(|h| h.form == Form::Hex));
        }
        assert!(search.bytes("f", b"nothing of the kind").is_empty());
    }

    #[test]
    fn compressed_blocks_are_unfolded() {
        let marker = marker();
        let search = Search::of(&[&marker]);
        let text = format!("{} {}", marker.both().repeat(3), "padding ".repeat(20));
        let zlib = miniz_oxide::deflate::compress_to_vec_zlib(text.as_bytes(), 9);
        let raw = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 9);
        let gzip = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], b"name\0", &raw, &[0; 8]].concat();
        let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
        zip.extend_from_slice(&[0; 16]);
        zip.extend_from_slice(&[1, 0, 0, 0, b'n']);
        zip.extend_from_slice(&raw);
        for block in [zlib.clone(), gzip, zip, zlib[..zlib.len() - 6].to_vec()] {
            let file = [&b"\xff\xfe\x00"[..], &block].concat();
            let hits = search.bytes("f", &file);
            assert!(hits.iter().any(|h| h.compressed && h.at == 3), "{hits:?}");
            assert!(!hits.iter().any(|h| !h.compressed));
        }
    }
}
