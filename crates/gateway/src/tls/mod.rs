//! TLS by rustls: which handshakes are accepted, by the TLS gate's rule and our own clock.

mod authority;
mod certificates;

use std::{sync::Arc, time::Duration};

use rustls::{
    ServerConfig, SupportedCipherSuite,
    crypto::{CryptoProvider, aws_lc_rs as provider},
    pki_types::UnixTime,
    server::{ResolvesServerCert, ServerSessionMemoryCache},
    time_provider::TimeProvider,
    version,
};
use sekisho_kernel::{Problem, gate::TlsRule, problem, time::SharedClock};

pub use authority::{CertStore, FileCertStore};
pub use certificates::Certificates;

/// Sessions kept for resumption.
const RESUMABLE: usize = 16_384;

/// The instance's clock as rustls's source of time.
#[derive(Debug)]
pub(crate) struct OurTime(pub(crate) SharedClock);

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        let micros = u64::try_from(self.0.now().micros()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_micros(micros)))
    }
}

/// The suites that the rule admits, strongest first. All have ephemeral key exchange.
pub fn suites(rule: &TlsRule) -> Vec<SupportedCipherSuite> {
    use provider::cipher_suite as s;
    let aes256 = [
        s::TLS13_AES_256_GCM_SHA384,
        s::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        s::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ];
    let aes128 = [
        s::TLS13_AES_128_GCM_SHA256,
        s::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        s::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    let chacha = [
        s::TLS13_CHACHA20_POLY1305_SHA256,
        s::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        s::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    let mut out = aes256.to_vec();
    if rule.aes_bits <= 128 {
        out.extend(aes128);
    }
    if !rule.aes_only {
        out.extend(chacha);
    }
    out.retain(|suite| rule.tls12 || suite.tls13().is_some());
    out
}

/// The handshake configuration for the rule.
///
/// # Errors
/// `INTERNAL` when the library refuses the combination, which no rule leads to.
pub fn server_config(
    rule: &TlsRule,
    clock: SharedClock,
    certificates: Arc<dyn ResolvesServerCert>,
) -> Result<Arc<ServerConfig>, Problem> {
    let crypto = CryptoProvider { cipher_suites: suites(rule), ..provider::default_provider() };
    let versions: &[&rustls::SupportedProtocolVersion] =
        if rule.tls12 { &[&version::TLS13, &version::TLS12] } else { &[&version::TLS13] };
    let mut config = ServerConfig::builder_with_details(Arc::new(crypto), Arc::new(OurTime(clock)))
        .with_protocol_versions(versions)
        .map_err(|e| Problem::new(&problem::INTERNAL).log(e))?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = ServerSessionMemoryCache::new(RESUMABLE);
    Ok(Arc::new(config))
}
