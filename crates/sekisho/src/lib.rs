//! The binary as a library: command line, wiring, jobs, rehearsals, demo. Layer L4: may use everything.

pub mod authority;
mod beyond;
pub mod cli;
pub mod commands;
pub mod demo;
pub mod evidence;
pub mod instance;
pub mod jobs;
pub mod journal;
pub mod place;
pub mod policies;
pub mod process;
pub mod provision;
pub mod rehearsal;
pub mod sample;
pub mod settings;
pub mod socket;
pub mod work;

use std::process::ExitCode;

use clap::Parser;
use sekisho_kernel::Lang;

/// The whole program.
pub fn main() -> ExitCode {
    if let Err(error) = process::harden() {
        say(&format!("sekisho: the kernel refuses to forbid core dumps: {error}"));
        return ExitCode::from(2);
    }
    let cli = cli::Cli::parse();
    let lang = cli.lang.map_or_else(language_of_environment, Lang::from);
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SEKISHO_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(cli.command.log_level())),
        )
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("sekisho: {error}"));
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(commands::run(cli, lang));
    ExitCode::from(code)
}

/// Japanese or English by the usual variables; English where they say nothing.
fn language_of_environment() -> Lang {
    let set =
        ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|v| std::env::var(v).ok().filter(|s| !s.is_empty()));
    if set.is_some_and(|l| l.starts_with("ja")) { Lang::Ja } else { Lang::En }
}

#[expect(clippy::print_stderr, reason = "this is the command line")]
fn say(text: &str) {
    eprintln!("{text}");
}
