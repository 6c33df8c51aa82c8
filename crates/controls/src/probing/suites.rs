//! TLS cipher suites by their IANA numbers, from export grade to today's, with what matters of each.

use sekisho_kernel::{
    claim::Trouble,
    world::{Hello, HelloAnswer, World},
};

/// TLS 1.0 on the wire.
pub const TLS_1_0: u16 = 0x0301;
/// TLS 1.1 on the wire.
pub const TLS_1_1: u16 = 0x0302;
/// TLS 1.2 on the wire.
pub const TLS_1_2: u16 = 0x0303;
/// TLS 1.3 on the wire.
pub const TLS_1_3: u16 = 0x0304;
/// All of them, oldest first.
pub const VERSIONS: [u16; 4] = [TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3];

/// `TLS 1.2`.
pub const fn version_name(version: u16) -> &'static str {
    match version {
        TLS_1_0 => "TLS 1.0",
        TLS_1_1 => "TLS 1.1",
        TLS_1_2 => "TLS 1.2",
        TLS_1_3 => "TLS 1.3",
        _ => "an unknown version",
    }
}

/// How the session's key comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Any ephemeral exchange of TLS 1.3.
    Tls13,
    /// Ephemeral Diffie-Hellman, authenticated.
    Ephemeral,
    /// The client encrypts the secret to the server's RSA key.
    StaticRsa,
    /// The server's certificate holds the Diffie-Hellman key.
    StaticDh,
    /// Nobody is authenticated.
    Anonymous,
    /// A key shared beforehand.
    Psk,
}

/// What encrypts the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES in GCM or CCM, with this many key bits.
    Aead(u16),
    /// AES in CBC, with this many key bits.
    Cbc(u16),
    /// ChaCha20-Poly1305.
    ChaCha,
    /// Anything older, weaker or rarer.
    Other,
}

/// A suite.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// Its number.
    pub id: u16,
    /// Its IANA name without `TLS_`.
    pub name: &'static str,
    /// Key exchange.
    pub exchange: Exchange,
    /// Record protection.
    pub cipher: Cipher,
}

impl Suite {
    /// Whether a key stolen later opens nothing recorded earlier.
    pub const fn forward_secret(&self) -> bool {
        matches!(self.exchange, Exchange::Tls13 | Exchange::Ephemeral)
    }
    /// AES key bits; 0 for anything else.
    pub const fn aes_bits(&self) -> u16 {
        match self.cipher {
            Cipher::Aead(bits) | Cipher::Cbc(bits) => bits,
            Cipher::ChaCha | Cipher::Other => 0,
        }
    }
}

const fn s(id: u16, name: &'static str, exchange: Exchange, cipher: Cipher) -> Suite {
    Suite { id, name, exchange, cipher }
}

use Cipher::{Aead, Cbc, ChaCha, Other};
use Exchange::{Anonymous, Ephemeral, Psk, StaticDh, StaticRsa, Tls13};

/// The suites that are tried.
pub static SUITES: &[Suite] = &[
    s(0x1301, "AES_128_GCM_SHA256", Tls13, Aead(128)),
    s(0x1302, "AES_256_GCM_SHA384", Tls13, Aead(256)),
    s(0x1303, "CHACHA20_POLY1305_SHA256", Tls13, ChaCha),
    s(0x1304, "AES_128_CCM_SHA256", Tls13, Aead(128)),
    s(0x1305, "AES_128_CCM_8_SHA256", Tls13, Aead(128)),
    s(0x00c6, "SM4_GCM_SM3", Tls13, Other),
    s(0x00c7, "SM4_CCM_SM3", Tls13, Other),
    s(0xc02b, "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Ephemeral, Aead(128)),
    s(0xc02c, "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Ephemeral, Aead(256)),
    s(0xc02f, "ECDHE_RSA_WITH_AES_128_GCM_SHA256", Ephemeral, Aead(128)),
    s(0xc030, "ECDHE_RSA_WITH_AES_256_GCM_SHA384", Ephemeral, Aead(256)),
    s(0x009e, "DHE_RSA_WITH_AES_128_GCM_SHA256", Ephemeral, Aead(128)),
    s(0x009f, "DHE_RSA_WITH_AES_256_GCM_SHA384", Ephemeral, Aead(256)),
    s(0xc0ac, "ECDHE_ECDSA_WITH_AES_128_CCM", Ephemeral, Aead(128)),
    s(0xc0ad, "ECDHE_ECDSA_WITH_AES_256_CCM", Ephemeral, Aead(256)),
    s(0xc0ae, "ECDHE_ECDSA_WITH_AES_128_CCM_8", Ephemeral, Aead(128)),
    s(0xc0af, "ECDHE_ECDSA_WITH_AES_256_CCM_8", Ephemeral, Aead(256)),
    s(0xcca8, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Ephemeral, ChaCha),
    s(0xcca9, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", Ephemeral, ChaCha),
    s(0xccaa, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", Ephemeral, ChaCha),
    s(0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Ephemeral, Cbc(128)),
    s(0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Ephemeral, Cbc(256)),
    s(0xc013, "ECDHE_RSA_WITH_AES_128_CBC_SHA", Ephemeral, Cbc(128)),
    s(0xc014, "ECDHE_RSA_WITH_AES_256_CBC_SHA", Ephemeral, Cbc(256)),
    s(0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Ephemeral, Cbc(128)),
    s(0xc024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Ephemeral, Cbc(256)),
    s(0xc027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256", Ephemeral, Cbc(128)),
    s(0xc028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384", Ephemeral, Cbc(256)),
    s(0x0032, "DHE_DSS_WITH_AES_128_CBC_SHA", Ephemeral, Cbc(128)),
    s(0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA", Ephemeral, Cbc(128)),
    s(0x0038, "DHE_DSS_WITH_AES_256_CBC_SHA", Ephemeral, Cbc(256)),
    s(0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA", Ephemeral, Cbc(256)),
    s(0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256", Ephemeral, Cbc(128)),
    s(0x006b, "DHE_RSA_WITH_AES_256_CBC_SHA256", Ephemeral, Cbc(256)),
    s(0x002f, "RSA_WITH_AES_128_CBC_SHA", StaticRsa, Cbc(128)),
    s(0x0035, "RSA_WITH_AES_256_CBC_SHA", StaticRsa, Cbc(256)),
    s(0x003c, "RSA_WITH_AES_128_CBC_SHA256", StaticRsa, Cbc(128)),
    s(0x003d, "RSA_WITH_AES_256_CBC_SHA256", StaticRsa, Cbc(256)),
    s(0x009c, "RSA_WITH_AES_128_GCM_SHA256", StaticRsa, Aead(128)),
    s(0x009d, "RSA_WITH_AES_256_GCM_SHA384", StaticRsa, Aead(256)),
    s(0xc09c, "RSA_WITH_AES_128_CCM", StaticRsa, Aead(128)),
    s(0xc09d, "RSA_WITH_AES_256_CCM", StaticRsa, Aead(256)),
    s(0xc004, "ECDH_ECDSA_WITH_AES_128_CBC_SHA", StaticDh, Cbc(128)),
    s(0xc005, "ECDH_ECDSA_WITH_AES_256_CBC_SHA", StaticDh, Cbc(256)),
    s(0xc00e, "ECDH_RSA_WITH_AES_128_CBC_SHA", StaticDh, Cbc(128)),
    s(0xc00f, "ECDH_RSA_WITH_AES_256_CBC_SHA", StaticDh, Cbc(256)),
    s(0xc02d, "ECDH_ECDSA_WITH_AES_128_GCM_SHA256", StaticDh, Aead(128)),
    s(0xc02e, "ECDH_ECDSA_WITH_AES_256_GCM_SHA384", StaticDh, Aead(256)),
    s(0x0034, "DH_anon_WITH_AES_128_CBC_SHA", Anonymous, Cbc(128)),
    s(0x003a, "DH_anon_WITH_AES_256_CBC_SHA", Anonymous, Cbc(256)),
    s(0x00a6, "DH_anon_WITH_AES_128_GCM_SHA256", Anonymous, Aead(128)),
    s(0x00a7, "DH_anon_WITH_AES_256_GCM_SHA384", Anonymous, Aead(256)),
    s(0xc018, "ECDH_anon_WITH_AES_128_CBC_SHA", Anonymous, Cbc(128)),
    s(0xc019, "ECDH_anon_WITH_AES_256_CBC_SHA", Anonymous, Cbc(256)),
    s(0x0018, "DH_anon_WITH_RC4_128_MD5", Anonymous, Other),
    s(0x008c, "PSK_WITH_AES_128_CBC_SHA", Psk, Cbc(128)),
    s(0x00a8, "PSK_WITH_AES_128_GCM_SHA256", Psk, Aead(128)),
    s(0x00a9, "PSK_WITH_AES_256_GCM_SHA384", Psk, Aead(256)),
    s(0x000a, "RSA_WITH_3DES_EDE_CBC_SHA", StaticRsa, Other),
    s(0x0016, "DHE_RSA_WITH_3DES_EDE_CBC_SHA", Ephemeral, Other),
    s(0xc008, "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", Ephemeral, Other),
    s(0xc012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Ephemeral, Other),
    s(0x0009, "RSA_WITH_DES_CBC_SHA", StaticRsa, Other),
    s(0x0015, "DHE_RSA_WITH_DES_CBC_SHA", Ephemeral, Other),
    s(0x0004, "RSA_WITH_RC4_128_MD5", StaticRsa, Other),
    s(0x0005, "RSA_WITH_RC4_128_SHA", StaticRsa, Other),
    s(0xc007, "ECDHE_ECDSA_WITH_RC4_128_SHA", Ephemeral, Other),
    s(0xc011, "ECDHE_RSA_WITH_RC4_128_SHA", Ephemeral, Other),
    s(0x0003, "RSA_EXPORT_WITH_RC4_40_MD5", StaticRsa, Other),
    s(0x0006, "RSA_EXPORT_WITH_RC2_CBC_40_MD5", StaticRsa, Other),
    s(0x0008, "RSA_EXPORT_WITH_DES40_CBC_SHA", StaticRsa, Other),
    s(0x0014, "DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", Ephemeral, Other),
    s(0x0001, "RSA_WITH_NULL_MD5", StaticRsa, Other),
    s(0x0002, "RSA_WITH_NULL_SHA", StaticRsa, Other),
    s(0x003b, "RSA_WITH_NULL_SHA256", StaticRsa, Other),
    s(0xc006, "ECDHE_ECDSA_WITH_NULL_SHA", Ephemeral, Other),
    s(0xc010, "ECDHE_RSA_WITH_NULL_SHA", Ephemeral, Other),
    s(0x0007, "RSA_WITH_IDEA_CBC_SHA", StaticRsa, Other),
    s(0x0041, "RSA_WITH_CAMELLIA_128_CBC_SHA", StaticRsa, Other),
    s(0x0084, "RSA_WITH_CAMELLIA_256_CBC_SHA", StaticRsa, Other),
    s(0x0088, "DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", Ephemeral, Other),
    s(0xc073, "ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384", Ephemeral, Other),
    s(0x0096, "RSA_WITH_SEED_CBC_SHA", StaticRsa, Other),
    s(0xc05d, "ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384", Ephemeral, Other),
];

/// One version and suite offered to a listener, and what it said.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The version offered.
    pub version: u16,
    /// The suite offered.
    pub suite: &'static Suite,
    /// What came back.
    pub answer: HelloAnswer,
}

impl Offer {
    /// Whether the listener took it: this very suite, at this very version.
    pub fn taken(&self) -> bool {
        matches!(self.answer, HelloAnswer::Accepted { .. })
    }
    /// `TLS 1.2 with RSA_WITH_RC4_128_SHA`.
    pub fn told(&self) -> String {
        format!("{} with {}", version_name(self.version), self.suite.name)
    }
}

/// Offers every suite at every version to one listener under one host name, one at a time.
///
/// # Errors
/// When the listener does not answer.
pub async fn offer_all(world: &dyn World, listener: &str, host: &str) -> Result<Vec<Offer>, Trouble> {
    let mut out = Vec::new();
    for version in VERSIONS {
        for suite in SUITES {
            let answer = world.hello(listener, host, Hello { version, suite: suite.id }).await?;
            out.push(Offer { version, suite, answer });
        }
    }
    Ok(out)
}

/// The offers that were taken, in words; “none” when there is none.
pub fn taken<'o>(offers: impl IntoIterator<Item = &'o Offer>) -> String {
    let words: Vec<String> = offers.into_iter().filter(|o| o.taken()).map(Offer::told).collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_suite_stands_twice_and_names_agree_with_kinds() {
        let mut ids: Vec<u16> = SUITES.iter().map(|s| s.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), SUITES.len());
        for suite in SUITES {
            assert_eq!(suite.aes_bits() == 256, suite.name.contains("AES_256"), "{}", suite.name);
            assert_eq!(suite.aes_bits() == 128, suite.name.contains("AES_128"), "{}", suite.name);
            assert_eq!(
                matches!(suite.cipher, Cipher::ChaCha),
                suite.name.starts_with("CHACHA") || suite.name.contains("_CHACHA")
            );
            assert_eq!(suite.exchange == Exchange::StaticRsa, suite.name.starts_with("RSA_"), "{}", suite.name);
            assert_eq!(suite.exchange == Exchange::Ephemeral, suite.name.contains("DHE_"), "{}", suite.name);
        }
    }
}
