//! Downloaded exports: written, verified, tampered with.

use proptest::prelude::*;
use sekisho_ledger::{export::Record, *};

use crate::world::*;

fn verify(bytes: &[u8]) -> Report {
    let trust = Trust { keys: vec![log_key().key().clone()], ..Trust::default() };
    verify_export(bytes, &trust).unwrap()
}

/// Offset, tag and length of each record.
fn records(bytes: &[u8]) -> Vec<(usize, u8, usize)> {
    let mut at = parse_export_header(bytes).unwrap().1;
    let mut out = Vec::new();
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize + 5;
        out.push((at, bytes[at], length));
        at += length;
    }
    out
}

fn nth(bytes: &[u8], tag: u8, n: usize) -> (usize, usize) {
    let record = records(bytes).into_iter().filter(|r| r.1 == tag).nth(n).unwrap();
    (record.0, record.2)
}

/// A house that has purged and restored.
fn eventful() -> House {
    let mut house = House::with(500);
    house.now += 365 * DAY;
    house.purge(0, 100, 365 * DAY);
    house.events(20);
    let previous = house.sign();
    house.restore(521, &previous);
    house.events(300);
    house.sign();
    house
}

#[test]
fn an_export_verifies_with_no_server() {
    let house = eventful();
    let bytes = house.export();
    let report = verify(&bytes);
    clean(&report);
    let stored = house.verify();
    assert_eq!((&report.epochs, report.log), (&stored.epochs, stored.log));
    assert_eq!((report.counts.purged, report.counts.bodies), (100, 421 + 301));
    assert!(bytes.starts_with(b"sekisho-log/v1\nlog 07070707070707070707070707070707\nzone JST\nkey sekisho.test+"));
    let shown = b"2026-01-01 09:00:01 JST";
    assert!(House::with(1).export().windows(shown.len()).any(|w| w == shown));
}

#[test]
fn it_says_when_it_trusts_only_itself() {
    let bytes = House::with(5).export();
    let report = verify_export(&bytes[..], &Trust::default()).unwrap();
    assert_eq!((report.verdict(), report.keys_from_data), (Verdict::Unproven, true));
    let mut other = House::with(5);
    other.key = seed_key(HOUSE, KeyKind::Ed25519, 66);
    other.stored.checkpoints.clear();
    other.sign();
    tampered(&verify(&other.export()), &Kind::BadCheckpoint { why: "signed by no known key".into() });
}

#[test]
fn anchors_hold_exports_too() {
    let mut house = House::with(100);
    let anchor = house.sign();
    house.events(50);
    let later = house.sign();
    let bytes = house.export();
    let with = |anchor: &SignedCheckpoint, bytes: &[u8]| {
        verify_export(bytes, &Trust { anchors: vec![anchor.clone()], ..house.trust() }).unwrap()
    };
    let report = with(&anchor, &bytes);
    clean(&report);
    assert_eq!(report.anchored, Some(100));
    tampered(&with(&later, &House::with(100).export()), &Kind::RolledBack { have: 100, anchor: 150 });
}

#[test]
fn every_byte_counts() {
    let mut house = House::with(6);
    house.now += 365 * DAY;
    house.purge(0, 2, 365 * DAY);
    house.sign();
    let bytes = house.export();
    clean(&verify(&bytes));
    let key_line = bytes.windows(4).position(|w| w == b"key ").unwrap()..parse_export_header(&bytes).unwrap().1 - 1;
    // All but the count of unprotected entries at the end, which nothing can vouch for.
    for at in 0..bytes.len() - 8 {
        for bit in [0x01, 0x20] {
            let mut altered = bytes.clone();
            altered[at] ^= bit;
            let report = verify(&altered);
            // The keys that the file claims for itself matter only to one who has no better.
            assert!(
                report.verdict() == Verdict::Tampered || key_line.contains(&at),
                "byte {at} of {} ({:?}): {:?}",
                bytes.len(),
                altered[at] as char,
                report.findings
            );
        }
    }
}

#[test]
fn cut_anywhere() {
    let bytes = House::with(4).export();
    for length in 0..bytes.len() {
        let report = verify(&bytes[..length]);
        assert!(report.found(|k| matches!(k, Kind::BadFormat { .. })), "{length} {:?}", report.findings);
        assert_eq!(report.verdict(), Verdict::Tampered);
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(verify(&longer).verdict(), Verdict::Tampered);
    assert_eq!(verify(&[&bytes[..], &bytes[..]].concat()).verdict(), Verdict::Tampered);
}

#[test]
fn entries_altered_dropped_and_swapped() {
    let bytes = House::with(50).export();
    let (at, length) = nth(&bytes, b'E', 20);

    let mut altered = bytes.clone();
    altered[at + length - 1] ^= 1;
    let report = verify(&altered);
    tampered(&report, &Kind::Altered { leaf: 20 });
    assert_eq!(report.findings.len(), 1);

    let mut altered = bytes.clone();
    altered[at + 5 + 8 + 32 + 1] = b'3';
    let report = verify(&altered);
    tampered(&report, &Kind::AlteredColumn { leaf: 20, column: "local".into() });
    assert_eq!(report.findings.len(), 1);

    let mut dropped = bytes.clone();
    dropped.drain(at..at + length);
    tampered(&verify(&dropped), &Kind::MissingLeaf { leaf: 20 });

    let mut last = bytes.clone();
    let (end, end_length) = nth(&bytes, b'E', 49);
    last.drain(end..end + end_length);
    tampered(&verify(&last), &Kind::CutTail { have: 49, signed: 50 });

    let (next, next_length) = nth(&bytes, b'E', 21);
    let swapped =
        [&bytes[..at], &bytes[next..next + next_length], &bytes[at..next], &bytes[next + next_length..]].concat();
    let report = verify(&swapped);
    assert_eq!(report.verdict(), Verdict::Tampered);
    assert!(report.found(|k| matches!(k, Kind::Reordered { with: 20, .. })), "{:?}", report.findings);
}

#[test]
fn a_forged_entry_that_fits_itself() {
    let mut house = House::with(50);
    let mut forged = house.row(Format::Event, b"{\"forged\":true}".to_vec());
    std::mem::swap(&mut house.rows()[20].1, &mut forged);
    tampered(&verify(&house.export()), &Kind::RootMismatch { size: 50 });
}

#[test]
fn an_export_with_nothing_in_it_proves_nothing() {
    let header = &House::with(0).export()[..];
    let (at, length) = nth(header, b'O', 0);
    let report = verify(&[&header[..at], &header[at + length..]].concat());
    found(&report, &Kind::NoCheckpoint);
    assert_eq!(report.verdict(), Verdict::Unproven);
    clean(&verify(header));
}

#[test]
fn bodies_gone_without_right() {
    let mut house = House::with(50);
    house.destroy(20, 22);
    let report = verify(&house.export());
    tampered(&report, &Kind::MissingBody { leaf: 20 });
    assert_eq!(report.findings.len(), 2);

    // A purge entry's copy that is no leaf.
    let mut other = House::with(50);
    other.now += 365 * DAY;
    let index = other.purge(20, 22, 365 * DAY);
    let (at, length) = nth(&other.export(), b'P', 0);
    let copy = other.export()[at..at + length].to_vec();
    let bytes = house.export();
    let start = parse_export_header(&bytes).unwrap().1;
    let report = verify(&[&bytes[..start], &copy, &bytes[start..]].concat());
    tampered(&report, &Kind::BadPurge { leaf: index });
}

/// An export of the leaves `from..to` only.
fn part(house: &House, from: u64, to: u64) -> Vec<u8> {
    let zone = sekisho_kernel::Zone::utc();
    let header = ExportHeader { log: LOG, zone, keys: vec![house.key.key().clone()] };
    let mut out = ExportWriter::new(Vec::new(), &header).unwrap();
    let size = house.edge.size();
    out.epoch(1, size, &house.origin(), &house.stored.checkpoints[&1]).unwrap();
    let tiles = house.tiles();
    let tree = Tree::new(&tiles, size);
    for (level, index) in cover(0, from) {
        out.leave_out(level, &tree.node(level, index).unwrap()).unwrap();
    }
    for (_, row) in &house.stored.rows[&1][from as usize..to as usize] {
        let Body::Open { salt, bytes } = &row.body else { unreachable!() };
        out.entry(&row.leaf.commitment, salt, bytes).unwrap();
    }
    for (level, index) in cover(to, size) {
        out.leave_out(level, &tree.node(level, index).unwrap()).unwrap();
    }
    out.end(0).unwrap()
}

#[test]
fn a_part_verifies_up_to_the_signed_root() {
    let mut house = House::with(1_000);
    let anchor = house.sign();
    house.events(500);
    house.sign();
    house.stored.checkpoints.get_mut(&1).unwrap().drain(..2);
    for (from, to) in [(0, 10), (300, 777), (1_499, 1_500), (1_000, 1_000)] {
        let bytes = part(&house, from, to);
        let report = verify(&bytes);
        assert_eq!(report.verdict(), Verdict::Intact);
        let left_out = report.findings.iter().map(|f| &f.kind).collect::<Vec<_>>();
        assert_eq!(left_out, [&Kind::LeftOut { count: 1_500 - (to - from) }]);
        assert_eq!((report.counts.leaves, report.counts.left_out), (to - from, 1_500 - (to - from)));
        if to > from {
            let mut altered = bytes.clone();
            let (at, length) = nth(&bytes, b'E', 0);
            altered[at + length - 1] ^= 1;
            tampered(&verify(&altered), &Kind::Altered { leaf: from });
        }
    }
    let mut altered = part(&house, 300, 777);
    let (at, _) = nth(&altered, b'S', 0);
    altered[at + 10] ^= 1;
    tampered(&verify(&altered), &Kind::RootMismatch { size: 1_500 });

    // The anchor lies inside what is left out.
    let trust = Trust { anchors: vec![anchor], ..house.trust() };
    let report = verify_export(&part(&house, 0, 10)[..], &trust).unwrap();
    found(&report, &Kind::AnchorNotCompared { size: 1_000 });
    assert_eq!(report.anchored, None);
    let report = verify_export(&part(&house, 900, 1_100)[..], &trust).unwrap();
    assert_eq!(report.anchored, Some(1_000));
}

#[test]
fn records_read_back() {
    let house = eventful();
    let bytes = house.export();
    let mut reader = ExportReader::new(&bytes[..]).unwrap();
    assert_eq!(reader.header().log, LOG);
    let mut seen = [0; 5];
    while let Some(record) = reader.next_record().unwrap() {
        let kind = match record {
            Record::Purge { epoch, .. } => {
                assert_eq!(epoch, 1);
                0
            }
            Record::Epoch { .. } => 1,
            Record::Entry { bytes, .. } => {
                assert!(parse_entry(bytes).is_ok());
                2
            }
            Record::Gone { .. } => 3,
            Record::LeftOut { .. } => unreachable!(),
            Record::End { .. } => 4,
        };
        seen[kind] += 1;
    }
    assert_eq!(seen, [1, 2, 722, 100, 1]);
    assert_eq!(reader.offset(), bytes.len() as u64);
}

#[test]
fn an_unreadable_file_is_a_problem_not_a_finding() {
    struct Broken(bool);
    impl std::io::Read for Broken {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("gone"));
            }
            let header = b"sekisho-log/v1\nlog 07070707070707070707070707070707\nzone UTC\n\n";
            out[..header.len()].copy_from_slice(header);
            Ok(header.len())
        }
    }
    for start in [false, true] {
        assert!(verify_export(Broken(start), &Trust::default()).unwrap_err().is(&problem::UNREADABLE));
    }
}

#[test]
fn slow_readers_give_the_same_answer() {
    struct Slow<'a>(&'a [u8]);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let n = out.len().min(7).min(self.0.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }
    let house = eventful();
    clean(&verify_export(Slow(&house.export()), &house.trust()).unwrap());
}

#[test]
fn long_entries() {
    let mut house = House::new();
    let body = vec![b' '; MAX_ENTRY - 41];
    let rows = vec![house.row(Format::Event, body), house.row(Format::Event, vec![])];
    house.sequence(rows);
    house.sign();
    clean(&verify(&house.export()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_files_never_panic(bytes: Vec<u8>) {
        let header = b"sekisho-log/v1\nlog 07070707070707070707070707070707\nzone -14:00\n\n";
        prop_assert_eq!(verify(&bytes).verdict(), Verdict::Tampered);
        prop_assert_eq!(verify(&[&header[..], &bytes].concat()).verdict(), Verdict::Tampered);
    }

    #[test]
    fn hostile_records_never_panic(list in prop::collection::vec((prop::sample::select(&b"POEGSZ"[..]), prop::collection::vec(any::<u8>(), 0..200)), 0..20)) {
        let mut bytes = b"sekisho-log/v1\nlog 07070707070707070707070707070707\nzone UTC\n\n".to_vec();
        for (tag, data) in list {
            bytes.push(tag);
            bytes.extend((data.len() as u32).to_be_bytes());
            bytes.extend(data);
        }
        let _ = verify(&bytes);
    }

    #[test]
    fn any_mutation_is_found(at: prop::sample::Index, byte: u8, cut in 0usize..3) {
        let good = eventful().export();
        let start = parse_export_header(&good).unwrap().1;
        let mut bytes = good.clone();
        // All but the count of unprotected entries at the end, which nothing can vouch for.
        let at = start + at.index(good.len() - 8 - start);
        match cut {
            0 => bytes[at] = byte,
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, byte),
        }
        prop_assert!(bytes == good || verify(&bytes).verdict() == Verdict::Tampered);
    }
}
