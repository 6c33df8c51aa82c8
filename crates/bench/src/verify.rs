//! Verification of a downloaded export, on one core.

use sekisho_kernel::{Secret, Zone};
use sekisho_ledger::{
    Checkpoint, Edge, Entry, ExportHeader, ExportWriter, Format, Hash, KeyKind, Leaf, Origin, Signer as _, SigningKey,
    Trust, Verdict, verify_export,
};

use crate::{
    machine,
    table::{Row, count, median, seconds},
};

const ENTRIES: u64 = 500_000;
/// About what an OCSF event of ours takes.
const BODY: usize = 400;
const START: i64 = 1_767_225_600_000_000;
const LOG: [u8; 16] = [7; 16];

pub fn measure() -> Vec<Row> {
    machine::on_core(0);
    let (file, trust) = export();
    let rates = (0..5).map(|_| {
        let spent = seconds(|| {
            let report = verify_export(&file[..], &trust).unwrap();
            assert_eq!((report.verdict(), report.counts.bodies), (Verdict::Intact, ENTRIES));
        });
        ENTRIES as f64 / spent
    });
    let rate = median(rates.collect());
    machine::anywhere();
    vec![Row {
        what: "ledger, verification of a downloaded export, one core",
        ours: format!("{} entries/s", count(rate)),
        against: format!("{} entries with bodies of {BODY} bytes", count(ENTRIES as f64)),
        result: format!("{} /s", count(rate)),
        bar: "≥ 500,000 /s",
    }]
}

fn export() -> (Vec<u8>, Trust) {
    let key = SigningKey::from_seed("sekisho.bench", KeyKind::Ed25519, &Secret::new([1; 32])).unwrap();
    let leaves: Vec<Leaf> = (0..ENTRIES).map(entry).map(|(salt, bytes)| Leaf::of(&salt, &bytes).unwrap()).collect();
    let hashes: Vec<Hash> = leaves.iter().map(Leaf::hash).collect();
    let mut edge = Edge::new();
    let _tiles = edge.append(&hashes);
    let origin = Origin { house: "sekisho.bench".into(), log: LOG, epoch: 1 }.to_string();
    let signed = Checkpoint { origin: origin.clone(), size: ENTRIES, root: edge.root() }.sign(&key).unwrap();
    let header = ExportHeader { log: LOG, zone: Zone::parse("JST").unwrap(), keys: vec![key.key().clone()] };
    let mut out = ExportWriter::new(Vec::new(), &header).unwrap();
    out.epoch(1, ENTRIES, &origin, &[signed.note.encode().into_bytes()]).unwrap();
    for (n, leaf) in (0..).zip(&leaves) {
        let (salt, bytes) = entry(n);
        out.entry(&leaf.commitment, &salt, &bytes).unwrap();
    }
    let trust = Trust { keys: vec![key.key().clone()], anchors: vec![signed], ..Trust::default() };
    (out.end(0).unwrap(), trust)
}

fn entry(n: u64) -> ([u8; 32], Vec<u8>) {
    let at_micros = START + i64::try_from(n).unwrap() * 1_000;
    let mut id = [0x80; 16];
    id[..6].copy_from_slice(&(at_micros / 1_000).to_be_bytes()[2..]);
    id[6] = 0x70;
    id[9..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[1..]);
    let mut salt = [0; 32];
    salt[..8].copy_from_slice(&n.wrapping_mul(0xd134_2543_de82_ef95).to_be_bytes());
    let mut text = format!("{{\"class_uid\":6003,\"n\":{n},\"x\":\"").into_bytes();
    text.resize(BODY - 2, b'x');
    text.extend_from_slice(b"\"}");
    (salt, Entry { log: LOG, id, format: Format::Event, at_micros, body: text }.encode())
}
