//! The crash test: `sekisho serve` is killed with SIGKILL while it writes, again and again. Whatever it acknowledged is
//! there, once; each write has its one entry; the log verifies, also against a checkpoint that somebody had fetched before;
//! and it starts again. `./test` kills a few times, `cargo xtask soak` hundreds.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sekisho_kernel::world::Ask;
use sekisho_store::Kind;
use serde_json::json;

use crate::served::{Place, Served, signed};

/// The embedded database's file.
const FILE: &str = "sekisho.db";
const WRITERS: u32 = 8;
/// Kills of one data directory, before another is made: what must be looked at after each grows with them.
const KILLS: u32 = 10;
/// How many acknowledgements a round waits for at most, before the kill.
const MOST: u32 = 120;

/// Shortly before the first checkpoint after a start is signed.
const SIGNED: Duration = Duration::from_millis(4_700);
/// How long writers rest where a round is long.
const CALM: Duration = Duration::from_millis(100);

/// How many kills `cargo xtask soak` asks for, on each database.
pub const SOAK: &str = "SEKISHO_SOAK_KILLS";

#[test]
fn killed_under_writes_nothing_is_lost_on_sqlite() {
    soak(Kind::Sqlite, 4);
}

#[test]
fn killed_under_writes_nothing_is_lost_on_postgresql() {
    soak(Kind::Postgres, 3);
}

/// The looking itself: a database put back to where it was before the writes is found by what was acknowledged, and by a
/// checkpoint that somebody had fetched.
#[test]
fn what_is_lost_is_seen() {
    let runtime = runtime();
    let house = runtime.block_on(House::begin(Place::new(Kind::Sqlite).expect("it is embedded")));
    let old = std::fs::read(house.place.data.join(FILE)).expect("the database");
    let mut total = Total::default();
    runtime.block_on(async {
        let mut served = house.start(&mut total).await;
        house.write(&mut served, 1, SIGNED + Duration::from_secs(2), CALM).await;
    });
    house.verify();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(house.place.data.join(format!("{FILE}{suffix}")));
    }
    std::fs::write(house.place.data.join(FILE), old).expect("the database is put back");
    assert!(catch_unwind(AssertUnwindSafe(|| house.verify())).is_err(), "the log is shorter than its checkpoints");
    let looked = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let served = house.start(&mut total).await;
            house.look(&served, &mut total).await;
        });
    }));
    assert!(looked.is_err(), "acknowledged writes are gone");
}

#[test]
#[ignore = "cargo xtask soak"]
fn killed_hundreds_of_times() {
    let kills = std::env::var(SOAK).map_or(300, |n| n.parse().expect("a number of kills"));
    soak(Kind::Sqlite, kills);
    soak(Kind::Postgres, kills);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn soak(kind: Kind, kills: u32) {
    let runtime = runtime();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let mut total = Total::default();
    while total.kills < kills {
        let Some(place) = Place::new(kind) else { return };
        let house = runtime.block_on(House::begin(place));
        let here = KILLS.min(kills - total.kills);
        for _ in 0..here {
            runtime.block_on(house.round(&mut chance, &mut total));
        }
        runtime.block_on(house.end(&mut total));
        println!("{kind:?}: {total:?}");
    }
    assert!(total.acknowledged > 0, "no round got as far as a write: {total:?}");
}

/// What was done so far.
#[derive(Debug, Default)]
struct Total {
    kills: u32,
    /// Kills before the door was open.
    early: u32,
    /// Kills about when a checkpoint was signed.
    late: u32,
    acknowledged: u32,
    /// Requests without an answer that turned out to be done.
    unanswered_done: u32,
    /// Requests without an answer that turned out not to be done.
    unanswered_not_done: u32,
    slowest_start: Duration,
}

/// A small generator with a fixed beginning: a run that fails can be run again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % end
    }
}

/// A site as those who wrote it know it.
#[derive(Debug, Default)]
struct Site {
    /// As acknowledged.
    id: Option<String>,
    /// The newest note that was acknowledged, by its version.
    version: i64,
    note: String,
    /// The note of a change that got no answer.
    pending: Option<String>,
}

struct House {
    place: Place,
    token: String,
    key: String,
    written: Arc<Mutex<BTreeMap<String, Site>>>,
    /// The newest checkpoint that somebody fetched: the witness outside.
    fetched: Mutex<Option<String>>,
    rounds: AtomicU32,
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name(round: u32, writer: u32, n: u32) -> String {
    format!("site {round}-{writer}-{n}")
}

fn create(name: &str, token: &str) -> Ask {
    let key = name.replace(' ', "-");
    signed("POST", "/sites", token).header("idempotency-key", key).json(&json!({ "name": name, "note": "new" }))
}

fn change(id: &str, version: i64, note: &str, token: &str) -> Ask {
    let ask = signed("PATCH", &format!("/sites/{id}"), token).header("if-match", format!("\"{version}\""));
    ask.json(&json!({ "note": note }))
}

impl House {
    async fn begin(place: Place) -> Self {
        let (link, key) = place.init();
        let served = place.serve_now();
        served.use_link(&link).await;
        let token = served.sign_in("admin").await;
        assert_eq!(served.stop().await, Some(0));
        Self { place, token, key, written: Arc::default(), fetched: Mutex::default(), rounds: AtomicU32::new(0) }
    }

    /// Starts, looks at what the last kill left, writes, kills.
    async fn round(&self, chance: &mut Chance, total: &mut Total) {
        if chance.below(5) == 0 {
            // Cut while it opens what the last one left.
            let mut child = self.place.spawn();
            tokio::time::sleep(Duration::from_millis(u64::from(chance.below(200)))).await;
            child.kill().expect("SIGKILL");
            child.wait().expect("gone");
            total.early += 1;
        } else {
            let mut served = self.start(total).await;
            self.look(&served, total).await;
            if total.kills % 6 == 2 {
                // Cut about when the first checkpoint since the start is signed and laid outside.
                let pause = SIGNED + Duration::from_millis(u64::from(chance.below(500)));
                total.acknowledged += self.write(&mut served, 1, pause, CALM).await;
                total.late += 1;
            } else {
                let pause = Duration::from_millis(u64::from(chance.below(30)));
                let wanted = 1 + chance.below(MOST);
                total.acknowledged += self.write(&mut served, wanted, pause, Duration::ZERO).await;
            }
        }
        total.kills += 1;
        self.verify();
    }

    async fn end(&self, total: &mut Total) {
        let served = self.start(total).await;
        self.look(&served, total).await;
        assert_eq!(served.stop().await, Some(0));
        self.verify();
    }

    async fn start(&self, total: &mut Total) -> Served {
        let begun = tokio::time::Instant::now();
        let served = self.place.serve_now();
        total.slowest_start = total.slowest_start.max(begun.elapsed());
        served
    }

    /// Writes from several clients, each with a `rest` after its turns, until `wanted` answers have come and `pause` has
    /// passed, then kills. How many answers came.
    async fn write(&self, served: &mut Served, wanted: u32, pause: Duration, rest: Duration) -> u32 {
        let round = self.rounds.fetch_add(1, Ordering::Relaxed);
        let acknowledged = AtomicU32::new(0);
        let writers = futures_util::future::join_all(
            (0..WRITERS).map(|writer| self.writer(served, (round, writer), rest, &acknowledged)),
        );
        let fetch = self.fetch(served);
        let enough = async {
            while acknowledged.load(Ordering::Relaxed) < wanted {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(pause).await;
            served.kill_now();
        };
        tokio::join!(writers, fetch, enough);
        served.kill();
        acknowledged.load(Ordering::Relaxed)
    }

    /// Creates sites and changes each twice, until there is no answer any more.
    async fn writer(&self, served: &Served, (round, writer): (u32, u32), rest: Duration, acknowledged: &AtomicU32) {
        for n in 0.. {
            tokio::time::sleep(rest).await;
            let name = name(round, writer, n);
            locked(&self.written).insert(name.clone(), Site::default());
            let Ok(made) = served.ask(create(&name, &self.token).over(writer)).await else { return };
            assert_eq!(made.status, 201, "{name}: {}", String::from_utf8_lossy(&made.body));
            let id = made.json()["id"].as_str().expect("an id").to_owned();
            acknowledged.fetch_add(1, Ordering::Relaxed);
            let site = Site { id: Some(id.clone()), version: 1, note: "new".into(), pending: None };
            locked(&self.written).insert(name.clone(), site);
            for version in 1..=2 {
                let note = format!("{name}, change {version}");
                self.with(&name, |site| site.pending = Some(note.clone()));
                let Ok(done) = served.ask(change(&id, version, &note, &self.token).over(writer)).await else { return };
                assert_eq!(done.status, 200, "{name}: {}", String::from_utf8_lossy(&done.body));
                acknowledged.fetch_add(1, Ordering::Relaxed);
                self.with(&name, |site| {
                    (site.version, site.note, site.pending) = (version + 1, note.clone(), None);
                });
            }
        }
    }

    fn with(&self, name: &str, change: impl FnOnce(&mut Site)) {
        change(locked(&self.written).get_mut(name).expect("a site that is being written"));
    }

    /// Fetches the newest checkpoint, as a witness does, until there is no answer any more.
    async fn fetch(&self, served: &Served) {
        let ask = || signed("GET", "/history/checkpoint", &self.token).over(WRITERS);
        while let Ok(answer) = served.ask(ask()).await {
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            *locked(&self.fetched) = Some(String::from_utf8(answer.body).expect("a checkpoint is text"));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Compares what is there with what was acknowledged.
    async fn look(&self, served: &Served, total: &mut Total) {
        self.again(served).await;
        let sites = served.all(&self.token, "/sites", "items").await;
        let versions = self.compare(&sites, total);
        self.entries(served, versions).await;
    }

    /// Whether the sites that are there are those that were written; the version of each, by its id.
    fn compare(&self, sites: &[serde_json::Value], total: &mut Total) -> HashMap<String, i64> {
        let text = |site: &serde_json::Value, field: &str| site[field].as_str().expect("a text").to_owned();
        let mut there = HashMap::new();
        for site in sites {
            let twice = there.insert(text(site, "name"), site);
            assert!(twice.is_none(), "there twice: {site} and {twice:?}");
        }
        let mut written = locked(&self.written);
        written.retain(|name, site| {
            let Some(found) = there.remove(name.as_str()) else {
                assert!(site.id.is_none(), "acknowledged, and lost: {name} {site:?}");
                total.unanswered_not_done += 1;
                return false;
            };
            let (id, version, note) =
                (text(found, "id"), found["version"].as_i64().expect("a version"), text(found, "note"));
            match &site.id {
                Some(acknowledged) => assert_eq!(*acknowledged, id, "{name} is another one"),
                None => {
                    (site.version, site.note) = (1, "new".into());
                    total.unanswered_done += 1;
                }
            }
            site.id = Some(id);
            match site.pending.take() {
                Some(pending) if version == site.version + 1 && note == pending => {
                    (site.version, site.note) = (version, note);
                    total.unanswered_done += 1;
                }
                pending => {
                    total.unanswered_not_done += u32::from(pending.is_some());
                    assert_eq!((version, &note), (site.version, &site.note), "{name}: a change is lost or half there");
                }
            }
            true
        });
        assert!(there.is_empty(), "nobody wrote {there:?}");
        written.values().map(|site| (site.id.clone().expect("found"), site.version)).collect()
    }

    /// Sends what got no answer again, under the same key: done before or not, it is there once afterwards.
    async fn again(&self, served: &Served) {
        let unanswered: Vec<String> = {
            let written = locked(&self.written);
            let mut names = written.iter().filter(|(_, site)| site.id.is_none()).map(|(name, _)| name.clone());
            // Every second one: what the kill left by itself is looked at too.
            names.by_ref().step_by(2).collect()
        };
        for name in unanswered {
            let answer = served.ask(create(&name, &self.token)).await.expect("an answer");
            match answer.status {
                201 => {
                    let id = answer.json()["id"].as_str().expect("an id").to_owned();
                    self.with(&name, |site| (site.id, site.version, site.note) = (Some(id), 1, "new".into()));
                }
                // The first try has the key and may yet answer, or what it did is in the history.
                409 => {
                    let told = answer.json()["code"].as_str().expect("a code").to_owned();
                    assert!(["SK-3005", "SK-3008"].contains(&told.as_str()), "{name}: {}", answer.json());
                }
                _ => panic!("{name}: {}", String::from_utf8_lossy(&answer.body)),
            }
        }
    }

    /// Each site has one entry of its making and one of each change, and there are no others.
    async fn entries(&self, served: &Served, versions: HashMap<String, i64>) {
        let mut counted: HashMap<String, (i64, i64)> = HashMap::new();
        let mut ids = HashMap::new();
        for (action, made) in [("site.create", 1), ("site.update", 0)] {
            let path = format!("/history?action={action}&result=success");
            for entry in served.all(&self.token, &path, "entries").await {
                let id = entry["id"].as_str().expect("an id").to_owned();
                let twice = ids.insert(id, entry.clone());
                assert!(twice.is_none(), "an entry is there twice: {entry}");
                let count = counted.entry(entry["target"].as_str().expect("a target").to_owned()).or_default();
                count.0 += made;
                count.1 += 1 - made;
            }
        }
        let expected: HashMap<String, (i64, i64)> =
            versions.into_iter().map(|(id, version)| (id, (1, version - 1))).collect();
        for (id, wanted) in &expected {
            assert_eq!(counted.get(id), Some(wanted), "{id}: its entries of making and changing");
        }
        assert_eq!(counted.len(), expected.len(), "entries of what is not there");
    }

    /// The log of a dead instance, against its own file of checkpoints and against what somebody fetched.
    fn verify(&self) {
        let (verdicts, said) = self.place.verify(&self.key, None);
        assert!(verdicts.len() == 2 && !verdicts.contains(&"tampered".to_owned()), "{said}");
        let fetched = locked(&self.fetched).clone();
        if let Some(note) = fetched {
            let origin = note.lines().next().expect("an origin");
            let witness = self.place.beside(".witness");
            std::fs::write(&witness, json!({ origin: note }).to_string()).expect("the witness's file");
            let (verdicts, said) = self.place.verify(&self.key, Some(&witness));
            assert!(verdicts.contains(&"intact".to_owned()), "{said}");
            assert!(!verdicts.contains(&"tampered".to_owned()), "{said}");
        }
    }
}
