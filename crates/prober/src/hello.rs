//! A ClientHello of one version and one suite, written byte by byte: our TLS library has no weak suites to offer.
//!
//! RFC 5246 §7.4.1.2 (TLS 1.2 and below), RFC 8446 §4.1.2 (TLS 1.3).

use sekisho_kernel::world::{Hello, HelloAnswer};

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const SERVER_HELLO: u8 = 2;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;

fn with_len16(body: &[u8]) -> Vec<u8> {
    let mut out = (u16::try_from(body.len()).expect("a hello is far below 64 KiB")).to_be_bytes().to_vec();
    out.extend_from_slice(body);
    out
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut out = kind.to_be_bytes().to_vec();
    out.extend(with_len16(body));
    out
}

/// The record that carries the hello. `random` fills the client random, session id and key share.
pub fn client_hello(hello: Hello, server_name: &str, random: &[u8; 96]) -> Vec<u8> {
    let legacy = hello.version.min(0x0303);
    let mut body = legacy.to_be_bytes().to_vec();
    body.extend_from_slice(&random[..32]);
    body.push(32);
    body.extend_from_slice(&random[32..64]);
    body.extend(with_len16(&hello.suite.to_be_bytes()));
    body.extend_from_slice(&[1, 0]);

    let mut name = vec![0];
    name.extend(with_len16(server_name.as_bytes()));
    let mut extensions = extension(0, &with_len16(&name));
    // supported_groups: x25519, secp256r1, secp384r1; ec_point_formats: uncompressed.
    extensions.extend(extension(10, &with_len16(&[0, 0x1d, 0, 0x17, 0, 0x18])));
    extensions.extend(extension(11, &[1, 0]));
    // signature_algorithms, from ECDSA and RSA-PSS down to RSA with SHA-1, so that the suite alone decides.
    let schemes = [4, 3, 5, 3, 6, 3, 8, 4, 8, 5, 8, 6, 4, 1, 5, 1, 6, 1, 2, 3, 2, 1];
    extensions.extend(extension(13, &with_len16(&schemes)));
    extensions.extend(extension(23, &[]));
    if hello.version >= 0x0304 {
        extensions.extend(extension(43, &[2, 3, 4]));
        let mut share = vec![0, 0x1d];
        share.extend(with_len16(&random[64..96]));
        extensions.extend(extension(51, &with_len16(&share)));
    }
    body.extend(with_len16(&extensions));

    let mut handshake = vec![1];
    handshake.extend_from_slice(&u32::try_from(body.len()).expect("a hello is small").to_be_bytes()[1..]);
    handshake.extend(body);
    let mut record = vec![HANDSHAKE, 3, 1];
    record.extend(with_len16(&handshake));
    record
}

/// Reads the server's answer from the bytes received so far. `None`: more bytes are needed.
/// `closed` says that no more will come.
pub fn answer(bytes: &[u8], closed: bool) -> Option<HelloAnswer> {
    let mut handshake = Vec::new();
    let mut rest = bytes;
    while let [kind, _, _, a, b, tail @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*a, *b]));
        let Some(body) = tail.get(..len) else { break };
        match *kind {
            // A warning alert (level 1) such as unrecognized_name does not end the handshake.
            ALERT if body.first() == Some(&2) => {
                return Some(HelloAnswer::Refused(body.get(1).copied()));
            }
            HANDSHAKE => handshake.extend_from_slice(body),
            _ => {}
        }
        rest = &tail[len..];
    }
    let (mut hello, mut ephemeral, mut done) = (None, false, false);
    let mut at = &handshake[..];
    while let [kind, a, b, c, tail @ ..] = at {
        let len = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let Some(body) = tail.get(..len) else { break };
        match *kind {
            SERVER_HELLO => hello = server_hello(body),
            SERVER_KEY_EXCHANGE => ephemeral = true,
            SERVER_HELLO_DONE => done = true,
            _ => {}
        }
        at = &tail[len..];
    }
    match hello {
        // A 1.3 server chooses only ephemeral key exchange when no pre-shared key is offered.
        Some((version, suite)) if version >= 0x0304 => Some(HelloAnswer::Accepted { version, suite, ephemeral: true }),
        Some((version, suite)) if done || ephemeral || closed => {
            Some(HelloAnswer::Accepted { version, suite, ephemeral })
        }
        _ if closed => Some(HelloAnswer::Refused(None)),
        _ => None,
    }
}

fn server_hello(body: &[u8]) -> Option<(u16, u16)> {
    let legacy = u16::from_be_bytes([*body.first()?, *body.get(1)?]);
    let session = usize::from(*body.get(34)?);
    let suite_at = 35 + session;
    let suite = u16::from_be_bytes([*body.get(suite_at)?, *body.get(suite_at + 1)?]);
    let mut extensions = body.get(suite_at + 5..).unwrap_or_default();
    let mut version = legacy;
    while let [a, b, c, d, tail @ ..] = extensions {
        let len = usize::from(u16::from_be_bytes([*c, *d]));
        let value = tail.get(..len)?;
        if u16::from_be_bytes([*a, *b]) == 43 && value.len() == 2 {
            version = u16::from_be_bytes([value[0], value[1]]);
        }
        extensions = &tail[len..];
    }
    Some((version, suite))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_alert_is_a_refusal_and_a_closed_connection_too() {
        assert_eq!(answer(&[ALERT, 3, 3, 0, 2, 2, 40], false), Some(HelloAnswer::Refused(Some(40))));
        assert_eq!(answer(&[], true), Some(HelloAnswer::Refused(None)));
        assert_eq!(answer(&[HANDSHAKE, 3], false), None);
    }

    proptest! {
        #[test]
        fn hostile_answers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), closed: bool) {
            let _ = answer(&bytes, closed);
        }

        #[test]
        fn hostile_handshakes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut record = vec![HANDSHAKE, 3, 3];
            let mut handshake = vec![SERVER_HELLO, 0];
            handshake.extend(with_len16(&body));
            record.extend(with_len16(&handshake));
            let _ = answer(&record, true);
        }
    }
}
