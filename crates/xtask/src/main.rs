//! Chores of the house: `cargo xtask tidy | deny | budget [--strict] FILE | bench [--write] [MEASURE…]`.

mod bench;
mod budget;
mod deny;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["tidy"] => tidy::run(),
        ["deny"] => deny::run(),
        ["budget", file] => budget::run(file, false),
        ["budget", "--strict", file] => budget::run(file, true),
        ["bench", args @ ..] => bench::bench(args),
        _ => {
            Err(vec!["usage: cargo xtask tidy | deny | budget [--strict] FILE | bench [--write] [MEASURE…]".to_owned()])
        }
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
