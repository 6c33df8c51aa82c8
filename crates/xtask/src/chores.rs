//! Tests of the whole product that run for as long as they are told. `./test` runs a slice of each; both are in the
//! test binary of the crate `sekisho`.

use std::process::Command;

const PACKAGE: [&str; 8] = ["test", "--quiet", "--profile", "ci", "-p", "sekisho", "--test", "it"];

/// `cargo xtask soak [KILLS]`: the crash test on each database, with so many kills (300).
pub fn soak(args: &[&str]) -> Result<(), Vec<String>> {
    let kills = match args {
        [] => "300",
        [kills] if kills.parse::<u32>().is_ok() => kills,
        _ => return Err(vec!["usage: cargo xtask soak [KILLS]".to_owned()]),
    };
    ignored("crash::killed_hundreds_of_times", &[("SEKISHO_SOAK_KILLS", kills)])
}

/// `cargo xtask fuzz [TARGET] [--seconds N]`: mutations of the corpora in `tests/fuzz`, on one target or all; `--seeds`
/// writes the corpora's beginnings anew.
pub fn fuzz(args: &[&str]) -> Result<(), Vec<String>> {
    let (target, seconds) = match args {
        ["--seeds"] => return ignored("fuzz::write_the_seeds", &[]),
        [] => ("", "60"),
        ["--seconds", seconds] => ("", *seconds),
        [target] => (*target, "60"),
        [target, "--seconds", seconds] => (*target, *seconds),
        _ => return Err(vec!["usage: cargo xtask fuzz [TARGET] [--seconds N] | --seeds".to_owned()]),
    };
    let told = [("SEKISHO_FUZZ_TARGET", target), ("SEKISHO_FUZZ_SECONDS", seconds)];
    ignored("fuzz::for_as_long_as_it_is_told", &told)
}

/// `cargo xtask fixture NAME`: today's data directory and database dump, as `tests/fixtures/NAME`.
pub fn fixture(name: &str) -> Result<(), Vec<String>> {
    ignored("fixtures::make", &[("SEKISHO_FIXTURE", name)])
}

fn ignored(test: &str, told: &[(&str, &str)]) -> Result<(), Vec<String>> {
    let mut command = Command::new("cargo");
    command.args(PACKAGE).args(["--", "--ignored", "--exact", "--nocapture", test]).envs(told.iter().copied());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(vec![format!("{test}: {status}")]),
        Err(error) => Err(vec![format!("cargo: {error}")]),
    }
}
