//! Durable entries a second, 64 writers, SQLite with synchronous FULL.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, reason = "a measurement")]

#[path = "../tests/it/house.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod house;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sekisho_kernel::{Outcome, Time, event};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arg = |n: usize| std::env::args().nth(n).and_then(|a| a.parse::<u64>().ok());
    let (writers, seconds, sequencing) = (arg(1).unwrap_or(64), arg(2).unwrap_or(5), arg(3).unwrap_or(1) == 1);
    let house = house::House::new(sekisho_testkit::sqlite(&house::migrations(None)), None).await;
    let cx = house.person(house.a, house::all()).await;
    let (done, worst) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let end = Duration::from_secs(seconds);
    let mut tasks = Vec::new();
    for _ in 0..writers {
        let (vault, cx, done, worst, clock) =
            (house.vault.clone(), cx.clone(), done.clone(), worst.clone(), house.clock.clone());
        tasks.push(tokio::spawn(async move {
            while start.elapsed() < end {
                let at = Instant::now();
                clock.set(Time::from_secs(1_800_000_100).plus(start.elapsed()));
                let detail = vec![("route", "/app/items".to_owned())];
                vault.enter(&cx, &event::DOOR_PASS, Outcome::Success, "/app/items", detail).await.unwrap();
                done.fetch_add(1, Ordering::Relaxed);
                worst.fetch_max(at.elapsed().as_micros() as u64, Ordering::Relaxed);
            }
        }));
    }
    let sequencer = sequencing.then(|| {
        let vault = house.vault.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                vault.sequence(&house::policy()).await.unwrap();
                vault.checkpoint().await.unwrap();
            }
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    let total = done.load(Ordering::Relaxed);
    let took = start.elapsed();
    println!(
        "{writers} writers, {:.1} s: {:.0} durable entries/s, worst {:.1} ms",
        took.as_secs_f64(),
        total as f64 / took.as_secs_f64(),
        worst.load(Ordering::Relaxed) as f64 / 1e3
    );
    let size = house.count("SELECT CAST(AVG(LENGTH(sealed)) AS INTEGER) FROM ledger_entry").await;
    println!("{size} bytes sealed each");
    if let Some(task) = sequencer {
        task.abort();
        let left = Instant::now();
        house.vault.sequence(&house::policy()).await.unwrap();
        println!("the rest sequenced in {:.2} s", left.elapsed().as_secs_f64());
    }
}
