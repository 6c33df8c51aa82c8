//! Holds the seconds that `./test` measured to the budgets written in `budgets.toml`. Overruns are named; they fail only
//! with `--strict`, which the main job takes up once the budgets have been measured from cold on its own machine.

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
    let mut complaints = Vec::new();
    if total > 25 * 60 {
        complaints.push(format!("budgets.toml: the budgets add up to {total} s, more than 25 minutes"));
    }
    for line in measured.lines() {
        let Some((part, seconds)) = line.split_once(' ') else { continue };
        let seconds: u64 = seconds.parse().map_err(|e| vec![format!("{line}: {e}")])?;
        match budgets.seconds.get(part) {
            None => complaints.push(format!("budgets.toml: the part {part} has no budget")),
            Some(budget) if seconds > *budget => {
                complaints.push(format!("{part} took {seconds} s, more than its budget of {budget} s"));
            }
            Some(_) => {}
        }
    }
    if strict && !complaints.is_empty() {
        return Err(complaints);
    }
    complaints.iter().for_each(|complaint| eprintln!("over budget: {complaint}"));
    Ok(())
}
