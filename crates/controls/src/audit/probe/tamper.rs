//! NM-06: a superuser changes, removes, reorders, forges, cuts, rolls back and re-signs; the verifier looks at the copy.

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Raw, Rehearsed, Tamper, Verified, World},
};
use serde_json::json;

use crate::{
    audit::NM_06,
    probing::{
        Person,
        raw::{self, Table},
        rehearsed,
    },
};

pub struct Unaltered;

/// The tables that make up the log; what waits for its place in it is empty by the time of the trial.
const LOG: [&str; 5] = ["ledger_entry", "ledger_leaf", "ledger_tile", "ledger_head", "ledger_checkpoint"];

#[async_trait]
impl Probe for Unaltered {
    fn spec(&self) -> &'static ClaimSpec {
        &NM_06
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let instance = rehearsed(world)?;
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        for _ in 0..8 {
            desk.make(world, "/sites", &json!({"name": world.marker("before")})).await?;
        }
        instance.advance(Duration::from_secs(15)).await?;
        instance.remember().await?;
        for _ in 0..4 {
            desk.make(world, "/sites", &json!({"name": world.marker("after")})).await?;
        }
        instance.advance(Duration::from_secs(15)).await?;

        let untouched = instance.verify_copy(Tamper::Nothing).await?;
        finding.positive(
            "changed-detected",
            "an untouched copy of the database is verified",
            "sound",
            words(&untouched),
            untouched.sound,
        );
        roles(instance, finding).await?;
        let log = Log::read(instance, canary.tenant.bytes()).await?;
        log.every_column(instance, finding).await?;
        for (clause, what, statements) in log.cases() {
            one(instance, finding, clause, what, Tamper::Sql(log.unguarded(statements))).await?;
        }
        one(
            instance,
            finding,
            "rolled-back-detected",
            "the whole database and its signed checkpoint as they were four entries ago",
            Tamper::RollBack,
        )
        .await?;
        let again = log.unguarded(log.removal());
        one(
            instance,
            finding,
            "re-signed-detected",
            "an entry removed, the tree computed anew and signed with the stolen checkpoint key",
            Tamper::Resign(again),
        )
        .await
    }
}

fn words(verified: &Verified) -> String {
    match (verified.sound, verified.anchored) {
        (true, true) => "sound, held against a checkpoint from outside".into(),
        (true, false) => "sound, without a checkpoint from outside".into(),
        (false, _) => verified.findings.first().map_or_else(|| "not sound".into(), |f| format!("detected: {f}")),
    }
}

async fn one(
    instance: &dyn Rehearsed,
    finding: &mut Finding,
    clause: &str,
    what: &str,
    tamper: Tamper,
) -> Result<(), Trouble> {
    let verified = instance.verify_copy(tamper).await?;
    finding.forbidden(clause, format!("on a copy: {what}"), "detected", words(&verified), !verified.sound);
    Ok(())
}

async fn roles(instance: &dyn Rehearsed, finding: &mut Finding) -> Result<(), Trouble> {
    for (clause, sql) in [
        ("role-update-refused", "UPDATE ledger_entry SET outcome = 'success'"),
        ("role-delete-refused", "DELETE FROM ledger_entry"),
        ("role-truncate-refused", "TRUNCATE ledger_entry"),
    ] {
        match instance.as_service_role(None, sql).await? {
            None => finding.absent(
                clause,
                format!("a database role that could be refused “{sql}”: the embedded database has none"),
            ),
            Some(result) => finding.forbidden(
                clause,
                format!("{sql}, under the service's own database role"),
                "refused by the database",
                match &result {
                    Ok(rows) => format!("done to {rows} rows"),
                    Err(refused) => refused.clone(),
                },
                result.is_err(),
            ),
        }
    }
    Ok(())
}

/// The log of one tenant as it lies in the database.
struct Log {
    id: String,
    tables: Vec<Table>,
    guards: Vec<String>,
    /// Leaves from the first, as (index, entry id).
    leaves: Vec<(i64, String)>,
}

fn literal(value: &Raw) -> String {
    match value {
        Raw::Null => "NULL".into(),
        Raw::Int(n) => n.to_string(),
        Raw::Text(t) => format!("'{}'", t.replace('\'', "''")),
        Raw::Blob(b) => blob(b),
    }
}

fn blob(bytes: &[u8]) -> String {
    format!("x'{}'", hex::encode(bytes))
}

/// Another value of the same kind: one bit flipped, one more, another word.
fn other(value: &Raw) -> Raw {
    match value {
        Raw::Null => Raw::Int(1),
        Raw::Int(n) => Raw::Int(n + 1),
        Raw::Text(t) if t == "success" => Raw::Text("refused".into()),
        Raw::Text(t) => Raw::Text(format!("{t}x")),
        Raw::Blob(b) => {
            let mut b = b.clone();
            let at = b.len() / 2;
            if let Some(byte) = b.get_mut(at) {
                *byte ^= 1;
            }
            Raw::Blob(b)
        }
    }
}

impl Log {
    async fn read(instance: &dyn Rehearsed, tenant: [u8; 16]) -> Result<Self, Trouble> {
        let mut tables = Vec::new();
        for name in LOG {
            let mut table = raw::table(instance, name).await?;
            let at = table.at("log").ok_or_else(|| Trouble(format!("{name} has no column log")))?;
            table.rows.retain(|r| matches!(&r[at], Raw::Blob(b) if b == &tenant));
            tables.push(table);
        }
        // A superuser does not stop at triggers: they go first.
        let guards = instance.raw_rows("SELECT name FROM sqlite_master WHERE type = 'trigger'").await?;
        let guards = guards
            .iter()
            .filter_map(|r| match r.first() {
                Some(Raw::Text(name)) => Some(format!("DROP TRIGGER \"{name}\"")),
                _ => None,
            })
            .collect();
        let leaf = &tables[1];
        let mut leaves: Vec<(i64, String)> =
            leaf.rows.iter().filter_map(|r| Some((leaf.int(r, "idx")?, blob(leaf.blob(r, "id")?)))).collect();
        leaves.sort();
        if leaves.len() < 8 {
            return Err(Trouble(format!(
                "the log has {} entries under a checkpoint, too few to try anything",
                leaves.len()
            )));
        }
        Ok(Self { id: blob(&tenant), tables, guards, leaves })
    }

    fn unguarded(&self, statements: Vec<String>) -> Vec<String> {
        self.guards.iter().cloned().chain(statements).collect()
    }

    /// One value of every column of every table of the log, one at a time.
    async fn every_column(&self, instance: &dyn Rehearsed, finding: &mut Finding) -> Result<(), Trouble> {
        let (mut tried, mut missed) = (0, Vec::new());
        for table in &self.tables {
            // The newest row: the verifier may not stop at what lies before it.
            let Some(row) = table.rows.last() else { return Err(Trouble(format!("{} is empty", table.name))) };
            let this: Vec<String> = table
                .columns
                .iter()
                .zip(row)
                .filter(|(_, v)| !matches!(v, Raw::Blob(b) if b.len() > 64))
                .map(|(c, v)| format!("\"{c}\" = {}", literal(v)))
                .collect();
            for (column, value) in table.columns.iter().zip(row) {
                let set = format!(
                    "UPDATE {} SET \"{column}\" = {} WHERE {}",
                    table.name,
                    literal(&other(value)),
                    this.join(" AND ")
                );
                let verified = instance.verify_copy(Tamper::Sql(self.unguarded(vec![set]))).await?;
                tried += 1;
                if verified.sound {
                    missed.push(format!("{}.{column}", table.name));
                }
            }
        }
        finding.forbidden(
            "changed-detected",
            format!(
                "on copies: each of the {tried} columns of the log's tables changed in one row, one column at a time"
            ),
            "each change detected",
            if missed.is_empty() {
                format!("{tried} detected")
            } else {
                format!("not detected: {}", missed.join(", "))
            },
            missed.is_empty(),
        );
        Ok(())
    }

    /// One entry in the middle taken out, the following ones moved up, everything that counts them made to fit.
    fn removal(&self) -> Vec<String> {
        let log = &self.id;
        let (idx, id) = &self.leaves[self.leaves.len() / 2];
        vec![
            format!("DELETE FROM ledger_entry WHERE log = {log} AND id = {id}"),
            format!("DELETE FROM ledger_leaf WHERE log = {log} AND idx = {idx}"),
            format!("UPDATE ledger_leaf SET idx = -idx WHERE log = {log} AND idx > {idx}"),
            format!("UPDATE ledger_leaf SET idx = -idx - 1 WHERE log = {log} AND idx < 0"),
            format!("UPDATE ledger_head SET size = size - 1, signed = signed - 1 WHERE log = {log}"),
        ]
    }

    fn cases(&self) -> Vec<(&'static str, &'static str, Vec<String>)> {
        let log = &self.id;
        let size = self.leaves.len();
        let (a, b, last) = (&self.leaves[size / 2], &self.leaves[size / 2 + 1], &self.leaves[size - 1]);
        let cut = self.leaves[size - 3].0;
        let forged = blob(&[0x5a; 16]);
        vec![
            (
                "removed-detected",
                "the body of an entry deleted",
                vec![format!("DELETE FROM ledger_entry WHERE log = {log} AND id = {}", a.1)],
            ),
            (
                "removed-detected",
                "the place of an entry in the tree deleted",
                vec![format!("DELETE FROM ledger_leaf WHERE log = {log} AND idx = {}", a.0)],
            ),
            ("removed-detected", "an entry deleted, the following ones moved up, the head made to fit", self.removal()),
            (
                "reordered-detected",
                "two entries exchanged in the tree",
                vec![
                    format!("UPDATE ledger_leaf SET idx = -1 WHERE log = {log} AND idx = {}", a.0),
                    format!("UPDATE ledger_leaf SET idx = {} WHERE log = {log} AND idx = {}", a.0, b.0),
                    format!("UPDATE ledger_leaf SET idx = {} WHERE log = {log} AND idx = -1", b.0),
                ],
            ),
            (
                "reordered-detected",
                "the bodies of two entries exchanged",
                vec![
                    format!("UPDATE ledger_entry SET id = {forged} WHERE log = {log} AND id = {}", a.1),
                    format!("UPDATE ledger_entry SET id = {} WHERE log = {log} AND id = {}", a.1, b.1),
                    format!("UPDATE ledger_entry SET id = {} WHERE log = {log} AND id = {forged}", b.1),
                ],
            ),
            (
                "forged-detected",
                "a copy of an entry inserted under another id, without a place in the tree",
                vec![format!(
                    "INSERT INTO ledger_entry (log, id, format, at, event, outcome, actor, x_object, sealed) SELECT log, {forged}, format, at, event, outcome, actor, x_object, sealed FROM ledger_entry WHERE log = {log} AND id = {}",
                    last.1
                )],
            ),
            (
                "forged-detected",
                "a copy of an entry appended to the tree, the head made to fit",
                vec![
                    format!(
                        "INSERT INTO ledger_entry (log, id, format, at, event, outcome, actor, x_object, sealed) SELECT log, {forged}, format, at, event, outcome, actor, x_object, sealed FROM ledger_entry WHERE log = {log} AND id = {}",
                        last.1
                    ),
                    format!(
                        "INSERT INTO ledger_leaf (log, epoch, idx, id, commitment) SELECT log, epoch, idx + 1, {forged}, commitment FROM ledger_leaf WHERE log = {log} AND idx = {}",
                        last.0
                    ),
                    format!("UPDATE ledger_head SET size = size + 1, signed = signed + 1 WHERE log = {log}"),
                ],
            ),
            (
                "cut-short-detected",
                "the last three entries cut off, the head made to fit",
                vec![
                    format!(
                        "DELETE FROM ledger_entry WHERE log = {log} AND id IN (SELECT id FROM ledger_leaf WHERE log = {log} AND idx >= {cut})"
                    ),
                    format!("DELETE FROM ledger_leaf WHERE log = {log} AND idx >= {cut}"),
                    format!("UPDATE ledger_head SET size = {cut}, signed = {cut} WHERE log = {log}"),
                    format!("DELETE FROM ledger_checkpoint WHERE log = {log} AND size > {cut}"),
                ],
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_value_is_another_value() {
        for value in [Raw::Null, Raw::Int(3), Raw::Text("success".into()), Raw::Text("x".into()), Raw::Blob(vec![1, 2])]
        {
            assert_ne!(other(&value), value);
        }
        assert_eq!(literal(&Raw::Text("it's".into())), "'it''s'");
        assert_eq!(literal(&Raw::Blob(vec![0xab])), "x'ab'");
    }
}
