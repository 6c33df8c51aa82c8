//! Where the root key comes from.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Params, Version};
use sekisho_kernel::{Problem, Rng, Secret, rng};
use zeroize::Zeroizing;

use crate::{
    kdf, kwp,
    problem::{ROOT_EXISTS, ROOT_EXPOSED, ROOT_MALFORMED, ROOT_MISSING},
};

/// A root key: wraps and unwraps other keys. Its holder may be this process, a token or a service elsewhere.
pub trait RootKey: Send + Sync {
    /// The provider's stable name: `file`, `passphrase`.
    fn kind(&self) -> &'static str;
    /// Wraps a key (AES key sizes, at most 64 bytes). `context` names what it is for; the same is asked of unwrapping.
    ///
    /// # Errors
    /// The holder does not answer.
    fn wrap(&self, context: &str, key: &[u8]) -> Result<Vec<u8>, Problem>;
    /// Unwraps a key.
    ///
    /// # Errors
    /// `SK-2004` when it was wrapped by another root key or for another context.
    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Problem>;
}

/// Which root key to take.
pub enum RootSource {
    /// A file of [`RootFile`]'s form.
    File(PathBuf),
    /// A passphrase; Argon2id makes the key of it. Salt and cost stand in the database.
    Passphrase(Secret<String>),
    /// Another provider.
    Other(Box<dyn RootKey>),
}

/// A root key in this process's memory. For each context a wrapping key is derived (HKDF-SHA256), which then wraps
/// with AES-256-KWP (RFC 5649): a wrapped key put into another's place does not unwrap.
pub(crate) struct LocalRoot {
    kind: &'static str,
    key: Zeroizing<[u8; 32]>,
}

impl LocalRoot {
    pub(crate) fn new(kind: &'static str, key: Zeroizing<[u8; 32]>) -> Self {
        Self { kind, key }
    }
    fn wrapping_key(&self, context: &str) -> Zeroizing<[u8; 32]> {
        kdf::derive(&self.key, &["root/wrap", context])
    }
}

impl RootKey for LocalRoot {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn wrap(&self, context: &str, key: &[u8]) -> Result<Vec<u8>, Problem> {
        kwp::wrap(&self.wrapping_key(context), key)
    }
    fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Problem> {
        kwp::unwrap(&self.wrapping_key(context), wrapped)
            .ok_or_else(|| Problem::new(&crate::problem::ROOT_WRONG).log(format!("{context} does not unwrap")))
    }
}

const FIRST_LINE: &str = "sekisho root key, version 1";

/// The root key as a file: a line that says what it is, then 64 hex digits. Mode 0600.
pub struct RootFile {
    key: Zeroizing<[u8; 32]>,
}

impl RootFile {
    /// Makes a new key in a new file, 0600, and syncs it.
    ///
    /// # Errors
    /// `SK-2005` when there is a file already; `SK-2001` when it cannot be written.
    pub fn create(path: &Path, rng: &dyn Rng) -> Result<Self, Problem> {
        Self { key: Zeroizing::new(rng::bytes(rng)) }.write(path)
    }

    /// Brings a key back from the digits of a recovery sheet into a new file. White space and hyphens do not matter.
    ///
    /// # Errors
    /// `SK-2003` when the digits or their check digits are wrong; as [`RootFile::create`].
    pub fn restore(path: &Path, digits: &Secret<String>) -> Result<Self, Problem> {
        let bad = || Problem::new(&ROOT_MALFORMED);
        let plain: Zeroizing<String> =
            Zeroizing::new(digits.reveal().chars().filter(|c| !c.is_whitespace() && *c != '-').collect());
        let bytes = Zeroizing::new(hex::decode(plain.to_ascii_lowercase()).map_err(|_| bad())?);
        let (key, check) = bytes.split_first_chunk::<32>().ok_or_else(bad)?;
        let this = Self { key: Zeroizing::new(*key) };
        if check != this.check() {
            return Err(bad().at("check digits"));
        }
        this.write(path)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// `SK-2001` unreadable, `SK-2002` open to group or world, `SK-2003` not of its form.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let place = path.display().to_string();
        let missing = |e: std::io::Error| Problem::new(&ROOT_MISSING).at(path.display().to_string()).log(e);
        let mut file = File::open(path).map_err(missing)?;
        // The open file's own mode: the path may meanwhile lead to another.
        let meta = file.metadata().map_err(missing)?;
        if !meta.is_file() {
            return Err(Problem::new(&ROOT_MALFORMED).at(place));
        }
        if meta.mode() & 0o077 != 0 {
            return Err(Problem::new(&ROOT_EXPOSED).at(place).log(format!("mode {:o}", meta.mode())));
        }
        let mut text = Zeroizing::new(String::new());
        let malformed = || Problem::new(&ROOT_MALFORMED).at(path.display().to_string());
        (&mut file).take(256).read_to_string(&mut text).map_err(|e| malformed().log(e))?;
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed());
        }
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(lines.next().unwrap_or("").trim(), &mut key[..]).map_err(|_| malformed())?;
        if lines.any(|l| !l.trim().is_empty()) {
            return Err(malformed());
        }
        Ok(Self { key })
    }

    /// The digits of the recovery sheet: 34 bytes as hex, the last two check digits, in groups of four.
    pub fn sheet(&self) -> Secret<String> {
        let mut bytes = Zeroizing::new(self.key.to_vec());
        bytes.extend_from_slice(&self.check());
        let digits = Zeroizing::new(hex::encode(&*bytes));
        let mut out = String::with_capacity(digits.len() * 5 / 4);
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                out.push('-');
            }
            out.push(c);
        }
        Secret::new(out)
    }

    pub(crate) fn into_root(self) -> LocalRoot {
        LocalRoot::new("file", self.key)
    }

    fn check(&self) -> [u8; 2] {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.key[..]);
        [digest.as_ref()[0], digest.as_ref()[1]]
    }

    fn write(self, path: &Path) -> Result<Self, Problem> {
        let failed = |e: std::io::Error| {
            let kind = if e.kind() == std::io::ErrorKind::AlreadyExists { &ROOT_EXISTS } else { &ROOT_MISSING };
            Problem::new(kind).at(path.display().to_string()).log(e)
        };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let text = Zeroizing::new(format!("{FIRST_LINE}\n{}\n", Zeroizing::new(hex::encode(&self.key[..])).as_str()));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(self)
    }
}

/// Cost of turning a passphrase into a key: 64 MiB, 3 passes, once at start.
const COST: &str = "argon2id,m=65536,t=3,p=1";

/// New parameters for a passphrase: cost and salt, as the database keeps them.
pub(crate) fn new_params(rng: &dyn Rng) -> String {
    format!("{COST},salt={}", hex::encode(rng::bytes::<16>(rng)))
}

/// The root key of a passphrase under stored parameters.
pub(crate) fn of_passphrase(passphrase: &Secret<String>, params: &str) -> Result<LocalRoot, Problem> {
    let bad = || Problem::new(&ROOT_MALFORMED).log(format!("parameters {params:?}"));
    let mut values = [0u32; 3];
    let mut salt = None;
    let mut parts = params.split(',');
    if parts.next() != Some("argon2id") {
        return Err(bad());
    }
    for part in parts {
        let (name, value) = part.split_once('=').ok_or_else(bad)?;
        match name {
            "m" => values[0] = value.parse().map_err(|_| bad())?,
            "t" => values[1] = value.parse().map_err(|_| bad())?,
            "p" => values[2] = value.parse().map_err(|_| bad())?,
            "salt" => salt = Some(hex::decode(value).map_err(|_| bad())?),
            _ => return Err(bad()),
        }
    }
    // Bounded: parameters lie in the database, which somebody may have changed to keep us busy.
    if values[0] > 1 << 20 || values[1] > 64 || values[2] > 16 {
        return Err(bad());
    }
    let salt = salt.ok_or_else(bad)?;
    let cost = Params::new(values[0], values[1], values[2], Some(32)).map_err(|_| bad())?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
        .hash_password_into(passphrase.reveal().as_bytes(), &salt, &mut key[..])
        .map_err(|e| bad().log(e))?;
    Ok(LocalRoot::new("passphrase", key))
}
