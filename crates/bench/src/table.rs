//! Rows, medians, and the table in docs/PERFORMANCE.md.

use std::fs;

use rustix::time::{ClockId, clock_gettime};

use crate::machine;

/// One line of the table.
pub struct Row {
    /// What is measured.
    pub what: &'static str,
    /// Our figure, with its unit.
    pub ours: String,
    /// What it is held against, with its figure.
    pub against: String,
    /// The ratio, or the figure that the bar is about.
    pub result: String,
    /// The bar.
    pub bar: &'static str,
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds of processor time that `work` takes on this thread: what else runs on the machine does not count.
pub fn seconds(work: impl FnOnce()) -> f64 {
    by(ClockId::ThreadCPUTime, work)
}

/// Seconds of processor time that `work` takes on all threads of this process.
pub fn process_seconds(work: impl FnOnce()) -> f64 {
    by(ClockId::ProcessCPUTime, work)
}

fn by(clock: ClockId, work: impl FnOnce()) -> f64 {
    let start = clock_gettime(clock);
    work();
    let end = clock_gettime(clock);
    (end.tv_sec - start.tv_sec) as f64 + (end.tv_nsec - start.tv_nsec) as f64 / 1e9
}

/// How many times `once` runs in a second of this thread's processor time, over `times` runs.
pub fn rate(times: u32, mut once: impl FnMut()) -> f64 {
    f64::from(times) / seconds(|| (0..times).for_each(|_| once()))
}

/// The medians of two rates measured in turns, so that what slows the machine for a while slows both, and the median
/// of their ratios.
pub fn in_turns(rounds: usize, mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) -> (f64, f64, f64) {
    let pairs: Vec<(f64, f64)> = (0..rounds).map(|_| (ours(), theirs())).collect();
    let ratio = median(pairs.iter().map(|(o, t)| o / t).collect());
    (median(pairs.iter().map(|p| p.0).collect()), median(pairs.iter().map(|p| p.1).collect()), ratio)
}

/// A number with thousands separated.
pub fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const FILE: &str = "docs/PERFORMANCE.md";
const HEAD: &str =
    "| measure | what | ours | against | result | bar | others |\n| --- | --- | --- | --- | --- | --- | --- |\n";
const BEGIN: &str = "<!-- table: cargo xtask bench --write -->\n";
const END: &str = "<!-- end of table -->\n";

/// Puts a measure's rows in the place of its old ones. `others`: the share of the processors, in percent, that other
/// work took just before and after.
pub fn write(measure: &str, rows: &[Row], others: f64) {
    let text = fs::read_to_string(FILE).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("docs/PERFORMANCE.md marks where its table begins");
    let (table, after) = rest.split_once(END).expect("docs/PERFORMANCE.md marks where its table ends");
    let mine = format!("| `{measure}` |");
    let mut lines: Vec<String> =
        table.lines().filter(|l| l.starts_with("| `") && !l.starts_with(&mine)).map(str::to_owned).collect();
    for row in rows {
        let Row { what, ours, against, result, bar } = row;
        lines.push(format!("{mine} {what} | {ours} | {against} | {result} | {bar} | {others:.0} % |"));
    }
    let order = |line: &String| crate::MEASURES.iter().position(|(m, _)| line.starts_with(&format!("| `{m}` |")));
    lines.sort_by_key(order);
    let table = lines.join("\n");
    let facts = machine::facts();
    let new = format!("{before}{BEGIN}Measured on a machine with {facts}.\n\n{HEAD}{table}\n{END}{after}");
    fs::write(FILE, new).unwrap();
}
