//! The transformations, as functions from bytes to bytes.

mod decode;
mod hash;
mod path;
mod text;

/// A set of bytes.
pub type ByteSet = [u64; 4];

/// The bytes that occur in `value`.
#[must_use]
pub fn presence(value: &[u8]) -> ByteSet {
    // Neither way waits for a word of memory that the byte before has just changed.
    if value.len() < 48 && value.is_ascii() {
        let (mut low, mut high) = (0_u64, 0_u64);
        for &byte in value {
            let bit = 1_u64 << (byte & 63);
            let mask = u64::from(byte >> 6).wrapping_neg();
            low |= bit & !mask;
            high |= bit & mask;
        }
        return [low, high, 0, 0];
    }
    let mut seen = [0_u8; 256];
    for &byte in value {
        seen[usize::from(byte)] = 1;
    }
    let mut set = [0_u64; 4];
    for (word, bytes) in set.iter_mut().zip(seen.as_chunks::<64>().0) {
        for (at, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            // Gathers the lowest bits of eight bytes in the highest byte.
            let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            *word |= gathered << (8 * at);
        }
    }
    set
}

/// Whether two sets share a byte.
#[inline]
#[must_use]
pub fn meets(a: &ByteSet, b: &ByteSet) -> bool {
    (a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3]) != 0
}

const fn set(bytes: &[u8]) -> ByteSet {
    let mut out = [0_u64; 4];
    let mut i = 0;
    while i < bytes.len() {
        out[(bytes[i] >> 6) as usize] |= 1 << (bytes[i] & 63);
        i += 1;
    }
    out
}

const fn range(from: u8, to: u8) -> ByteSet {
    let mut out = [0_u64; 4];
    let mut b = from;
    loop {
        out[(b >> 6) as usize] |= 1 << (b & 63);
        if b == to {
            return out;
        }
        b += 1;
    }
}

const fn both(a: ByteSet, b: ByteSet) -> ByteSet {
    [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]]
}

const ANY: ByteSet = [u64::MAX; 4];
const SPACE: ByteSet = set(b" \t\n\x0b\x0c\r");
const UPPER: ByteSet = range(b'A', b'Z');

macro_rules! transformations {
    ($( $variant:ident = [$($name:literal),+], $trigger:expr, $apply:path; )*) => {
        /// A transformation of SecLang (`t:none` is resolved while loading).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Transformation { $( #[doc = concat!("`t:", $($name, "` ",)+)] $variant, )* }
        impl Transformation {
            /// Every transformation.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )*];
            /// Finds a transformation by its name, in any case.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                $( if $( name.eq_ignore_ascii_case($name) )||+ { return Some(Self::$variant); } )*
                None
            }
            /// The name in SecLang.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => [$($name),+][0], )* }
            }
            /// The bytes without any of which a value that is not empty stays as it is.
            #[must_use]
            pub fn triggers(self) -> &'static ByteSet {
                match self { $( Self::$variant => { const T: ByteSet = $trigger; &T } )* }
            }
            /// Transforms `value` into `out`, which is cleared first.
            pub fn apply(self, value: &[u8], out: &mut Vec<u8>) {
                out.clear();
                match self { $( Self::$variant => $apply(value, out), )* }
            }
        }
    };
}

transformations! {
    Base64Decode = ["base64Decode"], ANY, decode::base64_decode;
    Base64DecodeExt = ["base64DecodeExt"], ANY, decode::base64_decode_ext;
    Base64Encode = ["base64Encode"], ANY, decode::base64_encode;
    CmdLine = ["cmdLine"], both(UPPER, set(b"\"'\\^,;\t\r\n /(")), text::cmd_line;
    CompressWhitespace = ["compressWhitespace"], SPACE, text::compress_whitespace;
    CssDecode = ["cssDecode"], set(b"\\"), decode::css_decode;
    EscapeSeqDecode = ["escapeSeqDecode"], set(b"\\"), decode::escape_seq_decode;
    HexDecode = ["hexDecode"], ANY, decode::hex_decode;
    HexEncode = ["hexEncode"], ANY, decode::hex_encode;
    HtmlEntityDecode = ["htmlEntityDecode"], set(b"&"), decode::html_entity_decode;
    JsDecode = ["jsDecode"], set(b"\\"), decode::js_decode;
    Length = ["length"], ANY, text::length;
    Lowercase = ["lowercase"], UPPER, text::lowercase;
    Md5 = ["md5"], ANY, hash::md5;
    NormalizePath = ["normalizePath", "normalisePath"], set(b"/."), path::normalize;
    NormalizePathWin = ["normalizePathWin", "normalisePathWin"], set(b"/.\\"), path::normalize_win;
    RemoveComments = ["removeComments"], set(b"/-#<"), text::remove_comments;
    RemoveCommentsChar = ["removeCommentsChar"], set(b"/*<-#"), text::remove_comments_char;
    RemoveNulls = ["removeNulls"], set(b"\0"), text::remove_nulls;
    RemoveWhitespace = ["removeWhitespace"], both(SPACE, set(b"\xa0\xc2")), text::remove_whitespace;
    ReplaceComments = ["replaceComments"], set(b"/"), text::replace_comments;
    ReplaceNulls = ["replaceNulls"], set(b"\0"), text::replace_nulls;
    Sha1 = ["sha1"], ANY, hash::sha1;
    SqlHexDecode = ["sqlHexDecode"], set(b"xX"), decode::sql_hex_decode;
    Trim = ["trim"], SPACE, text::trim;
    TrimLeft = ["trimLeft"], SPACE, text::trim_left;
    TrimRight = ["trimRight"], SPACE, text::trim_right;
    Uppercase = ["uppercase"], range(b'a', b'z'), text::uppercase;
    UrlDecode = ["urlDecode"], set(b"%+"), decode::url_decode;
    UrlDecodeUni = ["urlDecodeUni"], set(b"%+"), decode::url_decode_uni;
    UrlEncode = ["urlEncode"], ANY, decode::url_encode;
    Utf8ToUnicode = ["utf8toUnicode"], range(0x80, 0xff), decode::utf8_to_unicode;
}

impl Transformation {
    /// Whether a value of these bytes surely stays as it is.
    #[inline]
    #[must_use]
    pub fn keeps(self, empty: bool, bytes: &ByteSet) -> bool {
        if empty { !matches!(self, Self::Length | Self::Md5 | Self::Sha1) } else { !meets(bytes, self.triggers()) }
    }
}
