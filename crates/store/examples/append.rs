//! Durable appends: N concurrent writers, one INSERT of about 400 bytes each, through `Store::write`.
//!
//! `cargo run --profile ci -p sekisho-store --example append -- [writers] [rows] [directory]`

#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, reason = "a measurement")]

use std::time::Instant;

use sekisho_store::{Migration, Store, StoreConfig, StoreError, params};

const LEDGER: Migration = Migration {
    number: 100,
    name: "bench",
    sql: "CREATE TABLE entry (log BLOB NOT NULL, id BLOB NOT NULL, at BIGINT NOT NULL, leaf BLOB NOT NULL,
              body BLOB NOT NULL, PRIMARY KEY (log, id)) /*sqlite: WITHOUT ROWID */;",
    postgres: "",
    sqlite: "",
};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(default, |a| a.parse().unwrap());
    let (writers, rows) = (number(64), number(200_000));
    let dir = match arguments.next() {
        Some(dir) => tempfile::tempdir_in(dir).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let store = Store::open(StoreConfig::sqlite(dir.path()), &[LEDGER]).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let each = rows / writers;
    let start = Instant::now();
    let mut slowest = runtime.block_on(async {
        let tasks: Vec<_> = (0..writers)
            .map(|w| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut spans = Vec::new();
                    for n in 0..each {
                        let begun = Instant::now();
                        let at = i64::try_from(n).unwrap();
                        // As UUIDv7 does: time first, then what is random.
                        let mut id = [0u8; 16];
                        id[..8].copy_from_slice(&n.to_be_bytes());
                        id[8..].copy_from_slice(&(w.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n).to_be_bytes());
                        store
                            .write(move |db| {
                                db.exec(
                                    "INSERT INTO entry (log, id, at, leaf, body) VALUES ($1, $2, $3, $4, $5)",
                                    &params![&[7u8; 16], &id, at, &[1u8; 32], &[2u8; 336]],
                                )
                            })
                            .await?;
                        spans.push(begun.elapsed());
                    }
                    Ok::<_, StoreError>(spans)
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap().unwrap());
        }
        all
    });
    let span = start.elapsed();
    slowest.sort();
    let at = |share: f64| slowest[((slowest.len() - 1) as f64 * share) as usize];
    println!(
        "{writers} writers, {} rows: {:.0} rows/s; latency p50 {:?}, p99 {:?}, most {:?}",
        slowest.len(),
        slowest.len() as f64 / span.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
