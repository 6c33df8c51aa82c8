//! Signed notes, checkpoints, cosignatures and standalone proofs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use sekisho_kernel::Secret;
use sekisho_ledger::*;

use crate::world::{House, seed_key};

/// The example of the Go reference implementation, golang.org/x/mod/sumdb/note.
const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE: &str =
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// The example of C2SP signed-note, "Verifier keys".
const SPEC_VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn example() -> String {
    format!("{TEXT}{LINE}")
}

#[test]
fn signs_the_published_example_to_the_byte() {
    let seed: [u8; 32] = STANDARD.decode(SEED).unwrap()[1..].try_into().unwrap();
    let key = SigningKey::from_seed("PeterNeumann", KeyKind::Ed25519, &Secret::new(seed)).unwrap();
    assert_eq!(key.key().encode(), VKEY);
    let mut note = Note::new(TEXT).unwrap();
    note.sign(&key, 0).unwrap();
    assert_eq!(note.encode(), example());
}

#[test]
fn verifies_the_published_examples() {
    for (vkey, note) in [(VKEY, example().as_str()), (SPEC_VKEY, SPEC_NOTE)] {
        let key = parse_verifier_key(vkey).unwrap();
        assert_eq!(key.encode(), vkey);
        let note = parse_note(note.as_bytes()).unwrap();
        let by = note.verify(std::slice::from_ref(&key)).unwrap();
        assert_eq!(by.len(), 1);
        assert_eq!((&by[0].key, by[0].time), (&key, None));
    }
}

#[test]
fn unknown_signatures_are_ignored_and_false_ones_refused() {
    let key = parse_verifier_key(VKEY).unwrap();
    let other = seed_key("other", KeyKind::Ed25519, 9);
    let mut note = parse_note(example().as_bytes()).unwrap();
    note.sign(&other, 0).unwrap();
    assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap().len(), 1);
    assert_eq!(note.verify(&[key.clone(), other.key().clone()]).unwrap().len(), 2);
    assert_eq!(note.verify(&[]).unwrap(), []);
    let altered = example().replace("cryptography", "steganography");
    assert!(parse_note(altered.as_bytes()).unwrap().verify(std::slice::from_ref(&key)).is_err());
    // Twice the same key counts once.
    let twice = format!("{}{}", example(), LINE.trim_start());
    assert_eq!(parse_note(twice.as_bytes()).unwrap().verify(&[key]).unwrap().len(), 1);
}

#[test]
fn malformed_notes_are_refused() {
    let good = example();
    for bad in [
        good.trim_end().to_owned(),
        good.replace('—', "-"),
        good.replace("\n\n", "\n"),
        good.replace("x08g", "!08g"),
        good.replace("PeterNeumann", "Peter+Neumann"),
        good.replace("problem", "prob\tlem"),
        good.replace("PeterNeumann x", "PeterNeumann  x"),
        format!("{good}\n"),
        format!("{good}x\n"),
        good.replace("JnAM=", "JnAM"),
        good.replace("JnAM=", "JnAN="),
        format!("{TEXT}\n"),
        format!(
            "{TEXT}
— PeterNeumann x08g
"
        ),
        format!("{good}{}", LINE.trim_start().repeat(64)),
        String::new(),
    ] {
        assert!(parse_note(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn verifier_keys_must_be_whole() {
    for bad in [
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Axpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy",
        "PeterNeumann+c74f20a3",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(parse_verifier_key(bad).is_err(), "{bad}");
    }
}

#[test]
fn witnesses_cosign() {
    let mut signed = House::with(3).sign();
    let witness = seed_key("witness.example/w1", KeyKind::Cosignature, 4);
    signed.note.sign(&witness, 1_679_315_147).unwrap();
    let line = signed.note.signatures().last().unwrap();
    assert_eq!(line.bytes.len(), 8 + 64);
    assert_eq!(line.bytes[..8], 1_679_315_147u64.to_be_bytes());
    // What C2SP tlog-cosignature says is signed, checked apart from our own verification.
    let message = format!("cosignature/v1\ntime 1679315147\n{}", signed.checkpoint.text());
    assert_eq!(line.bytes[8..], witness.sign(message.as_bytes()).unwrap());
    let read = parse_checkpoint(signed.note.encode().as_bytes()).unwrap();
    let by = read.verify(&[witness.key().clone()]).unwrap();
    assert_eq!(by[0].time, Some(1_679_315_147));
    let vkey = witness.key().encode();
    assert_eq!(parse_verifier_key(&vkey).unwrap(), *witness.key());
    // The same key as a log's key has another id and vouches for nothing here.
    let as_log = VerifierKey::new(witness.key().name(), KeyKind::Ed25519, *witness.key().public()).unwrap();
    assert_eq!(read.verify(&[as_log]).unwrap(), []);
    // Another time is another statement.
    let late = signed.note.encode().replace(
        &STANDARD.encode([&witness.key().id().to_be_bytes()[..], &line.bytes].concat()),
        &STANDARD.encode([&witness.key().id().to_be_bytes()[..], &[0; 8], &line.bytes[8..]].concat()),
    );
    assert!(parse_note(late.as_bytes()).unwrap().verify(&[witness.key().clone()]).is_err());
}

#[test]
fn checkpoints_have_three_lines() {
    let signed = House::with(5).sign();
    let text = signed.note.encode();
    assert_eq!(parse_checkpoint(text.as_bytes()).unwrap(), signed);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "sekisho.test/07070707070707070707070707070707/1");
    assert_eq!(lines[1], "5");
    assert_eq!(lines[3], "");
    for (from, to) in [
        ("\n5\n", "\n05\n"),
        ("\n5\n", "\n\n"),
        ("\n5\n", "\n5\nextension\n"),
        ("\n5\n", "\n18446744073709551615\n"),
        ("\n5\n", "\n+5\n"),
        ("sekisho.test/", "sekisho test/"),
        (lines[2], "AAAA"),
        (lines[2], &lines[2][1..]),
    ] {
        assert!(parse_checkpoint(text.replacen(from, to, 1).as_bytes()).is_err(), "{from:?} → {to:?}");
    }
}

#[test]
fn origins() {
    let origin = Origin { house: "a.example/x".into(), log: [0xab; 16], epoch: 12 };
    assert_eq!(Origin::parse(&origin.to_string()), Some(origin));
    let hex = "ab".repeat(16);
    for bad in [
        format!("a/{hex}/0"),
        format!("a/{hex}/01"),
        format!("a/{hex}"),
        format!("a/{}/1", "AB".repeat(16)),
        format!("a b/{hex}/1"),
    ] {
        assert_eq!(Origin::parse(&bad), None, "{bad}");
    }
}

#[test]
fn standalone_proofs() {
    let mut house = House::with(300);
    let checkpoint = house.sign();
    let tiles = house.tiles();
    let hashes = inclusion_proof(&Tree::new(&tiles, 300), 299).unwrap();
    let proof = TlogProof { extra: Some(b"hello".to_vec()), index: 299, hashes, checkpoint };
    let text = proof.encode();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra aGVsbG8=\nindex 299\n"));
    assert_eq!(parse_proof(text.as_bytes()).unwrap(), proof);
    let leaf = house.rows()[299].1.leaf.hash();
    assert!(proof.includes(&leaf));
    assert!(!proof.includes(&house.rows()[298].1.leaf.hash()));
    let plain = TlogProof { extra: None, ..proof };
    assert_eq!(parse_proof(plain.encode().as_bytes()).unwrap(), plain);
    let first = plain.hashes[0].to_base64();
    for (from, to) in
        [("@v1", "@v2"), ("index 299", "index 0299"), ("index 299\n", ""), (first.as_str(), ""), (&first[1..], "")]
    {
        assert!(parse_proof(text.replacen(from, to, 1).as_bytes()).is_err(), "{from:?} → {to:?}");
    }
    let long = text.replacen(&first, &vec![first.as_str(); 65].join("\n"), 1);
    assert!(parse_proof(long.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn notes_round_trip(text in "[^\\p{Cc}]{0,40}\n([^\\p{Cc}]{0,20}\n){0,4}", seeds in prop::collection::vec(any::<u8>(), 1..5), at in 0u64..1 << 40) {
        let mut note = Note::new(text).unwrap();
        let mut keys = Vec::new();
        for (i, seed) in seeds.into_iter().enumerate() {
            let kind = if i % 2 == 0 { KeyKind::Ed25519 } else { KeyKind::Cosignature };
            let key = seed_key(&format!("key{i}"), kind, seed);
            note.sign(&key, at).unwrap();
            keys.push(key.key().clone());
        }
        let encoded = note.encode();
        let read = parse_note(encoded.as_bytes()).unwrap();
        prop_assert_eq!(&read, &note);
        prop_assert_eq!(read.encode(), encoded);
        prop_assert_eq!(read.verify(&keys).unwrap().len(), keys.len());
    }

    #[test]
    fn what_parses_is_written_back_the_same(noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut house = House::with(2);
        let proof = TlogProof { extra: Some(vec![1]), index: 1, hashes: vec![EMPTY_ROOT], checkpoint: house.sign() };
        let mut bytes = proof.encode().into_bytes();
        for (at, byte) in noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(read) = parse_proof(&bytes) {
            prop_assert_eq!(read.encode().into_bytes(), bytes.clone());
        }
        if let Ok(read) = parse_note(&bytes) {
            prop_assert_eq!(read.encode().into_bytes(), bytes);
        }
    }

    #[test]
    fn parsers_never_panic(bytes: Vec<u8>, text in "\\PC*") {
        for input in [&bytes[..], text.as_bytes()] {
            let _ = parse_note(input);
            let _ = parse_checkpoint(input);
            let _ = parse_proof(input);
            let _ = parse_entry(input);
            let _ = parse_tile(input);
            let _ = parse_export_header(input);
            let _ = Purge::from_body(input);
            let _ = EpochStart::from_body(input);
        }
        let _ = parse_verifier_key(&text);
        let _ = Origin::parse(&text);
    }
}
