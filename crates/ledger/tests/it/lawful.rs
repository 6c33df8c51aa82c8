//! Lawful purges and restores, and what only looks like them.

use sekisho_ledger::*;

use crate::world::*;

const N: u64 = 700;

#[test]
fn a_lawful_purge_is_accepted() {
    let mut house = House::with(N);
    house.now += 365 * DAY;
    house.purge(0, 300, 365 * DAY);
    house.sign();
    let report = house.verify();
    clean(&report);
    assert_eq!((report.counts.purged, report.counts.bodies), (300, N - 300 + 1));

    // In a later epoch, for leaves of an earlier one.
    let previous = house.sign();
    house.restore(N + 1, &previous);
    let purge = Purge {
        rule: "history".into(),
        class: "history".into(),
        before_micros: house.now - 300 * DAY,
        keep_micros: 300 * DAY,
        epoch: 1,
        leaves: vec![(400, 450), (500, 501)],
        receipt: None,
    };
    house.purge_entry(&purge);
    let rows = house.stored.rows.get_mut(&1).unwrap();
    rows[400..450].iter_mut().for_each(|(_, row)| row.body = Body::Missing);
    rows[500].1.body = Body::Missing;
    house.sign();
    let report = house.verify();
    clean(&report);
    assert_eq!(report.counts.purged, 351);
}

#[test]
fn a_body_that_no_purge_covers() {
    let mut house = House::with(N);
    house.destroy(7, 8);
    let report = house.verify();
    tampered(&report, &Kind::MissingBody { leaf: 7 });
    assert_eq!(report.findings.len(), 1);

    let mut house = House::with(N);
    house.now += 365 * DAY;
    house.purge(0, 300, 365 * DAY);
    house.destroy(300, 301);
    house.sign();
    tampered(&house.verify(), &Kind::MissingBody { leaf: 300 });
}

#[test]
fn a_purge_before_its_time() {
    // The leaves are 10 minutes old, retention is a year.
    let mut house = House::with(N);
    house.purge(0, 300, 365 * DAY);
    house.sign();
    tampered(&house.verify(), &Kind::MissingBody { leaf: 0 });

    // The purge says that 0 was enough; policy says a year.
    let mut house = House::with(N);
    let index = house.purge(0, 300, 0);
    house.sign();
    clean(&house.verify());
    let trust = Trust { retention: vec![("history".into(), 365 * DAY)], ..house.trust() };
    let report = verify_log(&house.stored, &trust).unwrap();
    tampered(&report, &Kind::BadPurge { leaf: index });
    found(&report, &Kind::MissingBody { leaf: 0 });

    // It reaches beyond its own moment, or its own place.
    for (before, to) in [(DAY, 300), (0, N + 1)] {
        let mut house = House::with(N);
        let purge = Purge {
            rule: "r".into(),
            class: "c".into(),
            before_micros: house.now + before,
            keep_micros: 0,
            epoch: 1,
            leaves: vec![(0, to)],
            receipt: None,
        };
        let leaf = house.purge_entry(&purge);
        house.sign();
        tampered(&house.verify(), &Kind::BadPurge { leaf });
    }
}

#[test]
fn the_place_of_a_purge_must_hold_it() {
    // The index points at another entry.
    let mut house = House::with(N);
    house.stored.purges.push((1, 5));
    tampered(&house.verify(), &Kind::BadPurge { leaf: 5 });

    // A forged purge entry in a row of its own: the tree does not know it.
    let mut house = House::with(N);
    house.now += 365 * DAY;
    let index = house.purge(0, 300, 365 * DAY);
    cut(&mut house, N);
    let mut forged = House::with(N);
    forged.now += 365 * DAY;
    forged.purge(0, 300, 365 * DAY);
    let row = forged.rows()[N as usize].clone();
    house.rows().push(row);
    let report = house.verify();
    tampered(&report, &Kind::BadPurge { leaf: index });
    found(&report, &Kind::UnexpectedEntry { leaf: index });
}

#[test]
fn an_erasure_receipt_excuses_young_leaves() {
    let mut house = House::with(N);
    let receipt = Receipt { id: "era_1".into(), at_micros: house.now };
    let purge = Purge {
        rule: "tenant.delete".into(),
        class: "history".into(),
        before_micros: house.now,
        keep_micros: 365 * DAY,
        epoch: 1,
        leaves: vec![(0, 100)],
        receipt: Some(receipt),
    };
    house.purge_entry(&purge);
    house.destroy(0, 100);
    house.sign();
    let report = house.verify();
    clean(&report);
    assert_eq!(report.counts.erased, 100);
    assert_eq!(report.receipts, ["era_1"]);
}

#[test]
fn a_purged_leaf_still_tells_whose_it_was() {
    let mut house = House::with(N);
    house.now += 365 * DAY;
    house.purge(0, 300, 365 * DAY);
    house.sign();
    alter(&mut house.rows()[7].1.leaf.id, 15);
    tampered(&house.verify(), &Kind::Altered { leaf: 7 });
}

#[test]
fn without_keys_bodies_are_unchecked_and_the_tree_is_not() {
    let sealed = |house: &mut House| {
        for (_, row) in house.stored.rows.values_mut().flatten() {
            if row.body != Body::Missing {
                row.body = Body::Sealed;
            }
        }
    };
    let mut house = House::with(N);
    house.now += 365 * DAY;
    house.purge(0, 300, 365 * DAY);
    house.sign();
    sealed(&mut house);
    let report = house.verify();
    assert!(!report.bodies_checked);
    assert!(report.lines(sekisho_kernel::Lang::En).join("\n").contains("bodies unchecked"));
    found(&report, &Kind::MissingBodiesUnchecked { count: 300 });
    assert_eq!(report.verdict(), Verdict::Unproven);
    alter(&mut house.rows()[400].1.leaf.id, 15);
    tampered(&house.verify(), &Kind::Altered { leaf: 400 });

    let mut house = House::with(N);
    sealed(&mut house);
    clean(&house.verify());
    house.destroy(3, 4);
    tampered(&house.verify(), &Kind::MissingBody { leaf: 3 });
}

#[test]
fn a_restore_opens_an_epoch() {
    // Nothing lost.
    let mut house = House::with(N);
    let previous = house.sign();
    house.restore(N, &previous);
    house.events(20);
    house.sign();
    let report = house.verify_with(&[&previous]);
    clean(&report);
    assert_eq!(report.anchored, Some(N));
    assert_eq!(report.epochs.len(), 2);

    // The backup was older than the last checkpoint: said, and not held against anyone.
    let mut house = House::with(N);
    house.events(50);
    let previous = house.sign();
    house.restore(N, &previous);
    house.events(20);
    let newest = house.sign();
    for anchors in [&[][..], &[&previous][..], &[&newest][..]] {
        let report = house.verify_with(anchors);
        found(&report, &Kind::LostInRestore { from: N, to: N + 50 });
        assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
        assert_eq!(report.verdict(), Verdict::Intact);
    }

    // Leaves of the backup that had no checkpoint yet are protected by the new epoch.
    let mut house = House::with(N);
    house.events(5);
    let previous = parse_checkpoint(&house.stored.checkpoints[&1][0]).unwrap();
    house.restore(N + 5, &previous);
    house.sign();
    clean(&house.verify());
    house.stored.rows.get_mut(&1).unwrap().pop();
    house.stored.epochs[0].size -= 1;
    assert_eq!(house.verify().verdict(), Verdict::Tampered);
}

#[test]
fn a_restore_that_hides_something() {
    // It names an older checkpoint than the one kept elsewhere.
    let mut house = House::with(N);
    let known = parse_checkpoint(&house.stored.checkpoints[&1][0]).unwrap();
    house.events(50);
    let anchor = house.sign();
    house.restore(N, &known);
    house.sign();
    clean(&house.verify());
    tampered(&house.verify_with(&[&anchor]), &Kind::RolledBack { have: N, anchor: N + 50 });

    // The new epoch's first entry is an ordinary one.
    let mut house = House::with(N);
    house.open_epoch();
    house.events(5);
    house.sign();
    tampered(&house.verify(), &Kind::BadEpoch { why: "its first entry does not name it".into() });

    // The new epoch is taken away.
    let mut house = House::with(N);
    let previous = house.sign();
    house.restore(N, &previous);
    let anchor = house.sign();
    house.stored.epochs.pop();
    clean(&house.verify());
    tampered(&house.verify_with(&[&anchor]), &Kind::RolledBack { have: N, anchor: 1 });

    // The old epoch is taken away.
    let mut house = House::with(N);
    let previous = house.sign();
    house.restore(N, &previous);
    house.sign();
    house.stored.epochs.remove(0);
    assert_eq!(house.verify().verdict(), Verdict::Tampered);

    // Its leaves are changed where only the new epoch knows their root.
    let mut house = House::with(N);
    house.events(5);
    let previous = parse_checkpoint(&house.stored.checkpoints[&1][0]).unwrap();
    house.restore(N + 5, &previous);
    house.sign();
    let forged = house.row(Format::Event, b"{}".to_vec());
    house.stored.rows.get_mut(&1).unwrap()[N as usize + 2].1 = forged;
    tampered(&house.verify(), &Kind::Altered { leaf: N + 2 });
}
