//! Data of earlier versions: every folder of `tests/fixtures` is opened by today's binary on the day on which it was left,
//! and today. It is brought forward, people sign in, what was written is read, the log verifies and goes on.
//! `cargo xtask fixture NAME` leaves another.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sekisho_kernel::{Clock, SystemClock, Time, rehearsal::MovableClock, time::SharedClock};
use sekisho_prober::rehearsal::code_at;
use sekisho_store::Kind;
use serde_json::{Value, json};

use crate::served::{PASSWORD, Place, Served, signed};

/// The name that `cargo xtask fixture` gives.
const NAME: &str = "SEKISHO_FIXTURE";
const KINDS: [(Kind, &str); 2] = [(Kind::Sqlite, "sqlite"), (Kind::Postgres, "postgres")];
/// How long after it was left the data are opened: sessions have not run out.
const LATER: Duration = Duration::from_secs(600);
/// All fixtures together stay small.
const MOST_BYTES: u64 = 1 << 20;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "fixtures"].iter().collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
#[ignore = "cargo xtask fixture NAME"]
fn make() {
    let name = std::env::var(NAME).expect("a name");
    let to = folder().join(&name);
    assert!(!to.exists(), "{} is there already: what an earlier version left is not made anew", to.display());
    for (kind, sub) in KINDS {
        let place = Place::new(kind).expect("PostgreSQL is installed");
        let manifest = runtime().block_on(live(&place));
        place.keep(&to.join(sub));
        let text = serde_json::to_string_pretty(&manifest).expect("it can be written") + "\n";
        std::fs::write(to.join(sub).join("manifest.json"), text).expect("the manifest");
    }
}

/// Uses an instance for a while: people, a second factor, roles, sites, a tenant's own settings. What it leaves.
async fn live(place: &Place) -> Value {
    let (link, key) = place.init();
    let served = place.serve_now();
    served.use_link(&link).await;
    let admin = served.sign_in("admin").await;
    let post = |path: &str, body: Value| served.done(signed("POST", path, &admin).json(&body));
    let site = post("/sites", json!({ "name": "東京", "note": "本店" })).await["id"].clone();
    let other = post("/sites", json!({ "name": "Ōsaka" })).await["id"].clone();
    let change = signed("PATCH", &format!("/sites/{}", other.as_str().expect("an id")), &admin);
    served.done(change.header("if-match", "\"1\"").json(&json!({ "note": "changed once" }))).await;
    let person = |name: &str, shown: &str, kind: &str| {
        json!({ "name": name, "display_name": shown, "mail": format!("{name}@example.test"), "type": kind,
                "site": site, "password": PASSWORD })
    };
    post("/users", person("hanako", "花子", "approver")).await;
    post("/users", person("taro", "太郎", "user")).await;
    let role = post("/roles", json!({ "name": "監査", "rights": ["history.read", "users.read"] })).await["id"].clone();
    let users = served.all(&admin, "/users", "items").await;
    let taro = users.iter().find(|u| u["name"] == "taro").expect("just made")["id"].clone();
    post("/grants", json!({ "user": taro, "role": role, "site": site })).await;
    served.done(signed("PUT", "/policy/sessions.idle", &admin).json(&json!({ "value": "20m" }))).await;
    let hanako = served.sign_in("hanako").await;
    let factor = served.done(signed("POST", "/me/factors", &hanako).json(&json!({}))).await;
    let (id, secret) = (factor["factor"].as_str().or(factor["id"].as_str()), factor["secret"].as_str());
    let (id, secret) = (id.expect("its id"), secret.expect("its secret").to_owned());
    let code = json!({ "code": code_at(&secret, SystemClock.now(), 0) });
    served.done(signed("POST", &format!("/me/factors/{id}/confirm"), &hanako).json(&code)).await;
    let sites = names(&served, &admin, "/sites").await;
    let users = names(&served, &admin, "/users").await;
    assert_eq!(served.stop().await, Some(0));
    json!({
        "left": SystemClock.now().secs(), "key": key, "session": admin, "factor": secret, "sites": sites, "users": users,
    })
}

async fn names(served: &Served, token: &str, path: &str) -> Vec<String> {
    let items = served.all(token, path, "items").await;
    items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn every_earlier_version_is_opened_and_goes_on() {
    let mut opened = 0;
    for fixture in std::fs::read_dir(folder()).expect("the fixtures").map(|f| f.expect("a folder").path()) {
        for (kind, sub) in KINDS {
            let from = fixture.join(sub);
            if from.is_dir() {
                println!("{}", from.display());
                opened += open(kind, &from);
            }
        }
    }
    assert!(opened > 0, "no fixture was opened");
}

#[test]
fn fixtures_are_small() {
    fn bytes(dir: &Path) -> u64 {
        let entries = std::fs::read_dir(dir).expect("a directory").map(|e| e.expect("a file"));
        entries.map(|e| if e.path().is_dir() { bytes(&e.path()) } else { e.metadata().expect("its size").len() }).sum()
    }
    for fixture in std::fs::read_dir(folder()).expect("the fixtures").map(|f| f.expect("a folder").path()) {
        assert!(!fixture.is_dir() || bytes(&fixture) <= MOST_BYTES, "{}", fixture.display());
    }
}

/// Opens one on the day on which it was left, and another copy of it today; how often it was opened.
fn open(kind: Kind, from: &Path) -> u32 {
    let manifest = std::fs::read(from.join("manifest.json")).expect("the manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("the manifest is JSON");
    let left = Time::from_secs(manifest["left"].as_i64().expect("when it was left"));
    let mut opened = 0;
    if let Some(library) = faketime() {
        let Some(mut place) = Place::restore(kind, from) else { return opened };
        let then = left.plus(LATER);
        place.environment = vec![
            ("LD_PRELOAD".into(), library.display().to_string()),
            ("FAKETIME".into(), format!("@{}", then.rfc3339()[..19].replace('T', " "))),
            ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
            ("TZ".into(), "UTC".into()),
        ];
        runtime().block_on(go_on(&place, &manifest, Arc::new(MovableClock::new(then)), true));
        opened += 1;
    }
    let Some(place) = Place::restore(kind, from) else { return opened };
    let dump = std::fs::read_to_string(from.join("dump.sql")).unwrap_or_default();
    let left_apart = kind == Kind::Sqlite || dump.contains("FORCE ROW LEVEL SECURITY");
    assert_eq!(place.is_kept_apart(), left_apart, "as it was left");
    runtime().block_on(go_on(&place, &manifest, Arc::new(SystemClock), false));
    assert!(place.is_kept_apart(), "brought forward");
    opened + 1
}

/// What moves the clock of a process. Missing is a failure where tests may not be left out.
fn faketime() -> Option<PathBuf> {
    let dirs = std::fs::read_dir("/usr/lib").expect("/usr/lib").flatten();
    let found = dirs.map(|dir| dir.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.exists());
    let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(found.is_some() || !strict, "libfaketime is missing (apt-get install faketime)");
    found
}

async fn go_on(place: &Place, manifest: &Value, clock: SharedClock, session_lasts: bool) {
    let text = |name: &str| manifest[name].as_str().expect("the manifest has it");
    let list = |name: &str| -> Vec<String> { serde_json::from_value(manifest[name].clone()).expect("a list") };
    let served = place.serve(clock.clone());
    if session_lasts {
        assert_eq!(names(&served, text("session"), "/sites").await, list("sites"), "the session that was left");
    }
    let admin = served.sign_in("admin").await;
    assert_eq!(names(&served, &admin, "/sites").await, list("sites"));
    assert_eq!(names(&served, &admin, "/users").await, list("users"));
    let shown = served.read(&admin, "/users?name=hanako").await;
    assert_eq!(shown["items"][0]["display_name"], "花子", "found by its blind index, and opened");
    served.sign_in_with("hanako", &code_at(text("factor"), clock.now(), 0)).await;
    let before = served.all(&admin, "/history?action=site.create", "entries").await.len();
    assert_eq!(before, list("sites").len(), "entries that were left");
    let made = served.done(signed("POST", "/sites", &admin).json(&json!({ "name": "after" }))).await;
    let entries = served.all(&admin, "/history?action=site.create", "entries").await;
    assert_eq!(entries.len(), before + 1);
    assert_eq!(entries[0]["target"], made["id"], "the newest entry");
    assert_eq!(served.stop().await, Some(0));
    let (verdicts, said) = place.verify(text("key"), None);
    assert!(verdicts.len() == 2 && verdicts.iter().all(|v| v == "intact"), "{said}");
}
