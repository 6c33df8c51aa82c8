//! What the house measures of itself: `cargo xtask bench [--write] [MEASURE…]`.
//!
//! Every figure is a ratio taken in one run: ours and what it is held against are measured in turns, and medians are
//! reported. Nothing here is asserted; the table in docs/PERFORMANCE.md is what came of the last full run.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measuring tool: it prints its table, reads the real clock, and stops where it cannot measure"
)]

mod append;
mod checks;
mod crowd;
mod door;
mod firewall;
mod house;
mod load;
mod machine;
mod oauth;
mod prove;
mod risk;
mod scim;
mod seal;
mod served;
mod sign_in;
mod table;
mod verify;

use table::Row;

/// A measure's name on the command line, and what takes it.
type Measure = (&'static str, fn() -> Vec<Row>);

const MEASURES: &[Measure] = &[
    ("door", door::measure),
    ("firewall", firewall::measure),
    ("checks", checks::measure),
    ("append", append::measure),
    ("verify", verify::measure),
    ("seal", seal::measure),
    ("sign-in", sign_in::measure),
    ("risk", risk::measure),
    ("oauth", oauth::measure),
    ("introspect", oauth::introspect),
    ("scim", scim::measure),
    ("crowd", crowd::measure),
    ("prove", prove::measure),
];

fn main() {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if let [application, port] = &names[..]
        && application == door::APPLICATION
    {
        return door::application(port.parse().expect("a port"));
    }
    let write = names.iter().position(|n| n == "--write").map(|at| names.remove(at)).is_some();
    for name in &names {
        assert!(MEASURES.iter().any(|(m, _)| m == name), "no measure is called {name}; there are: {}", list());
    }
    for (name, measure) in MEASURES {
        if !names.is_empty() && !names.iter().any(|n| n == name) {
            continue;
        }
        println!("== {name}");
        let before = machine::others();
        let rows = measure();
        let others = before.max(machine::others());
        for row in &rows {
            println!(
                "{others:.0} % taken by others; {}: {} against {}: {} (bar {})",
                row.what, row.ours, row.against, row.result, row.bar
            );
        }
        if write {
            table::write(name, &rows, others);
        }
    }
}

fn list() -> String {
    MEASURES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
