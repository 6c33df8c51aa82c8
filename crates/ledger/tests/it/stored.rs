//! Tampering with a stored log: each way is found, and named.

use sekisho_ledger::*;

use crate::world::*;

const N: u64 = 700;

#[test]
fn an_untouched_log_is_intact_and_says_what_it_trusts() {
    let mut house = House::with(N);
    let report = house.verify();
    clean(&report);
    assert_eq!(report.anchored, None);
    assert!(report.bodies_checked);
    assert_eq!((report.size(), report.root()), (N, Some(house.edge.root())));
    assert_eq!((report.counts.leaves, report.counts.bodies, report.counts.checkpoints), (N, N, 1));
    let text = report.lines(sekisho_kernel::Lang::En).join("\n");
    assert!(text.contains("unanchored"), "{text}");
    assert!(report.lines(sekisho_kernel::Lang::Ja).join("\n").contains("改ざんなし"));

    let anchor = house.sign();
    house.events(50);
    house.sign();
    let report = house.verify_with(&[&anchor]);
    clean(&report);
    assert_eq!(report.anchored, Some(N));
}

#[test]
fn an_empty_log_is_intact_once_it_is_signed() {
    clean(&House::with(0).verify());
    let report = House::new().verify();
    found(&report, &Kind::NoCheckpoint);
    assert_eq!(report.verdict(), Verdict::Unproven);
}

#[test]
fn a_head_far_beyond_its_rows_is_found_quickly() {
    let mut house = House::with(10);
    house.stored.epochs[0].size = 1 << 62;
    let row = house.rows()[9].1.clone();
    house.rows().push((1 << 61, row));
    tampered(&house.verify(), &Kind::CutTail { have: 10, signed: 1 << 62 });
}

#[test]
fn without_given_keys_nothing_is_proven() {
    let house = House::with(5);
    let report = verify_log(&house.stored, &Trust::default()).unwrap();
    assert!(report.keys_from_data);
    assert_eq!(report.verdict(), Verdict::Unproven);
    assert_eq!(report.findings, []);
}

#[test]
fn every_column_of_a_row() {
    for leaf in [0, 255, 256, 699] {
        let at = leaf as usize;
        let mut house = House::with(N);
        alter(&mut house.rows()[at].1.leaf.id, 3);
        tampered(&house.verify(), &Kind::Altered { leaf });

        let mut house = House::with(N);
        alter(&mut house.rows()[at].1.leaf.commitment.0, 3);
        tampered(&house.verify(), &Kind::Altered { leaf });

        // Each byte of the entry: log, id, format, time, body.
        for byte in [0, 16, 32, 33, 41] {
            let mut house = House::with(N);
            let Body::Open { bytes, .. } = &mut house.rows()[at].1.body else { unreachable!() };
            alter(bytes, byte);
            tampered(&house.verify(), &Kind::Altered { leaf });
        }

        let mut house = House::with(N);
        let Body::Open { salt, .. } = &mut house.rows()[at].1.body else { unreachable!() };
        alter(salt, 31);
        tampered(&house.verify(), &Kind::Altered { leaf });

        let mut house = House::with(N);
        house.rows()[at].1.body = Body::Broken;
        tampered(&house.verify(), &Kind::Altered { leaf });

        let mut house = House::with(N);
        house.rows()[at].1.differs = Some("action".into());
        tampered(&house.verify(), &Kind::AlteredColumn { leaf, column: "action".into() });
    }
}

#[test]
fn a_consistent_forgery_of_a_row() {
    // Body, salt and commitment all changed to fit each other: only the tree knows.
    let mut house = House::with(N);
    let mut forged = house.row(Format::Event, b"{\"forged\":true}".to_vec());
    forged.leaf.id = house.rows()[400].1.leaf.id;
    house.rows()[400].1 = forged;
    tampered(&house.verify(), &Kind::Altered { leaf: 400 });

    // The leaf's tile too: now only the tile above and the root know.
    let mut house = House::with(N);
    let forged = house.row(Format::Event, b"{\"forged\":true}".to_vec());
    let hash = forged.leaf.hash();
    house.rows()[400].1 = forged;
    let tile = house.stored.tiles.get_mut(&(1, TileId { level: 0, index: 1 })).unwrap();
    tile[(400 - 256) * 32..][..32].copy_from_slice(&hash.0);
    let report = house.verify();
    tampered(&report, &Kind::RootMismatch { size: N });

    // All tiles too: the root alone knows.
    let mut house = House::with(N);
    let forged = house.row(Format::Event, b"{\"forged\":true}".to_vec());
    house.rows()[400].1 = forged;
    let hashes: Vec<Hash> = house.rows().iter().map(|(_, r)| r.leaf.hash()).collect();
    for write in Edge::new().append(&hashes) {
        house.stored.tiles.insert((1, write.id), write.bytes);
    }
    tampered(&house.verify(), &Kind::RootMismatch { size: N });
}

#[test]
fn rows_dropped_swapped_and_added() {
    for leaf in [0u64, 300, 699] {
        let mut house = House::with(N);
        house.rows().remove(leaf as usize);
        let report = house.verify();
        assert_eq!(report.verdict(), Verdict::Tampered);
        if leaf < 699 {
            found(&report, &Kind::MissingLeaf { leaf });
            assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
        } else {
            found(&report, &Kind::CutTail { have: 699, signed: 700 });
        }
    }

    let mut house = House::with(N);
    let (a, b) = (house.rows()[10].1.clone(), house.rows()[500].1.clone());
    house.rows()[10].1 = b;
    house.rows()[500].1 = a;
    let report = house.verify();
    tampered(&report, &Kind::Reordered { leaf: 10, with: 500 });
    found(&report, &Kind::Reordered { leaf: 500, with: 10 });
    assert_eq!(report.findings.len(), 2, "{:#?}", report.findings);

    // One row dropped and those behind moved up.
    let mut house = House::with(N);
    house.rows().remove(600);
    (0..).zip(house.rows().iter_mut()).for_each(|(i, row)| row.0 = i);
    let report = house.verify();
    tampered(&report, &Kind::Reordered { leaf: 600, with: 601 });

    // Appended behind the head, and put in twice.
    let mut house = House::with(N);
    let extra = house.row(Format::Event, b"{}".to_vec());
    house.rows().push((N, extra));
    tampered(&house.verify(), &Kind::UnexpectedEntry { leaf: N });

    let mut house = House::with(N);
    let copy = house.rows()[5].clone();
    house.rows().insert(6, copy);
    tampered(&house.verify(), &Kind::UnexpectedEntry { leaf: 5 });

    // A copy of an entry sequenced again, as a sequencer that crashes at the wrong moment would.
    let mut house = House::with(N);
    let copy = house.rows()[5].1.clone();
    house.sequence(vec![copy]);
    house.sign();
    tampered(&house.verify(), &Kind::DuplicateEntry { leaf: N });
}

#[test]
fn entries_without_a_checkpoint_are_not_yet_protected() {
    let mut house = House::with(10);
    house.events(3);
    let loose = house.row(Format::Event, b"{}".to_vec());
    house.stored.unsequenced.push(loose);
    let report = house.verify();
    found(&report, &Kind::NotYetProtected { count: 4 });
    assert_eq!(report.verdict(), Verdict::Intact);

    for change in 0..4 {
        let mut house = House::with(10);
        let mut loose = house.row(Format::Event, b"{}".to_vec());
        match change {
            0 => alter(&mut loose.leaf.commitment.0, 0),
            1 => loose.body = Body::Missing,
            2 => loose.differs = Some("at".into()),
            _ => loose = house.rows()[3].1.clone(),
        }
        let id = hex::encode(loose.leaf.id);
        house.stored.unsequenced.push(loose);
        tampered(&house.verify(), &Kind::UnexpectedLoose { id });
    }
}

#[test]
fn tiles_changed_dropped_and_cut() {
    for id in [TileId { level: 0, index: 0 }, TileId { level: 0, index: 2 }, TileId { level: 1, index: 0 }] {
        let expected = Kind::AlteredTile { level: id.level, index: id.index };
        for change in 0..4 {
            let mut house = House::with(N);
            let tile = house.stored.tiles.get_mut(&(1, id)).unwrap();
            match change {
                0 => alter(tile, 40),
                1 => tile.truncate(32),
                2 => tile.push(0),
                _ => drop(house.stored.tiles.remove(&(1, id))),
            }
            let report = house.verify();
            tampered(&report, &expected);
            assert_eq!(report.findings.len(), 1, "{change} {:#?}", report.findings);
        }
    }
}

#[test]
fn the_head_moved() {
    let mut house = House::with(N);
    house.stored.epochs[0].size = N + 5;
    tampered(&house.verify(), &Kind::CutTail { have: N, signed: N + 5 });

    let mut house = House::with(N);
    house.stored.epochs[0].size = N - 5;
    let report = house.verify();
    tampered(&report, &Kind::CutTail { have: N - 5, signed: N });
    found(&report, &Kind::UnexpectedEntry { leaf: N - 1 });

    let mut house = House::with(N);
    house.stored.epochs[0].origin = house.origin().replace("sekisho", "elsewhere");
    assert_eq!(house.verify().verdict(), Verdict::Tampered);

    let mut house = House::with(N);
    house.stored.epochs[0].epoch = 2;
    assert_eq!(house.verify().verdict(), Verdict::Tampered);
}

#[test]
fn the_tail_cut() {
    let mut house = House::with(N);
    cut(&mut house, N - 1);
    tampered(&house.verify(), &Kind::CutTail { have: N - 1, signed: N });

    // With the older checkpoint put back: only a checkpoint kept elsewhere tells.
    let mut house = House::with(N);
    house.events(10);
    let anchor = house.sign();
    house.stored.checkpoints.get_mut(&1).unwrap().pop();
    cut(&mut house, N);
    clean(&house.verify());
    assert_eq!(house.verify().anchored, None);
    tampered(&house.verify_with(&[&anchor]), &Kind::RolledBack { have: N, anchor: N + 10 });

    // The older checkpoint put back over a whole tail.
    let mut house = House::with(N);
    house.events(10);
    let anchor = house.sign();
    house.stored.checkpoints.get_mut(&1).unwrap().pop();
    found(&house.verify(), &Kind::NotYetProtected { count: 10 });
    tampered(&house.verify_with(&[&anchor]), &Kind::RolledBack { have: N, anchor: N + 10 });
}

#[test]
fn checkpoints_changed_and_dropped() {
    let mut house = House::with(N);
    house.stored.checkpoints.clear();
    let report = house.verify();
    found(&report, &Kind::NoCheckpoint);
    assert_eq!(report.verdict(), Verdict::Unproven);

    let signed = House::with(N).sign();
    let note = signed.note.encode();
    for (from, to, bad) in [
        ("\n700\n", "\n699\n", Kind::BadSignature { key: HOUSE.into() }),
        (
            "sekisho.test/0",
            "sekisho.text/0",
            Kind::BadCheckpoint { why: "origin sekisho.text/07070707070707070707070707070707/1".into() },
        ),
        ("— sekisho", "— elsewhere", Kind::BadCheckpoint { why: "signed by no known key".into() }),
        ("— ", "- ", Kind::BadCheckpoint { why: "not a signature line".into() }),
    ] {
        let mut house = House::with(N);
        house.stored.checkpoints.insert(1, vec![note.replacen(from, to, 1).into_bytes()]);
        tampered(&house.verify(), &bad);
    }

    // A checkpoint by a key of one's own, and the claim that it is the log's.
    let mut house = House::with(N);
    house.key = seed_key(HOUSE, KeyKind::Ed25519, 66);
    house.stored.checkpoints.clear();
    house.sign();
    house.stored.keys = vec![house.key.key().clone()];
    let trust = Trust { keys: vec![log_key().key().clone()], ..Trust::default() };
    let report = verify_log(&house.stored, &trust).unwrap();
    tampered(&report, &Kind::BadCheckpoint { why: "signed by no known key".into() });
    assert_eq!(verify_log(&house.stored, &Trust::default()).unwrap().verdict(), Verdict::Unproven);
}

#[test]
fn a_forked_head() {
    // The operator with the signing key rewrites history: the outside checkpoint tells.
    let mut honest = House::with(N);
    let anchor = honest.sign();
    let mut forged = House::new();
    forged.events(N - 1);
    let row = forged.row(Format::Event, b"{\"forged\":true}".to_vec());
    forged.sequence(vec![row]);
    forged.events(5);
    forged.sign();
    clean(&forged.verify());
    tampered(&forged.verify_with(&[&anchor]), &Kind::ForkedHead { size: N });

    // Two checkpoints of one size in the store.
    let root = leaf_hash(b"another");
    let other = Checkpoint { origin: honest.origin(), size: N, root }.sign(&honest.key).unwrap();
    honest.stored.checkpoints.get_mut(&1).unwrap().push(other.note.encode().into_bytes());
    tampered(&honest.verify(), &Kind::ForkedHead { size: N });
}

#[test]
fn an_anchor_must_be_signed_and_ours() {
    let mut house = House::with(N);
    let mut anchor = house.sign();
    anchor.checkpoint.size = 5;
    anchor.note = Note::new(anchor.checkpoint.text()).unwrap();
    anchor.note.sign(&seed_key("other", KeyKind::Ed25519, 3), 0).unwrap();
    tampered(&house.verify_with(&[&anchor]), &Kind::BadCheckpoint { why: "signed by no known key".into() });

    let mut other = House::new();
    other.events(3);
    let head = Checkpoint { origin: format!("{HOUSE}/{}/1", "08".repeat(16)), size: 3, root: other.edge.root() };
    let another_log = head.sign(&other.key).unwrap();
    let report = house.verify_with(&[&another_log]);
    clean(&report);
    assert_eq!(report.anchored, None);
}

#[test]
fn witnesses_are_counted() {
    let mut house = House::with(N);
    let witness = seed_key("w1", KeyKind::Cosignature, 5);
    let mut trust = Trust { witnesses: vec![witness.key().clone()], quorum: 1, ..house.trust() };
    let report = verify_log(&house.stored, &trust).unwrap();
    found(&report, &Kind::TooFewWitnesses { have: 0, want: 1 });
    assert_eq!(report.verdict(), Verdict::Unproven);
    let mut signed = house.sign();
    signed.note.sign(&witness, 5).unwrap();
    house.stored.checkpoints.insert(1, vec![signed.note.encode().into_bytes()]);
    clean(&verify_log(&house.stored, &trust).unwrap());
    trust.quorum = 2;
    assert_eq!(verify_log(&house.stored, &trust).unwrap().verdict(), Verdict::Unproven);
}

#[test]
fn a_log_of_many_batches() {
    let mut house = House::new();
    for _ in 0..30 {
        house.events(431);
        house.sign();
    }
    clean(&house.verify());
    alter(&mut house.rows()[9_000].1.leaf.commitment.0, 0);
    let report = house.verify();
    tampered(&report, &Kind::Altered { leaf: 9_000 });
}
