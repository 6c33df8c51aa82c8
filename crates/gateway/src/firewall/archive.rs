//! The archive in which a rule set travels: one file, signed.
//!
//! ```text
//! sekisho-rules 1
//! {"name":"example","version":7,"made":"2026-11-22T00:00:00Z","whole":false,"files":[{"path":"rules/a.conf","size":120,"sha256":"…"},…]}
//! ed25519 <base64 of the signature over the two lines above, their line feeds included>
//! <the files' bytes, one after another, in the order of the list>
//! ```
//!
//! `rules/*.conf` are its rules and their data files; `tests/**/*.yaml` its tests in the format of go-ftw, at least one;
//! `tests/overrides.txt` what they need not pass, with reasons. A `whole` set brings everything (`crs-setup.conf` too);
//! another is loaded beside the rules of the product.

use std::{collections::BTreeMap, fs, path::Path};

use aws_lc_rs::{
    digest,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{Problem, Text, Time};
use serde::{Deserialize, Serialize};

use crate::problems;

/// How such a file's name ends.
pub const SUFFIX: &str = ".sekisho-rules";
const MAGIC: &str = "sekisho-rules 1";
/// Bytes of an archive, and files in it.
pub const MOST_BYTES: usize = 32 << 20;
const MOST_FILES: usize = 5_000;

/// What an archive says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its number; higher is newer.
    pub version: u64,
    /// When it was made, RFC 3339 in UTC.
    pub made: String,
    /// Whether it stands alone; else it is loaded beside the rules of the product.
    pub whole: bool,
    /// Its files in order.
    pub files: Vec<Listed>,
}

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Relative path.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// An archive, read and verified.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its files.
    pub files: BTreeMap<String, Vec<u8>>,
}

fn refused(ja: &'static str, en: &'static str) -> Problem {
    Problem::new(&problems::FEED_REFUSED).detail(Text::new(ja, en))
}

fn hex_digest(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn is_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 200
        && !path.starts_with('/')
        && path.split('/').all(|p| !p.is_empty() && p != "." && p != "..")
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_'))
}

struct Read<'a> {
    signed: &'a [u8],
    manifest: Manifest,
    signature: Vec<u8>,
    rest: &'a [u8],
}

fn line<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a str> {
    let end = *at + bytes[*at..].iter().position(|b| *b == b'\n')?;
    let text = std::str::from_utf8(&bytes[*at..end]).ok()?;
    *at = end + 1;
    Some(text)
}

fn read(bytes: &[u8]) -> Option<Read<'_>> {
    let mut at = 0;
    if line(bytes, &mut at)? != MAGIC {
        return None;
    }
    let manifest: Manifest = serde_json::from_str(line(bytes, &mut at)?).ok()?;
    let signed = &bytes[..at];
    let signature = line(bytes, &mut at)?.strip_prefix("ed25519")?.trim();
    let signature = STANDARD.decode(signature).ok()?;
    Some(Read { signed, manifest, signature, rest: &bytes[at..] })
}

/// What an archive says of itself, unverified: to see whether it is worth verifying.
pub fn peek(bytes: &[u8]) -> Option<Manifest> {
    read(bytes).map(|r| r.manifest)
}

impl Archive {
    /// Reads an archive. Nothing of it is used before its signature verifies under `key` (base64); `None` takes no key and
    /// verifies nothing.
    ///
    /// # Errors
    /// `FEED_REFUSED`, with the reason.
    pub fn open(bytes: &[u8], key: Option<&str>) -> Result<Self, Problem> {
        if bytes.len() > MOST_BYTES {
            return Err(refused("大きすぎます。", "it is too large"));
        }
        let read = read(bytes).ok_or_else(|| refused("形式が正しくありません。", "it is not a rule-set archive"))?;
        if let Some(key) = key {
            let key = STANDARD
                .decode(key)
                .map_err(|_| refused("waf.feed_key が正しくありません。", "waf.feed_key is not a key"))?;
            UnparsedPublicKey::new(&ED25519, key).verify(read.signed, &read.signature).map_err(|_| {
                refused(
                    "署名がないか、waf.feed_key の鍵のものではありません。",
                    "it is not signed by the key of waf.feed_key",
                )
            })?;
        }
        let Read { manifest, mut rest, .. } = read;
        let unsound = || refused("一覧と中身が合いません。", "its list and its files do not agree");
        if manifest.files.len() > MOST_FILES || Time::parse_rfc3339(&manifest.made).is_none() {
            return Err(unsound());
        }
        let mut files = BTreeMap::new();
        for listed in &manifest.files {
            let size = usize::try_from(listed.size).map_err(|_| unsound())?;
            let (file, after) = rest.split_at_checked(size).ok_or_else(unsound)?;
            rest = after;
            let sound = is_path(&listed.path) && hex_digest(file) == listed.sha256;
            if !sound || files.insert(listed.path.clone(), file.to_vec()).is_some() {
                return Err(unsound());
            }
        }
        if rest.is_empty() { Ok(Self { manifest, files }) } else { Err(unsound()) }
    }

    /// When it was made.
    pub fn made(&self) -> Time {
        Time::parse_rfc3339(&self.manifest.made).unwrap_or_else(|| Time::from_secs(0))
    }
}

/// Makes an archive. `key` signs; `None` leaves the place of the signature empty.
pub fn make(
    name: &str,
    version: u64,
    made: Time,
    whole: bool,
    files: &BTreeMap<String, Vec<u8>>,
    key: Option<&SigningKey>,
) -> Result<Vec<u8>, Problem> {
    let listed = files.iter().map(|(path, bytes)| Listed {
        path: path.clone(),
        size: bytes.len() as u64,
        sha256: hex_digest(bytes),
    });
    let manifest = Manifest { name: name.to_owned(), version, made: made.rfc3339(), whole, files: listed.collect() };
    let json = serde_json::to_string(&manifest).map_err(|e| Problem::new(&sekisho_kernel::problem::INTERNAL).log(e))?;
    let mut out = format!("{MAGIC}\n{json}\n").into_bytes();
    let signature = key.map_or_else(String::new, |key| format!(" {}", STANDARD.encode(key.0.sign(&out))));
    out.extend_from_slice(format!("ed25519{signature}\n").as_bytes());
    files.values().for_each(|bytes| out.extend_from_slice(bytes));
    Ok(out)
}

/// The files of a folder, by relative path, for [`make`].
///
/// # Errors
/// What cannot be read, or may not be in an archive.
pub fn gather(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut out = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    let mut size = 0;
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(&next).map_err(|e| format!("{}: {e}", next.display()))? {
            let path = entry.map_err(|e| format!("{}: {e}", next.display()))?.path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).map_err(|e| e.to_string())?.display().to_string();
            let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            size += bytes.len();
            if !is_path(&name) || size > MOST_BYTES || out.len() >= MOST_FILES {
                return Err(format!("{name}: it may not be in an archive, or the archive becomes too large"));
            }
            out.insert(name, bytes);
        }
    }
    Ok(out)
}

/// An Ed25519 key that signs archives.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

impl SigningKey {
    /// From 32 bytes of a secret seed (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// When the seed is not 32 bytes.
    pub fn from_seed(seed: &[u8]) -> Result<Self, Problem> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self)
            .map_err(|_| refused("鍵の種は 32 バイトです。", "the seed of a key has 32 bytes"))
    }
    /// The public key, base64: what `waf.feed_key` takes.
    pub fn public(&self) -> String {
        STANDARD.encode(self.0.public_key().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<String, Vec<u8>> {
        [("rules/a.conf", "SecAction \"id:1\""), ("tests/a.yaml", "x")]
            .map(|(n, t)| (n.to_owned(), t.as_bytes().to_vec()))
            .into()
    }

    #[test]
    fn only_what_the_key_signed_is_read() {
        let (ours, other) = (SigningKey::from_seed(&[1; 32]).unwrap(), SigningKey::from_seed(&[2; 32]).unwrap());
        let made = |key| make("x", 3, Time::from_secs(1_700_000_000), false, &files(), key).unwrap();
        let good = made(Some(&ours));
        let read = Archive::open(&good, Some(&ours.public())).unwrap();
        assert_eq!(
            (read.manifest.version, read.files.len(), read.made().rfc3339().as_str()),
            (3, 2, "2023-11-14T22:13:20Z")
        );
        assert!(Archive::open(&good, Some(&other.public())).is_err());
        assert!(Archive::open(&made(Some(&other)), Some(&ours.public())).is_err());
        assert!(Archive::open(&made(None), Some(&ours.public())).is_err());
        assert!(Archive::open(&made(None), None).is_ok());
        // Any changed byte is noticed: in the manifest by the signature, in a file by its digest.
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(Archive::open(&bad, Some(&ours.public())).is_err(), "byte {at}");
        }
        for short in 0..good.len() {
            assert!(Archive::open(&good[..short], Some(&ours.public())).is_err());
        }
    }

    #[test]
    fn paths_stay_inside() {
        for bad in ["", "/etc/x", "../x", "a/../b", "a//b", "a/./b", "a b", "a\\b"] {
            assert!(!is_path(bad), "{bad}");
        }
        assert!(is_path("rules/REQUEST-901.conf"));
    }
}
