//! Entries, commitments and the bodies that the verifier reads, exact to the byte.

use proptest::prelude::*;
use sekisho_ledger::*;

fn entry() -> Entry {
    Entry { log: [1; 16], id: [2; 16], format: Format::Event, at_micros: 0x0102_0304_0506_0708, body: b"{}".to_vec() }
}

#[test]
fn the_bytes_are_as_documented() {
    let bytes = entry().encode();
    let expected = format!("{}{}01010203040506070{}", "01".repeat(16), "02".repeat(16), "87b7d");
    assert_eq!(hex::encode(&bytes), expected);
    let mut plain = b"sekisho/ledger/commitment/v1\0\0\0\0".to_vec();
    plain.extend([9; 32]);
    plain.extend(&bytes);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &plain);
    let commitment = commit(&[9; 32], &bytes);
    assert_eq!(commitment.0, digest.as_ref());
    // Computed with Python's hashlib; for whoever writes a second verifier.
    assert_eq!(hex::encode(commitment.0), "af8e35263a0c44ed7476a97ad9a68d96dcc9ed000f8329b0f09496616e68b432");
    let leaf = Leaf::of(&[9; 32], &bytes).unwrap();
    assert_eq!(leaf.id, [2; 16]);
    assert_eq!(leaf.hash(), leaf_hash(&[&[2u8; 16][..], &commitment.0].concat()));
    assert_eq!(hex::encode(leaf.hash().0), "961e1fc88ca0564c5f8b73149d51e2616100c3de66586b3b0d345594b7153405");
}

#[test]
fn unknown_formats_and_lengths_are_refused() {
    let mut bytes = entry().encode();
    bytes[32] = 9;
    assert!(parse_entry(&bytes).is_err());
    assert!(parse_entry(&entry().encode()[..40]).is_err());
    let long = Entry { body: vec![b' '; MAX_ENTRY], ..entry() };
    assert!(parse_entry(&long.encode()).is_err());
}

#[test]
fn ids_tell_their_time() {
    assert_eq!(id_micros(&crate::world::uuid(crate::world::START, 5)), crate::world::START);
    assert!(id_micros(&[0xff; 16]) > 0);
}

#[test]
fn purges_stand_in_their_event() {
    let purge = Purge {
        rule: "r".into(),
        class: "c".into(),
        before_micros: 10,
        keep_micros: 5,
        epoch: 1,
        leaves: vec![(0, 3), (5, 6)],
        receipt: None,
    };
    let body = purge.to_body(serde_json::json!({"class_uid": 6003, "unmapped": {"x": 1}})).unwrap();
    assert_eq!(Purge::from_body(&body).unwrap(), purge);
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("\"class_uid\":6003") && text.contains("\"x\":1"));
    for leaves in [vec![(3, 3)], vec![(4, 3)], vec![(0, 3), (3, 5)], vec![(5, 6), (0, 1)]] {
        let bad = Purge { leaves, ..purge.clone() };
        assert!(Purge::from_body(&bad.to_body(serde_json::json!({})).unwrap()).is_err());
    }
    assert!(Purge::from_body(b"{}").is_err());
    assert!(Purge::from_body(text.replace("\"rule\"", "\"ruler\"").as_bytes()).is_err());
    assert!(purge.to_body(serde_json::json!([])).is_err());
}

proptest! {
    #[test]
    fn entries_round_trip(log: [u8; 16], id: [u8; 16], format in 1u8..4, at_micros: i64, body: Vec<u8>, salt: [u8; 32]) {
        let entry = Entry { log, id, format: Format::from_byte(format).unwrap(), at_micros, body };
        let bytes = entry.encode();
        prop_assert_eq!(parse_entry(&bytes).unwrap().to_entry(), entry);
        let mut other = salt;
        other[31] ^= 1;
        prop_assert_ne!(commit(&salt, &bytes), commit(&other, &bytes));
    }
}
