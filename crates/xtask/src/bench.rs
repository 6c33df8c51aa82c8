//! Measures, by the crate `bench`, which needs what xtask must not wait for.

use std::{path::PathBuf, process::Command};

/// `cargo xtask bench [--write] [MEASURE…]`: as shipped, with the binary beside it.
pub fn bench(args: &[&str]) -> Result<(), Vec<String>> {
    // Together, so that what both use is built once, with the same features.
    run(Command::new("cargo").args(["build", "--release", "-p", "sekisho", "-p", "sekisho-bench"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    run(Command::new(target.join("release/sekisho-bench")).args(args))
}

fn run(command: &mut Command) -> Result<(), Vec<String>> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(vec![format!("{command:?}: {status}")]),
        Err(error) => Err(vec![format!("{command:?}: {error}")]),
    }
}
