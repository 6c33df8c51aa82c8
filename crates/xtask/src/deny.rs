//! `cargo deny`, offline once all platforms' crates are fetched: licences, bans and sources always; advisories against the
//! RustSec copy in `../shared/data/rustsec` where that folder is. The database wants to be a git repository under a name of its
//! own, so one is laid in `target/`.

use std::{fs, path::Path, process::Command};

const ADVISORIES: &str = "../shared/data/rustsec";
/// cargo-deny's folder name for its default database address.
const DATABASE: &str = "target/advisories/advisory-db-3157b0e258782691";

fn run_ok(command: &mut Command) -> Result<(), Vec<String>> {
    let status = command.status().map_err(|e| vec![format!("{command:?}: {e}")])?;
    if status.success() { Ok(()) } else { Err(vec![format!("{command:?} failed")]) }
}

/// Runs the checks.
pub fn run() -> Result<(), Vec<String>> {
    // Licences are those of every platform's crates; a build here has fetched those of this one only.
    run_ok(Command::new("cargo").args(["fetch", "--locked", "--quiet"]))?;
    run_ok(Command::new("cargo").args(["deny", "--offline", "check", "licenses", "bans", "sources"]))?;
    if !Path::new(ADVISORIES).is_dir() {
        if std::env::var_os("CI").is_some() {
            return Err(vec![format!("{ADVISORIES} is missing: CI must check advisories")]);
        }
        eprintln!("advisories skipped: {ADVISORIES} is missing");
        return Ok(());
    }
    let _ = fs::remove_dir_all(DATABASE);
    fs::create_dir_all(DATABASE).map_err(|e| vec![e.to_string()])?;
    run_ok(Command::new("cp").args(["-r", "--no-preserve=mode", &format!("{ADVISORIES}/."), DATABASE]))?;
    let git = |args: &[&str]| run_ok(Command::new("git").arg("-C").arg(DATABASE).args(args));
    git(&["init", "--quiet"])?;
    git(&["add", "--all"])?;
    git(&["-c", "user.name=tidy", "-c", "user.email=tidy@example.invalid", "commit", "--quiet", "-m", "advisories"])?;
    run_ok(Command::new("cargo").args(["deny", "--offline", "check", "advisories"]))
}
