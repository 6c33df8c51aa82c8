//! A process killed while it writes: whatever was acknowledged is there, nothing is there by half.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use sekisho_store::{Store, StoreConfig, StoreError, params};

use crate::PEOPLE;

const DIR: &str = "SEKISHO_TEST_CRASH_DIR";
const ROUND: &str = "SEKISHO_TEST_CRASH_ROUND";

/// Not a test by itself: the process that is killed. Writes pairs of rows from 16 tasks and names each that stands.
#[test]
fn the_victim() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let round: i64 = round.parse().expect("number");
    let store = Store::open(StoreConfig::sqlite(dir), &[PEOPLE]).expect("open");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..16i64)
            .map(|task| {
                let store = store.clone();
                tokio::spawn(async move {
                    for n in 0.. {
                        let line = (round * 100 + task) * 1_000_000 + n;
                        let pair = store.write(move |db| {
                            let name = line.to_string();
                            let id = line.to_be_bytes();
                            db.exec("INSERT INTO person (id, name) VALUES ($1, $2)", &params![&id, &name])?;
                            db.exec("INSERT INTO diary (line, text) VALUES ($1, $2)", &params![line, &name])
                        });
                        pair.await.expect("write");
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "stands {line:012}").expect("the parent reads");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("task");
        }
    });
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_there() {
    let dir = tempfile::tempdir().expect("directory");
    let mut acknowledged = HashSet::new();
    for round in 0..5 {
        let mut victim = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "crash::the_victim", "--nocapture"])
            .env(DIR, dir.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start");
        let mut lines = BufReader::new(victim.stdout.take().expect("piped")).lines();
        let mut seen = 0;
        while let Some(Ok(line)) = lines.next() {
            // The test harness writes to the same output, and the last line may be cut.
            let Some((_, number)) = line.split_once("stands ") else { continue };
            acknowledged.insert(number.parse::<i64>().expect("number"));
            seen += 1;
            if seen == 200 + round * 37 {
                victim.kill().expect("SIGKILL");
                break;
            }
        }
        victim.wait().expect("gone");
        assert!(seen > 0, "the victim wrote nothing");
        // Whatever it had said before it died, though not yet read here, counts too.
        for line in lines.map_while(Result::ok) {
            if let Some((_, number)) = line.split_once("stands ")
                && number.len() == 12
            {
                acknowledged.extend(number.parse::<i64>());
            }
        }
        let store = Store::open(StoreConfig::sqlite(dir.path()), &[PEOPLE]).expect("open again");
        let (names, lines) = store
            .read_blocking(|db| {
                let names = db.query("SELECT name FROM person", &[])?;
                let lines = db.query("SELECT line FROM diary", &[])?;
                let names = names.iter().map(|r| Ok(r.text(0)?.to_owned())).collect::<Result<HashSet<_>, _>>()?;
                let lines = lines.iter().map(|r| r.int(0)).collect::<Result<HashSet<_>, _>>()?;
                Ok::<_, StoreError>((names, lines))
            })
            .expect("read");
        assert!(acknowledged.is_subset(&lines), "lost: {:?}", acknowledged.difference(&lines).collect::<Vec<_>>());
        assert_eq!(names, lines.iter().map(i64::to_string).collect(), "half a pair");
    }
}
