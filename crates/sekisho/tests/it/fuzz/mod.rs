//! Hostile bytes: for everything that reads them, a target that holds it to its promise. `tests/fuzz/TARGET/` has each
//! target's corpus; `./test` replays it, with mutations from a fixed beginning. `cargo xtask fuzz [TARGET] [--seconds N]`
//! goes on for as long as it is told, with another beginning each time, and adds what it finds to the corpus.

mod door;
mod mutate;
mod routed;
mod saml;
mod scene;
mod seeds;
mod text;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Mutex, PoisonError, atomic::Ordering, mpsc},
    time::Duration,
};

use tokio::time::Instant;

/// The target that `cargo xtask fuzz` asks for: a name, or nothing for all.
const TARGET: &str = "SEKISHO_FUZZ_TARGET";
/// For how long, all targets together.
const SECONDS: &str = "SEKISHO_FUZZ_SECONDS";

/// Something that reads hostile bytes.
struct Target {
    /// Its name, also of its corpus' folder.
    name: &'static str,
    /// Reads, and panics when the reader did not keep its promise.
    run: fn(&[u8]),
    /// Mutations that a replay adds to the corpus: few where one run is slow.
    replayed: u32,
}

const fn target(name: &'static str, run: fn(&[u8]), replayed: u32) -> Target {
    Target { name, run, replayed }
}

/// Every target.
const TARGETS: &[Target] = &[
    target("policy", text::policy, 2_000),
    target("note", text::note, 20_000),
    target("checkpoint", text::checkpoint, 20_000),
    target("proof", text::proof, 20_000),
    target("verifier-key", text::verifier_key, 20_000),
    target("entry", text::entry, 20_000),
    target("tile", text::tile, 20_000),
    target("export", text::export, 5_000),
    target("evidence", text::evidence, 10_000),
    target("host", text::host, 20_000),
    target("words", text::words, 20_000),
    target("input", text::input, 20_000),
    target("scim-filter", text::scim_filter, 20_000),
    target("scim-patch", text::scim_patch, 10_000),
    target("passkey", text::passkey, 20_000),
    target("saml", saml::message, 1_000),
    target("server-hello", text::server_hello, 20_000),
    target("client-hello", door::client_hello, 100),
    target("request", door::request, 100),
    target("http2", door::http2, 60),
    target("plain-request", door::plain_request, 100),
    target("forward-auth", door::forward_auth, 150),
    target("token", door::token, 150),
    target("cursor", door::cursor, 100),
    target("challenge", door::challenge, 60),
    target("api", door::api, 250),
    target("form", door::form, 150),
    target("passage", door::passage, 100),
];

/// The longest input that is made.
const LONGEST: usize = 16 << 10;
/// A single run that takes longer is a finding.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn corpora_and_fixed_mutations_find_nothing() {
    scene::watch_panics();
    for target in TARGETS {
        let begun = Instant::now();
        replay(target);
        println!("{}: {:?}", target.name, begun.elapsed());
    }
    scene::settle();
}

#[test]
fn every_corpus_has_its_target() {
    for folder in fs::read_dir(folder("")).expect("the corpora") {
        let name = folder.expect("a folder").file_name().into_string().expect("a name");
        assert!(TARGETS.iter().any(|t| t.name == name), "{name} is no target's corpus");
    }
}

#[test]
#[ignore = "cargo xtask fuzz"]
fn for_as_long_as_it_is_told() {
    scene::watch_panics();
    let name = std::env::var(TARGET).unwrap_or_default();
    let seconds: u64 = std::env::var(SECONDS).map_or(60, |n| n.parse().expect("a number of seconds"));
    let chosen: Vec<&Target> = TARGETS.iter().filter(|t| name.is_empty() || t.name == name).collect();
    let names: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
    assert!(!chosen.is_empty(), "no target is called {name}; there are: {names:?}");
    let share = Duration::from_secs(seconds) / u32::try_from(chosen.len()).expect("few");
    for target in chosen {
        go(target, share);
    }
    scene::settle();
}

/// The beginnings of the corpora, the same every time.
#[test]
#[ignore = "cargo xtask fuzz --seeds"]
fn write_the_seeds() {
    seeds::write();
}

fn folder(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "fuzz", target].iter().collect()
}

/// A target's corpus, in the order of its files' names, and what follows from the route list.
fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = folder(target.name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no corpus", target.name);
    let mut inputs: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).expect("it can be read")).collect();
    match target.name {
        "api" => inputs.extend(routed::api()),
        "form" => inputs.extend(routed::pages()),
        _ => {}
    }
    inputs
}

/// Runs once; whether nothing was found.
fn once(target: &Target, input: &[u8]) -> bool {
    let before = scene::PANICS.load(Ordering::SeqCst);
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok() && scene::PANICS.load(Ordering::SeqCst) == before
}

/// Replays a target's corpus, and mutations of it that are the same every time.
fn replay(target: &Target) {
    let corpus = corpus(target);
    let mut mutator = mutate::Mutator::new(0x5eed, &corpus);
    let made = (0..target.replayed).map(|_| mutator.next(LONGEST));
    for input in corpus.iter().cloned().chain(made) {
        assert!(once(target, &input), "{}: {:?}", target.name, String::from_utf8_lossy(&input));
    }
}

fn go(target: &'static Target, span: Duration) {
    let corpus = corpus(target);
    let mut mutator = mutate::Mutator::new(mutate::chance(), &corpus);
    let current = Mutex::new(Vec::new());
    let (done, watched) = mpsc::channel::<()>();
    let (mut times, start) = (0u64, Instant::now());
    std::thread::scope(|scope| {
        let current = &current;
        scope.spawn(move || {
            // A run that hangs is found by whoever looks at how many there have been.
            let mut last = Vec::new();
            while watched.recv_timeout(PATIENCE).is_err_and(|e| e == mpsc::RecvTimeoutError::Timeout) {
                let now = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if now == last {
                    keep(target, &now);
                    println!("{}: one run took longer than {PATIENCE:?}", target.name);
                    std::process::exit(1);
                }
                last = now;
            }
        });
        while start.elapsed() < span {
            let input = mutator.next(LONGEST);
            current.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&input);
            if !once(target, &input) {
                keep(target, &input);
                std::process::exit(1);
            }
            times += 1;
        }
        drop(done);
    });
    println!("{}: {times} inputs in {:?}, nothing found", target.name, start.elapsed());
}

/// Writes a finding to the corpus, under the hash of its bytes.
fn keep(target: &Target, input: &[u8]) {
    let name = hex::encode(&sekisho_ledger::leaf_hash(input).0[..8]);
    let file = folder(target.name).join(format!("found-{name}"));
    fs::write(&file, input).expect("it can be written");
    println!("{}: found {}", target.name, file.display());
}
