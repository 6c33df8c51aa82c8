//! A second program that opens what the instance has sealed, written from the descriptions of the formats on
//! RustCrypto's block cipher, hash and GCM: it shares no line and no library with what it checks.
//!
//! ```text
//! sealed = format 1 || key version (4, big-endian) || random value (24) || ciphertext || tag (16)
//! associated data = format || tenant (16) || length of table (1) || table || id (16) || version (8) || key version (4)
//! ```

use std::collections::HashMap;

use aes::{
    Aes256,
    cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sekisho_kernel::{
    claim::Trouble,
    id::TenantId,
    world::{Raw, Rehearsed},
};
use sha2::Sha256;

/// Bytes of a sealed value in front of its ciphertext.
pub const HEADER: usize = 29;

/// HKDF-SHA256 (RFC 5869) without salt, 32 bytes, over labels that each carry their length.
fn derive(secret: &[u8], labels: &[&str]) -> [u8; 32] {
    let mut info = b"sekisho/v1".to_vec();
    for label in labels {
        info.extend_from_slice(&(label.len() as u64).to_be_bytes());
        info.extend_from_slice(label.as_bytes());
    }
    let prk = hmac(&[0; 32], &[secret]);
    hmac(&prk, &[&info, &[1]])
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        Mac::update(&mut mac, part);
    }
    mac.finalize().into_bytes().into()
}

/// AES-256 key unwrap with padding (RFC 5649 §4.2). `None` when it was not wrapped under `kek`.
fn unwrap(kek: &[u8; 32], wrapped: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256::new(kek.into());
    let n = wrapped.len().checked_div(8)?.checked_sub(1).filter(|n| *n >= 1 && wrapped.len().is_multiple_of(8))?;
    let mut plain = wrapped[8..].to_vec();
    let mut head: [u8; 8] = wrapped[..8].try_into().ok()?;
    if n == 1 {
        let mut block = Block::<Aes256>::try_from(wrapped).ok()?;
        cipher.decrypt_block(&mut block);
        head.copy_from_slice(&block[..8]);
        plain.copy_from_slice(&block[8..]);
    } else {
        for j in (0..6u64).rev() {
            for i in (1..=n).rev() {
                let step = (n as u64) * j + i as u64;
                let mut block = Block::<Aes256>::default();
                block[..8].copy_from_slice(&(u64::from_be_bytes(head) ^ step).to_be_bytes());
                block[8..].copy_from_slice(&plain[(i - 1) * 8..i * 8]);
                cipher.decrypt_block(&mut block);
                head.copy_from_slice(&block[..8]);
                plain[(i - 1) * 8..i * 8].copy_from_slice(&block[8..]);
            }
        }
    }
    let length = usize::try_from(u32::from_be_bytes(head[4..].try_into().ok()?)).ok()?;
    let sound = head[..4] == [0xa6, 0x59, 0x59, 0xa6]
        && length <= plain.len()
        && length + 8 > plain.len()
        && plain[length..].iter().all(|b| *b == 0);
    sound.then(|| {
        plain.truncate(length);
        plain
    })
}

/// XAES-256-GCM (C2SP XAES-256-GCM). `None` when it does not authenticate.
pub fn open_xaes(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let cipher = Aes256::new(key.into());
    let mut subkey = Block::<Aes256>::default();
    cipher.encrypt_block(&mut subkey);
    let carry = subkey[0] >> 7;
    for i in 0..16 {
        subkey[i] = subkey[i] << 1 | subkey.get(i + 1).map_or(0, |b| b >> 7);
    }
    subkey[15] ^= carry * 0b1000_0111;
    let mut derived = [0u8; 32];
    for (half, counter) in derived.chunks_exact_mut(16).zip([1u8, 2]) {
        let mut block = Block::<Aes256>::default();
        block[..4].copy_from_slice(&[0, counter, b'X', 0]);
        block[4..].copy_from_slice(&nonce[..12]);
        block.iter_mut().zip(subkey.iter()).for_each(|(b, k)| *b ^= k);
        cipher.encrypt_block(&mut block);
        half.copy_from_slice(&block);
    }
    let rest: [u8; 12] = nonce[12..].try_into().ok()?;
    Aes256Gcm::new((&derived).into()).decrypt((&rest).into(), Payload { msg: sealed, aad }).ok()
}

/// Where a sealed value lies, which its seal is bound to.
#[derive(Clone, Debug)]
pub struct Place {
    /// The tenant.
    pub tenant: [u8; 16],
    /// The table, or the name of another kind of sealed value.
    pub table: String,
    /// The record.
    pub id: [u8; 16],
    /// The record's version.
    pub version: i64,
}

/// The random value of a sealed one; `None` when it is none.
pub fn nonce(sealed: &[u8]) -> Option<[u8; 24]> {
    sealed.get(5..HEADER)?.try_into().ok()
}

/// The keys of every tenant, unwrapped with the root key.
pub struct Ring {
    secrets: HashMap<([u8; 16], u32), Vec<u8>>,
}

impl Ring {
    /// From the root key's bytes and the wrapped keys of raw storage.
    ///
    /// # Errors
    /// When raw storage cannot be read or a wrapped key is not under the root key.
    pub async fn read(instance: &dyn Rehearsed) -> Result<Self, Trouble> {
        let root = root_bytes(instance.root_key().await?.reveal())?;
        let mut tenants: HashMap<([u8; 16], i64), Vec<u8>> = HashMap::new();
        for row in instance.raw_rows("SELECT tenant, version, wrapped FROM tenant_key").await? {
            let [Raw::Blob(tenant), Raw::Int(version), Raw::Blob(wrapped)] = &row[..] else { continue };
            let tenant = id16(tenant)?;
            let context = format!("tenant/{}/{version}", TenantId::from_bytes(tenant));
            let key = unwrap(&derive(&root, &["root/wrap", &context]), wrapped);
            tenants.insert((tenant, *version), key.ok_or_else(|| Trouble(format!("{context} does not unwrap")))?);
        }
        let mut secrets = HashMap::new();
        for row in instance.raw_rows("SELECT tenant, purpose, version, under, wrapped FROM data_key").await? {
            let [Raw::Blob(tenant), Raw::Text(purpose), Raw::Int(version), Raw::Int(under), Raw::Blob(wrapped)] =
                &row[..]
            else {
                continue;
            };
            let tenant = id16(tenant)?;
            let Some(key) = tenants.get(&(tenant, *under)).filter(|_| purpose == "data") else { continue };
            let kek = derive(key, &["tenant/wrap", purpose, &version.to_string()]);
            let secret = unwrap(&kek, wrapped).ok_or_else(|| Trouble("a data key does not unwrap".into()))?;
            secrets.insert((tenant, u32::try_from(*version).unwrap_or(0)), secret);
        }
        Ok(Self { secrets })
    }

    /// How long the keys are that tables' keys are derived from, in bytes: each length once.
    pub fn key_lengths(&self) -> Vec<usize> {
        let mut out: Vec<usize> = self.secrets.values().map(Vec::len).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Whose keys are in the ring, the platform's (all zeroes) among them.
    pub fn owners(&self) -> Vec<[u8; 16]> {
        let mut out: Vec<[u8; 16]> = self.secrets.keys().map(|(t, _)| *t).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Whether the ring holds a key of the tenant.
    pub fn has(&self, tenant: [u8; 16]) -> bool {
        self.secrets.keys().any(|(t, _)| *t == tenant)
    }

    /// Opens a sealed value with its own tenant's key. `None` when it does not authenticate.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_with(place.tenant, place, sealed)
    }

    /// The same with the keys of `owner`, each of them tried.
    pub fn open_with(&self, owner: [u8; 16], place: &Place, sealed: &[u8]) -> Option<Vec<u8>> {
        let (header, body) = sealed.split_at_checked(HEADER)?;
        let version = u32::from_be_bytes(header[1..5].try_into().ok()?);
        let mut aad = vec![1];
        aad.extend_from_slice(&place.tenant);
        aad.push(u8::try_from(place.table.len()).ok()?);
        aad.extend_from_slice(place.table.as_bytes());
        aad.extend_from_slice(&place.id);
        aad.extend_from_slice(&place.version.to_be_bytes());
        aad.extend_from_slice(&version.to_be_bytes());
        if header[0] != 1 {
            return None;
        }
        let nonce = nonce(sealed)?;
        let theirs = self.secrets.iter().filter(|((t, v), _)| *t == owner && (*v == version || owner != place.tenant));
        theirs
            .map(|(_, secret)| derive(secret, &["table", &place.table]))
            .find_map(|key| open_xaes(&key, &nonce, &aad, body))
    }
}

/// The 32 bytes of a root key file: a line that says what it is, then 64 hex digits.
fn root_bytes(file: &[u8]) -> Result<[u8; 32], Trouble> {
    let bad = || Trouble("the root key file is not of its form".into());
    let mut lines = std::str::from_utf8(file).map_err(|_| bad())?.lines();
    let mut out = [0; 32];
    lines.next().filter(|l| *l == "sekisho root key, version 1").ok_or_else(bad)?;
    hex::decode_to_slice(lines.next().unwrap_or_default(), &mut out).map_err(|_| bad())?;
    Ok(out)
}

/// Sixteen bytes of an id.
///
/// # Errors
/// When there are not exactly sixteen.
pub fn id16(bytes: &[u8]) -> Result<[u8; 16], Trouble> {
    bytes.try_into().map_err(|_| Trouble(format!("an id of {} bytes", bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        hex::decode(text).expect("hex")
    }

    /// C2SP XAES-256-GCM, both test vectors: one for each value of the subkey's carry.
    #[test]
    fn xaes_opens_the_published_vectors() {
        let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
        let first = unhex("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
        let second = unhex("986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
        assert_eq!(open_xaes(&[1; 32], nonce, b"", &first).as_deref(), Some(&b"XAES-256-GCM"[..]));
        let opened = open_xaes(&[3; 32], nonce, b"c2sp.org/XAES-256-GCM", &second);
        assert_eq!(opened.as_deref(), Some(&b"XAES-256-GCM"[..]));
        assert_eq!(open_xaes(&[3; 32], nonce, b"", &second), None);
    }

    /// NIST SP 800-38F KWP-AES256 shapes: a 256-bit key and a short one, both wrapped by aws-lc, whose code this is not.
    #[test]
    fn key_unwrap_agrees_with_another_implementation() {
        use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
        for key in [&[7u8; 32][..], &[9; 5], &[1; 8], &[2; 17]] {
            let mut room = vec![0; key.len().next_multiple_of(8) + 8];
            let kek = AesKek::new(&AES_256, &[4; 32]).expect("a kek");
            let wrapped = kek.wrap_with_padding(key, &mut room).expect("room").to_vec();
            assert_eq!(unwrap(&[4; 32], &wrapped).as_deref(), Some(key));
            assert_eq!(unwrap(&[5; 32], &wrapped), None);
        }
        assert_eq!(unwrap(&[4; 32], &[]), None);
        assert_eq!(unwrap(&[4; 32], &[0; 9]), None);
    }

    /// RFC 5869 has no vector for our labels; its HMAC core is checked against RFC 4231 test case 2.
    #[test]
    fn hmac_is_that_of_the_rfc() {
        let tag = hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex::encode(tag), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
