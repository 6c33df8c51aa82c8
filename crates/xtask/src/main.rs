//! Chores of the house; [`USAGE`] lists them.

mod bench;
mod budget;
mod chores;
mod deny;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask tidy
       cargo xtask deny
       cargo xtask budget [--strict] FILE
       cargo xtask bench [--write] [MEASURE…]
       cargo xtask soak [KILLS]
       cargo xtask fuzz [TARGET] [--seconds N] | --seeds
       cargo xtask fixture NAME";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => tidy::run(),
        ["deny"] => deny::run(),
        ["budget", file] => budget::run(file, false),
        ["budget", "--strict", file] => budget::run(file, true),
        ["bench", args @ ..] => bench::bench(args),
        ["soak", args @ ..] => chores::soak(args),
        ["fuzz", args @ ..] => chores::fuzz(args),
        ["fixture", name] => chores::fixture(name),
        _ => Err(vec![USAGE.to_owned()]),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaints) => {
            for complaint in complaints {
                eprintln!("{complaint}");
            }
            ExitCode::FAILURE
        }
    }
}
