//! Speed of sealing 64 KiB against bare aws-lc-rs in the same run.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, reason = "a measurement")]

use std::{hint::black_box, sync::Arc, time::Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sekisho_kernel::{SystemClock, SystemRng};
use sekisho_keys::{HEADER, Keys, MIGRATION, Place, RootFile, RootSource};
use sekisho_store::{Store, StoreConfig};

const SIZE: usize = 64 * 1024;
const ROUNDS: u32 = 20_000;

fn rate(name: &str, size: usize, mut once: impl FnMut()) -> f64 {
    let mut best = 0f64;
    for _ in 0..5 {
        let start = Instant::now();
        for _ in 0..ROUNDS / 5 {
            once();
        }
        best = best.max(f64::from(ROUNDS / 5) * size as f64 / start.elapsed().as_secs_f64() / 1e9);
    }
    println!("{name:<44}{best:>8.2} GB/s {:>10.0} ns each", size as f64 / best);
    best
}

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(StoreConfig::sqlite(dir.path().join("data")), &[MIGRATION]).unwrap();
    let root = dir.path().join("root.key");
    RootFile::create(&root, &SystemRng).unwrap();
    let keys = Keys::open(store, RootSource::File(root), Arc::new(SystemClock), Arc::new(SystemRng)).await.unwrap();
    let keys = keys.platform().await.unwrap();
    let place = Place { table: "file", id: [7; 16], version: 1 };

    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32]).unwrap());
    let mut buf = vec![0u8; HEADER + SIZE];
    buf.reserve(64);
    let bare = rate("bare aws-lc-rs AES-256-GCM, 64 KiB", SIZE, || {
        let nonce = Nonce::assume_unique_for_key([1; 12]);
        let _ = black_box(bare.seal_in_place_separate_tag(nonce, Aad::from([0; 60]), &mut buf[HEADER..]).unwrap());
    });
    let ours = rate("sealed in place, 64 KiB", SIZE, || {
        buf.truncate(HEADER + SIZE);
        keys.seal_in_place(place, &mut buf).unwrap();
    });
    println!("{:<44}{:>8.2} x", "ratio (bar: 0.8)", ours / bare);
    let plain = vec![0u8; SIZE];
    let copied = rate("sealed to a new buffer, 64 KiB", SIZE, || drop(black_box(keys.seal(place, &plain).unwrap())));
    println!("{:<44}{:>8.2} x", "ratio", copied / bare);
    rate("a record of 600 bytes, sealed", 600, || drop(black_box(keys.seal(place, &plain[..600]).unwrap())));
    let sealed = keys.seal(place, &plain[..600]).unwrap();
    rate("a record of 600 bytes, opened", 600, || drop(black_box(keys.open(place, sealed.clone()).unwrap())));
}
