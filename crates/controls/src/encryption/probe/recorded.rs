//! A recorded TLS 1.3 session, and what a thief of private keys can make of it: nothing, since the key exchange is of
//! its own for each session (RFC 8446 §4.2.8, §7).

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::World,
};
use sha2::{Digest, Sha256, Sha384};

use crate::probing::search::name_of;

/// The suite that is offered: AES_256_GCM_SHA384, which every profile takes.
const SUITE: [u8; 2] = [0x13, 0x02];
/// Prefix of an uncompressed P-256 key in a certificate: a bit string of 66 bytes, no unused bits, form 4.
const POINT_IN_CERTIFICATE: [u8; 4] = [0x03, 0x42, 0x00, 0x04];

/// What went over the wire, as anybody on the way records it, and the client's own secret.
struct Recording {
    hello: Vec<u8>,
    server_hello: Vec<u8>,
    server_share: Vec<u8>,
    records: Vec<Vec<u8>>,
    client: [u8; 32],
    client_share: Vec<u8>,
}

/// Records two sessions and tries to open them.
///
/// # Errors
/// When no session can be recorded.
pub async fn stays_closed(world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
    let clause = "recorded-session-stays-closed";
    let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
    let one = record(world, &canary.console).await?;
    let two = record(world, &canary.console).await?;
    let opened = secret(&one.client, &one.server_share).and_then(|s| open(&one, &s));
    let certificate_key = opened.as_deref().and_then(certificate_point);
    finding.positive(
        clause,
        "a session is recorded, then its first encrypted records are opened with the secret that only the client has",
        "the server's certificate is read: recording and key schedule are right",
        match (&opened, &certificate_key) {
            (Some(plain), Some(_)) => format!("{} bytes opened, a certificate among them", plain.len()),
            (Some(plain), None) => format!("{} bytes opened, no certificate of a P-256 key among them", plain.len()),
            (None, _) => "they do not open".into(),
        },
        certificate_key.is_some(),
    );
    let stolen = private_keys(world).await?;
    let mut through = None;
    for (from, key) in &stolen {
        // As the server's secret against the client's share, and as the client's against the server's.
        for share in [&one.client_share, &one.server_share] {
            if secret(key, share).and_then(|s| open(&one, &s)).is_some() {
                through = Some(from.clone());
            }
        }
    }
    finding.forbidden(
        clause,
        format!("the recorded session is to be opened with each private key that raw storage holds ({} of them; certificates' own keys live in memory alone)", stolen.len()),
        "none opens it",
        through.map_or_else(|| "none opens it".into(), |from| format!("opened with the key of {from}")),
        !stolen.iter().any(|(_, key)| {
            [&one.client_share, &one.server_share].iter().any(|share| secret(key, share).and_then(|s| open(&one, &s)).is_some())
        }),
    );
    let lasting = certificate_key.as_deref() == Some(&one.server_share[..]);
    finding.forbidden(
        clause,
        "the server's key exchange values of two sessions are held against each other and against its certificate's key",
        "all three differ: the certificate's private key takes no part in the secret",
        format!(
            "the two sessions' values {}, the certificate's key {}",
            if one.server_share == two.server_share { "are the same" } else { "differ" },
            if lasting { "is one of them" } else { "is neither" }
        ),
        one.server_share != two.server_share && !lasting,
    );
    Ok(())
}

/// Every P-256 private key in PEM (PKCS #8) in the raw files, with the file's name. None on a serving instance.
async fn private_keys(world: &dyn World) -> Result<Vec<(String, [u8; 32])>, Trouble> {
    let Some(instance) = world.rehearsed() else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for file in instance.raw_files().await? {
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        for block in text
            .split("-----BEGIN ")
            .skip(1)
            .filter(|b| b.split("-----").next().is_some_and(|l| l.ends_with("PRIVATE KEY")))
        {
            let body: String = block.split("-----").nth(1).unwrap_or_default().split_whitespace().collect();
            out.extend(STANDARD.decode(body).ok().and_then(|der| scalar(&der)).map(|key| (name_of(&file), key)));
        }
    }
    Ok(out)
}

/// The private scalar of an ECPrivateKey (RFC 5915 §3): version 1, then an octet string of 32 bytes.
fn scalar(der: &[u8]) -> Option<[u8; 32]> {
    let head = [0x02, 0x01, 0x01, 0x04, 0x20];
    let at = der.windows(head.len()).position(|w| w == head)? + head.len();
    der.get(at..at + 32)?.try_into().ok()
}

fn secret(private: &[u8; 32], share: &[u8]) -> Option<Vec<u8>> {
    let key = PrivateKey::from_private_key(&ECDH_P256, private).ok()?;
    agree(&key, UnparsedPublicKey::new(&ECDH_P256, share), (), |shared| Ok(shared.to_vec())).ok()
}

async fn record(world: &dyn World, host: &str) -> Result<Recording, Trouble> {
    // A scalar below the group's order: the order begins with 32 bits of ones.
    let mut client: [u8; 32] = Sha256::digest(world.marker("share")).into();
    client[0] &= 0x7f;
    let private = PrivateKey::from_private_key(&ECDH_P256, &client)
        .map_err(|_| Trouble("the client's share could not be made".into()))?;
    let public = private.compute_public_key().map_err(|_| Trouble("the client's share could not be made".into()))?;
    let client_share = public.as_ref().to_vec();
    let random: [u8; 32] = Sha256::digest(world.marker("random")).into();
    let hello = client_hello(host, &random, &client_share);
    let mut record = vec![22, 3, 1];
    record.extend(with_length(&hello));
    let answer = world.raw("https", &record).await?;
    let (mut handshake, mut records) = (Vec::new(), Vec::new());
    let mut rest = &answer[..];
    while let [kind, _, _, a, b, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*a, *b]));
        let Some(body) = tail.get(..length) else { break };
        match kind {
            22 => handshake.extend_from_slice(body),
            23 => records.push(rest[..5 + length].to_vec()),
            _ => {}
        }
        rest = &tail[length..];
    }
    let server_share = server_share(&handshake)
        .ok_or_else(|| Trouble(format!("the session could not be recorded: {} bytes came back", answer.len())))?;
    Ok(Recording { hello, server_hello: handshake, server_share, records, client, client_share })
}

fn with_length(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("a hello is far below 64 KiB");
    [&length.to_be_bytes()[..], body].concat()
}

fn client_hello(host: &str, random: &[u8; 32], share: &[u8]) -> Vec<u8> {
    let extension = |kind: u16, body: Vec<u8>| [&kind.to_be_bytes()[..], &with_length(&body)].concat();
    let name = with_length(&[&[0][..], &with_length(host.as_bytes())].concat());
    let entry = with_length(&[&[0, 0x17][..], &with_length(share)].concat());
    let extensions = [
        extension(0, name),
        extension(10, with_length(&[0, 0x17])),
        extension(13, with_length(&[4, 3, 5, 3, 8, 4, 8, 5, 4, 1])),
        extension(43, vec![2, 3, 4]),
        extension(51, entry),
    ]
    .concat();
    let body = [&[3, 3][..], random, &[0], &with_length(&SUITE), &[1, 0], &with_length(&extensions)].concat();
    let length = u32::try_from(body.len()).expect("a hello is small").to_be_bytes();
    [&[1][..], &length[1..], &body].concat()
}

/// The key share of a ServerHello.
fn server_share(handshake: &[u8]) -> Option<Vec<u8>> {
    let body = handshake.get(4..)?;
    let session = usize::from(*body.get(34)?);
    let mut extensions = body.get(35 + session + 3 + 2..)?;
    while let [a, b, c, d, tail @ ..] = extensions {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = tail.get(..length)?;
        if [*a, *b] == [0, 51] && value.get(..2)? == [0, 0x17] {
            return value.get(4..).map(<[u8]>::to_vec);
        }
        extensions = &tail[length..];
    }
    None
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <Hmac<Sha384> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|p| Mac::update(&mut mac, p));
    mac.finalize().into_bytes().to_vec()
}

/// HKDF-Expand-Label (RFC 8446 §7.1), at most one block.
fn expand(secret: &[u8], label: &str, context: &[u8], length: u16) -> Vec<u8> {
    let label = format!("tls13 {label}");
    let lengths = (u8::try_from(label.len()).unwrap_or(0), u8::try_from(context.len()).unwrap_or(0));
    let info = [&length.to_be_bytes()[..], &[lengths.0], label.as_bytes(), &[lengths.1], context, &[1]].concat();
    let mut out = hmac(secret, &[&info]);
    out.truncate(usize::from(length));
    out
}

/// The server's first encrypted records in the clear, if `shared` is the session's secret.
fn open(recording: &Recording, shared: &[u8]) -> Option<Vec<u8>> {
    let nothing = Sha384::digest(b"");
    let early = hmac(&[0; 48], &[&[0; 48]]);
    let handshake = hmac(&expand(&early, "derived", &nothing, 48), &[shared]);
    let transcript = Sha384::digest([&recording.hello[..], &recording.server_hello].concat());
    let traffic = expand(&handshake, "s hs traffic", &transcript, 48);
    let key: [u8; 32] = expand(&traffic, "key", &[], 32).try_into().ok()?;
    let iv = expand(&traffic, "iv", &[], 12);
    let cipher = Aes256Gcm::new((&key).into());
    let mut out = Vec::new();
    for (number, record) in recording.records.iter().enumerate() {
        let (aad, msg) = record.split_at_checked(5)?;
        let mut nonce: [u8; 12] = iv.clone().try_into().ok()?;
        let number = (number as u64).to_be_bytes();
        nonce[4..].iter_mut().zip(number).for_each(|(n, b)| *n ^= b);
        match cipher.decrypt((&nonce).into(), Payload { msg, aad }) {
            // The last byte is the content type.
            Ok(plain) => out.extend_from_slice(&plain[..plain.len().saturating_sub(1)]),
            // Records after the server's handshake are under other keys.
            Err(_) => break,
        }
    }
    (!out.is_empty()).then_some(out)
}

/// The P-256 key of the first certificate in the handshake, uncompressed.
fn certificate_point(plain: &[u8]) -> Option<Vec<u8>> {
    let at = plain.windows(4).position(|w| w == POINT_IN_CERTIFICATE)? + 3;
    plain.get(at..at + 65).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        hex::decode(text.replace(' ', "")).expect("hex")
    }

    /// The early secret and its "derived" secret with SHA-384 and no pre-shared key are constants of TLS 1.3.
    #[test]
    fn the_key_schedule_begins_as_the_standard_says() {
        let early = hmac(&[0; 48], &[&[0; 48]]);
        assert_eq!(
            early,
            unhex("7ee8206f5570023e6dc7519eb1073bc4e791ad37b5c382aa10ba18e2357e716971f9362f2c2fe2a76bfd78dfec4ea9b5")
        );
        assert_eq!(
            expand(&early, "derived", &Sha384::digest(b""), 48),
            unhex("1591dac5cbbf0330a4a84de9c753330e92d01f0a88214b4464972fd668049e93e52f2b16fad922fdc0584478428f282b")
        );
    }

    #[test]
    fn a_private_scalar_is_found_in_its_encoding() {
        let der = [&[0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20][..], &[7; 32], &[0xa0, 0x0a]].concat();
        assert_eq!(scalar(&der), Some([7; 32]));
        assert_eq!(scalar(&der[..20]), None);
    }
}
