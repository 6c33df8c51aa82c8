//! Prints how many entries of a downloaded export are verified in a second on one core.
//!
//! `cargo run --profile ci -p sekisho-ledger --example verify_rate [entries [body bytes]]`; 1,000,000 entries with
//! bodies of 400 bytes unless told otherwise.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures and prints")]

use std::time::Instant;

use sekisho_kernel::{Secret, Zone};
use sekisho_ledger::{
    Checkpoint, Edge, Entry, ExportHeader, ExportWriter, Format, Hash, KeyKind, Leaf, Origin, Signer as _, SigningKey,
    Trust, Verdict, verify_export,
};

const START: i64 = 1_767_225_600_000_000;
const LOG: [u8; 16] = [7; 16];

fn entry(n: u64, body: usize) -> ([u8; 32], Vec<u8>) {
    let at_micros = START + n as i64 * 1_000;
    let mut id = [0x80; 16];
    id[..6].copy_from_slice(&(at_micros / 1_000).to_be_bytes()[2..]);
    id[6] = 0x70;
    id[9..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[1..]);
    let mut salt = [0; 32];
    salt[..8].copy_from_slice(&n.wrapping_mul(0xd134_2543_de82_ef95).to_be_bytes());
    let mut text = format!("{{\"class_uid\":6003,\"n\":{n},\"x\":\"").into_bytes();
    text.resize(body.max(text.len() + 2) - 2, b'x');
    text.extend_from_slice(b"\"}");
    (salt, Entry { log: LOG, id, format: Format::Event, at_micros, body: text }.encode())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let entries: u64 = args.next().map_or(Ok(1_000_000), |a| a.parse())?;
    let body: usize = args.next().map_or(Ok(400), |a| a.parse())?;

    let key = SigningKey::from_seed("sekisho.bench", KeyKind::Ed25519, &Secret::new([1; 32]))?;
    let leaves = (0..entries).map(|n| entry(n, body)).map(|(salt, bytes)| Leaf::of(&salt, &bytes));
    let leaves: Vec<Leaf> = leaves.collect::<Result<_, _>>()?;
    let hashes: Vec<Hash> = leaves.iter().map(Leaf::hash).collect();
    let start = Instant::now();
    let mut edge = Edge::new();
    let tiles = edge.append(&hashes).len();
    println!("append   {:>12.0} leaves/s ({tiles} tiles)", entries as f64 / start.elapsed().as_secs_f64());

    let origin = Origin { house: "sekisho.bench".into(), log: LOG, epoch: 1 }.to_string();
    let signed = Checkpoint { origin: origin.clone(), size: entries, root: edge.root() }.sign(&key)?;
    let zone = Zone::parse("JST").ok_or("a zone")?;
    let header = ExportHeader { log: LOG, zone, keys: vec![key.key().clone()] };
    let start = Instant::now();
    let mut out = ExportWriter::new(Vec::new(), &header)?;
    out.epoch(1, entries, &origin, &[signed.note.encode().into_bytes()])?;
    for (n, leaf) in leaves.iter().enumerate() {
        let (salt, bytes) = entry(n as u64, body);
        out.entry(&leaf.commitment, &salt, &bytes)?;
    }
    let file = out.end(0)?;
    println!(
        "export   {:>12.0} entries/s, {} MB",
        entries as f64 / start.elapsed().as_secs_f64(),
        file.len() / 1_000_000
    );

    let trust = Trust { keys: vec![key.key().clone()], anchors: vec![signed], ..Trust::default() };
    for _ in 0..3 {
        let start = Instant::now();
        let report = verify_export(&file[..], &trust)?;
        let seconds = start.elapsed().as_secs_f64();
        assert_eq!((report.verdict(), report.counts.bodies), (Verdict::Intact, entries));
        println!("verify   {:>12.0} entries/s, {:.2} s", entries as f64 / seconds, seconds);
    }
    Ok(())
}
