//! `with-postgres COMMAND [ARGUMENT]…`: runs a command with one PostgreSQL cluster for all tests in it.

#![allow(clippy::print_stderr, reason = "a program's own messages")]

fn main() {
    let command: Vec<String> = std::env::args().skip(1).collect();
    let code = sekisho_testkit::with_cluster(&command).unwrap_or_else(|why| {
        eprintln!("with-postgres: {why}");
        2
    });
    std::process::exit(code);
}
