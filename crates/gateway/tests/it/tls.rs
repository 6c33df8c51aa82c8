//! Handshakes: versions, suites, names, certificates and their renewal.

use std::{sync::Arc, time::Duration};

use rustls::{CipherSuite, ProtocolVersion, SupportedCipherSuite, crypto::aws_lc_rs};
use sekisho_gateway::{FileCertStore, settings, tls::suites};
use sekisho_kernel::{Secret, gate::TlsRule, policy::Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    client::{config, tls},
    fakes::{APP, CONSOLE, FakeGates, MemoryStore},
    house::{House, clock, peer, policy},
};

async fn offers(house: &House, suite: SupportedCipherSuite) -> Option<(ProtocolVersion, CipherSuite)> {
    let provider = rustls::crypto::CryptoProvider { cipher_suites: vec![suite], ..aws_lc_rs::default_provider() };
    let mut roots = rustls::RootCertStore::empty();
    use rustls::pki_types::pem::PemObject;
    let trust = house.gateway.trust().unwrap();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(trust.as_bytes()).unwrap()).unwrap();
    let reference = config(&trust, &house.clock, "h2");
    let mut offered = rustls::ClientConfig::builder_with_details(Arc::new(provider), reference.time_provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .ok()
        .or_else(|| {
            let provider =
                rustls::crypto::CryptoProvider { cipher_suites: vec![suite], ..aws_lc_rs::default_provider() };
            let version = if suite.tls13().is_some() { &rustls::version::TLS13 } else { &rustls::version::TLS12 };
            let reference = config(&trust, &house.clock, "h2");
            rustls::ClientConfig::builder_with_details(Arc::new(provider), reference.time_provider)
                .with_protocol_versions(&[version])
                .ok()
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    offered.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = tls(&house.places.https, peer(), APP, offered).await.ok()?;
    let session = stream.get_ref().1;
    Some((session.protocol_version()?, session.negotiated_cipher_suite()?.suite()))
}

#[tokio::test]
async fn only_the_rules_suites() {
    for rule in [
        TlsRule { tls12: true, aes_bits: 256, aes_only: true },
        TlsRule { tls12: true, aes_bits: 128, aes_only: true },
        TlsRule { tls12: false, aes_bits: 256, aes_only: true },
        TlsRule { tls12: true, aes_bits: 128, aes_only: false },
    ] {
        let gates = FakeGates::default();
        *gates.tls.lock().unwrap() = rule.clone();
        let house = House::with(policy("", &[]), gates).await;
        let allowed = suites(&rule);
        for suite in aws_lc_rs::ALL_CIPHER_SUITES {
            // The local authority's keys are ECDSA; suites that need an RSA key cannot be reached with it.
            if format!("{:?}", suite.suite()).contains("_RSA_") {
                continue;
            }
            let accepted = offers(&house, *suite).await;
            assert_eq!(accepted.is_some(), allowed.contains(suite), "{rule:?} {:?}", suite.suite());
        }
    }
}

#[test]
fn the_strict_rule_is_aes_256_alone() {
    let names: Vec<String> = suites(&TlsRule { tls12: true, aes_bits: 256, aes_only: true })
        .iter()
        .map(|s| format!("{:?}", s.suite()))
        .collect();
    assert_eq!(
        names,
        [
            "TLS13_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        ]
    );
}

#[tokio::test]
async fn unknown_names_get_no_certificate() {
    let house = House::before("").await;
    assert!(house.tls("other.app.localhost", "h2").await.is_err());
    assert!(house.tls("127.0.0.1", "h2").await.is_err(), "no name at all");
    assert!(house.tls(CONSOLE, "h2").await.is_ok());
}

#[tokio::test]
async fn plain_bytes_at_the_tls_listener_get_no_page() {
    let house = House::before("").await;
    let mut stream = house.places.https.connect(peer()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: acme.app.localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.unwrap();
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/1.1 200"));
}

fn serial(stream: &tokio_rustls::client::TlsStream<tokio::io::DuplexStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn certificates_are_kept_and_renewed_before_they_run_out() {
    let house = House::before("").await;
    let first = serial(&house.tls(APP, "h2").await.unwrap());
    assert_eq!(serial(&house.tls(APP, "h2").await.unwrap()), first);
    house.clock.advance(Duration::from_secs(59 * 86_400));
    assert_eq!(serial(&house.tls(APP, "h2").await.unwrap()), first);
    house.clock.advance(Duration::from_secs(2 * 86_400));
    assert_ne!(serial(&house.tls(APP, "h2").await.unwrap()), first);
    house.clock.advance(Duration::from_secs(365 * 86_400));
    house.tls(APP, "h2").await.expect("a fresh certificate a year later");
}

#[tokio::test]
async fn the_authority_outlives_a_restart() {
    let store = Arc::new(MemoryStore::default());
    let raise = || House::raise(policy("", &[]), FakeGates::default(), store.clone(), clock());
    let (one, two) = (raise().await, raise().await);
    let trusted_before = config(&one.gateway.trust().unwrap(), &two.clock, "h2");
    assert!(tls(&two.places.https, peer(), APP, trusted_before).await.is_ok());
    let three = House::before("").await;
    assert_ne!(one.gateway.trust(), three.gateway.trust());
}

#[test]
fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    use sekisho_gateway::CertStore;
    let dir = tempfile::tempdir().unwrap();
    let store = FileCertStore::new(dir.path());
    assert!(store.load().unwrap().is_none());
    for text in ["one", "two"] {
        store.save(&Secret::new(text.to_owned())).unwrap();
        assert_eq!(store.load().unwrap().unwrap().reveal(), text);
    }
    let mode = std::fs::metadata(dir.path().join("authority.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn given(dir: &std::path::Path, name: &str) -> (Value, Value) {
    let made = rcgen::generate_simple_self_signed(vec![APP.to_owned()]).unwrap();
    let (cert, key) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (Value::Str(cert.display().to_string()), Value::Str(key.display().to_string()))
}

#[tokio::test]
async fn renewed_files_are_read_again_and_broken_ones_are_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = given(dir.path(), "a");
    let files = [(&settings::CERTIFICATE, cert.clone()), (&settings::PRIVATE_KEY, key)];
    let house = House::with(policy("", &files), FakeGates::default()).await;
    let Value::Str(path) = cert else { unreachable!() };
    let shown = async || {
        let trust = std::fs::read_to_string(&path).unwrap();
        let config = config(&trust, &house.clock, "h2");
        tls(&house.places.https, peer(), APP, config).await.is_ok()
    };
    assert!(shown().await);
    given(dir.path(), "a");
    house.policy.send_replace(policy("", &files));
    let taken = async {
        while !shown().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), taken).await.expect("the new certificate is shown");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, "no certificate").unwrap();
    house.policy.send_replace(policy("", &files));
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let config = config(&good, &house.clock, "h2");
    assert!(tls(&house.places.https, peer(), APP, config).await.is_ok(), "the old one stays");
}

#[tokio::test]
async fn given_files_are_used_and_a_broken_pair_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let ((cert, key), (_, other)) = (given(dir.path(), "a"), given(dir.path(), "b"));
    let good = policy("", &[(&settings::CERTIFICATE, cert.clone()), (&settings::PRIVATE_KEY, key)]);
    let house = House::with(good, FakeGates::default()).await;
    assert_eq!(house.gateway.trust(), None);
    let Value::Str(path) = &cert else { unreachable!() };
    let trust = std::fs::read_to_string(path).unwrap();
    let plain = config(&trust, &house.clock, "h2");
    assert!(tls(&house.places.https, peer(), APP, plain).await.is_ok());

    for wrong in [
        vec![(&settings::CERTIFICATE, cert.clone()), (&settings::PRIVATE_KEY, other)],
        vec![(&settings::CERTIFICATE, cert)],
    ] {
        assert_eq!(crate::house::refused(policy("", &wrong)).await, "SK-5015");
    }
}
