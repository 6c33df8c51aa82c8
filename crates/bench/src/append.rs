//! Durable appends to the ledger: 64 writers at once, each entry accepted (encoded, committed to, sealed, on disk)
//! before the next is begun, while the sequencer and the checkpoints run as they do in a serving instance.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sekisho_kernel::{Outcome, SystemRng, event, rng};
use sekisho_store::{Migration, Store, StoreConfig, StoreError, params};

use crate::{
    house::{self, House},
    table::{Row, count, median},
};

const WRITERS: usize = 64;
const EACH: usize = 2_000;
const ROUNDS: usize = 3;
const TENANTS: usize = 4;

pub fn measure() -> Vec<Row> {
    let runtime = house::runtime();
    let dir = tempfile::tempdir_in("target").unwrap();
    let data = dir.path().join("data");
    let house = runtime.block_on(House::open(&data, house::policy(&[])));
    let mut people = Vec::new();
    for n in 0..TENANTS {
        people.push(runtime.block_on(async {
            let tenant = house.tenant(&format!("t{n}")).await;
            house.sign_in(&tenant).await.1
        }));
    }
    let over = Arc::new(AtomicBool::new(false));
    let keeper = runtime.spawn(sequencer(house.clone(), over.clone()));
    let (mut rates, mut bare_rates, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    let bare = bare(&dir.path().join("bare"));
    let entries = {
        let (house, people) = (house.clone(), Arc::new(people));
        move |writer: usize| {
            let (house, passage) = (house.clone(), people[writer % TENANTS].clone());
            async move {
                let detail = vec![("method", "POST".to_owned()), ("status", "201".to_owned())];
                let entered = house.vault.enter(&passage.cx, &event::DOOR_PASS, Outcome::Success, "/orders/1", detail);
                entered.await.unwrap();
            }
        }
    };
    let rows = move |_| {
        let store = bare.clone();
        async move {
            let written: Result<_, StoreError> = store
                .write(|db| {
                    let id: [u8; 16] = rng::bytes(&SystemRng);
                    db.exec("INSERT INTO bare (id, body) VALUES ($1, $2)", &params![&id, &[2u8; 700]])
                })
                .await;
            written.unwrap();
        }
    };
    for _ in 0..ROUNDS {
        let (rate, spans) = runtime.block_on(round(entries.clone()));
        rates.push(rate);
        waits.extend(spans);
        bare_rates.push(runtime.block_on(round(rows.clone())).0);
    }
    over.store(true, Ordering::Relaxed);
    runtime.block_on(keeper).unwrap();
    waits.sort_by(f64::total_cmp);
    let late = waits[waits.len() * 99 / 100] * 1e3;
    vec![Row {
        what: "ledger, durable appends, 64 concurrent writers, SQLite, synchronous FULL",
        ours: format!("{} entries/s, p99 {late:.1} ms", count(median(rates.clone()))),
        against: format!("bare rows of 700 bytes through the same store, {} /s", count(median(bare_rates))),
        result: format!("{} /s", count(median(rates))),
        bar: "≥ 20,000 /s, then 50,000 /s",
    }]
}

async fn sequencer(house: House, over: Arc<AtomicBool>) {
    let mut turns = 0u32;
    while !over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        house.vault.sequence(&house.effective()).await.unwrap();
        turns += 1;
        if turns.is_multiple_of(20) {
            house.vault.checkpoint().await.unwrap();
        }
    }
}

/// Appends per second, and how long each took in seconds.
async fn round<F, W>(once: F) -> (f64, Vec<f64>)
where
    F: Fn(usize) -> W + Clone + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let once = once.clone();
            tokio::spawn(async move {
                let mut spans = Vec::with_capacity(EACH);
                for _ in 0..EACH {
                    let begun = Instant::now();
                    once(writer).await;
                    spans.push(begun.elapsed().as_secs_f64());
                }
                spans
            })
        })
        .collect();
    let mut spans = Vec::new();
    for task in tasks {
        spans.extend(task.await.unwrap());
    }
    ((WRITERS * EACH) as f64 / start.elapsed().as_secs_f64(), spans)
}

fn bare(dir: &std::path::Path) -> Store {
    let table = Migration {
        number: 100,
        name: "bare",
        sql: "CREATE TABLE bare (id BLOB NOT NULL PRIMARY KEY, body BLOB NOT NULL);",
        postgres: "",
        sqlite: "",
    };
    Store::open(StoreConfig::sqlite(dir), &[table]).unwrap()
}
