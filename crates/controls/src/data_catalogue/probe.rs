//! Every table of the live schema against the declared record types (MIST-24).

use async_trait::async_trait;
use sekisho_kernel::{
    DataClass, RecordDef,
    catalogue::{Protection, Retention},
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::World,
};
use serde_json::Value;

use super::MIST_24;
use crate::probing::{Person, answer::good, planted, raw, rehearsed, told};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(EveryTable)]
}

struct EveryTable;

/// Columns that a sealed record has beside its declared ones.
const OF_EVERY_RECORD: [&str; 6] = ["tenant", "id", "version", "created", "updated", "sealed"];

/// The tables that no declared type, or more than one, accounts for.
fn strays(tables: &[String], declared: &[&RecordDef]) -> Vec<String> {
    let count = |table: &String| declared.iter().filter(|d| d.table == table.as_str()).count();
    tables.iter().filter(|t| count(t) != 1).map(|t| format!("{t} ({} declarations)", count(t))).collect()
}

#[async_trait]
impl Probe for EveryTable {
    fn spec(&self) -> &'static ClaimSpec {
        &MIST_24
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let instance = rehearsed(world)?;
        // With something in every table that a client can fill.
        planted::plant(world, canary).await?;
        let declared = instance.catalogue();
        let tables = raw::table_names(instance).await?;
        let without = strays(&tables, &declared);
        finding.forbidden(
            "schema-types-classified",
            format!(
                "the {} tables that the database itself lists are looked up among {} declared record types",
                tables.len(),
                declared.len()
            ),
            "each is declared",
            if without.is_empty() {
                "each is".into()
            } else {
                format!("not declared exactly once: {}", without.join(", "))
            },
            without.is_empty() && !tables.is_empty(),
        );
        let mut twice: Vec<&str> = Vec::new();
        for def in &declared {
            if declared.iter().filter(|d| d.table == def.table).count() != 1 {
                twice.push(def.table);
            }
        }
        let never: Vec<&str> = declared.iter().filter(|d| d.class == DataClass::UserTraffic).map(|d| d.table).collect();
        finding.forbidden(
            "exactly-one-class",
            "the declared record types are counted by table, and those of user traffic, which is never carried, are looked for",
            "one class each, user traffic in none",
            if twice.is_empty() && never.is_empty() {
                classes(&declared)
            } else {
                format!("twice: {}; user traffic: {}", twice.join(", "), never.join(", "))
            },
            twice.is_empty() && never.is_empty(),
        );
        protection(world, finding, &declared).await?;
        finding.absent("object-prefixes-classified", "an object store with prefixes");
        finding.absent("wire-messages-classified", "messages to and from devices");

        let planted = [tables.clone(), vec!["probe_unclassified".to_owned()]].concat();
        let caught = strays(&planted, &declared);
        finding.positive(
            "type-without-class-fails",
            "the same look-up over the schema with one more table, probe_unclassified",
            "that one is named",
            format!("named: {}", caught.join(", ")),
            caught.iter().any(|t| t.starts_with("probe_unclassified")),
        );
        let mut admin = Person::admin(canary);
        admin.again(world).await?;
        let desk = admin.sign_in(world).await?;
        let shown = desk.get(world, "/catalogue").await?;
        let items = shown.json().get("items").and_then(Value::as_array).map_or(0, Vec::len);
        finding.positive(
            "protection-and-retention-named",
            "the catalogue as the organisation's administrator reads it",
            "shown, every type in it",
            format!("{}, {items} types", told(&shown)),
            good(&shown) && items >= declared.len(),
        );
        Ok(())
    }
}

/// `personal 5, configuration 4, …`
fn classes(declared: &[&RecordDef]) -> String {
    DataClass::ALL
        .iter()
        .map(|c| (c.name(), declared.iter().filter(|d| d.class == *c).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(c, n)| format!("{c} {n}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a type says of its protection is held against its live columns and rows.
async fn protection(world: &dyn World, finding: &mut Finding, declared: &[&RecordDef]) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    let settings: Vec<&str> = world.policy().schema().iter().map(|s| s.key).collect();
    let mut wrong = Vec::new();
    let mut sealed_rows = 0;
    for def in declared {
        if let Retention::Setting(key) = def.retention
            && !settings.contains(&key)
        {
            wrong.push(format!("{}: kept as long as {key} says, which is no setting", def.table));
        }
        let table = raw::table(instance, def.table).await?;
        if def.protection != Protection::Sealed || !table.columns.iter().any(|c| c == "sealed") {
            continue;
        }
        for column in &table.columns {
            let known = OF_EVERY_RECORD.contains(&column.as_str())
                || def.indexed.iter().any(|f| column.strip_prefix("x_") == Some(f.name))
                || def.clear.iter().any(|(name, _)| name == column);
            if !known {
                wrong.push(format!("{}: the column {column} is not declared", def.table));
            }
        }
        sealed_rows += table.rows.iter().filter(|r| table.blob(r, "sealed").is_some()).count();
        if table.rows.iter().any(|r| table.blob(r, "sealed").is_none_or(|b| b.first() != Some(&1)))
            && !table.rows.is_empty()
            && def.table != "kept_answer"
        {
            wrong.push(format!("{}: a row that is not sealed", def.table));
        }
    }
    finding.forbidden(
        "protection-and-retention-named",
        format!("protection and retention of {} types are held against the live columns and rows", declared.len()),
        "sealed where declared so, no undeclared column, every retention a real one",
        if wrong.is_empty() { format!("so it is, {sealed_rows} sealed rows") } else { wrong.join("; ") },
        wrong.is_empty(),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::Text;

    use super::*;

    static SITE: RecordDef = RecordDef {
        table: "site",
        text: Text::new("拠点", "Sites"),
        class: DataClass::Configuration,
        protection: Protection::Sealed,
        retention: Retention::UntilDeleted,
        indexed: &[],
        clear: &[],
    };

    #[test]
    fn a_table_without_or_with_two_declarations_is_named() {
        let tables = ["site".to_owned(), "stray".to_owned()];
        assert_eq!(strays(&tables, &[&SITE]), ["stray (0 declarations)"]);
        assert_eq!(strays(&tables[..1], &[&SITE, &SITE]), ["site (2 declarations)"]);
        assert!(strays(&tables[..1], &[&SITE]).is_empty());
    }
}
