//! Measures, by the crate `bench`, which needs what xtask must not wait for.

use std::process::Command;

/// `cargo xtask bench [--write] [MEASURE…]`: as shipped, with the binary beside it.
pub fn bench(args: &[&str]) -> Result<(), Vec<String>> {
    run(Command::new("cargo").args(["build", "--quiet", "--release", "-p", "sekisho"]))?;
    run(Command::new("cargo").args(["run", "--quiet", "--release", "-p", "sekisho-bench", "--"]).args(args))
}

fn run(command: &mut Command) -> Result<(), Vec<String>> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(vec![format!("{command:?}: {status}")]),
        Err(error) => Err(vec![format!("{command:?}: {error}")]),
    }
}
