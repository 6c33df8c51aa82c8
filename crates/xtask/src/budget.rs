//! Holds the seconds that `./test` measured to the budgets written in `budgets.toml`. A part without a budget, a sum over
//! 25 minutes and a part that took twice its budget fail: no slow machine explains those. A smaller overrun is named, and
//! fails with `--strict`.

use std::{collections::BTreeMap, fs};

#[derive(serde::Deserialize)]
struct Budgets {
    seconds: BTreeMap<String, u64>,
}

/// Names every part over its budget or without one.
pub fn run(measured: &str, strict: bool) -> Result<(), Vec<String>> {
    let text = fs::read_to_string("budgets.toml").map_err(|e| vec![format!("budgets.toml: {e}")])?;
    let budgets: Budgets = toml::from_str(&text).map_err(|e| vec![format!("budgets.toml: {e}")])?;
    let measured = fs::read_to_string(measured).map_err(|e| vec![format!("{measured}: {e}")])?;
    let total: u64 = budgets.seconds.values().sum();
    let (mut complaints, mut named) = (Vec::new(), Vec::new());
    if total > 25 * 60 {
        complaints.push(format!("budgets.toml: the budgets add up to {total} s, more than 25 minutes"));
    }
    for line in measured.lines() {
        let Some((part, seconds)) = line.split_once(' ') else { continue };
        let seconds: u64 = seconds.parse().map_err(|e| vec![format!("{line}: {e}")])?;
        match budgets.seconds.get(part) {
            None => complaints.push(format!("budgets.toml: the part {part} has no budget")),
            Some(budget) if seconds > *budget => {
                let grave = strict || seconds > 2 * budget;
                let complaint = format!("{part} took {seconds} s, more than its budget of {budget} s");
                if grave { complaints.push(complaint) } else { named.push(complaint) }
            }
            Some(_) => {}
        }
    }
    named.iter().for_each(|complaint| eprintln!("over budget: {complaint}"));
    if complaints.is_empty() { Ok(()) } else { Err(complaints) }
}
